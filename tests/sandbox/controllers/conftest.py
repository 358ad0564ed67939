"""One platform for the session. Each test finds a cluster that was rebuilt, and nothing repaired."""

from collections.abc import Iterator

import pytest

from sandbox.kubernetes_resources import EXTERNAL_SECRETS
from tests.sandbox.conftest import AT_ONCE
from tests.sandbox.controllers.argo import BOOTSTRAP_APPLICATION, Argo
from tests.sandbox.controllers.platform import Platform, living
from tests.sandbox.openbao.conftest import running

FAST = {**AT_ONCE, "cron_seconds": 0.3, "sync_seconds": 0.3, "facts_seconds": 0.1, "argo_seconds": 10}


@pytest.fixture(scope="session")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    directory = tmp_path_factory.mktemp("platform")
    with (
        running(directory, "dev", "prod") as servers,
        living(directory, {one.environment: one.address for one in servers}) as found,
    ):
        yield found


@pytest.fixture
def rebuilt(alive: Platform, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    told, control = alive.world.described, alive.world.control
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", told["ca"])
    monkeypatch.setenv("IDENTITY_ENDPOINT", told["identity_endpoint"])
    monkeypatch.setenv("IDENTITY_HEADER", told["identity_header"])
    control.turn(**FAST)
    alive.rebuild()
    yield alive
    alive.publish()
    control.clear_faults()
    control.mend_submodule()


@pytest.fixture
def argo(alive: Platform) -> Iterator[Argo]:
    """Nothing is done without a reason. Afterwards the submodule can be fetched again."""
    control = alive.world.control
    control.turn(**AT_ONCE, cron_seconds=3600, sync_seconds=3600, facts_seconds=3600)
    control.turn(argo_seconds=3600, argo_wave_seconds=0.0, argo_retry_seconds=0.0)
    found = Argo(alive)
    yield found
    found.remove()
    control.clear_faults()
    control.turn(argo_git_seconds=90)
    control.mend_submodule()
    found.refresh(BOOTSTRAP_APPLICATION)
    found.becomes(BOOTSTRAP_APPLICATION, "Synced")


@pytest.fixture
def healthy(rebuilt: Platform) -> Platform:
    """The same after the credential of dev was repaired, and everything has followed."""
    rebuilt.trust()
    for name in ("ghcr-pull-sync", "codex-auth-sync-0", "codex-auth-sync-1"):
        rebuilt.becomes_ready(EXTERNAL_SECRETS, name)
    return rebuilt
