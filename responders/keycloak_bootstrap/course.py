"""Which repair is called for, and how it fares: what is open, declined, waited for, or was in vain. Pure.

    faults ── purpose ──┬── order, rerun ── pull request ── merged ──┬── sync
                        ├── hooks that are missing ──────────────────┘
                        └── Jobs made anew, where the contract names that

A finding that is made here and that a person or time must see to holds the step back that it is about.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from responders.keycloak_bootstrap.facts import Facts, Purpose, is_wave
from responders.keycloak_bootstrap.order import Place, is_right, ordered
from responders.keycloak_bootstrap.reasons import ABSENT, ORDER, REASONS, RERUN, Reason, finding
from shared import attempts, proposals
from shared.clients.cluster_api import JobState
from shared.clients.workloads import Work
from shared.landscape.forms import FieldPath
from shared.model import Absent, Finding, Known, Severity, Unknown, digest_of
from shared.world import Leads

NAME: Final = "keycloak_bootstrap"
KNOB: Final = "reconverge-"
"""What our values of the knob begin with."""
MOST_RERUNS: Final = 2
"""Within a day, for the same fault: what failed that often is not going to pass."""
SYNC_PATIENCE: Final = timedelta(minutes=10)
"""An operation waits for waves, and for Jobs that take a minute each."""

HOLDS: Final = frozenset(
    {
        Reason.KEYCLOAK_UNREACHABLE,
        Reason.KEYCLOAK_STARTING,
        Reason.REALM_MISSING,
        Reason.REALM_IMPORTS_NOT_SERVED,
        Reason.REALM_IMPORT_MISSING,
        Reason.REALM_IMPORT_FAILED,
        Reason.REALM_IMPORT_STUCK,
        Reason.REALM_IMPORT_UNDER_WAY,
        Reason.MASTER_BOOTSTRAP_TOO_LONG,
        Reason.MASTER_BOOTSTRAP_RUNNING,
        Reason.BOOTSTRAP_ADMIN_REFUSED,
        Reason.CLIENT_PATCHER_TOO_LONG,
        Reason.CLIENT_PATCHER_RUNNING,
        Reason.KEYCLOAK_NOT_DEPLOYED,
    }
)
"""While one of these is found, the Jobs would run in vain, or run already."""


def purpose_of(facts: Facts, found: Iterable[Finding]) -> Purpose | None:
    """What is called for. Wrong annotations come first: a sync with right ones runs the Jobs as well."""
    reasons = {one.reason for one in found}
    if Reason.KEYCLOAK_SYNC_UNDER_WAY in reasons:
        return None
    if reasons & set(ORDER):
        return Purpose.ORDER
    if reasons & HOLDS or _unread(facts):
        return None
    if reasons & set(ABSENT):
        return Purpose.SYNC
    if not reasons & set(RERUN):
        return None
    if not facts.by_jobs:
        return Purpose.RERUN
    return Purpose.SYNC if Reason.HOOK_GONE in reasons or job_to_rerun(facts) is None else Purpose.JOBS


def _unread(facts: Facts) -> bool:
    """Unless both Jobs were looked at, nobody knows which of them is to run; and what a log would have told
    may be what keeps them from it."""
    reads = (facts.bootstrap, facts.patcher, *facts.logs.values())
    return any(isinstance(one, Unknown) for one in reads)


def mended(found: Iterable[Finding], reasons: Iterable[Reason]) -> Reason | None:
    """The first of the reasons that is found."""
    there = {one.reason for one in found}
    return next((one for one in reasons if one in there), None)


def prefix_of(environment: str, purpose: Purpose) -> str:
    """Of the branches for a change of values."""
    return proposals.branch_prefix(environment, f"{NAME}-{purpose.value}")


# -- what the values should say -------------------------------------------------------------


def wanted_of(facts: Facts, purpose: Purpose) -> Mapping[str, str] | None:
    """By key, as far as it is not so; None where a key is needed that is not declared."""
    hooks = facts.declared.hooks
    if hooks.values is None:
        return None
    if purpose is Purpose.RERUN:
        return None if hooks.rerun is None else {hooks.rerun: knob(facts)}
    return _order(facts)


def knob(facts: Facts) -> str:
    """The same for the same Jobs, so that whoever looks again finds the same pull request. Where one is gone,
    the operation that it was deleted in tells it from the next."""
    application = facts.application.value if isinstance(facts.application, Known) else None
    operation = application.operation if application else None
    begun = str(operation.started) if operation and "" in facts.uids else ""
    return f"{KNOB}{digest_of([*facts.uids, begun])[:8]}"


def _order(facts: Facts) -> Mapping[str, str] | None:
    """What the file says already counts, though it may not have been synced yet."""
    hooks = facts.declared.hooks
    bootstrap = _place(facts, hooks.bootstrap, hooks.bootstrap_hook, hooks.bootstrap_wave)
    patcher = _place(facts, hooks.patcher, hooks.patcher_hook, hooks.patcher_wave)
    # Of a bootstrap that was never made, and that the file says nothing about, only its right place is known.
    bootstrap = bootstrap or Place("", 0)
    patcher = patcher or Place("", 0)
    if is_right(bootstrap, patcher):
        return {}
    first, then = ordered(bootstrap, patcher, patcher_wave_may_change=hooks.patcher_wave is not None)
    differing = (
        (hooks.bootstrap_hook, bootstrap.hook, first.hook),
        (hooks.bootstrap_wave, str(bootstrap.wave), str(first.wave)),
        (hooks.patcher_hook, patcher.hook, then.hook),
        (hooks.patcher_wave, str(patcher.wave), str(then.wave)),
    )
    needed = [(key, text) for key, now, text in differing if now != text]
    if any(key is None for key, _ in needed):
        return None
    return {key: text for key, text in needed if key is not None}


def _place(facts: Facts, job: str, hook: FieldPath | None, wave: FieldPath | None) -> Place | None:
    """As the file says, and where it says nothing as it is rendered."""
    rendered = facts.place_of(job)
    said_hook = facts.said.get(hook) if hook else None
    said_wave = facts.said.get(wave) if wave else None
    if rendered is None and said_hook is None:
        return None
    place = rendered or Place("", 0)
    if said_hook is not None:
        place = replace(place, hook=said_hook)
    return replace(place, wave=int(said_wave)) if said_wave and is_wave(said_wave) else place


# -- how it fares ---------------------------------------------------------------------------


def course(facts: Facts, found: tuple[Finding, ...], now: datetime) -> tuple[Finding, ...]:
    """What is to be said of the repair, which is what people want to know first, and the faults."""
    purpose = purpose_of(facts, found)
    said = tuple(_said(facts, found, purpose, now)) if purpose else ()
    if purpose is Purpose.ORDER and _is_precaution(found):
        found, said = _as_precaution(found, said)
    return (*said, *found, *_leftovers(facts, found, purpose))


def _said(facts: Facts, found: tuple[Finding, ...], purpose: Purpose, now: datetime) -> Iterator[Finding]:
    match purpose:
        case Purpose.SYNC:
            yield _unordered(facts, found) or _sync(facts, purpose, now)
        case Purpose.JOBS:
            yield from _job(facts, found, now)
        case Purpose.ORDER | Purpose.RERUN:
            yield from _values(facts, found, purpose, now)


def _values(facts: Facts, found: tuple[Finding, ...], purpose: Purpose, now: datetime) -> Iterator[Finding]:
    change, hooks = facts.change, facts.declared.hooks
    subject = facts.values_id or facts.bootstrap_id
    if hooks.values is None:
        yield finding(Reason.HOOK_KEY_UNDECLARED, subject, "keycloak.hooks declares no file of values")
        return
    if change is None or change.purpose is not purpose:
        if wanted_of(facts, purpose) is None:
            says = f"{hooks.values.path}: keycloak.hooks lacks a key that {purpose.value} needs"
            yield finding(Reason.HOOK_KEY_UNDECLARED, subject, says)
        else:
            # Time went by since the facts were read, and another thing is called for now.
            yield finding(Reason.HOOK_VALUES_SETTLING, subject, "what the Jobs need has just changed")
        return
    stand, says, url = proposals.stand(change.proposal, now)
    if stand is proposals.Stand.RIGHT:
        yield _sync(facts, purpose, now)
        return
    if purpose is Purpose.RERUN and stand is proposals.Stand.DUE:
        yield from _in_vain(facts, found, knob(facts), subject, now)
    elif reason := _STANDS.get(stand):
        evidence = {"url": url} if url else {}
        yield finding(reason, subject, f"{hooks.values.path}: {says}", **evidence)


_STANDS: Final[Mapping[proposals.Stand, Reason]] = {
    proposals.Stand.OPEN: Reason.HOOK_PROPOSAL_OPEN,
    proposals.Stand.DECLINED: Reason.HOOK_PROPOSAL_DECLINED,
    proposals.Stand.SETTLING: Reason.HOOK_VALUES_SETTLING,
    proposals.Stand.UNDONE: Reason.HOOK_VALUES_UNDONE,
    proposals.Stand.UNREAD: Reason.KEYCLOAK_UNREAD,
    proposals.Stand.NO_FILE: Reason.HOOK_VALUES_UNEDITABLE,
    proposals.Stand.UNEDITABLE: Reason.HOOK_VALUES_UNEDITABLE,
}


def _in_vain(
    facts: Facts, found: tuple[Finding, ...], what: str, subject: str, now: datetime
) -> Iterator[Finding]:
    """Whether the Jobs, or the one, ran for this fault often enough. What was begun already may be carried
    on."""
    mends = mended(found, RERUN)
    same = (one for one in facts.reruns if (one.mends, one.object.lower()) == (mends, subject.lower()))
    made = {one.what for one in same if now - one.at < attempts.MEMORY}
    if what not in made and len(made) >= MOST_RERUNS:
        says = f"the Jobs were made to run {len(made)} times within a day for {mends}"
        yield finding(Reason.RERUN_IN_VAIN, subject, says)


# -- Jobs -----------------------------------------------------------------------------------


def job_to_rerun(facts: Facts) -> str | None:
    """The bootstrap while it has not come through, or what it made is gone again, then the patcher; only what
    is there can be made anew."""
    hooks = facts.declared.hooks
    match facts.bootstrap, facts.patcher:
        case Known(bootstrap), _ if bootstrap.state is JobState.FAILED:
            return hooks.bootstrap
        case Known(bootstrap), Known(patcher) if _is_undone(facts, bootstrap, patcher):
            return hooks.bootstrap
        case _, Known(_) if facts.has_completed(hooks.bootstrap):
            return hooks.patcher
    return None


def _is_undone(facts: Facts, bootstrap: Work, patcher: Work) -> bool:
    """The patcher came after the bootstrap and was refused all the same: the client that it logs in as has
    lost its role or its secret since, or is gone."""
    began, log = patcher.started or patcher.created, facts.logs.get(patcher.name)
    if began is None or bootstrap.completed is None or not isinstance(log, Known):
        return False
    is_refused = any(cause.reason in _REFUSED for cause in log.value)
    return is_refused and facts.has_completed(bootstrap.name) and bootstrap.completed <= began


_REFUSED: Final = frozenset({Reason.KEYCLOAK_FORBIDDEN, Reason.PATCHER_LOGIN_REFUSED})
"""What Keycloak says to a patcher without the client that the bootstrap makes."""


def situation_of_job(facts: Facts, job: str) -> str:
    """Each Job of that name is one of its own."""
    read = facts.read_of(job)
    return digest_of([job, read.value.uid if isinstance(read, Known) else ""])


def _job(facts: Facts, found: tuple[Finding, ...], now: datetime) -> Iterator[Finding]:
    job = job_to_rerun(facts)
    if job is None:
        return
    subject, read = facts.job_id(job), facts.read_of(job)
    tried = facts.tries.get(subject.lower(), ())
    match attempts.stand(tried[-1] if tried else None, situation_of_job(facts, job), now):
        case attempts.Stand.WAITING:
            yield finding(Reason.JOB_RERUNNING, subject, f"Job {job} was made anew a moment ago")
        case attempts.Stand.IN_VAIN:
            yield finding(Reason.RERUN_IN_VAIN, subject, f"Job {job} was made anew, and is as before")
        case attempts.Stand.DUE if isinstance(read, Known):
            yield from _in_vain(facts, found, read.value.uid, subject, now)


# -- a sync ---------------------------------------------------------------------------------


def situation_of_sync(facts: Facts, purpose: Purpose) -> str:
    """Without the Jobs' uids: each sync makes them anew, even where it mends nothing. What the values say
    changes with every repair of ours."""
    uid = facts.application.value.uid if isinstance(facts.application, Known) else ""
    return digest_of([purpose.value, uid, dict(facts.said) if purpose is not Purpose.SYNC else {}])


def _sync(facts: Facts, purpose: Purpose, now: datetime) -> Finding:
    """Once in a situation, then patience, then a person."""
    subject, name = facts.application_id, facts.declared.application
    situation = situation_of_sync(facts, purpose)
    if facts.application is None:
        says = f"somebody must sync {name}: no argocd is declared"
        return finding(Reason.KEYCLOAK_SYNC_LEFT_TO_PEOPLE, subject, says)
    if isinstance(facts.application, Absent):
        says = f"somebody must sync what deploys the Jobs: Argo CD has no Application {name}"
        return finding(Reason.KEYCLOAK_SYNC_LEFT_TO_PEOPLE, subject, says)
    if not isinstance(facts.application, Known):
        says = f"whether {name} can be synced is not known"
        return finding(Reason.KEYCLOAK_SYNC_UNDER_WAY, subject, says)
    application = facts.application.value
    if application.deleting or application.skipped or not application.automated:
        why = (
            "it is being deleted"
            if application.deleting
            else "it is excluded from reconciliation"
            if application.skipped
            else "it has no automated sync"
        )
        says = f"somebody must sync {name}: {why}"
        return finding(Reason.KEYCLOAK_SYNC_LEFT_TO_PEOPLE, subject, says)
    if application.running or application.refreshing:
        return finding(Reason.KEYCLOAK_SYNC_UNDER_WAY, subject, f"{name} is busy")
    if held := _of_tries(facts, situation, now):
        return held
    says = f"the values are as they should be, and the Jobs of {name} have not run since"
    return finding(Reason.HOOKS_NOT_RERUN, subject, says, situation=situation)


def _unordered(facts: Facts, found: tuple[Finding, ...]) -> Finding | None:
    """A sync of ours ran the patcher alone all the same, and nothing is declared that would change the order:
    another one would run it alone again."""
    tried, since = facts.tries.get(facts.application_id.lower(), ()), facts.patched_alone_since
    too_early = any(one.reason == Reason.PATCHER_BEFORE_BOOTSTRAP for one in found)
    if not (too_early and tried and since) or since < tried[-1].at.replace(microsecond=0):
        return None
    if wanted_of(facts, Purpose.ORDER) is not None:
        return None
    says = "the patcher runs before the bootstrap, and keycloak.hooks lacks a key that order needs"
    return finding(Reason.HOOK_KEY_UNDECLARED, facts.values_id or facts.bootstrap_id, says)


def _of_tries(facts: Facts, situation: str, now: datetime) -> Finding | None:
    """Why no other sync is asked for; None where one may be. One of which no answer came may be made again,
    and counts: each runs all hooks of the Application."""
    subject, name = facts.application_id, facts.declared.application
    tried = facts.tries.get(subject.lower(), ())
    confirmed = [one for one in tried if one.confirmed]
    spent = sum(one.situation == situation for one in tried) >= MOST_RERUNS
    stand = attempts.stand(confirmed[-1] if confirmed else None, situation, now, patience=SYNC_PATIENCE)
    if stand is attempts.Stand.WAITING or (spent and now - tried[-1].at < SYNC_PATIENCE):
        return finding(Reason.KEYCLOAK_SYNC_UNDER_WAY, subject, f"a sync of {name} was asked for")
    if stand is attempts.Stand.IN_VAIN or spent:
        says = f"a sync of {name} was asked for because of this, and it is as before"
        return finding(Reason.KEYCLOAK_SYNC_IN_VAIN, subject, says)
    return None


# -- a precaution ---------------------------------------------------------------------------


def _is_precaution(found: tuple[Finding, ...]) -> bool:
    """Whether nothing but the order is wrong."""
    others = (REASONS[one.reason] for one in found if one.reason not in ORDER)
    return all(info.leads is Leads.NOTE or info.severity is Severity.WARNING for info in others)


_STAYS: Final = frozenset(
    {Reason.HOOK_PROPOSAL_OPEN, Reason.HOOK_VALUES_SETTLING, Reason.KEYCLOAK_SYNC_UNDER_WAY}
)


def _as_precaution(
    found: tuple[Finding, ...], said: tuple[Finding, ...]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Others may not have to wait for what nobody needs yet, and people may say no to it."""
    told = tuple(
        one
        if one.reason == Reason.HOOKS_NOT_RERUN
        else finding(Reason.HOOK_ORDER_UNSETTLED, one.subject, one.message, **one.evidence)
        for one in said
    )
    if any(one.reason != Reason.HOOKS_NOT_RERUN and one.reason not in _STAYS for one in said):
        found = tuple(one for one in found if one.reason not in ORDER)
    return found, told


# -- pull requests that nobody needs --------------------------------------------------------


def _leftovers(facts: Facts, found: tuple[Finding, ...], purpose: Purpose | None) -> Iterator[Finding]:
    """All but the one in hand, once it is known what is needed."""
    if not isinstance(facts.leftovers, Known):
        return
    own = ""
    if purpose in (Purpose.ORDER, Purpose.RERUN):
        if facts.change is None or not facts.change.proposal.change:
            return
        own = proposals.branch(prefix_of(facts.environment, purpose), facts.change.proposal.change)
    elif purpose is not None or any(REASONS[one.reason].leads is not Leads.NOTE for one in found):
        return
    for one in facts.leftovers.value:
        if one.branch != own:
            says = f"pull request {one.number} is not needed any more"
            yield finding(Reason.HOOK_PROPOSAL_SUPERSEDED, one.url, says)
