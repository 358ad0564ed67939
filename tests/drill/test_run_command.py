"""`reconverge run` from a checkout, without storage and without the app, against a cloud that behaves."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.exits import Exit
from cli.story import operator_of
from cli.verdict import Judge, claims
from sandbox.control_client import Control
from sandbox.stack import Stack
from shared.landscape import load

COMMAND = Path(__file__).parents[2] / "bin" / "reconverge"


def reconverge(cloud: Stack, elsewhere: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    environment = {**os.environ, **cloud.environment}
    del environment["AzureWebJobsStorage"]
    ended = subprocess.run(  # noqa: S603 (our own command)
        [COMMAND, *arguments, "--output", "json"],
        cwd=elsewhere,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, json.loads(ended.stdout), ended.stderr


@pytest.mark.timeout(300)
def test_a_rebuilt_cluster_is_seen_then_repaired_then_found_as_declared(cloud: Stack, tmp_path: Path) -> None:
    Control.from_dir(cloud.directory).recreate("ameide")
    seen = reconverge(cloud, tmp_path, "run")
    assert seen[0] == Exit.DIFFERENCES
    assert {one["reason"] for target in seen[1]["targets"] for one in target["findings"]} == {"IssuerStale"}

    repaired = reconverge(cloud, tmp_path, "run", "--apply", "--wait", "2m")
    assert repaired[0] == Exit.CONVERGED, repaired[2]
    proofs = [proof for target in repaired[1]["targets"] for proof in target["proofs"]]
    assert [proof["verdict"] for proof in proofs] == ["accepted"] * 6

    asked = claims(load(cloud.environment["RECONVERGE_LANDSCAPE"]))
    assert {str(one) for one in Judge(operator_of(cloud)).verdicts(asked).values()} == {"accepted"}

    again = reconverge(cloud, tmp_path, "run")
    assert again[0] == Exit.CONVERGED
    assert [one["outcome"]["word"] for one in again[1]["targets"]] == ["converged", "converged"]
