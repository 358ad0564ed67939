"""What a timer remembers between runs, and what follows from it. Pure: `timers.py` waits and stores.

As `ScheduleMonitor` of https://github.com/Azure/azure-webjobs-sdk-extensions decides it.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from sandbox.host.ncrontab import Schedule

NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStatus:
    last: datetime
    """The last occurrence that was run; `NEVER` before the first."""
    next: datetime
    updated: datetime

    def to_json(self) -> str:
        return json.dumps(self.document())

    def document(self) -> dict[str, str]:
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises ValueError or KeyError on anything that `to_json` did not write."""
        document = json.loads(text)
        return cls(
            last=datetime.fromisoformat(document["Last"]),
            next=datetime.fromisoformat(document["Next"]),
            updated=datetime.fromisoformat(document["LastUpdated"]),
        )


def on_start(schedule: Schedule, known: ScheduleStatus | None, now: datetime) -> tuple[ScheduleStatus, bool]:
    """The status to go on with, and whether an occurrence was missed.

    A schedule that was changed meanwhile starts afresh: what the old one would have run is not missed.
    """
    if known is None:
        return ScheduleStatus(last=NEVER, next=schedule.after(now), updated=now), False
    expected = schedule.after(known.updated if known.last == NEVER else known.last)
    if known.next != expected:
        if now > expected:
            expected = schedule.after(now)
        known = ScheduleStatus(last=known.last, next=expected, updated=now)
    return known, now > known.next


def after_run(schedule: Schedule, started: datetime) -> ScheduleStatus:
    """The status once a run that started then is over.

    Written after the run: a host that dies in it finds the occurrence missed when it starts again.
    """
    return ScheduleStatus(last=started, next=schedule.after(started), updated=started)


def payload(status: ScheduleStatus | None, *, past_due: bool) -> str:
    """What the runtime decodes into `func.TimerRequest`."""
    return json.dumps(
        {
            "IsPastDue": past_due,
            "ScheduleStatus": None if status is None else status.document(),
            "Schedule": {"AdjustForDST": True},
        }
    )
