"""What whoever is signed in may do in ARM, at one scope.

Permission: Microsoft.Authorization/permissions/read, which Reader has.

https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from shared.clients import arm
from shared.clients.azure_core import OncePer
from shared.clients.importing import IMPORTING
from shared.model import Read
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.rest import HttpRequest, HttpResponse
    from azure.mgmt.core import ARMPipelineClient

VERSION: Final = "2022-04-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What one role brings, at the scope or above it. Patterns: `*` stands for any characters.

    What is taken away is taken from this role only; another one may bring it all the same.
    https://learn.microsoft.com/azure/role-based-access-control/role-definitions#control-and-data-actions
    """

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()


class ArmPermissions:
    def __init__(self, settings: Settings, credential: "TokenCredential") -> None:
        def make(_: str) -> "ARMPipelineClient[HttpRequest, HttpResponse]":
            with IMPORTING:
                from azure.mgmt.core import ARMPipelineClient

            return ARMPipelineClient(**arm.options(settings, credential))

        self._client = OncePer(make)
        self._endpoint = settings.arm_endpoint

    def at(self, scope: str) -> Read[tuple[Granted, ...]]:
        """One GET, and one more for each further page."""
        return arm.read(lambda: tuple(map(_granted, self._entries(scope))))

    def _entries(self, scope: str) -> Iterator[Any]:
        path = f"{scope.rstrip('/')}/providers/Microsoft.Authorization/permissions"
        url = f"{self._endpoint}{path}?api-version={VERSION}"
        while url:
            page = self._get(url)
            yield from page["value"]
            url = self._here(page.get("nextLink") or "")

    def _here(self, link: str) -> str:
        """The next page at the endpoint that we know: the token goes to no host that an answer names."""
        parts = urlsplit(link)
        return f"{self._endpoint}{parts.path}?{parts.query}" if link else ""

    def _get(self, url: str) -> Any:
        with IMPORTING:
            from azure.core.rest import HttpRequest

        response = self._client(self._endpoint).send_request(HttpRequest("GET", url))
        response.raise_for_status()
        return response.json()


def _granted(entry: Any) -> Granted:
    return Granted(
        actions=tuple(entry.get("actions") or ()),
        not_actions=tuple(entry.get("notActions") or ()),
        data_actions=tuple(entry.get("dataActions") or ()),
        not_data_actions=tuple(entry.get("notDataActions") or ()),
    )
