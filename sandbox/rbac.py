"""Who may do what in ARM: role definitions, and the assignment that allows an action."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.records import RoleAssignment


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    id: str
    name: str
    actions: tuple[str, ...]
    data_actions: tuple[str, ...] = ()
    """What it allows on the data itself, which no action of ARM does."""


OWNER = Role(id="8e3af657-a8ff-443c-a75c-2fe8c4bcb635", name="Owner", actions=("*",))
READER = Role(id="acdd72a7-3385-48ef-bd42-f606fba81ae7", name="Reader", actions=("*/read",))
CREDENTIAL_CONTRIBUTOR = Role(
    id="7e559ce2-48d7-4b27-9128-fa1b247f1308",
    name="Managed Identity Federated Identity Credential Contributor",
    actions=(
        "Microsoft.ManagedIdentity/userAssignedIdentities/read",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete",
        "Microsoft.Authorization/*/read",
        "Microsoft.Insights/alertRules/*",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "Microsoft.Resources/deployments/*",
    ),
)
PLATFORM_FACTS = Role(
    id="5f0c9d3e-6b1a-4f57-9a53-2c1d7f0b9e44",
    name="Platform Facts Reader (custom)",
    actions=(
        "Microsoft.ContainerService/managedClusters/read",
        "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
        "Microsoft.ManagedIdentity/userAssignedIdentities/read",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read",
        "Microsoft.KeyVault/vaults/read",
        "Microsoft.Network/publicIPAddresses/read",
        "Microsoft.Authorization/permissions/read",
    ),
)
_SECRETS = "Microsoft.KeyVault/vaults/secrets"
SECRETS_USER = Role(
    id="4633458b-17de-408a-b874-0445c86b69e6",
    name="Key Vault Secrets User",
    actions=(),
    data_actions=(f"{_SECRETS}/getSecret/action", f"{_SECRETS}/readMetadata/action"),
)
SECRETS_OFFICER = Role(
    id="b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    name="Key Vault Secrets Officer",
    actions=("Microsoft.KeyVault/vaults/read",),
    data_actions=(f"{_SECRETS}/*",),
)
VAULT_READER = Role(
    id="21090545-7ca7-4776-b22c-e363652d74d2",
    name="Key Vault Reader",
    actions=("Microsoft.KeyVault/vaults/read",),
    data_actions=(f"{_SECRETS}/readMetadata/action",),
)
ROLES = {
    role.id: role
    for role in (
        OWNER,
        READER,
        CREDENTIAL_CONTRIBUTOR,
        PLATFORM_FACTS,
        SECRETS_USER,
        SECRETS_OFFICER,
        VAULT_READER,
    )
}


def allowing(
    assignments: Iterable[RoleAssignment],
    *,
    principal_id: str,
    action: str,
    scope: str,
    data: bool = False,
) -> RoleAssignment | None:
    """The first assignment that allows the action at the scope or above it; None: forbidden.

    data: an action on data, which a role allows by its `data_actions` only.
    """
    for assignment in held_at(assignments, principal_id=principal_id, scope=scope):
        role = ROLES.get(assignment.role)
        if role and _allows(role.data_actions if data else role.actions, action):
            return assignment
    return None


def held_at(
    assignments: Iterable[RoleAssignment], *, principal_id: str, scope: str
) -> Iterator[RoleAssignment]:
    """The principal's assignments at the scope or above it."""
    return (
        assignment
        for assignment in assignments
        if assignment.principal_id == principal_id and _covers(assignment.scope, scope)
    )


def _allows(patterns: Iterable[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def _covers(upper: str, scope: str) -> bool:
    return f"{scope.lower().rstrip('/')}/".startswith(f"{upper.lower().rstrip('/')}/")
