"""The app's own clients of Git and GitHub, unmodified, against the sandbox's."""

from dataclasses import replace

import pytest

from shared.clients.git_files import FileAt, GitFiles
from shared.clients.git_remotes import Gitlink, GitRemotes, Snapshot, Standing
from shared.clients.github import GitHub, Own, PullRequest, State, Workflow, WorkflowRun
from shared.clients.github_http import Conflict, NotThere
from shared.errors import PermanentError
from shared.model import Absent, Known, Read, Unknown
from shared.settings import Settings
from tests.sandbox.github.served import Place, Served
from tests.sandbox.github.workflows import FILE, Job, ended, with_workflow

PATH = "env/dev.yaml"
BRANCH = "reconverge/dev/facts-1"


def settings(place: Place, token: str | None) -> Settings:
    url = place.served.url
    return replace(
        Settings.from_environment({}), github_url=url, github_api=f"{url}/api/v3", github_token=token
    )


def files(place: Place) -> GitFiles:
    return GitFiles(settings(place, place.token))


def github(place: Place, token: str | None = None) -> GitHub:
    return GitHub(settings(place, token or place.token))


def proposed(place: Place, title: str = "Bring the facts right", *, text: str = "a: 9\n") -> PullRequest:
    """As a run proposes: a branch from what was read, the file on it, a pull request."""
    client, read = github(place), files(place).read(place.page, "main", PATH)
    assert isinstance(read, Known)
    client.point(place.page, BRANCH, read.value.commit)
    client.commit(place.page, BRANCH, PATH, text=text, replaces=read.value.text, message="why")
    client.propose(place.page, BRANCH, "main", title, "body")
    return history(place)[0]


def history(place: Place) -> tuple[PullRequest, ...]:
    found = github(place).history(place.page, BRANCH)
    assert isinstance(found, Known)
    return found.value


def runs(place: Place) -> tuple[WorkflowRun, ...]:
    found = github(place).runs(place.page, FILE)
    assert isinstance(found, Known)
    return found.value


# -- files --------------------------------------------------------------------------------


def test_a_file_is_read_with_its_commit(place: Place) -> None:
    assert files(place).read(place.page, "main", PATH) == Known(FileAt("a: 1\n", str(place.head())))
    assert files(place).read(place.page, "main", "env/none.yaml") == Absent()


def test_a_file_is_committed_over_what_it_read_and_over_nothing_else(place: Place) -> None:
    client = github(place)
    client.commit(place.page, "main", PATH, text="a: 2\n", replaces="a: 1\n", message="why")
    assert place.text(PATH) == "a: 2\n"
    with pytest.raises(Conflict):
        client.commit(place.page, "main", PATH, text="a: 3\n", replaces="a: 1\n", message="why")
    assert place.text(PATH) == "a: 2\n"


def test_a_protected_branch_takes_no_direct_commit(served: Served) -> None:
    place = served.lay({PATH: "a: 1\n"}, protected=("main",))
    with pytest.raises(Conflict, match="protected"):
        github(place).commit(place.page, "main", PATH, text="a: 2\n", replaces="a: 1\n", message="why")
    assert place.text(PATH) == "a: 1\n"


def test_a_branch_is_made_and_moved(place: Place) -> None:
    client, first = github(place), str(place.head())
    client.point(place.page, BRANCH, first)
    assert place.head(BRANCH) == first
    later = place.commit("main", {PATH: "a: 2\n"})
    client.point(place.page, BRANCH, later)
    assert place.head(BRANCH) == later
    with pytest.raises(Conflict, match="somebody else wrote to branch"):
        client.point(place.page, BRANCH, first)
    assert place.head(BRANCH) == later


