"""The forms that texts of a landscape have, each with the sentence that says what to write instead.

A refusal never repeats the refused text: it may be a secret that went into the wrong place.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from shared.landscape.issuers import ISSUER

REFUSED: Final = "refused_form"
"""Type of the pydantic errors whose text is already one of ours."""


def refusal(says: str) -> PydanticCustomError:
    """An error whose text is shown as it stands; literal braces would be read as fields."""
    return PydanticCustomError(REFUSED, "{says}", {"says": says})


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Metadata of a text type: a length and a pattern, to be met from the first character to the last."""

    pattern: str
    otherwise: str
    longest: int
    ignore_case: bool = False

    def fits(self, text: str) -> bool:
        return len(text) <= self.longest and bool(
            re.fullmatch(self.pattern, text, re.ASCII | (re.IGNORECASE if self.ignore_case else 0))
        )

    def check(self, text: str) -> str:
        """Answer the text as it came. Raises the refusal otherwise."""
        if text != text.strip():
            # Entra compares issuers and subjects character for character, and Azure stores a blank silently.
            # https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
            raise refusal("begins or ends with a blank; remove it")
        if len(text) > self.longest:
            raise refusal(f"is longer than {self.longest} characters; {self.otherwise}")
        if not self.fits(text):
            raise refusal(f"has the wrong form; {self.otherwise}")
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        described = handler(core) | {"minLength": 1, "maxLength": self.longest}
        # JSON Schema's patterns know no flag for letter case, so there the loader alone decides.
        return described if self.ignore_case else described | {"pattern": f"^(?:{self.pattern})$"}


_GUID: Final = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_GROUP: Final = rf"/subscriptions/{_GUID}/resourceGroups/[-\w.()]{{0,89}}[-\w()]/providers"
LABEL: Final = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
"""One part of a DNS name, which is also how Kubernetes names most things."""
HOST: Final = rf"{LABEL}(?:\.{LABEL})*"
"""Such parts with dots between them."""


def _resource(kind: str, name: str, command: str) -> Form:
    """An ARM id of one kind. Ids are compared without regard to letter case, so any is accepted.

    Name rules: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    """
    return Form(
        pattern=rf"{_GROUP}/{re.escape(kind)}/{name}",
        otherwise="write the resource's ARM id, /subscriptions/<guid>/resourceGroups/<group>"
        f"/providers/{kind}/<name> (`{command} --query id`)",
        longest=2048,
        ignore_case=True,
    )


type Guid = Annotated[
    str,
    Form(pattern=_GUID, otherwise="write a GUID, 8-4-4-4-12 hexadecimal digits", longest=36),
    AfterValidator(str.lower),
]

IDENTITY_ID: Final = _resource(
    "Microsoft.ManagedIdentity/userAssignedIdentities", r"[a-z0-9][-\w]{2,127}", "az identity show"
)
type IdentityId = Annotated[str, IDENTITY_ID]

type ClusterId = Annotated[
    str,
    _resource(
        "Microsoft.ContainerService/managedClusters", r"[a-z0-9](?:[-\w]{0,61}[a-z0-9])?", "az aks show"
    ),
]

VAULT_ID: Final = _resource("Microsoft.KeyVault/vaults", r"[a-z](?:-?[a-z0-9]){2,23}", "az keyvault show")
PUBLIC_IP_ID: Final = _resource(
    "Microsoft.Network/publicIPAddresses",
    r"[a-z0-9](?:[-\w.]{0,78}\w)?",
    "az network public-ip show",
)
type ResourceId = Annotated[
    str,
    Form(
        pattern=rf"{_GROUP}/[a-z0-9.]+(?:/[-\w.]+)+",
        otherwise="write a resource's ARM id, /subscriptions/<guid>/resourceGroups/<group>"
        "/providers/<namespace>/<type>/<name>",
        longest=2048,
        ignore_case=True,
    ),
]

REPOSITORY: Final = Form(
    # Nothing before the host: a token in the address would end up in plans and journals.
    pattern=rf"https://{HOST}(?::[0-9]{{1,5}})?/[a-z0-9][-a-z0-9]{{0,38}}/(?!\.)[-\w.]{{1,100}}",
    otherwise="write the repository's address, https://github.com/<owner>/<name>.git, without user name",
    longest=400,
    ignore_case=True,
)
type RepositoryUrl = Annotated[str, REPOSITORY]

BRANCH: Final = Form(
    # https://git-scm.com/docs/git-check-ref-format
    pattern=r"\w(?:\.?[-\w+@]+)*(?:/\w(?:\.?[-\w+@]+)*)*",
    otherwise="name a branch, such as main; a tag or a commit never changes",
    longest=200,
)
type BranchName = Annotated[str, BRANCH]

_SEGMENT: Final = r"\.?[\w@+][-\w.@+]*"
type YamlPath = Annotated[
    str,
    Form(
        pattern=rf"(?:{_SEGMENT}/)*{_SEGMENT}\.ya?ml",
        otherwise="write the file's path from the root of its repository, such as"
        " runtime-facts/env/dev/globals.yaml",
        longest=1024,
    ),
]

