"""A bare repository, worked on by git's own plumbing. Nothing waits for git without giving way.

Neither the user's nor the machine's configuration of git is read.
"""

import asyncio
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sandbox.git_records import FIELDS, Author, Change, Commit, Entry, read_commit, read_entry
from sandbox.timeline import Clock

HEADS: Final = "refs/heads/"
_NEVER: Final = "0" * 40
_HEX: Final = re.compile(r"[0-9a-f]{7,40}")
_SETTINGS: Final = """\
# As GitHub has it: commits that no branch points to can be fetched, and fetches be partial.
[uploadpack]
    allowTipSHA1InWant = true
    allowReachableSHA1InWant = true
    allowFilter = true
# Else a push would leave a process behind that nobody stops.
[receive]
    autogc = false
[gc]
    auto = 0
[sandbox]
"""
_UPDATE_HOOK: Final = """\
#!/bin/sh
for branch in $(git config --get-all sandbox.protected); do
    if [ "$1" = "refs/heads/$branch" ]; then
        echo "error: GH006: Protected branch update failed for $1." >&2
        echo "error: Changes must be made through a pull request." >&2
        exit 1
    fi
done
"""


class GitError(Exception):
    """git refused, or was asked for what is not there."""


def environment() -> dict[str, str]:
    """What a git of ours runs in."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C",
    }


class Repository:
    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock

    async def create(self, default_branch: str, protected: Sequence[str]) -> None:
        """Make it, empty. Pushes to protected branches are refused; what is written by this class is not."""
        self.path.mkdir(parents=True)
        await self._git("init", "-q", "--bare", f"--initial-branch={default_branch}", "--template=")
        with (self.path / "config").open("a", encoding="utf-8") as config:
            config.write(_SETTINGS)
            config.writelines(f'    protected = "{branch}"\n' for branch in protected)
        hook = self.path / "hooks" / "update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_UPDATE_HOOK, encoding="utf-8")
        hook.chmod(0o755)

    # -- reading ------------------------------------------------------------------------

    async def refs(self) -> dict[str, str]:
        """Object ids by full name."""
        listed = await self._git("for-each-ref", "--format=%(objectname) %(refname)")
        lines = (line.partition(" ") for line in listed.decode().splitlines())
        return {name: sha for sha, _, name in lines}

    async def heads(self) -> dict[str, str]:
        """Commits by branch."""
        refs = await self.refs()
        return {name.removeprefix(HEADS): sha for name, sha in refs.items() if name.startswith(HEADS)}

    async def commit_id(self, name: str) -> str | None:
        """The commit that a branch, a tag or a commit's id of seven characters or more stands for."""
        refs = await self.refs()
        found = next(
            (refs[full] for prefix in (HEADS, "refs/tags/", "refs/", "") if (full := prefix + name) in refs),
            None,
        )
        if found is None and _HEX.fullmatch(name):
            found = name
        if found is None:
            return None
        try:
            answer = await self._git("rev-parse", "--verify", "--quiet", f"{found}^{{commit}}")
        except GitError:
            return None
        return answer.decode().strip()

    async def kind(self, sha: str) -> str | None:
        """The type of that object; None where there is none."""
        try:
            return (await self._git("cat-file", "-t", sha)).decode().strip()
        except GitError:
            return None

    async def commits(self, *revisions: str, limit: int = 250) -> list[Commit]:
        """Newest first."""
        form = "%x00".join(FIELDS)
        listed = await self._git(
            "log", "-z", f"--max-count={limit}", f"--format=tformat:{form}", *revisions, "--"
        )
        fields = listed.decode(errors="replace").split("\0")
        size = len(FIELDS)
        return [read_commit(fields[at : at + size]) for at in range(0, len(fields) - 1, size)]

    async def commit(self, sha: str) -> Commit:
        """Raises GitError where there is none."""
        return (await self.commits(sha, limit=1))[0]

    async def tree(self, treeish: str, path: str = "", *, recursive: bool = False) -> list[Entry]:
        """What stands in a tree, or below a folder of it. Raises GitError where there is none.

        path: of a folder with a slash at its end, or of one entry without
        """
        deep = ("-r", "-t") if recursive else ()
        listed = await self._git("ls-tree", "-z", "-l", *deep, treeish, *(("--", path) if path else ()))
        return [read_entry(line) for line in listed.decode(errors="surrogateescape").split("\0") if line]

    async def entry(self, treeish: str, path: str) -> Entry | None:
        """What stands at that path."""
        return next((one for one in await self.tree(treeish, path) if one.path == path), None)

    async def blob(self, sha: str) -> bytes:
        """Raises GitError where there is none."""
        return await self._git("cat-file", "blob", sha)

    # -- history ------------------------------------------------------------------------

    async def contains(self, commit: str, older: str) -> bool:
        """Whether `older` is the commit or one of its ancestors."""
        try:
            await self._git("merge-base", "--is-ancestor", older, commit)
        except GitError:
            return False
        return True

    async def merge_base(self, one: str, other: str) -> str | None:
        try:
            return (await self._git("merge-base", one, other)).decode().strip()
        except GitError:
            return None

    async def changed(self, before: str, after: str) -> list[tuple[str, str]]:
        """Status letter and path of each file that differs."""
        listed = await self._git("diff-tree", "-r", "-z", "--no-renames", "--name-status", before, after)
        fields = listed.decode(errors="surrogateescape").split("\0")
        return list(zip(fields[0:-1:2], fields[1::2], strict=True))

    async def merged_tree(self, base: str, head: str) -> str | None:
        """The tree that a merge of both has; None where they conflict or have nothing in common."""
        try:
            return (await self._git("merge-tree", "--write-tree", base, head)).decode().splitlines()[0]
        except GitError:
            return None

    # -- writing ------------------------------------------------------------------------

    async def write(
        self, branch: str, files: Mapping[str, bytes], message: str, author: Author, parent: str | None
    ) -> str:
        """Commit the files upon the parent and move the branch there. Answers the commit.

        Raises GitError where the branch has moved on from the parent meanwhile.
        """
        now = self._clock()
        line = author.line(now)
        pieces = [
            f"commit {HEADS}{branch}\nmark :1\nauthor {line}\ncommitter {line}\n".encode(),
            _data(message.encode()),
        ]
        if parent is not None:
            pieces.append(f"from {parent}\n".encode())
        for path, content in files.items():
            pieces += [b"M 100644 inline " + path.encode() + b"\n", _data(content)]
        pieces.append(b"get-mark :1\n")
        return (await self._git("fast-import", "--quiet", given=b"".join(pieces))).decode().strip()

    async def commit_tree(self, tree: str, parents: Sequence[str], message: str, author: Author) -> str:
        """A commit that no branch has yet. Answers it."""
        line = author.line(self._clock())
        headers = [
            f"tree {tree}",
            *(f"parent {one}" for one in parents),
            f"author {line}",
            f"committer {line}",
        ]
        text = "\n".join([*headers, "", message.rstrip("\n"), ""])
        written = await self._git("hash-object", "-t", "commit", "-w", "--stdin", given=text.encode())
        return written.decode().strip()

    async def move(self, ref: str, *, to: str | None, old: str | None) -> None:
        """Make the ref, move or delete it. Raises GitError where it is not at `old`, or its name is none."""
        if to is None:
            await self._git("update-ref", "-d", ref, old or "")
        else:
            await self._recall(to)
            await self._git("update-ref", ref, to, old or _NEVER)

    async def blob_of(self, content: bytes) -> str:
        """An object with that content. Answers it."""
        return (await self._git("hash-object", "-w", "--stdin", given=content)).decode().strip()

    async def tree_with(self, base: str | None, entries: Sequence[Change]) -> str:
        """The tree `base`, or an empty one, with those entries in place of what it has there. Answers it.

        Raises GitError where a path cannot be one.
        """
        with tempfile.TemporaryDirectory(dir=self.path) as folder:
            index = {"GIT_INDEX_FILE": f"{folder}/index"}
            if base is not None:
                await self._git("read-tree", base, variables=index)
            lines = (f"{one.mode if one.sha else 0} {one.sha or _NEVER}\t{one.path}\0" for one in entries)
            given = "".join(lines).encode()
            await self._git("update-index", "-z", "--replace", "--index-info", given=given, variables=index)
            # The commits of submodules are in other repositories.
            return (await self._git("write-tree", "--missing-ok", variables=index)).decode().strip()

    async def configure(self, name: str, value: str) -> None:
        """Such as `uploadpack.allowAnySHA1InWant`, for what its Git server does."""
        await self._git("config", name, value)

    # -- what is lost -------------------------------------------------------------------

    async def forget(self, sha: str) -> None:
        """Let the Git server give a commit to nobody that no ref leads to, as GitHub's does after a while.

        This class still has it, as GitHub's API has, and a ref to it or to what came after it brings it back.
        Raises GitError where a ref leads to it, or where there is none.
        """
        await self._require_unreferenced(sha)
        await self._unpack()
        self._held.mkdir(exist_ok=True)
        self._loose(self._objects, sha).rename(self._loose(self._held, sha, make=True))

    async def lose(self, sha: str) -> None:
        """Let a commit be gone for good that no ref leads to. Raises GitError as `forget` does."""
        await self._require_unreferenced(sha)
        await self._unpack()
        for where in (self._objects, self._held):
            self._loose(where, sha).unlink(missing_ok=True)

    async def _require_unreferenced(self, sha: str) -> None:
        if await self.kind(sha) != "commit":
            raise GitError(f"{sha} is no commit here")
        if refs := (await self._git("for-each-ref", "--contains", sha, "--format=%(refname)")).decode():
            raise GitError(f"{sha} is kept by {refs.split()[0]}")

    async def _unpack(self) -> None:
        """Give each object a file of its own."""
        for pack in (self._objects / "pack").glob("*.pack"):
            content = pack.read_bytes()
            for part in pack.parent.glob(f"{pack.stem}.*"):
                part.unlink()
            await self._git("unpack-objects", "-q", given=content)

    async def _recall(self, commit: str) -> None:
        """Let the Git server have again what was forgotten and leads to that commit."""
        if not self._held.exists():
            return
        for sha in (await self._git("rev-list", commit)).decode().split():
            if (held := self._loose(self._held, sha)).exists():
                held.rename(self._loose(self._objects, sha, make=True))

    @property
    def _objects(self) -> Path:
        return self.path / "objects"

    @property
    def _held(self) -> Path:
        """Objects that the Git server does not see."""
        return self.path.absolute() / "held"

    @staticmethod
    def _loose(where: Path, sha: str, *, make: bool = False) -> Path:
        folder = where / sha[:2]
        if make:
            folder.mkdir(exist_ok=True)
        return folder / sha[2:]

    async def _git(
        self, *command: str, given: bytes = b"", variables: Mapping[str, str] | None = None
    ) -> bytes:
        held = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self._held)} if self._held.exists() else {}
        process = await asyncio.create_subprocess_exec(
            "git",
            *command,
            cwd=self.path,
            env={**environment(), **held, **(variables or {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await process.communicate(given)
        finally:
            await end(process)
        if process.returncode:
            raise GitError(f"git {command[0]}: {errors.decode(errors='replace').strip()}")
        return output


async def end(process: asyncio.subprocess.Process) -> None:
    """Leave no process behind when its caller is cancelled."""
    if process.returncode is None:
        process.kill()
        await process.wait()


def _data(content: bytes) -> bytes:
    return b"data %d\n" % len(content) + content + b"\n"
