"""The append-only record of every signal, plan, step, proof and outcome.

Table `journal`, one partition per target (and one for signals), rows in order of time. It answers "what did
you change last night, and why", and it is the memory that checks lean on: our own earlier writes, and whose
signals came in between. Nothing here is ever changed or deleted.

Table `counts` holds, per day, how many events were dropped unread, by operation.
"""

import itertools
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from shared.columns import joined, spread
from shared.model import Clock, Target
from shared.ports import Conflict, Key, Rows

TABLE: Final = "journal"
COUNTS: Final = "counts"
SIGNALS: Final = "signals"
"""The partition of entries that belong to no target yet."""

COUNT_TRIES: Final = 5
LONGEST_PART: Final = 250
"""Characters of a text within a key: twice as many in UTF-16 still fit."""


class Kind(StrEnum):
    SIGNAL = "signal"
    REJECTED = "rejected"
    BURIED = "buried"
    REPLAYED = "replayed"
    TAKEN_OVER = "taken-over"
    FINDING = "finding"
    PLAN = "plan"
    APPROVED = "approved"
    STEP_STARTED = "step-started"
    STEP_DONE = "step-done"
    STEP_FAILED = "step-failed"
    PROOF = "proof"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    at: datetime
    kind: Kind
    where: str
    """`<environment>/<responder>`, or `signals`."""
    actor: str
    """Object id, a person's name, or `reconverge`."""
    correlation_id: str
    run: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


class Journal:
    def __init__(self, rows: Rows, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock
        self._recorded = itertools.count()

    def record(
        self,
        kind: Kind,
        where: Target | str,
        *,
        actor: str,
        correlation_id: str,
        run: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Append one entry. Raises ReconvergeError when it cannot be stored; then the caller's work must
        not go on as if it had been."""
        entry = Entry(
            at=self._clock(),
            kind=kind,
            where=str(where),
            actor=actor,
            correlation_id=correlation_id,
            run=run,
            detail=detail or {},
        )
        self._rows.insert(
            TABLE,
            Key(_partition(entry.where), self._row(entry.at)),
            {
                "at": entry.at,
                "kind": kind.value,
                "actor": actor,
                "correlation": correlation_id,
                "run": run,
                **spread("detail", json.dumps(dict(entry.detail), separators=(",", ":"), ensure_ascii=False)),
            },
        )
        return entry

    def _row(self, at: datetime) -> str:
        """In order of time; what one process records at one tick of the clock stays in order as well."""
        return f"{_moment(at)}~{next(self._recorded):010}~{uuid.uuid4().hex[:12]}"

    def read(self, where: Target | str, *, since: datetime, until: datetime | None = None) -> Iterator[Entry]:
        """The entries of one place, oldest first."""
        before = _moment(until) if until is not None else None
        for stored in self._rows.query(TABLE, _partition(str(where)), after=_moment(since), before=before):
            values = stored.values
            at = values["at"]
            if not isinstance(at, datetime):
                continue
            yield Entry(
                at=at,
                kind=Kind(str(values["kind"])),
                where=str(where),
                actor=str(values["actor"]),
                correlation_id=str(values["correlation"]),
                run=str(values["run"]),
                detail=json.loads(joined("detail", values)),
            )

    def count(self, operation: str) -> None:
        """Add one to today's number of dropped events of this operation. Gives up after a few lost races:
        the number is for tuning a subscription's filter, and not worth a redelivery."""
        key = Key(self._clock().astimezone(UTC).date().isoformat(), _safe(operation))
        for _ in range(COUNT_TRIES):
            stored = self._rows.get(COUNTS, key)
            with suppress(Conflict):
                if stored is None:
                    self._rows.insert(COUNTS, key, {"dropped": 1})
                else:
                    self._rows.replace(stored, {"dropped": int(str(stored.values["dropped"])) + 1})
                return

    def counts(self, day: datetime) -> Mapping[str, int]:
        """Dropped events of that UTC day, by operation."""
        partition = day.astimezone(UTC).date().isoformat()
        return {
            stored.key.row.replace("|", "/"): int(str(stored.values["dropped"]))
            for stored in self._rows.query(COUNTS, partition)
        }


def _partition(where: str) -> str:
    return _safe(where)


@lru_cache(maxsize=256)
def _safe(text: str) -> str:
    """Table keys may not hold / \\ # ? or control characters."""
    return "".join("|" if c in "/\\#?" or not c.isprintable() else c for c in text)[:LONGEST_PART]


def _moment(at: datetime) -> str:
    """Sorts as text the way it sorts as time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
