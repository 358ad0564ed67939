"""Changes of objects that come through the API, held to the rules of a server.

https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes_apply import applied
from sandbox.kubernetes_defaults import begun, defaulted
from sandbox.kubernetes_errors import (
    Cause,
    bad_request,
    conflict,
    forbidden,
    invalid,
    not_found,
)
from sandbox.kubernetes_fields import updated
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_requests import Target
from sandbox.kubernetes_resources import JOBS, NAMESPACES, SERVICE_ACCOUNTS, Resource
from sandbox.kubernetes_validation import faults, refused_changes

_OF_SERVER = (
    "creationTimestamp",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)

type Changing = Callable[[Object], Object]
"""From the object that is there to the one that is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    manager: str
    """Who writes, as the fields' management names it."""
    dry_run: bool = False
    """Answer as if it were done."""
    force: bool = False
    """Take fields from other appliers."""


class Writes:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def create(self, target: Target, given: Object, options: Options) -> Object:
        """Raises StatusError: 400, 404 without the namespace, 409 for a name that is taken, 422."""
        fresh = self._fresh(target, given)
        resource = target.resource
        return self._begin(
            target, updated(resource, None, fresh, options.manager, self._objects.now()), options
        )

    def update(self, target: Target, change: Changing, options: Options) -> Object:
        """Change the object, or its status alone where the path says so.

        Raises StatusError: 400, 404, 409 for a version that is not the latest, 422.
        """
        held = self._held(target)
        wanted = self._addressed(target, change(held))
        after = _merged(target, held, wanted)
        if target.subresource != "status":
            after = defaulted(target.resource, after)
            _check(target.resource, after)
            if found := refused_changes(target.resource, held, after):
                raise invalid(target.resource, target.name, found)
            after = updated(target.resource, held, after, options.manager, self._objects.now())
        return self._store(options).replace(target.resource, after)

    def replace(self, target: Target, given: Object, options: Options) -> Object:
        """As `update`. A custom object must say which version it replaces."""
        if target.resource.custom and not (given.get("metadata") or {}).get("resourceVersion"):
            found = "Invalid value: 0: must be specified for an update"
            raise invalid(
                target.resource, target.name, [Cause("metadata.resourceVersion", found, "FieldValueInvalid")]
            )
        return self.update(target, lambda _: given, options)

    def apply(self, target: Target, given: Object, options: Options) -> tuple[Object, bool]:
        """Create or change the object so that it has what is given. Says whether it was created."""
        resource, now = target.resource, self._objects.now()
        given = self._addressed(target, given)
        if given["metadata"].get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        given = _without_status(resource, given)
        force, manager = options.force, options.manager
        held = self._objects.get(resource, target.namespace, target.name)
        if held is None:
            bare = self._fresh(target, {"metadata": {"name": target.name}})
            fresh = applied(resource, begun(resource, bare), given, manager=manager, force=force, now=now)
            return self._begin(target, fresh, options), True
        after = applied(resource, held, given, manager=manager, force=force, now=now)
        after = defaulted(resource, _merged(target, held, after))
        _check(resource, after)
        if found := refused_changes(resource, held, after):
            raise invalid(resource, target.name, found)
        return self._store(options).replace(resource, after), False

    def delete(self, target: Target, asked: Mapping[str, Any], options: Options) -> Object:
        """asked: DeleteOptions. Raises StatusError: 404, and 409 when a precondition does not hold."""
        held = self._held(target)
        for name, value in (asked.get("preconditions") or {}).items():
            if value and value != held["metadata"].get(name):
                spelled = {"uid": "UID"}.get(name, "ResourceVersion")
                raise conflict(
                    target.resource,
                    target.name,
                    f"Precondition failed: {spelled} in precondition: {value}, {spelled} in object meta: "
                    f"{held['metadata'].get(name)}",
                )
        policy = asked.get("propagationPolicy") or _usual_policy(target.resource)
        return self._store(options).delete(
            target.resource, target.namespace, target.name, orphan=policy == "Orphan"
        )

    # -- how --------------------------------------------------------------------------

    def _store(self, options: Options) -> Objects:
        return self._objects.rehearsal() if options.dry_run else self._objects

    def _held(self, target: Target) -> Object:
        held = self._objects.get(target.resource, target.namespace, target.name)
        if held is None:
            raise not_found(target.resource, target.name)
        return held

    def _fresh(self, target: Target, given: Object) -> Object:
        """The object as it begins, named, and in its namespace."""
        fresh = self._addressed(target, given)
        metadata = {name: value for name, value in fresh["metadata"].items() if name not in _OF_SERVER}
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = f"{metadata['generateName']}{uuid.uuid4().hex[:5]}"
        return begun(target.resource, defaulted(target.resource, {**fresh, "metadata": metadata}))

    def _begin(self, target: Target, fresh: Object, options: Options) -> Object:
        resource, store = target.resource, self._store(options)
        fresh = defaulted(resource, fresh)
        _check(resource, fresh)
        self._require_namespace(target, fresh)
        made = store.create(resource, fresh)
        if resource == NAMESPACES:
            # Controllers do this in a cluster, a moment later.
            account = {"metadata": {"name": "default", "namespace": made["metadata"]["name"]}}
            store.create(SERVICE_ACCOUNTS, account)
        return made

    def _require_namespace(self, target: Target, fresh: Object) -> None:
        if not target.resource.namespaced:
            return
        held = self._objects.get(NAMESPACES, "", target.namespace)
        if held is None:
            raise not_found(NAMESPACES, target.namespace)
        if "deletionTimestamp" in held["metadata"]:
            raise forbidden(
                target.resource,
                fresh["metadata"]["name"],
                f"unable to create new content in namespace {target.namespace} "
                "because it is being terminated",
            )

    def _addressed(self, target: Target, given: Object) -> Object:
        """The object with the name and namespace of its path, which it may not contradict."""
        resource = target.resource
        for name, expected in (("kind", resource.kind), ("apiVersion", resource.api_version)):
            if given.get(name, expected) != expected:
                raise bad_request(
                    f"{name} in the data ({given[name]}) does not match the expected one ({expected})"
                )
        metadata = _metadata(given)
        if target.name and metadata.setdefault("name", target.name) != target.name:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match the name on the URL "
                f"({target.name})"
            )
        if resource.namespaced:
            if metadata.setdefault("namespace", target.namespace) != target.namespace:
                raise bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request"
                )
        else:
            metadata.pop("namespace", None)
        return {**given, "metadata": metadata}


