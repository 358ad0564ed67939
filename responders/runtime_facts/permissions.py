"""What this responder must be allowed to do."""

from collections.abc import Callable, Iterator
from typing import Final

from shared.landscape import Action, DeclaredFacts, Environment, Truth
from shared.model import Channel
from shared.permission_rules import KEY_VAULT_ADDRESS, PROPOSING, Places, listed_repositories
from shared.permissions import (
    READER,
    AzureRight,
    AzureScope,
    GitHubRight,
    InRepository,
    Level,
    Rule,
    by_group,
    itself,
)

WRITES: Final = (Action.FACTS_UPDATE,)


def _clusters(environment: Environment) -> Iterator[AzureScope]:
    return (by_group(one.id) for one in environment.clusters if environment.facts)


def _told(*sources: Truth) -> Places[AzureScope]:
    """The resources whose property a published field tells."""

    def places(environment: Environment) -> Iterator[AzureScope]:
        for file in environment.facts:
            for fact in file.fields.values():
                if fact.id and fact.source in sources:
                    yield itself(fact.id)

    return places


def _files(environment: Environment) -> Iterator[InRepository]:
    return (InRepository(one.repository) for one in environment.facts)


def _changed_by(channel: Channel, of: Callable[[DeclaredFacts], str | None]) -> Places[InRepository]:
    """The repositories that changes go to by this channel."""

    def places(environment: Environment) -> Iterator[InRepository]:
        for file in environment.facts:
            repository = of(file)
            if repository and environment.contract.channel_to(file) is channel:
                yield InRepository(repository)

    return places


def _of_file(file: DeclaredFacts) -> str:
    return file.repository


def _of_workflow(file: DeclaredFacts) -> str | None:
    return file.workflow.repository if file.workflow else None


_PROPOSED: Final = _changed_by(Channel.PULL_REQUEST, _of_file)
_COMMITTED: Final = _changed_by(Channel.DIRECT, _of_file)
_STARTED: Final = _changed_by(Channel.WORKFLOW, _of_workflow)

RULES: Final = (
    Rule(
        purpose="the cluster's state",
        rights=(AzureRight(action="Microsoft.ContainerService/managedClusters/read", role=READER),),
        where="the cluster's resource group",
        places=_clusters,
    ),
    Rule(
        purpose="ids of identities",
        rights=(AzureRight(action="Microsoft.ManagedIdentity/userAssignedIdentities/read", role=READER),),
        where="each identity that a field tells of",
        places=_told(Truth.IDENTITY_CLIENT_ID, Truth.IDENTITY_PRINCIPAL_ID),
    ),
    Rule(
        purpose="addresses of Key Vaults",
        rights=(KEY_VAULT_ADDRESS,),
        where="each Key Vault that a field tells of",
        places=_told(Truth.KEY_VAULT_URI),
    ),
    Rule(
        purpose="public IP addresses",
        rights=(AzureRight(action="Microsoft.Network/publicIPAddresses/read", role=READER),),
        where="each address that a field tells of",
        places=_told(Truth.PUBLIC_IP_ADDRESS),
    ),
    Rule(
        purpose="reading the facts",
        rights=(GitHubRight("Contents", Level.READ),),
        where="the repository of each facts file",
        places=_files,
    ),
    Rule(
        purpose="seeing pull requests",
        rights=(GitHubRight("Pull requests", Level.READ),),
        where="the same, for the channel `pull-request`",
        places=_PROPOSED,
    ),
    Rule(
        purpose="seeing workflows and their runs",
        rights=(GitHubRight("Actions", Level.READ),),
        where="the repository of each `workflow`, for the channel `workflow`",
        places=_STARTED,
    ),
    Rule(
        purpose="changing facts by pull request",
        rights=PROPOSING,
        where="each repository of facts in `contract.repositories`, for the channel `pull-request`",
        places=listed_repositories(_PROPOSED),
        actions=WRITES,
    ),
    Rule(
        purpose="changing facts by commit",
        rights=(GitHubRight("Contents", Level.WRITE),),
        where="the same, for the channel `direct`",
        places=listed_repositories(_COMMITTED),
        actions=WRITES,
    ),
    Rule(
        purpose="starting the owning workflow",
        rights=(GitHubRight("Actions", Level.WRITE),),
        where="each repository of workflows in `contract.repositories`, for the channel `workflow`",
        places=listed_repositories(_STARTED),
        actions=WRITES,
    ),
)
