"""How a change fares that was set going earlier: what keeps a file from being changed now, if anything.

Pure. What became of it is told in the words of facts; shared.changes says what that was.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, assert_never

from responders.runtime_facts.cases import Reading
from responders.runtime_facts.facts import ByWorkflow, share_a_run
from responders.runtime_facts.reasons import Reason, finding
from shared.changes import SETTLING, Fate, of_publication, of_writes, remembered
from shared.clients.github import WorkflowRun
from shared.model import Absent, Finding, Known, Read, Unknown
from shared.proposals import Progress, Stand, stand_of


def held_back(reading: Reading, now: datetime) -> Finding | None:
    """Why the change that a file needs is not made now; None where it may be, or where none is needed."""
    if reading.change is None:
        return None
    if reading.wanted_text is None:
        return _told(reading, Reason.FACT_NOT_SCALAR, "the layout of the file allows no edit of its fields")
    match reading.published.progress:
        case Progress() as proposed:
            return _proposed(reading, proposed, reading.wanted_text, now)
        case ByWorkflow() as run:
            return _run(reading, run, now)
        case None:
            return _committed(reading, now)
        case never:
            assert_never(never)


# -- pull request -------------------------------------------------------------------------------

_WHILE: Final[Mapping[Stand, Reason]] = {
    Stand.UNREAD: Reason.FACTS_UNREAD,
    Stand.OPEN: Reason.PULL_REQUEST_OPEN,
    Stand.DECLINED: Reason.PULL_REQUEST_DECLINED,
    Stand.SETTLING: Reason.PUBLICATION_SETTLING,
    Stand.UNDONE: Reason.PUBLISHED_STILL_DIFFERS,
}
"""What keeps a file from being changed; at any other stand it may be."""


def _proposed(reading: Reading, progress: Progress, wanted: str, now: datetime) -> Finding | None:
    stand, says, url = stand_of(progress, wanted, read_at=reading.published.read_at, now=now)
    if stand not in _WHILE:
        return None
    return _told(reading, _WHILE[stand], says, **({"url": url} if url else {}))


# -- workflow -----------------------------------------------------------------------------------


def _run(reading: Reading, progress: ByWorkflow, now: datetime) -> Finding | None:
    for check in (_unavailable, _running, _beginning, _ended):
        if held := check(reading, progress, now):
            return held
    return None


def _unavailable(reading: Reading, progress: ByWorkflow, _now: datetime) -> Finding | None:
    declared = reading.published.declared.workflow
    file = declared.file if declared else "a workflow"
    match progress.workflow:
        case Unknown(why):
            return _told(reading, Reason.FACTS_UNREAD, f"{file} could not be looked at: {why}")
        case Absent():
            return _told(reading, Reason.WORKFLOW_UNAVAILABLE, f"GitHub shows no {file} to the app's token")
        case Known(workflow) if not workflow.active:
            return _told(reading, Reason.WORKFLOW_UNAVAILABLE, f"{file} is {workflow.state}")
    return None


def _running(reading: Reading, progress: ByWorkflow, _now: datetime) -> Finding | None:
    match progress.runs:
        case Unknown(why):
            return _told(reading, Reason.FACTS_UNREAD, f"the workflow's runs could not be listed: {why}")
        case Known(runs) if under_way := [run for run in runs if not run.completed]:
            run = under_way[0]
            return _told(reading, Reason.WORKFLOW_RUNNING, f"run {run.id} is {run.status}", url=run.url)
    return None


def _beginning(reading: Reading, progress: ByWorkflow, now: datetime) -> Finding | None:
    """It was started a moment ago: for this file, or for another that the same run publishes."""
    declared = reading.published.declared
    files = (one for one in reading.facts.files if share_a_run(one.declared, declared))
    newest = max((one.at for file in files for one in file.started), default=None)
    if newest is None or now - newest >= SETTLING or since(newest, progress.runs):
        return None
    return _told(reading, Reason.WORKFLOW_RUNNING, "the workflow was started and shows no run so far")


def _ended(reading: Reading, progress: ByWorkflow, now: datetime) -> Finding | None:
    """What became of the last run that was started for this change. Long afterwards it may run again."""
    writes = remembered(reading.published.started, reading.change, now)
    if not writes:
        return None
    started = writes[-1]
    ours = since(started.at, progress.runs)
    if not ours:
        if started.confirmed:
            return _told(reading, Reason.WORKFLOW_FAILED, "GitHub took the start, and shows no run of it")
        return None
    newest = ours[0]
    if newest.succeeded:
        fate = of_publication(newest.updated_at, read_at=reading.published.read_at, now=now)
        return _published(reading, fate, newest.url)
    says = f"run {newest.id} ended with {newest.conclusion}"
    return _told(reading, Reason.WORKFLOW_FAILED, says, url=newest.url)


def since(start: datetime, runs: Read[tuple[WorkflowRun, ...]]) -> list[WorkflowRun]:
    """Those that may be of that start, newest first."""
    found = runs.value if isinstance(runs, Known) else ()
    # A run begins within moments of its dispatch, by GitHub's clock.
    return [run for run in found if run.created_at >= start - SETTLING]


# -- commit -------------------------------------------------------------------------------------


def _committed(reading: Reading, now: datetime) -> Finding | None:
    match of_writes(reading.published.started, reading.change, now):
        case Fate.SETTLING:
            says = "committed just now, and the file reads as before"
            return _told(reading, Reason.PUBLICATION_SETTLING, says)
        case Fate.UNDONE:
            says = "committed several times within a day, and the old values are back"
            return _told(reading, Reason.PUBLISHED_STILL_DIFFERS, says)
    return None


# -- all ----------------------------------------------------------------------------------------


def _published(reading: Reading, fate: Fate | None, url: str) -> Finding | None:
    match fate:
        case Fate.SETTLING:
            says = "published just now, and the file reads as before"
            return _told(reading, Reason.PUBLICATION_SETTLING, says)
        case Fate.UNDONE:
            says = "the change was published, and the file reads as before"
            return _told(reading, Reason.PUBLISHED_STILL_DIFFERS, says, url=url)
    return None


def _told(reading: Reading, reason: Reason, says: str, **evidence: str) -> Finding:
    return finding(reason, reading.reference, f"{reading.published.declared.path}: {says}", **evidence)
