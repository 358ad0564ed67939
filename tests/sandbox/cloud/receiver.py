"""An HTTP endpoint that Event Grid delivers to, with answers that the test chooses."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

type Json = dict[str, Any]

PATIENCE = 20.0


@dataclass(frozen=True)
class Received:
    method: str
    headers: dict[str, str]
    """Names in lower case."""
    body: Any


@dataclass
class Receiver:
    url: str
    answers: list[int] = field(default_factory=list)
    """Statuses of the next notifications; 200 when there is none left."""
    validates: bool = True
    received: list[Received] = field(default_factory=list)

    def notifications(self) -> list[Received]:
        return [one for one in self.received if one.headers.get("aeg-event-type") == "Notification"]

    def events(self) -> list[Json]:
        bodies = [one.body for one in self.notifications()]
        return [body[0] if isinstance(body, list) else body for body in bodies]

    def wait_for(self, enough: Callable[["Receiver"], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not enough(self):
            assert time.monotonic() < deadline, f"received only {[one.body for one in self.received]}"
            time.sleep(0.02)

    def answer(self, received: Received) -> tuple[int, Json, dict[str, str]]:
        self.received.append(received)
        if received.method == "OPTIONS":
            origin = received.headers["webhook-request-origin"]
            return 200, {}, {"WebHook-Allowed-Origin": origin if self.validates else "nobody"}
        if received.headers.get("aeg-event-type") == "SubscriptionValidation":
            code = received.body[0]["data"]["validationCode"] if self.validates else "wrong"
            return 200, {"validationResponse": code}, {}
        return self.answers.pop(0) if self.answers else 200, {}, {}


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on a free loopback port, for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            text = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.command, headers, json.loads(text) if text else None)
            status, body, answered = held.answer(received)
            self.send_response(status)
            for name, value in answered.items():
                self.send_header(name, value)
            # A 204 has no body: https://www.rfc-editor.org/rfc/rfc9110#name-204-no-content
            data = b"" if status == 204 else json.dumps(body).encode()
            if data:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_OPTIONS = do_POST  # noqa: N815 (the base class looks it up by this name)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it)
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held = Receiver(f"http://127.0.0.1:{server.server_port}/hook?code=secret")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
