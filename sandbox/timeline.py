"""Values with a past, because caches read late.

Azure is eventually consistent: ARM may answer with the state of some seconds ago, and Entra learns of a
credential after ARM has accepted it. One mechanism serves both: keep the past, and read at an earlier time.
"""

from collections.abc import Callable
from datetime import UTC, datetime

type Clock = Callable[[], datetime]
"""Answers the present time, aware and in UTC."""

BEGINNING = datetime.min.replace(tzinfo=UTC)
"""Before every delay: what holds since then has propagated everywhere."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Timeline[T]:
    """What one thing was, and since when. Absent before its first value and after its deletion."""

    def __init__(self) -> None:
        self._changes: list[tuple[datetime, T | None]] = []

    def put(self, when: datetime, value: T | None) -> None:
        """Record the value that holds from `when` on; None deletes. Times must not go back."""
        self._changes.append((when, value))

    def at(self, when: datetime) -> T | None:
        """The value that held at `when`."""
        for since, value in reversed(self._changes):
            if since <= when:
                return value
        return None


class Shelf[T]:
    """Timelines by key; keys are compared without regard to letter case, as ARM ids are."""

    def __init__(self) -> None:
        self._timelines: dict[str, Timeline[T]] = {}

    def put(self, key: str, value: T | None, when: datetime) -> None:
        self._timelines.setdefault(key.lower(), Timeline()).put(when, value)

    def get(self, key: str, when: datetime) -> T | None:
        timeline = self._timelines.get(key.lower())
        return timeline.at(when) if timeline else None

    def all(self, when: datetime) -> list[T]:
        """Everything that existed at `when`, ordered by key."""
        values = (self._timelines[key].at(when) for key in sorted(self._timelines))
        return [value for value in values if value is not None]
