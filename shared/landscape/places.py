"""Finds places in plain data, well-formed or not. Used by the relations of a landscape."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from enum import Enum, auto
from itertools import chain
from typing import Final

from shared.landscape.forms import Form
from shared.landscape.source import Data, Path


class _Every(Enum):
    KEY = auto()


type Pattern = tuple[str | int | _Every, ...]
"""A path in which EVERY stands for any key or index."""

EVERY: Final = _Every.KEY

type Found = tuple[Path, str]
"""Where a mistake is, and what is said about it."""
type LineOf = Callable[[Path], int]
type Rule = Callable[[Data, LineOf], Iterator[Found]]


def texts(data: Data, pattern: Pattern) -> Iterator[tuple[Path, str]]:
    """The texts at all places of the pattern, in the order of the file."""
    return ((path, found) for path, found in places(data, pattern) if isinstance(found, str))


def places(data: Data, pattern: Pattern, path: Path = ()) -> Iterator[tuple[Path, Data]]:
    if not pattern:
        yield path, data
        return
    head, *rest = pattern
    entries: Iterable[tuple[str | int, Data]] = (
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    )
    for key, value in entries:
        if head in (EVERY, key):
            yield from places(value, tuple(rest), (*path, key))


def text_at(data: Data, path: Path) -> str | None:
    for part in path:
        match data, part:
            case dict(), str():
                data = data.get(part)
            case list(), int():
                data = data[part]
            case _:
                return None
    return data if isinstance(data, str) else None


def readable(data: Data, lists: Pattern, key: str, form: Form) -> list[str] | None:
    """What all entries of the lists have under the key; None when that is not known of every one.

    Whoever says that something is nowhere must have seen everything.
    """
    holders = sum(1 for _ in places(data, lists[:-1]))
    found = [entries for _, entries in places(data, lists) if isinstance(entries, list)]
    entries = list(chain.from_iterable(found))
    fitting = [text for _, text in texts(entries, (EVERY, key)) if form.fits(text)]
    return fitting if len(found) == holders and len(fitting) == len(entries) else None


def lower(data: Data, path: Path) -> str | None:
    """For ids and names of Azure, which are compared without regard to letter case."""
    text = text_at(data, path)
    return None if text is None else text.lower()


def repeated(found: Iterable[tuple[Path, Hashable]]) -> Iterator[tuple[Path, Path]]:
    """Each place whose key an earlier place has too, and that earlier place."""
    first: dict[Hashable, Path] = {}
    for path, key in found:
        if (earlier := first.setdefault(key, path)) != path:
            yield path, earlier
