"""What Git repositories hold, asked of their own servers by Git's own protocol. Reads only.

That is what Argo CD's repo server does with a submodule: it asks the remote for one commit by its id. Only
the remote itself can say whether that will work: a REST API may know commits that its Git server gives to
nobody.

Every call is made once. Nothing is kept between calls but open connections.

https://git-scm.com/docs/protocol-v2
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from shared.clients.azure_core import as_unknown
from shared.clients.git_addresses import resolve
from shared.clients.git_http import Hosts
from shared.clients.git_packets import Unusable
from shared.clients.git_packs import Object
from shared.clients.git_protocol import (
    HEAD,
    NO_FILES,
    NO_TREES,
    PREFIXES,
    NotOurs,
    Server,
    branch_of_head,
    fetched,
    greet,
    is_id,
    refs_of,
)
from shared.clients.git_trees import MODULES, Module, file_of, modules_by_path, pinned, shown
from shared.errors import ReconvergeError
from shared.model import Absent, Known, Read, Unknown
from shared.settings import Settings

__all__ = ["GitRemotes", "Gitlink", "Refs", "Snapshot", "Standing", "resolve"]

_HEADS, _TAGS = PREFIXES
_MOST_MESSAGE: Final = 10_000
"""Bytes of a commit's message that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gitlink:
    """A submodule as one commit of its parent pins it."""

    path: str
    """For people and machines to read: where it is not `printable`, escaped, and no name of anything."""
    commit: str
    url: str | None = None
    """As .gitmodules has it, which may be relative; None where it has no usable entry for the path."""
    branch: str | None = None
    """As .gitmodules has it."""
    skipped: bool = False
    """.gitmodules says `update = none`: whether its commit is there is all the same to whoever checks out."""
    printable: bool = True
    """Its path holds no control characters and nothing like them. No other may be asked for or written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One commit, and what it pins, by path."""

    commit: str
    gitlinks: tuple[Gitlink, ...]
    branch: str | None = field(default=None, compare=False)
    """Whose newest commit it is; None where it was asked for by a tag or by its id."""
    message: str = field(default="", repr=False, compare=False)
    """The commit's, or the end of a long one, where trailers stand. Anybody may have written it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refs:
    heads_and_tags: Mapping[str, str]
    """Object ids by full name. A tag that is an object of its own stands here peeled: with what it tags."""
    object_format: str
    """`sha1`, or `sha256` with ids of 64 digits."""
    moved_to: str | None = None
    """The address that the server sent to from the one that was asked; git follows it as well."""
    server: Server | None = field(default=None, repr=False, compare=False)
    """How it wants to be asked further."""


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

    parent: of every method, a repository that the landscape declares and through which the other one was
        found: its host may be asked as well. Others may be only where they are GitHub, or where a credential
        is set for them.
    """

    def __init__(self, settings: Settings) -> None:
        self._hosts = Hosts(settings)

    def refs(self, url: str, *, parent: str | None = None) -> Read[Refs]:
        """Its branches and tags, in two requests. Never Absent: a repository that is missing cannot be told
        from one that may not be seen."""
        return _read(lambda: self._refs(url, parent))

    def snapshot(
        self, url: str, revision: str, *, refs: Refs | None = None, parent: str | None = None
    ) -> Read[Snapshot]:
        """What a commit pins, at any depth of folders, in four requests at most, with one more for HEAD. Its
        files are not fetched from servers that can leave them out.

        revision: the name of a branch or of a tag, `HEAD`, or a commit's full id. A branch comes before a tag
            of the same name, as with Argo CD.
        refs: what `refs` told of the repository in the same look, which saves a request.
        Absent: the server's refs were read and have no such name; or it has no such commit, as `standing`
        says it.
        """
        return _read(lambda: self._snapshot(url, revision, refs, parent))

    def standing(self, url: str, commit: str, refs: Refs, *, parent: str | None = None) -> Read[Standing]:
        """Whether the server gives that commit, and whether a branch or a tag leads to it, in one request;
        none for the tip of one, one more for what none leads to.

        commit: a full id.
        refs: what `refs` told of the repository in the same look.
        Absent: the server says that it has no such object, and its word can mean nothing else. A server that
        also says so of objects which it only does not give is Unknown.
        Limit: the id of a folder or a file, which no gitlink should hold, may pass for that of a commit with
        servers that answer from a bitmap, where a branch leads to it.
        """
        return _read(lambda: self._standing(url, commit, refs, parent))

    def _refs(self, url: str, parent: str | None) -> Refs:
        home = self._hosts.home(url, parent)
        server = greet(home)
        return Refs(
            heads_and_tags=refs_of(server),
            object_format=server.object_format,
            moved_to=None if server.home.base == home.base else server.home.base,
            server=server,
        )

    def _snapshot(self, url: str, revision: str, refs: Refs | None, parent: str | None) -> Snapshot | Absent:
        server = (refs and refs.server) or greet(self._hosts.home(url, parent))
        if is_id(revision, server.object_format):
            return _pinned_by(server, revision)
        ref = _named(server, revision)
        if ref is None:
            return Absent()
        name, commit = ref
        branch = name.removeprefix(_HEADS) if name.startswith(_HEADS) else None
        return replace(_pinned_by(server, commit), branch=branch)

    def _standing(self, url: str, commit: str, refs: Refs, parent: str | None) -> Standing | Absent | Unknown:
        if not is_id(commit, refs.object_format):
            return Unknown(f"the repository's objects have ids of {refs.object_format}, and this is none")
        tips = dict.fromkeys(refs.heads_and_tags.values())
        if commit in tips:
            return Standing.REFERENCED
        server = refs.server or greet(self._hosts.home(url, parent))
        # Whoever has all tips needs nothing of what they lead to. No trees: commits are what is counted.
        with fetched(server, commit, without=NO_TREES, have=tips) as pack:
            if pack.count == 0:
                return Standing.REFERENCED
        with fetched(server, commit, without=NO_TREES, shallow=True) as pack:
            kind = pack.kind_of(commit)
        if kind != "commit":
            return Unknown(f"what has this id is no commit, but a {kind}: the submodule must be pinned anew")
        return Standing.UNREFERENCED


