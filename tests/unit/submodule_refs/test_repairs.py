"""A pinned commit is kept where it can be, and moved by a pull request where not. Its remote proves it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from responders.submodule_refs import RESPONDER
from responders.submodule_refs.reasons import Reason
from shared.clients.github import State
from shared.errors import PermanentError, TemporaryError
from shared.landscape import Action, DeclaredSubmodules, Mode
from shared.model import Channel, Step, Word
from tests.unit.github import GitHub
from tests.unit.submodule_refs.builders import (
    BACKLOG,
    GITOPS,
    LINK,
    PARENT,
    PATH,
    World,
    allowing,
    declared,
    link,
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


# -- whatever is broken -------------------------------------------------------------------------------


def untouched(world: World) -> bool:
    only_main = branches(world) == {"main": world.tip} and set(branches(world, GITOPS)) == {"main"}
    return only_main and world.pinned == world.stray and not world.github.pulls


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


# -- keeping --------------------------------------------------------------------------------------------


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
    with pytest.raises(TemporaryError, match="on another commit since the plan"):
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
    with pytest.raises(TemporaryError):
        RESPONDER.apply(world.scope, step)
    assert branches(world) == {"main": world.tip}


# -- moving ---------------------------------------------------------------------------------------------


def test_a_step_names_repository_path_and_commits() -> None:
    world = gone()
    (step,) = world.plan().steps
    assert step == Step(
        action="submodule.move",
        object=LINK,
        owner=PARENT,
        before={"commit": world.stray},
        after={"commit": world.tip, "branch": "main"},
        mends=Reason.SUBMODULE_COMMIT_MISSING,
        channel=Channel.PULL_REQUEST,
    )


def test_a_pull_request_moves_the_pin_and_waits() -> None:
    world = gone()
    assert told(world) == (Word.PENDING, Reason.PIN_MOVE_OPEN)
    (number,) = world.github.open
    ((_, pull),) = world.github.pulls
    assert pull.branch.startswith("reconverge/pins-")
    assert world.pins(pull.branch) == {PATH: world.tip}
    assert world.pinned == world.stray
    title, body = world.github.texts[number]
    assert title == "Move the submodule backlog to a commit that its remote has [main]"
    assert f"| `backlog` of {BACKLOG}" in body
    assert f"| `{world.stray}` | `{world.tip}` | `main` |" in body
    (message,) = world.github.messages
    assert f"backlog: {world.stray} -> {world.tip}" in message
    assert "Reconverge-Target: dev/submodule_refs" in message
    assert "Reconverge-Finding: SubmoduleCommitMissing" in message


def test_a_merged_pull_request_is_proven_by_the_remote() -> None:
    world = gone()
    world.run()
    (number,) = world.github.open
    world.github.merge_pins(number, "main")
    report = world.run()
    assert report.outcome.word is Word.REPAIRED
    assert [(one.object, one.method) for one in report.proofs] == [(LINK, "git-probe")]
    assert world.pinned == world.tip
    assert world.run().outcome.word is Word.CONVERGED


def test_a_pull_request_is_found_again_although_the_submodule_moves_on() -> None:
    world = gone()
    for _ in range(3):
        assert told(world) == (Word.PENDING, Reason.PIN_MOVE_OPEN)
        world.commit(BACKLOG, "main")
        world.clock.advance(DAY)
    assert len(world.github.pulls) == len(world.github.messages) == 1


def test_a_pull_request_is_brought_up_to_date_when_what_it_proposes_is_gone_as_well() -> None:
    world = gone()
    world.run()
    world.backlog.delete("main")
    world.backlog.lose(world.tip)
    newest = world.commit(BACKLOG, "main")
    report = world.run()
    assert (report.outcome.reason, report.applied.failures) == (Reason.PIN_MOVE_OPEN, {})
    ((_, pull),) = world.github.pulls
    assert world.pins(pull.branch) == {PATH: newest}


def test_a_pull_request_whose_commit_cannot_be_asked_for_is_left_as_it_is() -> None:
    world = gone()
    world.run()
    world.git.troubles[f"standing {world.tip}"] = LOST
    world.commit(BACKLOG, "main")
    assert told(world) == (Word.FAILED, Reason.SUBMODULES_UNREAD)
    assert len(world.github.messages) == 1


def test_a_pull_request_in_which_people_took_the_submodule_out_is_left_to_them() -> None:
    world = gone()
    world.run()
    ((_, pull),) = world.github.pulls
    world.gitops.commit("f" * 40, pull.branch)
    assert told(world) == (Word.PENDING, Reason.PIN_MOVE_OPEN)
    assert world.pins(pull.branch) == {}


def test_another_commit_that_is_gone_is_another_move() -> None:
    world = gone()
    world.run()
    world.github.decline(*world.github.open)
    world.pin("f" * 40)
    assert told(world) == (Word.PENDING, Reason.PIN_MOVE_OPEN)
    assert [pull.state for _, pull in world.github.pulls] == [State.DECLINED, State.OPEN]


def test_environments_of_one_repository_share_a_pull_request() -> None:
    world = gone()
    world.run()
    world.environment = "prod"
    assert told(world) == (Word.PENDING, Reason.PIN_MOVE_OPEN)
    assert len(world.github.pulls) == 1


@pytest.mark.parametrize("moment", ["move_gitlink", "move_gitlink lost", "propose", "propose lost"])
def test_whoever_dies_on_the_way_to_a_pull_request_leaves_one_in_the_end(moment: str) -> None:
    world = gone()
    world.github.troubles[moment] = LOST
    world.run()
    world.clock.advance(10 * MINUTE)
    assert told(world) == (Word.PENDING, Reason.PIN_MOVE_OPEN)
    ((_, pull),) = world.github.pulls
    assert world.pins(pull.branch) == {PATH: world.tip}


NEEDLESS: dict[str, Callable[[World], object]] = {
    "somebody moved the pin": lambda world: world.pin(world.first),
    "somebody pushed the commit": lambda world: world.backlog.commit(world.stray, "next"),
    "the submodule is gone": lambda world: world.commit(GITOPS, "main"),
}


@pytest.mark.parametrize("happens", NEEDLESS.values(), ids=NEEDLESS)
def test_a_pull_request_that_nobody_needs_is_closed(happens: Callable[[World], object]) -> None:
    world = gone()
    world.run()
    (number,) = world.github.open
    happens(world)
    world.run()
    assert world.github.open == []
    assert "Reconverge closes this" in world.github.comments[number][0]
    assert world.run().outcome.word is Word.CONVERGED


def test_no_pull_request_is_closed_while_something_is_unread() -> None:
    world = gone()
    world.run()
    world.git.troubles[f"refs {BACKLOG}"] = LOST
    assert told(world) == (Word.FAILED, Reason.SUBMODULES_UNREAD)
    assert len(world.github.open) == 1


def test_a_pull_request_of_somebody_else_is_never_closed() -> None:
    world = World()
    world.github.propose(GITOPS, "fix/pins", "main", "theirs", "")
    world.github.propose(GITOPS, "reconverge/dev/facts-0123456789ab", "main", "of facts", "")
    assert world.run().outcome.word is Word.CONVERGED
    assert len(world.github.open) == 2


def test_a_pull_request_that_somebody_closed_is_not_opened_again() -> None:
    world = gone()
    world.run()
    world.github.decline(*world.github.open)
    for _ in range(2):
        world.clock.advance(DAY)
        assert told(world) == (Word.HUMAN, Reason.PIN_MOVE_DECLINED)
    assert len(world.github.pulls) == 1


def test_a_move_that_is_needed_again_is_proposed_again_after_we_had_closed_it() -> None:
    world = gone()
    world.run()
    for commit in (world.first, world.stray):
        world.pin(commit)
        world.run()
        world.clock.advance(10 * MINUTE)
    assert [pull.state for _, pull in world.github.pulls] == [State.SUPERSEDED, State.OPEN]


def test_a_merge_after_which_the_old_pin_is_back_is_left_to_people() -> None:
    world = gone()
    world.run()
    (number,) = world.github.open
    world.github.merge_pins(number, "main")
    world.run()
    world.pin(world.stray)
    assert told(world) == (Word.PENDING, Reason.PIN_SETTLING)
    world.clock.advance(10 * MINUTE)
    assert told(world) == (Word.HUMAN, Reason.PIN_STILL_MISSING)
    assert len(world.github.pulls) == 1


@pytest.mark.parametrize("call", ["history", "proposals"])
def test_without_its_pull_requests_nothing_is_proposed_twice(call: str) -> None:
    world = gone()
    world.run()
    world.github.troubles[call] = LOST
    assert world.run().outcome.word is Word.FAILED
    assert len(world.github.pulls) == 1


ODD = "x`|y"
"""Git takes it for a branch; a table in a pull request does not take it for a cell."""
NAMED = {
    "by .gitmodules": ((declared(),), {"branch": "main"}, True),
    "by .gitmodules, as the parent's": ((declared(),), {"branch": "."}, True),
    "by nobody": ((declared(),), {}, False),
    "by the landscape, which comes first": ((declared(moves={PATH: "main"}),), {"branch": "no"}, True),
    "as a branch that there is not": ((declared(moves={PATH: "no"}),), {"branch": "main"}, False),
    "by .gitmodules, in a form that is none": ((declared(),), {"branch": ODD}, False),
}


@pytest.mark.parametrize(("submodules", "changes", "moves"), NAMED.values(), ids=NAMED)
def test_a_pin_is_moved_only_to_a_branch_that_is_named(
    submodules: tuple[DeclaredSubmodules, ...], changes: dict[str, str], *, moves: bool
) -> None:
    world = World(submodules=submodules)
    world.pin(world.stray, **changes)
    world.backlog.branches[ODD] = world.tip
    world.backlog.lose(world.stray)
    lost = (Word.HUMAN, Reason.SUBMODULE_COMMIT_LOST)
    assert told(world) == ((Word.PENDING, Reason.PIN_MOVE_OPEN) if moves else lost)
    assert bool(world.github.pulls) is moves


def test_a_path_that_would_forge_a_trailer_is_left_to_people() -> None:
    world = World(submodules=(declared(),))
    world.pin(world.stray, path="x\n\nReconverge-Target: prod", branch="main")
    world.backlog.lose(world.stray)
    assert told(world) == (Word.HUMAN, Reason.SUBMODULE_COMMIT_LOST)
    assert world.github.messages == []


def test_a_submodule_on_another_server_is_moved_all_the_same() -> None:
    world = World()
    docs = "https://gitlab.com/group/docs"
    newest = world.commit(docs, "main")
    lost = world.commit(docs, None)
    world.pin(lost, url=docs)
    world.git.lay(docs).lose(lost)
    assert told(world) == (Word.PENDING, Reason.PIN_MOVE_OPEN)
    ((_, pull),) = world.github.pulls
    assert world.pins(pull.branch) == {PATH: newest}


SINCE: dict[str, tuple[Callable[[World], object], str]] = {
    "the pin is another one": (lambda world: world.pin(world.first), "has changed since the plan"),
    "the submodule is gone": (
        lambda world: world.commit(GITOPS, "main"),
        "has changed since the plan",
    ),
    "the branch was rewound": (
        lambda world: world.backlog.delete("main"),
        "no branch or tag leads to",
    ),
    "the remote does not answer": (
        lambda world: world.git.troubles.update({"refs": LOST}),
        "could not be read",
    ),
    "the pinned commit is there": (
        lambda world: world.backlog.commit(world.stray, "next"),
        "is not known to be gone",
    ),
    "the pinned commit is there, held by nothing": (
        lambda world: world.backlog.loose.add(world.stray),
        "is not known to be gone",
    ),
    "the remote does not say whether the pinned commit is there": (
        lambda world: world.git.troubles.update({f"standing {world.stray}": LOST}),
        "is not known to be gone",
    ),
    "GitHub has the pinned commit": (
        lambda world: world.backlog.forgotten.add(world.stray),
        "is not known to be gone",
    ),
    "GitHub does not say whether it has the pinned commit": (
        lambda world: world.github.troubles.update({"holds": LOST}),
        "is not known to be gone",
    ),
}


@pytest.mark.parametrize(("happens", "says"), SINCE.values(), ids=SINCE)
def test_what_changed_since_the_plan_is_planned_anew(
    happens: Callable[[World], object], says: str
) -> None:
    world = gone()
    (step,) = world.plan().steps
    happens(world)
    with pytest.raises(TemporaryError, match=says):
        RESPONDER.apply(world.scope, step)
    assert world.github.pulls == []


def test_a_pin_is_not_moved_to_a_branch_that_the_landscape_names_no_more() -> None:
    world = gone()
    (step,) = world.plan().steps
    world.submodules = (declared(moves={PATH: "next"}),)
    with pytest.raises(TemporaryError, match="may not be moved to main any more"):
        RESPONDER.apply(world.scope, step)
    assert world.github.pulls == []


def test_a_pull_request_that_somebody_closed_since_the_plan_is_not_opened_again() -> None:
    world = gone()
    (step,) = world.plan().steps
    world.run()
    world.github.decline(*world.github.open)
    with pytest.raises(TemporaryError, match="was closed since the plan"):
        RESPONDER.apply(world.scope, step)
    assert world.github.open == []


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
