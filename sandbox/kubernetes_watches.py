"""Watches: every change of the objects that a list would show, from a version on.

https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from aiohttp import web

from sandbox.kubernetes_errors import bad_request, gone
from sandbox.kubernetes_objects import Change, Changed, Object, Objects
from sandbox.kubernetes_requests import Target
from sandbox.kubernetes_selectors import Matches, selection

USUAL_SECONDS = 1800.0
_END = None

type Event = dict[str, Any]
type Queue = asyncio.Queue[Changed | None]


class Watches:
    """Each watch is a queue that the store fills and its connection empties: no thread, no polling."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._queues: set[Queue] = set()

    def close(self) -> None:
        """End all watches, as a server does that goes away."""
        for queue in self._queues:
            queue.put_nowait(_END)

    async def serve(self, request: web.Request, target: Target) -> web.StreamResponse:
        """Raises StatusError (400), and only before anything is sent."""
        matches = selection(target.resource, request.query)
        seconds = _seconds(request.query)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        async with aclosing(self._events(target, request.query, matches, seconds)) as events:
            async for event in events:
                await response.write(json.dumps(event).encode() + b"\n")
        await response.write_eof()
        return response

    async def _events(
        self, target: Target, query: Mapping[str, str], matches: Matches, seconds: float
    ) -> AsyncGenerator[Event]:
        """What there is at the beginning, then what happens, until the time is over."""
        queue: Queue = asyncio.Queue()
        end = self._objects.listen(queue.put_nowait)
        self._queues.add(queue)
        try:
            version, first = self._beginning(target, query, matches)
            for event in first:
                yield event
            if first and first[-1]["type"] == "ERROR":
                return
            # Nothing can have happened since the beginning was put together but what is in the queue.
            async for changed in _until(queue, seconds):
                later = _event(changed, target, matches)
                if later and changed.version > version:
                    yield later
            if query.get("allowWatchBookmarks") in ("1", "true"):
                yield self._bookmark(target, {})
        finally:
            end()
            self._queues.discard(queue)

    def _beginning(
        self, target: Target, query: Mapping[str, str], matches: Matches
    ) -> tuple[int, list[Event]]:
        """The version that is told of, and how: what is there, or what changed since the asked version."""
        now, since = int(self._objects.version), query.get("resourceVersion", "")
        initial = query.get("sendInitialEvents") in ("1", "true")
        if initial or since in ("", "0"):
            held = self._objects.held(target.resource, target.namespace)
            events: list[Event] = [{"type": Change.ADDED, "object": one} for one in held if matches(one)]
            if initial:
                events.append(self._bookmark(target, {"k8s.io/initial-events-end": "true"}))
            return now, events
        if not since.isdecimal():
            raise bad_request(f"invalid resource version {since!r}")
        history = self._objects.history
        if history and int(since) < history[0].version - 1:
            said = f"too old resource version: {since} ({history[0].version - 1})"
            return now, [{"type": "ERROR", "object": gone(said).body()}]
        missed = (_event(one, target, matches) for one in history if one.version > int(since))
        return now, [event for event in missed if event]

    def _bookmark(self, target: Target, annotations: dict[str, str]) -> Event:
        metadata: Object = {"resourceVersion": self._objects.version, "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        resource = target.resource
        return {
            "type": "BOOKMARK",
            "object": {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata},
        }


async def _until(queue: Queue, seconds: float) -> AsyncIterator[Changed]:
    """What comes in until the time is over or the server ends it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                changed = await queue.get()
        except TimeoutError:
            return
        if changed is None:
            return
        yield changed


def _event(changed: Changed, target: Target, matches: Matches) -> Event | None:
    """The change as this watch sees it: what begins to match appears, and what no longer does is gone."""
    metadata = changed.object["metadata"]
    if changed.resource != target.resource or target.namespace not in ("", metadata.get("namespace", "")):
        return None
    was = changed.before is not None and matches(changed.before)
    is_ = changed.change != Change.DELETED and matches(changed.object)
    match was, is_:
        case False, True:
            return {"type": Change.ADDED, "object": changed.object}
        case True, True:
            return {"type": Change.MODIFIED, "object": changed.object}
        case True, False:
            return {"type": Change.DELETED, "object": changed.object}
    return None


def _seconds(query: Mapping[str, str]) -> float:
    text = query.get("timeoutSeconds", "")
    if text and not text.isdecimal():
        raise bad_request(f"invalid timeoutSeconds {text!r}")
    return float(text or 0) or USUAL_SECONDS
