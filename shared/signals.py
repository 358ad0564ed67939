"""From what the world sends to a Signal, and to the message that carries it on queue `signals`.

Called by the triggers. Pure, and free of SDKs: a trigger must answer within Event Grid's 30 s from a cold
start. A reading never raises for what a sender wrote: it is a Signal, or Dropped (not ours), or Rejected
(unreadable; journalled with its reason).

Event shapes: https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from shared.model import Clock, Signal, Source, utc_now

QUEUE: Final = "signals"

# Compared in lower case: Azure's own samples disagree about the spelling of ids and operations.
_AKS: Final = "microsoft.containerservice/managedclusters"
_MSI: Final = "microsoft.managedidentity/userassignedidentities"
WATCHED: Final[Mapping[str, str]] = {
    f"{_AKS}/write": "cluster.written",
    f"{_AKS}/delete": "cluster.deleted",
    f"{_AKS}/rotateserviceaccountsigningkeys/action": "cluster.keys-rotated",
    f"{_MSI}/write": "identity.written",
    f"{_MSI}/delete": "identity.deleted",
    f"{_MSI}/federatedidentitycredentials/write": "credential.written",
    f"{_MSI}/federatedidentitycredentials/delete": "credential.deleted",
    "microsoft.authorization/roleassignments/write": "role-assignment.written",
    "microsoft.authorization/roleassignments/delete": "role-assignment.deleted",
}
EVENT_TYPES: Final = frozenset(
    f"microsoft.resources.resource{change}success" for change in ("write", "delete", "action")
)
OBJECT_ID_CLAIM: Final = "http://schemas.microsoft.com/identity/claims/objectidentifier"
LONGEST_ID: Final = 2048
LONGEST_NAME: Final = 100
"""Characters of a kind, a correlation id, a caller. With a subject of LONGEST_ID, each escaped to twelve
characters, they still fit into one message of the queue."""

_UNSTORABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of a surrogate pair, which JSON can spell and UTF-8 cannot."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Well-formed, and none of our business. Counted by operation."""

    operation: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Unreadable. The body itself is not kept (it may hold people's claims), only its digest and size."""

    reason: str
    digest: str
    size: int

    @property
    def correlation_id(self) -> str:
        """What of the digest is enough to find it by."""
        return self.digest[:16]


type Reading = Signal | Dropped | Rejected

REPORTED: Final = "application.reported"
"""Kind whose subject is `<namespace>/<name>` of an Application of Argo CD, or ANY_APPLICATION."""
ANY_APPLICATION: Final = "*"
"""The subject of a report that does not tell which Application it is about: any may be."""


class _UnreadableError(Exception):
    """Why an event cannot be read; becomes Rejected.reason."""


def from_event(event: object) -> Reading:
    """Read one ARM resource event, in the Event Grid schema or as a CloudEvent 1.0."""
    try:
        return _read(event)
    except _UnreadableError as why:
        return rejected(str(why), _again(event))


def _again(event: object) -> bytes:
    """The event as a text, or nothing where it is nested so deeply that it could only just be read."""
    try:
        return json.dumps(event, default=str, sort_keys=True).encode()
    except RecursionError:
        return b""


def rejected(reason: str, body: bytes) -> Rejected:
    return Rejected(reason, hashlib.sha256(body).hexdigest(), len(body))


def _read(event: object) -> Reading:
    if not isinstance(event, Mapping):
        raise _UnreadableError(f"an event is a JSON object, not {type(event).__name__}")
    kind = _text(event, "type" if "specversion" in event else "eventType")
    if kind.lower() not in EVENT_TYPES:
        return _dropped(kind)
    data = event.get("data")
    if not isinstance(data, Mapping):
        raise _UnreadableError("`data` is not an object")
    operation = _text(data, "operationName")
    watched = WATCHED.get(operation.lower())
    if watched is None:
        return _dropped(operation)
    return Signal(
        source=Source.EVENT_GRID,
        kind=watched,
        subject=_resource_id(event, data),
        time=_time(_text(event, "time" if "specversion" in event else "eventTime")),
        correlation_id=_correlation_id(event, data),
        caller=_caller(data),
    )


def _dropped(operation: str) -> Dropped:
    """Only counted, so a text that could not be stored is mended rather than refused."""
    return Dropped(_UNSTORABLE.sub("\ufffd", operation)[:LONGEST_ID])


def _storable(name: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise _UnreadableError(f"{name} is longer than {longest} characters")
    if _UNSTORABLE.search(text):
        raise _UnreadableError(f"{name} holds a control character or half a character")
    return text


def _text(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not value:
        raise _UnreadableError(f"`{name}` is missing or not a text")
    return value


def _resource_id(event: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    for candidate in (data.get("resourceUri"), event.get("subject")):
        if isinstance(candidate, str) and candidate.lower().startswith("/subscriptions/"):
            return _storable("the resource id", candidate, LONGEST_ID)
    raise _UnreadableError("neither `data.resourceUri` nor `subject` is an ARM resource id")


def _time(text: str) -> datetime:
    """ARM writes seven fraction digits; fromisoformat reads any number and keeps six."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    # On the first and the last day of the calendar another zone's time may have no UTC.
    except (ValueError, OverflowError) as error:
        raise _UnreadableError("the event's time is not ISO 8601") from error


def _correlation_id(event: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    for candidate in (data.get("correlationId"), event.get("id")):
        if isinstance(candidate, str) and candidate:
            return _storable("the correlation id", candidate[:LONGEST_NAME], LONGEST_NAME)
    return ""


def _caller(data: Mapping[str, Any]) -> str | None:
    """Object id of the caller. Claims may be absent or empty, evidence an empty list; nothing else of the
    claims is kept, since they name people."""
    claims = data.get("claims")
    if isinstance(claims, Mapping):
        for name in (OBJECT_ID_CLAIM, "oid"):
            if isinstance(value := claims.get(name), str) and value:
                return _storable("the caller's object id", value.lower(), LONGEST_NAME)
    authorization = data.get("authorization")
    evidence = authorization.get("evidence") if isinstance(authorization, Mapping) else None
    principal = evidence.get("principalId") if isinstance(evidence, Mapping) else None
    if isinstance(principal, str) and len(bare := principal.replace("-", "")) == 32:
        dashed = f"{bare[:8]}-{bare[8:12]}-{bare[12:16]}-{bare[16:20]}-{bare[20:]}"
        return _storable("the caller's object id", dashed.lower(), LONGEST_NAME)
    return None


def from_argocd(body: bytes, clock: Clock = utc_now) -> tuple[Reading, ...]:
    """Read a message of Argo CD's notifications. Always yields one Signal, whatever the bytes are.

    Where they cannot be read, a Rejected comes first and says why, and the Signal asks to look at every
    Application, or at the one that can be told all the same; both bear one correlation id. The message tells
    no time that could be trusted, so the signal's is that of its arrival.
    """
    # Importing this module is part of every cold start, and one trigger alone needs that one.
    from shared.argocd_reports import UnreadableReportError, read_report  # noqa: PLC0415

    try:
        report = read_report(body)
    except UnreadableReportError as why:
        unread = rejected(str(why), body)
        return unread, _reported(why.application or ANY_APPLICATION, unread.correlation_id, clock)
    return (_reported(report.application, report.event, clock),)


def _reported(subject: str, correlation_id: str, clock: Clock) -> Signal:
    return Signal(
        source=Source.ARGO_CD, kind=REPORTED, subject=subject, time=clock(), correlation_id=correlation_id
    )


# -- the message on queue `signals` -------------------------------------------------------
#
# One top-level key that no trigger metadata bears: the host lets a payload's fields `id`, `dequeueCount`
# and the like override the message's own.


def to_message(reading: Reading) -> str:
    match reading:
        case Signal():
            body: dict[str, Any] = {"signal": asdict(reading) | {"time": reading.time.isoformat()}}
        case Dropped():
            body = {"dropped": asdict(reading)}
        case Rejected():
            body = {"rejected": asdict(reading)}
    return json.dumps({"reconverge": body}, separators=(",", ":"))


def from_message(body: bytes) -> tuple[Reading, ...]:
    """Read a message of queue `signals`: our own envelope, or what Event Grid puts there by itself when the
    queue is its destination (one event, or a batch, in either schema)."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return (rejected("the message is not JSON that can be read", body),)
    if isinstance(message, Mapping) and "reconverge" in message:
        return (_own(message["reconverge"], body),)
    events = message if isinstance(message, list) else [message]
    return tuple(from_event(event) for event in events) or (rejected("the message holds no event", body),)


def _own(envelope: object, body: bytes) -> Reading:
    try:
        return _enclosed(envelope)
    except _UnreadableError as why:
        return rejected(str(why), body)


def _enclosed(envelope: object) -> Reading:
    match envelope:
        case {
            "signal": {
                "time": str(time),
                "source": str(source),
                "kind": str(kind),
                "subject": str(subject),
                "correlation_id": str(correlation_id),
                "caller": (str() | None) as caller,
            }
        }:
            if source not in Source:
                raise _UnreadableError("the envelope's signal comes from an unknown source")
            return Signal(
                source=Source(source),
                kind=_storable("the signal's kind", kind, LONGEST_NAME),
                subject=_storable("the signal's subject", subject, LONGEST_ID),
                time=_time(time),
                correlation_id=_storable("the correlation id", correlation_id, LONGEST_NAME),
                caller=None if caller is None else _storable("the caller", caller, LONGEST_NAME),
            )
        case {"dropped": {"operation": str(operation)}}:
            return _dropped(operation)
        case {"rejected": {"reason": str(reason), "digest": str(digest), "size": int(size)}}:
            return Rejected(
                _storable("the reason", reason, LONGEST_ID),
                _storable("the digest", digest, LONGEST_NAME),
                size,
            )
    raise _UnreadableError("the envelope is not of this version")
