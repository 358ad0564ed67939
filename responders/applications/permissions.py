"""What this responder must be allowed to do."""

from collections.abc import Iterator
from typing import Final

from shared.landscape import Action, Environment
from shared.permission_rules import LISTING_APPLICATIONS, OPERATING, api_server, argocd, namespaces
from shared.permissions import InCluster, Rule


def _operated(environment: Environment) -> Iterator[InCluster]:
    """RBAC knows no patterns of names, so that the contract's list cannot be told to the cluster."""
    return (one for one in namespaces(argocd)(environment) if environment.contract.applications)


RULES: Final = (
    api_server(argocd),
    Rule(
        purpose="which Applications fail, and of what",
        rights=(LISTING_APPLICATIONS,),
        where="Argo CD's namespace",
        places=namespaces(argocd),
    ),
    Rule(
        purpose="refreshing, syncing and stopping Applications",
        rights=OPERATING,
        where="Argo CD's namespace, where `contract.applications` lists any",
        places=_operated,
        actions=(Action.APPLICATION_REFRESH, Action.APPLICATION_SYNC, Action.APPLICATION_TERMINATE),
    ),
)
