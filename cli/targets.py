"""From what a person typed to targets of the landscape."""

from collections.abc import Sequence
from dataclasses import dataclass

from responders import REGISTRY
from shared import routing
from shared.errors import Misconfigured
from shared.landscape import Landscape
from shared.model import Target


@dataclass(frozen=True, slots=True)
class Choice:
    targets: tuple[Target, ...]
    disabled: tuple[str, ...]
    """Environments that were meant too, and are left out because the landscape disables them."""


def choose(landscape: Landscape, subjects: Sequence[str], environment: str | None) -> Choice:
    """The targets that the subjects stand for, within the environment where one is given.

    A subject is `<environment>/<responder>`, or an environment; without any, all are meant.
    Raises Misconfigured for what the landscape does not know, and when nothing is left to look at.
    """
    meant = tuple(subjects) or (environment or routing.EVERYTHING,)
    environments = _known(landscape, environment) if environment else tuple(landscape.environments)
    targets = dict.fromkeys(
        target
        for subject in meant
        for target in _expand(landscape, subject)
        if target.environment in environments
    )
    named = {subject.partition("/")[0] for subject in meant}
    disabled = tuple(
        name
        for name in environments
        if not landscape.environments[name].enabled and named & {name, routing.EVERYTHING}
    )
    if not targets:
        why = "disabled in the landscape" if disabled else f"not in environment {environment}"
        raise Misconfigured(f"{', '.join(meant)}: {why}; {_what_there_is(landscape)}")
    return Choice(tuple(targets), disabled)


def every_place(landscape: Landscape, environment: str | None) -> tuple[Target, ...]:
    """Where the journal may have entries: what is disabled now may have been enabled yesterday."""
    names = _known(landscape, environment) if environment else tuple(landscape.environments)
    return tuple(Target(name, responder) for name in names for responder in REGISTRY)


def _known(landscape: Landscape, environment: str) -> tuple[str]:
    if environment not in landscape.environments:
        raise Misconfigured(f"environment {environment!r} is unknown; {_what_there_is(landscape)}")
    return (environment,)


def _expand(landscape: Landscape, subject: str) -> tuple[Target, ...]:
    try:
        return routing.expand(landscape, subject, REGISTRY)
    except KeyError as unknown:
        raise Misconfigured(f"{unknown.args[0]!r} is unknown; {_what_there_is(landscape)}") from None


def _what_there_is(landscape: Landscape) -> str:
    names = [
        name if environment.enabled else f"{name} (disabled)"
        for name, environment in landscape.environments.items()
    ]
    targets = map(str, routing.every(landscape, REGISTRY))
    return f"the landscape has the environments {', '.join(names)} and the targets {', '.join(targets)}"
