"""What tests of every kind share."""

from collections.abc import Iterator

import pytest

from sandbox import azurite as azurite_process


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    """The connection string of one Azurite for the whole session: name your queues and tables uniquely."""
    with azurite_process.running() as account:
        yield account.connection_string
