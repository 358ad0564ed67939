"""JSON merge patches and JSON patches.

https://www.rfc-editor.org/rfc/rfc7386 and https://www.rfc-editor.org/rfc/rfc6902
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

type Json = Any


class PatchFailed(Exception):
    """A JSON patch that cannot be applied, or whose test does not hold."""


def merged(target: Json, patch: Json) -> Json:
    """The target with the patch merged in: null removes, and only objects are merged."""
    if not isinstance(patch, Mapping):
        return deepcopy(patch)
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def json_patched(target: Json, operations: Iterable[Mapping[str, Json]]) -> Json:
    """The target after all operations. Raises PatchFailed; then nothing of it counts."""
    document = deepcopy(target)
    for operation in operations:
        try:
            document = _operated(document, operation)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise PatchFailed(f"operation {dict(operation)} does not apply") from error
    return document


def _operated(document: Json, operation: Mapping[str, Json]) -> Json:
    path = _pointer(operation["path"])
    match operation["op"]:
        case "test":
            if _found(document, path) != operation["value"]:
                raise PatchFailed(f"testing path {operation['path']} failed")
            return document
        case "remove":
            return _removed(document, path)
        case "add":
            return _added(document, path, deepcopy(operation["value"]))
        case "replace":
            _found(document, path)
            return _added(_removed(document, path), path, deepcopy(operation["value"]))
        case "copy":
            return _added(document, path, deepcopy(_found(document, _pointer(operation["from"]))))
        case "move":
            source = _pointer(operation["from"])
            return _added(_removed(document, source), path, _found(document, source))
    raise ValueError(operation["op"])


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError(text)
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _found(document: Json, path: list[str]) -> Json:
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def _removed(document: Json, path: list[str]) -> Json:
    if not path:
        return None
    holder = document = deepcopy(document)
    holder = _found(holder, path[:-1])
    del holder[int(path[-1]) if isinstance(holder, list) else path[-1]]
    return document


def _added(document: Json, path: list[str], value: Json) -> Json:
    if not path:
        return value
    document = deepcopy(document)
    holder = _found(document, path[:-1])
    if not isinstance(holder, list):
        holder[path[-1]] = value
        return document
    index = len(holder) if path[-1] == "-" else int(path[-1])
    if not 0 <= index <= len(holder):
        raise IndexError(index)
    holder.insert(index, value)
    return document