def test_a_branch_is_renewed_upon_what_was_seen_of_it_and_upon_nothing_else(place: Place) -> None:
    client, first = github(place), str(place.head())
    client.point(place.page, BRANCH, first)
    client.commit(place.page, BRANCH, PATH, text="a: 9\n", replaces="a: 1\n", message="why")
    seen, wanted = str(place.head(BRANCH)), place.commit("main", {PATH: "a: 2\n"})
    client.renew(place.page, BRANCH, wanted, upon=seen, message="anew")
    made = str(place.head(BRANCH))
    shown = place.ask("GET", f"commits/{made}").json()
    assert [one["sha"] for one in shown["parents"]] == [seen, wanted]
    assert place.text(PATH, BRANCH) == "a: 2\n"
    assert client.beyond(place.page, "main", BRANCH) == Known(Own(messages=("why", "anew"), tip=made))
    theirs = place.commit(BRANCH, {"notes.md": "theirs"})
    with pytest.raises(Conflict, match="somebody else wrote to branch"):
        client.renew(place.page, BRANCH, wanted, upon=made, message="once more")
    assert place.head(BRANCH) == theirs


# -- pull requests ------------------------------------------------------------------------


def test_a_proposal_is_found_again_and_not_made_twice(place: Place) -> None:
    made = proposed(place)
    assert (made.number, made.branch, made.state) == (1, BRANCH, State.OPEN)
    with pytest.raises(PermanentError, match="422"):
        github(place).propose(place.page, BRANCH, "main", "again", "body")
    assert github(place).proposals(place.page, "reconverge/dev/facts-") == Known((made,))
    assert github(place).proposals(place.page, "reconverge/prod/") == Known(())


def test_a_proposal_that_a_reviewer_merges_is_on_the_branch(served: Served) -> None:
    place = served.lay({PATH: "a: 1\n"}, protected=("main",))
    made = proposed(place)
    assert place.text(PATH) == "a: 1\n"
    assert place.ask("PUT", f"pulls/{made.number}/merge").status_code == 200
    assert files(place).read(place.page, "main", PATH) == Known(FileAt("a: 9\n", str(place.head())))
    (ended_one,) = history(place)
    assert ended_one.state is State.MERGED
    assert ended_one.ended_at is not None


def test_what_a_proposal_s_branch_has_beyond_its_base_is_told(place: Place) -> None:
    assert github(place).beyond(place.page, "main", BRANCH) == Absent()
    proposed(place)
    assert github(place).beyond(place.page, "main", BRANCH) == Known(
        Own(messages=("why",), tip=place.head(BRANCH))
    )
    assert github(place).beyond(place.page, BRANCH, "main") == Known(Own(messages=(), tip=None))


def test_a_proposal_whose_base_moved_beside_it_can_be_merged_once_it_is_renewed(
    place: Place,
) -> None:
    client, read = github(place), files(place)
    place.commit("main", {PATH: "a: 1\nb: 1\n"})
    made = proposed(place, text="a: 9\nb: 1\n")
    place.commit("main", {PATH: "a: 1\nb: 2\n"})
    assert not place.ask("GET", f"pulls/{made.number}").json()["mergeable"]
    base, ours = read.read(place.page, "main", PATH), read.read(place.page, BRANCH, PATH)
    assert isinstance(base, Known)
    assert isinstance(ours, Known)
    client.renew(place.page, BRANCH, base.value.commit, upon=ours.value.commit, message="why")
    client.commit(place.page, BRANCH, PATH, text="a: 9\nb: 2\n", replaces=base.value.text, message="why")
    assert [one.state for one in history(place)] == [State.OPEN]
    assert place.ask("PUT", f"pulls/{made.number}/merge").status_code == 200
    assert place.text(PATH) == "a: 9\nb: 2\n"


