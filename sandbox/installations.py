"""What an environment has in a build of the cluster beside objects. Its state goes with the build."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox import gitlab_web
from sandbox.gitlab import GitLab
from sandbox.keycloak import Keycloak
from sandbox.keycloak_http import KeycloakHttp
from sandbox.traffic import Handler


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    keycloak: Keycloak
    gitlab: GitLab

    def handlers(self) -> Mapping[str, Handler]:
        """By service of `web_sites`."""
        return {
            "keycloak": KeycloakHttp(self.keycloak).handle,
            "gitlab": gitlab_web.handler(self.gitlab),
        }
