"""Event Grid: which calls it tells of, in which words, and how it delivers."""

import base64
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue import QueueClient

from sandbox.control_client import ControlError
from tests.sandbox.clients import AUDIENCE, GROUP, World
from tests.sandbox.cloud.receiver import PATIENCE, Receiver, receiver

SAMPLES = Path(__file__).parents[2] / "samples" / "eventgrid"
FUNCTION = "AzureFunction"


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as held:
        yield held


def subscribe(world: World, hook: Receiver, kind: str = "Webhook", **more: Any) -> None:
    world.control.subscribe({"name": "test", "endpoint": {"kind": kind, "url": hook.url}, **more})


def only_event(hook: Receiver) -> dict[str, Any]:
    hook.wait_for(lambda held: bool(held.events()))
    assert len(hook.events()) == 1
    return hook.events()[0]


def keys(value: Any) -> Any:
    """The shape of a JSON value: its keys, all the way down, and nothing else."""
    if isinstance(value, dict):
        return {name: keys(held) for name, held in value.items() if name != "claims"}
    return [keys(held) for held in value] if isinstance(value, list) else None


# -- which calls it tells of ------------------------------------------------------------


def test_a_created_identity_is_told_of_without_the_request(world: World, hook: Receiver) -> None:
    subscribe(world, hook)
    identity = world.identity()
    event = only_event(hook)
    assert event["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert event["subject"] == event["data"]["resourceUri"] == identity.id
    assert event["data"]["operationName"] == "Microsoft.ManagedIdentity/userAssignedIdentities/write"
    assert "httpRequest" not in event["data"]
    assert event["data"]["claims"]["appid"] == world.described["operator"]["client_id"]
    object_id = "http://schemas.microsoft.com/identity/claims/objectidentifier"
    assert event["data"]["claims"][object_id] == world.described["operator"]["object_id"]


def test_a_credential_is_told_of_when_written_and_when_deleted(world: World, hook: Receiver) -> None:
    identity = world.identity()
    world.trust(identity, subject="s")
    subscribe(world, hook)
    path = f"{identity.id}/federatedIdentityCredentials/trust"
    properties = {"issuer": "https://i/", "subject": "s", "audiences": [AUDIENCE]}
    written = world.arm("PUT", path, json={"properties": properties})
    deleted = world.arm("DELETE", path)
    hook.wait_for(lambda held: len(held.events()) == 2)
    write, delete = sorted(hook.events(), key=lambda event: event["eventType"], reverse=True)
    assert write["data"]["correlationId"] == written.headers["x-ms-correlation-request-id"]
    assert write["data"]["httpRequest"]["method"] == "PUT"
    assert "/resourcegroups/" in write["subject"]
    assert delete["data"]["correlationId"] == deleted.headers["x-ms-correlation-request-id"]
    assert delete["eventType"] == "Microsoft.Resources.ResourceDeleteSuccess"
    assert "/resourceGroups/" in delete["subject"]
    assert delete["data"]["operationName"].endswith("/federatedIdentityCredentials/delete")


def test_events_have_the_shape_of_the_published_sample(world: World, hook: Receiver) -> None:
    subscribe(world, hook)
    world.aks().managed_clusters.list_cluster_user_credentials(GROUP, "ameide")
    sample = json.loads((SAMPLES / "docs_ResourceActionSuccess.json").read_text())[0]
    assert keys(only_event(hook)) == keys(sample)


def test_reads_and_refused_calls_are_not_told_of(world: World, hook: Receiver) -> None:
    identity = world.identity()
    subscribe(world, hook)
    world.msi().user_assigned_identities.get(GROUP, str(identity.name))
    assert world.arm("PUT", f"{identity.id}/federatedIdentityCredentials/a", json={}).status_code == 400
    assert world.arm("DELETE", f"{identity.id}/federatedIdentityCredentials/nobody").status_code == 204
    world.trust(identity, subject="s")
    assert only_event(hook)["data"]["operationName"].endswith("/federatedIdentityCredentials/write")


def test_a_recreated_cluster_is_told_of_as_deleted_and_created(world: World, hook: Receiver) -> None:
    with world.cluster("told"):
        subscribe(world, hook, filter={"subjectEndsWith": "/managedClusters/told"})
        world.control.recreate("told")
        hook.wait_for(lambda held: len(held.events()) == 2)
        world.control.unsubscribe("test")
    told = {event["data"]["operationName"]: event for event in hook.events()}
    deleted = told["Microsoft.ContainerService/managedClusters/delete"]
    created = told["Microsoft.ContainerService/managedClusters/write"]
    assert deleted["data"]["httpRequest"]["method"] == "DELETE"
    assert "httpRequest" not in created["data"]
    assert deleted["subject"].lower() == created["subject"].lower()


def test_a_key_rotation_and_a_role_assignment_are_told_of(world: World, hook: Receiver) -> None:
    identity = world.identity()
    with world.cluster("acted"):
        subscribe(world, hook)
        world.aks().managed_clusters.begin_rotate_service_account_signing_keys(GROUP, "acted").result()
        path = f"{identity.id}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        role = {"roleDefinitionId": "/x/00000000-0000-0000-0000-000000000000", "principalId": "p"}
        world.arm("PUT", path, json={"properties": role})
        hook.wait_for(lambda held: len(held.events()) == 2)
        world.control.unsubscribe("test")
    told = {event["data"]["operationName"]: event["eventType"] for event in hook.events()}
    prefix = "Microsoft.ContainerService/managedClusters"
    assert told == {
        f"{prefix}/rotateServiceAccountSigningKeys/action": "Microsoft.Resources.ResourceActionSuccess",
        "Microsoft.Authorization/roleAssignments/write": "Microsoft.Resources.ResourceWriteSuccess",
    }


def test_only_what_passes_the_filter_is_delivered(world: World, hook: Receiver) -> None:
    operations = ["microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/WRITE"]
    condition = {"operatorType": "StringIn", "key": "data.operationName", "values": operations}
    types = ["Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources.ResourceDeleteSuccess"]
    subscribe(world, hook, filter={"includedEventTypes": types, "advancedFilters": [condition]})
    world.trust(world.identity(), subject="s")
    assert only_event(hook)["data"]["operationName"].endswith("/federatedIdentityCredentials/write")


# -- how it delivers --------------------------------------------------------------------


def test_a_notification_carries_the_headers_of_event_grid(world: World, hook: Receiver) -> None:
    subscribe(world, hook)
    world.identity()
    only_event(hook)
    headers = hook.notifications()[0].headers
    expected = {
        "aeg-event-type": "Notification",
        "aeg-subscription-name": "TEST",
        "aeg-delivery-count": "0",
        "aeg-data-version": "2",
        "aeg-metadata-version": "1",
        "content-type": "application/json; charset=utf-8",
    }
    assert {name: headers[name] for name in expected} == expected
    assert headers["aeg-output-event-id"]


def test_a_delivery_is_shown_as_it_went_over_the_wire_without_its_key(world: World, hook: Receiver) -> None:
    url = f"{hook.url.partition('?')[0]}?functionName=f&code=secret&bare"
    world.control.subscribe({"name": "test", "endpoint": {"kind": FUNCTION, "url": url}})
    world.identity()
    only_event(hook)
    received = hook.notifications()[0].headers
    request = delivered(world, only_id(hook))["lastRequest"]
    assert request["line"] == "POST /hook?functionName=f&code=…&… HTTP/1.1"
    shown = {name.lower(): text for name, text in request["headers"].items()}
    assert shown.keys() >= {"host", "content-type", "aeg-event-type", "aeg-delivery-count"}
    assert shown.items() <= received.items()


def delivered(world: World, event_id: str) -> dict[str, Any]:
    """The sandbox's account of the delivery, once it knows the answer."""
    deadline = time.monotonic() + PATIENCE
    while True:
        (told,) = [one for one in world.control.deliveries() if one["eventId"] == event_id]
        if told["state"] == "delivered":
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.02)


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204])
def test_each_answer_that_event_grid_takes_for_success_is_told_as_success(
    status: int, world: World, hook: Receiver
) -> None:
    subscribe(world, hook)
    hook.answers = [status]
    world.identity()
    told = delivered(world, only_id(hook))
    assert (told["lastStatus"], told["lastOutcome"], told["attempts"]) == (status, "Success", 1)


