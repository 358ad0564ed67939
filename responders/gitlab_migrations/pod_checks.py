"""Faults of GitLab's pods, as far as the migrations do not explain them. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.gitlab_migrations.facts import MIGRATIONS, WORKLOADS, Facts
from responders.gitlab_migrations.reasons import Reason, finding
from responders.gitlab_migrations.repairs import IMAGE_WAITS, SECRET_WAITS, judged, waits_for
from shared.clients.cluster_api import JobState
from shared.clients.workloads import Pod
from shared.model import Finding

STARTS_WITHIN: Final = timedelta(minutes=5)
"""A pod, the schema or what they rest on is younger than that: what is missing may still come."""


def pod_faults(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Of the migrations while they run, then of each workload, the first fault."""
    job = facts.job
    if job is not None and job.state is JobState.ACTIVE and (stuck := _stuck(facts, MIGRATIONS, now)):
        yield stuck
    for app in WORKLOADS:
        if not _well(facts, app, now) and (fault := _stuck(facts, app, now) or _waiting(facts, app, now)):
            yield fault


def _well(facts: Facts, app: str, now: datetime) -> bool:
    """One serves, and none has been trying to for long."""
    pods = facts.running(app)
    return facts.ready(app) and all(pod.ready or _recent(facts, pod, now) for pod in pods[:1])


def _stuck(facts: Facts, app: str, now: datetime) -> Finding | None:
    """A container cannot be made."""
    for pod in facts.running(app):
        for reason, waits, what in (
            (Reason.GITLAB_SECRET_MISSING, SECRET_WAITS, "a Secret that it names"),
            (Reason.GITLAB_IMAGE_NOT_PULLED, IMAGE_WAITS, "its image"),
        ):
            if container := waits_for(pod, waits):
                recent = _recent(facts, pod, now)
                says = f"container {container} of pod {pod.name} waits for {what}"
                found = reason if recent else Reason.GITLAB_DOES_NOT_START
                return finding(found, facts.workload_id(app), says)
    return None


def _waiting(facts: Facts, app: str, now: datetime) -> Finding | None:
    newest = next(iter(facts.running(app)), None)
    if facts.schema_awaited and (newest is None or not newest.initialised):
        return None  # as it should
    name = f"pod {newest.name} of {app}" if newest else f"a pod of {app}"
    if _recent(facts, newest, now):
        return finding(Reason.GITLAB_STARTING, facts.workload_id(app), f"{name} is starting")
    if newest is None:
        return finding(
            Reason.GITLAB_NOT_READY, facts.workload_id(app), f"there is no {name.removeprefix('a ')}"
        )
    if not newest.initialised:
        if (cause := judged(facts)) and cause.reason is Reason.CI_DATABASE_NOT_THERE:
            return None  # that is found, and mended
        says = f"{name} still waits in an init container{_for(facts, app)}"
        return finding(Reason.GITLAB_STILL_INITIALISING, facts.workload_id(app), says)
    return finding(Reason.GITLAB_NOT_READY, facts.workload_id(app), f"{name} is not ready")


def _for(facts: Facts, app: str) -> str:
    """In our words, what its last lines tell of."""
    return "".join(f", {one.reason}" for one in facts.waits.get(app, ())[:1])


def _recent(facts: Facts, pod: Pod | None, now: datetime) -> bool:
    times = [facts.blocked_at, facts.job.completed if facts.job else None, pod.created if pod else None]
    newest = max((at for at in times if at is not None), default=None)
    return newest is not None and now - newest < STARTS_WITHIN
