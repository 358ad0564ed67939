"""The Deployment controller: as many pods of the present template as are wanted, and none of another once
those are ready. There are no ReplicaSets between the two: nobody here looks at them.

https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
"""

import hashlib
import json
import time
import uuid
from typing import Any, Final

from sandbox.jobs import Admission
from sandbox.kubernetes_objects import Change, Changed, Object, Objects
from sandbox.kubernetes_resources import DEPLOYMENTS, PODS
from sandbox.reconciling import Recorder, Worklist, owned_by, owner, with_condition

type Key = tuple[str, str]
"""Namespace and name."""

_HASH: Final = "pod-template-hash"
_COMPLETE: Final = "NewReplicaSetAvailable"
_TIMED_OUT: Final = "ProgressDeadlineExceeded"


class Deployments:
    def __init__(self, objects: Objects, admission: Admission) -> None:
        self._objects = objects
        self._admission = admission
        self._recorder = Recorder(objects, "deployment-controller")
        self._work: Worklist[Key] = Worklist()
        self._advanced: dict[Key, tuple[object, float]] = {}
        """How far each rollout that is under way has come, and since when."""

    async def run(self) -> None:
        """Until it is cancelled."""
        stop = self._objects.listen(self._hear)
        for one in self._objects.held(DEPLOYMENTS):
            self._work.add(_key(one))
        try:
            while True:
                if key := await self._work.take(self._until_next_deadline()):
                    self._settle(*key)
                else:
                    self._look_at_late_ones()
        finally:
            stop()

    def _hear(self, changed: Changed) -> None:
        metadata = changed.object["metadata"]
        if changed.resource == DEPLOYMENTS:
            if changed.change is Change.DELETED:
                self._advanced.pop(_key(changed.object), None)
            else:
                self._work.add(_key(changed.object))
        elif changed.resource == PODS:
            for one in metadata.get("ownerReferences") or ():
                if one.get("kind") == "Deployment":
                    self._work.add((metadata["namespace"], one["name"]))

    # -- one Deployment -----------------------------------------------------------------

    def _settle(self, namespace: str, name: str) -> None:
        held = self._objects.get(DEPLOYMENTS, namespace, name)
        if held is None:
            return
        wanted, template = held["spec"].get("replicas", 1), _digest(held["spec"]["template"])
        fresh, stale = self._pods(held, template)
        for pod in _least_ready_first(fresh)[: max(len(fresh) - wanted, 0)]:
            self._delete(held, pod)
        at_once = held["spec"].get("strategy", {}).get("type") == "Recreate"
        if at_once or sum(map(is_ready, fresh)) >= wanted:
            for pod in stale:
                self._delete(held, pod)
        for _ in range(wanted - len(fresh)):
            self._create(held, template)
        self._tell(held, template)

    def _pods(self, held: Object, template: str) -> tuple[list[Object], list[Object]]:
        """Of the present template, and of others."""
        metadata = held["metadata"]
        there = self._objects.held(PODS, metadata["namespace"])
        mine = [one for one in there if owned_by(one, metadata["uid"])]
        fresh = [one for one in mine if one["metadata"]["labels"].get(_HASH) == template]
        return fresh, [one for one in mine if one not in fresh]

    def _create(self, held: Object, template: str) -> None:
        metadata, given = held["metadata"], held["spec"]["template"]
        described = given.get("metadata") or {}
        name = f"{metadata['name']}-{template}-{uuid.uuid4().hex[:5]}"
        pod = {
            "metadata": {
                "name": name,
                "namespace": metadata["namespace"],
                "labels": {**(described.get("labels") or {}), _HASH: template},
                "annotations": described.get("annotations") or {},
                "ownerReferences": [owner(held)],
            },
            "spec": {"serviceAccountName": "default", **given["spec"]},
            "status": {"phase": "Pending"},
        }
        self._objects.create(PODS, self._admission(pod))
        self._recorder.say(held, "Normal", "SuccessfulCreate", f"Created pod: {name}")

    def _delete(self, held: Object, pod: Object) -> None:
        name = pod["metadata"]["name"]
        self._objects.delete(PODS, pod["metadata"]["namespace"], name)
        self._recorder.say(held, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")

    # -- what is told of it -------------------------------------------------------------

    def _tell(self, held: Object, template: str) -> None:
        metadata, wanted = held["metadata"], held["spec"].get("replicas", 1)
        fresh, stale = self._pods(held, template)
        ready = sum(map(is_ready, (*fresh, *stale)))
        counts = {
            "replicas": len(fresh) + len(stale),
            "updatedReplicas": len(fresh),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": max(wanted - ready, 0),
        }
        conditions = (held.get("status") or {}).get("conditions") or []
        # A quarter may be missing, rounded down.
        enough = ready >= wanted - wanted // 4
        complete = not stale and len(fresh) == wanted and ready == wanted
        mark = f"{metadata['name']}-{template}"
        status, reason, message = self._progress(held, mark, (template, len(fresh), ready), complete=complete)
        now = self._objects.now()
        conditions = with_condition(
            conditions,
            now,
            kind="Available",
            status=enough,
            reason="MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            message="Deployment has minimum availability."
            if enough
            else "Deployment does not have minimum availability.",
        )
        conditions = with_condition(
            conditions, now, kind="Progressing", status=status, reason=reason, message=message
        )
        self._objects.set_status(
            DEPLOYMENTS,
            metadata["namespace"],
            metadata["name"],
            {
                "observedGeneration": metadata["generation"],
                # Counts of nothing are left out, as the real one does.
                **{name: count for name, count in counts.items() if count},
                "conditions": [{**one, "lastUpdateTime": one["lastTransitionTime"]} for one in conditions],
            },
        )

    def _progress(self, held: Object, mark: str, come: object, *, complete: bool) -> tuple[bool, str, str]:
        """Status, reason and message. A rollout that was complete stays so, whatever becomes of its pods."""
        key = _key(held)
        said = f'ReplicaSet "{mark}" has successfully progressed.'
        before = (held.get("status") or {}).get("conditions") or ()
        if complete or any((one["reason"], one["message"]) == (_COMPLETE, said) for one in before):
            self._advanced.pop(key, None)
            return True, _COMPLETE, said
        if key not in self._advanced or self._advanced[key][0] != come:
            self._advanced[key] = (come, time.monotonic())
        elif self._left(key) <= 0:
            return False, _TIMED_OUT, f'ReplicaSet "{mark}" has timed out progressing.'
        return True, "ReplicaSetUpdated", f'ReplicaSet "{mark}" is progressing.'

    # -- those that do not come to an end -----------------------------------------------

    def _left(self, key: Key) -> float:
        """Seconds until the rollout has taken too long."""
        held = self._objects.get(DEPLOYMENTS, *key)
        seconds = held["spec"].get("progressDeadlineSeconds", 600) if held else 0
        return float(self._advanced[key][1] + seconds - time.monotonic())

    def _until_next_deadline(self) -> float | None:
        coming = [left for key in self._advanced if (left := self._left(key)) > 0]
        return min(coming, default=None)

    def _look_at_late_ones(self) -> None:
        for key in self._advanced:
            if self._left(key) <= 0:
                self._work.add(key)


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any((one["type"], one["status"]) == ("Ready", "True") for one in conditions)


def _least_ready_first(pods: list[Object]) -> list[Object]:
    return sorted(pods, key=is_ready)


def _digest(template: Any) -> str:
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]


def _key(one: Object) -> Key:
    return one["metadata"]["namespace"], one["metadata"]["name"]
