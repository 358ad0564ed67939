"""From published facts to Ready Secrets: what breaks at the root is seen at the end, and heals from there."""

import base64
import json
from typing import Any

import hvac
import pytest

from sandbox.control_client import ControlError
from sandbox.kubernetes_resources import CRON_JOBS, EXTERNAL_SECRETS, JOBS, SECRETS, STORES
from sandbox.manifests import MAPPED, REQUIRED
from sandbox.rbac import SECRETS_USER
from sandbox.timeline import utc_now
from tests.sandbox.clients import BOOTSTRAP
from tests.sandbox.controllers.platform import Platform
from tests.waiting import eventually

NOBODY = "11111111-2222-3333-4444-555555555555"
EXTERNALS = ("ghcr-pull-sync", "codex-auth-sync-0", "codex-auth-sync-1")


def test_after_a_rebuild_entra_refuses_and_only_the_seeds_are_missing(rebuilt: Platform) -> None:
    log = rebuilt.log("missing required Key Vault secret: ghcr-username")
    assert "AADSTS700211" in log
    assert log.index("AADSTS700211") < log.index("missing required"), "the cause, then what it leads to"
    assert rebuilt.world.issuer() in log
    rebuilt.becomes_ready(STORES, "ameide-vault")
    for name in EXTERNALS:
        rebuilt.turns(EXTERNAL_SECRETS, name, "SecretSyncedError")
        rebuilt.hears(name, "Secret does not exist")
    assert rebuilt.ready(EXTERNAL_SECRETS, "ghcr-pull-sync")["message"] == (
        "could not get secret data from provider"
    )
    assert [rebuilt.held(key) for key in REQUIRED] == [None] * len(REQUIRED)
    assert rebuilt.get(SECRETS, "ghcr-pull") is None
    assert not rebuilt.succeeded()


def test_a_failed_run_is_told_as_kubernetes_tells_it(rebuilt: Platform) -> None:
    def failed() -> bool:
        ended = [job["status"].get("conditions", []) for job in rebuilt.all(JOBS) if "status" in job]
        return any({"Failed", "FailureTarget"} == {one["type"] for one in conditions} for conditions in ended)

    rebuilt.log("AADSTS700211")
    eventually(failed, "a Job has failed")
    rebuilt.hears(BOOTSTRAP, "condition: Failed")


def test_a_repaired_credential_heals_everything_behind_it(healthy: Platform) -> None:
    eventually(healthy.succeeded, "the CronJob has succeeded")
    for key, source in {**{key: key for key in REQUIRED}, **MAPPED["dev"]}.items():
        assert healthy.held(key) == healthy.key_vault.get_secret(source).value
    pulled = healthy.get(SECRETS, "ghcr-pull")
    assert pulled is not None
    config = json.loads(base64.b64decode(pulled["data"][".dockerconfigjson"]))
    assert config["auths"]["ghcr.io"] == {
        "username": healthy.held("ghcr-username"),
        "password": healthy.held("ghcr-token"),
    }


def test_the_other_environment_stays_broken(healthy: Platform) -> None:
    """Its identity is the same and trusts the new issuer by now, but for another subject."""
    healthy.log("AADSTS700213", "prod")
    assert healthy.held("ghcr-token", "prod") is None
    healthy.turns(EXTERNAL_SECRETS, "ghcr-pull-sync", "SecretSyncedError", "prod")


def test_a_symptom_that_was_painted_over_heals_itself_alone(rebuilt: Platform) -> None:
    rebuilt.log("AADSTS700211")
    for key in ("ghcr-username", "ghcr-token"):
        rebuilt.bao().secrets.kv.v2.create_or_update_secret(key, {"value": "by hand"}, mount_point="secret")
    rebuilt.becomes_ready(EXTERNAL_SECRETS, "ghcr-pull-sync")
    rebuilt.log("AADSTS700211")
    assert not rebuilt.succeeded()
    rebuilt.turns(EXTERNAL_SECRETS, "codex-auth-sync-0", "SecretSyncedError")


def test_facts_that_name_an_unknown_identity_break_what_is_right_in_azure(healthy: Platform) -> None:
    healthy.publish(healthy.facts_of("dev", vaultBootstrapIdentityClientId=NOBODY))
    healthy.rebuild()
    healthy.trust()
    log = healthy.log("missing required Key Vault secret: ghcr-username")
    assert "AADSTS700016" in log
    assert NOBODY in log
    healthy.publish()
    healthy.becomes_ready(EXTERNAL_SECRETS, "ghcr-pull-sync")
    eventually(healthy.succeeded, "the CronJob has succeeded")


