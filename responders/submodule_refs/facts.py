"""What the checks of submodules rest on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from shared.changes import Started
from shared.clients.git_remotes import Gitlink, Refs, Snapshot, Standing, resolve
from shared.clients.github import PullRequest
from shared.landscape import DeclaredSubmodules, repository_page
from shared.landscape.forms import BRANCH, SUBMODULE_PATH
from shared.model import Read, Unknown, digest_of
from shared.proposals import BRANCHES


class Pin(NamedTuple):
    """What a gitlink asks a remote for. However many gitlinks ask for it, it is asked once."""

    remote: str
    """https address of the submodule's repository."""
    commit: str

    @property
    def owner(self) -> str:
        return repository_page(self.remote)

    @property
    def reference(self) -> str:
        """The commit's address for people; it begins with that of its repository."""
        return f"{self.owner}/commit/{self.commit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """One branch that Argo CD renders from, or a tag, or HEAD."""

    declared: DeclaredSubmodules
    revision: str
    snapshot: Read[Snapshot]
    """Absent: the repository has none of that name."""
    read_at: datetime
    """Just before it was read."""

    @property
    def reference(self) -> str:
        return f"{repository_page(self.declared.repository)}/tree/{self.revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One gitlink of a tracked branch, or of a submodule at its pinned commit."""

    holder: str
    """Address of the repository that has it."""
    at: str
    """What is tracked; of a nested submodule the commit."""
    gitlink: Gitlink
    remote: str | None
    """Where its commit is asked for; None: nowhere that can be asked."""
    tracked: Tracked | None = None
    """None for a nested one."""
    branch: str | None = None
    """The tracked branch by which it can be changed; None for a nested one, and where a tag is tracked."""

    @property
    def reference(self) -> str:
        """The gitlink's address for people; it begins with that of the branch that has it."""
        return f"{repository_page(self.holder)}/tree/{self.at}/{self.gitlink.path}"

    @property
    def pin(self) -> Pin | None:
        return Pin(self.remote, self.gitlink.commit) if self.remote else None

    @property
    def target(self) -> str | None:
        """The branch of the submodule whose newest commit the pin may be moved to.

        What stands in .gitmodules goes into commits and pull requests, so it must have the landscape's forms.
        """
        if self.tracked is None or self.branch is None:
            return None
        if not self.gitlink.printable or not SUBMODULE_PATH.fits(self.gitlink.path):
            return None
        named = self.tracked.declared.moves.get(self.gitlink.path) or self.gitlink.branch
        # https://git-scm.com/docs/gitmodules: a dot is the branch of the same name as the parent's.
        named = self.branch if named == "." else named
        return named if named and BRANCH.fits(named) else None

    @property
    def change(self) -> str | None:
        """The id of the move that it would get; the same whatever the branch's newest commit is by then."""
        return move_id(self.reference, self.gitlink.commit, self.target) if self.target else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """How the move of a pin fares."""

    history: Read[tuple[PullRequest, ...]]
    """Every pull request that its branch ever had, newest first."""
    commit: Read[str]
    """What it is moved to on that branch; Absent without an open pull request, or without that gitlink."""
    by_others: bool = False
    """The newest commit of an open pull request's branch is not ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    environment: str
    tracked: tuple[Tracked, ...]
    links: tuple[Link, ...]
    """Those of tracked branches first, then nested ones, each repository's commit once."""
    remotes: Mapping[str, Read[Refs]]
    standings: Mapping[Pin, Read[Standing]]
    """Of pins, and of the commits that pull requests move them to. Absent: proven to be missing."""
    unopened: Mapping[Pin, Unknown]
    """Pins that are there, and whose own submodules could not be read."""
    beyond: Mapping[Pin, str]
    """Pins that were not asked for, by which bound."""
    held: Mapping[Pin, Read[None]]
    """Whether GitHub still has the object, of pins that are missing from remotes on GitHub."""
    moves: Mapping[str, Proposed]
    """By the gitlink's reference, where its pin is missing and may only be moved."""
    proposals: Mapping[str, Read[tuple[PullRequest, ...]]]
    """By repository page: the open pull requests of ours."""
    started: Mapping[str, tuple[Started, ...]]
    """Our writes by object, oldest first."""

    @property
    def declared(self) -> tuple[DeclaredSubmodules, ...]:
        return tuple(one.declared for one in self.tracked)


def links_of(tracked: Tracked, snapshot: Snapshot) -> list[Link]:
    """The gitlinks of a tracked branch that are checked out with it."""
    holder = tracked.declared.repository
    return [
        Link(
            holder=holder,
            at=tracked.revision,
            gitlink=one,
            remote=_resolved(holder, one),
            tracked=tracked,
            branch=snapshot.branch,
        )
        for one in snapshot.gitlinks
        if not one.skipped
    ]


def links_beneath(pin: Pin, snapshot: Snapshot) -> list[Link]:
    """The gitlinks of a submodule at its pinned commit that are checked out with it."""
    return [
        Link(holder=pin.remote, at=pin.commit, gitlink=one, remote=_resolved(pin.remote, one))
        for one in snapshot.gitlinks
        if not one.skipped
    ]


def _resolved(holder: str, gitlink: Gitlink) -> str | None:
    return resolve(holder, gitlink.url) if gitlink.printable and gitlink.url is not None else None


BRANCH_PREFIX: Final = f"{BRANCHES}pins-"
"""Without an environment: a branch may be rendered for several, and one pull request serves them all."""


def change_id(reference: str, before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Of a step: what it changes from, and the branch that it goes by."""
    return move_id(reference, before.get("commit", ""), after.get("branch"))


def move_id(reference: str, commit: str, target: str | None) -> str:
    return digest_of([reference, commit, target])


def branch(change: str) -> str:
    """The one branch of a change."""
    return f"{BRANCH_PREFIX}{change[:12]}"


def keeping_names(commit: str) -> tuple[str, str]:
    """What a branch may be called that keeps the commit: as people on the platform call theirs, and with the
    whole id where a branch of that name is on another commit."""
    return f"gitops-pin/{commit[:7]}", f"gitops-pin/{commit}"
