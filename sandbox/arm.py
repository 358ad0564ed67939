"""Azure Resource Manager: authentication, authorisation, routing, ids, throttling, envelopes."""

import asyncio
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web

from sandbox.arm_calls import Call, Reply, Route
from sandbox.arm_errors import ArmError
from sandbox.cloud import Cloud
from sandbox.rbac import allowing
from sandbox.records import RoleAssignment
from sandbox.throttling import Throttle
from sandbox.tokens import ARM_AUDIENCES, Caller, Fault, TokenError, Tokens, bearer
from sandbox.traffic import CALLER, OPERATION, STALE_SECONDS

_API_VERSION = re.compile(r"20\d\d-\d\d-\d\d(-preview)?")
_IDENTITY = re.compile(r".*/userAssignedIdentities/[^/]+", re.IGNORECASE)

_TOKEN_CODES = {
    Fault.INVALID: "InvalidAuthenticationToken",
    Fault.EXPIRED: "ExpiredAuthenticationToken",
    Fault.AUDIENCE: "InvalidAuthenticationTokenAudience",
}


@dataclass(frozen=True, slots=True)
class _Ids:
    """Ids of one request; the correlation id is also that of the event it leads to."""

    request: str
    correlation: str

    def headers(self, location: str) -> dict[str, str]:
        return {
            "x-ms-request-id": self.request,
            "x-ms-correlation-request-id": self.correlation,
            "x-ms-routing-request-id": f"{location.upper()}:{self.request}",
        }


class Arm:
    def __init__(self, cloud: Cloud, tokens: Tokens, routes: Iterable[Route]) -> None:
        self._cloud = cloud
        self._tokens = tokens
        self._routes = tuple(routes)
        self._throttle = Throttle()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request: every ArmError becomes an error envelope, every answer carries its ids."""
        await asyncio.sleep(self._cloud.dials.arm_latency)
        given = request.headers.get("x-ms-correlation-request-id")
        ids = _Ids(str(uuid.uuid4()), given or str(uuid.uuid4()))
        try:
            reply = await self._answer(request, ids)
        except ArmError as error:
            reply = Reply(status=error.status, body=error.body(), headers=error.headers)
        headers = {**ids.headers(self._cloud.location), **reply.headers}
        if client_id := request.headers.get("x-ms-client-request-id"):
            headers["x-ms-client-request-id"] = client_id
        if reply.body is None:
            return web.Response(status=reply.status, headers=headers)
        return web.json_response(reply.body, status=reply.status, headers=headers)

    async def _answer(self, request: web.Request, ids: _Ids) -> Reply:
        caller = self._authenticate(request)
        request[CALLER] = caller
        route, params = self._route(request)
        request[OPERATION] = route.operation
        api_version = _api_version(request.query)
        if "subscription" in params:
            self._cloud.require_subscription(params["subscription"])
        grant = self._authorise(caller, route, request.path)
        if "group" in params:
            self._cloud.require_group(params["group"])
        self._admit(route, request.path)
        return await route.handler(
            Call(
                method=request.method,
                url=str(request.url),
                params=params,
                query=request.query,
                body=await _body(request),
                api_version=api_version,
                caller=caller,
                grant=grant,
                correlation_id=ids.correlation,
                client_request_id=request.headers.get("x-ms-client-request-id", str(uuid.uuid4())),
                client_address=request.remote or "",
                read_at=self._cloud.arm_sees(request.get(STALE_SECONDS, 0.0)),
            )
        )

    def _authenticate(self, request: web.Request) -> Caller:
        token = bearer(request.headers.get("Authorization"))
        if token is None:
            raise self._unauthenticated(
                "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
            )
        try:
            return self._tokens.verify(token, ARM_AUDIENCES)
        except TokenError as refused:
            raise self._unauthenticated(_TOKEN_CODES[refused.fault], str(refused)) from refused

    def _unauthenticated(self, code: str, message: str) -> ArmError:
        authority = f"{self._cloud.base_url}/{self._cloud.tenant}"
        authority = f"{self._cloud.base_url}/{self._cloud.tenant}"
        challenge = f'Bearer authorization_uri="{authority}", error="invalid_token"'
        return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})

    def _route(self, request: web.Request) -> tuple[Route, Mapping[str, str]]:
        for route in self._routes:
            found = route.pattern.fullmatch(request.path)
            if found and route.method == request.method:
                return route, found.groupdict()
        raise ArmError(
            404, "InvalidResourceType", f"The sandbox has nothing at {request.method} {request.path}."
        )

    def _authorise(self, caller: Caller, route: Route, path: str) -> RoleAssignment | None:
        if not route.operation:
            return None
        scope = path.rstrip("/")
        if route.operation.endswith("/action"):
            scope = scope.rpartition("/")[0]
        grant = allowing(
            self._cloud.assignments.all(self._cloud.clock()),
            principal_id=caller.object_id,
            action=route.operation,
            scope=scope,
        )
        if grant is None:
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"The client '{caller.client_id}' with object id '{caller.object_id}' does not have "
                f"authorization to perform action '{route.operation}' over scope '{scope}' or the scope is "
                "invalid. If access was recently granted, please refresh your credentials.",
            )
        return grant

    def _admit(self, route: Route, path: str) -> None:
        identity = _IDENTITY.match(path)
        if self._cloud.dials.throttling and route.throttle and identity:
            self._throttle.admit(route.throttle, identity.group(0), self._cloud.clock())


def _api_version(query: Mapping[str, str]) -> str:
    version = query.get("api-version", "")
    if not version:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if not _API_VERSION.fullmatch(version):
        raise ArmError(400, "InvalidApiVersionParameter", f"The api-version '{version}' is invalid.")
    return version


async def _body(request: web.Request) -> object:
    text = await request.text()
    if not text:
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ArmError(
            400, "InvalidRequestContent", "The request content was invalid and could not be deserialized."
        ) from error
