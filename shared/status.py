"""What operators ask: how is everything, and what was changed, when, by whom and why."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from shared.journal import SIGNALS, Entry, Journal, Kind
from shared.model import Target
from shared.workqueue import TargetState

CHANGES: Final = frozenset({Kind.STEP_STARTED, Kind.STEP_DONE, Kind.STEP_FAILED, Kind.PROOF, Kind.APPROVED})


def entries(
    journal: Journal, targets: Iterable[Target], since: datetime, until: datetime | None = None
) -> Iterator[Entry]:
    """Everything journalled about the targets and about signals, oldest first."""
    found: list[Entry] = []
    places: tuple[Target | str, ...] = (SIGNALS, *targets)
    for where in places:
        found.extend(journal.read(where, since=since, until=until))
    yield from sorted(found, key=lambda entry: entry.at)


def plain_entry(entry: Entry) -> dict[str, Any]:
    return {
        **asdict(entry),
        "at": entry.at.isoformat(),
        "kind": entry.kind.value,
        "detail": dict(entry.detail),
    }


def plain_state(
    state: TargetState, *, remedy: str | None, steps: tuple[Mapping[str, Any], ...]
) -> dict[str, Any]:
    """remedy: what to do about the state's reason. steps: those of its plan."""
    return {
        "target": str(state.target),
        "outcome": state.word or "never run",
        "because": state.because,
        "reason": state.reason,
        "remedy": remedy,
        "blockedBy": state.blocked_by,
        "settledAt": _iso(state.settled_at),
        "lookAgainAt": _iso(state.due),
        "failures": state.failures,
        "running": state.running,
        "plan": state.plan,
        "steps": list(steps),
    }


def changes(found: Iterable[Entry]) -> list[dict[str, Any]]:
    return [plain_entry(entry) for entry in found if entry.kind in CHANGES]


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
