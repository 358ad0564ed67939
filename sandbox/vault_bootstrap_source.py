"""Where the bootstrap takes its values from: Key Vault, with a token for which Entra takes the pod's own.

https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
"""

import json
import re
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_API_VERSION = "7.4"
_PATIENCE = aiohttp.ClientTimeout(total=10.0)


class SourceRefused(Exception):
    """Entra or Key Vault refused, or nobody answered; the text is theirs, without a secret."""


class Source:
    """Key Vault as one identity sees it. To be used in `async with`."""

    def __init__(self, env: Mapping[str, str], assertion: str, trusted: ssl.SSLContext) -> None:
        self._env = env
        self._assertion = assertion
        self._connector = aiohttp.TCPConnector(ssl=trusted)
        self._token = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(connector=self._connector, timeout=_PATIENCE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def value(self, name: str) -> str:
        """Of the secret's newest version. Raises SourceRefused."""
        url = f"{self._env['KEY_VAULT_URI'].rstrip('/')}/secrets/{name}?api-version={_API_VERSION}"
        status, challenge, found = await self._get(url)
        if status == 401 and not self._token:
            self._token = await self._exchange(challenge)
            status, _, found = await self._get(url)
        if status != 200:
            raise SourceRefused(_refusal(name, found))
        return str(found["value"])

    async def _get(self, url: str) -> tuple[int, str, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            async with self._session.get(url, headers=headers) as answer:
                found = json.loads(await answer.read())
                return answer.status, answer.headers.get("WWW-Authenticate", ""), found
        except (aiohttp.ClientError, ValueError, TimeoutError) as error:
            raise SourceRefused(f"{_host(url)}: connection refused ({type(error).__name__})") from error

    async def _exchange(self, challenge: str) -> str:
        """A token for the resource that the challenge names. Raises SourceRefused."""
        resource = re.search(r'resource="([^"]+)"', challenge)
        if resource is None:
            raise SourceRefused("Key Vault did not say what a token is to be for")
        authority = self._env["AZURE_AUTHORITY_HOST"].rstrip("/")
        url = f"{authority}/{self._env['AZURE_TENANT_ID']}/oauth2/v2.0/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": self._env["AZURE_CLIENT_ID"],
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": self._assertion,
            "scope": f"{resource[1]}/.default",
        }
        try:
            async with self._session.post(url, data=form) as answer:
                found = json.loads(await answer.read())
        except (aiohttp.ClientError, ValueError, TimeoutError) as error:
            raise SourceRefused(f"{_host(url)}: connection refused ({type(error).__name__})") from error
        if answer.status != 200:
            raise SourceRefused(f"ERROR: {found.get('error_description', found.get('error', ''))}")
        return str(found["access_token"])


def _refusal(name: str, found: Mapping[str, Any]) -> str:
    """Codes, and of the message its first line: what follows has ids of the caller."""
    error = found.get("error") or {}
    inner = (error.get("innererror") or {}).get("code")
    first = str(error.get("message", "")).splitlines()[:1]
    said = f"ERROR: {name}: ({error.get('code')}) {''.join(first)}"
    return f"{said} Inner error: {inner}" if inner else said


def _host(url: str) -> str:
    return url.split("/")[2]
