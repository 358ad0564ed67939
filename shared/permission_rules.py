"""Parts of rules that several responders share, each made for what a responder looks after."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from shared.landscape import Action, DeclaredArgoCD, DeclaredVault, Environment
from shared.permissions import (
    CLUSTER_USER,
    READER,
    SECRETS_USER,
    AzureRight,
    AzureScope,
    GitHubRight,
    InCluster,
    InRepository,
    InVault,
    KubernetesRight,
    Level,
    Place,
    Rule,
    by_group,
)

type Section[D] = Callable[[Environment], Iterator[D]]
"""What an environment declares for a responder, if it does."""
type Places[P: Place] = Callable[[Environment], Iterator[P]]


class OfCluster(Protocol):
    @property
    def cluster(self) -> str: ...


class InNamespace(OfCluster, Protocol):
    @property
    def namespace(self) -> str: ...


class OfApplication(Protocol):
    @property
    def application(self) -> str: ...


# -- Azure --------------------------------------------------------------------------------

KEY_VAULT_ADDRESS: Final = AzureRight(action="Microsoft.KeyVault/vaults/read", role=READER)
SECRET_VALUE: Final = AzureRight(
    action="Microsoft.KeyVault/vaults/secrets/getSecret/action", role=SECRETS_USER, data=True
)


def api_server(
    section: Section[OfCluster],
    *,
    where: str = "the cluster's resource group",
    actions: tuple[Action, ...] = (),
) -> Rule:
    """Every right in a cluster rests on this one."""

    def groups(environment: Environment) -> Iterator[AzureScope]:
        return (by_group(environment.cluster(one.cluster).id) for one in section(environment))

    return Rule(
        purpose="the API server's address and CA",
        rights=(
            AzureRight(
                action="Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
                role=CLUSTER_USER,
            ),
        ),
        where=where,
        places=groups,
        actions=actions,
    )


# -- Kubernetes ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClusterRole:
    """A Role in a file of deploy/kubernetes."""

    manifest: str
    name: str

    def may(self, verb: str, resource: str, group: str = "") -> KubernetesRight:
        return KubernetesRight(
            verb=verb, resource=resource, group=group, manifest=self.manifest, role=self.name
        )


def namespaces(section: Section[InNamespace]) -> Places[InCluster]:
    def places(environment: Environment) -> Iterator[InCluster]:
        for one in section(environment):
            yield InCluster(cluster=environment.cluster(one.cluster).id, namespace=one.namespace)

    return places


def in_listed_namespaces(places: Places[InCluster]) -> Places[InCluster]:
    """Those of them that the contract lets be acted in."""

    def listed(environment: Environment) -> Iterator[InCluster]:
        return (one for one in places(environment) if environment.contract.may_act_in(one.namespace))

    return listed


# -- Argo CD ------------------------------------------------------------------------------

_APPLICATIONS: Final = ("applications", "argoproj.io")
_READING: Final = ClusterRole("applications.yaml", "reconverge-applications-read")
_REPAIRING: Final = ClusterRole("applications.yaml", "reconverge-applications-repair")

LISTING_APPLICATIONS: Final = _READING.may("list", *_APPLICATIONS)
READING_AN_APPLICATION: Final = _READING.may("get", *_APPLICATIONS)
OPERATING: Final = (_REPAIRING.may("get", *_APPLICATIONS), _REPAIRING.may("patch", *_APPLICATIONS))


def argocd(environment: Environment) -> Iterator[DeclaredArgoCD]:
    if environment.argocd:
        yield environment.argocd


def argocd_for(section: Section[object]) -> Places[InCluster]:
    """Argo CD's namespace, where an environment has the section."""

    def places(environment: Environment) -> Iterator[InCluster]:
        for _ in section(environment):
            yield from namespaces(argocd)(environment)

    return places


def syncing(section: Section[OfApplication], *, purpose: str, where: str) -> Rule:
    """Of the section's own Application."""

    def operated(environment: Environment) -> Iterator[OfApplication]:
        return (one for one in section(environment) if environment.contract.may_operate(one.application))

    return Rule(
        purpose=purpose,
        rights=OPERATING,
        where=where,
        places=argocd_for(operated),
        actions=(Action.APPLICATION_SYNC,),
    )


# -- GitHub -------------------------------------------------------------------------------

SEEING_PROPOSALS: Final = (GitHubRight("Contents", Level.READ), GitHubRight("Pull requests", Level.READ))
PROPOSING: Final = (GitHubRight("Contents", Level.WRITE), GitHubRight("Pull requests", Level.WRITE))


def listed_repositories(places: Places[InRepository]) -> Places[InRepository]:
    """Those of them that the contract lets be written."""

    def listed(environment: Environment) -> Iterator[InRepository]:
        return (one for one in places(environment) if environment.contract.may_write_to(one.url))

    return listed


# -- Vault --------------------------------------------------------------------------------


def vault_key(vault: DeclaredVault, name: str) -> InVault:
    return InVault(address=vault.address, login=vault.login, mount=vault.mount, name=name)
