"""The sandbox's platform with everything that acts in it, in this process: a test may give it facts."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import hvac
from azure.keyvault.secrets import SecretClient
from azure.mgmt.containerservice.models import ManagedCluster
from azure.mgmt.msi.models import FederatedIdentityCredential

from sandbox import runtime_facts
from sandbox.control_client import Control
from sandbox.kubernetes_objects import Objects
from sandbox.kubernetes_resources import CRON_JOBS, EVENTS, JOBS, PODS, Resource
from sandbox.server import LoopbackCloud
from tests.sandbox.clients import AUDIENCE, BOOTSTRAP, GROUP, World, described
from tests.waiting import eventually

type Json = dict[str, Any]

IDENTITY = "ameide-vault-bootstrap-mi"


@dataclass
class Platform:
    cloud: LoopbackCloud
    loop: asyncio.AbstractEventLoop
    world: World

    # -- what people do -----------------------------------------------------------------

    def rebuild(self) -> None:
        """By ARM, after which nobody publishes wrong facts."""
        clusters = self.world.aks().managed_clusters
        clusters.begin_delete(GROUP, "ameide").result()
        clusters.begin_create_or_update(GROUP, "ameide", ManagedCluster(location="westeurope")).result()

    def publish(self, text: str | None = None, environment: str = "dev") -> None:
        """Let the environment's facts read so; without a text, as Azure has them."""

        async def commit() -> None:
            right = runtime_facts.published(self.cloud.cloud, environment)
            files = {runtime_facts.path(environment): right if text is None else text}
            await self.cloud.forge.commit(runtime_facts.FACTS, runtime_facts.BRANCH, files, "Publish")

        asyncio.run_coroutine_threadsafe(commit(), self.loop).result(10)

    def trust(self, environment: str = "dev") -> None:
        """Let the bootstrap's credential trust the cluster that there is."""
        self.world.msi().federated_identity_credentials.create_or_update(
            GROUP,
            IDENTITY,
            f"vault-bootstrap-{environment}",
            FederatedIdentityCredential(
                issuer=self.world.issuer(),
                subject=f"system:serviceaccount:ameide-{environment}:{BOOTSTRAP}",
                audiences=[AUDIENCE],
            ),
        )

    @property
    def key_vault(self) -> SecretClient:
        uri = self.world.described["vaults"]["ameidekv"]
        return SecretClient(uri, self.world.operator, verify_challenge_resource=False)

    def bao(self, environment: str = "dev") -> Any:
        """The operator's client of an environment's Vault."""
        told = self.world.described["openbao"][environment]
        return hvac.Client(url=told["address"], token=told["root_token"])

    def facts_of(self, environment: str, **changes: str) -> str:
        """Right ones, but for the changes."""
        right = self.here(lambda: runtime_facts.published(self.cloud.cloud, environment))
        lines = [
            f"  {name}: {changes[name]}" if (name := line.strip().partition(":")[0]) in changes else line
            for line in right.splitlines()
        ]
        return "\n".join(lines)

    # -- the cluster --------------------------------------------------------------------

    def here[T](self, call: Callable[[], T]) -> T:
        """The call's answer, made where the cloud lives."""

        async def made() -> T:
            return call()

        return asyncio.run_coroutine_threadsafe(made(), self.loop).result(10)

    @property
    def objects(self) -> Objects:
        (cluster,) = self.cloud.cloud.clusters.all(self.cloud.cloud.clock())
        return self.cloud._servers._objects[cluster.uid]

    def get(self, resource: Resource, name: str, environment: str = "dev") -> Json | None:
        return self.here(lambda: self.objects.get(resource, f"ameide-{environment}", name))

    def all(self, resource: Resource, environment: str = "dev") -> list[Json]:
        return self.here(lambda: self.objects.list(resource, f"ameide-{environment}"))

    def change(self, resource: Resource, name: str, change: Callable[[Json], None]) -> None:
        """As somebody with an editor does, in dev."""

        def changed() -> None:
            held = self.objects.get(resource, "ameide-dev", name)
            assert held is not None
            change(held)
            self.objects.replace(resource, held)

        self.here(changed)

    # -- what is seen of it -------------------------------------------------------------

    def cron_job(self, environment: str = "dev") -> Json:
        return eventually(lambda: self.get(CRON_JOBS, BOOTSTRAP, environment), "there is a CronJob")

    def succeeded(self, environment: str = "dev") -> bool:
        return bool(self.cron_job(environment).get("status", {}).get("lastSuccessfulTime"))

    def logs(self, environment: str = "dev") -> list[str]:
        """Of all containers that there are."""

        def read() -> list[str]:
            return [
                self.objects.log(pod["metadata"]["namespace"], pod["metadata"]["name"], one["name"])
                for pod in self.objects.list(PODS, f"ameide-{environment}")
                for one in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"])
            ]

        return self.here(read)

    def log(self, text: str, environment: str = "dev") -> str:
        """The log in which the text stands, once it does."""
        return eventually(
            lambda: next((one for one in self.logs(environment) if text in one), None), f"a log says {text!r}"
        )

    def ready(self, resource: Resource, name: str, environment: str = "dev") -> Mapping[str, str]:
        """The condition Ready, once there is one."""
        return eventually(lambda: self._ready(resource, name, environment), f"{name} has a condition")

    def becomes_ready(self, resource: Resource, name: str, environment: str = "dev") -> None:
        eventually(lambda: self.ready(resource, name, environment)["status"] == "True", f"{name} is Ready")

    def turns(self, resource: Resource, name: str, reason: str, environment: str = "dev") -> None:
        eventually(lambda: self.ready(resource, name, environment)["reason"] == reason, f"{name} is {reason}")

    def said_of(self, name: str, environment: str = "dev") -> list[str]:
        return [
            event["message"]
            for event in self.all(EVENTS, environment)
            if event["involvedObject"]["name"] == name
        ]

    def hears(self, name: str, text: str, environment: str = "dev") -> None:
        eventually(lambda: any(text in one for one in self.said_of(name, environment)), f"{name}: {text!r}")

    def held(self, key: str, environment: str = "dev") -> str | None:
        """A value in Vault."""
        try:
            found = self.bao(environment).secrets.kv.v2.read_secret_version(
                key, mount_point="secret", raise_on_deleted_version=True
            )
        except hvac.exceptions.InvalidPath:
            return None
        return str(found["data"]["data"]["value"])

    def _ready(self, resource: Resource, name: str, environment: str) -> Json | None:
        held = self.get(resource, name, environment) or {}
        conditions = held.get("status", {}).get("conditions", [])
        return next((one for one in conditions if one["type"] == "Ready"), None)


