import time
from collections.abc import Iterator

import pytest

from cli import judging
from cli.judging.verdict import Answer, Verdict
from cli.story import operator_of
from sandbox import stack
from sandbox.stack import Stack
from shared.landscape import load

PATIENCE = 60.0


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A cloud without the app: whatever is repaired in it, the test did."""
    directory = tmp_path_factory.mktemp("cloud")
    try:
        yield stack.up(directory, app=None)
    finally:
        stack.down(directory)


@pytest.fixture(scope="module")
def settled(cloud: Stack) -> Stack:
    """The same, after everything in it has happened once."""
    asked = judging.claims(load(cloud.environment["RECONVERGE_LANDSCAPE"]))
    deadline = time.monotonic() + PATIENCE
    while bad := [one for one in judging.verdicts(operator_of(cloud), asked).values() if not_yet(one)]:
        assert time.monotonic() < deadline, f"it never came to hold: {bad}"
        time.sleep(0.5)
    return cloud


def not_yet(verdict: Verdict) -> bool:
    return verdict.answer is not Answer.HOLDS
