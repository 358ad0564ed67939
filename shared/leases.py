"""Exclusive ownership of a table row, for a while.

A lease is two columns, `lease_owner` and `lease_until`, written under the row's ETag:

    take ──────── keep ──────── keep ──────── … until ── SKEW ── free for another owner
                                             │ the owner may write nothing from here on

An owner calls `keep` before each write to the outside world and gets LeaseLost when it slept through its
time, so the write it is about to make must end before `TTL` does (ARM calls are limited to 30 s). SKEW keeps
a taker whose clock runs ahead from cutting that short.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.errors import Busy, LeaseLost, TemporaryError
from shared.model import Clock
from shared.ports import Conflict, Key, Row, Rows, Stored

TTL: Final = timedelta(minutes=5)
"""Longer than the longest pause between two `keep`s: reading a thousand identities at ARM's pace."""
SKEW: Final = timedelta(seconds=15)
COME_BACK: Final = timedelta(seconds=3)
"""After finding a row taken, at the soonest: its owner needs about as long for a write or two."""
TRIES: Final = 50
"""Lost races on one row before giving up: the queue delivers again."""


def free(values: Row, now: datetime) -> bool:
    """Nobody owns the row, or the owner's time and the allowance for clocks are over."""
    until = values.get("lease_until")
    return not values.get("lease_owner") or not isinstance(until, datetime) or now >= until + SKEW


def owned(owner: str, now: datetime) -> Row:
    return {"lease_owner": owner, "lease_until": now + TTL}


UNOWNED: Final[Row] = {"lease_owner": None, "lease_until": None}


@dataclass(frozen=True, slots=True)
class Lease:
    """What the owner of a row holds."""

    rows: Rows
    clock: Clock
    table: str
    key: Key
    owner: str

    def keep(self) -> None:
        """Own the row for another TTL. Raises LeaseLost: from then on the caller writes nothing more."""
        self.update({})

    def update(self, changes: Row) -> None:
        """Change the row as its owner, and own it for another TTL. Raises LeaseLost."""
        self.write(lambda _: {**changes, **owned(self.owner, self.clock())})

    def release(self, changes: Row | None = None) -> None:
        """Change the row a last time and let go. Raises LeaseLost."""
        self.write(lambda _: {**(changes or {}), **UNOWNED})

    def write(self, change: Callable[[Row], Row]) -> Row:
        """Replace the row by what `change` makes of it; answers the new row. Raises LeaseLost."""
        for _ in range(TRIES):
            stored = self.rows.get(self.table, self.key)
            if stored is None or stored.values.get("lease_owner") != self.owner:
                raise LeaseLost(f"{self.table} {self.key.row}: another worker took over")
            until = stored.values.get("lease_until")
            if not isinstance(until, datetime) or self.clock() >= until:
                raise LeaseLost(f"{self.table} {self.key.row}: the lease ran out")
            values = {**stored.values, **change(stored.values)}
            try:
                self.rows.replace(stored, values)
            except Conflict:
                continue
            return values
        raise contended(self.table, self.key)


def _patience(stored: Stored, now: datetime) -> timedelta:
    """Half the time since the owner last kept its lease, since one that works keeps it every few seconds; a
    dead one is waited out."""
    until = stored.values.get("lease_until")
    assert isinstance(until, datetime)  # noqa: S101 (else the row were free)
    return min(max(COME_BACK, (now - (until - TTL)) / 2), until + SKEW - now)


def contended(table: str, key: Key) -> TemporaryError:
    return TemporaryError(
        f"{table} {key.row}: lost {TRIES} races for the row in a row", delay=timedelta(seconds=5)
    )


class Leases:
    """Leases on rows that exist for nothing else: one for each managed identity."""

    def __init__(self, rows: Rows, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock

    def take(self, key: Key, owner: str) -> Lease:
        """Raises Busy while somebody holds it."""
        for _ in range(TRIES):
            now = self._clock()
            stored = self._rows.get(TABLE, key)
            try:
                if stored is None:
                    self._rows.insert(TABLE, key, owned(owner, now))
                elif free(stored.values, now):
                    self._rows.replace(stored, {**stored.values, **owned(owner, now)})
                else:
                    raise Busy("another run is writing to the same place", delay=_patience(stored, now))
            except Conflict:
                continue
            return Lease(self._rows, self._clock, TABLE, key, owner)
        raise contended(TABLE, key)


TABLE: Final = "leases"
