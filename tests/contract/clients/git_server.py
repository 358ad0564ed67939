"""Git servers for one test: real repositories behind real `git http-backend`, over TLS as others have it.

Each is a host of its own: an address with another port.
"""

import base64
import os
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

from tests.contract.clients import http_backend
from tests.contract.clients.http_backend import GIT

WHO = {f"GIT_{role}_{part}": "test" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
NEVER = "1" * 40
ADVERTISED = "application/x-git-upload-pack-advertisement"
RESULT = "application/x-git-upload-pack-result"

type Answer = tuple[int, Mapping[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    authorization: str | None
    cookie: str | None


@dataclass
class GitServer:
    root: Path
    host: str = ""
    scheme: str = "https"
    speaks: int = 2
    """0: what asks for a newer protocol is not understood."""
    credential: tuple[str, str] | None = None
    """What it asks for."""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    laid: dict[str, Answer] = field(default_factory=dict)
    """In place of Git's answer, by method and path."""
    twist: Callable[[bytes], bytes] = lambda content: content
    """What becomes of an answer to a POST on its way."""
    lock: Lock = field(default_factory=Lock)

    def url(self, name: str) -> str:
        return f"{self.scheme}://{self.host}/{name}.git"

    def repository(self, name: str, *, object_format: str = "sha1") -> "Repository":
        """A new one, empty, whose server filters."""
        where = self.root / f"{name}.git"
        where.mkdir(parents=True)
        made = Repository(where)
        made.git("init", "-q", "--bare", "--initial-branch=main", f"--object-format={object_format}")
        made.git("config", "uploadpack.allowFilter", "true")
        return made

    @property
    def posts(self) -> list[Asked]:
        return [one for one in self.asked if one.method == "POST"]

    def answer(self, method: str, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        path = address.partition("?")[0]
        with self.lock:
            said = headers.get("Authorization")
            self.asked.append(Asked(method, path, said, headers.get("Cookie")))
        if (laid := self.laid.get(f"{method} {path}")) is not None:
            return laid
        if self.credential and said != basic(*self.credential):
            return 401, {"WWW-Authenticate": "Basic realm=git"}, b"who are you?"
        passed = {
            "Content-Type": headers.get("Content-Type"),
            "Git-Protocol": headers.get("Git-Protocol") if self.speaks == 2 else None,
        }
        status, told, content = http_backend.answer(self.root, method, address, body, passed)
        return status, told, self.twist(content) if method == "POST" else content


@dataclass(frozen=True, slots=True)
class Repository:
    where: Path

    def git(self, *command: str, given: bytes = b"", index: Path | None = None) -> str:
        ended = subprocess.run(  # noqa: S603 (git, in a repository of the test's own)
            ["git", *command],  # noqa: S607
            cwd=self.where,
            input=given,
            capture_output=True,
            check=True,
            timeout=30,
            env={**os.environ, **GIT, **WHO, "GIT_INDEX_FILE": str(index or self.where / "no-index")},
        )
        return ended.stdout.decode().strip()

    def commit(
        self, files: Mapping[str, bytes], *, links: Mapping[str, str] | None = None, on: str | None = "main"
    ) -> str:
        """Upon the branch, which is made where there is none; on None, a commit that no branch leads to,
        upon main. `links`: commits of submodules by path.
        """
        index = self.where / "test-index"
        for path, content in files.items():
            blob = self.git("hash-object", "-w", "--stdin", given=content)
            self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", index=index)
        for path, pin in (links or {}).items():
            self.git("update-index", "--add", "--cacheinfo", f"160000,{pin},{path}", index=index)
        tree = self.git("write-tree", index=index)
        index.unlink(missing_ok=True)
        tip = self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{on or 'main'}")
        made = self.git("commit-tree", tree, "-m", "change", *(("-p", tip) if tip else ()))
        if on:
            self.git("update-ref", f"refs/heads/{on}", made)
        return made


def basic(username: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"


def pkt(data: bytes) -> bytes:
    return b"%04x%b" % (len(data) + 4, data)


@contextmanager
def running(root: Path, tls: ssl.SSLContext | None) -> Iterator[GitServer]:
    """tls: None is the plain HTTP of what stands in for GitHub."""
    git = GitServer(root, scheme="https" if tls else "http")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            with git.lock:
                git.connections += 1

        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, content = git.answer(self.command, self.path, body, dict(self.headers.items()))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do  # noqa: N815 (the base class's names)

        def log_message(self, *_: object) -> None:
            """A test's output is its own."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            """A client may hang up whenever it has enough."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    git.host = f"127.0.0.1:{server.server_port}"
    try:
        yield git
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
