"""When a CronJob was to run. Pure.

Five fields as Kubernetes reads them, and its words such as @hourly.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WORDS: Final[Mapping[str, str]] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
LONGEST_LOOK: Final = 366 * 5
"""Days: a schedule of the 29th of February may be silent for four years."""

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class Schedule:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""
    either: bool
    """Day of the month and day of the week are both restricted: then one of them is enough."""
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, time_zone: str | None) -> Self:
        """time_zone: of the CronJob; its default is that of the control plane, which is UTC on AKS.

        Raises ValueError for what Kubernetes would refuse, and for `@every`, which no run is tied to.
        """
        fields = WORDS.get(text.strip().lower(), text).split()
        if len(fields) != 5:
            raise ValueError("not five fields")
        minutes, hours, days, months, weekdays = fields
        try:
            zone = ZoneInfo(time_zone or "UTC")
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError("an unknown time zone") from error
        return cls(
            minutes=_field(minutes, 0, 59),
            hours=_field(hours, 0, 23),
            days=_field(days, 1, 31),
            months=_field(months, 1, 12, _MONTHS),
            weekdays=_field(weekdays, 0, 6, _DAYS),
            either=not days.startswith(("*", "?")) and not weekdays.startswith(("*", "?")),
            zone=zone,
        )

    def before(self, moment: datetime, count: int) -> datetime | None:
        """The count-th latest run before the moment, in UTC; None where there were not so many in years."""
        return next(itertools.islice(self._backwards(moment), count - 1, None), None)

    def _backwards(self, moment: datetime) -> Iterator[datetime]:
        today = moment.astimezone(self.zone)
        for back in range(LONGEST_LOOK):
            day = today.date() - timedelta(days=back)
            if day.month not in self.months or not self._on(day.day, day.isoweekday() % 7):
                continue
            for hour, minute in itertools.product(
                sorted(self.hours, reverse=True), sorted(self.minutes, reverse=True)
            ):
                at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone).astimezone(UTC)
                if at < moment:
                    yield at

    def _on(self, day: int, weekday: int) -> bool:
        if self.either:
            return day in self.days or weekday in self.weekdays
        return day in self.days and weekday in self.weekdays


def _field(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    return frozenset(itertools.chain.from_iterable(_part(part, low, high, names) for part in text.split(",")))


def _part(text: str, low: int, high: int, names: tuple[str, ...]) -> range:
    found = re.fullmatch(r"(?:[*?]|(\w+)(?:-(\w+))?)(?:/(\d{1,4}))?", text, re.ASCII)
    if not found:
        raise ValueError("a field that is none")
    first, last, step = found.groups()
    begin = low if first is None else _number(first, low, names)
    if last is not None:
        end = _number(last, low, names)
    else:
        # `5/15` means from 5 on.
        end = begin if first is not None and step is None else high
    if not low <= begin <= end <= high or (step is not None and int(step) < 1):
        raise ValueError("a field out of its range")
    return range(begin, end + 1, int(step or 1))


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + low
    if not text.isdecimal():
        raise ValueError("a field that is no number")
    return int(text)
