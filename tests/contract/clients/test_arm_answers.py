"""What a bad day of ARM or of the network becomes. Every call is made once and nothing is slept over."""

import time
from datetime import timedelta

import pytest

from shared.clients import azure_core
from shared.clients.azure_core import without_correlation
from shared.clients.credentials import AppCredential
from shared.clients.managed_identities import ManagedIdentities
from shared.errors import PermanentError, TemporaryError, Throttled, WriteConflict
from shared.model import Absent, Credential, Unknown
from shared.settings import Settings
from tests.contract.clients.loopback import Cloud

HOUR = timedelta(hours=1)
AT_ONCE = 60.0
"""Seconds. Generous for a call on loopback, nothing to a sleep of an hour."""
CONCURRENT = "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"
WANTED = Credential(name="test-credential", issuer="https://i/", subject="s", audiences=("a",))


@pytest.fixture
def identities(settings: Settings, credential: AppCredential) -> ManagedIdentities:
    return ManagedIdentities(settings, credential)


@pytest.fixture
def identity_id(cloud: Cloud) -> str:
    return cloud.identity_id("ameide-vault-bootstrap-mi")


def error(code: str) -> dict[str, object]:
    return {"error": {"code": code, "message": "a text that must not be shown"}}


REFUSALS: dict[str, tuple[int, str, type[TemporaryError]]] = {
    "too many requests": (429, "TooManyRequests", Throttled),
    "no server left": (503, "ServiceUnavailable", Throttled),
    "a lost race under the identity": (409, CONCURRENT, WriteConflict),
    "another conflict": (409, "AnotherOperationInProgress", Throttled),
    "not allowed, for now": (403, "AuthorizationFailed", Throttled),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_named_pause_of_an_hour_becomes_a_delay_and_is_not_slept(
    identities: ManagedIdentities,
    cloud: Cloud,
    identity_id: str,
    refusal: tuple[int, str, type[TemporaryError]],
) -> None:
    status, code, kind = refusal
    cloud.inject(
        "userAssignedIdentities", status=status, body=error(code), headers={"Retry-After": "3600"}, count=None
    )
    started = time.monotonic()
    read = identities.get(identity_id)
    with pytest.raises(kind) as caught:
        identities.put(identity_id, WANTED)
    assert time.monotonic() - started < AT_ONCE
    assert caught.value.delay == HOUR
    assert isinstance(read, Unknown)
    assert read.delay == HOUR
    assert [method for method, _ in cloud.calls()] == ["GET", "PUT"]


def test_of_a_refusal_only_status_code_and_correlation_id_are_shown(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    cloud.inject(
        "userAssignedIdentities",
        status=500,
        body=error("InternalServerError"),
        headers={"x-ms-correlation-request-id": "0f8fad5b-d9cb-469f-a165-70867728950e"},
    )
    assert identities.get(identity_id) == Unknown(
        "ARM answered 500 InternalServerError (correlation id 0f8fad5b-d9cb-469f-a165-70867728950e)"
    )


@pytest.mark.parametrize("code", ["AccountKey=c2VjcmV0", "a text that must not be shown", "x" * 101, 7, None])
def test_what_stands_in_the_place_of_a_code_is_not_shown(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str, code: object
) -> None:
    cloud.inject("userAssignedIdentities", status=500, body={"error": {"code": code, "message": "secret"}})
    found = identities.get(identity_id)
    assert isinstance(found, Unknown)
    assert without_correlation(found.why) == "ARM answered 500"


def test_a_provider_that_is_not_registered_is_not_registered_behind_our_back(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    body = {
        "error": {
            "code": "MissingSubscriptionRegistration",
            "message": "The subscription is not registered to use namespace 'Microsoft.ManagedIdentity'",
        }
    }
    cloud.inject("userAssignedIdentities", status=409, body=body)
    with pytest.raises(PermanentError, match="register the resource provider"):
        identities.put(identity_id, WANTED)
    assert [method for method, _ in cloud.calls()] == ["PUT"]


def test_a_redirect_is_not_followed(identities: ManagedIdentities, cloud: Cloud, identity_id: str) -> None:
    elsewhere = f"{cloud.description['cloud']}/elsewhere"
    cloud.inject("userAssignedIdentities", status=307, body={}, headers={"Location": elsewhere})
    assert isinstance(identities.get(identity_id), Unknown)
    assert len(cloud.calls()) == 1


def test_a_cut_connection_is_unknown_and_not_repeated(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    cloud.inject("userAssignedIdentities", reset=True)
    assert isinstance(identities.get(identity_id), Unknown)
    assert len(cloud.calls()) == 1


def test_a_slow_answer_is_waited_for_no_longer_than_the_limit(
    cloud: Cloud,
    settings: Settings,
    credential: AppCredential,
    identity_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    credential.get_token(f"{settings.arm_audience}/.default")
    monkeypatch.setattr(azure_core, "READ", 0.2)
    monkeypatch.setattr("shared.clients.arm._connections", lambda _: azure_core.transport())
    cloud.inject("userAssignedIdentities", delay=1)
    found = ManagedIdentities(settings, credential).get(identity_id)
    assert isinstance(found, Unknown)
    assert "ServiceResponseTimeoutError" in found.why
    # The cloud is still at it, and would count the call into another test.
    while not cloud.calls():
        time.sleep(0.05)


def test_an_address_where_nobody_listens_is_unknown(
    cloud: Cloud, credential: AppCredential, identity_id: str
) -> None:
    nowhere = Settings.from_environment(
        {**cloud.environment(), "RECONVERGE_ARM_ENDPOINT": "https://127.0.0.1:1"}
    )
    found = ManagedIdentities(nowhere, credential).get(identity_id)
    assert isinstance(found, Unknown)
    assert "could not be reached" in found.why


def test_without_a_token_nothing_is_asked_and_the_reason_is_told(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    found = identities.get(identity_id)
    assert isinstance(found, Unknown)
    assert "AZURE_CLIENT_ID" in found.why
    with pytest.raises(TemporaryError, match="no token"):
        identities.put(identity_id, WANTED)
    assert cloud.calls() == []


def test_only_arms_own_word_makes_a_thing_absent(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    cloud.inject("userAssignedIdentities", status=404, body={})
    cloud.inject("userAssignedIdentities", status=404, body=error("SubscriptionNotFound"))
    cloud.inject("userAssignedIdentities", status=404, body=error("ResourceGroupNotFound"))
    assert isinstance(identities.get(identity_id), Unknown)
    assert isinstance(identities.get(identity_id), Unknown)
    assert identities.get(identity_id) == Absent()
