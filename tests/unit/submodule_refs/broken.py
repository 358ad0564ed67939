"""Platforms whose pinned commit is not well, one for each way of it, and what is asked of all of them."""

from datetime import timedelta
from typing import Any

from shared.errors import TemporaryError
from shared.model import Word
from tests.unit.submodule_refs.builders import (
    BACKLOG,
    GITOPS,
    World,
)

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LOST = TemporaryError("the answer was lost", delay=timedelta(seconds=30))


def unreferenced(**changes: Any) -> World:
    """Nothing leads to the pinned commit."""
    world = World(**changes)
    world.pin(world.stray)
    return world


def forgotten(**changes: Any) -> World:
    """Only GitHub's API knows the pinned commit."""
    world = unreferenced(**changes)
    world.backlog.forget(world.stray)
    return world


def gone(**changes: Any) -> World:
    """Nobody has the pinned commit any more."""
    world = unreferenced(**changes)
    world.backlog.lose(world.stray)
    return world


def branches(world: World, repository: str = BACKLOG) -> dict[str, str]:
    return world.git.lay(repository).branches


def told(world: World) -> tuple[Word, str | None]:
    outcome = world.run().outcome
    return outcome.word, outcome.reason


BROKEN = {"unreferenced": unreferenced, "forgotten": forgotten, "gone": gone}
KEPT = {"unreferenced": unreferenced, "forgotten": forgotten}


def untouched(world: World) -> bool:
    only_main = branches(world) == {"main": world.tip} and set(branches(world, GITOPS)) == {"main"}
    return only_main and world.pinned == world.stray and not world.github.pulls
