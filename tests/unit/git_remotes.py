"""Git servers in memory: repositories with branches, commits and what they pin.

A commit stands in one of four ways: a branch leads to it, the server gives it all the same, only GitHub's
REST API still has it, or it is gone. A repository that nobody laid cannot be seen.
"""

# ruff: noqa: ARG002 (the ports' signatures)

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.clients.azure_core import as_unknown
from shared.clients.git_remotes import Gitlink, Refs, Snapshot, Standing
from shared.errors import ReconvergeError
from shared.model import Absent, Known, Read, Unknown


@dataclass(slots=True)
class Repository:
    branches: dict[str, str] = field(default_factory=dict)
    """Tips by name."""
    tags: dict[str, str] = field(default_factory=dict)
    head: str = "main"
    """The branch that HEAD stands for."""
    moved_to: str | None = None
    behind: set[str] = field(default_factory=set)
    """Commits that a branch leads to, beside its tip."""
    loose: set[str] = field(default_factory=set)
    """Commits that no branch leads to, and that the Git server gives."""
    forgotten: set[str] = field(default_factory=set)
    """Commits that only the REST API still has."""
    pins: dict[str, tuple[Gitlink, ...]] = field(default_factory=dict)
    """Gitlinks by commit."""
    messages: dict[str, str] = field(default_factory=dict)
    """Of commits of ours, by commit."""

    def commit(self, sha: str, branch: str = "main", *, pins: Iterable[Gitlink] = ()) -> None:
        """Push it upon the branch."""
        if branch in self.branches:
            self.behind.add(self.branches[branch])
        self.branches[branch] = sha
        self.pins[sha] = tuple(pins)

    def delete(self, branch: str) -> None:
        """Its commit may go on being given."""
        self.loose.add(self.branches.pop(branch))

    def forget(self, sha: str) -> None:
        self.loose.discard(sha)
        self.forgotten.add(sha)

    def lose(self, sha: str) -> None:
        self.loose.discard(sha)
        self.forgotten.discard(sha)

    @property
    def referenced(self) -> set[str]:
        return self.behind | {*self.branches.values(), *self.tags.values()}

    @property
    def held(self) -> set[str]:
        """What the REST API has."""
        return self.referenced | self.loose | self.forgotten

    def point(self, branch: str, sha: str) -> None:
        """A new ref brings back what was forgotten."""
        self.loose.discard(sha)
        self.forgotten.discard(sha)
        self.branches[branch] = sha


@dataclass(slots=True)
class GitRemotes:
    repositories: dict[str, Repository] = field(default_factory=dict)
    """By page."""
    troubles: dict[str, ReconvergeError] = field(default_factory=dict)
    """What a call meets, by the method's name, or by that and a page: `refs https://github.com/o/r`; of
    `standing` by that and a commit as well."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Method and page of each."""

    def lay(self, url: str) -> Repository:
        """The repository, new where there is none."""
        return self.repositories.setdefault(page(url), Repository())

    def refs(self, url: str, *, parent: str | None = None) -> Read[Refs]:
        found = self._find("refs", url)
        if isinstance(found, Unknown):
            return found
        heads = {f"refs/heads/{name}": sha for name, sha in found.branches.items()}
        tags = {f"refs/tags/{name}": sha for name, sha in found.tags.items()}
        return Known(Refs(heads_and_tags=heads | tags, object_format="sha1", moved_to=found.moved_to))

    def snapshot(
        self, url: str, revision: str, *, refs: Refs | None = None, parent: str | None = None
    ) -> Read[Snapshot]:
        found = self._find("snapshot", url)
        if isinstance(found, Unknown):
            return found
        branch = found.head if revision == "HEAD" else revision
        commit = found.branches.get(branch) or found.tags.get(branch, branch)
        if commit not in found.referenced | found.loose:
            return Absent()
        return Known(
            Snapshot(
                commit=commit,
                branch=branch if branch in found.branches else None,
                gitlinks=found.pins.get(commit, ()),
                message=found.messages.get(commit, "By somebody"),
            )
        )

    def standing(self, url: str, commit: str, refs: Refs, *, parent: str | None = None) -> Read[Standing]:
        found = self._find("standing", url)
        if isinstance(found, Unknown):
            return found
        if trouble := self.troubles.get(f"standing {commit}"):
            return as_unknown(trouble)
        if commit in found.referenced:
            return Known(Standing.REFERENCED)
        return Known(Standing.UNREFERENCED) if commit in found.loose else Absent()

    def _find(self, call: str, url: str) -> Repository | Unknown:
        where = page(url)
        self.calls.append((call, where))
        if trouble := self.troubles.get(f"{call} {where}", self.troubles.get(call)):
            return as_unknown(trouble)
        return self.repositories.get(where, Unknown("the repository: answered 404"))


def page(url: str) -> str:
    return url.removesuffix(".git")
