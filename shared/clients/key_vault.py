"""What is known of a Key Vault's secrets without their values.

Permissions: Key Vault Secrets User on the Key Vault.
"""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from shared.clients.azure_core import (
    AGAIN,
    ONE_TRY,
    SHOWABLE,
    Answer,
    OncePer,
    answer_of,
    as_unknown,
    shaped,
    translated,
    transport,
)
from shared.clients.fingerprints import Fingerprint, SecretText, fingerprint
from shared.clients.importing import IMPORTING
from shared.errors import PermanentError, ReconvergeError, TemporaryError
from shared.model import Absent, Known, Read, Unknown

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.exceptions import HttpResponseError
    from azure.keyvault.secrets import KeyVaultSecret, SecretClient, SecretProperties

SERVICE: Final = "Key Vault"

# https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers
SUFFIXES: Final = (".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net")
"""Of Azure's own Key Vaults. Elsewhere, a challenge names a host that is not the vault's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What a list tells of a secret's newest version."""

    name: str
    enabled: bool
    expires: datetime | None
    not_before: datetime | None
    updated: datetime | None


@dataclass(frozen=True, slots=True)
class Sourced:
    """The newest version of a secret."""

    version: str
    fingerprint: Fingerprint


class KeyVaults:
    def __init__(self, credential: "TokenCredential") -> None:
        self._secrets: OncePer[str, SecretClient] = OncePer(lambda uri: _client(uri, credential))

    def secrets(self, uri: str) -> Read[tuple[Secret, ...]]:
        """One LIST, and one more for each further page. No value is read."""
        return _read(lambda: tuple(map(_secret, self._secrets(uri).list_properties_of_secrets())))

    def source(self, uri: str, name: str, placeholders: Collection[str]) -> Read[Sourced]:
        """One GET. The value is dropped here; of it only a keyed digest leaves."""

        def read() -> Sourced:
            found = self._secrets(uri).get_secret(name)
            return Sourced(found.properties.version or "", fingerprint(_value(found), placeholders))

        return _read(read)

    def value(self, uri: str, name: str, version: str | None = None) -> SecretText:
        """One GET, of exactly this version, or of the newest. For shared.clients.seeding, and for the login
        of shared.clients.keycloak, only. Raises ReconvergeError."""
        with shaped(SERVICE), _translated():
            return SecretText(_value(self._secrets(uri).get_secret(name, version)))


def _client(uri: str, credential: "TokenCredential") -> "SecretClient":
    with IMPORTING:
        from azure.keyvault.secrets import SecretClient

    azure = (urlsplit(uri).hostname or "").endswith(SUFFIXES)
    return SecretClient(uri, credential, verify_challenge_resource=azure, transport=transport(), **ONE_TRY)


def _value(found: "KeyVaultSecret") -> str:
    """Raises TemporaryError for half an answer: as a seed it would be an empty secret that looks well."""
    if found.value is None:
        raise TemporaryError(f"{SERVICE} answered without a value", delay=AGAIN)
    return found.value


def _secret(found: "SecretProperties") -> Secret:
    return Secret(
        name=found.name or "",
        enabled=found.enabled is not False,
        expires=found.expires_on,
        not_before=found.not_before,
        updated=found.updated_on,
    )


class _NotThere(TemporaryError):
    """No such secret."""


_REMEDIES: Final = {
    "ForbiddenByRbac": "give the app's identity Key Vault Secrets User on this Key Vault",
    "ForbiddenByPolicy": "give the app's identity get and list on secrets in the vault's access policies",
    "ForbiddenByFirewall": "let the app's network through the Key Vault's firewall",
    "ForbiddenByConnection": "the Key Vault takes private connections only: give the app's network one",
}


def classify(answer: Answer) -> ReconvergeError:
    """Say a Key Vault refusal in our words. Unlisted is temporary."""
    said = str(answer)
    match answer.status:
        case 404 if answer.code == "SecretNotFound":
            return _NotThere(said, delay=AGAIN)
        case 400:
            return PermanentError(said)
        case 401 | 403:
            remedy = _REMEDIES.get(answer.code)
            # A new role assignment takes up to ten minutes to be seen.
            return TemporaryError(f"{said}: {remedy}" if remedy else said, delay=timedelta(minutes=5))
    asked = answer.retry_after
    return TemporaryError(said, delay=asked or AGAIN, asked=asked is not None)


@contextmanager
def _translated() -> Iterator[None]:
    """As `translated`, by the inner code: the outer one is Forbidden whatever the reason."""
    with IMPORTING:
        from azure.core.exceptions import HttpResponseError

    with translated(SERVICE, classify):
        try:
            yield
        except HttpResponseError as error:
            if inner := _inner_code(error):
                raise classify(replace(answer_of(SERVICE, error), code=inner)) from error
            raise


def _inner_code(error: "HttpResponseError") -> str:
    inner: Any = getattr(error.error, "innererror", None)
    code = inner.get("code") if isinstance(inner, dict) else None
    return code if isinstance(code, str) and re.fullmatch(SHOWABLE, code) else ""


def _read[T](call: Callable[[], T]) -> Read[T]:
    """Never raises for what Key Vault or the network does."""
    try:
        with _translated():
            return Known(call())
    except _NotThere:
        return Absent()
    except ReconvergeError as error:
        return as_unknown(error)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        return Unknown(f"{SERVICE}'s answer has not the promised shape ({type(error).__name__})")
