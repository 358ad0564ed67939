"""Single values of vaults and addresses, as ARM has them."""

import pytest

from shared.clients.credentials import AppCredential
from shared.clients.resources import Resources
from shared.errors import Misconfigured
from shared.model import Absent, Known, Unknown
from shared.settings import Settings
from tests.contract.clients.loopback import Cloud


@pytest.fixture
def resources(settings: Settings, credential: AppCredential) -> Resources:
    return Resources(settings, credential)


def beside(cloud: Cloud, kind: str, name: str) -> str:
    return f"{cloud.cluster_id.split('/providers/')[0]}/providers/{kind}/{name}"


def vault(cloud: Cloud, name: str = "ameidekv") -> str:
    return beside(cloud, "Microsoft.KeyVault/vaults", name)


def address(cloud: Cloud, name: str = "ameide-dev-envoy-pip") -> str:
    return beside(cloud, "Microsoft.Network/publicIPAddresses", name)


def test_a_vault_has_its_address_and_an_address_its_number(resources: Resources, cloud: Cloud) -> None:
    found = resources.vault_uri(vault(cloud))
    assert isinstance(found, Known)
    assert found.value.startswith("https://")
    assert found.value.endswith("/")
    assert resources.ip_address(address(cloud)) == Known("20.61.10.4")
    assert [method for method, _ in cloud.calls()] == ["GET", "GET"]


def test_what_does_not_exist_is_absent(resources: Resources, cloud: Cloud) -> None:
    assert resources.vault_uri(vault(cloud, "other-kv")) == Absent()
    assert resources.ip_address(address(cloud, "other-pip")) == Absent()


def test_an_address_that_azure_has_not_assigned_yet_is_unknown(resources: Resources, cloud: Cloud) -> None:
    cloud.inject("publicIPAddresses", status=200, body={"properties": {"provisioningState": "Updating"}})
    assert resources.ip_address(address(cloud)) == Unknown("it has no ipAddress so far")


@pytest.mark.parametrize("body", [[], {"properties": None}, {"error": {}}], ids=["a list", "nothing", "else"])
def test_an_answer_of_another_shape_proves_nothing(resources: Resources, cloud: Cloud, body: object) -> None:
    cloud.inject("Microsoft.KeyVault", status=200, body=body)
    assert resources.vault_uri(vault(cloud)) == Unknown("ARM's answer has not the promised shape")


def test_a_missing_role_is_unknown_and_told_by_its_code(resources: Resources, cloud: Cloud) -> None:
    cloud.inject("Microsoft.KeyVault", status=403, body={"error": {"code": "AuthorizationFailed"}})
    found = resources.vault_uri(vault(cloud))
    assert isinstance(found, Unknown)
    assert found.why.startswith("ARM answered 403 AuthorizationFailed")


def test_an_id_of_another_kind_is_a_mistake_of_the_landscape(resources: Resources, cloud: Cloud) -> None:
    with pytest.raises(Misconfigured, match=r"is not the id of a Microsoft\.KeyVault/vaults"):
        resources.vault_uri(address(cloud))
