"""The part of the language of Argo CD's triggers (expr) that deploy/argocd uses; all else is refused aloud.

    a.b.c   "text"   nil   ["a", "b"]   == != in and
    any(list, {…})   filter(list, {…})   map(list, {…})      where .name is a member of the list's element

tests/sandbox/argo holds this to what expr itself answered.
https://expr-lang.org/docs/language-definition
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sandbox.argo_language import LanguageError

_TOKEN: Final = re.compile(
    r"""\s* (?: (?P<text>"[^"\\]*") | (?P<path>\.?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
        | (?P<sign>==|!=|[\[\](){},]) )""",
    re.VERBOSE,
)
_WORDS: Final = frozenset({"and", "in", "nil"})
_UNKNOWN: Final = frozenset({"or", "not", "true", "false", "let", "matches", "contains"})
"""Words that could be taken for a path; others stand between two operands, and are refused there."""
_ELEMENT: Final = ""
"""The name under which a predicate finds the list's element."""

type Expression = Callable[[Mapping[str, Any]], Any]
"""Answers its value for the variables. Raises ExpressionError."""
type _Node = Expression
type _Tokens = list[tuple[str, str]]


class ExpressionError(Exception):
    """Expr would fail for these variables."""


def parse(expression: str) -> Expression:
    """Raises LanguageError."""
    tokens = [*_tokens(expression), ("end", "")]
    node = _conjunction(tokens)
    if tokens[0][0] != "end":
        raise LanguageError(f"{tokens[0][1]!r} is not known here")
    return node


def printed(value: Any) -> str:
    """As Go prints a value with %v, which is how Argo CD keeps that of oncePer."""
    match value:
        case None:
            return "<nil>"
        case str():
            return value
        case list():
            return f"[{' '.join(map(printed, value))}]"
    raise LanguageError(f"how Go prints {type(value).__name__} is not known here")


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    text, at = expression.rstrip(), 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise LanguageError(f"{text[at : at + 20]!r} is not known here")
        at = found.end()
        kind = found.lastgroup or ""
        word = found[kind]
        if word in _UNKNOWN:
            raise LanguageError(f"{word} is not known here")
        yield (kind if kind != "sign" and word not in _WORDS else word), word


def _conjunction(tokens: _Tokens) -> _Node:
    nodes = [_comparison(tokens)]
    while tokens[0][0] == "and":
        tokens.pop(0)
        nodes.append(_comparison(tokens))
    if len(nodes) == 1:
        return nodes[0]
    return lambda scope: all(_truth(node(scope)) for node in nodes)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError(f"{type(value).__name__} is neither true nor false")
    return value


def _comparison(tokens: _Tokens) -> _Node:
    left = _operand(tokens)
    if tokens[0][0] not in {"==", "!=", "in"}:
        return left
    sign, _ = tokens.pop(0)
    right = _operand(tokens)
    if sign == "in":
        return lambda scope: _is_in(left(scope), right(scope))
    return lambda scope: (left(scope) == right(scope)) is (sign == "==")


def _is_in(value: Any, held: Any) -> bool:
    """Nothing is in nil, and nil cannot be looked for among texts."""
    if held is None:
        return False
    if value is None:
        raise ExpressionError("cannot look for nil among texts")
    return value in _list(held)


def _operand(tokens: _Tokens) -> _Node:
    kind, text = tokens.pop(0)
    match kind:
        case "text":
            return lambda _scope: text[1:-1]
        case "nil":
            return lambda _scope: None
        case "[":
            return _listed(tokens)
        case "path" if tokens[0][0] == "(":
            return _call(text, tokens)
        case "path":
            first, *names = text.split(".")
            return lambda scope: _member(scope, [first, *names])
    raise LanguageError(f"{text!r} is not known here")


def _listed(tokens: _Tokens) -> _Node:
    nodes = [_operand(tokens)]
    while tokens[0][0] == ",":
        tokens.pop(0)
        nodes.append(_operand(tokens))
    _take(tokens, "]")
    return lambda scope: [node(scope) for node in nodes]


def _call(name: str, tokens: _Tokens) -> _Node:
    if name not in _BUILTINS:
        raise LanguageError(f"{name} is not known here; there are {', '.join(_BUILTINS)}")
    builtin = _BUILTINS[name]
    _take(tokens, "(")
    over = _operand(tokens)
    _take(tokens, ",")
    _take(tokens, "{")
    predicate = _conjunction(tokens)
    _take(tokens, "}")
    _take(tokens, ")")
    return lambda scope: builtin(_list(over(scope)), lambda element: predicate({**scope, _ELEMENT: element}))


def _take(tokens: _Tokens, sign: str) -> None:
    kind, text = tokens.pop(0)
    if kind != sign:
        raise LanguageError(f"{sign} is expected, not {text!r}")


def _member(value: Any, names: list[str]) -> Any:
    """A member that is not there is nil, and nil has no members."""
    for name in names:
        if not isinstance(value, Mapping):
            raise ExpressionError(f"cannot fetch {name} from {'nil' if value is None else 'a value'}")
        value = value.get(name)
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ExpressionError(f"a list is expected, not {'nil' if value is None else 'a value'}")
    return value


type _Predicate = Callable[[Any], Any]


def _any(over: list[Any], predicate: _Predicate) -> bool:
    return any(_truth(predicate(one)) for one in over)


def _filter(over: list[Any], predicate: _Predicate) -> list[Any]:
    return [one for one in over if _truth(predicate(one))]


def _map(over: list[Any], predicate: _Predicate) -> list[Any]:
    return [predicate(one) for one in over]


_BUILTINS: Final = {"any": _any, "filter": _filter, "map": _map}
