"""Proves what was begun, by the facts read after it: where it failed, not where it was written.

A pull request that is merged proves nothing, and neither does a sync that succeeded.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.keycloak_bootstrap.facts import Facts
from responders.keycloak_bootstrap.job_checks import order_faults
from responders.keycloak_bootstrap.plan import JOBS, ORDERS, RERUNS, SYNC
from responders.keycloak_bootstrap.reasons import Reason
from responders.keycloak_bootstrap.redirects import accepts
from shared.attempts import next_look
from shared.clients.cluster_api import JobState
from shared.model import Absent, Finding, Known, Proof, Unknown, Verdict
from shared.world import Look, Scope

UNREAD_PAUSE: Final = timedelta(seconds=30)
FIRST_LOOK: Final = timedelta(seconds=5)
LONGEST_REFRESHING: Final = timedelta(minutes=5)
"""Between looks at a Secret that its operator reads again once an hour."""
LONGEST_OPEN: Final = timedelta(minutes=15)
"""Between looks at a pull request that waits for people."""


def verify(scope: Scope, facts: Facts) -> tuple[Proof, ...]:
    """One proof for each of our writes whose effect is there, and that has none yet. Reads nothing itself."""
    return tuple(
        Proof(object=subject, method="read-back", verdict=Verdict.ACCEPTED, detail=detail, at=scope.clock())
        for subject, detail in _effects(facts)
    )


def _effects(facts: Facts) -> Iterator[tuple[str, str]]:
    # Whoever syncs makes the Jobs run, and somebody else may have ordered them: only what was merged did it.
    if facts.values_id and facts.landed and (begun := facts.unproven(facts.values_id)):
        if begun.action == ORDERS and _in_order(facts):
            yield facts.values_id, "the master bootstrap is rendered before the client patcher"
        if begun.action == RERUNS and _both_ran_since(facts, begun.at):
            yield facts.values_id, "both Jobs ran after it and completed"
    begun = facts.unproven(facts.application_id)
    if begun and begun.action == SYNC and _both_ran_since(facts, begun.at) and _secrets_are_there(facts):
        yield facts.application_id, "both Jobs completed after it, and every Secret is there"
    for job in (facts.declared.hooks.bootstrap, facts.declared.hooks.patcher):
        subject = facts.job_id(job)
        if (begun := facts.unproven(subject)) and begun.action == JOBS and _ran_since(facts, job, begun.at):
            yield subject, f"Job {job} ran after it and completed"
    yield from _redirects(facts)


def _redirects(facts: Facts) -> Iterator[tuple[str, str]]:
    clients = facts.clients.value if isinstance(facts.clients, Known) else ()
    for client in clients:
        declared = facts.declared.clients.get(client.client_id)
        for uri in declared.redirect_uris if declared else ():
            subject = facts.redirect_id(client.client_id, uri)
            if facts.unproven(subject) and accepts(client.redirect_uris, uri):
                yield subject, f"client {client.client_id} accepts {uri}"


def _in_order(facts: Facts) -> bool:
    """As both are rendered: what the file says of a Job that is not there has not had any effect yet."""
    there = isinstance(facts.bootstrap, Known) and isinstance(facts.patcher, Known)
    return there and not list(order_faults(facts))


def _both_ran_since(facts: Facts, at: datetime) -> bool:
    hooks = facts.declared.hooks
    return _ran_since(facts, hooks.bootstrap, at) and _ran_since(facts, hooks.patcher, at)


def _ran_since(facts: Facts, job: str, at: datetime) -> bool:
    # The API server's times have no fractions of a second.
    since = at.replace(microsecond=0)
    match facts.read_of(job):
        case Known(work):
            complete = work.state is JobState.COMPLETE and not work.deleting
            return complete and work.created is not None and work.created >= since
        case Absent() if facts.has_completed(job) and isinstance(facts.application, Known):
            operation = facts.application.value.operation
            begun = operation.started if operation else None
            return begun is not None and begun >= since
    return False


def _secrets_are_there(facts: Facts) -> bool:
    """With every key that is declared, and none of them empty."""
    for name, keys in facts.declared.secrets.items():
        read = facts.secrets.get(name)
        if not isinstance(read, Known) or not read.value.entries:
            return False
        entries = read.value.entries
        if any(key not in entries or entries[key].empty for key in keys or entries):
            return False
    return True


# -- when to look again ---------------------------------------------------------------------


def look_again(facts: Facts, finding: Finding, now: datetime) -> Look:
    """Soon after what was begun last, then less and less often: half its age, up to the longest pause."""
    if finding.reason in (Reason.KEYCLOAK_UNREAD, Reason.CLIENT_KEYS_UNREAD):
        asked = max(_asked_for(facts), default=None)
        return Look(UNREAD_PAUSE) if asked is None else Look(asked, asked=True)
    if finding.reason == Reason.HOOK_PROPOSAL_OPEN:
        begun = facts.tries.get(finding.subject.lower(), ())
        return Look(min(max((now - begun[-1].at) / 2, FIRST_LOOK), LONGEST_OPEN) if begun else LONGEST_OPEN)
    if finding.reason == Reason.OIDC_SECRET_REFRESHING and (patched := facts.patched_at) is not None:
        return Look(min(max((now - patched) / 4, FIRST_LOOK), LONGEST_REFRESHING))
    return next_look(_begun(facts), now)


def _begun(facts: Facts) -> Iterator[datetime]:
    """Our writes, and what was deployed or synced."""
    yield from (made[-1].at for made in facts.tries.values() if made)
    yield from facts.deployed


def _asked_for(facts: Facts) -> Iterator[timedelta]:
    """The pauses that the far side named."""
    proposal = facts.change.proposal if facts.change else None
    reads: list[object] = [
        facts.cluster,
        facts.imports,
        facts.bootstrap,
        facts.patcher,
        facts.digests,
        facts.application,
        facts.clients,
        facts.login,
        *facts.logs.values(),
        *facts.secrets.values(),
        *facts.keys.values(),
    ]
    if proposal is not None:
        reads += [proposal.text, proposal.history, proposal.proposed]
    for read in reads:
        if isinstance(read, Unknown) and read.delay is not None:
            yield read.delay
