"""Which targets want a run, who runs them, and when to look again.

One row per target in table `targets`; one message on queue `targets` makes a worker look at a row. Messages
carry nothing but the target's name: they may be lost, doubled or late.

    want     raises the wanted generation, at most one above the started one, and sends a message unless one
             is on its way or a run is in progress (which looks again when it ends). So a storm of signals
             for one target costs reads, one write, and one further run.
    take     gives the row's lease to one worker, and tells it which generation it works for.
    settle   stores how the run ended and when to look again, lets go, and sends the message for that.

`due` in a row promises that a message becomes visible then. The promise is written only after the message
was sent; whoever dies in between leaves at worst a message too many, which finds nothing to do. A promise
that passed unkept (somebody cleared the queue) is worth nothing after LOST_AFTER: the next signal, and the
timer's sweep at the latest, sends again.
"""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared import leases
from shared.leases import Lease
from shared.model import Clock, Outcome, Target, Word
from shared.ports import Conflict, Key, Messages, Row, Rows

QUEUE: Final = "targets"
TABLE: Final = "targets"

LOST_AFTER: Final = timedelta(minutes=15)
"""A message this long past its time is not coming: the host hides a crashed worker's for 10 minutes."""

EARLY: Final = timedelta(seconds=1)
"""Two clocks may disagree by this much about whether a message is early."""

LONGEST_PAUSE: Final = timedelta(minutes=30)
FIRST_PAUSE: Final = timedelta(seconds=15)

LONGEST_TEXT: Final = 4000
"""Characters of a reason that a row keeps; the journal keeps all of it."""

type Jitter = Callable[[float, float], float]
"""random.uniform, or a test's stand-in."""


@dataclass(frozen=True, slots=True)
class Work:
    """A target taken for one run."""

    target: Target
    lease: Lease
    generation: int
    failures: int
    correlation_id: str
    taken_over_from: str | None
    """The owner that never settled, if this is a takeover."""
    last_word: str | None
    last_because: str | None
    """Cut to LONGEST_TEXT, as the row keeps it."""
    last_plan: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    """What the row of a target says, for operators."""

    target: Target
    word: str | None
    because: str | None
    reason: str | None
    """Code of the finding that named the outcome, where one did."""
    settled_at: datetime | None
    due: datetime | None
    not_before: datetime | None
    failures: int
    running: bool
    plan: str | None
    blocked_by: str | None
    """The target whose fault it waits for."""


