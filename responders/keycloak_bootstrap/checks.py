"""Everything that is wrong on the way from Keycloak to Secrets that people sign in with. Pure.

    Keycloak ── realm imports ── master bootstrap ── client patcher ─┬─ clients
                                                                     └─ Vault ── Secrets

Promises: no I/O, no clock but the time passed in, no claim about a value that was not read, and nothing of a
log or a secret in a message.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from responders.keycloak_bootstrap.course import course
from responders.keycloak_bootstrap.effect_checks import effect_faults
from responders.keycloak_bootstrap.facts import Facts
from responders.keycloak_bootstrap.job_checks import job_faults, order_faults
from responders.keycloak_bootstrap.keycloak_checks import keycloak_faults
from responders.keycloak_bootstrap.reasons import ABSENT, ORDER, REASONS, Reason, finding
from shared.model import Finding, Known, Proof, Unknown
from shared.world import Leads

PASSING: Final = frozenset(
    {*ABSENT, *ORDER, Reason.REALM_IMPORT_MISSING, Reason.HOOK_GONE, Reason.PATCHER_BEFORE_BOOTSTRAP}
)
"""What tells nothing while a sync is under way or still to come: it makes what is missing, and the Jobs anew
one by one."""


def check(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Every finding, and how the repair fares that is called for."""
    return course(facts, faults(facts, now), now)


def doubt(_facts: Facts, _proofs: tuple[Proof, ...], _now: datetime) -> tuple[Finding, ...]:
    """Nothing: what is not proven is still found by the checks."""
    return ()


def faults(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """What is wrong. A fault of the whole stands for all that is in it."""
    if isinstance(facts.cluster, Unknown):
        says = f"the cluster could not be read: {facts.cluster.why}"
        return (finding(Reason.KEYCLOAK_UNREAD, facts.cluster_id, says),)
    before = tuple(keycloak_faults(facts, now))
    behind = tuple(effect_faults(facts, now))
    jobs = tuple(job_faults(facts, now, wrong=_wrong(_left_by_jobs(facts, before + behind))))
    found = (*before, *jobs, *order_faults(facts), *behind)
    if facts.in_flux(now):
        return tuple(_in_flux(facts, found))
    if facts.awaits_deployment:
        return tuple(_awaiting(facts, found))
    return (*_about_application(facts, found), *found)


def _left_by_jobs(facts: Facts, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What may be awaited of a patcher that is gone does not tell that it has still to run."""
    if facts.patched_at is not None:
        return found
    return tuple(one for one in found if one.reason != Reason.OIDC_SECRET_REFRESHING)


def _wrong(found: tuple[Finding, ...]) -> bool:
    return any(REASONS[one.reason].leads is not Leads.NOTE for one in found)


def _in_flux(facts: Facts, found: tuple[Finding, ...]) -> Iterator[Finding]:
    """A sync that changes nothing is not worth a word."""
    if _wrong(tuple(one for one in found if one.reason not in ORDER)):
        yield finding(Reason.KEYCLOAK_SYNC_UNDER_WAY, facts.application_id, "a sync is under way")
    yield from (one for one in found if one.reason not in PASSING)


def _awaiting(facts: Facts, found: tuple[Finding, ...]) -> Iterator[Finding]:
    if _wrong(found):
        what = "never synced" if isinstance(facts.application, Known) else "not there"
        says = f"Application {facts.declared.application} is {what}"
        yield finding(Reason.KEYCLOAK_NOT_DEPLOYED, facts.application_id, says)
    yield from (one for one in found if one.reason not in PASSING)


def _about_application(facts: Facts, found: tuple[Finding, ...]) -> Iterator[Finding]:
    """Whether it could be synced, which counts only where something is wrong."""
    if _wrong(found) and isinstance(facts.application, Unknown):
        says = f"the Application could not be read: {facts.application.why}"
        yield finding(Reason.KEYCLOAK_UNREAD, facts.application_id, says)
