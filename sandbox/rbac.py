"""Who may do what in ARM: role definitions, and the assignment that allows an action."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sandbox.records import RoleAssignment


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    id: str
    name: str
    actions: tuple[str, ...]


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
        "Microsoft.Resources/subscriptions/resourceGroups/read",
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
        "Microsoft.Resources/subscriptions/resourceGroups/read",
    ),
)
ROLES = {role.id: role for role in (OWNER, READER, CREDENTIAL_CONTRIBUTOR, PLATFORM_FACTS)}


def allowing(
    assignments: Iterable[RoleAssignment], *, principal_id: str, action: str, scope: str
) -> RoleAssignment | None:
    """The first assignment that allows the action at the scope or above it; None: forbidden."""
    for assignment in assignments:
        role = ROLES.get(assignment.role)
        if (
            role
            and assignment.principal_id == principal_id
            and _covers(assignment.scope, scope)
            and any(fnmatchcase(action.lower(), pattern.lower()) for pattern in role.actions)
        ):
            return assignment
    return None


def _covers(upper: str, scope: str) -> bool:
    return f"{scope.lower().rstrip('/')}/".startswith(f"{upper.lower().rstrip('/')}/")
