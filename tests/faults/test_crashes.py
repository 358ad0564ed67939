"""The process is killed around a write, and another one finds what it left behind.

A dead process's lease lasts five minutes and its message stays hidden for ten. The tests move the clock over
these times, as `Platform.pass_the_time` says.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from sandbox.stack import Stack
from tests.faults import landscapes
from tests.faults.hosts import Host
from tests.faults.platform import DEV, Platform
from tests.faults.relay import Relays
from tests.waiting import eventually

PUT: Final = "/federatedIdentityCredentials/"

type Arrange = Callable[[Platform, Relays], Callable[[], object]]
"""Sets a trap. Answers what tells that the process is in it."""


@pytest.fixture(scope="module")
def landscape(cloud: Stack) -> Path:
    return landscapes.dev_alone(cloud.directory / "dev-alone.yaml")


@pytest.fixture(scope="module")
def storage(account: Relays) -> str:
    return account.storage


def announced(_: Platform, account: Relays) -> Callable[[], object]:
    return account.table.hold("step-started", "answer").is_set


def on_its_way(platform: Platform, _: Relays) -> Callable[[], object]:
    platform.control.inject(PUT, method="PUT", delay=1, reset=True)
    return lambda: platform.control.faults()[0]["left"] == 0


def made(platform: Platform, _: Relays) -> Callable[[], object]:
    platform.control.inject(PUT, method="PUT", delay=1, phase="after")
    return lambda: platform.control.faults()[0]["left"] == 0


def unsaid(_: Platform, account: Relays) -> Callable[[], object]:
    return account.table.hold("step-done", "request").is_set


MOMENTS: Final[dict[str, Arrange]] = {
    "when a write is announced and not made yet": announced,
    "while a write is on its way that never arrives": on_its_way,
    "while a write is made whose answer nobody hears": made,
    "after a write that the journal does not call done yet": unsaid,
}


@pytest.mark.parametrize("arrange", MOMENTS.values(), ids=MOMENTS)
def test_a_process_killed_around_a_write_is_taken_over_and_nothing_is_written_twice(
    platform: Platform, host: Host, account: Relays, arrange: Arrange
) -> None:
    trapped = arrange(platform, account)
    platform.rebuild()
    eventually(trapped)
    host.kill()
    dead = platform.row(DEV)["lease_owner"]
    assert dead

    # A new process keeps away while the dead one's lease lasts.
    host.start()
    platform.wake(DEV)
    time.sleep(2)
    assert platform.row(DEV)["lease_owner"] == dead
    assert {one["run"] for one in platform.journal(DEV, "step-started")} == {dead}

    platform.pass_the_time(DEV)
    platform.prove(DEV)
    platform.assert_written_once(DEV)
    assert 409 not in [one["status"] for one in platform.puts()]
    (takeover,) = platform.journal(DEV, "taken-over")
    assert takeover["detail"]["from"] == dead
    of_the_dead = {one["kind"] for one in platform.journal(DEV) if one["run"] == dead}
    assert "step-started" in of_the_dead
    assert "outcome" not in of_the_dead
