"""Queue triggers, against real Azurite."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest

from sandbox.host import backoff
from tests.runtime.host.harness import Queue, RunningHost, Seen
from tests.runtime.host.listening import QUICK, Around, Scripted, fail, succeed


class Listener(Protocol):
    def stop(self) -> None: ...

    async def run(self) -> None: ...


async def listening(listener: Listener, until: Callable[[], bool]) -> None:
    """Run the listener until that holds, then let it finish."""
    running = asyncio.create_task(listener.run())
    async with asyncio.timeout(30):
        while not until():
            await asyncio.sleep(0.02)
            if running.done():
                break
    listener.stop()
    await running


@pytest.fixture
def queue(azurite: str) -> Queue:
    return Queue.fresh(azurite)


@pytest.fixture
def poison(azurite: str, queue: Queue) -> Queue:
    """Not created: the host does that on demand."""
    return Queue.named(azurite, f"{queue.name}-poison")


# -- through the app ----------------------------------------------------------------------


def test_a_message_reaches_its_function_with_its_metadata(
    host: RunningHost, work: Queue, seen_by_app: Seen
) -> None:
    body = f"hello {uuid.uuid4().hex}"
    work.send(body)
    seen = seen_by_app.wait_for(lambda entry: isinstance(entry, dict) and entry.get("body") == body)
    assert host.process.poll() is None
    assert seen["dequeue_count"] == 1
    assert len(seen["id"]) == 36
    assert seen["inserted"].endswith("+00:00")


def test_a_field_of_a_json_body_hides_the_metadata_of_that_name(
    host: RunningHost, work: Queue, seen_by_app: Seen
) -> None:
    work.send('{"id": "mine", "dequeueCount": 7}')
    seen = seen_by_app.wait_for(lambda entry: isinstance(entry, dict) and entry.get("id") == "mine")
    assert host.process.poll() is None
    assert seen["dequeue_count"] == 7


def test_a_failing_message_is_buried_after_max_dequeue_count_runs(
    host: RunningHost, work: Queue, seen_by_app: Seen
) -> None:
    body = f"fail {uuid.uuid4().hex}"
    work.send(body)
    seen_by_app.wait_for(lambda entry: entry == {"buried": body})
    runs = [line for line in host.logged() if line.get("function") == "work" and not line["succeeded"]]
    assert len(runs) == 3


# -- a listener by itself -----------------------------------------------------------------


def run(scenario: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scenario

    asyncio.run(bounded())


def test_a_message_that_succeeded_is_deleted(azurite: str, queue: Queue) -> None:
    queue.send("a", "b")
    executor = Scripted(succeed)

    async def scenario() -> None:
        around = Around(azurite)
        async with around.storage() as storage:
            listener = around.queue_listener(storage, queue.name, executor)
            await listening(listener, lambda: len(executor.calls) == 2)

    run(scenario())
    assert sorted(executor.calls) == ["a", "b"]
    assert queue.count() == 0


def test_a_failed_message_comes_back_after_visibility_timeout(azurite: str, queue: Queue) -> None:
    queue.send("a")
    times: list[float] = []

    async def fail_once(_: str) -> None:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 1:
            raise RuntimeError("as asked")

    async def scenario() -> None:
        around = Around(azurite)
        async with around.storage() as storage:
            listener = around.queue_listener(storage, queue.name, Scripted(fail_once))
            await listening(listener, lambda: len(times) == 2)

    run(scenario())
    assert times[1] - times[0] >= 1.0
    assert queue.count() == 0


def test_the_last_failure_moves_the_message_to_the_poison_queue(
    azurite: str, queue: Queue, poison: Queue
) -> None:
    queue.send("bad")
    executor = Scripted(fail)

    async def scenario() -> None:
        around = Around(azurite)
        options = replace(QUICK, max_dequeue_count=2, visibility_timeout=timedelta(0))
        async with around.storage() as storage:
            listener = around.queue_listener(storage, queue.name, executor, options=options)
            await listening(listener, lambda: len(executor.calls) == 2)

    run(scenario())
    assert (queue.count(), poison.take()) == (0, ["bad"])


def test_a_message_taken_too_often_is_buried_without_a_run(azurite: str, queue: Queue, poison: Queue) -> None:
    queue.send("crashes the host")
    for _ in range(3):
        list(queue.client.receive_messages(visibility_timeout=1))
        _wait_visible(queue)
    executor = Scripted(succeed)

    async def scenario() -> None:
        around = Around(azurite)
        async with around.storage() as storage:
            listener = around.queue_listener(storage, queue.name, executor)
            await listening(listener, lambda: queue.count() == 0)

    run(scenario())
    assert (executor.calls, poison.take()) == ([], ["crashes the host"])


def test_a_message_that_is_no_base64_ends_as_poison_unrun(azurite: str, queue: Queue) -> None:
    plain = Around(azurite)
    executor = Scripted(succeed)

    async def scenario() -> None:
        async with plain.storage() as storage:
            await storage.queue("C", queue.name).send_message("not base64!")
            options = replace(QUICK, max_dequeue_count=2, visibility_timeout=timedelta(0))
            listener = plain.queue_listener(storage, queue.name, executor, options=options)
            await listening(listener, lambda: queue.count() == 0)
            buried = storage.queue("C", f"{queue.name}-poison")
            assert [message.content async for message in buried.receive_messages()] == ["not base64!"]

    run(scenario())
    assert executor.calls == []


def test_without_encoding_a_message_is_taken_as_it_is(azurite: str, queue: Queue) -> None:
    around = Around(azurite)
    executor = Scripted(succeed)

    async def scenario() -> None:
        async with around.storage(base64_messages=False) as storage:
            await storage.queue("C", queue.name).send_message('{"plain": "<&>"}')
            listener = around.queue_listener(storage, queue.name, executor)
            await listening(listener, lambda: bool(executor.calls))

    run(scenario())
    assert executor.calls == ['{"plain": "<&>"}']


def test_a_failure_on_a_poison_queue_leaves_the_message_invisible_there(azurite: str, poison: Queue) -> None:
    poison.create()
    poison.send("bad")
    executor = Scripted(fail)

    async def scenario() -> None:
        around = Around(azurite)
        async with around.storage() as storage:
            options = replace(QUICK, visibility_timeout=timedelta(0))
            listener = around.queue_listener(storage, poison.name, executor, options=options)
            await listening(listener, lambda: bool(executor.calls))

    run(scenario())
    assert (poison.count(), poison.take()) == (1, [])


def test_a_long_run_keeps_its_message_from_others(azurite: str, queue: Queue) -> None:
    queue.send("long")

    async def long(_: str) -> None:
        await asyncio.sleep(8)  # longer than the message stays hidden without being renewed

    async def scenario() -> None:
        around = Around(azurite)
        executors = Scripted(long), Scripted(long)
        async with around.storage() as storage:
            hosts = [
                around.queue_listener(storage, queue.name, executor, invisibility=timedelta(seconds=6))
                for executor in executors
            ]
            second = asyncio.create_task(hosts[1].run())
            await listening(hosts[0], lambda: queue.count() == 0)
            hosts[1].stop()
            await second
        assert len(executors[0].calls) + len(executors[1].calls) == 1

    run(scenario())
    assert queue.count() == 0


def test_a_message_that_somebody_else_finished_is_no_error(
    azurite: str, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    queue.send("a")

    async def finish_it_elsewhere(_: str) -> None:
        known = {name: datum.python_value for name, datum in executor.metadata.items()}
        queue.client.delete_message(known["Id"], known["PopReceipt"])

    executor = Scripted(finish_it_elsewhere)

    async def scenario() -> None:
        around = Around(azurite)
        async with around.storage() as storage:
            listener = around.queue_listener(storage, queue.name, executor)
            await listening(listener, lambda: bool(executor.calls))

    run(scenario())
    assert (queue.count(), [record.message for record in caplog.records if record.name == "host.queues"]) == (
        0,
        [],
    )


def test_no_more_run_at_once_than_batch_and_threshold(azurite: str, queue: Queue) -> None:
    queue.send(*(str(number) for number in range(14)))
    now, most = 0, 0

    async def count(_: str) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.3)
        now -= 1

    async def scenario() -> None:
        around = Around(azurite)
        executor = Scripted(count)
        async with around.storage() as storage:
            listener = around.queue_listener(storage, queue.name, executor)
            await listening(listener, lambda: len(executor.calls) == 14)

    run(scenario())
    # The threshold of 2 lets a batch of 4 join what still runs, and no more.
    assert 4 <= most <= 6


def test_batch_one_and_threshold_zero_run_one_at_a_time(azurite: str, queue: Queue) -> None:
    queue.send("a", "b", "c")
    now, most = 0, 0

    async def count(_: str) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.1)
        now -= 1

    async def scenario() -> None:
        around = Around(azurite)
        executor = Scripted(count)
        options = replace(QUICK, batch_size=1, new_batch_threshold=0)
        async with around.storage() as storage:
            listener = around.queue_listener(storage, queue.name, executor, options=options)
            await listening(listener, lambda: len(executor.calls) == 3)

    run(scenario())
    assert most == 1


def test_the_hosts_own_output_wakes_a_sleeping_listener(
    azurite: str, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "SHORTEST", timedelta(minutes=1))

    async def scenario() -> None:
        around = Around(azurite)
        executor = Scripted(succeed)
        options = replace(QUICK, max_polling_interval=timedelta(hours=1))
        async with around.storage() as storage:
            listener = around.queue_listener(storage, queue.name, executor, options=options)
            running = asyncio.create_task(listening(listener, lambda: bool(executor.calls)))
            # By now it has found nothing, and looks again in a minute, which is longer than is waited here.
            await asyncio.sleep(1)
            queue.send("fresh")
            around.wakeups.wake(storage.queue("C", queue.name).url)
            await running

    run(scenario())


def test_a_queue_that_is_not_there_is_waited_for(azurite: str) -> None:
    queue = Queue.named(azurite, f"q{uuid.uuid4().hex}")
    executor = Scripted(succeed)

    async def scenario() -> None:
        around = Around(azurite)
        async with around.storage() as storage:
            listener = around.queue_listener(storage, queue.name, executor)
            running = asyncio.create_task(listening(listener, lambda: bool(executor.calls)))
            await asyncio.sleep(0.3)
            queue.create()
            queue.send("late")
            await running

    run(scenario())
    assert executor.calls == ["late"]


def test_stopping_finishes_what_runs_and_takes_nothing_new(azurite: str, queue: Queue) -> None:
    queue.send("running")
    ended: list[str] = []

    async def slowly(body: str) -> None:
        await asyncio.sleep(0.5)
        ended.append(body)

    async def scenario() -> None:
        around = Around(azurite)
        executor = Scripted(slowly)
        async with around.storage() as storage:
            listener = around.queue_listener(storage, queue.name, executor)
            await listening(listener, lambda: bool(executor.calls))
            queue.send("later")

    run(scenario())
    assert (ended, queue.take()) == (["running"], ["later"])


def _wait_visible(queue: Queue) -> None:
    while not queue.client.peek_messages():
        pass
