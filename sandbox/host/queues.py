"""Queue triggers: one listener per function.

As the Storage Queues extension does it (`QueueListener`, `QueueProcessor`):
https://github.com/Azure/azure-sdk-for-net/tree/main/sdk/storage/Microsoft.Azure.WebJobs.Extensions.Storage.Queues

    taken ──► seen more than maxDequeueCount times? ──► poison queue, unrun
      │
      run ──► succeeded ──► deleted
      │
      failed ─┬► maxDequeueCount reached ──► poison queue
              └► visible again after visibilityTimeout
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from sandbox.host.backoff import Backoff
from sandbox.host.bindings import Function, QueueTrigger
from sandbox.host.executor import Executor
from sandbox.host.runtime import Datum, InvocationError
from sandbox.host.settings import QueueOptions
from sandbox.host.storage import Storage, error_code, send
from sandbox.host.wakeups import Wakeups

log = logging.getLogger("host.queues")

INVISIBILITY: Final = timedelta(minutes=10)
"""How long a taken message stays away from others; renewed at half while its function runs."""
_POISON = "-poison"
# Somebody else has the message by now, or had it and is done.
_LOST = frozenset({"PopReceiptMismatch", "MessageNotFound", "QueueNotFound"})


class QueueListener:
    """`run` polls until `stop`, then finishes the messages it has taken."""

    def __init__(
        self,
        function: Function,
        trigger: QueueTrigger,
        *,
        executor: Executor,
        storage: Storage,
        options: QueueOptions,
        wakeups: Wakeups,
        invisibility: timedelta = INVISIBILITY,
    ) -> None:
        self._function = function
        self._executor = executor
        self._storage = storage
        self._options = options
        self._wakeups = wakeups
        self._invisibility = invisibility
        self._queue = storage.queue(trigger.connection, trigger.queue)
        # A poison queue has none of its own.
        self._poison = (
            None
            if trigger.queue.endswith(_POISON)
            else storage.queue(trigger.connection, trigger.queue + _POISON)
        )
        self._backoff = Backoff(options.max_polling_interval)
        self._wake = wakeups.listen(self._queue.url)
        self._stopping = False
        self._running: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            if await self._take_batch():
                self._backoff.reset()
                await self._room_for_more()
            else:
                await self._pause(self._backoff.next())
        while self._running:
            await asyncio.wait(self._running)

    async def _take_batch(self) -> bool:
        """Start a run of each message found. A queue that is not there is an empty one."""
        try:
            messages = [
                message
                async for message in self._queue.receive_messages(
                    max_messages=self._options.batch_size,
                    messages_per_page=self._options.batch_size,
                    visibility_timeout=_seconds(self._invisibility),
                )
            ]
        except AzureError as error:
            if not (isinstance(error, HttpResponseError) and error_code(error) == "QueueNotFound"):
                log.warning("queue.unreadable", extra={"queue": self._queue.queue_name, "error": str(error)})
            return False
        for message in messages:
            task = asyncio.create_task(self._process(message))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return bool(messages)

    async def _room_for_more(self) -> None:
        while len(self._running) > self._options.new_batch_threshold:
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def _pause(self, longest: timedelta) -> None:
        if self._stopping:
            return
        try:
            async with asyncio.timeout(longest.total_seconds()):
                await self._wake.wait()
        except TimeoutError:
            return
        self._backoff.reset()

    async def _process(self, message: QueueMessage) -> None:
        try:
            async with self._held(message):
                succeeded = not self._is_spent(message) and await self._attempt(message)
            await self._settle(message, succeeded=succeeded)
        except HttpResponseError as error:
            if error_code(error) not in _LOST:
                log.exception("queue.unsettled", extra={"queue": self._queue.queue_name})
        except AzureError:
            log.exception("queue.unsettled", extra={"queue": self._queue.queue_name})

    def _is_spent(self, message: QueueMessage) -> bool:
        """Its runs ended without a verdict (a crash, say) more often than it may be run."""
        return self._poison is not None and (message.dequeue_count or 0) > self._options.max_dequeue_count

    async def _attempt(self, message: QueueMessage) -> bool:
        try:
            body = self._storage.decode(message.content)
        except ValueError as error:
            log.error(  # noqa: TRY400 (the sender's mistake; our stack explains nothing)
                "queue.undecodable", extra={"queue": self._queue.queue_name, "error": str(error)}
            )
            return False
        try:
            await self._executor.run(self._function, Datum(body, "string"), metadata(message, body))
        except InvocationError:
            return False
        return True

    async def _settle(self, message: QueueMessage, *, succeeded: bool) -> None:
        if succeeded:
            await self._delete(message)
        elif self._poison is None:
            # It stays invisible until its time is over, or it would come back in a hot loop.
            return
        elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._bury(message, self._poison)
        else:
            await self._queue.update_message(
                message.id,
                message.pop_receipt,
                visibility_timeout=_seconds(self._options.visibility_timeout),
            )

    async def _bury(self, message: QueueMessage, poison: QueueClient) -> None:
        await send(poison, message.content)
        await self._delete(message)
        self._wakeups.wake(poison.url)
        log.warning(
            "queue.poisoned",
            extra={
                "queue": self._queue.queue_name,
                "message_id": message.id,
                "dequeue_count": message.dequeue_count,
            },
        )

    async def _delete(self, message: QueueMessage) -> None:
        await self._queue.delete_message(message.id, message.pop_receipt)

    @asynccontextmanager
    async def _held(self, message: QueueMessage) -> AsyncIterator[None]:
        """Keep the message invisible to others. Its pop receipt changes with each renewal."""
        done = asyncio.Event()
        renewal = asyncio.create_task(self._renew(message, done))
        try:
            yield
        finally:
            # Not cancelled: a renewal cut short leaves a pop receipt that nobody knows.
            done.set()
            await renewal

    async def _renew(self, message: QueueMessage, done: asyncio.Event) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._invisibility.total_seconds() / 2):
                    await done.wait()
            if done.is_set():
                return
            try:
                renewed = await self._queue.update_message(
                    message.id, message.pop_receipt, visibility_timeout=_seconds(self._invisibility)
                )
            except AzureError as error:
                log.warning("queue.unrenewed", extra={"queue": self._queue.queue_name, "error": str(error)})
                return
            message.pop_receipt = renewed.pop_receipt


def metadata(message: QueueMessage, body: str) -> dict[str, Datum]:
    """What the function may know of its message besides the body.

    A top-level field of a JSON body that bears one of these names takes its place: binding data of the
    payload overrides ambient data, as a unit test of the host has it. How letter case counts is undocumented.
    """
    values: dict[str, object] = {
        "QueueTrigger": body,
        "Id": message.id,
        "PopReceipt": message.pop_receipt,
        "DequeueCount": message.dequeue_count,
        "InsertionTime": _time(message.inserted_on),
        "ExpirationTime": _time(message.expires_on),
        "NextVisibleTime": _time(message.next_visible_on),
    }
    names = {name.lower(): name for name in values}
    for field, value in _fields(body).items():
        if (name := names.get(field.lower())) is not None:
            values[name] = value
    return {name: Datum(json.dumps(value), "json") for name, value in values.items() if value is not None}


def _fields(body: str) -> dict[str, object]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
