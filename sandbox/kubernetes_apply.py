"""Server-side apply: the applier states all that it cares for, and owns exactly that from then on.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

import json
from copy import deepcopy
from typing import Any

from sandbox.kubernetes_errors import StatusError
from sandbox.kubernetes_fields import (
    Manager,
    Managers,
    Path,
    fields_of,
    managed,
    managers_of,
    spelled,
)
from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_resources import Resource


def applied(
    resource: Resource, held: Object, given: Object, *, manager: str, force: bool, now: str
) -> Object:
    """The held object with all that is given, less what the manager gave before and does no longer.

    Raises StatusError (409) where another manager has another value for a field, unless forced.
    """
    wanted, current = fields_of(resource, given), fields_of(resource, held)
    managers, applier = managers_of(resource, held), Manager(manager, "Apply")
    before = managers.pop(applier, set())
    contested = {path for path, value in wanted.items() if path in current and current[path] != value}
    rivals = {other: paths & contested for other, paths in managers.items() if paths & contested}
    if rivals and not force:
        raise _conflict(resource, rivals)
    for other, lost in rivals.items():
        managers[other] = managers[other] - lost
    managers[applier] = set(wanted)
    result = deepcopy(held)
    for path, value in wanted.items():
        _put(result, path, value)
    for path in before - set(wanted):
        _withdraw(result, path, managers)
    return managed(resource, result, managers, now)


def _put(place: Any, path: Path, value: Any) -> None:
    """Set the value, with everything on the way to it that is missing."""
    for i, part in enumerate(path):
        sort, _, text = part.partition(":")
        last = i == len(path) - 1
        if sort == "v":
            if json.loads(text) not in place:
                place.append(json.loads(text))
        elif sort == "k":
            place = _item(place, json.loads(text))
        elif last:
            # An empty value states that the field is there, not that it has nothing in it.
            if value != {} or not isinstance(place.get(text), dict):
                place[text] = deepcopy(value)
        else:
            fresh: Any = [] if path[i + 1][:2] in ("k:", "v:") else {}
            if not isinstance(place.get(text), type(fresh)):
                place[text] = fresh
            place = place[text]


def _item(items: list[Any], key: dict[str, Any]) -> Any:
    found = next((one for one in items if key.items() <= one.items()), None)
    if found is None:
        found = dict(key)
        items.append(found)
    return found


def _withdraw(result: Object, path: Path, managers: Managers) -> None:
    """Take out what the applier left out, unless somebody else manages it too.

    A list's item goes as a whole with the last who managed anything in it.
    """
    owned = [one for paths in managers.values() for one in paths]
    if path in owned:
        return
    for end in range(1, len(path)):
        if path[end - 1].startswith("k:") and not any(one[:end] == path[:end] for one in owned):
            path = path[:end]
            break
    _remove(result, path)


def _remove(place: Any, path: Path) -> None:
    sort, _, text = path[0].partition(":")
    if sort == "f":
        if text not in place:
            return
        if len(path) > 1:
            _remove(place[text], path[1:])
        if len(path) == 1 or not place[text]:
            del place[text]
        return
    value = json.loads(text)
    found = next(
        (one for one in place if one == value or (sort == "k" and value.items() <= one.items())), None
    )
    if found is None:
        return
    if len(path) > 1:
        _remove(found, path[1:])
    if len(path) == 1 or not found:
        place.remove(found)


def _conflict(resource: Resource, rivals: Managers) -> StatusError:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{other.name}" using {resource.api_version}',
            "field": spelled(path),
        }
        for other, paths in rivals.items()
        for path in sorted(paths)
    ]
    said = ", ".join(f"{cause['message']}: {cause['field']}" for cause in causes)
    plural = "s" if len(causes) > 1 else ""
    return StatusError(
        409, "Conflict", f"Apply failed with {len(causes)} conflict{plural}: {said}", {"causes": causes}
    )
