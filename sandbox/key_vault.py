"""The data plane of Azure Key Vault, for secrets: one server to each vault, as each has a host of its own.

https://learn.microsoft.com/rest/api/keyvault/secrets
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiohttp import web

from sandbox.cloud import Cloud
from sandbox.rbac import allowing
from sandbox.records import Vault
from sandbox.tokens import Caller, TokenError, Tokens, bearer
from sandbox.traffic import CALLER, OPERATION
from sandbox.vault_secrets import RECOVERABLE_DAYS, Held, Json, Secrets, VaultError, Version

AUDIENCES = frozenset({"https://vault.azure.net", "https://vault.azure.net/"})
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?|7\.\d")
_PAGE = 25
_LARGEST_VALUE = 25 * 1024

type Answer = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class KeyVault:
    vault: Vault
    cloud: Cloud
    tokens: Tokens
    secrets: Secrets

    def routes(self) -> list[web.RouteDef]:
        """With and without the last slash, which the official client puts where no version is meant."""
        list_them, read = "readMetadata/action", "getSecret/action"
        table: list[tuple[str, str, str, Answer]] = [
            ("GET", "/secrets", list_them, self._list),
            ("GET", "/secrets/{name}/versions", list_them, self._versions),
            ("GET", "/secrets/{name}", read, self._get),
            ("GET", "/secrets/{name}/{version}", read, self._get),
            ("PUT", "/secrets/{name}", "setSecret/action", self._set),
            ("PATCH", "/secrets/{name}", "setSecret/action", self._update),
            ("PATCH", "/secrets/{name}/{version}", "setSecret/action", self._update),
            ("DELETE", "/secrets/{name}", "delete", self._delete),
            ("GET", "/deletedsecrets", list_them, self._list_deleted),
            ("GET", "/deletedsecrets/{name}", list_them, self._get_deleted),
            ("POST", "/deletedsecrets/{name}/recover", "recover/action", self._recover),
            ("DELETE", "/deletedsecrets/{name}", "purge/action", self._purge),
        ]
        return [
            web.route(method, path + slash, self._guarded(action, answer))
            for method, path, action, answer in table
            for slash in ("", "/")
        ]

    def _guarded(self, action: str, answer: Answer) -> Answer:
        async def guarded(request: web.Request) -> web.Response:
            request[OPERATION] = f"Microsoft.KeyVault/vaults/secrets/{action}"
            try:
                caller = self._authenticate(request)
                request[CALLER] = caller
                _require_api_version(request)
                self._authorise(caller, request[OPERATION], request.match_info.get("name"))
                return await answer(request)
            except VaultError as error:
                return web.json_response(error.body(), status=error.status, headers=self._challenge(error))

        return guarded

    # -- who may ----------------------------------------------------------------------

    def _authenticate(self, request: web.Request) -> Caller:
        token = bearer(request.headers.get("Authorization"))
        if token is None:
            raise VaultError(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
        try:
            return self.tokens.verify(token, AUDIENCES)
        except TokenError as refused:
            raise VaultError(401, "Unauthorized", f"AKV10022: {refused}") from refused

    def _challenge(self, error: VaultError) -> dict[str, str]:
        """Where a token is to be had, and for what."""
        if error.status != 401:
            return {}
        authority = f"{self.cloud.base_url}/{self.cloud.tenant}"
        return {"WWW-Authenticate": f'Bearer authorization="{authority}", resource="https://vault.azure.net"'}

    def _authorise(self, caller: Caller, action: str, name: str | None) -> None:
        """By role assignments as they were when this service last heard of them."""
        scope = f"{self.vault.id}/secrets/{name}" if name else self.vault.id
        known = self.cloud.clock() - timedelta(seconds=self.cloud.dials.rbac_propagation)
        held = self.cloud.assignments.all(known)
        if allowing(held, principal_id=caller.object_id, action=action, scope=scope, data=True) is None:
            raise VaultError(
                403,
                "Forbidden",
                "Caller is not authorized to perform action on resource.\r\n"
                "If role assignments, deny assignments or role definitions were changed recently, please "
                "observe propagation time.\r\n"
                f"Caller: appid={caller.client_id};oid={caller.object_id};iss={self.tokens.issuer}\r\n"
                f"Action: '{action}'\r\nResource: '{scope.lower()}'\r\nAssignment: (not found)\r\n"
                "DenyAssignmentId: null\r\nDecisionReason: 'DeniedWithNoValidRBAC' \r\n"
                f"Vault: {self.vault.name};location={self.vault.location}\r\n",
                "ForbiddenByRbac",
            )

    # -- secrets ----------------------------------------------------------------------

    async def _list(self, request: web.Request) -> web.Response:
        shown = [self._item(held, held.versions[-1], with_version=False) for held in self.secrets.all()]
        return self._page(request, shown)

    async def _versions(self, request: web.Request) -> web.Response:
        held = self.secrets.find(_name(request))
        return self._page(request, [self._item(held, one, with_version=True) for one in held.versions])

    async def _get(self, request: web.Request) -> web.Response:
        name = _name(request)
        version = self.secrets.readable(name, request.match_info.get("version", ""))
        return web.json_response(self._bundle(self.secrets.find(name), version))

    async def _set(self, request: web.Request) -> web.Response:
        body, name = await _body(request), _name(request)
        value = body.get("value")
        if not isinstance(value, str) or len(value.encode()) > _LARGEST_VALUE:
            raise VaultError(400, "BadParameter", "The request body lacks a value of at most 25k characters.")
        version = self.secrets.set(name, value, body)
        return web.json_response(self._bundle(self.secrets.find(name), version))

    async def _update(self, request: web.Request) -> web.Response:
        name = _name(request)
        version = self.secrets.update(name, request.match_info.get("version", ""), await _body(request))
        return web.json_response(self._item(self.secrets.find(name), version, with_version=True))

    async def _delete(self, request: web.Request) -> web.Response:
        return web.json_response(self._deleted(self.secrets.delete(_name(request))))

    async def _list_deleted(self, request: web.Request) -> web.Response:
        return self._page(request, [self._deleted(held) for held in self.secrets.all_deleted()])

    async def _get_deleted(self, request: web.Request) -> web.Response:
        return web.json_response(self._deleted(self.secrets.find_deleted(_name(request))))

    async def _recover(self, request: web.Request) -> web.Response:
        held = self.secrets.recover(_name(request))
        return web.json_response(self._item(held, held.versions[-1], with_version=True))

    async def _purge(self, request: web.Request) -> web.Response:
        self.secrets.purge(_name(request))
        return web.Response(status=204)

    # -- what is shown ----------------------------------------------------------------

    def _bundle(self, held: Held, version: Version) -> Json:
        return {"value": version.value, **self._item(held, version, with_version=True)}

    def _item(self, held: Held, version: Version, *, with_version: bool) -> Json:
        attributes: Json = {
            "enabled": version.enabled,
            "created": version.created,
            "updated": version.updated,
            "recoveryLevel": "Recoverable+Purgeable",
            "recoverableDays": RECOVERABLE_DAYS,
        }
        if version.not_before is not None:
            attributes["nbf"] = version.not_before
        if version.expires is not None:
            attributes["exp"] = version.expires
        shown: Json = {
            "id": f"{self.vault.uri}secrets/{held.name}" + (f"/{version.id}" if with_version else ""),
            "attributes": attributes,
        }
        if version.content_type is not None:
            shown["contentType"] = version.content_type
        if version.tags:
            shown["tags"] = dict(version.tags)
        return shown

    def _deleted(self, held: Held) -> Json:
        newest = held.versions[-1]
        return {
            **self._item(held, newest, with_version=True),
            "recoveryId": f"{self.vault.uri}deletedsecrets/{held.name}",
            "deletedDate": newest.updated,
            "scheduledPurgeDate": newest.updated + int(timedelta(days=RECOVERABLE_DAYS).total_seconds()),
        }

    def _page(self, request: web.Request, shown: list[Json]) -> web.Response:
        start = int(request.query.get("$skiptoken", "0"))
        size = min(int(request.query.get("maxresults", str(_PAGE))), _PAGE)
        following = start + size
        link = None
        if following < len(shown):
            version = request.query["api-version"]
            link = f"{self.vault.uri[:-1]}{request.path}?api-version={version}&$skiptoken={following}"
        return web.json_response({"value": shown[start:following], "nextLink": link})


def _name(request: web.Request) -> str:
    name = request.match_info["name"]
    if not _NAME.fullmatch(name):
        raise VaultError(400, "BadParameter", f"The request URI contains an invalid name: {name}")
    return name


def _require_api_version(request: web.Request) -> None:
    version = request.query.get("api-version")
    if not version:
        raise VaultError(400, "BadParameter", "api-version must be specified")
    if not _API_VERSION.fullmatch(version):
        raise VaultError(400, "BadParameter", f"Unsupported api-version: {version}")


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except json.JSONDecodeError as error:
        raise VaultError(400, "BadParameter", "The request body is no JSON.") from error
    if not isinstance(body, dict):
        raise VaultError(400, "BadParameter", "The request body is no object.")
    return body
