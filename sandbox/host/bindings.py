"""The bindings of a function, as the runtime's index gives them, read into records.

Settings in `%…%` are resolved here, so that everything behind this module sees plain names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.host.errors import HostError
from sandbox.host.keys import Level
from sandbox.host.ncrontab import Schedule
from sandbox.host.settings import Settings, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTrigger:
    parameter: str
    route: str
    methods: frozenset[str]
    """Upper case; empty means any."""
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class EventGridTrigger:
    parameter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTrigger:
    parameter: str
    queue: str
    connection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerTrigger:
    parameter: str
    schedule: Schedule
    run_on_startup: bool
    use_monitor: bool


type Trigger = HttpTrigger | EventGridTrigger | QueueTrigger | TimerTrigger


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOutput:
    queue: str
    connection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    name: str
    id: str
    trigger: Trigger
    outputs: Mapping[str, QueueOutput]
    """By parameter name; `$return` for a queue that takes the return value."""
    raw: tuple[Mapping[str, Any], ...]
    """The bindings as indexed, for the admin API."""


def read_function(
    name: str, function_id: str, raw: Iterable[Mapping[str, Any]], settings: Settings
) -> Function:
    """Raises HostError on a binding that this host cannot serve, naming the function."""
    bindings = tuple(raw)
    triggers: list[Trigger] = []
    outputs: dict[str, QueueOutput] = {}
    try:
        for binding in bindings:
            match binding["type"]:
                case "http":
                    continue
                case "queue":
                    outputs[binding["name"]] = QueueOutput(
                        queue=resolve(binding["queueName"], settings), connection=_connection(binding)
                    )
                case _:
                    triggers.append(_trigger(name, binding, settings))
    except (HostError, ValueError) as error:
        raise HostError(f"function {name}: {error}") from error
    if len(triggers) != 1:
        raise HostError(f"function {name}: has {len(triggers)} triggers, and must have one")
    return Function(name=name, id=function_id, trigger=triggers[0], outputs=outputs, raw=bindings)


def _trigger(function: str, binding: Mapping[str, Any], settings: Settings) -> Trigger:
    parameter = binding["name"]
    match binding["type"]:
        case "httpTrigger":
            return HttpTrigger(
                parameter=parameter,
                route=resolve(binding.get("route") or function, settings).strip("/"),
                methods=frozenset(method.upper() for method in binding.get("methods", ())),
                level=Level(binding.get("authLevel", Level.FUNCTION)),
            )
        case "eventGridTrigger":
            return EventGridTrigger(parameter=parameter)
        case "queueTrigger":
            return QueueTrigger(
                parameter=parameter,
                queue=resolve(binding["queueName"], settings),
                connection=_connection(binding),
            )
        case "timerTrigger":
            schedule = Schedule.parse(resolve(binding["schedule"], settings))
            return TimerTrigger(
                parameter=parameter,
                schedule=schedule,
                run_on_startup=bool(binding.get("runOnStartup", False)),
                use_monitor=bool(binding.get("useMonitor", True)),
            )
        case other:
            raise HostError(
                f"'{other}' is no binding of this host, which knows http, eventGrid, queue and timer"
            )


def _connection(binding: Mapping[str, Any]) -> str:
    return binding.get("connection") or "AzureWebJobsStorage"