def test_another_2xx_is_no_success(world: World, hook: Receiver) -> None:
    subscribe(world, hook)
    hook.answers = [206]
    world.identity()
    assert delivered(world, only_id(hook))["attempts"] == 2


def test_cloud_events_come_one_by_one_in_their_own_schema(world: World, hook: Receiver) -> None:
    subscribe(world, hook, kind=FUNCTION, schema="CloudEventSchemaV1_0")
    identity = world.identity()
    event = only_event(hook)
    assert hook.notifications()[0].headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert (event["specversion"], event["type"]) == ("1.0", "Microsoft.Resources.ResourceWriteSuccess")
    assert (event["subject"], event["source"]) == (
        identity.id,
        f"/subscriptions/{world.described['subscription']}",
    )
    assert set(event) == {"id", "source", "specversion", "type", "subject", "time", "data"}


@pytest.mark.parametrize("kind", ["Webhook", FUNCTION])
@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
def test_an_endpoint_must_pass_the_handshake(kind: str, schema: str, world: World, hook: Receiver) -> None:
    hook.validates = False
    with pytest.raises(ControlError, match="did not pass validation"):
        subscribe(world, hook, kind=kind, schema=schema)
    hook.validates = True
    subscribe(world, hook, kind=kind, schema=schema)
    assert [one["name"] for one in world.control.subscriptions()] == ["test"]
    # A function's trigger has no CloudEvents handshake: it is always asked in the Event Grid schema.
    asked_by_options = kind == "Webhook" and schema == "CloudEventSchemaV1_0"
    assert (hook.received[-1].method == "OPTIONS") is asked_by_options


