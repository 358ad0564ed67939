"""The import of `function_app`, which every cold start pays, against the import of azure.functions alone."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.measure import Line, Timed, ms, race

ROOT: Final = Path(__file__).parents[1]
APP: Final = "function_app"
PEER: Final = "azure.functions"
TARGET: Final = 1.25
ROUNDS: Final = 7
_NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"
"""With it each import would compile our modules anew, and none of the peer's, which pip has compiled."""


def lines() -> list[Line]:
    app, peer = _import(APP), _import(PEER)
    # The first import of each may have to write bytecode.
    app()
    peer()
    result = race(app, peer, rounds=ROUNDS)
    return [
        Line(
            what=f"import {APP}",
            measured=ms(result.one),
            against=f"import {PEER}: {ms(result.other)}",
            ratio=result.ratio,
            target=TARGET,
            note=_beyond(),
        )
    ]


def _import(module: str) -> Timed:
    """Timed inside a fresh interpreter, whose own start is no import, and in CPU time: files come from the
    page cache, so the rest of the wall time is the neighbours'."""
    program = f"import time; begun = time.process_time(); import {module}; print(time.process_time() - begun)"
    return lambda: float(_python("-c", program).stdout)


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (our own programs)
        [sys.executable, *arguments],
        cwd=ROOT,
        env={name: text for name, text in os.environ.items() if name != _NO_BYTECODE},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


def _beyond() -> str:
    """What the app loads that azure.functions does not, the slowest first."""
    peers = _modules(PEER)
    own = {name: taken for name, taken in _modules(APP).items() if name not in peers}
    slowest = sorted(own, key=lambda name: own[name], reverse=True)[:6]
    named = ", ".join(f"{name} {ms(own[name])}" for name in slowest)
    return f"{len(own)} modules that {PEER} does not load, {ms(sum(own.values()))} in all: {named}"


def _modules(module: str) -> dict[str, float]:
    """Seconds that each module of an import took by itself. -X importtime slows all of them."""
    told = _python("-X", "importtime", "-c", f"import {module}").stderr
    rows = [line.removeprefix("import time:").split("|") for line in told.splitlines() if "|" in line]
    return {name.strip(): int(own) / 1_000_000 for own, _, name in rows if own.strip().isdecimal()}
