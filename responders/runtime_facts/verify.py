"""Proves a change where the fault was: the published file, read again, says what Azure has.

A workflow that succeeded or a pull request that waits proves nothing. Neither does a file that is right by
somebody else's hand, while ours was declined or never arrived.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.runtime_facts.cases import Reading, readings
from responders.runtime_facts.facts import ByWorkflow, Facts, Published, branch
from responders.runtime_facts.progress import since
from responders.runtime_facts.reasons import Reason
from shared.changes import Started
from shared.clients.github import State
from shared.model import Channel, Finding, Known, Proof, Unknown, Verdict
from shared.proposals import CHANGE_TRAILER, Progress
from shared.world import Look, Scope

UNREAD_PAUSE: Final = timedelta(seconds=30)
FIRST_LOOK: Final = timedelta(seconds=5)
LONGEST: Final[dict[str, timedelta]] = {
    Reason.PULL_REQUEST_OPEN: timedelta(minutes=15),
    Reason.WORKFLOW_RUNNING: timedelta(minutes=1),
    Reason.PUBLICATION_SETTLING: timedelta(seconds=30),
}
SETTLING_PAUSE: Final = timedelta(minutes=1)
"""A cluster takes minutes to build; its last event wakes us anyway."""


def verify(scope: Scope, facts: Facts) -> tuple[Proof, ...]:
    """One proof for each file that our change made right, and that has none yet. Reads what became of the
    change."""
    return tuple(
        Proof(
            object=reading.reference,
            method="facts-read-back",
            verdict=Verdict.ACCEPTED,
            detail=f"{len(reading.cases)} fields are as Azure has them, at commit {_commit(reading)}",
            at=scope.clock(),
        )
        for reading in readings(facts)
        if reading.whole
        and reading.change is None
        and reading.published.started
        and not reading.published.started[-1].proven
        and _arrived(scope, reading.published)
    )


def _arrived(scope: Scope, published: Published) -> bool:
    """Whether our newest change to the file came through its channel."""
    declared, newest, github = published.declared, published.started[-1], scope.world.github
    match published.channel, declared.workflow:
        case Channel.WORKFLOW, workflow if workflow:
            runs = github.runs(workflow.repository, workflow.file)
            return any(run.succeeded for run in since(newest.at, runs))
        case Channel.PULL_REQUEST, _:
            history = github.history(declared.repository, branch(scope.environment.name, newest.change))
            return isinstance(history, Known) and [one.state for one in history.value[:1]] == [State.MERGED]
        case Channel.DIRECT, _:
            return newest.confirmed or _is_newest(published, newest)
    return False


def _is_newest(published: Published, commit: Started) -> bool:
    """Its answer was lost, and the branch ends with it."""
    file = published.file
    return isinstance(file, Known) and f"{CHANGE_TRAILER} {commit.change[:12]}" in file.value.message


def look_again(facts: Facts, finding: Finding, now: datetime) -> Look:
    """Soon after a change was set going, then less and less often: half its age, up to the longest pause."""
    if finding.reason in (Reason.FACTS_UNREAD, Reason.REPOSITORY_UNREADABLE):
        asked = max(_asked_for(facts), default=None)
        return Look(UNREAD_PAUSE) if asked is None else Look(asked, asked=True)
    longest = LONGEST.get(finding.reason, SETTLING_PAUSE)
    begun = max((at for file in facts.files if _is_about(finding, file) for at in _begun(file)), default=None)
    return Look(longest if begun is None else min(max((now - begun) / 2, FIRST_LOOK), longest))


def _is_about(finding: Finding, file: Published) -> bool:
    return finding.subject == file.declared.reference


def _begun(file: Published) -> Iterator[datetime]:
    """Our own starts, and the runs that the workflow shows, whoever started them."""
    yield from (one.at for one in file.started)
    match file.progress:
        case ByWorkflow(runs=Known(runs)):
            yield from (one.created_at for one in runs)


def _commit(reading: Reading) -> str:
    file = reading.published.file
    return file.value.commit[:12] if isinstance(file, Known) else ""


def _asked_for(facts: Facts) -> Iterator[timedelta]:
    """The pauses that the far sides named."""
    reads: list[object] = [*facts.clusters.values(), *facts.values.values(), *facts.proposals.values()]
    for published in facts.files:
        reads.append(published.file)
        match published.progress:
            case Progress(history=history, proposed=proposed):
                reads += [history, proposed]
            case ByWorkflow(workflow=workflow, runs=runs):
                reads += [workflow, runs]
    for read in reads:
        if isinstance(read, Unknown) and read.delay is not None:
            yield read.delay
