"""Why the newest migrations failed, and which change of the file of values that calls for. Pure.

gather asks to know which change to look after, checks and plan to tell and to make it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from responders.gitlab_migrations.facts import MIGRATIONS, Facts, Made
from responders.gitlab_migrations.log_reasons import ONE_DATABASE, Cause
from responders.gitlab_migrations.mapping import Rendered, Standing, differing, mapped, standing
from responders.gitlab_migrations.reasons import Reason
from shared.clients.cluster_api import JobState
from shared.clients.workloads import Pod, Work
from shared.landscape import Action
from shared.model import Known, Unknown, digest_of

MAP: Final = Action.GITLAB_MAP.value
RERUN: Final = Action.GITLAB_RERUN.value
MOST_RERUNS: Final = 2
"""Suffixes within a day for the same failure: what came to nothing that often is not going to pass."""
DAY: Final = timedelta(days=1)
DEADLINE: Final = "DeadlineExceeded"

RERUNNABLE: Final = frozenset(
    {
        Reason.MIGRATIONS_DATABASE_UNREACHABLE,
        Reason.MIGRATIONS_PASSWORD_REFUSED,
        Reason.MIGRATIONS_LOCKED,
        Reason.MIGRATIONS_IMAGE_NOT_PULLED,
        Reason.MIGRATIONS_TIMED_OUT,
        Reason.CONFIG_REFUSED_BEFORE,
    }
)
"""What another run of the same migrations may be spared, since its cause lies outside of them."""

MAPPABLE: Final = frozenset({Reason.GITLAB_DATABASE_CONFIG_REFUSED, Reason.CI_DATABASE_NOT_THERE})
"""Nobody has worked with the database that `ci` has: what is in one that was, would be out of sight."""
NOT_THERE: Final = frozenset({Reason.MIGRATIONS_DATABASE_UNREACHABLE, Reason.MIGRATIONS_DATABASE_MISSING})

RESTART_WAITS: Final = frozenset({"CrashLoopBackOff"})
SECRET_WAITS: Final = frozenset({"CreateContainerConfigError"})
IMAGE_WAITS: Final = frozenset(
    {"ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A change of the file of values."""

    action: str
    mends: Reason
    keys: Mapping[str, str] | None
    """What they must say; None where the landscape declares no key for it."""
    says: str
    """The exact change, for whoever has to make it by hand."""


def needed(facts: Facts) -> Repair | None:
    """None where no change of the file would help, or where it is not known."""
    fault = judged(facts)
    if fault is None:
        return None
    if fault.reason in MAPPABLE:
        return _mapping(facts, fault.reason)
    return _another_suffix(facts, fault.reason) if fault.reason in RERUNNABLE else None


def judged(facts: Facts) -> Cause | None:
    """The fault of the newest migrations, or that the next ones would have; None where it is not known."""
    job = facts.job
    if job is None or facts.at_work:
        return None
    if job.state is JobState.COMPLETE:
        return _precaution(facts)
    cause = _failure(facts, job)
    refused = cause is not None and cause.reason is Reason.GITLAB_DATABASE_CONFIG_REFUSED
    return _refusal(facts, job, cause) if cause is not None and refused else cause


def _failure(facts: Facts, job: Work) -> Cause | None:
    match facts.log:
        case Unknown():
            return None
        case Known((first, *_)):
            return first
    if any(waits_for(pod, IMAGE_WAITS) for pod in facts.running(MIGRATIONS)):
        return Cause(Reason.MIGRATIONS_IMAGE_NOT_PULLED)
    return Cause(Reason.MIGRATIONS_TIMED_OUT if job.reason == DEADLINE else Reason.MIGRATIONS_FAILED)


def restarts(facts: Facts, job: Work) -> bool:
    """Its pod has failed, and is tried again after a pause."""
    pods = (pod for pod in facts.running(MIGRATIONS) if pod.name.startswith(f"{job.name}-"))
    return job.state is JobState.ACTIVE and any(waits_for(pod, RESTART_WAITS) for pod in pods)


def waits_for(pod: Pod, reasons: frozenset[str]) -> str | None:
    """The container that waits for one of these reasons."""
    return next((container for container, reason in pod.waiting if reason in reasons), None)


# -- the mapping --------------------------------------------------------------------------


