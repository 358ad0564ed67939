"""How the controllers of a cluster work: they hear of changes, and look at one object after the other.

A listener of `Objects` must not change objects itself: others would hear of changes in the wrong order. So
what it hears is put on a list, and worked off by a task of the controller's own.
"""

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_resources import EVENTS, NAMESPACES

KEPT_EVENTS = 300
"""In one cluster, of each controller. In a real one they go after an hour."""
_NOTICED = 0.25
"""Seconds until a dial that was turned counts."""
_SHORTEST = 0.05
"""Seconds: a dial at 0 means often, and not without a pause."""


class Worklist[K]:
    """Keys to look at, each once however often it was added."""

    def __init__(self) -> None:
        self._keys: OrderedDict[K, None] = OrderedDict()
        self._filled = asyncio.Event()

    def add(self, key: K) -> None:
        self._keys[key] = None
        self._filled.set()

    async def take(self, within: float | None = None) -> K | None:
        """The key that waits longest; None when there is none within the time."""
        try:
            await asyncio.wait_for(self._filled.wait(), within)
        except TimeoutError:
            return None
        key, _ = self._keys.popitem(last=False)
        if not self._keys:
            self._filled.clear()
        return key


class Beat:
    """Strikes as often as a dial says."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._last = time.monotonic()

    def wait(self) -> float:
        """How long to sleep before asking again whether it strikes."""
        return min(max(self._left(), 0.0), _NOTICED)

    def strikes(self) -> bool:
        if self._left() > 0:
            return False
        self._last = time.monotonic()
        return True

    def _left(self) -> float:
        return self._last + max(self._seconds(), _SHORTEST) - time.monotonic()


@dataclass(frozen=True, slots=True)
class _Said:
    about: str
    reason: str
    message: str


class Recorder:
    """Events of one controller. What was said before of the same object is counted, not said again.

    https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
    """

    def __init__(self, objects: Objects, component: str) -> None:
        self._objects = objects
        self._component = component
        self._said: OrderedDict[_Said, tuple[str, str]] = OrderedDict()

    def say(self, about: Object, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        metadata = about["metadata"]
        said = _Said(metadata["uid"], reason, message)
        if held := self._said.get(said):
            self._said.move_to_end(said)
            if self._count(*held):
                return
        if not self._takes(metadata.get("namespace", "default")):
            return
        now = self._objects.now()
        namespace, name = metadata.get("namespace", "default"), f"{metadata['name']}.{uuid.uuid4().hex[:16]}"
        self._objects.create(
            EVENTS,
            {
                "metadata": {"name": name, "namespace": namespace},
                "involvedObject": {
                    "apiVersion": about["apiVersion"],
                    "kind": about["kind"],
                    "name": metadata["name"],
                    "namespace": namespace,
                    "uid": metadata["uid"],
                    "resourceVersion": metadata["resourceVersion"],
                },
                "type": kind,
                "reason": reason,
                "message": message,
                "count": 1,
                "firstTimestamp": now,
                "lastTimestamp": now,
                "eventTime": None,
                "source": {"component": self._component},
                "reportingComponent": self._component,
                "reportingInstance": "",
            },
        )
        self._said[said] = (namespace, name)
        self._forget()

    def _takes(self, namespace: str) -> bool:
        """A namespace that is being deleted takes nothing new."""
        held = self._objects.get(NAMESPACES, "", namespace)
        return held is not None and "deletionTimestamp" not in held["metadata"]

    def _count(self, namespace: str, name: str) -> bool:
        held = self._objects.get(EVENTS, namespace, name)
        if held is None:
            return False
        self._objects.replace(
            EVENTS, {**held, "count": held["count"] + 1, "lastTimestamp": self._objects.now()}
        )
        return True

    def _forget(self) -> None:
        while len(self._said) > KEPT_EVENTS:
            _, (namespace, name) = self._said.popitem(last=False)
            if self._objects.get(EVENTS, namespace, name) is not None:
                self._objects.delete(EVENTS, namespace, name)


def with_condition(
    held: list[dict[str, Any]], now: str, *, kind: str, status: bool, reason: str, message: str
) -> list[dict[str, Any]]:
    """The conditions with this one among them; its time is kept while its status is the same."""
    before = next((one for one in held if one["type"] == kind), None)
    said = "True" if status else "False"
    since = before["lastTransitionTime"] if before and before["status"] == said else now
    fresh = {
        "type": kind,
        "status": said,
        "lastTransitionTime": since,
        "reason": reason,
        "message": message,
    }
    return [*(one for one in held if one["type"] != kind), fresh]


def owner(of: Object, *, block: bool = True) -> dict[str, Any]:
    """The reference by which an object belongs to its controller."""
    return {
        "apiVersion": of["apiVersion"],
        "kind": of["kind"],
        "name": of["metadata"]["name"],
        "uid": of["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": block,
    }


def owned_by(one: Object, uid: str) -> bool:
    return any(held.get("uid") == uid for held in one["metadata"].get("ownerReferences") or ())
