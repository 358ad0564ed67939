"""The section `keycloak`: the realm that an environment logs in by, and what brings it about."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import ConfigDict, Field

from shared.landscape.declared import Declared, cluster_is_optional_in_the_file
from shared.landscape.forms import HOST, ClusterName, FieldPath, Form, Unchanging
from shared.landscape.values import ValuesFile
from shared.landscape.vault import (
    KEY_VAULT_ID,
    KeyVaultId,
    Namespace,
    ObjectName,
    PlaceholderDigest,
    SecretName,
    VaultPath,
)
from shared.landscape.web import RedirectUri, WebAddress

type ApplicationName = Annotated[
    str,
    Form(
        pattern=HOST,
        otherwise="write an Application's name, such as dev-platform-keycloak-realm",
        longest=253,
    ),
]
type JobName = Annotated[
    str,
    Form(
        pattern=HOST,
        otherwise="name a Job with lower-case letters, digits, inner hyphens and dots",
        longest=63,
    ),
]
type RealmName = Annotated[
    str,
    Form(pattern=r"\w[-\w.]*", otherwise="name a realm with letters, digits, `-`, `_` and `.`", longest=255),
]
type ClientId = Annotated[
    str,
    Form(
        pattern=r"[\w][-\w.:/]*",
        otherwise="write the client's id as Keycloak shows it, such as platform-app",
        longest=255,
    ),
]
type DataKey = Annotated[
    str,
    # https://kubernetes.io/docs/concepts/configuration/secret/
    Form(
        pattern=r"[-._A-Za-z0-9]+",
        otherwise="write a key of a Secret or ConfigMap: letters, digits, `-`, `_` and `.`",
        longest=253,
    ),
]


class KeycloakLogin(Declared):
    """How Reconverge reads the realm: as a confidential client of it, with a service account."""

    client_id: ClientId = Field(examples=["reconverge"])
    """The client's id. Its service account needs the role view-clients of realm-management, and
    manage-clients only where the contract lets redirect URIs be added."""
    key_vault: KeyVaultId = Field(examples=[KEY_VAULT_ID])
    """ARM id of the Key Vault that holds the client's secret."""
    secret: SecretName = Field(examples=["keycloak-reconverge-client-secret"])
    """Name of that secret. Its value goes from Key Vault to Keycloak's token endpoint and nowhere else."""


class DeclaredHooks(Declared):
    """The Jobs that make the realm's clients usable, in the order in which they must run."""

    bootstrap: JobName = Field(examples=["platform-keycloak-realm-master-bootstrap"])
    """The Job that makes the client that the patcher logs in as. It must have completed before the patcher
    begins."""
    patcher: JobName = Field(examples=["platform-keycloak-realm-client-patcher"])
    """The Job that brings the clients to their declaration and writes their secrets to Vault."""
    values: ValuesFile | None = None
    """The file of values that the keys below are in. Without it nothing can be proposed."""
    rerun: FieldPath | None = None
    """Key of the value whose change makes the Jobs run again, such as clientPatcher.runId."""
    bootstrap_hook: FieldPath | None = None
    """Key of the value that becomes the annotation argocd.argoproj.io/hook of the bootstrap."""
    bootstrap_wave: FieldPath | None = None
    """Key of the value that becomes its annotation argocd.argoproj.io/sync-wave."""
    patcher_hook: FieldPath | None = None
    """The same of the patcher."""
    patcher_wave: FieldPath | None = None
    """The same of the patcher."""


class DeclaredClient(Declared):
    """A client that the realm must have."""

    redirect_uris: tuple[RedirectUri, ...] = ()
    """Those that it must accept; it may accept more."""
    vault_key: VaultPath | None = None
    """Key in the environment's Vault that the patcher writes the client's secret to."""


class DeclaredKeycloak(Declared):
    """The Keycloak of the environment: its realm, what sets it up, and what rests on it."""

    model_config = ConfigDict(json_schema_extra=cluster_is_optional_in_the_file)

    cluster: ClusterName = Field(examples=["ameide"])
    """Name of the cluster that it runs in. Needed only when the environment has several."""
    namespace: Namespace = Field(examples=["ameide-dev"])
    """Of the imports, the Jobs and the Secrets."""
    application: ApplicationName = Field(examples=["dev-platform-keycloak-realm"])
    """The Application of Argo CD that deploys them."""
    url: WebAddress = Field(examples=["https://auth.dev.ameide.io"])
    """Where browsers and Reconverge reach Keycloak."""
    realm: RealmName = Field(examples=["ameide"])
    """The realm that the clients are in."""
    login: KeycloakLogin = Field(examples=[{"clientId": "reconverge", "secret": "<name>"}])
    """How Reconverge logs in."""
    realm_imports: tuple[ObjectName, ...] = ()
    """KeycloakRealmImports that must be done."""
    hooks: DeclaredHooks = Field(examples=[{"bootstrap": "<job>", "patcher": "<job>"}])
    """What sets the clients up."""
    clients: Annotated[Mapping[ClientId, DeclaredClient], Field(min_length=1), Unchanging()] = Field(
        examples=[{"gitlab": {"redirectUris": []}}]
    )
    """The clients by their id."""
    secrets: Annotated[
        Mapping[ObjectName, Annotated[Mapping[DataKey, DataKey], Unchanging()]], Unchanging()
    ] = Field(default_factory=lambda: MappingProxyType({}))
    """Secrets that must be there: of each, its key → the key of its published digest. Without any key all
    that it holds must not be empty."""
    digests: ObjectName | None = None
    """ConfigMap in which the patcher publishes the SHA-256 digests of what it wrote."""
    placeholders: tuple[PlaceholderDigest, ...] = ()
    """Digests of fixture values that count as missing."""
