"""What a target tried already, from its journal, and when that may be tried again.

For repairs that may succeed and mend nothing, such as starting a Job or refreshing an object. Each such step
carries in `after["situation"]` a digest of the situation it was made for, and the same situation is left
alone for a while:

    tried ──── patience ────┬──────────── AGAIN ─────────────┬────►
           wait for effect   a person must see why it fails   once more

A try that nobody confirmed holds nothing back: whoever made it may have died before it was sent. A refresh is
another matter, as it leaves nothing behind that tells whether it arrived.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from shared.journal import Kind
from shared.world import Look, Scope

MEMORY: Final = timedelta(days=1)
"""How far back the journal is read for our own writes; far longer than any of them is waited for."""
PATIENCE: Final = timedelta(minutes=3)
AGAIN: Final = timedelta(hours=1)
MOST_LOST: Final = 3
"""Within a day: an answer that is lost that often is lost every time."""
FIRST_LOOK: Final = timedelta(seconds=5)
LONGEST_LOOK: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Our newest write to one object, from the journal."""

    at: datetime
    situation: str
    """Digest of what it was made for: the same situation is not tried again at once."""
    action: str = ""
    after: Mapping[str, str] = field(default_factory=dict)
    """What it was to bring."""
    confirmed: bool = False
    """The far side took it. Any other may have come to nothing."""
    lost: int = 0
    """How many for this situation nobody confirmed, up to this one."""
    proven: bool = False
    """A later proof of the same object was accepted."""


class Stand(Enum):
    """What is to be thought of a repair that is called for."""

    DUE = auto()
    WAITING = auto()
    IN_VAIN = auto()


def stand(attempt: Attempt | None, situation: str, now: datetime, *, patience: timedelta = PATIENCE) -> Stand:
    if attempt is None or not attempt.confirmed or attempt.situation != situation:
        return Stand.DUE
    age = now - attempt.at
    if age >= AGAIN:
        return Stand.DUE
    return Stand.WAITING if age < patience else Stand.IN_VAIN


def stand_of_refresh(attempt: Attempt | None, situation: str, now: datetime) -> Stand:
    """One that nobody confirmed is waited for, and then made again; where that goes on, it counts as made."""
    if attempt is None or attempt.confirmed or attempt.situation != situation:
        return stand(attempt, situation, now)
    if attempt.lost >= MOST_LOST:
        return stand(replace(attempt, confirmed=True), situation, now)
    return Stand.WAITING if now - attempt.at < PATIENCE else Stand.DUE


def attempts(scope: Scope) -> Mapping[str, Attempt]:
    """The newest of each object, by object in lower case. Reads the journal only."""
    return {key: made[-1] for key, made in tries(scope).items()}


def tries(scope: Scope, *, memory: timedelta = MEMORY) -> Mapping[str, tuple[Attempt, ...]]:
    """All of each object, oldest first, by object in lower case. Reads the journal only."""
    found: dict[str, dict[str, Attempt]] = {}
    for entry in scope.journal.read(scope.target, since=scope.clock() - memory):
        # By run, which writes an object once at most: one that was taken over may yet tell how it ended.
        made = found.setdefault(str(entry.detail.get("object", "")).lower(), {})
        match entry.kind:
            case Kind.STEP_STARTED:
                after = entry.detail.get("after") or {}
                made[entry.run] = Attempt(
                    at=entry.at,
                    situation=str(after.get("situation", "")),
                    action=str(entry.detail.get("action", "")),
                    after=after,
                )
            case Kind.STEP_DONE if one := made.get(entry.run):
                made[entry.run] = replace(one, confirmed=True)
            case Kind.STEP_FAILED if entry.detail.get("written") is False:
                made.pop(entry.run, None)
            case Kind.PROOF if made and entry.detail.get("verdict") == "accepted":
                newest = next(reversed(made))
                made[newest] = replace(made[newest], proven=True)
    return {key: tuple(_counted(made.values())) for key, made in found.items() if made}


def _counted(made: Iterable[Attempt]) -> Iterator[Attempt]:
    lost = Counter[str]()
    for one in made:
        lost[one.situation] += not one.confirmed
        yield replace(one, lost=lost[one.situation])


def next_look(begun: Iterable[datetime], now: datetime) -> Look:
    """Soon after what was begun last, then less and less often: half its age, from 5 s to a minute."""
    newest = max(begun, default=None)
    return Look(LONGEST_LOOK if newest is None else min(max((now - newest) / 2, FIRST_LOOK), LONGEST_LOOK))
