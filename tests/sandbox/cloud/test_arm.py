"""What ARM does for every resource: tokens, roles, ids, errors, identities, role assignments."""

import uuid
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.mgmt.msi.models import FederatedIdentityCredential, Identity, IdentityUpdate

from tests.sandbox.clients import API_VERSION, AUDIENCE, GROUP, World


def identities_path(world: World, group: str = GROUP) -> str:
    return (
        f"/subscriptions/{world.described['subscription']}/resourceGroups/{group}"
        "/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
    )


def code(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


# -- authentication and authorisation ---------------------------------------------------


def test_a_call_without_a_token_is_challenged(world: World) -> None:
    answer = world.arm("GET", identities_path(world), headers={})
    assert (answer.status_code, code(answer)) == (401, "AuthenticationFailed")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_a_token_that_nobody_signed_is_refused(world: World) -> None:
    header, payload, _ = world.token().split(".")
    answer = world.arm("GET", identities_path(world), token=f"{header}.{payload}.AAAA")
    assert (answer.status_code, code(answer)) == (401, "InvalidAuthenticationToken")


def test_a_token_for_another_service_is_refused(world: World) -> None:
    token = world.token(scope="https://vault.azure.net/.default")
    answer = world.arm("GET", identities_path(world), token=token)
    assert (answer.status_code, code(answer)) == (401, "InvalidAuthenticationTokenAudience")


@pytest.mark.parametrize("host", ["https://management.azure.com", "https://management.core.windows.net"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_documented_audiences_are_accepted(host: str, slash: str, world: World) -> None:
    token = world.token(scope=f"{host}{slash}/.default")
    assert world.arm("GET", identities_path(world), token=token).status_code == 200


def test_a_wrong_secret_is_an_authentication_error_of_the_sdk(world: World) -> None:
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        list(world.msi(world.secret_credential("wrong")).user_assigned_identities.list_by_subscription())


def test_the_app_may_write_credentials_of_the_platform_but_not_its_own(world: World) -> None:
    client = world.msi(world.app).federated_identity_credentials
    wanted = FederatedIdentityCredential(issuer="https://i/", subject="s", audiences=[AUDIENCE])
    client.create_or_update(GROUP, "ameide-dev-backup-mi", "by-the-app", wanted)
    client.delete(GROUP, "ameide-dev-backup-mi", "by-the-app")
    with pytest.raises(HttpResponseError) as refused:
        client.create_or_update(GROUP, "reconverge-mi", "by-the-app", wanted)
    assert refused.value.status_code == 403
    assert refused.value.error is not None
    assert refused.value.error.code == "AuthorizationFailed"


def test_the_app_may_read_clusters_and_not_change_them(world: World) -> None:
    clusters = world.aks(world.app).managed_clusters
    assert clusters.get(GROUP, "ameide").name == "ameide"
    assert clusters.list_cluster_user_credentials(GROUP, "ameide").kubeconfigs
    with pytest.raises(HttpResponseError, match="managedClusters/delete") as refused:
        clusters.begin_delete(GROUP, "ameide")
    assert refused.value.status_code == 403


def test_a_role_assignment_grants_and_its_deletion_takes_away(world: World) -> None:
    identity = world.identity()
    wanted = FederatedIdentityCredential(issuer="https://i/", subject="s", audiences=[AUDIENCE])
    app = world.msi(world.app).federated_identity_credentials
    with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
        app.create_or_update(GROUP, str(identity.name), "one", wanted)
    path = f"{identity.id}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    role = "/providers/Microsoft.Authorization/roleDefinitions/7e559ce2-48d7-4b27-9128-fa1b247f1308"
    properties = {"roleDefinitionId": role, "principalId": world.described["app"]["object_id"]}
    assert world.arm("PUT", path, json={"properties": properties}).status_code == 201
    assert world.arm("GET", path).json()["properties"]["roleDefinitionId"] == role
    app.create_or_update(GROUP, str(identity.name), "one", wanted)
    assert [world.arm("DELETE", path).status_code for _ in range(2)] == [200, 204]
    with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
        app.delete(GROUP, str(identity.name), "one")


# -- requests and answers ---------------------------------------------------------------


def test_a_call_without_an_api_version_is_refused(world: World) -> None:
    answer = world.arm("GET", identities_path(world), params={})
    assert (answer.status_code, code(answer)) == (400, "MissingApiVersionParameter")


def test_any_plausible_api_version_is_accepted_and_nonsense_is_not(world: World) -> None:
    accepted = world.arm("GET", identities_path(world), params={"api-version": "2031-12-31-preview"})
    refused = world.arm("GET", identities_path(world), params={"api-version": "latest"})
    assert (accepted.status_code, refused.status_code) == (200, 400)


def test_every_answer_carries_its_ids_and_repeats_the_callers(world: World) -> None:
    mine = {"x-ms-client-request-id": "mine", "x-ms-correlation-request-id": "ours"}
    headers = {"Authorization": f"Bearer {world.token()}", **mine}
    for path in (identities_path(world), f"{identities_path(world)}/nobody"):
        answer = world.arm("GET", path, headers=headers)
        assert answer.headers["x-ms-request-id"]
        assert {name: answer.headers[name] for name in mine} == mine


def test_an_unknown_group_is_named(world: World) -> None:
    answer = world.arm("GET", f"{identities_path(world, 'elsewhere')}/one")
    assert (answer.status_code, code(answer)) == (404, "ResourceGroupNotFound")


def test_an_unknown_subscription_is_named(world: World) -> None:
    path = identities_path(world).replace(world.described["subscription"], str(uuid.uuid4()))
    answer = world.arm("GET", path)
    assert (answer.status_code, code(answer)) == (404, "SubscriptionNotFound")


def test_a_body_that_is_not_json_is_refused(world: World) -> None:
    path = f"{identities_path(world)}/one"
    answer = world.arm("PUT", path, data="{", params={"api-version": API_VERSION})
    assert (answer.status_code, code(answer)) == (400, "InvalidRequestContent")


# -- identities -------------------------------------------------------------------------


def test_an_identity_lives_from_its_creation_to_its_deletion(world: World) -> None:
    client = world.msi().user_assigned_identities
    made = client.create_or_update(GROUP, "short-lived", Identity(location="westeurope", tags={"a": "1"}))
    assert (made.type, made.tenant_id) == (
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        world.described["tenant"],
    )
    assert str(made.id).endswith(
        "/resourcegroups/Ameide/providers/Microsoft.ManagedIdentity/userAssignedIdentities/short-lived"
    )
    changed = client.update(GROUP, "Short-Lived", IdentityUpdate(tags={"b": "2"}))
    assert (changed.client_id, changed.tags) == (made.client_id, {"b": "2"})
    assert "short-lived" in [one.name for one in client.list_by_resource_group(GROUP)]
    client.delete(GROUP, "short-lived")
    with pytest.raises(ResourceNotFoundError):
        client.get(GROUP, "short-lived")


def test_an_identity_made_again_under_its_name_is_another_one_without_credentials(world: World) -> None:
    first = world.identity()
    world.trust(first, subject="s")
    client = world.msi()
    client.user_assigned_identities.delete(GROUP, str(first.name))
    second = client.user_assigned_identities.create_or_update(
        GROUP, str(first.name), Identity(location="westeurope")
    )
    assert second.client_id != first.client_id
    assert list(client.federated_identity_credentials.list(GROUP, str(first.name))) == []


def test_lists_of_identities_follow_the_next_link(world: World) -> None:
    world.control.turn(page_size=2)
    names = [one.name for one in world.msi().user_assigned_identities.list_by_subscription()]
    assert len(names) > 4
    assert {"ameide-dns-dev-mi", "ameide-prod-backup-mi", "reconverge-mi"} <= set(names)
