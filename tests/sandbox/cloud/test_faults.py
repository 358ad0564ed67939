"""What a test or a drill may do to the cloud: dials, injected faults, the request log."""

import time

import pytest
import requests
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.mgmt.msi.models import FederatedIdentityCredential

from sandbox.control_client import Control, ControlError
from tests.sandbox.clients import AUDIENCE, GROUP, World
from tests.waiting import eventually

STALENESS = 3.0
"""Seconds, and enough for a write and two reads on a busy computer."""
CREDENTIAL = FederatedIdentityCredential(issuer="https://i/", subject="s", audiences=[AUDIENCE])


def names(world: World, identity: str) -> list[str]:
    return [str(one.name) for one in world.msi().federated_identity_credentials.list(GROUP, identity)]


def identities(world: World) -> list[str]:
    return [str(one.name) for one in world.msi().user_assigned_identities.list_by_subscription()]


def of_a_moment_ago(world: World) -> str:
    """An identity that reads as stale as STALENESS show already: from now on all reads are."""
    identity = str(world.identity().name)
    world.control.turn(arm_staleness=STALENESS)
    eventually(lambda: identity in identities(world))
    return identity


# -- dials ------------------------------------------------------------------------------


def test_a_read_may_answer_with_the_state_of_a_moment_ago(world: World) -> None:
    identity = of_a_moment_ago(world)
    world.msi().federated_identity_credentials.create_or_update(GROUP, identity, "one", CREDENTIAL)
    young = str(world.identity().name)
    assert (names(world, identity), young in identities(world)) == ([], False)
    eventually(lambda: names(world, identity) == ["one"])
    eventually(lambda: young in identities(world))


def test_a_stale_read_does_not_mislead_a_write(world: World) -> None:
    identity = world.identity()
    world.control.turn(arm_staleness=60.0)
    path = f"{identity.id}/federatedIdentityCredentials/one"
    body = {"properties": {"issuer": "https://i/", "subject": "s", "audiences": [AUDIENCE]}}
    assert [world.arm("PUT", path, json=body).status_code for _ in range(2)] == [201, 200]


def test_latency_slows_every_arm_call(world: World) -> None:
    world.token()
    world.control.turn(arm_latency=0.3)
    started = time.monotonic()
    names(world, "ameide-dev-backup-mi")
    assert time.monotonic() - started >= 0.3


def test_throttling_holds_the_documented_rates_per_identity(world: World) -> None:
    one, other = (f"{world.identity().id}/federatedIdentityCredentials" for _ in range(2))
    world.control.turn(throttling=True)
    first, second, elsewhere = (world.arm("GET", path) for path in (one, one, other))
    assert [answer.status_code for answer in (first, second, elsewhere)] == [200, 429, 200]
    assert second.json()["error"]["code"] == "TooManyRequests"
    assert 1 <= int(second.headers["Retry-After"]) <= 4


WRONG_DIALS: dict[str, tuple[dict[str, float | bool], str]] = {
    "an unknown name": ({"wind": 1.0}, "no dial 'wind'; there are arm_latency"),
    "a negative time": ({"arm_latency": -1.0}, "at least 0"),
    "a number for a switch": ({"throttling": 1.0}, "true or false"),
    "a page of none": ({"page_size": 0}, "at least 1"),
}


@pytest.mark.parametrize("case", WRONG_DIALS)
def test_a_wrong_dial_is_explained_and_turns_nothing(case: str, world: World) -> None:
    wrong, text = WRONG_DIALS[case]
    before = world.control.dials()
    with pytest.raises(ControlError, match=text):
        world.control.turn(**{"entra_propagation": 9.0, **wrong})
    assert world.control.dials() == before


# -- faults -----------------------------------------------------------------------------


