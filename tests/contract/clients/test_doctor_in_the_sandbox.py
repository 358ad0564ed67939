"""`reconverge doctor` before the sandbox's cloud: what was granted there is just what its landscape needs."""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli import main
from cli.exits import Exit
from cli.output import Format, Screen
from cli.surroundings import Surroundings
from shared.model import utc_now
from tests.contract.clients.loopback import Cloud

LANDSCAPE = Path(__file__).parents[3] / "sandbox" / "landscape.yaml"
ROLES = "Authorization/permissions"


def pause(_: timedelta) -> None:
    pytest.fail("doctor waits for nothing")


def doctor(cloud: Cloud) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and the checks of permissions."""
    out = io.StringIO()
    here = Surroundings(
        environment={**cloud.environment(), "RECONVERGE_LANDSCAPE": str(LANDSCAPE)},
        screen=Screen(out=out, err=io.StringIO(), format=Format.JSON),
        clock=utc_now,
        pause=pause,
    )
    code = main.conduct(main.parse(["doctor", "--output", "json"]), here)
    checks = json.loads(out.getvalue())["checks"]
    return code, [one for one in checks if one["name"] in {"azure", "kubernetes", "vault", "github"}]


def test_nothing_is_missing_and_nothing_is_more_than_needed(cloud: Cloud) -> None:
    code, checks = doctor(cloud)
    assert code == Exit.CONVERGED
    assert {one["verdict"] for one in checks} == {"ok"}
    assert {one["name"] for one in checks} >= {"azure", "kubernetes"}


def test_a_role_that_was_taken_away_is_missing(cloud: Cloud) -> None:
    body = {"value": [{"actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": []}]}
    cloud.inject(f"ameide-dns-dev-mi/providers/Microsoft.{ROLES}", status=200, body=body)
    code, checks = doctor(cloud)
    assert code == Exit.DIFFERENCES
    (missing,) = [one for one in checks if one["verdict"] == "differs"]
    assert missing["says"].startswith("ameide-dns-dev-mi: missing for federated_credentials: ")
    assert missing["remedy"].endswith("/userAssignedIdentities/ameide-dns-dev-mi")


def test_an_arm_that_tells_no_permissions_leaves_them_unknown(cloud: Cloud) -> None:
    cloud.inject(ROLES, count=None, status=403, body={"error": {"code": "AuthorizationFailed"}})
    code, checks = doctor(cloud)
    assert code == Exit.COULD_NOT_TELL
    assert {one["verdict"] for one in checks if one["name"] == "azure"} == {"not known", "note"}
