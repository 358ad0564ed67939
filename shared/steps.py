"""Carries out the steps of a plan: one owner's in order and under its lease, several owners' side by side.

Before each write: the pace of the owner is observed (the only kind of wait inside a run, and never longer
than the contract's pace), the target's lease and the owner's are kept, and the step is journalled as started.
An owner's steps stop at its first failure; other owners go on. A lost lease stops everything: nobody
announces a write that it may not make. What became of a write that was under way is journalled all the same.
"""

import itertools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from shared.errors import HalfWritten, LeaseLost, NotWritten, PermanentError, TemporaryError
from shared.journal import Kind
from shared.leases import Lease, Leases
from shared.model import Step, digest_of
from shared.ports import Key
from shared.world import AnyResponder, Scope

WRITERS: Final = 16
LAST_WRITE: Final = "last_write"
LONGEST_WRITING: Final = timedelta(minutes=5)
"""After that a run leaves the rest of an owner's steps to the next: functionTimeout in host.json cuts it off
at 10 min, and reading and proving take their part."""


type Failure = TemporaryError | PermanentError


@dataclass(frozen=True, slots=True)
class Applied:
    done: tuple[Step, ...] = ()
    failures: Mapping[str, Failure] = field(default_factory=dict)
    """What stopped an owner's steps, by `owner_of` the steps."""

    @property
    def touched(self) -> bool:
        """Something was written, or may have been."""
        return bool(self.done) or not all(map(_certainly_not_written, self.failures.values()))


type Record = Callable[[Kind, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Crew:
    """Who may write in this run: `keep` proves that the run still owns its target."""

    leases: Leases
    keep: Callable[[], None]
    owner: str

    def carry_out(
        self, scope: Scope, responder: AnyResponder, steps: tuple[Step, ...], record: Record
    ) -> Applied:
        """Raises LeaseLost; every other failure is in the answer."""
        groups = [
            tuple(group) for _, group in itertools.groupby(sorted(steps, key=owner_of), key=owner_of)
        ]  # sorted is stable: the plan's order holds within an owner
        with ThreadPoolExecutor(max_workers=min(WRITERS, len(groups)), thread_name_prefix="apply") as pool:
            results = list(pool.map(lambda group: self._one_owner(scope, responder, group, record), groups))
        failures = {owner: error for result in results for owner, error in result.failures.items()}
        for error in failures.values():
            if isinstance(error, LeaseLost):
                raise error
        return Applied(tuple(step for result in results for step in result.done), failures)

    def _one_owner(
        self, scope: Scope, responder: AnyResponder, steps: tuple[Step, ...], record: Record
    ) -> Applied:
        until = scope.clock() + LONGEST_WRITING
        done: list[Step] = []
        try:
            lease = self.leases.take(_lease_key(owner_of(steps[0])), self.owner)
            try:
                for step in steps:
                    if done and scope.clock() >= until:
                        break
                    self._one_step(scope, responder, step, lease, record)
                    done.append(step)
            finally:
                # Whoever took it over meanwhile keeps it; the failure that matters is the step's.
                with suppress(LeaseLost):
                    lease.release()
        except (TemporaryError, PermanentError) as error:
            return Applied(tuple(done), {owner_of(steps[0]): error})
        return Applied(tuple(done))

    def _one_step(
        self, scope: Scope, responder: AnyResponder, step: Step, lease: Lease, record: Record
    ) -> None:
        self._pace(scope, lease)
        self.keep()
        lease.update({LAST_WRITE: scope.clock()})
        record(Kind.STEP_STARTED, asdict(step))
        try:
            responder.apply(scope, step)
        except (TemporaryError, PermanentError) as error:
            written = False if _certainly_not_written(error) else None
            record(Kind.STEP_FAILED, {"object": step.object, "error": str(error), "written": written})
            raise
        record(Kind.STEP_DONE, {"object": step.object, "mends": step.mends})

    def _pace(self, scope: Scope, lease: Lease) -> None:
        """Wait until the owner's last write, by whichever run, is as long ago as the contract asks."""
        stored = lease.rows.get(lease.table, lease.key)
        last = stored.values.get(LAST_WRITE) if stored else None
        if isinstance(last, datetime):
            keep_pace(scope, last)


def keep_pace(scope: Scope, last: datetime) -> None:
    """Wait until `last` is as long ago as the contract's pace asks. Another computer's clock may be ahead."""
    pace = scope.environment.contract.pace
    wait = min(last + pace - scope.clock(), pace)
    if wait > timedelta(0):
        scope.pause(wait)


def _certainly_not_written(error: Failure) -> bool:
    return isinstance(error, NotWritten | PermanentError) and not isinstance(error, HalfWritten)


def owner_of(step: Step) -> str:
    """Its owner as a key: ARM ids that differ by letter case are the same."""
    return step.owner.lower()


def _lease_key(owner: str) -> Key:
    return Key("owner", digest_of(owner)[:40])
