"""Does each published fact say what Azure has? By a clone of the repository, as Argo CD reads it, and ARM."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cli.judging.asking import NotKnown, Outside
from cli.judging.git import cloned
from cli.judging.verdict import Verdict, fails, holds
from shared.landscape import DeclaredFact, DeclaredFacts, Environment, Landscape, Truth

type Truths = Mapping[Truth, Callable[[Outside, str], str]]

# One property of one resource each; the versions are stated, so that a newer one cannot change what is read.
READ: Final[Truths] = {
    Truth.KEY_VAULT_URI: lambda outside, arm_id: outside.resource(arm_id, "2023-07-01", "Key Vault")[
        "vaultUri"
    ],
    Truth.IDENTITY_CLIENT_ID: lambda outside, arm_id: outside.resource(arm_id, "2024-11-30", "identity")[
        "clientId"
    ],
    Truth.IDENTITY_PRINCIPAL_ID: lambda outside, arm_id: outside.resource(arm_id, "2024-11-30", "identity")[
        "principalId"
    ],
    Truth.PUBLIC_IP_ADDRESS: lambda outside, arm_id: outside.resource(
        arm_id, "2024-05-01", "public IP address"
    )["ipAddress"],
    Truth.SUBSCRIPTION_ID: lambda _, arm_id: arm_id.split("/")[2],
    Truth.RESOURCE_GROUP: lambda _, arm_id: arm_id.split("/")[4],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsAreTrue:
    """One published file says of each declared field what Azure has."""

    environment: str
    cluster: str
    """The environment's first: a rebuild of it is what makes facts stale."""
    tenant: str
    declared: DeclaredFacts

    @property
    def kind(self) -> str:
        return "facts"

    @property
    def name(self) -> str:
        return self.declared.path

    @property
    def journalled(self) -> str:
        return self.declared.reference

    @property
    def responder(self) -> str:
        return "runtime_facts"

    def judge(self, outside: Outside) -> Verdict:
        published = _published(outside, self.declared)
        wrong = [
            field
            for field, fact in self.declared.fields.items()
            if not self._is_right(outside, fact, _value(published, field))
        ]
        count = len(self.declared.fields)
        return fails(f"{len(wrong)} of {count} differ") if wrong else holds(f"{count} of {count} equal")

    def _is_right(self, outside: Outside, fact: DeclaredFact, found: object) -> bool:
        if fact.may_be_empty and not found:
            return True
        truth = self.tenant if fact.id is None else READ[fact.source](outside, fact.id)
        return isinstance(found, str) and found.lower() == truth.lower()

    def __hash__(self) -> int:
        return hash((self.environment, self.declared.reference))


def claims(environment: Environment, landscape: Landscape) -> Iterator[FactsAreTrue]:
    for declared in environment.facts:
        yield FactsAreTrue(
            environment=environment.name,
            cluster=environment.clusters[0].id.rpartition("/")[2],
            tenant=landscape.tenant,
            declared=declared,
        )


def _value(published: object, field: str) -> object:
    for key in field.split("."):
        published = published.get(key) if isinstance(published, Mapping) else None
    return published


def _published(outside: Outside, declared: DeclaredFacts) -> object:
    with cloned(outside.operator, declared.repository, declared.ref) as clone:
        try:
            return YAML(typ="safe").load((clone.folder / declared.path).read_text(encoding="utf-8"))
        except (FileNotFoundError, YAMLError) as error:
            raise NotKnown(f"{declared.path}: {type(error).__name__}") from error
