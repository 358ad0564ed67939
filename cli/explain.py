"""`reconverge explain`: what a foreign failure text means. Needs no settings, no landscape and no network."""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from cli.exits import Exit
from cli.output import Screen, Style
from cli.surroundings import Surroundings
from shared.errors import Misconfigured
from shared.failure_texts import Explanation, classify

UNKNOWN: Final = "unknown"
STANDARD_INPUT: Final = "-"
NOT_KNOWN: Final = (
    "Not known: the text says nothing that belongs to one fault alone, or it tells of several that have "
    "nothing to do with one another."
)
LOOK_CLOSER: Final = (
    "Take the text that stands nearest to the cause, and all of it: the log of the last pod rather than the "
    "Job's message, an Application's condition rather than that of the one above it."
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
    found = classify(_text(given.text_file))
    if here.screen.as_json:
        here.screen.document(_plain(found))
    else:
        _print(here.screen, found)
    return Exit.CONVERGED if found.failure else Exit.COULD_NOT_TELL


def _text(file: str | None) -> str:
    """Logs hold any bytes, and what is no UTF-8 says nothing to us.

    Raises Misconfigured where there is nothing to explain: whatever should have written it has failed.
    """
    if file == "":
        raise Misconfigured("--text-file names no file; name one, or leave it out for standard input")
    if file is None or file == STANDARD_INPUT:
        text, nothing = _piped(), "nothing came on standard input"
    else:
        text, nothing = _kept(Path(file)), f"{file} is empty"
    if not text.strip():
        raise Misconfigured(f"{nothing}: see whether the command that should have written the text failed")
    return text


def _kept(file: Path) -> str:
    try:
        return file.read_bytes().decode(errors="replace")
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read: {error.strerror}") from error


def _piped() -> str:
    if sys.stdin is None or sys.stdin.isatty():
        raise Misconfigured("nothing to explain: pipe a text into this command, or name a --text-file")
    return sys.stdin.buffer.read().decode(errors="replace")


def _plain(found: Explanation) -> dict[str, Any]:
    failure = found.failure
    return {
        "reason": (failure and failure.label) or UNKNOWN,
        "code": failure and failure.code,
        "responder": failure and failure.responder,
        "cause": failure.cause if failure else NOT_KNOWN,
        "remedy": failure.remedy if failure else LOOK_CLOSER,
        "evidence": found.evidence,
        "commit": found.commit,
        "page": failure and _page(failure.code),
    }


def _page(code: str) -> str:
    return f"docs/errors/{code}.md"


def _print(screen: Screen, found: Explanation) -> None:
    failure = found.failure
    if failure is None:
        screen.say(UNKNOWN, Style.OPEN)
        screen.say(NOT_KNOWN)
        screen.say(LOOK_CLOSER)
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
