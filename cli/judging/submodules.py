"""Can a repository be fetched whole, submodules included? By git itself, as Argo CD fetches it."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.judging.asking import NotKnown, Outside
from cli.judging.git import cloned
from cli.judging.verdict import Verdict, fails, holds
from shared.landscape import Environment, Landscape


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmodulesAreThere:
    """Every submodule of a tracked branch comes at the commit that it is pinned to."""

    environment: str
    cluster: str
    """The environment's first: what renders nothing there."""
    repository: str
    branch: str

    @property
    def kind(self) -> str:
        return "submodules"

    @property
    def name(self) -> str:
        return f"{self.repository.removesuffix('.git').rpartition('/')[2]}@{self.branch}"

    @property
    def journalled(self) -> str:
        return "submodule_refs"

    @property
    def responder(self) -> str:
        return "submodule_refs"

    def judge(self, outside: Outside) -> Verdict:
        with cloned(outside.operator, self.repository, self.branch) as clone:
            ended = clone.git("submodule", "--quiet", "update", "--init", "--recursive")
        if ended.returncode == 0:
            return holds("fetched")
        if "not our ref" in ended.stderr:
            return fails("not our ref")
        raise NotKnown(f"git submodule update ended with {ended.returncode}")


def claims(environment: Environment, _: Landscape) -> Iterator[SubmodulesAreThere]:
    for declared in environment.submodules:
        for branch in declared.revisions:
            yield SubmodulesAreThere(
                environment=environment.name,
                cluster=environment.clusters[0].id.rpartition("/")[2],
                repository=declared.repository,
                branch=branch,
            )
