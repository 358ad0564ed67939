"""The part of Go's text/template, with Sprig's functions, that deploy/argocd uses; all else is refused aloud.

An action is a pipeline of commands. A command is a function with its arguments, a field, a text, or a
pipeline in parentheses. tests/sandbox/argo holds this to what Go itself printed.
https://pkg.go.dev/text/template · https://masterminds.github.io/sprig/
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sandbox.argo_language import LanguageError

_ACTION: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
# A field or a text behind a parenthesis without a blank between would belong to what it closes.
_TOKEN: Final = re.compile(
    r"""(?P<blank>\s+) | (?P<sign>[|()]) | (?<![^\s(])(?: (?P<text>"[^"\\]*")
        | (?P<field>(?:\.[A-Za-z_]\w*)+) | (?P<function>[A-Za-z_]\w*) )(?=[\s|)]|\Z)""",
    re.VERBOSE,
)
_ESCAPED: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_MISSING: Final = object()
"""What a field that is not there comes to; to a function it is nil."""

type Variables = Mapping[str, Any]
type Rendering = Callable[[Variables], str]
"""Raises TemplateError."""
type _Node = Callable[[Variables], Any]


class TemplateError(Exception):
    """Go would fail for these variables."""


def parse(template: str) -> Rendering:
    """Raises LanguageError."""
    texts: list[str] = []
    nodes: list[_Node] = []
    end = 0
    for action in _ACTION.finditer(template):
        texts.append(template[end : action.start()])
        nodes.append(_parsed(action[1]))
        end = action.end()
    rest = template[end:]
    if "{{" in rest:
        raise LanguageError("an action is not closed")

    def render(variables: Variables) -> str:
        printed = (text + _printed(node(variables)) for text, node in zip(texts, nodes, strict=True))
        return "".join(printed) + rest

    return render


def _printed(value: Any) -> str:
    if value is _MISSING or value is None:
        return "<no value>"
    if isinstance(value, str):
        return value
    raise LanguageError(f"how Go prints {type(value).__name__} is not known here")


# -- the language -------------------------------------------------------------------------


def _parsed(action: str) -> _Node:
    tokens = [*_tokens(action), ("end", "")]
    node = _pipeline(tokens)
    if tokens[0][0] != "end":
        raise LanguageError(f"{tokens[0][1]!r} has no beginning")
    return node


def _tokens(action: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(action):
        found = _TOKEN.match(action, at)
        if found is None:
            raise LanguageError(f"{action[at : at + 20]!r} is not known here")
        at = found.end()
        kind = found.lastgroup or ""
        if kind != "blank":
            yield (found[0] if kind == "sign" else kind), found[0]


def _pipeline(tokens: list[tuple[str, str]]) -> _Node:
    node = _command(tokens, None)
    while tokens[0][0] == "|":
        tokens.pop(0)
        node = _command(tokens, node)
    return node


def _command(tokens: list[tuple[str, str]], piped: _Node | None) -> _Node:
    """piped: what the command before it comes to, its last argument."""
    function = tokens.pop(0)[1] if tokens[0][0] == "function" else None
    operands = []
    while tokens[0][0] in {"text", "field", "("}:
        operands.append(_operand(tokens))
    if function is not None:
        return _call(function, [*operands, piped] if piped else operands)
    if len(operands) != 1 or piped:
        raise LanguageError("a command is a function with its arguments, or one operand")
    return operands[0]


def _operand(tokens: list[tuple[str, str]]) -> _Node:
    kind, text = tokens.pop(0)
    if kind == "text":
        return lambda _variables: text[1:-1]
    if kind == "field":
        return lambda variables: _field(variables, text[1:].split("."))
    node = _pipeline(tokens)
    if tokens.pop(0)[0] != ")":
        raise LanguageError("a parenthesis is not closed")
    return node


def _field(value: Any, names: list[str]) -> Any:
    """A member that is not there has all further ones missing; null has none, and Go says so."""
    for name in names:
        if value is _MISSING:
            return _MISSING
        if not isinstance(value, Mapping):
            raise TemplateError(f"nothing has a field {name} in {'nil' if value is None else 'a value'}")
        value = value.get(name, _MISSING)
    return value


def _call(name: str, operands: list[_Node]) -> _Node:
    if name not in _FUNCTIONS:
        raise LanguageError(f"{name} is not known here; there are {', '.join(_FUNCTIONS)}")
    function = _FUNCTIONS[name]

    def call(variables: Variables) -> Any:
        values = [operand(variables) for operand in operands]
        return function(*(None if value is _MISSING else value for value in values))

    return call


# -- Sprig's functions --------------------------------------------------------------------


def _dict(*parts: Any) -> dict[str, Any]:
    names = parts[::2]
    if len(parts) % 2 or not all(isinstance(name, str) for name in names):
        raise LanguageError("dict takes a text and a value each")
    return dict(zip(names, parts[1::2], strict=True))


def _to_json(*values: Any) -> str:
    """As Go's json.Marshal has it: sorted, and safe within HTML."""
    if len(values) != 1:
        raise LanguageError("toJson takes one value")
    text = json.dumps(values[0], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return re.sub("[<>&\u2028\u2029]", lambda found: _ESCAPED[found[0]], text)


def _coalesce(*values: Any) -> Any:
    """The first that is not empty, as Sprig has it: not nil, false, 0, nor a text or a list of nothing."""
    return next((value for value in values if value), None)


def _sha256sum(*values: Any) -> str:
    if len(values) != 1 or not isinstance(values[0], str):
        raise LanguageError("sha256sum takes one text")
    return hashlib.sha256(values[0].encode()).hexdigest()


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "coalesce": _coalesce,
    "dict": _dict,
    "sha256sum": _sha256sum,
    "toJson": _to_json,
}
