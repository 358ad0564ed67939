"""What tests of every kind share."""

import gc
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from sandbox import azurite as azurite_process

# The same examples in each run, so that a failure is of the change at hand. `--hypothesis-profile=default`
# tries new ones.
settings.load_profile("ci")


def pytest_configure() -> None:
    """To be told to end is Ctrl-C too: fixtures are torn down, and with them the processes they started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """The collector leaves out what collecting the tests has made, which stays: a look through all of it
    takes up to a second, in the midst of whatever runs."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    """The connection string of one Azurite for the whole session: name your queues and tables uniquely."""
    with azurite_process.running() as account:
        yield account.connection_string
