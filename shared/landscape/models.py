"""The landscape as frozen models. In the file every key is written in camelCase.

Responders that come later add sections here; until then an unknown section is refused, so that nobody
believes in a guard that does not exist.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from shared.landscape import issuers
from shared.landscape.argocd import ApplicationPattern, DeclaredArgoCD, fits
from shared.landscape.declared import Declared, cluster_is_optional_in_the_file
from shared.landscape.facts import DeclaredFacts, same_repository
from shared.landscape.forms import (
    Audience,
    ClusterId,
    ClusterName,
    CredentialName,
    Duration,
    EnvironmentName,
    Guid,
    HostPattern,
    IdentityId,
    Issuer,
    RepositoryUrl,
    Subject,
    Unchanging,
    at_most,
)
from shared.landscape.gitlab import DeclaredGitLab
from shared.landscape.keycloak import DeclaredKeycloak
from shared.landscape.submodules import DeclaredSubmodules
from shared.landscape.vault import DeclaredVault, Namespace, VaultAddress, same_address
from shared.landscape.web import WebAddress, same_web_address
from shared.model import Channel, digest_of, same_id

AKS_ISSUERS: Final = "*.oic.prod-aks.azure.com"
TOKEN_EXCHANGE_AUDIENCE: Final = "api://AzureADTokenExchange"  # noqa: S105 (a name, not a secret)
CREDENTIALS_PER_IDENTITY: Final = 20
"""Azure's limit. https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations"""

_GUID: Final = "00000000-0000-0000-0000-000000000000"
_PROVIDERS: Final = "/subscriptions/<guid>/resourceGroups/<group>/providers"
_IDENTITY_ID: Final = f"{_PROVIDERS}/Microsoft.ManagedIdentity/userAssignedIdentities/<name>"
_CLUSTER_ID: Final = f"{_PROVIDERS}/Microsoft.ContainerService/managedClusters/<name>"


class Mode(StrEnum):
    """How far an action may go without a person."""

    APPLY = "apply"
    """Carry it out, prove it, journal it."""
    APPROVE = "approve"
    """Store the plan; carry it out once a person approves exactly this plan."""
    PROPOSE = "propose"
    """Plan, journal and tell. Change nothing."""
    NEVER = "never"
    """Report the finding and leave the repair to people."""


class Action(StrEnum):
    """What a contract can govern."""

    SUBMODULE_KEEP = "submodule.keep"
    """Publish a branch in a submodule's repository that keeps a pinned commit, which nothing else holds."""
    SUBMODULE_MOVE = "submodule.move"
    """Propose, by a pull request, to move a submodule's pin to a commit that a branch of it leads to."""
    CREDENTIAL_UPDATE = "credential.update"
    """Bring a declared credential back to its declaration, in place, under its name."""
    CREDENTIAL_CREATE = "credential.create"
    """Create a declared credential that its identity lacks."""
    FACTS_UPDATE = "facts.update"
    """Bring the declared fields of a facts file to what Azure has, through the contract's channel."""
    VAULT_BOOTSTRAP = "vault.bootstrap"
    """Start a Job from the CronJob that seeds Vault."""
    VAULT_SEED = "vault.seed"
    """Write a declared seed that Vault lacks, by check-and-set. A value of its owner is never overwritten."""
    SECRETS_REFRESH = "secrets.refresh"
    """Have stores and ExternalSecrets that are not Ready looked at again, by an annotation."""
    KEYCLOAK_ORDER = "keycloak.order"
    """Propose, by a pull request, hook annotations by which the master bootstrap runs before the patcher."""
    KEYCLOAK_RERUN = "keycloak.rerun"
    """Propose, by a pull request, another value of the key that makes the Jobs of the realm run again."""
    KEYCLOAK_JOBS = "keycloak.jobs"
    """Delete a Job of the realm that came to nothing, and create it again as it was rendered; the master
    bootstrap first. Instead of `keycloak.rerun`, where it may be done. Never carried out by the default
    alone."""
    KEYCLOAK_REDIRECT = "keycloak.redirect"
    """Add a declared redirect URI that a client lacks. Nothing else of the client is changed."""
    GITLAB_MAP = "gitlab.map"
    """Propose, by a pull request, to let GitLab's database `ci` be the one that `main` has."""
    GITLAB_RERUN = "gitlab.rerun"
    """Propose, by a pull request, another input of the suffix that the migrations Job has in its name."""
    APPLICATION_REFRESH = "application.refresh"
    """Have Argo CD read an Application's sources anew, past its cache."""
    APPLICATION_SYNC = "application.sync"
    """Sync an Application whose last sync failed, or whose hooks must run again, with the options that it
    declares itself."""
    APPLICATION_TERMINATE = "application.terminate"
    """Stop an operation that runs for longer than is plausible. Never carried out by the default alone."""


NAMED_ONLY: Final = frozenset({Action.APPLICATION_TERMINATE, Action.KEYCLOAK_JOBS})
"""Actions that interfere with what somebody else began: `default` lets them be proposed at most."""


