"""The registry: which responders there are, in their order, and what each listens to.

Modules are imported when a run needs them: a trigger that only puts a message on a queue pays nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from shared.routing import Registered, Registry
from shared.signals import WATCHED

if TYPE_CHECKING:
    from shared.world import AnyResponder

REGISTRY: Final[Registry] = {
    "federated_credentials": Registered(hears=frozenset(WATCHED.values())),
}


def load(name: str) -> "AnyResponder":
    """Raises KeyError for a name the registry does not hold."""
    if name not in REGISTRY:
        raise KeyError(name)
    return cast("AnyResponder", import_module(f"responders.{name}").RESPONDER)


def remedy(name: str, reason: str | None) -> str | None:
    """What to do about a reason of this responder; None for none, and for a code that was retired since."""
    info = load(name).reasons.get(reason) if reason else None
    return info.remedy if info else None
