"""Does the cluster say itself that secrets flow? Its CronJob, stores, ExternalSecrets and their Secrets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.judging.asking import NotKnown, Outside
from cli.judging.verdict import Verdict, fails, holds
from shared.landscape import Environment, Landscape


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapSucceeds:
    """The CronJob that seeds Vault has succeeded in this build of the cluster."""

    environment: str
    cluster: str
    cluster_id: str
    namespace: str
    name: str

    @property
    def kind(self) -> str:
        return "bootstrap"

    @property
    def journalled(self) -> str:
        return f"{self.cluster_id}/namespaces/{self.namespace}/cronjobs/{self.name}"

    @property
    def responder(self) -> str:
        return "vault_seeding"

    def judge(self, outside: Outside) -> Verdict:
        path = f"/apis/batch/v1/namespaces/{self.namespace}/cronjobs/{self.name}"
        found = _object(outside, self.cluster, path)
        if found is None:
            return fails("no such CronJob")
        succeeded = (found.get("status") or {}).get("lastSuccessfulTime")
        return holds("succeeded") if succeeded else fails("never succeeded")


@dataclass(frozen=True, slots=True, kw_only=True)
class IsReady:
    """A store or an ExternalSecret is Ready, and the Secret that an ExternalSecret makes is there."""

    environment: str
    cluster: str
    cluster_id: str
    namespace: str
    plural: str
    name: str

    @property
    def kind(self) -> str:
        return {"secretstores": "store", "externalsecrets": "external secret"}[self.plural]

    @property
    def journalled(self) -> str:
        return f"{self.cluster_id}/namespaces/{self.namespace}/{self.plural}/{self.name}"

    @property
    def responder(self) -> str:
        return "vault_seeding"

    def judge(self, outside: Outside) -> Verdict:
        path = f"/apis/external-secrets.io/v1/namespaces/{self.namespace}/{self.plural}/{self.name}"
        found = _object(outside, self.cluster, path)
        if found is None:
            return fails("not there")
        conditions = (found.get("status") or {}).get("conditions") or []
        ready = next((one for one in conditions if one["type"] == "Ready"), {"reason": "no condition yet"})
        if ready.get("status") != "True":
            return fails(f"not Ready: {ready['reason']}")
        if self.plural == "externalsecrets" and not self._is_made(outside, found):
            return fails("Ready, and its Secret is not there")
        return holds("Ready")

    def _is_made(self, outside: Outside, found: Mapping[str, Any]) -> bool:
        name = (found["spec"].get("target") or {}).get("name") or self.name
        return (
            _object(outside, self.cluster, f"/api/v1/namespaces/{self.namespace}/secrets/{name}") is not None
        )


type ClusterClaim = BootstrapSucceeds | IsReady


def claims(environment: Environment, _: Landscape) -> Iterator[ClusterClaim]:
    declared = environment.vault
    if declared is None:
        return
    cluster_id = environment.cluster(declared.cluster).id
    where: dict[str, str] = {
        "environment": environment.name,
        "cluster": cluster_id.rpartition("/")[2],
        "cluster_id": cluster_id,
        "namespace": declared.namespace,
    }
    yield BootstrapSucceeds(name=declared.bootstrap.cron_job, **where)
    for plural, names in (("secretstores", declared.stores), ("externalsecrets", declared.external_secrets)):
        for name in names:
            yield IsReady(plural=plural, name=name, **where)


def _object(outside: Outside, cluster: str, path: str) -> Mapping[str, Any] | None:
    answer = outside.kubernetes(cluster, "GET", path)
    if answer.status_code == 404:
        return None
    if answer.status_code != 200:
        raise NotKnown(f"Kubernetes answered {answer.status_code} to GET {path}")
    found: Mapping[str, Any] = answer.json()
    return found
