"""A pinned commit that can vanish, or that only GitHub's API has, is kept by a branch of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from responders.submodule_refs import RESPONDER
from responders.submodule_refs.reasons import Reason
from shared.errors import NotWritten, PermanentError
from shared.model import Step, Word
from tests.unit.github import GitHub
from tests.unit.submodule_refs.broken import (
    KEPT,
    LOST,
    MINUTE,
    branches,
    forgotten,
    told,
    unreferenced,
    untouched,
)
from tests.unit.submodule_refs.builders import (
    BACKLOG,
    GITOPS,
    PARENT,
    World,
    declared,
    link,
)


@pytest.mark.parametrize("broken", KEPT.values(), ids=KEPT)
def test_a_step_names_repository_branch_and_commit(broken: Callable[..., World]) -> None:
    world = broken()
    (step,) = world.plan().steps
    missing = broken is forgotten
    assert step == Step(
        action="submodule.keep",
        object=f"{BACKLOG}/commit/{world.stray}",
        owner=BACKLOG,
        before=None,
        after={"branch": f"gitops-pin/{world.stray[:7]}", "commit": world.stray},
        mends=Reason.SUBMODULE_COMMIT_MISSING if missing else Reason.SUBMODULE_COMMIT_UNREFERENCED,
    )


@pytest.mark.parametrize("broken", KEPT.values(), ids=KEPT)
def test_a_commit_is_kept_by_a_branch_and_proven_by_its_remote(broken: Callable[..., World]) -> None:
    world = broken()
    report = world.run()
    assert branches(world) == {"main": world.tip, f"gitops-pin/{world.stray[:7]}": world.stray}
    assert report.outcome.word is Word.REPAIRED
    assert [(one.object, one.method) for one in report.proofs] == [
        (f"{BACKLOG}/commit/{world.stray}", "git-probe")
    ]
    assert world.pinned == world.stray
    assert world.run().outcome.word is Word.CONVERGED


class Late(GitHub):
    """It takes new branches, and its Git server shows none of them so far."""

    def keep(self, repository: str, branch: str, commit: str) -> None:
        pass


def test_a_branch_that_was_published_and_does_not_serve_the_commit_proves_nothing() -> None:
    world = forgotten()
    world.azure.github = Late(world.clock, world.git)
    report = world.run()
    assert report.proofs == ()
    assert (report.outcome.word, report.outcome.reason) == (Word.PENDING, Reason.PIN_SETTLING)


def test_a_branch_that_somebody_deletes_again_and_again_is_left_to_people() -> None:
    world = unreferenced()
    for _ in range(2):
        assert world.run().outcome.word is Word.REPAIRED
        world.backlog.delete(f"gitops-pin/{world.stray[:7]}")
        world.clock.advance(10 * MINUTE)
    assert told(world) == (Word.HUMAN, Reason.PIN_STILL_MISSING)
    assert branches(world) == {"main": world.tip}


@pytest.mark.parametrize("moment", ["keep", "keep lost"])
def test_whoever_dies_while_keeping_leaves_the_branch_in_the_end(moment: str) -> None:
    world = forgotten()
    world.github.troubles[moment] = LOST
    world.run()
    world.clock.advance(10 * MINUTE)
    assert world.run().outcome.word in (Word.REPAIRED, Word.CONVERGED)
    assert branches(world)[f"gitops-pin/{world.stray[:7]}"] == world.stray


def test_a_branch_on_another_commit_is_left_alone_and_the_name_has_the_whole_id() -> None:
    world = unreferenced()
    world.backlog.branches[f"gitops-pin/{world.stray[:7]}"] = world.first
    assert world.run().outcome.word is Word.REPAIRED
    assert branches(world) == {
        "main": world.tip,
        f"gitops-pin/{world.stray[:7]}": world.first,
        f"gitops-pin/{world.stray}": world.stray,
    }


TAKEN = {
    "both names are on other commits": lambda stray: (f"gitops-pin/{stray[:7]}", f"gitops-pin/{stray}"),
    "a branch has the name of the folder": lambda _: ("gitops-pin",),
}


@pytest.mark.parametrize("names", TAKEN.values(), ids=TAKEN)
def test_where_no_name_is_free_people_are_asked(names: Callable[[str], tuple[str, ...]]) -> None:
    world = unreferenced()
    world.backlog.branches |= dict.fromkeys(names(world.stray), world.first)
    assert told(world) == (Word.HUMAN, Reason.PIN_NAME_TAKEN)
    assert world.stray not in branches(world).values()


def test_a_refusal_of_github_is_left_to_people_and_never_called_a_success() -> None:
    world = forgotten()
    world.github.troubles["keep"] = PermanentError("GitHub answered 422: it cannot be done in this way")
    assert told(world) == (Word.HUMAN, Reason.PIN_REFUSED)
    assert branches(world) == {"main": world.tip}


def test_what_github_does_not_say_leaves_everything_as_it_is() -> None:
    world = forgotten()
    world.github.troubles["holds"] = LOST
    assert told(world) == (Word.FAILED, Reason.SUBMODULES_UNREAD)
    assert untouched(world)


def test_a_commit_is_kept_whatever_its_own_submodules_are() -> None:
    world = unreferenced()
    world.git.troubles[f"snapshot {BACKLOG}"] = LOST
    assert told(world) == (Word.FAILED, Reason.SUBMODULES_UNREAD)
    assert world.stray in branches(world).values()


def test_a_server_that_is_not_github_is_left_to_people() -> None:
    world = World()
    docs = "https://gitlab.com/group/docs"
    world.commit(docs, "main")
    world.pin(world.commit(docs, None), url=docs)
    assert told(world) == (Word.HUMAN, Reason.SUBMODULE_REMOTE_FOREIGN)
    assert world.plan().steps == ()


def test_a_commit_that_two_branches_pin_is_kept_once() -> None:
    world = unreferenced(submodules=(declared("main", "next"),))
    world.commit(GITOPS, "next", link(world.stray))
    assert len(world.plan().steps) == 1
    assert world.run().outcome.word is Word.REPAIRED


def test_a_branch_that_took_the_name_since_the_plan_is_not_moved() -> None:
    world = unreferenced()
    (step,) = world.plan().steps
    world.backlog.branches[step.after["branch"]] = world.first
    with pytest.raises(NotWritten, match="on another commit since the plan"):
        RESPONDER.apply(world.scope, step)
    assert branches(world)[step.after["branch"]] == world.first


THIRD = "https://github.com/somebody/charts"


def pinned_by_a_third_party(**changes: Any) -> World:
    """Main pins the charts of somebody, who pins in them what nothing leads to in our backlog."""
    world = World(**changes)
    theirs = world.commit(THIRD, "main", link(world.stray))
    world.commit(GITOPS, "main", link(world.first), link(theirs, path="charts", url=THIRD))
    return world


def test_a_pin_that_only_a_submodule_has_publishes_no_branch() -> None:
    world = pinned_by_a_third_party()
    assert told(world) == (Word.HUMAN, Reason.PIN_NESTED)
    assert branches(world) == {"main": world.tip}


def test_a_missing_pin_that_only_a_submodule_has_publishes_no_branch() -> None:
    world = pinned_by_a_third_party()
    world.backlog.forget(world.stray)
    assert told(world) == (Word.HUMAN, Reason.SUBMODULE_COMMIT_LOST)
    assert branches(world) == {"main": world.tip}


def test_a_pin_that_a_tracked_branch_has_as_well_is_kept() -> None:
    world = pinned_by_a_third_party(submodules=(declared("main", "next"),))
    world.commit(GITOPS, "next", link(world.stray))
    assert world.run().outcome.word is Word.REPAIRED
    assert world.stray in branches(world).values()


UNPINNED: dict[str, Callable[[World], object]] = {
    "it pins another commit": lambda world: world.pin(world.first),
    "it pins the commit at another remote": lambda world: world.pin(world.stray, url=THIRD),
    "only a submodule pins it": lambda world: world.commit(
        GITOPS, "main", link(world.commit(THIRD, "main", link(world.stray)), url=THIRD)
    ),
    "it is gone": lambda world: world.gitops.delete("main"),
    "it cannot be read": lambda world: world.git.troubles.update({f"snapshot {PARENT}": LOST}),
}


@pytest.mark.parametrize("happens", UNPINNED.values(), ids=UNPINNED)
def test_a_commit_that_no_tracked_branch_is_seen_to_pin_any_more_is_not_kept(
    happens: Callable[[World], object],
) -> None:
    world = unreferenced()
    (step,) = world.plan().steps
    happens(world)
    with pytest.raises(NotWritten):
        RESPONDER.apply(world.scope, step)
    assert branches(world) == {"main": world.tip}
