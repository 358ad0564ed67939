"""One cloud and one storage account for the whole folder, and for each module its own process of the app."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from sandbox import stack
from sandbox.stack import Stack
from tests.faults import landscapes
from tests.faults.hosts import Host
from tests.faults.platform import Platform
from tests.faults.relay import Relays, relays

QUICK: Final[dict[str, float]] = {
    "arm_latency": 0.0,
    "arm_staleness": 0.0,
    "write_seconds": 0.05,
    "entra_propagation": 0.0,
    "provisioning_seconds": 0.05,
}
"""So that only what a test is about takes its time."""


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("faults")
    try:
        yield stack.up(directory, app=None)
    finally:
        stack.down(directory)


@pytest.fixture(scope="module")
def landscape(cloud: Stack) -> Path:
    return landscapes.apart(cloud.directory / "apart.yaml")


@pytest.fixture(scope="module")
def account(cloud: Stack) -> Iterator[Relays]:
    """The storage account by way of relays, for modules that put it into the app's way."""
    with relays(cloud.environment["AzureWebJobsStorage"]) as account:
        yield account


@pytest.fixture(scope="module")
def storage(cloud: Stack) -> str:
    """The connection string that the app is given."""
    return cloud.environment["AzureWebJobsStorage"]


@pytest.fixture(scope="module")
def host(cloud: Stack, landscape: Path, storage: str) -> Iterator[Host]:
    host = Host.described(cloud.directory, "host", landscape, storage)
    try:
        host.start()
        yield host
    finally:
        host.stop()


@pytest.fixture
def platform(cloud: Stack, landscape: Path, host: Host) -> Iterator[Platform]:
    """Without faults before and after, and its events go to the app."""
    platform = Platform(cloud.directory, cloud.environment["AzureWebJobsStorage"], landscape)
    platform.control.turn(**QUICK)
    platform.tell(host)
    try:
        yield platform
    finally:
        platform.control.clear_faults()
        platform.control.turn(**QUICK)
        platform.tell_nobody()
