"""What a server makes of an object before it keeps it: defaults, and what only the server may say.

https://kubernetes.io/docs/reference/kubernetes-api/ names the defaults at each field.
"""

import base64
from collections.abc import Callable
from copy import deepcopy

from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_resources import (
    CLUSTER_ROLE_BINDINGS,
    CRON_JOBS,
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    PODS,
    ROLE_BINDINGS,
    SECRETS,
    Resource,
)

_RBAC = "rbac.authorization.k8s.io"


def defaulted(resource: Resource, given: Object) -> Object:
    """The object with its kind's defaults, in a copy."""
    result = deepcopy(given)
    result["apiVersion"], result["kind"] = resource.api_version, resource.kind
    fill = _FILLS.get(resource)
    if fill:
        fill(result)
    return result


def begun(resource: Resource, given: Object) -> Object:
    """A new object with the status that it begins with: what its writer says of it does not count."""
    if not resource.has_status:
        return given
    first = {NAMESPACES: {"phase": "Active"}, PODS: {"phase": "Pending"}}.get(resource)
    rest = {name: value for name, value in given.items() if name != "status"}
    if first:
        return {**rest, "status": first}
    return rest if resource.custom else {**rest, "status": {}}


def _fill_namespace(given: Object) -> None:
    given.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    labels = given["metadata"].get("labels") or {}
    given["metadata"]["labels"] = {**labels, "kubernetes.io/metadata.name": given["metadata"].get("name", "")}


def _fill_secret(given: Object) -> None:
    """Plain strings are for writing only: they are kept, and shown, encoded."""
    given.setdefault("type", "Opaque")
    plain = given.pop("stringData", None) or {}
    encoded = {name: base64.b64encode(str(text).encode()).decode() for name, text in plain.items()}
    if encoded:
        given["data"] = {**(given.get("data") or {}), **encoded}


def _fill_pod(given: Object) -> None:
    spec = given.get("spec") or {}
    for name, value in (("restartPolicy", "Always"), ("serviceAccountName", "default")):
        spec.setdefault(name, value)


def _fill_job(given: Object) -> None:
    spec = given.get("spec") or {}
    for name, value in (
        ("parallelism", 1),
        ("completions", 1),
        ("backoffLimit", 6),
        ("completionMode", "NonIndexed"),
        ("suspend", False),
    ):
        spec.setdefault(name, value)
    name, template = given["metadata"].get("name"), spec.get("template")
    if name and isinstance(template, dict):
        metadata = template.get("metadata") or {}
        labels = {"batch.kubernetes.io/job-name": name, "job-name": name}
        template["metadata"] = {**metadata, "labels": {**(metadata.get("labels") or {}), **labels}}


def _fill_cron_job(given: Object) -> None:
    spec = given.get("spec") or {}
    for name, value in (
        ("concurrencyPolicy", "Allow"),
        ("suspend", False),
        ("successfulJobsHistoryLimit", 3),
        ("failedJobsHistoryLimit", 1),
    ):
        spec.setdefault(name, value)


def _fill_deployment(given: Object) -> None:
    spec = given.get("spec") or {}
    for name, value in (("replicas", 1), ("revisionHistoryLimit", 10), ("progressDeadlineSeconds", 600)):
        spec.setdefault(name, value)
    if not spec.get("strategy"):
        quarter = {"maxSurge": "25%", "maxUnavailable": "25%"}
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": quarter}
    template = spec.get("template")
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        template["spec"].setdefault("restartPolicy", "Always")


def _fill_binding(given: Object) -> None:
    (given.get("roleRef") or {}).setdefault("apiGroup", _RBAC)
    for subject in given.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", _RBAC)


_FILLS: dict[Resource, Callable[[Object], None]] = {
    NAMESPACES: _fill_namespace,
    SECRETS: _fill_secret,
    PODS: _fill_pod,
    JOBS: _fill_job,
    CRON_JOBS: _fill_cron_job,
    DEPLOYMENTS: _fill_deployment,
    ROLE_BINDINGS: _fill_binding,
    CLUSTER_ROLE_BINDINGS: _fill_binding,
}
