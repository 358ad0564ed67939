"""Kinds of a CustomResourceDefinition, which a real cluster need not have, through the official client."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from tests.cluster.cluster import Cluster
from tests.sandbox.clients import World

WHERE = ("external-secrets.io", "v1", "reconverge-test", "externalsecrets")
NAME = "any"
OBJECT = {
    "apiVersion": "external-secrets.io/v1",
    "kind": "ExternalSecret",
    "metadata": {"name": NAME},
    "spec": {"refreshInterval": "1h", "data": [{"secretKey": "a"}]},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


@pytest.fixture
def api(world: World) -> Iterator[Any]:
    """With an ExternalSecret in a namespace of its own."""
    core = world.core()
    core.create_namespace({"metadata": {"name": WHERE[2]}})
    custom: Any = client.CustomObjectsApi(core.api_client)
    custom.create_namespaced_custom_object(*WHERE, OBJECT)
    yield custom
    core.delete_namespace(WHERE[2])


def refusal(error: ApiException) -> tuple[int, str]:
    return int(error.status), str(json.loads(str(error.body))["reason"])


def test_a_status_comes_only_through_its_subresource(api: Any) -> None:
    made = api.get_namespaced_custom_object(*WHERE, NAME)
    assert "status" not in made
    told = api.replace_namespaced_custom_object_status(
        *WHERE, NAME, {**made, "spec": {}, "status": {"refreshTime": "now"}}
    )
    assert (told["spec"], told["status"]) == (made["spec"], {"refreshTime": "now"})
    changed = api.replace_namespaced_custom_object(
        *WHERE, NAME, {**told, "spec": {"refreshInterval": "0"}, "status": {}}
    )
    assert changed["status"] == {"refreshTime": "now"}
    assert changed["metadata"]["generation"] == 2


def test_an_annotation_is_patched_as_the_app_does(api: Any) -> None:
    patch = {"metadata": {"annotations": {"force-sync": "1"}}}
    changed = api.patch_namespaced_custom_object(*WHERE, NAME, patch)
    assert changed["metadata"]["annotations"] == {"force-sync": "1"}
    assert changed["metadata"]["generation"] == 1


def test_a_strategic_patch_is_not_taken(api: Any) -> None:
    with pytest.raises(ApiException) as refused:
        api.patch_namespaced_custom_object(
            *WHERE, NAME, {"spec": {}}, _content_type="application/strategic-merge-patch+json"
        )
    assert refusal(refused.value) == (415, "UnsupportedMediaType")


def test_a_replacement_must_say_which_version_it_replaces(api: Any) -> None:
    with pytest.raises(ApiException) as refused:
        api.replace_namespaced_custom_object(*WHERE, NAME, OBJECT)
    assert refusal(refused.value) == (422, "Invalid")


def test_an_applied_list_is_one_value(api: Any) -> None:
    given = {**OBJECT, "spec": {"data": [{"secretKey": "b"}]}, "metadata": {"name": NAME}}
    settings = {"_content_type": "application/apply-patch+yaml", "field_manager": "one"}
    with pytest.raises(ApiException) as refused:
        api.patch_namespaced_custom_object(*WHERE, NAME, given, **settings)
    (cause,) = json.loads(str(refused.value.body))["details"]["causes"]
    assert cause["field"] == ".spec.data"
    forced = api.patch_namespaced_custom_object(*WHERE, NAME, given, force=True, **settings)
    assert forced["spec"] == {"refreshInterval": "1h", "data": [{"secretKey": "b"}]}


def test_kubectl_knows_them_as_well(api: Any, world: World, tmp_path: Path) -> None:
    cluster = Cluster(kubeconfig=Path(world.described["kubeconfig"]), namespace=WHERE[2], home=tmp_path)
    given = {name: OBJECT[name] for name in ("apiVersion", "kind")} | {"metadata": {"name": "other"}}
    for value, word in (("1h", "created"), ("2h", "configured"), ("2h", "unchanged")):
        given["spec"] = {"refreshInterval": value}
        assert cluster.kubectl("apply", "-f", "-", stdin=json.dumps(given)).strip().endswith(word)
    assert cluster.kubectl("get", "es", "-o", "name").split() == [
        f"externalsecret.external-secrets.io/{name}" for name in (NAME, "other")
    ]
    made = api.get_namespaced_custom_object(*WHERE, NAME)
    api.replace_namespaced_custom_object_status(*WHERE, NAME, {**made, "status": OBJECT["status"]})
    assert "condition met" in cluster.kubectl("wait", f"es/{NAME}", "--for=condition=Ready", "--timeout=20s")
    assert "force-sync" not in cluster.kubectl("describe", "es", NAME)
    cluster.kubectl("annotate", "es", NAME, "force-sync=1")
    assert "force-sync: 1" in cluster.kubectl("describe", "es", NAME)
