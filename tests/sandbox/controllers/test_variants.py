"""Broken states by name, and the addresses that browsers open."""

from pathlib import Path

import pytest
import requests

from cli import sandbox
from sandbox import variants
from sandbox.control_client import ControlError
from sandbox.stages import Stage
from shared.errors import PermanentError
from tests.sandbox.controllers.platform import Platform


async def nothing(stage: Stage) -> None:
    """Break nothing in the environment.

    It is here to be tried.
    """
    assert stage.objects is not None
    assert stage.keycloak.environment == stage.environment


@pytest.fixture
def _one_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(variants, "VARIANTS", {"nothing": nothing})


@pytest.mark.usefixtures("_one_variant")
def test_a_variant_is_dialled_in_by_its_name(alive: Platform) -> None:
    control = alive.world.control
    assert control.variants() == {"nothing": "Break nothing in the environment."}
    told = control.break_("nothing", "dev")
    assert told == {
        "variant": "nothing",
        "environment": "dev",
        "about": "Break nothing in the environment.",
    }
    assert (
        sandbox.break_(Path(alive.world.described["ca"]).parent, "nothing", "prod")["environment"] == "prod"
    )


@pytest.mark.usefixtures("_one_variant")
@pytest.mark.parametrize(
    ("name", "environment", "said"),
    [
        ("nothing", "staging", "no environment 'staging'; there are dev, prod"),
        ("everything", "dev", "no variant 'everything'; there are nothing"),
    ],
)
def test_whatever_is_not_there_is_named(alive: Platform, name: str, environment: str, said: str) -> None:
    with pytest.raises(ControlError, match=said):
        alive.world.control.break_(name, environment)
    with pytest.raises(PermanentError, match=said):
        sandbox.break_(Path(alive.world.described["ca"]).parent, name, environment)


def test_every_environment_has_an_address_for_each_service(alive: Platform) -> None:
    web = alive.world.described["web"]
    assert {name: set(places) for name, places in web.items()} == {
        "dev": {"keycloak", "gitlab"},
        "prod": {"keycloak", "gitlab"},
    }
    for places in web.values():
        for url in places.values():
            answer = requests.get(url, verify=alive.world.described["ca"], timeout=5, allow_redirects=False)
            # The gateway's word, Keycloak's, or GitLab's: whatever the tests before have left there.
            assert answer.status_code in (502, 503, 404, 302)
