"""What arguments may look like, for argparse: the text of a refusal says what to write."""

import argparse
import re
from collections.abc import Callable
from datetime import timedelta

from shared.durations import parse_duration


def duration(text: str) -> timedelta:
    found = parse_duration(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time; write it like 90s, 5m, 12h or 7d")
    return found


def hexadecimal(shortest: int, longest: int) -> Callable[[str], str]:
    """A digest, or the beginning of one."""

    def digest(text: str) -> str:
        if not re.fullmatch(rf"[0-9a-f]{{{shortest},{longest}}}", text):
            long = f"{shortest}" if shortest == longest else f"{shortest} to {longest}"
            raise argparse.ArgumentTypeError(f"{text!r} is no digest; copy its {long} digits from the output")
        return text

    return digest
