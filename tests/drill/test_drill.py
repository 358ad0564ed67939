"""The whole story, as `make run` tells it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest

from sandbox import stack

REPOSITORY = Path(__file__).parents[2]
CREDENTIALS = {
    (environment, name)
    for environment in ("dev", "prod")
    for name in (
        f"ameide-vault-bootstrap-mi/vault-bootstrap-{environment}",
        f"ameide-{environment}-backup-mi/cnpg-backup",
        f"ameide-dns-{environment}-mi/ameide-{environment}-cert-manager",
    )
}
TOLD = {
    "submodules": ("fetched", "not our ref$"),
    "credential": ("accepted", "refused AADSTS700211$"),
    "facts": ("8 of 8 equal", "6 of 8 differ$"),
    "seeds": ("4 of 4 equal", "0 of 4 equal$"),
    "bootstrap": ("succeeded", "no such CronJob$|never succeeded$"),
    "store": ("Ready", "not Ready: "),
    "external secret": ("Ready", "not Ready: "),
    "secrets": ("2 of 2 there", "0 of 2 there$"),
    "login": ("login page", "not up"),
    "page": ("200", "502$|not up$"),
    "applications": ("3 of 3 well", "[123] of 3: "),
}
"""What holds says, and how what does not begins."""
TARGETS = {
    f"{environment}/{responder}"
    for environment in ("dev", "prod")
    for responder in (
        "submodule_refs",
        "federated_credentials",
        "runtime_facts",
        "vault_seeding",
        "keycloak_bootstrap",
        "gitlab_migrations",
        "applications",
    )
}
VALUES = "https://github.com/ameideio/ameide-gitops/blob/main/sources/values/env/dev/platform"
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


@pytest.mark.timeout(900)
def test_a_rebuilt_cluster_is_repaired_and_nothing_is_left_running(tmp_path: Path) -> None:
    page = tmp_path / "drill.html"
    running = drill("--dir", str(tmp_path / "sandbox"), "--output", "json", "--report", str(page))
    out, err = running.communicate()
    evidence = json.loads(out)
    assert running.returncode == 0, err
    assert evidence["verdict"] == "converged"
    told = {kind: [one for one in evidence["claims"] if one["what"] == kind] for kind in TOLD}
    assert {(one["environment"], one["name"]) for one in told["credential"]} == CREDENTIALS
    for kind, (works, broken) in TOLD.items():
        assert {one["before"] for one in told[kind]} == {one["now"] for one in told[kind]} == {works}
        assert all(re.match(broken, one["after_rebuild"]) for one in told[kind])
    written = [*told["credential"], *told["facts"]]
    assert all(one["changed_by"].startswith("reconverge, run ") for one in written)
    assert {one["outcome"] for one in evidence["targets"]} <= {"converged", "repaired"}
    assert {one["target"] for one in evidence["targets"]} == TARGETS
    assert_the_roots_came_first(evidence["verdicts"])
    assert_values_were_changed_by_pull_request(evidence)
    assert_is_a_report(page, evidence["verdicts"])
    assert evidence["delivery"]["lastStatus"] in {200, 202}
    assert REQUEST_LINE in err
    assert "    aeg-event-type: Notification" in err
    (rebuilt,) = evidence["rebuilt"]
    assert rebuilt["issuer"] != rebuilt["previousIssuer"]
    assert len(evidence["processes"]) == 5
    assert alive([one["pid"] for one in evidence["processes"]]) == []
    assert [address for address in evidence["addresses"] if listens(address)] == []


def assert_the_roots_came_first(verdicts: list[dict[str, Any]]) -> None:
    """What rests on something waited for it, if it was looked at in time, and never the other way round."""
    order = [one["responder"] for one in verdicts if one["environment"] == "dev"]
    for one in verdicts:
        assert one["secondsToConverged"] is not None
        assert all(order.index(root) < order.index(one["responder"]) for root in one["causeChain"])
    rested = {one["responder"] for one in verdicts if one["causeChain"]}
    assert {"keycloak_bootstrap", "gitlab_migrations"} <= rested


def assert_values_were_changed_by_pull_request(evidence: dict[str, Any]) -> None:
    """Those of dev, where two bad commits were made; prod's were right, and healed with the rest."""
    proposed = [
        (one["environment"], change["object"])
        for one in evidence["verdicts"]
        for change in one["changes"]
        if change["channel"] == "pull-request" and change["object"].endswith(".yaml")
    ]
    assert sorted(set(proposed)) == [
        ("dev", f"{VALUES}/platform-gitlab.yaml"),
        ("dev", f"{VALUES}/platform-keycloak-realm.yaml"),
    ]
    assert len(evidence["merged"]) == 2
    assert all(one.startswith("ameideio/ameide-gitops#") for one in evidence["merged"])


def assert_is_a_report(page: Path, verdicts: list[dict[str, Any]]) -> None:
    document = ET.fromstring(page.read_text(encoding="utf-8"))  # noqa: S314 (our own)
    text = "".join(document.itertext())
    assert "CONVERGED: " in text
    assert all(f"{one['environment']}/{one['responder']}" in text for one in verdicts)
    assert len(list(document.iter("svg"))) == 2


@pytest.mark.timeout(900)
def test_facts_are_proposed_merged_by_a_reviewer_and_the_platform_heals(tmp_path: Path) -> None:
    running = drill("--dir", str(tmp_path / "sandbox"), "--channel", "pull-request", "--output", "json")
    out, err = running.communicate()
    evidence = json.loads(out)
    assert running.returncode == 0, err
    assert evidence["verdict"] == "converged"
    merged = [one.partition("#")[0] for one in evidence["merged"]]
    assert sorted(merged) == ["ameideio/ameide-gitops"] * 2 + ["ameideio/ameide-runtime-facts"] * 2
    assert "    | `azure.vaultBootstrapIdentityClientId` | `" in err
    facts = [one for one in evidence["claims"] if one["what"] == "facts"]
    assert [(one["after_rebuild"], one["now"]) for one in facts] == [("6 of 8 differ", "8 of 8 equal")] * 2


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


@pytest.fixture
def attentive() -> Iterator[None]:
    """Whoever runs the tests in the background may have them ignore Ctrl-C, and what they start as well."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("attentive")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_ended_drill_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    described = tmp_path / "sandbox" / "stack.json"
    running = drill("--dir", str(described.parent))
    pids: list[int] = []
    try:
        while len(pids) < 4 and running.poll() is None:
            time.sleep(0.05)
            if described.exists():
                pids = [child["pid"] for child in json.loads(described.read_text())["children"]]
        os.kill(running.pid, number)
        _, err = running.communicate()
    finally:
        running.kill()
    assert running.returncode == 3
    assert "interrupted" in err
    assert len(pids) == 4
    assert alive(pids) == []
