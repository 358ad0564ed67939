"""Each way in which Keycloak may be wrong, as one sees it from outside, and that a sync of right values heals
what it would heal in reality.
"""

import hashlib
from collections.abc import Callable, Iterator

import pytest

from sandbox import keycloak_variants
from sandbox.argo_tasks import HOOK, WAVE
from sandbox.keycloak_names import (
    BOOTSTRAP,
    CLIENTS_SECRET,
    DIGESTS,
    PATCHER,
    PROVIDER_SECRET,
    REALM,
    VAULT_KEYS,
)
from sandbox.keycloak_variants import PLACEHOLDER, VARIANTS
from sandbox.kubernetes_resources import CONFIG_MAPS, EXTERNAL_SECRETS, JOBS, REALM_IMPORTS
from tests.sandbox.controllers.conftest import FAST
from tests.sandbox.controllers.platform import Json, hold_schedule
from tests.sandbox.keycloak.realm import REDIRECT, Site
from tests.waiting import eventually

KEY = VAULT_KEYS["gitlab"]
REFUSED = "ERROR: GET /admin/realms/ameide/clients: 403 Forbidden"


def ended(site: Site, job: str) -> str:
    """How the Job has ended: the type of its condition, and why."""

    def look() -> str | None:
        held = site.platform.get(JOBS, job) or {}
        conditions = held.get("status", {}).get("conditions", [])
        return next((one["type"] for one in conditions if one["type"] in ("Complete", "Failed")), None)

    return eventually(look, f"{job} has ended")


def annotation(site: Site, job: str, name: str) -> str | None:
    found: str | None = site.job(job)["metadata"].get("annotations", {}).get(name)
    return found


def conditions(site: Site, name: str) -> dict[str, str]:
    held = site.platform.get(REALM_IMPORTS, name) or {}
    return {one["type"]: one["status"] for one in held.get("status", {}).get("conditions", [])}


def digests(site: Site) -> Json:
    held = site.platform.get(CONFIG_MAPS, DIGESTS)
    assert held is not None
    return dict(held.get("data") or {})


def last_line(site: Site, job: str) -> str:
    return (site.log(job).splitlines() or [""])[-1]


# -- what is seen -----------------------------------------------------------------------------


def patcher_before_bootstrap(site: Site) -> None:
    site.synced("Failed")
    assert last_line(site, PATCHER) == REFUSED
    assert site.platform.get(JOBS, BOOTSTRAP) is None
    assert site.platform.held(KEY) is None
    assert site.platform.get(EXTERNAL_SECRETS, PROVIDER_SECRET) is None
    assert "Invalid parameter: redirect_uri" in site.login_page().text


def bootstrap_without_hook(site: Site) -> None:
    site.synced()
    assert annotation(site, BOOTSTRAP, HOOK) is None
    assert (annotation(site, BOOTSTRAP, WAVE), annotation(site, PATCHER, HOOK)) == ("1", "Sync")


def bootstrap_wave_late(site: Site) -> None:
    site.synced("Failed")
    assert last_line(site, PATCHER) == REFUSED
    assert annotation(site, PATCHER, WAVE) == "2"


def bootstrap_too_late(site: Site) -> None:
    assert (ended(site, PATCHER), ended(site, BOOTSTRAP)) == ("Failed", "Complete")
    assert last_line(site, PATCHER) == REFUSED
    began, over = site.job(PATCHER)["status"]["startTime"], site.job(BOOTSTRAP)["status"]["completionTime"]
    assert began < over


def patcher_refused(site: Site) -> None:
    assert ended(site, PATCHER) == "Failed"
    assert site.log(PATCHER).splitlines() == [REFUSED]
    assert ended(site, BOOTSTRAP) == "Complete"


def patcher_denied_by_vault(site: Site) -> None:
    assert ended(site, PATCHER) == "Failed"
    vault = site.platform.world.described["openbao"]["dev"]["address"]
    said = f"ERROR: PUT {vault}/v1/secret/data/{KEY}: Code: 403. Errors: * permission denied"
    assert said in site.log(PATCHER).replace("* 1 error occurred:\n\t", "").splitlines()
    assert "written" not in site.log(PATCHER).replace("not all secrets were written", "")


def vault_key_absent(site: Site) -> None:
    assert site.platform.held(KEY) is None
    assert f"Secret written successfully: secret/{KEY}" in site.log(PATCHER)
    site.platform.turns(EXTERNAL_SECRETS, CLIENTS_SECRET, "SecretSyncedError")