def test_a_proposal_that_a_person_closes_is_declined_and_one_of_ours_superseded(place: Place) -> None:
    made = proposed(place, "bring")
    place.ask("PATCH", f"pulls/{made.number}", {"state": "closed"})
    assert [one.state for one in history(place)] == [State.DECLINED]
    github(place).propose(place.page, BRANCH, "main", "bring", "body")
    github(place).withdraw(place.page, made.number + 1, "bring", "not needed any more")
    assert [one.state for one in history(place)] == [State.SUPERSEDED, State.DECLINED]
    said = place.ask("GET", f"issues/{made.number + 1}/comments").json()
    assert [one["body"] for one in said] == ["not needed any more"]


def test_a_proposal_without_a_difference_is_refused(place: Place) -> None:
    github(place).point(place.page, BRANCH, str(place.head()))
    with pytest.raises(PermanentError, match="422"):
        github(place).propose(place.page, BRANCH, "main", "t", "b")


def test_a_hundred_and_one_proposals_are_all_read(place: Place) -> None:
    ahead = place.commit("ahead", {"n": "1"})
    for number in range(101):
        place.ask("POST", "git/refs", {"ref": f"refs/heads/reconverge/{number}", "sha": ahead})
        asked = {"head": f"reconverge/{number}", "base": "main", "title": "t"}
        assert place.ask("POST", "pulls", asked).status_code == 201
    found = github(place).proposals(place.page, "reconverge/")
    assert isinstance(found, Known)
    assert [one.number for one in found.value] == list(range(101, 0, -1))


# -- what a repository pins -----------------------------------------------------------------


def remotes(place: Place) -> GitRemotes:
    return GitRemotes(settings(place, place.token))


def standing(place: Place, commit: str) -> Read[Standing]:
    refs = remotes(place).refs(place.page)
    assert isinstance(refs, Known)
    return remotes(place).standing(place.page, commit, refs.value)


def test_a_commit_that_git_has_forgotten_is_kept_by_a_branch(place: Place) -> None:
    client, lost = github(place), place.leave({PATH: "a: 2\n"})
    pin = f"gitops-pin/{lost[:7]}"
    assert standing(place, lost) == Known(Standing.UNREFERENCED)
    place.served.do(place.hosted.git.forget(lost))
    assert standing(place, lost) == Absent()
    assert client.holds(place.page, lost) == Known(None)
    client.keep(place.page, pin, lost)
    client.keep(place.page, pin, lost)
    assert standing(place, lost) == Known(Standing.REFERENCED)
    with pytest.raises(PermanentError, match=f"is there already, for {lost[:7]} and not for"):
        client.keep(place.page, pin, str(place.head()))
    assert place.head(pin) == lost


def test_a_commit_that_is_gone_can_be_kept_by_nobody(place: Place) -> None:
    lost = place.leave({PATH: "a: 2\n"})
    place.served.do(place.hosted.git.lose(lost))
    assert standing(place, lost) == Absent()
    assert github(place).holds(place.page, lost) == Absent()
    with pytest.raises(PermanentError, match="422"):
        github(place).keep(place.page, "gitops-pin/1", lost)
    assert place.head("gitops-pin/1") is None


def test_a_repository_that_is_not_seen_may_hold_anything(served: Served, place: Place) -> None:
    stranger = served.lay({"README.md": "x"}).token
    found = github(place, stranger).holds(place.page, str(place.head()))
    assert isinstance(found, Unknown)
    assert "404: it does not exist, or the token" in found.why


def test_a_gitlink_is_moved_on_a_branch_of_ours(place: Place) -> None:
    client, before = github(place), str(place.head())
    modules = '[submodule "sub"]\npath = charts/sub\nurl = ../sub.git\n'
    place.commit("main", {".gitmodules": modules})
    for pin in ("a" * 40, "b" * 40):
        base, upon = str(place.head()), place.head(BRANCH)
        client.move_gitlink(place.page, BRANCH, base, "charts/sub", commit=pin, message="why", upon=upon)
        made = str(place.head(BRANCH))
        link = Gitlink(path="charts/sub", commit=pin, url="../sub.git")
        assert remotes(place).snapshot(place.page, BRANCH) == Known(Snapshot(commit=made, gitlinks=(link,)))
        shown = place.ask("GET", f"commits/{made}").json()
        assert (shown["commit"]["message"], [one["sha"] for one in shown["parents"]]) == (
            "why",
            [one for one in (upon, base) if one],
        )
    assert place.text(PATH, BRANCH) == "a: 1\n"
    assert remotes(place).snapshot(place.page, before) == Known(Snapshot(commit=before, gitlinks=()))


