"""`reconverge explain`: what a foreign failure text means. Needs no settings, no landscape and no network."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.exits import Exit
from cli.output import Screen, Style
from cli.surroundings import Surroundings
from shared.errors import Misconfigured
from shared.failure_texts import Explanation, classify

UNKNOWN: Final = "unknown"
STANDARD_INPUT: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Why a text has no explanation, and what to do then."""

    cause: str
    remedy: str


NOT_KNOWN: Final = Unknown(
    cause="Not known: the text says nothing that belongs to one fault alone, or it tells of several that "
    "have nothing to do with one another.",
    remedy="Take the text that stands nearest to the cause, and all of it: the log of the last pod rather "
    "than the Job's message, an Application's condition rather than that of the one above it.",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--text-file",
        metavar="F",
        help="read the text from this file; without it, or for -, standard input is read",
    )
    parser.add_argument("typed", nargs="*", help=argparse.SUPPRESS)


def run(given: argparse.Namespace, here: Surroundings) -> Exit:
    if given.typed:
        # A shell would change a text of several lines and quotes, and its history keep it.
        raise Misconfigured("the text is no argument: pipe it in on standard input, or name a --text-file")
    file: str | None = None if given.text_file == STANDARD_INPUT else given.text_file
    text = _piped() if file is None else _kept(file)
    found = classify(text)
    unknown = NOT_KNOWN if text.strip() else _nothing_came(file)
    if here.screen.as_json:
        here.screen.document(_plain(found, unknown))
    else:
        _print(here.screen, found, unknown)
    return Exit.CONVERGED if found.failure else Exit.COULD_NOT_TELL


def _nothing_came(file: str | None) -> Unknown:
    return Unknown(
        cause=f"Not known: {f'{file} is empty' if file else 'nothing came on standard input'}.",
        remedy="See whether the command that should have written the text failed.",
    )


def _kept(file: str) -> str:
    """Logs hold any bytes, and what is no UTF-8 says nothing to us. Raises Misconfigured."""
    if not file:
        raise Misconfigured("--text-file names no file; name one, or leave it out for standard input")
    try:
        return Path(file).read_bytes().decode(errors="replace")
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}") from error


def _piped() -> str:
    """As for a file."""
    if sys.stdin is None or sys.stdin.isatty():
        raise Misconfigured("nothing to explain: pipe a text into this command, or name a --text-file")
    return sys.stdin.buffer.read().decode(errors="replace")


def _plain(found: Explanation, unknown: Unknown) -> dict[str, Any]:
    failure = found.failure
    return {
        "reason": (failure and failure.label) or UNKNOWN,
        "code": failure and failure.code,
        "responder": failure and failure.responder,
        "cause": failure.cause if failure else unknown.cause,
        "remedy": failure.remedy if failure else unknown.remedy,
        "evidence": found.evidence,
        "commit": found.commit,
        "page": failure and _page(failure.code),
    }


def _page(code: str) -> str:
    return f"docs/errors/{code}.md"


def _print(screen: Screen, found: Explanation, unknown: Unknown) -> None:
    failure = found.failure
    if failure is None:
        screen.say(UNKNOWN, Style.OPEN)
        screen.say(unknown.cause)
        screen.say(unknown.remedy)
        return
    screen.say(failure.code, Style.HEAD)
    lines = {
        "said": " ".join(found.evidence.split()),
        "commit": found.commit,
        "cause": failure.cause,
        "remedy": failure.remedy,
        "responder": failure.responder or "none: people look after it",
        "label": failure.label or UNKNOWN,
        "page": _page(failure.code),
    }
    for name, line in lines.items():
        if line:
            screen.say(f"    {name:<9}  {line}")
