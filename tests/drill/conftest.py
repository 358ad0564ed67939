from collections.abc import Iterator

import pytest

from sandbox import stack
from sandbox.stack import Stack


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A cloud without the app: whatever is repaired in it, the test did."""
    directory = tmp_path_factory.mktemp("cloud")
    try:
        yield stack.up(directory, app=None)
    finally:
        stack.down(directory)
