"""What a responder may reach: the outside systems by their ports, and the scope of one run.

The classes of shared.clients fit these protocols; tests and the benchmark bring their own.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from shared.clients.argocd import Application
from shared.clients.cluster_api import CronJob, Event, Job, Synced
from shared.clients.cluster_api import Kind as SyncedKind
from shared.clients.entra import Exchange
from shared.clients.git_files import FileAt
from shared.clients.git_remotes import Refs, Snapshot, Standing
from shared.clients.github import Own, PullRequest, Workflow, WorkflowRun
from shared.clients.key_vault import Secret, Sourced
from shared.clients.keycloak import Client, Realm
from shared.clients.keycloak import LoginRefused as KeycloakRefused
from shared.clients.managed_clusters import ApiServer
from shared.clients.seeding import Destination, Source
from shared.clients.vault import Held, LoginRefused, SealStatus, Session
from shared.clients.web import NoAnswer, Page
from shared.clients.workloads import Config, Materialised, Pod, RealmImport, Work
from shared.journal import Journal
from shared.landscape import Environment, Landscape
from shared.model import (
    Clock,
    Cluster,
    Credential,
    Finding,
    Identity,
    Pause,
    Plan,
    Proof,
    Read,
    Severity,
    Step,
    Target,
)


class Clusters(Protocol):
    def get(self, cluster_id: str) -> Read[Cluster]: ...

    def api_server(self, cluster_id: str) -> Read[ApiServer]: ...


class Identities(Protocol):
    def get(self, identity_id: str) -> Read[Identity]: ...

    def credentials(self, identity_id: str) -> Read[tuple[Credential, ...]]: ...

    def put(self, identity_id: str, credential: Credential) -> None: ...


class Exchanges(Protocol):
    def prove(
        self, cluster_id: str, subject: str, audience: str, *, client_id: str, tenant: str
    ) -> Exchange: ...


class Resources(Protocol):
    def vault_uri(self, vault_id: str) -> Read[str]: ...

    def ip_address(self, address_id: str) -> Read[str]: ...


class Files(Protocol):
    def read(self, repository: str, branch: str, path: str) -> Read[FileAt]: ...


class Repositories(Protocol):
    def proposals(self, repository: str, prefix: str) -> Read[tuple[PullRequest, ...]]: ...

    def history(self, repository: str, branch: str) -> Read[tuple[PullRequest, ...]]: ...

    def propose(self, repository: str, branch: str, base: str, title: str, body: str) -> None: ...

    def withdraw(self, repository: str, number: int, title: str, comment: str) -> None: ...

    def beyond(self, repository: str, base: str, branch: str) -> Read[Own]: ...

    def point(self, repository: str, branch: str, commit: str) -> None: ...

    def renew(self, repository: str, branch: str, commit: str, *, upon: str, message: str) -> None: ...

    def keep(self, repository: str, branch: str, commit: str) -> None: ...

    def holds(self, repository: str, commit: str) -> Read[None]: ...

    def move_gitlink(
        self,
        repository: str,
        branch: str,
        base: str,
        path: str,
        *,
        commit: str,
        message: str,
        upon: str | None = None,
    ) -> None: ...

    def commit(
        self, repository: str, branch: str, path: str, *, text: str, replaces: str, message: str
    ) -> None: ...

    def workflow(self, repository: str, file: str) -> Read[Workflow]: ...

    def runs(self, repository: str, file: str) -> Read[tuple[WorkflowRun, ...]]: ...

    def dispatch(self, repository: str, file: str, ref: str, inputs: Mapping[str, str]) -> None: ...


class GitRemotes(Protocol):
    def refs(self, url: str, *, parent: str | None = None) -> Read[Refs]: ...

    def snapshot(
        self, url: str, revision: str, *, refs: Refs | None = None, parent: str | None = None
    ) -> Read[Snapshot]: ...

    def standing(self, url: str, commit: str, refs: Refs, *, parent: str | None = None) -> Read[Standing]: ...


class KeyVaults(Protocol):
    def secrets(self, uri: str) -> Read[tuple[Secret, ...]]: ...

    def source(self, uri: str, name: str, placeholders: Collection[str]) -> Read[Sourced]: ...


class Vaults(Protocol):
    def seal_status(self, address: str) -> Read[SealStatus]: ...

    def login(self, address: str, mount: str, role: str, audience: str) -> Read[Session] | LoginRefused: ...

    def read(self, session: Session, mount: str, key: str, placeholders: Collection[str]) -> Read[Held]: ...


class Kubernetes(Protocol):
    def cron_job(self, api_server: ApiServer, namespace: str, name: str) -> Read[CronJob]: ...

    def jobs(self, api_server: ApiServer, namespace: str, owner: str) -> Read[tuple[Job, ...]]: ...

    def log(self, api_server: ApiServer, namespace: str, job: str) -> Read[str]: ...

    def start(self, api_server: ApiServer, namespace: str, cron_job: str, *, uid: str, name: str) -> None: ...

    def synced(self, api_server: ApiServer, namespace: str, kind: SyncedKind) -> Read[tuple[Synced, ...]]: ...

    def events(self, api_server: ApiServer, namespace: str, kind: SyncedKind) -> Read[tuple[Event, ...]]: ...

    def refresh(
        self, api_server: ApiServer, namespace: str, kind: SyncedKind, name: str, mark: str
    ) -> None: ...


class Workloads(Protocol):
    def job(self, api_server: ApiServer, namespace: str, name: str) -> Read[Work]: ...

    def jobs(self, api_server: ApiServer, namespace: str, selector: str) -> Read[tuple[Work, ...]]:
        """Newest first."""

    def job_log(self, api_server: ApiServer, namespace: str, job: str) -> Read[str]: ...

    def pods(self, api_server: ApiServer, namespace: str, selector: str) -> Read[tuple[Pod, ...]]:
        """Newest first."""

    def pod_log(self, api_server: ApiServer, namespace: str, pod: str, container: str) -> Read[str]: ...

    def realm_imports(self, api_server: ApiServer, namespace: str) -> Read[tuple[RealmImport, ...]]:
        """Absent: the cluster does not serve their kind."""

    def config_map(self, api_server: ApiServer, namespace: str, name: str) -> Read[Config]: ...

    def config_maps(self, api_server: ApiServer, namespace: str, selector: str) -> Read[tuple[Config, ...]]:
        """Newest first."""

    def secret(
        self,
        api_server: ApiServer,
        namespace: str,
        name: str,
        *,
        published: Mapping[str, str],
        placeholders: Collection[str],
    ) -> Read[Materialised]:
        """published: by key of the Secret, SHA-256 in hexadecimal digits."""

    def rerun(self, api_server: ApiServer, namespace: str, name: str, *, uid: str) -> None:
        """Delete the Job with this uid, with its pods, and create it anew as it was rendered."""


class Keycloaks(Protocol):
    def clients(self, realm: Realm) -> Read[tuple[Client, ...]] | KeycloakRefused:
        """Absent: Keycloak has no such realm."""

    def add_redirect_uri(self, realm: Realm, client_id: str, uri: str) -> None: ...


class Web(Protocol):
    def get(self, origin: str, path: str) -> Page | NoAnswer: ...


class ArgoCD(Protocol):
    def application(self, api_server: ApiServer, namespace: str, name: str) -> Read[Application]: ...

    def applications(self, api_server: ApiServer, namespace: str) -> Read[tuple[Application, ...]]: ...

    def refresh(self, api_server: ApiServer, namespace: str, name: str, *, uid: str) -> None: ...

    def sync(self, api_server: ApiServer, namespace: str, name: str, *, uid: str, why: str) -> None: ...

    def terminate(
        self, api_server: ApiServer, namespace: str, name: str, *, uid: str, started: datetime
    ) -> None: ...


class Seeding(Protocol):
    def copy(self, source: Source, to: Destination) -> None: ...


@dataclass(frozen=True, slots=True)
class World:
    clusters: Clusters
    identities: Identities
    exchanges: Exchanges
    resources: Resources
    files: Files
    github: Repositories
    git: GitRemotes
    key_vaults: KeyVaults
    vaults: Vaults
    kubernetes: Kubernetes
    argocd: ArgoCD
    workloads: Workloads
    keycloaks: Keycloaks
    web: Web
    seeding: Seeding


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One run's view: where it works, what it may reach, what it remembers, and what it rests on."""

    target: Target
    landscape: Landscape
    environment: Environment
    world: World
    journal: Journal
    clock: Clock
    pause: Pause
    preconditions: "tuple[AnyResponder, ...]" = ()
    """The responders whose faults may be the root of what is found here."""


