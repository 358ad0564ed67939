"""Route templates of HTTP triggers: `plans/{digest}/approve`, `items/{id:int?}`, `files/{*path}`.

The subset of ASP.NET's that functions use. Literals match without regard to case, and the more literal
template wins.
https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

from sandbox.host.errors import HostError

_CONSTRAINTS = {
    "int": r"-?\d+",
    "guid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "alpha": r"[A-Za-z]+",
    "bool": r"(?i:true|false)",
}
_PARAMETER = re.compile(r"\{(?P<star>\*?)(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\??)\}")


@dataclass(frozen=True, slots=True)
class Route:
    pattern: re.Pattern[str]
    precedence: tuple[int, ...]
    """Per segment: 0 literal, 1 constrained, 2 any, 3 the rest. Smaller is tried first."""

    @classmethod
    def parse(cls, template: str) -> Self:
        """Raises HostError when the template uses what this host does not know."""
        pattern = ""
        precedence = []
        for segment in filter(None, template.split("/")):
            text, rank = _segment(segment, template)
            pattern += text
            precedence.append(rank)
        return cls(re.compile(pattern + "/?"), tuple(precedence))

    def match(self, path: str) -> dict[str, str] | None:
        """The route parameters, decoded; None when the path is another one. `path` is raw, from its slash."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        return {name: unquote(value) for name, value in found.groupdict().items() if value is not None}


def _segment(segment: str, template: str) -> tuple[str, int]:
    parameter = _PARAMETER.fullmatch(segment)
    if parameter is None:
        if "{" in segment or "}" in segment:
            raise HostError(f"route '{template}': a parameter must fill its whole segment, as in {{name}}")
        return f"/(?i:{re.escape(segment)})", 0
    constraint = parameter["constraint"]
    if constraint is not None and constraint not in _CONSTRAINTS:
        raise HostError(f"route '{template}': this host knows the constraints {', '.join(_CONSTRAINTS)}")
    if parameter["star"]:
        return f"(?:/(?P<{parameter['name']}>.*))?", 3
    value = f"/(?P<{parameter['name']}>{_CONSTRAINTS[constraint] if constraint else '[^/]+'})"
    return (f"(?:{value})?" if parameter["optional"] else value), (1 if constraint else 2)


def join(prefix: str, route: str) -> str:
    return "/".join(filter(None, (prefix, route)))


def sort[T](routes: Iterable[tuple[Route, T]]) -> list[tuple[Route, T]]:
    return sorted(routes, key=lambda entry: entry[0].precedence)
