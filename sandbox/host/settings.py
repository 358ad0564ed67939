"""What host.json and the app settings say, in units: times are timedeltas, `-1` is None."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from sandbox.host.errors import HostError

type Settings = Mapping[str, str]

_TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,7}))?")
_PLACEHOLDER = re.compile(r"%([^%]+)%")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOptions:
    """`extensions.queues`. https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue"""

    batch_size: int = 16
    new_batch_threshold: int = field(default_factory=lambda: 8 * (os.cpu_count() or 1))
    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta(0)
    """How long a message stays away after a failed run."""
    max_polling_interval: timedelta = timedelta(minutes=1)
    base64: bool = True

    @classmethod
    def parse(cls, section: Mapping[str, Any]) -> Self:
        """Raises HostError."""
        batch = _number(section, "batchSize", 16, 1, 32)
        encoding = str(section.get("messageEncoding", "base64")).lower()
        if encoding not in ("base64", "none"):
            raise HostError(f'host.json: messageEncoding is "base64" or "none", not "{encoding}"')
        longest = timespan("maxPollingInterval", section.get("maxPollingInterval", "00:01:00"))
        if longest < timedelta(milliseconds=100):
            raise HostError("host.json: maxPollingInterval is at least 00:00:00.100")
        return cls(
            batch_size=batch,
            new_batch_threshold=_number(section, "newBatchThreshold", batch // 2 * (os.cpu_count() or 1), 0),
            max_dequeue_count=_number(section, "maxDequeueCount", 5, 1),
            visibility_timeout=timespan("visibilityTimeout", section.get("visibilityTimeout", "00:00:00")),
            max_polling_interval=longest,
            base64=encoding == "base64",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HostJson:
    """The parts of host.json that this host acts on."""

    route_prefix: str = "api"
    function_timeout: timedelta | None = timedelta(minutes=30)
    """None is unbounded. The default is that of the Flex Consumption plan."""
    queues: QueueOptions = field(default_factory=QueueOptions)

    @classmethod
    def read(cls, app: Path) -> Self:
        """Raises HostError when host.json is absent, unreadable, or holds a value out of range."""
        document = _object(app / "host.json")
        if document.get("version") != "2.0":
            raise HostError(f'{app / "host.json"}: "version" must be "2.0"')
        extensions = document.get("extensions", {})
        timeout = document.get("functionTimeout", "00:30:00")
        return cls(
            route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
            function_timeout=None if timeout == "-1" else timespan("functionTimeout", timeout),
            queues=QueueOptions.parse(extensions.get("queues", {})),
        )


def load_local_settings(app: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """`Values` of local.settings.json that the environment does not set. Empty without the file."""
    path = app / "local.settings.json"
    if not path.exists():
        return {}
    values = _object(path).get("Values", {})
    return {name: str(value) for name, value in values.items() if name not in environment}


def resolve(text: str, settings: Settings) -> str:
    """Replace each `%NAME%` by that app setting. Raises HostError when one is not set."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in settings:
            raise HostError(f"'{text}' names the app setting {name}, which is not set")
        return settings[name]

    return _PLACEHOLDER.sub(value, text)


def timespan(name: str, text: object) -> timedelta:
    """Read .NET's `[d.]hh:mm:ss[.fffffff]`. Raises HostError, naming the setting."""
    match = _TIMESPAN.fullmatch(str(text))
    if match is None:
        raise HostError(f"host.json: {name} is written hh:mm:ss, not '{text}'")
    days, hours, minutes, seconds, fraction = match.groups(default="0")
    return timedelta(
        days=int(days),
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds),
        microseconds=int(fraction.ljust(6, "0")[:6]),
    )


def _number(section: Mapping[str, Any], name: str, default: int, least: int, most: int | None = None) -> int:
    value = section.get(name, default)
    if not isinstance(value, int) or value < least or (most is not None and value > most):
        limits = f"at least {least}" if most is None else f"{least} to {most}"
        raise HostError(f"host.json: {name} is a whole number, {limits}; not {value!r}")
    return value


def _object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise HostError(f"{path} is missing: a function app has one beside function_app.py") from error
    except ValueError as error:
        raise HostError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise HostError(f"{path} must hold one JSON object")
    return document
