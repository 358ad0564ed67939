"""The situations that repairs of seeding are made for. shared.attempts tells when one may be tried again."""

from datetime import timedelta
from typing import Final

from responders.vault_seeding.facts import Facts
from shared.clients.cluster_api import Kind, Synced
from shared.model import Known, digest_of

BOOTSTRAP_PATIENCE: Final = timedelta(minutes=10)
"""Entra may refuse the bootstrap for that long after its credential was mended, and its schedule tries again.
https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations"""


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
