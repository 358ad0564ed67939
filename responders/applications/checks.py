"""Faults of the environment's Applications: of each the first that is found. Pure.

    left alone ── refreshing ── running ── failing ── unhealthy ── not compared

Promises: no I/O, no clock but the time passed in, no foreign text in a message.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.applications import failures, situations
from responders.applications.facts import Facts, Seen
from responders.applications.holders import holders
from responders.applications.reasons import Reason, finding
from responders.applications.situations import REFRESH, SYNC, TERMINATE
from shared.attempts import MEMORY, PATIENCE, Attempt, Stand, stand, stand_of_refresh
from shared.model import Absent, Finding, Known, Proof, Unknown

PASSES_WITHIN: Final = timedelta(minutes=15)
"""What has not passed by then is not going to: Argo CD keeps the failure of a rendering, and does not sync a
revision again."""
SETTLES_WITHIN: Final = timedelta(minutes=10)
MOST_TRIES: Final = 3
"""Within a day, for the same fault: what failed that often is not going to pass."""
WINDOW: Final = "SyncWindowClosed"
EMPTIED: Final = "PruneOfEverything"


def check(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    match facts.applications:
        case Unknown(why):
            says = f"the Applications could not be listed: {why}"
            return (finding(Reason.APPLICATIONS_UNREAD, facts.namespace_id, says),)
        case Absent():
            says = "the API server serves no Applications"
            return (finding(Reason.APPLICATIONS_NOT_SERVED, facts.namespace_id, says),)
        case Known(()):
            says = f"no Application in namespace {facts.declared.namespace} fits a pattern"
            return (finding(Reason.NO_APPLICATION_FITS, facts.namespace_id, says),)
        case Known(found):
            return tuple(fault for seen in found for fault in _faults(facts, seen, now))


def doubt(_facts: Facts, _proofs: tuple[Proof, ...], _now: datetime) -> tuple[Finding, ...]:
    """Nothing: what is not proven is still found by the checks."""
    return ()


def _faults(facts: Facts, seen: Seen, now: datetime) -> Iterator[Finding]:
    application = seen.application
    fails = failures.fails(application)
    if application.deleting or application.skipped:
        if fails:
            why = "is being deleted" if application.deleting else "is excluded from reconciliation"
            yield _finding(facts, seen, Reason.APPLICATION_LEFT_ALONE, f"it fails, and {why}")
    elif application.refreshing:
        yield _refreshing(facts, seen, now)
    elif application.running:
        yield from _running(facts, seen, now, fails=fails)
    elif failures.errors(application) or failures.sync_failed(application):
        yield _failing(facts, seen, now)
    elif fails:
        yield _unhealthy(facts, seen, now)
    elif application.sync not in ("Synced", "OutOfSync"):
        says = f"its sync status is {application.sync or 'not there'}"
        yield _finding(facts, seen, Reason.NOT_COMPARED, says)
    elif failures.unsettled(application):
        yield _unsettled(facts, seen, now)
    elif failures.left_over(application):
        yield _finding(facts, seen, Reason.OPERATION_FAILED_BEFORE, "it is Synced and Healthy")


def _refreshing(facts: Facts, seen: Seen, now: datetime) -> Finding:
    if ours := _not_taken_up(facts, seen, REFRESH, now):
        says = f"a refresh was asked for at {ours.at:%H:%M} UTC, and has not happened"
        return _finding(facts, seen, Reason.APPLICATION_NOT_REFRESHED, says)
    return _finding(facts, seen, Reason.APPLICATION_REFRESHING, "a refresh was asked for")


def _not_taken_up(facts: Facts, seen: Seen, action: str, now: datetime) -> Attempt | None:
    """Our newest write, if it asked for this and no controller can still be on its way to it."""
    ours = facts.attempt(seen.application)
    return ours if ours and ours.action == action and now - ours.at >= PATIENCE else None


def _running(facts: Facts, seen: Seen, now: datetime, *, fails: bool) -> Iterator[Finding]:
    attempt, failure = facts.attempt(seen.application), seen.explanation.failure
    if failure is not None and failure.code == WINDOW:
        yield _finding(facts, seen, WINDOW, "its operation waits for a sync window")
    elif failures.stuck(seen.application, now):
        yield _stuck(facts, seen, now)
    elif not failures.begun(seen.application):
        yield _asked(facts, seen, now)
    elif fails or (attempt is not None and attempt.action == SYNC and not attempt.proven):
        yield _finding(facts, seen, Reason.APPLICATION_SYNCING, "an operation is running")


def _asked(facts: Facts, seen: Seen, now: datetime) -> Finding:
    if ours := _not_taken_up(facts, seen, SYNC, now):
        says = f"a sync was asked for at {ours.at:%H:%M} UTC, and has not begun"
        return _finding(facts, seen, Reason.OPERATION_NOT_BEGUN, says)
    return _finding(facts, seen, Reason.APPLICATION_SYNCING, "an operation was asked for")


def _stuck(facts: Facts, seen: Seen, now: datetime) -> Finding:
    minutes = failures.LONGEST_OPERATION // timedelta(minutes=1)
    says = f"its operation runs for more than {minutes} minutes{_told(seen)}"
    if _hung_before(facts, seen, now):
        says = f"{says}, as one did that was stopped within a day"
        return _finding(facts, seen, Reason.APPLICATION_STILL_FAILS, says)
    match stand(facts.attempt(seen.application), situations.of(seen, TERMINATE), now):
        case Stand.WAITING:
            return _finding(facts, seen, Reason.APPLICATION_SYNCING, "its operation was told to stop")
        case Stand.IN_VAIN:
            return _finding(facts, seen, Reason.APPLICATION_STILL_FAILS, says)
        case Stand.DUE:
            return _finding(facts, seen, Reason.OPERATION_STUCK, says)


def _hung_before(facts: Facts, seen: Seen, now: datetime) -> bool:
    """We stopped an earlier operation already: to stop this one as well would only go round in a circle, and
    its work may just take long."""
    operation, tries = seen.application.operation, facts.tries_of(seen.application)
    begun = operation.started if operation is not None else None
    stops = [one.at for one in tries if one.action == TERMINATE and now - one.at < MEMORY]
    return begun is not None and any(at < begun for at in stops)


def _failing(facts: Facts, seen: Seen, now: datetime) -> Finding:
    failure = seen.explanation.failure
    if failures.stopped(seen.application) and not _stopped_by_us(facts, seen):
        return _finding(facts, seen, Reason.OPERATION_STOPPED, f"{_what(seen)}{_told(seen)}")
    if failures.emptied(seen.application):
        # Auto-sync says so of a revision that it has not tried: of one that failed it says that first.
        return _finding(facts, seen, EMPTIED, f"{_what(seen)}, and a sync would prune all that it has")
    if holders(facts, seen) or (failure is not None and failure.passes and _old(seen, now)):
        return _held_up(facts, seen, now)
    says = f"{_what(seen)}{_told(seen)}"
    if failure is None:
        stopped = failures.stopped(seen.application)
        reason = Reason.OPERATION_STOPPED if stopped else Reason.FAILURE_UNKNOWN
        return _finding(facts, seen, reason, says)
    if failure.responder is not None:
        says = f"{says}, which is {failure.responder}'s to look after"
        return _finding(facts, seen, Reason.ROOT_NOT_WATCHED, says)
    return _finding(facts, seen, failure.code, _what(seen))


def _stopped_by_us(facts: Facts, seen: Seen) -> bool:
    """Whoever else stops an operation does not want it, whatever it was failing of. Where our own stop may
    never have arrived, it is theirs."""
    operation, tries = seen.application.operation, facts.tries_of(seen.application)
    begun = operation.started if operation is not None else None
    stops = [one.at for one in tries if one.action == TERMINATE and one.confirmed]
    return begun is not None and any(at >= begun for at in stops)


def _held_up(facts: Facts, seen: Seen, now: datetime) -> Finding:
    """What is due for an Application whose fault is looked after, or should have passed: a refresh, which
    brings out what is still wrong, and then a sync, where the last one failed."""
    attempt, says = facts.attempt(seen.application), f"{_what(seen)}{_told(seen)}"
    if not (seen.application.automated or failures.comparison_errors(seen.application)):
        return _finding(facts, seen, Reason.SYNC_LEFT_TO_PEOPLE, f"{says}, and it has no automated sync")
    if _synced_enough(facts, seen):
        says = f"{says}, though it was synced {MOST_TRIES} times within a day"
        return _finding(facts, seen, Reason.APPLICATION_STILL_FAILS, says)
    begun = attempt.action if attempt is not None and attempt.action in (REFRESH, SYNC) else REFRESH
    since = stand_of_refresh if begun == REFRESH else stand
    match since(attempt, situations.of(seen, begun), now):
        case Stand.DUE if _refreshed_enough(facts, seen):
            says = f"{says}, though it was refreshed {MOST_TRIES} times within a day"
            return _finding(facts, seen, Reason.APPLICATION_STILL_FAILS, says)
        case Stand.DUE:
            return _finding(facts, seen, Reason.APPLICATION_HELD_UP, says)
        case _ if _refreshed(seen, attempt):
            return _finding(facts, seen, Reason.SYNC_NOT_RETRIED, says)
        case Stand.WAITING:
            waits = Reason.APPLICATION_REFRESHING if begun == REFRESH else Reason.APPLICATION_SYNCING
            return _finding(facts, seen, waits, "it was asked for a moment ago")
        case Stand.IN_VAIN:
            return _finding(facts, seen, Reason.APPLICATION_STILL_FAILS, says)


def _refreshed(seen: Seen, attempt: Attempt | None) -> bool:
    """What a sync needs. One without its answer may never have arrived."""
    if attempt is None or attempt.action != REFRESH or failures.comparison_errors(seen.application):
        return False
    return attempt.confirmed


def _synced_enough(facts: Facts, seen: Seen) -> bool:
    """Each sync runs its hooks again, migrations too."""
    if failures.comparison_errors(seen.application):
        return False  # nothing is synced now
    situation, tries = situations.of(seen, SYNC), facts.tries_of(seen.application)
    # One whose answer was lost may have run them as well.
    return sum(one.situation == situation for one in tries) >= MOST_TRIES


def _refreshed_enough(facts: Facts, seen: Seen) -> bool:
    """Each refresh has its sources rendered anew. One that brought a comparison was of use."""
    situation, tries = situations.of(seen, REFRESH), facts.tries_of(seen.application)
    return sum(one.situation == situation and not one.proven for one in tries) >= MOST_TRIES


def _unhealthy(facts: Facts, seen: Seen, now: datetime) -> Finding:
    application = seen.application
    finished = application.operation.finished if application.operation else None
    if finished is not None and now - finished < SETTLES_WITHIN:
        return _finding(facts, seen, Reason.APPLICATION_SETTLING, f"it is {application.health}")
    if (application.health, application.sync) == ("Missing", "OutOfSync"):
        return _finding(facts, seen, Reason.APPLICATION_NOT_DEPLOYED, "it is Missing and OutOfSync")
    named = ", ".join(f"{one.kind} {one.name}" for one in application.unhealthy[:3])
    of = f": {named}" if named else ""
    return _finding(facts, seen, Reason.APPLICATION_UNHEALTHY, f"it is {application.health}{of}{_told(seen)}")


def _unsettled(facts: Facts, seen: Seen, now: datetime) -> Finding:
    application = seen.application
    since, operation = application.health_since, application.operation
    if since is not None and operation is not None and operation.finished is not None:
        since = max(since, operation.finished)
    lasts = since is not None and now - since >= SETTLES_WITHIN
    reason = Reason.APPLICATION_UNHEALTHY if lasts else Reason.APPLICATION_SETTLING
    return _finding(facts, seen, reason, f"it is {application.health}")


# -- in words -----------------------------------------------------------------------------


def _finding(facts: Facts, seen: Seen, reason: str, says: str) -> Finding:
    commit = seen.explanation.commit
    evidence = {"commit": commit} if commit else {}
    application = seen.application
    return finding(reason, facts.id_of(application), f"Application {application.name}: {says}", **evidence)


def _what(seen: Seen) -> str:
    """What Argo CD calls it: the first condition, or how the operation ended."""
    if found := failures.comparison_errors(seen.application) or failures.errors(seen.application):
        return found[0].type
    operation = seen.application.operation
    return f"its last operation ended as {operation.phase}" if operation else "it fails"


def _told(seen: Seen) -> str:
    return f", {seen.explanation.failure.code}" if seen.explanation.failure else ""


def _old(seen: Seen, now: datetime) -> bool:
    """It fails for longer than what passes takes."""
    since = [one.since for one in failures.errors(seen.application)]
    if seen.application.operation is not None:
        since.append(seen.application.operation.finished)
    known = [at for at in since if at is not None]
    return bool(known) and now - max(known) >= PASSES_WITHIN
