"""Faults of federated credentials, each check named after the fault it finds.

Promises: no I/O, no clock but the time passed in, no claim about a value that was not read.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.federated_credentials.cases import (
    QUOTA,
    Case,
    Surroundings,
    as_declared,
    attributes,
    cases_of,
    subscription,
)
from responders.federated_credentials.facts import FIGHT_WITHIN, Facts, Holding, credential_id
from responders.federated_credentials.reasons import Reason, finding
from shared.model import Absent, Credential, Finding, Known, Proof, Unknown, Verdict, same_id

QUOTA_NEAR: Final = 18

AKS_AUDIENCE: Final = "api://AKSIdentityBinding"
AKS_ISSUER: Final = "https://ib.oic"
"""Of credentials that AKS holds for identity bindings.
https://learn.microsoft.com/azure/aks/identity-bindings-concepts"""

FIGHT_AFTER: Final = 2
"""Put back this often within FIGHT_WITHIN, a value is somebody's intention."""

STALE_FOR: Final = timedelta(minutes=1)
"""How long ARM may answer with what stood there before a write."""

SETTLING: Final = frozenset(
    {
        "creating",
        "updating",
        "deleting",
        "upgrading",
        "scaling",
        "starting",
        "stopping",
        "migrating",
        "rotatingclustercertificates",
        "reconcilingclusteretcdcertificates",
    }
)
"""provisioningStates that pass by themselves; any other that is not Succeeded needs a person."""


type Check = Callable[[Case], Finding | None]


# -- of a cluster -------------------------------------------------------------------------


def cluster_fault(facts: Facts, name: str) -> Finding | None:
    """The first thing that makes a cluster's issuer unusable as the truth."""
    subject = facts.cluster_ids[name]
    match facts.clusters[name]:
        case Unknown(why):
            return finding(Reason.UNREAD, subject, f"cluster {name} could not be read: {why}")
        case Absent():
            return finding(Reason.CLUSTER_DELETED, subject, f"ARM knows no cluster {name}")
        case Known(cluster) if cluster.provisioning_state.lower() in SETTLING:
            return finding(
                Reason.CLUSTER_NOT_READY, subject, f"cluster {name} is {cluster.provisioning_state}"
            )
        case Known(cluster) if cluster.provisioning_state.lower() != "succeeded":
            return finding(
                Reason.CLUSTER_FAILED,
                subject,
                f"cluster {name} is {cluster.provisioning_state or 'in no state'}",
            )
        case Known(cluster) if not cluster.issuer:
            return finding(Reason.CLUSTER_WITHOUT_ISSUER, subject, f"cluster {name} has no OIDC issuer")
        case Known(cluster) if not facts.contract.issuer_host_allowed(cluster.issuer):
            return finding(
                Reason.ISSUER_HOST_NOT_ALLOWED,
                subject,
                f"cluster {name} has issuer {cluster.issuer}, whose host contract.issuerHosts does not list",
            )
    return None


# -- of an identity -----------------------------------------------------------------------


def identity_fault(facts: Facts, holding: Holding) -> Finding | None:
    """The first thing that forbids any judgement or write on an identity."""
    match holding.identity, holding.credentials:
        case Unknown(why), _:
            return finding(Reason.UNREAD, holding.id, f"the identity could not be read: {why}")
        case Absent(), _:
            return finding(Reason.IDENTITY_MISSING, holding.id, "ARM knows no such identity")
        case Known(identity), _ if (
            same_id(holding.id, facts.own_identity) or identity.principal_id.lower() == facts.own_object_id
        ):
            return finding(Reason.IDENTITY_IS_OWN, holding.id, "this is the identity Reconverge runs as")
        case _, Unknown(why):
            return finding(Reason.UNREAD, holding.id, f"its credentials could not be listed: {why}")
        case _, Absent():
            return finding(
                Reason.UNREAD, holding.id, "the identity exists, but listing its credentials says 404"
            )
    return None


def quota(holding: Holding, held: tuple[Credential, ...]) -> Finding | None:
    if len(held) >= QUOTA:
        return finding(Reason.QUOTA_REACHED, holding.id, f"{len(held)} of {QUOTA} credentials are in use")
    if len(held) >= QUOTA_NEAR:
        return finding(Reason.QUOTA_NEAR, holding.id, f"{len(held)} of {QUOTA} credentials are in use")
    return None


