"""Calls of Keycloak's token endpoint and of its admin API, as the platform's Jobs make them."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

type Json = dict[str, Any]

_PATIENCE: Final = aiohttp.ClientTimeout(total=10.0)
_PAGE: Final = 100
_PAUSE: Final = 0.3
NOT_YET: Final = "Token not available yet"


class KeycloakRefused(Exception):
    """Keycloak answered, and not with what was asked for. The text names call and status."""

    def __init__(self, method: str, path: str, status: int) -> None:
        super().__init__(f"{method} {path}: {status} {HTTPStatus(status).phrase}")
        self.status = status


class KeycloakUnavailable(Exception):
    """Nobody answered, or not yet Keycloak."""


class KeycloakCalls:
    """One Keycloak, as whoever has logged in. To be used in `async with`."""

    def __init__(self, url: str, trusted: str) -> None:
        """trusted: PEM of the authorities whose servers are believed"""
        self._url = url.rstrip("/")
        self._trusted = trusted
        self._headers: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cadata=self._trusted))
        self._session = aiohttp.ClientSession(connector=connector, timeout=_PATIENCE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def log_in(self, realm: str, form: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Waits until Keycloak is up and has that realm, be it for ever. Raises KeycloakRefused."""
        while True:
            try:
                await self._take_token(realm, form)
            except KeycloakUnavailable:
                say(NOT_YET)
            except KeycloakRefused as refused:
                if refused.status != 404:
                    raise
                say(NOT_YET)
            else:
                return
            await asyncio.sleep(_PAUSE)

    async def _take_token(self, realm: str, form: Mapping[str, str]) -> None:
        path = f"/realms/{realm}/protocol/openid-connect/token"
        answer = await self._ask("POST", path, data=dict(form))
        self._headers = {"Authorization": f"Bearer {answer['access_token']}"}

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """What the answer holds; None where it holds nothing. Raises KeycloakRefused, KeycloakUnavailable."""
        return await self._ask(method, path, json=body)

    async def clients(self, realm: str) -> AsyncIterator[Json]:
        """All of them, page after page. Raises as `call` does."""
        path, first = f"/admin/realms/{realm}/clients", 0
        while page := await self._ask("GET", path, params={"first": str(first), "max": str(_PAGE)}):
            for client in page:
                yield client
            first += len(page)

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            async with self._session.request(
                method, f"{self._url}{path}", headers=self._headers, **options
            ) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise KeycloakUnavailable(type(error).__name__) from error
        if answer.status in (502, 503, 504):
            raise KeycloakUnavailable(str(answer.status))
        if answer.status >= 400:
            raise KeycloakRefused(method, path, answer.status)
        return json.loads(text) if text else None
