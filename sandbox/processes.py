"""Child processes that outlive their parent, and are later stopped by somebody else, by id.

A process id alone is no identity: the system hands it out again. With the start time it is one.
"""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STOP_SECONDS: Final = 15.0
"""From SIGTERM to SIGKILL."""
_LOOK_SECONDS: Final = 0.05
_TAIL_LINES: Final = 20

# Children of this very process, which must be waited for when they end; those of earlier ones are init's.
_own: dict[int, subprocess.Popen[bytes]] = {}


class ChildError(Exception):
    """A child ended or kept silent while starting; the text has the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    name: str
    pid: int
    started: str
    """Start time as the system writes it: only good for comparing."""

    def is_alive(self) -> bool:
        if (process := _own.get(self.pid)) is not None and process.poll() is not None:
            return False
        return _start_time(self.pid) == self.started


def start(
    name: str, command: Sequence[str], *, environment: Mapping[str, str], cwd: Path, log: Path
) -> Child:
    """Start it in a session of its own, with everything it prints appended to the log."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 (our own command lines)
            command,
            env=dict(environment),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _own[process.pid] = process
    return Child(name=name, pid=process.pid, started=_start_time(process.pid) or "")


def wait_until(child: Child, ready: Callable[[], bool], *, log: Path, seconds: float) -> None:
    """Return once `ready()`. Raises ChildError when the child ends before, or the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not child.is_alive():
            raise ChildError(f"{child.name} ended while starting{tail(log)}")
        if time.monotonic() > deadline:
            raise ChildError(f"{child.name} was not ready after {seconds:.0f} s{tail(log)}")
        time.sleep(_LOOK_SECONDS)


def answers(url: str) -> bool:
    """Whether something is served there, for `ready`. url: on loopback, and built here."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 (see above)
            return True
    except (urllib.error.URLError, OSError):
        return False


def stop(children: Iterable[Child]) -> None:
    """Stop them one after the other, in the order given; an id that is a stranger's by now is left alone."""
    for child in children:
        _signal(child, signal.SIGTERM)
        if not _ended(child, STOP_SECONDS):
            _signal(child, signal.SIGKILL)
            _ended(child, STOP_SECONDS)
        _own.pop(child.pid, None)


def tail(log: Path) -> str:
    """The last lines of a log, to be put behind a sentence."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
    except FileNotFoundError:
        lines = []
    return f"; the end of {log}:\n" + "\n".join(lines) if lines else f"; {log} is empty"


def _ended(child: Child, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while child.is_alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _signal(child: Child, number: signal.Signals) -> None:
    """To its session's group as well: Core Tools has children of its own."""
    if child.is_alive():
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            return


def _start_time(pid: int) -> str | None:
    """None when there is no such process, or only its exit status is left."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.parent.parent.joinpath("self").exists():
        return _start_time_by_ps(pid)
    try:
        # The command name before it may hold spaces and brackets. https://man7.org/linux/man-pages/man5/proc.5.html
        fields = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, started = fields[0], fields[19]
    return None if state in "ZX" else started


def _start_time_by_ps(pid: int) -> str | None:
    """Where there is no /proc, as on macOS."""
    asked = subprocess.run(  # noqa: S603 (a number is all that varies)
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = asked.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()
