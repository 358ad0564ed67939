"""The write is done, and Entra or the cluster's API server stands in the way of its proof."""

from typing import Any, Final

import pytest

from tests.faults.hosts import Host
from tests.faults.platform import DEV, PROD, Platform
from tests.waiting import eventually

EXCHANGE: Final = {"path": "/oauth2/v2.0/token$", "service": "entra"}
TOKEN_REQUEST: Final = {
    "path": "ameide-dev/serviceaccounts/postgres-ameide/token$",
    "service": "kubernetes",
}
FOREVER: Final = 86_400.0
"""Seconds of propagation."""


def status(code: int, reason: str) -> dict[str, Any]:
    return {
        "status": code,
        "body": {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code},
    }


OBSTACLES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "Entra cannot be reached": ({**EXCHANGE, "reset": True}, "Entra"),
    "Entra is out of order": ({**EXCHANGE, "status": 503}, "Entra answered 503"),
    "the service account is not there yet": (
        {**TOKEN_REQUEST, **status(404, "NotFound")},
        "service account ameide-dev/postgres-ameide does not exist",
    ),
    "the API server lets the app ask for no token": (
        {**TOKEN_REQUEST, **status(403, "Forbidden")},
        "grant the app's identity create on serviceaccounts/token",
    ),
    "the API server cannot be reached": ({**TOKEN_REQUEST, "reset": True}, "could not be reached"),
}


@pytest.mark.parametrize(("fault", "said"), OBSTACLES.values(), ids=OBSTACLES)
def test_a_repair_that_cannot_be_proven_is_pending_until_it_can_be_and_is_written_once(
    platform: Platform, fault: dict[str, Any], said: str
) -> None:
    platform.control.inject(**fault, count=None)
    platform.rebuild()
    eventually(lambda: platform.word(DEV) == "pending" and platform.trusting(DEV) == platform.declared(DEV))
    because = platform.row(DEV)["because"]
    assert because.startswith("Unproven:")
    assert said in because

    platform.control.clear_faults()
    platform.pass_the_time(DEV, PROD)
    platform.prove(DEV, PROD)
    platform.assert_written_once(DEV, PROD)


def test_a_refusal_is_waited_for_while_propagation_explains_it_and_then_needs_somebody(
    platform: Platform, host: Host
) -> None:
    platform.control.turn(entra_propagation=FOREVER)
    platform.rebuild()
    eventually(lambda: platform.word(PROD) == "human")
    # In prod the grace is five seconds, in dev ten minutes.
    assert "pending" in platform.outcomes(PROD)
    assert platform.row(PROD)["because"].startswith("RefusedAfterGrace: Entra answers AADSTS700211")
    eventually(lambda: platform.word(DEV) == "pending")
    assert platform.row(DEV)["because"].startswith("Propagating:")

    platform.control.turn(entra_propagation=0)
    host.want("prod")
    platform.prove(PROD, DEV)
    platform.assert_written_once(DEV, PROD)
