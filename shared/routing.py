"""Which targets a signal concerns. Pure: the landscape and the registry's table decide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from shared.landscape import Environment, Landscape
from shared.model import Signal, Target
from shared.signals import ANY_APPLICATION, REPORTED

EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """What is known of a responder without importing it."""

    hears: frozenset[str]
    """Kinds of events that wake it."""
    section: str | None = None
    """The key of an environment without which there is nothing for it to do there."""
    rests_on: tuple[str, ...] = ()
    """Responders whose faults may be the root of what it finds."""


type Registry = Mapping[str, Registered]
"""By the responder's name, in the order in which repairs follow each other."""

REQUESTS: Final = frozenset({"sweep", "requested", "approved", "replayed"})
"""Kinds whose subject is `*`, an environment or a target."""


def targets(landscape: Landscape, signal: Signal, registry: Registry) -> tuple[Target, ...]:
    """Enabled targets that the signal asks to look at, in the landscape's order.

    A signal that names targets (a person's, the timer's) reaches them all. An unknown subject concerns
    nobody.
    """
    if signal.kind in REQUESTS:
        try:
            return expand(landscape, signal.subject, registry)
        except KeyError:
            return ()
    if signal.kind == REPORTED:
        return tuple(
            target
            for target in every(landscape, registry)
            if target.responder in _reported_to(landscape, signal, target.environment, registry)
        )
    found = tuple(_environments(landscape, signal))
    return tuple(
        target
        for target in every(landscape, registry)
        if target.environment in found and signal.kind in registry[target.responder].hears
    )


def every(landscape: Landscape, registry: Registry) -> tuple[Target, ...]:
    return tuple(
        Target(name, responder)
        for name, environment in landscape.environments.items()
        if environment.enabled
        for responder, registered in registry.items()
        if registered.section is None or getattr(environment, registered.section)
    )


def expand(landscape: Landscape, subject: str, registry: Registry) -> tuple[Target, ...]:
    """The targets that `*`, an environment's name, or `<environment>/<responder>` stands for.

    Raises KeyError with the unknown part; a disabled environment stands for none.
    """
    if subject == EVERYTHING:
        return every(landscape, registry)
    name, _, responder = subject.partition("/")
    if name not in landscape.environments:
        raise KeyError(name)
    if responder and responder not in registry:
        raise KeyError(responder)
    return tuple(
        target
        for target in every(landscape, registry)
        if target.environment == name and responder in ("", target.responder)
    )


def preconditions(target: Target, landscape: Landscape, registry: Registry) -> tuple[Target, ...]:
    """The targets of the same environment whose faults may hold this one back."""
    return tuple(
        one
        for one in every(landscape, registry)
        if one.environment == target.environment and one.responder in registry[target.responder].rests_on
    )


def resting_on(target: Target, landscape: Landscape, registry: Registry) -> tuple[Target, ...]:
    """The targets of the same environment that this one may hold back."""
    return tuple(
        one
        for one in every(landscape, registry)
        if one.environment == target.environment and target.responder in registry[one.responder].rests_on
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
            return _names(
                (*landscape.environments_of_identity(identity), *landscape.environments_of_fact(identity))
            )
        case "role-assignment":
            return _beneath(landscape, subject.partition("/providers/microsoft.authorization/")[0])
    return ()


def _reported_to(
    landscape: Landscape, signal: Signal, environment: str, registry: Registry
) -> frozenset[str]:
    """The responders of an environment that an Application concerns: those that watch Applications, and those
    that its rule names. Where its name could not be read it may be any, under any rule."""
    argocd = landscape.environments[environment].argocd
    if argocd is None:
        return frozenset()
    if signal.subject == ANY_APPLICATION:
        rules = argocd.applications
    else:
        namespace, _, name = signal.subject.partition("/")
        rule = argocd.rule(name) if namespace == argocd.namespace else None
        rules = (rule,) if rule else ()
    watching = {name for name, one in registry.items() if REPORTED in one.hears}
    return frozenset().union(*({*watching, *rule.responders} for rule in rules))


def _names(environments: Iterable[Environment]) -> tuple[str, ...]:
    return tuple(environment.name for environment in environments)


def _beneath(landscape: Landscape, scope: str) -> Iterable[str]:
    """Environments with a declared resource at or below the scope of a role assignment."""
    for name, environment in landscape.environments.items():
        ids = [*(one.id for one in environment.clusters), *(one.id for one in environment.identities)]
        if environment.vault:
            ids.append(environment.vault.key_vault)
        if any(f"{one.lower()}/".startswith(f"{scope}/") for one in ids):
            yield name
