"""A process that dies at one of its durable writes, and a new one that knows only what was stored."""

from datetime import timedelta
from typing import Any

from shared.memory import MemoryMessages, MemoryRows
from shared.ports import Key, Row, Stored
from tests.unit.app import App, DiesError
from tests.unit.clocks import VirtualClock


class Mortal:
    """Dies at the n-th of its moments, once. Dead, it does nothing at all, on no thread.

    A moment is just before or just after the effect of a write to the store, a queue or Azure.
    """

    def __init__(self, at: int | None = None) -> None:
        self.moments = 0
        self.dead = False
        self._at = at

    def die_in(self, moments: int) -> None:
        self._at = self.moments + moments

    def moment(self) -> None:
        self.alive()
        self.moments += 1
        if self.moments == self._at:
            self.dead = True
            raise DiesError

    def alive(self) -> None:
        if self.dead:
            raise DiesError


class MortalRows(MemoryRows):
    def __init__(self, mortal: Mortal) -> None:
        super().__init__()
        self._mortal = mortal

    def get(self, table: str, key: Key) -> Stored | None:
        self._mortal.alive()
        return super().get(table, key)

    def insert(self, table: str, key: Key, values: Row) -> Stored:
        self._mortal.moment()
        stored = super().insert(table, key, values)
        self._mortal.moment()
        return stored

    def replace(self, stored: Stored, values: Row) -> Stored:
        self._mortal.moment()
        new = super().replace(stored, values)
        self._mortal.moment()
        return new


class MortalMessages(MemoryMessages):
    def __init__(self, mortal: Mortal, clock: VirtualClock) -> None:
        super().__init__(clock)
        self._mortal = mortal

    def send(self, queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
        self._mortal.moment()
        super().send(queue, text, delay=delay)
        self._mortal.moment()


class MortalApp(App):
    def __init__(self, *environments: Any, at: int | None = None) -> None:
        self.mortal = mortal = Mortal(at)
        super().__init__(
            *environments, rows=MortalRows(mortal), messages=lambda clock: MortalMessages(mortal, clock)
        )
        self.platform.moment = mortal.moment

    def start_process(self) -> None:
        self.mortal.dead = False
        super().start_process()
