"""The loopback cloud and an API server for each test, and the app's settings that lead to the cloud."""

from collections.abc import Iterator

import pytest

from shared.clients import credentials
from shared.clients.credentials import AppCredential
from shared.settings import Settings
from tests.contract.clients import api_server, loopback
from tests.contract.clients.api_server import Answers
from tests.contract.clients.loopback import Cloud


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with loopback.running(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture
def cloud(running_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Without faults or memory of earlier calls. The SDKs trust it and find its identity endpoint."""
    for name, value in running_cloud.environment().items():
        monkeypatch.setenv(name, value)
    running_cloud.forget_calls()
    yield running_cloud
    running_cloud.control("DELETE", "faults")


@pytest.fixture
def settings(cloud: Cloud) -> Settings:
    return Settings.from_environment(cloud.environment())


@pytest.fixture
def credential(settings: Settings) -> AppCredential:
    return credentials.of_app(settings)


@pytest.fixture
def server() -> Iterator[Answers]:
    with api_server.running() as answers:
        yield answers
