"""Objects: how they begin, change and go. Each docstring says what servers answer, and where that stands."""

import base64
from typing import Any

import pytest

from tests.cluster.cluster import POD_TEMPLATE, Cluster, some_name
from tests.waiting import eventually

CONFIG_MAP = {"metadata": {"name": "other"}, "data": {}}


def test_a_new_object_gets_what_a_server_gives(cluster: Cluster) -> None:
    """201 with uid, resourceVersion and creationTimestamp.
    https://kubernetes.io/docs/reference/using-api/api-concepts/"""
    made = cluster.config_map(data={"a": "1"})
    assert {"uid", "resourceVersion", "creationTimestamp"} <= made["metadata"].keys()
    assert made["metadata"]["namespace"] == cluster.namespace
    assert (made["apiVersion"], made["kind"]) == ("v1", "ConfigMap")


def test_a_generated_name_is_the_prefix_and_more(cluster: Cluster) -> None:
    """The server completes metadata.generateName.
    https://kubernetes.io/docs/reference/using-api/api-concepts/#generated-values"""
    names = {cluster.config_map()["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("any-") and len(name) > 4 for name in names)


def test_a_name_is_taken_once(cluster: Cluster) -> None:
    """409 AlreadyExists. https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"""
    name = some_name()
    cluster.config_map(name)
    again = cluster.send("POST", cluster.path("configmaps"), {"metadata": {"name": name}})
    assert again.refusal == (409, "AlreadyExists")


INVALID: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "a name in capitals": ("", "configmaps", {"metadata": {"name": "Upper"}}, "metadata.name"),
    "no name at all": ("", "configmaps", {"metadata": {}}, "metadata.name"),
    "a key with a slash": (
        "",
        "configmaps",
        {"metadata": {"name": "slash"}, "data": {"a/b": "1"}},
        "data[a/b]",
    ),
    "a Job whose pods are always restarted": (
        "batch/v1",
        "jobs",
        {
            "metadata": {"name": "always"},
            "spec": {"template": {"spec": {**POD_TEMPLATE["spec"], "restartPolicy": "Always"}}},
        },
        "spec.template.spec.restartPolicy",
    ),
    "a Job without containers": (
        "batch/v1",
        "jobs",
        {"metadata": {"name": "empty"}, "spec": {"template": {"spec": {"restartPolicy": "Never"}}}},
        "spec.template.spec.containers",
    ),
    "a CronJob without a schedule": (
        "batch/v1",
        "cronjobs",
        {"metadata": {"name": "never"}, "spec": {"jobTemplate": {"spec": {"template": POD_TEMPLATE}}}},
        "spec.schedule",
    ),
    "a Deployment that selects nothing": (
        "apps/v1",
        "deployments",
        {"metadata": {"name": "blind"}, "spec": {"template": {"spec": POD_TEMPLATE["spec"]}}},
        "spec.selector",
    ),
    "a Deployment that selects other pods than it makes": (
        "apps/v1",
        "deployments",
        {
            "metadata": {"name": "astray"},
            "spec": {
                "selector": {"matchLabels": {"a": "1"}},
                "template": {
                    "metadata": {"labels": {"a": "2"}},
                    "spec": {**POD_TEMPLATE["spec"], "restartPolicy": "Always"},
                },
            },
        },
        "spec.template.metadata.labels",
    ),
    "a Deployment whose pods run once": (
        "apps/v1",
        "deployments",
        {
            "metadata": {"name": "once"},
            "spec": {
                "selector": {"matchLabels": {"a": "1"}},
                "template": {
                    "metadata": {"labels": {"a": "1"}},
                    "spec": {**POD_TEMPLATE["spec"], "restartPolicy": "Never"},
                },
            },
        },
        "spec.template.spec.restartPolicy",
    ),
}


@pytest.mark.parametrize(("group", "plural", "body", "field"), INVALID.values(), ids=INVALID)
def test_what_is_not_valid_is_not_kept(
    group: str, plural: str, body: dict[str, Any], field: str, cluster: Cluster
) -> None:
    """422 Invalid, with the field among the causes.
    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/"""
    answer = cluster.send("POST", cluster.path(plural, group=group), body)
    assert answer.refusal == (422, "Invalid")
    assert field in {cause["field"] for cause in answer.body["details"]["causes"]}


def test_nothing_begins_in_a_namespace_that_is_not_there(cluster: Cluster) -> None:
    """404 for the namespace. https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#namespacelifecycle"""
    answer = cluster.send("POST", f"/api/v1/namespaces/{some_name()}/configmaps", CONFIG_MAP)
    assert answer.refusal == (404, "NotFound")
    assert answer.body["details"]["kind"] == "namespaces"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_object_that_is_not_there_is_not_found(method: str, cluster: Cluster) -> None:
    """404 NotFound. https://kubernetes.io/docs/reference/using-api/api-concepts/"""
    name = some_name()
    body = {"metadata": {"name": name}} if method == "PUT" else None
    answer = cluster.send(method, cluster.path("configmaps", name), body)
    assert answer.refusal == (404, "NotFound")


def test_a_replacement_of_an_old_version_is_refused(cluster: Cluster) -> None:
    """409 Conflict where metadata.resourceVersion is not the latest.
    https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions"""
    made = cluster.config_map()
    path = cluster.path("configmaps", made["metadata"]["name"])
    changed = cluster.send("PUT", path, {**made, "data": {"a": "1"}})
    assert changed.status == 200
    assert changed.body["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]
    assert cluster.send("PUT", path, {**made, "data": {"a": "2"}}).refusal == (409, "Conflict")
    assert cluster.send("GET", path).body["data"] == {"a": "1"}


def test_a_write_that_changes_nothing_makes_no_new_version(cluster: Cluster) -> None:
    """The resourceVersion stays. https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions"""
    made = cluster.config_map(data={"a": "1"})
    again = cluster.send("PUT", cluster.path("configmaps", made["metadata"]["name"]), made)
    assert again.body["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_a_body_may_not_contradict_its_path(cluster: Cluster) -> None:
    """400 BadRequest. https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/handlers/update.go"""
    made = cluster.config_map()
    other = {**made, "metadata": {**made["metadata"], "name": "other"}}
    answer = cluster.send("PUT", cluster.path("configmaps", made["metadata"]["name"]), other)
    assert answer.refusal == (400, "BadRequest")


@pytest.mark.parametrize(
    "metadata", [{"labels": {"a": 1}}, {"annotations": {"a": True}}, {"name": 1}], ids=str
)
def test_what_cannot_be_read_is_refused(metadata: dict[str, Any], cluster: Cluster) -> None:
    """400 BadRequest: names, labels and annotations are strings.
    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/"""
    answer = cluster.send("POST", cluster.path("configmaps"), {"metadata": {"name": "any", **metadata}})
    assert answer.refusal == (400, "BadRequest")


def test_a_jobs_template_is_settled(cluster: Cluster) -> None:
    """422: spec.template is immutable. https://kubernetes.io/docs/concepts/workloads/controllers/job/"""
    name = cluster.job()["metadata"]["name"]
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "example.invalid/x"}]}}}}
    path = cluster.path("jobs", name, group="batch/v1")
    answer = cluster.send("PATCH", path, patch, as_="application/strategic-merge-patch+json")
    assert answer.refusal == (422, "Invalid")


