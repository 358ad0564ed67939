"""The section `facts`: which files of runtime facts are published, and where the truth of each field is."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field

from shared.landscape.declared import Declared
from shared.landscape.forms import (
    BranchName,
    FieldPath,
    InputName,
    InputValue,
    RepositoryUrl,
    ResourceId,
    Unchanging,
    WorkflowFile,
    YamlPath,
)

_REPOSITORY: Final = "https://github.com/<owner>/<name>.git"


class Truth(StrEnum):
    """Where the true value of a published fact is read."""

    KEY_VAULT_URI = "keyVaultUri"
    """The address of a Key Vault."""
    IDENTITY_CLIENT_ID = "identityClientId"
    """The client id of a user-assigned identity."""
    IDENTITY_PRINCIPAL_ID = "identityPrincipalId"
    """The principal (object) id of a user-assigned identity."""
    PUBLIC_IP_ADDRESS = "publicIpAddress"
    """The address of a public IP address resource."""
    SUBSCRIPTION_ID = "subscriptionId"
    """The subscription part of the given ARM id."""
    RESOURCE_GROUP = "resourceGroup"
    """The resource group part of the given ARM id."""
    TENANT_ID = "tenantId"
    """The landscape's tenant."""


class DeclaredFact(Declared):
    """What one field of a facts file must say."""

    source: Truth = Field(alias="from", examples=["keyVaultUri"])
    """What of the resource it tells."""
    id: ResourceId | None = None
    """ARM id of the resource; only `tenantId` has none."""
    may_be_empty: bool = False
    """True: a field that is empty or left out is right too, as client ids for DNS are where DNS is off."""


class DeclaredWorkflow(Declared):
    """The GitHub Actions workflow that publishes a facts file. It must have the trigger workflow_dispatch."""

    repository: RepositoryUrl = Field(examples=[_REPOSITORY])
    """Where the workflow is."""
    file: WorkflowFile = Field(examples=["terraform-azure-apply.yaml"])
    """Its file in .github/workflows."""
    ref: BranchName = "main"
    """The branch that it runs on."""
    inputs: Annotated[Mapping[InputName, InputValue], Unchanging()] = Field(
        default_factory=lambda: MappingProxyType({})
    )
    """Its inputs, each a text."""


class DeclaredFacts(Declared):
    """One file of published runtime facts."""

    repository: RepositoryUrl = Field(examples=[_REPOSITORY])
    """Its repository, on GitHub."""
    ref: BranchName = "main"
    """The branch that the readers of the facts follow."""
    path: YamlPath = Field(examples=["runtime-facts/env/dev/globals.yaml"])
    """The file in it."""
    fields: Annotated[Mapping[FieldPath, DeclaredFact], Field(min_length=1), Unchanging()] = Field(
        examples=[{"azure.tenantId": {"from": "tenantId"}}]
    )
    """By the keys that lead to the field. Other fields are neither judged nor changed."""
    workflow: DeclaredWorkflow | None = None
    """What publishes the file, where a workflow does."""

    @property
    def reference(self) -> str:
        """The file's address for people; it begins with that of its repository."""
        return f"{repository_page(self.repository)}/blob/{self.ref}/{self.path}"

    @property
    def resources(self) -> frozenset[str]:
        """ARM ids of what the file tells about, as they are declared."""
        return frozenset(fact.id for fact in self.fields.values() if fact.id)


def repository_page(repository: str) -> str:
    """The repository's address for people, which has no `.git` at its end."""
    return repository.removesuffix(".git")


def same_repository(one: str, other: str) -> bool:
    """GitHub knows owners and names without regard to letter case, with `.git` and without."""
    return repository_page(one.lower()) == repository_page(other.lower())
