"""Identities and their credentials, read and written through the loopback cloud's ARM."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from shared.clients.credentials import AppCredential
from shared.clients.managed_identities import ManagedIdentities
from shared.errors import Misconfigured, PermanentError, TemporaryError, WriteConflict
from shared.model import Absent, Credential, Known, Unknown, same_id
from shared.settings import Settings
from tests.contract.clients.loopback import Cloud

NAME = "ameide-vault-bootstrap-mi"
AUDIENCE = "api://AzureADTokenExchange"


@pytest.fixture
def identities(settings: Settings, credential: AppCredential) -> ManagedIdentities:
    return ManagedIdentities(settings, credential)


@pytest.fixture
def identity_id(cloud: Cloud) -> str:
    return cloud.identity_id(NAME)


@pytest.fixture
def dials(cloud: Cloud) -> Iterator[Cloud]:
    usual = cloud.control("GET", "dials")
    yield cloud
    cloud.control("PATCH", "dials", usual)


def fresh(**changes: object) -> Credential:
    unique = uuid4().hex
    made = Credential(
        name=f"test-{unique}",
        issuer=f"https://issuer.example/{unique}/",
        subject="system:serviceaccount:Test:Reader",
        audiences=(AUDIENCE,),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # the tests name its fields


def held(identities: ManagedIdentities, identity_id: str) -> dict[str, Credential]:
    found = identities.credentials(identity_id)
    assert isinstance(found, Known)
    return {credential.name: credential for credential in found.value}


def test_an_identity_is_read_with_one_get(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    described = {one["name"]: one for one in cloud.control("GET", "state")["identities"]}[NAME]
    found = identities.get(identity_id)
    assert isinstance(found, Known)
    assert same_id(found.value.id, identity_id)
    assert found.value.client_id == described["clientId"]
    assert found.value.principal_id == described["principalId"]
    assert found.value.tenant_id == cloud.description["tenant"]
    assert [method for method, _ in cloud.calls()] == ["GET"]


def test_credentials_are_read_with_one_list(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    described = {one["name"]: one for one in cloud.control("GET", "state")["identities"]}[NAME]
    names = set(held(identities, identity_id))
    assert names == {one["name"] for one in described["credentials"]}
    assert [method for method, _ in cloud.calls()] == ["GET"]


def test_further_pages_are_read_too(identities: ManagedIdentities, dials: Cloud, identity_id: str) -> None:
    whole = held(identities, identity_id)
    dials.control("PATCH", "dials", {"page_size": 1})
    dials.forget_calls()
    assert held(identities, identity_id) == whole
    assert len(dials.calls()) == len(whole) > 1


def test_what_does_not_exist_is_absent(identities: ManagedIdentities, identity_id: str) -> None:
    assert identities.get(f"{identity_id}-gone") == Absent()


def test_credentials_of_an_identity_that_does_not_exist_are_absent(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    cloud.inject(
        "federatedIdentityCredentials",
        status=404,
        body={"error": {"code": "ParentResourceNotFound", "message": ""}},
    )
    assert identities.credentials(identity_id) == Absent()


def test_a_flexible_credential_has_no_subject(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    matching = {"languageVersion": 1, "value": "claims['sub'] matches 'system:serviceaccount:ns:*'"}
    properties = {"issuer": "https://i/", "audiences": [AUDIENCE], "claimsMatchingExpression": matching}
    cloud.inject(
        "federatedIdentityCredentials",
        status=200,
        body={"value": [{"name": "flexible", "properties": properties}]},
    )
    assert held(identities, identity_id) == {
        "flexible": Credential(name="flexible", issuer="https://i/", subject=None, audiences=(AUDIENCE,))
    }


def test_a_credential_without_any_property_is_still_listed_by_its_name(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    cloud.inject("federatedIdentityCredentials", status=200, body={"value": [{"name": "bare"}]})
    assert held(identities, identity_id) == {
        "bare": Credential(name="bare", issuer="", subject=None, audiences=())
    }


@pytest.mark.parametrize("body", ["<html>", {"value": 5}, {"value": [5]}, [1]], ids=str)
def test_what_is_no_list_of_credentials_proves_nothing(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str, body: object
) -> None:
    cloud.inject("federatedIdentityCredentials", status=200, body=body)
    assert isinstance(identities.credentials(identity_id), Unknown)


def test_a_put_creates_a_credential_with_one_call(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    wanted = fresh()
    identities.put(identity_id, wanted)
    assert [method for method, _ in cloud.calls()] == ["PUT"]
    assert held(identities, identity_id)[wanted.name] == wanted


def test_a_put_replaces_the_credential_of_that_name_as_a_whole(
    identities: ManagedIdentities, identity_id: str
) -> None:
    first = fresh()
    second = fresh(name=first.name, subject="system:serviceaccount:test:other")
    identities.put(identity_id, first)
    identities.put(identity_id, second)
    assert held(identities, identity_id)[first.name] == second


def test_the_pair_of_issuer_and_subject_can_be_held_once(
    identities: ManagedIdentities, identity_id: str
) -> None:
    first = fresh()
    identities.put(identity_id, first)
    with pytest.raises(PermanentError, match="ARM answered 400"):
        identities.put(identity_id, replace(first, name=fresh().name))


def test_of_two_writes_at_once_one_is_a_conflict_and_leaves_nothing(
    identities: ManagedIdentities, dials: Cloud, identity_id: str
) -> None:
    dials.control("PATCH", "dials", {"write_seconds": 1.0})

    def put(credential: Credential) -> WriteConflict | None:
        try:
            identities.put(identity_id, credential)
        except WriteConflict as conflict:
            return conflict
        return None

    wanted = [fresh(), fresh()]
    with ThreadPoolExecutor(2) as pool:
        outcomes = dict(zip(wanted, pool.map(put, wanted), strict=True))
    (lost,) = [credential for credential, conflict in outcomes.items() if conflict]
    (won,) = [credential for credential, conflict in outcomes.items() if not conflict]
    now_held = held(identities, identity_id)
    assert won.name in now_held
    assert lost.name not in now_held


def test_a_flexible_credential_is_never_written(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    with pytest.raises(PermanentError, match="has no subject"):
        identities.put(identity_id, fresh(subject=None))
    assert cloud.calls() == []


def test_a_write_under_an_identity_that_is_gone_may_be_planned_anew(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    cloud.inject(
        "federatedIdentityCredentials",
        status=404,
        body={"error": {"code": "ParentResourceNotFound", "message": ""}},
    )
    with pytest.raises(TemporaryError, match="404 ParentResourceNotFound"):
        identities.put(identity_id, fresh())


def test_a_lost_answer_to_a_write_is_told_as_such_and_not_repeated(
    identities: ManagedIdentities, cloud: Cloud, identity_id: str
) -> None:
    wanted = fresh()
    cloud.inject("federatedIdentityCredentials", method="PUT", reset=True, phase="after")
    with pytest.raises(TemporaryError, match="what was asked may have been done"):
        identities.put(identity_id, wanted)
    assert [method for method, _ in cloud.calls()] == ["PUT"]
    assert held(identities, identity_id)[wanted.name] == wanted


@pytest.mark.parametrize("wrong", ["", "/subscriptions/s", "https://x/subscriptions/s/resourceGroups/g"])
def test_what_is_no_id_is_a_mistake_of_the_landscape(identities: ManagedIdentities, wrong: str) -> None:
    with pytest.raises(Misconfigured, match=r"is not the id of a Microsoft\.ManagedIdentity"):
        identities.get(wrong)
