"""One platform for the session. Each test finds GitLab of dev as it is in a cluster that was just rebuilt."""

from collections.abc import Iterator

import pytest

from tests.sandbox.conftest import AT_ONCE
from tests.sandbox.controllers.platform import Platform, living
from tests.sandbox.gitlab.site import Site
from tests.sandbox.openbao.conftest import running

FAST = {
    **AT_ONCE,
    "cron_seconds": 0.5,
    "sync_seconds": 0.5,
    "facts_seconds": 0.1,
    "argo_seconds": 10,
    "argo_wave_seconds": 0.0,
    "restart_seconds": 0.1,
}
QUIET = {**FAST, "cron_seconds": 3600, "sync_seconds": 3600, "facts_seconds": 3600, "argo_seconds": 3600}
"""Nothing is done again that was done once."""


@pytest.fixture(scope="session")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    directory = tmp_path_factory.mktemp("platform")
    with (
        running(directory, "dev", "prod") as servers,
        living(directory, {one.environment: one.address for one in servers}) as found,
    ):
        yield found


@pytest.fixture
def everywhere(alive: Platform, monkeypatch: pytest.MonkeyPatch) -> Platform:
    told = alive.world.described
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", told["ca"])
    monkeypatch.setenv("IDENTITY_ENDPOINT", told["identity_endpoint"])
    monkeypatch.setenv("IDENTITY_HEADER", told["identity_header"])
    alive.world.control.turn(**FAST)
    return alive


@pytest.fixture
def rebuilt(everywhere: Platform) -> Site:
    """Nothing is seeded yet, and so nothing of GitLab has begun."""
    site = Site(everywhere)
    site.restore()
    everywhere.rebuild()
    return site


@pytest.fixture
def well(everywhere: Platform) -> Site:
    """Its secrets have come, and GitLab answers. What a test before has broken is as on the first day."""
    site = Site(everywhere)
    site.seed()
    everywhere.world.control.turn(**QUIET)
    site.renew()
    site.becomes(200)
    return site
