"""Timer triggers: one listener per function, of which one runs among all hosts on the same storage.

As the Timer extension does it (`TimerListener`): https://github.com/Azure/azure-webjobs-sdk-extensions
Runs never overlap, occurrences during a run are skipped, and a run that fails waits for the next occurrence.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from sandbox.host.bindings import Function, TimerTrigger
from sandbox.host.executor import Executor
from sandbox.host.locks import LEASE_SECONDS, BlobLock
from sandbox.host.runtime import Datum, InvocationError
from sandbox.host.schedules import ScheduleStatus, after_run, on_start, payload

log = logging.getLogger("host.timers")

# Between looks at the lock of another host, and after a storage failure.
_RECOVERY: Final = timedelta(seconds=LEASE_SECONDS)
# A long wait is cut up, so that a change of the wall clock is noticed.
_LONGEST_WAIT: Final = timedelta(minutes=1)


def utc_now() -> datetime:
    return datetime.now(UTC)


class TimerListener:
    """`run` waits for the lock, then for each occurrence, until `stop`; a run under way is finished."""

    def __init__(
        self,
        function: Function,
        trigger: TimerTrigger,
        *,
        executor: Executor,
        container: ContainerClient,
        host_id: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._function = function
        self._trigger = trigger
        self._executor = executor
        self._container = container
        self._clock = clock
        self._status_blob = f"timers/{host_id}/Host.Functions.{function.name}/status"
        self._lock_blob = f"locks/{host_id}/Host.Functions.{function.name}.Listener"
        # The status of a schedule below a minute would be written all the time, and is worth little.
        self._monitored = trigger.use_monitor and not trigger.schedule.is_subminute(clock())
        self._stopping = False
        self._interrupted = asyncio.Event()

    def stop(self) -> None:
        self._stopping = True
        self._interrupted.set()

    async def run(self) -> None:
        while not self._stopping:
            self._interrupted.clear()
            lock = BlobLock(self._container, self._lock_blob, self._interrupted.set)
            try:
                if await lock.acquire():
                    await self._serve()
            except AzureError as error:
                log.warning(
                    "timer.storage_failed", extra={"function": self._function.name, "error": str(error)}
                )
            finally:
                await lock.release()
            await self._interrupted_within(_RECOVERY)

    async def _serve(self) -> None:
        """Run occurrences while the lock is held. Raises AzureError when the status cannot be kept."""
        status, missed = on_start(self._trigger.schedule, await self._read_status(), self._clock())
        await self._write_status(status)
        if missed or self._trigger.run_on_startup:
            status = await self._run(status, past_due=missed)
        while not await self._interrupted_before(self._trigger.schedule.after(self._clock())):
            status = await self._run(status, past_due=False)

    async def _run(self, status: ScheduleStatus, *, past_due: bool) -> ScheduleStatus:
        started = self._clock()
        try:
            await self._executor.run(self._function, Datum(payload(status, past_due=past_due), "json"))
        except InvocationError as error:
            log.warning("timer.failed", extra={"function": self._function.name, "error": str(error)})
        status = after_run(self._trigger.schedule, started)
        await self._write_status(status)
        return status

    async def _interrupted_before(self, moment: datetime) -> bool:
        while (remaining := moment - self._clock()) > timedelta(0):
            if await self._interrupted_within(min(remaining, _LONGEST_WAIT)):
                return True
        return self._interrupted.is_set()

    async def _interrupted_within(self, span: timedelta) -> bool:
        try:
            async with asyncio.timeout(span.total_seconds()):
                await self._interrupted.wait()
        except TimeoutError:
            return False
        return True

    async def _read_status(self) -> ScheduleStatus | None:
        if not self._monitored:
            return None
        try:
            download = await self._container.download_blob(self._status_blob, encoding="utf-8")
            return ScheduleStatus.from_json(await download.readall())
        except ResourceNotFoundError:
            return None
        except (ValueError, KeyError):
            log.warning("timer.status_unreadable", extra={"blob": self._status_blob})
            return None

    async def _write_status(self, status: ScheduleStatus) -> None:
        if self._monitored:
            await self._container.upload_blob(self._status_blob, status.to_json(), overwrite=True)
