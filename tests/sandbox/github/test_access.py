"""Who may do what by the REST API, and how often. Documentation is below https://docs.github.com/rest."""

import time
from typing import Any

import pytest

from sandbox import github_calls
from tests.sandbox.github.says import NEW
from tests.sandbox.github.served import Place, Served
from tests.sandbox.github.workflows import FILE

NEEDED: dict[str, tuple[str, str, str]] = {
    "reading a file": ("GET", "contents/README.md", "contents=read"),
    "writing a file": ("PUT", "contents/README.md", "contents=write"),
    "making a branch": ("POST", "git/refs", "contents=write"),
    "listing pull requests": ("GET", "pulls", "pull_requests=read"),
    "opening one": ("POST", "pulls", "pull_requests=write"),
    "merging one": ("PUT", "pulls/1/merge", "contents=write"),
    "commenting": ("POST", "issues/1/comments", "issues=write; pull_requests=write"),
    "looking at a workflow": ("GET", f"actions/workflows/{FILE}", "actions=read"),
    "starting one": ("POST", f"actions/workflows/{FILE}/dispatches", "actions=write"),
}


@pytest.mark.parametrize(("method", "path", "needed"), NEEDED.values(), ids=NEEDED)
def test_a_permission_that_a_token_lacks_is_named(place: Place, method: str, path: str, needed: str) -> None:
    """https://docs.github.com/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens"""
    level: Any = "read"
    lacking = {"contents", "pull_requests", "actions"} - {one.partition("=")[0] for one in needed.split("; ")}
    if needed.endswith("write"):
        lacking |= {"contents", "pull_requests", "actions"}
    answer = place.ask(method, path, {}, token=place.allowed(**dict.fromkeys(lacking, level)))
    assert (answer.status_code, answer.json()["message"]) == (
        403,
        "Resource not accessible by personal access token",
    )
    assert answer.headers["X-Accepted-GitHub-Permissions"] == needed


def test_a_private_repository_is_hidden_and_a_public_one_read_by_all(served: Served, place: Place) -> None:
    """https://docs.github.com/rest/authentication/authenticating-to-the-rest-api"""
    stranger = served.lay({"README.md": "x"})
    public = served.lay({"README.md": "x"}, private=False)
    assert [place.ask("GET", "", token=token).status_code for token in ("", stranger.token)] == [404, 404]
    assert public.ask("GET", "contents/README.md", token="").status_code == 200
    assert public.ask("PUT", "contents/n", NEW, token="").status_code == 401
    assert public.ask("PUT", "contents/n", NEW, token=stranger.token).status_code == 403
    wrong = public.ask("GET", "", token="wrong")
    assert (wrong.status_code, wrong.json()["message"]) == (401, "Bad credentials")


def test_calls_are_counted_for_each_account(served: Served) -> None:
    """https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
    place = served.lay({"README.md": "x"})
    token = served.forge.issue("counted", {place.name: {"contents": "read"}})
    first, second = (place.ask("GET", "", token=token).headers for _ in range(2))
    assert (first["x-ratelimit-limit"], first["x-ratelimit-remaining"]) == ("5000", "4999")
    assert (second["x-ratelimit-used"], second["x-ratelimit-resource"]) == ("2", "core")
    assert 0 < int(second["x-ratelimit-reset"]) - time.time() <= 3600


def test_one_call_too_many_is_refused_until_the_hour_is_over(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit"""
    monkeypatch.setattr(github_calls, "LIMIT", 1)
    token = place.served.forge.issue("busy", {place.name: {"contents": "read"}})
    first, second = (place.ask("GET", "", token=token) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 403)
    assert second.headers["x-ratelimit-remaining"] == "0"
    assert second.headers["x-ratelimit-reset"] == first.headers["x-ratelimit-reset"]
