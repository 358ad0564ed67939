"""A person who reviews what Reconverge proposes, and merges it: with GitHub's REST API and a token of theirs.

https://docs.github.com/rest/pulls/pulls
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from cli.judging.asking import ask
from shared.landscape import Environment, Landscape

if TYPE_CHECKING:
    import requests

HEADERS: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """An open pull request."""

    repository: str
    """<owner>/<name>"""
    number: int
    title: str
    body: str
    branch: str
    head: str
    """The commit that is proposed: what was reviewed is what is merged."""

    @property
    def environment(self) -> str:
        """Which one it is about: `reconverge/<environment>/<what>-<change>` is its branch."""
        return self.branch.split("/")[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    api: str
    token: str = field(repr=False)
    ca: str

    def proposals(self, landscape: Landscape) -> Iterator[Proposal]:
        """Those of Reconverge that are open where facts and values are declared. Raises RequestException."""
        for repository in dict.fromkeys(_names(landscape)):
            for one in self._ask("GET", f"{repository}/pulls", params={"state": "open"}):
                if one["head"]["ref"].startswith("reconverge/"):
                    head = one["head"]
                    yield Proposal(
                        repository, one["number"], one["title"], one["body"], head["ref"], head["sha"]
                    )

    def merge(self, proposal: Proposal) -> None:
        """Raises RequestException where GitHub does not take it."""
        path = f"{proposal.repository}/pulls/{proposal.number}/merge"
        self._ask("PUT", path, json={"sha": proposal.head, "merge_method": "squash"})

    def _ask(self, method: str, path: str, **request: Any) -> Any:
        answer: requests.Response = ask(
            method,
            f"{self.api}/repos/{path}",
            headers={**HEADERS, "Authorization": f"Bearer {self.token}"},
            verify=self.ca,
            **request,
        )
        answer.raise_for_status()
        return answer.json()


def of(environment: Mapping[str, str]) -> Reviewer:
    """With the operator's token, from the variables of the sandbox's file `env`."""
    return Reviewer(
        api=environment["RECONVERGE_GITHUB_API_URL"],
        token=environment["SANDBOX_GITHUB_TOKEN"],
        ca=environment["REQUESTS_CA_BUNDLE"],
    )


def _names(landscape: Landscape) -> Iterator[str]:
    for environment in landscape.environments.values():
        for repository in _repositories(environment):
            yield "/".join(repository.removesuffix(".git").split("/")[-2:])


def _repositories(environment: Environment) -> Iterator[str]:
    yield from (facts.repository for facts in environment.facts)
    if environment.keycloak and (values := environment.keycloak.hooks.values):
        yield values.repository
    if environment.gitlab and (migrations := environment.gitlab.migrations):
        yield migrations.values.repository
