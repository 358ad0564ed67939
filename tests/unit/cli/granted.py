"""What was granted to whoever signs in, in memory: by default just what the desk's landscape needs."""

# ruff: noqa: ARG002 (the ports' signatures)

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from shared.clients.access_reviews import Access, Allowed, ResourceRule
from shared.clients.arm_permissions import Granted
from shared.clients.managed_clusters import ApiServer
from shared.clients.repository_access import Account
from shared.clients.vault import Session
from shared.grants import Grants
from shared.model import Known, Read
from tests.unit.federated_credentials.builders import CLUSTER, IDENTITY

GROUP = CLUSTER.partition("/providers/")[0]
WRITE = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write"
DELETE = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete"
KUBECONFIG = "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"


@dataclass(slots=True)
class Azure:
    roles: dict[str, list[Granted]]
    """By the scope at which they are assigned."""
    unread: dict[str, Read[tuple[Granted, ...]]] = field(default_factory=dict)

    def at(self, scope: str) -> Read[tuple[Granted, ...]]:
        if scope in self.unread:
            return self.unread[scope]
        reaching = [
            held for upper, held in self.roles.items() if f"{scope}/".lower().startswith(f"{upper}/".lower())
        ]
        return Known(tuple(one for held in reaching for one in held))


@dataclass(slots=True)
class Kubernetes:
    rules: list[ResourceRule]
    complete: bool = True
    unread: Read[bool] | None = None

    def may(self, api_server: ApiServer, access: Access) -> Read[bool]:
        if self.unread:
            return self.unread
        return Known(any(_allows(rule, access) for rule in self.rules))

    def allowed(self, api_server: ApiServer, namespace: str) -> Read[Allowed]:
        return Known(Allowed(tuple(self.rules), self.complete))


def _allows(rule: ResourceRule, access: Access) -> bool:
    return (
        access.verb in rule.verbs
        and access.group in rule.groups
        and access.resource in rule.resources
        and (not rule.names or access.name in rule.names)
    )


@dataclass(slots=True)
class GitHub:
    account: Read[Account]

    def of(self, repository: str) -> Read[Account]:
        return self.account


@dataclass(slots=True)
class Vault:
    held: dict[str, set[str]]

    def capabilities(self, session: Session, paths: Collection[str]) -> Read[Mapping[str, frozenset[str]]]:
        return Known({path: frozenset(self.held.get(path, {"deny"})) for path in paths})


def allow(verbs: str, group: str, resources: str, *names: str) -> ResourceRule:
    return ResourceRule(
        verbs=tuple(verbs.split()), groups=(group,), resources=tuple(resources.split()), names=names
    )


@dataclass(slots=True)
class Given:
    azure: Azure = field(
        default_factory=lambda: Azure(
            {
                GROUP: [Granted(actions=("*/read", KUBECONFIG))],
                IDENTITY: [Granted(actions=("Microsoft.Authorization/*/read", WRITE, DELETE))],
            }
        )
    )
    kubernetes: Kubernetes = field(
        default_factory=lambda: Kubernetes([allow("create", "", "serviceaccounts/token", "vault")])
    )
    github: GitHub = field(
        default_factory=lambda: GitHub(Known(Account(pull=True, push=False, admin=False, scopes=None)))
    )
    vault: Vault = field(default_factory=lambda: Vault({}))

    @property
    def grants(self) -> Grants:
        return Grants(self.azure, self.kubernetes, self.github, self.vault)
