"""Patches of every kind, and who manages which fields."""

from typing import Any

import pytest

from tests.cluster.cluster import Answer, Cluster, some_name

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
POD: dict[str, Any] = {
    "metadata": {"generateName": "any-"},
    "spec": {
        "nodeSelector": {"reconverge.invalid/nowhere": "true"},
        "containers": [
            {"name": "one", "image": "example.invalid/one"},
            {"name": "two", "image": "example.invalid/two"},
        ],
    },
}


def patched(cluster: Cluster, patch: object, as_: str, **data: str) -> Answer:
    name = cluster.config_map(data=data)["metadata"]["name"]
    return cluster.send("PATCH", cluster.path("configmaps", name), patch, as_=as_)


def test_a_merge_patch_sets_and_null_removes(cluster: Cluster) -> None:
    """https://www.rfc-editor.org/rfc/rfc7386"""
    answer = patched(cluster, {"data": {"a": None, "c": "3"}}, MERGE, a="1", b="2")
    assert answer.body["data"] == {"b": "2", "c": "3"}


def test_a_merge_patch_of_an_old_version_is_refused(cluster: Cluster) -> None:
    """409 where the patch names a metadata.resourceVersion that is not the latest.
    https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply"""
    made = cluster.config_map()["metadata"]
    path = cluster.path("configmaps", made["name"])
    patch = {"metadata": {"resourceVersion": made["resourceVersion"]}, "data": {"a": "1"}}
    assert cluster.send("PATCH", path, patch, as_=MERGE).status == 200
    patch["data"] = {"a": "2"}
    assert cluster.send("PATCH", path, patch, as_=MERGE).refusal == (409, "Conflict")


def test_a_json_patch_is_done_in_order(cluster: Cluster) -> None:
    """https://www.rfc-editor.org/rfc/rfc6902"""
    operations = [
        {"op": "test", "path": "/data/a", "value": "1"},
        {"op": "replace", "path": "/data/a", "value": "2"},
        {"op": "copy", "from": "/data/a", "path": "/metadata/annotations/x~1y"},
        {"op": "move", "from": "/data/b", "path": "/data/c"},
        {"op": "remove", "path": "/data/d"},
    ]
    name = cluster.config_map(data={"a": "1", "b": "b", "d": "d"}, annotations={"x": "1"})["metadata"]["name"]
    answer = cluster.send("PATCH", cluster.path("configmaps", name), operations, as_=JSON_PATCH)
    assert answer.body["metadata"]["annotations"] == {"x": "1", "x/y": "2"}
    assert answer.body["data"] == {"a": "2", "c": "b"}


@pytest.mark.parametrize("operation", ["test", "replace", "remove"])
def test_a_json_patch_that_does_not_hold_changes_nothing(operation: str, cluster: Cluster) -> None:
    """422 Invalid. https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/handlers/patch.go"""
    name = cluster.config_map(data={"a": "1"})["metadata"]["name"]
    path = cluster.path("configmaps", name)
    operations = [
        {"op": "add", "path": "/data/b", "value": "2"},
        {"op": operation, "path": "/data/missing", "value": "2"},
    ]
    assert cluster.send("PATCH", path, operations, as_=JSON_PATCH).refusal == (422, "Invalid")
    assert cluster.send("GET", path).body["data"] == {"a": "1"}


def test_a_strategic_patch_means_single_items_of_a_list(cluster: Cluster) -> None:
    """Containers are merged by name.
    https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/"""
    name = cluster.send("POST", cluster.path("pods"), POD).body["metadata"]["name"]
    patch = {"spec": {"containers": [{"name": "two", "image": "example.invalid/new"}]}}
    changed = cluster.send("PATCH", cluster.path("pods", name), patch, as_=STRATEGIC).body
    images = [(one["name"], one["image"]) for one in changed["spec"]["containers"]]
    assert images == [("one", "example.invalid/one"), ("two", "example.invalid/new")]


