"""The store of a cluster's objects, as controllers use it in process."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.kubernetes_errors import StatusError
from sandbox.kubernetes_objects import Changed, Object, Objects
from sandbox.kubernetes_resources import CONFIG_MAPS, CRON_JOBS, JOBS, NAMESPACES, PODS, Resource

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def objects() -> Objects:
    return Objects(lambda: NOW)


def named(name: str, namespace: str = "dev", owner: Object | None = None, **more: Any) -> Object:
    metadata: Object = {"name": name, "namespace": namespace}
    if owner:
        metadata["ownerReferences"] = [{"kind": owner["kind"], "name": "x", "uid": owner["metadata"]["uid"]}]
    return {"metadata": metadata, **more}


def there(objects: Objects, resource: Resource) -> list[str]:
    return [one["metadata"]["name"] for one in objects.list(resource)]


def test_what_was_given_and_what_is_answered_are_copies(objects: Objects) -> None:
    given = named("a", data={"k": "1"})
    made = objects.create(CONFIG_MAPS, given)
    given["data"]["k"] = made["data"]["k"] = "changed"
    read = objects.get(CONFIG_MAPS, "dev", "a")
    assert read is not None
    read["data"]["k"] = "changed"
    objects.list(CONFIG_MAPS)[0]["data"]["k"] = "changed"
    assert objects.held(CONFIG_MAPS)[0]["data"] == {"k": "1"}


def test_a_new_spec_is_a_new_generation_and_a_status_is_not(objects: Objects) -> None:
    made = objects.create(CRON_JOBS, named("a", spec={"suspend": False}))
    told = objects.set_status(CRON_JOBS, "dev", "a", {"active": []})
    assert told["metadata"]["generation"] == 1
    changed = objects.replace(CRON_JOBS, {**told, "spec": {"suspend": True}})
    assert changed["metadata"]["generation"] == 2
    with pytest.raises(StatusError, match="modified"):
        objects.replace(CRON_JOBS, made)


def test_all_that_is_owned_goes_with_its_owner(objects: Objects) -> None:
    cron_job = objects.create(CRON_JOBS, named("seed"))
    job = objects.create(JOBS, named("seed-1", owner=cron_job))
    objects.create(PODS, named("seed-1-x", owner=job))
    objects.create(JOBS, named("other"))
    objects.delete(CRON_JOBS, "dev", "seed")
    assert (there(objects, JOBS), there(objects, PODS)) == (["other"], [])


def test_orphans_stay_and_have_no_owner(objects: Objects) -> None:
    job = objects.create(JOBS, named("seed"))
    objects.create(PODS, named("seed-x", owner=job))
    objects.delete(JOBS, "dev", "seed", orphan=True)
    assert [one["metadata"]["ownerReferences"] for one in objects.list(PODS)] == [[]]


def test_a_namespace_goes_with_all_that_is_in_it(objects: Objects) -> None:
    for name in ("dev", "prod"):
        objects.create(NAMESPACES, {"metadata": {"name": name}})
        objects.create(CONFIG_MAPS, named("facts", name))
    going = objects.delete(NAMESPACES, "", "dev")
    assert going["status"] == {"phase": "Terminating"}
    assert there(objects, NAMESPACES) == ["prod"]
    assert [one["metadata"]["namespace"] for one in objects.list(CONFIG_MAPS)] == ["prod"]


def test_a_namespace_waits_for_what_is_held_in_it(objects: Objects) -> None:
    objects.create(NAMESPACES, {"metadata": {"name": "dev"}})
    held = named("facts")
    held["metadata"]["finalizers"] = ["reconverge.invalid/hold"]
    objects.create(CONFIG_MAPS, held)
    objects.delete(NAMESPACES, "", "dev")
    assert there(objects, NAMESPACES) == ["dev"]
    (waiting,) = objects.list(CONFIG_MAPS)
    waiting["metadata"]["finalizers"] = []
    objects.replace(CONFIG_MAPS, waiting)
    assert (there(objects, NAMESPACES), there(objects, CONFIG_MAPS)) == ([], [])


def test_listeners_hear_of_every_change_with_what_was_before(objects: Objects) -> None:
    heard: list[Changed] = []
    end = objects.listen(heard.append)
    made = objects.create(CONFIG_MAPS, named("a", data={"k": "1"}))
    objects.replace(CONFIG_MAPS, {**made, "data": {"k": "2"}})
    objects.delete(CONFIG_MAPS, "dev", "a")
    end()
    objects.create(CONFIG_MAPS, named("b"))
    assert [one.change for one in heard] == ["ADDED", "MODIFIED", "DELETED"]
    assert [one.before and one.before["data"] for one in heard] == [None, {"k": "1"}, {"k": "2"}]
    assert [one.version for one in heard] == [2, 3, 4]


def test_nothing_comes_back_from_a_rehearsal(objects: Objects) -> None:
    heard: list[Changed] = []
    made = objects.create(CONFIG_MAPS, named("a"))
    objects.listen(heard.append)
    trial = objects.rehearsal()
    trial.replace(CONFIG_MAPS, {**made, "data": {"k": "1"}})
    trial.create(CONFIG_MAPS, named("b"))
    assert there(trial, CONFIG_MAPS) == ["a", "b"]
    trial.delete(CONFIG_MAPS, "dev", "a")
    assert (objects.list(CONFIG_MAPS), heard) == ([made], [])
