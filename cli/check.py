"""`reconverge check`: the checks of a responder as a guard in CI, before a change is merged. Reads only.

A guard looks at what a change brings and at nothing that is being done about it: no journal, no contract.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cli import check_formats
from cli.exits import Exit, worst
from cli.output import Format, Screen, Style
from cli.surroundings import Surroundings
from responders.submodule_refs import checks as of_submodules
from responders.submodule_refs.plan import NAME as SUBMODULE_REFS
from responders.submodule_refs.reasons import NOT_KNOWN, REASONS, Reason
from responders.submodule_refs.tree import walk
from shared.errors import Misconfigured
from shared.journal import Journal
from shared.landscape import Environment, Landscape, load
from shared.landscape.forms import BRANCH
from shared.memory import MemoryRows
from shared.model import Finding, Target
from shared.world import Leads, ReasonInfo, Scope, World

FORMATS: Final = (Format.TABLE, Format.JSON, Format.GITHUB, Format.SARIF)


@dataclass(frozen=True, slots=True)
class Guard:
    responder: str
    section: str
    """Of an environment, without which there is nothing to look at."""
    findings: Callable[[Scope], tuple[Finding, ...]]
    reasons: Mapping[str, ReasonInfo]
    not_known: frozenset[str]
    """Reasons that are no verdict."""
    unread: str
    """Reason of a branch that could not be read."""


GUARDS: Final[Mapping[str, Guard]] = {
    "submodules": Guard(
        SUBMODULE_REFS,
        "submodules",
        lambda scope: of_submodules.faults(walk(scope)),
        REASONS,
        frozenset(NOT_KNOWN),
        Reason.TRACKED_REVISION_UNREAD,
    ),
}
OTHER_REVISION: Final = (
    "Name a branch or a full commit id that the repository has as --revision. Where it has it, see that the "
    "token in RECONVERGE_GITHUB_TOKEN may read the repository's contents."
)
"""No landscape declares what was typed."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("guard", choices=GUARDS, help="submodules: every pinned commit is on its remote")
    parser.add_argument("--environment", metavar="E", help="only what this environment declares")
    parser.add_argument(
        "--revision",
        type=_revision,
        metavar="R",
        help="a branch or a full commit id, such as a pull request's, in place of the declared branches",
    )
    parser.add_argument("--landscape", metavar="FILE", help="instead of the one the settings name")


def run(given: argparse.Namespace, here: Surroundings) -> Exit:
    settings = here.settings(given.landscape)
    landscape, guard = load(settings.landscape), GUARDS[given.guard]
    world = here.world(settings)
    found = {
        (one.reason, one.subject, one.message): one
        for environment in _environments(landscape, guard, given.environment)
        for one in guard.findings(_scope(landscape, _at(environment, given.revision), guard, world, here))
    }
    findings = tuple(found.values())
    code = worst(_exit(guard, one) for one in findings)
    _show(here.screen, _reasons(guard, given.revision), findings, code)
    return code


def _revision(text: str) -> str:
    if not BRANCH.fits(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no branch and no commit; write main, or a full id")
    return text


def _environments(landscape: Landscape, guard: Guard, wanted: str | None) -> list[Environment]:
    """Raises Misconfigured where there is nothing to look at: a guard that sees nothing guards nothing."""
    if wanted is not None and wanted not in landscape.environments:
        raise Misconfigured(
            f"environment {wanted!r} is unknown; the landscape has {', '.join(landscape.environments)}"
        )
    found = [
        one
        for one in landscape.environments.values()
        if one.enabled and wanted in (None, one.name) and getattr(one, guard.section)
    ]
    if not found:
        raise Misconfigured(f"{_why_nothing(landscape, guard, wanted)}: there is nothing to check")
    return found


def _why_nothing(landscape: Landscape, guard: Guard, wanted: str | None) -> str:
    if wanted is None:
        return f"no enabled environment declares `{guard.section}`"
    if not landscape.environments[wanted].enabled:
        return f"environment {wanted} is disabled in the landscape"
    return f"environment {wanted} declares no `{guard.section}`"


def _at(environment: Environment, revision: str | None) -> Environment:
    if revision is None:
        return environment
    moved = tuple(one.model_copy(update={"revisions": (revision,)}) for one in environment.submodules)
    return environment.model_copy(update={"submodules": moved})


def _scope(
    landscape: Landscape, environment: Environment, guard: Guard, world: World, here: Surroundings
) -> Scope:
    return Scope(
        target=Target(environment.name, guard.responder),
        landscape=landscape,
        environment=environment,
        world=world,
        journal=Journal(MemoryRows(), here.clock),
        clock=here.clock,
        pause=here.pause,
    )


def _reasons(guard: Guard, revision: str | None) -> Mapping[str, ReasonInfo]:
    if revision is None:
        return guard.reasons
    unread = replace(guard.reasons[guard.unread], remedy=OTHER_REVISION)
    return {**guard.reasons, guard.unread: unread}


def _exit(guard: Guard, finding: Finding) -> Exit:
    if finding.reason in guard.not_known:
        return Exit.COULD_NOT_TELL
    note = guard.reasons[finding.reason].leads is Leads.NOTE
    return Exit.CONVERGED if note else Exit.DIFFERENCES


# -- output -----------------------------------------------------------------------------------------


def _show(screen: Screen, reasons: Mapping[str, ReasonInfo], findings: Iterable[Finding], code: Exit) -> None:
    told = [check_formats.told(one, reasons[one.reason]) for one in findings]
    match screen.format:
        case Format.JSON:
            screen.document({"verdict": code.says, "findings": told})
        case Format.SARIF:
            screen.document(check_formats.sarif(told))
        case Format.GITHUB:
            for line in check_formats.workflow_commands(told):
                screen.say(line)
        case _:
            for one in told:
                screen.say(f"{one['reason']} ({one['severity']})  {one['subject']}", Style.BAD)
                screen.say(f"  {one['message']}", Style.FAINT)
                screen.say(f"  remedy: {one['remedy']}")
            screen.say(code.says, Style.HEAD)
