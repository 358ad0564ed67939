"""What operators search for and docs/reasons.md is indexed by.

A code is public. It may be retired, its page kept; it never gets a second meaning.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Final

from shared.model import Severity
from shared.world import Leads, ReasonInfo, finding_of


class Reason(StrEnum):
    UNREAD = "Unread"
    CLUSTER_DELETED = "ClusterDeleted"
    CLUSTER_NOT_READY = "ClusterNotReady"
    CLUSTER_FAILED = "ClusterFailed"
    CLUSTER_WITHOUT_ISSUER = "ClusterWithoutIssuer"
    ISSUER_HOST_NOT_ALLOWED = "IssuerHostNotAllowed"
    IDENTITY_MISSING = "IdentityMissing"
    IDENTITY_IS_OWN = "IdentityIsOwn"
    IDENTITY_OUTSIDE_SUBSCRIPTION = "IdentityOutsideSubscription"
    CREDENTIAL_MISSING = "CredentialMissing"
    SUBJECT_DIFFERS = "SubjectDiffers"
    ISSUER_STALE = "IssuerStale"
    AUDIENCE_DIFFERS = "AudienceDiffers"
    NAME_COLLISION = "NameCollision"
    PAIR_HELD_ELSEWHERE = "PairHeldElsewhere"
    QUOTA_NEAR = "QuotaNear"
    QUOTA_REACHED = "QuotaReached"
    NO_SLOT_LEFT = "NoSlotLeft"
    ISSUER_FOREIGN = "IssuerForeign"
    CREDENTIAL_UNDECLARED = "CredentialUndeclared"
    CREDENTIAL_MANAGED_BY_AKS = "CredentialManagedByAks"
    CREDENTIAL_FLEXIBLE = "CredentialFlexible"
    WRITERS_FIGHT = "WritersFight"
    READ_MAY_BE_STALE = "ReadMayBeStale"
    PROPAGATING = "Propagating"
    REFUSED_AFTER_GRACE = "RefusedAfterGrace"
    UNPROVEN = "Unproven"


REASONS: Final[Mapping[str, ReasonInfo]] = {
    Reason.UNREAD: ReasonInfo(
        Leads.UNREAD,
        Severity.ERROR,
        "A value that the verdict rests on could not be read. There is no verdict on it and no write.",
        "Look at the status and code in the message. 403: the app's identity lacks a role (see permissions). "
        "429 and 5xx pass by themselves; the next look is scheduled.",
    ),
    Reason.CLUSTER_DELETED: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "ARM knows no cluster of the declared id. Its credentials are kept as they are.",
        "While it is being rebuilt: nothing, its creation wakes Reconverge. Otherwise take the cluster "
        "and its credentials out of the landscape.",
    ),
    Reason.CLUSTER_NOT_READY: ReasonInfo(
        Leads.WAIT,
        Severity.WARNING,
        "The cluster is being created, updated or deleted; its facts are not final.",
        "Nothing: Reconverge looks again.",
    ),
    Reason.CLUSTER_FAILED: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The cluster's last operation failed or was cancelled, so its facts are not trusted.",
        "Finish or repeat the operation (`az aks update`), until provisioningState is Succeeded.",
    ),
    Reason.CLUSTER_WITHOUT_ISSUER: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The cluster has no OIDC issuer, so no workload can exchange a token.",
        "Enable it in Terraform, or `az aks update --enable-oidc-issuer`. It restarts the API server.",
    ),
    Reason.ISSUER_HOST_NOT_ALLOWED: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The live issuer's host is not one that the contract lets credentials trust.",
        "If the host is right, add it to contract.issuerHosts of the environment.",
    ),
    Reason.IDENTITY_MISSING: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "ARM knows no identity of the declared id.",
        "Let Terraform create it, or correct the id in the landscape. Reconverge creates no identities.",
    ),
    Reason.IDENTITY_IS_OWN: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The identity is the one Reconverge itself runs as. It is never an object of a write.",
        "Take it out of the environment's identities.",
    ),
    Reason.IDENTITY_OUTSIDE_SUBSCRIPTION: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The identity lies in another subscription than the cluster: the pointer to it is what is stale, and "
        "trusting the new issuer there would bind the cluster to the old platform.",
        "Correct the identity's id in the landscape (and the published runtime facts), not the credential.",
    ),
    Reason.CREDENTIAL_MISSING: ReasonInfo(
        Leads.REPAIR,
        Severity.ERROR,
        "The identity has no credential of the declared name.",
        "Reconverge creates it where the contract allows credential.create.",
    ),
    Reason.SUBJECT_DIFFERS: ReasonInfo(
        Leads.REPAIR,
        Severity.ERROR,
        "Namespace, service account or letter case differ from the declared subject (Entra: AADSTS700213).",
        "Reconverge updates it in place where the contract allows credential.update.",
    ),
    Reason.ISSUER_STALE: ReasonInfo(
        Leads.REPAIR,
        Severity.ERROR,
        "The credential trusts another issuer than the live cluster has (Entra: AADSTS700211).",
        "Reconverge updates it in place where the contract allows credential.update.",
    ),
    Reason.AUDIENCE_DIFFERS: ReasonInfo(
        Leads.REPAIR,
        Severity.ERROR,
        "The audience is not the declared one (Entra: AADSTS700212).",
        "Reconverge updates it in place where the contract allows credential.update.",
    ),
    Reason.NAME_COLLISION: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "A credential of the declared name exists, but it is somebody else's: its issuer is no cluster's, or "
        "AKS manages it, or it matches claims. An update would take their access away.",
        "Rename one of the two: the declared credential in landscape and Terraform, or the other one.",
    ),
    Reason.PAIR_HELD_ELSEWHERE: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "Another credential of this identity already holds the issuer and subject; Azure allows a pair once "
        "and answers 400.",
        "Remove or rename the other credential, or declare it under the name it has.",
    ),
    Reason.QUOTA_NEAR: ReasonInfo(
        Leads.NOTE,
        Severity.WARNING,
        "The identity holds 18 or more of its 20 federated credentials.",
        "Remove credentials nobody needs, or use identity bindings or a second identity.",
    ),
    Reason.QUOTA_REACHED: ReasonInfo(
        Leads.NOTE,
        Severity.WARNING,
        "The identity holds all 20 federated credentials Azure allows.",
        "Remove credentials nobody needs, or use identity bindings or a second identity.",
    ),
    Reason.NO_SLOT_LEFT: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "A declared credential is missing and the identity has no free slot for it.",
        "Remove credentials nobody needs (IssuerForeign and CredentialUndeclared name candidates).",
    ),
    Reason.ISSUER_FOREIGN: ReasonInfo(
        Leads.NOTE,
        Severity.WARNING,
        "A credential nobody declared trusts an issuer that is no declared cluster's: a leftover, or "
        "somebody else's.",
        "Delete it if it is a leftover; otherwise list its issuer under trustedIssuers of the identity.",
    ),
    Reason.CREDENTIAL_UNDECLARED: ReasonInfo(
        Leads.NOTE,
        Severity.WARNING,
        "A credential nobody declared trusts a live cluster.",
        "Declare it in the landscape, or delete it.",
    ),
    Reason.CREDENTIAL_MANAGED_BY_AKS: ReasonInfo(
        Leads.NOTE,
        Severity.NOTE,
        "AKS holds this credential for an identity binding. Reconverge never touches it.",
        "Nothing.",
    ),
    Reason.CREDENTIAL_FLEXIBLE: ReasonInfo(
        Leads.NOTE,
        Severity.NOTE,
        "A flexible credential (claims matching expression) has no subject to compare. It is never touched.",
        "Nothing.",
    ),
    Reason.WRITERS_FIGHT: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "Somebody put the old value back twice after Reconverge had repaired it. It stops here.",
        "Find the other writer (named where its events carried an id; often a pipeline with an old state) "
        "and let only one of the two own the credential.",
    ),
    Reason.READ_MAY_BE_STALE: ReasonInfo(
        Leads.WAIT,
        Severity.NOTE,
        "ARM still shows the value from before our own recent write.",
        "Nothing: Reconverge looks again.",
    ),
    Reason.PROPAGATING: ReasonInfo(
        Leads.WAIT,
        Severity.NOTE,
        "The content is right and Entra still refuses: directory caches may hold the old state for minutes.",
        "Nothing: Reconverge tries the exchange again.",
    ),
    Reason.REFUSED_AFTER_GRACE: ReasonInfo(
        Leads.PERSON,
        Severity.ERROR,
        "The content is right, yet Entra refuses for longer than propagation explains. "
        "The credential is suspect.",
        "Delete the credential and let Reconverge create it again; see the AADSTS code for other causes.",
    ),
    Reason.UNPROVEN: ReasonInfo(
        Leads.WAIT,
        Severity.WARNING,
        "The content is right but the exchange could not be tried, so the repair is not proven.",
        "See the message: the service account may not be deployed yet, or the API server not reachable. Use "
        "contract.proof read-back where Reconverge shall not reach the cluster.",
    ),
}

finding: Final = partial(finding_of, REASONS)
