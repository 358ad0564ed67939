"""From a new build to usable clients, and what comes of it when the two Jobs run in the wrong order."""

import hashlib

import hvac
import pytest

from sandbox.keycloak_names import BOOTSTRAP, DIGESTS, PATCHER, VAULT_KEYS
from sandbox.kubernetes_resources import CONFIG_MAPS, JOBS, REALM_IMPORTS
from tests.sandbox.controllers.platform import Json
from tests.sandbox.keycloak.realm import Site
from tests.waiting import eventually


def conditions(held: Json) -> dict[str, str]:
    return {one["type"]: one["status"] for one in held["status"]["conditions"]}


def test_without_vaults_seeds_keycloak_is_not_up_and_its_application_waits(broken_off: Site) -> None:
    eventually(lambda: broken_off.platform.get(REALM_IMPORTS, "ameide-realm"), "it is applied")
    assert broken_off.ask("GET", "/realms/ameide").status_code == 503
    eventually(
        lambda: (
            "waiting for healthy state" in broken_off.application()["status"]["operationState"]["message"]
        ),
        "the sync waits",
    )
    assert broken_off.platform.get(JOBS, PATCHER) is None


def test_all_heals_from_the_seeds_on(well: Site) -> None:
    well.synced()
    first, second = well.job(BOOTSTRAP)["status"], well.job(PATCHER)["status"]
    assert first["completionTime"] <= second["startTime"]
    for name in ("master-realm", "ameide-realm"):
        held = well.platform.get(REALM_IMPORTS, name)
        assert held is not None
        assert conditions(held) == {"Done": "True", "Started": "False", "HasErrors": "False"}
    held = well.secret("keycloak-realm-oidc-clients")
    assert held == {key: well.platform.held(key) for key in VAULT_KEYS.values()}
    published = well.platform.get(CONFIG_MAPS, DIGESTS)
    assert published is not None
    assert published["data"] == {
        name: hashlib.sha256(held[key].encode()).hexdigest() for name, key in VAULT_KEYS.items()
    }
    assert well.login_page().status_code == 200
    eventually(
        lambda: (
            well.application()["status"]["sync"]["status"] == "Synced"
            and well.application()["status"]["health"]["status"] == "Healthy"
        ),
        "the Application is well",
    )
    assert "client-patcher: done" in well.log(PATCHER)


def test_reconverge_may_read_the_clients_keys_in_vault_and_not_write_them(well: Site) -> None:
    world = well.platform.world
    own = hvac.Client(url=well.platform.bao().url)
    own.auth.jwt.jwt_login(
        "reconverge", world.token(world.app, "api://AzureADTokenExchange/.default"), path="jwt"
    )
    for key in VAULT_KEYS.values():
        read = own.secrets.kv.v2.read_secret_version(key, mount_point="secret", raise_on_deleted_version=True)
        assert read["data"]["data"]["value"] == well.platform.held(key)
        with pytest.raises(hvac.exceptions.Forbidden):
            own.secrets.kv.v2.create_or_update_secret(key, {"value": "x"}, mount_point="secret")


def test_a_patcher_before_the_bootstrap_is_refused_and_writes_nothing(broken_off: Site) -> None:
    broken_off.edit("hook: Sync", "hook: PostSync")
    broken_off.platform.rebuild()
    broken_off.platform.trust()
    state = broken_off.synced("Failed")
    assert "one or more synchronization tasks completed unsuccessfully" in state["message"]
    log = broken_off.log(PATCHER)
    assert log.splitlines()[-1] == "ERROR: GET /admin/realms/ameide/clients: 403 Forbidden"
    assert broken_off.platform.get(JOBS, BOOTSTRAP) is None
    assert [broken_off.platform.held(key) for key in VAULT_KEYS.values()] == [None] * len(VAULT_KEYS)
    assert broken_off.secret("gitlab-oidc-provider") is None
    page = broken_off.login_page()
    assert page.status_code == 400
    assert "Invalid parameter: redirect_uri" in page.text
    broken_off.edit("hook: PostSync", "hook: Sync")
    broken_off.synced()
    assert broken_off.login_page().status_code == 200
    eventually(lambda: broken_off.secret("gitlab-oidc-provider"), "GitLab has its provider")


def test_a_wrong_order_counts_even_where_a_sync_of_the_right_one_waits(broken_off: Site) -> None:
    """As in the drill: the commit comes when the cluster is new, and Keycloak is not up yet."""
    eventually(lambda: broken_off.application().get("operation"), "a sync waits for Keycloak")
    broken_off.break_("keycloak-patcher-before-bootstrap")
    broken_off.platform.trust()
    eventually(
        lambda: broken_off.log(PATCHER).endswith("ERROR: GET /admin/realms/ameide/clients: 403 Forbidden\n"),
        "the patcher is refused",
    )
    broken_off.synced("Failed")
    assert broken_off.platform.get(JOBS, BOOTSTRAP) is None
