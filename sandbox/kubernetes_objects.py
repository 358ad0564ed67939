"""The objects of one cluster, as its API server keeps them: uid, resourceVersion, creation time."""

import uuid
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from sandbox.timeline import Clock

type Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A kind of object, as discovery names it."""

    plural: str
    singular: str
    kind: str
    short_names: tuple[str, ...]
    namespaced: bool
    api_version: str = "v1"


NAMESPACES = Resource(
    plural="namespaces", singular="namespace", kind="Namespace", short_names=("ns",), namespaced=False
)
SERVICE_ACCOUNTS = Resource(
    plural="serviceaccounts",
    singular="serviceaccount",
    kind="ServiceAccount",
    short_names=("sa",),
    namespaced=True,
)
RESOURCES = {resource.plural: resource for resource in (NAMESPACES, SERVICE_ACCOUNTS)}


class Objects:
    """Every change takes the next resource version, which also stamps lists."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._objects: dict[tuple[str, str, str], Object] = {}
        self._version = 1

    @property
    def version(self) -> str:
        return str(self._version)

    def create(self, resource: Resource, manifest: Object) -> Object:
        """Take the object in, with the fields that a server gives it. Raises KeyError if it is there."""
        created = deepcopy(manifest)
        metadata = created["metadata"]
        key = (resource.plural, metadata.get("namespace", ""), metadata["name"])
        if key in self._objects:
            raise KeyError(key)
        self._version += 1
        metadata["uid"] = str(uuid.uuid4())
        metadata["resourceVersion"] = self.version
        metadata["creationTimestamp"] = f"{self._clock():%Y-%m-%dT%H:%M:%SZ}"
        self._objects[key] = created
        return deepcopy(created)

    def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        held = self._objects.get((resource.plural, namespace, name))
        return deepcopy(held) if held else None

    def list(self, resource: Resource, namespace: str = "") -> list[Object]:
        """The objects of the namespace, or of all of them, ordered by namespace and name."""
        return [
            deepcopy(held)
            for (plural, where, _), held in sorted(self._objects.items(), key=lambda item: item[0])
            if plural == resource.plural and namespace in ("", where)
        ]


def load(objects: Objects, manifests: Iterable[Object]) -> None:
    """Create every manifest, as a GitOps controller does on an empty cluster."""
    kinds = {resource.kind: resource for resource in RESOURCES.values()}
    for manifest in manifests:
        objects.create(kinds[manifest["kind"]], manifest)