def _named(server: Server, revision: str) -> tuple[str, str] | None:
    """The ref that is meant, and its commit."""
    names: tuple[str, ...] = (f"{_HEADS}{revision}", f"{_TAGS}{revision}")
    if revision == HEAD:
        # One that is on no branch has a commit all the same.
        names = (branch_of_head(server) or HEAD,)
    refs = refs_of(server, names)
    return next(((name, refs[name]) for name in names if name in refs), None)


def _pinned_by(server: Server, commit: str) -> Snapshot:
    # The old protocol gives no file by its id, so the one that is needed has to come along.
    without = NO_FILES if server.version == 2 else None
    with fetched(server, commit, without=without, shallow=True) as pack:
        objects = pack.objects()
    found = pinned(objects, commit, server.object_format)
    # Only what can be told of a gitlink is worth another request.
    modules = _modules(server, objects, found.modules) if found.links and found.modules else {}
    return Snapshot(
        commit=commit,
        gitlinks=tuple(_gitlink(path, pin, modules.get(path)) for path, pin in sorted(found.links.items())),
        message=_message(objects[commit]),
    )


def _message(commit: Object) -> str:
    """Behind the first empty line: those of a signature begin with a space."""
    return commit.data.partition(b"\n\n")[2][-_MOST_MESSAGE:].decode(errors="replace")


def _gitlink(path: str, commit: str, module: Module | None) -> Gitlink:
    if not path.isprintable():
        return Gitlink(path=shown(path), commit=commit, printable=False)
    if module is None:
        return Gitlink(path=path, commit=commit)
    return Gitlink(path=path, commit=commit, url=module.url, branch=module.branch, skipped=module.skipped)


def _modules(server: Server, objects: Mapping[str, Object], name: str) -> Mapping[str, Module]:
    if name not in objects:
        try:
            with fetched(server, name) as pack:
                objects = pack.objects()
        # It is the commit that may be absent, not what belongs to it.
        except NotOurs as error:
            raise Unusable(f"its server does not give the {MODULES} of a commit that it gives") from error
    return modules_by_path(file_of(objects, name))


def _read[T](call: "Callable[[], T | Absent | Unknown]") -> Read[T]:
    """Ask, and say what came of it. Never raises for what servers and the network do."""
    try:
        found = call()
    except NotOurs as error:
        return Absent() if error.proves else as_unknown(error)
    except ReconvergeError as error:
        return as_unknown(error)
    # What a server says may be odd in ways that nobody thought of; one of them must not stop all others.
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        return Unknown(f"its server's answer has not the promised shape ({type(error).__name__})")
    return found if isinstance(found, (Absent, Unknown)) else Known(found)
