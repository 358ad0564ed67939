"""kubectl, unmodified. Each docstring says what it sends, and where the behaviour stands."""

import json
import threading
from copy import deepcopy
from typing import Any

import pytest

from tests.cluster.cluster import POD_TEMPLATE, Cluster, some_name

Json = dict[str, Any]


def manifest(name: str, **data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})


def cron_job(name: str) -> Json:
    """One that has a bit of everything that a Job's template may say."""
    spec = {
        **POD_TEMPLATE["spec"],
        "serviceAccountName": "default",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 9}],
        "initContainers": [{"name": "first", "image": "example.invalid/first", "args": ["a", ""]}],
        "containers": [
            {
                "name": "main",
                "image": "example.invalid/nothing",
                "command": ["sh", "-c", "true"],
                "env": [
                    {"name": "PLAIN", "value": "ä"},
                    {
                        "name": "SECRET",
                        "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}},
                    },
                    {"name": "MAP", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}},
                    {
                        "name": "SELF",
                        "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}},
                    },
                ],
                "envFrom": [{"prefix": "P_", "secretRef": {"name": "s", "optional": True}}],
                "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                "resources": {"limits": {"memory": "64Mi"}, "requests": {"cpu": "10m"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "readOnlyRootFilesystem": True,
                },
                "volumeMounts": [{"name": "token", "mountPath": "/token", "readOnly": True}],
            }
        ],
        "volumes": [
            {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            {"name": "map", "configMap": {"name": "m", "items": [{"key": "k", "path": "p", "mode": 256}]}},
            {"name": "secret", "secret": {"secretName": "s", "defaultMode": 256}},
            {
                "name": "token",
                "projected": {
                    "defaultMode": 420,
                    "sources": [
                        {"serviceAccountToken": {"audience": "a", "expirationSeconds": 3600, "path": "t"}},
                        {"secret": {"name": "s"}},
                    ],
                },
            },
        ],
    }
    template = {
        "metadata": {"annotations": {"note": "kept"}, "labels": {"app": "seed"}},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": 60,
            "suspend": True,
            "ttlSecondsAfterFinished": 600,
            "template": {"metadata": {"labels": {"pod": "label"}}, "spec": spec},
        },
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {"schedule": "0 0 30 2 *", "suspend": True, "jobTemplate": template},
    }


def contains(whole: Any, part: Any) -> bool:
    """Whether all that the part says stands in the whole, which may say more."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            name in whole and contains(whole[name], value) for name, value in part.items()
        )
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(contains, whole, part))
    return bool(whole == part)


def test_a_job_is_made_of_a_cron_job(cluster: Cluster) -> None:
    """`create job --from` posts a Job, as protobuf: the template's spec, labels and annotations, the mark of
    a start by hand, and the CronJob as its owner.
    https://github.com/kubernetes/kubectl/blob/master/pkg/cmd/create/create_job.go"""
    source, name = cron_job(some_name()), some_name()
    made = cluster.send("POST", cluster.path("cronjobs", group="batch/v1"), source).body
    said = cluster.kubectl("create", "job", name, f"--from=cronjob/{source['metadata']['name']}")
    assert said.strip() == f"job.batch/{name} created"
    job = cluster.send("GET", cluster.path("jobs", name, group="batch/v1")).body
    assert contains(job["spec"], source["spec"]["jobTemplate"]["spec"])
    metadata = job["metadata"]
    assert metadata["labels"]["app"] == "seed"
    assert metadata["annotations"] == {"note": "kept", "cronjob.kubernetes.io/instantiate": "manual"}
    (owner,) = metadata["ownerReferences"]
    assert (owner["uid"], owner["controller"]) == (made["metadata"]["uid"], True)
    again = cluster.kubectl(
        "create", "job", name, f"--from=cronjob/{source['metadata']['name']}", check=False
    )
    assert "already exists" in again


CREATED: dict[str, tuple[list[str], str, str, Json]] = {
    "a namespaced role": (
        ["role", "NAME", "--verb=get,list", "--resource=jobs.batch", "--resource-name=one"],
        "rbac.authorization.k8s.io/v1",
        "roles",
        {
            "rules": [
                {
                    "verbs": ["get", "list"],
                    "apiGroups": ["batch"],
                    "resources": ["jobs"],
                    "resourceNames": ["one"],
                }
            ]
        },
    ),
    "a binding of an account": (
        ["rolebinding", "NAME", "--clusterrole=view", "--serviceaccount=a:b", "--user=somebody"],
        "rbac.authorization.k8s.io/v1",
        "rolebindings",
        {
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
            "subjects": [
                {"kind": "User", "name": "somebody", "apiGroup": "rbac.authorization.k8s.io"},
                {"kind": "ServiceAccount", "namespace": "a", "name": "b"},
            ],
        },
    ),
    "a configmap": (["configmap", "NAME", "--from-literal=a=1"], "", "configmaps", {"data": {"a": "1"}}),
    "a secret": (
        ["secret", "generic", "NAME", "--from-literal=a=1"],
        "",
        "secrets",
        {"data": {"a": "MQ=="}, "type": "Opaque"},
    ),
    "a service account": (["serviceaccount", "NAME"], "", "serviceaccounts", {}),
    "a cron job": (
        ["cronjob", "NAME", "--image=example.invalid/x", "--schedule=0 0 30 2 *", "--", "true"],
        "batch/v1",
        "cronjobs",
        {"spec": {"schedule": "0 0 30 2 *"}},
    ),
    "a deployment": (
        ["deployment", "NAME", "--image=example.invalid/x", "--replicas=0"],
        "apps/v1",
        "deployments",
        {
            "spec": {
                "replicas": 0,
                "progressDeadlineSeconds": 600,
                "strategy": {"type": "RollingUpdate"},
                "template": {"spec": {"restartPolicy": "Always"}},
            }
        },
    ),
}


