"""A small Azure in memory: clusters with issuers, identities with credentials, an Entra that learns late.

Behaves by the rules that a run can meet: one writer at a time under an identity, a pair of issuer and subject
once, twenty credentials at most, reads and directory caches that lag behind a write. Trouble can be laid in
the way of any call, to strike before or after its effect. Everything happens at the time of the clock given.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from shared.clients.azure_core import as_unknown
from shared.clients.entra import Accepted, Declined, Exchange
from shared.clients.managed_clusters import ApiServer
from shared.errors import PermanentError, ReconvergeError, TemporaryError, WriteConflict
from shared.model import Absent, Clock, Cluster, Credential, Identity, Known, Read, Unknown
from shared.world import World
from tests.unit.argocd import ArgoCD
from tests.unit.federated_credentials.builders import AUDIENCE, cluster, identity
from tests.unit.github import GitHub
from tests.unit.keycloak import Keycloaks
from tests.unit.seeds import Seeds
from tests.unit.web import Web
from tests.unit.workloads import Workloads

GET_CLUSTER = "GET cluster"
GET_IDENTITY = "GET identity"
LIST = "LIST credentials"
PUT = "PUT credential"
EXCHANGE = "exchange"

QUOTA = 20
SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class Trouble:
    """What a call meets instead of its answer."""

    call: str
    error: Exception
    on: str = ""
    """Part of the resource's id; empty strikes any."""
    after: bool = False
    """The effect takes place, only the answer is lost."""
    times: int = 1


@dataclass(frozen=True, slots=True)
class Written:
    at: datetime
    id: str
    credential: Credential


@dataclass(frozen=True, slots=True)
class _Version:
    """What an identity holds from some moment on, by lower-case name."""

    credentials: dict[str, Credential]
    listed_at: datetime
    trusted_at: datetime


