"""The loopback cloud, an API server and a site for each test, and settings that lead to the cloud."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from shared.clients import credentials
from shared.clients.credentials import AppCredential
from shared.settings import Settings
from tests.contract.clients import api_server, loopback, sites
from tests.contract.clients.api_server import Answers
from tests.contract.clients.loopback import Cloud
from tests.contract.clients.sites import Site


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


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def surroundings(ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trusts the test's sites, and has a password ready for them."""
    bundle, netrc = tmp_path / "ca.pem", tmp_path / "netrc"
    ca.cert_pem.write_to_path(bundle)
    netrc.write_text("machine 127.0.0.1 login somebody password hunter2\n")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("NETRC", str(netrc))


@pytest.fixture
def site(ca: trustme.CA) -> Iterator[Site]:
    with sites.running(ca) as running:
        yield running
