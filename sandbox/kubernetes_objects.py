"""The objects of one cluster, as its API server keeps them: uid, resourceVersion, generation, owners.

The API serves them over HTTP; controllers change them here, and hear of every change.
"""

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sandbox.kubernetes_errors import already_exists, conflict, not_found
from sandbox.kubernetes_resources import NAMESPACES, PODS, RESOURCES, Resource
from sandbox.timeline import Clock

type Object = dict[str, Any]
type Key = tuple[Resource, str, str]
"""Kind, namespace (empty for kinds without) and name."""

HISTORY = 10_000
"""Changes that a watch may begin from. What came before is Gone."""


class Change(StrEnum):
    """What happened to an object, in a watch's words."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Changed:
    change: Change
    resource: Resource
    object: Object
    """As it is after the change; of a deleted one, as it was last."""
    version: int
    before: Object | None = None
    """As it was until the change: what a watch by selectors must know. To be read only."""


type Listener = Callable[[Changed], None]


class Objects:
    """Every change takes the next resource version, which also stamps lists."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._objects: dict[Resource, dict[tuple[str, str], Object]] = {one: {} for one in RESOURCES}
        self._logs: dict[tuple[str, str, str], str] = {}
        self._listeners: list[Listener] = []
        self._version = 1
        self.history: deque[Changed] = deque(maxlen=HISTORY)

    @property
    def version(self) -> str:
        return str(self._version)

    # -- reading ----------------------------------------------------------------------

    def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        held = self._objects[resource].get((namespace, name))
        return deepcopy(held) if held else None

    def list(self, resource: Resource, namespace: str = "") -> list[Object]:
        """The objects of the namespace, or of all of them, ordered by namespace and name."""
        return [deepcopy(held) for held in self.held(resource, namespace)]

    def held(self, resource: Resource, namespace: str = "") -> tuple[Object, ...]:
        """The same, but the objects themselves: to be read at once, and never changed."""
        kept = self._objects[resource]
        return tuple(kept[key] for key in sorted(kept) if namespace in ("", key[0]))

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call it after every change, in order. Answers what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # -- writing ----------------------------------------------------------------------

    def create(self, resource: Resource, manifest: Object) -> Object:
        """Take the object in, with the fields that a server gives it. Raises StatusError (409)."""
        created = deepcopy(manifest)
        created.setdefault("apiVersion", resource.api_version)
        created.setdefault("kind", resource.kind)
        metadata = created["metadata"]
        if not resource.namespaced:
            metadata.pop("namespace", None)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = f"{metadata['generateName']}{uuid.uuid4().hex[:5]}"
        key = (resource, metadata.get("namespace", ""), metadata["name"])
        if key[1:] in self._objects[resource]:
            raise already_exists(resource, metadata["name"])
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = self.now()
        if "spec" in created:
            metadata["generation"] = 1
        return self._keep(Change.ADDED, key, created)

    def replace(self, resource: Resource, fresh: Object) -> Object:
        """Put it in place of the object of its name, all but what only a server gives.

        Raises StatusError: 404, and 409 where it names another resourceVersion or uid than the object has.
        """
        metadata = fresh["metadata"]
        key = (resource, metadata.get("namespace", "") if resource.namespaced else "", metadata["name"])
        held = self._find(key)
        self._require_same(resource, held, metadata)
        written = deepcopy(fresh)
        for name in ("uid", "creationTimestamp", "generation", "deletionTimestamp"):
            if name in held["metadata"]:
                written["metadata"][name] = held["metadata"][name]
            else:
                written["metadata"].pop(name, None)
        written["metadata"]["resourceVersion"] = held["metadata"]["resourceVersion"]
        if written == held:
            return deepcopy(held)
        if written.get("spec") != held.get("spec") and "generation" in written["metadata"]:
            written["metadata"]["generation"] += 1
        if written["metadata"].get("deletionTimestamp") and not self._stays(key, written):
            return self._remove(key, written)
        return self._keep(Change.MODIFIED, key, written)

    def set_status(self, resource: Resource, namespace: str, name: str, status: Mapping[str, Any]) -> Object:
        """For controllers: put a status in place of the one that is there. Raises StatusError (404)."""
        held = self._find((resource, namespace, name))
        return self.replace(resource, {**deepcopy(held), "status": deepcopy(dict(status))})

    def delete(self, resource: Resource, namespace: str, name: str, *, orphan: bool = False) -> Object:
        """Delete it and what it owns, or with `orphan` leave that without an owner; a namespace goes with all
        that is in it. What has finalizers only begins to go.

        Answers the object as it was last, or as it is now when it stays for a while.
        Raises StatusError (404).
        """
        key = (resource, namespace, name)
        held = self._find(key)
        if orphan:
            self._orphan(held["metadata"]["uid"])
        if not self._stays(key, held):
            return self._remove(key, held)
        if "deletionTimestamp" in held["metadata"]:
            return deepcopy(held)
        going = deepcopy(held)
        going["metadata"]["deletionTimestamp"] = self.now()
        if resource == NAMESPACES:
            going["status"] = {"phase": "Terminating"}
        kept = self._keep(Change.MODIFIED, key, going)
        if resource == NAMESPACES:
            self._empty(name)
        return kept

    def rehearsal(self) -> "Objects":
        """A copy to try a change on: nobody listens to it, and nothing comes back from it."""
        copy = Objects(self._clock)
        copy._objects = {resource: dict(kept) for resource, kept in self._objects.items()}
        copy._version = self._version
        return copy

    def now(self) -> str:
        """As Kubernetes writes times: whole seconds."""
        return f"{self._clock():%Y-%m-%dT%H:%M:%SZ}"

    # -- logs -------------------------------------------------------------------------

    def write_log(self, namespace: str, pod: str, container: str, text: str) -> None:
        """Add to what a container has printed."""
        key = (namespace, pod, container)
        self._logs[key] = self._logs.get(key, "") + text

    def clear_log(self, namespace: str, pod: str, container: str) -> None:
        """It is started, perhaps once more: what it printed before is told no longer."""
        self._logs.pop((namespace, pod, container), None)

    def log(self, namespace: str, pod: str, container: str) -> str:
        return self._logs.get((namespace, pod, container), "")

    # -- how --------------------------------------------------------------------------

    def _find(self, key: Key) -> Object:
        held = self._objects[key[0]].get(key[1:])
        if held is None:
            raise not_found(key[0], key[2])
        return held

    def _require_same(self, resource: Resource, held: Object, given: Mapping[str, Any]) -> None:
        for name in ("resourceVersion", "uid"):
            if given.get(name) and given[name] != held["metadata"][name]:
                raise conflict(resource, held["metadata"]["name"])

    def _stays(self, key: Key, held: Object) -> bool:
        """Whether a deletion only begins: somebody must see it first, or there is something in it."""
        return bool(held["metadata"].get("finalizers")) or (
            key[0] == NAMESPACES and bool(self._inside(key[2]))
        )

    def _inside(self, namespace: str) -> tuple[Key, ...]:
        return tuple(
            (resource, *key)
            for resource, kept in self._objects.items()
            if resource.namespaced
            for key in kept
            if key[0] == namespace
        )

    def _empty(self, namespace: str) -> None:
        for resource, where, name in self._inside(namespace):
            if (where, name) in self._objects[resource]:
                self.delete(resource, where, name)

    def _orphan(self, owner: str) -> None:
        for resource, kept in self._objects.items():
            for key, held in list(kept.items()):
                owners = held["metadata"].get("ownerReferences") or []
                left = [one for one in owners if one.get("uid") != owner]
                if len(left) < len(owners):
                    alone = deepcopy(held)
                    alone["metadata"]["ownerReferences"] = left
                    self._keep(Change.MODIFIED, (resource, *key), alone)

    def _keep(self, change: Change, key: Key, written: Object) -> Object:
        self._version += 1
        written["metadata"]["resourceVersion"] = self.version
        before = self._objects[key[0]].get(key[1:])
        self._objects[key[0]][key[1:]] = written
        self._tell(change, key[0], written, before)
        return deepcopy(written)

    def _remove(self, key: Key, last: Object) -> Object:
        del self._objects[key[0]][key[1:]]
        self._version += 1
        gone = deepcopy(last)
        gone["metadata"]["resourceVersion"] = self.version
        if key[0] == PODS:
            self._logs = {one: text for one, text in self._logs.items() if one[:2] != key[1:]}
        self._tell(Change.DELETED, key[0], gone, last)
        self._collect(gone["metadata"]["uid"])
        self._close_namespace(key[1])
        return gone

    def _close_namespace(self, name: str) -> None:
        """One that is being deleted goes with the last that was in it."""
        held = self._objects[NAMESPACES].get(("", name))
        if held and "deletionTimestamp" in held["metadata"] and not self._stays((NAMESPACES, "", name), held):
            self._remove((NAMESPACES, "", name), held)

    def _collect(self, owner: str) -> None:
        """What nobody owns any more goes too."""
        for resource, kept in self._objects.items():
            for key, held in list(kept.items()):
                owners = held["metadata"].get("ownerReferences") or []
                if owners and all(one.get("uid") == owner for one in owners) and key in kept:
                    self.delete(resource, *key)

    def _tell(self, change: Change, resource: Resource, written: Object, before: Object | None) -> None:
        changed = Changed(change, resource, deepcopy(written), self._version, before)
        self.history.append(changed)
        for listener in tuple(self._listeners):
            listener(changed)


def load(objects: Objects, manifests: Iterable[Object]) -> None:
    """Create every manifest, as a GitOps controller does on an empty cluster."""
    kinds = {(resource.api_version, resource.kind): resource for resource in RESOURCES}
    for manifest in manifests:
        objects.create(kinds[manifest["apiVersion"], manifest["kind"]], manifest)
