"""What arguments may look like, for argparse: the text of a refusal says what to write."""

import argparse
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from shared.durations import parse_duration


def duration(text: str) -> timedelta:
    found = parse_duration(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time; write it like 90s, 5m, 12h or 7d")
    return found


def folder(text: str) -> Path:
    """It may be one that is yet to be made."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no folder; name one, or one that is not there yet")
    return path


def hexadecimal(shortest: int, longest: int) -> Callable[[str], str]:
    """A digest, or the beginning of one."""

    def digest(text: str) -> str:
        if not re.fullmatch(rf"[0-9a-f]{{{shortest},{longest}}}", text):
            long = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
            raise argparse.ArgumentTypeError(f"{text!r} is no digest; copy its {long} digits from the output")
        return text

    return digest
