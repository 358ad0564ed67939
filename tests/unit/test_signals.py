"""Reading what Event Grid sends, and carrying it over the queue."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders import REGISTRY
from shared import signals
from shared.model import Signal, Source
from shared.signals import Dropped, Rejected
from tests.unit.json_values import json_values

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


OPERATIONS = {
    ("Write", "Microsoft.ContainerService/managedClusters/write"): "cluster.written",
    ("Delete", "Microsoft.ContainerService/managedClusters/delete"): "cluster.deleted",
    ("Action", "Microsoft.ContainerService/managedClusters/rotateServiceAccountSigningKeys/action"): (
        "cluster.keys-rotated"
    ),
    ("Write", "Microsoft.ManagedIdentity/userAssignedIdentities/write"): "identity.written",
    ("Delete", "Microsoft.ManagedIdentity/userAssignedIdentities/delete"): "identity.deleted",
    ("Write", "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write"): (
        "credential.written"
    ),
    ("Delete", "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/delete"): (
        "credential.deleted"
    ),
    ("Write", "Microsoft.Authorization/roleAssignments/write"): "role-assignment.written",
    ("Delete", "Microsoft.Authorization/roleAssignments/delete"): "role-assignment.deleted",
}


@pytest.mark.parametrize(("operation", "kind"), OPERATIONS.items(), ids=list(OPERATIONS.values()))
def test_every_change_that_matters_is_watched_and_heard(operation: tuple[str, str], kind: str) -> None:
    change, name = operation
    signal = signals.from_event(
        event(eventType=f"Microsoft.Resources.Resource{change}Success", data={"operationName": name})
    )
    assert isinstance(signal, Signal)
    assert signal.kind == kind
    assert kind in REGISTRY["federated_credentials"].hears


def test_a_change_that_failed_is_dropped() -> None:
    failed = event(eventType="Microsoft.Resources.ResourceWriteFailure")
    assert isinstance(signals.from_event(failed), Dropped)


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
    "an endless caller": (event(data={"claims": {"oid": "x" * 5000}}), "longer"),
    "a time that has no UTC": (event(eventTime="0001-01-01T00:00:00+23:59"), "time"),
    "half a character in the resource id": (
        event(data={"resourceUri": "/subscriptions/\ud800"}),
        "the resource id holds",
    ),
    "a control character in the subject": (
        event(subject="/subscriptions/\x00", data={"resourceUri": None}),
        "the resource id holds",
    ),
    "half a character in the correlation id": (
        event(data={"correlationId": "\udfff"}),
        "the correlation id holds",
    ),
    "half a character in the caller": (
        event(data={"claims": {"oid": "\ud800"}}),
        "the caller's object id holds",
    ),
    "a control character in the evidence": (
        event(data={"claims": {}, "authorization": {"evidence": {"principalId": "\n" * 32}}}),
        "the caller's object id holds",
    ),
}


@pytest.mark.parametrize(("given_event", "word"), MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_read_is_rejected_with_its_reason(given_event: Any, word: str) -> None:
    reading = signals.from_event(given_event)
    assert isinstance(reading, Rejected)
    assert word in reading.reason


def test_a_long_correlation_id_is_cut_and_one_that_is_no_text_is_none() -> None:
    for given_id, kept in (("x" * 101, "x" * 100), ({"a": ["b"]}, event()["id"])):
        signal = signals.from_event(event(data={"correlationId": given_id}))
        assert isinstance(signal, Signal)
        assert signal.correlation_id == kept


@pytest.mark.parametrize("text", ["a\ud800b", "a\x00b", "a\x9fb"], ids=ascii)
def test_the_name_of_a_dropped_event_is_mended_where_it_could_not_be_stored(text: str) -> None:
    assert signals.from_event(event(eventType=text)) == Dropped("a\ufffdb")
    assert signals.from_event(event(data={"operationName": text})) == Dropped("a\ufffdb")


def enclosed(**changes: Any) -> bytes:
    """A message of ours with a part of its signal replaced."""
    message = json.loads(signals.to_message(signals.from_event(event())))
    message["reconverge"]["signal"] |= changes
    return json.dumps(message).encode()


FORGED = {
    "an unknown source": (enclosed(source="moon\ud800"), "source"),
    "half a character in the kind": (enclosed(kind="\ud800"), "kind"),
    "half a character in the subject": (enclosed(subject="\ud800"), "subject"),
    "half a character in the correlation id": (enclosed(correlation_id="\ud800"), "correlation id"),
    "half a character in the caller": (enclosed(caller="\ud800"), "caller"),
    "a time that is none": (enclosed(time="\ud800"), "time"),
    "a caller longer than any": (enclosed(caller="x" * 101), "longer"),
    "a reason that cannot be stored": (
        b'{"reconverge": {"rejected": {"reason": "\\u0000", "digest": "d", "size": 1}}}',
        "reason",
    ),
    "a digest that cannot be stored": (
        b'{"reconverge": {"rejected": {"reason": "r", "digest": "\\ud800", "size": 1}}}',
        "digest",
    ),
    "a batch of nothing": (b"[]", "no event"),
}


@pytest.mark.parametrize(("body", "word"), FORGED.values(), ids=FORGED)
def test_a_message_that_nobody_of_us_wrote_is_rejected_with_its_reason(body: bytes, word: str) -> None:
    (reading,) = signals.from_message(body)
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


@given(json_values())
def test_any_event_is_read_as_something_that_survives_the_queue(value: Any) -> None:
    read = (signals.from_event(value), *signals.from_message(json.dumps(value).encode()))
    assert len(read) > 1
    for reading in read:
        assert signals.from_message(signals.to_message(reading).encode()) == (reading,)


DEEPEST = 10_000
"""About where CPython's JSON reader gives up. What it could only just read could not be written again."""


@pytest.mark.parametrize("depth", [*range(DEEPEST - 10, DEEPEST + 5), 4 * DEEPEST])
@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_a_message_nested_deeper_than_anybody_means_is_rejected(left: str, right: str, depth: int) -> None:
    (reading,) = signals.from_message((left * depth + "1" + right * depth).encode())
    assert isinstance(reading, Rejected)
