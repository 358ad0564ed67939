"""What a timer does at its start, by what it remembers."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.host.ncrontab import Schedule
from sandbox.host.schedules import NEVER, ScheduleStatus, after_run, on_start, payload

HOURLY = Schedule.parse("0 0 * * * *")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def status(
    *, last: datetime = NOON, upcoming: datetime = NOON + HOUR, updated: datetime = NOON
) -> ScheduleStatus:
    return ScheduleStatus(last=last, next=upcoming, updated=updated)


STARTS = {
    "a timer that was never seen waits for its first occurrence": (None, NOON, NOON + HOUR, False),
    "an occurrence ahead is waited for": (status(), NOON + HOUR / 2, NOON + HOUR, False),
    "an occurrence that passed meanwhile is missed": (status(), NOON + 3 * HOUR, NOON + HOUR, True),
    "a timer that never ran has missed its first too": (
        status(last=NEVER),
        NOON + 2 * HOUR,
        NOON + HOUR,
        True,
    ),
    "a changed schedule starts afresh when its time has passed": (
        status(upcoming=NOON + 7 * HOUR),
        NOON + 3 * HOUR,
        NOON + 4 * HOUR,
        False,
    ),
    "a changed schedule that lies ahead is taken over": (
        status(upcoming=NOON + 7 * HOUR),
        NOON + HOUR / 2,
        NOON + HOUR,
        False,
    ),
}


@pytest.mark.parametrize(("known", "now", "upcoming", "missed"), STARTS.values(), ids=STARTS)
def test_decides_at_start(
    known: ScheduleStatus | None, now: datetime, upcoming: datetime, *, missed: bool
) -> None:
    decided, was_missed = on_start(HOURLY, known, now)
    assert (decided.next, was_missed) == (upcoming, missed)


def test_a_run_moves_the_status_to_the_occurrence_after_its_start() -> None:
    assert after_run(HOURLY, NOON) == status()


def test_the_status_survives_its_blob() -> None:
    assert ScheduleStatus.from_json(status().to_json()) == status()


def test_the_payload_names_what_the_runtime_decodes() -> None:
    assert json.loads(payload(status(), past_due=True)) == {
        "IsPastDue": True,
        "ScheduleStatus": {
            "Last": "2026-11-22T12:00:00+00:00",
            "Next": "2026-11-22T13:00:00+00:00",
            "LastUpdated": "2026-11-22T12:00:00+00:00",
        },
        "Schedule": {"AdjustForDST": True},
    }
