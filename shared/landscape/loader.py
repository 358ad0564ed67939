"""From a file to a Landscape, or to the list of everything that is wrong with the file."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path as FilePath
from typing import Final

from pydantic import ValidationError

from shared.errors import Misconfigured
from shared.landscape import relations, wording
from shared.landscape.described import schema
from shared.landscape.models import Landscape
from shared.landscape.relations_of_parts import PARTS
from shared.landscape.source import LARGEST, Data, Mistake, Source, read

_START: Final = "start from landscape.sample.yaml"


def load(path: FilePath | str) -> Landscape:
    """Read a landscape file.

    Raises Misconfigured: the file cannot be read, or the landscape has mistakes; its text names them all.
    """
    name = str(path)
    try:
        with FilePath(path).open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise Misconfigured(f"{name}: there is no such file; {_START}") from error
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{name}: cannot be read ({type(error).__name__}); {_START}") from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Misconfigured(f"{name}:{line}: not UTF-8; save the file in that encoding") from error
    return parse(text, name)


def parse(text: str, name: str) -> Landscape:
    """Read a landscape from text; `name` is what mistakes are reported under.

    Raises Misconfigured: one line for each mistake, `<name>:<line>: what is wrong; what to write instead`.
    """
    source = read(text)
    mistakes = list(source.mistakes)
    if source.whole:
        try:
            landscape = Landscape.model_validate_json(
                json.dumps(_completed(source.data)), by_alias=True, by_name=False
            )
        except ValidationError as error:
            mistakes.extend(_misshapen(error, source))
        mistakes.extend(
            Mistake(source.line(path), says) for path, says in relations.broken(source.data, source.line)
        )
    if mistakes:
        raise Misconfigured("\n".join(f"{name}:{at.line}: {at.says}" for at in sorted(set(mistakes))))
    return landscape


def _misshapen(error: ValidationError, source: Source) -> Iterator[Mistake]:
    described = schema()
    for found in error.errors(include_url=False):
        if found["type"] == "too_short" and found["input"]:
            continue  # not empty: pydantic counts only what is well-formed, and the rest is named by itself
        path = wording.path_of(found)
        if not any(path[: len(unread)] == unread for unread in source.unread):
            yield Mistake(source.line(path), wording.said(found, described))


# -- what the file leaves to be understood --------------------------------------------------


def _completed(data: Data) -> Data:
    """An environment's name is its key, and the cluster of what runs in one, or trusts one, its only one."""
    if not isinstance(data, dict) or not isinstance(environments := data.get("environments"), dict):
        return data
    return data | {"environments": {name: _named(name, body) for name, body in environments.items()}}


def _named(name: str, body: Data) -> Data:
    if not isinstance(body, dict):
        return body
    only = _only_cluster(body)
    return (
        body
        | {"name": name}
        | _each(body, "identities", partial(_with_cluster, only))
        | {part: only | held for part in PARTS if isinstance(held := body.get(part), dict)}
    )


def _only_cluster(body: dict[str, Data]) -> dict[str, Data]:
    """What credentials and parts may leave out: nothing with several clusters, where each says which."""
    match body.get("clusters"):
        case [_, _, *_]:
            return {}
        case [{"name": str(only)}]:
            return {"cluster": only}
    # The landscape is refused for its clusters; that its credentials name none is no second mistake.
    return {"cluster": "unnamed"}


def _with_cluster(cluster: dict[str, Data], identity: dict[str, Data]) -> Data:
    return identity | _each(identity, "credentials", lambda credential: cluster | credential)


def _each(holder: dict[str, Data], key: str, change: Callable[[dict[str, Data]], Data]) -> dict[str, Data]:
    """The list under the key with its mappings changed, and nothing if there is no such list."""
    entries = holder.get(key)
    if not isinstance(entries, list):
        return {}
    return {key: [change(entry) if isinstance(entry, dict) else entry for entry in entries]}
