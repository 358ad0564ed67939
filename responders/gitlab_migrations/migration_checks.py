"""Faults of the migrations, and of the change that they call for. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from responders.gitlab_migrations import progress
from responders.gitlab_migrations.facts import Facts
from responders.gitlab_migrations.log_reasons import RULE, Cause
from responders.gitlab_migrations.mapping import PLACE, Rendered, differing
from responders.gitlab_migrations.reasons import REASONS, Reason, finding
from responders.gitlab_migrations.repairs import Repair, judged, needed, spent
from shared.clients.cluster_api import JobState
from shared.model import Finding, Known, Unknown

LONGEST_RUN: Final = timedelta(hours=1)
"""Migrations of a large GitLab take minutes to tens of minutes; the chart's own deadline is an hour."""
SETTLES_WITHIN: Final = timedelta(minutes=3)
"""What the database gets to come up after what it rests on was mended, before anything is run again."""
_DATABASE: Final = frozenset({Reason.MIGRATIONS_DATABASE_UNREACHABLE, Reason.MIGRATIONS_PASSWORD_REFUSED})


def migration_faults(facts: Facts, now: datetime) -> Iterator[Finding]:
    job = facts.job
    if facts.at_work:
        yield _running(facts, *facts.at_work, now)
        yield from _so_far(facts, now)
    elif job is None:
        yield from _gone(facts, now)
    elif isinstance(facts.rendered, Unknown):
        says = f"what is rendered of its databases could not be read: {facts.rendered.why}"
        yield finding(Reason.GITLAB_UNREAD, facts.job_id, says)
    elif isinstance(facts.log, Unknown):
        says = f"the log of Job {job.name} could not be read: {facts.log.why}"
        yield finding(Reason.GITLAB_UNREAD, facts.job_id, says)
    elif cause := judged(facts):
        yield from _judged(facts, cause, now)
    elif job.state is JobState.FAILED and isinstance(facts.log, Known):
        # Without any ConfigMap of the release there is nothing that `ci` could be mapped to.
        refused = facts.log.value[0]
        yield from _judged(facts, Cause(Reason.CI_DATABASE_UNREADABLE, refused.detail), now)


def _gone(facts: Facts, now: datetime) -> Iterator[Finding]:
    """A Job that has done its work may be gone: whatever is past its init containers has seen the schema."""
    if not facts.schema_awaited:
        return
    if held := _refused(facts) or progress.of_sync(facts, now):
        yield held
    says = f"there is no migrations Job of release {facts.declared.release}, and its pods wait for the schema"
    yield finding(Reason.MIGRATIONS_MISSING, facts.release_id, says)


def _running(facts: Facts, what: str, begun: datetime | None, now: datetime) -> Finding:
    """Nothing is proposed or synced beside it, even where a newer Job has failed: of its lock, as a rule."""
    if begun is not None and now - begun >= LONGEST_RUN:
        says = f"{what} of the migrations has been running since {begun:%Y-%m-%d %H:%M} UTC"
        return finding(Reason.MIGRATIONS_TAKE_TOO_LONG, facts.job_id, says)
    return finding(Reason.MIGRATIONS_RUNNING, facts.job_id, f"{what} is running")


def _so_far(facts: Facts, now: datetime) -> Iterator[Finding]:
    """What every try failed of up to now. The next may succeed, and once there is none the log is gone."""
    job = facts.job
    if job is None or job.state is not JobState.ACTIVE or not isinstance(facts.log, Known):
        return
    begun = job.started or job.created
    if begun is not None and now - begun >= SETTLES_WITHIN:
        for cause in facts.log.value[:1]:
            says = f"Job {job.name} has failed and is tried again: {_SHORT[cause.reason]}"
            yield finding(cause.reason, facts.job_id, says, **_evidence(facts, cause))


def _judged(facts: Facts, cause: Cause, now: datetime) -> Iterator[Finding]:
    fault = finding(cause.reason, facts.job_id, _says(facts, cause), **_evidence(facts, cause))
    repair = needed(facts)
    held = held_back(facts, repair, now) if repair else None
    if held is None:
        yield fault
    elif REASONS[held.reason].symptom:
        # A blocked outcome is called after the first of its symptoms.
        yield from (fault, held)
    else:
        # A pending one is, too: it is that change which is waited for.
        yield from (held, fault)


