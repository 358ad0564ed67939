"""A pinned commit is kept where it can be, and moved by a pull request where not. Its remote proves it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from responders.submodule_refs import RESPONDER
from shared.errors import PermanentError
from shared.landscape import Action, Mode
from shared.model import Word
from tests.unit.submodule_refs.broken import (
    BROKEN,
    DAY,
    MINUTE,
    branches,
    forgotten,
    gone,
    unreferenced,
    untouched,
)
from tests.unit.submodule_refs.builders import (
    BACKLOG,
    GITOPS,
    PARENT,
    World,
    allowing,
)

# -- whatever is broken -------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize(
    ("mode", "word"),
    [(Mode.PROPOSE, Word.PROPOSED), (Mode.APPROVE, Word.APPROVAL), (Mode.NEVER, Word.HUMAN)],
)
def test_nothing_is_written_unless_the_contract_says_apply(
    broken: Callable[..., World], mode: Mode, word: Word
) -> None:
    world = broken(contract=allowing(default=mode))
    assert world.run().outcome.word is word
    assert untouched(world)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_nothing_is_written_to_a_repository_that_the_contract_does_not_list(
    broken: Callable[..., World],
) -> None:
    world = broken(contract=allowing(repositories=()))
    assert world.run().outcome.word is Word.HUMAN
    (step,) = world.plan().steps
    with pytest.raises(PermanentError, match=r"contract\.repositories does not list"):
        RESPONDER.apply(world.scope, step)
    assert untouched(world)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_the_same_situation_has_the_same_plan_at_any_time(broken: Callable[..., World]) -> None:
    world = broken()
    first = world.plan()
    world.clock.advance(DAY)
    assert world.plan().digest == first.digest


def test_what_is_pinned_rightly_is_left_alone() -> None:
    world = World()
    assert world.run().outcome.word is Word.CONVERGED
    assert branches(world) == {"main": world.tip}


OTHERS = "https://github.com/ameideio/elsewhere"
FORGED: dict[str, tuple[Callable[..., World], dict[str, object], str]] = {
    "another action": (gone, {"action": "credential.update"}, "is not an action"),
    "another gitlink": (gone, {"object": f"{PARENT}/tree/next/backlog"}, "is not declared"),
    "another repository": (gone, {"owner": OTHERS}, "is not declared"),
    "a branch of another name": (
        unreferenced,
        {"after": {"branch": "main", "commit": "0" * 40}},
        "is no branch that keeps",
    ),
    "a commit of another repository": (unreferenced, {"owner": OTHERS}, "is no branch that keeps"),
}


@pytest.mark.parametrize(("broken", "changes", "says"), FORGED.values(), ids=FORGED)
def test_a_step_that_no_plan_may_hold_is_refused_at_the_last_moment(
    broken: Callable[..., World], changes: dict[str, Any], says: str
) -> None:
    world = broken(contract=allowing(repositories=(GITOPS, BACKLOG, OTHERS)))
    (step,) = world.plan().steps
    with pytest.raises(PermanentError, match=says):
        RESPONDER.apply(world.scope, replace(step, **changes))
    assert untouched(world)


def test_a_commit_is_kept_under_no_other_name() -> None:
    world = unreferenced()
    (step,) = world.plan().steps
    forged = replace(step, after={**step.after, "branch": "release"})
    with pytest.raises(PermanentError, match="is no branch that keeps"):
        RESPONDER.apply(world.scope, forged)
    assert untouched(world)


# -- looks ----------------------------------------------------------------------------------------------


def test_a_pull_request_is_looked_at_soon_then_every_quarter_of_an_hour() -> None:
    world = gone()
    now = world.clock()
    assert world.run().outcome.until == now + timedelta(seconds=5)
    world.clock.advance(DAY)
    now = world.clock()
    assert world.run().outcome.until == now + 15 * MINUTE


def test_modes_of_the_two_repairs_are_apart() -> None:
    modes = {Action.SUBMODULE_KEEP: Mode.APPLY, Action.SUBMODULE_MOVE: Mode.PROPOSE}
    contract = allowing(default=Mode.NEVER, actions=modes)
    assert forgotten(contract=contract).run().outcome.word is Word.REPAIRED
    world = gone(contract=contract)
    assert world.run().outcome.word is Word.PROPOSED
    assert world.github.pulls == []
