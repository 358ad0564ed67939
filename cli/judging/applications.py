"""Does Argo CD say of every Application that it is well? Read from the cluster, as the operator."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.judging.asking import NotKnown, Outside
from cli.judging.verdict import Verdict, fails, holds
from shared.landscape import DeclaredArgoCD, Environment, Landscape


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationsAreWell:
    """Every Application of the environment is Synced and Healthy, and tells of no error."""

    environment: str
    cluster: str
    cluster_id: str
    declared: DeclaredArgoCD

    @property
    def kind(self) -> str:
        return "applications"

    @property
    def name(self) -> str:
        first, *more = (rule.match for rule in self.declared.applications)
        return f"{first} and {len(more)} more" if more else first

    @property
    def journalled(self) -> str:
        return f"{self.environment}/applications"

    @property
    def responder(self) -> str:
        return "applications"

    def judge(self, outside: Outside) -> Verdict:
        path = f"/apis/argoproj.io/v1alpha1/namespaces/{self.declared.namespace}/applications"
        answer = outside.kubernetes(self.cluster, "GET", path)
        if answer.status_code != 200:
            raise NotKnown(f"Kubernetes answered {answer.status_code} to GET {path}")
        items = answer.json()["items"]
        found = [one for one in items if self.declared.rule(one["metadata"]["name"])]
        if not found:
            return fails("none is there")
        bad = Counter(why for one in found if (why := _fault(one)))
        if not bad:
            return holds(f"{len(found)} of {len(found)} well")
        return fails(f"{bad.total()} of {len(found)}: {', '.join(sorted(bad))}")

    def __hash__(self) -> int:
        return hash((self.environment, self.cluster_id, self.declared.namespace))


def _fault(application: Mapping[str, Any]) -> str:
    """A word of Argo CD's for what is wrong; empty when nothing is."""
    status = application.get("status") or {}
    errors = [
        one["type"] for one in status.get("conditions") or [] if one["type"].endswith(("Error", "Unknown"))
    ]
    states = ((status.get(part) or {}).get("status", "Unknown") for part in ("sync", "health"))
    return next((word for word in (*errors, *states) if word not in {"Synced", "Healthy"}), "")


def claims(environment: Environment, _: Landscape) -> Iterator[ApplicationsAreWell]:
    if declared := environment.argocd:
        cluster_id = environment.cluster(declared.cluster).id
        yield ApplicationsAreWell(
            environment=environment.name,
            cluster=cluster_id.rpartition("/")[2],
            cluster_id=cluster_id,
            declared=declared,
        )
