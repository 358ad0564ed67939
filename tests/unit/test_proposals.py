"""A value in Git is changed by one pull request, found again, and by nothing that people do not see."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from shared import proposals
from shared.clients.github import State
from shared.clients.github_http import Conflict
from shared.errors import (
    HalfWritten,
    NotWritten,
    PermanentError,
    ReconvergeError,
    TemporaryError,
    Throttled,
)
from shared.landscape.values import ValuesFile
from shared.model import Absent, Channel, Known, Step, Unknown
from shared.proposals import Proposal, Stand
from shared.world import Scope
from shared.yaml_documents import Scalar
from tests.unit.runtime_facts import builders

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LOST = TemporaryError("the answer was lost", delay=timedelta(seconds=30))

REPOSITORY = "https://github.com/ameideio/ameide-gitops.git"
PATH = "sources/values/env/dev/platform/platform-gitlab.yaml"
FILE = ValuesFile(repository=REPOSITORY, path=PATH)
PREFIX = proposals.branch_prefix("dev", "gitlab_migrations")
MESSAGE = f"Map ci\n\n{proposals.CHANGE_TRAILER} 0123456789ab"

TEXT = "# GitLab\ngitlab:\n  edition: ce  # kept\n"
WANTED = {"gitlab.global.psql.ci.database": "gitlabhq_production", "gitlab.edition": "ce"}
RIGHT = f"{TEXT}  global:\n    psql:\n      ci:\n        database: gitlabhq_production\n"


@dataclass
class World:
    """One file of values, and whoever wants something of it."""

    text: str | None = TEXT
    wanted: Mapping[str, str] = field(default_factory=lambda: WANTED)

    def __post_init__(self) -> None:
        self.around = builders.World()
        self.github = self.around.github
        self.clock = self.around.clock
        self.github.put(REPOSITORY, "main", "README.md", "GitOps.\n")
        if self.text is not None:
            self.write(self.text)

    @property
    def scope(self) -> Scope:
        return self.around.scope

    def write(self, text: str) -> None:
        self.github.put(REPOSITORY, "main", PATH, text)

    def look(self) -> Proposal:
        return proposals.look(self.scope, FILE, self.wanted, PREFIX)

    def stand(self) -> Stand:
        return proposals.stand(self.look(), self.clock())[0]

    def says(self) -> str:
        return proposals.stand(self.look(), self.clock())[1]

    def step(self) -> Step:
        proposal = self.look()
        return Step(
            action="gitlab.map",
            object=FILE.reference,
            owner=REPOSITORY.removesuffix(".git"),
            before=proposal.before,
            after=proposal.after,
            mends="CiUnmapped",
            channel=Channel.PULL_REQUEST,
        )

    def propose(self, step: Step | None = None) -> None:
        proposals.propose(
            self.scope, step or self.step(), FILE, PREFIX, title="Map ci", body="Why.", message=MESSAGE
        )
        self.clock.advance(timedelta(seconds=1))

    def merge(self) -> None:
        (number,) = self.github.open
        self.github.merge(number, "main", PATH)

    @property
    def proposed(self) -> str | None:
        (_, pull) = self.github.pulls[-1]
        return self.github.text(REPOSITORY, pull.branch, PATH)


# -- looking ----------------------------------------------------------------------------------------------


def test_only_what_differs_is_wanted() -> None:
    proposal = World().look()
    assert proposal.before == {"gitlab.global.psql.ci.database": ""}
    assert proposal.after == {"gitlab.global.psql.ci.database": "gitlabhq_production"}
    assert proposal.wanted_text == RIGHT
    assert proposal.history == Known(())
    assert proposal.proposed is None


def test_a_file_that_says_so_already_needs_nothing_and_nobody_is_asked() -> None:
    world = World(RIGHT)
    world.github.troubles["history"] = LOST
    proposal = world.look()
    assert (proposal.before, proposal.after, proposal.change) == ({}, {}, "")
    assert (proposal.wanted_text, proposal.history, proposal.proposed) == (None, None, None)
    assert world.stand() is Stand.RIGHT


@pytest.mark.parametrize("written", ["5432", '"5432"', "'5432'"])
def test_a_number_that_reads_as_the_text_is_right(written: str) -> None:
    assert World(f"port: {written}\n", {"port": "5432"}).stand() is Stand.RIGHT


def test_a_value_that_stands_there_is_shown_as_it_is_and_a_long_one_by_its_length() -> None:
    shown = World("runId: '3'\nkey: " + "x" * 300, {"runId": "4", "key": "y"}).look().before
    assert shown == {"runId": "3", "key": "a text of 300 characters, not shown"}


@pytest.mark.parametrize("text", ["` @everybody `", "a | b"])
def test_a_value_that_would_break_out_of_the_table_of_a_pull_request_is_not_shown(text: str) -> None:
    assert proposals.shown("a", Scalar(text, is_text=True)) == proposals.HIDDEN.format(length=len(text))


def test_the_same_change_has_the_same_id_whatever_else_the_file_says() -> None:
    world = World()
    first = world.look()
    world.write(f"# moved on\n{TEXT}")
    world.clock.advance(DAY)
    assert world.look().change == first.change
    world.wanted = {**WANTED, "gitlab.edition": "ee"}
    assert world.look().change != first.change


def test_a_value_that_is_missing_and_one_that_is_empty_need_the_same_change() -> None:
    missing = proposals.change_id("file", {}, {"a": "b"})
    assert proposals.change_id("file", {"a": ""}, {"a": "b"}) == missing


NOT_JUDGED = {
    "no file": (None, Stand.NO_FILE, "branch main has no such file"),
    "no YAML": ("a: [\n", Stand.UNEDITABLE, "it is not one YAML document from line 2 on"),
    "a list in its place": (
        "gitlab:\n  global: [secret]\n",
        Stand.UNEDITABLE,
        "its layout allows no edit of gitlab.global.psql.ci.database",
    ),
    "a mapping from elsewhere": (
        "a: &a {}\ngitlab: *a\n",
        Stand.UNEDITABLE,
        "its layout allows no edit of gitlab.global.psql.ci.database",
    ),
}


@pytest.mark.parametrize(("text", "stand", "says"), NOT_JUDGED.values(), ids=NOT_JUDGED)
def test_says_why_there_is_no_place_for_the_values(text: str | None, stand: Stand, says: str) -> None:
    world = World(text)
    assert (world.stand(), world.says()) == (stand, says)
    assert world.look().wanted_text is None
    assert "secret" not in world.says()


@pytest.mark.parametrize("text", ["", "# to come\n"], ids=["empty", "of comments"])
def test_a_file_that_says_nothing_has_place_for_everything(text: str) -> None:
    world = World(text)
    world.propose()
    assert world.proposed is not None
    assert world.proposed.startswith(text)
    assert "        database: gitlabhq_production\n  edition: ce\n" in world.proposed


# -- how it fares -----------------------------------------------------------------------------------------


def test_a_change_is_due_then_open_then_right() -> None:
    world = World()
    assert world.stand() is Stand.DUE
    world.propose()
    stand, says, url = proposals.stand(world.look(), world.clock())
    assert (stand, says) == (Stand.OPEN, "pull request 1 waits for people")
    assert url == "https://github.com/ameideio/ameide-gitops/pull/1"
    assert world.proposed == RIGHT
    world.merge()
    assert world.stand() is Stand.RIGHT


def test_an_open_change_is_outdated_when_the_file_changes_below_it_and_is_brought_up_to_date() -> None:
    world = World()
    world.propose()
    world.write(f"# moved on\n{TEXT}")
    assert world.stand() is Stand.OUTDATED
    world.propose()
    assert world.stand() is Stand.OPEN
    assert world.proposed == f"# moved on\n{RIGHT}"
    assert len(world.github.pulls) == 1


def test_a_change_that_is_brought_up_to_date_rests_on_all_that_its_base_has_by_now() -> None:
    world = World()
    world.propose()
    world.github.put(REPOSITORY, "main", "more.yaml", "more\n")
    world.write(f"# moved on\n{TEXT}")
    world.propose()
    (_, pull) = world.github.pulls[-1]
    assert world.github.text(REPOSITORY, pull.branch, "more.yaml") == "more\n"


@pytest.mark.parametrize("moment", ["renew", "renew lost", "commit", "commit lost"])
def test_whoever_dies_while_bringing_it_up_to_date_has_it_up_to_date_in_the_end(moment: str) -> None:
    world = World()
    world.propose()
    world.write(f"# moved on\n{TEXT}")
    world.github.troubles[moment] = LOST
    with pytest.raises(TemporaryError, match="the answer was lost"):
        world.propose()
    world.propose()
    assert world.stand() is Stand.OPEN
    assert world.proposed == f"# moved on\n{RIGHT}"
    assert len(world.github.pulls) == 1


@pytest.mark.parametrize("theirs", [f"# mine\n{RIGHT}", TEXT], ids=["added to it", "took it back"])
def test_what_somebody_else_wrote_to_the_branch_of_an_open_change_is_left_there(theirs: str) -> None:
    world = World()
    world.propose()
    step = world.step()
    (_, pull) = world.github.pulls[-1]
    world.github.put(REPOSITORY, pull.branch, PATH, theirs)
    world.write(f"# moved on\n{TEXT}")
    assert world.stand() is Stand.OPEN
    assert world.says() == "pull request 1 waits for people, and somebody else wrote to its branch"
    world.propose(step)
    assert world.proposed == theirs


def test_a_change_that_somebody_declined_stays_declined() -> None:
    world = World()
    world.propose()
    step = world.step()
    world.github.decline(*world.github.open)
    world.clock.advance(DAY)
    assert world.stand() is Stand.DECLINED
    with pytest.raises(NotWritten, match="was closed since the plan"):
        world.propose(step)
    assert world.github.open == []


def test_a_merge_that_is_not_seen_is_waited_for_then_told_then_forgotten() -> None:
    world = World()
    world.propose()
    world.merge()
    world.write(TEXT)
    assert world.stand() is Stand.SETTLING
    world.clock.advance(10 * MINUTE)
    assert world.stand() is Stand.UNDONE
    world.clock.advance(DAY)
    assert world.stand() is Stand.DUE


@pytest.mark.parametrize("call", ["read", "history"])
def test_what_could_not_be_read_is_not_judged(call: str) -> None:
    world = World()
    world.github.troubles[call] = LOST
    assert world.stand() is Stand.UNREAD
    assert "the answer was lost" in world.says()


def test_a_proposed_file_that_could_not_be_read_is_not_judged() -> None:
    world = World()
    world.propose()
    proposal = replace(world.look(), proposed=Unknown("503"))
    assert proposals.stand(proposal, world.clock())[0] is Stand.UNREAD


def test_a_proposed_file_that_people_took_away_is_outdated() -> None:
    world = World()
    world.propose()
    proposal = replace(world.look(), proposed=Absent())
    assert proposals.stand(proposal, world.clock())[0] is Stand.OUTDATED


# -- writing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "moment", ["point", "point lost", "commit", "commit lost", "propose", "propose lost"]
)
def test_whoever_dies_on_the_way_leaves_one_pull_request_in_the_end(moment: str) -> None:
    world = World()
    world.github.troubles[moment] = LOST
    with pytest.raises(TemporaryError, match="the answer was lost"):
        world.propose()
    if world.stand() is Stand.DUE:
        world.propose()
    assert world.stand() is Stand.OPEN
    assert world.proposed == RIGHT
    assert len(world.github.pulls) == 1


REFUSALS: dict[str, tuple[ReconvergeError, type[Exception]]] = {
    "for good": (PermanentError("403"), HalfWritten),
    "for now": (Throttled("429", delay=MINUTE), TemporaryError),
}


@pytest.mark.parametrize(("refusal", "kind"), REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("moment", ["commit", "propose"])
def test_what_is_refused_after_the_branch_was_pointed_is_not_told_as_if_nothing_was_written(
    moment: str, refusal: ReconvergeError, kind: type[Exception]
) -> None:
    world = World()
    world.github.troubles[moment] = refusal
    with pytest.raises(kind, match=str(refusal)) as refused:
        world.propose()
    assert type(refused.value) is kind
    assert world.github.pulls == []


def test_a_pull_request_that_is_refused_again_and_again_is_asked_for_with_the_branch_as_it_stands() -> None:
    world = World()
    for _ in range(3):
        world.github.troubles["propose"] = PermanentError("403")
        with pytest.raises(PermanentError, match="403"):
            world.propose()
    assert world.github.messages == [MESSAGE]
    world.propose()
    assert (world.stand(), world.proposed, world.github.messages) == (Stand.OPEN, RIGHT, [MESSAGE])


def test_such_a_branch_is_brought_up_to_date_where_the_file_has_changed_since() -> None:
    world = World()
    world.github.troubles["propose"] = PermanentError("403")
    with pytest.raises(PermanentError, match="403"):
        world.propose()
    world.write(f"{TEXT}  # more\n")
    world.propose()
    assert world.stand() is Stand.OPEN
    assert world.proposed == world.look().wanted_text


def left_behind(world: World) -> str:
    """A branch of ours whose pull request we closed, and to which somebody then wrote."""
    world.propose()
    proposals.withdraw(world.scope, closing(world), title="map ci", comment="Not needed.")
    (_, pull) = world.github.pulls[-1]
    world.github.put(REPOSITORY, pull.branch, "more.yaml", "theirs\n")
    return pull.branch


def test_what_somebody_else_wrote_to_a_branch_without_a_pull_request_is_left_there() -> None:
    world = World()
    own = left_behind(world)
    with pytest.raises(PermanentError, match=f"somebody else wrote to branch {own}, which has no pull"):
        world.propose()
    assert world.github.text(REPOSITORY, own, "more.yaml") == "theirs\n"
    assert world.github.open == []


def test_what_somebody_writes_to_such_a_branch_just_before_it_is_used_anew_is_left_there() -> None:
    world = World()
    world.propose()
    proposals.withdraw(world.scope, closing(world), title="map ci", comment="Not needed.")
    world.write(f"{TEXT}  # more\n")
    (_, pull) = world.github.pulls[-1]
    put = partial(world.github.put, REPOSITORY, pull.branch, "more.yaml", "theirs\n")
    world.github.meanwhile["renew"] = put
    with pytest.raises(Conflict):
        world.propose()
    assert world.github.text(REPOSITORY, pull.branch, "more.yaml") == "theirs\n"
    assert world.github.open == []


def test_no_branch_is_moved_while_nobody_knows_what_it_leads_to() -> None:
    world = World()
    own = left_behind(world)
    world.github.troubles["beyond"] = LOST
    with pytest.raises(NotWritten, match=f"branch {own} could not be read: the answer was lost"):
        world.propose()
    assert world.github.text(REPOSITORY, own, "more.yaml") == "theirs\n"


def test_nothing_is_written_twice() -> None:
    world = World()
    step = world.step()
    for _ in range(2):
        world.propose(step)
    assert len(world.github.pulls) == len(world.github.messages) == 1


def test_nothing_is_proposed_where_the_file_became_right_since_the_plan() -> None:
    world = World()
    step = world.step()
    world.write(RIGHT)
    world.propose(step)
    assert world.github.pulls == []
    assert {name for _, name in world.github.branches} == {"main"}


SINCE_THE_PLAN = {
    "another value": RIGHT.replace("gitlabhq_production", "other"),
    "no YAML any more": "a: [\n",
}


@pytest.mark.parametrize("text", SINCE_THE_PLAN.values(), ids=SINCE_THE_PLAN)
def test_a_file_that_changed_since_the_plan_is_planned_anew(text: str) -> None:
    world = World()
    step = world.step()
    world.write(text)
    with pytest.raises(NotWritten, match=r"has changed since the plan|is not one YAML document"):
        world.propose(step)
    assert world.github.pulls == []


def test_a_file_that_could_not_be_read_again_is_not_written() -> None:
    world = World()
    step = world.step()
    world.github.troubles["read"] = LOST
    with pytest.raises(NotWritten, match="could not be read: the answer was lost"):
        world.propose(step)
    assert world.github.pulls == []


def test_a_file_that_has_no_place_any_more_is_left_alone() -> None:
    world = World()
    step = world.step()
    world.write("gitlab: []\n")
    with pytest.raises(PermanentError, match="cannot be changed"):
        world.propose(step)
    assert world.github.pulls == []


@pytest.mark.parametrize("changes", [{"object": "https://github.com/a/b/blob/main/c"}, {"owner": "x"}])
def test_a_step_of_another_file_is_refused(changes: dict[str, Any]) -> None:
    world = World()
    step = replace(world.step(), **changes)
    with pytest.raises(PermanentError, match=r"is not where .* is written"):
        world.propose(step)
    assert world.github.pulls == []


def closing(world: World) -> Step:
    """Of the only pull request."""
    ((_, pull),) = world.github.pulls
    return proposals.closing(pull, action="gitlab.map", owner=REPOSITORY.removesuffix(".git"), mends="x")


def test_what_somebody_declined_since_the_plan_is_not_told_as_closed_by_us() -> None:
    world = World()
    world.propose()
    step = closing(world)
    world.github.decline(*world.github.open)
    with pytest.raises(NotWritten, match="pull request 1 is not open any more"):
        proposals.withdraw(world.scope, step, title="map ci", comment="Not needed.")
    assert world.stand() is Stand.DECLINED
    assert world.github.comments == {}


def test_nothing_is_closed_that_is_not_seen_to_be_open() -> None:
    world = World()
    world.propose()
    step = closing(world)
    world.github.troubles["proposals"] = LOST
    with pytest.raises(NotWritten, match="could not be listed: the answer was lost"):
        proposals.withdraw(world.scope, step, title="map ci", comment="Not needed.")
    assert world.github.open == [1]


def test_what_nobody_needs_any_more_is_found_and_closed() -> None:
    world = World()
    world.github.propose(REPOSITORY, "reconverge/dev/gitlab_migrationsx", "main", "theirs", "")
    world.github.propose(REPOSITORY, "reconverge/prod/gitlab_migrations-0123456789ab", "main", "prod's", "")
    world.propose()
    found = proposals.leftovers(world.scope, FILE, PREFIX)
    assert isinstance(found, Known)
    (ours,) = found.value
    assert ours.branch == proposals.branch(PREFIX, world.look().change)
    step = proposals.closing(
        ours, action="gitlab.map", owner=REPOSITORY.removesuffix(".git"), mends="Superseded"
    )
    proposals.withdraw(world.scope, step, title="map ci", comment="Not needed.")
    assert [pull.state for _, pull in world.github.pulls] == [State.OPEN, State.OPEN, State.SUPERSEDED]
    assert world.github.comments[ours.number] == ["Not needed."]
    assert world.stand() is Stand.DUE
