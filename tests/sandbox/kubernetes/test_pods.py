"""Pods that go on, wait and begin again, and the Deployments that make them."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from sandbox.argo_health import Health, health_of
from sandbox.deployments import Deployments
from sandbox.dials import Dials
from sandbox.keys import IssuerKeys
from sandbox.kubelet import Container, Kubelet, Node
from sandbox.kubernetes_errors import StatusError
from sandbox.kubernetes_logs import log_of
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_requests import Target
from sandbox.kubernetes_resources import CONFIG_MAPS, DEPLOYMENTS, EVENTS, NAMESPACES, PODS, SECRETS
from sandbox.kubernetes_tokens import ServiceAccountTokens
from sandbox.kubernetes_writes import Options, Writes

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SECONDS = 45.0
LABELS = {"app": "web"}

type Json = dict[str, Any]


@cache
def keys() -> IssuerKeys:
    return IssuerKeys.generate()


class Stage:
    """A cluster with a kubelet and the Deployment controller, and a program that says what it was given."""

    def __init__(self) -> None:
        self.objects = Objects(lambda: NOW)
        self.objects.create(NAMESPACES, {"metadata": {"name": "dev"}})
        self.fails = 0
        """So many starts of the init container still fail."""
        self.crashes = False
        """The container ends as soon as it was started."""
        self.started: list[Container] = []
        dials = Dials(restart_seconds=0.01)
        accounts = ServiceAccountTokens(
            issuer="https://issuer", keys=keys(), objects=self.objects, clock=lambda: NOW
        )
        self.node = Node(
            accounts=accounts,
            api_host="127.0.0.1",
            api_port="1",
            api_ca="",
            trusted="",
            programs={"first": self._first, "web": self._web},
            dials=dials,
        )

    async def _first(self, container: Container) -> int:
        container.print(f"{self.fails} to go")
        self.fails -= 1
        return 1 if self.fails >= 0 else 0

    async def _web(self, container: Container) -> int:
        self.started.append(container)
        container.print("serving")
        if self.crashes:
            return 3
        await asyncio.get_running_loop().create_future()
        return 0

    # -- what people do -----------------------------------------------------------------

    def run(self, scenario: Callable[[], Awaitable[None]]) -> None:
        async def running() -> None:
            tasks = [
                asyncio.create_task(Kubelet(self.objects, self.node).run()),
                asyncio.create_task(Deployments(self.objects, lambda pod: pod).run()),
            ]
            try:
                await scenario()
            finally:
                for task in tasks:
                    task.cancel()
                for task in tasks:
                    with suppress(asyncio.CancelledError):
                        await task

        asyncio.run(running())

    def deploy(self, replicas: int = 1, *, image: str = "web", **spec: Any) -> None:
        """As by `kubectl apply`."""
        pod: Json = {
            "initContainers": [{"name": "first", "image": "first"}],
            "containers": [{"name": "web", "image": image, **spec.pop("container", {})}],
            "volumes": spec.pop("volumes", []),
        }
        wanted = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "dev"},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": pod},
                **spec,
            },
        }
        target = Target(resource=DEPLOYMENTS, namespace="dev", name="web")
        Writes(self.objects).apply(target, wanted, Options(manager="test", force=True))

    async def becomes(self, look: Callable[[], object], what: str) -> None:
        """Looks as soon as something was written, so that it sees what is so for a moment only."""
        seen = asyncio.get_running_loop().create_future()

        def see(_: object = None) -> None:
            if seen.done():
                return
            try:
                if look():
                    seen.set_result(None)
            except Exception as error:  # noqa: BLE001 (the test's to meet, not the writer's)
                seen.set_exception(error)

        stop = self.objects.listen(see)
        try:
            see()
            async with asyncio.timeout(SECONDS):
                await seen
        except TimeoutError:
            pytest.fail(f"it never came to this: {what}")
        finally:
            stop()

    # -- what is seen of it -------------------------------------------------------------

    @property
    def pods(self) -> list[Object]:
        return self.objects.list(PODS, "dev")

    @property
    def status(self) -> Json:
        return (self.objects.get(DEPLOYMENTS, "dev", "web") or {}).get("status") or {}

    @property
    def health(self) -> Health | None:
        return health_of(self.objects.get(DEPLOYMENTS, "dev", "web") or {})

    def ready(self, count: int) -> bool:
        return bool(self.status.get("readyReplicas", 0) == count == len(self.pods))

    def waiting(self, container: str = "web") -> str:
        """Why it does not run, in the only pod."""
        (pod,) = self.pods
        states = [
            *pod["status"].get("initContainerStatuses", []),
            *pod["status"].get("containerStatuses", []),
        ]
        found = [one["state"].get("waiting", {}) for one in states if one["name"] == container]
        return str(found[0].get("reason", "")) if found else ""

    def said(self) -> str:
        return "\n".join(event["message"] for event in self.objects.list(EVENTS, "dev"))


def conditions(held: Json) -> dict[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one.get("reason", "")) for one in held.get("conditions", [])}


# -- pods -------------------------------------------------------------------------------------


def test_an_init_container_is_started_again_until_it_ends_well() -> None:
    stage = Stage()
    stage.fails = 3

    async def scenario() -> None:
        stage.deploy()
        await stage.becomes(lambda: stage.pods and stage.waiting("first") == "CrashLoopBackOff", "it failed")
        assert not stage.started, "nothing is started before it"
        await stage.becomes(lambda: stage.ready(1), "the pod heals by itself")
        (pod,) = stage.pods
        (first,) = pod["status"]["initContainerStatuses"]
        assert (first["restartCount"], first["state"]["terminated"]["exitCode"]) == (3, 0)
        assert conditions(pod["status"])["Initialized"] == ("True", "")
        assert pod["status"]["phase"] == "Running"
        assert "Back-off restarting failed container first" in stage.said()
        assert stage.objects.log("dev", pod["metadata"]["name"], "first") == "0 to go\n"

    stage.run(scenario)


def test_a_container_that_waits_for_its_next_start_shows_what_it_printed_last() -> None:
    stage = Stage()
    stage.crashes = True
    stage.node.dials.restart_seconds = 60

    async def scenario() -> None:
        stage.deploy()
        await stage.becomes(lambda: stage.pods and stage.waiting() == "CrashLoopBackOff", "it crashed")
        (pod,) = stage.pods
        name = pod["metadata"]["name"]
        target = Target(resource=PODS, namespace="dev", name=name, subresource="log")
        assert log_of(stage.objects, target, {"container": "web"}) == "serving\n"
        (web,) = pod["status"]["containerStatuses"]
        assert (web["ready"], web["lastState"]["terminated"]["exitCode"]) == (False, 3)
        assert conditions(pod["status"])["Ready"] == ("False", "ContainersNotReady")

    stage.run(scenario)


def test_a_container_that_never_began_has_no_log() -> None:
    stage = Stage()

    async def scenario() -> None:
        stage.deploy(image="gone")
        await stage.becomes(lambda: stage.pods and stage.waiting() == "ImagePullBackOff", "no image")
        target = Target(
            resource=PODS, namespace="dev", name=stage.pods[0]["metadata"]["name"], subresource="log"
        )
        with pytest.raises(StatusError, match="is waiting to start: ImagePullBackOff"):
            log_of(stage.objects, target, {"container": "web"})

    stage.run(scenario)


FROM_SECRET = {
    "env": [
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "tokens", "key": "one"}}},
        {"name": "MAYBE", "valueFrom": {"secretKeyRef": {"name": "other", "key": "x", "optional": True}}},
    ]
}


def test_a_secret_is_waited_for_and_so_is_its_key() -> None:
    stage = Stage()

    async def scenario() -> None:
        stage.deploy(container=FROM_SECRET)
        await stage.becomes(lambda: 'Error: secret "tokens" not found' in stage.said(), "it is missing")
        assert stage.waiting() == "CreateContainerConfigError"
        held = stage.objects.create(SECRETS, {"metadata": {"name": "tokens", "namespace": "dev"}, "data": {}})
        missing = "couldn't find key one in Secret dev/tokens"
        await stage.becomes(lambda: missing in stage.said(), "its key is missing")
        assert not stage.started
        stage.objects.replace(SECRETS, {**held, "data": {"one": base64.b64encode(b"1").decode()}})
        await stage.becomes(lambda: stage.ready(1), "it runs")
        assert stage.started[0].env["TOKEN"] == "1"
        assert "MAYBE" not in stage.started[0].env
        assert stage.started[0].env["HOSTNAME"] == stage.pods[0]["metadata"]["name"]

    stage.run(scenario)


def test_a_config_map_is_mounted_once_it_is_there() -> None:
    stage = Stage()

    async def scenario() -> None:
        stage.deploy(
            container={"volumeMounts": [{"name": "config", "mountPath": "/etc/web"}], "args": ["serve"]},
            volumes=[{"name": "config", "configMap": {"name": "web"}}],
        )
        said = 'MountVolume.SetUp failed for volume "config" : configmap "web" not found'
        await stage.becomes(lambda: said in stage.said(), "it is missing")
        assert stage.waiting("first") == "PodInitializing"
        stage.objects.create(
            CONFIG_MAPS, {"metadata": {"name": "web", "namespace": "dev"}, "data": {"a.yml": "a: 1"}}
        )
        await stage.becomes(lambda: stage.ready(1), "it runs")
        assert stage.started[0].files["/etc/web/a.yml"] == "a: 1"
        assert stage.started[0].args == ("serve",)

    stage.run(scenario)


# -- Deployments ------------------------------------------------------------------------------


def test_a_deployment_makes_as_many_pods_as_it_wants() -> None:
    stage = Stage()

    async def scenario() -> None:
        stage.deploy(3)
        await stage.becomes(lambda: stage.ready(3), "three pods")
        assert {pod["metadata"]["labels"]["app"] for pod in stage.pods} == {"web"}
        counts = {name: value for name, value in stage.status.items() if name != "conditions"}
        assert counts == {
            "observedGeneration": 1,
            "replicas": 3,
            "updatedReplicas": 3,
            "readyReplicas": 3,
            "availableReplicas": 3,
        }
        assert conditions(stage.status) == {
            "Available": ("True", "MinimumReplicasAvailable"),
            "Progressing": ("True", "NewReplicaSetAvailable"),
        }
        stage.objects.delete(PODS, "dev", stage.pods[0]["metadata"]["name"])
        await stage.becomes(lambda: len(stage.started) == 4 and stage.ready(3), "another in its place")
        stage.deploy(0)
        await stage.becomes(lambda: stage.ready(0), "none")
        assert stage.health == Health("Healthy")

    stage.run(scenario)


def test_pods_of_the_template_before_stay_until_the_new_ones_are_ready() -> None:
    stage = Stage()

    async def scenario() -> None:
        stage.deploy()
        await stage.becomes(lambda: stage.ready(1), "it runs")
        (before,) = stage.pods
        stage.fails = 10_000
        stage.deploy(container={"args": ["new"]})
        await stage.becomes(lambda: len(stage.pods) == 2, "a new one beside it")
        await stage.becomes(lambda: stage.status["observedGeneration"] == 2, "it is seen")
        assert stage.health is not None
        assert stage.health.status == "Progressing"
        assert before["metadata"]["name"] in {pod["metadata"]["name"] for pod in stage.pods}
        stage.fails = 0
        await stage.becomes(lambda: stage.ready(1), "the new one alone")
        assert stage.started[-1].args == ("new",)
        assert stage.health == Health("Healthy")

    stage.run(scenario)


def test_a_rollout_that_gets_nowhere_runs_out_of_time() -> None:
    stage = Stage()
    stage.fails = 10_000

    async def scenario() -> None:
        stage.deploy(progressDeadlineSeconds=1)
        await stage.becomes(
            lambda: conditions(stage.status).get("Progressing") == ("True", "ReplicaSetUpdated"), "it begins"
        )
        await stage.becomes(
            lambda: conditions(stage.status)["Progressing"] == ("False", "ProgressDeadlineExceeded"),
            "too late",
        )
        assert conditions(stage.status)["Available"] == ("False", "MinimumReplicasUnavailable")
        assert stage.health == Health("Degraded", 'Deployment "web" exceeded its progress deadline')
        stage.fails = 0
        await stage.becomes(lambda: stage.ready(1), "late is not never")
        assert stage.health == Health("Healthy")

    stage.run(scenario)


def test_what_was_rolled_out_does_not_time_out_when_its_pods_break() -> None:
    stage = Stage()

    async def scenario() -> None:
        stage.deploy(progressDeadlineSeconds=0)
        await stage.becomes(
            lambda: conditions(stage.status).get("Progressing") == ("True", "NewReplicaSetAvailable"), "out"
        )
        stage.fails = 10_000
        stage.objects.delete(PODS, "dev", stage.pods[0]["metadata"]["name"])
        await stage.becomes(lambda: stage.pods and stage.waiting("first") == "CrashLoopBackOff", "broken")
        assert conditions(stage.status)["Progressing"] == ("True", "NewReplicaSetAvailable")
        assert conditions(stage.status)["Available"] == ("False", "MinimumReplicasUnavailable")
        assert stage.health is not None
        assert stage.health.status == "Progressing"

    stage.run(scenario)


def test_pods_go_with_their_deployment() -> None:
    stage = Stage()

    async def scenario() -> None:
        stage.deploy(2)
        await stage.becomes(lambda: stage.ready(2), "two")
        stage.objects.delete(DEPLOYMENTS, "dev", "web")
        await stage.becomes(lambda: "Stopping container web" in stage.said(), "they are stopped")
        assert stage.pods == []

    stage.run(scenario)


def health(spec: Json, generation: int = 1, **status: Any) -> str:
    held = {
        "kind": "Deployment",
        "metadata": {"name": "web", "generation": generation},
        "spec": spec,
        "status": {"observedGeneration": 1, **status},
    }
    found = health_of(held)
    assert found is not None
    return f"{found.status}: {found.message}".rstrip(": ")


def judged() -> Iterable[tuple[str, str, str]]:
    full = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    wanted = {"replicas": 2}
    yield "all there", "Healthy", health(wanted, **full)
    yield "not seen yet", "Progressing: Waiting for rollout to finish: observed", health(wanted, 2, **full)
    yield "too few new ones", "1 out of 2 new replicas", health(wanted, replicas=2, updatedReplicas=1)
    yield "old ones left", "1 old replicas are pending", health(wanted, **{**full, "replicas": 3})
    yield "some not available", "1 of 2 updated", health(wanted, **{**full, "availableReplicas": 1})
    yield "nothing wanted", "Healthy", health({"replicas": 0})


@pytest.mark.parametrize(("_case", "expected", "found"), list(judged()), ids=[one[0] for one in judged()])
def test_argo_cd_judges_a_deployment_by_its_counts(_case: str, expected: str, found: str) -> None:
    assert expected in found
