"""Findings → steps: one pull request with the change that is needed, or one sync, and pull requests to close.

Nothing is planned above a broken root, beside a change that is under way, or where anything is unread.
"""

from collections.abc import Iterator
from typing import Final

from responders.gitlab_migrations.facts import Facts
from responders.gitlab_migrations.leftovers import action_of, needless
from responders.gitlab_migrations.progress import situation
from responders.gitlab_migrations.reasons import Reason
from responders.gitlab_migrations.repairs import MAP, RERUN, needed
from shared.cluster_writes import sync_step
from shared.landscape import Action, repository_page
from shared.model import Channel, Finding, Known, Plan, Step, Target, digest_of
from shared.proposals import closing

NAME: Final = "gitlab_migrations"
SYNC: Final = Action.APPLICATION_SYNC.value
ACTIONS: Final = (MAP, RERUN, SYNC)

HOLD_BACK: Final = frozenset(
    {
        Reason.GITLAB_UNREAD,
        Reason.MIGRATIONS_STILL_FAIL,
        Reason.MIGRATIONS_CAUSE_MENDED,
        Reason.DATABASE_STILL_REFUSES,
        Reason.MIGRATIONS_MAPPING_UNDECLARED,
        Reason.MIGRATIONS_SUFFIX_UNDECLARED,
        Reason.MIGRATIONS_CHANGE_OPEN,
        Reason.MIGRATIONS_CHANGE_DECLINED,
        Reason.MIGRATIONS_CHANGE_SETTLING,
        Reason.MIGRATIONS_CHANGE_UNDONE,
        Reason.MIGRATIONS_VALUES_MISSING,
        Reason.MIGRATIONS_VALUES_UNEDITABLE,
        Reason.MIGRATIONS_NOT_SYNCED,
        Reason.GITLAB_SYNCING,
        Reason.GITLAB_NOT_COMPARED,
        Reason.GITLAB_SYNC_IN_VAIN,
        Reason.GITLAB_SYNC_LEFT_TO_PEOPLE,
    }
)
"""Why a change that is needed is not proposed now, whatever is found beside it."""


def plan(facts: Facts, findings: tuple[Finding, ...]) -> Plan:
    steps = (*_changes(facts, findings), *_syncs(facts, findings), *_closings(facts, findings))
    basis = digest_of([[step.object, dict(step.after)] for step in steps]) if steps else ""
    return Plan(target=Target(facts.environment, NAME), facts=basis, steps=steps)


def _changes(facts: Facts, findings: tuple[Finding, ...]) -> Iterator[Step]:
    repair, proposal = needed(facts), facts.proposal
    if repair is None or proposal is None or not proposal.after:
        return
    if not _may_be_mended(findings, repair.mends) or any(one.reason in HOLD_BACK for one in findings):
        return
    yield Step(
        action=repair.action,
        object=proposal.file.reference,
        owner=repository_page(proposal.file.repository),
        before=proposal.before,
        after=proposal.after,
        mends=repair.mends,
        channel=Channel.PULL_REQUEST,
    )


def _syncs(facts: Facts, findings: tuple[Finding, ...]) -> Iterator[Step]:
    """For a change that Git has, or for a Job that is not there."""
    repair = needed(facts)
    reasons = {one.reason for one in findings}
    missing = Reason.MIGRATIONS_MISSING in reasons and not reasons & HOLD_BACK
    mends: str = Reason.MIGRATIONS_MISSING if missing else (repair.mends if repair else "")
    due = missing or Reason.MIGRATIONS_NOT_SYNCED in reasons
    if not due or not _may_be_mended(findings, mends) or not isinstance(facts.application, Known):
        return
    yield sync_step(
        facts.application.value,
        facts.application_id,
        situation=situation(facts),
        mends=Reason.MIGRATIONS_MISSING if missing else Reason.MIGRATIONS_NOT_SYNCED,
        fault=mends,
    )


def _may_be_mended(findings: tuple[Finding, ...], reason: str) -> bool:
    """It is found, and nothing elsewhere is its root."""
    found = [one for one in findings if one.reason == reason]
    return bool(found) and all(one.caused_by is None for one in found)


def _closings(facts: Facts, findings: tuple[Finding, ...]) -> Iterator[Step]:
    told = {one.subject for one in findings if one.reason == Reason.MIGRATIONS_CHANGE_SUPERSEDED}
    declared = facts.declared.migrations
    if declared is None:
        return
    for pull in needless(facts):
        action = action_of(facts.environment, pull)
        if pull.url in told and action is not None:
            yield closing(
                pull,
                action=action,
                owner=repository_page(declared.values.repository),
                mends=Reason.MIGRATIONS_CHANGE_SUPERSEDED,
            )
