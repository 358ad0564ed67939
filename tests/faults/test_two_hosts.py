"""Two processes of the app on one storage account, as Azure runs them when there is much to do."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from sandbox.stack import Stack
from tests.faults import landscapes
from tests.faults.events import event
from tests.faults.hosts import Host
from tests.faults.platform import DEV, PROD, Platform
from tests.waiting import eventually

STORM: Final = 300
FEW: Final = 12
"""Runs of a target: one after the other while the storm lasts, and those that found an identity taken."""


@pytest.fixture(scope="module")
def landscape(cloud: Stack) -> Path:
    return landscapes.shared(cloud.directory / "shared.yaml")


@pytest.fixture
def second(cloud: Stack, landscape: Path, storage: str) -> Iterator[Host]:
    host = Host.described(cloud.directory, "second", landscape, storage)
    try:
        host.start()
        yield host
    finally:
        host.stop()


def test_a_storm_of_events_over_two_processes_causes_few_runs_one_at_a_time_and_serial_writes(
    platform: Platform, host: Host, second: Host
) -> None:
    earlier = len(host.executed())
    # So slow that whatever may overlap does.
    platform.control.turn(arm_latency=0.5, write_seconds=0.5)
    platform.tell_nobody()
    platform.rebuild()
    platform.tell(host)
    cluster = platform.control.state()["clusters"][0]["id"]
    storm = [
        event(
            "Microsoft.ContainerService/managedClusters/write",
            cluster,
            platform.began + timedelta(milliseconds=number),
            correlation=f"storm-{number}",
        )
        for number in range(STORM)
    ]
    with ThreadPoolExecutor(8) as senders:
        for number, one in enumerate(storm):
            senders.submit(platform.control.deliver, one)
            if number % 10 == 0:
                senders.submit(platform.wake, DEV)
                senders.submit(platform.wake, PROD)
    told = {one["data"]["correlationId"] for one in storm}
    eventually(
        lambda: told <= {one["correlation"] for one in platform.journal("signals", "signal")}, patience=60
    )

    platform.prove(DEV, PROD)
    platform.assert_written_once(DEV, PROD)
    assert 409 not in [one["status"] for one in platform.puts()]
    for target in (DEV, PROD):
        # Whoever overlapped another run would stand twice in the journal.
        runs = [run for run, _ in itertools.groupby(platform.journal(target), lambda one: one["run"])]
        assert len(runs) == len(set(runs))
        assert len(runs) <= FEW
        assert platform.journal(target, "taken-over") == []
    for process, before in ((host, earlier), (second, 0)):
        assert {"route_signal", "run_target"} <= {one["function"] for one in process.executed()[before:]}
