"""The parser, from a table of commands, and the one place where an error becomes an exit code."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib import import_module
from typing import Final, Protocol, cast

from cli.exits import Exit
from cli.output import Format, OutputError, Screen, Style
from cli.surroundings import Surroundings
from shared.errors import Misconfigured, ReconvergeError, Refused
from shared.model import utc_now


class Command(Protocol):
    """A module of this package that is a command. Its `FORMATS`, if any, are those of --output."""

    def arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, given: argparse.Namespace, here: Surroundings) -> Exit: ...


COMMANDS: Final[Mapping[str, str]] = {
    "run": "look at targets, and with --apply repair them, all in this process",
    "check": "look at what a change would bring, before it is merged: a guard for CI",
    "journal": "what was changed, when, by whom and why",
    "explain": "say what a failure text of another system means",
    "replay": "list buried messages, or put them back on their queues",
    "doctor": "check the settings, the landscape and every access that a run needs",
    "sandbox": "start, rebuild and stop a cloud on this computer",
    "drill": "rebuild a cluster in a sandbox, watch the repair, and judge it from outside",
}
"""Each is `cli.<name>`, imported only when it is asked for."""

EPILOG: Final = "exit codes: 0 converged, 1 differences found, 2 wrong use or configuration, 3 could not tell"


def entry() -> int:
    # What a library has to log is in the results already, as far as people need it.
    logging.basicConfig(handlers=[logging.NullHandler()])
    return main(sys.argv[1:])


def main(arguments: Sequence[str]) -> int:
    given = parse(arguments)
    return conduct(given, real(Format(given.output)))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Exits with 2 for what cannot be understood, with 0 for --help."""
    parser = argparse.ArgumentParser(
        prog="reconverge", description="Repairs an AKS platform after its cluster was rebuilt.", epilog=EPILOG
    )
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    wanted, *words = arguments or ("",)
    for name, does in COMMANDS.items():
        sub = commands.add_parser(name, help=does, description=f"{name}: {does}.", epilog=EPILOG)
        if name == wanted:
            _module(name).arguments(sub)
            formats = getattr(_module(name), "FORMATS", (Format.TABLE, Format.JSON))
            sub.add_argument("--output", choices=[one.value for one in formats], default=Format.TABLE.value)
            # By the command's own parser, so that a complaint comes with the command's own usage.
            # Intermixed, since a name that may be left out is else not seen behind a flag.
            return sub.parse_intermixed_args(words, argparse.Namespace(command=name))
    return parser.parse_args(arguments)


def conduct(given: argparse.Namespace, here: Surroundings) -> int:
    """Carry out the command. Whatever ends it early is said on stderr, and is an exit code."""
    try:
        return _module(given.command).run(given, here)
    except (Misconfigured, Refused) as error:
        return _ended(here.screen, str(error), Exit.WRONG_USE)
    except ReconvergeError as error:
        return _ended(here.screen, str(error), Exit.COULD_NOT_TELL)
    except KeyboardInterrupt:
        return _ended(here.screen, "interrupted", Exit.COULD_NOT_TELL)
    except BrokenPipeError:
        # Whoever read us has seen enough.
        _close_output()
        return Exit.COULD_NOT_TELL
    except OutputError as error:
        _close_output()
        return _ended(here.screen, str(error), Exit.COULD_NOT_TELL)
    except OSError as error:
        # Without a file it is no matter of this computer's disk, but a failure that a client left unsaid.
        if error.filename is None:
            raise
        return _ended(here.screen, f"{error.filename}: {error.strerror}", Exit.COULD_NOT_TELL)


def _close_output() -> None:
    """Python would complain when it flushes at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _ended(screen: Screen, says: str, code: Exit) -> Exit:
    for line in says.splitlines():
        screen.note(f"reconverge: {line}", Style.BAD)
    return code


def real(output: Format) -> Surroundings:
    colour = not os.environ.get("NO_COLOR")
    return Surroundings(
        environment=os.environ,
        screen=Screen(out=sys.stdout, err=sys.stderr, format=output, colour=colour),
        clock=utc_now,
        pause=_sleep,
        program=os.environ.get("RECONVERGE_PROGRAM", "reconverge"),
    )


def _sleep(wait: timedelta) -> None:
    time.sleep(wait.total_seconds())


def _module(name: str) -> Command:
    return cast("Command", import_module(f"cli.{name}"))
