"""Findings → steps: right annotations, or another run of the Jobs; then a sync; and single redirect URIs.

A fault behind the Jobs has the Jobs' repair: most of it mends itself once they came through. What waits for
another target's fault has no step.
"""

from collections.abc import Iterator
from typing import Final

from responders.keycloak_bootstrap.course import (
    NAME,
    job_to_rerun,
    mended,
    prefix_of,
    purpose_of,
    situation_of_job,
)
from responders.keycloak_bootstrap.facts import Facts, Purpose
from responders.keycloak_bootstrap.reasons import ORDER, REDIRECTS, RERUN, Reason
from shared import proposals
from shared.cluster_writes import sync_step
from shared.landscape import Action, repository_page
from shared.model import Channel, Finding, Known, Plan, Step, Target, digest_of

ORDERS: Final = Action.KEYCLOAK_ORDER.value
RERUNS: Final = Action.KEYCLOAK_RERUN.value
JOBS: Final = Action.KEYCLOAK_JOBS.value
REDIRECT: Final = Action.KEYCLOAK_REDIRECT.value
SYNC: Final = Action.APPLICATION_SYNC.value
ACTIONS: Final = (ORDERS, RERUNS, JOBS, REDIRECT, SYNC)


def plan(facts: Facts, findings: tuple[Finding, ...]) -> Plan:
    due = tuple(one for one in findings if one.caused_by is None)
    purpose = purpose_of(facts, due)
    steps = (
        *_values(facts, due, purpose),
        *_sync(facts, due),
        *_job(facts, due, purpose),
        *_redirects(facts, due),
        *_closings(facts, due),
    )
    basis = digest_of([[step.object, step.before, dict(step.after)] for step in steps]) if steps else ""
    return Plan(target=Target(facts.environment, NAME), facts=basis, steps=steps)


# -- values ---------------------------------------------------------------------------------


def _values(facts: Facts, due: tuple[Finding, ...], purpose: Purpose | None) -> Iterator[Step]:
    """What is found on the file itself holds it back."""
    change = facts.change
    if change is None or change.purpose is not purpose or change.proposal.wanted_text is None:
        return
    held = {one.subject for one in due if one.reason not in ORDER}
    mends = mended(due, ORDER if purpose is Purpose.ORDER else RERUN)
    file = change.proposal.file
    if mends is None or file.reference in held:
        return
    yield Step(
        action=ORDERS if purpose is Purpose.ORDER else RERUNS,
        object=file.reference,
        owner=repository_page(file.repository),
        before=change.proposal.before,
        after=change.proposal.after,
        mends=mends,
        channel=Channel.PULL_REQUEST,
    )


def _closings(facts: Facts, due: tuple[Finding, ...]) -> Iterator[Step]:
    values, needless = (
        facts.declared.hooks.values,
        {one.subject for one in due if one.reason == Reason.HOOK_PROPOSAL_SUPERSEDED},
    )
    if values is None or not isinstance(facts.leftovers, Known):
        return
    for pull in facts.leftovers.value:
        if pull.url in needless:
            of_order = pull.branch.startswith(prefix_of(facts.environment, Purpose.ORDER))
            yield proposals.closing(
                pull,
                action=ORDERS if of_order else RERUNS,
                owner=repository_page(values.repository),
                mends=Reason.HOOK_PROPOSAL_SUPERSEDED,
            )


# -- the cluster ----------------------------------------------------------------------------


def _sync(facts: Facts, due: tuple[Finding, ...]) -> Iterator[Step]:
    for one in due:
        if one.reason == Reason.HOOKS_NOT_RERUN and isinstance(facts.application, Known):
            yield sync_step(
                facts.application.value,
                facts.application_id,
                situation=one.evidence["situation"],
                mends=mended(due, (*ORDER, *RERUN)) or one.reason,
            )


def _job(facts: Facts, due: tuple[Finding, ...], purpose: Purpose | None) -> Iterator[Step]:
    job = job_to_rerun(facts) if purpose is Purpose.JOBS else None
    mends = mended(due, RERUN)
    held = {one.subject for one in due if one.reason in (Reason.JOB_RERUNNING, Reason.RERUN_IN_VAIN)}
    if job is None or mends is None or facts.job_id(job) in held:
        return
    read = facts.read_of(job)
    if isinstance(read, Known):
        yield Step(
            action=JOBS,
            object=facts.job_id(job),
            owner=facts.namespace_id,
            before={"uid": read.value.uid},
            after={"job": job, "uid": read.value.uid, "situation": situation_of_job(facts, job)},
            mends=mends,
        )


# -- Keycloak -------------------------------------------------------------------------------


def _redirects(facts: Facts, due: tuple[Finding, ...]) -> Iterator[Step]:
    """Before both Jobs have completed, they bring what is missing. While a sync is under way they are about
    to run again."""
    reasons = {one.reason for one in due}
    if not facts.both_completed or Reason.KEYCLOAK_SYNC_UNDER_WAY in reasons:
        return
    for one in due:
        if one.reason in REDIRECTS:
            yield Step(
                action=REDIRECT,
                object=one.subject,
                owner=facts.declared.url,
                before=None,
                after={"client": one.evidence["client"], "uri": one.evidence["uri"]},
                mends=one.reason,
            )
