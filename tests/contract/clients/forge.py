"""A GitHub for one test: real Git behind smart HTTP, and a REST API that answers what the test lays out.

Only what the clients send and understand is at stake here, not what GitHub does with it.
"""

import base64
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.contract.clients import http_backend
from tests.contract.clients.http_backend import GIT

WHO = [f"GIT_{role}_{part}=test" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any = None
    """Sent as JSON; bytes as they are."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        match self.body:
            case None:
                return b""
            case bytes(raw):
                return raw
            case body:
                return json.dumps(body).encode()


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class Forge:
    root: Path
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """By method and path; of several the next each time, the last one stays."""
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    token: str | None = None
    """What private repositories ask for."""

    def repository(
        self, name: str, files: Mapping[str, bytes], branch: str = "main", message: str = "files"
    ) -> str:
        """A commit with the files on that branch; answers its id."""
        where = self.root / f"{name}.git"
        where.mkdir(parents=True, exist_ok=True)
        self._git(where, "init", "-q", "--bare")
        index = self.root / "index"
        for path, content in files.items():
            blob = self._git(where, "hash-object", "-w", "--stdin", given=content)
            self._git(where, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", index=index)
        tree = self._git(where, "write-tree", index=index)
        index.unlink(missing_ok=True)
        commit = self._git(where, "commit-tree", tree, "-m", message)
        self._git(where, "update-ref", f"refs/heads/{branch}", commit)
        return commit

    def _git(self, where: Path, *command: str, given: bytes = b"", index: Path = Path(os.devnull)) -> str:
        who = dict(one.split("=") for one in WHO)
        ended = subprocess.run(  # noqa: S603 (git, in a repository of the test's own)
            ["git", *command],  # noqa: S607
            cwd=where,
            input=given,
            capture_output=True,
            check=True,
            timeout=30,
            env={**os.environ, **GIT, **who, "GIT_INDEX_FILE": str(index)},
        )
        return ended.stdout.decode().strip()

    def lay(self, method: str, path: str, *answers: Answer) -> None:
        self.answers[f"{method} {path}"] = list(answers)


@contextmanager
def running(root: Path) -> Iterator[Forge]:
    forge = Forge(root)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if url.path.startswith("/api/"):
                self._api(url.path.removeprefix("/api/"), dict(parse_qsl(url.query)), body)
            else:
                self._git(body)

        do_GET = do_POST = do_PUT = do_PATCH = do  # noqa: N815 (the base class's names)

        def _api(self, path: str, query: dict[str, str], body: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            sent = json.loads(body) if body else None
            forge.asked.append(Asked(self.command, path, query, headers, sent))
            laid = forge.answers.get(f"{self.command} {path}", [Answer(404, {"message": "Not Found"})])
            answer = laid.pop(0) if len(laid) > 1 else laid[0]
            self._send(answer.status, answer.content, answer.headers)

        def _git(self, body: bytes) -> None:
            who = base64.b64encode(f"x-access-token:{forge.token}".encode()).decode()
            if forge.token and self.headers.get("Authorization") != f"Basic {who}":
                self._send(404 if self.headers.get("Authorization") else 401, b"", {})
                return
            headers = {name: self.headers.get(name) for name in ("Content-Type", "Git-Protocol")}
            status, told, content = http_backend.answer(forge.root, self.command, self.path, body, headers)
            self._send(status, content, told)

        def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """A test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    forge.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
