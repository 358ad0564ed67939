"""Faults injected per route: what a network, a proxy or a bad day of the service does to a call."""

import itertools
import re
from dataclasses import dataclass, field
from typing import Final, Literal

from sandbox.inputs import InputError

type Phase = Literal["before", "after"]
"""Before the call has its effect, or after it: then the effect happened and the caller does not learn it."""
SERVICES: Final = (
    "arm",
    "entra",
    "issuer",
    "identity",
    "keyvault",
    "kubernetes",
    "github",
    "keycloak",
    "gitlab",
)
"""Whose calls can be disturbed."""


@dataclass(slots=True, kw_only=True)
class Fault:
    path: re.Pattern[str]
    """Searched in the request's path, without regard to letter case."""
    method: str = ""
    """Empty: any."""
    service: str = ""
    """Empty: any. Else one of `SERVICES`."""
    count: int | None = 1
    """How many calls it strikes; None: all."""
    phase: Phase = "before"
    delay: float = 0.0
    """Seconds."""
    status: int | None = None
    """Answer with this, `body` and `headers` instead of the service's own answer."""
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False
    """Cut the connection without an answer."""
    stale_seconds: float = 0.0
    """An ARM read answers with the state of this long ago."""

    def strikes(self, service: str, method: str, path: str) -> bool:
        return (
            self.count != 0
            and (not self.service or self.service == service)
            and (not self.method or self.method.upper() == method)
            and self.path.search(path) is not None
        )


class Faults:
    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._faults: dict[int, Fault] = {}

    def add(self, fault: Fault) -> int:
        number = next(self._ids)
        self._faults[number] = fault
        return number

    def clear(self) -> None:
        self._faults.clear()

    def take(self, service: str, method: str, path: str) -> Fault | None:
        """The oldest fault that strikes this call, counted down."""
        for fault in self._faults.values():
            if fault.strikes(service, method, path):
                if fault.count is not None:
                    fault.count -= 1
                return fault
        return None

    def show(self) -> list[dict[str, object]]:
        """Every fault with what is left of its count."""
        return [
            {
                "id": number,
                "service": fault.service,
                "method": fault.method,
                "path": fault.path.pattern,
                "left": fault.count,
            }
            for number, fault in self._faults.items()
        ]


_SHAPES: dict[str, tuple[tuple[type, ...], str]] = {
    "method": ((str,), "an HTTP method"),
    "service": ((str,), "the name of a service"),
    "count": ((int, type(None)), "a whole number, or null for all calls"),
    "delay": ((int, float), "a number of seconds"),
    "status": ((int, type(None)), "an HTTP status"),
    "headers": ((dict,), "an object"),
    "reset": ((bool,), "true or false"),
    "stale_seconds": ((int, float), "a number of seconds"),
}


def read_fault(given: object) -> Fault:
    """A fault from JSON. Raises InputError saying what to write instead."""
    if not isinstance(given, dict) or not isinstance(given.get("path"), str):
        raise InputError('a fault is an object with at least "path", a regular expression')
    known = set(Fault.__dataclass_fields__)
    if unknown := sorted(set(given) - known):
        raise InputError(f"a fault has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    for name, (kinds, what) in _SHAPES.items():
        if name in given and not (
            isinstance(given[name], kinds) and (bool in kinds or given[name] is not True)
        ):
            raise InputError(f"the {name} of a fault is {what}, not {given[name]!r}")
    if given.get("service", "") not in ("", *SERVICES):
        raise InputError(f"no service {given['service']!r}; there are {', '.join(SERVICES)}")
    if given.get("phase", "before") not in ("before", "after"):
        raise InputError('the phase of a fault is "before" or "after"')
    try:
        pattern = re.compile(given["path"], re.IGNORECASE)
    except re.error as error:
        raise InputError(f"the path of a fault is a regular expression: {error}") from error
    return Fault(**{**given, "path": pattern})
