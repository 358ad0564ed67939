"""Azure Resource Manager: its refusals in our words, its reads as Known, Absent or Unknown.

Used by the clients of single resource types. Nothing here repeats a call: what ARM asks to do later is done
by a delayed message, and nothing is registered or redirected behind our back.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from shared.clients.azure_core import AGAIN, Answer, OncePer, as_unknown, translated, transport
from shared.clients.importing import IMPORTING
from shared.errors import (
    Misconfigured,
    NotWritten,
    PermanentError,
    ReconvergeError,
    TemporaryError,
    Throttled,
    WriteConflict,
)
from shared.model import Absent, Known, Read, Unknown
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import RequestsTransport

SERVICE: Final = "ARM"

CONCURRENT_CREDENTIAL_WRITES: Final = "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"

# https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found
ABSENT: Final = frozenset({"ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound", "NotFound"})
"""Codes of a 404 that tell the resource itself is gone. SubscriptionNotFound does not: ARM also says it to
callers who may not see the subscription. Nor does a 404 without a code, which is not ARM's at all."""

# https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
SOMEBODY_MUST_ACT: Final[Mapping[str, str]] = {
    "SubscriptionNotFound": "check the landscape's subscription, and that the app's identity may read it",
    "InvalidAuthenticationTokenTenant": "the subscription belongs to another tenant than the app's identity",
    "InvalidAuthenticationTokenAudience": "write this cloud's ARM audience into RECONVERGE_ARM_AUDIENCE",
    "RequestDisallowedByPolicy": "an Azure Policy forbids it: exempt the resource, or change the landscape",
    "ReadOnlyDisabledSubscription": "the subscription is disabled: enable it",
    "ScopeLocked": "a management lock forbids it: remove the lock, or take the identity out of the contract",
    "MissingSubscriptionRegistration": "register the resource provider on the subscription",
}
"""Codes that no repetition mends, whatever their status, and what does."""


class NotThere(NotWritten):
    """The resource is gone. For a read that is an answer; a write is planned anew from what is there now."""


def classify(answer: Answer) -> ReconvergeError:
    """Say an ARM refusal in our words. Unlisted is temporary: only a known-bad request is final."""
    said = str(answer)
    if remedy := SOMEBODY_MUST_ACT.get(answer.code):
        return PermanentError(f"{said}: {remedy}")
    match answer.status:
        case 404 if answer.code in ABSENT:
            return NotThere(said, delay=AGAIN)
        # By code: the SDK raises ResourceExistsError for every 409, also for this lost race.
        # https://github.com/Azure/bicep-registry-modules/issues/1447
        case 409 if answer.code == CONCURRENT_CREDENTIAL_WRITES:
            asked = answer.retry_after
            return WriteConflict(said, delay=asked or timedelta(seconds=20), asked=asked is not None)
        # 405 is what regions without federated credentials answer.
        # https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
        case 400 | 405:
            return PermanentError(said)
    if answer.retry_after is not None or answer.status == 429:
        return Throttled(said, delay=answer.retry_after or AGAIN)
    if pause := _REFUSED_UNDONE.get(answer.status):
        return NotWritten(said, delay=pause)
    return TemporaryError(said, delay=AGAIN)


_REFUSED_UNDONE: Final[Mapping[int, timedelta]] = {
    # A new role assignment is not seen everywhere at once, so neither is final.
    # https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
    401: timedelta(minutes=5),
    403: timedelta(minutes=5),
    404: AGAIN,
    # What the write rested on has changed: look again soon.
    412: timedelta(seconds=5),
}
"""The pause after what was refused before anything was done."""


def read[T](call: Callable[[], T]) -> Read[T]:
    """Call ARM and make a record of its answer, both in `call`.

    Never raises for what ARM or the network does: it is Absent, or Unknown with the reason.
    """
    try:
        with translated(SERVICE, classify):
            return Known(call())
    except NotThere:
        return Absent()
    except ReconvergeError as error:
        return as_unknown(error)
    # The SDKs look at a body only when its parts are asked for, and believe that it has the promised shape.
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        return Unknown(f"{SERVICE}'s answer has not the promised shape ({type(error).__name__})")


@dataclass(frozen=True, slots=True)
class ResourceId:
    """The parts of an ARM id, spelled as they came."""

    subscription: str
    group: str
    name: str

    @classmethod
    def parse(cls, text: str, resource_type: str) -> Self:
        """Raises Misconfigured."""
        found = re.fullmatch(
            rf"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/{re.escape(resource_type)}/([^/]+)/?",
            text,
            re.IGNORECASE,
        )
        if not found:
            raise Misconfigured(
                f"{text[:300]!r} is not the id of a {resource_type}: write it like"
                f" /subscriptions/<subscription>/resourceGroups/<group>/providers/{resource_type}/<name>"
            )
        return cls(*found.groups())


def scope(settings: Settings) -> str:
    """What tokens for ARM are asked for."""
    return f"{settings.arm_audience}/.default"


def options(settings: Settings, credential: "TokenCredential") -> dict[str, Any]:
    """Arguments for a management client. Its pipeline is ours: the SDK's own would also

    - sleep as long as any Retry-After says, inside a function that has minutes;
    - answer MissingSubscriptionRegistration by registering the provider, a write that no contract names.
    """
    with IMPORTING:
        from azure.core.pipeline import policies
        from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy, ARMHttpLoggingPolicy

    return {
        "base_url": settings.arm_endpoint,
        "policies": [
            policies.RequestIdPolicy(),
            policies.UserAgentPolicy(sdk_moniker="reconverge"),
            policies.ContentDecodePolicy(),
            ARMChallengeAuthenticationPolicy(credential, scope(settings)),
            ARMHttpLoggingPolicy(),
        ],
        "transport": _connections(settings.arm_endpoint),
    }


_connections: "OncePer[str, RequestsTransport]" = OncePer(lambda _: transport())
"""Clients of all subscriptions and resource types speak to one host: they share its connections."""