SUBMODULE_PATH: Final = Form(
    pattern=rf"(?:{_SEGMENT}/)*{_SEGMENT}",
    otherwise="write the submodule's path as .gitmodules has it, such as backlog",
    longest=1024,
)
type SubmodulePath = Annotated[str, SUBMODULE_PATH]

type FieldPath = Annotated[
    str,
    Form(
        pattern=r"[A-Za-z_][-\w]*(?:\.[A-Za-z_][-\w]*)*",
        otherwise="write the keys that lead to the field, with dots between them, such as azure.keyVaultUri",
        longest=200,
    ),
]

type WorkflowFile = Annotated[
    str,
    Form(
        pattern=r"[\w][-\w.]*\.ya?ml",
        otherwise="write the name of a file in .github/workflows, such as terraform-azure-apply.yaml",
        longest=100,
    ),
]

type InputName = Annotated[
    str,
    Form(
        pattern=r"[A-Za-z_][-\w]*",
        otherwise="name an input as the workflow's `inputs` do: letters, digits, hyphens and underscores",
        longest=100,
    ),
]

type InputValue = Annotated[
    str,
    Form(pattern=r"[ -~]{0,500}", otherwise="write printable characters of ASCII, 500 at most", longest=500),
]

type EnvironmentName = Annotated[
    str,
    # Part of targets (`<environment>/<responder>`), of table keys and of URLs.
    Form(
        pattern=r"[a-z0-9](?:[-a-z0-9]{0,30}[a-z0-9])?",
        otherwise="name an environment with lower-case letters, digits and inner hyphens",
        longest=32,
    ),
]

CLUSTER_NAME: Final = Form(
    pattern=r"[a-zA-Z0-9](?:[-_a-zA-Z0-9]{0,61}[a-zA-Z0-9])?",
    otherwise="name a cluster with letters, digits and inner hyphens or underscores",
    longest=63,
)
type ClusterName = Annotated[str, CLUSTER_NAME]

type CredentialName = Annotated[
    str,
    # https://learn.microsoft.com/rest/api/managedidentity/federated-identity-credentials
    Form(
        pattern=r"[a-zA-Z0-9][-_a-zA-Z0-9]{2,119}",
        otherwise="name a credential with 3 to 120 letters, digits, hyphens or underscores, "
        "the first a letter or digit",
        longest=120,
    ),
]

type Subject = Annotated[
    str,
    # A namespace is a DNS label, a service account's name a DNS subdomain; neither has capitals.
    # https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
    Form(
        pattern=rf"system:serviceaccount:{LABEL}:(?=.{{1,253}}$){HOST}",
        otherwise="write system:serviceaccount:<namespace>:<name>; Kubernetes names are lower case",
        longest=600,
    ),
]

type Audience = Annotated[
    str,
    Form(
        pattern=r"[!-~]+",
        otherwise="write one audience, such as api://AzureADTokenExchange",
        longest=600,
    ),
]

type Issuer = Annotated[
    str,
    Form(
        pattern=ISSUER.pattern,
        otherwise="write the issuer as its tokens spell it, https://<host>/… without query",
        longest=600,
        ignore_case=True,
    ),
]

type HostPattern = Annotated[
    str,
    Form(
        pattern=rf"(?:\*\.{LABEL}\.)?{HOST}(?::(?:[0-9]{{1,5}}|\*))?",
        otherwise='write a host such as "*.oic.prod-aks.azure.com" (at least two labels after the star), '
        "with :<port> or :* where it is not 443",
        longest=261,
        ignore_case=True,
    ),
    AfterValidator(str.lower),
]

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours"}
_DURATION: Final = Form(
    pattern=r"[0-9]{1,5}[smh]",
    otherwise="write a whole number and s, m or h, such as 4s, 10m or 2h",
    longest=6,
)


def _duration(value: object) -> timedelta:
    match value:
        case timedelta():
            return value
        case str():
            checked = _DURATION.check(value)
            return timedelta(**{_UNITS[checked[-1]]: int(checked[:-1])})
        case _:
            raise refusal(f"has the wrong form; {_DURATION.otherwise}")


def spelled(span: timedelta) -> str:
    """A duration as the file spells it."""
    seconds = span // timedelta(seconds=1)
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


type Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(spelled, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^(?:{_DURATION.pattern})$"}),
]


def at_most(limit: str) -> AfterValidator:
    """Metadata of a duration that has an upper bound."""
    longest = _duration(limit)

    def check(span: timedelta) -> timedelta:
        if span > longest:
            raise refusal(f"is too long; write at most {limit}")
        return span

    return AfterValidator(check)


@dataclass(frozen=True, slots=True)
class Unchanging:
    """Metadata of a mapping that nobody can change once it is read."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            MappingProxyType,
            handler(source),
            serialization=core_schema.wrap_serializer_function_ser_schema(
                lambda mapping, serialize: serialize(dict(mapping)), schema=handler(source)
            ),
        )
