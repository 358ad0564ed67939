"""Lists, selectors, pages and watches. Each docstring says what servers answer, and where that stands."""

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import watch

from tests.cluster.cluster import Cluster, some_name

MARK = some_name()


@pytest.fixture(scope="module")
def marked(cluster: Cluster) -> Iterator[Cluster]:
    """Three objects of this module's own."""
    for name, tier, extra in (("a", "front", {}), ("b", "back", {"odd": "1"}), ("c", "", {})):
        labels = {"mark": MARK, **({"tier": tier} if tier else {}), **extra}
        cluster.config_map(f"{MARK}-{name}", labels=labels)
    yield cluster
    cluster.send("DELETE", cluster.path("configmaps"), labelSelector=f"mark={MARK}")


def names(body: Any) -> list[str]:
    return [item["metadata"]["name"].removeprefix(f"{MARK}-") for item in body["items"]]


@pytest.mark.parametrize(
    ("selector", "found"),
    {
        "tier=front": ["a"],
        "tier==front": ["a"],
        "tier!=front": ["b", "c"],
        "tier in (front,back)": ["a", "b"],
        "tier notin (front)": ["b", "c"],
        "tier": ["a", "b"],
        "!tier": ["c"],
        "tier,odd=1": ["b"],
    }.items(),
)
def test_labels_select(selector: str, found: list[str], marked: Cluster) -> None:
    """https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors"""
    answer = marked.send("GET", marked.path("configmaps"), labelSelector=f"mark={MARK},{selector}")
    assert names(answer.body) == found
    assert (answer.body["kind"], answer.body["apiVersion"]) == ("ConfigMapList", "v1")


def test_fields_select(marked: Cluster) -> None:
    """https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/"""
    path = marked.path("configmaps")
    assert names(marked.send("GET", path, fieldSelector=f"metadata.name={MARK}-b").body) == ["b"]
    everywhere = {"labelSelector": f"mark={MARK}", "fieldSelector": f"metadata.namespace={marked.namespace}"}
    assert names(marked.send("GET", "/api/v1/configmaps", **everywhere).body) == ["a", "b", "c"]


def test_events_are_selected_by_what_they_are_about(cluster: Cluster) -> None:
    """https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/"""
    about = some_name()
    for kind, type_ in (("ExternalSecret", "Warning"), ("ExternalSecret", "Normal"), ("Job", "Warning")):
        event = {
            "metadata": {"generateName": "any-"},
            "involvedObject": {"kind": kind, "name": about, "namespace": cluster.namespace},
            "type": type_,
            "message": f"{kind} {type_}",
        }
        assert cluster.send("POST", cluster.path("events"), event).status == 201
    selector = f"involvedObject.kind=ExternalSecret,involvedObject.name={about},type=Warning"
    answer = cluster.send("GET", cluster.path("events"), fieldSelector=selector)
    assert [one["message"] for one in answer.body["items"]] == ["ExternalSecret Warning"]


@pytest.mark.parametrize(
    "query",
    [{"fieldSelector": "data.a=1"}, {"fieldSelector": "nonsense"}, {"labelSelector": "a in"}],
    ids=str,
)
def test_a_selector_that_is_not_understood_is_refused(query: dict[str, str], cluster: Cluster) -> None:
    """400 BadRequest: a kind has the fields it has.
    https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/#supported-fields"""
    answer = cluster.send("GET", cluster.path("configmaps"), **query)
    assert answer.refusal == (400, "BadRequest")


def test_a_list_continues_where_its_page_ended(marked: Cluster) -> None:
    """https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks"""
    selector = {"labelSelector": f"mark={MARK}", "limit": "2"}
    first = marked.send("GET", marked.path("configmaps"), **selector).body
    assert names(first) == ["a", "b"]
    token = first["metadata"]["continue"]
    second = marked.send("GET", marked.path("configmaps"), **selector, **{"continue": token}).body
    assert names(second) == ["c"]
    assert not second["metadata"].get("continue")


# -- watches ------------------------------------------------------------------------------


def watched(cluster: Cluster, **query: Any) -> list[tuple[str, str]]:
    """Type and name of every event, until the watch ends after a second."""
    new_watch: Any = watch.Watch  # the package leaves it untyped
    stream = new_watch().stream(
        cluster.core.list_namespaced_config_map, cluster.namespace, timeout_seconds=1, **query
    )
    return [(one["type"], one["raw_object"]["metadata"].get("name", "")) for one in stream]


def test_a_watch_begins_with_what_is_there(marked: Cluster) -> None:
    """Without a resourceVersion: an ADDED for each object.
    https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-watch"""
    events = watched(marked, label_selector=f"mark={MARK}")
    assert sorted(events) == [("ADDED", f"{MARK}-{name}") for name in "abc"]


def test_a_watch_from_a_version_tells_what_happened_since(cluster: Cluster) -> None:
    """https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes"""
    mark = some_name()
    version = cluster.send("GET", cluster.path("configmaps")).body["metadata"]["resourceVersion"]
    cluster.config_map(mark, labels={"mark": mark})
    path = cluster.path("configmaps", mark)
    cluster.send("PATCH", path, {"data": {"a": "1"}}, as_="application/merge-patch+json")
    cluster.send("DELETE", path)
    events = watched(cluster, label_selector=f"mark={mark}", resource_version=version)
    assert events == [("ADDED", mark), ("MODIFIED", mark), ("DELETED", mark)]


def test_what_is_no_longer_selected_is_gone_for_the_watch(cluster: Cluster) -> None:
    """DELETED when a label stops matching, ADDED when it begins to.
    https://github.com/kubernetes/apiserver/blob/master/pkg/storage/cacher/cache_watcher.go"""
    mark = some_name()
    made = cluster.config_map(mark, labels={"mark": mark})["metadata"]
    path, merge = cluster.path("configmaps", mark), "application/merge-patch+json"
    for value in (None, mark):
        cluster.send("PATCH", path, {"metadata": {"labels": {"mark": value}}}, as_=merge)
    events = watched(cluster, label_selector=f"mark={mark}", resource_version=made["resourceVersion"])
    assert events == [("DELETED", mark), ("ADDED", mark)]


def test_a_watch_can_ask_for_its_beginning_and_its_end(cluster: Cluster) -> None:
    """sendInitialEvents: what is there, then a BOOKMARK that says so.
    https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists"""
    mark = some_name()
    cluster.config_map(mark, labels={"mark": mark})
    answer = cluster.send(
        "GET",
        cluster.path("configmaps"),
        watch="true",
        sendInitialEvents="true",
        allowWatchBookmarks="true",
        resourceVersionMatch="NotOlderThan",
        labelSelector=f"mark={mark}",
        timeoutSeconds="1",
    )
    events = [line for line in answer.body.splitlines() if line]
    assert '"ADDED"' in events[0]
    assert '"BOOKMARK"' in events[1]
    assert '"k8s.io/initial-events-end": "true"'.replace(" ", "") in events[1].replace(" ", "")
