"""What shared.ports promises of messages, held against the store in memory and against Azurite.

A reader takes what was sent: from the memory by its own `take`, from Azurite as the Functions host does it,
which decodes base64.
"""

import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from shared.clients import credentials
from shared.clients.queues import StorageMessages
from shared.errors import PermanentError
from shared.memory import MemoryMessages
from shared.model import utc_now
from shared.ports import KEPT, LONGEST_MESSAGE, Messages
from shared.settings import ConnectionString, Settings


class MemoryQueue:
    def __init__(self) -> None:
        self.messages: Messages = MemoryMessages(utc_now)

    def visible(self, queue: str) -> Iterator[str]:
        assert isinstance(self.messages, MemoryMessages)
        while (text := self.messages.take(queue)) is not None:
            yield text


class AzuriteQueue:
    def __init__(self, account: str) -> None:
        self._account = account
        app = credentials.of_app(Settings.from_environment({}))
        self.messages: Messages = StorageMessages(ConnectionString(account), app)

    def visible(self, queue: str) -> Iterator[str]:
        with QueueClient.from_connection_string(self._account, queue) as client:
            try:
                for message in client.receive_messages(visibility_timeout=60):
                    yield base64.b64decode(message.content, validate=True).decode()
            except ResourceNotFoundError:
                return


@pytest.fixture(params=["memory", "azurite"])
def store(request: pytest.FixtureRequest) -> MemoryQueue | AzuriteQueue:
    if request.param == "memory":
        return MemoryQueue()
    return AzuriteQueue(request.getfixturevalue("azurite"))


@pytest.fixture
def queue() -> str:
    return f"q{uuid4().hex}"


TEXTS = {
    "plain": "plain",
    "JSON beyond ASCII": '{"target": "dév/🙂 <&>"}',
    "the longest": "x" * LONGEST_MESSAGE,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_was_sent_is_taken(store: MemoryQueue | AzuriteQueue, queue: str, text: str) -> None:
    store.messages.send(queue, text)
    assert list(store.visible(queue)) == [text]


def test_a_delayed_message_is_not_visible_yet(store: MemoryQueue | AzuriteQueue, queue: str) -> None:
    store.messages.send(queue, "later", delay=timedelta(minutes=1))
    store.messages.send(queue, "now")
    assert list(store.visible(queue)) == ["now"]


def test_a_delay_beyond_what_a_queue_can_do_is_cut(store: MemoryQueue | AzuriteQueue, queue: str) -> None:
    store.messages.send(queue, "in a month", delay=timedelta(days=30))
    assert list(store.visible(queue)) == []


def test_a_delay_that_is_over_already_is_none(store: MemoryQueue | AzuriteQueue, queue: str) -> None:
    store.messages.send(queue, "now", delay=timedelta(seconds=-5))
    assert list(store.visible(queue)) == ["now"]


def test_two_queues_do_not_mix(store: MemoryQueue | AzuriteQueue, queue: str) -> None:
    store.messages.send(queue, "one")
    store.messages.send(f"{queue}-other", "other")
    assert list(store.visible(queue)) == ["one"]


def test_many_senders_to_a_new_queue_lose_nothing(store: MemoryQueue | AzuriteQueue, queue: str) -> None:
    texts = [f"message {number}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: store.messages.send(queue, text), texts))
    assert sorted(store.visible(queue)) == sorted(texts)


def test_a_text_that_no_queue_takes_is_refused(store: MemoryQueue | AzuriteQueue, queue: str) -> None:
    with pytest.raises(PermanentError, match=f"message for queue {queue} has {LONGEST_MESSAGE + 1} bytes"):
        store.messages.send(queue, "é" + "x" * (LONGEST_MESSAGE - 1))
    assert list(store.visible(queue)) == []


def test_a_message_is_kept_for_a_week_from_when_it_becomes_visible(azurite: str, queue: str) -> None:
    """However long it was delayed: else the longest delay would end with the message."""
    delay = timedelta(seconds=1)
    AzuriteQueue(azurite).messages.send(queue, "soon", delay=delay)
    with QueueClient.from_connection_string(azurite, queue) as client:
        while (message := client.receive_message()) is None:
            time.sleep(0.05)
    assert message.expires_on is not None
    assert message.inserted_on is not None
    assert message.expires_on - message.inserted_on == KEPT + delay
