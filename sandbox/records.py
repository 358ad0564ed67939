"""What the cloud holds, as frozen records. Rules about them are in `credentials` and `cloud`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """The claims matching of a flexible credential."""

    value: str
    language_version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A federated identity credential: either a subject, or an expression that matches claims."""

    name: str
    issuer: str
    subject: str | None
    audience: str
    expression: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user-assigned managed identity with its credentials, keyed by lower-cased name."""

    subscription: str
    group: str
    name: str
    location: str
    client_id: str
    principal_id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, Credential] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourcegroups/{self.group}"
            f"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{self.name}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """A key vault, and where its data plane answers."""

    subscription: str
    group: str
    name: str
    location: str
    uri: str
    """Ends with a slash, which belongs to it."""

    @property
    def id(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.KeyVault/vaults/{self.name}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAddress:
    """A public IP address."""

    subscription: str
    group: str
    name: str
    location: str
    address: str

    @property
    def id(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
            f"/providers/Microsoft.Network/publicIPAddresses/{self.name}"
        )


class ProvisioningState(StrEnum):
    CREATING = "Creating"
    UPDATING = "Updating"
    SUCCEEDED = "Succeeded"
    DELETING = "Deleting"


@dataclass(frozen=True, slots=True)
class ApiEndpoint:
    """Where a cluster's Kubernetes API answers, and the authority that vouches for it."""

    url: str
    ca_pem: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A managed cluster. A rebuilt cluster keeps its name and is another build: new uid, issuer, keys."""

    subscription: str
    group: str
    name: str
    location: str
    uid: str
    generation: int
    """How many clusters of this id there have been, this one included."""
    state: ProvisioningState
    version: str
    principal_id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    issuer_enabled: bool = True
    workload_identity: bool = True
    issuer: str | None = None
    """Its last slash belongs to it. None while the cluster is being created, or without the feature."""
    api: ApiEndpoint | None = None
    """None while the cluster is being created."""
    etag: str

    @property
    def id(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourcegroups/{self.group}"
            f"/providers/Microsoft.ContainerService/managedClusters/{self.name}"
        )

    @property
    def fqdn(self) -> str:
        return f"{self.name}-{self.uid[:8]}.hcp.{self.location}.azmk8s.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Whoever can get a token: a service principal, or a managed identity's principal."""

    client_id: str
    object_id: str
    name: str
    secret: str | None = field(default=None, repr=False)
    identity_id: str | None = None
    """ARM id of the managed identity, for a managed identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAssignment:
    name: str
    scope: str
    role: str
    """Id of the role definition, a GUID."""
    principal_id: str
    principal_type: str = "ServicePrincipal"

    @property
    def id(self) -> str:
        return f"{self.scope.rstrip('/')}/providers/Microsoft.Authorization/roleAssignments/{self.name}"
