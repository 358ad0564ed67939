"""Records that cross module borders: frozen, printable, no vendor types, no secret values."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

type Clock = Callable[[], datetime]
"""Answers the present time, aware and in UTC."""

type Pause = Callable[[timedelta], None]
"""Waits. Used for pacing inside a run only; every longer wait is a delayed message."""


def utc_now() -> datetime:
    return datetime.now(UTC)


# -- what was read ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known[T]:
    value: T


@dataclass(frozen=True, slots=True)
class Absent:
    """Read, and certainly not there."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Could not be read. Proves nothing: no check may call it a fault, no plan may write on it."""

    why: str
    delay: timedelta | None = None
    """How long the far side asked us to stay away, where it said so."""


type Read[T] = Known[T] | Absent | Unknown


# -- Azure, in our words ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A managed cluster as ARM describes it. Strings stay as they came, the issuer above all."""

    id: str
    provisioning_state: str
    power_state: str
    issuer: str | None
    """`oidcIssuerProfile.issuerURL` when the issuer is enabled; its last slash belongs to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user-assigned managed identity."""

    id: str
    client_id: str
    principal_id: str
    tenant_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A federated identity credential. A flexible one (claims matching) has no subject."""

    name: str
    issuer: str
    subject: str | None
    audiences: tuple[str, ...]


def same_id(one: str, other: str) -> bool:
    """ARM ids differ in letter case between requests, answers and events; compare without it."""
    return one.strip("/").lower() == other.strip("/").lower()


# -- from a signal to an outcome ----------------------------------------------------------


class Source(StrEnum):
    EVENT_GRID = "eventgrid"
    ARGO_CD = "argocd"
    TIMER = "timer"
    HTTP = "http"
    CLI = "cli"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A normalised wake-up. It says where to look, never what is true."""

    source: Source
    kind: str
    subject: str
    """An ARM id, `<environment>/<responder>`, an environment, or `*`."""
    time: datetime
    correlation_id: str
    caller: str | None = None
    """Object id of whoever caused it, where the event carries it."""


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """What one run works on."""

    environment: str
    responder: str

    def __str__(self) -> str:
        return f"{self.environment}/{self.responder}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `<environment>/<responder>`. Raises ValueError."""
        environment, slash, responder = text.partition("/")
        if not (environment and slash and responder) or "/" in responder:
            raise ValueError(f"{text!r} is not <environment>/<responder>")
        return cls(environment, responder)


class Severity(StrEnum):
    NOTE = "note"
    """Worth knowing; changes no verdict."""
    WARNING = "warning"
    """Not broken yet."""
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One named fault, and what it was seen on."""

    reason: str
    """Stable code from the responder's reasons.py."""
    subject: str
    """ARM id or object reference, as its owner spells it."""
    message: str
    """The fault: expected and actual. The remedy is the plan's, or the reason's page."""
    severity: Severity = Severity.ERROR
    evidence: Mapping[str, str] = field(default_factory=dict)
    """Names, versions, keyed digests."""
    caused_by: "Finding | None" = None


class Channel(StrEnum):
    DIRECT = "direct"
    PULL_REQUEST = "pull-request"
    WORKFLOW = "workflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One planned change of one object."""

    action: str
    """Such as `credential.update`; the contract decides by it."""
    object: str
    """ARM id or reference of what changes."""
    owner: str
    """What the object belongs to: steps of one owner are never carried out side by side."""
    before: Mapping[str, str] | None
    after: Mapping[str, str]
    mends: str
    """Reason code of the finding it mends."""
    channel: Channel = Channel.DIRECT


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Ordered steps, and a digest of the facts they rest on. Holds no time, so that the same
    situation always has the same digest: an approval stays good exactly as long as the facts."""

    target: Target
    facts: str
    steps: tuple[Step, ...]

    @cached_property
    def digest(self) -> str:
        return digest_of(asdict(self))


def digest_of(value: object) -> str:
    """SHA-256, hex, of the canonical JSON of plain data."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class Verdict(StrEnum):
    """How a piece of evidence came out."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Evidence that `verify` collected for one object."""

    object: str
    method: str
    """`read-back` or `token-exchange`."""
    verdict: Verdict
    detail: str
    at: datetime
    write: Mapping[str, Any] | None = None
    """The write that is not proven yet, in plain data: later runs remember it by this proof, however long ago
    it was made."""


class Word(StrEnum):
    """The endings of a run, best first: a run with several takes the last that applies."""

    CONVERGED = "converged"
    REPAIRED = "repaired"
    PENDING = "pending"
    PROPOSED = "proposed"
    APPROVAL = "approval"
    BLOCKED = "blocked"
    HUMAN = "human"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    word: Word
    because: str
    until: datetime | None = None
    """Look again then, even if nothing wakes us before. None: the sweep is soon enough. After a failure, no
    sooner by itself than the work queue's own pause."""
    held_until: datetime | None = None
    """The far side asked for a pause until then: nothing wakes us before."""
    pending_until: datetime | None = None
    """What is pending beside a failure wants a look then, however often the failure repeats itself."""
    plan: str | None = None
    """Digest of the plan that waits for approval, or was proposed."""
    blocked_by: str | None = None
    """The target whose fault is the root of what was found here, or of a part of it."""
    permanent: bool = False
    reason: str | None = None
    """Code of the finding that named this ending; None where something else did."""
