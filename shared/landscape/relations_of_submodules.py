"""What relates the repositories with submodules to each other."""

from collections.abc import Hashable, Iterator
from typing import Final

from shared.landscape.facts import repository_page
from shared.landscape.places import EVERY, Found, LineOf, Rule, places, repeated, text_at
from shared.landscape.source import Data, Path

_REPOSITORY: Final = ("environments", EVERY, "submodules", EVERY)

_REPEATED: Final = (
    "this environment declares the repository in line {line} already; put all its revisions there"
)
_OTHERWISE: Final = (
    "the repository stands in line {line} with other `revisions` or `moves`; a pull request to it serves "
    "every environment, so write the same in each"
)


def _repository_repeated(data: Data, line: LineOf) -> Iterator[Found]:
    found = ((path, (path[1], page)) for path, page in _pages(data))
    for path, earlier in repeated(found):
        yield path, _REPEATED.format(line=line(earlier))


def _declared_otherwise(data: Data, line: LineOf) -> Iterator[Found]:
    first: dict[str, tuple[Path, Hashable]] = {}
    for path, page in _pages(data):
        earlier, wanted = first.setdefault(page, (path, _wanted(data, path)))
        # What one environment declares twice is named already.
        if wanted != _wanted(data, path) and earlier[1] != path[1]:
            yield path, _OTHERWISE.format(line=line(earlier))


def _pages(data: Data) -> Iterator[tuple[Path, str]]:
    for path, _declared in places(data, _REPOSITORY):
        if repository := text_at(data, (*path, "repository")):
            yield path, repository_page(repository.lower())


def _wanted(data: Data, path: Path) -> Hashable:
    """What is declared of a repository beside its address, in a form that compares."""
    revisions = {str(revision) for _, revision in places(data, (*path, "revisions", EVERY))}
    moves = {(found[-1], str(branch)) for found, branch in places(data, (*path, "moves", EVERY))}
    return frozenset(revisions or {"main"}), frozenset(moves)


RULES: Final[tuple[Rule, ...]] = (
    _repository_repeated,  # one place tells what is tracked
    _declared_otherwise,  # two environments never close each other's pull requests
)
