"""One host for the tests that leave it as it was."""

from collections.abc import Iterator

import pytest

from tests.runtime.host.harness import Queue, RunningHost, Seen


@pytest.fixture(scope="package")
def seen_by_app(azurite: str) -> Seen:
    return Seen(Queue.fresh(azurite))


@pytest.fixture(scope="package")
def work(azurite: str) -> Queue:
    """The queue that the app's function `work` listens to."""
    return Queue.fresh(azurite)


@pytest.fixture(scope="package")
def host(
    azurite: str, seen_by_app: Seen, work: Queue, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHost]:
    settings = {"AzureWebJobsStorage": azurite, "SEEN": seen_by_app.queue.name, "WORK": work.name}
    running = RunningHost.start(tmp_path_factory.mktemp("host"), settings)
    yield running
    assert running.stop() == 0
