"""Refusals of the token endpoint, as Entra words them.

Clients are to branch on `error_codes`: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
The HTTP status of 700211, 700212 and 700213 is inferred from their published neighbours (7002137, 700024).
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

_MORE = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
_CHECK = (
    "heck your federated identity credential Subject, Audience and Issuer against the presented assertion."
)
_NO_RECORD = "No matching federated identity record found for presented assertion"


@dataclass(frozen=True, slots=True)
class Kind:
    code: int
    status: int
    error: str
    text: str
    """With named fields in braces."""


class EntraError(Exception):
    """A refusal by the token endpoint."""

    def __init__(self, kind: Kind, **values: str) -> None:
        self.kind = kind
        self.description = f"AADSTS{kind.code}: {kind.text.format(**values)}"
        super().__init__(self.description)

    def body(self, now: datetime) -> dict[str, object]:
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        stamp = f"{now:%Y-%m-%d %H:%M:%S}Z"
        return {
            "error": self.kind.error,
            "error_description": (
                f"{self.description} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
            ),
            "error_codes": [self.kind.code],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.kind.code}",
        }


ISSUER: Final = Kind(
    700211, 401, "invalid_client", f"{_NO_RECORD} issuer '{{issuer}}'. Please c{_CHECK} {_MORE}"
)
AUDIENCE: Final = Kind(
    700212, 401, "invalid_client", f"{_NO_RECORD} audience '{{audience}}'. Please c{_CHECK} {_MORE}"
)
SUBJECT: Final = Kind(700213, 401, "invalid_client", f"{_NO_RECORD} subject '{{subject}}'. C{_CHECK} {_MORE}")
SUBJECT_CASE: Final = Kind(
    7002138,
    401,
    "invalid_client",
    f"{_NO_RECORD} subject '{{subject}}'. The subject matches only when letter case is ignored. "
    f"C{_CHECK} {_MORE}",
)
EXPRESSION: Final = Kind(
    7002131,
    401,
    "invalid_client",
    f"{_NO_RECORD} subject '{{subject}}': no claims matching expression accepts it. C{_CHECK} {_MORE}",
)
UNKNOWN_CLIENT: Final = Kind(
    700016,
    400,
    "unauthorized_client",
    "Application with identifier '{client}' was not found in the directory '{tenant}'. This can happen if "
    "the application has not been installed by the administrator of the tenant or consented to by any user "
    "in the tenant. You may have sent your authentication request to the wrong tenant.",
)
EXPIRED: Final = Kind(
    700024,
    401,
    "invalid_client",
    "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {start}, "
    "expiry time of assertion {end}.",
)
ISSUER_UNREACHABLE: Final = Kind(50166, 400, "invalid_request", "Request to External OIDC endpoint failed.")
SIGNATURE: Final = Kind(50013, 400, "invalid_grant", "Assertion failed signature validation.")
MALFORMED: Final = Kind(50027, 400, "invalid_request", "JWT token is invalid or malformed.")
OWN_TOKEN: Final = Kind(
    700222, 400, "invalid_request", "AAD-issued tokens may not be used for federated identity flows."
)
WRONG_SECRET: Final = Kind(
    7000215,
    401,
    "invalid_client",
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
    "not the client secret ID, for a secret added to app '{client}'.",
)
UNKNOWN_TENANT: Final = Kind(
    90002,
    400,
    "invalid_request",
    "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
    "correct cloud. Check with your subscription administrator, this may happen if there are no active "
    "subscriptions for the tenant.",
)
NO_CREDENTIAL: Final = Kind(
    7000216,
    401,
    "invalid_client",
    "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
)
GRANT_TYPE: Final = Kind(
    70003, 400, "unsupported_grant_type", "The app requested an unsupported grant type '{grant}'."
)
SCOPE: Final = Kind(
    1002012,
    400,
    "invalid_scope",
    "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
    "/.default suffixed to the resource identifier (application ID URI).",
)
