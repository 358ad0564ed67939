"""A host in a process of its own, and what its test app saw."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import requests
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from tests.waiting import eventually

ROOT = Path(__file__).parents[3]
APP = Path(__file__).parent / "app"
YEARLY = "0 0 0 1 1 *"
PATIENCE = 30.0

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue of Azurite, with messages as the host writes them."""

    client: QueueClient

    @classmethod
    def named(cls, connection: str, name: str) -> Self:
        return cls(
            QueueClient.from_connection_string(
                connection,
                name,
                message_encode_policy=TextBase64EncodePolicy(),
                message_decode_policy=TextBase64DecodePolicy(),
            )
        )

    @classmethod
    def fresh(cls, connection: str) -> Self:
        queue = cls.named(connection, f"q{uuid.uuid4().hex}")
        queue.create()
        return queue

    @property
    def name(self) -> str:
        return self.client.queue_name

    def create(self) -> None:
        try:
            self.client.create_queue()
        except ResourceExistsError:
            return

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.client.send_message(body)

    def take(self) -> list[str]:
        """All that is visible, taken off the queue. None when there is no such queue."""
        try:
            messages = list(self.client.receive_messages(messages_per_page=32, visibility_timeout=60))
        except ResourceNotFoundError:
            return []
        for message in messages:
            self.client.delete_message(message)
        return [message.content for message in messages]

    def count(self) -> int:
        """Messages on it, visible or not."""
        return self.client.get_queue_properties().approximate_message_count or 0


@dataclass
class Seen:
    """What the app put on its queue, in the order of arrival."""

    queue: Queue
    entries: list[Any] = field(default_factory=list)

    def look(self) -> list[Any]:
        self.entries += [_parsed(body) for body in self.queue.take()]
        return self.entries

    def wait_for(self, wanted: Callable[[Any], bool]) -> Any:
        """The first entry that is wanted, once it is there."""
        return eventually(lambda: next((entry for entry in self.look() if wanted(entry)), None))


@dataclass
class RunningHost:
    """A host process and the URL and keys it was ready with."""

    process: subprocess.Popen[bytes]
    url: str
    keys: Json
    log: Path
    ready: Json

    @classmethod
    def start(cls, directory: Path, settings: Mapping[str, str], app: Path = APP) -> Self:
        ready, log = directory / "ready.json", directory / "host.log"
        environment = {
            **os.environ,
            "TICK": YEARLY,
            "SEEN": "seen",
            "WORK": "work",
            "RECONVERGE_HOST_KEYS": str(directory / "keys.json"),
            **settings,
        }
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 (our own command line)
                [sys.executable, "-m", "sandbox.host", "--app", str(app), "--ready", str(ready)],
                env=environment,
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )

        def announced() -> Json | None:
            assert process.poll() is None, log.read_text()
            return json.loads(ready.read_text()) if ready.exists() else None

        described = eventually(announced)
        keys = json.loads((directory / "keys.json").read_text())
        return cls(process, described["url"], keys, log, described)

    def stop(self) -> int:
        """Ask it to drain. The exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def call(self, method: str, path: str, **given: Any) -> requests.Response:
        return requests.request(method, self.url + path, timeout=PATIENCE, **given)

    def logged(self) -> list[Json]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body