def _metadata(given: Object) -> Object:
    """In a copy. Raises StatusError (400) where it is not what every object has."""
    metadata = given.get("metadata") or {}
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name", ""), str):
        raise bad_request("metadata cannot be read")
    for field in ("labels", "annotations"):
        values = metadata.get(field) or {}
        if not isinstance(values, dict) or not all(isinstance(one, str) for one in values.values()):
            raise bad_request(f"metadata.{field} is no map of strings")
    return dict(metadata)


def _merged(target: Target, held: Object, wanted: Object) -> Object:
    """The object to keep: a write of the object leaves its status alone, and the reverse."""
    if target.subresource == "status":
        guards = {name: wanted["metadata"].get(name) for name in ("resourceVersion", "uid")}
        metadata = {**held["metadata"], **{name: value for name, value in guards.items() if value}}
        return {**held, "metadata": metadata, "status": wanted.get("status") or {}}
    status = {"status": held["status"]} if "status" in held else {}
    return {**_without_status(target.resource, wanted), **(status if target.resource.has_status else {})}


def _without_status(resource: Resource, given: Object) -> Object:
    return {name: value for name, value in given.items() if name != "status" or not resource.has_status}


def _check(resource: Resource, given: Object) -> None:
    if found := faults(resource, given):
        raise invalid(resource, given["metadata"].get("name") or "", found)


def _usual_policy(resource: Resource) -> str:
    # Jobs leave their pods behind unless told otherwise, as they did before owners were collected.
    # https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/batch/job/strategy.go
    return "Orphan" if resource == JOBS else "Background"
