"""How a change fares that was set going earlier: our own writes, from the journal, and pull requests of ours.

For responders whose changes take their time. A change is set going once: whatever became of it is told, and a
second try is people's to make. Reads only.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never

from shared.clients.azure_core import AGAIN
from shared.clients.github import PullRequest, State
from shared.errors import NotWritten
from shared.journal import Kind
from shared.model import Absent, Known, Unknown
from shared.world import Repositories, Scope

MEMORY: Final = timedelta(days=7)
"""How far back the journal is read for our own writes."""
SETTLING: Final = timedelta(minutes=2)
"""How long a run may take to be listed, and a publication to be seen; also what clocks may differ by."""
REMEMBERED: Final = timedelta(days=1)
"""For so long a publication is remembered. Later the same fault is a new one: clusters are rebuilt twice."""
FIGHT_AFTER: Final = 2
"""Published this often within REMEMBERED, a value that is wrong again is somebody's intention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """One write of ours, from the journal, that carried a change or set it going."""

    at: datetime
    change: str
    """What tells it from other changes of the same object."""
    confirmed: bool = False
    """The far side answered that it was taken. Without that it may or may not have been."""
    proven: bool = False
    """A later look found the object right."""


class Fate(StrEnum):
    """What became of a change that is needed all the same."""

    OPEN = "open"
    """Its pull request waits for people."""
    DECLINED = "declined"
    """Somebody closed its pull request without merging it."""
    SETTLING = "settling"
    """It was made just now, and may not be seen yet."""
    UNDONE = "undone"
    """It was made, and something is wrong in the same way all the same."""


# -- our writes -----------------------------------------------------------------------------------


def started(
    scope: Scope, change_of: Callable[[str, Mapping[str, str], Mapping[str, str]], str]
) -> Mapping[str, tuple[Started, ...]]:
    """Our writes by object, oldest first. A run writes an object once at most, so an ending has one start.

    change_of: the change's id, of a step's object, before and after
    """
    found: dict[str, list[tuple[str, Started]]] = {}
    for entry in scope.journal.read(scope.target, since=scope.clock() - MEMORY):
        key, detail = str(entry.detail.get("object", "")), entry.detail
        match entry.kind:
            case Kind.STEP_STARTED:
                change = change_of(key, detail.get("before") or {}, detail.get("after") or {})
                found.setdefault(key, []).append((entry.run, Started(at=entry.at, change=change)))
            case Kind.STEP_DONE:
                found[key] = [
                    (run, replace(one, confirmed=True) if run == entry.run else one)
                    for run, one in found.get(key, [])
                ]
            case Kind.STEP_FAILED if detail.get("written") is False:
                found[key] = [(run, one) for run, one in found.get(key, []) if run != entry.run]
            case Kind.PROOF if detail.get("verdict") == "accepted":
                found[key] = [(run, replace(one, proven=True)) for run, one in found.get(key, [])]
    return {key: tuple(one for _, one in writes) for key, writes in found.items()}


def remembered(writes: Iterable[Started], change: str | None, now: datetime) -> list[Started]:
    """Those of the writes that began this change within REMEMBERED."""
    return [one for one in writes if one.change == change and now - one.at < REMEMBERED]


def of_writes(writes: Iterable[Started], change: str | None, now: datetime) -> Fate | None:
    """Of a change that each write makes as a whole; None where it may be made now."""
    # One whose answer was lost may have come about as well.
    taken = remembered(writes, change, now)
    if taken and now - taken[-1].at < SETTLING:
        return Fate.SETTLING
    return Fate.UNDONE if len(taken) >= FIGHT_AFTER else None


def of_publication(at: datetime, *, read_at: datetime, now: datetime) -> Fate | None:
    """Of a change that others published at that time; None long afterwards.

    read_at: when was read what reads as before
    """
    if read_at - at < SETTLING:
        return Fate.SETTLING
    return Fate.UNDONE if now - at < REMEMBERED else None


# -- pull requests --------------------------------------------------------------------------------


def of_pull_request(newest: PullRequest, *, read_at: datetime, now: datetime) -> Fate | None:
    """Of a change with that newest pull request; None where it may be proposed now."""
    match newest.state:
        case State.OPEN:
            return Fate.OPEN
        case State.MERGED:
            return of_publication(newest.ended_at or now, read_at=read_at, now=now)
        case State.DECLINED:
            return Fate.DECLINED
        case State.SUPERSEDED:
            return None
        case never:
            assert_never(never)


def is_open(github: Repositories, repository: str, branch: str) -> bool:
    """Whether a pull request from that branch is open, asked just before a write.

    Raises NotWritten where that is not known, and where somebody declined it since the plan.
    """
    match github.history(repository, branch):
        case Known((newest, *_)) if newest.state is State.DECLINED:
            raise NotWritten(f"pull request {newest.number} was closed since the plan", delay=AGAIN)
        case Known(found):
            return any(one.state is State.OPEN for one in found)
        case Unknown(why):
            raise NotWritten(f"the pull requests could not be listed: {why}", delay=AGAIN)
        case Absent():
            return False
