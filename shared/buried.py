"""Messages that no worker could finish, kept until somebody replays them.

The bodies are ours (a signal, a target's name), already free of anything an event said about people.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.columns import joined, spread
from shared.model import Clock
from shared.ports import Conflict, Key, Messages, Rows

TABLE: Final = "buried"
PARTITION: Final = "messages"


@dataclass(frozen=True, slots=True)
class BuriedMessage:
    digest: str
    queue: str
    text: str
    at: datetime


def digest_of(queue: str, text: str) -> str:
    """What a message is known by. Equal messages of one queue are one."""
    return hashlib.sha256(f"{queue}\n{text}".encode()).hexdigest()[:32]


class Buried:
    def __init__(self, rows: Rows, messages: Messages, clock: Clock) -> None:
        self._rows = rows
        self._messages = messages
        self._clock = clock

    def keep(self, queue: str, text: str) -> str:
        """Answers the message's digest; the same message twice is kept once."""
        digest = digest_of(queue, text)
        with suppress(Conflict):
            self._rows.insert(
                TABLE, Key(PARTITION, digest), {"queue": queue, "at": self._clock(), **spread("text", text)}
            )
        return digest

    def holds(self, digest: str) -> bool:
        return self._rows.get(TABLE, Key(PARTITION, digest)) is not None

    def all(self) -> Iterator[BuriedMessage]:
        for stored in self._rows.query(TABLE, PARTITION):
            at = stored.values["at"]
            if isinstance(at, datetime):
                yield BuriedMessage(
                    stored.key.row, str(stored.values["queue"]), joined("text", stored.values), at
                )

    def replay(self, digests: tuple[str, ...]) -> tuple[str, ...]:
        """Send the named messages (none named: all) to their queues again. Sent before it is forgotten: a
        message twice does no harm, a message lost would."""
        replayed = []
        for message in list(self.all()):
            if digests and not message.digest.startswith(digests):
                continue
            self._messages.send(message.queue, message.text)
            stored = self._rows.get(TABLE, Key(PARTITION, message.digest))
            if stored is not None:
                with suppress(Conflict):
                    self._rows.delete(stored)
            replayed.append(message.digest)
        return tuple(replayed)
