"""What acts in the platform's cluster: started with each build of it, ended with it.

    Git, facts -> CronJob -> Job -> pod -> bootstrap -> Vault -> stores -> ExternalSecrets -> Secrets

Every arrow is a controller that sees only what stands to its left, so a repair at the root heals everything
behind it, and a symptom that was painted over comes back.
"""

import asyncio
import base64
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from sandbox import (
    gitlab_programs,
    gitops,
    hook_program,
    keycloak_client_patcher,
    keycloak_master_bootstrap,
    manifests,
)
from sandbox.argo_controller import ApplicationController
from sandbox.argo_git import Access
from sandbox.argo_manifests import RepoServer
from sandbox.argo_notifications import Notifications
from sandbox.argo_notifier import Notifier
from sandbox.argo_values import ArgoValues, Published
from sandbox.cloud import Cloud
from sandbox.cron_jobs import CronJobs
from sandbox.deployments import Deployments
from sandbox.external_secrets import ExternalSecrets
from sandbox.forge import Forge
from sandbox.forge_records import Pushed
from sandbox.gitlab import new_gitlab
from sandbox.inputs import InputError
from sandbox.installations import Installation
from sandbox.jobs import Jobs
from sandbox.keycloak import FirstAdmin, Keycloak
from sandbox.keycloak_imports import RealmImports
from sandbox.keycloak_names import FIRST_ADMIN
from sandbox.kubelet import Kubelet, Node, Program
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_resources import SECRETS
from sandbox.kubernetes_tokens import ServiceAccountTokens
from sandbox.records import ApiEndpoint, Cluster
from sandbox.runtime_facts import FACTS, GITOPS
from sandbox.stages import Stage
from sandbox.vault_bootstrap import bootstrap, read_credentials
from sandbox.vaults import Vaults
from sandbox.web_sites import WebSites
from sandbox.workload_identity import inject

