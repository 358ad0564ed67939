"""Runs pods: what a container does is a program in Python, found by its image.

A program gets what a container has: its environment, the files of its volumes, and a place to print to. An
image without a program cannot be pulled. What a pod asks of ConfigMaps and Secrets is waited for. Containers
of pods with the restart policy Always are started again when they end; all others run once.
"""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from sandbox.dials import Dials
from sandbox.kubernetes_objects import Change, Changed, Object, Objects
from sandbox.kubernetes_resources import CONFIG_MAPS, PODS, SECRETS, SERVICE_ACCOUNTS, Resource
from sandbox.kubernetes_tokens import ServiceAccountTokens
from sandbox.reconciling import Recorder, with_condition

ACCOUNT_FILES = "/var/run/secrets/kubernetes.io/serviceaccount"
TRUSTED_FILE = "/etc/ssl/certs/ca-certificates.crt"
_LIFETIME = timedelta(hours=1)
_ENDED = frozenset({"Succeeded", "Failed"})
_PATIENCE: Final = 4
"""The pauses before a restart double up to so many times the first one."""


class _Missing(Exception):
    """What a container needs is not there. The text is the kubelet's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What a program finds when it starts."""

    env: Mapping[str, str]
    args: tuple[str, ...]
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
    dials: Dials


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
        self._again = spec.get("restartPolicy") == "Always"
        waiting = {"waiting": {"reason": "PodInitializing" if self._first else "ContainerCreating"}}
        self._states: dict[str, dict[str, Any]] = {one["name"]: waiting for one in self._first + self._then}
        self._ended: dict[str, dict[str, Any]] = {}
        """How a container ended that was started again, by its name."""
        self._restarts: dict[str, int] = {}

    async def run(self) -> None:
        files = self._files()
        files |= await self._until_there(self._mounted, self._cannot_mount)
        for container in self._first + self._then:
            if container["image"] not in self._node.programs:
                self._cannot_pull(container)
                return
            if not await self._run_one(container, files):
                self._show("Failed")
                return
        self._show("Succeeded")

    async def _run_one(self, container: Object, files: dict[str, str]) -> bool:
        """Whether it ended well. One that serves never ends in a pod whose containers are started again."""
        pause = 1
        while True:
            env = await self._until_there(
                lambda: self._environment(container), lambda why: self._cannot_configure(container, why)
            )
            code = await self._contain(container, env, files)
            if not self._again or (code == 0 and container in self._first):
                return code == 0
            self._back_off(container)
            await asyncio.sleep(pause * self._node.dials.restart_seconds)
            pause = min(pause * 2, _PATIENCE)

    async def _until_there[T](self, look: Callable[[], T], tell: Callable[[str], None]) -> T:
        """What `look` finds once nothing is missing."""
        changed = asyncio.Event()

        def hear(one: Changed) -> None:
            if one.resource in (CONFIG_MAPS, SECRETS):
                changed.set()

        stop = self._objects.listen(hear)
        try:
            while True:
                try:
                    return look()
                except _Missing as missing:
                    tell(str(missing))
                await changed.wait()
                changed.clear()
        finally:
            stop()

    async def _contain(self, container: Object, env: Mapping[str, str], files: dict[str, str]) -> int:
        name, started = container["name"], self._objects.now()
        metadata = self._pod["metadata"]
        self._objects.clear_log(metadata["namespace"], metadata["name"], name)
        self._states[name] = {"running": {"startedAt": started}}
        self._show("Pending" if container in self._first else "Running")
        given = Container(
            env=env,
            args=tuple(container.get("args", ())),
            files=files,
            print=lambda line: self._objects.write_log(
                metadata["namespace"], metadata["name"], name, f"{line}\n"
            ),
        )
        try:
            code = await self._node.programs[container["image"]](given)
        except asyncio.CancelledError:
            self._recorder.say(self._pod, "Normal", "Killing", f"Stopping container {name}")
            raise
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

    def _cannot_mount(self, why: str) -> None:
        self._recorder.say(self._pod, "Warning", "FailedMount", f"MountVolume.SetUp failed for volume {why}")
        self._show("Pending")

    def _cannot_configure(self, container: Object, why: str) -> None:
        self._recorder.say(self._pod, "Warning", "Failed", f"Error: {why}")
        self._states[container["name"]] = {
            "waiting": {"reason": "CreateContainerConfigError", "message": why}
        }
        self._show("Pending")

    def _back_off(self, container: Object) -> None:
        name, pod = container["name"], self._pod["metadata"]["name"]
        said = f"Back-off restarting failed container {name} in pod {pod}"
        self._recorder.say(self._pod, "Warning", "BackOff", said)
        self._ended[name] = self._states[name]
        self._restarts[name] = self._restarts.get(name, 0) + 1
        self._states[name] = {"waiting": {"reason": "CrashLoopBackOff", "message": said}}
        self._show("Pending" if container in self._first else "Running")

    # -- what it is given ---------------------------------------------------------------

    def _environment(self, container: Object) -> dict[str, str]:
        """Raises _Missing."""
        own = {one["name"]: self._value(one) for one in container.get("env", ())}
        here = {
            "HOSTNAME": self._pod["metadata"]["name"],
            "KUBERNETES_SERVICE_HOST": self._node.api_host,
            "KUBERNETES_SERVICE_PORT": self._node.api_port,
        }
        return {**here, **{name: value for name, value in own.items() if value is not None}}

    def _value(self, variable: Object) -> str | None:
        """None for one that is optional and not there. Raises _Missing."""
        source = variable.get("valueFrom") or {}
        if wanted := source.get("secretKeyRef"):
            return self._keyed(SECRETS, wanted)
        if wanted := source.get("configMapKeyRef"):
            return self._keyed(CONFIG_MAPS, wanted)
        return str(variable.get("value", ""))

    def _keyed(self, resource: Resource, wanted: Object) -> str | None:
        """Raises _Missing."""
        namespace, name, key = self._pod["metadata"]["namespace"], wanted["name"], wanted["key"]
        data = self._data(resource, name)
        if data is not None and key in data:
            return data[key]
        if wanted.get("optional"):
            return None
        if data is None:
            raise _Missing(f'{resource.kind.lower()} "{name}" not found')
        raise _Missing(f"couldn't find key {key} in {resource.kind} {namespace}/{name}")

    def _data(self, resource: Resource, name: str) -> dict[str, str] | None:
        """By key; None where there is no such object."""
        held = self._objects.get(resource, self._pod["metadata"]["namespace"], name)
        if held is None:
            return None
        data: dict[str, str] = held.get("data") or {}
        if resource == SECRETS:
            return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}
        return data

    def _mounted(self) -> dict[str, str]:
        """Files of ConfigMaps and Secrets, by path. Raises _Missing."""
        found = dict(self._volumes())
        return {
            f"{mount['mountPath']}/{name}": text
            for container in self._first + self._then
            for mount in container.get("volumeMounts", ())
            for name, text in found.get(mount["name"], {}).items()
        }

    def _volumes(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Raises _Missing."""
        for volume in self._pod["spec"].get("volumes", ()):
            for resource, kind, key in (
                (CONFIG_MAPS, "configMap", "name"),
                (SECRETS, "secret", "secretName"),
            ):
                wanted = volume.get(kind)
                if not wanted:
                    continue
                data = self._data(resource, wanted[key])
                if data is None and not wanted.get("optional"):
                    missing = f'{resource.kind.lower()} "{wanted[key]}" not found'
                    raise _Missing(f'"{volume["name"]}" : {missing}')
                names = {one["key"]: one["path"] for one in wanted.get("items") or ()}
                kept = names or {one: one for one in data or {}}
                yield volume["name"], {kept[one]: text for one, text in (data or {}).items() if one in kept}

    def _files(self) -> dict[str, str]:
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
                if wanted := projected.get(mount["name"]):
                    path = f"{mount['mountPath']}/{wanted['path']}"
                    files.setdefault(path, self._token(wanted["audience"]))
        return files

    def _token(self, audience: str) -> str:
        """Empty where the pod's account is gone: a token of nobody."""
        name = self._pod["spec"].get("serviceAccountName", "default")
        account = self._objects.get(SERVICE_ACCOUNTS, self._pod["metadata"]["namespace"], name)
        return self._node.accounts.issue(account, [audience], _LIFETIME) if account else ""

    # -- what is shown of it ------------------------------------------------------------

    def _show(self, phase: str) -> None:
        metadata = self._pod["metadata"]
        held = self._objects.get(PODS, metadata["namespace"], metadata["name"])
        if held is None:
            return
        status: dict[str, Any] = {
            "phase": phase,
            "startTime": self._begun,
            "conditions": self._conditions(held, phase),
            "containerStatuses": [self._status(one) for one in self._then],
        }
        if self._first:
            status["initContainerStatuses"] = [self._status(one) for one in self._first]
        self._objects.set_status(PODS, metadata["namespace"], metadata["name"], status)

    def _conditions(self, held: Object, phase: str) -> list[dict[str, Any]]:
        waiting = [one["name"] for one in self._first if self._exit_code(one) != 0]
        unready = [one["name"] for one in self._then if "running" not in self._states[one["name"]]]
        not_ready = f"containers with unready status: [{' '.join(unready)}]"
        reason = "PodCompleted" if phase == "Succeeded" else "ContainersNotReady"
        found: list[dict[str, Any]] = (held.get("status") or {}).get("conditions") or []
        for kind, holds, why, message in (
            (
                "Initialized",
                not waiting,
                "ContainersNotInitialized",
                f"containers with incomplete status: [{' '.join(waiting)}]",
            ),
            ("ContainersReady", not unready, reason, not_ready),
            ("Ready", not unready, reason, not_ready),
            ("PodScheduled", True, "", ""),
        ):
            found = with_condition(
                found,
                self._objects.now(),
                kind=kind,
                status=holds,
                reason="" if holds else why,
                message="" if holds else message,
            )
        return [{name: value for name, value in one.items() if value != ""} for one in found]

    def _exit_code(self, container: Object) -> int | None:
        code: int | None = (self._states[container["name"]].get("terminated") or {}).get("exitCode")
        return code

    def _status(self, container: Object) -> dict[str, Any]:
        name = container["name"]
        state = self._states[name]
        return {
            "name": name,
            "image": container["image"],
            "imageID": container["image"] if "waiting" not in state else "",
            "ready": self._exit_code(container) == 0 or ("running" in state and container in self._then),
            "started": "running" in state,
            "restartCount": self._restarts.get(name, 0),
            "state": state,
            **({"lastState": self._ended[name]} if name in self._ended else {}),
        }
