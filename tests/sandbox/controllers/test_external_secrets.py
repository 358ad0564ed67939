"""SecretStores and ExternalSecrets, as the operator treats them."""

import base64
from threading import Event
from typing import Any

import pytest

from sandbox import external_secrets
from sandbox.external_secrets import CREATED_BY, DATA_HASH, MANAGED
from sandbox.kubernetes_resources import EXTERNAL_SECRETS, SECRETS, SERVICE_ACCOUNTS, STORES
from sandbox.secret_stores import Login
from tests.sandbox.controllers.platform import Platform
from tests.waiting import PATIENCE, eventually

type Json = dict[str, Any]

NAME = "codex-auth-sync-0"
TARGET = "codex-auth-0"
KEY = "codex-auth-json-b64-0"


def value(platform: Platform, name: str = TARGET) -> str | None:
    held = platform.get(SECRETS, name)
    return base64.b64decode(held["data"]["auth.json.b64"]).decode() if held else None


def write(platform: Platform, text: str) -> None:
    platform.bao().secrets.kv.v2.create_or_update_secret(KEY, {"value": text}, mount_point="secret")


def slow(platform: Platform) -> None:
    """From now on only changes are a reason to look."""
    platform.world.control.turn(sync_seconds=3600, cron_seconds=3600)


def annotate(held: Json, mark: str) -> None:
    held["metadata"].setdefault("annotations", {})["force-sync"] = mark


def test_a_secret_says_whose_it_is(healthy: Platform) -> None:
    held, external = healthy.get(SECRETS, TARGET), healthy.get(EXTERNAL_SECRETS, NAME)
    assert held is not None
    assert external is not None
    (owner,) = held["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == (
        "ExternalSecret",
        external["metadata"]["uid"],
        True,
    )
    assert held["metadata"]["labels"][MANAGED] == "true"
    assert held["metadata"]["labels"][CREATED_BY]
    assert held["metadata"]["annotations"][DATA_HASH]
    assert external["status"]["binding"] == {"name": TARGET}
    assert external["status"]["syncedResourceVersion"].startswith("1-")


def test_a_template_gives_a_secret_its_type(healthy: Platform) -> None:
    held = healthy.get(SECRETS, "ghcr-pull")
    assert held is not None
    assert held["type"] == "kubernetes.io/dockerconfigjson"


def test_a_changed_value_comes_with_the_next_refresh(healthy: Platform) -> None:
    write(healthy, "changed")
    eventually(lambda: value(healthy) == "changed", "the Secret has the new value")


def test_a_changed_annotation_is_a_reason_to_look_at_once(healthy: Platform) -> None:
    slow(healthy)
    write(healthy, "changed")
    healthy.change(EXTERNAL_SECRETS, NAME, lambda held: annotate(held, "1"))
    eventually(lambda: value(healthy) == "changed", "the Secret has the new value")


def test_a_changed_annotation_of_a_store_makes_it_log_in_again(healthy: Platform) -> None:
    slow(healthy)
    healthy.world.control.seal("dev")
    healthy.change(STORES, "ameide-vault", lambda held: annotate(held, "1"))
    healthy.turns(STORES, "ameide-vault", "InvalidProviderConfig")


def test_a_store_that_turns_ready_wakes_its_external_secrets(healthy: Platform) -> None:
    slow(healthy)
    healthy.world.control.seal("dev")
    healthy.change(STORES, "ameide-vault", lambda held: annotate(held, "1"))
    healthy.change(EXTERNAL_SECRETS, NAME, lambda held: annotate(held, "1"))
    healthy.turns(EXTERNAL_SECRETS, NAME, "SecretSyncedError")
    healthy.world.control.seal("dev", sealed=False)
    healthy.change(STORES, "ameide-vault", lambda held: annotate(held, "2"))
    healthy.becomes_ready(EXTERNAL_SECRETS, NAME)


def test_a_deleted_secret_is_made_again(healthy: Platform) -> None:
    slow(healthy)
    healthy.here(lambda: healthy.objects.delete(SECRETS, "ameide-dev", TARGET))
    eventually(lambda: value(healthy) == healthy.held(KEY), "the Secret is there again")


def test_no_secret_is_made_for_an_object_that_was_deleted_while_its_values_were_read(
    healthy: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow(healthy)
    was_read = Event()

    async def read_meanwhile(login: Login, key: str, _field: str) -> str:
        if (login.address, key) == (healthy.bao().url, KEY):
            healthy.objects.delete(EXTERNAL_SECRETS, "ameide-dev", NAME)
            was_read.set()
        return "too late"

    monkeypatch.setattr(external_secrets, "read_value", read_meanwhile)
    healthy.change(EXTERNAL_SECRETS, NAME, lambda held: annotate(held, "3"))
    assert was_read.wait(PATIENCE)
    assert healthy.get(SECRETS, TARGET) is None


def test_a_field_that_is_not_there_is_named_in_an_event(healthy: Platform) -> None:
    def other_field(held: Json) -> None:
        held["spec"]["data"][0]["remoteRef"]["property"] = "password"

    healthy.change(EXTERNAL_SECRETS, NAME, other_field)
    healthy.turns(EXTERNAL_SECRETS, NAME, "SecretSyncedError")
    healthy.hears(NAME, 'cannot find secret data for key: "password"')


def test_merging_needs_a_secret_to_merge_into(healthy: Platform) -> None:
    def merge(held: Json) -> None:
        held["spec"]["target"].update(name="somebody-elses", creationPolicy="Merge")

    healthy.change(EXTERNAL_SECRETS, NAME, merge)
    healthy.turns(EXTERNAL_SECRETS, NAME, "SecretMissing")
    theirs = {"metadata": {"name": "somebody-elses", "namespace": "ameide-dev"}, "data": {"own": "eA=="}}
    healthy.here(lambda: healthy.objects.create(SECRETS, theirs))
    healthy.becomes_ready(EXTERNAL_SECRETS, NAME)
    merged = healthy.get(SECRETS, "somebody-elses")
    assert merged is not None
    assert set(merged["data"]) == {"own", "auth.json.b64"}
    assert "ownerReferences" not in merged["metadata"]


def test_a_login_needs_the_service_account_that_the_role_binds(healthy: Platform) -> None:
    def other_account(held: Json) -> None:
        held["spec"]["provider"]["vault"]["auth"]["kubernetes"]["serviceAccountRef"]["name"] = (
            "postgres-ameide"
        )

    healthy.change(STORES, "ameide-vault", other_account)
    healthy.turns(STORES, "ameide-vault", "InvalidProviderConfig")
    healthy.hears("ameide-vault", "Code: 403. Errors:\n\n* permission denied")
    assert healthy.ready(STORES, "ameide-vault")["message"] == "unable to create client"


def test_a_token_of_an_account_that_was_made_anew_is_not_taken_for_the_old_one(healthy: Platform) -> None:
    healthy.here(lambda: healthy.objects.delete(SERVICE_ACCOUNTS, "ameide-dev", "default"))
    healthy.hears("ameide-vault", 'serviceaccounts "default" not found')


def test_readiness_is_as_old_as_it_has_lasted(healthy: Platform) -> None:
    since = healthy.ready(EXTERNAL_SECRETS, NAME)["lastTransitionTime"]
    write(healthy, "changed")
    eventually(lambda: value(healthy) == "changed", "it was looked at again")
    assert healthy.ready(EXTERNAL_SECRETS, NAME)["lastTransitionTime"] == since
