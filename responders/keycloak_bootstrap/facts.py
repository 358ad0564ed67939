"""What the checks of the realm's bootstrap rest on. Names, times, codes and comparisons; no secret, and no
text of a log."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from responders.keycloak_bootstrap.log_reasons import Cause
from responders.keycloak_bootstrap.order import Place
from responders.keycloak_bootstrap.reasons import REDIRECTS, Reason
from shared.attempts import Attempt
from shared.clients.argocd import Application
from shared.clients.cluster_api import JobState
from shared.clients.github import PullRequest
from shared.clients.keycloak import Client, LoginRefused
from shared.clients.vault import Held
from shared.clients.vault import LoginRefused as VaultRefused
from shared.clients.web import NoAnswer, Page
from shared.clients.workloads import Config, Materialised, RealmImport, Work
from shared.landscape import DeclaredKeycloak
from shared.model import Absent, Finding, Known, Read
from shared.proposals import Proposal

RECOVERS_WITHIN: Final = timedelta(minutes=15)
"""What a root that was mended holds back may take that long to come up behind it."""
LONGEST_OPERATION: Final = timedelta(minutes=30)
"""Waves wait for each other's health; an operation of longer holds no proposal back."""
_WAVE: Final = re.compile(r"-?[0-9]{1,9}", re.ASCII)
RESTS_ON: Final = ("submodule_refs", "federated_credentials", "runtime_facts", "vault_seeding")


