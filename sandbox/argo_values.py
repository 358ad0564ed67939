"""Values as Argo CD layers them: published facts become the environment of the bootstrap's CronJob.

A changed file is applied, as by automated sync without self-heal: what somebody changes in the cluster stays
until the file changes. Without a file, or with one that lacks a value, nothing is applied: a chart does not
render then. Nor is anything while Argo CD cannot render what its Application says, whatever the reason.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sandbox.argo_comparison import UNKNOWN
from sandbox.dials import Dials
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_resources import CRON_JOBS
from sandbox.reconciling import Beat, Worklist

type Published = Callable[[str], Awaitable[str | None]]
"""The text of an environment's published facts; None while there is none to be read."""
type Render = Callable[[str, str, str], Object]
"""Environment, client id of the bootstrap's identity, URI of Key Vault -> the CronJob."""


class ArgoValues:
    def __init__(
        self,
        objects: Objects,
        dials: Dials,
        applications: Mapping[str, str],
        published: Published,
        render: Render,
    ) -> None:
        """applications: each environment, by the name of the Application that brings the CronJob"""
        self._objects = objects
        self._dials = dials
        self._applications = applications
        self._published = published
        self._render = render
        self._rendered: set[str] = set()
        """Environments whose Application could be rendered when last looked at."""
        self._applied: dict[str, tuple[str, str]] = {}
        self._work: Worklist[str] = Worklist()

    def look(self) -> None:
        """Look at the facts now, as a webhook of the Git server makes Argo CD do."""
        for environment in self._applications.values():
            self._work.add(environment)

    def hear(self, application: Object) -> None:
        """For whoever has reconciled an Application."""
        environment = self._applications.get(application["metadata"]["name"])
        if environment is None:
            return
        if application["status"]["sync"]["status"] == UNKNOWN:
            self._rendered.discard(environment)
        elif environment not in self._rendered:
            self._rendered.add(environment)
            self._work.add(environment)

    async def run(self) -> None:
        """Until it is cancelled."""
        beat = Beat(lambda: self._dials.facts_seconds)
        self.look()
        while True:
            if environment := await self._work.take(beat.wait()):
                await self._sync(environment)
            if beat.strikes():
                self.look()

    async def _sync(self, environment: str) -> None:
        if environment not in self._rendered:
            return
        values = values_of(await self._published(environment))
        if values is None or self._applied.get(environment) == values:
            return
        if environment not in self._rendered:
            # It turned while the facts were read.
            return
        cron_job = self._render(environment, *values)
        metadata = cron_job["metadata"]
        held = self._objects.get(CRON_JOBS, metadata["namespace"], metadata["name"])
        if held is None:
            self._objects.create(CRON_JOBS, cron_job)
        else:
            self._objects.replace(CRON_JOBS, {**held, "spec": cron_job["spec"]})
        self._applied[environment] = values


def values_of(text: str | None) -> tuple[str, str] | None:
    """Client id and URI that the facts name; None where they do not name both."""
    try:
        found: Any = YAML(typ="safe").load(text or "")
    except YAMLError:
        return None
    azure = found.get("azure") if isinstance(found, dict) else None
    if not isinstance(azure, dict):
        return None
    client_id, uri = azure.get("vaultBootstrapIdentityClientId"), azure.get("keyVaultUri")
    return (str(client_id), str(uri)) if client_id and uri else None
