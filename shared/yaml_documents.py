"""Looks up single fields of a YAML text, and changes them without touching anything else of it. Pure.

A round trip through any YAML library would write lines anew that nobody asked to change, so an edit cuts at
the positions that the parser gives.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

_TEXT: Final = "tag:yaml.org,2002:str"
_NULL: Final = "tag:yaml.org,2002:null"
_PLAIN: Final = re.compile(r"\w(?:[-\w./]|:(?=[^\s,\[\]{}]))*", re.ASCII)
"""Texts that need no quotes anywhere, if they do not stand for something else than a text."""
_COLON: Final = re.compile(r"[ \t]*:")
_KEEPS_LINE_END: Final = re.compile(r"[|>][1-9+]{0,2}(?=[ \t\r\n])")
"""The beginning of a block text whose last line end, where there is one, belongs to it."""
_MERGE: Final = "<<"
_INDENT: Final = 2
"""Columns by which a new mapping stands to the right of its key."""


class NotYamlError(ValueError):
    """The text is not one YAML document. Says where, never what."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A field with one value on one line."""

    text: str
    """As a text; empty where nothing stands there, and for null."""
    is_text: bool
    """False for numbers, booleans and times, which only look like a text."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The mapping around it is there, the field is not."""


@dataclass(frozen=True, slots=True)
class NoScalar:
    """Something else stands there."""

    what: str


@dataclass(frozen=True, slots=True)
class NoWay:
    """The keys do not lead there."""

    why: str


type Field = Scalar | Missing | NoScalar | NoWay
type _Tree = dict[str, "str | _Tree"]
"""New pairs; what has pairs of its own is a new mapping."""


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    # An anchor may be set anew, and the warning about it would show the lines where it is.
    yaml.composer.warn_double_anchors = False
    return yaml