def undeclared(around: Surroundings) -> Iterator[Finding]:
    """Notes on credentials that no environment declares. None of them is ever changed."""
    facts, holding = around.facts, around.holding
    declared = holding.elsewhere.union(around.names)
    if declared.issuperset(around.by_name):
        return
    for name, one in around.by_name.items():
        if name in declared:
            continue
        subject = credential_id(holding.id, one.name)
        if managed_by_aks(one):
            yield finding(Reason.CREDENTIAL_MANAGED_BY_AKS, subject, f"{one.name} belongs to AKS")
        elif one.subject is None:
            yield finding(Reason.CREDENTIAL_FLEXIBLE, subject, f"{one.name} matches claims, not a subject")
        elif one.issuer in facts.live_issuers:
            yield finding(
                Reason.CREDENTIAL_UNDECLARED,
                subject,
                f"{one.name} lets {one.subject} of a live cluster in, and no environment declares it",
            )
        elif one.issuer not in holding.trusted_issuers:
            yield finding(
                Reason.ISSUER_FOREIGN,
                subject,
                f"{one.name} trusts {one.issuer}, which is no declared cluster's",
            )


def managed_by_aks(credential: Credential) -> bool:
    return credential.issuer.startswith(AKS_ISSUER) or AKS_AUDIENCE in credential.audiences


# -- of a declared credential -------------------------------------------------------------


def identity_outside_subscription(case: Case) -> Finding | None:
    cluster = case.declared.cluster
    if cluster not in case.around.far_clusters:
        return None
    return case.finding(
        Reason.IDENTITY_OUTSIDE_SUBSCRIPTION,
        f"the identity is in subscription {subscription(case.holding.id)}, "
        f"cluster {cluster} in {subscription(case.facts.cluster_ids[cluster])}",
    )


def name_collision(case: Case) -> Finding | None:
    """The declared name is taken by a credential that an update would break for somebody else."""
    found = case.found
    if found is None:
        return None
    if managed_by_aks(found):
        why = "AKS holds it for an identity binding"
    elif found.subject is None:
        why = "it is a flexible credential, which matches claims and has no subject"
    elif found.issuer != case.issuer and not case.facts.contract.issuer_host_allowed(found.issuer):
        why = f"it trusts {found.issuer}, which cannot be a cluster of this environment"
    else:
        return None
    return case.finding(Reason.NAME_COLLISION, f"{found.name} is declared, but {why}")


def writers_fight(case: Case) -> Finding | None:
    """The value is back at what we replaced, and we replaced it as often as is reasonable."""
    if case.found is None or not case.writes:
        return None
    now_there = attributes(case.found)
    since = case.around.now - FIGHT_WITHIN
    replaced = [
        write for write in case.writes if write.confirmed and write.before == now_there and write.at > since
    ]
    if len(replaced) < FIGHT_AFTER:
        return None
    others = ", ".join(case.holding.others.get(case.declared.name.lower(), ()))
    return case.finding(
        Reason.WRITERS_FIGHT,
        f"{case.found.name} was put back {len(replaced)} times; writers: "
        f"{case.facts.own_object_id} (Reconverge) and {others or 'one whose events carried no id'}",
        ours=case.facts.own_object_id,
        others=others,
    )


def read_may_be_stale(case: Case) -> Finding | None:
    """ARM may show for a while what stood there before our write: no reason to write again."""
    if not case.writes:
        return None
    last = case.writes[-1]
    shown = attributes(case.found) if case.found else None
    if last.confirmed and shown == last.before and case.around.now - last.at < STALE_FOR:
        return case.finding(
            Reason.READ_MAY_BE_STALE,
            f"{case.declared.name} was written at {last.at:%H:%M:%S} and reads as before",
        )
    return None


def pair_held_elsewhere(case: Case) -> Finding | None:
    if as_declared(case) or (case.issuer, case.declared.subject) not in case.around.pairs:
        return None
    for one in case.around.held:
        if one is not case.found and one.issuer == case.issuer and one.subject == case.declared.subject:
            return case.finding(
                Reason.PAIR_HELD_ELSEWHERE,
                f"{one.name} already holds the live issuer with {one.subject}",
                holder=one.name,
            )
    return None


def no_slot_left(case: Case) -> Finding | None:
    if case.found is None and case.free_slots <= 0:
        return case.finding(
            Reason.NO_SLOT_LEFT, f"{case.declared.name} is missing and all {QUOTA} slots are taken"
        )
    return None