def test_status_and_the_rest_are_written_apart(cluster: Cluster) -> None:
    """A write of the object leaves its status alone, and one of /status the rest.
    https://kubernetes.io/docs/reference/using-api/api-concepts/ and the API conventions on spec and status"""
    name = cluster.job()["metadata"]["name"]
    path = cluster.path("jobs", name, group="batch/v1")
    merge = "application/merge-patch+json"
    both = {"spec": {"backoffLimit": 1}, "status": {"failed": 7}}
    changed = cluster.send("PATCH", path, both, as_=merge).body
    assert changed["spec"]["backoffLimit"] == 1
    assert changed["status"].get("failed") != 7
    assert changed["metadata"]["generation"] == 2
    # No status is written here: what a Job may say of itself is its controller's affair on a real cluster.
    told = cluster.send("PATCH", f"{path}/status", {"spec": {"backoffLimit": 2}}, as_=merge).body
    assert (told["spec"]["backoffLimit"], told["metadata"]["generation"]) == (1, 2)


def test_plain_strings_of_a_secret_are_kept_encoded(cluster: Cluster) -> None:
    """stringData is written and never read. https://kubernetes.io/docs/concepts/configuration/secret/"""
    body = {"metadata": {"generateName": "any-"}, "stringData": {"word": "plain"}}
    made = cluster.send("POST", cluster.path("secrets"), body).body
    assert base64.b64decode(made["data"]["word"]) == b"plain"
    assert "stringData" not in made
    assert made["type"] == "Opaque"


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_dry_run_answers_and_changes_nothing(method: str, cluster: Cluster) -> None:
    """As the real request, without its effect.
    https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run"""
    name = some_name()
    if method != "POST":
        cluster.config_map(name, data={"a": "1"})
    path = cluster.path("configmaps", "" if method == "POST" else name)
    body = {"POST": {"metadata": {"name": name}}, "PATCH": {"data": {"a": "2"}}}.get(method)
    as_ = "application/merge-patch+json" if method == "PATCH" else "application/json"
    answer = cluster.send(method, path, body, as_=as_, dryRun="All")
    assert answer.status == (201 if method == "POST" else 200)
    if method == "PATCH":
        assert answer.body["data"] == {"a": "2"}
    after = cluster.send("GET", cluster.path("configmaps", name))
    assert after.status == 404 if method == "POST" else after.body["data"] == {"a": "1"}


