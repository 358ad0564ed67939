"""Key Vault, Vault and the part of a cluster between them, in memory: one of each.

Values live here alone: a run sees fingerprints, as it does of the real ones.
"""

# ruff: noqa: ARG002 (the ports' signatures)

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.clients.azure_core import as_unknown
from shared.clients.cluster_api import CronJob, Event, Job, JobState, Kind, Synced
from shared.clients.fingerprints import fingerprint
from shared.clients.key_vault import Secret, Sourced
from shared.clients.managed_clusters import ApiServer
from shared.clients.seeding import Destination, Source
from shared.clients.vault import Held, LoginRefused, SealStatus, Session
from shared.errors import ReconvergeError, WriteConflict
from shared.model import Absent, Known, Read

type Trouble = dict[str, ReconvergeError]
"""By the name of a call: what it meets in place of its answer."""


@dataclass(slots=True)
class KeyVault:
    values: dict[str, str] = field(default_factory=dict)
    about: dict[str, Secret] = field(default_factory=dict)
    """Where it differs from a secret that is enabled and valid for ever."""
    trouble: Trouble = field(default_factory=dict)

    def secrets(self, uri: str) -> Read[tuple[Secret, ...]]:
        assert uri
        if error := self.trouble.get("secrets"):
            return as_unknown(error)
        usual = {
            name: Secret(name=name, enabled=True, expires=None, not_before=None, updated=None)
            for name in self.values
        }
        return Known(tuple((usual | self.about).values()))

    def source(self, uri: str, name: str, placeholders: Collection[str]) -> Read[Sourced]:
        assert uri
        if error := self.trouble.get("source"):
            return as_unknown(error)
        if name not in self.values:
            return Absent()
        return Known(Sourced(f"v-{name}", fingerprint(self.values[name], placeholders)))


@dataclass(slots=True)
class Vault:
    sealed: bool = False
    initialised: bool = True
    refuses: str = ""
    """Why it lets us not in."""
    versions: dict[str, list[str | None]] = field(default_factory=dict)
    """Values by key, oldest first; None for a deleted version."""
    trouble: Trouble = field(default_factory=dict)

    def seal_status(self, address: str) -> Read[SealStatus]:
        assert address
        if error := self.trouble.get("seal_status"):
            return as_unknown(error)
        return Known(SealStatus(self.initialised, self.sealed))

    def login(self, address: str, mount: str, role: str, audience: str) -> Read[Session] | LoginRefused:
        assert mount
        assert role
        assert audience
        return LoginRefused(self.refuses) if self.refuses else Known(Session(address, "token"))

    def read(self, session: Session, mount: str, key: str, placeholders: Collection[str]) -> Read[Held]:
        assert session.token
        assert mount == "secret"
        if error := self.trouble.get("read"):
            return as_unknown(error)
        versions = self.versions.get(key)
        if not versions:
            return Absent()
        value = versions[-1]
        shown = None if value is None else fingerprint(value, placeholders)
        return Known(Held(version=len(versions), deleted=value is None, fingerprint=shown))


@dataclass(slots=True)
class Cluster:
    """What a started bootstrap does is told by `bootstrap`."""

    cron_jobs: dict[str, CronJob] = field(default_factory=dict)
    all_jobs: dict[str, Job] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    objects: dict[Kind, dict[str, Synced]] = field(default_factory=dict)
    said: list[Event] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)
    """The annotation of each object that was refreshed."""
    served: bool = True
    trouble: Trouble = field(default_factory=dict)
    bootstrap: Callable[[str], None] = lambda _job: None
    refreshed: Callable[[Kind, str], None] = lambda _kind, _name: None

    def cron_job(self, api_server: ApiServer, namespace: str, name: str) -> Read[CronJob]:
        assert api_server.server
        assert namespace
        if error := self.trouble.get("cron_job"):
            return as_unknown(error)
        return Known(self.cron_jobs[name]) if name in self.cron_jobs else Absent()

    def jobs(self, api_server: ApiServer, namespace: str, owner: str) -> Read[tuple[Job, ...]]:
        assert owner in {one.uid for one in self.cron_jobs.values()}
        if error := self.trouble.get("jobs"):
            return as_unknown(error)
        return Known(tuple(reversed(self.all_jobs.values())))

    def log(self, api_server: ApiServer, namespace: str, job: str) -> Read[str]:
        return Known(self.logs[job]) if job in self.logs else Absent()

    def start(self, api_server: ApiServer, namespace: str, cron_job: str, *, uid: str, name: str) -> None:
        assert self.cron_jobs[cron_job].uid == uid
        if error := self.trouble.get("start"):
            raise error
        if name not in self.all_jobs:
            self.bootstrap(name)

    def synced(self, api_server: ApiServer, namespace: str, kind: Kind) -> Read[tuple[Synced, ...]]:
        if error := self.trouble.get(kind):
            return as_unknown(error)
        return Known(tuple(self.objects.get(kind, {}).values())) if self.served else Absent()

    def events(self, api_server: ApiServer, namespace: str, kind: Kind) -> Read[tuple[Event, ...]]:
        return Known(tuple(self.said))

    def refresh(self, api_server: ApiServer, namespace: str, kind: Kind, name: str, mark: str) -> None:
        self.marks[name] = mark
        self.refreshed(kind, name)

    # -- what people and controllers do ---------------------------------------------------

    def run(self, name: str, state: JobState, begun: datetime, log: str = "") -> None:
        ended = begun + timedelta(seconds=10) if state is JobState.COMPLETE else None
        self.all_jobs[name] = Job(name=name, state=state, created=begun, completed=ended)
        if log:
            self.logs[name] = log

    def make(self, kind: Kind, name: str, *, ready: bool = True, reason: str = "") -> None:
        usual = {Kind.STORE: ("Valid", "InvalidProviderConfig")}.get(
            kind, ("SecretSynced", "SecretSyncedError")
        )
        self.objects.setdefault(kind, {})[name] = Synced(
            name=name, uid=f"uid-{name}", ready=ready, reason=reason or usual[not ready], since="once"
        )

    def turn(self, kind: Kind, name: str, *, ready: bool, reason: str) -> None:
        found = self.objects[kind]
        found[name] = replace(found[name], ready=ready, reason=reason, since="now")


@dataclass(slots=True)
class Seeds:
    key_vaults: KeyVault = field(default_factory=KeyVault)
    vaults: Vault = field(default_factory=Vault)
    kubernetes: Cluster = field(default_factory=Cluster)
    copies: list[Destination] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None
    """Happens while a value is on its way."""

    def copy(self, source: Source, to: Destination) -> None:
        """As the real one: a value goes over, under the version that is expected there."""
        self.meanwhile()
        versions = self.vaults.versions.setdefault(to.key, [])
        if len(versions) != to.cas:
            raise WriteConflict("Vault holds another version than it did", delay=timedelta(seconds=30))
        assert source.version == f"v-{source.secret}"
        versions.append(self.key_vaults.values[source.secret])
        self.copies.append(to)
