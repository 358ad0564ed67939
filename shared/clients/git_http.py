"""HTTP towards Git servers: whom we may ask, who we are there, and how much of an answer is read.

A credential goes to the one host that it is set for. Every call is made once. Redirects are followed for the
first request of a repository, as git does, and on the same host only.

https://git-scm.com/docs/gitprotocol-http
"""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from shared.clients.azure_core import AGAIN, CONNECT, CONNECTIONS, READ, OncePer, retry_after
from shared.clients.git_addresses import read_address, without_user
from shared.clients.git_packets import Unusable
from shared.clients.github_http import LARGEST, TOKEN, slug
from shared.clients.importing import IMPORTING
from shared.clients.sessions import session
from shared.errors import Misconfigured, PermanentError, ReconvergeError, TemporaryError, Throttled
from shared.settings import GIT_CREDENTIALS, Settings

if TYPE_CHECKING:
    from requests import Response, Session

SERVICE: Final = "git-upload-pack"
REDIRECTS: Final = 3
"""More than a renamed repository of a renamed owner needs."""
LONGEST: Final = 60
"""Seconds for an answer as a whole, whatever trickles in: well below the life of a run, which makes several
calls one after the other."""
REST: Final = 64 * 1024
"""Bytes that are still read of an answer which is not needed any more, so that its connection stays open."""

_PIECE: Final = 64 * 1024
_MOVED: Final = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A repository, as its server is asked for it."""

    base: str
    """Its address, without a slash at the end."""
    setting: str
    """Where its host's credential is set."""
    authorization: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.base).netloc


class Hosts:
    """Which hosts may be asked, each with its credential: GitHub, those with one, and that of a declared
    repository. An address in .gitmodules is what others wrote: it must not make this process call just
    anybody, from where it stands.
    """

    def __init__(self, settings: Settings) -> None:
        self._github = settings.github_url
        # https://docs.github.com/get-started/git-basics/about-remote-repositories#cloning-with-https-urls
        token = settings.github_token
        self._at_github = _basic("x-access-token", token) if token else None
        self._credentials = {
            host: _basic(one.username, one.password) for host, one in settings.git_credentials.items()
        }

    def home(self, url: str, parent: str | None) -> Home:
        """Raises Misconfigured for what may not be asked, or has no address that can be."""
        try:
            name = slug(without_user(url).rstrip("/"), self._github)
        except Misconfigured:
            return self._elsewhere(url, parent)
        base = f"{self._github}/{name}.git"
        return Home(base=base, setting=TOKEN, authorization=self._at_github)

    def _elsewhere(self, url: str, parent: str | None) -> Home:
        address = read_address(url)
        if address is None:
            raise Misconfigured("its address is none of https: it can only be looked at by hand")
        if address.host in (urlsplit(self._github).netloc.lower(), "github.com"):
            raise Misconfigured(
                "its address is no repository of GitHub: write https://github.com/<owner>/<name>.git"
            )
        declared = read_address(parent) if parent else None
        known = self._credentials.get(address.host)
        if known is None and (declared is None or declared.host != address.host):
            raise Misconfigured(
                f"{address.host} is not a host that may be asked: it is neither GitHub nor the declared "
                f"repository's. Write a user name and a password for it into {GIT_CREDENTIALS}"
            )
        return Home(base=address.url, setting=GIT_CREDENTIALS, authorization=known)


