"""Names around Keycloak that the chart, the bootstrap of Vault and the variants share."""

from collections.abc import Mapping
from typing import Final

REALM: Final = "ameide"
RELEASE: Final = "platform-keycloak-realm"
BOOTSTRAP: Final = f"{RELEASE}-master-bootstrap"
PATCHER: Final = f"{RELEASE}-client-patcher"
ACCOUNT: Final = "keycloak-client-patcher"
"""Service account of the patcher, and its role in Vault."""
AUTOMATION: Final = "platform-app-master"
"""The client of realm master that the patcher logs in as."""
FALLBACK: Final = "realm-probe"
"""A client of the realm that may log in, and nothing else."""
DIGESTS: Final = "keycloak-client-secret-versions"
FIRST_ADMIN: Final = "keycloak-bootstrap-admin"
ADMIN_SECRET: Final = "keycloak-admin-sa"  # noqa: S105 (the name of an object)
OWN_SECRET: Final = "keycloak-reconverge"  # noqa: S105 (the name of an object)
CLIENTS_SECRET: Final = "keycloak-realm-oidc-clients"  # noqa: S105 (the name of an object)
PROVIDER_SECRET: Final = "gitlab-oidc-provider"  # noqa: S105 (the name of an object)
VAULT_KEYS: Final[Mapping[str, str]] = {
    "platform-app": "platform-app-client-secret",
    "argocd": "argocd-dex-client-secret",
    "backstage": "backstage-oidc-client-secret",
    "gitlab": "gitlab-oidc-client-secret",
}
"""Of each client's secret."""
VAULT_PATHS: Final = ("platform-app-*", "argocd-*", "backstage-*", "gitlab-*")
"""Keys of Vault that the patcher may write."""
