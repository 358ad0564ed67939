"""What the checks of Applications rest on. Names, states and codes; foreign texts only within the records."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.attempts import Attempt
from shared.clients.argocd import Application
from shared.failure_texts import Explanation
from shared.landscape import ApplicationRule, DeclaredArgoCD
from shared.model import Read


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One of the environment's Applications, and what its texts are understood as."""

    application: Application
    rule: ApplicationRule
    explanation: Explanation
    """Unknown as well where it says nothing at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    environment: str
    declared: DeclaredArgoCD
    cluster_id: str
    applications: Read[tuple[Seen, ...]]
    """Absent: the cluster does not serve Applications."""
    watched: frozenset[str]
    """The responders that look after something in this environment."""
    tries: Mapping[str, tuple[Attempt, ...]]
    """Our writes to each Application within a day, and our stops as long as STOPS_KEPT; oldest first, by its
    id in lower case."""

    @property
    def namespace_id(self) -> str:
        return f"{self.cluster_id}/namespaces/{self.declared.namespace}"

    def id_of(self, application: Application) -> str:
        return f"{self.namespace_id}/applications/{application.name}"

    def tries_of(self, application: Application) -> tuple[Attempt, ...]:
        return self.tries.get(self.id_of(application).lower(), ())

    def attempt(self, application: Application) -> Attempt | None:
        """Our newest write to it."""
        return next(reversed(self.tries_of(application)), None)
