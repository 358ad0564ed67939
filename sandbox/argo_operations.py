"""An operation of an Application, from the field `operation` to the end of `status.operationState`.

The field stays until the operation has ended, so one that was cut short is taken up again.
https://github.com/argoproj/argo-cd/blob/master/controller/appcontroller.go (processRequestedAppOperation)
"""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sandbox.argo_helm import Helm
from sandbox.argo_manifests import ManifestError, RepoServer, Source
from sandbox.argo_sync import ERROR, FAILED, RUNNING, SUCCEEDED, Ending, Sync, create_namespace
from sandbox.argo_tasks import belonging, tasks_of
from sandbox.dials import Dials
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_resources import APPLICATIONS

TERMINATING: Final = "Terminating"
_UNLOADED: Final = "Failed to load target state: failed to generate manifest for source 1 of 1: "
_KEPT: Final = 10
"""Entries of an Application's history. Argo CD's own number."""


def source_of(application: Object) -> Source:
    spec = application["spec"]
    source = spec["source"]
    helm = None
    if "helm" in source:
        release = source["helm"].get("releaseName", application["metadata"]["name"])
        files = tuple(source["helm"].get("valueFiles") or ())
        helm = Helm(release, spec["destination"].get("namespace", ""), files)
    return Source(source["repoURL"], source.get("targetRevision", "HEAD"), source.get("path", "."), helm)


def unloaded(error: ManifestError) -> str:
    """The message of a ComparisonError."""
    return f"{_UNLOADED}{error}"


class Operation:
    def __init__(
        self, objects: Objects, repo_server: RepoServer, dials: Dials, namespace: str, name: str
    ) -> None:
        self._objects = objects
        self._repo_server = repo_server
        self._dials = dials
        self._key = (namespace, name)
        self._state: dict[str, Any] = {}
        self._sync: Sync | None = None

    async def run(self) -> None:
        """Until it has ended, with all attempts that it may take. Its Application was there a moment ago."""
        application = self._objects.get(APPLICATIONS, *self._key)
        if application is None:
            return
        operation = application["operation"]
        before = (application.get("status") or {}).get("operationState") or {}
        resumed = before.get("phase") == RUNNING
        self._state = before if resumed else {"operation": operation, "startedAt": self._objects.now()}
        self._say(RUNNING, "")
        limit, tried = (operation.get("retry") or {}).get("limit", 0), self._state.get("retryCount", 0)
        while True:
            phase, message = await self._attempt(application, operation.get("sync") or {})
            if phase == SUCCEEDED or tried >= limit:
                break
            tried += 1
            self._state["retryCount"] = tried
            self._say(RUNNING, f"{message}. Retrying attempt #{tried} at {self._o_clock()}.")
            await asyncio.sleep(self._dials.argo_retry_seconds)
        retried = tried and phase != SUCCEEDED
        self._end(phase, f"{message} (retried {tried} times)." if retried else message)

    def terminate(self) -> None:
        """To be called when `run` was cancelled, or had no chance: nothing of it is left running."""
        if self._sync:
            self._sync.abandon()
        if not self._state:
            held = self._objects.get(APPLICATIONS, *self._key) or {}
            self._state = dict(held["status"]["operationState"])
        self._end(FAILED, "Operation terminated")

    async def _attempt(self, application: Object, asked: dict[str, Any]) -> Ending:
        self._sync = None
        source = source_of(application)
        self._repo_server.look_again()
        try:
            commit = await self._repo_server.resolve(
                replace(source, revision=asked.get("revision") or source.revision)
            )
            manifests = await self._repo_server.generate(source, commit)
        except ManifestError as error:
            return ERROR, f"ComparisonError: {unloaded(error)}"
        self._state["syncResult"] = {"revision": commit, "source": application["spec"]["source"]}
        if "CreateNamespace=true" in (asked.get("syncOptions") or ()):
            create_namespace(self._objects, application["spec"]["destination"]["namespace"])
        tasks = tasks_of(belonging(manifests, application))
        self._sync = Sync(self._objects, self._dials, tasks, lambda message: self._say(RUNNING, message))
        return await self._sync.run()

    # -- what is told of it -------------------------------------------------------------

    def _say(self, phase: str, message: str) -> None:
        self._state |= {"phase": phase, "message": message}
        if self._sync:
            self._state["syncResult"]["resources"] = self._sync.results()
        self._write(ended=False)

    def _end(self, phase: str, message: str) -> None:
        self._state["finishedAt"] = self._objects.now()
        self._state |= {"phase": phase, "message": message}
        if self._sync:
            self._state["syncResult"]["resources"] = self._sync.results()
        self._write(ended=True)

    def _write(self, *, ended: bool) -> None:
        held = self._objects.get(APPLICATIONS, *self._key)
        if held is None:
            return
        status = {**(held.get("status") or {})}
        if not ended and (status.get("operationState") or {}).get("phase") == TERMINATING:
            # Whoever wrote that is to be heard, and not written over.
            return
        status["operationState"] = self._state
        if ended:
            held.pop("operation", None)
            if self._state["phase"] == SUCCEEDED:
                status["history"] = self._history(status.get("history") or [])
        self._objects.replace(APPLICATIONS, {**held, "status": status})

    def _history(self, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
        result = self._state["syncResult"]
        entry = {
            "id": before[-1]["id"] + 1 if before else 0,
            "revision": result["revision"],
            "source": result["source"],
            "deployStartedAt": self._state["startedAt"],
            "deployedAt": self._state["finishedAt"],
        }
        return [*before, entry][-_KEPT:]

    def _o_clock(self) -> str:
        """As Argo CD writes it here: 3:04PM."""
        return f"{datetime.fromisoformat(self._objects.now()):%I:%M%p}".lstrip("0")
