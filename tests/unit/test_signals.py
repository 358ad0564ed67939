"""Reading what Event Grid sends, and carrying it over the queue."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import signals
from shared.model import Signal, Source
from shared.signals import Dropped, Rejected

SAMPLES = Path(__file__).parent.parent / "samples" / "eventgrid"

RECOGNISED = {
    "aks_managedClusters_write.json": "cluster.written",
    "aks_managedClusters_write.cloudevent.json": "cluster.written",
    "aks_rotateServiceAccountSigningKeys_action.json": "cluster.keys-rotated",
    "fic_write.json": "credential.written",
    "fic_delete.json": "credential.deleted",
    "roleAssignments_write.json": "role-assignment.written",
    "uami_write_create_no_httpRequest.json": "identity.written",
}
OF_NO_CONCERN = (
    "docs_ResourceWriteSuccess.json",
    "docs_ResourceDeleteSuccess.json",
    "docs_ResourceActionSuccess.json",
    "docs_AKS_NewKubernetesVersionAvailable.eventgrid.json",
    "docs_AKS_NewKubernetesVersionAvailable.cloudevent.json",
    "docs_BlobCreated.cloudevent.json",
)


def sample(name: str) -> Any:
    loaded = json.loads((SAMPLES / name).read_text())
    return loaded[0] if isinstance(loaded, list) else loaded


def event(**changes: Any) -> dict[str, Any]:
    """A cluster write with parts of it replaced; None takes a part away."""
    base = sample("aks_managedClusters_write.json")
    data = {**base["data"], **changes.pop("data", {})}
    merged = {**base, "data": {k: v for k, v in data.items() if v is not None}, **changes}
    return {key: value for key, value in merged.items() if value is not None}


@pytest.mark.parametrize(("name", "kind"), RECOGNISED.items())
def test_a_watched_change_becomes_a_signal_about_its_resource(name: str, kind: str) -> None:
    given_event = sample(name)
    signal = signals.from_event(given_event)
    assert isinstance(signal, Signal)
    assert (signal.kind, signal.source) == (kind, Source.EVENT_GRID)
    assert signal.subject == given_event["data"]["resourceUri"]
    assert signal.correlation_id == given_event["data"]["correlationId"]


@pytest.mark.parametrize("name", OF_NO_CONCERN)
def test_a_change_of_something_else_is_dropped(name: str) -> None:
    assert isinstance(signals.from_event(sample(name)), Dropped)


def test_letter_case_of_operation_and_event_type_does_not_matter() -> None:
    shouted = event(
        eventType="MICROSOFT.RESOURCES.RESOURCEWRITESUCCESS",
        data={"operationName": "MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/WRITE"},
    )
    assert isinstance(signals.from_event(shouted), Signal)


LENIENT = {
    "claims absent": {"claims": None},
    "claims empty": {"claims": {}},
    "claims a list": {"claims": []},
    "authorization absent": {"authorization": None},
    "evidence an empty list": {"authorization": {"evidence": []}},
    "httpRequest absent": {"httpRequest": None},
}


@pytest.mark.parametrize("data", LENIENT.values(), ids=LENIENT)
def test_parts_that_azure_leaves_out_or_empties_are_not_needed(data: dict[str, Any]) -> None:
    assert isinstance(signals.from_event(event(data=data)), Signal)


CALLERS = {
    "by the object id claim": ({}, "22222222-2222-2222-2222-222222222222"),
    "by the evidence, which writes it without dashes, when there are no claims": (
        {"claims": None},
        "22222222-2222-2222-2222-222222222222",
    ),
    "not at all when neither is there": ({"claims": {}, "authorization": {"evidence": []}}, None),
}


@pytest.mark.parametrize(("data", "caller"), CALLERS.values(), ids=CALLERS)
def test_the_caller_is_known(data: dict[str, Any], caller: str | None) -> None:
    signal = signals.from_event(event(data=data))
    assert isinstance(signal, Signal)
    assert signal.caller == caller


MALFORMED = {
    "a text": ("nonsense", "object"),
    "nothing": (None, "object"),
    "no event type": (event(eventType=None), "eventType"),
    "no data": (event() | {"data": "x"}, "data"),
    "no operation": (event(data={"operationName": None}), "operationName"),
    "a time that is none": (event(eventTime="yesterday"), "time"),
    "no resource": (event(subject=None, data={"resourceUri": None}), "resource id"),
    "an endless resource id": (event(data={"resourceUri": "/subscriptions/" + "x" * 5000}), "longer"),
}


@pytest.mark.parametrize(("given_event", "word"), MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_read_is_rejected_with_its_reason(given_event: Any, word: str) -> None:
    reading = signals.from_event(given_event)
    assert isinstance(reading, Rejected)
    assert word in reading.reason


def test_nothing_that_names_people_is_kept() -> None:
    named = event(
        data={"claims": {"name": "Ada Lovelace", "ipaddr": "203.0.113.9", "upn": "ada@example.org"}}
    )
    for reading in (signals.from_event(named), signals.from_event(named | {"eventTime": "never"})):
        assert not any(word in signals.to_message(reading) for word in ("Ada", "203.0.113.9", "ada@"))


def test_seven_digits_of_a_second_are_read() -> None:
    signal = signals.from_event(event(eventTime="2018-07-19T18:38:04.6117357Z"))
    assert isinstance(signal, Signal)
    assert signal.time == datetime(2018, 7, 19, 18, 38, 4, 611735, UTC)


@pytest.mark.parametrize("name", [*RECOGNISED, *OF_NO_CONCERN])
def test_a_reading_survives_the_queue(name: str) -> None:
    reading = signals.from_event(sample(name))
    assert signals.from_message(signals.to_message(reading).encode()) == (reading,)


@pytest.mark.parametrize("name", RECOGNISED)
def test_a_raw_event_that_event_grid_puts_on_the_queue_reads_like_one_that_was_pushed(name: str) -> None:
    raw = (SAMPLES / name).read_text().encode()
    assert signals.from_message(raw) == (signals.from_event(sample(name)),)


def test_a_message_uses_no_field_name_that_a_queue_message_itself_bears() -> None:
    message = json.loads(signals.to_message(signals.from_event(event())))
    assert set(message) == {"reconverge"}


@given(st.binary(max_size=400))
def test_no_message_whatever_its_bytes_raises(body: bytes) -> None:
    assert all(isinstance(one, Signal | Dropped | Rejected) for one in signals.from_message(body))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["data", "eventType", "specversion", "type", "operationName", "claims", "reconverge"]
                ),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_no_event_whatever_its_shape_raises(value: Any) -> None:
    assert isinstance(signals.from_event(value), Signal | Dropped | Rejected)
    assert all(
        isinstance(one, Signal | Dropped | Rejected)
        for one in signals.from_message(json.dumps(value).encode())
    )


def test_a_message_nested_deeper_than_anybody_means_is_rejected() -> None:
    (reading,) = signals.from_message(b"[" * 40_000)
    assert isinstance(reading, Rejected)
