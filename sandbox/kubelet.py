"""Runs pods: what a container does is a program in Python, found by its image.

A program gets what a container has: its environment, the files of its volumes, and a place to print to. An
image without a program cannot be pulled. Pods are run once, whatever their restart policy.
"""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sandbox.kubernetes_objects import Change, Changed, Object, Objects
from sandbox.kubernetes_resources import CONFIG_MAPS, PODS, SECRETS, SERVICE_ACCOUNTS
from sandbox.kubernetes_tokens import ServiceAccountTokens
from sandbox.reconciling import Recorder

ACCOUNT_FILES = "/var/run/secrets/kubernetes.io/serviceaccount"
TRUSTED_FILE = "/etc/ssl/certs/ca-certificates.crt"
_LIFETIME = timedelta(hours=1)
_ENDED = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What a program finds when it starts."""

    env: Mapping[str, str]
    files: dict[str, str] = field(repr=False)
    """Text by path. All containers of a pod share them, as if every volume were mounted in each."""
    print: Callable[[str], None]
    """Adds a line to the container's log."""


type Program = Callable[[Container], Awaitable[int]]
"""Answers its exit code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What every pod of a build finds around it."""

    accounts: ServiceAccountTokens
    api_host: str
    api_port: str
    api_ca: str
    """PEM of the API server's authority."""
    trusted: str
    """PEM of the authorities that images trust."""
    programs: Mapping[str, Program]
    """By image."""


class Kubelet:
    def __init__(self, objects: Objects, node: Node) -> None:
        self._objects = objects
        self._node = node
        self._recorder = Recorder(objects, "kubelet")
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until it is cancelled; then every program is, too."""
        async with asyncio.TaskGroup() as group:

            def hear(changed: Changed) -> None:
                if changed.resource == PODS:
                    uid = changed.object["metadata"]["uid"]
                    if changed.change is Change.ADDED:
                        self._begin(group, changed.object)
                    elif changed.change is Change.DELETED and uid in self._running:
                        self._running[uid].cancel()

            stop = self._objects.listen(hear)
            try:
                for pod in self._objects.list(PODS):
                    self._begin(group, pod)
                await asyncio.get_running_loop().create_future()
            finally:
                stop()

    def _begin(self, group: asyncio.TaskGroup, pod: Object) -> None:
        if (pod.get("status") or {}).get("phase") not in _ENDED:
            uid = pod["metadata"]["uid"]
            task = group.create_task(_Run(self._objects, self._node, self._recorder, pod).run())
            self._running[uid] = task
            task.add_done_callback(lambda _: self._running.pop(uid, None))


class _Missing(Exception):
    """A container cannot be made of what there is. The text is the kubelet's own."""


