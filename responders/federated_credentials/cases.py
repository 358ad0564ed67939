"""What the checks and the plan look at: each declared credential, beside what is held in its place.

Pure, like all that rests on it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, NamedTuple

from responders.federated_credentials.facts import Facts, Holding, Write, credential_id
from responders.federated_credentials.reasons import Reason, finding
from shared.landscape import DeclaredCredential
from shared.model import Cluster, Credential, Finding, Known, Read

QUOTA: Final = 20
"""https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations"""


@dataclass(frozen=True)
class Surroundings:
    """What all declared credentials of one identity are judged by; each look-up is made ready once."""

    facts: Facts
    holding: Holding
    now: datetime

    @cached_property
    def held(self) -> tuple[Credential, ...]:
        return held_by(self.holding)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of what is declared. In lower case: ARM treats names that differ by letter case as one."""
        return tuple([one.name.lower() for one in self.holding.declared])

    @cached_property
    def by_name(self) -> Mapping[str, Credential]:
        """What is held, by name in lower case."""
        return {one.name.lower(): one for one in self.held}

    @cached_property
    def pairs(self) -> frozenset[tuple[str, str | None]]:
        """Issuer and subject of each held credential."""
        return frozenset([(one.issuer, one.subject) for one in self.held])

    @cached_property
    def issuers(self) -> Mapping[str, str]:
        """Of each cluster by its declared name; empty where it is not known."""
        return {name: _issuer(cluster) for name, cluster in self.facts.clusters.items()}

    @cached_property
    def far_clusters(self) -> frozenset[str]:
        """Names of the clusters that lie in another subscription than the identity."""
        near = subscription(self.holding.id)
        ids = self.facts.cluster_ids
        return frozenset([name for name, arm_id in ids.items() if subscription(arm_id) != near])


# A tuple, since a check makes one for each of many thousand credentials and a frozen dataclass takes three
# times as long to make (bench/checks.py).
class Case(NamedTuple):
    """One declared credential, in its surroundings."""

    around: Surroundings
    declared: DeclaredCredential
    found: Credential | None
    """What the identity holds under the declared name."""
    issuer: str
    """Of the live cluster; empty where it is not known."""
    writes: tuple[Write, ...]
    free_slots: int
    """Slots left for this one, when those before it in the landscape took theirs."""

    @property
    def facts(self) -> Facts:
        return self.around.facts

    @property
    def holding(self) -> Holding:
        return self.around.holding

    @property
    def subject_id(self) -> str:
        return credential_id(self.around.holding.id, self.declared.name)

    def finding(self, reason: Reason, message: str, **evidence: str) -> Finding:
        return finding(reason, self.subject_id, message, **evidence)


def held_by(holding: Holding) -> tuple[Credential, ...]:
    return holding.credentials.value if isinstance(holding.credentials, Known) else ()


def cases(facts: Facts, holding: Holding, now: datetime) -> Iterator[Case]:
    return cases_of(Surroundings(facts, holding, now))


def cases_of(around: Surroundings) -> Iterator[Case]:
    """Every declared credential, in the landscape's order."""
    by_name, writes, issuers = around.by_name, around.holding.writes, around.issuers
    free_slots = QUOTA - len(around.held)
    for name, declared in zip(around.names, around.holding.declared, strict=True):
        found = by_name.get(name)
        yield Case(around, declared, found, issuers[declared.cluster], writes.get(name, ()), free_slots)
        if found is None:
            free_slots -= 1


def _issuer(cluster: Read[Cluster]) -> str:
    return (cluster.value.issuer or "") if isinstance(cluster, Known) else ""


def as_declared(case: Case) -> bool:
    """Nothing differs."""
    found = case.found
    return (
        found is not None
        and found.subject == case.declared.subject
        and found.issuer == case.issuer
        and found.audiences == (case.declared.audience,)
    )


def attributes(credential: Credential) -> dict[str, str]:
    """A credential as a step's before or after."""
    return {
        "name": credential.name,
        "issuer": credential.issuer,
        "subject": credential.subject or "",
        "audience": ", ".join(credential.audiences),
    }


def stands(write: Write, credential: Credential) -> bool:
    """The credential is what we wrote, under whatever letter case: names that differ by it are one."""
    there = attributes(credential)
    return {**write.after, "name": there["name"]} == there


def wanted(case: Case) -> dict[str, str]:
    """What the credential must be: under the name as ARM spells it, so that nothing is renamed."""
    return {
        "name": case.found.name if case.found else case.declared.name,
        "issuer": case.issuer,
        "subject": case.declared.subject,
        "audience": case.declared.audience,
    }


def subscription(arm_id: str) -> str:
    return arm_id.lower().split("/")[2]
