"""From YAML text to plain data that knows its lines. Called by the loader.

Works on the parser's events, so that nothing is ever constructed: a tag is only a word that gets refused.
Aliases are refused as well: whoever reviews a contract must see it whole where it stands, and no text can
grow while it is read.
"""

import bisect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

LARGEST: Final = 1024 * 1024
"""Bytes."""
DEEPEST: Final = 20
"""Levels; a landscape has 8. Also what keeps the parser fast on hostile nesting."""
_QUOTE: Final = "put the value in quotes, or write it out"
_UNPRINTABLE: Final = re.compile(
    r"[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    r"|\\U(?!00(?:0|10))"  # the escape of a number beyond Unicode's last
)
_FORBIDDEN: Final = "a character that YAML forbids; remove it"
_MERGE: Final = "`<<` merges another mapping, which is not read here; write it out"

type Path = tuple[str | int, ...]
type Data = bool | int | str | list[Data] | dict[str, Data] | None


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """`says` is shown to the operator: what is wrong, and what to write instead; never a value."""

    line: int
    says: str


@dataclass(slots=True)
class Source:
    """What could be read. `data` is worth checking only when `whole`."""

    data: Data = None
    whole: bool = False
    mistakes: list[Mistake] = field(default_factory=list)
    lines: dict[Path, int] = field(default_factory=dict)
    unread: set[Path] = field(default_factory=set)
    """Places whose value was refused here; they are not to be judged again."""

    def line(self, path: Path) -> int:
        """Line of a key or list entry, or of the closest place around it that the file has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(text: str) -> Source:
    """Read one document. Mistakes are in the answer; nothing is raised."""
    source = Source()
    reader = _Reader(text.replace("\r\n", "\n").replace("\r", "\n"), source)
    try:
        reader.document()
    except _UnreadableError as stop:
        source.whole = False
        source.mistakes.append(Mistake(stop.line, stop.says))
    return source


class _UnreadableError(Exception):
    """The rest of the text cannot be read."""

    def __init__(self, line: int, says: str) -> None:
        super().__init__(says)
        self.line = line
        self.says = says


class _Reader:
    def __init__(self, text: str, source: Source) -> None:
        self._text = text
        self._breaks = [found.start() for found in re.finditer("\n", text)]
        self._last = len(self._breaks) + (not text.endswith("\n"))
        self._source = source
        self._at = 0
        self._events = self._parsed()

    def document(self) -> None:
        if len(self._text.encode(errors="surrogatepass")) > LARGEST:
            raise _UnreadableError(1, "the file is larger than 1 MiB; a landscape is a few pages")
        for event in self._events:
            if not isinstance(event, DocumentStartEvent):
                continue
            if self._source.whole:
                raise _UnreadableError(self._line(event), "a second document; keep only one")
            self._source.data = self._value(next(self._events), ())
            self._source.whole = True
        if not self._source.whole:
            raise _UnreadableError(1, "the file is empty; start from landscape.sample.yaml")

    def _parsed(self) -> Iterator[Event]:
        try:
            for event in YAML(typ="safe", pure=True).parse(self._text):
                self._at = event.start_mark.index
                yield event
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            at = mark.index if isinstance(mark, StringMark) else self._at
            raise _UnreadableError(self._line_of(at), self._explained(at)) from error
        # Unmarked: characters that YAML forbids, and escapes of numbers that are no character.
        except (YAMLError, ValueError) as error:
            raise _UnreadableError(self._unprintable_line(), _FORBIDDEN) from error

    def _explained(self, at: int) -> str:
        if self._text[at : at + 1] == "\t":
            return "a tab; YAML indents with blanks only"
        return (
            "not YAML from here on; check the indentation, close quotes and brackets, and quote values that "
            "hold `: ` or begin with a sign"
        )

    def _unprintable_line(self) -> int:
        found = _UNPRINTABLE.search(self._text)
        return self._line_of(found.start() if found else self._at)

    def _line(self, event: Event) -> int:
        return self._line_of(event.start_mark.index)

    def _line_of(self, at: int) -> int:
        return max(1, min(bisect.bisect_left(self._breaks, at) + 1, self._last))

    def _value(self, event: Event, path: Path) -> Data:
        self._refuse_extras(event, path)
        match event:
            case ScalarEvent():
                return self._scalar(event, path)
            case SequenceStartEvent():
                return self._sequence(path)
            case MappingStartEvent():
                return self._mapping(path)
        return None

    def _refuse_extras(self, event: Event, path: Path) -> None:
        line = self._line(event)
        if len(path) > DEEPEST:
            raise _UnreadableError(line, f"nested more than {DEEPEST} levels deep; no landscape is")
        match event:
            case AliasEvent():
                self._refuse(line, path, "`*` begins a YAML alias, which is not read here; " + _QUOTE)
            case NodeEvent(anchor=str()):
                self._refuse(line, path, "`&` begins a YAML anchor, which is not read here; " + _QUOTE)
            case ScalarEvent() | CollectionStartEvent() if event.tag:
                self._refuse(line, path, "`!` begins a YAML tag, which is not read here; " + _QUOTE)

    def _refuse(self, line: int, path: Path, says: str) -> None:
        self._source.mistakes.append(Mistake(line, says))
        self._source.unread.add(path)

    def _scalar(self, event: ScalarEvent, path: Path) -> Data:
        text: str = event.value
        if not text.isprintable():
            self._refuse(
                self._line(event), path, "a line break or unprintable character in a value; write one line"
            )
            return None
        plain, _ = event.implicit
        return _resolved(text) if plain else text

    def _sequence(self, path: Path) -> Data:
        entries: list[Data] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            inner = (*path, len(entries))
            self._source.lines.setdefault(inner, self._line(event))
            entries.append(self._value(event, inner))
        return entries

    def _mapping(self, path: Path) -> Data:
        pairs: dict[str, Data] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event)
            inner = (*path, key)
            line = self._line(event)
            if key in pairs:
                first = self._source.lines[inner]
                self._source.mistakes.append(
                    Mistake(line, f"`{key}` stands here a second time (first in line {first}); keep one")
                )
                self._value(next(self._events), inner)
                continue
            self._source.lines.setdefault(inner, line)
            pairs[key] = self._value(next(self._events), inner)
        return pairs

    def _key(self, event: Event) -> str:
        if not isinstance(event, ScalarEvent) or event.tag or event.anchor or not event.value.isprintable():
            raise _UnreadableError(self._line(event), "a key that is not a plain word; write `key: value`")
        if event.value == "<<":
            raise _UnreadableError(self._line(event), _MERGE)
        return shortened(event.value)


def shortened(key: str) -> str:
    """Keys are shown in messages. No known one is longer, so a longer one stays unknown."""
    return key if len(key) <= 80 else f"{key[:80]}…"


_WORDS: Final[Mapping[str, Data]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def _resolved(text: str) -> Data:
    """What a plain scalar stands for in YAML 1.2's core schema; of its numbers only those that we use."""
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if re.fullmatch(r"[-+]?[0-9]{1,18}", text) else text