PROGRAMS: Mapping[str, Program] = {
    manifests.KUBECTL_IMAGE: read_credentials,
    manifests.VAULT_IMAGE: bootstrap,
    manifests.HOOK_IMAGE: hook_program.run,
    manifests.MASTER_BOOTSTRAP_IMAGE: keycloak_master_bootstrap.run,
    manifests.CLIENT_PATCHER_IMAGE: keycloak_client_patcher.run,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build of a cluster, whose API server answers."""

    cluster: Cluster
    objects: Objects
    accounts: ServiceAccountTokens
    api: ApiEndpoint
    fresh: bool
    """Its objects were made a moment ago; else only its API server was started anew."""


class Controllers:
    """Of the platform's cluster alone: other clusters hold objects, and nothing acts on them."""

    def __init__(
        self,
        *,
        cloud: Cloud,
        cluster: str,
        vaults: Vaults,
        trusted: str,
        app_object_id: str,
        published: Published,
        git: Access,
        sites: WebSites,
        directory: Path,
    ) -> None:
        """directory: for working copies of what Argo CD deploys; each build has its own"""
        self._cloud = cloud
        self._cluster = cluster
        self._vaults = vaults
        self._trusted = trusted
        self._app_object_id = app_object_id
        self._published = published
        self._git = git
        self._sites = sites
        self._directory = directory
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._builds: dict[str, tuple[Objects, Mapping[str, Installation]]] = {}
        self._values: dict[str, ArgoValues] = {}
        self._applications: dict[str, ApplicationController] = {}
        self._notifiers: dict[str, Notifier] = {}
        self._notifications: Notifications | None = None

    async def begin(self, build: Build) -> None:
        """A new build finds its Vaults empty, as their volumes went with the build before, and all that is
        installed in it as on the first day.
        """
        if build.cluster.name != self._cluster or not self._vaults.opened:
            return
        if build.fresh:
            await self._vaults.empty()
        uid, objects, dials = build.cluster.uid, build.objects, self._cloud.dials
        self._open(build)
        bootstraps = {gitops.application_of(gitops.BOOTSTRAP, one): one for one in self._vaults.opened}
        values = ArgoValues(objects, dials, bootstraps, self._published, self._cron_job)
        repo_server = RepoServer(self._directory / uid, self._git, dials)
        notifier = Notifier(objects, dials, lambda: self._notifications)
        applications = ApplicationController(objects, repo_server, dials, (values.hear, notifier.hear))
        self._values[uid], self._applications[uid], self._notifiers[uid] = values, applications, notifier
        running: tuple[Coroutine[None, None, None], ...] = (
            Kubelet(objects, self._node(build)).run(),
            Jobs(objects, self._admit).run(),
            Deployments(objects, self._admit).run(),
            CronJobs(objects, dials, self._cloud.clock).run(),
            ExternalSecrets(objects, build.accounts, dials).run(),
            RealmImports(objects, self._keycloaks(uid), dials).run(),
            values.run(),
            applications.run(),
            notifier.run(),
        )
        self._tasks[uid] = [asyncio.create_task(one) for one in running]
        for task in self._tasks[uid]:
            task.add_done_callback(_tell_of_failure)

    def _open(self, build: Build) -> None:
        """Let the web addresses lead to what the build has."""
        uid = build.cluster.uid
        if uid not in self._builds:
            installed = {one: _installed(one, build.objects) for one in self._vaults.opened}
            self._builds = {uid: (build.objects, installed)}
        for environment, installation in self._builds[uid][1].items():
            for service, handler in installation.handlers().items():
                self._sites.open(environment, service, handler)

    def _keycloaks(self, uid: str) -> dict[str, Keycloak]:
        """By namespace."""
        installed = self._builds[uid][1]
        return {manifests.namespace_of(name): one.keycloak for name, one in installed.items()}

    def stage(self, environment: str, forge: Forge) -> Stage:
        """The environment as it is now. Raises InputError where there is none of that name, and while no
        cluster is up.
        """
        if not self._tasks:
            raise InputError("the platform's cluster is not up")
        ((objects, installed),) = self._builds.values()
        if environment not in installed:
            raise InputError(f"no environment {environment!r}; there are {', '.join(installed)}")
        return Stage(
            environment=environment,
            forge=forge,
            objects=objects,
            vault=self._vaults.opened[environment],
            keycloak=installed[environment].keycloak,
            gitlab=installed[environment].gitlab,
        )

    async def end(self, uid: str) -> None:
        """Answers when nothing of the build runs any more."""
        if uid in self._tasks:
            self._sites.close()
        self._values.pop(uid, None)
        self._applications.pop(uid, None)
        self._notifiers.pop(uid, None)
        tasks = self._tasks.pop(uid, [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def notify(self, notifications: Notifications) -> None:
        """Let Argo CD tell these of its Applications, in this build and in those that follow."""
        self._notifications = notifications
        for notifier in self._notifiers.values():
            notifier.look()

    def hear(self, pushed: Pushed) -> None:
        """As Argo CD's webhook does. A push to a submodule's repository concerns no Application."""
        if pushed.repository == FACTS:
            for values in self._values.values():
                values.look()
        elif pushed.repository == GITOPS:
            for applications in self._applications.values():
                applications.look()

    def _node(self, build: Build) -> Node:
        host = urlsplit(build.api.url)
        gitlabs = {one.gitlab.namespace: one.gitlab for one in self._builds[build.cluster.uid][1].values()}
        return Node(
            accounts=build.accounts,
            api_host=host.hostname or "",
            api_port=str(host.port),
            api_ca=build.api.ca_pem.decode(),
            trusted=self._trusted,
            programs={**PROGRAMS, **gitlab_programs.programs(gitlabs)},
            dials=self._cloud.dials,
        )

    def _admit(self, pod: Object) -> Object:
        return inject(pod, tenant=self._cloud.tenant, authority=self._cloud.base_url)

    def _cron_job(self, environment: str, client_id: str, key_vault_uri: str) -> Object:
        return manifests.bootstrap_cron_job(
            environment,
            client_id=client_id,
            tenant=self._cloud.tenant,
            authority=self._cloud.base_url,
            key_vault_uri=key_vault_uri,
            vault=self._vaults.addresses[environment],
            object_id=self._app_object_id,
        )


def _installed(environment: str, objects: Objects) -> Installation:
    return Installation(
        keycloak=Keycloak(environment, partial(_first_admin, environment, objects)),
        gitlab=new_gitlab(objects, manifests.namespace_of(environment)),
    )


def _first_admin(environment: str, objects: Objects) -> FirstAdmin | None:
    held = objects.get(SECRETS, manifests.namespace_of(environment), FIRST_ADMIN)
    if held is None:
        return None
    name, password = (base64.b64decode(held["data"][one]).decode() for one in ("username", "password"))
    return name, password


def _tell_of_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logging.getLogger(__name__).error("a controller broke", exc_info=error)
