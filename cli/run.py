"""`reconverge run`: plan, and with --apply repair, in this process and without storage."""

import argparse
from datetime import timedelta
from functools import partial
from typing import Final

from cli.exits import Exit, worst
from cli.inputs import duration, hexadecimal
from cli.output import Screen, Style, difference, moment, short_id
from cli.session import Session
from cli.summary import Account, account, beneath, exit_of
from cli.surroundings import SILENT, Surroundings, person
from cli.targets import choose
from responders import load as responder
from shared.engine import Report
from shared.errors import Misconfigured
from shared.landscape import load
from shared.model import Target, Word

INDENT: Final = "    "
WAIT: Final = timedelta(minutes=5)
STYLES: Final = {
    "converged": Style.GOOD,
    "repaired": Style.GOOD,
    "failed": Style.BAD,
    "unknown": Style.BAD,
    "human": Style.BAD,
}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "targets",
        metavar="TARGET",
        nargs="*",
        help="<environment>/<responder>, or an environment; without any, all",
    )
    parser.add_argument("--environment", metavar="E", help="only the targets of this environment")
    parser.add_argument(
        "--apply", action="store_true", help="carry out what the contract allows, and prove it"
    )
    parser.add_argument(
        "--wait",
        type=duration,
        metavar="5m",
        help="with --apply: how long to go on while more looks are due; without it, 5m",
    )
    parser.add_argument(
        "--approve",
        action="append",
        default=[],
        type=hexadecimal(64, 64),
        metavar="DIGEST",
        help="with --apply: agree to exactly this plan, as an earlier run showed it",
    )
    parser.add_argument("--landscape", metavar="FILE", help="instead of the one the settings name")


def run(given: argparse.Namespace, here: Surroundings) -> Exit:
    if given.approve and not given.apply:
        raise Misconfigured("--approve agrees to a change: write --apply as well")
    if given.wait is not None and not given.apply:
        raise Misconfigured("--wait is for what a change brings about: write --apply as well")
    settings = here.settings(given.landscape)
    landscape = load(settings.landscape)
    choice = choose(landscape, given.targets, given.environment)
    progress = _Progress(here)
    session = Session.begin(
        landscape=landscape,
        world=here.world(settings),
        notifier=SILENT,
        clock=here.clock,
        pause=here.pause,
        dry=not given.apply,
        show=progress.looked if given.apply else lambda _target, _report: None,
    )
    if given.apply:
        session.follow(
            choice.targets,
            until=here.clock() + (WAIT if given.wait is None else given.wait),
            approved=given.approve,
            by=person(),
            wait=progress.wait,
        )
    else:
        session.look(choice.targets)
    accounts = [
        account(target, session.reports.get(target, []), responder(target.responder).reasons)
        for target in choice.targets
    ]
    for refusal in session.refusals:
        here.screen.note(f"reconverge: not approved: {refusal}", Style.OPEN)
    code = worst(exit_of(session.reports.get(target, [])) for target in choice.targets)
    _show(given, here, accounts, choice.disabled, code)
    return code


class _Progress:
    """What goes on, for whoever waits."""

    def __init__(self, here: Surroundings) -> None:
        self._here = here

    def looked(self, target: Target, report: Report) -> None:
        outcome = report.outcome
        again = f"; next look at {moment(outcome.until)}" if outcome.until else ""
        self._here.screen.note(
            f"{moment(self._here.clock())}  {target}  {outcome.word}: {outcome.because}{again}", Style.FAINT
        )

    def wait(self, target: Target, span: timedelta) -> None:
        with self._here.screen.waiting(f"waiting {span.total_seconds():.0f} s to look at {target} again"):
            self._here.pause(span)


def _show(
    given: argparse.Namespace,
    here: Surroundings,
    accounts: list[Account],
    disabled: tuple[str, ...],
    code: Exit,
) -> None:
    screen = here.screen
    if screen.as_json:
        screen.document(
            {"verdict": code.says, "applied": given.apply, "targets": accounts, "disabled": list(disabled)}
        )
        return
    for depth, one in beneath(accounts):
        _print(screen, one, depth)
        if _waits_for_approval(one):
            screen.say(f"{INDENT * depth}  agree  {_agree(given, here, one)}", Style.HEAD)
        if one["outcome"]["word"] == Word.FAILED:
            screen.say(f"{INDENT * depth}  ask    {_ask(given, here)}", Style.HEAD)
        screen.say()
    for name in disabled:
        screen.say(f"{name}: disabled in the landscape, left out", Style.FAINT)


def _waits_for_approval(one: Account) -> bool:
    return bool(one["outcome"].get("plan")) and any(step["decision"] == "approve" for step in one["steps"])


def _ask(given: argparse.Namespace, here: Surroundings) -> str:
    """It tries one by one what the run could not do, and says which permission is missing."""
    return here.command("doctor", *_landscape(given))


def _landscape(given: argparse.Namespace) -> tuple[str, ...]:
    return ("--landscape", given.landscape) if given.landscape else ()


def _agree(given: argparse.Namespace, here: Surroundings, one: Account) -> str:
    """The target as a whole stands for whatever targets and environment were typed."""
    return here.command(
        "run", one["target"], *_landscape(given), "--apply", "--approve", one["outcome"]["plan"]
    )


def _print(screen: Screen, one: Account, depth: int) -> None:
    say = partial(_say, screen, INDENT * depth)
    outcome = one["outcome"]
    say(f"{one['target']}  {outcome['word']}: {outcome['because']}", STYLES.get(outcome["word"], Style.OPEN))
    for finding in one["findings"]:
        state = "mended" if finding["mended"] else finding["severity"]
        say(f"  found  {finding['reason']} ({state})  {short_id(finding['subject'])}")
        say(f"         {finding['message']}", Style.FAINT)
    for reason, remedy in {f["reason"]: f["remedy"] for f in one["findings"] if not f["mended"]}.items():
        say(f"  remedy {reason}: {remedy}")
    for step in one["steps"]:
        state = "done" if step["done"] else step["decision"]
        say(f"  step   {step['action']} ({state})  {short_id(step['object'])}")
        for line in difference(step["before"], step["after"]):
            say(f"         {line}")
        say(f"         mends {step['mends']}; {step['why']}", Style.FAINT)
    for proof in one["proofs"]:
        say(f"  proof  {proof['method']} {proof['verdict']}  {short_id(proof['object'])}: {proof['detail']}")


def _say(screen: Screen, indent: str, text: str, style: Style = Style.NONE) -> None:
    screen.say(indent + text, style)
