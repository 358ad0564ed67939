"""Event Grid: takes events in, and delivers them to every subscription that wants them, again and again.

At least once, in no promised order, with the headers, retry schedule and dead letters of the real one:
https://learn.microsoft.com/azure/event-grid/delivery-and-retry
"""

import asyncio
import logging
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.dials import Dials
from sandbox.eventgrid_senders import Outcome, Request, Sender
from sandbox.eventgrid_subscriptions import AzureFunction, Json, Schema, Subscription
from sandbox.resource_events import as_cloud_event, stamp
from sandbox.timeline import Clock

log = logging.getLogger(__name__)

SCHEDULE = (10, 30, 60, 300, 600, 1800, 3600, 10800, 21600)
"""Seconds before the next attempt; the last pause is for all after it."""
LAST_PAUSE = 43200
LANES = 32
"""Deliveries at the same time, so that a storm of events does not use up the process's open files."""
HOLD_SECONDS = 0.05
"""Between two looks whether events may go on their way."""
PAUSE_AT_LEAST = {401: 300, 404: 300, 408: 120, 503: 30}
"""Seconds after such an answer; the first two hold for Azure resources only."""
NOT_RETRIED_BY_FUNCTION = frozenset({400, 403, 413})
NOT_RETRIED_BY_WEBHOOK = frozenset({400, 401, 403, 413})


class HandshakeError(Exception):
    """The endpoint did not pass the validation handshake."""


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One event on its way to one subscription."""

    id: str
    subscription: Subscription
    event: object
    event_id: str
    versions: tuple[str, str]
    """Of data and of metadata, for the headers."""
    accepted: datetime
    state: str = "waiting"
    """waiting, delivered or dead."""
    attempts: int = 0
    outcome: Outcome | None = None
    last_attempt: datetime | None = None
    dead_reason: str = ""

    def show(self) -> Json:
        return {
            "id": self.id,
            "subscription": self.subscription.name,
            "eventId": self.event_id,
            "state": self.state,
            "attempts": self.attempts,
            "lastStatus": self.outcome.status if self.outcome else None,
            "lastOutcome": self.outcome.word if self.outcome else None,
            "lastRequest": asdict(request) if (request := self._last_request()) else None,
        }

    def _last_request(self) -> Request | None:
        return self.outcome.request if self.outcome else None

    def dead_letter(self) -> Json:
        """As Event Grid stores it: the event with what became of it, in lower case for CloudEvents."""
        event = dict(self.event) if isinstance(self.event, Mapping) else {"event": self.event}
        added: Json = {
            "deadLetterReason": self.dead_reason,
            "deliveryAttempts": self.attempts,
            "lastDeliveryOutcome": self.outcome.word if self.outcome else "",
            "publishTime": stamp(self.accepted),
            "lastDeliveryAttemptTime": stamp(self.last_attempt) if self.last_attempt else "",
        }
        if self.subscription.schema is Schema.CLOUD_EVENTS:
            added = {name.lower(): value for name, value in added.items()}
        return {**event, **added}


class EventGrid:
    def __init__(self, sender: Sender, dials: Dials, clock: Clock) -> None:
        self._sender = sender
        self._dials = dials
        self._clock = clock
        self._subscriptions: dict[str, Subscription] = {}
        self._deliveries: list[Delivery] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes = asyncio.Semaphore(LANES)

    # -- subscriptions ----------------------------------------------------------------

    async def subscribe(self, subscription: Subscription) -> None:
        """Add the subscription, or replace the one of its name. Raises HandshakeError."""
        problem = await self._sender.validate(subscription)
        if problem:
            raise HandshakeError(f"the endpoint of {subscription.name} did not pass validation: {problem}")
        self._subscriptions[subscription.name] = subscription

    def unsubscribe(self, name: str) -> bool:
        """Whether there was one. What is on its way to it is not sent again."""
        return self._subscriptions.pop(name, None) is not None

    def subscriptions(self) -> list[Subscription]:
        return list(self._subscriptions.values())

    # -- events -----------------------------------------------------------------------

    def publish(self, event: Mapping[str, Any]) -> None:
        """Deliver an event of the Event Grid schema to whoever asked for such."""
        for subscription in self._subscriptions.values():
            if subscription.filter.lets_through(event):
                shaped = as_cloud_event(event) if subscription.schema is Schema.CLOUD_EVENTS else dict(event)
                self._start(subscription, shaped)

    def deliver_raw(self, event: object, name: str | None = None) -> int:
        """Deliver anything at all, unfiltered and as it is, to one subscription or to all. How many."""
        chosen = [held for held in self._subscriptions.values() if name in (None, held.name)]
        for subscription in chosen:
            self._start(subscription, event)
        return len(chosen)

    def deliveries(self) -> list[Delivery]:
        return list(self._deliveries)

    async def stop(self) -> None:
        """Give up what is on its way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- delivery ---------------------------------------------------------------------

    def _start(self, subscription: Subscription, event: object) -> None:
        known = event if isinstance(event, Mapping) else {}
        delivery = Delivery(
            id=str(uuid.uuid4()),
            subscription=subscription,
            event=event,
            event_id=str(known.get("id", "")),
            versions=(str(known.get("dataVersion", "")), str(known.get("metadataVersion", "1"))),
            accepted=self._clock(),
        )
        self._deliveries.append(delivery)
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        while delivery.state == "waiting":
            if self._dials.event_hold:
                await asyncio.sleep(HOLD_SECONDS)
                continue
            async with self._lanes:
                outcome = await self._sender.send(delivery.subscription, delivery)
            delivery.attempts += 1
            delivery.outcome = outcome
            delivery.last_attempt = self._clock()
            if outcome.delivered:
                delivery.state = "delivered"
            elif reason := self._hopeless(delivery, outcome):
                delivery.state, delivery.dead_reason = "dead", reason
                log.info("eventgrid.dead_letter %s %s", delivery.subscription.name, reason)
            else:
                await asyncio.sleep(pause(delivery.attempts, outcome.status) * self._dials.event_time_scale)

    def _hopeless(self, delivery: Delivery, outcome: Outcome) -> str:
        subscription = delivery.subscription
        if subscription is not self._subscriptions.get(subscription.name):
            return "SubscriptionDeleted"
        function = isinstance(subscription.destination, AzureFunction)
        if outcome.status in (NOT_RETRIED_BY_FUNCTION if function else NOT_RETRIED_BY_WEBHOOK):
            return "UndeliverableDueToHttpStatusCode"
        if delivery.attempts >= subscription.max_attempts:
            return "MaxDeliveryAttemptsExceeded"
        lifetime = timedelta(minutes=subscription.ttl_minutes) * self._dials.event_time_scale
        return "TimeToLiveExceeded" if self._clock() - delivery.accepted >= lifetime else ""


def pause(attempts: int, status: int | None) -> float:
    """Seconds until the next attempt, by Azure's schedule, after so many attempts."""
    planned = SCHEDULE[attempts - 1] if attempts <= len(SCHEDULE) else LAST_PAUSE
    return max(planned, PAUSE_AT_LEAST.get(status or 0, 0))
