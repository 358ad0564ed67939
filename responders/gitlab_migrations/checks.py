"""Faults of a release of GitLab, from its migrations to its page. Pure.

    deployed ── migrations ── pods ── page

Promises: no I/O, no clock but the time passed in, no claim about a value that was not read, and no text of a
log or a page in a message.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from responders.gitlab_migrations.facts import MIGRATIONS, WORKLOADS, Facts
from responders.gitlab_migrations.leftovers import superseded
from responders.gitlab_migrations.migration_checks import migration_faults
from responders.gitlab_migrations.page_checks import page_faults
from responders.gitlab_migrations.pod_checks import pod_faults
from responders.gitlab_migrations.reasons import Reason, finding
from shared.model import Finding, Known, Proof, Unknown

_WHAT: Final = {MIGRATIONS: "the migrations' pods", **{app: f"the pods of {app}" for app in WORKLOADS}}


def check(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Every finding. Without Jobs and pods nothing is said of what rests on them."""
    if unread := tuple(_unread(facts)):
        return unread
    if not _deployed(facts):
        says = f"namespace {facts.declared.namespace} has no migrations Job and no pod of {_release(facts)}"
        return (finding(Reason.GITLAB_NOT_DEPLOYED, facts.release_id, says),)
    return (
        *migration_faults(facts, now),
        *pod_faults(facts, now),
        *page_faults(facts, now),
        *superseded(facts),
    )


def doubt(_facts: Facts, _proofs: tuple[Proof, ...], _now: datetime) -> tuple[Finding, ...]:
    """Nothing: what is not proven is still found by the checks."""
    return ()


def _unread(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.jobs, Unknown):
        says = f"the migrations Jobs could not be listed: {facts.jobs.why}"
        yield finding(Reason.GITLAB_UNREAD, facts.release_id, says)
    for app, read in facts.pods.items():
        if isinstance(read, Unknown):
            says = f"{_WHAT[app]} could not be listed: {read.why}"
            yield finding(Reason.GITLAB_UNREAD, facts.workload_id(app), says)


def _deployed(facts: Facts) -> bool:
    pods = any(isinstance(facts.pods.get(app), Known) and facts.running(app) for app in WORKLOADS)
    return facts.job is not None or pods


def _release(facts: Facts) -> str:
    return f"release {facts.declared.release}"
