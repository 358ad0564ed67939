"""A loopback relay in front of a service, which loses or refuses what it is told to."""

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answered in place of the service, which is not asked."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


type Trick = Literal["pass", "lose-request", "lose-answer"] | Refusal


class Relay(ThreadingHTTPServer):
    """Plays the tricks of `script` on one request after the other, and then passes everything on."""

    daemon_threads = True

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.script: deque[Trick] = deque()
        self.seen: list[str] = []

    @contextmanager
    def running(self) -> Iterator[Self]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Relay

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(self.command)
        match self.server.script.popleft() if self.server.script else "pass":
            case "pass":
                self._answer(*self._forward(body))
            case "lose-answer":
                self._forward(body)
                self.close_connection = True
            case "lose-request":
                self.close_connection = True
            case Refusal(status, headers):
                self._answer(status, headers, b"")

    def _forward(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        upstream = HTTPConnection("127.0.0.1", self.server.target, timeout=10)
        upstream.request(self.command, self.path, body, dict(self.headers))
        response = upstream.getresponse()
        content = response.read()
        upstream.close()
        return response.status, dict(response.getheaders()), content

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
