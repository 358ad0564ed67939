"""The rules of all responders, for the pages and for `reconverge doctor`. No trigger imports this."""

from typing import Final

from responders.applications import permissions as of_applications
from responders.federated_credentials import permissions as of_credentials
from responders.gitlab_migrations import permissions as of_gitlab
from responders.keycloak_bootstrap import permissions as of_keycloak
from responders.runtime_facts import permissions as of_facts
from responders.submodule_refs import permissions as of_submodules
from responders.vault_seeding import permissions as of_seeding
from shared.permissions import Rules

RULES: Final[Rules] = {
    "submodule_refs": of_submodules.RULES,
    "runtime_facts": of_facts.RULES,
    "federated_credentials": of_credentials.RULES,
    "vault_seeding": of_seeding.RULES,
    "keycloak_bootstrap": of_keycloak.RULES,
    "gitlab_migrations": of_gitlab.RULES,
    "applications": of_applications.RULES,
}
