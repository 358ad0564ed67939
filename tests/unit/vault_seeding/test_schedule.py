"""When a CronJob was to run, before some moment."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responders.vault_seeding.schedule import Schedule

# A Monday.
NOW: Final = datetime(2026, 3, 2, 10, 30, 20, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


RUNS: Final[dict[str, tuple[str, str | None, int, str | None]]] = {
    "every minute": ("*/1 * * * *", None, 1, "2026-03-02T10:30"),
    "every minute, the third latest": ("* * * * *", None, 3, "2026-03-02T10:28"),
    "every quarter of an hour": ("*/15 * * * *", None, 2, "2026-03-02T10:15"),
    "from the fifth minute on, every fifteen": ("5/15 * * * *", None, 1, "2026-03-02T10:20"),
    "hourly by its word": ("@hourly", None, 2, "2026-03-02T09:00"),
    "daily": ("0 3 * * *", None, 2, "2026-03-01T03:00"),
    "on Sundays": ("0 3 * * SUN", None, 1, "2026-03-01T03:00"),
    "on days of the week": ("0 3 * * 1-5", None, 2, "2026-02-27T03:00"),
    "on the first of a month or on a Friday": ("0 3 1 * 5", None, 2, "2026-02-27T03:00"),
    "on the first of a month, whatever the day": ("0 3 1 * *", None, 2, "2026-02-01T03:00"),
    "in months by name": ("0 0 1 jan,feb *", None, 2, "2026-01-01T00:00"),
    "on a leap day": ("0 0 29 2 *", None, 1, "2024-02-29T00:00"),
    "never": ("0 0 31 2 *", None, 1, None),
    "in a time zone": ("0 11 * * *", "Europe/Berlin", 1, "2026-03-02T10:00"),
}


@pytest.mark.parametrize(("schedule", "zone", "count", "expected"), RUNS.values(), ids=RUNS)
def test_was_to_run(schedule: str, zone: str | None, count: int, expected: str | None) -> None:
    found = Schedule.parse(schedule, zone).before(NOW, count)
    assert found == (at(expected) if expected else None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* * 0 * *",
        "5-1 * * * *",
        "*/0 * * * *",
        "a * * * *",
        "@every 1h",
        "* * * * 7",
    ],
)
def test_what_kubernetes_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"field|number"):
        Schedule.parse(text, None)


def test_a_time_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Schedule.parse("* * * * *", "Europe/Nowhere")


@settings(max_examples=100, deadline=None)
@given(minutes=st.integers(0, 10**6), count=st.integers(1, 5), step=st.sampled_from([1, 2, 5, 10, 15, 30]))
def test_runs_lie_a_step_apart(minutes: int, count: int, step: int) -> None:
    schedule = Schedule.parse(f"*/{step} * * * *", None)
    moment = NOW - timedelta(minutes=minutes)
    nearer, farther = schedule.before(moment, count), schedule.before(moment, count + 1)
    assert nearer is not None
    assert farther is not None
    assert nearer - farther == timedelta(minutes=step)
    assert nearer < moment
