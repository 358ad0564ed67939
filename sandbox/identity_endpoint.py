"""The managed-identity endpoint of App Service and Functions, for the app's own identity.

https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

import hmac
from collections.abc import Mapping
from datetime import timedelta

from aiohttp import web

from sandbox.cloud import Cloud, principal_of
from sandbox.records import Identity
from sandbox.tokens import Caller, Tokens
from sandbox.traffic import CALLER, OPERATION

LIFETIME = timedelta(hours=24)
API_VERSION = "2019-08-01"


class IdentityEndpoint:
    def __init__(self, cloud: Cloud, tokens: Tokens, identity_id: str, header: str) -> None:
        self._cloud = cloud
        self._tokens = tokens
        self._identity_id = identity_id
        self._header = header

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/msi/token", self._token)]

    async def _token(self, request: web.Request) -> web.Response:
        request[OPERATION] = "managed-identity token"
        given = request.headers.get("X-IDENTITY-HEADER", "")
        if not hmac.compare_digest(given.encode(), self._header.encode()):
            return _refusal(401, "The X-IDENTITY-HEADER is missing or does not match IDENTITY_HEADER.")
        if request.query.get("api-version") != API_VERSION:
            return _refusal(400, f"The api-version must be {API_VERSION}.")
        resource = request.query.get("resource", "")
        if not resource:
            return _refusal(400, "The resource parameter is required.")
        identity = self._cloud.identities.get(self._identity_id, self._cloud.entra_sees())
        if identity is None or not _selects(request.query, identity):
            return _refusal(
                400, "No User Assigned or Delegated Managed Identity found for specified parameters."
            )
        principal = principal_of(identity)
        request[CALLER] = Caller(object_id=principal.object_id, client_id=principal.client_id, claims={})
        expires = int((self._cloud.clock() + LIFETIME).timestamp())
        return web.json_response(
            {
                "access_token": self._tokens.issue(principal, resource, LIFETIME),
                "client_id": identity.client_id,
                "expires_on": str(expires),
                "resource": resource,
                "token_type": "Bearer",
            }
        )


def _selects(query: Mapping[str, str], identity: Identity) -> bool:
    """Whether the request names this identity, or none: then the one there is is meant."""
    wanted = {
        "client_id": identity.client_id,
        "mi_res_id": identity.id,
        "object_id": identity.principal_id,
        "principal_id": identity.principal_id,
    }
    return all(query[name].lower() == value.lower() for name, value in wanted.items() if query.get(name))


def _refusal(status: int, message: str) -> web.Response:
    return web.json_response({"statusCode": status, "message": message}, status=status)
