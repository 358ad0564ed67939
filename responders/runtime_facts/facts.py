"""What the checks of published facts rest on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared import proposals
from shared.changes import Started
from shared.clients.git_files import FileAt
from shared.clients.github import PullRequest, Workflow, WorkflowRun
from shared.landscape import DeclaredFacts, repository_page, same_repository
from shared.model import Channel, Cluster, Read


@dataclass(frozen=True, slots=True, kw_only=True)
class ByWorkflow:
    workflow: Read[Workflow]
    runs: Read[tuple[WorkflowRun, ...]]
    """Newest first."""


type Progress = proposals.Progress | ByWorkflow | None
"""None for commits, and for a file that needs no change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One declared file: what it must say, what it says, and what has been done about it."""

    declared: DeclaredFacts
    channel: Channel
    file: Read[FileAt]
    """Absent: the branch is there, the file is not."""
    read_at: datetime
    """Just before the file was read."""
    started: tuple[Started, ...]
    """Oldest first."""
    progress: Progress = None

    @property
    def writes_to(self) -> str:
        return written_to(self.declared, self.channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    environment: str
    tenant: str
    clusters: Mapping[str, Read[Cluster]]
    """By ARM id."""
    values: Mapping[tuple[str, str], Read[str]]
    """By `from` and ARM id in lower case: what Azure has."""
    files: tuple[Published, ...]
    proposals: Mapping[str, Read[tuple[PullRequest, ...]]]
    """By repository page: the open pull requests of ours for this environment."""


def written_to(declared: DeclaredFacts, channel: Channel) -> str:
    """The repository that a change acts on: that of the workflow, where one publishes the file."""
    if channel is Channel.WORKFLOW and declared.workflow:
        return repository_page(declared.workflow.repository)
    return repository_page(declared.repository)


def share_a_run(one: DeclaredFacts, other: DeclaredFacts) -> bool:
    """One run of the workflow publishes both files."""
    start, same = one.workflow, other.workflow
    if start is None or same is None or not same_repository(start.repository, same.repository):
        return False
    return (start.file, start.ref, start.inputs) == (same.file, same.ref, same.inputs)


def branch_prefix(environment: str) -> str:
    return proposals.branch_prefix(environment, "facts")


def branch(environment: str, change: str) -> str:
    """The one branch of a change."""
    return proposals.branch(branch_prefix(environment), change)
