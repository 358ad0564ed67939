"""What a sync of an Application has to do, in which order: by phase, wave, kind and name.

https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/
"""

import itertools
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_requests import Target
from sandbox.kubernetes_resources import RESOURCES, Resource

HOOK: Final = "argocd.argoproj.io/hook"
WAVE: Final = "argocd.argoproj.io/sync-wave"
DELETED: Final = "argocd.argoproj.io/hook-delete-policy"
TRACKING: Final = "argocd.argoproj.io/tracking-id"
BEFORE_CREATION: Final = "BeforeHookCreation"
PHASES: Final = ("PreSync", "Sync", "PostSync", "SyncFail")
_KINDS: Final = (
    "Namespace",
    "Secret",
    "ConfigMap",
    "ServiceAccount",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Pod",
    "Deployment",
    "Job",
    "CronJob",
)
"""The rest, custom kinds above all, comes after these."""
_RESOURCES: Final = {(one.api_version, one.kind): one for one in RESOURCES}


@dataclass(slots=True, kw_only=True)
class Task:
    """One object to be applied, and what came of it."""

    manifest: Object
    phase: str
    wave: int
    hook: bool
    result: dict[str, Any] = field(default_factory=dict)
    """Its entry in `syncResult.resources`; empty until it was applied."""

    @property
    def resource(self) -> Resource | None:
        """None: no such kind is served."""
        return _RESOURCES.get((self.manifest["apiVersion"], self.manifest["kind"]))

    @property
    def target(self) -> Target:
        metadata = self.manifest["metadata"]
        assert self.resource is not None  # noqa: S101 (nothing is applied before this was looked at)
        return Target(resource=self.resource, namespace=metadata.get("namespace", ""), name=metadata["name"])

    @property
    def policies(self) -> frozenset[str]:
        """When its hook is deleted."""
        given = _annotations(self.manifest).get(DELETED, BEFORE_CREATION)
        return frozenset(one.strip() for one in given.split(","))

    @property
    def spelled(self) -> str:
        """As messages name it."""
        group, _, _ = self.manifest["apiVersion"].rpartition("/")
        return f"{group}/{self.manifest['kind']}/{self.manifest['metadata']['name']}"


def is_hook(manifest: Object) -> bool:
    return HOOK in _annotations(manifest)


def belonging(manifests: Iterable[Object], application: Object) -> list[Object]:
    """The manifests in the Application's namespace where they name none, and marked as its own."""
    return [_belonging(one, application) for one in manifests]


def tasks_of(manifests: Iterable[Object]) -> list[Task]:
    """In order. A hook of several phases is a task in each of them."""
    return sorted(itertools.chain.from_iterable(map(_tasks, manifests)), key=_order)


def steps(tasks: Iterable[Task]) -> list[list[Task]]:
    """The tasks of each wave of each phase, but for those that only a failure calls for."""
    usual = (one for one in tasks if one.phase != "SyncFail")
    return [list(step) for _, step in itertools.groupby(usual, key=lambda one: (one.phase, one.wave))]


def _tasks(manifest: Object) -> Iterator[Task]:
    annotations = _annotations(manifest)
    wave = _wave(annotations.get(WAVE, ""))
    if HOOK not in annotations:
        yield Task(manifest=manifest, phase="Sync", wave=wave, hook=False)
    for phase in annotations.get(HOOK, "").split(","):
        if phase.strip() in PHASES:
            yield Task(manifest=manifest, phase=phase.strip(), wave=wave, hook=True)


def _wave(text: str) -> int:
    """What is no number counts as none given."""
    try:
        return int(text)
    except ValueError:
        return 0


def _order(task: Task) -> tuple[int, int, int, str]:
    kind = task.manifest["kind"]
    rank = _KINDS.index(kind) if kind in _KINDS else len(_KINDS)
    return PHASES.index(task.phase), task.wave, rank, task.manifest["metadata"]["name"]


def _belonging(manifest: Object, application: Object) -> Object:
    """https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/"""
    mine = deepcopy(manifest)
    metadata = mine["metadata"]
    resource = _RESOURCES.get((mine["apiVersion"], mine["kind"]))
    if resource is None or resource.namespaced:
        metadata.setdefault("namespace", application["spec"]["destination"]["namespace"])
    group = mine["apiVersion"].rpartition("/")[0]
    place = f"{metadata.get('namespace', '')}/{metadata['name']}"
    mark = f"{application['metadata']['name']}:{group}/{mine['kind']}:{place}"
    metadata["annotations"] = {**(metadata.get("annotations") or {}), TRACKING: mark}
    return mine


def _annotations(manifest: Object) -> dict[str, str]:
    return manifest["metadata"].get("annotations") or {}
