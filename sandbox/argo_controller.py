"""Argo CD's application controller: compares what Git says with what there is, and syncs where it should.

An Application is looked at when its spec, its annotations or its operation have changed, when something of
its own has got better or worse, when somebody pushed to its repository, and as often as the dial
`argo_seconds` says. Only a push, a refresh, an operation and the beat make it ask Git again.
https://argo-cd.readthedocs.io/en/stable/operator-manual/reconcile/
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Final

from sandbox.argo_automation import decide
from sandbox.argo_comparison import Comparison, compared, status_of, unknown
from sandbox.argo_health import health_of
from sandbox.argo_manifests import ManifestError, RepoServer
from sandbox.argo_operations import TERMINATING, Operation, source_of, unloaded
from sandbox.argo_tasks import TRACKING, is_hook
from sandbox.dials import Dials
from sandbox.kubernetes_objects import Change, Changed, Object, Objects
from sandbox.kubernetes_resources import APPLICATIONS
from sandbox.reconciling import Beat, Worklist

REFRESH: Final = "argocd.argoproj.io/refresh"
SKIP: Final = "argocd.argoproj.io/skip-reconcile"
NAMESPACE: Final = "argocd"

type Key = tuple[str, str]
"""Namespace and name."""
type Listener = Callable[[Object], None]
"""Hears of each Application that was reconciled, as it is then."""


class ApplicationController:
    def __init__(
        self, objects: Objects, repo_server: RepoServer, dials: Dials, listeners: Sequence[Listener]
    ) -> None:
        self._objects = objects
        self._repo_server = repo_server
        self._dials = dials
        self._listeners = tuple(listeners)
        self._work: Worklist[Key] = Worklist()
        self._seen: dict[Key, object] = {}
        """What was last looked at of each: the controller's own writes are no reason to look."""
        self._running: dict[Key, tuple[Operation, asyncio.Task[None]]] = {}

    def look(self) -> None:
        """Look at all of them, as a webhook of the Git server makes Argo CD do."""
        self._repo_server.look_again()
        for one in self._objects.held(APPLICATIONS, NAMESPACE):
            self._work.add(_key(one))

    async def run(self) -> None:
        """Until it is cancelled; then every operation is, too."""
        beat = Beat(lambda: self._dials.argo_seconds)
        stop = self._objects.listen(self._hear)
        self.look()
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    if key := await self._work.take(beat.wait()):
                        await self._settle(group, key)
                    if beat.strikes():
                        self.look()
        finally:
            stop()
            self._repo_server.close()

    def _hear(self, changed: Changed) -> None:
        if changed.resource == APPLICATIONS:
            gone = changed.change is Change.DELETED
            if gone or self._seen.get(_key(changed.object)) != _version(changed.object):
                self._work.add(_key(changed.object))
        elif (owner := _owner(changed.object)) and _turned(changed):
            self._work.add((NAMESPACE, owner))

    # -- one Application ----------------------------------------------------------------

    async def _settle(self, group: asyncio.TaskGroup, key: Key) -> None:
        application = self._objects.get(APPLICATIONS, *key)
        if application is None:
            self._seen.pop(key, None)
            await self._stop(key)
            return
        self._seen[key] = _version(application)
        if _annotation(application, SKIP) == "true" or not _is_known(application):
            return
        if _phase(application) == TERMINATING:
            await self._terminate(key)
        elif application.get("operation") and key not in self._running:
            self._begin(group, key)
        await self._reconcile(key, application)

    async def _reconcile(self, key: Key, application: Object) -> None:
        refresh = _annotation(application, REFRESH)
        if refresh:
            self._repo_server.look_again()
        comparison = await self._compare(application, hard=refresh == "hard")
        held = self._objects.get(APPLICATIONS, *key)
        if held is None:
            return
        if refresh and _annotation(held, REFRESH) == refresh:
            del held["metadata"]["annotations"][REFRESH]
        decision = decide(held, comparison)
        held["status"] = status_of(held, comparison, decision.error, self._objects.now())
        if decision.operation:
            held["operation"] = decision.operation
            held["status"].pop("operationState", None)
        else:
            self._seen[key] = _version(held)
        written = self._objects.replace(APPLICATIONS, held)
        for listener in self._listeners:
            listener(written)

    async def _compare(self, application: Object, *, hard: bool) -> Comparison:
        source = source_of(application)
        try:
            commit = await self._repo_server.resolve(source)
            manifests = await self._repo_server.generate(source, commit, hard=hard)
        except ManifestError as error:
            return unknown(unloaded(error))
        return compared(self._objects, application, commit, manifests)

    # -- operations ---------------------------------------------------------------------

    def _begin(self, group: asyncio.TaskGroup, key: Key) -> None:
        operation = Operation(self._objects, self._repo_server, self._dials, *key)
        task = group.create_task(operation.run())
        self._running[key] = (operation, task)
        task.add_done_callback(lambda _: self._running.pop(key, None))

    async def _stop(self, key: Key) -> Operation | None:
        """The operation that ran. Answers when nothing of it does any more."""
        operation, task = self._running.get(key, (None, None))
        if task:
            task.cancel()
            await asyncio.wait([task])
        return operation

    async def _terminate(self, key: Key) -> None:
        operation = await self._stop(key)
        # One of before a restart has nothing that runs.
        (operation or Operation(self._objects, self._repo_server, self._dials, *key)).terminate()


def _key(application: Object) -> Key:
    return application["metadata"]["namespace"], application["metadata"]["name"]


def _is_known(application: Object) -> bool:
    """Whether it is one of those that are acted here: in Argo CD's own namespace, and of one source."""
    spec = application.get("spec") or {}
    return application["metadata"]["namespace"] == NAMESPACE and {"source", "destination"} <= spec.keys()


def _version(application: Object) -> object:
    """What changes when an Application is to be looked at again."""
    marks = [_annotation(application, name) for name in (REFRESH, SKIP)]
    asked = json.dumps(application.get("operation"), sort_keys=True)
    return application["metadata"].get("generation"), *marks, asked, _phase(application) == TERMINATING


def _annotation(application: Object, name: str) -> str | None:
    value: str | None = (application["metadata"].get("annotations") or {}).get(name)
    return value


def _phase(application: Object) -> str | None:
    state = (application.get("status") or {}).get("operationState") or {}
    phase: str | None = state.get("phase")
    return phase


def _owner(held: Object) -> str | None:
    """The Application that an object belongs to as a part of its state."""
    mark = (held["metadata"].get("annotations") or {}).get(TRACKING)
    return mark.partition(":")[0] if mark and not is_hook(held) else None


def _turned(changed: Changed) -> bool:
    """Whether more has changed than what an object tells of itself without getting better or worse."""
    before, after = changed.before, changed.object
    if before is None or changed.change is not Change.MODIFIED:
        return True
    return _wanted(before) != _wanted(after) or health_of(before) != health_of(after)


def _wanted(held: Object) -> Object:
    """What somebody has asked of the object, and not what became of it."""
    return {name: value for name, value in held.items() if name not in ("metadata", "status")}
