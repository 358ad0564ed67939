"""What the ARM router and the resource providers behind it say to each other."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sandbox.arm_errors import ArmError
from sandbox.records import RoleAssignment
from sandbox.tokens import Caller

type Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated and authorised request."""

    method: str
    url: str
    """Absolute, with the query."""
    params: Mapping[str, str]
    """The named parts of the route's path, as the caller spelled them."""
    query: Mapping[str, str]
    body: object
    api_version: str
    caller: Caller
    grant: RoleAssignment | None
    """The assignment that allowed it; None where none is needed."""
    correlation_id: str
    client_request_id: str
    client_address: str
    read_at: datetime
    """Reads answer with the state of this time; writes act on the present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


class ChangeKind(StrEnum):
    WRITE = "Write"
    DELETE = "Delete"
    ACTION = "Action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a successful call changed, for those who are told of it."""

    kind: ChangeKind
    operation: str
    resource_id: str
    existed: bool = True


type Announce = Callable[[Call, Change], None]
"""Tells Event Grid that a change has happened."""

type Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """A path such as `/subscriptions/{subscription}`: matched without regard to letter case."""

    method: str
    path: str
    operation: str
    """Such as `Microsoft.ContainerService/managedClusters/read`. Empty: any token may."""
    handler: Handler
    throttle: str = ""
    """The rate that the managed-identity API documents for it, by name in `throttling`."""
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        text = re.sub(r"\{scope\}", r"(?P<scope>/.*?)", self.path)
        text = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", text)
        object.__setattr__(self, "pattern", re.compile(text + "/?", re.IGNORECASE))


def page(values: list[Json], call: Call, page_size: int) -> Json:
    """One page of a list, and the link to the next one where there is more."""
    start = _whole(call.query, "$skiptoken", default=0)
    size = min(_whole(call.query, "$top", default=page_size), page_size)
    body: Json = {"value": values[start : start + size]}
    if start + size < len(values):
        base = call.url.partition("?")[0]
        top = f"&$top={call.query['$top']}" if "$top" in call.query else ""
        body["nextLink"] = f"{base}?api-version={call.api_version}{top}&$skiptoken={start + size}"
    return body


def _whole(query: Mapping[str, str], name: str, *, default: int) -> int:
    value = query.get(name) or next((given for key, given in query.items() if key.lower() == name), "")
    if not value:
        return default
    if not value.isdecimal():
        raise ArmError(400, "InvalidQueryParameter", f"The query parameter '{name}' is not a whole number.")
    return int(value)
