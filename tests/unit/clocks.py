"""A clock that moves only when told."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)


class VirtualClock:
    def __init__(self) -> None:
        self._now = START
        self.waited = timedelta(0)

    def __call__(self) -> datetime:
        return self._now

    def advance(self, span: timedelta) -> None:
        self._now += span

    def pause(self, span: timedelta) -> None:
        """Stands in for waiting."""
        self.waited += span
        self.advance(span)
