"""A forge for a module of tests, served as the sandbox serves it but for TLS, and what to lay there."""

import asyncio
import os
import subprocess
import uuid
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import requests
from aiohttp import web

from sandbox import github
from sandbox.dials import Dials
from sandbox.forge import Forge
from sandbox.forge_records import Hosted, Level, Permission
from sandbox.listening import free_socket, port_of, serve
from sandbox.timeline import utc_now

EVERYTHING: Mapping[Permission, Level] = {
    "contents": "write",
    "pull_requests": "write",
    "issues": "write",
    "actions": "write",
}
PATIENCE = 30.0
BIG = 4 * 1024 * 1024


@dataclass
class Served:
    forge: Forge
    url: str
    loop: asyncio.AbstractEventLoop

    def do[T](self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def lay(self, files: Mapping[str, str], **how: Any) -> "Place":
        """A new repository, and a token that may do everything in it."""
        name = f"ameideio/{uuid.uuid4().hex[:12]}"
        self.do(self.forge.create(name, files, **how))
        return Place(self, name, self.forge.issue("mona", {name: EVERYTHING}))


@dataclass
class Place:
    served: Served
    name: str
    token: str = field(repr=False)

    @property
    def page(self) -> str:
        """As landscapes have it."""
        return f"https://github.com/{self.name}.git"

    @property
    def owner(self) -> str:
        return self.name.partition("/")[0]

    def allowed(self, **grants: Level) -> str:
        """A token with those permissions only."""
        held: Mapping[Any, Level] = grants
        return self.served.forge.issue("hubot", {self.name: held})

    def commit(self, branch: str, files: Mapping[str, str]) -> str:
        """On a branch, which comes from the main one where it is new."""
        if self.head(branch) is None:
            self.ask("POST", "git/refs", {"ref": f"refs/heads/{branch}", "sha": self.head()})
        return self.served.do(self.served.forge.commit(self.name, branch, files, "change"))

    def leave(self, files: Mapping[str, str]) -> str:
        """A commit upon the main branch that no branch leads to any more."""
        commit = self.commit("short-lived", files)
        self.ask("DELETE", "git/refs/heads/short-lived")
        return commit

    @property
    def hosted(self) -> Hosted:
        return self.served.forge.find(self.name)

    def head(self, branch: str = "main") -> str | None:
        return self.served.do(self.served.forge.head(self.name, branch))

    def text(self, path: str, branch: str = "main") -> str | None:
        return self.served.do(self.served.forge.read(self.name, branch, path))

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **options: Any
    ) -> requests.Response:
        """A raw call below the repository's address; without a token where that is empty."""
        token = self.token if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{self.served.url}/api/v3/repos/{self.name}{'/' if path else ''}{path}"
        headers |= options.pop("headers", {})
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, address, json=body, headers=headers, timeout=PATIENCE, **options)

    def remote(self, token: str | None = None, suffix: str = ".git") -> str:
        token = self.token if token is None else token
        who = f"x-access-token:{token}@" if token else ""
        return f"{self.served.url.replace('://', '://' + who)}/{self.name}{suffix}"


def git(*command: str, cwd: Path, code: int = 0, **variables: str) -> str:
    """Real git, on nobody's configuration. What it printed, errors last."""
    who = {f"GIT_{role}_{part}": "test" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    ended = subprocess.run(  # noqa: S603 (git, in a directory of the test's own)
        ["git", *command],  # noqa: S607
        cwd=cwd,
        env={
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **who,
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    return ended.stdout + ended.stderr


@contextmanager
def running(directory: Path, dials: Dials) -> Iterator[Served]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    socket = free_socket()
    url = f"http://127.0.0.1:{port_of(socket)}"
    served = Served(Forge(directory, dials, utc_now), url, loop)
    app = web.Application()
    app.add_routes(github.routes(served.forge, directory, url))
    runner = served.do(serve(app, socket))
    try:
        yield served
    finally:
        served.do(served.forge.stop())
        served.do(runner.cleanup())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