def test_an_injected_answer_strikes_as_often_as_told_and_only_its_route(world: World) -> None:
    error = {"error": {"code": "ServerTimeout", "message": "try again"}}
    world.control.inject(
        "/federatedIdentityCredentials",
        method="GET",
        count=2,
        status=503,
        body=error,
        headers={"Retry-After": "0"},
    )
    identity = str(world.identity().name)
    answers = [world.arm("GET", f"{world.identity().id}/federatedIdentityCredentials") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert (answers[0].json(), answers[0].headers["Retry-After"]) == (error, "0")
    world.msi().federated_identity_credentials.create_or_update(GROUP, identity, "one", CREDENTIAL)


def test_a_connection_cut_before_the_effect_leaves_nothing_behind(world: World) -> None:
    identity = str(world.identity().name)
    world.control.inject("/federatedIdentityCredentials/one", method="PUT", reset=True)
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        world.msi().federated_identity_credentials.create_or_update(GROUP, identity, "one", CREDENTIAL)
    assert names(world, identity) == []


def test_a_connection_cut_after_the_effect_leaves_the_write(world: World) -> None:
    identity = str(world.identity().name)
    world.control.inject("/federatedIdentityCredentials/one", method="PUT", reset=True, phase="after")
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        world.msi().federated_identity_credentials.create_or_update(GROUP, identity, "one", CREDENTIAL)
    assert names(world, identity) == ["one"]


def test_a_delay_can_outlast_the_callers_patience_after_the_effect(world: World) -> None:
    identity = str(world.identity().name)
    world.control.inject("/federatedIdentityCredentials/one", method="PUT", delay=1.0, phase="after")
    with pytest.raises(ServiceResponseError):
        world.msi().federated_identity_credentials.create_or_update(
            GROUP, identity, "one", CREDENTIAL, read_timeout=0.3
        )
    assert names(world, identity) == ["one"]


def test_a_single_read_can_be_made_stale(world: World) -> None:
    identity = of_a_moment_ago(world)
    world.control.turn(arm_staleness=0.0)
    world.msi().federated_identity_credentials.create_or_update(GROUP, identity, "one", CREDENTIAL)
    world.control.inject(f"/{identity}/federatedIdentityCredentials$", stale_seconds=STALENESS)
    assert [names(world, identity) for _ in range(2)] == [[], ["one"]]


@pytest.mark.parametrize("service", ["entra", "issuer", "identity", "kubernetes"])
def test_every_service_can_be_disturbed(service: str, world: World) -> None:
    ca, told = world.described["ca"], world.described
    world.control.inject(".", service=service, status=502)
    calls = {
        "entra": lambda: world.exchange("x", "y"),
        "issuer": lambda: requests.get(f"{world.issuer()}openid/v1/jwks", verify=ca, timeout=30),
        "identity": lambda: requests.get(told["identity_endpoint"], timeout=30),
        "kubernetes": lambda: requests.get(
            f"{world.control.state()['clusters'][0]['apiServer']}/version",
            verify=world.core().api_client.configuration.ssl_ca_cert,
            timeout=30,
        ),
    }
    if service != "entra":
        world.token()
    assert calls[service]().status_code == 502
    assert calls[service]().status_code != 502


WRONG_FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "an unknown field": ({"path": "x", "colour": "red"}, "has no colour; it has body, count"),
    "a broken expression": ({"path": "("}, "regular expression"),
    "an unknown service": ({"path": "x", "service": "vault"}, "no service 'vault'; there are arm, entra"),
    "an unknown phase": ({"path": "x", "phase": "during"}, "before.* or .*after"),
    "a count in words": ({"path": "x", "count": "twice"}, "whole number"),
}


@pytest.mark.parametrize("case", WRONG_FAULTS)
def test_a_wrong_fault_is_explained(case: str, world: World) -> None:
    wrong, text = WRONG_FAULTS[case]
    with pytest.raises(ControlError, match=text):
        world.control.inject(**wrong)  # type: ignore[arg-type]  # wrong on purpose
    assert world.control.faults() == []


# -- the request log and the door -------------------------------------------------------


def test_the_request_log_tells_who_asked_what_and_what_came_of_it(world: World) -> None:
    identity = world.identity()
    world.control.clear_requests()
    names(world, str(identity.name))
    world.arm("GET", f"{identity.id}/federatedIdentityCredentials/nobody")
    world.control.inject("/federatedIdentityCredentials/cut", reset=True)
    with pytest.raises(requests.ConnectionError):
        world.arm("GET", f"{identity.id}/federatedIdentityCredentials/cut")
    seen = world.control.requests("arm")
    operation = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read"
    assert [one["status"] for one in seen] == [200, 404, None]
    assert [one["operation"] for one in seen] == [operation, operation, ""]
    assert seen[0]["caller"] == world.described["operator"]["object_id"]
    assert seen[0]["path"].endswith(f"/{identity.name}/federatedIdentityCredentials")
    assert [one["service"] for one in world.control.requests()].count("entra") <= 2


def test_the_controls_are_closed_to_whoever_lacks_the_key(world: World) -> None:
    told = world.described
    for key in ("", "wrong"):
        stranger = Control(url=told["cloud"], key=key, ca=told["ca"])
        with pytest.raises(ControlError, match="control_key"):
            stranger.state()


def test_the_state_holds_no_secrets(world: World) -> None:
    state = str(world.control.state())
    for secret in (world.described["operator"]["secret"], world.described["identity_header"]):
        assert secret not in state


def test_a_cluster_that_does_not_exist_cannot_be_recreated(world: World) -> None:
    with pytest.raises(ControlError, match="no cluster 'nobody'; there are /subscriptions/"):
        world.control.recreate("nobody")
