"""Calls of Vault's HTTP API, with the refusals as Vault's own clients print them.

https://developer.hashicorp.com/vault/api-docs
"""

from types import TracebackType
from typing import Any, Self

import aiohttp

type Json = dict[str, Any]

_PATIENCE = aiohttp.ClientTimeout(total=10.0)


class VaultRefused(Exception):
    """Vault answered, and not with what was asked for."""

    def __init__(self, method: str, url: str, status: int, errors: list[str]) -> None:
        listed = "".join(f"\n* {one}" for one in errors)
        super().__init__(
            f"Error making API request.\n\nURL: {method} {url}\nCode: {status}. Errors:\n{listed}"
        )
        self.status = status
        self.errors = errors


class VaultUnreachable(Exception):
    """Nobody answered."""


class Vault:
    """One Vault and, where the caller has one, a token. To be used in `async with`."""

    def __init__(self, address: str, token: str = "") -> None:
        self.address = address
        self._headers = {"X-Vault-Token": token} if token else {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_PATIENCE, headers=self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def read(self, path: str) -> Json | None:
        """None for what is not there. Raises VaultRefused, VaultUnreachable."""
        try:
            return await self.call("GET", path)
        except VaultRefused as refused:
            if refused.status == 404:
                return None
            raise

    async def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """The answer's body; an empty one where there is none. Raises VaultRefused, VaultUnreachable."""
        if self._session is None:
            raise RuntimeError("a Vault is used in `async with`")
        url = f"{self.address}/v1/{path}"
        try:
            async with self._session.request(method, url, json=body) as answer:
                found = await answer.json(content_type=None) if answer.status != 204 else {}
                if answer.status >= 400:
                    raise VaultRefused(method, url, answer.status, (found or {}).get("errors") or [])
                return dict(found or {})
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            host = self.address.rpartition("/")[2]
            raise VaultUnreachable(
                f'{method} "{url}": dial tcp {host}: connect: connection refused'
            ) from error


async def settle(vault: Vault, path: str, wanted: Json) -> None:
    """Write the configuration unless it is what is there already. Raises as `Vault.call` does."""
    held = ((await vault.read(path)) or {}).get("data") or {}
    if any(held.get(name) != value for name, value in wanted.items()):
        await vault.call("POST", path, wanted)
