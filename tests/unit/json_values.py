"""Any JSON value at all, drawn so that many of them are nearly an event or nearly a message of ours."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from shared import signals

EVENT: Final = json.loads(
    (Path(__file__).parent.parent / "samples" / "eventgrid" / "aks_managedClusters_write.json").read_text()
)[0]
MESSAGES: Final = tuple(
    json.loads(signals.to_message(reading))
    for reading in (
        signals.from_event(EVENT),
        signals.Dropped("Microsoft.Web/sites/write"),
        signals.rejected("the message is not JSON", b"{"),
    )
)

TEXTS: Final = st.text(st.characters(), max_size=20)
"""Halves of surrogate pairs and control characters included."""

SCALARS: Final = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
ANYTHING: Final[st.SearchStrategy[Any]] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=4)
)


def json_values() -> st.SearchStrategy[Any]:
    nearly = st.sampled_from([EVENT, *MESSAGES]).flatmap(_altered)
    return ANYTHING | nearly | st.lists(nearly, max_size=3)


@st.composite
def _altered(draw: st.DrawFn, example: Any) -> Any:
    """The example with a few of its parts replaced, lengthened or taken away."""
    value = json.loads(json.dumps(example))
    for path in draw(st.lists(st.sampled_from(list(_paths(example))), max_size=3)):
        holder = value
        for name in path[:-1]:
            holder = holder.get(name) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or path[-1] not in holder:
            continue
        part = holder.pop(path[-1])
        match draw(st.sampled_from(["lengthened", "replaced", "taken away"])):
            case "lengthened" if isinstance(part, str):
                holder[path[-1]] = part + draw(TEXTS)
            case "lengthened" | "replaced":
                holder[path[-1]] = draw(ANYTHING)
    return value


def _paths(example: Any) -> Iterator[tuple[str, ...]]:
    if isinstance(example, dict):
        for name, part in example.items():
            yield (name,)
            yield from ((name, *rest) for rest in _paths(part))