def test_facts_that_name_another_identity_are_healed_by_facts_and_by_no_credential(rebuilt: Platform) -> None:
    now = rebuilt.cloud.cloud.clock()
    backup = next(one for one in rebuilt.cloud.cloud.identities.all(now) if "dev-backup" in one.name)
    rebuilt.publish(rebuilt.facts_of("dev", vaultBootstrapIdentityClientId=backup.client_id))
    rebuilt.trust()
    rebuilt.log("AADSTS700211")
    assert rebuilt.held("ghcr-token") is None
    rebuilt.publish()
    rebuilt.becomes_ready(EXTERNAL_SECRETS, "ghcr-pull-sync")


def test_facts_that_name_no_vault_are_told_as_a_failed_connection(rebuilt: Platform) -> None:
    rebuilt.trust()
    rebuilt.publish(rebuilt.facts_of("dev", keyVaultUri="https://127.0.0.1:9/"))
    rebuilt.log("connection refused")


@pytest.mark.parametrize("text", ["", "azure: {", "azure: {keyVaultUri: https://127.0.0.1:9/}"])
def test_without_usable_facts_nothing_is_deployed(rebuilt: Platform, text: str) -> None:
    rebuilt.publish(text)
    rebuilt.rebuild()
    rebuilt.cron_job("prod")
    assert rebuilt.get(CRON_JOBS, BOOTSTRAP) is None
    rebuilt.publish()
    rebuilt.cron_job()


def test_a_push_is_heard_of_at_once(rebuilt: Platform) -> None:
    rebuilt.cron_job()
    rebuilt.world.control.turn(facts_seconds=3600)
    rebuilt.publish(rebuilt.facts_of("dev", vaultBootstrapIdentityClientId=NOBODY))
    rebuilt.log("AADSTS700016")


def test_a_sealed_vault_stops_all_until_it_is_unsealed(healthy: Platform) -> None:
    healthy.world.control.seal("dev")
    healthy.turns(STORES, "ameide-vault", "InvalidProviderConfig")
    healthy.hears("ameide-vault", "Code: 503. Errors:\n\n* Vault is sealed")
    healthy.hears("ghcr-pull-sync", 'SecretStore "ameide-vault" is not ready')
    healthy.turns(EXTERNAL_SECRETS, "ghcr-pull-sync", "SecretSyncedError")
    healthy.log("Code: 503. Errors:\n\n* Vault is sealed")
    assert healthy.get(SECRETS, "ghcr-pull") is not None, "what was synced stays"
    healthy.world.control.seal("dev", sealed=False)
    for name in EXTERNALS:
        healthy.becomes_ready(EXTERNAL_SECRETS, name)


def test_without_its_role_key_vault_refuses_the_identity(rebuilt: Platform) -> None:
    cloud = rebuilt.cloud.cloud
    bootstrap = next(
        one for one in cloud.identities.all(utc_now()) if one.name == "ameide-vault-bootstrap-mi"
    )
    (role,) = [
        one
        for one in cloud.assignments.all(utc_now())
        if (one.role, one.principal_id) == (SECRETS_USER.id, bootstrap.principal_id)
    ]
    rebuilt.here(lambda: cloud.assignments.put(role.id, None, cloud.clock()))
    try:
        rebuilt.trust()
        log = rebuilt.log("ForbiddenByRbac")
        assert bootstrap.principal_id not in log
        assert rebuilt.held("ghcr-token") is None
    finally:
        rebuilt.here(lambda: cloud.assignments.put(role.id, role, cloud.clock()))
    rebuilt.becomes_ready(EXTERNAL_SECRETS, "ghcr-pull-sync")


def test_a_missing_secret_is_named_and_nothing_is_seeded(rebuilt: Platform) -> None:
    name = "codex-auth-json-b64-1"
    rebuilt.key_vault.begin_delete_secret(name).result()
    try:
        rebuilt.trust()
        log = rebuilt.log(f"missing required Key Vault secret: {name}")
        assert "SecretNotFound" in log
        assert rebuilt.held("ghcr-token") is None
    finally:
        rebuilt.key_vault.begin_recover_deleted_secret(name).result()
    rebuilt.becomes_ready(EXTERNAL_SECRETS, "codex-auth-sync-1")