def hook_deleted(site: Site) -> None:
    told = site.synced("Failed")["syncResult"]["resources"]
    assert {one["name"]: one["hookPhase"] for one in told if one.get("hookType")} == {
        BOOTSTRAP: "Succeeded",
        PATCHER: "Failed",
    }
    assert site.platform.get(JOBS, PATCHER) is None
    assert site.log(PATCHER) == ""


def client_missing(site: Site) -> None:
    assert "gitlab" not in site.clients()
    assert "Client not found." in site.login_page().text


def client_skipped(site: Site) -> None:
    eventually(lambda: "Client 'gitlab' not found - skipping" in site.log(PATCHER), "it is skipped")
    assert "gitlab" not in site.clients()


def redirect_missing(site: Site) -> None:
    assert site.clients()["gitlab"]["redirectUris"] == []
    assert site.login_page().status_code == 400


def redirect_different(site: Site) -> None:
    assert site.clients()["gitlab"]["redirectUris"] == [f"{REDIRECT}s"]
    assert (site.login_page().status_code, site.login_page(f"{REDIRECT}s").status_code) == (400, 200)


def secret_absent(site: Site) -> None:
    assert site.secret(PROVIDER_SECRET) is None


def secret_placeholder(site: Site) -> None:
    eventually(lambda: (site.secret(CLIENTS_SECRET) or {})[KEY] == PLACEHOLDER, "the fixture is there")


def digest_differs(site: Site) -> None:
    def look() -> bool:
        held = (site.secret(CLIENTS_SECRET) or {})[KEY]
        return bool(hashlib.sha256(held.encode()).hexdigest() != digests(site)["gitlab"])

    eventually(look, "the Secret is another one")
    assert (site.secret(CLIENTS_SECRET) or {})[KEY] != PLACEHOLDER


def import_failed(site: Site) -> None:
    eventually(lambda: conditions(site, "ameide-realm").get("HasErrors") == "True", "the import has failed")
    assert site.ask("GET", f"/realms/{REALM}").status_code == 404


def import_stuck(site: Site) -> None:
    wanted = {"Done": "False", "Started": "True", "HasErrors": "False"}
    eventually(lambda: conditions(site, "ameide-realm") == wanted, "the import waits")
    assert site.ask("GET", f"/realms/{REALM}").json() == {"error": "Realm does not exist"}


def login_refused(site: Site) -> None:
    held = site.secret("keycloak-reconverge") or {}
    form = {
        "grant_type": "client_credentials",
        "client_id": "reconverge",
        "client_secret": held["client-secret"],
    }
    answer = site.ask("POST", f"/realms/{REALM}/protocol/openid-connect/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized_client")


def unreachable(site: Site) -> None:
    assert site.ask("GET", f"/realms/{REALM}").status_code == 503


SEEN: dict[str, Callable[[Site], None]] = {
    name: globals()[variant.__name__] for name, variant in VARIANTS.items()
}


@pytest.fixture
def site(shared: Site) -> Iterator[Site]:
    """Nothing comes right by itself: here Vault's bootstrap would be due three times a second."""
    hold_schedule(shared.platform)
    yield shared
    shared.platform.world.control.turn(cron_seconds=FAST["cron_seconds"])
    shared.restore()
    assert_well(shared)


def assert_well(site: Site) -> None:
    for job in (BOOTSTRAP, PATCHER):
        assert ended(site, job) == "Complete"
        assert annotation(site, job, HOOK) == "Sync"
    assert set(VAULT_KEYS) <= set(site.clients())
    assert site.login_page().status_code == 200

    def held() -> bool:
        secrets = site.secret(CLIENTS_SECRET) or {}
        return site.secret(PROVIDER_SECRET) is not None and digests(site) == {
            name: hashlib.sha256(secrets.get(key, "").encode()).hexdigest()
            for name, key in VAULT_KEYS.items()
        }

    eventually(held, "the Secrets are as published")


@pytest.mark.parametrize(("name", "look"), SEEN.items(), ids=SEEN)
def test_a_broken_state_shows_and_is_healed_by_right_values_and_a_sync(
    site: Site, name: str, look: Callable[[Site], None]
) -> None:
    assert keycloak_variants.VARIANTS[name].__doc__
    site.break_(name)
    look(site)
