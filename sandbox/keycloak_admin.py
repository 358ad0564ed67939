"""Keycloak's admin REST API, as far as clients of a realm go.

    list, look at            view-clients or manage-clients; query-clients lists nothing of its own
    write, read a secret     manage-clients

realm-admin of a realm, and admin of master, may everything. A caller who may not list is not told either
whether a client is there. https://www.keycloak.org/docs-api/latest/rest-api/#_clients
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from typing import Any, Final

from aiohttp import web

from sandbox.keycloak import Caller, Json, Keycloak, Realm, Refused, check, new_secret

type Call = Callable[..., Awaitable[web.StreamResponse]]

_CLIENTS: Final = r"/admin/realms/(?P<realm>[^/]+)/clients"
_CLIENT: Final = rf"{_CLIENTS}/(?P<uuid>[^/]+)"
_LOG: Final = "For more on this error consult the server log."


class Admin:
    def __init__(self, keycloak: Keycloak) -> None:
        self._keycloak = keycloak

    def routes(self) -> list[tuple[str, str, Call]]:
        return [
            ("GET", _CLIENTS, self._list),
            ("POST", _CLIENTS, self._create),
            ("GET", _CLIENT, self._get),
            ("PUT", _CLIENT, self._put),
            ("DELETE", _CLIENT, self._delete),
            ("GET", rf"{_CLIENT}/client-secret", self._secret),
            ("POST", rf"{_CLIENT}/client-secret", self._regenerate),
            ("GET", rf"{_CLIENT}/service-account-user", self._account),
            ("POST", r"/admin/realms/(?P<realm>[^/]+)/users/(?P<user>[^/]+)/role-mappings/realm", self._map),
            ("GET", r"/admin/realms/(?P<realm>[^/]+)/roles/(?P<role>[^/]+)", self._role),
        ]

    # -- clients ------------------------------------------------------------------------

    async def _list(self, request: web.Request, realm: str) -> web.Response:
        found, caller = self._enter(request, realm)
        _require(caller, realm, "view-clients", "manage-clients", "query-clients")
        asked = request.query
        wanted, searching = asked.get("clientId", ""), asked.get("search", "").lower() == "true"
        named = [
            one
            for one in sorted(found.clients.values(), key=lambda one: str(one["clientId"]))
            if not wanted
            or (wanted.lower() in one["clientId"].lower() if searching else wanted == one["clientId"])
        ]
        if not caller.may(realm, "view-clients", "manage-clients"):
            named = []
        first = max(_number(asked, "first", 0), 0)
        most = _number(asked, "max", -1)
        page = named[first : first + most] if most >= 0 else named[first:]
        return web.json_response([_shown(one, caller, realm) for one in page])

    async def _get(self, request: web.Request, realm: str, uuid: str) -> web.Response:
        found, caller = self._enter(request, realm)
        client = _client(found, uuid, caller)
        _require(caller, realm, "view-clients", "manage-clients")
        return web.json_response(_shown(client, caller, realm))

    async def _create(self, request: web.Request, realm: str) -> web.Response:
        found, caller = self._enter(request, realm)
        _require(caller, realm, "manage-clients", "create-client")
        given = await _body(request)
        if found.find(str(given.get("clientId"))) is not None:
            return _conflict(given["clientId"])
        try:
            made = self._keycloak.add(found, given)
        except ValueError as error:
            raise Refused(400, "invalid_input", str(error)) from None
        return web.Response(status=201, headers={"Location": f"{request.url}/{made['id']}"})

    async def _put(self, request: web.Request, realm: str, uuid: str) -> web.Response:
        """What the representation leaves out stays as it is."""
        found, caller = self._enter(request, realm)
        client = _client(found, uuid, caller)
        _require(caller, realm, "manage-clients")
        given = await _body(request)
        named = str(given.get("clientId", client["clientId"]))
        other = found.find(named)
        if other is not None and other["id"] != uuid:
            return _conflict(named)
        try:
            check(given)
        except ValueError as error:
            raise Refused(400, "invalid_input", str(error)) from None
        client.update({**deepcopy(given), "id": uuid})
        return web.Response(status=204)

    async def _delete(self, request: web.Request, realm: str, uuid: str) -> web.Response:
        found, caller = self._enter(request, realm)
        client = _client(found, uuid, caller)
        _require(caller, realm, "manage-clients")
        del found.clients[uuid]
        found.accounts.pop(client["clientId"], None)
        return web.Response(status=204)

    # -- secrets ------------------------------------------------------------------------

    async def _secret(self, request: web.Request, realm: str, uuid: str) -> web.Response:
        found, caller = self._enter(request, realm)
        client = _client(found, uuid, caller)
        _require(caller, realm, "manage-clients")
        return web.json_response({"type": "secret", **_only(client, "secret", "value")})

    async def _regenerate(self, request: web.Request, realm: str, uuid: str) -> web.Response:
        found, caller = self._enter(request, realm)
        client = _client(found, uuid, caller)
        _require(caller, realm, "manage-clients")
        client["secret"] = new_secret()
        return web.json_response({"type": "secret", "value": client["secret"]})

    # -- service accounts ---------------------------------------------------------------

    async def _account(self, request: web.Request, realm: str, uuid: str) -> web.Response:
        found, caller = self._enter(request, realm)
        client = _client(found, uuid, caller)
        _require(caller, realm, "view-users", "manage-users")
        if not client["serviceAccountsEnabled"]:
            raise Refused(
                400, "unknown_error", f"Service account not enabled for the client '{client['clientId']}'"
            )
        # A service account has no id of its own here: that of its client serves.
        return web.json_response(
            {"id": uuid, "username": f"service-account-{client['clientId']}", "enabled": True}
        )

    async def _role(self, request: web.Request, realm: str, role: str) -> web.Response:
        _, caller = self._enter(request, realm)
        _require(caller, realm, "view-realm", "manage-realm")
        if (realm, role) != ("master", "admin"):
            raise Refused(404, "Could not find role")
        return web.json_response({"id": role, "name": role, "composite": True, "clientRole": False})

    async def _map(self, request: web.Request, realm: str, user: str) -> web.Response:
        found, caller = self._enter(request, realm)
        _require(caller, realm, "manage-users")
        client = found.clients.get(user)
        if client is None:
            raise Refused(404, "User not found")
        roles = {one["name"] for one in await request.json()}
        found.accounts[client["clientId"]] = found.accounts.get(client["clientId"], frozenset()) | roles
        return web.Response(status=204)

    # -- who asks -----------------------------------------------------------------------

    def _enter(self, request: web.Request, realm: str) -> tuple[Realm, Caller]:
        """Raises Refused."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise Refused(401, "HTTP 401 Unauthorized")
        caller = self._keycloak.caller(token)
        found = self._keycloak.realms.get(realm)
        if found is None:
            raise Refused(404, "Realm not found.")
        return found, caller


