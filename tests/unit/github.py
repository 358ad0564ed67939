"""A small GitHub in memory: repositories with branches and files, pull requests, a workflow that people end.

Behaves by the rules that a run can meet: a file is replaced only over what it was read as, one open pull
request a branch, a workflow that is switched off takes no start. Trouble can be laid in the way of any call,
before or after its effect.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count

from shared.clients.azure_core import as_unknown
from shared.clients.git_files import FileAt
from shared.clients.git_remotes import Gitlink
from shared.clients.github import Own, PullRequest, State, Workflow, WorkflowRun
from shared.clients.github_http import CannotBeDone, Conflict, NotThere
from shared.errors import PermanentError, ReconvergeError
from shared.model import Absent, Clock, Known, Read, Unknown, utc_now
from tests.unit.git_remotes import GitRemotes, page


@dataclass(slots=True)
class GitHub:
    clock: Clock = utc_now
    git: GitRemotes = field(default_factory=GitRemotes)
    """The Git servers, GitHub's own among them. Beside `branches`: those have files, these have commits."""
    branches: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    """Files by repository page and branch."""
    pulls: list[tuple[str, PullRequest]] = field(default_factory=list)
    """By repository, oldest first."""
    texts: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Title and body of each pull request by number."""
    comments: dict[int, list[str]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    """Of all commits of ours."""
    newest: dict[tuple[str, str], str] = field(default_factory=dict)
    """The message of the newest commit by repository page and branch."""
    own: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """The messages of the commits to each branch since it was pointed or merged, oldest first."""
    state: str | None = "active"
    """Of the workflow; None is no workflow."""
    run_list: list[WorkflowRun] = field(default_factory=list)
    """Oldest first."""
    inputs: list[Mapping[str, str]] = field(default_factory=list)
    """Of each start of the workflow."""
    troubles: dict[str, ReconvergeError] = field(default_factory=dict)
    """What a call meets, by the method's name; a write's `<name> lost` strikes after its effect."""
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)
    """Happens just before a write takes effect, by its name."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def files(self) -> "_Files":
        return _Files(self)

    # -- what people do -----------------------------------------------------------------------

    def put(self, repository: str, branch: str, path: str, text: str, message: str = "By somebody") -> None:
        self.branches.setdefault((page(repository), branch), {})[path] = text
        self.newest[page(repository), branch] = message
        self.own.setdefault((page(repository), branch), []).append(message)

    def text(self, repository: str, branch: str, path: str) -> str | None:
        return self.branches.get((page(repository), branch), {}).get(path)

    def merge(self, number: int, base: str, path: str) -> None:
        repository, pull = self._pull(number)
        self.put(repository, base, path, self.text(repository, pull.branch, path) or "")
        self.own[repository, pull.branch] = []
        self._end(number, State.MERGED)

    def merge_pins(self, number: int, base: str) -> None:
        """The same of a change to what a repository pins."""
        repository, pull = self._pull(number)
        remote = self.git.lay(repository)
        head = remote.branches[pull.branch]
        remote.commit(head, base, pins=remote.pins[head])
        self._end(number, State.MERGED)

    def decline(self, number: int) -> None:
        self._end(number, State.DECLINED)

    def finish(self, conclusion: str) -> None:
        """The run that is under way ends."""
        self.run_list[-1] = replace(
            self.run_list[-1], status="completed", conclusion=conclusion, updated_at=self.clock()
        )

    def start(self) -> None:
        now = self.clock()
        self.run_list.append(
            WorkflowRun(
                id=next(self._numbers),
                url="https://github.com/run",
                status="queued",
                conclusion="",
                created_at=now,
                updated_at=now,
            )
        )

    @property
    def open(self) -> list[int]:
        return [pull.number for _, pull in self.pulls if pull.state is State.OPEN]

    # -- what a run reads ---------------------------------------------------------------------

    def proposals(self, repository: str, prefix: str) -> Read[tuple[PullRequest, ...]]:
        if trouble := self.troubles.get("proposals"):
            return as_unknown(trouble)
        opened = [one for one in self._of(repository) if one.state is State.OPEN]
        return Known(tuple(one for one in opened if one.branch.startswith(prefix)))

    def history(self, repository: str, branch: str) -> Read[tuple[PullRequest, ...]]:
        if trouble := self.troubles.get("history"):
            return as_unknown(trouble)
        return Known(tuple(one for one in self._of(repository) if one.branch == branch))

    def workflow(self, repository: str, file: str) -> Read[Workflow]:
        del repository, file
        if trouble := self.troubles.get("workflow"):
            return as_unknown(trouble)
        return Absent() if self.state is None else Known(Workflow(self.state))

    def runs(self, repository: str, file: str) -> Read[tuple[WorkflowRun, ...]]:
        del repository, file
        if trouble := self.troubles.get("runs"):
            return as_unknown(trouble)
        return Known(tuple(reversed(self.run_list)))

    def holds(self, repository: str, commit: str) -> Read[None]:
        if trouble := self.troubles.get("holds"):
            return as_unknown(trouble)
        remote = self.git.repositories.get(page(repository))
        if remote is None:
            return Unknown("the repository: GitHub answered 404")
        return Known(None) if commit in remote.held else Absent()

    def beyond(self, repository: str, base: str, branch: str) -> Read[Own]:
        if trouble := self.troubles.get("beyond"):
            return as_unknown(trouble)
        where = (page(repository), branch)
        remote = self.git.lay(repository)
        if tip := remote.branches.get(branch):
            merged = tip in {remote.branches[base], *remote.behind}
            return Known(Own(messages=(), tip=None) if merged else Own(messages=("ours",), tip=tip))
        if where not in self.branches:
            return Absent()
        told = tuple(self.own.get(where, []))
        return Known(Own(messages=told, tip=self.tip(where) if told else None))

    # -- what a run writes ----------------------------------------------------------------------

    def point(self, repository: str, branch: str, commit: str) -> None:
        self._strike("point")
        if self.own.get((page(repository), branch)):
            raise Conflict("somebody else wrote to it", delay=_soon())
        self._hold(repository, branch, commit)
        self._strike("point lost")

    def renew(self, repository: str, branch: str, commit: str, *, upon: str, message: str) -> None:
        self._strike("renew")
        where = (page(repository), branch)
        if self.tip(where) != upon:
            raise Conflict("somebody else wrote to it", delay=_soon())
        self._hold(repository, branch, commit)
        self.own[where] = [*self.own.get(where, []), message]
        self.newest[where] = message
        self._strike("renew lost")

    def keep(self, repository: str, branch: str, commit: str) -> None:
        self._strike("keep")
        remote = self.git.lay(repository)
        if remote.branches.get(branch, commit) != commit:
            raise PermanentError(f"branch {branch} is there already")
        if commit not in remote.held:
            raise CannotBeDone("GitHub answered 422")
        remote.point(branch, commit)
        self._strike("keep lost")

    def move_gitlink(
        self,
        repository: str,
        branch: str,
        base: str,
        path: str,
        *,
        commit: str,
        message: str,
        upon: str | None = None,
    ) -> None:
        self._strike("move_gitlink")
        remote = self.git.lay(repository)
        if remote.branches.get(branch) != upon:
            raise Conflict("somebody else wrote to it", delay=_soon())
        moved = tuple(replace(one, commit=commit) if one.path == path else one for one in remote.pins[base])
        if path not in {one.path for one in moved}:
            moved += (Gitlink(path=path, commit=commit),)
        made = commit_of({"base": base, path: commit})
        remote.point(branch, made)
        remote.pins[made] = moved
        remote.messages[made] = message
        self.messages.append(message)
        self._strike("move_gitlink lost")

    def commit(
        self, repository: str, branch: str, path: str, *, text: str, replaces: str, message: str
    ) -> None:
        self._strike("commit")
        if self.text(repository, branch, path) != replaces:
            raise Conflict("GitHub answered 409", delay=_soon())
        self.put(repository, branch, path, text, message)
        self.messages.append(message)
        self._strike("commit lost")

    def propose(self, repository: str, branch: str, base: str, title: str, body: str) -> None:
        self._strike("propose")
        if any(one.branch == branch and one.state is State.OPEN for one in self._of(repository)):
            raise PermanentError("GitHub answered 422")
        number = next(self._numbers)
        url = f"{page(repository)}/pull/{number}"
        opened = PullRequest(number=number, url=url, branch=branch, state=State.OPEN)
        self.pulls.append((page(repository), opened))
        self.texts[number] = (f"{title} [{base}]", body)
        self._strike("propose lost")

    def withdraw(self, repository: str, number: int, title: str, comment: str) -> None:
        del repository, title
        self._strike("withdraw")
        self.comments.setdefault(number, []).append(comment)
        self._end(number, State.SUPERSEDED)

    def dispatch(self, repository: str, file: str, ref: str, inputs: Mapping[str, str]) -> None:
        del repository, ref
        self._strike("dispatch")
        if self.state is None:
            raise NotThere(f"GitHub answered 404: {file}")
        if self.state != "active":
            raise PermanentError("GitHub answered 422")
        self.inputs.append(inputs)
        self.start()
        self._strike("dispatch lost")

    # -- how ----------------------------------------------------------------------------------------

    def _of(self, repository: str) -> list[PullRequest]:
        return [pull for where, pull in reversed(self.pulls) if where == page(repository)]

    def _pull(self, number: int) -> tuple[str, PullRequest]:
        return next(entry for entry in self.pulls if entry[1].number == number)

    def _end(self, number: int, state: State) -> None:
        entry = self._pull(number)
        ended = replace(entry[1], state=state, ended_at=self.clock())
        self.pulls[self.pulls.index(entry)] = (entry[0], ended)

    def tip(self, where: tuple[str, str]) -> str:
        """Of what it holds and of how it came to it."""
        return commit_of({**self.branches.get(where, {}), "messages": repr(self.own.get(where))})

    def _hold(self, repository: str, branch: str, commit: str) -> None:
        for where, files in list(self.branches.items()):
            if where[0] == page(repository) and self.tip(where) == commit:
                self.branches[where[0], branch] = dict(files)
                self.own.setdefault((where[0], branch), [])

    def _strike(self, call: str) -> None:
        if happens := self.meanwhile.pop(call, None):
            happens()
        if trouble := self.troubles.pop(call, None):
            raise trouble


@dataclass(frozen=True, slots=True)
class _Files:
    github: GitHub

    def read(self, repository: str, branch: str, path: str) -> Read[FileAt]:
        if trouble := self.github.troubles.get("read"):
            return as_unknown(trouble)
        where = (page(repository), branch)
        files = self.github.branches.get(where)
        if files is None:
            return Unknown("the repository has no such branch")
        message = self.github.newest.get(where, "")
        return Known(FileAt(files[path], self.github.tip(where), message)) if path in files else Absent()


def commit_of(files: Mapping[str, str]) -> str:
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:40]


def _soon() -> timedelta:
    return timedelta(seconds=5)
