"""The drill does no damage before the app is at rest, and shows what was logged when it ends badly."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cli.output import Screen
from cli.story import RESTED, SETTLING, tell_logs, until_at_rest
from cli.surroundings import Surroundings
from sandbox.processes import Child
from sandbox.stack import Stack
from tests.unit.clocks import VirtualClock

type Said = dict[str, Any] | None

TARGET = "dev/vault_seeding"


def status(*, running: bool = False, again: bool = False) -> Said:
    due = "2026-11-02T03:00:05+00:00" if again else None
    return {"targets": [{"target": TARGET, "running": running, "lookAgainAt": due}]}


RESTS, RUNS, WAITS = status(), status(running=True), status(again=True)


@dataclass
class App:
    """Says one thing after the other, and the last of them for ever."""

    course: list[Said]
    looks: int = 0
    clock: VirtualClock = field(default_factory=VirtualClock)

    def look(self) -> Said:
        self.looks += 1
        return self.course[min(self.looks, len(self.course)) - 1]

    def rest(self) -> tuple[str, ...]:
        screen = Screen(io.StringIO(), io.StringIO())
        here = Surroundings(environment={}, screen=screen, clock=self.clock, pause=self.clock.pause)
        return until_at_rest(self.look, here, lambda _: None)


COURSES: dict[str, tuple[list[Said], int]] = {
    "at rest from the beginning": ([RESTS], RESTED),
    "a run that ends": ([RUNS, RUNS, RESTS], 2 + RESTED),
    "a look that is due, and comes": ([WAITS, RUNS, RESTS], 2 + RESTED),
    "a signal that is routed between two looks": ([RESTS, RESTS, RUNS, RESTS], 3 + RESTED),
    "an app that does not answer yet": ([None, RESTS], 1 + RESTED),
}


@pytest.mark.parametrize(("course", "looks"), COURSES.values(), ids=COURSES)
def test_the_app_rests_when_several_looks_one_after_the_other_say_so(course: list[Said], looks: int) -> None:
    app = App(course)
    assert app.rest() == ()
    assert app.looks == looks


RESTLESS: dict[str, tuple[list[Said], str]] = {
    "it runs on": ([RUNS], TARGET),
    "it looks again and again": ([RESTS, WAITS], TARGET),
    "it never answers": ([None], "no answer"),
}


@pytest.mark.parametrize(("course", "told"), RESTLESS.values(), ids=RESTLESS)
def test_an_app_that_does_not_come_to_rest_in_time_is_told(course: list[Said], told: str) -> None:
    app = App(course)
    assert app.rest() == (told,)
    assert app.clock.waited == SETTLING


def test_the_log_of_each_process_is_told_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "host.log").write_text("one\ntwo\x1b\n")
    err = io.StringIO()
    child = Child(name="host", pid=1, started="1")
    tell_logs(Screen(io.StringIO(), err), Stack(directory=tmp_path, children=(child,), environment={}))
    assert err.getvalue() == f"host; the end of {tmp_path}/logs/host.log:\none\ntwo\ufffd\n"
