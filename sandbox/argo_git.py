"""The working copy that Argo CD's repo-server keeps of a repository: real git, in Argo CD's own order.

What goes wrong is told in git's own words, wrapped as Argo CD wraps them. Where a submodule's commit is
missing, the text therefore names the fallback, FETCH_HEAD, and not the revision that was asked for.
https://github.com/argoproj/argo-cd/blob/master/util/git/client.go
https://github.com/argoproj/argo-cd/blob/master/reposerver/repository/repository.go (checkoutRevision)
"""

import asyncio
import base64
import contextlib
import os
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from sandbox import git_repository

GITHUB: Final = "https://github.com/"
"""Where Applications say that repositories are."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
HIDDEN: Final = "<path to cached source>"
_ORIGIN: Final = """\
[remote "origin"]
    url = {url}
    fetch = +refs/heads/*:refs/remotes/origin/*
"""


class GitRefused(Exception):
    """The text is what Argo CD tells of it."""


class Access:
    """How git gets at the forge in GitHub's place, once there is one. Nothing of it stands in an address."""

    def __init__(self) -> None:
        self._variables: Mapping[str, str] = {}
        self._opened = asyncio.Event()

    def open(self, url: str, ca: Path, token: str) -> None:
        basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        settings = {
            f"url.{url}/.insteadOf": GITHUB,
            f"http.{url}/.extraHeader": f"Authorization: Basic {basic}",
            "http.sslCAInfo": str(ca),
            # A fetch would leave a process behind that nobody stops.
            "gc.auto": "0",
            "maintenance.auto": "false",
        }
        self._variables = {
            **git_repository.environment(),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": str(len(settings)),
            **{f"GIT_CONFIG_KEY_{number}": name for number, name in enumerate(settings)},
            **{f"GIT_CONFIG_VALUE_{number}": value for number, value in enumerate(settings.values())},
        }
        self._opened.set()

    async def environment(self) -> Mapping[str, str]:
        """Waits until there is a forge."""
        await self._opened.wait()
        return self._variables


class WorkingCopy:
    """One caller at a time: a checkout changes what the others would read."""

    def __init__(self, path: Path, url: str, access: Access, patience: Callable[[], float]) -> None:
        """patience: seconds that a call of git may take"""
        self.path = path
        self._url = url
        self._access = access
        self._patience = patience

    async def resolve(self, revision: str) -> str:
        """The commit that a branch, a tag or a full commit id stands for now. Raises GitRefused."""
        if _COMMIT.fullmatch(revision):
            return revision
        self.path.mkdir(parents=True, exist_ok=True)
        names = (revision, f"refs/heads/{revision}", f"refs/tags/{revision}")
        try:
            listed = await self._git("ls-remote", self._url, *names)
        except GitRefused as refused:
            raise GitRefused(f"failed to list refs: {refused}") from None
        refs = {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}
        found = next((refs[name] for name in names if name in refs), None)
        if found is None:
            raise GitRefused(f"unable to resolve '{revision}' to a commit SHA")
        return found

    async def check_out(self, commit: str) -> None:
        """Bring the files of the commit here, and those of its submodules. Raises GitRefused."""
        await self._begin()
        if not await self._has(commit):
            try:
                await self._fetch()
            except GitRefused as refused:
                raise GitRefused(f"Failed to fetch default: {refused}") from None
        try:
            await self._switch(commit)
        except GitRefused:
            await self._fall_back(commit)

    async def _fall_back(self, commit: str) -> None:
        """What no branch leads to is asked for by its id."""
        try:
            await self._fetch(commit)
        except GitRefused as refused:
            raise GitRefused(f"Failed to checkout revision {commit}: {refused}") from None
        try:
            await self._switch("FETCH_HEAD")
        except GitRefused as refused:
            raise GitRefused(f"Failed to checkout FETCH_HEAD: {refused}") from None

    async def _begin(self) -> None:
        if not (self.path / ".git").exists():
            self.path.mkdir(parents=True, exist_ok=True)
            await self._git("init", "--quiet", "--template=")
            with (self.path / ".git" / "config").open("a", encoding="utf-8") as config:
                config.write(_ORIGIN.format(url=self._url))

    async def _has(self, commit: str) -> bool:
        try:
            await self._git("cat-file", "-e", f"{commit}^{{commit}}")
        except GitRefused:
            return False
        return True

    async def _fetch(self, *commit: str) -> None:
        await self._git("fetch", "origin", *commit, "--tags", "--force", "--prune")

    async def _switch(self, revision: str) -> None:
        try:
            await self._git("checkout", "--force", revision)
        except GitRefused as refused:
            raise GitRefused(f"failed to checkout {revision}: {refused}") from None
        if (self.path / ".gitmodules").exists():
            try:
                await self._git("submodule", "sync", "--recursive")
                await self._git("submodule", "update", "--init", "--recursive")
            except GitRefused as refused:
                raise GitRefused(f"failed to update submodules: {refused}") from None

    async def _git(self, *command: str) -> str:
        """What it prints. Raises GitRefused when it fails, or takes too long."""
        said = f"`git {' '.join(command)}` failed"
        process = await asyncio.create_subprocess_exec(
            "git",
            *command,
            cwd=self.path,
            env=await self._access.environment(),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
        patience = self._patience()
        try:
            output, errors = await asyncio.wait_for(process.communicate(), patience)
        except TimeoutError:
            raise GitRefused(f"{said} timeout after {_duration(patience)}") from None
        finally:
            await _end(process)
        if process.returncode:
            why = errors.decode(errors="replace").strip().replace(str(self.path), HIDDEN)
            raise GitRefused(f"{said} exit status {process.returncode}: {why}")
        return output.decode(errors="replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    """With the children that git has made: they are a session of their own."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _duration(seconds: float) -> str:
    """As Go writes it: 1m30s."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{rest:g}s" if minutes else f"{rest:g}s"
