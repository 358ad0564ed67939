"""A loopback relay in front of a storage service, which a test can cut, or stop at one request."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal

from sandbox.listening import free_socket, port_of

CHUNK: Final = 65536

type Side = Literal["request", "answer"]


@dataclass(frozen=True, slots=True)
class Hold:
    """The first request that bears the marker gets no further, or its answer does not."""

    marker: bytes
    side: Side
    reached: threading.Event = field(default_factory=threading.Event)


class Relay:
    """Passes bytes on between a port of its own and the target's, on any number of connections."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = free_socket()
        self.port: Final = port_of(self._listener)
        self._connections: set[socket.socket] = set()
        self._hold: Hold | None = None
        self._listen()

    def cut(self) -> None:
        """Close every connection, and refuse new ones until `mend`."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._hold = None
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listen()

    def hold(self, marker: str, side: Side) -> threading.Event:
        """Keep the first request with that text, or its answer, for ever. Set once that has happened."""
        self._hold = Hold(marker.encode(), side)
        return self._hold.reached

    def _listen(self) -> None:
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._connections |= {near, far}
                held = threading.Event()
                self._pump(near, far, partial(self._may_pass, held))
                self._pump(far, near, partial(_unless, held))

    def _may_pass(self, held: threading.Event, chunk: bytes) -> bool:
        """Of a piece of a request. SDKs send the body in one piece, so no marker is cut in two."""
        hold = self._hold
        if hold is None or hold.marker not in chunk:
            return not held.is_set()
        self._hold = None
        held.set()
        hold.reached.set()
        return hold.side == "answer"

    def _pump(self, source: socket.socket, sink: socket.socket, passes: Callable[[bytes], bool]) -> None:
        def pump() -> None:
            with suppress(OSError):
                while chunk := source.recv(CHUNK):
                    if passes(chunk):
                        sink.sendall(chunk)
            for end in (source, sink):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                self._connections.discard(end)

        threading.Thread(target=pump, daemon=True).start()


def _unless(held: threading.Event, _: bytes) -> bool:
    return not held.is_set()


@dataclass(frozen=True, slots=True)
class Relays:
    """All three services of a storage account, by way of relays."""

    storage: str = field(repr=False)
    """The connection string that leads through them."""
    blob: Relay
    queue: Relay
    table: Relay

    def cut(self) -> None:
        for relay in (self.blob, self.queue, self.table):
            relay.cut()

    def mend(self) -> None:
        for relay in (self.blob, self.queue, self.table):
            relay.mend()


@contextmanager
def relays(storage: str) -> Iterator[Relays]:
    """In front of the account of that connection string."""
    made: dict[str, Relay] = {}

    def by_way_of(found: re.Match[str]) -> str:
        relay = made[found["service"]] = Relay(int(found["port"]))
        return f"{found['service']}Endpoint=http://127.0.0.1:{relay.port}"

    led = re.sub(r"(?P<service>\w+)Endpoint=http://127\.0\.0\.1:(?P<port>\d+)", by_way_of, storage)
    account = Relays(led, made["Blob"], made["Queue"], made["Table"])
    try:
        yield account
    finally:
        account.cut()
