"""What the checks of Vault's seeding rest on. Names, versions and digests; no value of a secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from responders.vault_seeding.log_reasons import Cause
from shared.attempts import Attempt
from shared.clients.cluster_api import CronJob, Job, Synced
from shared.clients.key_vault import Secret, Sourced
from shared.clients.vault import Held, LoginRefused, SealStatus
from shared.landscape import DeclaredVault
from shared.model import Finding, Known, Read


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    environment: str
    declared: DeclaredVault
    cluster_id: str
    # -- Key Vault
    key_vault: Read[str]
    """Its address."""
    secrets: Read[tuple[Secret, ...]]
    sources: Mapping[str, Read[Sourced]]
    """By name of the secret; those that seeds come from, as far as they are usable."""
    # -- Vault
    seal: Read[SealStatus]
    login: Read[None] | LoginRefused
    held: Mapping[str, Read[Held]]
    """By key; empty where nothing could be read."""
    # -- the cluster
    cron_job: Read[CronJob]
    jobs: Read[tuple[Job, ...]]
    """Newest first."""
    log: Read[tuple[Cause, ...]]
    """What the newest Job's log says; Absent where it was not looked at or is gone."""
    stores: Read[tuple[Synced, ...]]
    """Absent: the cluster does not serve their kind. The same holds for ExternalSecrets."""
    external_secrets: Read[tuple[Synced, ...]]
    told: Mapping[str, tuple[Cause, ...]]
    """What Events say of stores and ExternalSecrets that are not Ready, by reference."""
    # -- ours
    tries: Mapping[str, tuple[Attempt, ...]]
    """Of each object within a day, oldest first."""
    may_start: bool
    """The contract lets the bootstrap be started, if only as a proposal."""
    rests_on: frozenset[str]
    """Subjects of other responders, in lower case."""

    # -- how things are called

    @property
    def namespace_id(self) -> str:
        return f"{self.cluster_id}/namespaces/{self.declared.namespace}"

    @property
    def cron_job_id(self) -> str:
        return f"{self.namespace_id}/cronjobs/{self.declared.bootstrap.cron_job}"

    def secret_id(self, name: str) -> str:
        return f"{self.declared.key_vault}/secrets/{name}"

    def seed_id(self, key: str) -> str:
        return f"{self.declared.address}/{self.declared.mount}/{key}"

    def synced_id(self, kind: str, name: str) -> str:
        return f"{self.namespace_id}/{kind}/{name}"

    # -- what several checks ask

    @property
    def attempts(self) -> Mapping[str, Attempt]:
        """The newest of each object."""
        return {key: made[-1] for key, made in self.tries.items()}

    def tries_of(self, subject: str) -> tuple[Attempt, ...]:
        return self.tries.get(subject.lower(), ())

    @property
    def last_success(self) -> datetime | None:
        """Of the bootstrap: as its CronJob tells, or one of its Jobs that the CronJob has not told of yet."""
        if not isinstance(self.cron_job, Known):
            return None
        jobs = self.jobs.value if isinstance(self.jobs, Known) else ()
        times = [self.cron_job.value.last_success, *(job.completed for job in jobs)]
        return max((at for at in times if at is not None), default=None)


def rests_on(facts: Facts, _symptom: Finding) -> frozenset[str]:
    """The same for every symptom: each stage waits for the earlier ones anyway."""
    return facts.rests_on
