"""`python -m bench [NAME…] [--output table|json]`. Exit 0 whatever the ratios are: people read them."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from typing import Final

from bench.measure import Line

NAMES: Final = ("import_time", "calls", "sweep", "repair", "checks", "storm", "probe")
COLUMNS: Final = ("cost", "measured", "against", "ratio", "target", "")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Each cost against its floor.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; default: all")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - set(NAMES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}: there are {', '.join(NAMES)}")
    lines: list[Line] = []
    for name in chosen.names or NAMES:
        begun = time.monotonic()
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        lines.extend(import_module(f"bench.{name}").lines())
        print(f"{time.monotonic() - begun:.0f} s", file=sys.stderr)
    print(as_json(lines) if chosen.output == "json" else as_table(lines))
    return 0


def as_json(lines: Sequence[Line]) -> str:
    return json.dumps([{**asdict(line), "verdict": line.verdict} for line in lines], indent=2)


def as_table(lines: Sequence[Line]) -> str:
    rows = [COLUMNS, *map(_row, lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    notes = [f"{line.what}: {line.note}" for line in lines if line.note]
    return "\n".join(text.rstrip() for text in (*table, "", *notes)).rstrip()


def _row(line: Line) -> tuple[str, ...]:
    target = "" if line.target is None else f"{line.target:.2f}"
    return line.what, line.measured, line.against, f"{line.ratio:.2f}", target, line.verdict


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
