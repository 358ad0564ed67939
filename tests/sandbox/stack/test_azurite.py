"""Azurite as the sandbox starts it."""

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.storage.queue import QueueServiceClient

from sandbox import azurite


def test_two_sandboxes_do_not_share_a_key() -> None:
    one, other = azurite.Account.random(), azurite.Account.random()
    assert one.key != other.key
    assert one.name != other.name


def test_it_serves_its_account_and_refuses_another_key() -> None:
    with azurite.running() as account:
        service = QueueServiceClient.from_connection_string(account.connection_string)
        service.create_queue("some-queue")
        assert [queue.name for queue in service.list_queues()] == ["some-queue"]
        stranger = account.connection_string.replace(account.key, azurite.Account.random().key)
        with pytest.raises((ClientAuthenticationError, HttpResponseError)):
            QueueServiceClient.from_connection_string(stranger, retry_total=0).create_queue("another")


def test_it_is_stopped_with_the_block() -> None:
    with azurite.running() as account:
        assert all(azurite._is_open(port) for port in account.ports)
    assert not any(azurite._is_open(port) for port in account.ports)


def test_node_that_is_missing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(azurite.AzuriteError, match="needs Node 20"):
        azurite.command(azurite.Account.random())


def test_a_process_that_ended_is_not_waited_for() -> None:
    with pytest.raises(azurite.AzuriteError, match="ended while starting"):
        azurite.wait_until_open(azurite.Account.random(), lambda: False)
