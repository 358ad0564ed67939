"""`reconverge run` from a checkout, without storage and without the app, against a cloud that behaves."""

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from cli import judging
from cli.exits import Exit
from cli.judging import Claim
from cli.judging.verdict import Answer
from cli.story import operator_of
from sandbox.control_client import Control
from sandbox.stack import Stack
from shared.landscape import load
from tests.drill.conftest import PATIENCE

COMMAND = Path(__file__).parents[2] / "bin" / "reconverge"


def reconverge(cloud: Stack, elsewhere: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    code, printed, complained = command(cloud, elsewhere, *arguments, "--output", "json")
    return code, json.loads(printed), complained


def command(cloud: Stack, elsewhere: Path, *arguments: str) -> tuple[int, str, str]:
    environment = {**os.environ, **cloud.environment}
    del environment["AzureWebJobsStorage"]
    ended = subprocess.run(  # noqa: S603 (our own command)
        [COMMAND, *arguments],
        cwd=elsewhere,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout, ended.stderr


RESPONDERS = ("federated_credentials", "runtime_facts", "vault_seeding")


def answers(cloud: Stack, asked: tuple[Claim, ...]) -> list[Answer]:
    return [one.answer for one in judging.verdicts(operator_of(cloud), asked).values()]


@pytest.mark.timeout(400)
def test_a_rebuilt_cluster_is_seen_then_repaired_then_found_as_declared(
    settled: Stack, tmp_path: Path
) -> None:
    cloud = settled
    Control.from_dir(cloud.directory).recreate("ameide")
    code, seen, _ = reconverge(cloud, tmp_path, "run")
    assert code == Exit.DIFFERENCES
    found = {one["target"]: one for one in seen["targets"]}
    for environment in ("dev", "prod"):
        credentials, facts, seeding = (found[f"{environment}/{one}"] for one in RESPONDERS)
        assert {one["reason"] for one in credentials["findings"]} == {"IssuerStale"}
        assert {one["reason"] for one in facts["findings"]} == {"FactDiffers"}
        assert {"SeedMissing", "VaultLoginRefused"} & {one["reason"] for one in seeding["findings"]}
        assert (seeding["outcome"]["word"], seeding["steps"]) == ("blocked", [])
        assert seeding["outcome"]["blockedBy"] == credentials["target"]

    repaired = reconverge(cloud, tmp_path, "run", "--apply", "--wait", "4m")
    assert repaired[0] == Exit.CONVERGED, repaired[2]
    asked = judging.claims(load(cloud.environment["RECONVERGE_LANDSCAPE"]))
    assert set(answers(cloud, asked)) == {Answer.HOLDS}

    again = reconverge(cloud, tmp_path, "run")
    assert again[0] == Exit.CONVERGED
    assert {one["outcome"]["word"] for one in again[1]["targets"]} == {"converged"}


@pytest.mark.timeout(300)
def test_one_tree_is_printed_of_what_is_blocked_beneath_its_root(cloud: Stack, tmp_path: Path) -> None:
    control = Control.from_dir(cloud.directory)
    control.recreate("ameide")
    control.break_submodule()
    wait_for_argo_cd(cloud)
    _, printed, _ = command(cloud, tmp_path, "run", "--environment", "dev")
    control.mend_submodule()
    heads = [line for line in printed.splitlines() if re.match(r" *dev/", line)]
    assert [(line.split()[0], len(line) - len(line.lstrip())) for line in heads] == [
        ("dev/submodule_refs", 0),
        ("dev/keycloak_bootstrap", 4),
        ("dev/gitlab_migrations", 4),
        ("dev/applications", 4),
        ("dev/federated_credentials", 0),
        ("dev/vault_seeding", 4),
        ("dev/runtime_facts", 0),
    ]


def wait_for_argo_cd(cloud: Stack) -> None:
    """Until every Application tells that it cannot be compared."""
    declared = judging.claims(load(cloud.environment["RECONVERGE_LANDSCAPE"]))
    asked = tuple(claim for claim in declared if claim.kind == "applications")
    deadline = time.monotonic() + PATIENCE
    while (told := said(cloud, asked)) != {"3 of 3: ComparisonError"}:
        assert time.monotonic() < deadline, told
        time.sleep(0.5)


def said(cloud: Stack, asked: tuple[Claim, ...]) -> set[str]:
    return {str(verdict) for verdict in judging.verdicts(operator_of(cloud), asked).values()}
