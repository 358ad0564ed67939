"""What this responder must be allowed to do."""

from collections.abc import Iterator
from typing import Final

from shared.landscape import Action, DeclaredGitLab, Environment
from shared.permissions import (
    CLUSTER_USER,
    AzureRight,
    AzureScope,
    GitHubRight,
    InCluster,
    InRepository,
    KubernetesRight,
    Level,
    Rule,
    by_group,
)

MANIFEST: Final = "gitlab-migrations.yaml"
ROLE: Final = "reconverge-gitlab-reader"


def _gitlab(environment: Environment) -> Iterator[DeclaredGitLab]:
    if environment.gitlab:
        yield environment.gitlab


def _cluster(environment: Environment) -> Iterator[AzureScope]:
    return (by_group(environment.cluster(one.cluster).id) for one in _gitlab(environment))


def _namespace(environment: Environment) -> Iterator[InCluster]:
    for one in _gitlab(environment):
        yield InCluster(cluster=environment.cluster(one.cluster).id, namespace=one.namespace)


def _argocd(environment: Environment) -> Iterator[InCluster]:
    if environment.gitlab and (argocd := environment.argocd):
        yield InCluster(cluster=environment.cluster(argocd.cluster).id, namespace=argocd.namespace)


def _operated(environment: Environment) -> Iterator[InCluster]:
    for one in _gitlab(environment):
        if environment.contract.may_operate(one.application):
            yield from _argocd(environment)


def _values(environment: Environment) -> Iterator[InRepository]:
    for one in _gitlab(environment):
        if one.migrations:
            yield InRepository(one.migrations.values.repository)


def _listed_values(environment: Environment) -> Iterator[InRepository]:
    return (one for one in _values(environment) if environment.contract.may_write_to(one.url))


def _reading(verb: str, resource: str, group: str = "") -> KubernetesRight:
    return KubernetesRight(verb=verb, resource=resource, group=group, manifest=MANIFEST, role=ROLE)


def _operating(verb: str, role: str) -> KubernetesRight:
    return KubernetesRight(
        verb=verb, resource="applications", group="argoproj.io", manifest="applications.yaml", role=role
    )


RULES: Final = (
    Rule(
        purpose="the API server's address and CA",
        rights=(
            AzureRight(
                action="Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
                role=CLUSTER_USER,
            ),
        ),
        where="the cluster's resource group",
        places=_cluster,
    ),
    Rule(
        purpose="the migrations and their log, what waits for them, and the rendered databases",
        rights=(
            _reading("list", "jobs", "batch"),
            _reading("get", "jobs", "batch"),
            _reading("list", "pods"),
            _reading("get", "pods/log"),
            _reading("list", "configmaps"),
        ),
        where="GitLab's namespace",
        places=_namespace,
    ),
    Rule(
        purpose="what Argo CD says of the Application",
        rights=(_operating("get", "reconverge-applications-read"),),
        where="Argo CD's namespace",
        places=_argocd,
    ),
    Rule(
        purpose="reading the values and seeing pull requests",
        rights=(GitHubRight("Contents", Level.READ), GitHubRight("Pull requests", Level.READ)),
        where="the repository of `gitlab.migrations.values`",
        places=_values,
    ),
    Rule(
        purpose="changing the values by pull request",
        rights=(GitHubRight("Contents", Level.WRITE), GitHubRight("Pull requests", Level.WRITE)),
        where="the same, in `contract.repositories`",
        places=_listed_values,
        actions=(Action.GITLAB_MAP, Action.GITLAB_RERUN),
    ),
    Rule(
        purpose="syncing the Application",
        rights=(
            _operating("get", "reconverge-applications-repair"),
            _operating("patch", "reconverge-applications-repair"),
        ),
        where="Argo CD's namespace, where `contract.applications` lists it",
        places=_operated,
        actions=(Action.APPLICATION_SYNC,),
    ),
)
