"""What Reconverge must be allowed to do, as data: what for, which right, where, and for which actions.

Each responder keeps its own rules in its `permissions.py`. The tables of docs/permissions.md are made of
them, deploy/kubernetes is held to them, and `reconverge doctor` asks for what `needs` makes of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.landscape import Action, Environment, KeycloakLogin, Landscape, Mode, VaultLogin, repository_page

WRITING: Final = frozenset({Mode.APPROVE, Mode.APPLY})
"""The modes in which an action may come to write. In the others nothing but reading is needed."""

# -- rights -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A built-in role of Azure. https://learn.microsoft.com/azure/role-based-access-control/built-in-roles"""

    name: str
    id: str
    actions: tuple[str, ...] = ()
    """What else it brings than reading, so that nobody is blamed for the role that is enough."""


READER: Final = Role(name="Reader", id="acdd72a7-3385-48ef-bd42-f606fba81ae7")
CREDENTIAL_CONTRIBUTOR: Final = Role(
    name="Managed Identity Federated Identity Credential Contributor",
    id="7e559ce2-48d7-4b27-9128-fa1b247f1308",
    actions=(
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete",
        "Microsoft.Insights/alertRules/*",
        "Microsoft.Resources/deployments/*",
    ),
)
CLUSTER_USER: Final = Role(
    name="Azure Kubernetes Service Cluster User Role",
    id="4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
    actions=("Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",),
)
SECRETS_USER: Final = Role(name="Key Vault Secrets User", id="4633458b-17de-408a-b874-0445c86b69e6")

PERMISSIONS_READ: Final = "Microsoft.Authorization/permissions/read"
"""What `reconverge doctor` itself needs, to see what was granted. Reader has it; no run needs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureRight:
    action: str
    role: Role
    """The least built-in role that is enough."""
    data: bool = False
    """An action on the data itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesRight:
    verb: str
    resource: str
    """With its subresource, such as `pods/log`."""
    group: str = ""
    manifest: str
    """The file in deploy/kubernetes that grants it."""
    role: str
    """The Role in it."""


class Level(StrEnum):
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class GitHubRight:
    permission: str
    """As GitHub calls it where tokens are made."""
    level: Level


@dataclass(frozen=True, slots=True)
class VaultRight:
    capability: str


@dataclass(frozen=True, slots=True)
class KeycloakRight:
    role: str
    """Of the client realm-management, which every realm has."""


type Right = AzureRight | KubernetesRight | GitHubRight | VaultRight | KeycloakRight

# -- places -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureScope:
    id: str
    assign: str
    """Where the role belongs: the scope itself, or one above that outlives it."""

    @property
    def key(self) -> tuple[str, ...]:
        return (self.id.lower(),)


@dataclass(frozen=True, slots=True, kw_only=True)
class InCluster:
    cluster: str
    namespace: str
    name: str | None = None
    """The one object that is meant; None: any."""

    @property
    def key(self) -> tuple[str, ...]:
        return (self.cluster.lower(), self.namespace, self.name or "")


@dataclass(frozen=True, slots=True)
class InRepository:
    url: str

    @property
    def key(self) -> tuple[str, ...]:
        return (repository_page(self.url.lower()),)