def _require(caller: Caller, realm: str, *roles: str) -> None:
    """Raises Refused."""
    if not caller.may(realm, *roles):
        raise Refused(403, "unknown_error", _LOG)


def _client(realm: Realm, uuid: str, caller: Caller) -> Json:
    """Raises Refused."""
    client = realm.clients.get(uuid)
    if client is None:
        _require(caller, realm.name, "view-clients", "manage-clients", "query-clients")
        raise Refused(404, "Could not find client")
    return client


def _shown(client: Json, caller: Caller, realm: str) -> Json:
    manages = caller.may(realm, "manage-clients")
    shown = {name: value for name, value in client.items() if manages or name != "secret"}
    return {**shown, "access": {"view": True, "configure": manages, "manage": manages}}


def _only(of: Mapping[str, Any], name: str, called: str) -> Json:
    return {called: of[name]} if name in of else {}


def _conflict(client_id: str) -> web.Response:
    return web.json_response({"errorMessage": f"Client {client_id} already exists"}, status=409)


def _number(asked: Mapping[str, str], name: str, usual: int) -> int:
    """Raises Refused."""
    try:
        return int(asked.get(name, usual))
    except ValueError:
        raise Refused(404, "HTTP 404 Not Found") from None


async def _body(request: web.Request) -> Json:
    """Raises Refused where it is no object."""
    try:
        found = json.loads(await request.read())
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(400, "unknown_error", _LOG)
    return found
