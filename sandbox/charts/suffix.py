"""The suffix that GitLab's chart gives to the names of its Jobs, so that other values make another Job.

https://docs.gitlab.com/charts/charts/globals/#jobs
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.charts import Release, Values

_LENGTH: Final = 7
_BUILT_IN: Final = "local"
"""What the chart's own templates put among a subchart's values, and what differs from call to call."""
_PLAIN: Final = re.compile(r"[A-Za-z/_][-\w./ ]*(?<! )")
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def suffix(release: Release, values: Values) -> str:
    """Of the Jobs of a subchart that has these values, `global` among them."""
    override = ((values.get("global") or {}).get("job") or {}).get("nameSuffixOverride")
    if override:
        return str(override)
    mine = {name: value for name, value in values.items() if name != _BUILT_IN}
    encoded = base64.b64encode(to_yaml(mine).encode()).decode()
    said = f"{release.chart_version}-{release.app_version}-{encoded}"
    return hashlib.sha256(said.encode()).hexdigest()[:_LENGTH]


def to_yaml(values: Mapping[str, Any]) -> str:
    """As Helm's function of that name: keys in order, two spaces, lists at their key's depth."""
    return "\n".join(_lines(values))


def _lines(value: Any) -> Iterator[str]:
    match value:
        case Mapping() if value:
            for name in sorted(value):
                yield from _entry(f"{_scalar(name)}:", value[name])
        case list() if value:
            for one in value:
                first, *rest = _lines(one)
                yield f"- {first}"
                yield from (f"  {line}" for line in rest)
        case _:
            yield _scalar(value)


def _entry(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield key
        yield from (f"  {line}" for line in _lines(value))
    elif isinstance(value, list) and value:
        yield key
        yield from _lines(value)
    else:
        yield f"{key} {_scalar(value)}"


def _scalar(value: Any) -> str:
    """A text stands bare where nobody could take it for something else."""
    match value:
        case None:
            return "null"
        case str() if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
        case Mapping():
            return "{}"
    return json.dumps(value)