class Leads(StrEnum):
    """What a finding asks for, when no step of the plan mends it."""

    REPAIR = "repair"
    """A step mends it, now or as soon as another step is proven."""
    WAIT = "wait"
    """Time mends it; look again."""
    PERSON = "person"
    """Only somebody with more authority can mend it."""
    NOTE = "note"
    """Reported, never acted on."""
    UNREAD = "unread"
    """Nothing is known; look again."""


@dataclass(frozen=True, slots=True)
class Look:
    """How long to wait for the next one."""

    after: timedelta
    asked: bool = False
    """The far side asked for the pause, so nothing may shorten it."""


@dataclass(frozen=True, slots=True)
class ReasonInfo:
    leads: Leads
    severity: Severity
    means: str
    remedy: str
    symptom: bool = False
    """May be the effect of a fault elsewhere, which is then the one to mend."""
    explains: bool = True
    """Others may wait for it. Not so for what waits, with nothing begun, for just those others."""


def finding_of(
    reasons: Mapping[str, ReasonInfo], reason: str, subject: str, message: str, **evidence: str
) -> Finding:
    """A finding with the severity that its reason has."""
    return Finding(
        reason=reason,
        subject=subject,
        message=message,
        severity=reasons[reason].severity,
        evidence=evidence,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder[F]:
    """The five rooms of a responder, as the engine uses them."""

    name: str
    actions: tuple[str, ...]
    reasons: Mapping[str, ReasonInfo]
    gather: Callable[[Scope], F]
    check: Callable[[F, datetime], tuple[Finding, ...]]
    plan: Callable[[F, tuple[Finding, ...]], Plan]
    """The findings name their causes by then: steps of what has one are taken out of the plan."""
    apply: Callable[[Scope, Step], None]
    verify: Callable[[Scope, F], tuple[Proof, ...]]
    doubt: Callable[[F, tuple[Proof, ...], datetime], tuple[Finding, ...]]
    """Findings that only a failed proof shows."""
    look_again: Callable[[F, Finding, datetime], Look]
    """When a finding that leads to WAIT or UNREAD is worth another look."""
    rests_on: Callable[[F, Finding], frozenset[str]] = lambda _facts, _finding: frozenset()
    """Subjects of other responders or whole targets, in lower case, whose faults may be a symptom's root."""


type AnyResponder = Responder[Any]
