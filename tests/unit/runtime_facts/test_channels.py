"""A change takes the contract's channel, once, and counts when the published file says what Azure has."""

from dataclasses import replace
from datetime import timedelta

import pytest

from responders.runtime_facts import RESPONDER
from responders.runtime_facts.reasons import Reason
from shared.clients.github import State
from shared.clients.github_http import NotThere
from shared.errors import NotWritten, PermanentError, ReconvergeError, TemporaryError
from shared.landscape import Action, Mode
from shared.model import Channel, Step, Word
from tests.unit.runtime_facts.builders import (
    CLIENT_ID,
    GITOPS,
    IP,
    OLD_CLIENT_ID,
    PATH,
    REFERENCE,
    REPOSITORY,
    RIGHT,
    STALE,
    WORKFLOW,
    World,
    allowing,
    declared,
)

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LOST = TemporaryError("the answer was lost", delay=timedelta(seconds=30))


def by(channel: Channel, text: str = STALE, **contract: object) -> World:
    return World(
        text,
        files=(declared(workflow=WORKFLOW),),
        contract=allowing(channels={Action.FACTS_UPDATE: channel}, **contract),
    )


def left(world: World) -> list[str]:
    return [str(one.reason) for one in world.run().remaining]


# -- whatever the channel -----------------------------------------------------------------------------


def untouched(world: World) -> bool:
    github = world.github
    branches = {branch for _, branch in github.branches}
    return branches == {"main"} and not github.pulls and not github.inputs and world.published == world.text


@pytest.mark.parametrize("channel", Channel)
def test_facts_that_are_right_are_left_alone(channel: Channel) -> None:
    world = by(channel, RIGHT)
    assert world.run().outcome.word is Word.CONVERGED
    assert untouched(world)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize(
    ("mode", "word"),
    [(Mode.PROPOSE, Word.PROPOSED), (Mode.APPROVE, Word.APPROVAL), (Mode.NEVER, Word.HUMAN)],
)
def test_nothing_is_written_unless_the_contract_says_apply(channel: Channel, mode: Mode, word: Word) -> None:
    world = by(channel, default=mode)
    assert world.run().outcome.word is word
    assert untouched(world)


@pytest.mark.parametrize("channel", Channel)
def test_nothing_is_written_to_a_repository_that_the_contract_does_not_list(channel: Channel) -> None:
    world = by(channel, repositories=())
    assert world.run().outcome.word is Word.HUMAN
    assert untouched(world)
    (step,) = world.plan().steps
    with pytest.raises(PermanentError, match=r"contract\.repositories does not list"):
        RESPONDER.apply(world.scope, step)
    assert untouched(world)


FORGED = {
    "another action": ({"action": "credential.update"}, "is not an action"),
    "another file": ({"object": f"{REFERENCE}x"}, "is not declared with the fields"),
    "another field": ({"after": {"azure.other": "x"}}, "is not declared with the fields"),
    "another repository": (
        {"owner": "https://github.com/ameideio/elsewhere"},
        "is not where .* is written",
    ),
    "another channel": ({"channel": Channel.DIRECT}, "names another channel"),
}


@pytest.mark.parametrize(("changes", "says"), FORGED.values(), ids=FORGED)
def test_a_step_that_no_plan_may_hold_is_refused_at_the_last_moment(
    changes: dict[str, object], says: str
) -> None:
    elsewhere = (REPOSITORY, "https://github.com/ameideio/elsewhere.git")
    world = by(Channel.PULL_REQUEST, repositories=elsewhere)
    (step,) = world.plan().steps
    with pytest.raises(PermanentError, match=says):
        RESPONDER.apply(world.scope, replace(step, **changes))  # type: ignore[arg-type]
    assert untouched(world)


@pytest.mark.parametrize("channel", [Channel.PULL_REQUEST, Channel.DIRECT])
def test_a_file_that_changed_since_the_plan_is_planned_anew(channel: Channel) -> None:
    world = by(channel)
    (step,) = world.plan().steps
    other = STALE.replace(OLD_CLIENT_ID, "dddddddd-dddd-dddd-dddd-dddddddddddd")
    world.github.put(REPOSITORY, "main", PATH, other)
    with pytest.raises(TemporaryError, match="has changed since the plan"):
        RESPONDER.apply(world.scope, step)
    assert world.published == other