def held_back(facts: Facts, repair: Repair, now: datetime) -> Finding | None:
    """Why the change is not proposed now; None where it may be."""
    if REASONS[repair.mends].symptom:
        if facts.blocked_at is not None and now - facts.blocked_at < SETTLES_WITHIN:
            says = f"{repair.mends}, and its cause was mended a moment ago"
            return finding(Reason.MIGRATIONS_CAUSE_MENDED, facts.job_id, says)
        if still := _still_refused(facts, repair):
            return still
    if spent(facts, repair, now):
        says = f"{repair.mends}, after two other suffixes within a day"
        return finding(Reason.MIGRATIONS_STILL_FAIL, facts.job_id, says)
    return progress.of_change(facts, repair, now)


def _still_refused(facts: Facts, repair: Repair) -> Finding | None:
    return _refused(facts) if repair.mends in _DATABASE else None


def _refused(facts: Facts) -> Finding | None:
    """A database that does not answer may be on its way back from a backup."""
    for app, causes in facts.waits.items():
        if found := next((one for one in causes if one.reason in _DATABASE), None):
            says = f"pods of {app} still wait for the database: {_SHORT[found.reason]}"
            return finding(Reason.DATABASE_STILL_REFUSES, facts.workload_id(app), says)
    return None


# -- in words -----------------------------------------------------------------------------

_SHORT: Final[Mapping[Reason, str]] = {
    Reason.GITLAB_DATABASE_CONFIG_REFUSED: "the databases are refused",
    Reason.MIGRATIONS_DATABASE_UNREACHABLE: "it cannot be reached",
    Reason.MIGRATIONS_PASSWORD_REFUSED: "it does not let them in",
    Reason.MIGRATIONS_DATABASE_MISSING: "the server has no database of that name",
    Reason.MIGRATIONS_EXTENSION_MISSING: "the database lacks an extension",
    Reason.MIGRATIONS_LOCKED: "somebody else held a lock",
    Reason.MIGRATIONS_IMAGE_NOT_PULLED: "its image could not be pulled",
    Reason.MIGRATIONS_TIMED_OUT: "it ran out of time",
    Reason.MIGRATIONS_FAILED: "nothing that is left of it is known",
}


def _says(facts: Facts, cause: Cause) -> str:
    name = facts.job.name if facts.job else ""
    match cause.reason:
        case Reason.GITLAB_DATABASE_CONFIG_REFUSED:
            return f"Job {name} failed: the databases were refused, and {_differs(facts)}"
        case Reason.CONFIG_REFUSED_BEFORE:
            return f"Job {name} failed: the databases were refused, and are set up otherwise by now"
        case Reason.CONFIG_REFUSED_AS_MAPPED:
            return f"Job {name} failed: the databases were refused as they are rendered now"
        case Reason.CI_DATABASE_UNREADABLE:
            return f"Job {name} failed: the databases were refused, and where main is is not told"
        case Reason.CI_DATABASE_IN_USE:
            return f"Job {name} failed: the databases were refused, pods have served, and {_differs(facts)}"
        case Reason.CI_DATABASE_NOT_MAINS:
            return f"Job {name} is complete, and {_differs(facts)}"
        case Reason.CI_DATABASE_NOT_THERE:
            return f"Job {name} is complete, pods wait for the database of ci, and {_differs(facts)}"
        case Reason.CI_DATABASE_OWN:
            return f"Job {name} is complete, and ci has a database of its own"
        case Reason.DATABASE_TASKS_WRONG:
            return f"Job {name} is complete, and database_tasks of main and ci do not fit together"
    return f"Job {name} failed: {_SHORT[cause.reason]}"


def _differs(facts: Facts) -> str:
    if not isinstance(facts.rendered, Known):
        return "where they are is not known"
    rendered: Rendered = facts.rendered.value
    if rendered.ci is None:
        return "there is no ci"
    fields = [field for field in PLACE if field in differing(rendered)]
    differences = (f"{one} is {rendered.ci.shown(one)}, not {rendered.main.shown(one)}" for one in fields)
    return "of ci " + ", ".join(differences)


def _evidence(facts: Facts, cause: Cause) -> dict[str, str]:
    """What else is known: the rule that was broken, how the Job ended, and what the page answers."""
    found = {
        RULE: cause.detail,
        "ended": facts.job.reason if facts.job and facts.job.reason.isalpha() else "",
        "page": facts.page_says,
    }
    return {key: text for key, text in found.items() if text}