class ProofMethod(StrEnum):
    """What counts as proof that a repair worked."""

    READ_BACK = "read-back"
    """Azure shows what was written."""
    TOKEN_EXCHANGE = "token-exchange"  # noqa: S105 (a method, not a secret)
    """Entra exchanges a token of the declared service account. Needs the right to request one there."""


class OwnIdentity(Declared):
    """Reconverge's own user-assigned identity. Never the object of a write."""

    identity: IdentityId = Field(examples=[_IDENTITY_ID])
    """ARM id of the identity that Reconverge runs as."""
    object_id: Guid = Field(examples=[_GUID])
    """The identity's principal id: events that it caused are recognised by it."""


class DeclaredCluster(Declared):
    """One AKS cluster of an environment."""

    name: ClusterName = Field(examples=["ameide"])
    """What credentials call it by. Unique in its environment."""
    id: ClusterId = Field(examples=[_CLUSTER_ID])
    """ARM id. It outlives a rebuild; the issuer, read from the live cluster, does not."""


class DeclaredCredential(Declared):
    """A federated credential that an identity must hold. Its issuer is always the live cluster's."""

    model_config = ConfigDict(json_schema_extra=cluster_is_optional_in_the_file)

    name: CredentialName = Field(examples=["vault-bootstrap-dev"])
    """Name of the credential in Azure, which nobody can change afterwards."""
    cluster: ClusterName = Field(examples=["ameide"])
    """Name of the cluster whose issuer it trusts. Needed only when the environment has several."""
    subject: Subject = Field(examples=["system:serviceaccount:<namespace>:<name>"])
    """The service account that may act as the identity."""
    audience: Audience = TOKEN_EXCHANGE_AUDIENCE
    """The one audience that its tokens have."""


class DeclaredIdentity(Declared):
    """A user-assigned identity and what it must hold for one environment."""

    id: IdentityId = Field(examples=[_IDENTITY_ID])
    """ARM id."""
    credentials: tuple[DeclaredCredential, ...] = Field(examples=[[]])
    """The credentials that it must hold for this environment. Others are reported, never removed."""
    trusted_issuers: tuple[Issuer, ...] = ()
    """Issuers of credentials that others own on this identity and that are not to be reported."""


class Caps(Declared):
    """How many writes each target of an environment may see without a person."""

    per_run: int = Field(default=20, ge=1)
    """Steps of one plan. A larger one waits for approval: so many faults are more likely one wrong belief."""
    per_hour: int = Field(default=60, ge=1)
    """Writes in any 60 minutes. What is left over waits."""


class Contract(Declared):
    """What Reconverge may change in one environment, and how. Left out, it may change nothing."""

    default: Mode = Mode.PROPOSE
    """For every action that `actions` does not name."""
    actions: Annotated[Mapping[Action, Mode], Unchanging()] = Field(
        default_factory=lambda: MappingProxyType({})
    )
    """Per action, where it differs from the default."""
    identities: tuple[IdentityId, ...] = ()
    """The identities that may be written. Every other one is refused, whatever the mode."""
    repositories: tuple[RepositoryUrl, ...] = ()
    """The repositories that may be written, or whose workflows may be started. Every other one is refused."""
    channels: Annotated[Mapping[Action, Channel], Unchanging()] = Field(
        default_factory=lambda: MappingProxyType({})
    )
    """How `facts.update` reaches a file: by the owning workflow, a pull request, or a commit (`direct`). Left
    out: by the workflow where the file declares one, else by a pull request."""
    namespaces: tuple[Namespace, ...] = ()
    """The namespaces in which Jobs may be started and objects refreshed. Every other one is refused."""
    vaults: tuple[VaultAddress, ...] = ()
    """The addresses of Vaults that may be seeded. Every other one is refused."""
    applications: tuple[ApplicationPattern, ...] = ()
    """The Applications of Argo CD that may be refreshed, synced or stopped, `*` standing for any characters.
    Every other one is refused."""
    keycloaks: tuple[WebAddress, ...] = ()
    """The addresses of Keycloaks whose clients may be given a redirect URI. Every other one is refused."""
    issuer_hosts: tuple[HostPattern, ...] = (AKS_ISSUERS,)
    """Hosts that a written issuer may have; `*.` stands for one or more labels, `:*` for any port."""
    caps: Caps = Caps()
    """Limits of writes."""
    proof: ProofMethod = ProofMethod.READ_BACK
    """What counts as proof of a repair."""
    pace: Annotated[Duration, at_most("1m")] = timedelta(seconds=4)
    """Pause between two writes under one identity, and likewise to one repository, in one namespace, to one
    Vault, of one Application. Azure allows one write per identity in 4 s."""
    grace: Annotated[Duration, at_most("24h")] = timedelta(minutes=10)
    """How long after a write directory propagation explains that Entra still refuses."""

    def mode(self, action: str) -> Mode:
        """How far this action may go."""
        if action in self.actions:
            return self.actions[Action(action)]
        writes = self.default in {Mode.APPROVE, Mode.APPLY}
        return Mode.PROPOSE if action in NAMED_ONLY and writes else self.default

    def may_write(self, identity_id: str) -> bool:
        """Whether the contract lists the identity. Letter case does not matter."""
        return any(same_id(identity_id, listed) for listed in self.identities)

    def may_write_to(self, repository: str) -> bool:
        """Whether the contract lists the repository."""
        return any(same_repository(repository, listed) for listed in self.repositories)

    def channel_to(self, facts: DeclaredFacts) -> Channel:
        """How a change reaches the file."""
        usual = Channel.WORKFLOW if facts.workflow else Channel.PULL_REQUEST
        return self.channels.get(Action.FACTS_UPDATE, usual)

    def may_act_in(self, namespace: str) -> bool:
        """Whether the contract lists the namespace."""
        return namespace in self.namespaces

    def may_seed(self, address: str) -> bool:
        """Whether the contract lists the Vault."""
        return any(same_address(address, listed) for listed in self.vaults)

    def may_change_clients_of(self, url: str) -> bool:
        """Whether the contract lists the Keycloak."""
        return any(same_web_address(url, listed) for listed in self.keycloaks)

    def may_operate(self, application: str) -> bool:
        """Whether the contract lists the Application of Argo CD."""
        return application != "" and any(fits(listed, application) for listed in self.applications)

    def issuer_host_allowed(self, issuer: str) -> bool:
        """Whether the issuer is an https URL with one of the listed hosts."""
        return issuers.allowed(issuer, self.issuer_hosts)


