"""What the Event Grid trigger is handed, however it was sent."""

import json
from typing import Any

import pytest
from azure.functions import meta
from hypothesis import given

from shared import signals
from shared.clients.functions import LenientEvents, plain
from shared.signals import Reading
from tests.unit.json_values import EVENT, json_values

UNDECODABLE = {
    "nothing": "",
    "what is not JSON": "{",
    "a list": "[]",
    "an event without a time": '{"id": "1"}',
    "an event whose time is none": json.dumps(EVENT | {"eventTime": "never"}),
    "a depth that no parser takes": "[" * 40_000,
}


def read(body: str) -> Reading:
    return signals.from_event(plain(LenientEvents.decode(meta.Datum(body, "json"), trigger_metadata=None)))


@pytest.mark.parametrize("body", UNDECODABLE.values(), ids=UNDECODABLE)
def test_an_event_that_the_library_cannot_decode_comes_through_and_is_rejected(body: str) -> None:
    assert isinstance(read(body), signals.Rejected)


@given(json_values())
def test_any_event_becomes_one_message_for_the_queue(value: Any) -> None:
    reading = read(json.dumps(value))
    assert signals.from_message(signals.to_message(reading).encode()) == (reading,)
