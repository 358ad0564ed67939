"""Lengths of time as operators write them: 90s, 15m, 12h, 7d."""

import re
from datetime import timedelta
from typing import Final

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta | None:
    """None for anything else."""
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    return timedelta(**{UNITS[match[2]]: int(match[1])}) if match else None
