"""What the cloud holds, and what follows from what. Knows no HTTP.

ARM, Entra, the issuers and the cluster service share one `Cloud`; each reads it at the time it would know of.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.arm_errors import ArmError
from sandbox.dials import Dials
from sandbox.keys import IssuerKeys
from sandbox.records import Cluster, Identity, Principal, PublicAddress, RoleAssignment, Vault
from sandbox.timeline import Clock, Shelf, utc_now


class IssuerUnreachableError(Exception):
    """Nobody answers at that issuer: its cluster was deleted, or it never was one of ours."""


@dataclass(slots=True, kw_only=True)
class Cloud:
    tenant: str
    subscription: str
    location: str
    groups: tuple[str, ...]
    """Resource groups of the subscription."""
    base_url: str
    clock: Clock = utc_now
    dials: Dials = field(default_factory=Dials)
    identities: Shelf[Identity] = field(default_factory=Shelf)
    clusters: Shelf[Cluster] = field(default_factory=Shelf)
    assignments: Shelf[RoleAssignment] = field(default_factory=Shelf)
    vaults: Shelf[Vault] = field(default_factory=Shelf)
    addresses: Shelf[PublicAddress] = field(default_factory=Shelf)
    service_principals: dict[str, Principal] = field(default_factory=dict)
    """By client id, lower case."""
    issuers: dict[str, IssuerKeys] = field(default_factory=dict)
    """Keys by issuer URL. An issuer goes when its cluster goes."""
    _busy: set[str] = field(default_factory=set)

    # -- times ------------------------------------------------------------------------

    def arm_sees(self, stale_seconds: float = 0.0) -> datetime:
        """The time whose state an ARM read answers with."""
        return self.clock() - timedelta(seconds=max(self.dials.arm_staleness, stale_seconds))

    def entra_sees(self) -> datetime:
        """The time whose state Entra knows."""
        return self.clock() - timedelta(seconds=self.dials.entra_propagation)

    # -- ARM --------------------------------------------------------------------------

    def require_subscription(self, subscription: str) -> None:
        """Raises ArmError when there is no such subscription."""
        if subscription.lower() != self.subscription.lower():
            raise ArmError(
                404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found."
            )

    def require_group(self, group: str) -> None:
        """Raises ArmError when the subscription has no such resource group."""
        if self.group_name(group) is None:
            raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")

    def group_name(self, group: str) -> str | None:
        """The group's name as it was created; None when there is none."""
        return next((known for known in self.groups if known.lower() == group.lower()), None)

    @contextmanager
    def writing_credentials(self, identity: Identity) -> Iterator[None]:
        """Hold the identity for one credential write. Raises ArmError while another one holds it.

        Writes and deletions both count: https://github.com/Azure/bicep-registry-modules/issues/1447 and
        https://github.com/hashicorp/terraform-provider-azurerm/issues/29242
        """
        key = identity.id.lower()
        if key in self._busy:
            raise ArmError(
                409,
                "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity",
                "Too many Federated Identity Credentials are written concurrently for the managed identity "
                f"'{identity.id}'. Concurrent Federated Identity Credentials writes under the same managed "
                "identity are not supported.",
            )
        self._busy.add(key)
        try:
            yield
        finally:
            self._busy.discard(key)

    # -- Entra ------------------------------------------------------------------------

    def principal(self, client_id: str, when: datetime) -> Principal | None:
        """The principal of that client id: a service principal, or that of an identity known at `when`."""
        known = self.service_principals.get(client_id.lower())
        if known:
            return known
        identity = self.identity_of(client_id, when)
        return principal_of(identity) if identity else None

    def identity_of(self, client_id: str, when: datetime) -> Identity | None:
        wanted = client_id.lower()
        return next((held for held in self.identities.all(when) if held.client_id.lower() == wanted), None)

    # -- issuers ----------------------------------------------------------------------

    def published_keys(self, issuer: str) -> IssuerKeys:
        """The keys that the issuer publishes now. Raises IssuerUnreachableError."""
        keys = self.issuers.get(issuer)
        if keys is None:
            raise IssuerUnreachableError(issuer)
        return keys

    def issuer_url(self, uid: str) -> str:
        return f"{self.base_url}/oic/{self.tenant}/{uid}/"


def principal_of(identity: Identity) -> Principal:
    return Principal(
        client_id=identity.client_id,
        object_id=identity.principal_id,
        name=identity.name,
        identity_id=identity.id,
    )
