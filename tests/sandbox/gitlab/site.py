"""GitLab of dev, as people and programs around it see and change it."""

import asyncio
import base64
import io
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import requests
from ruamel.yaml import YAML

from sandbox import gitlab_sources
from sandbox.gitlab import GitLab
from sandbox.kubernetes_resources import APPLICATIONS, DEPLOYMENTS, JOBS, PODS, SECRETS
from sandbox.runtime_facts import BRANCH, GITOPS
from tests.sandbox.controllers.platform import Json, Platform, eventually

VALUES = gitlab_sources.values_file("dev")
ORIGINAL = gitlab_sources.files("dev", "dev")[VALUES]
PROVIDER = """\
name: openid_connect
args:
  scope: [openid, profile, email]
  issuer: https://keycloak.dev.ameide.io/realms/ameide
  client_options:
    identifier: gitlab
    redirect_uri: https://gitlab.dev.ameide.io/users/auth/openid_connect/callback
"""


@dataclass
class Site:
    platform: Platform

    # -- what people do -----------------------------------------------------------------

    def seed(self) -> None:
        """Let every secret come that GitLab needs."""
        self.provide()
        self.platform.trust()

    def provide(self) -> None:
        """The Secret by which people sign in, as Keycloak's side makes it."""
        data = {"provider": base64.b64encode(PROVIDER.encode()).decode()}
        metadata = {"name": gitlab_sources.PROVIDER, "namespace": "ameide-dev"}
        if self.platform.get(SECRETS, gitlab_sources.PROVIDER) is None:
            secret = {"metadata": metadata, "type": "Opaque", "data": data}
            self.platform.here(lambda: self.platform.objects.create(SECRETS, secret))

    def change_values(self, change: Callable[[Json], object]) -> None:
        """Of dev, in Git."""
        document = YAML(typ="safe", pure=True).load(self._do(self._forge.read(GITOPS, BRANCH, VALUES)))
        change(document["gitlab"])
        written = io.StringIO()
        YAML(typ="safe", pure=True).dump(document, written)
        self.commit(written.getvalue())

    def restore(self) -> None:
        self.commit(ORIGINAL)

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
