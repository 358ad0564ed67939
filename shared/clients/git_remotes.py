"""What Git repositories hold, asked of their own servers by Git's own protocol. Reads only.

That is what Argo CD's repo server does with a submodule: it asks the remote for one commit by its id. Only
the remote itself can say whether that will work: a REST API may know commits that its Git server gives to
nobody.

Every call is made once. Nothing is kept between calls but open connections.

https://git-scm.com/docs/protocol-v2
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.model import Read
from shared.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Gitlink:
    """A submodule as one commit of its parent pins it."""

    path: str
    commit: str
    url: str | None = None
    """As .gitmodules has it, which may be relative; None where it has no usable entry for the path."""
    branch: str | None = None
    """As .gitmodules has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One commit, and what it pins, by path."""

    commit: str
    gitlinks: tuple[Gitlink, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refs:
    heads_and_tags: Mapping[str, str]
    """Object ids by full name. A tag that is an object of its own stands here peeled: with what it tags."""
    object_format: str
    """`sha1`, or `sha256` with ids of 64 digits."""


class Standing(StrEnum):
    """How a commit stands that its repository's server gives to whoever asks for it by its id."""

    REFERENCED = "referenced"
    """A branch or a tag leads to it."""
    UNREFERENCED = "unreferenced"
    """None does: the server may drop it at any time."""


class GitRemotes:
    """Repositories are given as `https://<host>/<path>`; those of https://github.com are asked of the GitHub
    of the settings.

    Answers are Unknown, with what to do, for all that a server does but its clear word.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def refs(self, url: str) -> Read[Refs]:
        """Its branches and tags, in two requests. Never Absent: a repository that is missing cannot be told
        from one that may not be seen."""
        raise NotImplementedError

    def snapshot(self, url: str, revision: str) -> Read[Snapshot]:
        """What a commit pins, at any depth of folders, in four requests at most. Its files are not fetched
        from servers that can leave them out.

        revision: the name of a branch, or a commit's full id.
        Absent: the server's refs were read and have no such branch; or it has no such commit, as `standing`
        says it.
        """
        raise NotImplementedError

    def standing(self, url: str, commit: str, refs: Refs) -> Read[Standing]:
        """Whether the server gives that commit, and whether a branch or a tag leads to it, in two requests;
        none for the tip of one.

        commit: a full id.
        refs: what `refs` told of the repository in the same look.
        Absent: the server says that it has no such object, and its word can mean nothing else. A server that
        also says so of objects which it only does not give is Unknown.
        """
        raise NotImplementedError


def resolve(parent_url: str, url: str) -> str | None:
    """The address that a submodule's `url` means in a repository that was itself read from `parent_url`.

    None: it does not lead to an https address (ssh, scp-like, git and file addresses), so it cannot be asked.

    Source: https://git-scm.com/docs/git-submodule (relative), and `relative_url` in git's remote.c
    """
    raise NotImplementedError
