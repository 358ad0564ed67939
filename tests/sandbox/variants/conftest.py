"""One platform for the session. Each test finds that Keycloak, or GitLab, is well."""

from collections.abc import Iterator

import pytest

from sandbox import environment, stack
from sandbox.environment import Channel
from tests.sandbox.controllers.platform import Platform, hold_schedule, living
from tests.sandbox.gitlab.conftest import FAST, QUIET
from tests.sandbox.gitlab.site import Site as GitLab
from tests.sandbox.keycloak.realm import Site as Keycloak
from tests.sandbox.openbao.conftest import running
from tests.sandbox.variants.looking import Looking
from tests.waiting import eventually


@pytest.fixture(scope="session")
def alive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """With the settings that the app would have, and after everything in it has happened once."""
    directory = tmp_path_factory.mktemp("platform")
    landscape = directory / "landscape.yaml"
    with running(directory, "dev", "prod") as servers, pytest.MonkeyPatch.context() as patch:
        vaults = {one.environment: one.address for one in servers}
        with living(directory, vaults) as found:
            told = found.world.described
            environment.write_landscape(landscape, stack.LANDSCAPE, vaults, told["web"], Channel.WORKFLOW)
            for one in environment.of_cloud(told, "UseDevelopmentStorage=true", landscape):
                if one.for_app:
                    patch.setenv(one.name, one.value)
            found.world.control.turn(**FAST)
            found.rebuild()
            GitLab(found).seed()
            yield found


@pytest.fixture(scope="session")
def looking(alive: Platform) -> Looking:  # noqa: ARG001 (it has the settings)
    return Looking.begin()


@pytest.fixture
def keycloak(alive: Platform, looking: Looking) -> Iterator[Keycloak]:
    alive.world.control.turn(**FAST)
    hold_schedule(alive)
    site = Keycloak(alive)
    yield site
    alive.world.control.turn(**FAST)
    site.restore()
    eventually(lambda: not looking.reasons("keycloak_bootstrap"), "nothing is wrong with Keycloak")


@pytest.fixture
def gitlab(alive: Platform, looking: Looking) -> GitLab:
    alive.world.control.turn(**QUIET)
    site = GitLab(alive)
    site.renew()
    eventually(lambda: not looking.reasons("gitlab_migrations"), "nothing is wrong with GitLab")
    return site