class WorkQueue:
    def __init__(
        self, rows: Rows, messages: Messages, clock: Clock, *, jitter: Jitter = random.uniform
    ) -> None:
        self._rows = rows
        self._messages = messages
        self._clock = clock
        self._jitter = jitter

    def want(self, target: Target, correlation_id: str) -> bool:
        """Ask for a run that starts after now. True when this call brought a message on its way.

        The run bears the correlation id of the first signal it answers.

        Raises TemporaryError when the row is fought over for too long.
        """
        for _ in range(leases.TRIES):
            now = self._clock()
            stored = self._rows.get(TABLE, key_of(target))
            values: Row = stored.values if stored else {}
            started = _int(values, "started")
            running = not leases.free(values, now)
            earliest = _time(values, "not_before") or now
            at = max(now, earliest)
            on_its_way = running or _expected(values, now, no_later_than=at)
            if _int(values, "wanted") > started and on_its_way:
                return False
            changed = {**values, "wanted": started + 1, "correlation": correlation_id}
            try:
                if stored is None:
                    raised = self._rows.insert(TABLE, key_of(target), changed)
                else:
                    raised = self._rows.replace(stored, changed)
            except Conflict:
                continue
            if not on_its_way:
                self._send(target, at - now)
                # A worker that was quicker, or another signal, has changed the row: then it knows better.
                with suppress(Conflict):
                    self._rows.replace(raised, {**changed, "due": at})
            return not on_its_way
        raise leases.contended(TABLE, key_of(target))

    def take(self, target: Target, owner: str) -> Work | None:
        """Own the target for a run; None when there is nothing to do, not yet, or not for us."""
        for _ in range(leases.TRIES):
            now = self._clock()
            stored = self._rows.get(TABLE, key_of(target))
            if stored is None:
                return None
            values = stored.values
            wanted, started = _int(values, "wanted"), _int(values, "started")
            unsettled = values.get("lease_owner")
            again = self._not_now(values, now)
            try:
                if again is not None:
                    if not _expected(values, now, no_later_than=again) or _past(values, now):
                        self._send(target, again - now)
                        self._rows.replace(stored, {**values, "due": again})
                    return None
                due = _time(values, "due")
                if not (wanted > started or unsettled or (due is not None and now + EARLY >= due)):
                    return None
                self._rows.replace(
                    stored, {**values, **leases.owned(owner, now), "started": wanted, "due": None}
                )
            except Conflict:
                continue
            return Work(
                target=target,
                lease=Lease(self._rows, self._clock, TABLE, key_of(target), owner),
                generation=wanted,
                failures=_int(values, "failures"),
                correlation_id=_text(values, "correlation") or owner,
                last_word=_text(values, "word"),
                last_because=_text(values, "because"),
                last_plan=_text(values, "plan"),
                taken_over_from=str(unsettled) if unsettled else None,
            )
        raise leases.contended(TABLE, key_of(target))

    def settle(self, work: Work, outcome: Outcome) -> datetime | None:
        """Store the ending, let go, and send the message for the next look. Answers when that will be.

        Raises LeaseLost: somebody else has taken over, and this worker's ending counts for nothing.
        """
        now = self._clock()
        failed = outcome.word is Word.FAILED and not outcome.permanent
        failures = work.failures + 1 if failed else 0
        look_again, not_before = outcome.until, None
        if failed:
            look_again, not_before = self._after_failure(outcome, failures, now)
        if look_again is not None:
            self._send(work.target, look_again - now)

        def ending(values: Row) -> Row:
            superseded = _int(values, "wanted") > work.generation
            return {
                **leases.UNOWNED,
                "failures": failures,
                "not_before": not_before,
                "due": max(now, not_before or now) if superseded else look_again,
                "word": outcome.word.value,
                "because": outcome.because[:LONGEST_TEXT],
                "reason": outcome.reason,
                "plan": outcome.plan,
                "blocked_by": outcome.blocked_by,
                "settled_at": now,
            }

        due = _time(work.lease.write(ending), "due")
        if due is not None and due != look_again:
            # If this never happens, the message in hand comes back and finds the generation wanted.
            self._send(work.target, due - now)
        return due

    def state(self, target: Target) -> TargetState:
        stored = self._rows.get(TABLE, key_of(target))
        values: Row = stored.values if stored else {}
        return TargetState(
            target=target,
            word=_text(values, "word"),
            because=_text(values, "because"),
            reason=_text(values, "reason"),
            settled_at=_time(values, "settled_at"),
            due=_time(values, "due"),
            not_before=_time(values, "not_before"),
            failures=_int(values, "failures"),
            running=not leases.free(values, self._clock()),
            plan=_text(values, "plan"),
            blocked_by=_text(values, "blocked_by"),
        )

    def _not_now(self, values: Row, now: datetime) -> datetime | None:
        """When a worker that got a message should come back, if it must not run at once."""
        if not leases.free(values, now):
            # The owner may have died: its own message comes back, but perhaps before its lease ends.
            until = _time(values, "lease_until")
            return (until or now) + leases.SKEW
        not_before = _time(values, "not_before")
        if not_before is not None and now + EARLY < not_before:
            return not_before
        return None

    def _after_failure(self, outcome: Outcome, failures: int, now: datetime) -> tuple[datetime, datetime]:
        """When to look again by itself, and before when not even a signal leads to a look.

        By itself: after a pause that doubles from FIRST_PAUSE to LONGEST_PAUSE. A signal tells something new,
        so it waits for the first pause only, which is what keeps a storm of them from becoming one of calls;
        and so does what is pending beside the failure. The far side's own word goes before both.
        """
        pause: timedelta = min(FIRST_PAUSE * float(2 ** min(failures - 1, 20)), LONGEST_PAUSE)
        held = outcome.held_until or now
        look_again = max(outcome.until or now, now + pause)
        look_again = max(min(look_again, outcome.pending_until or look_again), held)
        # Targets that failed together, at one identity say, would otherwise come back and fail together.
        look_again += min(look_again - now, FIRST_PAUSE) * self._jitter(0, 0.5)
        # A far side keeps its pause by its own clock: EARLY, for messages of ours, must not cut it short.
        return look_again, max(held + EARLY, min(now + FIRST_PAUSE, look_again))

    def _send(self, target: Target, delay: timedelta) -> None:
        self._messages.send(QUEUE, to_message(target), delay=max(delay, timedelta(0)))


def key_of(target: Target) -> Key:
    return Key(target.environment, target.responder)


def to_message(target: Target) -> str:
    return json.dumps({"reconverge": {"target": str(target)}}, separators=(",", ":"))


def from_message(body: bytes) -> Target:
    """Raises ValueError for anything that `to_message` did not write."""
    try:
        message = json.loads(body)
    except RecursionError:
        raise ValueError("the message is nested too deeply") from None
    match message:
        case {"reconverge": {"target": str(text)}}:
            target = Target.parse(text)
            key_of(target)
            return target
    raise ValueError("the message names no target")


def _expected(values: Row, now: datetime, *, no_later_than: datetime) -> bool:
    """A message is on its way, soon enough, and not so late that it must be lost."""
    due = _time(values, "due")
    return due is not None and due <= no_later_than + EARLY and now < due + LOST_AFTER


def _past(values: Row, now: datetime) -> bool:
    """The expected message is the one in hand, or one that comes as early: neither is a later look."""
    due = _time(values, "due")
    return due is not None and due <= now + EARLY


def _int(values: Row, name: str) -> int:
    value = values.get(name)
    return value if isinstance(value, int) else 0


def _time(values: Row, name: str) -> datetime | None:
    value = values.get(name)
    return value if isinstance(value, datetime) else None


def _text(values: Row, name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) else None
