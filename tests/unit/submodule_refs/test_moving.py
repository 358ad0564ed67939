"""A pin whose commit is gone for good is moved by a pull request, to a branch that is named for it."""

from collections.abc import Callable

import pytest

from responders.submodule_refs import RESPONDER
from responders.submodule_refs.reasons import Reason
from shared.clients.github import State
from shared.errors import NotWritten, PermanentError
from shared.journal import Kind
from shared.landscape import DeclaredSubmodules, Mode
from shared.model import Channel, Step, Word
from shared.plans import Plans
from tests.unit.submodule_refs.broken import (
    DAY,
    LOST,
    MINUTE,
    gone,
    told,
)
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


def people_write(world: World) -> str:
    """Upon the branch of the only pull request: a pin that no branch leads to yet, and a second one."""
    ((_, pull),) = world.github.pulls
    theirs = world.commit(BACKLOG, None)
    return world.commit(GITOPS, pull.branch, link(theirs), link(world.first, path="charts"))


def test_what_people_wrote_to_the_branch_of_a_pull_request_is_left_there() -> None:
    world = gone()
    world.run()
    ((_, pull),) = world.github.pulls
    written = people_write(world)
    for _ in range(2):
        world.clock.advance(15 * MINUTE)
        report = world.run()
        assert report.outcome.reason == Reason.PIN_MOVE_OPEN
        assert "pull request 1 waits for people, and somebody else wrote to its branch" in str(
            report.findings
        )
        assert world.gitops.branches[pull.branch] == written


def test_what_people_wrote_to_the_branch_since_the_plan_is_left_there() -> None:
    world = gone()
    (step,) = world.plan().steps
    world.run()
    ((_, pull),) = world.github.pulls
    written = people_write(world)
    with pytest.raises(NotWritten, match=r"somebody else wrote to branch reconverge/pins-.* since the plan"):
        RESPONDER.apply(world.scope, step)
    assert world.gitops.branches[pull.branch] == written


def test_what_people_write_to_the_branch_just_before_it_is_moved_is_left_there() -> None:
    world = gone()
    world.run()
    ((_, pull),) = world.github.pulls
    world.backlog.delete("main")
    world.backlog.lose(world.tip)
    world.commit(BACKLOG, "main")
    written: list[str] = []
    world.github.meanwhile["move_gitlink"] = lambda: written.append(people_write(world))
    world.run()
    assert [world.gitops.branches[pull.branch]] == written


def test_what_people_wrote_to_a_branch_without_a_pull_request_is_left_there() -> None:
    world = gone()
    world.run()
    ((_, pull),) = world.github.pulls
    world.pin(world.first)
    world.run()
    written = people_write(world)
    world.pin(world.stray)
    assert world.run().outcome.word is Word.FAILED
    assert world.gitops.branches[pull.branch] == written
    assert world.github.open == []


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


def test_a_pull_request_that_is_refused_again_and_again_is_asked_for_with_the_branch_as_it_stands() -> None:
    world = gone()
    for _ in range(3):
        world.github.troubles["propose"] = PermanentError("GitHub answered 403")
        assert world.run().outcome.word is Word.FAILED
        world.clock.advance(DAY)
    assert told(world) == (Word.PENDING, Reason.PIN_MOVE_OPEN)
    assert len(world.github.messages) == 1


def test_such_a_branch_is_brought_up_to_date_where_it_proposes_what_is_gone_as_well() -> None:
    world = gone()
    world.github.troubles["propose"] = PermanentError("GitHub answered 403")
    world.run()
    world.backlog.delete("main")
    world.backlog.lose(world.tip)
    newest = world.commit(BACKLOG, "main")
    world.clock.advance(DAY)
    assert told(world) == (Word.PENDING, Reason.PIN_MOVE_OPEN)
    ((_, pull),) = world.github.pulls
    assert world.pins(pull.branch) == {PATH: newest}


def test_a_move_that_was_merged_and_undone_is_made_anew_days_later() -> None:
    world = gone()
    world.run()
    (number,) = world.github.open
    world.github.merge_pins(number, "main")
    world.pin(world.stray)
    world.clock.advance(2 * DAY)
    assert told(world) == (Word.PENDING, Reason.PIN_MOVE_OPEN)
    assert len(world.github.messages) == 2


def test_an_approval_is_used_up_by_a_move_whose_pull_request_is_refused() -> None:
    world = gone(contract=allowing(default=Mode.APPROVE))
    waiting = world.run().outcome.plan
    assert waiting
    Plans(world.rows, world.clock).approve(waiting, "ann")
    for _ in range(3):
        world.github.troubles["propose"] = PermanentError("GitHub answered 403")
        world.run()
        world.clock.advance(15 * MINUTE)
    assert len(world.github.messages) == 1
    journal = world.scope.journal.read(world.scope.target, since=world.clock() - DAY)
    assert [one.detail["written"] for one in journal if one.kind is Kind.STEP_FAILED] == [None]


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


def test_what_is_tracked_as_head_is_moved_on_the_branch_that_it_stands_for() -> None:
    world = gone(submodules=(declared("HEAD"),))
    world.pin(world.stray, branch=".")
    assert told(world) == (Word.PENDING, Reason.PIN_MOVE_OPEN)
    ((title, _),) = world.github.texts.values()
    assert title.endswith("[main]")
    (number,) = world.github.open
    world.github.merge_pins(number, "main")
    assert world.run().outcome.word is Word.REPAIRED


def test_what_a_tag_pins_is_moved_by_people() -> None:
    world = gone(submodules=(declared("v1.2.3", moves={PATH: "main"}),))
    world.gitops.tags["v1.2.3"] = world.gitops.branches["main"]
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.SUBMODULE_COMMIT_LOST)
    assert "v1.2.3 is no branch that a pull request could be merged into" in str(report.findings)
    assert world.github.pulls == []


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
def test_what_changed_since_the_plan_is_planned_anew(happens: Callable[[World], object], says: str) -> None:
    world = gone()
    (step,) = world.plan().steps
    happens(world)
    with pytest.raises(NotWritten, match=says):
        RESPONDER.apply(world.scope, step)
    assert world.github.pulls == []


def test_a_pin_is_not_moved_to_a_branch_that_the_landscape_names_no_more() -> None:
    world = gone()
    (step,) = world.plan().steps
    world.submodules = (declared(moves={PATH: "next"}),)
    with pytest.raises(NotWritten, match="may not be moved to main any more"):
        RESPONDER.apply(world.scope, step)
    assert world.github.pulls == []


def test_a_pull_request_that_somebody_closed_since_the_plan_is_not_opened_again() -> None:
    world = gone()
    (step,) = world.plan().steps
    world.run()
    world.github.decline(*world.github.open)
    with pytest.raises(NotWritten, match="was closed since the plan"):
        RESPONDER.apply(world.scope, step)
    assert world.github.open == []
