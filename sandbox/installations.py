"""What an environment has in a build of the cluster beside objects. Its state goes with the build."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.keycloak import Keycloak
from sandbox.traffic import Handler


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    keycloak: Keycloak

    def handlers(self) -> Mapping[str, Handler]:
        """By service of `web_sites`."""
        return {"keycloak": self.keycloak.handle}
