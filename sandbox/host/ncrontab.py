"""NCRONTAB schedules: `second minute hour day month day-of-week`, in UTC.

As https://github.com/atifaziz/NCrontab reads them: lists, ranges, steps, names. `5/15` is "from 5, every 15",
Sunday is 0 only, and day and day-of-week must *both* match (classic cron takes either). Stricter than that
library in one thing: a range that runs backwards is an error.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")

# Feb 29 on a given weekday comes round within 40 years, also across a century without a leap year.
_HORIZON_YEARS = 41


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> tuple[int, ...]:
        values = {value for part in text.split(",") for value in self._part(part)}
        return tuple(sorted(values))

    def _part(self, text: str) -> range:
        span, slash, step = text.partition("/")
        every = self._step(step) if slash else 1
        if span == "*":
            return range(self.first, self.last + 1, every)
        start, dash, end = span.partition("-")
        low = self._value(start)
        high = self._value(end) if dash else (self.last if slash else low)
        if low > high:
            raise ValueError(f"{self.name} '{text}' runs backwards")
        return range(low, high + 1, every)

    def _step(self, text: str) -> int:
        if not (text.isascii() and text.isdigit()) or int(text) == 0:
            raise ValueError(f"{self.name}: '{text}' is not a step; write a whole number from 1")
        return int(text)

    def _value(self, text: str) -> int:
        if text.isascii() and text.isdigit():
            value = int(text)
        elif len(text) >= 3 and (named := [n for n in self.names if n.startswith(text.lower())]):
            value = self.names.index(named[0]) + self.first
        else:
            raise ValueError(f"{self.name}: '{text}' is no value of it")
        if not self.first <= value <= self.last:
            raise ValueError(f"{self.name} is {self.first} to {self.last}, not {value}")
        return value


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    text: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError, saying which field is wrong, or that no day ever matches."""
        parts = text.split()
        if len(parts) != len(_FIELDS):
            raise ValueError(
                f"schedule '{text}' must have six fields: second minute hour day month day-of-week"
            )
        try:
            values = [field.parse(part) for field, part in zip(_FIELDS, parts, strict=True)]
        except ValueError as error:
            raise ValueError(f"schedule '{text}': {error}") from error
        seconds, minutes, hours, days, months, weekdays = values
        schedule = cls(
            text=text, seconds=seconds, minutes=minutes, hours=hours, days=days, months=months,
            weekdays=weekdays,
        )  # fmt: skip
        schedule.after(datetime(2000, 1, 1, tzinfo=UTC))
        return schedule

    def after(self, moment: datetime) -> datetime:
        """The first occurrence later than `moment`. Raises ValueError when there is none."""
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        for year in range(start.year, start.year + _HORIZON_YEARS):
            for month in self.months:
                if (year, month) < (start.year, start.month):
                    continue
                for day in range(1, monthrange(year, month)[1] + 1):
                    found = self._on(datetime(year, month, day, tzinfo=UTC), start)
                    if found is not None:
                        return found
        raise ValueError(f"schedule '{self.text}' never comes")

    def _on(self, day: datetime, start: datetime) -> datetime | None:
        """The first occurrence on that day which is not before `start`."""
        if day.date() < start.date() or day.day not in self.days or day.isoweekday() % 7 not in self.weekdays:
            return None
        for hour in self.hours:
            for minute in self.minutes:
                if day.replace(hour=hour, minute=minute, second=59) < start:
                    continue
                for second in self.seconds:
                    occurrence = day.replace(hour=hour, minute=minute, second=second)
                    if occurrence >= start:
                        return occurrence
        return None

    def is_subminute(self, moment: datetime) -> bool:
        """Whether two of the next ten occurrences are less than a minute apart."""
        at = self.after(moment)
        for _ in range(10):
            following = self.after(at)
            if following - at < timedelta(minutes=1):
                return True
            at = following
        return False