@pytest.mark.parametrize("channel", [Channel.PULL_REQUEST, Channel.DIRECT])
def test_a_value_that_was_not_shown_is_not_taken_for_another_of_its_length(channel: Channel) -> None:
    world = by(channel, RIGHT.replace(CLIENT_ID, "x" * 36))
    (step,) = world.plan().steps
    world.github.put(REPOSITORY, "main", PATH, STALE)
    with pytest.raises(TemporaryError, match="has changed since the plan"):
        RESPONDER.apply(world.scope, step)
    assert world.published == STALE


def test_the_same_situation_has_the_same_plan_at_any_time() -> None:
    world = by(Channel.PULL_REQUEST)
    first = world.plan()
    world.clock.advance(DAY)
    assert world.plan().digest == first.digest


@pytest.mark.parametrize("channel", Channel)
def test_a_step_names_only_the_fields_that_change(channel: Channel) -> None:
    (step,) = by(channel).plan().steps
    owner = GITOPS if channel is Channel.WORKFLOW else REPOSITORY
    assert step == Step(
        action="facts.update",
        object=REFERENCE,
        owner=owner.removesuffix(".git"),
        before={"azure.vaultBootstrapIdentityClientId": OLD_CLIENT_ID},
        after={"azure.vaultBootstrapIdentityClientId": CLIENT_ID},
        mends=Reason.FACT_DIFFERS,
        channel=channel,
    )


# -- commit -----------------------------------------------------------------------------------------------


def test_a_commit_changes_the_fields_alone_and_is_proven_by_reading_it() -> None:
    world = by(Channel.DIRECT)
    report = world.run()
    assert world.published == RIGHT
    assert report.outcome.word is Word.REPAIRED
    assert [(one.object, one.method) for one in report.proofs] == [(REFERENCE, "facts-read-back")]
    assert world.run().outcome.word is Word.CONVERGED


def test_a_commit_says_who_made_it_and_why() -> None:
    world = by(Channel.DIRECT)
    world.run()
    (message,) = world.github.messages
    assert "Reconverge-Target: dev/runtime_facts" in message
    assert "Reconverge-Finding: FactDiffers" in message
    assert f"azure.vaultBootstrapIdentityClientId: {OLD_CLIENT_ID} -> {CLIENT_ID}" in message


def test_a_commit_whose_answer_was_lost_is_not_made_twice() -> None:
    world = by(Channel.DIRECT)
    world.github.troubles["commit lost"] = LOST
    assert world.run().outcome.word is Word.REPAIRED
    assert world.run().outcome.word is Word.CONVERGED
    assert len(world.github.messages) == 1


def test_what_people_mend_while_our_commit_never_arrived_is_no_repair_of_ours() -> None:
    world = by(Channel.DIRECT)
    world.github.troubles["commit"] = LOST
    world.run()
    world.github.put(REPOSITORY, "main", PATH, RIGHT)
    report = world.run()
    assert (report.outcome.word, report.proofs) == (Word.CONVERGED, ())


@pytest.mark.parametrize("lost", [False, True], ids=["heard", "unheard"])
def test_an_old_value_that_is_put_back_again_and_again_is_left_to_people(lost: bool) -> None:
    world = by(Channel.DIRECT)
    for _ in range(2):
        world.github.put(REPOSITORY, "main", PATH, STALE)
        world.github.troubles |= {"commit lost": LOST} if lost else {}
        assert world.run().outcome.word is Word.REPAIRED
        world.clock.advance(10 * MINUTE)
    world.github.put(REPOSITORY, "main", PATH, STALE)
    report = world.run()
    assert report.outcome.word is Word.HUMAN
    assert report.outcome.reason == Reason.PUBLISHED_STILL_DIFFERS
    assert world.published == STALE


# -- pull request ---------------------------------------------------------------------------------------


