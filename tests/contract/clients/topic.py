"""An Event Grid topic on loopback, with a CA of its own. Remembers what it is told."""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import trustme


class Topic(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, directory: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        ca = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("127.0.0.1").configure_cert(context)
        self.ca = directory / "topic-ca.pem"
        ca.cert_pem.write_to_path(str(self.ca))
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.endpoint = f"https://127.0.0.1:{self.server_port}/api/events"
        self.answer: tuple[int, Mapping[str, str]] = (200, {})
        self.requests: list[tuple[str, Mapping[str, str]]] = []
        self.events: list[dict[str, Any]] = []

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
    server: Topic

    def do_POST(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        self.server.events += json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, headers = self.server.answer
        self.send_response_only(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()
