"""The sandbox's Key Vault, asked by the official client; and what ARM tells of it."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from tests.sandbox.clients import ARM_SCOPE, World

SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
VAULT_SCOPE = "https://vault.azure.net/.default"


def client(world: World, credential: TokenCredential | None = None) -> SecretClient:
    return SecretClient(
        uri(world),
        credential or world.operator,
        verify_challenge_resource=False,
        connection_verify=world.described["ca"],
        retry_total=0,
    )


def uri(world: World) -> str:
    return str(world.described["vaults"]["ameidekv"])


@pytest.fixture
def name(world: World) -> Iterator[str]:
    fresh = f"test-{uuid.uuid4().hex[:8]}"
    yield fresh
    world.control.clear_faults()


def inner(error: HttpResponseError) -> Any:
    assert error.error is not None
    return error.error.innererror["code"] if error.error.innererror else None


def test_the_platforms_required_secrets_are_there_without_their_values_in_the_list(world: World) -> None:
    listed = {one.name for one in client(world).list_properties_of_secrets()}
    assert {"ghcr-username", "ghcr-token", "codex-auth-json-b64-2"} <= listed
    assert "coder-cli-session-token" not in listed


def test_a_secret_is_kept_in_versions_of_which_the_newest_is_read(world: World, name: str) -> None:
    vault = client(world)
    first = vault.set_secret(name, "one")
    second = vault.set_secret(name.upper(), "two", content_type="text/plain", tags={"owner": "test"})
    assert vault.get_secret(name).value == "two"
    assert vault.get_secret(name, first.properties.version).value == "one"
    assert vault.get_secret(name).properties.tags == {"owner": "test"}
    versions = [one.version for one in vault.list_properties_of_secret_versions(name)]
    assert versions == [first.properties.version, second.properties.version]


def test_a_list_goes_on_over_pages(world: World, name: str) -> None:
    vault = client(world)
    for number in range(30):
        vault.set_secret(f"{name}-{number}", "x")
    assert len([one for one in vault.list_properties_of_secrets() if (one.name or "").startswith(name)]) == 30


def test_what_is_not_there_is_told_by_its_code(world: World, name: str) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        client(world).get_secret(name)
    assert caught.value.error is not None
    assert caught.value.error.code == "SecretNotFound"


def test_a_disabled_secret_is_listed_and_not_read(world: World, name: str) -> None:
    vault = client(world)
    vault.set_secret(name, "value")
    vault.update_secret_properties(name, enabled=False)
    with pytest.raises(HttpResponseError) as caught:
        vault.get_secret(name)
    assert (caught.value.status_code, inner(caught.value)) == (403, "SecretDisabled")
    (listed,) = [one for one in vault.list_properties_of_secrets() if one.name == name]
    assert listed.enabled is False


def test_a_deleted_name_stays_taken_until_it_is_recovered_or_purged(world: World, name: str) -> None:
    vault = client(world)
    vault.set_secret(name, "value")
    vault.begin_delete_secret(name).wait()
    with pytest.raises(HttpResponseError) as caught:
        vault.set_secret(name, "other")
    assert (caught.value.status_code, inner(caught.value)) == (409, "ObjectIsDeletedButRecoverable")
    vault.begin_recover_deleted_secret(name).wait()
    assert vault.get_secret(name).value == "value"
    vault.begin_delete_secret(name).wait()
    vault.purge_deleted_secret(name)
    assert vault.set_secret(name, "other").value == "other"


# -- who may ------------------------------------------------------------------------------


def test_a_first_call_is_told_where_to_get_a_token(world: World) -> None:
    answer = requests.get(
        f"{uri(world)}secrets", params={"api-version": "7.5"}, verify=world.described["ca"], timeout=10
    )
    authority = f"{world.described['cloud']}/{world.described['tenant']}"
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer authorization="{authority}", resource="https://vault.azure.net"'
    )


def test_a_token_for_another_audience_is_refused(world: World) -> None:
    class ForArm:
        def get_token(self, *_scopes: str, **_options: Any) -> Any:
            return world.operator.get_token(ARM_SCOPE)

    with pytest.raises(ClientAuthenticationError):
        client(world, ForArm()).get_secret("ghcr-username")


def test_the_app_may_read_and_not_write(world: World, name: str) -> None:
    vault = client(world, world.app)
    assert vault.get_secret("ghcr-username").value
    with pytest.raises(HttpResponseError) as caught:
        vault.set_secret(name, "value")
    assert (caught.value.status_code, inner(caught.value)) == (403, "ForbiddenByRbac")


def test_a_role_that_was_assigned_counts_once_it_has_propagated(world: World, name: str) -> None:
    vault, secret = client(world), client(world, world.app)
    vault.set_secret(name, "value")
    vault_id = next(one["id"] for one in listed(world) if one["name"] == "ameidekv")
    officer = f"{vault_id}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    role = {
        "roleDefinitionId": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
        "principalId": world.described["app"]["object_id"],
    }
    world.control.turn(rbac_propagation=60.0)
    assert arm(world, "PUT", officer, {"properties": role}).status_code == 201
    with pytest.raises(HttpResponseError):
        secret.set_secret(name, "other")
    world.control.turn(rbac_propagation=0.0)
    assert secret.set_secret(name, "other").value == "other"
    arm(world, "DELETE", officer)


def test_assignments_of_one_principal_can_be_asked_for(world: World) -> None:
    app = world.described["app"]["object_id"]
    (vault,) = [one for one in listed(world) if one["name"] == "ameidekv"]
    found = arm(
        world,
        "GET",
        f"{vault['id']}/providers/Microsoft.Authorization/roleAssignments",
        query={"$filter": f"principalId eq '{app}'"},
    ).json()["value"]
    assert {one["properties"]["principalId"] for one in found} == {app}
    assert any(one["properties"]["roleDefinitionId"].endswith(SECRETS_USER) for one in found)


# -- what ARM tells -----------------------------------------------------------------------


def arm(
    world: World,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    query: dict[str, str] | None = None,
) -> requests.Response:
    return requests.request(
        method,
        world.described["cloud"] + path,
        params={"api-version": "2022-04-01", **(query or {})},
        json=body,
        headers={"Authorization": f"Bearer {world.token()}"},
        verify=world.described["ca"],
        timeout=10,
    )


def listed(world: World) -> list[dict[str, Any]]:
    path = f"/subscriptions/{world.described['subscription']}/providers/Microsoft.KeyVault/vaults"
    return list(arm(world, "GET", path).json()["value"])


def test_arm_tells_where_a_vault_answers(world: World) -> None:
    (vault,) = listed(world)
    assert vault["properties"]["vaultUri"] == uri(world)
    assert arm(world, "GET", vault["id"].upper()).json()["id"] == vault["id"]
    missing = arm(world, "GET", f"{vault['id']}-of-nobody")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "ResourceNotFound")


def test_arm_tells_a_public_address(world: World) -> None:
    group = f"/subscriptions/{world.described['subscription']}/resourceGroups/Ameide"
    one = arm(world, "GET", f"{group}/providers/Microsoft.Network/publicIPAddresses/ameide-dev-envoy-pip")
    assert one.json()["properties"]["ipAddress"] == "20.61.10.4"
