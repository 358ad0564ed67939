"""How an Application fails, by its own status. Pure.

An Application that is Synced and Healthy does not fail, whatever its last operation says: Argo CD keeps a
failed one for ever, as nothing differs that would make it sync again.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from shared.clients.argocd import Application, Condition

SYNC_ERROR: Final = "SyncError"
"""What auto-sync says of an operation that failed. Every other error is about what is to be compared."""
LONGEST_OPERATION: Final = timedelta(minutes=30)
"""Waves wait for each other's health, and a database takes minutes; nothing takes this long."""
STOPPED: Final = "Operation terminated"
"""What Argo CD says of an operation that somebody stopped, whatever it was waiting for."""
SKIPPED: Final = "Skipping sync attempt"
"""What auto-sync says of a revision that it does not try: whatever failed before was another one."""
_FAILED: Final = frozenset({"Failed", "Error"})
_UNSETTLED: Final = frozenset({"Progressing", "Unknown"})
_BROKEN: Final = frozenset({"Degraded", "Missing"})


def errors(application: Application) -> tuple[Condition, ...]:
    """The conditions that tell of a failure; Argo CD ends the names of the others in `Warning`."""
    return tuple(one for one in application.conditions if one.type.endswith("Error"))


def comparison_errors(application: Application) -> tuple[Condition, ...]:
    """Those that keep Argo CD from knowing what to sync."""
    return tuple(one for one in errors(application) if one.type != SYNC_ERROR)


def left_over(application: Application) -> bool:
    """The last operation failed, and nothing else is wrong: it is of the past, or of hooks alone."""
    well = (application.sync, application.health) == ("Synced", "Healthy")
    return _ended_badly(application) and well and not errors(application)


def sync_failed(application: Application) -> bool:
    """The last sync came to nothing, and auto-sync does not try the same revision again."""
    refused = any(one.type == SYNC_ERROR for one in application.conditions)
    return refused or (_ended_badly(application) and not left_over(application))


def stopped(application: Application) -> bool:
    """Somebody stopped the last operation, and the Application can be compared."""
    operation = application.operation
    if operation is None or comparison_errors(application):
        return False
    return _ended_badly(application) and operation.message.startswith(STOPPED)


def emptied(application: Application) -> bool:
    """Git has nothing left of it, and Argo CD does not take that for what is wanted. While it cannot be
    compared, everything looks like that."""
    return application.emptied and application.sync == "OutOfSync" and not comparison_errors(application)


def unhealthy(application: Application) -> bool:
    return application.health in _BROKEN


def unsettled(application: Application) -> bool:
    """It is on its way to be healthy, or Argo CD cannot tell; neither has a deadline there."""
    return application.health in _UNSETTLED


def stuck(application: Application, now: datetime) -> bool:
    """Its operation runs for longer than is plausible."""
    operation = application.operation
    if operation is None or operation.started is None:
        return False
    return operation.under_way and now - operation.started >= LONGEST_OPERATION


def begun(application: Application) -> bool:
    """Its operation is not only asked for: a controller has taken it up."""
    return application.operation is not None and application.operation.under_way


def fails(application: Application) -> bool:
    return bool(errors(application)) or sync_failed(application) or unhealthy(application)


def texts(application: Application) -> Iterator[str]:
    """What speaks of the present failure, nearest to its cause first.

    While there is nothing to compare, what an earlier operation says may be about something else.
    """
    operation = application.operation
    if comparing := comparison_errors(application):
        yield from (one.message for one in comparing)
        return
    if not application.running:
        yield from (one.message for one in errors(application) if one.message.startswith(SKIPPED))
    if operation is not None and (application.running or sync_failed(application)):
        yield from (one.message for one in operation.resources)
        if application.running or _ended_badly(application):
            yield operation.message
        yield from (one.message for one in errors(application))
        return
    yield from (one.message for one in errors(application))
    yield from (one.message for one in application.unhealthy)


def _ended_badly(application: Application) -> bool:
    return application.operation is not None and application.operation.phase in _FAILED
