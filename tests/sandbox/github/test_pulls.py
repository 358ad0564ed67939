"""Pull requests by the REST API, from opening to merging. Documentation is below https://docs.github.com/rest."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.github.says import WHEN, Says, refused
from tests.sandbox.github.served import Place

CREATE_PULL = "pulls/pulls#create-a-pull-request"
MERGE = "pulls/pulls#merge-a-pull-request"


def opened(place: Place, head: str = "next", base: str = "main") -> dict[str, Any]:
    answer = place.ask("POST", "pulls", {"title": "t", "body": "b", "head": head, "base": base})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_pull_request_is_opened_once_for_its_two_branches(laid: Place) -> None:
    """https://docs.github.com/rest/pulls/pulls#create-a-pull-request"""
    made = opened(laid, f"{laid.owner}:next")
    assert (made["number"], made["state"], made["user"]["login"]) == (1, "open", "mona")
    assert (made["head"]["ref"], made["head"]["sha"]) == ("next", laid.head("next"))
    assert made["head"]["repo"]["full_name"] == laid.name
    asked = {"title": "t", "head": "next", "base": "main"}
    message = f"A pull request already exists for {laid.owner}:next."
    refused(laid, Says(CREATE_PULL, "POST", "pulls", 422, "Validation Failed", asked, message))
    laid.ask("PATCH", "pulls/1", {"state": "closed"})
    assert opened(laid)["number"] == 2


def test_pull_requests_are_listed_by_state_head_and_base_in_pages(laid: Place) -> None:
    """https://docs.github.com/rest/pulls/pulls#list-pull-requests"""
    opened(laid)
    laid.ask("PATCH", "pulls/1", {"state": "closed"})
    opened(laid)
    opened(laid, "clash")
    opened(laid, "clash", "next")

    def listed(query: str) -> list[int]:
        return [one["number"] for one in laid.ask("GET", f"pulls?{query}").json()]

    assert listed("") == [4, 3, 2]
    assert listed("state=closed") == [1]
    assert listed("state=all&direction=asc") == [1, 2, 3, 4]
    assert listed(f"state=all&head={laid.owner}:next") == [2, 1]
    assert listed("base=next") == [4]
    laid.ask("PATCH", "pulls/2", {"title": "newer"})
    assert listed("sort=updated&direction=desc&per_page=1") == [2]
    first = laid.ask("GET", "pulls?state=all&per_page=3")
    assert [one["number"] for one in first.json()] == [4, 3, 2]
    assert set(first.links) == {"next", "last"}
    second = laid.served.url + first.links["next"]["url"].partition(laid.served.url)[2]
    path = second.partition(f"{laid.name}/")[2]
    last = laid.ask("GET", path)
    assert [one["number"] for one in last.json()] == [1]
    assert set(last.links) == {"prev", "first"}


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_a_pull_request_is_merged(laid: Place, method: str) -> None:
    """https://docs.github.com/rest/pulls/pulls#merge-a-pull-request"""
    opened(laid)
    assert laid.ask("GET", "pulls/1").json()["mergeable"] is True
    before, head = laid.head(), laid.head("next")
    merged = laid.ask("PUT", "pulls/1/merge", {"merge_method": method, "sha": head}).json()
    assert (merged["merged"], merged["sha"]) == (True, laid.head())
    assert laid.text("env/dev.yaml") == "a: 9\n"
    commit = laid.ask("GET", "commits/main").json()
    parents = [one["sha"] for one in commit["parents"]]
    assert parents == ([before, head] if method == "merge" else [before])
    assert (
        commit["commit"]["message"]
        == {
            "merge": f"Merge pull request #1 from {laid.owner}/next\n\nt",
            "squash": "t (#1)\n\nb",
        }[method]
    )
    shown = laid.ask("GET", "pulls/1").json()
    assert (shown["state"], shown["merged"], shown["merge_commit_sha"]) == ("closed", True, merged["sha"])
    time.strptime(shown["merged_at"], WHEN)
    refused(laid, Says(MERGE, "PUT", "pulls/1/merge", 405, "Pull Request is not mergeable"))


def test_what_conflicts_is_not_mergeable(laid: Place) -> None:
    """https://docs.github.com/rest/pulls/pulls#merge-a-pull-request"""
    opened(laid, "clash")
    before = laid.commit("main", {"README.md": "other\n"})
    shown = laid.ask("GET", "pulls/1").json()
    assert (shown["mergeable"], shown["mergeable_state"]) == (False, "dirty")
    refused(laid, Says(MERGE, "PUT", "pulls/1/merge", 405, "Pull Request is not mergeable"))
    assert laid.head() == before


def test_a_head_that_has_moved_is_not_merged(laid: Place) -> None:
    """https://docs.github.com/rest/pulls/pulls#merge-a-pull-request"""
    opened(laid)
    asked = {"sha": laid.head("next")}
    newer = laid.commit("next", {"README.md": "newer\n"})
    message = "Head branch was modified. Review and try the merge again."
    refused(laid, Says(MERGE, "PUT", "pulls/1/merge", 409, message, asked))
    assert laid.ask("GET", "pulls/1").json()["head"]["sha"] == newer


def test_a_pull_request_is_renamed_closed_and_reopened(laid: Place) -> None:
    """https://docs.github.com/rest/pulls/pulls#update-a-pull-request"""
    opened(laid)
    closed = laid.ask("PATCH", "pulls/1", {"state": "closed", "title": "Superseded: t", "body": "c"}).json()
    assert (closed["state"], closed["title"], closed["body"]) == ("closed", "Superseded: t", "c")
    time.strptime(closed["closed_at"], WHEN)
    assert closed["merged_at"] is None
    again = laid.ask("PATCH", "pulls/1", {"state": "open"}).json()
    assert (again["state"], again["closed_at"]) == ("open", None)


ENDS: dict[str, tuple[Callable[[Place], object], bool]] = {
    "its branch is deleted": (lambda place: place.ask("DELETE", "git/refs/heads/next"), False),
    "its branch has nothing more to give": (
        lambda place: place.ask("PATCH", "git/refs/heads/next", {"sha": place.head(), "force": True}),
        False,
    ),
    "its commits come another way": (
        lambda place: place.ask("PATCH", "git/refs/heads/main", {"sha": place.head("next")}),
        True,
    ),
}


@pytest.mark.parametrize(("act", "merged"), ENDS.values(), ids=ENDS)
def test_a_pull_request_ends_when(laid: Place, act: Callable[[Place], object], merged: bool) -> None:
    """https://docs.github.com/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/about-pull-request-merges#indirect-merges"""
    opened(laid)
    act(laid)
    shown = laid.ask("GET", "pulls/1").json()
    assert (shown["state"], shown["merged"]) == ("closed", merged)


def test_a_comment_is_made_and_listed(laid: Place) -> None:
    """https://docs.github.com/rest/issues/comments"""
    opened(laid)
    made = laid.ask("POST", "issues/1/comments", {"body": "why"})
    assert made.status_code == 201
    (listed,) = laid.ask("GET", "issues/1/comments").json()
    assert listed == made.json()
    assert (listed["body"], listed["user"]["login"]) == ("why", "mona")
