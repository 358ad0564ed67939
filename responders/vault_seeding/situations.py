"""When a repair that was tried may be tried again. Pure.

What starts a Job or refreshes an object may succeed and mend nothing. So each such step carries a digest of
the situation it was made for, and the same situation is left alone for a while:

    tried ──── patience ────┬──────────── AGAIN ─────────────┬────►
           wait for effect   a person must see why it fails   once more

A try that nobody confirmed holds nothing back: whoever made it may have died before it was sent.
"""

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from responders.vault_seeding.facts import Attempt, Facts
from shared.clients.cluster_api import Kind, Synced
from shared.model import Known, digest_of

PATIENCE: Final = timedelta(minutes=3)
BOOTSTRAP_PATIENCE: Final = timedelta(minutes=10)
"""Entra may refuse the bootstrap for that long after its credential was mended, and its schedule tries again.
https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations"""
AGAIN: Final = timedelta(hours=1)


class Stand(Enum):
    """What is to be thought of a repair that is called for."""

    DUE = auto()
    WAITING = auto()
    IN_VAIN = auto()


def stand(attempt: Attempt | None, situation: str, now: datetime, *, patience: timedelta = PATIENCE) -> Stand:
    if attempt is None or not attempt.confirmed or attempt.situation != situation:
        return Stand.DUE
    age = now - attempt.at
    if age >= AGAIN:
        return Stand.DUE
    return Stand.WAITING if age < patience else Stand.IN_VAIN


def of_bootstrap(facts: Facts) -> str:
    """Another CronJob, another success, another version of a source: each makes a new situation."""
    uid = facts.cron_job.value.uid if isinstance(facts.cron_job, Known) else ""
    return digest_of([uid, str(facts.last_success), _versions(facts)])


def of_refresh(facts: Facts, kind: Kind, synced: Synced) -> str:
    """What an object reads, and whom it reads it from."""
    stores = (
        [(one.uid, one.since) for one in facts.stores.value]
        if kind is Kind.EXTERNAL_SECRET and isinstance(facts.stores, Known)
        else []
    )
    held = {key: read.value.version for key, read in facts.held.items() if isinstance(read, Known)}
    return digest_of([synced.uid, synced.reason, stores, held])


def _versions(facts: Facts) -> dict[str, str]:
    return {name: read.value.version for name, read in facts.sources.items() if isinstance(read, Known)}
