"""Watches at their ends, which only a store at hand can show."""

import asyncio
from datetime import UTC, datetime

from sandbox.kubernetes_objects import HISTORY, Objects
from sandbox.kubernetes_requests import Target
from sandbox.kubernetes_resources import CONFIG_MAPS
from sandbox.kubernetes_selectors import selection
from sandbox.kubernetes_watches import Event, Watches


def store(changes: int) -> Objects:
    objects = Objects(lambda: datetime(2026, 3, 2, 10, tzinfo=UTC))
    objects.create(CONFIG_MAPS, {"metadata": {"name": "a", "namespace": "dev"}})
    for i in range(changes):
        held = objects.held(CONFIG_MAPS)[0]
        objects.replace(CONFIG_MAPS, {**held, "data": {"i": str(i)}})
    return objects


def told(objects: Objects, since: str, seconds: float = 60.0) -> list[Event]:
    """All events of a watch from that version, until it ends."""

    async def watch() -> list[Event]:
        target = Target(resource=CONFIG_MAPS, namespace="dev")
        matches = selection(CONFIG_MAPS, {})
        events = Watches(objects)._events(target, {"resourceVersion": since}, matches, seconds)
        return [event async for event in events]

    return asyncio.run(watch())


def test_a_watch_from_what_is_forgotten_is_told_so_and_ends() -> None:
    # The object's creation, version 2, is the one change that is no longer kept.
    (event,) = told(store(HISTORY), "1")
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")


def test_a_watch_from_the_oldest_kept_version_misses_nothing() -> None:
    events = told(store(HISTORY), "2", seconds=0)
    assert [event["type"] for event in events] == ["MODIFIED"] * HISTORY


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