@dataclass(slots=True)
class Platform:
    clock: Clock
    propagation: timedelta = timedelta(0)
    """How long Entra goes by what stood there before a write."""
    lag: timedelta = timedelta(0)
    """How long a list shows what stood there before a write."""
    github: GitHub = field(default_factory=GitHub)
    seeds: Seeds = field(default_factory=Seeds)
    argocd: ArgoCD = field(default_factory=ArgoCD)
    workloads: Workloads = field(default_factory=Workloads)
    keycloaks: Keycloaks = field(default_factory=Keycloaks)
    web: Web = field(default_factory=Web)
    resources: dict[str, str] = field(default_factory=dict)
    """Addresses of vaults and public IP addresses by id in lower case."""
    undeployed: set[str] = field(default_factory=set)
    """Subjects whose service account no cluster has."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    """Every write that a run made, not those of others."""
    overlaps: list[str] = field(default_factory=list)
    """Identities under which a second write began before the first had ended."""
    meanwhile: Callable[[str], None] = lambda _identity: None
    """Happens while a write is under way."""
    reading: Callable[[], object] = lambda: None
    """Happens while a read is under way."""
    moment: Callable[[], None] = lambda: None
    """Where a process may die: just before and just after a write's effect."""
    _troubles: list[Trouble] = field(default_factory=list)
    _clusters: dict[str, Cluster] = field(default_factory=dict)
    _identities: dict[str, Identity] = field(default_factory=dict)
    _versions: dict[str, list[_Version]] = field(default_factory=dict)
    _writing: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    @property
    def world(self) -> World:
        return World(
            clusters=_Clusters(self),
            identities=_Identities(self),
            exchanges=_Exchanges(self),
            resources=_Resources(self),
            files=self.github.files,
            github=self.github,
            git=self.github.git,
            key_vaults=self.seeds.key_vaults,
            vaults=self.seeds.vaults,
            kubernetes=self.seeds.kubernetes,
            argocd=self.argocd,
            workloads=self.workloads,
            keycloaks=self.keycloaks,
            web=self.web,
            seeding=self.seeds,
        )

    # -- what people and pipelines do -----------------------------------------------------

    def build(self, cluster_id: str, issuer: str | None, **changes: Any) -> None:
        """A cluster as it is from now on. A rebuild is a build under the same id with another issuer."""
        self._clusters[cluster_id.lower()] = cluster(id=cluster_id, issuer=issuer, **changes)

    def tear_down(self, cluster_id: str) -> None:
        self._clusters.pop(cluster_id.lower(), None)

    def hold(self, identity_id: str, *credentials: Credential) -> None:
        """An identity and all that it holds, known everywhere."""
        self._identities[identity_id.lower()] = identity(
            id=identity_id, client_id=f"client of {identity_id.rpartition('/')[2]}"
        )
        self._versions[identity_id.lower()] = [
            _Version({one.name.lower(): one for one in credentials}, self.clock(), self.clock())
        ]

    def meddle(self, identity_id: str, credential: Credential) -> None:
        """Somebody else's write, known everywhere at once."""
        self._add_version(identity_id.lower(), credential, timedelta(0), timedelta(0))

    def delete(self, identity_id: str, name: str) -> None:
        """Somebody else's delete, known everywhere at once."""
        kept = {key: one for key, one in self._now(identity_id).items() if key != name.lower()}
        self._versions[identity_id.lower()].append(_Version(kept, self.clock(), self.clock()))

    def lay(self, call: str, error: Exception, **where: Any) -> Trouble:
        trouble = Trouble(call, error, **where)
        self._troubles.append(trouble)
        return trouble

    def calm(self) -> None:
        self._troubles.clear()

    # -- what is so -----------------------------------------------------------------------

    def holds(self, identity_id: str) -> dict[str, Credential]:
        return {one.name: one for one in self._now(identity_id).values()}

    def number_of(self, call: str) -> int:
        return sum(name == call for name, _ in self.calls)

    def admits(self, cluster_id: str, subject: str, identity_id: str) -> bool:
        """Whether a workload gets its token now."""
        return isinstance(self._exchange(cluster_id, subject, AUDIENCE, identity_id), Accepted)

    # -- what a run calls -----------------------------------------------------------------

    def read_cluster(self, cluster_id: str) -> Read[Cluster]:
        return self._read(GET_CLUSTER, cluster_id, lambda: self._clusters.get(cluster_id.lower()))

    def read_identity(self, identity_id: str) -> Read[Identity]:
        return self._read(GET_IDENTITY, identity_id, lambda: self._identities.get(identity_id.lower()))

    def list(self, identity_id: str) -> Read[tuple[Credential, ...]]:
        return self._read(LIST, identity_id, lambda: self._listed(identity_id.lower()))

    def put(self, identity_id: str, credential: Credential) -> None:
        key, name = identity_id.lower(), f"{identity_id}/federatedIdentityCredentials/{credential.name}"
        self.calls.append((PUT, name))
        self._strike(PUT, name, after=False)
        with self._lock:
            if key in self._writing:
                self.overlaps.append(identity_id)
                raise WriteConflict("ARM answered 409 ConcurrentWrites", delay=20 * SECOND)
            self._writing.add(key)
        try:
            self.moment()
            self.meanwhile(identity_id)
            self._obey_azure(key, credential)
            self._add_version(key, credential, self.lag, self.propagation)
            self.written.append(Written(self.clock(), name, credential))
            self.moment()
        finally:
            self._writing.discard(key)
        self._strike(PUT, name, after=True)

    def prove(self, cluster_id: str, subject: str, audience: str, client_id: str) -> Exchange:
        self.calls.append((EXCHANGE, subject))
        if trouble := self._trouble(EXCHANGE, subject, after=False):
            return Unknown(str(trouble))
        holder = next((one.id for one in self._identities.values() if one.client_id == client_id), "")
        return self._exchange(cluster_id, subject, audience, holder)

    # -- how ------------------------------------------------------------------------------

    def _now(self, identity_id: str) -> dict[str, Credential]:
        return self._versions[identity_id.lower()][-1].credentials

    def _add_version(self, key: str, credential: Credential, lag: timedelta, propagation: timedelta) -> None:
        now = self.clock()
        kept = {**self._now(key), credential.name.lower(): credential}
        self._versions[key].append(_Version(kept, now + lag, now + propagation))

    def _obey_azure(self, key: str, credential: Credential) -> None:
        if key not in self._identities:
            raise TemporaryError("ARM answered 404 ParentResourceNotFound", delay=30 * SECOND)
        others = [one for one in self._now(key).values() if one.name.lower() != credential.name.lower()]
        if any((one.issuer, one.subject) == (credential.issuer, credential.subject) for one in others):
            raise PermanentError("ARM answered 400 BadRequest: issuer and subject are held already")
        if len(others) >= QUOTA:
            raise PermanentError("ARM answered 400 BadRequest: too many federated credentials")

    def _listed(self, key: str) -> tuple[Credential, ...] | None:
        if key not in self._identities:
            return None
        now = self.clock()
        return tuple([v for v in self._versions[key] if v.listed_at <= now][-1].credentials.values())

    def _exchange(self, cluster_id: str, subject: str, audience: str, identity_id: str) -> Exchange:
        found = self._clusters.get(cluster_id.lower())
        if found is None or subject in self.undeployed:
            return Unknown(f"service account {subject} does not exist in the cluster")
        now, versions = self.clock(), self._versions.get(identity_id.lower(), [])
        trusted = [v for v in versions if v.trusted_at <= now][-1].credentials.values()
        if not (of_issuer := [one for one in trusted if one.issuer == found.issuer]):
            return Declined("AADSTS700211")
        if not (of_subject := [one for one in of_issuer if one.subject == subject]):
            return Declined("AADSTS700213")
        if all(audience not in one.audiences for one in of_subject):
            return Declined("AADSTS700212")
        return Accepted()

    def _read[T](self, call: str, resource: str, answer: Callable[[], T | None]) -> Read[T]:
        self.calls.append((call, resource))
        self.reading()
        match self._trouble(call, resource, after=False):
            case ReconvergeError() as error:
                return as_unknown(error)
            case Exception() as error:
                raise error
        found = answer()
        return Absent() if found is None else Known(found)

    def _strike(self, call: str, resource: str, *, after: bool) -> None:
        if error := self._trouble(call, resource, after=after):
            raise error

    def _trouble(self, call: str, resource: str, *, after: bool) -> Exception | None:
        with self._lock:
            for trouble in self._troubles:
                if (trouble.call, trouble.after) == (call, after) and trouble.on.lower() in resource.lower():
                    trouble.times -= 1
                    if trouble.times == 0:
                        self._troubles.remove(trouble)
                    return trouble.error
        return None