def test_a_pull_request_carries_the_change_and_waits() -> None:
    world = by(Channel.PULL_REQUEST)
    report = world.run()
    (number,) = world.github.open
    (_, pull) = world.github.pulls[0]
    assert pull.branch.startswith("reconverge/dev/facts-")
    assert world.github.text(REPOSITORY, pull.branch, PATH) == RIGHT
    assert world.published == STALE
    assert (report.outcome.word, report.outcome.reason) == (Word.PENDING, Reason.PULL_REQUEST_OPEN)
    assert report.proofs == ()
    title, body = world.github.texts[number]
    assert title.endswith("[main]")
    assert f"| `azure.vaultBootstrapIdentityClientId` | `{OLD_CLIENT_ID}` | `{CLIENT_ID}` |" in body


def test_a_pull_request_is_found_again_instead_of_opened_twice() -> None:
    world = by(Channel.PULL_REQUEST)
    for _ in range(3):
        assert world.run().outcome.word is Word.PENDING
        world.clock.advance(DAY)
    assert len(world.github.pulls) == len(world.github.messages) == 1


def test_a_merged_pull_request_is_proven_by_reading_the_facts() -> None:
    world = by(Channel.PULL_REQUEST)
    world.run()
    world.github.merge(world.github.open[0], "main", PATH)
    report = world.run()
    assert report.outcome.word is Word.REPAIRED
    assert world.published == RIGHT
    assert world.github.open == []


@pytest.mark.parametrize(
    "moment", ["point", "point lost", "commit", "commit lost", "propose", "propose lost"]
)
def test_whoever_dies_on_the_way_to_a_pull_request_leaves_one_in_the_end(moment: str) -> None:
    world = by(Channel.PULL_REQUEST)
    world.github.troubles[moment] = LOST
    world.run()
    world.clock.advance(10 * MINUTE)
    assert world.run().outcome.reason == Reason.PULL_REQUEST_OPEN
    (number,) = world.github.open
    assert len(world.github.pulls) == 1
    assert world.github.text(REPOSITORY, world.github.pulls[0][1].branch, PATH) == RIGHT
    assert number in world.github.texts


def test_a_pull_request_is_brought_up_to_date_when_the_file_changes_below_it() -> None:
    world = by(Channel.PULL_REQUEST)
    world.run()
    world.github.put(REPOSITORY, "main", PATH, STALE.replace("other: kept", "other: new"))
    assert left(world) == [Reason.PULL_REQUEST_OPEN, Reason.FACT_DIFFERS]
    (_, pull) = world.github.pulls[0]
    assert world.github.text(REPOSITORY, pull.branch, PATH) == RIGHT.replace("other: kept", "other: new")
    assert len(world.github.pulls) == 1


def test_a_pull_request_is_closed_when_the_facts_became_right_by_themselves() -> None:
    world = by(Channel.PULL_REQUEST)
    world.run()
    (number,) = world.github.open
    world.github.put(REPOSITORY, "main", PATH, RIGHT)
    world.run()
    assert world.github.open == []
    assert "closes this: the facts of `dev` are right by now" in world.github.comments[number][0]
    assert world.run().outcome.word is Word.CONVERGED


def test_a_pull_request_is_replaced_when_another_change_is_needed() -> None:
    world = by(Channel.PULL_REQUEST)
    world.run()
    (first,) = world.github.open
    world.github.put(REPOSITORY, "main", PATH, STALE.replace(IP, "20.9.9.9"))
    world.run()
    (second,) = world.github.open
    assert second != first
    assert [pull.state for _, pull in world.github.pulls] == [State.SUPERSEDED, State.OPEN]


def test_a_change_that_is_needed_again_is_proposed_again_after_we_had_closed_it() -> None:
    world = by(Channel.PULL_REQUEST)
    world.run()
    for text in (RIGHT, STALE):
        world.github.put(REPOSITORY, "main", PATH, text)
        world.run()
        world.clock.advance(10 * MINUTE)
    assert [pull.state for _, pull in world.github.pulls] == [State.SUPERSEDED, State.OPEN]


def test_no_pull_request_is_closed_while_something_is_unread() -> None:
    world = by(Channel.PULL_REQUEST)
    world.run()
    world.github.put(REPOSITORY, "main", PATH, RIGHT)
    world.azure.lay("GET identity", LOST)
    world.run()
    assert len(world.github.open) == 1


