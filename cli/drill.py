"""`reconverge drill`: the whole story on one computer. Whatever happens, nothing is left running."""

import argparse
import os
import platform
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cli import report, sandbox, verdicts
from cli.exits import Exit
from cli.inputs import duration, folder
from cli.judging import Claim
from cli.judging.verdict import Answer
from cli.output import Screen, Style, moment
from cli.story import Evidence, Story
from cli.surroundings import Surroundings
from cli.watch import changed_by
from sandbox.environment import Channel
from shared.errors import Misconfigured

ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dir",
        type=folder,
        metavar="DIR",
        help="where the sandbox keeps its files; else a folder of its own",
    )
    parser.add_argument("--keep", action="store_true", help="leave everything running afterwards")
    parser.add_argument(
        "--timeout",
        type=duration,
        default=timedelta(minutes=8),
        metavar="8m",
        help="for the app's part, from the rebuild on",
    )
    parser.add_argument(
        "--channel",
        choices=[one.value for one in Channel],
        default=Channel.WORKFLOW.value,
        help="how published facts are brought right: by the workflow that owns them, or by a pull request"
        " that the drill then merges as a reviewer",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write the whole story to a page of HTML that needs nothing else",
    )


def run(given: argparse.Namespace, here: Surroundings) -> Exit:
    directory: Path = given.dir or sandbox.HOME / f"drill-{os.getpid()}"
    if sandbox.load_stack(directory) is not None:
        raise Misconfigured(f"a sandbox runs in {directory}: name another --dir, or stop it first")
    if given.report is not None:
        _check_report(given.report)
    begun_at, begun = here.clock(), time.monotonic()
    with _ended_by_signals():
        try:
            evidence = Story(directory, here, Channel(given.channel)).play(given.timeout)
        finally:
            if not given.keep:
                _tear_down(directory, remove=given.dir is None)
    seconds = time.monotonic() - begun
    show(here.screen, evidence, seconds=seconds)
    if given.report is not None:
        told = as_drill(evidence, begun_at, seconds, Channel(given.channel))
        given.report.write_text(report.page(told), encoding="utf-8")
        here.screen.note(f"the report is {given.report}")
    if given.keep:
        here.screen.note(f"it still runs; stop it with `{sandbox.command(here, 'down', directory)}`")
    return evidence.code


def _check_report(file: Path) -> None:
    """Before anything begins: whoever waited for the drill wants its page. Raises Misconfigured."""
    if file.is_dir():
        raise Misconfigured(f"{file} is a folder: name a file in it for the report")
    if not file.parent.is_dir():
        raise Misconfigured(f"there is no folder {file.parent} for the report")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the drill as Ctrl-C does: nothing is left running."""

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    # What is ignored already (nohup, a background job) stays ignored.
    heard = [number for number in ENDINGS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tear_down(directory: Path, *, remove: bool) -> None:
    """To its end, whoever grows impatient meanwhile: half of it would leave processes behind."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    sandbox.stop(directory)
    if remove:
        shutil.rmtree(directory, ignore_errors=True)


def show(screen: Screen, evidence: Evidence, *, seconds: float) -> None:
    claims = [_row(claim, evidence) for claim in evidence.asked]
    if screen.as_json:
        screen.document(
            {
                "verdict": evidence.code.says,
                "provesNothing": evidence.proves_nothing or None,
                "seconds": round(seconds, 1),
                "rebuilt": evidence.rebuilt,
                "delivery": evidence.delivery,
                "damage": [one.what for one in evidence.damage],
                "merged": [f"{one.proposal.repository}#{one.proposal.number}" for one in evidence.merged],
                "verdicts": [verdicts.plain(row) for row in evidence.rows],
                "claims": [dict(zip(COLUMNS, row, strict=True)) for row in claims],
                "targets": evidence.status["targets"] if evidence.status else [],
                "processes": [{"name": one.name, "pid": one.pid} for one in evidence.stack.children],
                "addresses": [
                    evidence.stack.environment[name] for name in ("SANDBOX_URL", "RECONVERGE_APP_URL")
                ],
            }
        )
        return
    screen.table(verdicts.COLUMNS, [verdicts.cells(row) for row in evidence.rows])
    screen.say()
    screen.table([name.replace("_", " ") for name in COLUMNS], claims)
    screen.say()
    screen.say(*_closing(evidence, seconds))


def as_drill(evidence: Evidence, begun_at: datetime, seconds: float, channel: Channel) -> report.Drill:
    """What the report tells. Without a word to the app all times are from the start on."""
    told_at = evidence.told_at or begun_at
    merged = (
        report.Event(
            at=(one.at - told_at).total_seconds(),
            who="a reviewer",
            what=f"merged {one.proposal.repository}#{one.proposal.number}: {one.proposal.title}",
            channel=Channel.PULL_REQUEST.value,
        )
        for one in evidence.merged
    )
    damage = (
        report.Event(at=(one.at - told_at).total_seconds(), who="the drill", what=one.what)
        for one in evidence.damage
    )
    return report.Drill(
        closing=_closing(evidence, seconds)[0],
        good=evidence.code is Exit.CONVERGED,
        facts={
            "begun": moment(begun_at),
            "took": f"{seconds:.0f} s",
            "facts are published by": channel.value,
            "Python": platform.python_version(),
        },
        rows=evidence.rows,
        events=(*damage, *merged),
        claim_columns=COLUMNS,
        claims=tuple(_row(claim, evidence) for claim in evidence.asked),
    )


COLUMNS: Final = ("environment", "what", "name", "before", "after_rebuild", "now", "changed_by")
BY_ITSELF: Final = "healed by itself"


def _row(claim: Claim, evidence: Evidence) -> tuple[str, ...]:
    return (
        claim.environment,
        claim.kind,
        claim.name,
        *(str(found.get(claim, "")) for found in (evidence.before, evidence.after, evidence.now)),
        _who_changed(claim, evidence),
    )


def _who_changed(claim: Claim, evidence: Evidence) -> str:
    """By the app's journal; where it has nothing, and the claim holds again, the platform mended itself."""
    if evidence.status and (who := changed_by(evidence.status, claim.journalled)):
        return who
    before, now = evidence.after.get(claim), evidence.now.get(claim)
    healed = before is not None and now is not None and before.answer is not now.answer is Answer.HOLDS
    return BY_ITSELF if healed else ""


def _closing(evidence: Evidence, seconds: float) -> tuple[str, Style]:
    works = sum(verdict.answer is Answer.HOLDS for verdict in evidence.now.values())
    told = f"{works} of {len(evidence.asked)} declared things hold, tried from outside; {seconds:.0f} s"
    if evidence.proves_nothing:
        return f"NO VERDICT: {evidence.proves_nothing}; {told}", Style.BAD
    if evidence.code is Exit.CONVERGED:
        return f"CONVERGED: {told}", Style.GOOD
    return f"NOT CONVERGED: {told}", Style.BAD
