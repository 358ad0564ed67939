"""What a failure text is understood as. Frozen, printable, and without any part of a secret."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from shared.failure_texts.reading import Text


@dataclass(frozen=True, slots=True)
class Span:
    """Where in a text something is said, and the commit that it is said of."""

    start: int
    end: int
    commit: str | None = None


class Area(Enum):
    """Where a fault lies, in the platform's order: what fails earlier keeps the later from working."""

    MACHINE = auto()
    CERTIFICATES = auto()
    ENTRA = auto()
    KEY_VAULT = auto()
    VAULT = auto()
    SECRETS = auto()
    IMAGES = auto()
    REPO_SERVER = auto()
    GIT = auto()
    MANIFESTS = auto()
    APPLYING = auto()
    SERVICES = auto()
    JOBS = auto()
    ARGO_CD = auto()
    """What Argo CD says of a failure whose cause stands elsewhere."""


type Reader = Callable[[Text], Span | None]
"""Finds in a text what a row tells of; None where the text does not say it, or says it of something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureText:
    """A row of the table: one fault, as foreign systems word it."""

    code: str
    """Ours, and public. Where a responder has a reason for this fault, it is that reason's."""
    label: str | None
    """Of the vocabulary that failures of Argo CD are sorted by; None for what it has no word for."""
    responder: str | None
    """Who looks after it."""
    cause: str
    remedy: str
    passes: bool
    """Time alone may mend it."""
    area: Area
    where: str
    """Where the text appears."""
    words: tuple[str, ...]
    """How the foreign systems put it, for people who search; `…` stands for what differs."""
    reads: Reader = field(repr=False, compare=False)
    their_codes: tuple[str, ...] = ()
    """Of the foreign system, each unmistakable as a word of its own."""
    in_log: re.Pattern[str] | None = None
    """What suffices in the log of a Job whose responder knows what it runs, where fewer words are meant of
    this alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    failure: FailureText | None
    """None: unknown."""
    evidence: str
    """The part of the text that decided, without credentials; empty when unknown."""
    commit: str | None = None
    """The object id that the text says is missing."""