class Document:
    """One YAML document, read once. Raises NotYamlError."""

    def __init__(self, text: str) -> None:
        self._text = text
        try:
            self._root: Node | None = _yaml().compose(text)
        # Beside its own error: escapes of numbers that are no character, nesting without end, and the last
        # two where a directive names a version of YAML that it does not know.
        except (YAMLError, ValueError, RecursionError, AssertionError, LookupError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f" from line {mark.line + 1} on" if mark else ""
            raise NotYamlError(f"not one YAML document{where}") from error

    def field(self, path: str) -> Field:
        """What stands at the keys of `path`, which have dots between them."""
        return self._look(path).field

    def edited(self, changes: Mapping[str, str], *, with_parents: bool = False) -> str:
        """The text with each field of `changes` at its new value; every other character stays.

        A value keeps the quotes it has; a missing field is added below its siblings.
        with_parents: mappings on the way that are missing or have no value are made; so is the first one of a
            file that says nothing. Else there is no way to such a field.
        Raises ValueError for a field that is neither a scalar nor missing, and for layouts so unusual that
        the edited text would not read as asked for.
        """
        cuts = list(self._cuts(changes, with_parents=with_parents))
        pieces: list[str] = []
        at = 0
        # Where several fall on one place, a new value comes before what is added behind it, and what belongs
        # to an inner mapping before what belongs to an outer one.
        for cut in sorted(cuts, key=lambda one: (one.start, one.adds, -one.column)):
            # Several first pairs between the same empty braces.
            comma = ", " if cut.opens and pieces and at == cut.start else ""
            pieces += [self._text[at : cut.start], comma + cut.text]
            at = cut.end
        text = "".join([*pieces, self._text[at:]])
        if not _says(text, changes):
            raise ValueError("the layout of the file does not allow the edit")
        return text

    # -- looking ------------------------------------------------------------------------------

    def _look(self, path: str) -> "_Sight":
        node, seen = self._root, "the document"
        parent: Node | None = None
        key_node: Node | None = None
        keys = path.split(".")
        for depth, key in enumerate(keys):
            match self._within(node, seen, key):
                case NoWay() as no_way:
                    beyond = keys[depth:] if self._says_nothing(node) else []
                    return _Sight(no_way, parent, key_node, node, beyond)
                case None:
                    beyond = keys[depth:]
                    field = NoWay(f"{seen} has no {key}") if len(beyond) > 1 else Missing()
                    return _Sight(field, parent, key_node, node, beyond)
                case (key_node, value):
                    parent, node, seen = node, value, key
        return _Sight(self._scalar(node) if node else Missing(), parent, key_node, node)

    def _within(self, node: Node | None, seen: str, key: str) -> tuple[Node, Node] | NoWay | None:
        """The key and its value; None where there is none."""
        if not isinstance(node, MappingNode):
            return NoWay(f"{seen} is no mapping")
        if self._marked(node):
            return NoWay(f"{seen} has an anchor or a tag")
        pairs = [pair for pair in node.value if isinstance(pair[0], ScalarNode) and pair[0].value == key]
        if len(pairs) > 1:
            return NoWay(f"{seen} has {key} twice")
        if not pairs and any(name.value == _MERGE for name, _ in node.value):
            return NoWay(f"{seen} is merged from another mapping")
        return pairs[0] if pairs else None

    def _scalar(self, node: Node) -> Field:
        if not isinstance(node, ScalarNode):
            return NoScalar("a mapping" if isinstance(node, MappingNode) else "a list")
        if self._marked(node):
            return NoScalar("an anchor, an alias or a tag")
        if node.start_mark.line != node.end_mark.line:
            return NoScalar("a text of several lines")
        if node.tag == _NULL:
            return Scalar("", is_text=True)
        return Scalar(str(node.value), is_text=node.tag == _TEXT)

    def _says_nothing(self, node: Node | None) -> bool:
        """No document, or no value; not a text that is empty."""
        return node is None or (
            isinstance(node, ScalarNode) and bool(node.tag == _NULL) and not self._marked(node)
        )

    def _marked(self, node: Node) -> bool:
        """Has an anchor or a tag, or is reached by an alias, which leads to what has an anchor."""
        return self._text[node.start_mark.index : node.start_mark.index + 1] in ("&", "!")

    # -- cutting ------------------------------------------------------------------------------

    def _cuts(self, changes: Mapping[str, str], *, with_parents: bool) -> Iterator["_Cut"]:
        new: dict[int, tuple[_Sight, _Tree]] = {}
        for path, value in changes.items():
            match self._look(path):
                case _Sight(Scalar(), MappingNode() as parent, Node() as key, ScalarNode() as node):
                    yield self._replacement(parent, key, node, value)
                case sight if sight.beyond and (with_parents or isinstance(sight.field, Missing)):
                    # One place for all that is missing there, or each would bring the same new mapping.
                    _put(new.setdefault(id(sight.node), (sight, {}))[1], sight.beyond, value)
                case sight:
                    raise ValueError(f"{path} cannot be changed: {sight.field}")
        for sight, tree in new.values():
            match sight:
                case _Sight(node=MappingNode() as mapping):
                    yield from (self._addition(mapping, {key: inner}) for key, inner in tree.items())
                case _Sight(parent=MappingNode() as parent, key=Node() as key, node=ScalarNode() as node):
                    yield from self._opening(parent, key, node, tree)
                case _:
                    yield self._beginning(tree)

    def _replacement(self, parent: MappingNode, key: Node, node: ScalarNode, value: str) -> "_Cut":
        written = _written(value, node.style, flow=bool(parent.flow_style))
        return self._behind_key(key, written) if _empty(node) else _over(node, written)

    def _behind_key(self, key: Node, written: str) -> "_Cut":
        at = self._behind(key)
        return _Cut(at, at, f" {written}" if self._text[at - 1] == ":" else f": {written}")

    def _addition(self, parent: MappingNode, tree: _Tree) -> "_Cut":
        """Behind the last pair of a mapping."""
        if not parent.value:  # which only braces can say
            inside = parent.start_mark.index + 1
            return _Cut(inside, inside, _in_braces(tree), adds=True, opens=True)
        column = int(parent.value[0][0].start_mark.column)
        at = self._end(*parent.value[-1])
        if parent.flow_style:
            # Right behind a colon, the comma would make both a part of the key.
            comma = " ," if self._text[at - 1] == ":" else ","
            return _Cut(at, at, f"{comma} {_in_braces(tree)}", adds=True, column=column)
        # A text of several lines ends where the next line begins.
        begins = at if self._text[at - 1] == "\n" else self._next_line(at)
        if begins is None and _KEEPS_LINE_END.match(self._text, _innermost(parent).start_mark.index):
            raise ValueError(f"{next(iter(tree))} cannot be added: the text above it has no line end")
        return self._lines(tree, column, begins)

    def _opening(self, parent: MappingNode, key: Node, node: ScalarNode, tree: _Tree) -> Iterator["_Cut"]:
        """The first pairs of a key that has no value."""
        if parent.flow_style:
            braces = f"{{{_in_braces(tree)}}}"
            yield self._behind_key(key, braces) if _empty(node) else _over(node, braces)
            return
        at = self._behind(key)
        if not _empty(node):
            yield _Cut(at, node.end_mark.index, "")
            at = node.end_mark.index
        # On the next line, so that a comment behind the key stays there.
        yield self._lines(tree, int(key.start_mark.column) + _INDENT, self._next_line(at))

    def _beginning(self, tree: _Tree) -> "_Cut":
        """The first pairs of a file that says nothing: behind its comments."""
        ended = not self._text or self._text.endswith("\n")
        return self._lines(tree, 0, len(self._text) if ended else None)

    def _next_line(self, at: int) -> int | None:
        """Where the line begins that follows; None on the last one, where it has no line end."""
        return self._text.find("\n", at) + 1 or None

    def _lines(self, tree: _Tree, column: int, begins: int | None) -> "_Cut":
        """begins: where the line begins that they go before; None behind a text without a last line end."""
        line_end = "\r\n" if "\r\n" in self._text else "\n"
        written = line_end.join(_below(tree, column))
        if begins is None:
            last = len(self._text)
            return _Cut(last, last, line_end + written, adds=True, column=column)
        return _Cut(begins, begins, written + line_end, adds=True, column=column)

    def _end(self, key: Node, value: Node) -> int:
        """Where the last character of a pair is. A block's own end is where the next thing begins."""
        if _empty(value):
            return self._behind(key)
        if isinstance(value, CollectionNode) and not value.flow_style and value.value:
            last = value.value[-1]
            if isinstance(value, MappingNode):
                return self._end(*last)
            return self._on_last_line(value) if _empty(last) else self._end(value, last)
        return int(value.end_mark.index)

    def _on_last_line(self, block: Node) -> int:
        """Within the last line of a list whose last item is a dash without a value."""
        *lines, rest = self._text[: int(block.end_mark.index)].split("\n")
        said = rest.strip()
        while not said or said.startswith("#"):
            *lines, rest = lines
            said = rest.strip()
        return len("\n".join([*lines, rest]))

    def _behind(self, key: Node) -> int:
        """Behind the key's colon, where it has one. What is empty has a position somewhere further on."""
        at = int(key.end_mark.index)
        colon = _COLON.match(self._text, at)
        return colon.end() if colon else at


class _Sight(NamedTuple):
    """Where the keys lead, or where they end before."""

    field: Field
    parent: Node | None = None
    """The mapping with the last key that is there."""
    key: Node | None = None
    """That key; None for the document itself."""
    node: Node | None = None
    """Its value."""
    beyond: Sequence[str] = ()
    """The keys that are not there, where there may be a place for them."""


class _Cut(NamedTuple):
    start: int
    end: int
    text: str
    adds: bool = False
    column: int = 0
    opens: bool = False


def _over(node: ScalarNode, written: str) -> _Cut:
    return _Cut(node.start_mark.index, node.end_mark.index, written)


def _innermost(node: Node) -> Node:
    """The last scalar or braces of a block."""
    while isinstance(node, CollectionNode) and not node.flow_style and node.value:
        node = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
    return node


def _empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and bool(node.start_mark.index == node.end_mark.index)


def _says(text: str, changes: Mapping[str, str]) -> bool:
    try:
        document = Document(text)
    except NotYamlError:
        return False
    return all(document.field(path) == Scalar(value, is_text=True) for path, value in changes.items())


# -- writing --------------------------------------------------------------------------------------------


def _put(tree: _Tree, keys: Sequence[str], value: str) -> None:
    *way, last = keys
    for key in way:
        inner = tree.setdefault(key, {})
        if isinstance(inner, str):
            raise ValueError(f"{key} cannot be a value and a mapping")  # noqa: TRY004 (of what is asked)
        tree = inner
    if last in tree:
        raise ValueError(f"{last} cannot be a value and a mapping")
    tree[last] = value


def _below(tree: _Tree, column: int) -> Iterator[str]:
    """Lines without their ends."""
    for key, value in tree.items():
        begin = f"{' ' * column}{_written(key, None, flow=False)}:"
        if isinstance(value, str):
            yield f"{begin} {_written(value, None, flow=False)}"
        else:
            yield begin
            yield from _below(value, column + _INDENT)


def _in_braces(tree: _Tree) -> str:
    return ", ".join(
        f"{_written(key, None, flow=True)}: "
        + (_written(value, None, flow=True) if isinstance(value, str) else f"{{{_in_braces(value)}}}")
        for key, value in tree.items()
    )


def _written(value: str, style: str | None, *, flow: bool) -> str:
    """A text in the style that the old one had, where that is possible."""
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style is None and _PLAIN.fullmatch(value) and not (flow and ":" in value) and _reads_as_text(value):
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _reads_as_text(value: str) -> bool:
    """By the rules of both versions of YAML, since Helm and others still know `on` and `1:20` from 1.1."""
    return all(read(value) == _TEXT for read in _TAGS)


def _tag_by(version: tuple[int, int]) -> Callable[[str], str]:
    def tag(value: str) -> str:
        yaml = _yaml()
        yaml.version = version
        return str(yaml.compose(value).tag)

    return tag


_TAGS: Final = (_tag_by((1, 1)), _tag_by((1, 2)))