def test_a_pull_request_of_somebody_else_is_never_closed() -> None:
    world = by(Channel.PULL_REQUEST, RIGHT)
    world.github.propose(REPOSITORY, "fix/facts", "main", "theirs", "")
    world.github.propose(REPOSITORY, "reconverge/prod/facts-0123456789ab", "main", "of prod", "")
    assert world.run().outcome.word is Word.CONVERGED
    assert len(world.github.open) == 2


def test_a_pull_request_that_somebody_closed_is_not_opened_again() -> None:
    world = by(Channel.PULL_REQUEST)
    world.run()
    world.github.decline(world.github.open[0])
    for _ in range(2):
        world.clock.advance(DAY)
        report = world.run()
        assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.PULL_REQUEST_DECLINED)
    assert len(world.github.pulls) == 1


def test_what_people_mend_after_they_declined_our_pull_request_is_no_repair_of_ours() -> None:
    world = by(Channel.PULL_REQUEST)
    world.run()
    world.github.decline(*world.github.open)
    world.github.put(REPOSITORY, "main", PATH, RIGHT)
    report = world.run()
    assert (report.outcome.word, report.proofs) == (Word.CONVERGED, ())


def test_a_merge_that_cannot_be_looked_at_is_proven_later() -> None:
    world = by(Channel.PULL_REQUEST)
    world.run()
    world.github.merge(world.github.open[0], "main", PATH)
    world.github.troubles["history"] = LOST
    assert world.run().proofs == ()
    world.github.troubles.clear()
    assert world.run().outcome.word is Word.REPAIRED


def test_a_pull_request_that_somebody_closed_since_the_plan_is_not_opened_again_either() -> None:
    world = by(Channel.PULL_REQUEST)
    world.run()
    world.github.put(REPOSITORY, "main", PATH, f"# moved on\n{STALE}")
    (step,) = world.plan().steps
    world.github.decline(*world.github.open)
    with pytest.raises(NotWritten, match="was closed since the plan"):
        RESPONDER.apply(world.scope, step)
    assert world.github.open == []


def test_nothing_is_proposed_where_the_facts_became_right_since_the_plan() -> None:
    world = by(Channel.PULL_REQUEST)
    (step,) = world.plan().steps
    world.github.put(REPOSITORY, "main", PATH, RIGHT)
    RESPONDER.apply(world.scope, step)
    assert {branch for _, branch in world.github.branches} == {"main"}
    assert world.github.open == []


def test_a_merge_after_which_the_old_values_are_back_is_left_to_people() -> None:
    world = by(Channel.PULL_REQUEST)
    world.run()
    world.github.merge(world.github.open[0], "main", PATH)
    world.run()
    world.clock.advance(10 * MINUTE)
    world.github.put(REPOSITORY, "main", PATH, STALE)
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.PUBLISHED_STILL_DIFFERS)
    assert len(world.github.pulls) == 1


@pytest.mark.parametrize("call", ["history", "proposals"])
def test_without_its_pull_requests_nothing_is_written(call: str) -> None:
    world = by(Channel.PULL_REQUEST)
    world.github.troubles[call] = LOST
    report = world.run()
    assert report.outcome.word is Word.FAILED
    if call == "history":
        assert untouched(world)


# -- workflow -----------------------------------------------------------------------------------------------


def test_the_workflow_is_started_once_with_its_inputs_and_waited_for() -> None:
    world = by(Channel.WORKFLOW)
    for _ in range(3):
        report = world.run()
        assert (report.outcome.word, report.outcome.reason) == (Word.PENDING, Reason.WORKFLOW_RUNNING)
        world.clock.advance(10 * MINUTE)
    assert world.github.inputs == [{"environment": "dev"}]
    assert world.published == STALE


def test_what_the_workflow_published_is_proven_by_reading_it() -> None:
    world = by(Channel.WORKFLOW)
    world.run()
    world.clock.advance(5 * MINUTE)
    world.github.put(REPOSITORY, "main", PATH, RIGHT)
    world.github.finish("success")
    assert world.run().outcome.word is Word.REPAIRED


