"""Runs one function once: time limit, log line, and the queue outputs that a success writes."""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from azure.core.exceptions import AzureError

from sandbox.host.bindings import Function, QueueOutput
from sandbox.host.runtime import Datum, InvocationError, Returned, invoke
from sandbox.host.storage import Storage, send
from sandbox.host.wakeups import Wakeups

log = logging.getLogger("host.executor")


class Executor:
    def __init__(self, storage: Storage, wakeups: Wakeups, timeout: timedelta | None) -> None:
        self._storage = storage
        self._wakeups = wakeups
        self._timeout = timeout

    async def run(self, function: Function, data: Datum, metadata: Mapping[str, Datum] | None = None) -> Any:
        """Run it and write its outputs. Answers the Datum of `$return`, or None.

        Raises InvocationError when the function raised, took too long, or its output could not be written.
        A sync function that takes too long keeps its thread; Azure would restart the whole worker.
        """
        invocation = str(uuid.uuid4())
        started = time.monotonic()
        succeeded = False
        try:
            async with asyncio.timeout(self._timeout.total_seconds() if self._timeout else None):
                returned = await invoke(
                    invocation, function.id, function.trigger.parameter, data, metadata or {}
                )
                await self._write_outputs(function, returned)
            succeeded = True
        except TimeoutError as error:
            raise InvocationError(
                f"{function.name} ran longer than functionTimeout {self._timeout}"
            ) from error
        finally:
            log.info(
                "function.executed",
                extra={
                    "function": function.name,
                    "invocation_id": invocation,
                    "succeeded": succeeded,
                    "duration_ms": round((time.monotonic() - started) * 1000, 1),
                },
            )
        return returned.value

    async def _write_outputs(self, function: Function, returned: Returned) -> None:
        for name, output in function.outputs.items():
            datum = returned.value if name == "$return" else returned.outputs.get(name)
            for body in messages(datum):
                await self._send(function, output, body)

    async def _send(self, function: Function, output: QueueOutput, body: str | bytes) -> None:
        queue = self._storage.queue(output.connection, output.queue)
        try:
            await send(queue, self._storage.encode(body))
        except AzureError as error:
            raise InvocationError(
                f"{function.name}: output to queue {output.queue} failed: {type(error).__name__}"
            ) from error
        self._wakeups.wake(queue.url)


def messages(datum: Datum | None) -> list[str | bytes]:
    """The queue messages that an output's value stands for: a list is one message each, an object is JSON."""
    if datum is None or datum.value is None:
        return []
    if datum.type in ("string", "bytes"):
        return [datum.value]
    value = json.loads(datum.value) if datum.type == "json" else datum.value
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else json.dumps(item) for item in items]
