"""Nothing secret and nothing personal reaches a log or a table: over all that this folder has done so far.

The last of the folder by its name, so that it looks at what all others left behind; alone it looks at a bad
day of its own.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from sandbox.stack import Stack
from tests.faults.events import PERSON, event
from tests.faults.hosts import Host
from tests.faults.platform import DEV, PROD, Platform
from tests.waiting import eventually

TOKEN_LIKE: Final = re.compile(r"eyJ[A-Za-z0-9_-]{10,}")
"""How every JSON Web Token begins, and every JSON object in base64."""
CANARY: Final = "a-body-that-nobody-may-repeat"


@pytest.fixture
def _bad_day(platform: Platform) -> None:
    """Trouble whose texts could be repeated: bodies of ARM, Entra and Kubernetes, and people's claims."""
    body = {"error": {"code": "InternalServerError", "message": CANARY}}
    for path, method in (
        ("ameide-dev-backup-mi/federatedIdentityCredentials/", "PUT"),
        ("/oauth2/v2.0/token$", "POST"),
        ("/serviceaccounts/cert-manager-dev/token$", "POST"),
    ):
        platform.control.inject(path, method=method, status=500, body=body)
    platform.rebuild()
    written = "Microsoft.ContainerService/managedClusters/write"
    platform.control.deliver(event(written, "no resource", platform.began, correlation=CANARY))
    platform.put("signals", f'{{"data": "{CANARY}"')
    platform.put("targets", f'{{"{CANARY}": "{CANARY}"}}')
    eventually(lambda: len(platform.journal("signals", "rejected")) == 3)
    eventually(lambda: platform.word(DEV) == "failed")
    assert [fault["left"] for fault in platform.control.faults()] == [0, 0, 0]
    platform.pass_the_time(DEV, PROD)
    platform.prove(DEV, PROD)


def secrets_of(cloud: Stack, host: Host) -> Iterator[tuple[str, str]]:
    """What each one is called, and its value."""
    told = json.loads((cloud.directory / "cloud.json").read_text())
    yield "the operator's secret", told["operator"]["secret"]
    yield "the identity endpoint's header", told["identity_header"]
    yield "the sandbox's control key", told["control_key"]
    yield "the token of Argo CD", told["notifications"]["token"]
    account = cloud.environment["AzureWebJobsStorage"]
    yield "the storage account's key", re.findall("AccountKey=([^;]+)", account)[0]
    yield "a connection string", "AccountKey="
    yield "the master key", host.keys.master
    yield "the function key", host.keys.function
    yield "the Event Grid key", host.keys.system["eventgrid_extension"]
    yield "a private key", "PRIVATE KEY"
    yield "a token's header", "Bearer "
    yield "a body", CANARY
    yield from ((f"the claim {name}", value) for name, value in PERSON.items())


def found_in(text: str, secrets: Mapping[str, str]) -> set[str]:
    """Their names: a failing test must not say what it found."""
    found = {name for name, secret in secrets.items() if secret in text}
    return found | ({"a token"} if TOKEN_LIKE.search(text) else set())


@pytest.mark.usefixtures("_bad_day")
def test_no_log_and_no_row_holds_a_secret_a_body_or_a_person(
    cloud: Stack, host: Host, platform: Platform
) -> None:
    secrets = dict(secrets_of(cloud, host))
    logs = {path.name: path.read_text() for path in (cloud.directory / "logs").glob("*.log")}
    assert "target.settled" in logs["host.log"]
    assert {name: found for name, text in logs.items() if (found := found_in(text, secrets))} == {}
    stored = platform.everything_stored()
    assert "step-done" in stored
    assert found_in(stored, secrets) == set()
