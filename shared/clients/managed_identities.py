"""User-assigned managed identities and the federated credentials under them.

Permissions: Microsoft.ManagedIdentity/userAssignedIdentities/read, and of
userAssignedIdentities/federatedIdentityCredentials: read and write. Never delete.
"""

from typing import TYPE_CHECKING, Final

from shared.clients import arm
from shared.clients.azure_core import OncePer, translated
from shared.clients.importing import IMPORTING
from shared.errors import PermanentError
from shared.model import Credential, Identity, Read
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.msi.v2024_11_30 import ManagedServiceIdentityClient
    from azure.mgmt.msi.v2024_11_30 import models as msi

TYPE: Final = "Microsoft.ManagedIdentity/userAssignedIdentities"


class ManagedIdentities:
    def __init__(self, settings: Settings, credential: "TokenCredential") -> None:
        def make(subscription: str) -> "ManagedServiceIdentityClient":
            # The package's own client picks the newest API version, and so could change what we read.
            with IMPORTING:
                from azure.mgmt.msi.v2024_11_30 import ManagedServiceIdentityClient

            return ManagedServiceIdentityClient(credential, subscription, **arm.options(settings, credential))

        self._client = OncePer(make)

    def get(self, identity_id: str) -> Read[Identity]:
        """One GET. Raises Misconfigured for an id that is none."""
        at = arm.ResourceId.parse(identity_id, TYPE)
        identities = self._client(at.subscription).user_assigned_identities
        return arm.read(lambda: _identity(identity_id, identities.get(at.group, at.name)))

    def credentials(self, identity_id: str) -> Read[tuple[Credential, ...]]:
        """One LIST, and one more for each further page; Azure allows 20 credentials, which fit on one.

        Pace: the page on limits gives one list in four seconds per identity.
        Raises Misconfigured for an id that is none.
        Source: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
        """
        at = arm.ResourceId.parse(identity_id, TYPE)
        credentials = self._client(at.subscription).federated_identity_credentials
        return arm.read(lambda: tuple(map(_credential, credentials.list(at.group, at.name))))

    def put(self, identity_id: str, credential: Credential) -> None:
        """Create the credential, or replace the one of that name as a whole. One PUT, never repeated.

        identity_id: ARM id. The caller holds its lease: Azure refuses a second writer.
        Pace: one write per 4 s and identity. The page gives 0.25/s for identities and does not say whether
            their credentials count; this is the safe reading.
        Effect: Entra may go on refusing tokens for minutes. A write is not yet a repair. When the answer was
            lost (TemporaryError) the write may have taken effect: read before the next one.
        Raises: WriteConflict; Throttled; TemporaryError, also when the identity is gone; PermanentError, such
            as when another name on this identity holds the pair of issuer and subject (a 400, not a 409),
            and for a credential without a subject: what a flexible one matches is not ours to write.
        Source: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
        """
        with IMPORTING:
            from azure.mgmt.msi.v2024_11_30.models import FederatedIdentityCredential

        at = arm.ResourceId.parse(identity_id, TYPE)
        if credential.subject is None:
            raise PermanentError(f"{credential.name} has no subject: a flexible credential is not written")
        credentials = self._client(at.subscription).federated_identity_credentials
        with translated(arm.SERVICE, arm.classify):
            credentials.create_or_update(
                at.group,
                at.name,
                credential.name,
                FederatedIdentityCredential(
                    issuer=credential.issuer,
                    subject=credential.subject,
                    audiences=list(credential.audiences),
                ),
            )


def _identity(identity_id: str, found: "msi.Identity") -> Identity:
    return Identity(
        id=found.id or identity_id,
        client_id=found.client_id or "",
        principal_id=found.principal_id or "",
        tenant_id=found.tenant_id or "",
    )


def _credential(found: "msi.FederatedIdentityCredential") -> Credential:
    return Credential(
        name=found.name or "",
        issuer=found.issuer or "",
        subject=found.subject or None,
        audiences=tuple(found.audiences or ()),
    )
