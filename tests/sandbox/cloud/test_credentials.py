"""Federated credentials, through azure-mgmt-msi: Azure's rules for the credentials of one identity."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.msi.models import FederatedIdentityCredential

from sandbox.credentials import MOST_PER_IDENTITY
from tests.sandbox.clients import API_VERSION, AUDIENCE, GROUP, World

CONCURRENT = "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"


def credential(**changes: Any) -> FederatedIdentityCredential:
    fields = {
        "issuer": "https://issuer.example/",
        "subject": "system:serviceaccount:a:b",
        "audiences": [AUDIENCE],
    }
    return FederatedIdentityCredential(**{**fields, **changes})


def held(world: World, identity: str) -> dict[str, tuple[str, str]]:
    listed = world.msi().federated_identity_credentials.list(GROUP, identity)
    return {str(one.name): (str(one.issuer), str(one.subject)) for one in listed}


def put(
    world: World, identity: str, name: str, wanted: FederatedIdentityCredential
) -> FederatedIdentityCredential:
    written: FederatedIdentityCredential = world.msi().federated_identity_credentials.create_or_update(
        GROUP, identity, name, wanted
    )
    return written


def test_the_platform_starts_with_credentials_that_trust_its_cluster(world: World) -> None:
    platform = held(world, "ameide-vault-bootstrap-mi")
    assert set(platform) == {"vault-bootstrap-dev", "vault-bootstrap-prod"}
    for env in ("dev", "prod"):
        subject = f"system:serviceaccount:ameide-{env}:foundation-vault-bootstrap-vault-bootstrap"
        assert platform[f"vault-bootstrap-{env}"][1] == subject


def test_a_put_creates_with_201_and_then_replaces_as_a_whole_with_200(world: World) -> None:
    identity = str(world.identity().name)
    path = f"{world.msi().user_assigned_identities.get(GROUP, identity).id}/federatedIdentityCredentials/one"
    first = {"properties": {"issuer": "https://a/", "subject": "s", "audiences": [AUDIENCE]}}
    assert world.arm("PUT", path, json=first).status_code == 201
    second = {"properties": {"issuer": "https://b/", "subject": "s", "audiences": ["other"]}}
    answer = world.arm("PUT", path, json=second)
    assert answer.status_code == 200
    assert answer.json()["properties"] == second["properties"]
    assert held(world, identity) == {"one": ("https://b/", "s")}


def test_ids_names_and_groups_are_compared_without_regard_to_case(world: World) -> None:
    identity = str(world.identity().name)
    put(world, identity, "Mixed-Case", credential())
    found = world.msi().federated_identity_credentials.get("aMEIDE", identity.upper(), "mixed-CASE")
    assert found.name == "Mixed-Case"
    put(world, identity.upper(), "MIXED-case", credential(subject="other"))
    assert list(held(world, identity)) == ["Mixed-Case"]


def test_a_deletion_answers_200_then_204_and_the_credential_is_gone(world: World) -> None:
    identity = world.identity()
    put(world, str(identity.name), "one", credential())
    path = f"{identity.id}/federatedIdentityCredentials/one"
    assert [world.arm("DELETE", path).status_code for _ in range(2)] == [200, 204]
    with pytest.raises(ResourceNotFoundError) as refused:
        world.msi().federated_identity_credentials.get(GROUP, str(identity.name), "one")
    assert refused.value.error is not None
    assert refused.value.error.code == "ResourceNotFound"


def test_a_list_is_paged_by_top_and_by_the_service(world: World) -> None:
    identity = str(world.identity().name)
    for number in range(5):
        put(world, identity, f"credential-{number}", credential(subject=f"s{number}"))
    client = world.msi().federated_identity_credentials
    pages = [len(list(page)) for page in client.list(GROUP, identity, top=2).by_page()]
    assert pages == [2, 2, 1]
    world.control.turn(page_size=3)
    assert [len(list(page)) for page in client.list(GROUP, identity).by_page()] == [3, 2]


REFUSED = {
    "no audience": ("ok-name", credential(audiences=[]), "exactly one audience"),
    "two audiences": ("ok-name", credential(audiences=["a", "b"]), "exactly one audience"),
    "no subject": ("ok-name", credential(subject=None), "empty properties"),
    "no issuer": ("ok-name", credential(issuer=None), "empty properties"),
    "an issuer of more than 600 characters": ("ok-name", credential(issuer="x" * 601), "600 characters"),
    "a name of two characters": ("ab", credential(), "name 'ab' is invalid"),
    "a name that begins with a dash": ("-name", credential(), "name '-name' is invalid"),
    "a name with a dot": ("na.me", credential(), "name 'na.me' is invalid"),
    "a name of 121 characters": ("n" * 121, credential(), "is invalid"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_write_is_refused_for(case: str, world: World) -> None:
    name, wanted, text = REFUSED[case]
    identity = str(world.identity().name)
    with pytest.raises(HttpResponseError, match=text) as refused:
        put(world, identity, name, wanted)
    assert refused.value.status_code == 400
    assert held(world, identity) == {}


def test_a_body_without_properties_is_refused(world: World) -> None:
    path = f"{world.identity().id}/federatedIdentityCredentials/one"
    bodies: tuple[object, ...] = ({}, {"properties": {}}, {"properties": None}, [])
    for body in bodies:
        answer = world.arm("PUT", path, json=body)
        assert answer.status_code == 400
        assert "empty properties" in answer.json()["error"]["message"]


def test_the_pair_of_issuer_and_subject_is_unique_within_an_identity(world: World) -> None:
    one, other = str(world.identity().name), str(world.identity().name)
    put(world, one, "first", credential())
    with pytest.raises(HttpResponseError, match="Issuer and subject combination already exists") as refused:
        put(world, one, "second", credential())
    assert refused.value.status_code == 400
    put(world, one, "first", credential())
    put(world, one, "same-subject", credential(issuer="https://another.example/"))
    put(world, one, "same-issuer", credential(subject="system:serviceaccount:a:c"))
    put(world, other, "second", credential())


def test_the_21st_credential_is_refused_and_the_20th_can_still_be_replaced(world: World) -> None:
    identity = str(world.identity().name)
    for number in range(MOST_PER_IDENTITY):
        put(world, identity, f"credential-{number}", credential(subject=f"s{number}"))
    with pytest.raises(HttpResponseError) as refused:
        put(world, identity, "one-too-many", credential())
    assert refused.value.error is not None
    assert str(refused.value.error.code).startswith("SandboxInvented")
    put(world, identity, "credential-19", credential(issuer="https://replaced/"))
    assert len(held(world, identity)) == MOST_PER_IDENTITY


@pytest.mark.parametrize("operation", ["list", "get", "put", "delete"])
def test_a_missing_identity_is_a_missing_parent(operation: str, world: World) -> None:
    client = world.msi().federated_identity_credentials
    calls: dict[str, Any] = {
        "list": lambda: list(client.list(GROUP, "nobody")),
        "get": lambda: client.get(GROUP, "nobody", "one"),
        "put": lambda: client.create_or_update(GROUP, "nobody", "one", credential()),
        "delete": lambda: client.delete(GROUP, "nobody", "one"),
    }
    with pytest.raises(ResourceNotFoundError, match="parent user-assigned identity doesn't exist") as refused:
        calls[operation]()
    assert refused.value.error is not None
    assert refused.value.error.code == "ParentResourceNotFound"


def test_of_two_writes_at_once_under_one_identity_one_is_a_conflict(world: World) -> None:
    world.control.turn(write_seconds=0.5)
    identity = str(world.identity().name)

    def write(number: int) -> str:
        try:
            put(world, identity, f"credential-{number}", credential(subject=f"s{number}"))
        except ResourceExistsError as conflict:
            return str(conflict.error.code) if conflict.error else "no code"
        return "written"

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(write, range(3))) == [CONCURRENT, CONCURRENT, "written"]
    assert len(held(world, identity)) == 1


def test_writes_under_different_identities_do_not_conflict(world: World) -> None:
    world.control.turn(write_seconds=0.3)
    identities = [str(world.identity().name) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda identity: put(world, identity, "one", credential()), identities))
    assert all(len(held(world, identity)) == 1 for identity in identities)


def test_a_flexible_credential_shows_its_expression_to_new_api_versions_only(world: World) -> None:
    identity = world.identity()
    path = f"{identity.id}/federatedIdentityCredentials/flexible"
    expression = {"value": "claims['sub'] matches 'repo:*'", "languageVersion": 1}
    properties = {
        "issuer": "https://token.actions.githubusercontent.com",
        "audiences": [AUDIENCE],
        "claimsMatchingExpression": expression,
    }
    new = {"api-version": "2025-01-31-preview"}
    assert world.arm("PUT", path, params=new, json={"properties": properties}).status_code == 201
    assert world.arm("GET", path, params=new).json()["properties"] == properties
    old = world.arm("GET", path, params={"api-version": API_VERSION}).json()["properties"]
    assert set(old) == {"issuer", "audiences"}
    shown = world.msi().federated_identity_credentials.get(GROUP, str(identity.name), "flexible")
    assert shown.subject is None