def test_an_endpoint_that_is_down_cannot_be_subscribed(world: World) -> None:
    with receiver() as gone:
        pass
    with pytest.raises(ControlError, match="no usable answer"):
        subscribe(world, gone)


def test_a_failed_delivery_is_tried_again_until_it_succeeds(world: World, hook: Receiver) -> None:
    subscribe(world, hook)
    hook.answers = [500, 503, 404]
    world.identity()
    hook.wait_for(lambda held: len(held.notifications()) == 4)
    counts = [one.headers["aeg-delivery-count"] for one in hook.notifications()]
    assert counts == ["0", "1", "2", "3"]
    assert len({event["id"] for event in hook.events()}) == 1


def dead_letter(world: World, hook: Receiver) -> dict[str, Any]:
    """The one dead letter of the hook's one event."""
    event_id = only_id(hook)
    hook.wait_for(lambda _: any(one["id"] == event_id for one in world.control.dead_letters()))
    return next(one for one in world.control.dead_letters() if one["id"] == event_id)


def only_id(hook: Receiver) -> str:
    hook.wait_for(lambda held: bool(held.events()))
    (event_id,) = {str(event["id"]) for event in hook.events()}
    return event_id


HOPELESS = [("Webhook", 400), ("Webhook", 401), ("Webhook", 413), (FUNCTION, 400), (FUNCTION, 413)]


@pytest.mark.parametrize(("kind", "status"), HOPELESS)
def test_some_answers_end_in_a_dead_letter_at_once(
    kind: str, status: int, world: World, hook: Receiver
) -> None:
    subscribe(world, hook, kind=kind)
    hook.answers = [status]
    world.identity()
    letter = dead_letter(world, hook)
    assert (letter["deliveryAttempts"], len(hook.notifications())) == (1, 1)
    assert letter["deadLetterReason"] == "UndeliverableDueToHttpStatusCode"


def test_a_function_is_tried_again_after_401(world: World, hook: Receiver) -> None:
    subscribe(world, hook, kind=FUNCTION)
    hook.answers = [401]
    world.identity()
    hook.wait_for(lambda held: len(held.notifications()) == 2)


def test_what_is_held_is_delivered_when_it_is_let_go(world: World, hook: Receiver) -> None:
    subscribe(world, hook)
    world.control.turn(event_hold=True)
    created = {world.identity().id for _ in range(20)}
    assert hook.events() == []
    world.control.turn(event_hold=False)
    hook.wait_for(lambda held: len(held.events()) == len(created))
    assert {one["subject"] for one in hook.events()} == created


def test_after_the_last_attempt_the_event_is_a_dead_letter(world: World, hook: Receiver) -> None:
    subscribe(world, hook, kind=FUNCTION, schema="CloudEventSchemaV1_0", maxDeliveryAttempts=2)
    hook.answers = [500, 500, 500]
    world.identity()
    letter = dead_letter(world, hook)
    assert (letter["deadletterreason"], letter["deliveryattempts"]) == ("MaxDeliveryAttemptsExceeded", 2)
    assert letter["specversion"] == "1.0"


def test_anything_can_be_delivered_raw(world: World, hook: Receiver) -> None:
    subscribe(world, hook)
    assert world.control.deliver({"no": "event"}, "test") == 1
    assert world.control.deliver("not even an object") == 1
    hook.wait_for(lambda held: len(held.events()) == 2)
    assert {json.dumps(event) for event in hook.events()} == {'{"no": "event"}', '"not even an object"'}


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
def test_a_queue_gets_single_events_in_base64(
    schema: str, world: World, azurite: str, hook: Receiver
) -> None:
    name = f"events-{uuid.uuid4().hex[:8]}"
    with QueueClient.from_connection_string(azurite, name) as queue:
        queue.create_queue()
        endpoint = {"kind": "StorageQueue", "connection_string": azurite, "queue": name}
        world.control.subscribe({"name": "queued", "endpoint": endpoint, "schema": schema})
        identity = world.identity()
        hook.wait_for(lambda _: len(queue.peek_messages(5)) == 1)
        event = json.loads(base64.b64decode(queue.receive_messages().next().content))
    assert event["subject"] == identity.id
    assert ("specversion" in event) is (schema == "CloudEventSchemaV1_0")


def test_what_is_told_of_subscriptions_holds_no_keys(world: World, hook: Receiver, azurite: str) -> None:
    subscribe(world, hook)
    endpoint = {"kind": "StorageQueue", "connection_string": azurite, "queue": "events"}
    world.control.subscribe({"name": "queued", "endpoint": endpoint})
    told = json.dumps(world.control.subscriptions())
    assert "code=secret" not in told
    assert "AccountKey" not in told


def test_a_storm_of_events_is_delivered_to_the_last(world: World, hook: Receiver) -> None:
    subscribe(world, hook)
    for number in range(200):
        world.control.deliver({"id": str(number)})
    hook.wait_for(lambda held: len(held.notifications()) >= 200)
    assert len({event["id"] for event in hook.events()}) == 200
