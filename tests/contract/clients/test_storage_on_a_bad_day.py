"""Lost requests, lost answers and refusals between the store and Azurite."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from uuid import uuid4

import pytest

from shared.clients import credentials
from shared.clients.queues import StorageMessages
from shared.clients.storage import PATIENCE, REPEATS
from shared.clients.tables import StorageRows
from shared.errors import Misconfigured, TemporaryError, Throttled
from shared.ports import Conflict, Key
from shared.settings import ConnectionString, Settings
from tests.contract.clients.relay import Refusal, Relay

KEY: Final = Key("dev", "federated_credentials")
APP: Final = credentials.of_app(Settings.from_environment({}))


class Waits:
    """Counts instead of waiting."""

    def __init__(self) -> None:
        self.taken: list[timedelta] = []

    def __call__(self, pause: timedelta) -> None:
        self.taken.append(pause)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def table() -> str:
    return f"t{uuid4().hex}"


@pytest.fixture
def tables(azurite: str) -> Iterator[Relay]:
    with Relay(_port("Table", azurite)).running() as relay:
        yield relay


@pytest.fixture
def queues(azurite: str) -> Iterator[Relay]:
    with Relay(_port("Queue", azurite)).running() as relay:
        yield relay


@pytest.fixture
def rows(azurite: str, tables: Relay, waits: Waits) -> StorageRows:
    return StorageRows(ConnectionString(_by_way_of("Table", tables, azurite)), APP, pause=waits)


@pytest.fixture
def messages(azurite: str, queues: Relay, waits: Waits) -> StorageMessages:
    return StorageMessages(ConnectionString(_by_way_of("Queue", queues, azurite)), APP, pause=waits)


def _endpoint(service: str) -> str:
    return rf"({service}Endpoint=http://127\.0\.0\.1:)(\d+)"


def _port(service: str, account: str) -> int:
    found = re.search(_endpoint(service), account)
    assert found
    return int(found[2])


def _by_way_of(service: str, relay: Relay, account: str) -> str:
    return re.sub(_endpoint(service), rf"\g<1>{relay.server_port}", account)


def test_an_insert_whose_answer_was_lost_recognises_its_own_row(
    rows: StorageRows, tables: Relay, table: str
) -> None:
    rows.insert(table, Key("dev", "first"), {})
    tables.script.append("lose-answer")
    inserted = rows.insert(table, KEY, {"by": "me"})
    assert inserted.values == {"by": "me"}
    assert rows.get(table, KEY) == inserted


def test_a_replace_whose_answer_was_lost_recognises_its_own_row(
    rows: StorageRows, tables: Relay, table: str
) -> None:
    first = rows.insert(table, KEY, {"by": "first"})
    tables.script.append("lose-answer")
    second = rows.replace(first, {"by": "second"})
    assert rows.get(table, KEY) == second
    assert rows.replace(second, {"by": "third"}).values == {"by": "third"}


def test_the_same_content_of_somebody_else_is_not_taken_for_the_own_row(
    rows: StorageRows, tables: Relay, table: str
) -> None:
    first = rows.insert(table, KEY, {"by": "worker"})
    rows.replace(first, {"by": "worker"})
    tables.script.append("lose-request")
    with pytest.raises(Conflict):
        rows.replace(first, {"by": "worker"})


def test_a_request_that_was_lost_is_sent_again(
    rows: StorageRows, tables: Relay, table: str, waits: Waits
) -> None:
    tables.script.extend(["lose-request"] * REPEATS)
    assert rows.get(table, KEY) is None
    assert waits.taken == [PATIENCE] * REPEATS


def test_a_delete_whose_answer_was_lost_is_done(rows: StorageRows, tables: Relay, table: str) -> None:
    first = rows.insert(table, KEY, {})
    tables.script.append("lose-answer")
    rows.delete(first)
    assert rows.get(table, KEY) is None


def test_a_page_that_was_lost_is_read_again(rows: StorageRows, tables: Relay, table: str) -> None:
    rows.insert(table, KEY, {"a": 1})
    tables.script.append("lose-answer")
    assert [stored.key for stored in rows.query(table, "dev")] == [KEY]


def test_a_store_that_stays_away_is_a_temporary_failure(
    rows: StorageRows, tables: Relay, table: str, waits: Waits
) -> None:
    tables.script.extend(["lose-request"] * (REPEATS + 1))
    with pytest.raises(TemporaryError, match="Azure Tables"):
        rows.get(table, KEY)
    assert len(tables.seen) == REPEATS + 1
    assert waits.taken == [PATIENCE] * REPEATS


def test_a_short_refusal_is_asked_again(rows: StorageRows, tables: Relay, table: str) -> None:
    tables.script.extend([Refusal(503), Refusal(500)])
    assert rows.get(table, KEY) is None


def test_a_named_pause_is_a_delay_and_is_not_waited_for(
    rows: StorageRows, tables: Relay, table: str, waits: Waits
) -> None:
    tables.script.append(Refusal(503, {"Retry-After": "3600"}))
    with pytest.raises(Throttled) as caught:
        rows.get(table, KEY)
    assert caught.value.delay == timedelta(hours=1)
    assert waits.taken == []
    assert len(tables.seen) == 1


def test_a_refused_key_names_the_setting_and_is_not_asked_again(
    rows: StorageRows, tables: Relay, table: str
) -> None:
    tables.script.append(Refusal(403, {"x-ms-error-code": "AuthenticationFailed"}))
    with pytest.raises(
        TemporaryError, match=r"403 AuthenticationFailed: check the connection AzureWebJobsStorage"
    ):
        rows.get(table, KEY)
    assert len(tables.seen) == 1


def test_a_message_whose_answer_was_lost_may_arrive_twice_but_arrives(
    messages: StorageMessages, queues: Relay, waits: Waits
) -> None:
    queue = f"q{uuid4().hex}"
    messages.send(queue, "first")
    queues.script.append("lose-answer")
    messages.send(queue, "second")
    assert waits.taken == [PATIENCE]


def test_a_queue_with_a_named_pause_is_not_waited_for(messages: StorageMessages, queues: Relay) -> None:
    queues.script.append(Refusal(503, {"Retry-After": "3600"}))
    with pytest.raises(Throttled):
        messages.send(f"q{uuid4().hex}", "text")
    assert len(queues.seen) == 1


@pytest.mark.parametrize("text", ["AccountName=a", "AccountName", "AccountKey=a2V5"])
def test_half_a_connection_string_is_a_mistake_of_the_operator(text: str) -> None:
    with pytest.raises(Misconfigured, match="AzureWebJobsStorage"):
        StorageRows(ConnectionString(text), APP).get("targets", KEY)
    with pytest.raises(Misconfigured, match="AzureWebJobsStorage"):
        StorageMessages(ConnectionString(text), APP).send("targets", "text")
