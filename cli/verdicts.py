"""What became of each target, as one row: seen from outside before, after and now, and as the app tells it.

Pure. The rows are the source of the drill's table, of its JSON and of its report.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from cli.judging import Claim
from cli.judging.verdict import Answer, Verdict
from cli.output import short_id
from cli.watch import WELL
from shared.model import Word

MANY: Final = 3
"""More objects than these are counted, not named."""
COMMIT: Final = re.compile("[0-9a-f]{40}")
SHORT: Final = 12
CAUSED_BY: Final = "← "
ENDS: Final = {"step-done": "done", "step-failed": "failed"}
NOT_KNOWN: Final = "not known"
NOT_YET: Final = "not looked at yet"

type Found = Mapping[Claim, Verdict]


@dataclass(frozen=True, slots=True)
class Cause:
    """A fault elsewhere that held a target back."""

    target: str
    reason: str

    @property
    def responder(self) -> str:
        return self.target.partition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a target came to, from then on until it came to something else."""

    at: float
    """Seconds after the app was told."""
    word: str
    reason: str
    causes: tuple[Cause, ...]
    """The first is the one that it says to wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step that the app began."""

    at: float
    """Seconds after the app was told."""
    target: str
    action: str
    object: str
    """ARM id or reference."""
    channel: str
    mends: str
    """Reason code."""
    result: str
    """`done`, `failed` or `not known`."""

    @property
    def thing(self) -> str:
        """What people call the object, a commit by the beginning of its id."""
        name = short_id(self.object).rstrip("/").rpartition("/")[2]
        return name[:SHORT] if COMMIT.fullmatch(name) else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    environment: str
    responder: str
    before: str
    damaged: str
    now: str
    outcome: str
    """The app's last word; NOT_YET where that is from before it was told; empty where there is none."""
    states: tuple[State, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def target(self) -> str:
        return f"{self.environment}/{self.responder}"

    @property
    def chain(self) -> tuple[str, ...]:
        """The responders that it said to wait for: whom it waited for last comes first, the root last."""
        waited = (state.causes[0].responder for state in reversed(self.states) if state.causes)
        return tuple(dict.fromkeys(waited))

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Every fault elsewhere that it named, as they came up."""
        return tuple(dict.fromkeys(cause for state in self.states for cause in state.causes))

    @property
    def seconds(self) -> float | None:
        """From the event to the outcome that stayed good; None where none did."""
        return self._good[0].at if self._good else None

    @property
    def ending(self) -> str:
        """How it ended: once repaired, it is converged whenever it is looked at again, and was repaired."""
        repaired = any(state.word == Word.REPAIRED for state in self._good)
        return Word.REPAIRED.value if repaired else self.outcome

    @property
    def _good(self) -> tuple[State, ...]:
        """The states since all of them were good."""
        good = itertools.takewhile(lambda state: state.word in WELL, reversed(self.states))
        return tuple(good)[::-1]

    @property
    def changed(self) -> tuple[str, ...]:
        """What was written and how, alike things in one: `credential.update one, another (direct)`."""
        groups: dict[tuple[str, str], list[str]] = {}
        for change in self.changes:
            if change.result == "done":
                groups.setdefault((change.action, change.channel), []).append(change.thing)
        return tuple(f"{action} {_named(things)} ({by})" for (action, by), things in groups.items())


@dataclass(frozen=True, slots=True)
class Told:
    """What the app told of itself, from the moment on in which it was told of the damage."""

    status: Mapping[str, Any]
    since: datetime

    @classmethod
    def nothing(cls) -> Self:
        return cls({"targets": [], "outcomes": [], "changes": []}, datetime.min.replace(tzinfo=UTC))

    def outcome(self, target: str) -> str:
        last = next((one["outcome"] for one in self.status["targets"] if one["target"] == target), "")
        return NOT_YET if last and not any(self.states(target)) else last

    def states(self, target: str) -> Iterator[State]:
        for one in self.status["outcomes"]:
            if one["target"] == target and self._moment(one["lastAt"]) >= 0:
                yield State(
                    # One that lasts from before on was told again at a time that nobody kept.
                    at=max(0.0, self._moment(one["at"])),
                    word=one["outcome"],
                    reason=one["reason"] or "",
                    causes=tuple(Cause(cause["target"], cause["reason"]) for cause in one["causes"]),
                )

    def changes(self) -> tuple[Change, ...]:
        entries = self.status["changes"]
        return tuple(
            Change(
                at=self._moment(entry["at"]),
                target=entry["where"],
                action=entry["detail"]["action"],
                object=entry["detail"]["object"],
                channel=entry["detail"]["channel"],
                mends=entry["detail"]["mends"],
                result=_result(entry, entries[number + 1 :]),
            )
            for number, entry in enumerate(entries)
            if entry["kind"] == "step-started" and self._moment(entry["at"]) >= 0
        )

    def _moment(self, at: str) -> float:
        return (datetime.fromisoformat(at) - self.since).total_seconds()


def rows(asked: Sequence[Claim], before: Found, damaged: Found, now: Found, told: Told) -> tuple[Row, ...]:
    """One for each target that something is claimed of or that the app told of, in the claims' order."""
    changes = told.changes()
    return tuple(
        Row(
            environment=target.partition("/")[0],
            responder=target.partition("/")[2],
            **{
                name: summed([found[claim] for claim in asked if _target(claim) == target and claim in found])
                for name, found in (("before", before), ("damaged", damaged), ("now", now))
            },
            outcome=told.outcome(target),
            states=tuple(told.states(target)),
            changes=tuple(change for change in changes if change.target == target),
        )
        for target in _targets(asked, told.status)
    )


def summed(verdicts: Sequence[Verdict]) -> str:
    """Of one what it says; of several how many hold, and what the first says that does not."""
    if len(verdicts) <= 1:
        return "".join(map(str, verdicts))
    bad = [one for one in verdicts if one.answer is not Answer.HOLDS]
    held = f"{len(verdicts) - len(bad)} of {len(verdicts)} hold"
    return f"{held}: {bad[0]}" if bad else held


def plain(row: Row) -> dict[str, Any]:
    """For JSON."""
    return {
        "environment": row.environment,
        "responder": row.responder,
        "before": row.before,
        "afterDamage": row.damaged,
        "now": row.now,
        "outcome": row.outcome or None,
        "secondsToConverged": _rounded(row.seconds),
        "causeChain": list(row.chain),
        "causes": [{"target": cause.target, "reason": cause.reason} for cause in row.causes],
        "states": [
            {
                "seconds": _rounded(state.at),
                "outcome": state.word,
                "reason": state.reason or None,
                "waitsFor": state.causes[0].target if state.causes else None,
            }
            for state in row.states
        ],
        "changes": [
            {
                "seconds": _rounded(change.at),
                "action": change.action,
                "object": change.object,
                "channel": change.channel,
                "mends": change.mends,
                "result": change.result,
            }
            for change in row.changes
        ],
    }


COLUMNS: Final = (
    "environment",
    "responder",
    "before",
    "after the damage",
    "now",
    "outcome",
    "converged after",
    "waited for",
    "changed",
)


def cells(row: Row) -> tuple[str, ...]:
    """In the order of COLUMNS."""
    return (
        row.environment,
        row.responder,
        row.before,
        row.damaged,
        row.now,
        row.ending,
        length(row.seconds),
        " ".join(f"{CAUSED_BY}{name}" for name in row.chain),
        ", ".join(row.changed),
    )


def length(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.0f} s"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _targets(asked: Iterable[Claim], status: Mapping[str, Any]) -> Iterator[str]:
    """Those that the app tells of stand where it has them."""
    told = [one["target"] for one in status["targets"]]
    yield from dict.fromkeys([*told, *map(_target, asked)])


def _target(claim: Claim) -> str:
    return f"{claim.environment}/{claim.responder}"


def _result(start: Mapping[str, Any], later: Iterable[Mapping[str, Any]]) -> str:
    """Of a step, by the next entry of its run about the same object that tells of an end."""
    ends = (
        ENDS[entry["kind"]]
        for entry in later
        if entry["kind"] in ENDS
        and (entry["run"], entry["detail"]["object"]) == (start["run"], start["detail"]["object"])
    )
    return next(ends, NOT_KNOWN)


def _named(things: Sequence[str]) -> str:
    different = list(dict.fromkeys(things))
    return ", ".join(different) if len(different) <= MANY else f"{len(different)} things"
