"""What the forge holds, beside what is in the repositories themselves."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sandbox.git_repository import Repository

type Permission = Literal["metadata", "contents", "pull_requests", "issues", "actions"]
type Level = Literal["read", "write"]
type Grants = Mapping[str, Mapping[Permission, Level]]
"""By `<owner>/<name>`. Whoever has any permission on a repository may read its metadata."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a token stands for, and what it may do. Not all that its owner may: tokens are fine-grained."""

    login: str
    grants: Grants

    def sees(self, name: str) -> bool:
        return name.lower() in self.grants

    def writes(self, name: str) -> bool:
        """Anything at all."""
        return "write" in self.grants.get(name.lower(), {}).values()

    def may(self, name: str, permission: Permission, level: Level) -> bool:
        held = self.grants.get(name.lower(), {})
        if permission == "metadata":
            return level == "read" and self.sees(name)
        return held.get(permission) in ((level, "write") if level == "read" else ("write",))


@dataclass(frozen=True, slots=True)
class Pushed:
    """A branch of a repository has moved, by whatever way."""

    repository: str
    branch: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What a workflow is started with."""

    ref: str
    inputs: Mapping[str, str]


type Job = Callable[[Dispatch], Awaitable[bool]]
"""Does what the workflow does, and answers whether it succeeded."""


@dataclass(slots=True, kw_only=True)
class Comment:
    id: int
    author: str
    body: str
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class PullRequest:
    number: int
    author: str
    title: str
    body: str | None
    head: str
    """Its branch."""
    head_sha: str
    """Where that branch is; of an ended pull request, where it was then."""
    base: str
    base_sha: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: str | None = None
    merge_sha: str | None = None
    comments: list[Comment] = field(default_factory=list)

    @property
    def open(self) -> bool:
        return self.closed_at is None


@dataclass(slots=True, kw_only=True)
class Workflow:
    id: int
    file: str
    job: Job
    created_at: datetime
    updated_at: datetime
    enabled: bool = True

    @property
    def path(self) -> str:
        return f".github/workflows/{self.file}"


@dataclass(slots=True, kw_only=True)
class Run:
    id: int
    number: int
    workflow: Workflow
    branch: str
    head_sha: str
    actor: str
    created_at: datetime
    updated_at: datetime
    status: Literal["queued", "in_progress", "completed"] = "queued"
    conclusion: Literal["success", "failure"] | None = None


@dataclass(slots=True, kw_only=True)
class Hosted:
    """A repository with all that GitHub keeps about it."""

    id: int
    owner: str
    name: str
    private: bool
    default_branch: str
    protected: frozenset[str]
    git: Repository
    created_at: datetime
    old_git: bool = False
    """Its Git server understands version 0 of the protocol only."""
    heads: dict[str, str] = field(default_factory=dict)
    """Commits by branch, as the forge last told of them."""
    pulls: list[PullRequest] = field(default_factory=list)
    """Oldest first."""
    workflows: dict[str, Workflow] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    """Oldest first."""
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held from the look to the write, so that what is decided still holds."""

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"