def test_a_patch_of_no_known_kind_is_not_taken(cluster: Cluster) -> None:
    """415 UnsupportedMediaType. https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply"""
    answer = patched(cluster, {"data": {}}, "application/json")
    assert answer.refusal == (415, "UnsupportedMediaType")


# -- server-side apply --------------------------------------------------------------------


def apply(cluster: Cluster, name: str, manager: str, force: bool = False, **data: str) -> Answer:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    query = {"fieldManager": manager, **({"force": "true"} if force else {})}
    return cluster.send("PATCH", cluster.path("configmaps", name), body, as_=APPLY, **query)


def test_apply_creates_and_then_changes(cluster: Cluster) -> None:
    """201, then 200. https://kubernetes.io/docs/reference/using-api/server-side-apply/"""
    name = some_name()
    assert apply(cluster, name, "one", a="1").status == 201
    changed = apply(cluster, name, "one", a="2")
    assert (changed.status, changed.body["data"]) == (200, {"a": "2"})


def test_what_an_applier_leaves_out_goes_unless_others_have_it(cluster: Cluster) -> None:
    """https://kubernetes.io/docs/reference/using-api/server-side-apply/"""
    name = some_name()
    apply(cluster, name, "one", a="1", b="2", c="3")
    apply(cluster, name, "two", b="2")
    assert apply(cluster, name, "one", a="1").body["data"] == {"a": "1", "b": "2"}
    assert apply(cluster, name, "two").body["data"] == {"a": "1"}


def test_another_managers_field_is_a_conflict_unless_forced(cluster: Cluster) -> None:
    """409 with a cause per field; with force the field changes hands.
    https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""
    name = some_name()
    apply(cluster, name, "one", a="1")
    refused = apply(cluster, name, "two", a="2")
    assert refused.refusal == (409, "Conflict")
    (cause,) = refused.body["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", ".data.a")
    assert 'conflict with "one"' in cause["message"]
    assert apply(cluster, name, "two", force=True, a="2").body["data"] == {"a": "2"}
    assert apply(cluster, name, "one", a="3").refusal == (409, "Conflict")


def test_a_plain_write_takes_the_field_it_changes(cluster: Cluster) -> None:
    """https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management"""
    name = some_name()
    apply(cluster, name, "one", a="1", b="1")
    path = cluster.path("configmaps", name)
    cluster.send("PATCH", path, {"data": {"a": "2"}}, as_=MERGE, fieldManager="plain")
    refused = apply(cluster, name, "one", a="1", b="1")
    assert [cause["field"] for cause in refused.body["details"]["causes"]] == [".data.a"]
    third = apply(cluster, name, "two", a="3").body["details"]["causes"]
    assert ['"plain"' in cause["message"] for cause in third] == [True]


def test_an_applier_must_name_itself(cluster: Cluster) -> None:
    """422 without fieldManager. https://kubernetes.io/docs/reference/using-api/server-side-apply/"""
    name = some_name()
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    answer = cluster.send("PATCH", cluster.path("configmaps", name), body, as_=APPLY)
    assert answer.refusal == (422, "Invalid")


def test_an_applied_item_of_a_list_stands_for_itself(cluster: Cluster) -> None:
    """Containers are managed one by one.
    https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy"""
    name = some_name()
    path = cluster.path("cronjobs", name, group="batch/v1")

    def body(*containers: str) -> dict[str, Any]:
        spec = {
            "restartPolicy": "Never",
            "containers": [{"name": one, "image": f"example.invalid/{one}"} for one in containers],
        }
        template = {"spec": {"template": {"spec": spec}}}
        return {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": name},
            "spec": {"schedule": "0 0 30 2 *", "suspend": True, "jobTemplate": template},
        }

    cluster.send("PATCH", path, body("one", "two"), as_=APPLY, fieldManager="a")
    cluster.send("PATCH", path, body("two", "three"), as_=APPLY, fieldManager="b")
    left = cluster.send("PATCH", path, body("two"), as_=APPLY, fieldManager="a").body
    containers = left["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert {one["name"] for one in containers} == {"two", "three"}
