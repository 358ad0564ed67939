"""Tells a queue's listener that this host has just put something on its queue.

So does the real host (`SharedQueueWatcher`). Without it, each step of a chain of queue functions
waits for a poll.
"""

import asyncio
from collections import defaultdict


class Wakeups:
    def __init__(self) -> None:
        self._events: dict[str, list[asyncio.Event]] = defaultdict(list)

    def listen(self, queue_url: str) -> asyncio.Event:
        event = asyncio.Event()
        self._events[queue_url].append(event)
        return event

    def wake(self, queue_url: str) -> None:
        for event in self._events[queue_url]:
            event.set()
