"""Which commit a text says is missing, and whether the parent repository lacks it or a submodule's.

Argo CD's own words do not tell: it says `Failed to checkout FETCH_HEAD` of a submodule too, since it falls
back to fetching the parent's commit first. What tells is the command that failed, git's path of the
submodule, and whether the missing commit is the one that was fetched.
https://github.com/argoproj/argo-cd/blob/master/reposerver/repository/repository.go (checkoutRevision)
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from shared.failure_texts.git_words import ANY_LOSS, REFUSAL
from shared.failure_texts.model import Span
from shared.failure_texts.reading import Part, Text, Tool
from shared.failure_texts.signs import GIT

_ID: Final = r"[0-9a-f]{7,64}\b"

# The far side, or git itself after it was there, has no such commit.
_ANSWERED: Final = (
    rf"\bnot our ref +(?P<refused>{_ID})"
    rf"|\bno such remote ref +(?P<unknown>{_ID})"
    rf"|\bcouldn t find remote ref +(?P<unfound>{_ID})"
    rf"|\breference is not a tree: +(?P<no_tree>{_ID})"
    rf"|\bpathspec +(?P<no_path>{_ID}) +did not match any"
)
# git came back without it. Why, only the lines before this one can tell.
_CAME_BACK_WITHOUT: Final = (
    rf"\bsubmodule path +(?:\S+ +){{1,8}}?(?:but it )?did not contain +(?P<lacks>{_ID})"
)
_MISSING: Final = re.compile(f"{_ANSWERED}|{_CAME_BACK_WITHOUT}")
_ANSWERS: Final = frozenset({"refused", "unknown", "unfound", "no_tree", "no_path"})
_LACKS: Final = re.compile(_CAME_BACK_WITHOUT)
_WORD: Final = re.compile(rf"(?<![\w/.-]){_ID}(?![\w/.-])")

_OUTCOME: Final = re.compile(r"\b(?:failed exit|failed timeout|fatal|error)\b")
# As Argo CD calls git. Other programs have repositories of their own, and fetch with other words.
_OF_PARENT: Final = re.compile(
    rf"\bfetch +origin\b|\bgit +checkout +--force\b|\bfailed to (?:fetch|checkout) +(?:revision +)?{_ID}"
)
_BY_ANOTHER: Final = re.compile(r"(?:&&|\b\w{0,2}sh +-\w{0,6}c|\bexit status +\d+ *:)[ (]*(?:error: +)?\Z")
"""What stands before a command that a script or another program called."""
_BEFORE: Final = 40
_COMMAND: Final = 240
"""Characters in which a command names what it fetches."""


class Whose(Enum):
    PARENT = "parent"
    SUBMODULE = "submodule"


class Missing(NamedTuple):
    whose: Whose | None
    """None: the text does not tell."""
    span: Span


def lacks_parent_commit(text: Text) -> Span | None:
    return _first(text, Whose.PARENT)


def lacks_submodule_commit(text: Text) -> Span | None:
    return _first(text, Whose.SUBMODULE)


def tells_of_missing_commit(text: Text) -> bool:
    return _MISSING.search(text.flat) is not None


def _first(text: Text, whose: Whose) -> Span | None:
    return next((one.span for one in _missing(text) if one.whose is whose), None)


def _missing(text: Text) -> Iterator[Missing]:
    for part in text.parts:
        for found in _MISSING.finditer(text.flat, part.start, part.end):
            kind = found.lastgroup or ""
            if kind in _ANSWERS or _is_answer(text, part):
                start, end = found.span(kind)
                span = Span(found.start(), found.end(), text.flat[start:end])
                yield Missing(_whose(text, part, text.flat[start:end]), span)


def _is_answer(text: Text, part: Part) -> bool:
    """Whether nothing else in the part explains why git came back without the commit."""
    where = (text.flat, part.start, part.end)
    return not (ANY_LOSS.search(*where) or REFUSAL.search(*where))


def _whose(text: Text, part: Part, commit: str) -> Whose | None:
    asked_for = _named_in_command(text, part)
    of_parent = part.tool in GIT and any(same(commit, one) for one in asked_for)
    of_submodule = part.tool is Tool.SUBMODULE
    if of_parent and of_submodule:
        # One `git fetch` may ask for the parent's commit and then for those of its submodules.
        return None if commit in _lacked_by_submodules(text) else Whose.PARENT
    if of_parent:
        return Whose.PARENT
    return Whose.SUBMODULE if of_submodule else None


def _named_in_command(text: Text, part: Part) -> list[str]:
    """Commits of the parent repository that the part's command was to bring."""
    if not part.command:
        return []
    if _BY_ANOTHER.search(text.flat[max(0, part.start - _BEFORE) : part.start]):
        return []
    command = text.flat[part.start : min(part.end, part.start + _COMMAND)]
    command = _OUTCOME.split(command, maxsplit=1)[0]
    return _WORD.findall(command) if _OF_PARENT.search(command) else []


def _lacked_by_submodules(text: Text) -> set[str]:
    return {found["lacks"] for found in _LACKS.finditer(text.flat)}


def same(one: str, other: str) -> bool:
    """Commits may be abbreviated."""
    return one.startswith(other) or other.startswith(one)
