"""Small web servers over TLS that answer what a test tells them to, and remember what they were asked."""

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import trustme


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    """With its query, as it came."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None
    """Length that is told, where the body is shorter."""
    trickles: bool = False
    """Byte after byte without an end."""


def told(body: object, status: int = 200, **headers: str) -> Reply:
    """JSON. Names of headers with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json", **named})


def sent_to(location: str, status: int = 302, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, headers={"Location": location, **named})


type Answer = Reply | Callable[[Asked], Reply]


@dataclass(slots=True)
class Site:
    origin: str
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    """By method and path without its query."""
    asked: list[Asked] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)

    def on(self, path: str, answer: Answer, method: str = "GET") -> None:
        self.answers[method, path] = answer

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        path = urlsplit(asked.path).path
        found = self.answers.get((asked.method, path), Reply(404, b"no such page"))
        return found if isinstance(found, Reply) else found(asked)

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.asked]


@contextmanager
def running(ca: trustme.CA, host: str = "127.0.0.1") -> Iterator[Site]:
    """host: what its certificate is for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(host).configure_cert(context)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): text for name, text in self.headers.items()}
            reply = site.answer(Asked(self.command, self.path, headers, self.rfile.read(length)))
            self.send_response(reply.status)
            for name, text in reply.headers.items():
                self.send_header(name, text)
            promised = len(reply.body) if reply.promised is None else reply.promised
            self.send_header("Content-Length", str(10**9 if reply.trickles else promised))
            self.end_headers()
            self.wfile.write(reply.body)
            while reply.trickles and not site.stopped.wait(0.02):
                self.wfile.write(b"x")

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 (names of the base class)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (a name of the base class)
            pass

    class Server(ThreadingHTTPServer):
        def finish_request(self, request: Any, client_address: Any) -> None:
            # Here, in the connection's own thread: whoever never begins to speak holds nobody up.
            request.settimeout(10)
            super().finish_request(context.wrap_socket(request, server_side=True), client_address)

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # whoever was asked something else hangs up

    server = Server(("127.0.0.1", 0), Handler)
    site = Site(f"https://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
