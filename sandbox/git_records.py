"""What git tells of commits and trees, as frozen records."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

FIELDS: Final = ("%H", "%T", "%P", "%an", "%ae", "%at", "%cn", "%ce", "%ct", "%B")
"""Of `git log`, in the order that `read_commit` takes them."""


@dataclass(frozen=True, slots=True)
class Author:
    name: str
    email: str

    def line(self, when: datetime) -> str:
        """As a commit holds it."""
        name, email = (re.sub(r"[<>\n\0]", "", text).strip() for text in (self.name, self.email))
        return f"{name} <{email}> {int(when.timestamp())} +0000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Author
    authored_at: datetime
    committer: Author
    committed_at: datetime
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name in a tree."""

    mode: str
    type: str
    """`blob`, `tree`, or `commit` for a submodule."""
    sha: str
    size: int | None
    path: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a path of a tree is to hold."""

    path: str
    mode: str
    sha: str | None
    """None takes it away."""


def read_commit(fields: Sequence[str]) -> Commit:
    sha, tree, parents, author, author_mail, authored, committer, committer_mail, committed, message = fields
    return Commit(
        sha=sha,
        tree=tree,
        parents=tuple(parents.split()),
        author=Author(author, author_mail),
        authored_at=datetime.fromtimestamp(int(authored), UTC),
        committer=Author(committer, committer_mail),
        committed_at=datetime.fromtimestamp(int(committed), UTC),
        message=message.rstrip("\n"),
    )


def read_entry(line: str) -> Entry:
    """From `git ls-tree -l`."""
    about, _, path = line.partition("\t")
    mode, kind, sha, size = about.split()
    return Entry(mode=mode, type=kind, sha=sha, size=None if size == "-" else int(size), path=path)
