"""The life of managed clusters: built, updated, rotated, deleted, and built again as another one.

A build owns its issuer, its signing keys and its API server. All three go when the cluster goes, which is why
a rebuilt cluster of the same name leaves every credential that trusted it without an issuer.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from sandbox.cloud import Cloud
from sandbox.keys import IssuerKeys
from sandbox.records import ApiEndpoint, Cluster, ProvisioningState

DEFAULT_VERSION = "1.36.1"


class ApiServers(Protocol):
    """Runs one Kubernetes API server per build."""

    async def start(self, cluster: Cluster, keys: IssuerKeys, issuer: str) -> ApiEndpoint:
        """A new server, on an address and with a certificate authority of its own."""

    def use_keys(self, uid: str, keys: IssuerKeys) -> None:
        """Sign service-account tokens with these from now on."""

    async def stop(self, uid: str) -> None:
        """Close the build's server and its connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a PUT asks for; None leaves an existing cluster as it is."""

    location: str
    tags: Mapping[str, str] | None = None
    version: str | None = None
    issuer_enabled: bool | None = None
    workload_identity: bool | None = None


@dataclass(slots=True)
class Clusters:
    cloud: Cloud
    servers: ApiServers
    moved: Callable[[], None] = lambda: None
    """Called when a cluster's API server has appeared, has another address, or is gone."""
    _keys: dict[str, IssuerKeys] = field(default_factory=dict)
    """By uid of the build: a cluster without an issuer signs tokens too."""
    _builds: dict[str, int] = field(default_factory=dict)
    """How many there have been of each id."""

    def present(self, cluster_id: str) -> Cluster | None:
        return self.cloud.clusters.get(cluster_id, self.cloud.clock())

    def begin_create(self, subscription: str, group: str, name: str, wanted: Wanted) -> Cluster:
        """Take a cluster into the books, as one that is being created."""
        uid = str(uuid.uuid4())
        cluster = Cluster(
            subscription=subscription,
            group=group,
            name=name,
            location=wanted.location,
            uid=uid,
            generation=1,
            state=ProvisioningState.CREATING,
            version=wanted.version or DEFAULT_VERSION,
            principal_id=str(uuid.uuid4()),
            tags=wanted.tags or {},
            issuer_enabled=wanted.issuer_enabled is not False,
            workload_identity=bool(wanted.workload_identity),
            etag=str(uuid.uuid4()),
        )
        builds = self._builds.get(cluster.id.lower(), 0) + 1
        self._builds[cluster.id.lower()] = builds
        return self._put(replace(cluster, generation=builds))

    async def finish_create(self, cluster: Cluster) -> Cluster:
        """Give it keys, an issuer and an API server, after the time that takes."""
        await asyncio.sleep(self.cloud.dials.provisioning_seconds)
        keys = await asyncio.to_thread(IssuerKeys.generate)
        self._keys[cluster.uid] = keys
        issuer = self._open_issuer(cluster, keys) if cluster.issuer_enabled else None
        api = await self.servers.start(cluster, keys, issuer or f"https://{cluster.fqdn}")
        return self._settle(replace(cluster, issuer=issuer, api=api))

    def begin_update(self, cluster: Cluster, wanted: Wanted) -> Cluster:
        return self._put(
            replace(
                cluster,
                state=ProvisioningState.UPDATING,
                version=wanted.version or cluster.version,
                tags=cluster.tags if wanted.tags is None else wanted.tags,
                # The feature cannot be switched off again.
                issuer_enabled=cluster.issuer_enabled or bool(wanted.issuer_enabled),
                workload_identity=_chosen(wanted.workload_identity, cluster.workload_identity),
                etag=str(uuid.uuid4()),
            )
        )

    async def finish_update(self, cluster: Cluster) -> Cluster:
        """Settle, and open the issuer if the update switched it on: then the API server starts anew."""
        await asyncio.sleep(self.cloud.dials.provisioning_seconds)
        issuer, api = cluster.issuer, cluster.api
        if cluster.issuer_enabled and issuer is None:
            keys = self._keys[cluster.uid]
            issuer = self._open_issuer(cluster, keys)
            await self.servers.stop(cluster.uid)
            api = await self.servers.start(cluster, keys, issuer)
        return self._settle(replace(cluster, issuer=issuer, api=api))

    async def rotate(self, cluster: Cluster) -> None:
        """Sign with a new key from now on. The issuer stays the same."""
        await asyncio.sleep(self.cloud.dials.provisioning_seconds)
        keys = await asyncio.to_thread(self._keys[cluster.uid].rotated)
        self._keys[cluster.uid] = keys
        if cluster.issuer:
            self.cloud.issuers[cluster.issuer] = keys
        self.servers.use_keys(cluster.uid, keys)
        self._put(replace(cluster, state=ProvisioningState.SUCCEEDED))

    def begin_delete(self, cluster: Cluster) -> Cluster:
        return self._put(replace(cluster, state=ProvisioningState.DELETING))

    async def finish_delete(self, cluster: Cluster) -> None:
        """Close its API server, silence its issuer, and forget it."""
        await asyncio.sleep(self.cloud.dials.provisioning_seconds)
        await self.servers.stop(cluster.uid)
        if cluster.issuer:
            self.cloud.issuers.pop(cluster.issuer, None)
        self._keys.pop(cluster.uid, None)
        self.cloud.clusters.put(cluster.id, None, self.cloud.clock())
        self.moved()

    def _settle(self, cluster: Cluster) -> Cluster:
        settled = self._put(replace(cluster, state=ProvisioningState.SUCCEEDED))
        self.moved()
        return settled

    def _open_issuer(self, cluster: Cluster, keys: IssuerKeys) -> str:
        issuer = self.cloud.issuer_url(cluster.uid)
        self.cloud.issuers[issuer] = keys
        return issuer

    def _put(self, cluster: Cluster) -> Cluster:
        self.cloud.clusters.put(cluster.id, cluster, self.cloud.clock())
        return cluster


def _chosen(wanted: bool | None, held: bool) -> bool:
    return held if wanted is None else wanted
