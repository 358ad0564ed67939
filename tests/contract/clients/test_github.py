"""What GitHub's REST API is asked, and what its answers become: nothing is certain that may be hidden."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.clients.github import GitHub, Own, PullRequest, State, Workflow
from shared.clients.github_http import CannotBeDone, Conflict, NotThere
from shared.errors import (
    HalfWritten,
    Misconfigured,
    NotWritten,
    PermanentError,
    TemporaryError,
    Throttled,
)
from shared.model import Absent, Known, Unknown
from shared.settings import Settings
from tests.contract.clients import forge
from tests.contract.clients.forge import Answer, Forge

REPOSITORY = "https://github.com/ameideio/facts.git"
AT = "repos/ameideio/facts"
RUNS = f"{AT}/actions/workflows/apply.yaml/runs"
HEADS = {
    "limit": {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4102444800"},
    "pause": {"Retry-After": "60"},
}
TOKEN = "ghs_token"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Forge]:
    with forge.running(tmp_path) as running:
        yield running


def github(far: Forge, token: str | None = TOKEN) -> GitHub:
    given = replace(Settings.from_environment({}), github_api=f"{far.url}/api", github_token=token)
    return GitHub(given)


def pull(number: int, **changes: Any) -> dict[str, Any]:
    base = {
        "number": number,
        "html_url": f"https://github.com/ameideio/facts/pull/{number}",
        "title": "Bring the facts right",
        "state": "open",
        "merged_at": None,
        "closed_at": None,
        "head": {"ref": "reconverge/dev/facts-1", "repo": {"full_name": "AmeideIO/facts"}},
    }
    return {**base, **changes}


ENDED = "2026-11-02T03:00:00Z"
STATES: dict[str, tuple[dict[str, Any], State]] = {
    "open": ({}, State.OPEN),
    "merged": ({"state": "closed", "merged_at": ENDED, "closed_at": ENDED}, State.MERGED),
    "closed by somebody": ({"state": "closed", "closed_at": ENDED}, State.DECLINED),
    "closed by us": (
        {"state": "closed", "closed_at": ENDED, "title": "Superseded: bring"},
        State.SUPERSEDED,
    ),
}


@pytest.mark.parametrize(("changes", "state"), STATES.values(), ids=STATES)
def test_a_branch_s_pull_requests_are_read_in_every_state(
    far: Forge, changes: dict[str, Any], state: State
) -> None:
    far.lay("GET", f"{AT}/pulls", Answer(200, [pull(7, **changes)]))
    assert github(far).history(REPOSITORY, "reconverge/dev/facts-1") == Known(
        (
            PullRequest(
                number=7,
                url="https://github.com/ameideio/facts/pull/7",
                branch="reconverge/dev/facts-1",
                state=state,
                ended_at=None if state is State.OPEN else datetime(2026, 11, 2, 3, tzinfo=UTC),
            ),
        )
    )
    asked = far.asked[0].query
    assert (asked["state"], asked["head"]) == ("all", "ameideio:reconverge/dev/facts-1")


def test_a_history_is_of_its_branch_alone_even_where_github_leaves_the_filter_out(far: Forge) -> None:
    theirs = {"ref": "fix", "repo": {"full_name": "ameideio/facts"}}
    far.lay("GET", f"{AT}/pulls", Answer(200, [pull(8, head=theirs), pull(7)]))
    found = github(far).history(REPOSITORY, "reconverge/dev/facts-1")
    assert isinstance(found, Known)
    assert [one.number for one in found.value] == [7]


def test_proposals_are_those_of_our_branches_in_the_repository_itself(far: Forge) -> None:
    fork = {"ref": "reconverge/dev/facts-2", "repo": {"full_name": "stranger/facts"}}
    gone = {"ref": "reconverge/dev/facts-3", "repo": None}
    theirs = {"ref": "fix", "repo": {"full_name": "ameideio/facts"}}
    page = [pull(1), pull(2, head=fork), pull(3, head=gone), pull(4, head=theirs)]
    far.lay("GET", f"{AT}/pulls", Answer(200, page))
    found = github(far).proposals(REPOSITORY, "reconverge/dev/facts-")
    assert isinstance(found, Known)
    assert [one.number for one in found.value] == [1]


def test_every_page_of_pull_requests_is_read(far: Forge) -> None:
    far.lay("GET", f"{AT}/pulls", Answer(200, [pull(n) for n in range(100)]), Answer(200, [pull(100)]))
    found = github(far).proposals(REPOSITORY, "reconverge/")
    assert isinstance(found, Known)
    assert len(found.value) == 101
    assert [one.query["page"] for one in far.asked] == ["1", "2"]


def test_a_workflow_and_its_runs_are_read(far: Forge) -> None:
    run = {
        "id": 9,
        "html_url": "https://github.com/run/9",
        "status": "completed",
        "conclusion": "success",
        "created_at": ENDED,
        "updated_at": ENDED,
    }
    far.lay("GET", f"{AT}/actions/workflows/apply.yaml", Answer(200, {"state": "disabled_manually"}))
    queued = {**run, "status": "queued", "conclusion": None}
    far.lay("GET", RUNS, Answer(200, {"workflow_runs": [run, queued]}))
    client = github(far)
    assert client.workflow(REPOSITORY, "apply.yaml") == Known(Workflow("disabled_manually"))
    found = client.runs(REPOSITORY, "apply.yaml")
    assert isinstance(found, Known)
    assert [(one.completed, one.succeeded) for one in found.value] == [(True, True), (False, False)]
    assert far.asked[1].query["event"] == "workflow_dispatch"


def test_a_workflow_that_github_does_not_show_is_absent_but_its_pull_requests_are_unknown(far: Forge) -> None:
    assert github(far).workflow(REPOSITORY, "apply.yaml") == Absent()
    found = github(far).proposals(REPOSITORY, "x")
    assert isinstance(found, Unknown)
    assert "404" in found.why


# -- refusals ---------------------------------------------------------------------------------------------

REFUSALS: dict[str, tuple[Answer, type[Exception], str]] = {
    "a token that is no good": (
        Answer(401),
        PermanentError,
        "RECONVERGE_GITHUB_TOKEN is missing, or not valid any more: set or renew it",
    ),
    "a permission that is missing": (Answer(403), PermanentError, "lacks a permission"),
    "nothing there": (Answer(404), NotThere, "does not exist, or the token"),
    "a lost race": (Answer(409), Conflict, "somebody was quicker"),
    "a request that cannot be done": (Answer(422), CannotBeDone, "cannot be done in this way"),
    "a repository that moved": (Answer(301), PermanentError, "write its new address"),
    "too many requests": (Answer(429), Throttled, "too many requests"),
    "a limit that is used up": (Answer(403, headers=HEADS["limit"]), Throttled, "too many requests"),
    "a limit of another kind": (Answer(403, headers=HEADS["pause"]), Throttled, "too many requests"),
    "a bad day": (Answer(502), TemporaryError, "GitHub answered 502"),
}


@pytest.mark.parametrize(("answer", "kind", "says"), REFUSALS.values(), ids=REFUSALS)
def test_a_refused_write_is_said_in_our_words(
    far: Forge, answer: Answer, kind: type[Exception], says: str
) -> None:
    far.lay("POST", f"{AT}/pulls", replace(answer, body={"message": "a text that must not be shown"}))
    with pytest.raises(kind, match=says) as refused:
        github(far).propose(REPOSITORY, "b", "main", "t", "x")
    assert type(refused.value) is kind
    assert "must not be shown" not in str(refused.value)
    assert len(far.asked) == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(401), "401"),
        (Answer(403), "403"),
        (Answer(500), "500"),
        (Answer(200, {"unexpected": 1}), "shape"),
        (Answer(200, None), "shape"),
        (Answer(200, b"<html>"), "no usable answer"),
        (Answer(200, b"[" * 100_000), "no usable answer"),
    ],
    ids=["401", "403", "500", "another shape", "no body", "no JSON", "nesting without end"],
)
def test_a_read_that_fails_proves_nothing(far: Forge, answer: Answer, why: str) -> None:
    far.lay("GET", RUNS, answer)
    found = github(far).runs(REPOSITORY, "apply.yaml")
    assert isinstance(found, Unknown)
    assert why in found.why


def test_a_pause_that_github_asks_for_is_kept(far: Forge) -> None:
    far.lay("GET", RUNS, Answer(429, headers=HEADS["pause"]))
    found = github(far).runs(REPOSITORY, "apply.yaml")
    assert isinstance(found, Unknown)
    assert found.delay == MINUTE


def test_a_write_that_is_answered_with_something_else_may_have_been_done(far: Forge) -> None:
    far.lay("POST", f"{AT}/pulls", Answer(200, b"<html>"))
    with pytest.raises(TemporaryError, match="may have been done"):
        github(far).propose(REPOSITORY, "b", "main", "t", "x")


@pytest.mark.parametrize("reset", ["4102444800", "999999999999"], ids=["in 2100", "beyond all calendars"])
def test_a_limit_is_waited_for_an_hour_at_most_as_it_lasts_no_longer(far: Forge, reset: str) -> None:
    limit = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    far.lay("POST", f"{AT}/pulls", Answer(403, headers=limit))
    with pytest.raises(Throttled) as refused:
        github(far).propose(REPOSITORY, "b", "main", "t", "x")
    assert refused.value.delay == timedelta(hours=1)


def test_a_host_that_does_not_answer_proves_nothing_and_may_have_done_what_was_asked(far: Forge) -> None:
    far.url = "http://127.0.0.1:1"
    read = github(far).workflow(REPOSITORY, "a.yaml")
    assert read == Unknown("GitHub gave no usable answer (ConnectionError)")
    with pytest.raises(TemporaryError, match="may have been done"):
        github(far).dispatch(REPOSITORY, "a.yaml", "main", {})


# -- writes -----------------------------------------------------------------------------------------------

WRITES: dict[str, tuple[Callable[[GitHub], None], str, str, Any]] = {
    "a start of a workflow": (
        lambda client: client.dispatch(REPOSITORY, "apply.yaml", "main", {"environment": "dev"}),
        "POST",
        f"{AT}/actions/workflows/apply.yaml/dispatches",
        {"ref": "main", "inputs": {"environment": "dev"}},
    ),
    "a pull request": (
        lambda client: client.propose(REPOSITORY, "ours", "main", "title", "body"),
        "POST",
        f"{AT}/pulls",
        {"head": "ours", "base": "main", "title": "title", "body": "body"},
    ),
    "a commit, over what Git calls by the name of its content": (
        lambda client: client.commit(
            REPOSITORY, "main", "env/a.yaml", text="é\n", replaces="hello\n", message="why"
        ),
        "PUT",
        f"{AT}/contents/env/a.yaml",
        {
            "branch": "main",
            "content": base64.b64encode("é\n".encode()).decode(),
            "sha": "ce013625030ba8dba906f756967f9e9ca394464a",
            "message": "why",
        },
    ),
    "a branch that keeps a commit": (
        lambda client: client.keep(REPOSITORY, "gitops-pin/d7273e6", "d7273e6"),
        "POST",
        f"{AT}/git/refs",
        {"ref": "refs/heads/gitops-pin/d7273e6", "sha": "d7273e6"},
    ),
    "a new branch": (
        lambda client: client.point(REPOSITORY, "reconverge/dev/facts-1", "abc"),
        "POST",
        f"{AT}/git/refs",
        {"ref": "refs/heads/reconverge/dev/facts-1", "sha": "abc"},
    ),
}


@pytest.mark.parametrize(("write", "method", "path", "body"), WRITES.values(), ids=WRITES)
def test_writes(far: Forge, write: Callable[[GitHub], None], method: str, path: str, body: Any) -> None:
    far.lay(method, path, Answer(201, {}))
    write(github(far))
    (asked,) = far.asked
    assert asked.body == body
    assert asked.headers["authorization"] == "Bearer ghs_token"


@pytest.mark.parametrize("write", [write for write, *_ in WRITES.values()], ids=WRITES)
def test_without_a_token_nothing_is_sent(far: Forge, write: Callable[[GitHub], None]) -> None:
    with pytest.raises(Misconfigured, match="RECONVERGE_GITHUB_TOKEN is missing"):
        write(github(far, token=None))
    assert far.asked == []


def test_a_branch_that_is_there_is_moved(far: Forge) -> None:
    far.lay("POST", f"{AT}/git/refs", Answer(422))
    far.lay("PATCH", f"{AT}/git/refs/heads/reconverge/dev/facts-1", Answer(200, {}))
    github(far).point(REPOSITORY, "reconverge/dev/facts-1", "abc")
    assert far.asked[1].body == {"sha": "abc", "force": False}


def renew(far: Forge) -> None:
    github(far).renew(REPOSITORY, "ours", SHA, upon="c1", message="why")


def test_a_branch_that_has_something_of_its_own_gets_what_is_wanted_upon_it(far: Forge) -> None:
    far.lay("GET", f"{AT}/git/commits/{SHA}", Answer(200, {"sha": SHA, "tree": {"sha": "t1"}}))
    far.lay("POST", f"{AT}/git/commits", Answer(201, {"sha": "c2"}))
    far.lay("PATCH", f"{AT}/git/refs/heads/ours", Answer(200, {}))
    renew(far)
    assert [one.body for one in far.asked[1:]] == [
        {"message": "why", "tree": "t1", "parents": ["c1", SHA]},
        {"sha": "c2", "force": False},
    ]


UNMOVED: dict[str, tuple[Answer, type[Exception], str]] = {
    "somebody wrote to it": (Answer(200, {"object": {"sha": "c9"}}), Conflict, "somebody else wrote to"),
    "it is gone": (Answer(404), Conflict, "somebody else wrote to branch ours meanwhile"),
    "a rule of the repository forbids it": (
        Answer(200, {"object": {"sha": "c1"}}), CannotBeDone, "422: it cannot be done",
    ),
    "nobody knows what it is at": (Answer(502), NotWritten, "branch ours: GitHub answered 502"),
}  # fmt: skip


@pytest.mark.parametrize(("there", "kind", "says"), UNMOVED.values(), ids=UNMOVED)
def test_a_branch_is_never_moved_by_force(
    far: Forge, there: Answer, kind: type[Exception], says: str
) -> None:
    far.lay("GET", f"{AT}/git/commits/{SHA}", Answer(200, {"sha": SHA, "tree": {"sha": "t1"}}))
    far.lay("POST", f"{AT}/git/commits", Answer(201, {"sha": "c2"}))
    far.lay("PATCH", f"{AT}/git/refs/heads/ours", Answer(422))
    far.lay("GET", f"{AT}/git/ref/heads/ours", there)
    with pytest.raises(kind, match=says) as refused:
        renew(far)
    assert type(refused.value) is kind
    assert [one.body["force"] for one in far.asked if one.method == "PATCH"] == [False]


@pytest.mark.parametrize(
    ("there", "kind"), [(Answer(200, {"object": {"sha": "c9"}}), Conflict), (Answer(404), CannotBeDone)]
)
def test_a_branch_that_was_not_seen_is_not_written_over(
    far: Forge, there: Answer, kind: type[Exception]
) -> None:
    far.lay("POST", f"{AT}/git/refs", Answer(422))
    far.lay("PATCH", f"{AT}/git/refs/heads/ours", Answer(422))
    far.lay("GET", f"{AT}/git/ref/heads/ours", there)
    with pytest.raises(kind):
        github(far).point(REPOSITORY, "ours", SHA)


COMPARED = f"{AT}/compare/main...ours"


def told(*messages: str, total: int | None = None) -> Answer:
    commits = [{"sha": f"of {one}", "commit": {"message": one}} for one in messages]
    return Answer(200, {"total_commits": len(messages) if total is None else total, "commits": commits})


BEYOND: dict[str, tuple[Answer, Any]] = {
    "two commits": (told("first", "second"), Known(Own(messages=("first", "second"), tip="of second"))),
    "none": (told(), Known(Own(messages=(), tip=None))),
    "more than one answer holds": (told("first", total=251), Unknown("it has too many commits of its own")),
    "a branch that is not there": (Answer(404), Absent()),
    "another shape": (
        Answer(200, {"commits": None}),
        Unknown("GitHub's answer has not the promised shape (TypeError)"),
    ),
}


@pytest.mark.parametrize(("answer", "beyond"), BEYOND.values(), ids=BEYOND)
def test_what_a_branch_has_beyond_its_base_is_read(far: Forge, answer: Answer, beyond: Any) -> None:
    far.lay("GET", COMPARED, answer)
    assert github(far).beyond(REPOSITORY, "main", "ours") == beyond


# -- commits and what they pin ----------------------------------------------------------------------------

SHA = "d7273e6d72ff" + "0" * 28
PIN = "gitops-pin/d7273e6"


def at(commit: str) -> Answer:
    return Answer(200, {"ref": f"refs/heads/{PIN}", "object": {"type": "commit", "sha": commit}})


def test_a_branch_that_keeps_the_same_commit_already_is_as_good_as_made(far: Forge) -> None:
    far.lay("POST", f"{AT}/git/refs", Answer(422))
    far.lay("GET", f"{AT}/git/ref/heads/{PIN}", at(SHA))
    github(far).keep(REPOSITORY, PIN, SHA)
    assert [one.method for one in far.asked] == ["POST", "GET"]


NOT_KEPT: dict[str, tuple[Answer, Answer, type[Exception], str]] = {
    "the branch keeps another commit": (
        Answer(422),
        at("1" * 40),
        PermanentError,
        "branch gitops-pin/d7273e6 is there already, for 1111111 and not for d7273e6",
    ),
    "GitHub has no such commit": (Answer(422), Answer(404), CannotBeDone, "cannot be done in this way"),
    "nobody knows which commit the branch keeps": (
        Answer(422),
        Answer(502),
        NotWritten,
        "branch gitops-pin/d7273e6: GitHub answered 502",
    ),
    "the branch tells of no commit": (Answer(422), Answer(200, {}), NotWritten, "branch gitops-pin"),
    "a permission is missing": (Answer(403), at(SHA), PermanentError, "lacks a permission"),
    "the repository is not seen": (Answer(404), at(SHA), NotThere, "does not exist, or the token"),
}


@pytest.mark.parametrize(("made", "there", "kind", "says"), NOT_KEPT.values(), ids=NOT_KEPT)
def test_no_branch_is_moved_to_keep_a_commit(
    far: Forge, made: Answer, there: Answer, kind: type[Exception], says: str
) -> None:
    far.lay("POST", f"{AT}/git/refs", made)
    far.lay("GET", f"{AT}/git/ref/heads/{PIN}", there)
    with pytest.raises(kind, match=says) as refused:
        github(far).keep(REPOSITORY, PIN, SHA)
    assert type(refused.value) is kind
    assert {one.method for one in far.asked} <= {"POST", "GET"}


HELD: dict[str, tuple[Answer, Answer, Any]] = {
    "a commit": (Answer(200, {"sha": SHA}), Answer(200, {}), Known(None)),
    "no commit, in a repository that is seen": (Answer(404), Answer(200, {}), Absent()),
    "what GitHub cannot make out, in a repository that is seen": (Answer(422), Answer(200, {}), Absent()),
    "no commit, in a repository that is not seen": (Answer(404), Answer(404), "404: it does not exist, or"),
    "no commit, in a repository that nobody can look at": (Answer(404), Answer(503), "503"),
    "an empty repository": (Answer(409), Answer(200, {}), "409"),
    "a bad day": (Answer(500), Answer(200, {}), "500"),
    "another commit": (Answer(200, {"sha": "1" * 40}), Answer(200, {}), "shape"),
}


@pytest.mark.parametrize(("commit", "repository", "held"), HELD.values(), ids=HELD)
def test_a_commit_is_gone_only_where_its_repository_is_seen(
    far: Forge, commit: Answer, repository: Answer, held: Any
) -> None:
    far.lay("GET", f"{AT}/git/commits/{SHA}", commit)
    far.lay("GET", AT, repository)
    found = github(far).holds(REPOSITORY, SHA)
    if isinstance(held, str):
        assert isinstance(found, Unknown)
        assert held in found.why
    else:
        assert found == held


def move(far: Forge, upon: str | None = None) -> None:
    github(far).move_gitlink(REPOSITORY, "ours", SHA, "backlog", commit="a" * 40, message="why", upon=upon)


def test_a_gitlink_is_moved_by_a_tree_a_commit_and_a_branch_of_ours(far: Forge) -> None:
    far.lay("GET", f"{AT}/git/commits/{SHA}", Answer(200, {"sha": SHA, "tree": {"sha": "t1"}}))
    far.lay("POST", f"{AT}/git/trees", Answer(201, {"sha": "t2"}))
    far.lay("POST", f"{AT}/git/commits", Answer(201, {"sha": "c2"}))
    far.lay("PATCH", f"{AT}/git/refs/heads/ours", Answer(200, {}))
    move(far, upon="c1")
    entry = {"path": "backlog", "mode": "160000", "type": "commit", "sha": "a" * 40}
    assert [one.body for one in far.asked] == [
        None,
        {"base_tree": "t1", "tree": [entry]},
        {"message": "why", "tree": "t2", "parents": ["c1", SHA]},
        {"sha": "c2", "force": False},
    ]


def test_the_first_commit_of_a_branch_of_ours_is_upon_its_base(far: Forge) -> None:
    far.lay("GET", f"{AT}/git/commits/{SHA}", Answer(200, {"sha": SHA, "tree": {"sha": "t1"}}))
    far.lay("POST", f"{AT}/git/trees", Answer(201, {"sha": "t2"}))
    far.lay("POST", f"{AT}/git/commits", Answer(201, {"sha": "c2"}))
    far.lay("POST", f"{AT}/git/refs", Answer(201, {}))
    move(far)
    assert [one.body for one in far.asked[2:]] == [
        {"message": "why", "tree": "t2", "parents": [SHA]},
        {"ref": "refs/heads/ours", "sha": "c2"},
    ]


HALF: dict[str, tuple[dict[str, Answer], type[Exception]]] = {
    "what is to be changed has no tree": ({"GET": Answer(200, {"sha": SHA})}, TemporaryError),
    "the new tree has no name": ({"POST trees": Answer(201, [])}, TemporaryError),
    "the new tree is not seen yet": ({"POST commits": Answer(422)}, NotWritten),
    "the new commit has no name": ({"POST commits": Answer(201, {})}, TemporaryError),
}


@pytest.mark.parametrize(("changes", "kind"), HALF.values(), ids=HALF)
def test_a_move_that_goes_half_way_moves_no_branch(
    far: Forge, changes: dict[str, Answer], kind: type[Exception]
) -> None:
    usual = {
        "GET": Answer(200, {"sha": SHA, "tree": {"sha": "t1"}}),
        "POST trees": Answer(201, {"sha": "t2"}),
        "POST commits": Answer(201, {"sha": "c2"}),
    }
    answers = usual | changes
    far.lay("GET", f"{AT}/git/commits/{SHA}", answers["GET"])
    far.lay("POST", f"{AT}/git/trees", answers["POST trees"])
    far.lay("POST", f"{AT}/git/commits", answers["POST commits"])
    with pytest.raises(kind):
        move(far)
    assert not [one for one in far.asked if "refs" in one.path]


def test_without_a_token_no_gitlink_is_moved(far: Forge) -> None:
    with pytest.raises(Misconfigured, match="RECONVERGE_GITHUB_TOKEN is missing"):
        github(far, token=None).move_gitlink(
            REPOSITORY, "ours", SHA, "backlog", commit="a" * 40, message="why"
        )
    assert far.asked == []


def test_a_pull_request_is_closed_with_a_comment_and_a_title_by_which_it_is_known_again(far: Forge) -> None:
    far.lay("POST", f"{AT}/issues/7/comments", Answer(201, {}))
    far.lay("PATCH", f"{AT}/pulls/7", Answer(200, {}))
    github(far).withdraw(REPOSITORY, 7, "bring", "why")
    assert [one.body for one in far.asked] == [
        {"state": "closed", "title": "Superseded: bring"},
        {"body": "why"},
    ]


def test_a_pull_request_that_may_not_be_closed_gets_no_comment(far: Forge) -> None:
    far.lay("PATCH", f"{AT}/pulls/7", Answer(403))
    with pytest.raises(PermanentError, match="lacks a permission"):
        github(far).withdraw(REPOSITORY, 7, "bring", "why")
    assert [one.method for one in far.asked] == ["PATCH"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(Answer(403), HalfWritten), (Answer(429), TemporaryError)],
    ids=["for good", "for now"],
)
def test_a_pull_request_is_closed_though_its_comment_is_refused(
    far: Forge, answer: Answer, kind: type[Exception]
) -> None:
    far.lay("PATCH", f"{AT}/pulls/7", Answer(200, {}))
    far.lay("POST", f"{AT}/issues/7/comments", answer)
    with pytest.raises(kind) as refused:
        github(far).withdraw(REPOSITORY, 7, "bring", "why")
    assert type(refused.value) is kind
