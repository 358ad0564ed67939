"""One request to Keycloak, and its refusals in our words. Used by shared.clients.keycloak.

Whatever goes out or comes back may hold a secret: no error has either, nor a cause that does.
"""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from shared.clients.azure_core import AGAIN, CONNECT, READ, SHOWABLE, retry_after
from shared.clients.importing import IMPORTING
from shared.errors import NotWritten, PermanentError, TemporaryError, WriteConflict

if TYPE_CHECKING:
    from requests import Response, Session

SERVICE: Final = "Keycloak"
LARGEST: Final = 16 * 1024 * 1024
"""Bytes of one answer."""
_NO_REALM: Final = re.compile(r"Realm (?:does not exist|not found)\b.*")
"""How Keycloak begins to say it; anybody in front of it says 404 as well."""


class NoRealm(NotWritten):
    """404, in the words of Keycloak itself."""


class Forbidden(NotWritten):
    """401 or 403, or a login that is refused."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Its body may hold secrets."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""

    @property
    def said(self) -> str:
        """With the error's code, which is a word; a sentence in its place is dropped."""
        code = self._error()
        return f"{SERVICE} answered {self.status} {code if re.fullmatch(SHOWABLE, code) else ''}".rstrip()

    def json(self) -> Any:
        """Raises TemporaryError."""
        with suppress(ValueError, RecursionError):
            return json.loads(self.body)
        # Without its cause, which holds the whole body.
        raise TemporaryError(f"{SERVICE}'s answer is no JSON", delay=AGAIN)

    def check(self) -> None:
        """Say a refusal in our words. Raises ReconvergeError; unlisted is temporary."""
        asked = retry_after(self.headers, now=datetime.now(UTC))
        match self.status:
            case 200 | 201 | 204:
                return
            case 400:
                raise PermanentError(self.said)
            case 404 if _NO_REALM.fullmatch(self._error()):
                raise NoRealm(f"{self.said}: no such realm", delay=AGAIN)
            case 404:
                raise NotWritten(self.said, delay=asked or AGAIN, asked=asked is not None)
            case 409:
                raise WriteConflict(self.said, delay=AGAIN)
            case status if 300 <= status < 400:
                raise NotWritten(f"{self.said}: redirects are not followed", delay=AGAIN)
        raise TemporaryError(self.said, delay=asked or AGAIN, asked=asked is not None)

    def _error(self) -> str:
        try:
            error = json.loads(self.body)["error"]
        except (ValueError, TypeError, LookupError, RecursionError):
            return ""
        return error if isinstance(error, str) else ""


def ask(connections: "Session", method: str, address: str, **given: Any) -> Answer:
    """One request, never repeated. Raises TemporaryError where there is no answer."""
    with IMPORTING:
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

    try:
        response = connections.request(
            method, address, timeout=(CONNECT, READ), allow_redirects=False, stream=True, **given
        )
        return Answer(
            response.status_code,
            _content(response),
            {name.lower(): text for name, text in response.headers.items()},
        )
    except (RequestException, HTTPError, OSError) as error:
        kind = type(error).__name__
    # Without its cause, which holds the request, and that the secret or the token.
    if method == "GET":
        raise TemporaryError(f"{SERVICE} could not be reached ({kind})", delay=AGAIN)
    said = f"{SERVICE} gave no usable answer ({kind}), what was asked may have been done"
    raise TemporaryError(said, delay=AGAIN)


def _content(response: "Response") -> bytes:
    body = bytearray()
    with response:
        for piece in response.iter_content(64 * 1024):
            body += piece
            if len(body) > LARGEST:
                raise TemporaryError(f"{SERVICE}'s answer is larger than {LARGEST} bytes", delay=AGAIN)
    return bytes(body)
