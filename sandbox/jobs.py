"""The Job controller: one pod after the other until one succeeds, or more have failed than the Job allows.

Every Job runs to one completion, and its pods are never restarted in place.
https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

import time
import uuid
from collections.abc import Callable
from typing import Any

from sandbox.cron_jobs import FAILED, SUCCEEDED, outcome
from sandbox.kubernetes_objects import Change, Changed, Object, Objects
from sandbox.kubernetes_resources import JOBS, PODS, SERVICE_ACCOUNTS
from sandbox.reconciling import Recorder, Worklist, owned_by, owner

type Key = tuple[str, str]
"""Namespace and name."""
type Admission = Callable[[Object], Object]
"""Changes a pod before it is created, as webhooks do."""

_USUAL_RETRIES = 6
_SELECTED_BY = "batch.kubernetes.io/controller-uid"


class Jobs:
    def __init__(self, objects: Objects, admission: Admission) -> None:
        self._objects = objects
        self._admission = admission
        self._recorder = Recorder(objects, "job-controller")
        self._work: Worklist[Key] = Worklist()
        self._expiring: dict[Key, float] = {}
        self._begun: dict[str, float] = {}
        """When each was looked at first, by uid."""
        self._deadlines: dict[Key, float] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        stop = self._objects.listen(self._hear)
        for job in self._objects.held(JOBS):
            self._work.add(_key(job))
        try:
            while True:
                if key := await self._work.take(self._until_next()):
                    self._settle(*key)
                self._expire()
                self._strike()
        finally:
            stop()

    def _hear(self, changed: Changed) -> None:
        metadata = changed.object["metadata"]
        if changed.resource == JOBS and changed.change is not Change.DELETED:
            self._work.add(_key(changed.object))
        elif changed.resource == PODS:
            for one in metadata.get("ownerReferences") or ():
                if one.get("kind") == "Job":
                    self._work.add((metadata["namespace"], one["name"]))

    # -- one Job ------------------------------------------------------------------------

    def _settle(self, namespace: str, name: str) -> None:
        job = self._objects.get(JOBS, namespace, name)
        if job is None or job["spec"].get("suspend"):
            return
        if outcome(job):
            self._let_expire(job)
            return
        if "selector" not in job["spec"]:
            job = self._select(job)
        pods = [pod for pod in self._objects.held(PODS, namespace) if owned_by(pod, job["metadata"]["uid"])]
        phases = [(pod.get("status") or {}).get("phase", "Pending") for pod in pods]
        failed, succeeded = phases.count("Failed"), phases.count("Succeeded")
        status = {**(job.get("status") or {}), "failed": failed, "succeeded": succeeded}
        status.setdefault("startTime", self._objects.now())
        if succeeded:
            self._end(
                job, status, SUCCEEDED, "CompletionsReached", "Reached expected number of succeeded pods"
            )
        elif failed > job["spec"].get("backoffLimit", _USUAL_RETRIES):
            said = "Job has reached the specified backoff limit"
            self._end(job, status, FAILED, "BackoffLimitExceeded", said)
        elif self._is_overdue(job):
            for pod in pods:
                if (pod.get("status") or {}).get("phase") in (None, "Pending", "Running"):
                    self._objects.delete(PODS, namespace, pod["metadata"]["name"])
            said = "Job was active longer than specified deadline"
            self._end(job, status, FAILED, "DeadlineExceeded", said)
        else:
            running = len(pods) - failed
            if not running and self._start(job):
                running = 1
            self._write(job, {**status, "active": running, "ready": phases.count("Running")})

    def _select(self, job: Object) -> Object:
        """Say by which label its pods are known, as the API server does; clients find them by that."""
        selector = {"matchLabels": {_SELECTED_BY: job["metadata"]["uid"]}}
        return self._objects.replace(JOBS, {**job, "spec": {**job["spec"], "selector": selector}})

    def _end(self, job: Object, status: dict[str, Any], kind: str, reason: str, message: str) -> None:
        """The first condition says how it will end, the second that it has: no pod runs any more."""
        now = self._objects.now()
        first = "SuccessCriteriaMet" if kind == SUCCEEDED else "FailureTarget"
        status["conditions"] = [
            {
                "type": one,
                "status": "True",
                "lastProbeTime": now,
                "lastTransitionTime": now,
                "reason": reason,
                "message": message,
            }
            for one in (first, kind)
        ]
        if kind == SUCCEEDED:
            status["completionTime"] = now
            self._recorder.say(job, "Normal", "Completed", "Job completed")
        else:
            self._recorder.say(job, "Warning", reason, message)
        self._write(job, {**status, "active": 0, "ready": 0})

    def _start(self, job: Object) -> bool:
        """Create a pod of the Job's template; False where its service account is not there."""
        metadata, template = job["metadata"], job["spec"]["template"]
        account = template["spec"].get("serviceAccountName", "default")
        if self._objects.get(SERVICE_ACCOUNTS, metadata["namespace"], account) is None:
            said = (
                f'Error creating: pods "{metadata["name"]}-" is forbidden: error looking up service account '
                f'{metadata["namespace"]}/{account}: serviceaccount "{account}" not found'
            )
            self._recorder.say(job, "Warning", "FailedCreate", said)
            return False
        described = template.get("metadata") or {}
        name = f"{metadata['name']}-{uuid.uuid4().hex[:5]}"
        labels = {
            _SELECTED_BY: metadata["uid"],
            "batch.kubernetes.io/job-name": metadata["name"],
            "controller-uid": metadata["uid"],
            "job-name": metadata["name"],
        }
        pod = {
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "labels": {**(described.get("labels") or {}), **labels},
                "annotations": described.get("annotations") or {},
                "ownerReferences": [owner(job)],
            },
            "spec": {**template["spec"], "serviceAccountName": account},
            "status": {"phase": "Pending"},
        }
        self._objects.create(PODS, self._admission(pod))
        self._recorder.say(job, "Normal", "SuccessfulCreate", f"Created pod: {name}")
        return True

    def _write(self, job: Object, status: dict[str, Any]) -> None:
        """Counts of nothing are left out, as the real one does."""
        shown = {key: value for key, value in status.items() if value != 0}
        self._objects.set_status(JOBS, job["metadata"]["namespace"], job["metadata"]["name"], shown)

    # -- those that take too long -------------------------------------------------------

    def _is_overdue(self, job: Object) -> bool:
        """Whether it has been at work for longer than it may; if not, it is looked at when it has."""
        seconds: float | None = job["spec"].get("activeDeadlineSeconds")
        if seconds is None:
            return False
        now = time.monotonic()
        due = self._begun.setdefault(job["metadata"]["uid"], now) + seconds
        if due > now:
            self._deadlines[_key(job)] = due
        return due <= now

    def _strike(self) -> None:
        for key, when in list(self._deadlines.items()):
            if when <= time.monotonic():
                del self._deadlines[key]
                self._work.add(key)

    # -- those that have ended ----------------------------------------------------------

    def _let_expire(self, job: Object) -> None:
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        if seconds is not None:
            self._expiring.setdefault(_key(job), time.monotonic() + seconds)

    def _until_next(self) -> float | None:
        """Seconds to the next expiry or deadline."""
        whens = [*self._expiring.values(), *self._deadlines.values()]
        return max(min(whens) - time.monotonic(), 0.0) if whens else None

    def _expire(self) -> None:
        for key, when in list(self._expiring.items()):
            if when <= time.monotonic():
                del self._expiring[key]
                if self._objects.get(JOBS, *key) is not None:
                    self._objects.delete(JOBS, *key)


def _key(one: Object) -> Key:
    return one["metadata"]["namespace"], one["metadata"]["name"]
