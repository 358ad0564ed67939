"""The app's keys, and what a request may do with the one it brings.

https://learn.microsoft.com/azure/azure-functions/function-keys-how-to
"""

import hmac
import json
import os
import secrets
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from aiohttp import web

from sandbox.host.errors import HostError

EVENT_GRID_KEY = "eventgrid_extension"


class Level(StrEnum):
    """What a function demands, as its binding spells it. The master key meets each of them."""

    ANONYMOUS = "ANONYMOUS"
    FUNCTION = "FUNCTION"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    master: str
    function: str
    system: dict[str, str]
    """By name; the Event Grid webhook asks for `eventgrid_extension`."""

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Read the file; where there is none, make random keys and keep them there for the owner only.

        Raises HostError when the file is there and unfit.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                master=document["master"], function=document["function"], system=dict(document["system"])
            )
        except FileNotFoundError:
            keys = cls.random()
            _write_private(path, keys)
            return keys
        except (ValueError, KeyError, TypeError) as error:
            raise HostError(
                f'{path} must hold {{"master", "function", "system": {{"{EVENT_GRID_KEY}"}}}}; '
                "delete it to get new keys"
            ) from error

    @classmethod
    def random(cls) -> Self:
        return cls(
            master=secrets.token_urlsafe(32),
            function=secrets.token_urlsafe(32),
            system={EVENT_GRID_KEY: secrets.token_urlsafe(32)},
        )

    def allow(self, request: web.Request, level: Level) -> bool:
        """Levels do not include each other: a system key opens no function."""
        key = presented_key(request)
        match level:
            case Level.ANONYMOUS:
                return True
            case Level.FUNCTION:
                return _same(key, self.master) or _same(key, self.function)
            case Level.ADMIN:
                return _same(key, self.master)

    def allow_system(self, request: web.Request, name: str) -> bool:
        key = presented_key(request)
        return _same(key, self.master) or _same(key, self.system.get(name, ""))


def presented_key(request: web.Request) -> str:
    """The header comes before `code`, even when its value is wrong. Empty when there is neither."""
    return request.headers.get("x-functions-key") or request.query.get("code", "")


def _same(one: str, other: str) -> bool:
    return bool(other) and hmac.compare_digest(one.encode(), other.encode())


def _write_private(path: Path, keys: Keys) -> None:
    document = {"master": keys.master, "function": keys.function, "system": keys.system}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2)
