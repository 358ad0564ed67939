"""The Event Grid webhook, as Event Grid calls it."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.runtime.host.harness import RunningHost, Seen

WEBHOOK = "/runtime/webhooks/EventGrid"
NOTIFICATION = {"aeg-event-type": "Notification"}


def event(subject: str = "/s") -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "topic": "/subscriptions/s",
        "subject": subject,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2018-07-19T18:38:04.6117357Z",
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {},
    }


def cloud_event() -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": uuid.uuid4().hex,
        "source": "/subscriptions/s",
        "subject": "/s",
        "type": "Microsoft.Resources.ResourceWriteSuccess",
        "time": "2018-07-19T18:38:04.6117357Z",
        "data": {},
    }


def deliver(
    host: RunningHost,
    body: object,
    headers: dict[str, str] = NOTIFICATION,
    *,
    path: str = WEBHOOK,
    function: str = "arm_event",
    key: str | None = None,
) -> requests.Response:
    code = host.keys["system"]["eventgrid_extension"] if key is None else key
    return host.call(
        "POST", path, params={"functionName": function, "code": code}, json=body, headers=headers
    )


def of(sent: dict[str, Any]) -> Callable[[Any], bool]:
    """Whether an entry is what the app wrote of that event."""
    return lambda entry: isinstance(entry, dict) and entry.get("id") == sent["id"]


HANDSHAKES: dict[str, object] = {
    "in the Event Grid schema": [{"data": {"validationCode": "512d38b6"}}],
    "as a CloudEvent": {"data": {"validationCode": "512d38b6"}},
    "as a CloudEvent with its data in a string": {"data": '{"validationCode": "512d38b6"}'},
}


@pytest.mark.parametrize("body", HANDSHAKES.values(), ids=HANDSHAKES)
def test_the_handshake_is_answered(host: RunningHost, body: object) -> None:
    answer = deliver(host, body, {"aeg-event-type": "SubscriptionValidation"})
    assert answer.status_code == 200
    assert answer.json() == {"validationResponse": "512d38b6"}


def test_an_array_runs_the_function_once_per_event_and_at_once(host: RunningHost, seen_by_app: Seen) -> None:
    events = [event("/together") for _ in range(8)]
    assert deliver(host, events).status_code == 202
    for one in events:
        seen_by_app.wait_for(of(one))


def test_a_single_object_is_one_event(host: RunningHost, seen_by_app: Seen) -> None:
    one = event()
    assert deliver(host, one).status_code == 202
    assert seen_by_app.wait_for(of(one))["class"] == "EventGridEvent"


def test_a_cloud_event_becomes_one(host: RunningHost, seen_by_app: Seen) -> None:
    one = cloud_event()
    assert deliver(host, one).status_code == 202
    assert seen_by_app.wait_for(of(one))["class"] == "CloudEvent"


def test_one_failing_event_makes_the_whole_batch_500_while_the_others_run(
    host: RunningHost, seen_by_app: Seen
) -> None:
    good = event()
    answer = deliver(host, [event("/raise"), good])
    assert answer.status_code == 500
    assert "cannot take it" in answer.text
    seen_by_app.wait_for(of(good))


STATUSES: dict[str, tuple[dict[str, Any], int]] = {
    "an unsubscription is accepted": ({"headers": {"aeg-event-type": "Unsubscribe"}}, 202),
    "the kind's letter case does not count": ({"headers": {"aeg-event-type": "notification"}}, 202),
    "a request without a kind is a bad one": ({"headers": {}}, 400),
    "an unknown kind is a bad one": ({"headers": {"aeg-event-type": "Other"}}, 400),
    "no key": ({"key": ""}, 401),
    "a wrong key": ({"key": "wrong"}, 401),
    "an unknown function": ({"function": "none"}, 404),
    "a function of another trigger": ({"function": "work"}, 404),
    "the function's letter case counts": ({"function": "Arm_Event"}, 404),
    "the extension's does not": ({"path": "/runtime/webhooks/eventgrid"}, 202),
    "an unknown extension": ({"path": "/runtime/webhooks/durabletask"}, 404),
    "an unknown extension without a key": ({"path": "/runtime/webhooks/durabletask", "key": ""}, 404),
}


@pytest.mark.parametrize(("given", "status"), STATUSES.values(), ids=STATUSES)
def test_answers(host: RunningHost, given: dict[str, Any], status: int) -> None:
    assert deliver(host, [event()], **given).status_code == status


def test_an_unknown_function_is_named(host: RunningHost) -> None:
    assert deliver(host, [], function="none").text == "cannot find function: 'none'"


def test_the_master_key_opens_and_the_function_key_does_not(host: RunningHost) -> None:
    assert deliver(host, [event()], key=host.keys["master"]).status_code == 202
    assert deliver(host, [event()], key=host.keys["function"]).status_code == 401
