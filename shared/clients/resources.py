"""Single values of ARM resources: a Key Vault's address, a public IP address. One GET each; reads only.

Permissions: Microsoft.KeyVault/vaults/read, Microsoft.Network/publicIPAddresses/read.

Without the resources' own SDKs: that of networks weighs more than the whole app, for one value.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from shared.clients import arm
from shared.clients.azure_core import OncePer
from shared.clients.importing import IMPORTING
from shared.model import Known, Read, Unknown
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.rest import HttpRequest, HttpResponse
    from azure.mgmt.core import ARMPipelineClient

VAULT: Final = "Microsoft.KeyVault/vaults"
PUBLIC_IP: Final = "Microsoft.Network/publicIPAddresses"
# Stated, so that a newer version cannot change what we read.
# https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/get
# https://learn.microsoft.com/rest/api/virtualnetwork/public-ip-addresses/get
VERSIONS: Final[Mapping[str, str]] = {VAULT: "2023-07-01", PUBLIC_IP: "2024-05-01"}


class Resources:
    def __init__(self, settings: Settings, credential: "TokenCredential") -> None:
        def make(_: str) -> "ARMPipelineClient[HttpRequest, HttpResponse]":
            with IMPORTING:
                from azure.mgmt.core import ARMPipelineClient

            return ARMPipelineClient(**arm.options(settings, credential))

        self._client = OncePer(make)
        self._endpoint = settings.arm_endpoint

    def vault_uri(self, vault_id: str) -> Read[str]:
        """The vault's address, with its last slash. Raises Misconfigured for an id that is none."""
        return self._property(vault_id, VAULT, "vaultUri")

    def ip_address(self, address_id: str) -> Read[str]:
        """Unknown until Azure has assigned one. Raises Misconfigured for an id that is none."""
        return self._property(address_id, PUBLIC_IP, "ipAddress")

    def _property(self, arm_id: str, kind: str, name: str) -> Read[str]:
        at = arm.ResourceId.parse(arm_id, kind)
        path = f"/subscriptions/{at.subscription}/resourceGroups/{at.group}/providers/{kind}/{at.name}"
        match arm.read(lambda: self._get(path, VERSIONS[kind])):
            case Known({"properties": {**properties}}):
                value = properties.get(name)
                if isinstance(value, str) and value:
                    return Known(value)
                return Unknown(f"it has no {name} so far")
            case Known():
                return Unknown(f"{arm.SERVICE}'s answer has not the promised shape")
            case other:
                return other

    def _get(self, path: str, version: str) -> Any:
        with IMPORTING:
            from azure.core.rest import HttpRequest

        request = HttpRequest("GET", f"{self._endpoint}{path}", params={"api-version": version})
        response = self._client(self._endpoint).send_request(request)
        response.raise_for_status()
        return response.json()
