"""`reconverge doctor` before a running cloud: what was granted there is just what its landscape needs."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cli import main
from cli.exits import Exit
from cli.output import Format, Screen
from cli.surroundings import Surroundings
from sandbox.control_client import Control
from sandbox.stack import Stack
from shared.model import utc_now

ROLES = "Microsoft.Authorization/permissions"
SYSTEMS = ("azure", "kubernetes", "vault", "github")


@pytest.fixture
def control(cloud: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    """The SDKs look for the CA and the identity endpoint in the environment itself."""
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    control = Control.from_dir(cloud.directory)
    yield control
    control.clear_faults()


def pause(_: timedelta) -> None:
    pytest.fail("doctor waits for nothing")


def doctor(cloud: Stack) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and the checks of permissions."""
    out = io.StringIO()
    here = Surroundings(
        environment=cloud.environment,
        screen=Screen(out=out, err=io.StringIO(), format=Format.JSON),
        clock=utc_now,
        pause=pause,
    )
    code = main.conduct(main.parse(["doctor", "--output", "json"]), here)
    checks = json.loads(out.getvalue())["checks"]
    return code, [one for one in checks if one["name"] in SYSTEMS]


def test_nothing_is_missing_and_nothing_is_more_than_needed(settled: Stack, control: Control) -> None:
    assert control
    code, checks = doctor(settled)
    assert code == Exit.CONVERGED
    assert {one["name"] for one in checks} == set(SYSTEMS)
    notes = [one for one in checks if one["verdict"] != "ok" and not is_spare(one)]
    assert {(one["name"], one["verdict"]) for one in notes} <= {("github", "note")}, notes


def is_spare(check: dict[str, Any]) -> bool:
    """The roles let Jobs be made anew, which the sandbox's contract does not name: values come first."""
    return check["verdict"] == "note" and ": more than needed: delete jobs.batch " in check["says"]


def test_a_role_that_was_taken_away_is_missing(cloud: Stack, control: Control) -> None:
    body = {"value": [{"actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": []}]}
    control.inject(f"ameide-dns-dev-mi/providers/{ROLES}", status=200, body=body)
    code, checks = doctor(cloud)
    assert code == Exit.DIFFERENCES
    (missing,) = [one for one in checks if one["verdict"] == "differs"]
    assert missing["says"].startswith("ameide-dns-dev-mi: missing for federated_credentials: ")
    assert missing["remedy"].endswith("/userAssignedIdentities/ameide-dns-dev-mi")


def test_an_arm_that_tells_no_permissions_leaves_them_unknown(cloud: Stack, control: Control) -> None:
    control.inject(ROLES, count=None, status=403, body={"error": {"code": "AuthorizationFailed"}})
    code, checks = doctor(cloud)
    assert code == Exit.COULD_NOT_TELL
    assert {one["verdict"] for one in checks if one["name"] == "azure"} == {"not known", "note"}
    assert "differs" not in {one["verdict"] for one in checks}


def test_a_rebuilt_cluster_grants_the_same_as_before(cloud: Stack, control: Control) -> None:
    control.recreate("ameide")
    _, checks = doctor(cloud)
    of_cluster = [one for one in checks if one["name"] in {"azure", "kubernetes"}]
    assert [one["says"] for one in of_cluster if one["verdict"] != "ok" and not is_spare(one)] == []
    assert "kubernetes" in {one["name"] for one in of_cluster}