LOOKS = {
    "at first": (timedelta(0), timedelta(seconds=5)),
    "after half a minute": (timedelta(seconds=30), timedelta(seconds=15)),
    "after a while": (10 * MINUTE, MINUTE),
}


@pytest.mark.parametrize(("age", "pause"), LOOKS.values(), ids=LOOKS)
def test_a_started_workflow_is_looked_after_soon_then_less_and_less_often(
    age: timedelta, pause: timedelta
) -> None:
    world = by(Channel.WORKFLOW)
    world.run()
    world.clock.advance(age - timedelta(seconds=1))
    now = world.clock()
    assert world.run().outcome.until == now + pause


def test_a_pull_request_is_looked_at_every_quarter_of_an_hour_in_the_end() -> None:
    world = by(Channel.PULL_REQUEST)
    world.run()
    world.clock.advance(DAY)
    now = world.clock()
    assert world.run().outcome.until == now + 15 * MINUTE


def test_a_run_that_somebody_else_started_is_waited_for_first() -> None:
    world = by(Channel.WORKFLOW)
    world.github.start()
    now = world.clock()
    outcome = world.run().outcome
    assert (outcome.reason, outcome.until) == (Reason.WORKFLOW_RUNNING, now + timedelta(seconds=5))
    assert world.github.inputs == []


def test_a_start_whose_answer_was_lost_is_not_repeated() -> None:
    world = by(Channel.WORKFLOW)
    world.github.troubles["dispatch lost"] = LOST
    world.run()
    world.clock.advance(MINUTE)
    assert world.run().outcome.word is Word.PENDING
    assert len(world.github.inputs) == 1


@pytest.mark.parametrize("ended", [None, "failure"])
def test_what_people_mend_while_our_workflow_did_nothing_is_no_repair_of_ours(ended: str | None) -> None:
    world = by(Channel.WORKFLOW)
    if ended is None:
        world.github.troubles["dispatch"] = LOST
    world.run()
    if ended is not None:
        world.github.finish(ended)
    world.github.put(REPOSITORY, "main", PATH, RIGHT)
    report = world.run()
    assert (report.outcome.word, report.proofs) == (Word.CONVERGED, ())


OTHER = "runtime-facts/env/dev/other.yaml"
FOREIGN = "runtime-facts/env/dev/foreign.yaml"


def of_one_workflow() -> World:
    """Two stale files that the same run of the workflow publishes."""
    world = World(STALE, files=tuple(declared(path=path, workflow=WORKFLOW) for path in (PATH, OTHER)))
    world.github.put(REPOSITORY, "main", OTHER, STALE)
    return world


def test_files_of_one_workflow_start_it_once_and_each_is_proven() -> None:
    world = of_one_workflow()
    report = world.run()
    assert world.github.inputs == [{"environment": "dev"}]
    assert (report.outcome.word, report.outcome.reason) == (Word.PENDING, Reason.WORKFLOW_RUNNING)
    assert {one.subject for one in report.remaining if one.reason == Reason.WORKFLOW_RUNNING} == {
        one.reference for one in world.files
    }
    world.clock.advance(5 * MINUTE)
    for path in (PATH, OTHER):
        world.github.put(REPOSITORY, "main", path, RIGHT)
    world.github.finish("success")
    report = world.run()
    assert report.outcome.word is Word.REPAIRED
    assert [one.object for one in report.proofs] == [one.reference for one in world.files]
    assert len(world.github.inputs) == 1


def test_files_of_one_workflow_do_not_start_it_again_where_it_failed() -> None:
    world = of_one_workflow()
    world.run()
    world.clock.advance(5 * MINUTE)
    world.github.finish("failure")
    for _ in range(2):
        report = world.run()
        assert [one.reason for one in report.remaining].count(Reason.WORKFLOW_FAILED) == 2
        world.clock.advance(5 * MINUTE)
    assert len(world.github.inputs) == 1


