"""One loopback cloud for the session; each test finds it with fast dials and nothing injected."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.control_client import Control
from tests.sandbox.clients import World, described

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0
AT_ONCE = {
    "arm_latency": 0.0,
    "arm_staleness": 0.0,
    "write_seconds": 0.0,
    "entra_propagation": 0.0,
    "rbac_propagation": 0.0,
    "provisioning_seconds": 0.0,
    "throttling": False,
    "event_hold": False,
    "event_time_scale": 0.001,
    "workflow_seconds": 0.0,
    "page_size": 100,
}


def start_cloud(directory: Path) -> subprocess.Popen[bytes]:
    """The server in a process of its own, once it has told where it serves."""
    log = (directory / "server.log").open("wb")
    process = subprocess.Popen(  # noqa: S603 (our own command line)
        [sys.executable, "-m", "sandbox.server", "--dir", str(directory)], cwd=ROOT, stdout=log, stderr=log
    )
    log.close()
    deadline = time.monotonic() + START_SECONDS
    while not _serves(directory, process.pid):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"the cloud did not start: {(directory / 'server.log').read_text()}")
        time.sleep(0.02)
    return process


def _serves(directory: Path, pid: int) -> bool:
    """Whether the description there is that of this process, not of a dead one."""
    return (directory / "cloud.json").exists() and described(directory).get("pid") == pid


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of the session's cloud."""
    directory = tmp_path_factory.mktemp("cloud")
    process = start_cloud(directory)
    yield directory
    process.terminate()
    process.wait(10)


@pytest.fixture
def world(running_cloud: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The cloud with fast dials. Identities that tests create stay: use fresh ones."""
    told = described(running_cloud)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", told["ca"])
    monkeypatch.setenv("IDENTITY_ENDPOINT", told["identity_endpoint"])
    monkeypatch.setenv("IDENTITY_HEADER", told["identity_header"])
    control = Control.from_dir(running_cloud)
    control.turn(**AT_ONCE)
    yield World(told, control)
    control.clear_faults()
    control.turn(**AT_ONCE)
    for subscription in control.subscriptions():
        control.unsubscribe(subscription["name"])