@pytest.mark.parametrize(("arguments", "group", "plural", "expected"), CREATED.values(), ids=CREATED)
def test_objects_are_created_from_the_command_line(
    arguments: list[str], group: str, plural: str, expected: Json, cluster: Cluster
) -> None:
    """`create` posts kinds that it has types for as protobuf.
    https://kubernetes.io/docs/reference/kubectl/generated/kubectl_create/"""
    name = some_name()
    cluster.kubectl("create", *(name if one == "NAME" else one for one in arguments))
    assert contains(cluster.send("GET", cluster.path(plural, name, group=group)).body, expected)


def test_apply_creates_changes_and_removes(cluster: Cluster) -> None:
    """Created by POST, changed by a strategic merge patch against what was applied last.
    https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/"""
    name = some_name()
    words = [
        cluster.kubectl("apply", "-f", "-", stdin=manifest(name, **data)).strip().rpartition(" ")[2]
        for data in ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, {"a": "3"})
    ]
    assert words == ["created", "unchanged", "configured"]
    assert cluster.send("GET", cluster.path("configmaps", name)).body["data"] == {"a": "3"}


def test_apply_leaves_to_others_the_items_it_never_had(cluster: Cluster) -> None:
    """Containers and their variables are merged by name.
    https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/"""
    name = some_name()
    wanted = cron_job(name)
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(wanted))
    path = cluster.path("cronjobs", name, group="batch/v1")
    pod = "/spec/jobTemplate/spec/template/spec"
    sidecar = {"name": "other", "image": "example.invalid/other"}
    add = [{"op": "add", "path": f"{pod}/containers/-", "value": sidecar}]
    assert cluster.send("PATCH", path, add, as_="application/json-patch+json").status == 200
    containers = wanted["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    containers[0]["env"] = containers[0]["env"][1:]
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(wanted))
    kept = cluster.send("GET", path).body["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert {one["name"] for one in kept} == {"main", "other"}
    main = next(one for one in kept if one["name"] == "main")
    assert [one["name"] for one in main["env"]] == ["SECRET", "MAP", "SELF"]


def test_apply_on_the_server_meets_other_managers(cluster: Cluster) -> None:
    """https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""
    name = some_name()

    def apply(value: str, *more: str) -> str:
        return cluster.kubectl(
            "apply", "--server-side", *more, "-f", "-", stdin=manifest(name, a=value), check=False
        )

    assert "serverside-applied" in apply("1")
    assert "Apply failed with 1 conflict" in apply("2", "--field-manager=other")
    assert "serverside-applied" in apply("2", "--field-manager=other", "--force-conflicts")
    assert cluster.send("GET", cluster.path("configmaps", name)).body["data"] == {"a": "2"}


def test_objects_are_shown(cluster: Cluster) -> None:
    """`get` asks for a table and takes the object where it gets none; `describe` reads the Events beside it.
    https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables"""
    name = cluster.job(some_name())["metadata"]["name"]
    assert name in cluster.kubectl("get", "jobs")
    assert json.loads(cluster.kubectl("get", "job", name, "-o", "json"))["metadata"]["name"] == name
    described = cluster.kubectl("describe", "job", name)
    assert name in described
    assert "example.invalid/nothing" in described


def test_a_deployment_is_applied_and_shown(cluster: Cluster) -> None:
    """Its containers are merged by name, and `describe` looks for ReplicaSets and does without.
    https://kubernetes.io/docs/concepts/workloads/controllers/deployment/"""
    name = some_name()
    template: dict[str, Any] = {**deepcopy(POD_TEMPLATE["spec"]), "restartPolicy": "Always"}
    wanted = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"mark": name}},
            "template": {"metadata": {"labels": {"mark": name}}, "spec": template},
        },
    }
    words = []
    for image in ("example.invalid/nothing", "example.invalid/nothing", "example.invalid/other"):
        template["containers"][0]["image"] = image
        said = cluster.kubectl("apply", "-f", "-", stdin=json.dumps(wanted))
        words.append(said.strip().rpartition(" ")[2])
    assert words == ["created", "unchanged", "configured"]
    assert name in cluster.kubectl("get", "deploy")
    described = cluster.kubectl("describe", "deployment", name)
    assert "example.invalid/other" in described
    assert "RollingUpdate" in described
    assert "restarted" in cluster.kubectl("rollout", "restart", f"deployment/{name}")
    assert "deleted" in cluster.kubectl("delete", "deployment", name)


