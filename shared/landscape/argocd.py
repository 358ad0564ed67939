"""Which Applications of Argo CD belong to an environment, and who looks after what they rest on."""

from collections.abc import Iterator
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Final

from pydantic import ConfigDict, Field

from shared.landscape.declared import Declared, cluster_is_optional_in_the_file
from shared.landscape.forms import ClusterName, Form
from shared.landscape.vault import Namespace

APPLICATION_PATTERN: Final = Form(
    pattern=r"[-a-z0-9.*]+",
    otherwise="write an Application's name, in which `*` stands for any characters, such as dev-*",
    longest=253,
)
ARGOCD_NAMESPACE: Final = "argocd"
"""Where Argo CD's own manifests put it."""
type ApplicationPattern = Annotated[str, APPLICATION_PATTERN]


class Watcher(StrEnum):
    """The responders that may look after what an Application rests on."""

    SUBMODULE_REFS = "submodule_refs"
    FEDERATED_CREDENTIALS = "federated_credentials"
    RUNTIME_FACTS = "runtime_facts"
    VAULT_SEEDING = "vault_seeding"
    KEYCLOAK_BOOTSTRAP = "keycloak_bootstrap"
    GITLAB_MIGRATIONS = "gitlab_migrations"


class ApplicationRule(Declared):
    """Applications of one pattern."""

    match: ApplicationPattern = Field(examples=["dev-*"])
    """The Application's name, in which `*` stands for any characters."""
    responders: tuple[Watcher, ...] = ()
    """Who looks after what they rest on: woken as well when Argo CD reports one of them."""


class DeclaredArgoCD(Declared):
    """The Argo CD that deploys the environment, and the environment's part of its Applications."""

    model_config = ConfigDict(json_schema_extra=cluster_is_optional_in_the_file)

    cluster: ClusterName = Field(examples=["ameide"])
    """Name of the cluster that it runs in. Needed only when the environment has several."""
    namespace: Namespace = ARGOCD_NAMESPACE
    """Of Argo CD and its Applications."""
    applications: tuple[ApplicationRule, ...] = Field(min_length=1, examples=[[{"match": "dev-*"}]])
    """The environment's Applications; the first pattern that fits decides."""

    def rule(self, application: str) -> ApplicationRule | None:
        """What is declared of the Application of this name; None: it is another environment's."""
        return next((rule for rule in self.applications if fits(rule.match, application)), None)


def fits(pattern: str, text: str) -> bool:
    """Whether the pattern stands for the text or, where that is a pattern too, for all that it stands for."""
    return fnmatchcase(text, pattern)  # the form of patterns leaves no other of its signs than the star


def overlap(one: str, other: str) -> bool:
    """Whether some text fits both patterns."""
    seen, todo = {(0, 0)}, [(0, 0)]
    while todo:
        here, there = todo.pop()
        if (here, there) == (len(one), len(other)):
            return True
        for after in _walks(one[here : here + 1], other[there : there + 1]):
            place = (here + after[0], there + after[1])
            if place not in seen:
                seen.add(place)
                todo.append(place)
    return False


def _walks(one: str, other: str) -> Iterator[tuple[int, int]]:
    """How far both patterns may be read on, by what comes next in each; nothing at an end. A star is left
    behind, or takes what the other pattern has next."""
    if one == "*":
        yield 1, 0
    if other == "*":
        yield 0, 1
    if one == "*" and other:
        yield 0, 1
    if other == "*" and one:
        yield 1, 0
    if one and one == other:
        yield 1, 1