def _basic(username: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


# -- calls ----------------------------------------------------------------------------------------


@contextmanager
def advertised(home: Home) -> Iterator[tuple[Home, Iterator[bytes]]]:
    """The first request: what the server offers for the repository, and where that is now."""
    path = f"/info/refs?service={SERVICE}"
    for _ in range(REDIRECTS + 1):
        response = _send("GET", home, path)
        if response.status_code not in _MOVED:
            with _answer(response, home, f"application/x-{SERVICE}-advertisement") as pieces:
                yield home, pieces
            return
        target = response.headers.get("Location", "")
        response.close()
        home = _moved(home, target, path)
    raise PermanentError(f"{home.host} sends from one address to the next: write the last one")


@contextmanager
def asked(home: Home, body: bytes) -> Iterator[Iterator[bytes]]:
    """The answer to one request of the protocol. Raises what `classify` makes of a refusal, TemporaryError
    where there is no answer, Unusable where it is none of Git's.
    """
    response = _send("POST", home, f"/{SERVICE}", body)
    with _answer(response, home, f"application/x-{SERVICE}-result") as pieces:
        yield pieces


def _send(method: str, home: Home, path: str, body: bytes | None = None) -> "Response":
    with IMPORTING:
        import requests

    headers = {"Git-Protocol": "version=2", "User-Agent": "git/reconverge", "Accept-Encoding": "identity"}
    if home.authorization:
        headers["Authorization"] = home.authorization
    if body is not None:
        headers["Content-Type"] = f"application/x-{SERVICE}-request"
    try:
        return _session(SERVICE).request(
            method,
            f"{home.base}{path}",
            headers=headers,
            data=body,
            timeout=(CONNECT, READ),
            allow_redirects=False,
            stream=True,
        )
    except (requests.exceptions.RequestException, UnicodeError) as error:
        raise _lost(home, error) from error


def _moved(home: Home, target: str, path: str) -> Home:
    """Where a redirect leads, with the same credential: the host stays the same. As git reads it, the rest
    of the new address must be what was asked for.
    """
    here = urlsplit(home.base)
    try:
        url = urljoin(f"{home.base}{path}", target)
        there = urlsplit(url)
    except ValueError as error:
        raise PermanentError(f"{home.host} sends to what is no address") from error
    if (here.scheme, here.netloc.lower()) != (there.scheme, there.netloc.lower()) or not url.endswith(path):
        raise PermanentError(f"{home.host} sends elsewhere: write the address that the repository has now")
    return replace(home, base=url.removesuffix(path))


@contextmanager
def _answer(response: "Response", home: Home, kind: str) -> Iterator[Iterator[bytes]]:
    """The body in pieces. What is left of it at the end is read where that is little."""
    headers = {name.lower(): text for name, text in response.headers.items()}
    try:
        if response.status_code != 200:
            raise classify(home, response.status_code, retry_after(headers, now=datetime.now(UTC)))
        plain = headers.get("content-encoding", "identity").lower() == "identity"
        if headers.get("content-type", "").partition(";")[0].strip() != kind or not plain:
            raise Unusable(
                f"{home.host} answered, but not as a Git server does: a proxy or a page stands in between, "
                "or the address is another one"
            )
        pieces = _pieces(response, home)
        yield pieces
        _finish(pieces)
    finally:
        response.close()


def _pieces(response: "Response", home: Home) -> Iterator[bytes]:
    with IMPORTING:
        from urllib3.exceptions import HTTPError

    size, until = 0, time.monotonic() + LONGEST
    try:
        # `stream` waits until a piece is full, and each byte would begin the time for reading anew.
        while piece := response.raw.read1(_PIECE, decode_content=False):
            size += len(piece)
            if size > LARGEST:
                raise Unusable(f"the answer of {home.host} is larger than {LARGEST} bytes")
            if time.monotonic() > until:
                raise TemporaryError(f"the answer of {home.host} took more than {LONGEST} s", delay=AGAIN)
            yield piece
    except (HTTPError, OSError) as error:
        raise _lost(home, error) from error


def _finish(pieces: Iterator[bytes]) -> None:
    rest = 0
    for piece in pieces:
        rest += len(piece)
        if rest > REST:
            break


def _lost(home: Home, error: Exception) -> TemporaryError:
    return TemporaryError(f"{home.host} gave no usable answer ({type(error).__name__})", delay=AGAIN)


def classify(home: Home, status: int, pause: timedelta | None) -> ReconvergeError:
    """Say a refusal in our words, by its status: bodies are for people."""
    said = f"{home.host} answered {status}"
    if status == 429 or (pause is not None and status in (403, 503)):
        return Throttled(f"{said}: too many requests", delay=pause or timedelta(minutes=1))
    match status:
        case 401:
            return PermanentError(
                f"{said}: the credential of {home.setting} is missing, or not valid any more: set or renew it"
            )
        case 403:
            return PermanentError(f"{said}: the credential of {home.setting} may not read the repository")
        case 404 | 410:
            return PermanentError(
                f"{said}: the repository does not exist, or the credential of {home.setting} may not see it"
            )
    if status in _MOVED:
        return PermanentError(f"{said}: it sends elsewhere in the middle of a conversation")
    return TemporaryError(said, delay=AGAIN)


_session: "OncePer[str, Session]" = OncePer(lambda _: session(LONGEST, CONNECTIONS))
