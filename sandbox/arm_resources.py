"""Resources that ARM only tells of here: key vaults and public IP addresses."""

from collections.abc import Callable
from typing import Protocol

from sandbox.arm_calls import Call, Json, Reply, Route, page
from sandbox.arm_errors import ArmError
from sandbox.cloud import Cloud
from sandbox.records import PublicAddress, Vault
from sandbox.timeline import Shelf

_VAULTS = "Microsoft.KeyVault/vaults"
_ADDRESSES = "Microsoft.Network/publicIPAddresses"


class _Resource(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def group(self) -> str: ...


class Resources:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[Route]:
        return [
            *self._readable(_VAULTS, self._cloud.vaults, self._show_vault),
            *self._readable(_ADDRESSES, self._cloud.addresses, _show_address),
        ]

    def _readable[R: _Resource](self, kind: str, shelf: Shelf[R], show: Callable[[R], Json]) -> list[Route]:
        in_group = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{kind}"

        async def get(call: Call) -> Reply:
            parts = call.params
            arm_id = (
                f"/subscriptions/{parts['subscription']}/resourceGroups/{parts['group']}"
                f"/providers/{kind}/{parts['name']}"
            )
            held = shelf.get(arm_id, call.read_at)
            if held is None:
                raise ArmError(
                    404,
                    "ResourceNotFound",
                    f"The Resource '{kind}/{parts['name']}' under resource group '{parts['group']}' was not "
                    "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
                )
            return Reply(status=200, body=show(held))

        async def list_all(call: Call) -> Reply:
            group = call.params.get("group")
            shown = [
                show(held)
                for held in shelf.all(call.read_at)
                if group is None or held.group.lower() == group.lower()
            ]
            return Reply(status=200, body=page(shown, call, self._cloud.dials.page_size))

        return [
            Route("GET", f"/subscriptions/{{subscription}}/providers/{kind}", f"{kind}/read", list_all),
            Route("GET", in_group, f"{kind}/read", list_all),
            Route("GET", f"{in_group}/{{name}}", f"{kind}/read", get),
        ]

    def _show_vault(self, vault: Vault) -> Json:
        return {
            "id": vault.id,
            "name": vault.name,
            "type": _VAULTS,
            "location": vault.location,
            "tags": {},
            "properties": {
                "tenantId": self._cloud.tenant,
                "vaultUri": vault.uri,
                "sku": {"family": "A", "name": "standard"},
                "enableRbacAuthorization": True,
                "enableSoftDelete": True,
                "softDeleteRetentionInDays": 90,
                "enablePurgeProtection": True,
                "publicNetworkAccess": "Enabled",
                "accessPolicies": [],
                "provisioningState": "Succeeded",
            },
        }


def _show_address(address: PublicAddress) -> Json:
    return {
        "id": address.id,
        "name": address.name,
        "type": _ADDRESSES,
        "location": address.location,
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {
            "provisioningState": "Succeeded",
            "ipAddress": address.address,
            "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Static",
        },
    }
