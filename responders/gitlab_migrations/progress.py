"""How a repair fares that was begun earlier: what keeps the next step of it from being made now. Pure."""

from datetime import datetime, timedelta
from typing import Final

from responders.gitlab_migrations.facts import Facts
from responders.gitlab_migrations.reasons import Reason, finding
from responders.gitlab_migrations.repairs import MAP, RERUN, Repair
from shared.attempts import Stand as Tried
from shared.attempts import stand as tried
from shared.model import Absent, Finding, Known, Unknown, digest_of
from shared.proposals import Stand, stand

SYNC_PATIENCE: Final = timedelta(minutes=10)
"""What a sync gets: it waits for the health of one wave before it comes to the next."""
MOST_SYNCS: Final = 2
"""Within a day, in the same situation."""

_OF_STAND: Final = {
    Stand.OPEN: Reason.MIGRATIONS_CHANGE_OPEN,
    Stand.DECLINED: Reason.MIGRATIONS_CHANGE_DECLINED,
    Stand.SETTLING: Reason.MIGRATIONS_CHANGE_SETTLING,
    Stand.UNDONE: Reason.MIGRATIONS_CHANGE_UNDONE,
    Stand.UNREAD: Reason.GITLAB_UNREAD,
    Stand.NO_FILE: Reason.MIGRATIONS_VALUES_MISSING,
    Stand.UNEDITABLE: Reason.MIGRATIONS_VALUES_UNEDITABLE,
}
_UNDECLARED: Final = {
    MAP: Reason.MIGRATIONS_MAPPING_UNDECLARED,
    RERUN: Reason.MIGRATIONS_SUFFIX_UNDECLARED,
}


def of_change(facts: Facts, repair: Repair, now: datetime) -> Finding | None:
    """Why no pull request is opened or brought up to date; None where one may be."""
    proposal = facts.proposal
    if proposal is None:
        says = f"no key is declared for the change that is needed: {repair.says}"
        return finding(_UNDECLARED[repair.action], facts.job_id, says)
    found, says, url = stand(proposal, now)
    if found is Stand.RIGHT:
        return of_sync(facts, now) or _due(facts)
    if found in _OF_STAND:
        evidence = {"url": url} if url else {}
        message = f"{proposal.file.path}: {says} ({repair.says})"
        return finding(_OF_STAND[found], proposal.file.reference, message, **evidence)
    if repair.action == RERUN and isinstance(facts.application, Known) and facts.application.value.running:
        # It may bring a Job of another name by itself.
        return _syncing(facts, "an operation is running")
    return None


def of_sync(facts: Facts, now: datetime) -> Finding | None:
    """Why no sync is asked for; None where one may be."""
    match facts.application:
        case Unknown(why):
            says = f"the Application could not be read: {why}"
            return finding(Reason.GITLAB_UNREAD, facts.application_id, says)
        case Absent():
            name = facts.declared.application
            says = f"Argo CD has no {name}" if facts.application_id else "the environment declares no argocd"
            return _left(facts, says)
        case Known(application) if application.deleting:
            return _left(facts, "it is being deleted")
        case Known(application) if application.skipped:
            return _left(facts, "it is excluded from reconciliation")
        case Known(application) if not application.automated:
            return _left(facts, "it has no automated sync")
        case Known(application) if application.running:
            return _syncing(facts, "an operation is running")
        case Known(application) if any(_bars(one.type) for one in application.conditions):
            says = f"Application {facts.declared.application} must be synced, and cannot be compared with Git"
            return finding(Reason.GITLAB_NOT_COMPARED, facts.application_id, says)
    return _of_tries(facts, situation(facts), now)


def _of_tries(facts: Facts, sought: str, now: datetime) -> Finding | None:
    """Whoever asks every hour for what changes nothing runs the Application's hooks every hour."""
    attempt = facts.attempts.get(facts.application_id.lower())
    # One whose answer was lost counts as well: Argo CD may have run it.
    asked = [one for one in facts.syncs if one.situation == sought]
    spent = len(asked) >= MOST_SYNCS
    match tried(attempt, sought, now, patience=SYNC_PATIENCE):
        case found if found is Tried.WAITING or (spent and now - asked[-1].at < SYNC_PATIENCE):
            return _syncing(facts, "a sync was asked for a moment ago")
        case found if spent or found is Tried.IN_VAIN:
            says = "a sync was asked for in just this situation, and changed nothing"
            return finding(Reason.GITLAB_SYNC_IN_VAIN, facts.application_id, says)
    return None


def _bars(condition: str) -> bool:
    """Of the errors, a sync mends only what an earlier sync failed of."""
    return condition.endswith("Error") and condition != "SyncError"


def situation(facts: Facts) -> str:
    """What a sync is asked for: the values that Git has, and the Jobs that the cluster has."""
    jobs = [job.uid for job in facts.jobs.value] if isinstance(facts.jobs, Known) else []
    text = facts.proposal.text if facts.proposal else None
    commit = digest_of(text.value.text) if isinstance(text, Known) else ""
    return digest_of([commit, sorted(jobs)])


def _due(facts: Facts) -> Finding:
    says = f"Application {facts.declared.application}: Git has the change that is needed, the cluster has not"
    return finding(Reason.MIGRATIONS_NOT_SYNCED, facts.application_id, says)


def _syncing(facts: Facts, says: str) -> Finding:
    message = f"Application {facts.declared.application}: {says}"
    return finding(Reason.GITLAB_SYNCING, facts.application_id, message)


def _left(facts: Facts, says: str) -> Finding:
    message = f"Application {facts.declared.application} must be synced: {says}"
    return finding(Reason.GITLAB_SYNC_LEFT_TO_PEOPLE, facts.application_id or facts.release_id, message)
