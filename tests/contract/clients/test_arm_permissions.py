"""What whoever is signed in may do at a scope, as ARM tells it."""

import pytest

from shared.clients.arm_permissions import VERSION, ArmPermissions, Granted
from shared.clients.credentials import AppCredential
from shared.model import Absent, Known, Unknown
from shared.settings import Settings
from tests.contract.clients.loopback import Cloud

WRITE = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write"
KUBECONFIG = "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"
PAGE = {"value": [{"actions": ["a/read"], "notActions": [], "dataActions": [], "notDataActions": []}]}


@pytest.fixture
def permissions(settings: Settings, credential: AppCredential) -> ArmPermissions:
    return ArmPermissions(settings, credential)


def granted(permissions: ArmPermissions, scope: str) -> tuple[Granted, ...]:
    found = permissions.at(scope)
    assert isinstance(found, Known)
    return found.value


def test_a_role_above_and_one_at_the_scope_are_told_apart(permissions: ArmPermissions, cloud: Cloud) -> None:
    found = granted(permissions, cloud.identity_id("ameide-dev-backup-mi"))
    assert len(found) == 2
    assert [WRITE in one.actions for one in found].count(True) == 1
    assert [KUBECONFIG in one.actions for one in found].count(True) == 1
    assert len(cloud.calls()) == 1


def test_our_own_identity_cannot_be_written(permissions: ArmPermissions, cloud: Cloud) -> None:
    found = granted(permissions, cloud.identity_id("reconverge-mi"))
    assert WRITE not in {action for one in found for action in one.actions}


def test_actions_on_data_are_told_beside_the_others(permissions: ArmPermissions, cloud: Cloud) -> None:
    group = cloud.cluster_id.split("/providers/")[0]
    found = granted(permissions, f"{group}/providers/Microsoft.KeyVault/vaults/ameidekv")
    assert "Microsoft.KeyVault/vaults/secrets/getSecret/action" in {
        action for one in found for action in one.data_actions
    }


def test_what_a_role_takes_away_is_told(permissions: ArmPermissions, cloud: Cloud) -> None:
    entry = {"actions": ["*"], "notActions": ["x/write"], "dataActions": [], "notDataActions": ["y/write"]}
    cloud.inject("Authorization/permissions", status=200, body={"value": [entry]})
    assert granted(permissions, cloud.cluster_id) == (
        Granted(actions=("*",), not_actions=("x/write",), not_data_actions=("y/write",)),
    )


def test_parts_that_an_answer_leaves_out_are_empty(permissions: ArmPermissions, cloud: Cloud) -> None:
    cloud.inject("Authorization/permissions", status=200, body={"value": [{"actions": ["*"]}]})
    assert granted(permissions, cloud.cluster_id) == (Granted(actions=("*",)),)


def test_all_pages_are_read_and_at_the_known_endpoint_only(permissions: ArmPermissions, cloud: Cloud) -> None:
    link = f"https://elsewhere.invalid{cloud.cluster_id}/providers/Microsoft.Authorization/permissions"
    body = {**PAGE, "nextLink": f"{link}?api-version={VERSION}&$skiptoken=1"}
    cloud.inject("Authorization/permissions", status=200, body=body, count=1)
    found = granted(permissions, cloud.cluster_id)
    assert found[0] == Granted(actions=("a/read",))
    assert KUBECONFIG in found[1].actions
    assert len(cloud.calls()) == 2


@pytest.mark.parametrize("body", [[], {}, {"value": [1]}, {"value": None}], ids=str)
def test_an_answer_of_another_shape_proves_nothing(
    permissions: ArmPermissions, cloud: Cloud, body: object
) -> None:
    cloud.inject("Authorization/permissions", status=200, body=body)
    assert isinstance(permissions.at(cloud.cluster_id), Unknown)


def test_a_scope_that_may_not_be_asked_about_is_unknown(permissions: ArmPermissions, cloud: Cloud) -> None:
    elsewhere = f"/subscriptions/{cloud.description['subscription']}"
    found = permissions.at(elsewhere)
    assert isinstance(found, Unknown)
    assert found.why.startswith("ARM answered 403 AuthorizationFailed")


def test_a_scope_that_does_not_exist_is_absent(permissions: ArmPermissions, cloud: Cloud) -> None:
    cloud.inject("Authorization/permissions", status=404, body={"error": {"code": "ResourceNotFound"}})
    assert permissions.at(cloud.cluster_id) == Absent()
