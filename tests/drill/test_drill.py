"""The whole story, as `make run` tells it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox import stack

REPOSITORY = Path(__file__).parents[2]
CREDENTIALS = {
    ("dev", "vault-bootstrap-dev"),
    ("dev", "cnpg-backup"),
    ("dev", "ameide-dev-cert-manager"),
    ("prod", "vault-bootstrap-prod"),
    ("prod", "cnpg-backup"),
    ("prod", "ameide-prod-cert-manager"),
}
REQUEST_LINE = "POST /runtime/webhooks/eventgrid?functionName=arm_event&code=… HTTP/1.1"


def drill(*flags: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 (our own command line)
        [sys.executable, "-m", "cli", "drill", *flags],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if state(pid) not in {"Z", "X", ""}]


def state(pid: int) -> str:
    """Its letter in /proc; Z has ended, and only waits for init to take note."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


def listens(address: str) -> bool:
    parts = urlsplit(address)
    with socket.socket() as probe:
        return probe.connect_ex((str(parts.hostname), parts.port or 0)) == 0


@pytest.mark.timeout(300)
def test_a_rebuilt_cluster_is_repaired_and_nothing_is_left_running(tmp_path: Path) -> None:
    running = drill("--dir", str(tmp_path / "sandbox"), "--output", "json")
    out, err = running.communicate()
    evidence = json.loads(out)
    assert running.returncode == 0, err
    assert evidence["verdict"] == "converged"
    credentials = evidence["credentials"]
    assert {(one["environment"], one["credential"]) for one in credentials} == CREDENTIALS
    assert {one["before"] for one in credentials} == {"accepted"}
    assert {one["after_rebuild"] for one in credentials} == {"refused AADSTS700211"}
    assert {one["now"] for one in credentials} == {"accepted"}
    assert all(one["changed_by"].startswith("reconverge, run ") for one in credentials)
    assert evidence["delivery"]["lastStatus"] in {200, 202}
    assert REQUEST_LINE in err
    assert "    aeg-event-type: Notification" in err
    (rebuilt,) = evidence["rebuilt"]
    assert rebuilt["issuer"] != rebuilt["previousIssuer"]
    assert len(evidence["processes"]) == 3
    assert alive([one["pid"] for one in evidence["processes"]]) == []
    assert [address for address in evidence["addresses"] if listens(address)] == []


@pytest.mark.timeout(300)
def test_a_second_drill_beside_a_running_sandbox_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "sandbox"
    try:
        stack.up(directory, app=None)
        running = drill("--dir", str(directory))
        _, err = running.communicate()
        assert running.returncode == 2
        assert "name another --dir" in err
        assert stack.load(directory) is not None
    finally:
        stack.down(directory)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_ended_drill_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    described = tmp_path / "sandbox" / "stack.json"
    running = drill("--dir", str(described.parent))
    pids: list[int] = []
    try:
        while len(pids) < 2 and running.poll() is None:
            time.sleep(0.05)
            if described.exists():
                pids = [child["pid"] for child in json.loads(described.read_text())["children"]]
        os.kill(running.pid, number)
        _, err = running.communicate()
    finally:
        running.kill()
    assert running.returncode == 3
    assert "interrupted" in err
    assert len(pids) == 2
    assert alive(pids) == []
