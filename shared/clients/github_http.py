"""HTTP towards GitHub: who we are there, its refusals in our words, and how long an answer may take.

Used by the clients of its REST API and of its repositories. Every call is made once: what GitHub asks to do
later is done by a delayed message. Redirects are not followed: a repository that moved is declared anew.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.clients.azure_core import AGAIN, CONNECT, READ, OncePer, as_unknown, retry_after
from shared.clients.importing import IMPORTING
from shared.errors import (
    Misconfigured,
    NotWritten,
    PermanentError,
    ReconvergeError,
    TemporaryError,
    Throttled,
)
from shared.model import Absent, Known, Read, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response, Session

SERVICE: Final = "GitHub"
TOKEN: Final = "RECONVERGE_GITHUB_TOKEN"  # noqa: S105 (a setting's name)
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of an answer: all files of one commit, compressed. Facts are far smaller, a function's memory is not
much larger."""

WINDOW: Final = 60 * 60
"""Seconds after which GitHub's primary limit is open again, whatever clock is wrong."""

_REPOSITORY: Final = re.compile(r"/([A-Za-z0-9][-A-Za-z0-9]*/(?!\.)[-.\w]+?)(?:\.git)?", re.ASCII)
_LIMITED: Final = "x-ratelimit-remaining"
_UNTIL: Final = "x-ratelimit-reset"

type Headers = Mapping[str, str]


class NotThere(PermanentError):
    """404: it does not exist, or this token may not see it. GitHub does not tell which."""


class CannotBeDone(PermanentError):
    """422, or 410: understood, and against a rule or what is there."""


class Conflict(NotWritten):
    """409: what the write rested on has changed. To be planned anew from what is there now."""


def slug(repository: str, base: str) -> str:
    """`<owner>/<name>` of a repository on this GitHub. Raises Misconfigured for one that is elsewhere: the
    token goes to no host but GitHub's.

    base: where this GitHub is, which also answers for addresses of https://github.com.
    """
    for home in (base, "https://github.com"):
        if repository.lower().startswith(f"{home.lower()}/") and (
            found := _REPOSITORY.fullmatch(repository[len(home) :])
        ):
            return found[1]
    raise Misconfigured(
        f"{repository[:300]!r} is no repository of {base}: write https://github.com/<owner>/<name>.git, or "
        "set RECONVERGE_GITHUB_URL to the GitHub that has it"
    )


def request(method: str, url: str, *, headers: Headers, **given: Any) -> "Response":
    """One call. Raises what `classify` makes of a refusal, and TemporaryError where there is no answer.

    The answer is a stream: read it with `content`.
    """
    with IMPORTING:
        import requests

    try:
        response = _session(SERVICE).request(
            method, url, headers=headers, timeout=(CONNECT, READ), allow_redirects=False, stream=True, **given
        )
    except requests.exceptions.RequestException as error:
        raise Lost(error) from error
    if response.status_code >= 300:
        response.close()
        raise classify(response.status_code, {key.lower(): text for key, text in response.headers.items()})
    return response


def content(response: "Response") -> bytes:
    """The whole body, undone of its encoding. Raises TemporaryError; PermanentError when it is too large."""
    with IMPORTING:
        import requests

    body = bytearray()
    try:
        with response:
            for piece in response.iter_content(64 * 1024):
                body += piece
                if len(body) > LARGEST:
                    raise PermanentError(f"{SERVICE}'s answer is larger than {LARGEST} bytes")
    except requests.exceptions.RequestException as error:
        raise Lost(error) from error
    return bytes(body)


def decoded(response: "Response") -> Any:
    """What the body says as JSON; None where there is no body. Raises what `content` raises, and
    TemporaryError for a body that is no JSON."""
    body = content(response)
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError) as error:
        raise Lost(error) from error


class Lost(TemporaryError):
    """No usable answer. Whether a write took effect is unknown then, so it may not be repeated unseen."""

    def __init__(self, error: Exception) -> None:
        self.why: Final = f"{SERVICE} gave no usable answer ({type(error).__name__})"
        """All there is to say of a read."""
        super().__init__(f"{self.why}, what was asked may have been done", delay=AGAIN)


def classify(status: int, headers: Headers) -> ReconvergeError:
    """Say a refusal in our words. By status and headers: GitHub has no codes, and its texts change.

    https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
    """
    said = f"{SERVICE} answered {status}"
    if (pause := _pause(headers)) is not None or status == 429:
        return Throttled(f"{said}: too many requests", delay=pause or timedelta(minutes=1))
    match status:
        case 301 | 302 | 307 | 308:
            return PermanentError(f"{said}: it has moved, write its new address into the landscape")
        case 401:
            return PermanentError(f"{said}: {TOKEN} is missing, or not valid any more: set or renew it")
        case 403:
            return PermanentError(f"{said}: the token of {TOKEN} lacks a permission (see permissions)")
        case 404:
            return NotThere(f"{said}: it does not exist, or the token of {TOKEN} may not see it")
        case 409:
            return Conflict(
                f"{said}: somebody was quicker, or the branch is protected", delay=timedelta(seconds=5)
            )
        case 410 | 422:
            return CannotBeDone(f"{said}: it cannot be done in this way")
    return TemporaryError(said, delay=AGAIN)


def _pause(headers: Headers) -> timedelta | None:
    """What both limits ask for: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
    now = datetime.now(UTC)
    if asked := retry_after(headers, now=now):
        return asked
    until = headers.get(_UNTIL, "")
    if headers.get(_LIMITED) == "0" and re.fullmatch(r"\d{1,12}", until, re.ASCII):
        left = int(until) - int(now.timestamp())
        return timedelta(seconds=min(max(left, 1), WINDOW))
    return None


def read[T](call: "Callable[[], T]") -> Read[T]:
    """Call GitHub and make a record of its answer, both in `call`.

    Never raises for what GitHub or the network does: it is Unknown with the reason, or Absent for a 404,
    which may also hide what the token may not see.
    """
    try:
        return Known(call())
    except NotThere:
        return Absent()
    except Lost as error:
        return Unknown(error.why)
    except ReconvergeError as error:
        return as_unknown(error)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        return Unknown(f"{SERVICE}'s answer has not the promised shape ({type(error).__name__})")


def _make_session(_: str) -> "Session":
    with IMPORTING:
        import requests
        from requests.adapters import HTTPAdapter

    session = requests.Session()
    # Else requests would put what a ~/.netrc holds for the host in place of our token.
    session.auth = lambda prepared: prepared
    session.mount("https://", HTTPAdapter(pool_maxsize=8))
    return session


_session: "OncePer[str, Session]" = OncePer(_make_session)