def _refusal(facts: Facts, job: Work, cause: Cause) -> Cause | None:
    """What the refusal of the databases calls for, by what is rendered now."""
    if not isinstance(facts.rendered, Known):
        return None
    rendered = facts.rendered.value
    stands = standing(rendered)
    # The check has nothing against a database of ci's own, unless it found it to be main's.
    apart = stands in (Standing.OWN, Standing.SPELT)
    own = apart and not (ONE_DATABASE in cause.detail and _same_name(rendered))
    if stands in (Standing.NO_MAIN, Standing.SHARED_TWICE):
        reason = Reason.CONFIG_REFUSED_AS_MAPPED
    elif own or not differing(rendered):
        before = _before_last_sync(facts, job)
        reason = Reason.CONFIG_REFUSED_BEFORE if before else Reason.CONFIG_REFUSED_AS_MAPPED
    elif mapped(rendered) is None:
        reason = Reason.CI_DATABASE_UNREADABLE
    elif stands is Standing.MISSED and facts.served:
        reason = Reason.CI_DATABASE_IN_USE
    else:
        reason = Reason.GITLAB_DATABASE_CONFIG_REFUSED
    return Cause(reason, cause.detail)


def _same_name(rendered: Rendered) -> bool:
    name = rendered.main.place.get("database")
    return rendered.ci is not None and rendered.ci.place.get("database") == name


def _before_last_sync(facts: Facts, job: Work) -> bool:
    """The Job is older than the last sync, which may have brought the mapping and kept the Job's name."""
    match facts.application:
        case Known(application) if not application.running and application.operation is not None:
            started = application.operation.started
            return started is not None and job.created is not None and job.created < started
    return False


def _precaution(facts: Facts) -> Cause | None:
    """Of migrations that are complete. A database that ci has worked with has the data of CI: it stays."""
    if not isinstance(facts.rendered, Known):
        return None
    rendered = facts.rendered.value
    match standing(rendered):
        case Standing.MISSED if mapped(rendered) and _never_there(facts):
            return Cause(Reason.CI_DATABASE_NOT_THERE)
        case Standing.MISSED:
            return Cause(Reason.CI_DATABASE_NOT_MAINS)
        case Standing.SHARED_TWICE | Standing.NO_MAIN:
            return Cause(Reason.DATABASE_TASKS_WRONG)
        # They were worked on as two: what does not answer now was there, and has the data of CI.
        case Standing.OWN | Standing.SPELT:
            return Cause(Reason.CI_DATABASE_OWN)
    return None


def _never_there(facts: Facts) -> bool:
    """Pods wait for a database that main's is not, since the migrations have reached that."""
    said = {cause.reason for found in facts.waits.values() for cause in found}
    return bool(said & NOT_THERE) and not facts.served


def is_mapped(facts: Facts) -> bool:
    """As rendered, `ci` is main's database."""
    return isinstance(facts.rendered, Known) and standing(facts.rendered.value) is Standing.SHARED


def _mapping(facts: Facts, mends: Reason) -> Repair | None:
    texts = mapped(facts.rendered.value) if isinstance(facts.rendered, Known) else None
    if not texts:
        return None
    declared = facts.declared.migrations
    key = declared.ci if declared else None
    wanted = {f"{key or 'global.psql.ci'}.{field}": text for field, text in texts.items()}
    return Repair(
        action=MAP,
        mends=mends,
        keys=wanted if key else None,
        says=", ".join(f"{field} = {text}" for field, text in wanted.items()),
    )


# -- another Job --------------------------------------------------------------------------


def _another_suffix(facts: Facts, mends: Reason) -> Repair:
    declared = facts.declared.migrations
    key = declared.suffix if declared else None
    text = suffix(facts.job.uid if facts.job else "", mends)
    return Repair(
        action=RERUN,
        mends=mends,
        keys={key: text} if key else None,
        says=f"{key or 'an annotation of the migrations'} = {text}",
    )


def suffix(uid: str, failure: str) -> str:
    """The same for the same Job that failed of the same. Seven digits as the chart's own hash has, of which
    the first is a letter: as text it is no number in YAML, and it may stand in a Job's name."""
    digest = digest_of([uid, failure])
    return f"{'abcdef'[int(digest[0], 16) % 6]}{digest[1:7]}"


def is_suffix(text: str) -> bool:
    return re.fullmatch(r"[a-f][0-9a-f]{6}", text) is not None


def spent(facts: Facts, repair: Repair, now: datetime) -> bool:
    """Whether other suffixes came to nothing for the same failure, as often as is allowed within a day."""
    if repair.action != RERUN or not repair.keys:
        return False
    others = {
        text
        for one in facts.made
        if _counts(one, repair, now)
        for key, text in one.keys.items()
        if key in repair.keys and text != repair.keys[key]
    }
    return len(others) >= MOST_RERUNS


def _counts(made: Made, repair: Repair, now: datetime) -> bool:
    return (made.action, made.mends) == (RERUN, repair.mends) and now - made.at < DAY
