"""The official Python client, whose models are strict: an answer that a server would not give is an error."""

from typing import Any

import pytest
from kubernetes import client, dynamic
from kubernetes.client.exceptions import ApiException

from tests.cluster.cluster import POD_TEMPLATE, Cluster, some_name


def test_a_job_lives_and_goes(cluster: Cluster) -> None:
    """Created, read, listed, changed, deleted.
    https://github.com/kubernetes-client/python/blob/master/kubernetes/docs/BatchV1Api.md"""
    batch: Any = client.BatchV1Api(cluster.api)
    name = some_name()
    job = {
        "metadata": {"name": name, "labels": {"mark": name}},
        "spec": {"suspend": True, "template": POD_TEMPLATE},
    }
    made = batch.create_namespaced_job(cluster.namespace, job)
    assert (made.metadata.generation, made.spec.suspend) == (1, True)
    assert made.spec.template.metadata.labels["job-name"] == name
    listed = batch.list_namespaced_job(cluster.namespace, label_selector=f"mark={name}")
    assert [one.metadata.uid for one in listed.items] == [made.metadata.uid]
    patched = batch.patch_namespaced_job(name, cluster.namespace, {"spec": {"backoffLimit": 1}})
    assert (patched.spec.backoff_limit, patched.metadata.generation) == (1, 2)
    options = client.V1DeleteOptions(propagation_policy="Background")
    batch.delete_namespaced_job(name, cluster.namespace, body=options)
    with pytest.raises(ApiException) as missing:
        batch.read_namespaced_job(name, cluster.namespace)
    assert missing.value.status == 404


def test_a_deployment_lives_and_goes(cluster: Cluster) -> None:
    """https://github.com/kubernetes-client/python/blob/master/kubernetes/docs/AppsV1Api.md"""
    apps: Any = client.AppsV1Api(cluster.api)
    name = some_name()
    labels = {"mark": name}
    spec = {
        "replicas": 0,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {**POD_TEMPLATE["spec"], "restartPolicy": "Always"},
        },
    }
    made = apps.create_namespaced_deployment(
        cluster.namespace, {"metadata": {"name": name, "labels": labels}, "spec": spec}
    )
    assert (made.metadata.generation, made.spec.replicas) == (1, 0)
    listed = apps.list_namespaced_deployment(cluster.namespace, label_selector=f"mark={name}")
    assert [one.metadata.uid for one in listed.items] == [made.metadata.uid]
    patched = apps.patch_namespaced_deployment(name, cluster.namespace, {"spec": {"minReadySeconds": 1}})
    assert patched.metadata.generation == 2
    apps.delete_namespaced_deployment(name, cluster.namespace)
    with pytest.raises(ApiException) as missing:
        apps.read_namespaced_deployment(name, cluster.namespace)
    assert missing.value.status == 404


def test_a_replacement_is_checked_against_the_version_that_was_read(cluster: Cluster) -> None:
    """409, as ConflictException. https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions"""
    name = cluster.config_map()["metadata"]["name"]
    first = cluster.core.read_namespaced_config_map(name, cluster.namespace)
    second = cluster.core.read_namespaced_config_map(name, cluster.namespace)
    first.data, second.data = {"a": "1"}, {"a": "2"}
    cluster.core.replace_namespaced_config_map(name, cluster.namespace, first)
    with pytest.raises(ApiException) as lost:
        cluster.core.replace_namespaced_config_map(name, cluster.namespace, second)
    assert lost.value.status == 409


def test_kinds_are_discovered(cluster: Cluster) -> None:
    """The dynamic client finds kinds by discovery and applies on the server.
    https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api"""
    discover: Any = dynamic.DynamicClient
    found = discover(cluster.api).resources
    for api_version, kind in (("v1", "ConfigMap"), ("batch/v1", "CronJob")):
        assert found.get(api_version=api_version, kind=kind).namespaced
    assert not found.get(api_version="rbac.authorization.k8s.io/v1", kind="ClusterRole").namespaced
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": some_name()}, "data": {"a": "1"}}
    applied = found.get(api_version="v1", kind="ConfigMap").server_side_apply(
        body, namespace=cluster.namespace, field_manager="test"
    )
    assert applied.data.to_dict() == {"a": "1"}
