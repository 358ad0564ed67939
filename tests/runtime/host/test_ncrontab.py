"""Schedules: six fields, seconds first, UTC."""

from datetime import UTC, datetime

import pytest

from sandbox.host.ncrontab import Schedule

# 2026-11-22 is a Sunday.
FROM = "2026-11-22T10:20:30"

NEXT = {
    "each second": ("* * * * * *", "2026-11-22T10:20:31"),
    "a quarter of an hour": ("0 */15 * * * *", "2026-11-22T10:30:00"),
    "an hour that is over comes tomorrow": ("0 0 9 * * *", "2026-11-23T09:00:00"),
    "an occurrence at this very second is over": ("30 20 10 * * *", "2026-11-23T10:20:30"),
    "a list": ("0 0 8,18 * * *", "2026-11-22T18:00:00"),
    "a range with a step": ("0 10-40/15 * * * *", "2026-11-22T10:25:00"),
    "a start with a step goes on to the end of the field": ("0 5/25 * * * *", "2026-11-22T10:30:00"),
    "a weekday by name": ("0 0 0 * * mon", "2026-11-23T00:00:00"),
    "weekdays as a range of names": ("0 0 12 * * Mon-Fri", "2026-11-23T12:00:00"),
    "Sunday is 0": ("0 0 12 * * 0", "2026-11-22T12:00:00"),
    "a month by its full name": ("0 0 0 1 January *", "2027-01-01T00:00:00"),
    "a day that November lacks": ("0 0 0 31 * *", "2026-12-31T00:00:00"),
    "day and weekday must both match": ("0 0 0 13 * fri", "2027-08-13T00:00:00"),
    "a leap day": ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
}


@pytest.mark.parametrize(("text", "expected"), NEXT.values(), ids=NEXT)
def test_finds_the_next_occurrence(text: str, expected: str) -> None:
    found = Schedule.parse(text).after(datetime.fromisoformat(FROM).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


REFUSED = {
    "five fields": ("*/5 * * * *", "six fields"),
    "seven fields": ("0 0 0 1 1 * 2026", "six fields"),
    "a time span": ("00:05:00", "six fields"),
    "a second of 60": ("60 * * * * *", "second is 0 to 59, not 60"),
    "Sunday as 7": ("0 0 0 * * 7", "day-of-week is 0 to 6, not 7"),
    "an unknown name": ("0 0 0 * * noday", "day-of-week: 'noday'"),
    "a name where there are none": ("0 0 mon * * *", "hour: 'mon'"),
    "a step of nothing": ("0 */0 * * * *", "minute: '0' is not a step"),
    "a range that runs backwards": ("0 0 18-8 * * *", "hour '18-8' runs backwards"),
    "an empty item of a list": ("0 0 8,,9 * * *", "hour: ''"),
    "a day that never comes": ("0 0 0 30 2 *", "never comes"),
}


@pytest.mark.parametrize(("text", "complaint"), REFUSED.values(), ids=REFUSED)
def test_refuses_with_the_field_that_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Schedule.parse(text)


SUBMINUTE = {
    "each ten seconds": ("*/10 * * * * *", True),
    "twice within one minute of the day": ("0,30 0 0 * * *", True),
    "each minute": ("0 * * * * *", False),
    "each day": ("0 0 3 * * *", False),
}


@pytest.mark.parametrize(("text", "expected"), SUBMINUTE.values(), ids=SUBMINUTE)
def test_knows_schedules_below_a_minute(text: str, *, expected: bool) -> None:
    assert Schedule.parse(text).is_subminute(datetime(2026, 11, 22, tzinfo=UTC)) is expected