def credential_missing(case: Case) -> Finding | None:
    if case.found is None:
        return case.finding(Reason.CREDENTIAL_MISSING, f"no credential {case.declared.name}")
    return None


STOPPERS: Final[tuple[Check, ...]] = (
    identity_outside_subscription,  # the pointer is stale, not the credential
    name_collision,                 # somebody else's credential
    read_may_be_stale,              # our own write is too young to judge
    writers_fight,                  # a third repair would be a loop
    pair_held_elsewhere,            # Azure would refuse the write
    no_slot_left,                   # Azure would refuse the create
    credential_missing,             # nothing to compare
)  # fmt: skip


# -- what differs, all of it: one update mends every difference --------------------------


def subject_differs(case: Case, found: Credential) -> Finding | None:
    if found.subject == case.declared.subject:
        return None
    only_case = found.subject is not None and found.subject.lower() == case.declared.subject.lower()
    return case.finding(
        Reason.SUBJECT_DIFFERS,
        f"{found.name} names {found.subject}, not {case.declared.subject}"
        + (" (letter case only, and Entra compares it)" if only_case else ""),
    )


def issuer_stale(case: Case, found: Credential) -> Finding | None:
    # Character for character: the last slash belongs to the issuer.
    # https://learn.microsoft.com/azure/aks/use-oidc-issuer
    if found.issuer == case.issuer:
        return None
    return case.finding(Reason.ISSUER_STALE, f"{found.name} trusts {found.issuer}, not {case.issuer}")


def audience_differs(case: Case, found: Credential) -> Finding | None:
    if found.audiences == (case.declared.audience,):
        return None
    return case.finding(
        Reason.AUDIENCE_DIFFERS,
        f"{found.name} has audience {', '.join(found.audiences) or 'none'}, not {case.declared.audience}",
    )


DIFFERENCES: Final = (subject_differs, issuer_stale, audience_differs)


# -- the chains ---------------------------------------------------------------------------


def check(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Every finding on an environment: clusters, then identity by identity in the landscape's order."""
    unusable = {name: fault for name in facts.clusters if (fault := cluster_fault(facts, name))}
    findings = list(unusable.values())
    for holding in facts.holdings:
        if fault := identity_fault(facts, holding):
            findings.append(fault)
            continue
        around = Surroundings(facts, holding, now)
        if fault := quota(holding, around.held):
            findings.append(fault)
        for case in cases_of(around):
            # Most are well, and no check would find anything on them: this look is what a sweep costs.
            if case.declared.cluster not in unusable and not _plainly_well(case):
                findings.extend(faults(case))
        findings.extend(undeclared(around))
    return tuple(findings)


def _plainly_well(case: Case) -> bool:
    """As declared, never written by us of late, and where it belongs."""
    return not case.writes and as_declared(case) and case.declared.cluster not in case.around.far_clusters


def faults(case: Case) -> list[Finding]:
    for stopper in STOPPERS:
        if finding := stopper(case):
            return [finding]
    found = case.found
    return [] if found is None else [f for differs in DIFFERENCES if (f := differs(case, found))]


def doubt(facts: Facts, proofs: tuple[Proof, ...], now: datetime) -> tuple[Finding, ...]:
    """What failed proofs show: propagation at first, a fault of its own when that explains it no longer."""
    written = {
        credential_id(holding.id, declared.name).lower(): writes[-1].at
        for holding in facts.holdings
        for declared in holding.declared
        if (writes := holding.writes.get(declared.name.lower()))
    }
    findings = []
    for proof in proofs:
        at = written.get(proof.object.lower(), now)
        match proof.verdict:
            case Verdict.REFUSED if now - at < facts.contract.grace:
                findings.append(
                    finding(Reason.PROPAGATING, proof.object, f"Entra answers {proof.detail} so far")
                )
            case Verdict.REFUSED:
                findings.append(
                    finding(
                        Reason.REFUSED_AFTER_GRACE,
                        proof.object,
                        # Without its age, which would make the same trouble look new at every look.
                        f"Entra answers {proof.detail}, long after the write of {at:%Y-%m-%d %H:%M} UTC",
                    )
                )
            case Verdict.UNPROVEN:
                findings.append(finding(Reason.UNPROVEN, proof.object, proof.detail))
    return tuple(findings)
