"""Applications that a test makes for itself, and what is seen of them."""

import asyncio
import io
import itertools
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from ruamel.yaml import YAML

from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_resources import APPLICATIONS, Resource
from sandbox.manifests import HOOK_IMAGE
from tests.sandbox.controllers.platform import Json, Platform
from tests.waiting import eventually

GITOPS = "ameideio/ameide-gitops"
BACKLOG = "ameideio/ameide-backlog"
URL = f"https://github.com/{GITOPS}.git"
BOOTSTRAP_APPLICATION = "dev-foundation-vault-bootstrap"
REFRESH = "argocd.argoproj.io/refresh"
SKIP = "argocd.argoproj.io/skip-reconcile"
_numbers = itertools.count(1)


class Argo:
    """The people and programs who have to do with Argo CD."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.made: list[str] = []

    # -- Git ----------------------------------------------------------------------------

    def commit(self, path: str, *objects: Object) -> str:
        """Let the file have the objects. The commit."""
        written = io.StringIO()
        YAML(typ="safe", pure=True).dump_all(objects, written)
        return self.commit_text(path, written.getvalue())

    def commit_text(self, path: str, text: str) -> str:
        forge = self.platform.cloud.forge
        return self._done(forge.commit(GITOPS, "main", {path: text}, f"Change {path}"))

    def branch(self, repository: str, branch: str, commit: str) -> None:
        """A new one, as a push makes it."""

        async def move() -> None:
            hosted = self.platform.cloud.forge.find(repository)
            await hosted.git.move(f"refs/heads/{branch}", to=commit, old=None)
            await self.platform.cloud.forge.settle(hosted)

        self._done(move())

    # -- Applications -------------------------------------------------------------------

    def folder(self) -> str:
        """One that nobody uses."""
        return f"tests/{next(_numbers)}"

    def deploy(self, folder: str, *, revision: str = "main", automated: bool = False, **spec: Any) -> str:
        """An Application of the folder, in a namespace that is not there. Its name."""
        name = folder.replace("/", "-")
        source = {"repoURL": URL, "targetRevision": revision, "path": folder}
        policy = {
            "retry": {"limit": 0},
            "syncOptions": ["CreateNamespace=true"],
            **({"automated": {}} if automated else {}),
        }
        application = {
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {"source": source, "destination": {"namespace": name}, "syncPolicy": policy, **spec},
        }
        self.made.append(name)
        self.platform.here(lambda: self.platform.objects.create(APPLICATIONS, application))
        return name

    def change(self, name: str, change: Callable[[Json], Any]) -> None:
        def changed() -> None:
            held = self.platform.objects.get(APPLICATIONS, "argocd", name)
            assert held is not None
            change(held)
            self.platform.objects.replace(APPLICATIONS, held)

        self.platform.here(changed)

    def annotate(self, name: str, **annotations: str) -> None:
        given = {f"argocd.argoproj.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
        self.change(name, lambda held: held["metadata"].setdefault("annotations", {}).update(given))

    def refresh(self, name: str, kind: str = "normal") -> Json:
        """Have it looked at, and wait for that."""
        self.annotate(name, refresh=kind)
        return eventually(lambda: self._unless_marked(name), f"{name} was refreshed")

    def sync(self, name: str, options: tuple[str, ...] = ("CreateNamespace=true",), retries: int = 0) -> None:
        operation = {"sync": {"syncOptions": list(options)}, "retry": {"limit": retries}}

        def begin(held: Json) -> None:
            held["operation"] = operation
            held.get("status", {}).pop("operationState", None)

        self.change(name, begin)

    def remove(self) -> None:
        """All that were made, with what they deployed."""

        def deleted() -> None:
            for name in self.made:
                self.platform.objects.delete(APPLICATIONS, "argocd", name)

        self.platform.here(deleted)

    # -- what is seen -------------------------------------------------------------------

    def get(self, name: str) -> Json:
        held = self.platform.here(lambda: self.platform.objects.get(APPLICATIONS, "argocd", name))
        assert held is not None
        return held

    def becomes(self, name: str, wanted: str) -> Json:
        """The Application, once its sync status is that."""

        def look() -> Json | None:
            held = self.get(name)
            return held if held.get("status", {}).get("sync", {}).get("status") == wanted else None

        return eventually(look, f"{name} is {wanted}")

    def condition(self, name: str, kind: str = "ComparisonError", text: str = "") -> str:
        """The message of the condition, once there is one that has the text."""

        def look() -> str | None:
            conditions = self.get(name).get("status", {}).get("conditions", [])
            messages = [one["message"] for one in conditions if one["type"] == kind]
            return next((one for one in messages if text in one), None)

        return eventually(look, f"{name} has a {kind} with {text!r}")

    def ended(self, name: str) -> Json:
        """The state of the operation that has ended."""

        def look() -> Json | None:
            held = self.get(name)
            state: Json = held.get("status", {}).get("operationState", {})
            return state if "operation" not in held and "finishedAt" in state else None

        return eventually(look, f"the operation of {name} has ended")

    def running(self, name: str, text: str = "") -> Json:
        """The state of the operation that runs and says so."""

        def look() -> Json | None:
            state: Json = self.get(name).get("status", {}).get("operationState", {})
            return state if state.get("phase") == "Running" and text in state["message"] else None

        return eventually(look, f"the operation of {name} runs and says {text!r}")

    def deployed(self, resource: Resource, namespace: str, name: str) -> Json | None:
        return self.platform.here(lambda: self.platform.objects.get(resource, namespace, name))

    def _unless_marked(self, name: str) -> Json | None:
        held = self.get(name)
        return None if REFRESH in held["metadata"].get("annotations", {}) else held

    def _done[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.platform.loop).result(20)


def config_map(name: str, wave: int = 0, **data: str) -> Object:
    return _object("v1", "ConfigMap", name, {"sync-wave": str(wave)}, {"data": data or {"key": "value"}})


def job(name: str, *, code: int = 0, image: str = HOOK_IMAGE, **annotations: str) -> Object:
    """annotations: hook, hook_delete_policy, sync_wave"""
    env = [{"name": "MESSAGE", "value": f"{name} ran"}, {"name": "EXIT_CODE", "value": str(code)}]
    pod = {"restartPolicy": "Never", "containers": [{"name": "one", "image": image, "env": env}]}
    spec = {"backoffLimit": 0, "template": {"spec": pod}}
    marks = {key.replace("_", "-"): value for key, value in annotations.items()}
    return _object("batch/v1", "Job", name, marks, {"spec": spec})


def results(state: Json) -> list[str]:
    """What was done, in order, with how it ended."""
    return [
        f"{one['syncPhase']} {one['kind']} {one['name']}: {one['hookPhase']}"
        for one in state["syncResult"]["resources"]
    ]


def message_of(state: Json, name: str) -> str:
    return next(str(one["message"]) for one in state["syncResult"]["resources"] if one["name"] == name)


def _object(api: str, kind: str, name: str, marks: Mapping[str, str], more: Object) -> Object:
    annotations = {f"argocd.argoproj.io/{key}": value for key, value in marks.items()}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "annotations": annotations}, **more}
