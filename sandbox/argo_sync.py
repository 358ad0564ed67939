"""One attempt of Argo CD to bring the cluster to what a commit says: wave after wave, hooks among them.

https://github.com/argoproj/argo-cd/blob/master/gitops-engine/pkg/sync/sync_context.go
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sandbox.argo_health import DEGRADED, PROGRESSING, health_of
from sandbox.argo_tasks import BEFORE_CREATION, Task, steps
from sandbox.dials import Dials
from sandbox.kubernetes_errors import StatusError
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_requests import Target
from sandbox.kubernetes_resources import NAMESPACES
from sandbox.kubernetes_writes import Options, Writes

RUNNING: Final = "Running"
SUCCEEDED: Final = "Succeeded"
FAILED: Final = "Failed"
ERROR: Final = "Error"
WRITER: Final = Options(manager="argocd-controller", force=True)

type Ending = tuple[str, str]
"""Phase and message."""


class Sync:
    def __init__(
        self, objects: Objects, dials: Dials, tasks: Sequence[Task], tell: Callable[[str], None]
    ) -> None:
        """tell: hears what is being waited for; the tasks have their results by then"""
        self._objects = objects
        self._writes = Writes(objects)
        self._dials = dials
        self._tasks = tasks
        self._tell = tell

    def results(self) -> list[dict[str, Any]]:
        return [dict(task.result) for task in self._tasks if task.result]

    async def run(self) -> Ending:
        if unknown := [task for task in self._tasks if task.resource is None]:
            for task in unknown:
                self._refuse(task, _not_served(task))
            return FAILED, "one or more synchronization tasks are not valid"
        todo = steps(self._tasks)
        for number, step in enumerate(todo):
            if number:
                await asyncio.sleep(self._dials.argo_wave_seconds)
            if not self._apply(step):
                return await self._fail("one or more objects failed to apply")
            hooks = [task for task in step if task.hook]
            if number == len(todo) - 1 and not hooks:
                # Whatever becomes of them: this was an apply, and it is done.
                return SUCCEEDED, "successfully synced (all tasks run)"
            if not await self._settle(step if len(todo) > 1 else hooks):
                return await self._fail("one or more synchronization tasks completed unsuccessfully")
        return SUCCEEDED, "successfully synced (no more tasks)"

    def abandon(self) -> None:
        """Delete the hooks that run, as at a termination."""
        for task in self._tasks:
            if task.hook and task.result.get("hookPhase") == RUNNING:
                self._delete(task)
                task.result |= {"hookPhase": FAILED, "message": "Deleted"}

    # -- applying -----------------------------------------------------------------------

    def _apply(self, step: Iterable[Task]) -> bool:
        """False where one of them was refused."""
        applied = [self._apply_one(task) for task in step]
        return all(applied)

    def _apply_one(self, task: Task) -> bool:
        if task.hook and BEFORE_CREATION in task.policies:
            self._delete(task)
        before = self._held(task)
        try:
            after, created = self._writes.apply(task.target, task.manifest, WRITER)
        except StatusError as refused:
            self._refuse(task, str(refused))
            return False
        verb = "created" if created else "unchanged" if after == before else "configured"
        assert task.resource is not None  # noqa: S101 (run has looked)
        singular = f"{task.resource.singular}.{task.resource.group}".rstrip(".")
        message = f"{singular}/{task.manifest['metadata']['name']} {verb}"
        task.result = _entry(task, RUNNING, message, {} if task.hook else {"status": "Synced"})
        return True

    def _refuse(self, task: Task, why: str) -> None:
        task.result = _entry(task, FAILED, why, {"status": "SyncFailed"})

    # -- waiting ------------------------------------------------------------------------

    async def _settle(self, tasks: Sequence[Task]) -> bool:
        """Wait until all of them have ended. False where one has ended badly."""
        changed = asyncio.Event()
        stop = self._objects.listen(lambda _: changed.set())
        try:
            while running := [task for task in tasks if self._look(task) == RUNNING]:
                self._tell(_waiting(running))
                await changed.wait()
                changed.clear()
        finally:
            stop()
        good = all(task.result["hookPhase"] == SUCCEEDED for task in tasks)
        for task in tasks:
            wanted = "HookSucceeded" if task.result["hookPhase"] == SUCCEEDED else "HookFailed"
            if task.hook and wanted in task.policies:
                self._delete(task)
        return good

    def _look(self, task: Task) -> str:
        """How far it is; its result says so too."""
        held = self._held(task)
        if held is not None and task.result["hookPhase"] == RUNNING:
            health = health_of(held)
            if health is None:
                task.result["hookPhase"] = SUCCEEDED
            elif health.status != PROGRESSING:
                phase = FAILED if health.status == DEGRADED else SUCCEEDED
                task.result |= {"hookPhase": phase, "message": health.message or task.result["message"]}
        return str(task.result["hookPhase"])

    async def _fail(self, message: str) -> Ending:
        """After the hooks that are there for a failure."""
        reasons = ",".join(
            task.result["message"] for task in self._tasks if task.result.get("status") == "SyncFailed"
        )
        hooks = [task for task in self._tasks if task.phase == "SyncFail"]
        if hooks and not (self._apply(hooks) and await self._settle(hooks)):
            return FAILED, "one or more SyncFail hooks failed"
        return FAILED, f"{message}, reason: {reasons}" if reasons else message

    # -- objects ------------------------------------------------------------------------

    def _held(self, task: Task) -> Object | None:
        target = task.target
        return self._objects.get(target.resource, target.namespace, target.name)

    def _delete(self, task: Task) -> None:
        if self._held(task) is not None:
            target = task.target
            self._objects.delete(target.resource, target.namespace, target.name)


def create_namespace(objects: Objects, name: str) -> None:
    """As the sync option CreateNamespace=true asks."""
    if objects.get(NAMESPACES, "", name) is None:
        Writes(objects).apply(Target(resource=NAMESPACES, name=name), {}, WRITER)


def _entry(task: Task, phase: str, message: str, more: Mapping[str, str]) -> dict[str, Any]:
    group, _, version = task.manifest["apiVersion"].rpartition("/")
    metadata = task.manifest["metadata"]
    return {
        "group": group,
        "version": version,
        "kind": task.manifest["kind"],
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        **more,
        "message": message,
        **({"hookType": task.phase} if task.hook else {}),
        "hookPhase": phase,
        "syncPhase": task.phase,
    }


def _waiting(running: Sequence[Task]) -> str:
    first, more = running[0], len(running) - 1
    kind, what = ("hook", "completion of hook") if first.hook else ("resource", "healthy state of")
    rest = f" and {more} more {kind}s" if more else ""
    return f"waiting for {what} {first.spelled}{rest}"


def _not_served(task: Task) -> str:
    group = task.manifest["apiVersion"].rpartition("/")[0]
    metadata, kind = task.manifest["metadata"], task.manifest["kind"]
    return (
        f"The Kubernetes API could not find {group}/{kind} for requested resource "
        f"{metadata.get('namespace', '')}/{metadata['name']}. "
        f'Make sure the "{kind}" CRD is installed on the destination cluster.'
    )
