"""Which targets a signal concerns. Pure: the landscape and the registry's table decide."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.landscape import Environment, Landscape
from shared.model import Signal, Target

EVERYTHING: Final = "*"

REQUESTS: Final = frozenset({"sweep", "requested", "approved", "replayed"})
"""Kinds whose subject is `*`, an environment or a target."""


def targets(
    landscape: Landscape, signal: Signal, watchers: Mapping[str, frozenset[str]]
) -> tuple[Target, ...]:
    """Enabled targets that the signal asks to look at, in the landscape's order.

    watchers: responder → kinds of ARM events it wants to hear of. A signal that names
    targets (a person's, the timer's) reaches them all. An unknown subject concerns nobody.
    """
    found = tuple(_environments(landscape, signal))
    if signal.kind in REQUESTS:
        try:
            return expand(landscape, signal.subject, watchers)
        except KeyError:
            return ()
    return tuple(
        target
        for target in every(landscape, watchers)
        if target.environment in found and signal.kind in watchers[target.responder]
    )


def every(landscape: Landscape, watchers: Iterable[str]) -> tuple[Target, ...]:
    responders = tuple(watchers)
    return tuple(
        Target(name, responder)
        for name, environment in landscape.environments.items()
        if environment.enabled
        for responder in responders
    )


def expand(landscape: Landscape, subject: str, watchers: Iterable[str]) -> tuple[Target, ...]:
    """The targets that `*`, an environment's name, or `<environment>/<responder>` stands for.

    Raises KeyError with the unknown part; a disabled environment stands for none.
    """
    responders = tuple(watchers)
    if subject == EVERYTHING:
        return every(landscape, responders)
    name, _, responder = subject.partition("/")
    if name not in landscape.environments:
        raise KeyError(name)
    if responder and responder not in responders:
        raise KeyError(responder)
    return tuple(
        target
        for target in every(landscape, responders)
        if target.environment == name and responder in ("", target.responder)
    )


def _environments(landscape: Landscape, signal: Signal) -> Iterable[str]:
    """Environments that declare the resource an ARM event is about."""
    subject = signal.subject.lower()
    kind = signal.kind.partition(".")[0]
    match kind:
        case "cluster":
            return _names(landscape.environments_of_cluster(subject))
        case "identity" | "credential":
            identity = subject.partition("/federatedidentitycredentials/")[0]
            return _names(landscape.environments_of_identity(identity))
        case "role-assignment":
            return _beneath(landscape, subject.partition("/providers/microsoft.authorization/")[0])
    return ()


def _names(environments: Iterable[Environment]) -> tuple[str, ...]:
    return tuple(environment.name for environment in environments)


def _beneath(landscape: Landscape, scope: str) -> Iterable[str]:
    """Environments with a declared resource at or below the scope of a role assignment."""
    for name, environment in landscape.environments.items():
        ids = [*(one.id for one in environment.clusters), *(one.id for one in environment.identities)]
        if any(f"{one.lower()}/".startswith(f"{scope}/") for one in ids):
            yield name
