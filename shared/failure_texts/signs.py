"""Readers made of words: the usual row of the table needs no more.

Words are regular expressions for the flat form of a text (`reading.Text`).
"""

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Final

from shared.failure_texts.model import Reader, Span
from shared.failure_texts.reading import Part, Text, Tool

GIT: Final = frozenset({Tool.GIT, Tool.SUBMODULE})
"""The tools whose output is git's own."""

REGISTRY_REFUSED: Final = (
    r"\bfailed to authorize: .{0,300}?\b40[13] (?:unauthorized|forbidden)\b"
    r"|\b40[13] (?:unauthorized|forbidden) from https://\S{1,80}/token\b"
    r"|\bunexpected status from (?:get|head) request to \S{1,200}/(?:token|v2/)\S{0,200} *: *40[13]\b"
)
"""A registry of images or charts does not let the caller in."""

NEAR: Final = 160
"""Characters between a command and its error that still make one line for people."""


@cache
def _compiled(words: str) -> re.Pattern[str]:
    """At first use: who only reads the table need not wait for all of them, a tenth of a second."""
    return re.compile(words)


def says(*words: str, unless: str | None = None) -> Reader:
    """One of the words, wherever they stand; unless the text has those others too."""

    def reads(text: Text) -> Span | None:
        found = _compiled("|".join(words)).search(text.flat)
        if found is None or (unless and _compiled(unless).search(text.flat)):
            return None
        return Span(*found.span())

    return reads


def in_log(*words: str) -> re.Pattern[str]:
    """One of the words in a log that is nobody else's, as the log has them; letter case does not matter."""
    return re.compile("|".join(words), re.IGNORECASE)


def within(tools: Collection[Tool], *words: str, unless: str | None = None) -> Reader:
    """One of the words in what one of the tools has to say; unless that part has those others too."""

    def reads(text: Text) -> Span | None:
        barred = _compiled(unless) if unless else None
        return next(found_in(text, tools, _compiled("|".join(words)), barred), None)

    return reads


def found_in(
    text: Text,
    tools: Collection[Tool],
    sought: re.Pattern[str],
    barred: re.Pattern[str] | None = None,
    *,
    whole: bool = False,
) -> Iterator[Span]:
    """The first finding in each part of these tools.

    whole: only where the part is all that its command said, so that what is barred could be seen.
    """
    for part in text.parts:
        if part.tool not in tools or (whole and not part.command):
            continue
        if barred and barred.search(text.flat, part.start, part.end):
            continue
        if found := sought.search(text.flat, part.start, part.end):
            yield with_command(part, found)


def with_command(part: Part, found: re.Match[str]) -> Span:
    """A finding, from the command on where that is near."""
    near = found.start() - part.start <= NEAR
    return Span(part.start if near else found.start(), found.end())


def either(*readers: Reader) -> Reader:
    """What the first of them finds."""

    def reads(text: Text) -> Span | None:
        return next((span for one in readers if (span := one(text))), None)

    return reads
