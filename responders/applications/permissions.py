"""What this responder must be allowed to do."""

from collections.abc import Iterator
from typing import Final

from shared.landscape import Action, DeclaredArgoCD, Environment
from shared.permissions import (
    CLUSTER_USER,
    AzureRight,
    AzureScope,
    InCluster,
    KubernetesRight,
    Rule,
    by_group,
)


def _argocd(environment: Environment) -> Iterator[DeclaredArgoCD]:
    if environment.argocd:
        yield environment.argocd


def _cluster(environment: Environment) -> Iterator[AzureScope]:
    return (by_group(environment.cluster(one.cluster).id) for one in _argocd(environment))


def _namespace(environment: Environment) -> Iterator[InCluster]:
    for one in _argocd(environment):
        yield InCluster(cluster=environment.cluster(one.cluster).id, namespace=one.namespace)


def _operated(environment: Environment) -> Iterator[InCluster]:
    """RBAC knows no patterns of names, so that the contract's list cannot be told to the cluster."""
    return (one for one in _namespace(environment) if environment.contract.applications)


def _right(verb: str, role: str) -> KubernetesRight:
    return KubernetesRight(
        verb=verb,
        resource="applications",
        group="argoproj.io",
        manifest="applications.yaml",
        role=role,
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
        purpose="which Applications fail, and of what",
        rights=(_right("list", "reconverge-applications-read"),),
        where="Argo CD's namespace",
        places=_namespace,
    ),
    Rule(
        purpose="refreshing, syncing and stopping Applications",
        rights=(
            _right("get", "reconverge-applications-repair"),
            _right("patch", "reconverge-applications-repair"),
        ),
        where="Argo CD's namespace, where `contract.applications` lists any",
        places=_operated,
        actions=(Action.APPLICATION_REFRESH, Action.APPLICATION_SYNC, Action.APPLICATION_TERMINATE),
    ),
)
