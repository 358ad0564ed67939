"""What containers have printed, as the subresource `log` shows it."""

from datetime import UTC, datetime

import pytest

from sandbox.kubernetes_errors import StatusError
from sandbox.kubernetes_logs import log_of
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_requests import Target
from sandbox.kubernetes_resources import PODS

TARGET = Target(resource=PODS, namespace="dev", name="seed", subresource="log")
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def cluster(*containers: str, init: tuple[str, ...] = (), waiting: str = "") -> Objects:
    spec = {
        "containers": [{"name": name} for name in containers],
        "initContainers": [{"name": name} for name in init],
    }
    status: Object = {
        "containerStatuses": [
            {
                "name": name,
                "state": {"waiting": {"reason": "ContainerCreating"}} if name == waiting else {"running": {}},
            }
            for name in containers
        ]
    }
    objects = Objects(lambda: NOW)
    pod = {"metadata": {"name": "seed", "namespace": "dev"}, "spec": spec, "status": status}
    objects.create(PODS, pod)
    objects.write_log("dev", "seed", "main", "one\ntwo\n")
    objects.write_log("dev", "seed", "main", "three\n")
    objects.write_log("dev", "seed", "first", "begun\n")
    return objects


SHOWN: dict[str, tuple[dict[str, str], str]] = {
    "all of it": ({}, "one\ntwo\nthree\n"),
    "its last lines": ({"tailLines": "2"}, "two\nthree\n"),
    "no line": ({"tailLines": "0"}, ""),
    "its first bytes": ({"limitBytes": "5"}, "one\nt"),
    "the first bytes of its last lines": ({"tailLines": "1", "limitBytes": "3"}, "thr"),
    "that of an init container": ({"container": "first"}, "begun\n"),
}


@pytest.mark.parametrize(("query", "text"), SHOWN.values(), ids=SHOWN)
def test_a_log_shows(query: dict[str, str], text: str) -> None:
    asked = {"container": "main", **query}
    assert log_of(cluster("main", init=("first",)), TARGET, asked) == text


def test_an_only_container_need_not_be_named() -> None:
    assert log_of(cluster("main"), TARGET, {"tailLines": "1"}) == "three\n"


REFUSED: dict[str, tuple[Objects, dict[str, str], str]] = {
    "no container is named": (
        cluster("main", "side"),
        {},
        "a container name must be specified for pod seed, choose one of: [main side]",
    ),
    "none is named beside init containers": (
        cluster("main", init=("first",)),
        {},
        (
            "a container name must be specified for pod seed, choose one of: [main]"
            " or one of the init containers: [first]"
        ),
    ),
    "there is no such container": (
        cluster("main"),
        {"container": "other"},
        "container other is not valid for pod seed",
    ),
    "it has not begun": (
        cluster("main", waiting="main"),
        {},
        'container "main" in pod "seed" is waiting to start: ContainerCreating',
    ),
    "it ran only once": (
        cluster("main"),
        {"previous": "true"},
        'previous terminated container "main" in pod "seed" not found',
    ),
}


@pytest.mark.parametrize(("objects", "query", "message"), REFUSED.values(), ids=REFUSED)
def test_a_log_is_refused_when(objects: Objects, query: dict[str, str], message: str) -> None:
    with pytest.raises(StatusError) as refused:
        log_of(objects, TARGET, query)
    assert (refused.value.code, str(refused.value)) == (400, message)


def test_a_pods_log_goes_with_it() -> None:
    objects = cluster("main")
    objects.delete(PODS, "dev", "seed")
    assert objects.log("dev", "seed", "main") == ""
