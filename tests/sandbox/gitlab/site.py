"""GitLab of dev, as people and programs around it see and change it."""

import asyncio
import io
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import requests
from ruamel.yaml import YAML

from sandbox import gitlab_sources
from sandbox.gitlab import CREDENTIALS, GitLab, new_gitlab
from sandbox.kubernetes_resources import APPLICATIONS, CONFIG_MAPS, DEPLOYMENTS, JOBS, PODS, SECRETS
from sandbox.runtime_facts import BRANCH, GITOPS
from tests.sandbox.controllers.platform import Json, Platform
from tests.waiting import eventually

VALUES = gitlab_sources.values_file("dev")
ORIGINAL = gitlab_sources.files("dev", "dev")[VALUES]

_numbers = itertools.count(100)


@dataclass
class Site:
    platform: Platform

    # -- what people do -----------------------------------------------------------------

    def seed(self) -> None:
        """Let every secret come that GitLab needs, those of Keycloak among them."""
        self.platform.trust()
        names = (CREDENTIALS, gitlab_sources.PROVIDER)
        eventually(lambda: all(self.platform.get(SECRETS, one) for one in names), "both Secrets are there")

    def renew(self) -> None:
        """GitLab as it is when it was just deployed, in the cluster that there is."""
        eventually(lambda: "operation" not in self.application(), "no operation of Argo CD waits")
        self.platform.here(self._remove)
        self.restore()

    def _remove(self) -> None:
        objects, held = self.platform.objects, self.gitlab
        fresh = new_gitlab(objects, "ameide-dev")
        held.postgres, held.storage_knows_us, held.gateway = fresh.postgres, True, fresh.gateway
        for resource in (JOBS, DEPLOYMENTS, CONFIG_MAPS):
            for one in objects.list(resource, "ameide-dev"):
                if (one["metadata"].get("labels") or {}).get("release") == gitlab_sources.RELEASE:
                    objects.delete(resource, "ameide-dev", one["metadata"]["name"])

    def change_values(self, change: Callable[[Json], object]) -> None:
        """Of dev, in Git."""
        document = YAML(typ="safe", pure=True).load(self._do(self._forge.read(GITOPS, BRANCH, VALUES)))
        change(document["gitlab"])
        written = io.StringIO()
        YAML(typ="safe", pure=True).dump(document, written)
        self.commit(written.getvalue())

    def restore(self) -> None:
        """In a commit that there was not, so that Argo CD syncs it."""
        self.commit(ORIGINAL.replace('rerun: "1"', f'rerun: "{next(_numbers)}"'))

    def commit(self, text: str) -> None:
        self._do(self._forge.commit(GITOPS, BRANCH, {VALUES: text}, "Change the values of GitLab"))

    def break_(self, variant: str) -> None:
        self.platform.world.control.break_(variant, "dev")

    # -- what is seen of it -------------------------------------------------------------

    @property
    def gitlab(self) -> GitLab:
        return self.platform.cloud._controllers.stage("dev", self._forge).gitlab

    def ask(self, path: str = "/users/sign_in", method: str = "GET") -> requests.Response:
        told = self.platform.world.described
        return requests.request(
            method, told["web"]["dev"]["gitlab"] + path, verify=told["ca"], timeout=10, allow_redirects=False
        )

    def becomes(self, status: int, path: str = "/users/sign_in") -> None:
        eventually(lambda: self.ask(path).status_code == status, f"{path} is answered with {status}")

    def jobs(self) -> list[Json]:
        """The migrations', but for those in the background."""
        return [
            one
            for one in self.platform.all(JOBS)
            if one["metadata"].get("labels", {}).get("app") == "migrations"
            and "-bbm-" not in one["metadata"]["name"]
        ]

    def job(self, ending: str, known: tuple[str, ...] = ()) -> Json:
        """One that has ended so and is not among those that are known by name, once it does."""

        def look() -> Json | None:
            return next(
                (
                    one
                    for one in self.jobs()
                    if one["metadata"]["name"] not in known and ending in conditions(one)
                ),
                None,
            )

        return eventually(look, f"a migrations Job is {ending}")

    def log(self, job: Json) -> str:
        """Of all its pods that there are."""
        return "\n".join(self.platform.here(lambda: self._log(job)))

    def _log(self, job: Json) -> list[str]:
        objects = self.platform.objects
        return [
            objects.log("ameide-dev", pod["metadata"]["name"], "migrations")
            for pod in objects.list(PODS, "ameide-dev")
            if pod["metadata"]["labels"].get("job-name") == job["metadata"]["name"]
        ]

    def pods(self, app: str) -> list[Json]:
        return [one for one in self.platform.all(PODS) if one["metadata"]["labels"].get("app") == app]

    def waits(self, said: str) -> None:
        """Every pod of webservice waits for its database, and says so."""

        def look() -> bool:
            pods = self.pods("webservice")
            stuck = [waiting(one, "dependencies") == "CrashLoopBackOff" for one in pods]
            return bool(pods) and all(stuck) and said in self._log_of(pods[0], "dependencies")

        eventually(look, f"pods wait: {said}")

    def log_of_webservice(self) -> str:
        (pod,) = self.pods("webservice")
        return self._log_of(pod, "webservice")

    def _log_of(self, pod: Json, container: str) -> str:
        name = pod["metadata"]["name"]
        return self.platform.here(lambda: self.platform.objects.log("ameide-dev", name, container))

    def deployment(self, name: str = "platform-gitlab-webservice-default") -> Json:
        return eventually(lambda: self.platform.get(DEPLOYMENTS, name), f"there is {name}")

    def application(self) -> Json:
        found = self.platform.here(
            lambda: self.platform.objects.get(APPLICATIONS, "argocd", "dev-platform-gitlab")
        )
        assert found is not None
        return found

    # -- how ----------------------------------------------------------------------------

    @property
    def _forge(self) -> Any:
        return self.platform.cloud.forge

    def _do[T](self, made: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(made, self.platform.loop).result(20)


def conditions(held: Json) -> dict[str, str]:
    """Reason of each condition that holds, by type."""
    found = held.get("status", {}).get("conditions", [])
    return {one["type"]: one.get("reason", "") for one in found if one["status"] == "True"}


def waiting(pod: Json, container: str) -> str:
    """Why a container of it does not run."""
    status = pod.get("status", {})
    states = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    return str(
        next(
            (one["state"].get("waiting", {}).get("reason", "") for one in states if one["name"] == container),
            "",
        )
    )
