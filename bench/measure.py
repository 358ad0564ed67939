"""One line of the answer, and how to measure it on a computer that does other things too."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

type Timed = Callable[[], float]
"""Does a piece of work and answers the seconds that count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A claim and what came of it. The ratio is the claim; times and counts only explain it."""

    what: str
    measured: str
    against: str
    """The peer or the floor, with what it measured in the same run."""
    ratio: float
    target: float | None = None
    """The most that the ratio may be. None: shown to explain another line."""
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.target is None:
            return "-"
        return "ok" if self.ratio <= self.target else "over"


@dataclass(frozen=True, slots=True)
class Race:
    """Seconds: the median of each side, and what the first took at its fastest."""

    one: float
    other: float
    fastest: float

    @property
    def ratio(self) -> float:
        return self.one / self.other


def race(one: Timed, other: Timed, *, rounds: int) -> Race:
    """Both sides in turn, and in turn first: whatever else the computer does meanwhile hits both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        order = ((one, taken[0]), (other, taken[1]))
        for timed, results in order if number % 2 else reversed(order):
            results.append(timed())
    return Race(median(taken[0]), median(taken[1]), min(taken[0]))


def computing(work: Callable[[], object]) -> Timed:
    """The CPU time of the work, begun on a heap without litter: of what only computes, the rest of the wall
    time is the neighbours'."""

    def run() -> float:
        gc.collect()
        begun = time.process_time()
        work()
        return time.process_time() - begun

    return run


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"
