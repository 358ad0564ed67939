"""The platform of the controllers' tests, with a Keycloak in each environment."""

from collections.abc import Iterator
from functools import partial

import pytest

from sandbox.keycloak_names import CLIENTS_SECRET, PROVIDER_SECRET
from sandbox.kubernetes_resources import SECRETS
from tests.sandbox.controllers.conftest import FAST, alive, rebuilt  # noqa: F401 (fixtures)
from tests.sandbox.controllers.platform import Platform
from tests.sandbox.keycloak.realm import Site
from tests.waiting import eventually


@pytest.fixture
def broken_off(rebuilt: Platform) -> Iterator[Site]:  # noqa: F811 (the fixture)
    """dev after a rebuild: nobody has repaired the bootstrap's credential, so Keycloak waits."""
    site = Site(rebuilt)
    yield site
    site.mend()


@pytest.fixture
def well(broken_off: Site) -> Site:
    """The same after the repair, and everything has followed."""
    broken_off.platform.trust()
    return followed(broken_off)


@pytest.fixture(scope="module")
def shared(alive: Platform) -> Site:  # noqa: F811 (the fixture)
    """One that is well, for tests that bring it back to that."""
    told = alive.world.described
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", told["ca"])
        alive.world.control.turn(**FAST)
        alive.rebuild()
        alive.trust()
    return followed(Site(alive))


def followed(site: Site) -> Site:
    for name in (CLIENTS_SECRET, PROVIDER_SECRET):
        eventually(partial(site.platform.get, SECRETS, name), f"there is a Secret {name}")
    return site
