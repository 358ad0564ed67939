"""Charts of the platform: what their templates make of values. Real charts are templates of Go; these are
functions, each with the names, labels and annotations of its own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes_objects import Object

type Values = Mapping[str, Any]


class ChartError(Exception):
    """A template refuses its values. The text is what it would print."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What Helm tells a template beside the values."""

    name: str
    namespace: str
    chart: str
    chart_version: str
    app_version: str


type Template = Callable[[Release, Values], Iterable[Object]]
"""The manifests of a release. Raises ChartError."""
