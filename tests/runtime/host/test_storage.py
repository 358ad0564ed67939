"""Connections by name, and messages as they are written."""

import asyncio

import pytest

from sandbox.host.errors import HostError
from sandbox.host.storage import Storage

CLIENT = {"C__clientId": "11111111-1111-1111-1111-111111111111"}
ADDRESSES = {
    "a connection string": (
        {"C": "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=a2V5"},
        "https://acct.queue.core.windows.net/q",
    ),
    "a connection string under the host's prefix": (
        {"AzureWebJobsC": "UseDevelopmentStorage=true"},
        "http://127.0.0.1:10001/devstoreaccount1/q",
    ),
    "an account by name": ({"C__accountName": "acct", **CLIENT}, "https://acct.queue.core.windows.net/q"),
    "a queue service by address": (
        {"C__queueServiceUri": "https://acct.queue.core.usgovcloudapi.net", **CLIENT},
        "https://acct.queue.core.usgovcloudapi.net/q",
    ),
    "an address before an account": (
        {"C__queueServiceUri": "https://other.example", "C__accountName": "acct"},
        "https://other.example/q",
    ),
}


@pytest.mark.parametrize(("settings", "url"), ADDRESSES.values(), ids=ADDRESSES)
def test_a_connection_is_found(settings: dict[str, str], url: str) -> None:
    async def scenario() -> str:
        async with Storage(settings, base64_messages=True) as storage:
            return storage.queue("C", "q").url

    assert asyncio.run(scenario()) == url


def test_a_connection_that_is_not_set_is_explained() -> None:
    storage = Storage({}, base64_messages=True)
    with pytest.raises(HostError, match="give C a connection string, or set C__queueServiceUri"):
        storage.queue("C", "q")


@pytest.mark.parametrize("base64_messages", [True, False])
def test_what_is_written_can_be_read(*, base64_messages: bool) -> None:
    storage = Storage({}, base64_messages=base64_messages)
    assert storage.decode(storage.encode("für alle")) == "für alle"


def test_base64_is_what_the_real_host_writes() -> None:
    assert Storage({}, base64_messages=True).encode("hello") == "aGVsbG8="


def test_text_that_is_no_base64_is_refused() -> None:
    with pytest.raises(ValueError, match="messageEncoding"):
        Storage({}, base64_messages=True).decode("{}")
