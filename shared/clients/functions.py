"""Makes the Event Grid trigger's decoding as lenient as ours.

The library decodes an event before our code sees it, and raises for an `eventTime` it cannot parse: Event
Grid would then resend the event for a day and nobody would learn why. Such an event comes through undecoded,
and shared.signals rejects it with its reason. Called once, before the app's functions are indexed.
"""

import json
from typing import Any

import azure.functions as func
from azure.functions import meta
from azure.functions.eventgrid import EventGridEventInConverter


class LenientEvents(EventGridEventInConverter, binding=None, trigger="eventGridTrigger"):
    @classmethod
    def decode(cls, data: meta.Datum, *, trigger_metadata: Any) -> func.EventGridEvent | func.CloudEvent:
        try:
            return super().decode(data, trigger_metadata=trigger_metadata)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return func.EventGridEvent(
                id="",
                topic="",
                subject="",
                event_type="",
                event_time=None,
                data_version="",
                data={"raw": data.value},
            )


def accept_any_event() -> None:
    # The library lets nobody but durable bindings register a converter twice; the version is pinned, and
    # tests/runtime holds this against Microsoft's own worker library.
    registry: Any = EventGridEventInConverter.__class__
    registry._bindings["eventGridTrigger"] = LenientEvents  # noqa: SLF001 (see above)


def plain(event: func.EventGridEvent | func.CloudEvent) -> Any:
    """The event as it came: a mapping in its own schema."""
    if isinstance(event, func.CloudEvent):
        return {
            "specversion": event.specversion,
            "id": event.id,
            "type": event.type,
            "subject": event.subject,
            "time": event.time.isoformat() if event.time else None,
            "data": event.get_json(),
        }
    if event.event_type == "":
        return _undecoded(event.get_json()["raw"])
    return {
        "id": event.id,
        "eventType": event.event_type,
        "subject": event.subject,
        "eventTime": event.event_time.isoformat() if event.event_time else None,
        "data": event.get_json(),
    }


def _undecoded(raw: Any) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, TypeError, RecursionError):
        return raw
