"""From journal entries to "what did you change, and why". Pure.

A change is told by several entries: the signal that woke the run, the finding, the step's start and end, the
run's outcome, and the proof, which may come from a later run of the same target.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.journal import SIGNALS, Entry, Kind

ENDS: Final = {Kind.STEP_DONE: "done", Kind.STEP_FAILED: "failed"}
WAKES: Final = frozenset({Kind.SIGNAL, Kind.APPROVED})


@dataclass(frozen=True, slots=True)
class Run:
    """The entries of one run, oldest first; an entry of no run stands alone."""

    entries: tuple[Entry, ...]

    @property
    def first(self) -> Entry:
        return self.entries[0]


def runs(entries: Iterable[Entry]) -> list[Run]:
    """In the order in which they began."""
    grouped: dict[object, list[Entry]] = {}
    for number, entry in enumerate(entries):
        grouped.setdefault(entry.run or number, []).append(entry)
    return [Run(tuple(group)) for group in grouped.values()]


def about(entries: Iterable[Entry], places: Sequence[str]) -> list[Entry]:
    """Without the signals that concern other places only. A signal that concerns none (rejected, buried) may
    be anybody's."""
    return [
        entry
        for entry in entries
        if entry.where != SIGNALS
        or not (targets := entry.detail.get("targets"))
        or not set(targets).isdisjoint(places)
    ]


def changes(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """One record for each step that was begun, oldest first."""
    by_run = _grouped(entries, lambda entry: entry.run)
    by_object = _grouped(entries, lambda entry: _object(entry.detail.get("object")))
    by_correlation = _grouped(entries, lambda entry: entry.correlation_id)
    return [
        _change(
            start,
            run=by_run[start.run],
            later=_after(start, by_object[_object(start.detail["object"])]),
            same_cause=by_correlation[start.correlation_id],
        )
        for start in entries
        if start.kind is Kind.STEP_STARTED
    ]


def _change(
    start: Entry, *, run: Sequence[Entry], later: Sequence[Entry], same_cause: Sequence[Entry]
) -> dict[str, Any]:
    step = start.detail
    end = next((one for one in later if one.kind in ENDS), None)
    proof = next((one for one in reversed(later) if one.kind is Kind.PROOF), None)
    finding = next((one for one in run if one.kind is Kind.FINDING and _led_to(one, start)), None)
    outcome = next((one for one in run if one.kind is Kind.OUTCOME), None)
    woken = next((one for one in same_cause if one.kind in WAKES), None)
    return {
        "at": start.at.isoformat(),
        "target": start.where,
        "actor": start.actor,
        "action": step["action"],
        "object": step["object"],
        "before": step["before"],
        "after": step["after"],
        "reason": step["mends"],
        "because": finding.detail["message"] if finding else None,
        "wokenBy": _woken(woken) if woken else None,
        "result": ENDS[end.kind] if end else "not known",
        "error": end.detail.get("error") if end else None,
        "proof": _parts(proof, "method", "verdict", "detail"),
        "outcome": _parts(outcome, "word", "because"),
        "run": start.run,
        "correlationId": start.correlation_id,
    }


def _after(start: Entry, same_object: list[Entry]) -> list[Entry]:
    """What followed this step, until the next one on the same object begins."""
    following = same_object[same_object.index(start) + 1 :]
    ends = (at for at, entry in enumerate(following) if entry.kind is Kind.STEP_STARTED)
    return following[: next(ends, None)]


def _led_to(finding: Entry, start: Entry) -> bool:
    told = finding.detail
    return told["reason"] == start.detail["mends"] and _object(told["subject"]) == _object(
        start.detail["object"]
    )


def _woken(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.detail.get("kind", entry.kind.value),
        "subject": entry.detail.get("subject"),
        "actor": entry.actor,
        "at": entry.at.isoformat(),
    }


def _parts(entry: Entry | None, *names: str) -> dict[str, Any] | None:
    return {name: entry.detail[name] for name in names} | {"at": entry.at.isoformat()} if entry else None


def _object(text: object) -> str:
    return str(text).lower()


def _grouped(entries: Iterable[Entry], by: Callable[[Entry], str]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[by(entry)].append(entry)
    return groups
