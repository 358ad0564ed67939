"""What an address answers to somebody without any credentials.

Asked are only addresses that the landscape names. Redirects are followed within the same origin alone.
"""

import re
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from shared.clients.azure_core import CONNECT
from shared.clients.deadlines import adapter
from shared.clients.importing import IMPORTING
from shared.clients.sessions import session
from shared.errors import PermanentError

if TYPE_CHECKING:
    from requests import Response, Session

READ: Final = 15
"""Seconds between two bytes of an answer. A page that takes longer is of no use to people either."""
TOTAL: Final = 45
"""Seconds for a whole call, redirects included: a server that sends byte after byte is given up then."""
MOST_REDIRECTS: Final = 5
LARGEST: Final = 64 * 1024
"""Bytes of a body that are waited for. They show that the answer has not broken off, and are dropped."""

_HOST: Final = r"[A-Za-z0-9](?:[-.A-Za-z0-9]{0,251}[A-Za-z0-9])?"
_ORIGIN: Final = re.compile(rf"(https?)://({_HOST})(?::([0-9]{{1,5}}))?(?=[/?#]|\Z)", re.ASCII)
# Two slashes begin the name of a host. Readers of URLs do not agree on @ and on the backslash.
_PATH: Final = re.compile(r"/(?!/)[!$-?A-\[\]-~]*", re.ASCII)
# Browsers take a backslash for a slash; whoever sends one means no address of ours.
_LOCATION: Final = re.compile(r"[!-\[\]-~]+", re.ASCII)
_USUAL_PORTS: Final = {"https": "443", "http": "80"}
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer."""

    status: int
    """Of the last answer, a redirect to another origin included."""
    redirected_to: str | None = None
    """Origin (`https://host[:port]`) that the last answer leads to; None where it leads nowhere. The same
    origin only after more redirects than are followed."""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nobody answered in time, or not as a web server."""

    why: str
    """In our words: timeout, refused, name, certificate, or other."""


class Web:
    def get(self, origin: str, path: str) -> Page | NoAnswer:
        """A GET, and one more for each redirect within the origin. Never raises for what the far side does.

        origin: `https://host[:port]`. path: with its query, if any, percent-encoded.
        Raises PermanentError for any other origin or path: no request leaves then.
        """
        home = origin_of(origin)
        if home is None or not home.startswith("https://") or not _ORIGIN.fullmatch(origin):
            raise PermanentError(f"{origin[:300]!r} is no origin with https")
        if not _PATH.fullmatch(path):
            raise PermanentError(f"{path[:300]!r} is no path of {origin}")
        try:
            with _session() as connection:
                return _follow(connection, home, f"{home}{path}")
        # Whatever an HTTP library makes of what a stranger sends.
        except (OSError, ValueError, _http_error()) as error:
            return NoAnswer(_why(error))


def origin_of(address: str) -> str | None:
    """In one spelling, so that equal ones are the same: lower case, without the scheme's usual port. None for
    what is no web address, and for one with a name or password before its host."""
    found = _ORIGIN.match(address)
    if found is None:
        return None
    scheme, host, port = found.groups()
    usual = port is None or port == _USUAL_PORTS[scheme]
    return f"{scheme}://{host.lower()}" if usual else f"{scheme}://{host.lower()}:{port}"


def _follow(connection: "Session", home: str, address: str) -> Page | NoAnswer:
    until, more = time.monotonic() + TOTAL, MOST_REDIRECTS
    while True:
        with _answer(connection, address, until - time.monotonic()) as response:
            target = _target(response, address)
            leads_to = origin_of(target) if target else None
            if target is None or leads_to != home or not more:
                _let_it_end(response)
                return Page(status=response.status_code, redirected_to=leads_to)
        address, more = target, more - 1


def _answer(connection: "Session", address: str, left: float) -> "Response":
    if left <= 0:
        raise TimeoutError
    # A new one each time, since its time is what is left of the whole.
    connection.mount("https://", adapter(left, 1))
    limits = (min(CONNECT, left), min(READ, left))
    return connection.get(address, timeout=limits, allow_redirects=False, stream=True)


def _target(response: "Response", address: str) -> str | None:
    """Where the answer sends to, as a whole address without a fragment."""
    location = response.headers.get("Location", "")
    if response.status_code not in _REDIRECTS or not _LOCATION.fullmatch(location):
        return None
    try:
        return urljoin(address, location).partition("#")[0]
    except ValueError:
        return None


def _let_it_end(response: "Response") -> None:
    """Not decoded: what is small over the wire may be large."""
    read = 0
    while read < LARGEST and (piece := response.raw.read(4096, decode_content=False)):
        read += len(piece)


def _session() -> "Session":
    """For one call, and so are its cookies: some pages send everybody back until they come with one."""
    made = session(TOTAL, 1, cookies=True)
    made.headers["User-Agent"] = "reconverge"
    return made


def _http_error() -> type[Exception]:
    """Of the library below requests, whose errors come up where a body is read."""
    with IMPORTING:
        from urllib3.exceptions import HTTPError

    return HTTPError


def _why(error: BaseException) -> str:
    with IMPORTING:
        from urllib3.exceptions import TimeoutError as UrllibTimeout

    causes = list(_chain(error))
    for kind, word in (
        (socket.gaierror, "name"),
        (ConnectionRefusedError, "refused"),
        (ssl.SSLCertVerificationError, "certificate"),
        ((TimeoutError, UrllibTimeout), "timeout"),
    ):
        if any(isinstance(one, kind) for one in causes):
            return word
    return "other"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was made of: libraries keep that in one place or another."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
