"""A run of the tests that is told to end."""

import subprocess
import sys
from pathlib import Path

from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
A_SERVER = """
import signal
from pathlib import Path
import pytest

HERE = Path(__file__).parent

@pytest.fixture(scope="session")
def server():
    HERE.joinpath("started").touch()
    yield
    HERE.joinpath("stopped").touch()

def test_that_takes_long(server):
    signal.pause()
"""


def test_a_run_of_tests_that_is_told_to_end_stops_what_it_started(tmp_path: Path) -> None:
    (tmp_path / "test_long.py").write_text(A_SERVER)
    (tmp_path / "pytest.ini").touch()
    run = subprocess.Popen(  # noqa: S603 (pytest itself)
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    try:
        eventually((tmp_path / "started").exists, "the run starts what it needs")
        run.terminate()
        run.wait(30)
    finally:
        run.kill()
    assert (tmp_path / "stopped").exists()
