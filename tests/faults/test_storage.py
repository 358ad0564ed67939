"""The storage account goes away for some seconds and comes back."""

import json
from pathlib import Path

import pytest
import requests

from sandbox.stack import Stack
from tests.faults import landscapes
from tests.faults.hosts import Host
from tests.faults.platform import DEV, Platform
from tests.faults.relay import Relays
from tests.waiting import eventually


@pytest.fixture(scope="module")
def landscape(cloud: Stack) -> Path:
    return landscapes.dev_alone(cloud.directory / "dev-alone.yaml")


@pytest.fixture(scope="module")
def storage(account: Relays) -> str:
    return account.storage


def test_a_rebuild_while_the_storage_is_away_is_repaired_once_it_is_back(
    platform: Platform, host: Host, account: Relays
) -> None:
    assert host.ask("GET", "/api/health", key="").json()["ready"]
    account.cut()
    platform.rebuild()
    answer = host.ask("GET", "/api/health", key="")
    assert answer.status_code == 503
    # All that it says: no address, no account, no error's text.
    assert json.loads(answer.text) == {
        "ready": False,
        "parts": {"settings": "ok", "landscape": "ok", "storage": "failing"},
    }
    assert platform.puts() == []
    account.mend()
    platform.prove(DEV)
    platform.assert_written_once(DEV)
    assert host.ask("GET", "/api/health", key="").json()["ready"]
    assert platform.control.dead_letters() == []


def test_a_notification_of_argo_cd_is_accepted_only_while_it_can_be_kept(
    cloud: Stack, platform: Platform, host: Host, account: Relays
) -> None:
    token = cloud.environment["RECONVERGE_ARGOCD_TOKEN"]

    def notify() -> requests.Response:
        """With a text that nobody can read, so that its reason is journalled."""
        headers = {"Authorization": f"Bearer {token}"}
        return host.ask("POST", "/api/argocd", headers=headers, data=b"<no value>")

    account.cut()
    refused = notify()
    # What Argo CD tries again, with the same text.
    assert refused.status_code == 500
    assert refused.content == b""
    account.mend()
    accepted = notify()
    assert accepted.status_code == 202
    eventually(lambda: platform.journal("signals", "rejected"))
    (row,) = platform.journal("signals", "rejected")
    assert row["detail"]["reason"] == accepted.json()["unreadable"]


def test_a_run_whose_tables_go_away_in_the_middle_of_a_write_is_taken_over_and_writes_nothing_twice(
    platform: Platform, host: Host, account: Relays
) -> None:
    platform.control.inject("/federatedIdentityCredentials/", method="PUT", phase="after", delay=1)
    platform.rebuild()
    eventually(lambda: platform.control.faults()[0]["left"] == 0)
    earlier = len(host.executed())
    account.table.cut()
    left = platform.row(DEV)["lease_owner"]
    eventually(
        lambda: (
            ("run_target", False)
            in [(one["function"], one["succeeded"]) for one in host.executed()[earlier:]]
        )
    )
    account.table.mend()
    # The run has given up, and could not let go of its lease: the clock is moved over that.
    assert platform.row(DEV)["lease_owner"] == left
    platform.pass_the_time(DEV)
    platform.prove(DEV)
    platform.assert_written_once(DEV)
    assert [one["detail"]["from"] for one in platform.journal(DEV, "taken-over")] == [left]