@pytest.mark.parametrize("trouble", ["dispatch lost", "dispatch"])
def test_a_start_that_may_still_show_up_is_waited_for_by_the_files_beside_it(trouble: str) -> None:
    world = of_one_workflow()
    world.github.troubles[trouble] = LOST
    world.run()
    shown, world.github.run_list = world.github.run_list, []
    report = world.run()
    assert [one.reason for one in report.remaining].count(Reason.WORKFLOW_RUNNING) == 2
    world.github.run_list = shown
    assert len(world.github.inputs) == len(shown)


def test_a_workflow_with_other_inputs_is_another_one() -> None:
    world = of_one_workflow()
    elsewhere = WORKFLOW.model_copy(update={"inputs": {"environment": "shared"}})
    world.files = (*world.files, declared(path=FOREIGN, workflow=elsewhere))
    world.github.put(REPOSITORY, "main", FOREIGN, STALE)
    world.run()
    assert world.github.inputs == [{"environment": "dev"}, {"environment": "shared"}]


UNAVAILABLE = {
    "there is none": None,
    "it is switched off": "disabled_manually",
    "nobody used it": "disabled_inactivity",
}


@pytest.mark.parametrize("state", UNAVAILABLE.values(), ids=UNAVAILABLE)
def test_a_workflow_that_cannot_run_is_left_to_people(state: str | None) -> None:
    world = by(Channel.WORKFLOW)
    world.github.state = state
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.WORKFLOW_UNAVAILABLE)
    assert world.github.inputs == []


REFUSED = {
    "the token may not": PermanentError("GitHub answered 403: the token lacks a permission"),
    "it went away since it was looked at": NotThere("GitHub answered 404"),
    "it was switched off since": PermanentError("GitHub answered 422: it cannot be done in this way"),
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
def test_a_start_that_is_refused_is_left_to_people_and_never_called_a_success(
    refused: ReconvergeError,
) -> None:
    world = by(Channel.WORKFLOW)
    for _ in range(2):
        world.github.troubles["dispatch"] = refused
        report = world.run()
        assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.WORKFLOW_REFUSED)
        assert str(refused) in report.outcome.because
        world.clock.advance(10 * MINUTE)
    assert world.github.inputs == []
    assert world.published == STALE


@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out", "action_required"])
def test_a_run_that_did_not_succeed_is_left_to_people_and_not_repeated(conclusion: str) -> None:
    world = by(Channel.WORKFLOW)
    world.run()
    world.clock.advance(5 * MINUTE)
    world.github.finish(conclusion)
    world.clock.advance(5 * MINUTE)
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.WORKFLOW_FAILED)
    assert conclusion in report.outcome.because
    assert len(world.github.inputs) == 1


def test_a_run_that_succeeded_and_published_the_old_values_is_left_to_people() -> None:
    world = by(Channel.WORKFLOW)
    world.run()
    world.clock.advance(5 * MINUTE)
    world.github.finish("success")
    assert world.run().outcome.reason == Reason.PUBLICATION_SETTLING
    world.clock.advance(5 * MINUTE)
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.PUBLISHED_STILL_DIFFERS)
    assert len(world.github.inputs) == 1


def test_a_start_without_a_run_is_left_to_people() -> None:
    world = by(Channel.WORKFLOW)
    world.run()
    world.github.run_list.clear()
    assert world.run().outcome.reason == Reason.WORKFLOW_RUNNING
    world.clock.advance(10 * MINUTE)
    assert world.run().outcome.reason == Reason.WORKFLOW_FAILED


def test_a_change_that_is_needed_on_another_day_starts_the_workflow_again() -> None:
    world = by(Channel.WORKFLOW)
    world.run()
    world.clock.advance(5 * MINUTE)
    world.github.put(REPOSITORY, "main", PATH, RIGHT)
    world.github.finish("success")
    world.run()
    world.clock.advance(2 * DAY)
    world.github.put(REPOSITORY, "main", PATH, STALE)
    assert world.run().outcome.reason == Reason.WORKFLOW_RUNNING
    assert len(world.github.inputs) == 2


@pytest.mark.parametrize("call", ["workflow", "runs"])
def test_without_a_look_at_the_workflow_it_is_not_started(call: str) -> None:
    world = by(Channel.WORKFLOW)
    world.github.troubles[call] = LOST
    assert world.run().outcome.word is Word.FAILED
    assert world.github.inputs == []