def test_annotations_are_set_and_removed(cluster: Cluster) -> None:
    """`annotate` sends a merge patch.
    https://kubernetes.io/docs/reference/kubectl/generated/kubectl_annotate/"""
    name = cluster.config_map()["metadata"]["name"]
    cluster.kubectl("annotate", "configmap", name, "force-sync=1")
    path = cluster.path("configmaps", name)
    assert cluster.send("GET", path).body["metadata"]["annotations"] == {"force-sync": "1"}
    cluster.kubectl("annotate", "configmap", name, "force-sync-")
    assert not cluster.send("GET", path).body["metadata"].get("annotations")


def test_delete_waits_until_it_is_gone(cluster: Cluster) -> None:
    """https://kubernetes.io/docs/reference/kubectl/generated/kubectl_delete/"""
    name = cluster.job(some_name())["metadata"]["name"]
    assert "deleted" in cluster.kubectl("delete", "job", name)
    assert cluster.send("GET", cluster.path("jobs", name, group="batch/v1")).status == 404


def test_a_namespace_goes_with_what_is_in_it(cluster: Cluster) -> None:
    """It is Terminating until it is empty, and then gone.
    https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/"""
    name = some_name()
    cluster.kubectl("create", "namespace", name)
    path = f"/api/v1/namespaces/{name}"
    assert cluster.send("GET", path).body["status"]["phase"] == "Active"
    cluster.kubectl("create", "configmap", "inside", "--namespace", name)
    assert "deleted" in cluster.kubectl("delete", "namespace", name)
    assert cluster.send("GET", path).status == 404
    assert cluster.send("GET", f"{path}/configmaps/inside").status == 404


def test_rights_are_asked_for(cluster: Cluster) -> None:
    """`auth can-i` posts a SelfSubjectAccessReview, and with --list a SelfSubjectRulesReview.
    https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access"""
    assert cluster.kubectl("auth", "can-i", "create", "jobs.batch").strip() == "yes"
    assert "selfsubjectaccessreviews.authorization.k8s.io" in cluster.kubectl("auth", "can-i", "--list")


def test_a_watch_shows_what_happens(cluster: Cluster) -> None:
    """`get -w` lists and watches from there.
    https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes"""
    first, second = some_name(), some_name()
    cluster.config_map(first)
    with cluster.kubectl_running("get", "configmaps", "-w", "-o", "name") as process:
        assert process.stdout is not None
        stop = threading.Timer(30, process.terminate)
        stop.start()
        seen = [next(line.strip() for line in process.stdout if first in line)]
        cluster.config_map(second)
        seen.append(next(line.strip() for line in process.stdout if second in line))
        stop.cancel()
    assert seen == [f"configmap/{first}", f"configmap/{second}"]


def test_wait_ends_with_the_condition(cluster: Cluster) -> None:
    """`wait` watches one object. https://kubernetes.io/docs/reference/kubectl/generated/kubectl_wait/"""
    name = cluster.config_map(some_name())["metadata"]["name"]
    path = cluster.path("configmaps", name)
    later = threading.Timer(
        0.5, cluster.send, ("PATCH", path, {"data": {"a": "1"}}), {"as_": "application/merge-patch+json"}
    )
    later.start()
    said = cluster.kubectl("wait", f"configmap/{name}", "--for=jsonpath={.data.a}=1", "--timeout=20s")
    assert "condition met" in said
    gone = threading.Timer(0.5, cluster.send, ("DELETE", path))
    gone.start()
    assert "condition met" in cluster.kubectl("wait", f"configmap/{name}", "--for=delete", "--timeout=20s")


def test_of_several_containers_one_must_be_named(cluster: Cluster) -> None:
    """400, and its text lists them: kubectl picks the first itself, other clients do not.
    https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/core/pod/strategy.go"""
    containers = [{"name": name, "image": "example.invalid/x"} for name in ("one", "two")]
    spec = {**POD_TEMPLATE["spec"], "containers": containers}
    pod = {"metadata": {"generateName": "any-"}, "spec": spec}
    name = cluster.send("POST", cluster.path("pods"), pod).body["metadata"]["name"]
    answer = cluster.send("GET", cluster.path("pods", f"{name}/log"))
    assert answer.refusal == (400, "BadRequest")
    assert answer.body["message"] == (
        f"a container name must be specified for pod {name}, choose one of: [one two]"
    )
    answer = cluster.send("GET", cluster.path("pods", f"{name}/log"), container="three")
    assert answer.refusal == (400, "BadRequest")
