"""Faults of the bootstrap: by its last success, since failed Jobs may be gone within a minute. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.vault_seeding import situations
from responders.vault_seeding.facts import Facts
from responders.vault_seeding.log_reasons import said
from responders.vault_seeding.reasons import REASONS, Reason, finding
from responders.vault_seeding.schedule import Schedule
from shared.attempts import Stand, stand
from shared.clients.cluster_api import CronJob, Job, JobState
from shared.model import Absent, Finding, Known, Unknown
from shared.world import Leads

MISSED: Final = 3
"""Scheduled runs in a row without a success, before that is a fault."""
RUN: Final = timedelta(minutes=2)
"""What a run may take."""
PASSING: Final = frozenset(
    {
        Reason.BOOTSTRAP_UNREACHABLE,
        Reason.BOOTSTRAP_MET_SEALED_VAULT,
        Reason.BOOTSTRAP_REFUSED_BY_ENTRA,
    }
)
"""What a log says of a bad moment. It counts only when runs were missed as well."""


def bootstrap_faults(facts: Facts, now: datetime) -> Iterator[Finding]:
    """The CronJob's own fault, why its log says it fails, and what became of our last start."""
    match facts.cron_job:
        case Unknown(why):
            yield _finding(facts, Reason.SEEDING_UNREAD, f"the CronJob could not be read: {why}")
        case Absent():
            yield _finding(
                facts,
                Reason.BOOTSTRAP_MISSING,
                f"namespace {facts.declared.namespace} has no CronJob {facts.declared.bootstrap.cron_job}",
            )
        case Known(cron_job) if cron_job.suspended:
            yield _finding(facts, Reason.BOOTSTRAP_SUSPENDED, "the CronJob is suspended")
        case Known(cron_job):
            yield from _faults(facts, cron_job, now)


def _faults(facts: Facts, cron_job: CronJob, now: datetime) -> Iterator[Finding]:
    if isinstance(facts.jobs, Unknown):
        yield _finding(
            facts, Reason.SEEDING_UNREAD, f"the bootstrap's Jobs could not be listed: {facts.jobs.why}"
        )
        return
    try:
        schedule = Schedule.parse(cron_job.schedule, cron_job.time_zone)
    except ValueError as error:
        yield _finding(facts, Reason.SEEDING_UNREAD, f"the CronJob's schedule has {error}")
        return
    late = _late(facts, cron_job, schedule, now)
    hanging = _hanging(facts, now) if late or facts.last_success is None else None
    # What succeeds every minute gets over one run that fails, or is late soon.
    well = late is None and facts.last_success is not None and _tries_again_soon(schedule, now)
    heard = failing(facts, now) and not well
    causes = list(_causes(facts, passing_too=late is not None)) if heard else []
    found = [one for one in (hanging, late) if one] + causes
    # Where each Job is ended by the next one, a young one promises nothing once runs were missed.
    running = _running(facts, now) and not (late and cron_job.replaces)
    if found and all(REASONS[one.reason].leads is Leads.REPAIR for one in found):
        match stand(
            facts.attempts.get(facts.cron_job_id.lower()),
            situations.of_bootstrap(facts),
            now,
            patience=situations.BOOTSTRAP_PATIENCE,
        ):
            case Stand.WAITING:
                yield _under_way(facts, "a bootstrap was started a moment ago")
            case Stand.IN_VAIN if not running:
                yield _finding(facts, Reason.BOOTSTRAP_IN_VAIN, "a start of the bootstrap changed nothing")
    if (found or facts.last_success is None) and running:
        yield _under_way(facts, "a bootstrap is running")
    elif facts.last_success is None and not found:
        yield _under_way(facts, "the CronJob is young, and has not succeeded yet")
    yield from found


def _late(facts: Facts, cron_job: CronJob, schedule: Schedule, now: datetime) -> Finding | None:
    due = schedule.before(now - RUN, MISSED)
    if due is None:
        return None
    last = facts.last_success
    if last is None:
        young = cron_job.created is not None and cron_job.created > due
        said_ = f"the CronJob ({cron_job.schedule}) has never succeeded"
        return None if young else _finding(facts, Reason.BOOTSTRAP_NEVER_SUCCEEDED, said_)
    if last >= due:
        return None
    return _finding(
        facts,
        Reason.BOOTSTRAP_OVERDUE,
        f"the CronJob ({cron_job.schedule}) last succeeded at {last:%Y-%m-%d %H:%M} UTC",
    )


def _tries_again_soon(schedule: Schedule, now: datetime) -> bool:
    last, before = schedule.before(now, 1), schedule.before(now, 2)
    return last is not None and before is not None and last - before < situations.BOOTSTRAP_PATIENCE


def failing(facts: Facts, now: datetime) -> bool:
    """The newest Job failed or hangs, and none succeeded after it began. Its log is worth a look then: that
    of one that runs tells of what it may yet get over."""
    newest = _newest(facts)
    if newest is None or newest.state is JobState.COMPLETE:
        return False
    if newest.state is JobState.ACTIVE and _young(newest, now):
        return False
    last = facts.last_success
    return last is None or newest.created is None or last < newest.created


def _causes(facts: Facts, *, passing_too: bool) -> Iterator[Finding]:
    # It may say what only people can mend, so nothing may rest on its silence.
    if isinstance(facts.log, Unknown):
        yield _finding(
            facts, Reason.SEEDING_UNREAD, f"the newest Job's log could not be read: {facts.log.why}"
        )
    for cause in facts.log.value if isinstance(facts.log, Known) else ():
        if passing_too or cause.reason not in PASSING:
            detail = {"said": cause.detail} if cause.detail else {}
            yield finding(cause.reason, facts.cron_job_id, f"the bootstrap's log: {said(cause)}", **detail)


def _newest(facts: Facts) -> Job | None:
    return facts.jobs.value[0] if isinstance(facts.jobs, Known) and facts.jobs.value else None


def _hanging(facts: Facts, now: datetime) -> Finding | None:
    newest = _newest(facts)
    if newest is None or newest.state is not JobState.ACTIVE or newest.created is None or _young(newest, now):
        return None
    says = f"Job {newest.name} has been active since {newest.created:%Y-%m-%d %H:%M} UTC"
    return _finding(facts, Reason.BOOTSTRAP_HANGS, says)


def _running(facts: Facts, now: datetime) -> bool:
    jobs = facts.jobs.value if isinstance(facts.jobs, Known) else ()
    return any(one.state is JobState.ACTIVE and _young(one, now) for one in jobs)


def _young(job: Job, now: datetime) -> bool:
    return job.created is None or now - job.created < situations.BOOTSTRAP_PATIENCE


def _under_way(facts: Facts, message: str) -> Finding:
    return _finding(facts, Reason.BOOTSTRAP_UNDER_WAY, message)


def _finding(facts: Facts, reason: Reason, message: str) -> Finding:
    return finding(reason, facts.cron_job_id, message)
