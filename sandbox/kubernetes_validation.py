"""What a server refuses to keep: wrong names, missing fields, and changes of what cannot be changed.

https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.kubernetes_errors import Cause
from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    CRON_JOBS,
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    PODS,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    Resource,
)

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")

type Faults = Iterator[Cause]


def faults(resource: Resource, given: Object) -> list[Cause]:
    """Everything that is wrong with an object by itself."""
    found = [*_name_faults(resource, given["metadata"].get("name")), *_label_faults(given["metadata"])]
    check = _CHECKS.get(resource)
    return [*found, *(check(given) if check else ())]


def refused_changes(resource: Resource, before: Object, after: Object) -> list[Cause]:
    """Every change of a field that is settled once an object is there."""
    return [
        # The value stays unsaid: it may be a secret's.
        _invalid(".".join(path), "field is immutable")
        for path in _settled(resource, before)
        if _at(before, path) != _at(after, path)
    ]


def _settled(resource: Resource, before: Object) -> Iterator[tuple[str, ...]]:
    match resource:
        case _ if resource == JOBS:
            yield from (("spec", name) for name in ("template", "selector", "completionMode"))
        case _ if resource == DEPLOYMENTS:
            yield ("spec", "selector")
        case _ if resource in (ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS):
            yield ("roleRef",)
        case _ if resource == SECRETS:
            yield ("type",)
    if resource in (SECRETS, CONFIG_MAPS) and before.get("immutable"):
        yield from ((name,) for name in ("immutable", "data", "binaryData"))


def _at(held: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        held = (held or {}).get(name)
    return held


def _name_faults(resource: Resource, name: Any) -> Faults:
    if not name:
        yield _required("metadata.name", "name or generateName is required")
    elif resource in (ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS):
        if name in (".", "..") or "/" in name or "%" in name:
            yield _invalid("metadata.name", f"\"{name}\": may not contain '/' or '%'")
    elif resource == NAMESPACES:
        if not _LABEL.fullmatch(name) or len(name) > 63:
            yield _misnamed(name, "label", "'-'", _LABEL)
    elif not _SUBDOMAIN.fullmatch(name) or len(name) > 253:
        yield _misnamed(name, "subdomain", "'-' or '.'", _SUBDOMAIN)
    elif resource == CRON_JOBS and len(name) > 52:
        yield _invalid("metadata.name", f'"{name}": must be no more than 52 characters')


def _misnamed(name: str, what: str, marks: str, pattern: re.Pattern[str]) -> Cause:
    said = (
        f"a lowercase RFC 1123 {what} must consist of lower case alphanumeric characters, {marks}, and must "
        f"start and end with an alphanumeric character (regex used for validation is '{pattern.pattern}')"
    )
    return _invalid("metadata.name", f'"{name}": {said}')


def _label_faults(metadata: Object) -> Faults:
    for value in (metadata.get("labels") or {}).values():
        if not _LABEL_VALUE.fullmatch(value) or len(value) > 63:
            yield _invalid("metadata.labels", f'"{value}": no valid label')


def _keys(given: Object) -> Faults:
    for field in ("data", "binaryData"):
        for key in given.get(field) or ():
            if not _DATA_KEY.fullmatch(key):
                yield _invalid(f"{field}[{key}]", f'"{key}": no valid key')


def _secret(given: Object) -> Faults:
    yield from _keys(given)
    for name, value in (given.get("data") or {}).items():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError, ValueError):
            # The value stays unsaid: it may be the secret itself.
            yield _invalid(f"data[{name}]", "illegal base64 data")


def _pod(given: Object) -> Faults:
    yield from _pod_spec(given.get("spec") or {}, "spec")


def _job(given: Object) -> Faults:
    yield from _job_spec(given.get("spec") or {}, "spec")


def _cron_job(given: Object) -> Faults:
    spec = given.get("spec") or {}
    if not spec.get("schedule"):
        yield _required("spec.schedule")
    yield from _job_spec((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")


def _job_spec(spec: Object, at: str) -> Faults:
    template = (spec.get("template") or {}).get("spec") or {}
    yield from _pod_spec(template, f"{at}.template.spec")
    policy, field = template.get("restartPolicy"), f"{at}.template.spec.restartPolicy"
    if not policy:
        yield _required(field, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield _unsupported(field, policy, "OnFailure", "Never")


def _deployment(given: Object) -> Faults:
    spec = given.get("spec") or {}
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    selector = (spec.get("selector") or {}).get("matchLabels") or {}
    if not selector:
        yield _required("spec.selector")
    elif not selector.items() <= labels.items():
        yield _invalid("spec.template.metadata.labels", "`selector` does not match template `labels`")
    yield from _pod_spec(template.get("spec") or {}, "spec.template.spec")
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if policy != "Always":
        yield _unsupported("spec.template.spec.restartPolicy", policy, "Always")


def _pod_spec(spec: Object, at: str) -> Faults:
    if not spec.get("containers"):
        yield _required(f"{at}.containers")
    for sort in ("containers", "initContainers"):
        for i, container in enumerate(spec.get(sort) or ()):
            yield from (
                _required(f"{at}.{sort}[{i}].{name}") for name in ("name", "image") if not container.get(name)
            )


def _binding(given: Object) -> Faults:
    reference = given.get("roleRef") or {}
    if not reference.get("name"):
        yield _required("roleRef.name")
    if reference.get("kind") not in ("Role", "ClusterRole"):
        yield _unsupported("roleRef.kind", reference.get("kind", ""), "ClusterRole", "Role")


def _role(given: Object) -> Faults:
    for i, rule in enumerate(given.get("rules") or ()):
        if not rule.get("verbs"):
            yield _required(f"rules[{i}].verbs", "verbs must contain at least one value")


def _required(field: str, said: str = "") -> Cause:
    return Cause(field, f"Required value{': ' + said if said else ''}", "FieldValueRequired")


def _invalid(field: str, said: str) -> Cause:
    return Cause(field, f"Invalid value: {said}", "FieldValueInvalid")


def _unsupported(field: str, value: str, *supported: str) -> Cause:
    known = ", ".join(f'"{one}"' for one in supported)
    return Cause(field, f'Unsupported value: "{value}": supported values: {known}', "FieldValueNotSupported")


_CHECKS: dict[Resource, Callable[[Object], Faults]] = {
    PODS: _pod,
    JOBS: _job,
    CRON_JOBS: _cron_job,
    DEPLOYMENTS: _deployment,
    CONFIG_MAPS: _keys,
    SECRETS: _secret,
    ROLES: _role,
    CLUSTER_ROLES: _role,
    ROLE_BINDINGS: _binding,
    CLUSTER_ROLE_BINDINGS: _binding,
}