class _Run:
    """One pod, from its creation to its end."""

    def __init__(self, objects: Objects, node: Node, recorder: Recorder, pod: Object) -> None:
        self._objects = objects
        self._node = node
        self._recorder = recorder
        self._pod = pod
        self._begun = objects.now()
        spec = pod["spec"]
        self._first: list[Object] = spec.get("initContainers", [])
        self._then: list[Object] = spec["containers"]
        waiting = {"waiting": {"reason": "PodInitializing"}}
        self._states: dict[str, dict[str, Any]] = {one["name"]: waiting for one in self._first + self._then}

    async def run(self) -> None:
        files = await self._given(self._first[0] if self._first else self._then[0], self._files)
        for container in self._first + self._then:
            if container["image"] not in self._node.programs:
                self._cannot_pull(container)
                return
            try:
                code = await self._contain(container, files)
            except asyncio.CancelledError:
                said = f"Stopping container {container['name']}"
                self._recorder.say(self._pod, "Normal", "Killing", said)
                raise
            if code != 0:
                self._show("Failed")
                return
        self._show("Succeeded")

    async def _contain(self, container: Object, files: dict[str, str]) -> int:
        name = container["name"]
        env = await self._given(container, lambda: self._environment(container))
        started = self._objects.now()
        self._states[name] = {"running": {"startedAt": started}}
        self._show("Pending" if container in self._first else "Running")
        metadata = self._pod["metadata"]
        given = Container(
            env=env,
            files=files,
            print=lambda line: self._objects.write_log(
                metadata["namespace"], metadata["name"], name, f"{line}\n"
            ),
        )
        try:
            code = await self._node.programs[container["image"]](given)
        except Exception:
            logging.getLogger(__name__).exception("the program of container %s broke", name)
            code = 2
        self._states[name] = {
            "terminated": {
                "exitCode": code,
                "reason": "Completed" if code == 0 else "Error",
                "startedAt": started,
                "finishedAt": self._objects.now(),
            }
        }
        return code

    def _cannot_pull(self, container: Object) -> None:
        image = container["image"]
        said = f'Failed to pull image "{image}": {image}: not found'
        self._recorder.say(self._pod, "Warning", "Failed", said)
        self._recorder.say(self._pod, "Warning", "Failed", "Error: ImagePullBackOff")
        why = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
        self._states[container["name"]] = {"waiting": why}
        self._show("Pending")

    # -- what it is given ---------------------------------------------------------------

    async def _given[T](self, container: Object, make: Callable[[], T]) -> T:
        """What `make` answers, once all that it needs is there. Until then the container says what is not."""
        changed = asyncio.Event()

        def hear(one: Changed) -> None:
            if one.resource in (SECRETS, CONFIG_MAPS):
                changed.set()

        stop = self._objects.listen(hear)
        try:
            while True:
                try:
                    return make()
                except _Missing as missing:
                    why = {"reason": "CreateContainerConfigError", "message": str(missing)}
                    self._states[container["name"]] = {"waiting": why}
                    self._recorder.say(self._pod, "Warning", "Failed", f"Error: {missing}")
                    self._show("Pending")
                await changed.wait()
                changed.clear()
        finally:
            stop()

    def _environment(self, container: Object) -> dict[str, str]:
        """Raises _Missing."""
        own = {
            one["name"]: self._from_secret(one["valueFrom"]["secretKeyRef"])
            if "valueFrom" in one
            else one.get("value", "")
            for one in container.get("env", ())
        }
        here = {
            "KUBERNETES_SERVICE_HOST": self._node.api_host,
            "KUBERNETES_SERVICE_PORT": self._node.api_port,
        }
        return {**here, **own}

    def _from_secret(self, wanted: Mapping[str, str]) -> str:
        """Raises _Missing."""
        namespace, name = self._pod["metadata"]["namespace"], wanted["name"]
        held = self._objects.get(SECRETS, namespace, name)
        if held is None:
            raise _Missing(f'secret "{name}" not found')
        data = held.get("data") or {}
        if wanted["key"] not in data:
            raise _Missing(f"couldn't find key {wanted['key']} in Secret {namespace}/{name}")
        return base64.b64decode(data[wanted["key"]]).decode()

    def _files(self) -> dict[str, str]:
        """Raises _Missing."""
        files = {
            TRUSTED_FILE: self._node.trusted,
            f"{ACCOUNT_FILES}/ca.crt": self._node.api_ca,
            f"{ACCOUNT_FILES}/namespace": self._pod["metadata"]["namespace"],
            f"{ACCOUNT_FILES}/token": self._token(self._node.accounts.issuer),
        }
        projected = {
            volume["name"]: source["serviceAccountToken"]
            for volume in self._pod["spec"].get("volumes", ())
            for source in (volume.get("projected") or {}).get("sources", ())
            if "serviceAccountToken" in source
        }
        for container in self._first + self._then:
            for mount in container.get("volumeMounts", ()):
                for key, text in self._mapped(mount["name"]).items():
                    files[f"{mount['mountPath']}/{key}"] = text
                if wanted := projected.get(mount["name"]):
                    path = f"{mount['mountPath']}/{wanted['path']}"
                    files.setdefault(path, self._token(wanted["audience"]))
        return files

    def _mapped(self, volume: str) -> Mapping[str, str]:
        """The files of a volume that is a ConfigMap. Raises _Missing."""
        for one in self._pod["spec"].get("volumes", ()):
            if one["name"] == volume and "configMap" in one:
                name = one["configMap"]["name"]
                held = self._objects.get(CONFIG_MAPS, self._pod["metadata"]["namespace"], name)
                if held is None:
                    raise _Missing(f'configmap "{name}" not found')
                return held.get("data") or {}
        return {}

    def _token(self, audience: str) -> str:
        """Empty where the pod's account is gone: a token of nobody."""
        name = self._pod["spec"].get("serviceAccountName", "default")
        account = self._objects.get(SERVICE_ACCOUNTS, self._pod["metadata"]["namespace"], name)
        return self._node.accounts.issue(account, [audience], _LIFETIME) if account else ""

    # -- what is shown of it ------------------------------------------------------------

    def _show(self, phase: str) -> None:
        metadata = self._pod["metadata"]
        if self._objects.get(PODS, metadata["namespace"], metadata["name"]) is None:
            return
        status: dict[str, Any] = {
            "phase": phase,
            "startTime": self._begun,
            "containerStatuses": [self._status(one) for one in self._then],
        }
        if self._first:
            status["initContainerStatuses"] = [self._status(one) for one in self._first]
        self._objects.set_status(PODS, metadata["namespace"], metadata["name"], status)

    def _status(self, container: Object) -> dict[str, Any]:
        state = self._states[container["name"]]
        return {
            "name": container["name"],
            "image": container["image"],
            "imageID": container["image"] if "waiting" not in state else "",
            "ready": "running" in state or (state.get("terminated") or {}).get("exitCode") == 0,
            "started": "running" in state,
            "restartCount": 0,
            "state": state,
        }
