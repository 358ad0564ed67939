"""Proves what was begun, by the Application's own status read after it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.applications import failures
from responders.applications.facts import Facts
from responders.applications.reasons import Reason
from responders.applications.situations import REFRESH, SYNC, TERMINATE
from shared.attempts import Attempt, next_look
from shared.clients.argocd import Application
from shared.model import Finding, Known, Proof, Unknown, Verdict
from shared.world import Look, Scope

UNREAD_PAUSE: Final = timedelta(seconds=30)


def verify(scope: Scope, facts: Facts) -> tuple[Proof, ...]:
    """One proof for each of our writes whose effect is there, and that has none yet. Reads nothing itself."""
    return tuple(
        Proof(object=subject, method="read-back", verdict=Verdict.ACCEPTED, detail=detail, at=scope.clock())
        for subject, detail in _effects(facts)
    )


def _effects(facts: Facts) -> Iterator[tuple[str, str]]:
    for seen in facts.applications.value if isinstance(facts.applications, Known) else ():
        attempt = facts.attempt(seen.application)
        if attempt is not None and not attempt.proven and (detail := _effect(seen.application, attempt)):
            yield facts.id_of(seen.application), detail


def _effect(application: Application, attempt: Attempt) -> str | None:
    if not (attempt.confirmed or (attempt.action == SYNC and _ours(application))):
        return None  # without its answer somebody else may have brought it about, or time
    if attempt.action == REFRESH and _compared(application):
        return "Argo CD can compare it again"
    if attempt.action == SYNC and _synced_since(application, attempt.at):
        return "it is Synced"
    if attempt.action == TERMINATE and not application.running:
        return "its operation has ended"
    return None


def _ours(application: Application) -> bool:
    return application.operation is not None and application.operation.ours


def _compared(application: Application) -> bool:
    # Argo CD takes the annotation away in the same write that brings the new status.
    return not (application.refreshing or failures.comparison_errors(application))


def _synced_since(application: Application, at: datetime) -> bool:
    operation = application.operation
    if application.running or operation is None or operation.started is None:
        return False
    # The API server's times have no fractions of a second.
    ours = operation.started >= at.replace(microsecond=0)
    well = operation.phase == "Succeeded" and not failures.errors(application)
    return ours and well and application.sync == "Synced"


def look_again(facts: Facts, finding: Finding, now: datetime) -> Look:
    """Soon after what was begun last, then less and less often."""
    if finding.reason == Reason.APPLICATIONS_UNREAD:
        read = facts.applications
        asked = read.delay if isinstance(read, Unknown) else None
        return Look(UNREAD_PAUSE) if asked is None else Look(asked, asked=True)
    return next_look(_begun(facts, finding), now)


def _begun(facts: Facts, finding: Finding) -> Iterator[datetime]:
    """Our writes, and the last operation of the Application, whoever asked for it."""
    yield from (made[-1].at for made in facts.tries.values() if made)
    for seen in facts.applications.value if isinstance(facts.applications, Known) else ():
        operation = seen.application.operation
        if facts.id_of(seen.application) == finding.subject and operation and operation.finished:
            yield operation.finished
