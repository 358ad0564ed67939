"""What Git says of an Application against what the cluster has, and what is told of that in its status.

Compared is what the server would make of the manifest, as with Argo CD's server-side diff.
https://argo-cd.readthedocs.io/en/stable/user-guide/diff-strategies/
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sandbox.argo_health import MISSING, health_of, worst
from sandbox.argo_sync import WRITER
from sandbox.argo_tasks import Task, belonging, is_hook, tasks_of
from sandbox.kubernetes_errors import StatusError
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_writes import Writes

SYNCED: Final = "Synced"
OUT_OF_SYNC: Final = "OutOfSync"
UNKNOWN: Final = "Unknown"
_REHEARSED: Final = replace(WRITER, dry_run=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    commit: str | None
    """None: there is nothing to compare with."""
    error: str | None = None
    """Why not."""
    resources: tuple[Mapping[str, Any], ...] = ()
    """Entries of `status.resources`."""

    @property
    def sync(self) -> str:
        if self.commit is None:
            return UNKNOWN
        return OUT_OF_SYNC if any(one["status"] != SYNCED for one in self.resources) else SYNCED


def unknown(error: str) -> Comparison:
    return Comparison(commit=None, error=error)


def compared(objects: Objects, application: Object, commit: str, manifests: Iterable[Object]) -> Comparison:
    """Hooks are not compared: they are run, and are no state."""
    mine = [one for one in belonging(manifests, application) if not is_hook(one)]
    return Comparison(commit=commit, resources=tuple(_compare(objects, one) for one in tasks_of(mine)))


def status_of(application: Object, found: Comparison, sync_error: str | None, now: str) -> dict[str, Any]:
    """The Application's status after the comparison. Where nothing could be compared, its health and what
    belongs to it stay as they were told last.
    """
    status: dict[str, Any] = dict(application.get("status") or {})
    spec = application["spec"]
    status["sync"] = {
        "status": found.sync,
        "comparedTo": {"source": spec["source"], "destination": spec["destination"]},
        **({"revision": found.commit} if found.commit else {}),
    }
    said = {"ComparisonError": found.error, "SyncError": sync_error}
    status["conditions"] = _conditions(status.get("conditions") or [], said, now)
    if found.commit is not None:
        status["resources"] = [dict(one) for one in found.resources]
        health = worst(one["health"]["status"] for one in found.resources if "health" in one)
        before = status.get("health") or {}
        if before.get("status") != health:
            status["health"] = {"status": health, "lastTransitionTime": now}
    kind = "Helm" if "helm" in spec["source"] else "Directory"
    return {**status, "sourceType": kind, "reconciledAt": now}


def _compare(objects: Objects, task: Task) -> dict[str, Any]:
    manifest = task.manifest
    group, _, version = manifest["apiVersion"].rpartition("/")
    held = None
    same = False
    if task.resource is not None:
        target = task.target
        held = objects.get(target.resource, target.namespace, target.name)
        same = held is not None and _same(objects, task, held)
    health = health_of(held) if held else None
    told = {"status": health.status, "message": health.message} if health else None
    return {
        "group": group,
        "version": version,
        "kind": manifest["kind"],
        "namespace": manifest["metadata"].get("namespace", ""),
        "name": manifest["metadata"]["name"],
        "status": SYNCED if same else OUT_OF_SYNC,
        **({"health": {"status": MISSING}} if held is None else {"health": told} if told else {}),
    }


def _same(objects: Objects, task: Task, held: Object) -> bool:
    """Whether applying the manifest would change nothing but who manages what."""
    try:
        after, _ = Writes(objects).apply(task.target, task.manifest, _REHEARSED)
    except StatusError:
        return False
    return _bare(after) == _bare(held)


def _bare(one: Object) -> Object:
    unlike = ("managedFields", "resourceVersion")
    metadata = {name: value for name, value in one["metadata"].items() if name not in unlike}
    return {**one, "metadata": metadata}


def _conditions(held: list[dict[str, Any]], said: Mapping[str, str | None], now: str) -> list[dict[str, Any]]:
    """The conditions with what is said among them; the time of one is kept while its message is the same."""
    kept = [one for one in held if one["type"] not in said]
    for kind, message in said.items():
        if message is not None:
            fresh = {"type": kind, "message": message, "lastTransitionTime": now}
            same = (one for one in held if (one["type"], one["message"]) == (kind, message))
            kept.append(next(same, fresh))
    return kept
