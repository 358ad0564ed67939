"""From a text to the one row of the table that it tells of, or to none."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.failure_texts.model import Area, Explanation, FailureText, Span
from shared.failure_texts.reading import Text, read
from shared.failure_texts.table import TABLE

UNKNOWN: Final = Explanation(failure=None, evidence="")

LONGEST: Final = 400
"""Characters of evidence: a line that people can read."""

_PLATFORM: Final = frozenset({Area.MACHINE, Area.CERTIFICATES})
_IDENTITY: Final = frozenset({Area.ENTRA, Area.KEY_VAULT, Area.VAULT, Area.SECRETS})

# Only what is known to follow: two faults that have nothing to do with one another contradict.
FOLLOWS: Final[Mapping[Area, frozenset[Area]]] = {
    Area.MACHINE: frozenset(),
    Area.CERTIFICATES: frozenset(),
    Area.ENTRA: _PLATFORM,
    Area.KEY_VAULT: _PLATFORM | {Area.ENTRA},
    Area.VAULT: _PLATFORM | {Area.ENTRA, Area.KEY_VAULT},
    Area.SECRETS: _PLATFORM | {Area.ENTRA, Area.KEY_VAULT, Area.VAULT},
    Area.IMAGES: _PLATFORM | _IDENTITY,
    Area.REPO_SERVER: _PLATFORM,
    Area.GIT: _PLATFORM,
    Area.MANIFESTS: _PLATFORM | {Area.REPO_SERVER, Area.GIT},
    Area.APPLYING: _PLATFORM,
    Area.SERVICES: _PLATFORM | _IDENTITY,
    Area.JOBS: frozenset(Area) - {Area.JOBS, Area.ARGO_CD},
    Area.ARGO_CD: frozenset(Area) - {Area.ARGO_CD},
}
"""The areas whose faults explain one of this area, when a text tells of both."""


def classify(text: str) -> Explanation:
    """The fault that explains all that the text tells of.

    Unknown where the table has no word for it, and where the text tells of several faults of which none
    explains the others. Never raises. Looks at no more than both ends of a long text.
    """
    ready = read(text)
    told = [(row, span) for row in TABLE if (span := row.reads(ready)) is not None]
    areas = {row.area for row, _ in told}
    roots = [(row, span) for row, span in told if not areas & FOLLOWS[row.area]]
    if len(roots) != 1:
        return UNKNOWN
    return _explained(ready, *roots[0])


def classify_first(texts: Iterable[str]) -> Explanation:
    """The first that is known: for texts of one failure, those nearest to its cause first."""
    known = (found for text in texts if (found := classify(text)).failure)
    return next(known, UNKNOWN)


def _explained(text: Text, row: FailureText, span: Span) -> Explanation:
    evidence = text.shown[span.start : min(span.end, span.start + LONGEST)]
    return Explanation(failure=row, evidence=evidence.strip(), commit=span.commit)