class Purpose(Enum):
    """What is called for to make the Jobs right, or to make them run."""

    ORDER = "order"
    """Other annotations, then a sync."""
    RERUN = "rerun"
    """Another value of the knob, then a sync."""
    JOBS = "jobs"
    """A Job made anew."""
    SYNC = "sync"
    """A sync alone, which makes hooks that are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Of the values, and how it fares."""

    purpose: Purpose
    wanted: Mapping[str, str]
    """All that the file must say, by key."""
    proposal: Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """That we made the Jobs run, or proposed it, within a week: from the journal."""

    at: datetime
    mends: str
    """Reason that it was made for."""
    object: str
    """The file of values, or the Job."""
    what: str
    """The knob's value, or the uid of the Job that was made anew."""
    synced: bool = False
    """We synced the Application since, or may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    environment: str
    declared: DeclaredKeycloak
    cluster_id: str
    argocd: str | None
    """Id of Argo CD's namespace; None where none is declared."""
    by_jobs: bool
    """The contract names keycloak.jobs, so that Jobs are made anew in place of a change of values."""
    # -- the cluster
    cluster: Read[None]
    """Whether its API server is known. What follows was not read otherwise."""
    imports: Read[tuple[RealmImport, ...]]
    bootstrap: Read[Work]
    patcher: Read[Work]
    logs: Mapping[str, Read[tuple[Cause, ...]]]
    """Of the Jobs that failed, and of a patcher that completed and left a client out, by name."""
    digests: Read[Config] | None
    """None: none are declared."""
    secrets: Mapping[str, Read[Materialised]]
    application: Read[Application] | None
    """None: no Argo CD is declared."""
    # -- Keycloak
    page: Page | NoAnswer
    """The realm's, from outside."""
    clients: Read[tuple[Client, ...]] | LoginRefused
    # -- Vault
    vault: str
    """Its address; empty where it was not asked."""
    login: Read[None] | VaultRefused | None
    keys: Mapping[str, Read[Held]]
    """By key; of the declared clients, where Vault was asked."""
    # -- Git
    said: Mapping[str, str] = field(default_factory=dict)
    """What the file of values says at the declared keys, where it was read."""
    landed: bool = False
    """That file reads what our newest change of it, which has no proof yet, was to bring."""
    change: Change | None = None
    leftovers: Read[tuple[PullRequest, ...]] | None = None
    """Our open pull requests; None where none can be."""
    # -- ours
    tries: Mapping[str, tuple[Attempt, ...]]
    """Our writes to each object within a day, oldest first, by object in lower case."""
    reruns: tuple[Rerun, ...]
    blocked_at: datetime | None
    """When a run of ours last had to wait for a fault of another target."""
    well_until: datetime | None = None
    """When a run first ended otherwise after the last one that found everything well; now, where none did.
    None: no run of late found everything well."""

    # -- how things are called

    @property
    def namespace_id(self) -> str:
        return f"{self.cluster_id}/namespaces/{self.declared.namespace}"

    def job_id(self, name: str) -> str:
        return f"{self.namespace_id}/jobs/{name}"

    @property
    def bootstrap_id(self) -> str:
        return self.job_id(self.declared.hooks.bootstrap)

    @property
    def patcher_id(self) -> str:
        return self.job_id(self.declared.hooks.patcher)

    @property
    def application_id(self) -> str:
        where = self.argocd or f"{self.cluster_id}/namespaces/argocd"
        return f"{where}/applications/{self.declared.application}"

    @property
    def values_id(self) -> str | None:
        """The file of values by its address."""
        values = self.declared.hooks.values
        return values.reference if values else None

    def import_id(self, name: str) -> str:
        return f"{self.namespace_id}/keycloakrealmimports/{name}"

    def secret_id(self, name: str) -> str:
        return f"{self.namespace_id}/secrets/{name}"

    @property
    def realm_id(self) -> str:
        return f"{self.declared.url}/realms/{self.declared.realm}"

    def client_id(self, client: str) -> str:
        return f"{self.realm_id}/clients/{client}"

    def redirect_id(self, client: str, uri: str) -> str:
        return f"{self.client_id(client)}/redirectUris/{uri}"

    def key_id(self, key: str) -> str:
        return f"{self.vault}/{key}"

    @property
    def digests_id(self) -> str:
        return f"{self.namespace_id}/configmaps/{self.declared.digests}"

    # -- what several checks ask

    def reasons_of(self, job: str) -> tuple[Reason, Reason, Reason]:
        """That it failed, that it runs too long, that it runs."""
        if job == self.declared.hooks.bootstrap:
            return (
                Reason.MASTER_BOOTSTRAP_FAILED,
                Reason.MASTER_BOOTSTRAP_TOO_LONG,
                Reason.MASTER_BOOTSTRAP_RUNNING,
            )
        return (
            Reason.CLIENT_PATCHER_FAILED,
            Reason.CLIENT_PATCHER_TOO_LONG,
            Reason.CLIENT_PATCHER_RUNNING,
        )

    def read_of(self, job: str) -> Read[Work]:
        return self.bootstrap if job == self.declared.hooks.bootstrap else self.patcher

    def has_completed(self, job: str) -> bool:
        """The Job is Complete; or it is gone and the last sync succeeded, as where hooks are deleted then."""
        match self.read_of(job):
            case Known(work):
                return work.state is JobState.COMPLETE and not work.deleting
            case Absent():
                return self._synced_well() is not None
        return False

    @property
    def both_completed(self) -> bool:
        hooks = self.declared.hooks
        return self.has_completed(hooks.bootstrap) and self.has_completed(hooks.patcher)

    @property
    def patched_at(self) -> datetime | None:
        """When the patcher completed, if it has."""
        if not self.has_completed(self.declared.hooks.patcher):
            return None
        return self.patcher.value.completed if isinstance(self.patcher, Known) else self._synced_well()

    @property
    def at_rest(self) -> bool:
        """The patcher has nothing more to write, so what it brings can be looked at: it completed; or it is
        gone, as where a TTL deletes it, and neither has a Job failed nor is one at work or still to come.

        Where the clients cannot be listed, nothing tells that there was a patcher yet.
        """
        if self.patched_at is not None:
            return True
        hooks = self.declared.hooks
        over = isinstance(self.bootstrap, Absent) or self.has_completed(hooks.bootstrap)
        if not (over and isinstance(self.patcher, Absent) and isinstance(self.clients, Known)):
            return False
        busy = self.awaits_deployment or (self._application is not None and self._application.running)
        return not busy and not self.failed_hooks & {hooks.bootstrap, hooks.patcher}

    @property
    def written_until(self) -> datetime | None:
        """When the patcher wrote last, at the latest, as far as that is known where the patcher is gone."""
        operation = self._application.operation if self._application else None
        times = [operation.finished if operation else None, self.well_until]
        return max((at for at in times if at is not None), default=None)

    def _synced_well(self) -> datetime | None:
        """When the last operation succeeded, if so it ended. One that left a failed Job behind ran none."""
        if any(isinstance(one, Known) and one.value.state is JobState.FAILED for one in self._works):
            return None
        operation = self._application.operation if self._application else None
        if operation is None or self._application is None or self._application.running:
            return None
        return operation.finished if operation.phase == "Succeeded" else None

    @property
    def _works(self) -> tuple[Read[Work], Read[Work]]:
        return self.bootstrap, self.patcher

    @property
    def _application(self) -> Application | None:
        return self.application.value if isinstance(self.application, Known) else None

    def unproven(self, subject: str) -> Attempt | None:
        """Our newest write to it, where that has no proof yet."""
        made = self.tries.get(subject.lower(), ())
        return made[-1] if made and not made[-1].proven else None

    @property
    def awaits_deployment(self) -> bool:
        """Argo CD does not have the Application, or has never synced it: its turn is still to come. Where the
        Jobs are there, one of another name deployed them."""
        match self.application:
            case Absent():
                return not any(isinstance(one, Known) for one in self._works)
            case Known(application):
                return application.operation is None and not application.requested
        return False

    def recovers(self, now: datetime) -> bool:
        """A root was mended just now, so how long something has been going on says nothing."""
        return self.blocked_at is not None and now - self.blocked_at < RECOVERS_WITHIN

    def in_flux(self, now: datetime) -> bool:
        """A sync is under way that may change everything of the Jobs."""
        if self._application is None or not self._application.running:
            return False
        operation = self._application.operation
        begun = operation.started if operation is not None and operation.under_way else None
        return begun is None or now - begun < LONGEST_OPERATION

    @property
    def failed_hooks(self) -> frozenset[str]:
        """Names of the Jobs that failed in the last operation, if that has ended."""
        operation = self._application.operation if self._application else None
        if operation is None or operation.under_way:
            return frozenset()
        return frozenset(one.name for one in operation.resources if one.hook and one.kind == "Job")

    @property
    def patched_alone_since(self) -> datetime | None:
        """When the last operation began, if it came to the patcher and ended before it came to the bootstrap.
        It tells of each Job that it came to, also of one that is gone since, as where a TTL deletes it."""
        operation, hooks = self._application.operation if self._application else None, self.declared.hooks
        if operation is None or operation.under_way or self.has_completed(hooks.bootstrap):
            return None
        alone = hooks.patcher in operation.jobs and hooks.bootstrap not in operation.jobs
        return operation.started if alone else None

    def place_of(self, job: str) -> Place | None:
        """Where annotations put the Job: as rendered on the live one; of a missing one as the values say."""
        match self.read_of(job):
            case Known(work):
                return Place(work.hook, work.wave)
            case Absent():
                return self._said_place(job)
        return None

    def _said_place(self, job: str) -> Place | None:
        hooks = self.declared.hooks
        of_bootstrap = job == hooks.bootstrap
        hook, wave = (
            (hooks.bootstrap_hook, hooks.bootstrap_wave)
            if of_bootstrap
            else (hooks.patcher_hook, hooks.patcher_wave)
        )
        if hook is None or hook not in self.said:
            return None
        said = self.said.get(wave, "") if wave else ""
        return Place(self.said[hook], int(said) if is_wave(said) else 0)

    @property
    def uids(self) -> tuple[str, str]:
        """Of both Jobs; empty for one that is not there."""
        bootstrap, patcher = map(_uid, self._works)
        return bootstrap, patcher

    @property
    def deployed(self) -> Iterator[datetime]:
        """When something of the realm was deployed or synced."""
        works = (one.value for one in self._works if isinstance(one, Known))
        imports = self.imports.value if isinstance(self.imports, Known) else ()
        secrets = (one.value for one in self.secrets.values() if isinstance(one, Known))
        times = [one.created for one in works]
        times += [one.created for one in imports]
        times += [one.created for one in secrets]
        operation = self._application.operation if self._application else None
        if operation is not None:
            times += [operation.started, operation.finished]
        yield from (at for at in times if at is not None)


def rests_on(facts: Facts, symptom: Finding) -> frozenset[str]:
    """Whole targets: what the Jobs and Keycloak need may be any part of them.

    A redirect URI that is missing though both Jobs completed is a fault of its own.
    """
    if symptom.reason in REDIRECTS and facts.both_completed:
        return frozenset()
    return frozenset(f"{facts.environment}/{name}".lower() for name in RESTS_ON)


def _uid(read: Read[Work]) -> str:
    return read.value.uid if isinstance(read, Known) else ""


def is_wave(text: str) -> bool:
    """Whole, and no longer than anybody counts."""
    return _WAVE.fullmatch(text) is not None
