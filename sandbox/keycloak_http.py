"""Keycloak's addresses: tokens, the login page, what a realm says of itself, and the admin API.

https://www.keycloak.org/securing-apps/oidc-layers
"""

import base64
import binascii
import html
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import unquote

from aiohttp import web

from sandbox.keycloak import FirstAdmin, Keycloak, Realm, Refused, accepts
from sandbox.keycloak_admin import Admin
from sandbox.web_sites import unavailable

type Route = tuple[str, re.Pattern[str], Callable[..., Awaitable[web.StreamResponse]]]

_OIDC: Final = "/protocol/openid-connect"


class KeycloakHttp:
    def __init__(self, keycloak: Keycloak) -> None:
        self._keycloak = keycloak
        self._admin = Admin(keycloak)
        routes: list[tuple[str, str, Callable[..., Awaitable[web.StreamResponse]]]] = [
            ("GET", r"/realms/(?P<realm>[^/]+)", self._show),
            ("GET", r"/realms/(?P<realm>[^/]+)/\.well-known/openid-configuration", self._configuration),
            ("GET", rf"/realms/(?P<realm>[^/]+){_OIDC}/auth", self._login),
            ("POST", rf"/realms/(?P<realm>[^/]+){_OIDC}/token", self._token),
            *self._admin.routes(),
        ]
        self._routes: list[Route] = [(method, re.compile(path), call) for method, path, call in routes]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not self._keycloak.is_up():
            return await unavailable(request)
        try:
            return await self._answer(request)
        except Refused as refused:
            return web.json_response(refused.body, status=refused.status)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """Raises Refused."""
        known = False
        for method, path, call in self._routes:
            if found := path.fullmatch(request.path):
                known = True
                if method == request.method:
                    return await call(
                        request, **{name: unquote(one) for name, one in found.groupdict().items()}
                    )
        if known:
            raise Refused(405, "HTTP 405 Method Not Allowed")
        raise Refused(404, "Unable to find matching target resource method")

    # -- a realm ------------------------------------------------------------------------

    def _realm(self, name: str) -> Realm:
        """Raises Refused."""
        realm = self._keycloak.realms.get(name)
        if realm is None:
            raise Refused(404, "Realm does not exist")
        if not realm.enabled:
            raise Refused(403, "Realm not enabled")
        return realm

    async def _show(self, request: web.Request, realm: str) -> web.Response:
        url = f"{_base(request)}/realms/{self._realm(realm).name}"
        return web.json_response(
            {
                "realm": realm,
                "public_key": "",
                "token-service": f"{url}{_OIDC}",
                "account-service": f"{url}/account",
                "tokens-not-before": 0,
            }
        )

    async def _configuration(self, request: web.Request, realm: str) -> web.Response:
        url = f"{_base(request)}/realms/{self._realm(realm).name}"
        return web.json_response(
            {
                "issuer": url,
                "authorization_endpoint": f"{url}{_OIDC}/auth",
                "token_endpoint": f"{url}{_OIDC}/token",
                "userinfo_endpoint": f"{url}{_OIDC}/userinfo",
                "end_session_endpoint": f"{url}{_OIDC}/logout",
                "jwks_uri": f"{url}{_OIDC}/certs",
                "grant_types_supported": ["authorization_code", "client_credentials", "password"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            }
        )

    async def _token(self, request: web.Request, realm: str) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        answer = self._keycloak.token(
            self._realm(realm), form, _basic(request.headers.get("Authorization", ""))
        )
        return web.json_response(answer, headers={"Cache-Control": "no-store"})

    async def _login(self, request: web.Request, realm: str) -> web.Response:
        """The page that asks for a name and a password, or says why it does not."""
        found, asked = self._realm(realm), request.query
        client = found.find(asked.get("client_id", ""))
        if "client_id" not in asked:
            return _page(400, "We are sorry...", "Missing parameters: client_id")
        if client is None:
            return _page(400, "We are sorry...", "Client not found.")
        if not client["enabled"]:
            return _page(400, "We are sorry...", "Client disabled.")
        if not accepts(client, asked.get("redirect_uri", "")):
            return _page(400, "We are sorry...", "Invalid parameter: redirect_uri")
        return _page(200, f"Sign in to {found.name}", "Sign in to your account")


def _base(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _basic(header: str) -> FirstAdmin | None:
    """Client id and secret of a header for HTTP's basic authentication."""
    kind, _, encoded = header.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote(name), unquote(secret)


def _page(status: int, title: str, message: str) -> web.Response:
    told: Mapping[str, str] = {"title": html.escape(title), "message": html.escape(message)}
    text = (
        '<!DOCTYPE html>\n<html class="login-pf"><head><title>{title}</title></head>'
        '<body><h1 id="kc-page-title">{title}</h1><p class="instruction">{message}</p></body></html>\n'
    ).format_map(told)
    return web.Response(status=status, text=text, content_type="text/html")
