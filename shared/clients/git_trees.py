"""What a commit pins: the gitlinks in its trees, and what its .gitmodules says of them.

Both are what others wrote. Nothing here is run, and no path is opened.

https://git-scm.com/docs/gitmodules
"""

import io
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from shared.clients.git_addresses import LONGEST, without_user
from shared.clients.git_packets import Unusable
from shared.clients.git_packs import DIGITS, Object
from shared.clients.importing import IMPORTING

MODULES: Final = ".gitmodules"
LARGEST_MODULES: Final = 1024 * 1024
"""Bytes of .gitmodules."""
MOST_ENTRIES: Final = 1_000_000
"""Names in all trees together: a few trees that hold each other can stand for any number."""
MOST_LINKS: Final = 10_000
MOST_TEXT: Final = 16 * 1024 * 1024
"""Characters of the paths of folders and gitlinks together: names can be made as long as an object."""
DEEPEST: Final = 200

_TOO_MUCH: Final = "its trees hold more than anybody can check out"
_TREE: Final = re.compile(rb"tree ([0-9a-f]+)\n")


@dataclass(frozen=True, slots=True)
class Pinned:
    """What the trees of a commit hold of submodules."""

    links: Mapping[str, str]
    """Commits by path, as the tree has it: see `shown`."""
    modules: str | None
    """The id of .gitmodules, where that is a file."""


@dataclass(frozen=True, slots=True)
class Module:
    """An entry of .gitmodules."""

    url: str | None
    branch: str | None
    skipped: bool = False
    """git does not check it out, nor what is below it."""


def pinned(objects: Mapping[str, Object], commit: str, object_format: str) -> Pinned:
    """objects: by id; the commit and all its trees. Raises Unusable where one is missing, or is none."""
    head = _TREE.match(_of_kind(objects, commit, "commit"))
    if head is None:
        raise Unusable("its commit has no tree")
    links: dict[str, str] = {}
    modules = None
    entries = text = 0
    waiting = [("", head[1].decode(), 0)]
    while waiting:
        folder, tree, depth = waiting.pop()
        for name, mode, target in _entries(_of_kind(objects, tree, "tree"), object_format):
            path = f"{folder}{name}"
            entries += 1
            if stat.S_ISDIR(mode) or _is_link(mode):
                text += len(path)
                if text > MOST_TEXT:
                    raise Unusable(_TOO_MUCH)
            if stat.S_ISDIR(mode):
                waiting.append((f"{path}/", target, depth + 1))
            elif _is_link(mode):
                links[path] = target
            elif path == MODULES and stat.S_ISREG(mode):
                modules = target
        if entries > MOST_ENTRIES or len(links) > MOST_LINKS or depth > DEEPEST:
            raise Unusable(_TOO_MUCH)
    return Pinned(links, modules)


def shown(path: str) -> str:
    """The path as people and machines may read it: what would break a line, colour a terminal or turn the
    direction of writing stands there escaped."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in path)


def _of_kind(objects: Mapping[str, Object], name: str, kind: str) -> bytes:
    found = objects.get(name)
    if found is None:
        raise Unusable("its answer does not hold what was asked for")
    if found.kind != kind:
        raise Unusable(f"what is named there is no {kind}, but a {found.kind}")
    return found.data


def _is_link(mode: int) -> bool:
    return stat.S_IFMT(mode) == 0o160000


def _entries(tree: bytes, object_format: str) -> Iterator[tuple[str, int, str]]:
    with IMPORTING:
        from dulwich.errors import ObjectFormatException
        from dulwich.objects import parse_tree
    try:
        for name, mode, target in parse_tree(tree, DIGITS[object_format] // 2):
            if name in (b"", b".", b"..") or b"/" in name or name.lower() == b".git":
                raise Unusable("its trees hold a name that git checks out nowhere")
            yield name.decode(errors="backslashreplace"), mode, target.decode()
    except (ObjectFormatException, ValueError) as error:
        raise Unusable("its answer holds a tree that cannot be read") from error


# -- .gitmodules ----------------------------------------------------------------------------------


def file_of(objects: Mapping[str, Object], name: str) -> bytes:
    """Raises Unusable where it is not among them, or is no file."""
    return _of_kind(objects, name, "blob")


def modules_by_path(text: bytes) -> Mapping[str, Module]:
    """As `git submodule update` understands the file in a working tree: what stands last counts.

    An address without the name and password that it may hold. Raises Unusable for what git cannot read.
    """
    with IMPORTING:
        from dulwich.config import ConfigFile
    if len(text) > LARGEST_MODULES:
        raise Unusable(f"{MODULES} is larger than {LARGEST_MODULES} bytes")
    try:
        # Includes would open files of this computer.
        file = ConfigFile.from_file(io.BytesIO(text), expand_includes=False)
    except (AssertionError, LookupError, ValueError) as error:
        raise Unusable(f"{MODULES} cannot be read: git stops at it") from error
    found: dict[str, Module] = {}
    for section in file.sections():
        if len(section) == 2 and section[0].lower() == b"submodule":
            told = {name.lower(): usable for name, raw in file.items(section) if (usable := _usable(raw))}
            url = told.get(b"url")
            if path := told.get(b"path"):
                # Without an address git stops at it before it passes over it.
                skipped = url is not None and told.get(b"update") == "none"
                found[path] = Module(without_user(url) if url else None, told.get(b"branch"), skipped)
    return found


def _usable(raw: bytes) -> str | None:
    """None for what git passes over since it could be taken for an option, and for what nobody should be
    shown.
    """
    text = raw.decode(errors="backslashreplace")
    odd = text.startswith("-") or not text.isprintable() or len(text) > LONGEST
    return None if odd else text
