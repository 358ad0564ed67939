"""Event subscriptions: where events go, in which schema, and which of them.

Filters: https://learn.microsoft.com/azure/event-grid/event-filtering
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.inputs import InputError, json_object

type Json = dict[str, object]


class Schema(StrEnum):
    EVENT_GRID = "EventGridSchema"
    CLOUD_EVENTS = "CloudEventSchemaV1_0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Any HTTP endpoint: it must pass the validation handshake of the schema."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureFunction:
    """A function's Event Grid trigger, whose webhook answers the Event Grid handshake in either schema."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageQueue:
    """A queue: each message is one event, its JSON in base64."""

    connection_string: str = field(repr=False)
    queue: str


type Destination = Webhook | AzureFunction | StorageQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    included_event_types: frozenset[str] | None = None
    """None: all."""
    subject_begins_with: str = ""
    subject_ends_with: str = ""
    subject_case_sensitive: bool = False
    advanced: tuple[Mapping[str, Any], ...] = ()

    def lets_through(self, event: Mapping[str, Any]) -> bool:
        """Whether an event in the Event Grid schema passes."""
        if self.included_event_types is not None and event["eventType"] not in self.included_event_types:
            return False
        subject, begin, end = str(event["subject"]), self.subject_begins_with, self.subject_ends_with
        if not self.subject_case_sensitive:
            subject, begin, end = subject.lower(), begin.lower(), end.lower()
        return (
            subject.startswith(begin)
            and subject.endswith(end)
            and all(_advanced(event, condition) for condition in self.advanced)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    name: str
    destination: Destination
    schema: Schema = Schema.EVENT_GRID
    filter: Filter = Filter()
    max_attempts: int = 30
    ttl_minutes: float = 1440

    def show(self) -> Json:
        """Without what authenticates: a function's URL holds its key, a connection string the account's."""
        shown: Json = {
            "name": self.name,
            "kind": type(self.destination).__name__,
            "schema": self.schema.value,
            "maxDeliveryAttempts": self.max_attempts,
            "eventTimeToLiveInMinutes": self.ttl_minutes,
        }
        match self.destination:
            case StorageQueue(queue=queue):
                shown["queue"] = queue
            case Webhook(url=url) | AzureFunction(url=url):
                shown["endpoint"] = url.partition("?")[0]
        return shown


def read_subscription(given: object) -> Subscription:
    """A subscription from JSON. Raises InputError saying what to write instead."""
    given = json_object(given, "an event subscription")
    name = given.get("name")
    if not isinstance(name, str) or not name:
        raise InputError('an event subscription needs a "name"')
    try:
        schema = Schema(given.get("schema", Schema.EVENT_GRID))
    except ValueError as error:
        raise InputError(f'the "schema" is one of {", ".join(Schema)}') from error
    return Subscription(
        name=name,
        destination=_read_destination(given.get("endpoint")),
        schema=schema,
        filter=_read_filter(given.get("filter") or {}),
        max_attempts=int(given.get("maxDeliveryAttempts", 30)),
        ttl_minutes=float(given.get("eventTimeToLiveInMinutes", 1440)),
    )


def _read_destination(given: object) -> Destination:
    match given:
        case str() as url:
            return Webhook(url=url)
        case {"kind": "Webhook", "url": str() as url}:
            return Webhook(url=url)
        case {"kind": "AzureFunction", "url": str() as url}:
            return AzureFunction(url=url)
        case {"kind": "StorageQueue", "connection_string": str() as connection, "queue": str() as queue}:
            return StorageQueue(connection_string=connection, queue=queue)
    raise InputError(
        'the "endpoint" is {"kind": "Webhook" or "AzureFunction", "url": …} '
        'or {"kind": "StorageQueue", "connection_string": …, "queue": …}'
    )


def _read_filter(given: Mapping[str, Any]) -> Filter:
    types = given.get("includedEventTypes")
    conditions = tuple(given.get("advancedFilters") or ())
    for condition in conditions:
        if condition.get("operatorType") not in _OPERATORS:
            raise InputError(f'the "operatorType" of an advanced filter is one of {", ".join(_OPERATORS)}')
    return Filter(
        included_event_types=None if types is None else frozenset(types),
        subject_begins_with=given.get("subjectBeginsWith", ""),
        subject_ends_with=given.get("subjectEndsWith", ""),
        subject_case_sensitive=bool(given.get("isSubjectCaseSensitive", False)),
        advanced=conditions,
    )


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringIn": lambda value, wanted: value == wanted,
    "StringContains": lambda value, wanted: wanted in value,
    "StringBeginsWith": lambda value, wanted: value.startswith(wanted),
    "StringEndsWith": lambda value, wanted: value.endswith(wanted),
}


def _advanced(event: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    value: Any = event
    for part in str(condition["key"]).split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if not isinstance(value, str):
        return False
    matches = _OPERATORS[condition["operatorType"]]
    return any(matches(value.lower(), str(wanted).lower()) for wanted in condition["values"])
