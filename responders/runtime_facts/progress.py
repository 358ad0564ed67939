"""How a change fares that was set going earlier: what keeps a file from being changed now, if anything.

Pure. A change is set going once: whatever became of it is told, and a second try is people's to make.
"""

from datetime import datetime, timedelta
from typing import Final, assert_never

from responders.runtime_facts.cases import Reading
from responders.runtime_facts.facts import ByPullRequest, ByWorkflow, Started
from responders.runtime_facts.reasons import Reason, finding
from shared.clients.github import PullRequest, State, WorkflowRun
from shared.model import Absent, Finding, Known, Unknown

SETTLING: Final = timedelta(minutes=2)
"""How long a run may take to be listed, and a publication to be seen; also what clocks may differ by."""
REMEMBERED: Final = timedelta(days=1)
"""For so long a publication is remembered. Later the same fault is a new one: clusters are rebuilt twice."""
FIGHT_AFTER: Final = 2
"""Published this often within REMEMBERED, a value that is wrong again is somebody's intention."""


def held_back(reading: Reading, now: datetime) -> Finding | None:
    """Why the change that a file needs is not made now; None where it may be, or where none is needed."""
    if reading.change is None:
        return None
    if reading.wanted_text is None:
        return _told(reading, Reason.FACT_NOT_SCALAR, "the layout of the file allows no edit of its fields")
    match reading.published.progress:
        case ByPullRequest() as proposed:
            return _proposed(reading, proposed, now)
        case ByWorkflow() as run:
            return _run(reading, run, now)
        case None:
            return _committed(reading, now)
        case never:
            assert_never(never)


# -- pull request -------------------------------------------------------------------------------


def _proposed(reading: Reading, progress: ByPullRequest, now: datetime) -> Finding | None:
    match progress.history:
        case Unknown(why):
            return _told(reading, Reason.FACTS_UNREAD, f"its pull requests could not be listed: {why}")
        case Known((newest, *_)):
            return _newest(reading, progress, newest, now)
    return None


def _newest(reading: Reading, progress: ByPullRequest, newest: PullRequest, now: datetime) -> Finding | None:
    match newest.state:
        case State.OPEN:
            return _open(reading, progress, newest)
        case State.MERGED:
            return _published(reading, newest.url, newest.ended_at or now, now)
        case State.DECLINED:
            says = f"pull request {newest.number} was closed without being merged"
            return _told(reading, Reason.PULL_REQUEST_DECLINED, says, url=newest.url)
        case State.SUPERSEDED:
            return None
        case never:
            assert_never(never)


def _open(reading: Reading, progress: ByPullRequest, newest: PullRequest) -> Finding | None:
    match progress.proposed:
        case Unknown(why):
            return _told(reading, Reason.FACTS_UNREAD, f"the proposed file could not be read: {why}")
        case Known(file) if file.text == reading.wanted_text:
            says = f"pull request {newest.number} waits for people"
            return _told(reading, Reason.PULL_REQUEST_OPEN, says, url=newest.url)
    return None  # the file changed below it, so it must be brought up to date


# -- workflow -----------------------------------------------------------------------------------


def _run(reading: Reading, progress: ByWorkflow, now: datetime) -> Finding | None:
    for check in (_unavailable, _running, _ended):
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


def _ended(reading: Reading, progress: ByWorkflow, now: datetime) -> Finding | None:
    """What became of the last run that was started for this change. Long afterwards it may run again."""
    remembered = _remembered(reading, now)
    if not remembered or not isinstance(progress.runs, Known):
        return None
    started = remembered[-1]
    # A run begins within moments of its dispatch, by GitHub's clock.
    ours = [run for run in progress.runs.value if run.created_at >= started.at - SETTLING]
    if not ours:
        if now - started.at < SETTLING:
            return _told(reading, Reason.WORKFLOW_RUNNING, "the workflow was started and shows no run so far")
        if started.confirmed:
            return _told(reading, Reason.WORKFLOW_FAILED, "GitHub took the start, and shows no run of it")
        return None
    newest: WorkflowRun = ours[0]
    if newest.succeeded:
        return _published(reading, newest.url, newest.updated_at, now)
    says = f"run {newest.id} ended with {newest.conclusion}"
    return _told(reading, Reason.WORKFLOW_FAILED, says, url=newest.url)


# -- commit -------------------------------------------------------------------------------------


def _committed(reading: Reading, now: datetime) -> Finding | None:
    started = [one for one in _remembered(reading, now) if one.confirmed]
    if started and now - started[-1].at < SETTLING:
        return _told(reading, Reason.PUBLICATION_SETTLING, "committed just now, and the file reads as before")
    if len(started) >= FIGHT_AFTER:
        says = f"committed {len(started)} times within a day, and the old values are back"
        return _told(reading, Reason.PUBLISHED_STILL_DIFFERS, says)
    return None


# -- all ----------------------------------------------------------------------------------------


def _published(reading: Reading, url: str, at: datetime, now: datetime) -> Finding | None:
    if reading.published.read_at - at < SETTLING:
        return _told(reading, Reason.PUBLICATION_SETTLING, "published just now, and the file reads as before")
    if now - at < REMEMBERED:
        says = "the change was published, and the file reads as before"
        return _told(reading, Reason.PUBLISHED_STILL_DIFFERS, says, url=url)
    return None


def _remembered(reading: Reading, now: datetime) -> list[Started]:
    return [
        one for one in reading.published.started if one.change == reading.change and now - one.at < REMEMBERED
    ]


def _told(reading: Reading, reason: Reason, says: str, **evidence: str) -> Finding:
    return finding(reason, reading.reference, f"{reading.published.declared.path}: {says}", **evidence)
