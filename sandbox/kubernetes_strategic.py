"""Strategic merge patches, which `kubectl apply` and the official clients send for built-in kinds.

https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from sandbox.kubernetes_lists import MERGE_KEYS, SETS

type Json = Any

_ORDER, _DELETE, _RETAIN = "$setElementOrder", "$deleteFromPrimitiveList", "$retainKeys"


def strategically_merged(target: Json, patch: Mapping[str, Json]) -> Json:
    """The target with the patch merged in: lists with names item by item, and by the patch's directives."""
    if patch.get("$patch") == "replace":
        return {name: deepcopy(value) for name, value in patch.items() if name != "$patch"}
    result = dict(target) if isinstance(target, Mapping) else {}
    if _RETAIN in patch:
        result = {name: value for name, value in result.items() if name in patch[_RETAIN]}
    for name, value in patch.items():
        if not name.startswith("$"):
            _set(result, name, value)
    for name, value in patch.items():
        directive, _, field = name.partition("/")
        held = result.get(field) or []
        if directive == _DELETE and field in result:
            result[field] = [one for one in held if one not in value]
        elif directive == _ORDER and field in result:
            result[field] = _ordered(field, held, value)
    return result


def _set(result: dict[str, Json], name: str, value: Json) -> None:
    if value is None or (isinstance(value, Mapping) and value.get("$patch") == "delete"):
        result.pop(name, None)
    elif isinstance(value, list):
        result[name] = _list(name, result.get(name) or [], value)
    elif isinstance(value, Mapping):
        result[name] = strategically_merged(result.get(name), value)
    else:
        result[name] = value


def _list(field: str, held: list[Json], patch: list[Json]) -> list[Json]:
    if field in SETS:
        return list(dict.fromkeys([*held, *patch]))
    key = MERGE_KEYS.get(field)
    if key is None:
        return deepcopy(patch)
    if any(one.get("$patch") == "replace" for one in patch):
        return [deepcopy(one) for one in patch if "$patch" not in one]
    result = list(held)
    for item in patch:
        index = next((i for i, one in enumerate(result) if one.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            result = [one for one in result if one.get(key) != item.get(key)]
        elif index is None:
            result.append(strategically_merged({}, item))
        else:
            result[index] = strategically_merged(result[index], item)
    return result


def _ordered(field: str, items: list[Json], order: list[Json]) -> list[Json]:
    """Those that the order names in that order, after those it does not name."""
    key = MERGE_KEYS.get(field)
    names = [one[key] if key else one for one in order]

    def place(item: Json) -> int:
        name = item.get(key) if key else item
        return names.index(name) if name in names else -1

    return sorted(items, key=place)
