"""`reconverge journal`: what was changed, when, by whom and why. Reads the deployed app's storage."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from cli import evidence
from cli.exits import Exit
from cli.output import Screen, Style, difference, moment, short_id
from cli.surroundings import Surroundings
from cli.targets import every_place
from shared.durations import parse_duration
from shared.journal import Entry, Kind
from shared.status import entries as journalled
from shared.status import plain_entry

LONGEST: Final = timedelta(days=366)
"""What is found is held in memory, and no moment comes before the year 1."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--environment", metavar="E", help="only this environment")
    parser.add_argument(
        "--since",
        type=_since,
        default=timedelta(hours=12),
        metavar="12h",
        help="how far to look back; without it, 12h",
    )
    parser.add_argument("--changes", action="store_true", help="only what was changed, and why")


def run(given: argparse.Namespace, here: Surroundings) -> Exit:
    service = here.deployed()
    places = every_place(service.landscape, given.environment)
    since = here.clock() - given.since
    entries = evidence.about(journalled(service.journal, places, since), [str(place) for place in places])
    changes = evidence.changes(entries)
    if here.screen.as_json:
        found: dict[str, Any] = {"since": since.isoformat(), "changes": changes}
        if not given.changes:
            found["entries"] = [plain_entry(entry) for entry in entries]
        here.screen.document(found)
    elif given.changes:
        _print_changes(here.screen, changes)
    else:
        _print_runs(here.screen, entries)
    if not (changes if given.changes else entries):
        what = "no change" if given.changes else "nothing"
        here.screen.note(f"{what} is journalled since {moment(since)}")
    return Exit.CONVERGED


def _since(text: str) -> timedelta:
    found = parse_duration(text)
    if found is None or found > LONGEST:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no length of time up to {LONGEST.days}d; write it like 90s, 5m, 12h or 7d"
        )
    return found


def _print_changes(screen: Screen, changes: list[dict[str, Any]]) -> None:
    for one in changes:
        screen.say(
            f"{moment(datetime.fromisoformat(one['at']))}  {one['target']}  "
            f"{one['action']} {short_id(one['object'])}  {one['result']}",
            Style.GOOD if one["result"] == "done" else Style.BAD,
        )
        for line in difference(one["before"], one["after"]):
            screen.say(f"    {line}")
        screen.say(f"    why      {one['reason']}: {one['because'] or 'see its run'}")
        if woken := one["wokenBy"]:
            what = f"{woken['kind']} {short_id(woken['subject'] or '')}".strip()
            screen.say(f"    woken    {what}, by {woken['actor']}")
        screen.say(f"    proof    {_proof(one['proof'])}")
        if one["error"]:
            screen.say(f"    error    {one['error']}")
        if outcome := one["outcome"]:
            screen.say(
                f"    outcome  {outcome['word']}{_earlier(outcome, one['proof'])}: {outcome['because']}"
            )
        screen.say(
            f"    by       {one['actor']}, run {one['run']}, correlation {one['correlationId']}", Style.FAINT
        )


def _proof(proof: Mapping[str, Any] | None) -> str:
    return f"{proof['method']} {proof['verdict']}: {proof['detail']}" if proof else "none yet"


def _earlier(outcome: Mapping[str, Any], proof: Mapping[str, Any] | None) -> str:
    """The outcome is of the run that wrote; a proof of a later run would seem to contradict it."""
    at = datetime.fromisoformat(outcome["at"])
    later = proof is not None and datetime.fromisoformat(proof["at"]) > at
    return f" at {moment(at)}, before that proof" if later else ""


def _print_runs(screen: Screen, entries: Sequence[Entry]) -> None:
    for one in evidence.runs(entries):
        first = one.first
        if not first.run:
            screen.say(f"{moment(first.at)}  {first.where}  {_line(first)}")
            continue
        screen.say(
            f"{moment(first.at)}  {first.where}  run {first.run} by {first.actor}, "
            f"correlation {first.correlation_id}",
            Style.HEAD,
        )
        for entry in one.entries:
            screen.say(f"    {entry.at:%H:%M:%S}  {_line(entry)}")


def _line(entry: Entry) -> str:
    return f"{entry.kind:<12}  {LINES[entry.kind](entry)}"


def _step(entry: Entry) -> str:
    step = entry.detail
    changed = "; ".join(difference(step["before"], step["after"]))
    return f"{step['action']} {short_id(step['object'])}: {changed} (mends {step['mends']})"


def _signal(entry: Entry) -> str:
    told = entry.detail
    concerns = ", ".join(told["targets"]) or ("our own write" if told["own"] else "no target")
    return f"{told['kind']} of {short_id(told['subject'])} by {entry.actor}, for {concerns}"


def _finding(entry: Entry) -> str:
    return f"{entry.detail['reason']} on {short_id(entry.detail['subject'])}: {entry.detail['message']}"


LINES: Final[Mapping[Kind, Callable[[Entry], str]]] = {
    Kind.SIGNAL: _signal,
    Kind.REJECTED: lambda e: (
        f"{e.detail['reason']} ({e.detail['size']} bytes, digest {e.detail['digest'][:12]})"
    ),
    Kind.BURIED: lambda e: f"a message of queue {e.detail['queue']}, digest {e.detail['digest'][:12]}",
    Kind.REPLAYED: lambda e: f"digest {e.detail['digest'][:12]} by {e.actor}",
    Kind.TAKEN_OVER: lambda e: f"from run {e.detail['from']}, which never ended",
    Kind.FINDING: _finding,
    Kind.PLAN: lambda e: f"{e.detail['digest'][:12]}, steps: {len(e.detail['steps'])}",
    Kind.APPROVED: lambda e: f"plan {e.detail['digest'][:12]} by {e.actor}",
    Kind.STEP_STARTED: _step,
    Kind.STEP_DONE: lambda e: short_id(e.detail["object"]),
    Kind.STEP_FAILED: lambda e: f"{short_id(e.detail['object'])}: {e.detail['error']}",
    Kind.PROOF: lambda e: f"{short_id(e.detail['object'])}: {_proof(e.detail)}",
    Kind.OUTCOME: lambda e: f"{e.detail['word']}: {e.detail['because']}",
}
