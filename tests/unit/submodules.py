"""Small Git servers in memory: repositories with commits, branches and gitlinks, and the GitHub above them.

Behaves by the rules that a run can meet: a commit that no branch leads to is still given, one that was
forgotten is known to the API alone until a branch brings it back, a branch is made only where there is none
of its name.

Trouble can be laid in the way of any read by its address or commit, and of any write by its name.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha1
from itertools import count

from shared.clients.azure_core import as_unknown
from shared.clients.git_remotes import Gitlink, Refs, Snapshot, Standing
from shared.clients.github import State
from shared.clients.github_http import NotThere
from shared.errors import PermanentError, ReconvergeError
from shared.model import Absent, Known, Read, Unknown
from tests.unit.github import GitHub, page


@dataclass(slots=True)
class Commit:
    parent: str | None
    gitlinks: tuple[Gitlink, ...]


@dataclass(slots=True)
class Repository:
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    """The API has them, the Git server gives them to nobody."""
    moved_to: str | None = None


@dataclass(slots=True)
class Remotes:
    repositories: dict[str, Repository] = field(default_factory=dict)
    """By page."""
    troubles: dict[str, ReconvergeError] = field(default_factory=dict)
    """What a read meets, by a repository's page or a commit."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Each read, and of what."""
    _made: "count[int]" = field(default_factory=lambda: count(1))

    # -- what people do -----------------------------------------------------------------------

    def commit(
        self, repository: str, branch: str | None, *gitlinks: Gitlink, parent: str | None = None
    ) -> str:
        """A new commit, which becomes the branch's newest; without a branch nothing leads to it."""
        here = self.repositories.setdefault(page(repository), Repository())
        commit = sha1(str(next(self._made)).encode(), usedforsecurity=False).hexdigest()
        head = f"refs/heads/{branch}"
        here.commits[commit] = Commit(parent or here.refs.get(head), gitlinks)
        if branch:
            here.refs[head] = commit
        return commit

    def forget(self, repository: str, commit: str) -> None:
        """GitHub's Git server gives it no more, its API still has it."""
        self.lose(repository, commit)
        self.of(repository).forgotten.add(commit)

    def lose(self, repository: str, commit: str) -> None:
        here = self.of(repository)
        here.refs = {name: at for name, at in here.refs.items() if at != commit}
        del here.commits[commit]

    def delete(self, repository: str, branch: str) -> None:
        del self.of(repository).refs[f"refs/heads/{branch}"]

    # -- what is so ---------------------------------------------------------------------------

    def of(self, repository: str) -> Repository:
        return self.repositories[page(repository)]

    def tip(self, repository: str, branch: str) -> str | None:
        return self.of(repository).refs.get(f"refs/heads/{branch}")

    def pinned(self, repository: str, branch: str) -> dict[str, str]:
        here = self.of(repository)
        return {one.path: one.commit for one in here.commits[here.refs[f"refs/heads/{branch}"]].gitlinks}

    def leads(self, repository: str) -> Iterator[str]:
        """Commits that a ref leads to."""
        here = self.of(repository)
        for tip in here.refs.values():
            at: str | None = tip
            while at is not None and at in here.commits:
                yield at
                at = here.commits[at].parent

    # -- what a run reads ---------------------------------------------------------------------

    def refs(self, url: str, *, parent: str | None = None) -> Read[Refs]:
        del parent
        self.asked.append(("refs", url))
        if trouble := self.troubles.get(page(url)):
            return as_unknown(trouble)
        here = self.repositories.get(page(url))
        if here is None:
            return Unknown("github.com answered 404")
        found = Refs(heads_and_tags=dict(here.refs), object_format="sha1", moved_to=here.moved_to)
        return Known(found)

    def snapshot(self, url: str, revision: str, *, parent: str | None = None) -> Read[Snapshot]:
        del parent
        self.asked.append(("snapshot", revision))
        if trouble := self.troubles.get(page(url)) or self.troubles.get(f"snapshot {revision}"):
            return as_unknown(trouble)
        here = self.repositories.get(page(url))
        if here is None:
            return Unknown("github.com answered 404")
        commit = here.refs.get(f"refs/heads/{revision}", revision)
        if commit not in here.commits:
            return Absent()
        return Known(Snapshot(commit=commit, gitlinks=here.commits[commit].gitlinks))

    def standing(
        self, url: str, commit: str, refs: Refs, *, parent: str | None = None
    ) -> Read[Standing]:
        del parent
        self.asked.append(("standing", commit))
        if trouble := self.troubles.get(commit):
            return as_unknown(trouble)
        if commit in refs.heads_and_tags.values() or commit in self.leads(url):
            return Known(Standing.REFERENCED)
        return Known(Standing.UNREFERENCED) if commit in self.of(url).commits else Absent()


@dataclass(slots=True)
class Forge(GitHub):
    """The GitHub that these repositories are on."""

    remotes: Remotes = field(default_factory=Remotes)
    late: bool = False
    """New branches are taken, and the Git server shows none of them so far."""

    def merge_pin(self, number: int) -> None:
        """Into main."""
        repository, pull = self._pull(number)
        here = self.remotes.of(repository)
        here.refs["refs/heads/main"] = here.refs[f"refs/heads/{pull.branch}"]
        self._end(number, State.MERGED)

    def holds(self, repository: str, commit: str) -> Read[None]:
        if trouble := self.troubles.get("holds"):
            return as_unknown(trouble)
        here = self.remotes.of(repository)
        return Known(None) if commit in here.commits or commit in here.forgotten else Absent()

    def keep(self, repository: str, branch: str, commit: str) -> None:
        self._strike("keep")
        here, head = self.remotes.of(repository), f"refs/heads/{branch}"
        if commit not in here.commits and commit not in here.forgotten:
            raise PermanentError("GitHub answered 422: it cannot be done in this way")
        if self.late:
            return
        if here.refs.setdefault(head, commit) != commit:
            raise PermanentError("GitHub answered 422: it cannot be done in this way")
        here.commits.setdefault(commit, Commit(None, ()))
        self._strike("keep lost")

    def move_gitlink(
        self, repository: str, branch: str, *, base: str, path: str, commit: str, message: str
    ) -> None:
        self._strike("move_gitlink")
        here = self.remotes.of(repository)
        if base not in here.commits:
            raise NotThere("GitHub answered 404")
        moved = [
            Gitlink(path=one.path, commit=commit, url=one.url, branch=one.branch) if one.path == path else one
            for one in here.commits[base].gitlinks
        ]
        made = self.remotes.commit(repository, None, *moved, parent=base)
        here.refs[f"refs/heads/{branch}"] = made
        self.messages.append(message)
        self._strike("move_gitlink lost")