@contextmanager
def living(directory: Path, vaults: Mapping[str, str]) -> Iterator[Platform]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        cloud = LoopbackCloud(directory, vaults)
        asyncio.run_coroutine_threadsafe(cloud.start(), loop).result(60)
        told = described(directory)
        yield Platform(cloud, loop, World(told, Control.from_dir(directory)))
        asyncio.run_coroutine_threadsafe(cloud.stop(), loop).result(60)
        left = [task for task in asyncio.all_tasks(loop) if not task.done()]
        assert not left, f"still running after the cloud has stopped: {left}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def conditions(job: Json) -> dict[str, str]:
    return {one["type"]: one["reason"] for one in job.get("status", {}).get("conditions", [])}


def of_schedule(platform: Platform, environment: str = "dev") -> list[Json]:
    """The Jobs of the CronJob, made by hand or not; there are others in the namespace."""
    return [
        job
        for job in platform.all(JOBS, environment)
        if any(one["kind"] == "CronJob" for one in job["metadata"].get("ownerReferences") or ())
    ]


def running(platform: Platform, environment: str) -> list[str]:
    return [job["metadata"]["name"] for job in of_schedule(platform, environment) if not conditions(job)]


def hold_schedule(platform: Platform) -> None:
    """Let the schedule make no Job any more; answers once none of dev runs."""
    platform.world.control.turn(cron_seconds=3600)
    eventually(lambda: not running(platform, "dev"), "no Job runs")
