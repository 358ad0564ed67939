"""A small API server over TLS that answers what a test tells it to, and remembers what it was asked.

Real servers and the sandbox's own are asked elsewhere; here stands what a cluster may answer on a bad day.
"""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import trustme
from azure.core.credentials import AccessToken

from shared.clients.managed_clusters import ApiServer


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class Answers:
    at: ApiServer
    answers: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    """By method and path: status and body. Whatever is not here is 404."""
    upcoming: dict[tuple[str, str], list[tuple[int, Any]]] = field(default_factory=dict)
    """What is answered before that, once each."""
    asked: list[Asked] = field(default_factory=list)

    def on(self, method: str, path: str, body: Any, status: int = 200) -> None:
        self.answers[method, path] = (status, body)

    def on_each(self, method: str, path: str, *bodies: Any) -> None:
        """A body for each request; one that tells of a failure has its status."""
        self.upcoming[method, path] = [(body.get("code", 200), body) for body in bodies]

    def next(self, method: str, path: str) -> tuple[int, Any]:
        if waiting := self.upcoming.get((method, path)):
            return waiting.pop(0)
        return self.answers.get((method, path), (404, "404 page not found"))


class Credential:
    """Stands in for the app's identity, for the one audience that AKS takes."""

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == ("6dae42f8-4368-4678-94ff-3960e28e3630/.default",)
        return AccessToken("entra-token", 2**31)


def status(code: int, reason: str) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}


@contextmanager
def running() -> Iterator[Answers]:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            sent = self.rfile.read(length)
            answers.asked.append(
                Asked(
                    self.command,
                    parts.path,
                    dict(parse_qsl(parts.query)),
                    dict(self.headers.items()),
                    json.loads(sent) if sent else None,
                )
            )
            code, body = answers.next(self.command, parts.path)
            content = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 (names of the base class)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (a name of the base class)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    address = f"https://127.0.0.1:{server.server_address[1]}"
    answers = Answers(ApiServer(address, ca.cert_pem.bytes().decode()))
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
