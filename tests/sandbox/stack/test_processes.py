"""Children by id and start time."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import processes
from sandbox.processes import Child, ChildError

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ignoring", flush=True)
time.sleep(60)
"""
SLEEPY = "import time; print('up', flush=True); time.sleep(60)"
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {SLEEPY!r}])
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "child.log"


def start(code: str, log: Path) -> Child:
    command = [sys.executable, "-c", code]
    return processes.start("child", command, environment=os.environ, cwd=log.parent, log=log)


@pytest.fixture
def sleepy(log: Path) -> Iterator[Child]:
    child = start(SLEEPY, log)
    yield child
    processes.stop([child])


def test_a_child_is_known_by_id_and_start_time(sleepy: Child) -> None:
    assert sleepy.is_alive()
    assert not replace(sleepy, started="0").is_alive()


def test_a_stranger_with_the_id_of_a_child_is_left_alone(sleepy: Child) -> None:
    processes.stop([replace(sleepy, started="0")])
    assert sleepy.is_alive()


def test_a_stopped_child_is_gone(sleepy: Child) -> None:
    processes.stop([sleepy])
    assert not sleepy.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(sleepy.pid, 0)


def test_a_child_that_ended_by_itself_is_not_alive_though_nobody_waited_for_it(log: Path) -> None:
    child = start("", log)
    deadline = time.monotonic() + 10
    while child.is_alive():
        assert time.monotonic() < deadline
    processes.stop([child])


NEGLECTFUL = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
input()
child.stdin.close()
time.sleep(60)
"""


def test_a_zombie_whose_parent_never_waits_for_it_is_not_alive() -> None:
    command = [sys.executable, "-c", NEGLECTFUL]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:  # noqa: S603 (our own code)
        assert parent.stdin
        assert parent.stdout
        try:
            pid = int(parent.stdout.readline())
            child = Child(name="child", pid=pid, started=processes._start_time(pid) or "")
            assert child.is_alive()
            parent.stdin.write("\n")
            parent.stdin.flush()
            deadline = time.monotonic() + 10
            while child.is_alive():
                assert time.monotonic() < deadline
            os.kill(pid, 0)  # its id is still taken
        finally:
            parent.kill()


def test_a_child_of_another_process_can_be_stopped(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from sandbox import processes; import os;"
        f"c = processes.start('c', [sys.executable, '-c', {SLEEPY!r}], environment=os.environ,"
        f" cwd=Path({str(tmp_path)!r}), log=Path({str(tmp_path / 'c.log')!r}));"
        "print(c.pid, c.started)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 (our own code)
    pid, started = printed.stdout.split()
    child = Child(name="c", pid=int(pid), started=started)
    assert child.is_alive()
    processes.stop([child])
    assert not child.is_alive()


def test_a_child_that_ignores_sigterm_is_killed(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.5)
    child = start(STUBBORN, log)
    processes.wait_until(child, lambda: "ignoring" in log.read_text(), log=log, seconds=10)
    processes.stop([child])
    assert not child.is_alive()


def test_children_of_a_child_end_with_it(log: Path) -> None:
    child = start(PARENT, log)
    processes.wait_until(child, lambda: "up" in log.read_text(), log=log, seconds=10)
    grandchild = int(log.read_text().split()[0])
    processes.stop([child])
    deadline = time.monotonic() + 10
    while processes._start_time(grandchild) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_child_that_ends_while_starting_is_told_with_the_end_of_its_log(log: Path) -> None:
    child = start("print('first'); raise SystemExit('the reason')", log)
    with pytest.raises(ChildError, match=r"child ended while starting(.|\n)*the reason"):
        processes.wait_until(child, lambda: False, log=log, seconds=10)
    processes.stop([child])


def test_a_child_that_keeps_silent_is_told(sleepy: Child, log: Path) -> None:
    with pytest.raises(ChildError, match="child was not ready after 0 s"):
        processes.wait_until(sleepy, lambda: False, log=log, seconds=0.2)


def test_output_of_both_kinds_is_in_the_log(log: Path) -> None:
    child = start(
        "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.stdin.read()", log
    )
    processes.wait_until(child, lambda: {"out", "err"} <= set(log.read_text().split()), log=log, seconds=10)
    processes.stop([child])


def test_a_signal_of_the_terminal_does_not_reach_it(sleepy: Child) -> None:
    assert os.getsid(sleepy.pid) == sleepy.pid
    assert os.getpgid(sleepy.pid) != os.getpgid(0)
