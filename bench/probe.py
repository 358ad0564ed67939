"""A thousand commits of submodules looked at, against the schedule's bound and the plainest client.

Real git makes the answers once; a process of its own gives them again, each as late as a server far away.
What is measured is our side: the protocol, HTTP, and the threads that wait side by side.
"""

import asyncio
import http.client
import multiprocessing
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from threading import local
from typing import Final

from bench.measure import Line, Timed, ms, race
from shared.clients.git_remotes import GitRemotes, Standing
from shared.model import Known
from shared.settings import Settings

COMMITS: Final = 1000
THREADS: Final = 16
LATENCY: Final = 0.05
"""Seconds."""
ROUNDS: Final = 3
TARGET_RATIO: Final = 1.2
URL: Final = "https://github.com/bench/backlog.git"

_PATH: Final = "/bench/backlog.git/git-upload-pack"
_REQUEST: Final = "application/x-git-upload-pack-request"
_HEADERS: Final = {"Content-Type": _REQUEST, "Git-Protocol": "version=2"}


def lines() -> list[Line]:
    with tempfile.TemporaryDirectory(prefix="reconverge-bench-") as folder:
        git = _Git(Path(folder))
        commit, tip = git.history()
        ask = git.probe(commit, tip)
        answers = [git.answer(b""), git.answer(git.list_refs), git.answer(ask)]
    with _serving(answers) as port:
        ours = _ours(port, commit)
        found = race(ours, _plainest(port, ask), rounds=ROUNDS)
    bound = COMMITS * LATENCY / THREADS
    what = f"{COMMITS} commits looked at, {THREADS} at a time"
    return [
        Line(
            what=f"{what}, over the plainest client",
            measured=ms(found.one),
            against=f"the same POSTs by http.client: {ms(found.other)}",
            ratio=found.ratio,
            target=TARGET_RATIO,
        ),
        Line(
            what=f"{what}, over the bound",
            measured=ms(found.one),
            against=f"{ms(LATENCY)} of latency a call: {ms(bound)}",
            ratio=found.one / bound,
            note=f"fastest {ms(found.fastest)}",
        ),
    ]


def _ours(port: int, commit: str) -> Timed:
    """Connections are open before the first round, as in a process that has looked before."""
    client = GitRemotes(replace(Settings.from_environment({}), github_url=f"http://127.0.0.1:{port}"))
    refs = client.refs(URL)
    if not isinstance(refs, Known):
        raise RuntimeError(f"the server cannot be asked: {refs}")  # noqa: TRY004 (no type is at fault)

    def look() -> None:
        found = client.standing(URL, commit, refs.value)
        if found != Known(Standing.REFERENCED):
            raise RuntimeError(f"the commit is not seen: {found}")

    return _side_by_side(look)


def _plainest(port: int, body: bytes) -> Timed:
    """Ready requests on open connections; the answers are dropped."""
    mine = local()

    def look() -> None:
        if not hasattr(mine, "connection"):
            mine.connection = http.client.HTTPConnection("127.0.0.1", port)
        mine.connection.request("POST", _PATH, body, _HEADERS)
        mine.connection.getresponse().read()

    return _side_by_side(look)


def _side_by_side(look: Callable[[], None]) -> Timed:
    pool = ThreadPoolExecutor(THREADS)

    def run() -> float:
        begun = time.perf_counter()
        for done in [pool.submit(look) for _ in range(COMMITS)]:
            done.result()
        return time.perf_counter() - begun

    run()
    return run


# -- the server -----------------------------------------------------------------------------------


class _Git:
    """One repository, and what `git http-backend` answers for it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._where = root / "bench" / "backlog.git"
        self._where.mkdir(parents=True)
        self.list_refs: Final = _packets("command=ls-refs", None, "peel", "ref-prefix refs/")

    def history(self) -> tuple[str, str]:
        """A commit in the middle, and the tip."""
        self._git("init", "-q", "--bare", "--initial-branch=main")
        self._git("config", "uploadpack.allowFilter", "true")
        commits = [
            f"commit refs/heads/main\ncommitter b <b> {number} +0000\ndata 1\nx\n\n" for number in range(100)
        ]
        self._git("fast-import", "--quiet", given="".join(commits).encode())
        tip, *older = self._git("rev-list", "main").decode().split()
        return older[50], tip

    def probe(self, commit: str, tip: str) -> bytes:
        wanted = ("no-progress", "filter tree:0", f"want {commit}", f"have {tip}", "done")
        return _packets("command=fetch", None, *wanted)

    def answer(self, body: bytes) -> tuple[bytes, bytes]:
        """Type and content; to the first request of all where there is no body."""
        service = "git-upload-pack"
        asked = {
            "GIT_PROJECT_ROOT": str(self._root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": "version=2",
            "PATH_INFO": f"/bench/backlog.git/{service if body else 'info/refs'}",
            "QUERY_STRING": "" if body else f"service={service}",
            "REQUEST_METHOD": "POST" if body else "GET",
            "CONTENT_TYPE": _REQUEST,
        }
        head, _, content = self._git("http-backend", given=body, **asked).partition(b"\r\n\r\n")
        kind = next(line for line in head.splitlines() if line.startswith(b"Content-Type"))
        return kind, content

    def _git(self, *command: str, given: bytes = b"", **variables: str) -> bytes:
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(  # noqa: S603 (git, in a folder of our own)
            ["git", *command],  # noqa: S607
            cwd=self._where,
            env={**os.environ, **alone, **variables},
            input=given,
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout


def _packets(*lines: str | None) -> bytes:
    """None is the delimiter; a flush ends them."""
    coded = (b"0001" if one is None else b"%04x%b\n" % (len(one) + 5, one.encode()) for one in lines)
    return b"".join(coded) + b"0000"


@contextmanager
def _serving(answers: list[tuple[bytes, bytes]]) -> Iterator[int]:
    """To the first request of all, to a list of refs, and to a probe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, answers), daemon=True)
    process.start()
    try:
        yield int(ours.recv())
    finally:
        process.terminate()
        process.join(30)


def _serve(told: Connection, answers: list[tuple[bytes, bytes]]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
                body = await reader.readexactly(int(length or 0))
                kind, content = answers[2 if b"command=fetch" in body else 1 if body else 0]
                await asyncio.sleep(LATENCY)
                writer.write(b"HTTP/1.1 200 OK\r\n%b\r\nContent-Length: %d\r\n\r\n" % (kind, len(content)))
                writer.write(content)
        except asyncio.IncompleteReadError:
            writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())