@dataclass(frozen=True, slots=True, kw_only=True)
class InVault:
    """A key of a KV v2 engine."""

    address: str
    login: VaultLogin
    mount: str
    name: str

    @property
    def path(self) -> str:
        """Where its data is: https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version"""
        return f"{self.mount}/data/{self.name}"

    @property
    def key(self) -> tuple[str, ...]:
        return (self.address, self.login.mount, self.login.role, self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class InKeycloak:
    """A realm, for the service account of the client that Reconverge logs in as."""

    url: str
    realm: str
    login: KeycloakLogin

    @property
    def key(self) -> tuple[str, ...]:
        return (self.url, self.realm, self.login.client_id)


type Place = AzureScope | InCluster | InRepository | InVault | InKeycloak


def itself(arm_id: str) -> AzureScope:
    return AzureScope(id=arm_id, assign=arm_id)


def by_group(arm_id: str) -> AzureScope:
    """For what is deleted and made anew: a role on the resource itself would go with it."""
    return AzureScope(id=arm_id, assign=group_of(arm_id))


def group_of(arm_id: str) -> str:
    """The id of the resource group."""
    return arm_id[: arm_id.lower().index("/providers/")]


# -- rules and needs ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table: rights that go together."""

    purpose: str
    rights: tuple[Right, ...]
    where: str
    """The places in words."""
    places: Callable[[Environment], Iterable[Place]]
    """None of them where the environment has no use for the rights, whatever the modes."""
    actions: tuple[Action, ...] = ()
    """Needed once one of these may write; none: for reading, in every mode."""

    def applies(self, environment: Environment) -> bool:
        modes = {environment.contract.mode(action) for action in self.actions}
        return not self.actions or bool(modes & WRITING)


type Rules = Mapping[str, tuple[Rule, ...]]
"""By responder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need[R: Right, P: Place]:
    right: R
    place: P
    by: tuple[str, ...]
    """The responders that need it."""


type AzureNeed = Need[AzureRight, AzureScope]
type KubernetesNeed = Need[KubernetesRight, InCluster]
type GitHubNeed = Need[GitHubRight, InRepository]
type VaultNeed = Need[VaultRight, InVault]
type KeycloakNeed = Need[KeycloakRight, InKeycloak]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """All that the enabled environments need under their contracts, each once."""

    azure: tuple[AzureNeed, ...]
    kubernetes: tuple[KubernetesNeed, ...]
    github: tuple[GitHubNeed, ...]
    vault: tuple[VaultNeed, ...]
    keycloak: tuple[KeycloakNeed, ...]


def needs(landscape: Landscape, rules: Rules) -> Needs:
    """Ids are compared without regard to letter case; the first spelling is kept."""
    azure: dict[object, AzureNeed] = {}
    kubernetes: dict[object, KubernetesNeed] = {}
    github: dict[object, GitHubNeed] = {}
    vault: dict[object, VaultNeed] = {}
    keycloak: dict[object, KeycloakNeed] = {}
    for responder, right, place in _each(landscape, rules):
        match right, place:
            case AzureRight(), AzureScope():
                _add(azure, responder, right, place)
            case KubernetesRight(), InCluster():
                _add(kubernetes, responder, right, place)
            case GitHubRight(), InRepository():
                _add(github, responder, right, place)
            case VaultRight(), InVault():
                _add(vault, responder, right, place)
            case KeycloakRight(), InKeycloak():
                _add(keycloak, responder, right, place)
            case _:
                raise TypeError(f"{right} is no right on {place}")
    return Needs(
        azure=tuple(azure.values()),
        kubernetes=tuple(kubernetes.values()),
        github=tuple(github.values()),
        vault=tuple(vault.values()),
        keycloak=tuple(keycloak.values()),
    )


def _each(landscape: Landscape, rules: Rules) -> Iterator[tuple[str, Right, Place]]:
    """Equal places are one, in the spelling that came first."""
    enabled = [one for one in landscape.environments.values() if one.enabled]
    spelled: dict[tuple[str, ...], Place] = {}
    for responder, own in rules.items():
        for environment in enabled:
            for rule in own:
                if rule.applies(environment):
                    for place in rule.places(environment):
                        for right in rule.rights:
                            yield responder, right, spelled.setdefault(place.key, place)


def _add[R: Right, P: Place](found: dict[object, Need[R, P]], responder: str, right: R, place: P) -> None:
    known = found.get((right, place))
    by = (responder,) if known is None else tuple(dict.fromkeys((*known.by, responder)))
    found[right, place] = Need(right=right, place=place, by=by)