def _name_is_the_key_in_the_file(described: dict[str, Any]) -> None:
    del described["properties"]["name"]
    described["required"].remove("name")


class Environment(Declared):
    """One environment: where it runs, what it needs, what may be done about it."""

    model_config = ConfigDict(json_schema_extra=_name_is_the_key_in_the_file)

    name: str
    """Its key in the file."""
    enabled: bool = True
    """False: runs and probes leave it out, and say so."""
    clusters: tuple[DeclaredCluster, ...] = Field(
        min_length=1, examples=[[{"name": "ameide", "id": _CLUSTER_ID}]]
    )
    """One, or several side by side (blue and green)."""
    identities: tuple[DeclaredIdentity, ...] = Field(examples=[[]])
    """What each identity must hold for this environment. An identity may stand in several environments."""
    submodules: tuple[DeclaredSubmodules, ...] = ()
    """The repositories that Argo CD renders from, whose submodules must be there."""
    facts: tuple[DeclaredFacts, ...] = ()
    """The runtime facts that are published for it."""
    vault: DeclaredVault | None = None
    """The Vault whose seeding is looked after."""
    keycloak: DeclaredKeycloak | None = None
    """The Keycloak whose realm is looked after."""
    gitlab: DeclaredGitLab | None = None
    """The GitLab whose migrations are looked after."""
    argocd: DeclaredArgoCD | None = None
    """The Argo CD whose Applications are looked after."""
    contract: Contract = Field(default_factory=Contract)
    """What Reconverge may change here."""

    def cluster(self, name: str) -> DeclaredCluster:
        """The cluster that a credential of this environment names. Raises KeyError."""
        for cluster in self.clusters:
            if cluster.name == name:
                return cluster
        raise KeyError(name)


class Landscape(Declared):
    """Everything the operator declares. Equal content has an equal digest, however the file is laid out."""

    version: Literal[1] = Field(examples=[1])
    """Of this format."""
    tenant: Guid = Field(examples=[_GUID])
    """The Entra tenant that the identities belong to."""
    reconverge: OwnIdentity = Field(examples=[{"identity": _IDENTITY_ID, "objectId": _GUID}])
    """The app itself."""
    environments: Annotated[Mapping[EnvironmentName, Environment], Field(min_length=1), Unchanging()] = Field(
        examples=[{"dev": {"clusters": [], "identities": []}}]
    )
    """The environments by name."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, defaults included."""
        return digest_of(self.model_dump(mode="json", by_alias=True))

    def environments_of_cluster(self, arm_id: str) -> tuple[Environment, ...]:
        """The environments that declare the cluster, disabled ones too."""
        return tuple(
            environment
            for environment in self.environments.values()
            if any(same_id(cluster.id, arm_id) for cluster in environment.clusters)
        )

    def environments_of_fact(self, arm_id: str) -> tuple[Environment, ...]:
        """The environments whose published facts tell of the resource, disabled ones too."""
        return tuple(
            environment
            for environment in self.environments.values()
            if any(same_id(resource, arm_id) for one in environment.facts for resource in one.resources)
        )

    def environments_of_identity(self, arm_id: str) -> tuple[Environment, ...]:
        """The environments that declare the identity, disabled ones too."""
        return tuple(
            environment
            for environment in self.environments.values()
            if any(same_id(identity.id, arm_id) for identity in environment.identities)
        )

    def declared_on(self, identity_id: str) -> Mapping[str, tuple[Environment, DeclaredCredential]]:
        """Every credential declared on the identity, by name, over all environments, disabled ones too: what
        one environment needs is nothing foreign in the eyes of another."""
        return {
            credential.name: (environment, credential)
            for environment in self.environments.values()
            for identity in environment.identities
            if same_id(identity.id, identity_id)
            for credential in identity.credentials
        }