def test_a_disabled_secret_is_as_good_as_missing(rebuilt: Platform) -> None:
    rebuilt.key_vault.update_secret_properties("ghcr-token", enabled=False)
    try:
        rebuilt.trust()
        log = rebuilt.log("missing required Key Vault secret: ghcr-token")
        assert "SecretDisabled" in log
    finally:
        rebuilt.key_vault.update_secret_properties("ghcr-token", enabled=True)
    rebuilt.becomes_ready(EXTERNAL_SECRETS, "ghcr-pull-sync")


def test_a_new_value_in_key_vault_comes_through(healthy: Platform) -> None:
    before = healthy.key_vault.get_secret("ghcr-token").value
    fresh = healthy.key_vault.set_secret("ghcr-token", f"{before}-rotated").value
    eventually(lambda: healthy.held("ghcr-token") == fresh, "Vault has the new value")


def test_a_value_that_somebody_else_wrote_is_left_alone(healthy: Platform) -> None:
    key = next(iter(MAPPED["dev"]))
    healthy.bao().secrets.kv.v2.create_or_update_secret(key, {"value": "Keycloak's"}, mount_point="secret")
    healthy.log("was written by somebody else; left as it is")
    assert healthy.held(key) == "Keycloak's"
    eventually(healthy.succeeded, "the CronJob has succeeded")


def test_a_value_that_was_there_before_the_bootstrap_is_left_alone(rebuilt: Platform) -> None:
    rebuilt.log("AADSTS700211")
    rebuilt.bao().secrets.kv.v2.create_or_update_secret(
        "ghcr-token", {"value": "first"}, mount_point="secret"
    )
    rebuilt.trust()
    eventually(rebuilt.succeeded, "the CronJob has succeeded")
    assert rebuilt.held("ghcr-token") == "first"
    assert rebuilt.held("ghcr-username") == rebuilt.key_vault.get_secret("ghcr-username").value


def test_a_rebuilt_cluster_finds_its_vaults_empty(healthy: Platform) -> None:
    healthy.rebuild()
    healthy.log("AADSTS700211")
    assert healthy.held("ghcr-token") is None
    assert healthy.get(SECRETS, "ghcr-pull") is None


def test_a_rebuilt_cluster_finds_a_sealed_vault_open(rebuilt: Platform) -> None:
    rebuilt.world.control.seal("dev")
    rebuilt.rebuild()
    rebuilt.becomes_ready(STORES, "ameide-vault")


def test_no_log_and_no_event_holds_a_value(healthy: Platform) -> None:
    eventually(healthy.succeeded, "the CronJob has succeeded")
    values = [healthy.key_vault.get_secret(key).value or "" for key in REQUIRED]
    told = [
        *healthy.logs(),
        *(message for name in (*EXTERNALS, BOOTSTRAP) for message in healthy.said_of(name)),
    ]
    root = healthy.bao().token
    assert told
    assert not any(value in one for value in (*values, root) for one in told)


def test_reconverge_may_read_and_write_the_seeds_and_nothing_else(healthy: Platform) -> None:
    token = healthy.world.token(healthy.world.app, "api://AzureADTokenExchange/.default")
    own = hvac.Client(url=healthy.bao().url)
    own.auth.jwt.jwt_login("reconverge", token, path="jwt")
    read = own.secrets.kv.v2.read_secret_version(
        "ghcr-token", mount_point="secret", raise_on_deleted_version=True
    )
    assert read["data"]["data"]["value"] == healthy.held("ghcr-token")
    with pytest.raises(hvac.exceptions.Forbidden):
        own.secrets.kv.v2.create_or_update_secret("other", {"value": "x"}, mount_point="secret")


@pytest.mark.parametrize(
    ("environment", "sealed", "said"),
    [
        ("staging", True, "no Vault 'staging'; there are dev, prod"),
        ("dev", "yes", '"sealed" is true or false'),
    ],
)
def test_a_vault_that_is_not_there_and_a_state_that_is_none_are_refused(
    rebuilt: Platform, environment: str, sealed: Any, said: str
) -> None:
    with pytest.raises(ControlError) as refused:
        rebuilt.world.control.seal(environment, sealed=sealed)
    assert said in json.loads(str(refused.value).partition(" 400 ")[2])["error"]
