"""Timer triggers, against real Azurite. Where no run is wanted, the schedule is of years."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from sandbox.host.locks import BlobLock
from tests.runtime.host.harness import YEARLY
from tests.runtime.host.listening import Around, Body, Scripted, fail, succeed

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOURLY = "0 0 * * * *"


@pytest.fixture
def host_id() -> str:
    """Hosts of one id share locks and status."""
    return uuid.uuid4().hex


def run(scenario: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scenario

    asyncio.run(bounded())


async def timed(azurite: str, host_id: str, executor: Scripted, seconds: float, **given: Any) -> None:
    """Let one timer run for so long."""
    async with timer(azurite, host_id, executor, **given):
        await asyncio.sleep(seconds)


async def planned(azurite: str, host_id: str, executor: Scripted, **given: Any) -> str:
    """Let one timer run until it has written down when it is next due: what it wrote."""
    async with timer(azurite, host_id, executor, **given) as container:
        while True:
            with suppress(ResourceNotFoundError):
                blob = await container.download_blob(status_of(host_id), encoding="utf-8")
                if "Next" in (written := await blob.readall()):
                    return written
            await asyncio.sleep(0.02)


@asynccontextmanager
async def timer(
    azurite: str, host_id: str, executor: Scripted, **given: Any
) -> AsyncIterator[ContainerClient]:
    """A timer that runs, and where it keeps what it knows."""
    around = Around(azurite)
    async with around.storage() as storage:
        listener = around.timer_listener(storage, executor, host_id, **given)
        running = asyncio.create_task(listener.run())
        yield storage.host_container()
        listener.stop()
        await running


async def until_it_ran(
    azurite: str, host_id: str, executor: Scripted, *, times: int = 1, **given: Any
) -> None:
    async with timer(azurite, host_id, executor, **given):
        await executor.until_called(times)


def status_of(host_id: str) -> str:
    return f"timers/{host_id}/Host.Functions.f/status"


def at(**past_noon: int) -> Callable[[], datetime]:
    """A clock that stands."""
    return lambda: NOON + timedelta(**past_noon)


def payloads(executor: Scripted) -> list[dict[str, Any]]:
    return [json.loads(call) for call in executor.calls]


@pytest.mark.parametrize("body", [succeed, fail])
def test_each_occurrence_is_run_once_whether_the_run_before_succeeded_or_failed(
    azurite: str, host_id: str, body: Body
) -> None:
    executor = Scripted(body)
    began = time.monotonic()
    run(until_it_ran(azurite, host_id, executor, times=4))
    # Of four occurrences, a second apart, only the first may have been run late.
    assert time.monotonic() - began > 1.9
    assert not any(one["IsPastDue"] for one in payloads(executor))


def test_runs_do_not_overlap_and_what_falls_into_one_is_skipped(azurite: str, host_id: str) -> None:
    now = most = 0

    async def slowly(_: str) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(1.5)
        now -= 1

    executor = Scripted(slowly)
    run(timed(azurite, host_id, executor, 4.5))
    assert most == 1
    assert len(executor.calls) <= 3


def test_a_yearly_timer_does_nothing_at_its_first_start(azurite: str, host_id: str) -> None:
    executor = Scripted(succeed)
    run(timed(azurite, host_id, executor, 0.5, schedule=YEARLY))
    assert executor.calls == []


def test_run_on_startup_runs_at_once_and_is_not_past_due(azurite: str, host_id: str) -> None:
    executor = Scripted(succeed)
    run(until_it_ran(azurite, host_id, executor, schedule=YEARLY, run_on_startup=True))
    assert [one["IsPastDue"] for one in payloads(executor)] == [False]


def test_an_occurrence_missed_while_no_host_ran_is_run_at_the_next_start(azurite: str, host_id: str) -> None:
    executor = Scripted(succeed)

    async def scenario() -> None:
        await planned(azurite, host_id, executor, schedule=HOURLY, clock=at(minutes=1))
        await until_it_ran(azurite, host_id, executor, schedule=HOURLY, clock=at(hours=5))
        await timed(azurite, host_id, executor, 0.5, schedule=HOURLY, clock=at(hours=5, minutes=1))

    run(scenario())
    (past_due,) = payloads(executor)
    assert past_due["IsPastDue"]
    assert past_due["ScheduleStatus"]["Next"] == (NOON + timedelta(hours=1)).isoformat()


def test_an_unreadable_status_is_started_over(azurite: str, host_id: str) -> None:
    executor = Scripted(succeed)

    async def scenario() -> None:
        around = Around(azurite)
        async with around.storage() as storage:
            before = await planned(azurite, host_id, executor, schedule=YEARLY)
            await storage.host_container().upload_blob(status_of(host_id), "{}", overwrite=True)
            after = await planned(azurite, host_id, executor, schedule=YEARLY)
            assert json.loads(after)["Next"] == json.loads(before)["Next"]

    run(scenario())
    assert executor.calls == []


def test_of_two_hosts_one_runs_the_timer(azurite: str, host_id: str) -> None:
    ran: list[str] = []

    async def scenario() -> None:
        thrice = asyncio.Event()

        def by(name: str) -> Scripted:
            async def note(_: str) -> None:
                ran.append(name)
                if len(ran) == 3:
                    thrice.set()

            return Scripted(note)

        async with timer(azurite, host_id, by("one")), timer(azurite, host_id, by("other")):
            await thrice.wait()

    run(scenario())
    assert len(set(ran)) == 1


def test_a_lock_is_free_as_soon_as_its_holder_lets_go(azurite: str, host_id: str) -> None:
    async def scenario() -> None:
        around = Around(azurite)
        async with around.storage() as storage:
            container = storage.host_container()
            one = BlobLock(container, f"locks/{host_id}", lambda: None)
            other = BlobLock(container, f"locks/{host_id}", lambda: None)
            assert await one.acquire()
            assert not await other.acquire()
            await one.release()
            assert await other.acquire()
            await other.release()

    run(scenario())


def test_a_lock_that_was_broken_is_noticed(azurite: str, host_id: str) -> None:
    async def scenario() -> None:
        around = Around(azurite)
        lost = asyncio.Event()
        async with around.storage() as storage:
            container = storage.host_container()
            lock = BlobLock(container, f"locks/{host_id}", lost.set)
            assert await lock.acquire()
            await container.delete_blob(f"locks/{host_id}", lease=lock._lease)
            async with asyncio.timeout(10):
                await lost.wait()
            await lock.release()

    run(scenario())
