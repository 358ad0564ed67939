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


def outcomes(found: Iterable[Entry]) -> list[dict[str, Any]]:
    """What each target came to, one after the other, oldest first: looks that came to the same are one."""
    told: list[dict[str, Any]] = []
    last: dict[str, dict[str, Any]] = {}
    for entry in found:
        if entry.kind is not Kind.OUTCOME:
            continue
        came_to = _came_to(entry.detail)
        before = last.get(entry.where)
        if before is None or any(before[name] != value for name, value in came_to.items()):
            before = {"target": entry.where, "at": entry.at.isoformat(), **came_to}
            told.append(before)
        last[entry.where] = before
        before["lastAt"] = entry.at.isoformat()
    return told


def _came_to(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Why in so many words is left out: a count in it would make each look another."""
    return {
        "outcome": detail["word"],
        "reason": detail.get("reason"),
        "blockedBy": detail.get("blocked_by"),
        "causes": detail.get("causes") or [],
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
