"""The platform of the controllers' tests, with a Keycloak in each environment."""

from collections.abc import Iterator

import pytest

from sandbox.keycloak_names import CLIENTS_SECRET, PROVIDER_SECRET
from sandbox.kubernetes_resources import SECRETS
from tests.sandbox.controllers.conftest import alive, rebuilt  # noqa: F401 (fixtures)
from tests.sandbox.controllers.platform import Platform, eventually
from tests.sandbox.keycloak.realm import Site


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
    for name in (CLIENTS_SECRET, PROVIDER_SECRET):
        eventually(lambda name=name: broken_off.platform.get(SECRETS, name), f"there is a Secret {name}")
    return broken_off
