"""Listeners in the test's own process: real Azurite, and functions that the test writes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sandbox.host.bindings import Function, QueueTrigger, TimerTrigger, Trigger
from sandbox.host.executor import Executor
from sandbox.host.ncrontab import Schedule
from sandbox.host.queues import QueueListener
from sandbox.host.runtime import Datum, InvocationError
from sandbox.host.settings import QueueOptions
from sandbox.host.storage import Storage
from sandbox.host.timers import TimerListener
from sandbox.host.wakeups import Wakeups

type Body = Callable[[str], Awaitable[None]]


class Scripted(Executor):
    """Runs the test's coroutine in place of a function; what it raises is the function's failure."""

    def __init__(self, body: Body) -> None:
        self.calls: list[str] = []
        self.metadata: Mapping[str, Datum] = {}
        self._body = body
        self._called = asyncio.Event()

    async def until_called(self, times: int) -> None:
        while len(self.calls) < times:
            self._called.clear()
            await self._called.wait()

    async def run(self, _: Function, data: Datum, metadata: Mapping[str, Datum] | None = None) -> Any:
        self.metadata = metadata or {}
        self.calls.append(data.value)
        self._called.set()
        try:
            await self._body(data.value)
        except RuntimeError as error:
            raise InvocationError(repr(error)) from error


async def succeed(_: str) -> None:
    """A function that does nothing, well."""


async def fail(_: str) -> None:
    raise RuntimeError("as asked")


def function(trigger: Trigger) -> Function:
    return Function(name="f", id="f", trigger=trigger, outputs={}, raw=())


QUICK = QueueOptions(
    batch_size=4,
    new_batch_threshold=2,
    max_dequeue_count=3,
    visibility_timeout=timedelta(seconds=1),
    max_polling_interval=timedelta(milliseconds=200),
)


@dataclass
class Around:
    """What a listener stands in."""

    connection: str
    wakeups: Wakeups = field(default_factory=Wakeups)

    def storage(self, *, base64_messages: bool = True) -> Storage:
        return Storage(
            {"C": self.connection, "AzureWebJobsStorage": self.connection}, base64_messages=base64_messages
        )

    def queue_listener(
        self,
        storage: Storage,
        queue: str,
        executor: Executor,
        *,
        options: QueueOptions = QUICK,
        invisibility: timedelta = timedelta(minutes=10),
    ) -> QueueListener:
        trigger = QueueTrigger(parameter="m", queue=queue, connection="C")
        return QueueListener(
            function(trigger),
            trigger,
            executor=executor,
            storage=storage,
            options=options,
            wakeups=self.wakeups,
            invisibility=invisibility,
        )

    def timer_listener(
        self,
        storage: Storage,
        executor: Executor,
        host_id: str,
        *,
        schedule: str = "* * * * * *",
        run_on_startup: bool = False,
        **given: Any,
    ) -> TimerListener:
        trigger = TimerTrigger(
            parameter="t", schedule=Schedule.parse(schedule), run_on_startup=run_on_startup, use_monitor=True
        )
        return TimerListener(
            function(trigger),
            trigger,
            executor=executor,
            container=storage.host_container(),
            host_id=host_id,
            **given,
        )
