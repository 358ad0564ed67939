"""Findings → ordered steps: the smallest change, under the name that is there. Nothing is ever deleted."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from responders.federated_credentials.cases import (
    Case,
    as_declared,
    attributes,
    cases,
    held_by,
    stands,
    wanted,
)
from responders.federated_credentials.facts import Facts, Holding
from responders.federated_credentials.reasons import Reason
from shared.model import Credential, Finding, Plan, Step, Target, Unknown, digest_of

NAME: Final = "federated_credentials"
UPDATE: Final = "credential.update"
CREATE: Final = "credential.create"

MENDABLE: Final = frozenset(
    {Reason.CREDENTIAL_MISSING, Reason.SUBJECT_DIFFERS, Reason.ISSUER_STALE, Reason.AUDIENCE_DIFFERS}
)

# Checks speak of time, plans do not: whatever they look at is the same at any moment.
_ANY_TIME: Final = datetime.min.replace(tzinfo=UTC)


def plan(facts: Facts, findings: tuple[Finding, ...]) -> Plan:
    """One step per credential that findings call mendable, in the order that `_in_order` gives."""
    mendable = {
        finding.subject: finding.reason for finding in reversed(findings) if finding.reason in MENDABLE
    }
    steps: list[Step] = []
    basis = []
    for holding in facts.holdings if mendable else ():
        chosen = _in_order(holding, list(cases(facts, holding, _ANY_TIME)), mendable)
        steps.extend([_step(case, mendable) for case in chosen])
        if chosen:
            basis.append(
                (holding.id.lower(), sorted(map(_plain, held_by(holding))), [case.issuer for case in chosen])
            )
    return Plan(
        target=Target(facts.environment, NAME), facts=digest_of(basis) if basis else "", steps=tuple(steps)
    )


def _in_order(holding: Holding, declared: list[Case], mendable: Mapping[str, str]) -> list[Case]:
    """What findings call mendable.

    What is missing is created before anything changes, and what a live cluster still uses changes last and
    only once the created ones are proven: a cluster that works keeps its access until its successor has one.
    """
    own = [case for case in declared if case.subject_id in mendable]
    creates = [case for case in own if case.found is None]
    in_use = [case for case in own if _in_use(case)]
    settled = [case for case in own if case.found is not None and not _in_use(case)]
    unproven = any(map(_still_to_create, declared)) or _created_is_unproven(holding)
    return [*creates, *settled, *([] if creates or unproven else in_use)]


def _created_is_unproven(holding: Holding) -> bool:
    """Something that we created has no proof yet. What others have written over since gets none from us."""
    held = {one.name.lower(): one for one in held_by(holding)}
    created = {
        name: writes[-1]
        for name, writes in holding.writes.items()
        if writes[-1].before is None and not writes[-1].proven
    }
    return any(name not in held or stands(write, held[name]) for name, write in created.items())


def _still_to_create(case: Case) -> bool:
    """It is missing, and cannot be created before its cluster is read."""
    return case.found is None and isinstance(case.facts.clusters[case.declared.cluster], Unknown)


def _in_use(case: Case) -> bool:
    """The credential trusts another live cluster than the one it is meant for, or may do so: a cluster that
    could not be read may be the one.
    """
    return (
        case.found is not None
        and case.found.issuer != case.issuer
        and (case.found.issuer in case.facts.live_issuers or _some_cluster_unread(case.facts))
    )


def _some_cluster_unread(facts: Facts) -> bool:
    return any(isinstance(cluster, Unknown) for cluster in facts.clusters.values())


def _step(case: Case, mendable: Mapping[str, str]) -> Step:
    subject = case.subject_id
    return Step(
        action=UPDATE if case.found else CREATE,
        object=subject,
        owner=case.holding.id,
        before=attributes(case.found) if case.found else None,
        after=wanted(case),
        mends=mendable[subject],
    )


def _plain(credential: Credential) -> tuple[str, str, str, str]:
    return credential.name, credential.issuer, credential.subject or "", ", ".join(credential.audiences)


def is_settled(case: Case) -> bool:
    """The credential is exactly as declared, for the live cluster."""
    return bool(case.issuer) and as_declared(case)
