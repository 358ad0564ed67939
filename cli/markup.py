"""HTML that is safe by the way it is built: whatever is not markup already is escaped on its way in."""

import html
from typing import Final

from cli.output import printable

VOID: Final = frozenset({"meta"})
"""Elements of HTML that hold nothing."""


class Html(str):
    """Markup. Made by `tag` and `join`, and of texts that are our own."""

    __slots__ = ()


def tag(name: str, /, *inner: str, **attributes: object) -> Html:
    """An element, as XML takes it as well. Trailing underscores of attributes go, others become hyphens."""
    said = "".join(f' {_attribute(key)}="{escaped(str(value))}"' for key, value in attributes.items())
    if name in VOID:
        return Html(f"<{name}{said}/>")
    return Html(f"<{name}{said}>{join(*inner)}</{name}>")


def join(*parts: str) -> Html:
    return Html("".join(part if isinstance(part, Html) else escaped(part) for part in parts))


def escaped(text: str) -> str:
    """Without control characters too: no document may hold them."""
    return html.escape(printable(text))


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
