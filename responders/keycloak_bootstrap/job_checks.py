"""Faults of the two Jobs: what became of each, why its log says so, and in which order they run. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.keycloak_bootstrap.facts import Facts
from responders.keycloak_bootstrap.log_reasons import said
from responders.keycloak_bootstrap.order import Phase, comes_before
from responders.keycloak_bootstrap.reasons import Reason, finding
from shared.clients.cluster_api import JobState
from shared.clients.workloads import Work
from shared.model import Absent, Finding, Known, Read, Unknown

RUNS_WITHIN: Final = timedelta(minutes=15)
"""Each of the Jobs takes a minute, or waits for something."""


def job_faults(facts: Facts, now: datetime, *, wrong: bool) -> Iterator[Finding]:
    """wrong: something is not as the Jobs should have left it. Else a missing Job has done its work."""
    hooks = facts.declared.hooks
    found = [
        *_job_faults(facts, hooks.bootstrap, "the master bootstrap", now),
        *_job_faults(facts, hooks.patcher, "the client patcher", now),
    ]
    wrong = wrong or bool(found)
    if wrong:
        found += _missing(facts)
        found += _too_early(facts)
    yield from found


# -- each -----------------------------------------------------------------------------------


def _job_faults(facts: Facts, job: str, called: str, now: datetime) -> Iterator[Finding]:
    subject = facts.job_id(job)
    match facts.read_of(job):
        case Unknown(why):
            yield finding(Reason.KEYCLOAK_UNREAD, subject, f"{called} could not be read: {why}")
        case Absent() if job in facts.failed_hooks:
            says = f"the last operation tells that Job {job} failed, and the Job is gone"
            yield finding(Reason.HOOK_GONE, subject, says)
        case Known(work) if work.deleting or work.state is JobState.ACTIVE:
            yield _running(facts, work, called, now)
        case Known(work) if work.state is JobState.FAILED:
            yield from _causes(facts, job, called)
            failed = facts.reasons_of(job)[0]
            why = f" ({work.reason})" if work.reason else ""
            yield finding(failed, subject, f"Job {job} failed{why}", uid=work.uid)
        case Known():
            yield from _causes(facts, job, called)


def _running(facts: Facts, work: Work, called: str, now: datetime) -> Finding:
    _, too_long, running = facts.reasons_of(work.name)
    begun, subject = work.started or work.created, facts.job_id(work.name)
    late = begun is not None and now - begun >= RUNS_WITHIN and not facts.recovers(now)
    if begun is not None and late and not work.deleting:
        return finding(too_long, subject, f"{called} runs since {begun:%Y-%m-%d %H:%M} UTC")
    return finding(running, subject, f"{called} is {'being deleted' if work.deleting else 'running'}")


def _causes(facts: Facts, job: str, called: str) -> Iterator[Finding]:
    subject = facts.job_id(job)
    match facts.logs.get(job):
        case Unknown(why):
            says = f"the log of Job {job} could not be read: {why}"
            yield finding(Reason.KEYCLOAK_UNREAD, subject, says)
        case Known(causes):
            for cause in causes:
                detail = {"said": cause.detail} if cause.detail else {}
                yield finding(cause.reason, subject, f"{called}'s log: {said(cause)}", **detail)


def _missing(facts: Facts) -> Iterator[Finding]:
    hooks = facts.declared.hooks
    for job, reason in (
        (hooks.bootstrap, Reason.MASTER_BOOTSTRAP_MISSING),
        (hooks.patcher, Reason.CLIENT_PATCHER_MISSING),
    ):
        gone = isinstance(facts.read_of(job), Absent) and job not in facts.failed_hooks
        if gone and not facts.has_completed(job):
            says = f"namespace {facts.declared.namespace} has no Job {job}"
            yield finding(reason, facts.job_id(job), says)


# -- both -----------------------------------------------------------------------------------


def _too_early(facts: Facts) -> Iterator[Finding]:
    """By what they did, whatever their annotations say."""
    since = facts.patched_alone_since
    match facts.bootstrap, facts.patcher:
        case Known(bootstrap), Known(patcher) if patcher.state is not JobState.ACTIVE:
            if says := _began_too_early(bootstrap, patcher):
                yield finding(Reason.PATCHER_BEFORE_BOOTSTRAP, facts.patcher_id, says)
        case Absent(), patcher if since and _ended_since(facts, patcher, since):
            says = f"the sync of {since:%Y-%m-%d %H:%M} UTC ran the client patcher, and no master bootstrap"
            yield finding(Reason.PATCHER_BEFORE_BOOTSTRAP, facts.patcher_id, says)


def _ended_since(facts: Facts, patcher: Read[Work], since: datetime) -> bool:
    match patcher:
        case Known(work):
            made = work.created is not None and work.created >= since
            return made and work.state is not JobState.ACTIVE
        case Absent():
            return facts.declared.hooks.patcher in facts.failed_hooks
    return False


def _began_too_early(bootstrap: Work, patcher: Work) -> str | None:
    began, ended = patcher.started or patcher.created, bootstrap.completed
    if began is None:
        return None
    says = f"the client patcher began at {began:%Y-%m-%d %H:%M:%S} UTC"
    if bootstrap.state is JobState.COMPLETE:
        early = ended is not None and began < ended
        return f"{says}, the master bootstrap completed at {ended:%Y-%m-%d %H:%M:%S}" if early else None
    # One that completed before this bootstrap was made is of an earlier sync.
    earlier = patcher.state is JobState.COMPLETE and (bootstrap.created is None or began < bootstrap.created)
    return None if earlier else f"{says}, and the master bootstrap has not completed"


def order_faults(facts: Facts) -> Iterator[Finding]:
    """By what their annotations say, whatever they did."""
    hooks = facts.declared.hooks
    bootstrap, patcher = facts.place_of(hooks.bootstrap), facts.place_of(hooks.patcher)
    subject = facts.values_id or facts.bootstrap_id
    if bootstrap is not None and not bootstrap.is_sync_hook:
        says = f"the master bootstrap should be a Sync hook, and is {bootstrap}"
        yield finding(Reason.BOOTSTRAP_NOT_SYNC_HOOK, subject, says)
    if patcher is None:
        return
    if bootstrap is None:
        if patcher.phases and patcher.phases[0] < Phase.SYNC:
            says = f"the client patcher is {patcher}, so it runs before any bootstrap that is a Sync hook"
            yield finding(Reason.HOOKS_MISORDERED, subject, says)
    elif not comes_before(bootstrap, patcher):
        says = f"the master bootstrap should come before the client patcher: {bootstrap}, then {patcher}"
        yield finding(Reason.HOOKS_MISORDERED, subject, says)