# -- workflows ----------------------------------------------------------------------------


def test_a_workflow_is_started_and_its_run_seen_to_succeed(served: Served) -> None:
    job = Job()
    place = with_workflow(served, job)
    assert github(place).workflow(place.page, FILE) == Known(Workflow("active"))
    assert runs(place) == ()
    github(place).dispatch(place.page, FILE, "main", {"environment": "dev"})
    ended(place, 1)
    (run,) = runs(place)
    assert (run.completed, run.succeeded) == (True, True)
    assert job.inputs == [{"environment": "dev", "note": "none"}]


def test_a_workflow_that_fails_or_breaks_is_seen_to_fail(served: Served) -> None:
    for job in (Job(succeeds=False), Job(breaks=True)):
        place = with_workflow(served, job)
        github(place).dispatch(place.page, FILE, "main", {"environment": "dev"})
        ended(place, 1)
        assert [(one.completed, one.succeeded) for one in runs(place)] == [(True, False)]


def test_a_run_that_is_under_way_is_neither(served: Served) -> None:
    job = Job(waits=True)
    place = with_workflow(served, job)
    github(place).dispatch(place.page, FILE, "main", {"environment": "dev"})
    (run,) = runs(place)
    assert (run.completed, run.conclusion) == (False, "")
    job.go(served)
    ended(place, 1)


def test_a_disabled_workflow_tells_so_and_takes_no_start(served: Served) -> None:
    place = with_workflow(served, Job())
    place.ask("PUT", f"actions/workflows/{FILE}/disable")
    assert github(place).workflow(place.page, FILE) == Known(Workflow("disabled_manually"))
    with pytest.raises(PermanentError, match="422"):
        github(place).dispatch(place.page, FILE, "main", {"environment": "dev"})
    assert runs(place) == ()
    place.ask("PUT", f"actions/workflows/{FILE}/enable")
    github(place).dispatch(place.page, FILE, "main", {"environment": "dev"})
    ended(place, 1)


def test_a_workflow_that_is_not_there_is_absent_and_cannot_be_started(place: Place) -> None:
    assert github(place).workflow(place.page, FILE) == Absent()
    with pytest.raises(NotThere):
        github(place).dispatch(place.page, FILE, "main", {})


# -- who may ------------------------------------------------------------------------------


def test_a_token_without_the_permission_is_told_so(place: Place) -> None:
    reader = github(place, place.allowed(contents="read", pull_requests="read"))
    assert reader.proposals(place.page, "x") == Known(())
    with pytest.raises(PermanentError, match="lacks a permission"):
        reader.point(place.page, BRANCH, str(place.head()))
    assert place.head(BRANCH) is None


def test_a_repository_that_the_token_may_not_see_is_unknown(served: Served, place: Place) -> None:
    stranger = served.lay({"README.md": "x"}).token
    found = github(place, stranger).proposals(place.page, "x")
    assert isinstance(found, Unknown)
    assert "404" in found.why
    assert github(place, stranger).workflow(place.page, FILE) == Absent()
    read = GitFiles(settings(place, stranger)).read(place.page, "main", PATH)
    assert isinstance(read, Unknown)
    assert "404" in read.why


def test_a_token_that_was_never_issued_is_not_valid(place: Place) -> None:
    found = github(place, "ghs_wrong").proposals(place.page, "x")
    assert isinstance(found, Unknown)
    assert "401: RECONVERGE_GITHUB_TOKEN is missing, or not valid" in found.why
