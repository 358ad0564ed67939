"""Watches at their ends, which only a store at hand can show."""

import asyncio
from datetime import UTC, datetime

import pytest

from sandbox.kubernetes_objects import HISTORY, Objects
from sandbox.kubernetes_requests import Target
from sandbox.kubernetes_resources import CONFIG_MAPS
from sandbox.kubernetes_selectors import selection
from sandbox.kubernetes_watches import Watches


def store(changes: int) -> Objects:
    objects = Objects(lambda: datetime(2026, 3, 2, 10, tzinfo=UTC))
    objects.create(CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "dev"}})
    for i in range(changes):
        held = objects.held(CONFIG_MAPS)[0]
        objects.replace(CONFIG_MAPS, {**held, "data": {"i": str(i)}})
    return objects


@pytest.mark.parametrize(("since", "first"), [("1", "ERROR"), ("2", "MODIFIED")])
def test_a_watch_from_what_is_forgotten_is_told_so(since: str, first: str) -> None:
    # The object's creation is the one change that is no longer kept.
    watches, target = Watches(store(HISTORY)), Target(resource=CONFIG_MAPS, namespace="dev")
    version, events = watches._beginning(target, {"resourceVersion": since}, selection(CONFIG_MAPS, {}))
    assert (version, events[0]["type"]) == (HISTORY + 2, first)
    if first == "ERROR":
        assert (events[0]["object"]["code"], events[0]["object"]["reason"]) == (410, "Expired")


def test_watches_end_with_their_server_and_leave_nothing_behind() -> None:
    objects = store(0)
    watches = Watches(objects)

    async def watch() -> list[str]:
        target = Target(resource=CONFIG_MAPS, namespace="dev")
        query = {"resourceVersion": objects.version, "allowWatchBookmarks": "true"}
        asyncio.get_running_loop().call_later(0.01, store_change)
        events = watches._events(target, query, selection(CONFIG_MAPS, {}), 60)
        return [event["type"] async for event in events]

    def store_change() -> None:
        objects.delete(CONFIG_MAPS, "dev", "a")
        watches.close()

    assert asyncio.run(watch()) == ["DELETED", "BOOKMARK"]
    assert not watches._queues
    assert not objects._listeners
