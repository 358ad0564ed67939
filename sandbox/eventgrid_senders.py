"""How one event reaches one destination: the handshake before, the request, and what the answer means."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from ssl import SSLContext
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import aiohttp

from sandbox.eventgrid_subscriptions import AzureFunction, Schema, StorageQueue, Subscription, Webhook
from sandbox.resource_events import stamp
from sandbox.timeline import utc_now

if TYPE_CHECKING:
    from sandbox.eventgrid import Delivery

ANSWER_WITHIN = aiohttp.ClientTimeout(total=30)
"""Event Grid waits that long, then queues the event for another attempt."""
ORIGIN = "eventgrid.azure.net"
_SUCCESS = frozenset({200, 201, 202, 203, 204})
_TYPES = {
    Schema.EVENT_GRID: "application/json; charset=utf-8",
    Schema.CLOUD_EVENTS: "application/cloudevents+json; charset=utf-8",
}
_SHOWN = ("host", "content-type", "aeg-")
_WORDS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 503: "Busy"}


@dataclass(frozen=True, slots=True)
class Request:
    """A notification as it went over the wire, to be shown: what may authenticate it is left out."""

    line: str
    headers: Mapping[str, str]

    @classmethod
    def of(cls, sent: aiohttp.RequestInfo) -> Self:
        headers = {name: text for name, text in sent.headers.items() if name.lower().startswith(_SHOWN)}
        return cls(f"{sent.method} {_without_keys(str(sent.url))} HTTP/1.1", headers)


@dataclass(frozen=True, slots=True)
class Outcome:
    status: int | None
    """HTTP status; None when nobody answered."""
    word: str
    request: Request | None = None
    """None when it did not get through, and for a queue."""

    @classmethod
    def answered(cls, status: int | None, request: Request | None = None) -> Self:
        word = "Success" if status in _SUCCESS else _WORDS.get(status or 0, "GenericError")
        return cls(status, word, request)

    @property
    def delivered(self) -> bool:
        return self.status in _SUCCESS


class Sender:
    def __init__(self, trust: SSLContext) -> None:
        self._trust = trust

    async def validate(self, subscription: Subscription) -> str:
        """Empty when the destination passed the handshake; else what was wrong."""
        match subscription.destination:
            case StorageQueue():
                return ""
            case Webhook(url=url) if subscription.schema is Schema.CLOUD_EVENTS:
                return await self._ask_consent(url)
            case Webhook(url=url) | AzureFunction(url=url):
                return await self._challenge(subscription.name, url)

    async def send(self, subscription: Subscription, delivery: "Delivery") -> Outcome:
        """One attempt. Raises nothing: whatever happens is an outcome."""
        match subscription.destination:
            case StorageQueue(connection_string=connection, queue=queue):
                return await _enqueue(connection, queue, delivery.event)
            case Webhook(url=url) | AzureFunction(url=url):
                return await self._post(url, subscription, delivery)

    async def _post(self, url: str, subscription: Subscription, delivery: "Delivery") -> Outcome:
        data_version, metadata_version = delivery.versions
        headers = {
            "Content-Type": _TYPES[subscription.schema],
            "aeg-event-type": "Notification",
            "aeg-subscription-name": subscription.name.upper(),
            "aeg-delivery-count": str(delivery.attempts),
            "aeg-data-version": data_version,
            "aeg-metadata-version": metadata_version,
            "aeg-output-event-id": delivery.id,
        }
        body = delivery.event if subscription.schema is Schema.CLOUD_EVENTS else [delivery.event]
        try:
            async with (
                aiohttp.ClientSession(timeout=ANSWER_WITHIN) as session,
                session.post(url, data=json.dumps(body), headers=headers, ssl=self._trust) as answer,
            ):
                return Outcome.answered(answer.status, Request.of(answer.request_info))
        except TimeoutError:
            return Outcome(None, "TimedOut")
        except aiohttp.ClientError:
            return Outcome(None, "SocketError")

    async def _challenge(self, name: str, url: str) -> str:
        """The handshake of the Event Grid schema: the endpoint repeats a code."""
        code = str(uuid.uuid4())
        event = {
            "id": str(uuid.uuid4()),
            "topic": "/subscriptions/sandbox",
            "subject": "",
            "data": {"validationCode": code, "validationUrl": f"https://{ORIGIN}:553/validate?id={code}"},
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "eventTime": stamp(utc_now()),
            "metadataVersion": "1",
            "dataVersion": "1",
        }
        headers = {
            "Content-Type": _TYPES[Schema.EVENT_GRID],
            "aeg-event-type": "SubscriptionValidation",
            "aeg-subscription-name": name.upper(),
            "aeg-delivery-count": "0",
            "aeg-metadata-version": "1",
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=ANSWER_WITHIN) as session,
                session.post(url, data=json.dumps([event]), headers=headers, ssl=self._trust) as answer,
            ):
                if answer.status != 200:
                    return f"it answered {answer.status} to SubscriptionValidation, and must answer 200"
                said = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return f"no usable answer to SubscriptionValidation ({type(error).__name__})"
        agreed = isinstance(said, dict) and said.get("validationResponse") == code
        return "" if agreed else "it did not repeat the validation code as validationResponse"

    async def _ask_consent(self, url: str) -> str:
        """The handshake of CloudEvents: the endpoint names who may send to it."""
        headers = {"WebHook-Request-Origin": ORIGIN, "WebHook-Request-Rate": "120"}
        try:
            async with (
                aiohttp.ClientSession(timeout=ANSWER_WITHIN) as session,
                session.options(url, headers=headers, ssl=self._trust) as answer,
            ):
                allowed = answer.headers.get("WebHook-Allowed-Origin", "")
                agreed = answer.status == 200 and allowed in {"*", ORIGIN}
                return "" if agreed else f"it answered {answer.status} to OPTIONS, allowing {allowed!r}"
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"no answer to OPTIONS ({type(error).__name__})"


async def _enqueue(connection: str, queue: str, event: object) -> Outcome:
    # Imported here: only this kind of destination needs the SDK, and it takes half a second.
    from azure.core.exceptions import AzureError, HttpResponseError  # noqa: PLC0415
    from azure.storage.queue import TextBase64EncodePolicy  # noqa: PLC0415
    from azure.storage.queue.aio import QueueClient  # noqa: PLC0415

    policy = TextBase64EncodePolicy()
    try:
        async with QueueClient.from_connection_string(
            connection, queue, message_encode_policy=policy, retry_total=0
        ) as client:
            await client.send_message(json.dumps(event))
    except HttpResponseError as error:
        return Outcome.answered(error.status_code)
    except AzureError:
        return Outcome(None, "SocketError")
    return Outcome.answered(201)


def _without_keys(url: str) -> str:
    """Path and query. A parameter's value may be a key, unless it is known to be none."""
    parts = urlsplit(url)
    query = "&".join(
        part if name == "functionName" else f"{name}=…" if equals else "…"
        for part in parts.query.split("&")
        for name, equals, _ in [part.partition("=")]
    )
    return f"{parts.path}?{query}" if parts.query else parts.path
