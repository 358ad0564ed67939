"""What all Azure SDKs have in common: how they fail, how long they may take, how often they are made.

Used by the other Azure clients. Each brings its own `classify`, since only the service's own code tells what
a status means there.
"""

import json
import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from shared.clients.importing import IMPORTING
from shared.errors import ReconvergeError, TemporaryError
from shared.model import Unknown

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError
    from azure.core.pipeline.transport import RequestsTransport

CONNECT: Final = 5
"""Seconds to connect: more only hides an address that does not answer."""
READ: Final = 30
"""Seconds between two bytes of an answer. Both together stay well below the life of a lease."""
CONNECTIONS: Final = 32
"""Kept open per host: a gather reads about as many things at once. requests would keep ten."""
SHOWABLE: Final = r"[A-Za-z0-9_.:-]{1,100}"
"""What codes and ids are made of, and sentences are not."""
LONGEST_PAUSE: Final = timedelta(days=1)
"""Of those that a far side asks for. No service means more, and nobody could wake a target before."""
AGAIN: Final = timedelta(seconds=30)
"""The pause after a failure whose length nobody named."""

ONE_TRY: Final[Mapping[str, Any]] = {
    # azure-core retries every answer that carries Retry-After, whatever its status, and sleeps as long as
    # the header says: an hour inside a function that may run for minutes. Our waits are delayed messages.
    "retry_total": 0,
    "connection_timeout": CONNECT,
    "read_timeout": READ,
}
"""Arguments for the clients that build their own pipeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A service's refusal, as far as it may be shown: no message, no body."""

    service: str
    status: int
    """0 where there was no answer."""
    code: str
    retry_after: timedelta | None = None
    correlation_id: str = ""

    def __str__(self) -> str:
        if not self.status:
            return f"{self.service} gave no usable answer"
        said = f"{self.service} answered {self.status} {self.code}".rstrip()
        return f"{said} (correlation id {self.correlation_id})" if self.correlation_id else said


def without_correlation(text: str) -> str:
    """A text with Answers in it, as it stays when the same is answered to another request."""
    return re.sub(rf" \(correlation id {SHOWABLE}\)", "", text)


type Classify = Callable[[Answer], Exception]


@contextmanager
def translated(service: str, classify: Classify, *, pause: timedelta = AGAIN) -> Iterator[None]:
    """The one place where an exception of azure-core becomes ours.

    Raises what `classify` makes of an answer; where there is none, TemporaryError with `pause` for its delay.
    """
    with IMPORTING:
        from azure.core.exceptions import AzureError, DeserializationError, HttpResponseError

    try:
        yield
    except HttpResponseError as error:
        # Half-read and undecodable bodies come as this class too, with the status of a success.
        answer = answer_of(service, error)
        raise (classify(answer) if answer.status >= 400 else lost(service, error, pause)) from error
    except (AzureError, DeserializationError) as error:
        raise lost(service, error, pause) from error


@contextmanager
def shaped(service: str) -> Iterator[None]:
    """Bodies are believed to have their promised shape. Raises TemporaryError where one has not."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        said = f"{service}'s answer has not the promised shape ({type(error).__name__})"
        # Without its cause, whose text may show a part of the body.
        raise TemporaryError(said, delay=AGAIN) from None


def lost(service: str, error: Exception, pause: timedelta) -> TemporaryError:
    """No usable answer. Whether a write took effect is unknown then, so it may not be repeated unseen."""
    with IMPORTING:
        from azure.core.exceptions import ServiceRequestError

    kind = type(error).__name__
    if isinstance(error, ServiceRequestError):
        return TemporaryError(f"{service} could not be reached ({kind})", delay=pause)
    return TemporaryError(
        f"{service}: the answer was lost ({kind}), what was asked may have been done", delay=pause
    )


def answer_of(service: str, error: "HttpResponseError") -> Answer:
    with IMPORTING:
        from azure.core.exceptions import HttpResponseError

    # Some SDKs put an error with a nicer text, and no response, before the one that holds the answer.
    if error.response is None and isinstance(error.__cause__, HttpResponseError):
        error = error.__cause__
    # The SDK's type of a response promises less than every response has.
    response: Any = error.response
    if response is None:
        return Answer(service=service, status=0, code="")
    headers = {name.lower(): text for name, text in response.headers.items()}
    ids = (headers.get(name, "") for name in ("x-ms-correlation-request-id", "x-ms-request-id"))
    return Answer(
        service=service,
        status=response.status_code,
        code=_shown(_code(error, headers)),
        retry_after=retry_after(headers, now=datetime.now(UTC)),
        correlation_id=next((shown for text in ids if (shown := _shown(text))), ""),
    )


def _code(error: "HttpResponseError", headers: Mapping[str, str]) -> str:
    """The code: ARM says it in the body's `error`, queues in a header, tables in `odata.error`."""
    if error.error is not None and isinstance(error.error.code, str):
        return error.error.code
    if code := headers.get("x-ms-error-code"):
        return code
    try:
        return str(json.loads(error.response.text())["odata.error"]["code"]) if error.response else ""
    except (ValueError, KeyError, TypeError):
        return ""


def _shown(text: str) -> str:
    """Codes and ids reach operators and the journal; whatever else stands in their place does not."""
    return text if re.fullmatch(SHOWABLE, text) else ""


def retry_after(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """The pause that an answer asks for; header names in lower case.

    Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after. Some services name
    milliseconds in headers of their own.
    """
    for name, unit in (
        ("retry-after-ms", timedelta(milliseconds=1)),
        ("x-ms-retry-after-ms", timedelta(milliseconds=1)),
        ("retry-after", timedelta(seconds=1)),
    ):
        text = headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
            return min(float(text) * unit, LONGEST_PAUSE)
    try:
        at = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(max(timedelta(0), (at if at.tzinfo else at.replace(tzinfo=UTC)) - now), LONGEST_PAUSE)


class OncePer[K: Hashable, V]:
    """Makes one value for each key and process, however many threads ask first.

    functools.cache lets two threads make two, and an SDK client is a pool of connections.
    """

    def __init__(self, make: Callable[[K], V]) -> None:
        self._make = make
        self._made: dict[K, V] = {}

    def __call__(self, key: K) -> V:
        if key not in self._made:
            # No lock of its own: making one value may need another, and imports the SDK for both.
            with IMPORTING:
                if key not in self._made:
                    self._made[key] = self._make(key)
        return self._made[key]


def transport() -> "RequestsTransport":
    """Connections to share between threads and clients, with our time limits."""
    with IMPORTING:
        import requests
        from azure.core.pipeline.transport import RequestsTransport
        from requests.adapters import HTTPAdapter

    session = requests.Session()
    # Else requests would put what a ~/.netrc holds for the host in place of the SDK's token.
    session.auth = lambda request: request
    session.mount("https://", HTTPAdapter(pool_maxsize=CONNECTIONS))
    return RequestsTransport(session=session, connection_timeout=CONNECT, read_timeout=READ)


def as_unknown(error: ReconvergeError) -> Unknown:
    """A failed read proves nothing, whatever it failed of."""
    return Unknown(str(error), error.delay if isinstance(error, TemporaryError) and error.asked else None)
