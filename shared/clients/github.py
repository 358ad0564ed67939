"""GitHub's REST API: pull requests, branches, files and workflows of a repository.

Permissions of the token: `contents: write` and `pull_requests: write` on repositories of facts, `actions:
write` on those of workflows; all of them `read` where nothing is ever written.

https://docs.github.com/rest
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import count
from typing import Any, Final
from urllib.parse import quote

from shared.clients.azure_core import AGAIN
from shared.clients.github_http import (
    TOKEN,
    CannotBeDone,
    Conflict,
    Lost,
    NotThere,
    decoded,
    read,
    request,
    slug,
)
from shared.errors import Misconfigured, NotWritten, PermanentError, after_a_write
from shared.model import Absent, Known, Read, Unknown
from shared.settings import Settings

VERSION: Final = "2022-11-28"
PAGE: Final = 100
SUPERSEDED: Final = "Superseded: "
"""What the title of a pull request begins with that we closed ourselves."""


class State(StrEnum):
    """Where a pull request stands."""

    OPEN = "open"
    MERGED = "merged"
    DECLINED = "declined"
    """Closed by somebody without being merged."""
    SUPERSEDED = "superseded"
    """Closed by us, since its change was not needed any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    number: int
    url: str
    branch: str
    state: State
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The commits that a branch has and its base has not."""

    messages: tuple[str, ...]
    """Oldest first."""
    tip: str | None
    """The newest of them."""


@dataclass(frozen=True, slots=True)
class Workflow:
    state: str
    """`active`, or such as `disabled_manually`."""

    @property
    def active(self) -> bool:
        return self.state == "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRun:
    id: int
    url: str
    status: str
    """`completed`, or such as `queued`, `in_progress`, `waiting`."""
    conclusion: str
    """`success`, or such as `failure`, `cancelled`; empty until it is completed."""
    created_at: datetime
    updated_at: datetime

    @property
    def completed(self) -> bool:
        return self.status == "completed"

    @property
    def succeeded(self) -> bool:
        return self.conclusion == "success"


class GitHub:
    """Repositories are given as `https://github.com/<owner>/<name>`, with `.git` or without.

    Reads answer Unknown for what GitHub does. Writes are made once each and raise TemporaryError (a lost
    answer, a lost race, too many requests) or PermanentError (a missing permission, a refusal).
    """

    def __init__(self, settings: Settings) -> None:
        self._api = settings.github_api
        self._base = settings.github_url
        self._token = settings.github_token

    # -- pull requests ----------------------------------------------------------------------

    def proposals(self, repository: str, prefix: str) -> Read[tuple[PullRequest, ...]]:
        """Open pull requests from branches of the repository itself whose name begins with the prefix."""
        found = self._pulls(repository, state="open")
        if not isinstance(found, Known):
            return found
        return Known(tuple(one for one in found.value if one.branch.startswith(prefix)))

    def history(self, repository: str, branch: str) -> Read[tuple[PullRequest, ...]]:
        """Every pull request from that branch, newest first."""
        try:
            owner = slug(repository, self._base).partition("/")[0]
        except Misconfigured as error:
            return Unknown(str(error))
        found = self._pulls(repository, state="all", head=f"{owner}:{branch}")
        if not isinstance(found, Known):
            return found
        # GitHub answers a filter that it makes nothing of with all that there is.
        return Known(tuple(one for one in found.value if one.branch == branch))

    def propose(self, repository: str, branch: str, base: str, title: str, body: str) -> None:
        """Open a pull request."""
        self._write("POST", repository, "pulls", {"head": branch, "base": base, "title": title, "body": body})

    def withdraw(self, repository: str, number: int, title: str, comment: str) -> None:
        """Close a pull request of ours and say why. After a crash between the two, only its title does.

        The other way round, one that may not be closed would get the comment anew with each try.
        """
        self._write(
            "PATCH", repository, f"pulls/{number}", {"state": "closed", "title": f"{SUPERSEDED}{title}"}
        )
        with after_a_write():
            self._write("POST", repository, f"issues/{number}/comments", {"body": comment})

    def _pulls(self, repository: str, **query: str) -> Read[tuple[PullRequest, ...]]:
        """All pages. Branches of forks are left out: they may have any name."""

        def call() -> tuple[PullRequest, ...]:
            name = slug(repository, self._base)
            found: list[PullRequest] = []
            for number in count(1):
                asked = {**query, "sort": "created", "direction": "desc", "per_page": PAGE, "page": number}
                page = self._json("GET", name, "pulls", params=asked)
                own = [one for one in page if _full_name(one["head"]["repo"]) == name.lower()]
                found += map(_pull_request, own)
                if len(page) < PAGE:
                    break
            return tuple(found)

        answered = read(call)
        # Every repository has such a list, so this one cannot be seen.
        return Unknown(f"the repository: {_UNSEEN}") if isinstance(answered, Absent) else answered

    # -- branches and files -------------------------------------------------------------------

    def beyond(self, repository: str, base: str, branch: str) -> Read[Own]:
        """What the branch has and its base has not. Absent where one of the two is not there, or GitHub shows
        none of the repository.

        https://docs.github.com/rest/commits/commits#compare-two-commits
        """

        def own(found: Any) -> Own:
            told = found["commits"]
            # Without asking for pages, one answer holds 250 of them: more than any branch of ours gets.
            if len(told) != found["total_commits"]:
                raise CannotBeDone("it has too many commits of its own")
            tip = str(told[-1]["sha"]) if told else None
            return Own(messages=tuple(str(one["commit"]["message"]) for one in told), tip=tip)

        return self._get(repository, f"compare/{_path(base)}...{_path(branch)}", {}, own)

    def point(self, repository: str, branch: str, commit: str) -> None:
        """Make the branch, or move it forward, to a commit. Only for branches of ours.

        Raises Conflict where it has something by now that the commit does not have.
        """
        try:
            self._write("POST", repository, "git/refs", {"ref": f"refs/heads/{branch}", "sha": commit})
        # 422 says that it is there, among other things; the move then says what else is wrong.
        except CannotBeDone:
            self._forward(repository, branch, commit, upon=None)

    def renew(self, repository: str, branch: str, commit: str, *, upon: str, message: str) -> None:
        """Let the branch hold what the commit holds, by a commit upon both: what it had stays behind it.

        upon: what was seen as its newest commit. Raises Conflict where that is another one by now.
        """
        name = self._writable(repository)
        made = self._made(name, self._tree(name, commit), (upon, commit), message)
        self._forward(repository, branch, made, upon=upon)

    def _forward(self, repository: str, branch: str, commit: str, *, upon: str | None) -> None:
        """Never by force: GitHub itself refuses to leave a commit out that somebody pushed meanwhile."""
        path = f"heads/{_path(branch)}"
        try:
            self._write("PATCH", repository, f"git/refs/{path}", {"sha": commit, "force": False})
        except CannotBeDone as refusal:
            there = self._get(repository, f"git/ref/{path}", {}, _target)
            if isinstance(there, Unknown):
                raise NotWritten(f"branch {branch}: {there.why}", delay=AGAIN) from refusal
            # Where nothing has changed it is a rule of the repository that stands in the way.
            if there == (Absent() if upon is None else Known(upon)):
                raise
            raise Conflict(f"somebody else wrote to branch {branch} meanwhile", delay=AGAIN) from refusal

    def keep(self, repository: str, branch: str, commit: str) -> None:
        """Make a branch of that name where there is none, so that the commit stays. None is ever moved: one
        that is there already must be there for the same commit.

        Raises PermanentError where it is there for another one, or where GitHub holds no such commit.
        """
        try:
            self._write("POST", repository, "git/refs", {"ref": f"refs/heads/{branch}", "sha": commit})
        except CannotBeDone as refusal:
            there = self._get(repository, f"git/ref/heads/{_path(branch)}", {}, _target)
            if there == Known(commit):
                return
            if isinstance(there, Absent):
                raise
            if isinstance(there, Unknown):
                raise NotWritten(f"branch {branch}: {there.why}", delay=AGAIN) from refusal
            raise PermanentError(
                f"branch {branch} is there already, for {there.value[:7]} and not for {commit[:7]}"
            ) from refusal

    def holds(self, repository: str, commit: str) -> Read[None]:
        """Whether GitHub still has the commit, by whatever way: its Git server may give it to nobody.

        Absent only where the repository itself is seen. GitHub may also show what is in a fork of it.

        https://docs.github.com/rest/git/commits#get-a-commit-object
        """

        def call() -> None:
            try:
                found = self._json("GET", slug(repository, self._base), f"git/commits/{_path(commit)}")
            except CannotBeDone as refusal:
                raise NotThere(str(refusal)) from refusal
            if found["sha"] != commit:
                raise ValueError

        found = read(call)
        if not isinstance(found, Absent):
            return found
        match self._get(repository, "", {}, lambda _: None):
            case Known():
                return Absent()
            case Absent():
                return Unknown(f"the repository: {_UNSEEN}")
            case unknown:
                return unknown

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
        """Let a branch of ours hold what the commit `base` holds, but for the submodule at that path, which
        pins another commit. GitHub does not look whether the other repository has that one.

        upon: what was seen as the branch's newest commit, which stays behind the new one; None without one.
        Raises NotWritten where GitHub does not yet see the tree that it has just made: no branch leads to it;
        and Conflict where the branch has another newest commit by now.

        https://docs.github.com/rest/git/trees#create-a-tree
        """
        name = self._writable(repository)
        below = self._tree(name, base)
        entry = {"path": path, "mode": "160000", "type": "commit", "sha": commit}
        tree = _sha(self._json("POST", name, "git/trees", json={"base_tree": below, "tree": [entry]}))
        if upon is None:
            self.point(repository, branch, self._made(name, tree, (base,), message))
        else:
            self._forward(repository, branch, self._made(name, tree, (upon, base), message), upon=upon)

    def _tree(self, name: str, commit: str) -> str:
        return _sha(self._json("GET", name, f"git/commits/{_path(commit)}"), "tree")

    def _made(self, name: str, tree: str, parents: Iterable[str], message: str) -> str:
        """A commit that no branch leads to yet."""
        body = {"message": message, "tree": tree, "parents": list(dict.fromkeys(parents))}
        try:
            return _sha(self._json("POST", name, "git/commits", json=body))
        # All of it was there a moment ago, so one of GitHub's servers is behind the others.
        except CannotBeDone as refusal:
            raise NotWritten(f"{refusal}: what it is made of is not seen yet", delay=AGAIN) from refusal

    def commit(
        self, repository: str, branch: str, path: str, *, text: str, replaces: str, message: str
    ) -> None:
        """Put a file in the place of the one that reads `replaces`; Conflict where it reads otherwise."""
        self._write(
            "PUT",
            repository,
            f"contents/{_path(path)}",
            {
                "branch": branch,
                "content": base64.b64encode(text.encode()).decode(),
                "sha": _blob(replaces),
                "message": message,
            },
        )

    # -- workflows ------------------------------------------------------------------------------

    def workflow(self, repository: str, file: str) -> Read[Workflow]:
        """Absent where GitHub shows none to this token."""
        return self._get(
            repository, f"actions/workflows/{_path(file)}", {}, lambda found: Workflow(str(found["state"]))
        )

    def runs(self, repository: str, file: str) -> Read[tuple[WorkflowRun, ...]]:
        """The last runs that workflow_dispatch started, newest first; one page of them."""
        query = {"event": "workflow_dispatch", "per_page": "20"}

        def runs(found: Any) -> tuple[WorkflowRun, ...]:
            return tuple(_workflow_run(one) for one in found["workflow_runs"])

        return self._get(repository, f"actions/workflows/{_path(file)}/runs", query, runs)

    def dispatch(self, repository: str, file: str, ref: str, inputs: Mapping[str, str]) -> None:
        """Start the workflow. GitHub does not say which run that makes."""
        path = f"actions/workflows/{_path(file)}/dispatches"
        self._write("POST", repository, path, {"ref": ref, "inputs": dict(inputs)})

    # -- calls ------------------------------------------------------------------------------------

    def _get[T](
        self, repository: str, path: str, query: Mapping[str, str], record: Callable[[Any], T]
    ) -> Read[T]:
        def call() -> T:
            name = slug(repository, self._base)
            return record(self._json("GET", name, path, params=query))

        return read(call)

    def _write(self, method: str, repository: str, path: str, body: Mapping[str, Any]) -> None:
        self._json(method, self._writable(repository), path, json=body)

    def _writable(self, repository: str) -> str:
        """Its `<owner>/<name>`. Raises Misconfigured."""
        if self._token is None:
            raise Misconfigured(f"{TOKEN} is missing: GitHub takes no write without a token")
        return slug(repository, self._base)

    def _json(self, method: str, name: str, path: str, **given: Any) -> Any:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        address = f"{self._api}/repos/{name}/{path}".rstrip("/")
        return decoded(request(method, address, headers=headers, **given))


_UNSEEN: Final = f"GitHub answered 404: it does not exist, or the token of {TOKEN} may not see it"


def _pull_request(found: Mapping[str, Any]) -> PullRequest:
    if found["state"] == "open":
        state = State.OPEN
    elif found["merged_at"]:
        state = State.MERGED
    else:
        state = State.SUPERSEDED if str(found["title"]).startswith(SUPERSEDED) else State.DECLINED
    ended = found["merged_at"] or found["closed_at"]
    return PullRequest(
        number=int(found["number"]),
        url=str(found["html_url"]),
        branch=str(found["head"]["ref"]),
        state=state,
        ended_at=datetime.fromisoformat(ended) if ended else None,
    )


def _workflow_run(found: Mapping[str, Any]) -> WorkflowRun:
    return WorkflowRun(
        id=int(found["id"]),
        url=str(found["html_url"]),
        status=str(found["status"]),
        conclusion=str(found["conclusion"] or ""),
        created_at=datetime.fromisoformat(found["created_at"]),
        updated_at=datetime.fromisoformat(found["updated_at"]),
    )


def _target(reference: Any) -> str:
    return _sha(reference, "object")


def _sha(found: Any, *within: str) -> str:
    """Of an object that GitHub tells of, or of one named in it. Raises TemporaryError where it names none."""
    try:
        for name in within:
            found = found[name]
        return str(found["sha"])
    except (LookupError, TypeError) as error:
        raise Lost(error) from error


def _full_name(repository: Mapping[str, Any] | None) -> str:
    """Empty for a fork that was deleted."""
    return str(repository["full_name"]).lower() if repository else ""


def _path(text: str) -> str:
    return quote(text, safe="/")


def _blob(text: str) -> str:
    """Git's name for a file's content. https://git-scm.com/book/en/v2/Git-Internals-Git-Objects"""
    data = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
