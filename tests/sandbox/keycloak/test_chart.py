"""The chart of the realm: what its values make of hooks and waves, and what it refuses."""

import json
from copy import deepcopy
from typing import Any

import pytest
from ruamel.yaml import YAML

from sandbox.argo_health import Health, health_of
from sandbox.argo_helm import merged
from sandbox.argo_tasks import DELETED, HOOK, WAVE, steps, tasks_of
from sandbox.charts import ChartError, Release
from sandbox.charts.keycloak_realm import CHART, FILES, render, values_text
from sandbox.kubernetes_objects import Object

RELEASE = Release(
    name="platform-keycloak-realm",
    namespace="ameide-dev",
    chart="keycloak-realm",
    chart_version="1.4.0",
    app_version="26.4",
)


def values(**more: Any) -> dict[str, Any]:
    yaml = YAML(typ="safe", pure=True)
    own = yaml.load(FILES[f"{CHART}/values.yaml"])
    given = yaml.load(values_text(domain="dev.ameide.io", keycloak="https://keycloak", vault="http://vault"))
    return merged(merged(own, given), more)


def rendered(**more: Any) -> dict[str, Object]:
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in render(RELEASE, values(**more))}


def job(name: str, **more: Any) -> Object:
    return rendered(**more)[f"Job/platform-keycloak-realm-{name}"]


def test_the_bootstrap_comes_before_the_patcher_and_what_rests_on_it_after() -> None:
    order = [
        [task.manifest["metadata"]["name"] for task in step] for step in steps(tasks_of(rendered().values()))
    ]
    assert {"master-realm", "ameide-realm", "platform-keycloak-realm-client-specs"} <= set(order[0])
    assert order[1:] == [
        ["platform-keycloak-realm-master-bootstrap"],
        ["platform-keycloak-realm-client-patcher"],
        ["gitlab-oidc-provider", "keycloak-realm-oidc-clients"],
    ]


ANNOTATIONS: dict[str, tuple[dict[str, str], dict[str, str] | None]] = {
    "hook and wave": (
        {"hook": "Sync", "syncWave": "1"},
        {HOOK: "Sync", WAVE: "1", DELETED: "BeforeHookCreation"},
    ),
    "another phase": (
        {"hook": "PostSync", "syncWave": "1"},
        {HOOK: "PostSync", WAVE: "1", DELETED: "BeforeHookCreation"},
    ),
    "a wave without a hook": ({"hook": "", "syncWave": "1"}, {WAVE: "1"}),
    "a hook without a wave": (
        {"hook": "Sync", "syncWave": ""},
        {HOOK: "Sync", DELETED: "BeforeHookCreation"},
    ),
    "neither": ({"hook": "", "syncWave": ""}, None),
}


@pytest.mark.parametrize(("given", "wanted"), ANNOTATIONS.values(), ids=ANNOTATIONS)
@pytest.mark.parametrize(
    ("name", "key"), [("master-bootstrap", "masterBootstrap"), ("client-patcher", "clientPatcher")]
)
def test_values_become_annotations(
    name: str, key: str, given: dict[str, str], wanted: dict[str, str] | None
) -> None:
    assert job(name, **{key: given})["metadata"].get("annotations") == wanted


def test_another_run_id_changes_the_patcher_and_nothing_else() -> None:
    before, after = rendered(), rendered(clientPatcher={"runId": "again"})
    changed = [name for name in before if before[name] != after[name]]
    assert changed == ["Job/platform-keycloak-realm-client-patcher"]


def test_the_patcher_is_told_what_is_declared_and_the_import_is_not() -> None:
    found = rendered()
    specs = json.loads(found["ConfigMap/platform-keycloak-realm-client-specs"]["data"]["clients.json"])
    assert specs["clients"]["gitlab"] == {
        "vaultKey": "gitlab-oidc-client-secret",
        "redirectUris": ["https://gitlab.dev.ameide.io/users/auth/openid_connect/callback"],
    }
    realm = found["KeycloakRealmImport/ameide-realm"]["spec"]["realm"]
    assert {one["clientId"]: one.get("redirectUris") for one in realm["clients"]} == {
        **{name: [] for name in specs["clients"]},
        "reconverge": None,
        "realm-probe": None,
    }


def test_no_manifest_holds_a_secret() -> None:
    for one in rendered().values():
        assert one["kind"] != "Secret"
    pod = job("client-patcher")["spec"]["template"]["spec"]
    env = {one["name"]: one for one in pod["containers"][0]["env"]}
    assert "value" not in env["ADMIN_CLIENT_SECRET"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"domain": ""}, "domain"),
        ({"keycloak": {"url": ""}}, "keycloak.url"),
        ({"vault": {"address": None}}, "vault.address"),
    ],
)
def test_what_no_default_can_know_is_required(given: dict[str, Any], name: str) -> None:
    with pytest.raises(
        ChartError, match=rf"^execution error at \(keycloak-realm/templates/.*\): {name} is required$"
    ):
        rendered(**deepcopy(given))


WAITING = "Waiting for Keycloak Realm Import"
HEALTH: dict[str, tuple[dict[str, str], str, str]] = {
    "nothing is told yet": ({}, "Progressing", WAITING),
    "nothing is true yet": (dict.fromkeys(("Done", "Started", "HasErrors"), "False"), "Progressing", WAITING),
    "it has started": ({"Done": "False", "Started": "True"}, "Progressing", "Started"),
    "it is done": ({"Done": "True", "Started": "False"}, "Healthy", "Done"),
    "it has errors": ({"Started": "True", "HasErrors": "True"}, "Degraded", "HasErrors"),
}


@pytest.mark.parametrize(("told", "status", "message"), HEALTH.values(), ids=HEALTH)
def test_an_import_is_as_well_as_its_conditions(told: dict[str, str], status: str, message: str) -> None:
    conditions = [{"type": kind, "status": value, "message": kind} for kind, value in told.items()]
    held = {"kind": "KeycloakRealmImport", "status": {"conditions": conditions}}
    assert health_of(held) == Health(status, message)
