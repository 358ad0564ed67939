"""ARM refuses a write, or its answer is lost."""

from datetime import timedelta
from typing import Any, Final

import pytest

from tests.faults.hosts import Host
from tests.faults.platform import DEV, PROD, Platform
from tests.waiting import eventually

STRUCK: Final = "cnpg-backup"
PUT: Final = "ameide-dev-backup-mi/federatedIdentityCredentials/cnpg-backup"
SECONDS: Final = 17
"""More than the app's own first pause, so that the header decides."""


def error(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "Not now."}}


CONFLICT: Final = "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"
REFUSALS: Final[dict[str, tuple[dict[str, Any], str, bool | None]]] = {
    "another writer under the identity": ({"status": 409, "body": error(CONFLICT)}, f"409 {CONFLICT}", False),
    "throttling": (
        {"status": 429, "body": error("TooManyRequests"), "headers": {"Retry-After": "1"}},
        "429 TooManyRequests",
        False,
    ),
    "an outage": ({"status": 503, "body": error("ServiceUnavailable")}, "503 ServiceUnavailable", None),
    "a cut connection": ({"reset": True}, "the answer was lost", None),
}


@pytest.mark.parametrize(("fault", "said", "written"), REFUSALS.values(), ids=REFUSALS)
def test_a_write_that_fails_is_made_again_after_a_pause_and_holds_up_no_other_identity(
    platform: Platform, fault: dict[str, Any], said: str, written: bool | None
) -> None:
    platform.control.inject(PUT, method="PUT", **fault)
    platform.rebuild()
    eventually(lambda: platform.word(DEV) == "failed")
    assert platform.trusting(DEV) == platform.declared(DEV) - {STRUCK}
    (failed,) = platform.journal(DEV, "step-failed")
    assert said in failed["detail"]["error"]
    assert failed["detail"]["written"] is written

    platform.pass_the_time(DEV)
    platform.prove(DEV)
    assert [one["status"] for one in platform.puts(PUT)] == [fault.get("status"), 200]


def test_the_pause_that_azure_asks_for_is_kept_and_nobody_else_waits_for_it(
    platform: Platform, host: Host
) -> None:
    headers = {"Retry-After": str(SECONDS)}
    platform.control.inject(PUT, method="PUT", status=429, body=error("TooManyRequests"), headers=headers)
    platform.rebuild()
    eventually(lambda: platform.word(DEV) == "failed")
    (refused,) = platform.puts(PUT)
    pause = platform.row(DEV)["not_before"] - refused["time"]
    assert timedelta(seconds=SECONDS) <= pause < timedelta(seconds=SECONDS + 5)
    # No run of dev is under way, and the process is free for another target and for people.
    platform.prove(PROD, patience=10)
    # Neither they nor a message too many shorten the pause.
    host.want("dev")
    platform.wake(DEV)

    platform.prove(DEV, patience=SECONDS + 20)
    first, second = platform.puts(PUT)
    assert second["time"] - first["time"] >= timedelta(seconds=SECONDS)


def test_a_write_whose_answer_is_lost_is_looked_at_and_not_made_again(platform: Platform) -> None:
    platform.control.inject(PUT, method="PUT", phase="after", reset=True)
    platform.rebuild()
    platform.prove(DEV)
    assert [one["status"] for one in platform.puts(PUT)] == [None]
    (failed,) = platform.journal(DEV, "step-failed")
    assert "may have been done" in failed["detail"]["error"]
    assert failed["detail"]["written"] is None
    assert "failed" not in platform.outcomes(DEV)
