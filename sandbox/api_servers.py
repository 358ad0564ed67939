"""Runs the Kubernetes API server of each build of a cluster, on a port and under an authority of its own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from sandbox.certs import Authority
from sandbox.controllers import Build, Controllers
from sandbox.keys import IssuerKeys
from sandbox.kubernetes_api import KubernetesApi
from sandbox.kubernetes_bootstrap import bootstrap_policy
from sandbox.kubernetes_objects import Object, Objects, load
from sandbox.kubernetes_rbac import Grant
from sandbox.listening import free_socket, port_of, serve
from sandbox.records import ApiEndpoint, Cluster
from sandbox.timeline import Clock
from sandbox.tokens import Tokens
from sandbox.traffic import Traffic


@dataclass(frozen=True, slots=True)
class _Running:
    api: KubernetesApi
    objects: Objects
    runner: web.AppRunner


class LoopbackApiServers:
    """A new build starts empty and is then filled by the platform, as Argo CD does."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        grants: Iterable[Grant],
        manifests: Callable[[], Iterable[Object]],
        traffic: Traffic,
        clock: Clock,
        controllers: Controllers,
    ) -> None:
        self._tokens = tokens
        self._grants = tuple(grants)
        self._manifests = manifests
        self._traffic = traffic
        self._clock = clock
        self._controllers = controllers
        self._running: dict[str, _Running] = {}
        self._objects: dict[str, Objects] = {}

    async def start(self, cluster: Cluster, keys: IssuerKeys, issuer: str) -> ApiEndpoint:
        objects = self._objects.get(cluster.uid)
        fresh = objects is None
        if objects is None:
            objects = self._objects[cluster.uid] = Objects(self._clock)
            load(objects, bootstrap_policy())
            load(objects, self._manifests())
        api = KubernetesApi(
            issuer=issuer,
            keys=keys,
            version=cluster.version,
            objects=objects,
            tokens=self._tokens,
            grants=self._grants,
            clock=self._clock,
        )
        authority = Authority(f"{cluster.name} {cluster.uid}")
        bound = free_socket()
        app = web.Application(middlewares=[self._traffic.middleware(lambda _: "kubernetes"), api.guard])
        app.add_routes(api.routes())
        runner = await serve(app, bound, authority.server_context())
        self._running[cluster.uid] = _Running(api, objects, runner)
        endpoint = ApiEndpoint(f"https://127.0.0.1:{port_of(bound)}", authority.pem)
        await self._controllers.begin(
            Build(cluster=cluster, objects=objects, accounts=api.accounts, api=endpoint, fresh=fresh)
        )
        return endpoint

    def use_keys(self, uid: str, keys: IssuerKeys) -> None:
        self._running[uid].api.accounts.keys = keys

    async def stop(self, uid: str) -> None:
        await self._controllers.end(uid)
        running = self._running.pop(uid, None)
        if running:
            running.api.close()
            await running.runner.cleanup()

    async def stop_all(self) -> None:
        for uid in list(self._running):
            await self.stop(uid)
