"""What an environment's Vault must hold, where that comes from, and who brings it there."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from shared.landscape.declared import Declared, cluster_is_optional_in_the_file
from shared.landscape.forms import (
    HOST,
    LABEL,
    VAULT_ID,
    Audience,
    ClusterName,
    CredentialName,
    Form,
    IdentityId,
    Unchanging,
)

LOGIN_AUDIENCE: Final = "api://AzureADTokenExchange"
"""Of the token that Reconverge shows to Vault: whoever holds it can do nothing with it in Azure itself."""

_PROVIDERS: Final = "/subscriptions/<guid>/resourceGroups/<group>/providers"
KEY_VAULT_ID: Final = f"{_PROVIDERS}/Microsoft.KeyVault/vaults/<name>"
_IDENTITY_ID: Final = f"{_PROVIDERS}/Microsoft.ManagedIdentity/userAssignedIdentities/<name>"
_SEGMENT: Final = r"[A-Za-z0-9_][-.A-Za-z0-9_]*"

type KeyVaultId = Annotated[str, VAULT_ID]

type Namespace = Annotated[
    str,
    # https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
    Form(
        pattern=LABEL,
        otherwise="name a namespace with lower-case letters, digits and inner hyphens",
        longest=63,
    ),
]

type CronJobName = Annotated[
    str,
    # The Jobs that the controller makes of it add 11 characters and must stay within 63.
    Form(
        pattern=HOST,
        otherwise="name a CronJob with lower-case letters, digits, inner hyphens and dots",
        longest=52,
    ),
]

type ObjectName = Annotated[
    str,
    Form(
        pattern=HOST,
        otherwise="name an object of Kubernetes with lower-case letters, digits, inner hyphens and dots",
        longest=253,
    ),
]

# From outside the cluster, where the app runs: a Service's own name leads nowhere there.
_REACHABLE: Final = "https://vault.dev.ameide.io"
VAULT_ADDRESS: Final = Form(
    # Inside the cluster Vault is served over plain http, and a private way may lead to just that.
    pattern=rf"https?://{HOST}(?::[0-9]{{1,5}})?",
    otherwise=f"write Vault's address without a path, such as {_REACHABLE}",
    longest=270,
)
type VaultAddress = Annotated[str, VAULT_ADDRESS]

type VaultPath = Annotated[
    str,
    Form(
        pattern=rf"{_SEGMENT}(?:/{_SEGMENT})*",
        otherwise="write a path of Vault: letters, digits, `-`, `_` and `.`, parted by single slashes",
        longest=255,
    ),
]

type SecretName = Annotated[
    str,
    # https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers
    Form(
        pattern=r"[0-9A-Za-z-]+",
        otherwise="name a Key Vault secret with letters, digits and hyphens",
        longest=127,
    ),
]

type PlaceholderDigest = Annotated[
    str,
    Form(
        pattern=r"[0-9a-fA-F]{64}",
        otherwise="write the 64 hexadecimal digits that the command in docs/landscape.md prints",
        longest=64,
    ),
    AfterValidator(str.lower),
]


class VaultLogin(Declared):
    """How Reconverge logs in to Vault: JWT auth, with a token that Entra issues to its own identity."""

    mount: VaultPath = Field(examples=["jwt"])
    """Path of the auth method."""
    role: VaultPath = Field(examples=["reconverge"])
    """Role of the auth method. Its policy reads the seeds, and writes them only where seeding is allowed."""
    audience: Audience = LOGIN_AUDIENCE
    """What the token is asked for, and what the role binds."""


class BootstrapJob(Declared):
    """The CronJob that seeds Vault from Key Vault, and who it is towards Azure."""

    cron_job: CronJobName = Field(examples=["foundation-vault-bootstrap-vault-bootstrap"])
    """Its name."""
    identity: IdentityId = Field(examples=[_IDENTITY_ID])
    """ARM id of the identity that it reads Key Vault as; declared in this environment."""
    credential: CredentialName = Field(examples=["vault-bootstrap-dev"])
    """Name of the identity's credential that lets it in; declared with the identity."""


def _pairs(value: object) -> object:
    """A list of keys stands for secrets of the same names."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return {key: key for key in value}
    return value


def _optional_in_the_file(described: dict[str, Any]) -> None:
    cluster_is_optional_in_the_file(described)
    pairs = described["properties"]["seeds"]
    words = {key: pairs.pop(key) for key in ("description", "examples", "default") if key in pairs}
    described["properties"]["seeds"] = words | {
        # Mistakes are told in the words of the first form, which can say everything.
        "anyOf": [pairs, {"type": "array", "items": pairs["propertyNames"]}],
    }


class DeclaredVault(Declared):
    """One Vault of the environment: its seeds, their source, and what rests on them."""

    cluster: ClusterName = Field(examples=["ameide"])
    """Name of the cluster that it runs in. Needed only when the environment has several."""
    namespace: Namespace = Field(examples=["ameide-dev"])
    """Of the CronJob, the stores and the ExternalSecrets."""
    address: VaultAddress = Field(examples=[_REACHABLE])
    """Where Reconverge reaches Vault."""
    mount: VaultPath = "secret"
    """Path of the KV v2 engine. Every key holds its value in the field `value`."""
    login: VaultLogin = Field(examples=[{"mount": "jwt", "role": "reconverge"}])
    """How Reconverge logs in."""
    bootstrap: BootstrapJob = Field(examples=[{"cronJob": "vault-bootstrap"}])
    """What seeds it."""
    key_vault: KeyVaultId = Field(examples=[KEY_VAULT_ID])
    """ARM id of the Key Vault that the seeds come from."""
    required_secrets: tuple[SecretName, ...] = ()
    """Secrets that must be present and usable in Key Vault. Sources of seeds are required anyway."""
    seeds: Annotated[Mapping[VaultPath, SecretName], BeforeValidator(_pairs), Unchanging()] = Field(
        examples=[{"ghcr-token": "ghcr-token"}]
    )
    """Key in the KV engine → secret in Key Vault; a list of keys where the names are equal."""
    stores: tuple[ObjectName, ...] = ()
    """SecretStores that must be Ready."""
    external_secrets: tuple[ObjectName, ...] = ()
    """ExternalSecrets that must be Ready; without any, all of the namespace."""
    placeholders: tuple[PlaceholderDigest, ...] = ()
    """Digests of fixture values that count as missing."""

    model_config = ConfigDict(json_schema_extra=_optional_in_the_file)

    @property
    def sources(self) -> tuple[str, ...]:
        """Every Key Vault secret that is needed, each once, in the order of the file."""
        return tuple(dict.fromkeys((*self.required_secrets, *self.seeds.values())))


def same_address(one: str, other: str) -> bool:
    """Whether two well-formed addresses are one: a default port may be written or left out."""
    return _full(one) == _full(other)


def _full(address: str) -> str:
    port = "443" if address.startswith("https:") else "80"
    return address if re.search(r":[0-9]+$", address) else f"{address}:{port}"
