"""The store in one process: for `reconverge run`, which needs no storage account, and for tests.

Keeps the promises of shared.ports to any number of threads, and keeps nothing beyond the process.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from shared.model import Clock
from shared.ports import LONGEST_DELAY, Conflict, Key, Row, Stored, as_kept, check_message, check_row


class MemoryRows:
    """Rows of shared.ports."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._tables: dict[str, dict[Key, Stored]] = {}
        self._writes = itertools.count(1)

    def get(self, table: str, key: Key) -> Stored | None:
        with self._lock:
            return self._tables.get(table, {}).get(key)

    def insert(self, table: str, key: Key, values: Row) -> Stored:
        check_row(values)
        with self._lock:
            if key in self._tables.get(table, {}):
                raise Conflict(f"{table} {key} exists")
            return self._put(table, key, values)

    def replace(self, stored: Stored, values: Row) -> Stored:
        check_row(values)
        with self._lock:
            current = self._tables.get(stored.table, {}).get(stored.key)
            if current is None or current.etag != stored.etag:
                raise Conflict(f"{stored.table} {stored.key} changed or is gone")
            return self._put(stored.table, stored.key, values)

    def delete(self, stored: Stored) -> None:
        with self._lock:
            rows = self._tables.get(stored.table, {})
            current = rows.get(stored.key)
            if current is None:
                return
            if current.etag != stored.etag:
                raise Conflict(f"{stored.table} {stored.key} changed")
            del rows[stored.key]

    def query(
        self, table: str, partition: str, *, after: str | None = None, before: str | None = None
    ) -> Iterator[Stored]:
        with self._lock:
            found = [
                stored
                for key, stored in self._tables.get(table, {}).items()
                if key.partition == partition
                and (after is None or key.row > after)
                and (before is None or key.row < before)
            ]
        return iter(sorted(found, key=lambda stored: stored.key.row))

    def _put(self, table: str, key: Key, values: Row) -> Stored:
        stored = Stored(table=table, key=key, values=as_kept(values), etag=str(next(self._writes)))
        self._tables.setdefault(table, {})[key] = stored
        return stored


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """A message that nobody has taken yet. Ordered as it will be taken."""

    visible: datetime
    number: int
    text: str


class MemoryMessages:
    """Messages of shared.ports, and the reader's side of them."""

    def __init__(self, clock: Clock) -> None:
        self._lock = Lock()
        self._clock = clock
        self._queues: dict[str, list[Waiting]] = {}
        self._sent = itertools.count(1)

    def send(self, queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
        check_message(queue, text)
        visible = self._clock() + min(delay, LONGEST_DELAY)
        with self._lock:
            self._queues.setdefault(queue, []).append(Waiting(visible, next(self._sent), text))

    def take(self, queue: str) -> str | None:
        """The text of the message that has been visible longest, which leaves the queue."""
        with self._lock:
            waiting = self._queues.get(queue, [])
            first = min(waiting, default=None)
            if first is None or first.visible > self._clock():
                return None
            waiting.remove(first)
            return first.text

    def waiting(self, queue: str) -> tuple[Waiting, ...]:
        """What is in the queue, in the order it will be taken, the invisible included."""
        with self._lock:
            return tuple(sorted(self._queues.get(queue, [])))
