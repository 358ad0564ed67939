"""ARM does not let the app read, or answers with what was."""

import time
from typing import Final

import pytest

from tests.faults.hosts import Host
from tests.faults.platform import DEV, Platform
from tests.waiting import eventually

STRUCK: Final = "cnpg-backup"
IDENTITY: Final = "ameide-dev-backup-mi"
BEHIND: Final = 5.0
"""Seconds that ARM's reads lag."""

READS: Final = {
    "the identity": f"{IDENTITY}$",
    "the identity's credentials": f"{IDENTITY}/federatedIdentityCredentials$",
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_what_may_not_be_read_is_neither_judged_nor_written_and_the_rest_is_repaired(
    platform: Platform, host: Host, read: str
) -> None:
    platform.tell_nobody()
    platform.rebuild()
    refusal = {"error": {"code": "AuthorizationFailed", "message": "The client may not do this."}}
    platform.control.inject(read, method="GET", status=403, body=refusal, count=None)
    host.want("dev")
    eventually(lambda: platform.word(DEV) == "failed")
    assert platform.trusting(DEV) == platform.declared(DEV) - {STRUCK}
    assert platform.puts(IDENTITY) == []
    because = platform.row(DEV)["because"]
    assert because.startswith("Unread:")
    assert "403 AuthorizationFailed" in because

    platform.control.clear_faults()
    platform.pass_the_time(DEV)
    platform.prove(DEV)
    assert [one["status"] for one in platform.puts(IDENTITY)] == [200]


def test_a_read_that_lags_behind_a_write_is_waited_out_and_not_written_over(
    platform: Platform, host: Host
) -> None:
    platform.tell_nobody()
    platform.rebuild()
    time.sleep(BEHIND)  # from now on even a late read shows the rebuilt cluster
    platform.control.turn(arm_staleness=BEHIND)
    host.want("dev")
    platform.prove(DEV)
    first, *_ = (one["detail"] for one in platform.journal(DEV, "outcome"))
    assert (first["word"], first["because"].split(":")[0]) == ("pending", "ReadMayBeStale")
    platform.assert_written_once(DEV)
