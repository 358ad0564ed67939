"""What pydantic found, in words that help. Knows the models through their JSON Schema only.

Promises: one line per mistake, no value in it.
"""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from pydantic_core import ErrorDetails

from shared.landscape.forms import REFUSED
from shared.landscape.source import Path

type Node = Mapping[str, Any]

_KEY: Final = "[key]"
"""What pydantic appends to the place of a mapping whose key it refuses."""
_KINDS: Final[Mapping[str, str]] = {
    "string": "a text, in quotes if it looks like something else",
    "boolean": "true or false",
    "integer": "a whole number",
    "array": "a list, each entry beginning with `- `",
    "object": "keys of its own",
}


def path_of(error: ErrorDetails) -> Path:
    """The place in the file."""
    return error["loc"][:-1] if _about_key(error) else error["loc"]


def said(error: ErrorDetails, schema: Node) -> str:
    """What is wrong there; what to write instead."""
    path = path_of(error)
    key = str(path[-1]) if path else ""
    holder, node = _node(schema, path[:-1]), _node(schema, path)
    match error["type"]:
        case "missing":
            text = f"{_named(path[:-1])} lacks `{key}`; write for example `{key}: {_example(holder, key)}`"
        case "extra_forbidden":
            text = _unknown("key", key, tuple(holder.get("properties", ())))
        case "enum" if _about_key(error):
            text = _unknown("action", key, tuple(_resolved(schema, holder["propertyNames"])["enum"]))
        case "enum" | "literal_error":
            choices = node.get("enum") or (node.get("const"),)
            text = f"{_named(path)} is none of the choices; write {_either(choices)}"
        case "too_short":
            text = f"{_named(path)} is empty; give it at least one entry"
        case "greater_than_equal":
            text = f"{_named(path)} is too small; write {node['minimum']} or more"
        case kind if kind == REFUSED:
            text = f"{_named(path)} {error['ctx']['says']}"
        case _:
            wrong = "is empty" if error["input"] is None else "is of another kind"
            text = f"{_named(path)} {wrong}; write {_wanted(holder, key, node)}"
    return text


def _example(holder: Node, key: str) -> str:
    example, *_ = holder["properties"][key]["examples"]
    return example if isinstance(example, str) else json.dumps(example)


def _wanted(holder: Node, key: str, node: Node) -> str:
    kind = _KINDS.get(node.get("type", ""), "something else")
    if "properties" in node:
        return f"{kind}: {', '.join(node['properties'])}"
    if node.get("type") == "object" and "examples" in holder.get("properties", {}).get(key, ()):
        return f"{kind}, for example `{key}: {_example(holder, key)}`"
    return kind


def _about_key(error: ErrorDetails) -> bool:
    return error["type"] != "extra_forbidden" and error["loc"][-1:] == (_KEY,)


def _named(path: Path) -> str:
    match path:
        case ():
            return "the landscape"
        case (*_, str(holder), int()):
            return f"an entry of `{holder}`"
        case _:
            return f"`{path[-1]}`"


def _unknown(kind: str, key: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(key, known, n=2, cutoff=0.6)
    nearest = f"did you mean {_either(close)}? " if close else ""
    return f"no {kind} `{key}` is known here; {nearest}write one of: {', '.join(known)}"


def _either(choices: Sequence[object]) -> str:
    *others, last = map(str, choices)
    return f"{', '.join(others)} or {last}" if others else last


def _node(schema: Node, path: Path) -> Node:
    """What the schema says about a place; nothing about an unknown one."""
    node = schema
    for part in path:
        match part:
            case int():
                inner = node.get("items", {})
            case str():
                inner = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
        node = _resolved(schema, inner)
    return node


def _resolved(schema: Node, node: Node) -> Node:
    """What stands behind a reference; of several forms the first, which is the one to write."""
    while "$ref" in node or "anyOf" in node:
        ref = node.get("$ref")
        node = schema["$defs"][ref.rpartition("/")[2]] if ref else node["anyOf"][0]
    return node
