"""The subresource `token` of service accounts.

https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
"""

from datetime import timedelta
from typing import Any

from sandbox.kubernetes_errors import Cause, invalid
from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_resources import Resource
from sandbox.kubernetes_tokens import ServiceAccountTokens
from sandbox.timeline import Clock

SHORTEST_TOKEN = timedelta(minutes=10)
LONGEST_TOKEN = timedelta(days=1)

# Never a path of its own: it is served below a service account only.
_TOKEN_REQUESTS = Resource(
    plural="tokenrequests", singular="tokenrequest", kind="TokenRequest", group="authentication.k8s.io"
)


def answer_token_request(
    tokens: ServiceAccountTokens, account: Object, body: dict[str, Any], clock: Clock
) -> dict[str, Any]:
    """The request with its token. Raises StatusError (422)."""
    metadata = account["metadata"]
    audiences, lifetime = _spec(body, metadata["name"], default_audience=tokens.issuer)
    now = clock()
    return {
        "kind": _TOKEN_REQUESTS.kind,
        "apiVersion": _TOKEN_REQUESTS.api_version,
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "creationTimestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        },
        "spec": {
            "audiences": audiences,
            "expirationSeconds": int(lifetime.total_seconds()),
            "boundObjectRef": None,
        },
        "status": {
            "token": tokens.issue(account, audiences, lifetime),
            "expirationTimestamp": f"{now + lifetime:%Y-%m-%dT%H:%M:%SZ}",
        },
    }


def _spec(body: dict[str, Any], name: str, *, default_audience: str) -> tuple[list[str], timedelta]:
    spec = body.get("spec") or {}
    audiences = spec.get("audiences") or [default_audience]
    seconds = spec.get("expirationSeconds") or 3600
    if seconds < SHORTEST_TOKEN.total_seconds():
        said = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
        raise invalid(_TOKEN_REQUESTS, name, [Cause("spec.expirationSeconds", said, "FieldValueInvalid")])
    return list(audiences), min(timedelta(seconds=seconds), LONGEST_TOKEN)