@dataclass(frozen=True, slots=True)
class _Resources:
    platform: Platform

    def vault_uri(self, vault_id: str) -> Read[str]:
        return self._read(vault_id)

    def ip_address(self, address_id: str) -> Read[str]:
        return self._read(address_id)

    def _read(self, arm_id: str) -> Read[str]:
        found = self.platform.resources.get(arm_id.lower())
        return Known(found) if found else Absent()


@dataclass(frozen=True, slots=True)
class _Clusters:
    platform: Platform

    def get(self, cluster_id: str) -> Read[Cluster]:
        return self.platform.read_cluster(cluster_id)

    def api_server(self, cluster_id: str) -> Read[ApiServer]:
        match self.platform.read_cluster(cluster_id):
            case Known(_):
                return Known(ApiServer(f"https://{cluster_id.rpartition('/')[2]}", "ca"))
            case other:
                return other


@dataclass(frozen=True, slots=True)
class _Identities:
    platform: Platform

    def get(self, identity_id: str) -> Read[Identity]:
        return self.platform.read_identity(identity_id)

    def credentials(self, identity_id: str) -> Read[tuple[Credential, ...]]:
        return self.platform.list(identity_id)

    def put(self, identity_id: str, credential: Credential) -> None:
        self.platform.put(identity_id, credential)


@dataclass(frozen=True, slots=True)
class _Exchanges:
    platform: Platform

    def prove(self, cluster_id: str, subject: str, audience: str, *, client_id: str, tenant: str) -> Exchange:
        assert tenant == "tenant"
        return self.platform.prove(cluster_id, subject, audience, client_id)