def test_a_delete_says_what_is_gone(cluster: Cluster) -> None:
    """200 with a Status object. https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-deletion"""
    made = cluster.config_map()
    name, uid = made["metadata"]["name"], made["metadata"]["uid"]
    answer = cluster.send("DELETE", cluster.path("configmaps", name))
    assert (answer.status, answer.body["status"]) == (200, "Success")
    assert answer.body["details"] == {"name": name, "kind": "configmaps", "uid": uid}
    assert cluster.send("GET", cluster.path("configmaps", name)).status == 404


def test_a_delete_of_another_object_of_that_name_is_refused(cluster: Cluster) -> None:
    """409 where preconditions.uid is not the object's.
    https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/delete-options/"""
    name = cluster.config_map()["metadata"]["name"]
    other = {"preconditions": {"uid": "00000000-0000-4000-8000-000000000000"}}
    assert cluster.send("DELETE", cluster.path("configmaps", name), other).refusal == (409, "Conflict")
    assert cluster.send("GET", cluster.path("configmaps", name)).status == 200


def test_an_object_with_finalizers_waits_for_them(cluster: Cluster) -> None:
    """It gets a deletionTimestamp, and goes with its last finalizer.
    https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/"""
    name = cluster.config_map(finalizers=["reconverge.invalid/hold"])["metadata"]["name"]
    path = cluster.path("configmaps", name)
    assert cluster.send("DELETE", path).status == 200
    assert "deletionTimestamp" in cluster.send("GET", path).body["metadata"]
    free = {"metadata": {"finalizers": None}}
    cluster.send("PATCH", path, free, as_="application/merge-patch+json")
    assert cluster.send("GET", path).status == 404


@pytest.mark.parametrize(
    ("policy", "stays"), [("Background", False), ("Foreground", False), ("Orphan", True)]
)
def test_what_is_owned_goes_with_its_owner_unless_orphaned(
    policy: str, stays: bool, cluster: Cluster
) -> None:
    """https://kubernetes.io/docs/concepts/architecture/garbage-collection/"""
    owner = cluster.config_map()["metadata"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner["name"], "uid": owner["uid"]}
    owned = cluster.config_map(ownerReferences=[reference])["metadata"]["name"]
    cluster.send("DELETE", cluster.path("configmaps", owner["name"]), {"propagationPolicy": policy})

    def settled() -> bool:
        answer = cluster.send("GET", cluster.path("configmaps", owned))
        if stays:
            return answer.status == 200 and not answer.body["metadata"].get("ownerReferences")
        return answer.status == 404

    eventually(settled)


def test_a_collection_is_deleted_as_far_as_it_is_selected(cluster: Cluster) -> None:
    """https://kubernetes.io/docs/reference/using-api/api-concepts/"""
    mark = some_name()
    gone = cluster.config_map(labels={"mark": mark})["metadata"]["name"]
    kept = cluster.config_map()["metadata"]["name"]
    answer = cluster.send("DELETE", cluster.path("configmaps"), labelSelector=f"mark={mark}")
    assert answer.status == 200
    assert cluster.send("GET", cluster.path("configmaps", gone)).status == 404
    assert cluster.send("GET", cluster.path("configmaps", kept)).status == 200


def test_a_binding_keeps_its_role(cluster: Cluster) -> None:
    """422: roleRef is immutable. https://kubernetes.io/docs/reference/access-authn-authz/rbac/"""
    group = "rbac.authorization.k8s.io/v1"
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    body = {"metadata": {"generateName": "any-"}, "roleRef": role}
    made = cluster.send("POST", cluster.path("rolebindings", group=group), body).body
    path = cluster.path("rolebindings", made["metadata"]["name"], group=group)
    other = {"roleRef": {**role, "name": "edit"}}
    answer = cluster.send("PATCH", path, other, as_="application/merge-patch+json")
    assert answer.refusal == (422, "Invalid")
