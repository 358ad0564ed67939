"""The CronJob controller: makes a Job at each strike of the clock, and keeps an eye on those it has made.

How often a minute comes is the dial `cron_seconds`: every CronJob here is one of `*/1 * * * *`.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/
"""

from typing import Any

from sandbox.dials import Dials
from sandbox.kubernetes_objects import Change, Changed, Object, Objects
from sandbox.kubernetes_resources import CRON_JOBS, JOBS
from sandbox.reconciling import Beat, Recorder, Worklist, owned_by, owner
from sandbox.timeline import Clock

SUCCEEDED, FAILED = "Complete", "Failed"
_KEPT = {SUCCEEDED: ("successfulJobsHistoryLimit", 3), FAILED: ("failedJobsHistoryLimit", 1)}


class CronJobs:
    def __init__(self, objects: Objects, dials: Dials, clock: Clock) -> None:
        self._objects = objects
        self._dials = dials
        self._clock = clock
        self._recorder = Recorder(objects, "cronjob-controller")
        self._work: Worklist[tuple[str, str]] = Worklist()

    async def run(self) -> None:
        """Until it is cancelled."""
        beat = Beat(lambda: self._dials.cron_seconds)
        stop = self._objects.listen(self._hear)
        try:
            while True:
                if key := await self._work.take(beat.wait()):
                    self._settle(*key)
                if beat.strikes():
                    for cron_job in self._objects.list(CRON_JOBS):
                        self._strike(cron_job)
        finally:
            stop()

    def _hear(self, changed: Changed) -> None:
        metadata = changed.object["metadata"]
        if changed.resource == JOBS:
            for one in metadata.get("ownerReferences") or ():
                if one.get("kind") == "CronJob":
                    self._work.add((metadata["namespace"], one["name"]))
        elif changed.resource == CRON_JOBS and changed.change is not Change.DELETED:
            self._work.add((metadata["namespace"], metadata["name"]))

    # -- at each strike -----------------------------------------------------------------

    def _strike(self, cron_job: Object) -> None:
        spec = cron_job["spec"]
        if spec.get("suspend"):
            return
        running = [job for job in self._jobs(cron_job) if outcome(job) is None]
        policy = spec.get("concurrencyPolicy", "Allow")
        if running and policy == "Forbid":
            self._recorder.say(
                cron_job,
                "Normal",
                "JobAlreadyActive",
                "Not starting job because prior execution is running and concurrency policy is Forbid",
            )
            return
        if policy == "Replace":
            for job in running:
                self._delete(cron_job, job)
        self._start(cron_job)

    def _start(self, cron_job: Object) -> None:
        template, metadata = cron_job["spec"]["jobTemplate"], cron_job["metadata"]
        minute = int(self._clock().timestamp() / max(self._dials.cron_seconds, 0.05))
        name = f"{metadata['name']}-{minute}"
        if self._objects.get(JOBS, metadata["namespace"], name) is not None:
            return
        described = template.get("metadata") or {}
        self._objects.create(
            JOBS,
            {
                "metadata": {
                    "name": name,
                    "namespace": metadata["namespace"],
                    "labels": described.get("labels") or {},
                    "annotations": {
                        **(described.get("annotations") or {}),
                        "batch.kubernetes.io/cronjob-scheduled-timestamp": self._objects.now(),
                    },
                    "ownerReferences": [owner(cron_job)],
                },
                "spec": template["spec"],
            },
        )
        self._recorder.say(cron_job, "Normal", "SuccessfulCreate", f"Created job {name}")
        self._write(cron_job, lastScheduleTime=self._objects.now())

    # -- between them -------------------------------------------------------------------

    def _settle(self, namespace: str, name: str) -> None:
        """Tell of the Jobs that run and of the last success, and keep no more history than is wanted."""
        cron_job = self._objects.get(CRON_JOBS, namespace, name)
        if cron_job is None:
            return
        jobs = self._jobs(cron_job)
        active = {one["uid"] for one in (cron_job.get("status") or {}).get("active") or ()}
        for job in jobs:
            if (ended := outcome(job)) and job["metadata"]["uid"] in active:
                said = f"Saw completed job: {job['metadata']['name']}, condition: {ended}"
                self._recorder.say(cron_job, "Normal", "SawCompletedJob", said)
        completed = [job["status"]["completionTime"] for job in jobs if outcome(job) == SUCCEEDED]
        known = (cron_job.get("status") or {}).get("lastSuccessfulTime")
        latest = max([*completed, *([known] if known else [])], default=None)
        self._write(cron_job, **({"lastSuccessfulTime": latest} if latest else {}))
        for ended, (field, usual) in _KEPT.items():
            finished = [job for job in jobs if outcome(job) == ended]
            kept = cron_job["spec"].get(field, usual)
            for job in finished[: max(len(finished) - kept, 0)]:
                self._delete(cron_job, job)

    def _write(self, cron_job: Object, **fields: str) -> None:
        metadata = cron_job["metadata"]
        held = self._objects.get(CRON_JOBS, metadata["namespace"], metadata["name"])
        if held is None:
            return
        running = [job for job in self._jobs(cron_job) if outcome(job) is None]
        status = {**(held.get("status") or {}), **fields}
        status.pop("active", None)
        if running:
            status["active"] = [_reference(job) for job in running]
        self._objects.set_status(CRON_JOBS, metadata["namespace"], metadata["name"], status)

    def _delete(self, cron_job: Object, job: Object) -> None:
        metadata = job["metadata"]
        self._objects.delete(JOBS, metadata["namespace"], metadata["name"])
        self._recorder.say(cron_job, "Normal", "SuccessfulDelete", f"Deleted job {metadata['name']}")

    def _jobs(self, cron_job: Object) -> list[Object]:
        """Its own, oldest first."""
        metadata = cron_job["metadata"]
        mine = [
            job for job in self._objects.list(JOBS, metadata["namespace"]) if owned_by(job, metadata["uid"])
        ]
        return sorted(mine, key=lambda job: (job["metadata"]["creationTimestamp"], job["metadata"]["name"]))


def outcome(job: Object) -> str | None:
    """`Complete`, `Failed`, or None while it runs."""
    conditions: list[dict[str, Any]] = (job.get("status") or {}).get("conditions") or []
    ended = [one["type"] for one in conditions if one["status"] == "True"]
    return next((one for one in ended if one in {SUCCEEDED, FAILED}), None)


def _reference(job: Object) -> dict[str, str]:
    metadata = job["metadata"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
    }
