"""Who manages which fields of an object.

A field is a path such as ("f:spec", "f:suspend") or ("f:containers", 'k:{"name":"app"}', "f:image").
Statuses are left out: here only controllers write them.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes_lists import item_key
from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_resources import Resource

type Path = tuple[str, ...]

_OF_SERVER = (
    "creationTimestamp",
    "deletionTimestamp",
    "generateName",
    "generation",
    "managedFields",
    "name",
    "namespace",
    "resourceVersion",
    "selfLink",
    "uid",
)
_UNMANAGED = {
    ("f:apiVersion",),
    ("f:kind",),
    ("f:status",),
    *(("f:metadata", f"f:{name}") for name in _OF_SERVER),
}


@dataclass(frozen=True, slots=True)
class Manager:
    name: str
    operation: str
    """Apply or Update: the same name may stand for both, and they are two managers."""


BEFORE_FIRST_APPLY = Manager("before-first-apply", "Update")

type Managers = dict[Manager, set[Path]]


def fields_of(resource: Resource, given: Object | None) -> dict[Path, Any]:
    """Every field that can be managed, with its value."""
    return {
        path: value
        for path, value in _leaves(resource, given or {}, ())
        if path and path[:1] not in _UNMANAGED and path[:2] not in _UNMANAGED
    }


def managers_of(resource: Resource, held: Object) -> Managers:
    """Who manages what. An object that nobody wrote through the API is managed by nobody known."""
    entries = held["metadata"].get("managedFields") or ()
    if not entries:
        return {BEFORE_FIRST_APPLY: set(fields_of(resource, held))}
    return {
        Manager(entry["manager"], entry["operation"]): set(_paths(entry.get("fieldsV1") or {}, ()))
        for entry in entries
        if entry.get("manager") and entry.get("subresource", "") == ""
    }


def managed(resource: Resource, held: Object, managers: Managers, now: str) -> Object:
    """The object with its managers written down. An entry that says the same as before keeps its time."""
    before = {
        Manager(one["manager"], one["operation"]): one
        for one in held["metadata"].get("managedFields") or ()
        if one.get("manager")
    }
    entries = []
    for manager, paths in managers.items():
        entry = {
            "manager": manager.name,
            "operation": manager.operation,
            "apiVersion": resource.api_version,
            "time": now,
            "fieldsType": "FieldsV1",
            "fieldsV1": _tree(paths),
        }
        known = before.get(manager, {})
        if paths:
            entries.append(known if known.get("fieldsV1") == entry["fieldsV1"] else entry)
    metadata = {**held["metadata"], "managedFields": entries}
    if not entries:
        del metadata["managedFields"]
    return {**held, "metadata": metadata}


def updated(resource: Resource, before: Object | None, after: Object, name: str, now: str) -> Object:
    """The object after a plain write: what the write changed is its writer's, and nobody else's."""
    old, new = fields_of(resource, before), fields_of(resource, after)
    managers = managers_of(resource, _told(before, after)) if before else {}
    changed = {path for path, value in new.items() if path not in old or old[path] != value}
    kept = {one: {path for path in paths - changed if path in new} for one, paths in managers.items()}
    writer = Manager(name, "Update")
    kept[writer] = kept.get(writer, set()) | changed
    return managed(resource, _told(before, after) if before else after, kept, now)


def _told(before: Object, after: Object) -> Object:
    """The object after the write, with the managers that the write names, or else with those before it."""
    entries = after["metadata"].get("managedFields") or before["metadata"].get("managedFields") or []
    return {**after, "metadata": {**after["metadata"], "managedFields": entries}}


def _leaves(resource: Resource, value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(resource, inner, (*path, f"f:{name}"))
        return
    keys = _item_keys(resource, path, value)
    if keys is None:
        yield path, value
        return
    for key, item in zip(keys, value, strict=True):
        yield from _leaves(resource, item, (*path, key))


def _item_keys(resource: Resource, path: Path, value: Any) -> list[str] | None:
    """The names of a list's items; None where the value is no list of named items."""
    if not isinstance(value, list) or not value:
        return None
    if resource.custom and path[:1] != ("f:metadata",):
        return None
    keys = [item_key(path[-1].removeprefix("f:"), item) for item in value]
    known = [key for key in keys if key is not None]
    return known if len(set(known)) == len(value) else None


def _paths(tree: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for name, inner in tree.items():
        if name == ".":
            continue
        if inner and set(inner) != {"."}:
            yield from _paths(inner, (*path, name))
        else:
            yield (*path, name)


def _tree(paths: Iterable[Path]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for path in sorted(paths):
        place = root
        for name in path:
            place = place.setdefault(name, {})
    return root


def spelled(path: Path) -> str:
    """The field as conflicts name it: .spec.containers[name="app"].image"""
    return "".join(_spelled(part) for part in path)


def _spelled(part: str) -> str:
    sort, _, text = part.partition(":")
    if sort == "f":
        return f".{text}"
    if sort == "v":
        return f"[={text}]"
    return "[" + ",".join(f"{name}={json.dumps(value)}" for name, value in json.loads(text).items()) + "]"
