"""Repositories, files, references, trees and commits by the REST API. Documentation is below https://docs.github.com/rest."""

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.github.says import NEW, NOWHERE, encoded
from tests.sandbox.github.served import Place, Served, git


def test_a_repository_tells_its_default_branch_and_what_the_token_may(served: Served) -> None:
    """https://docs.github.com/rest/repos/repos#get-a-repository"""
    place = served.lay({"README.md": "x"}, default_branch="trunk")
    shown = place.ask("GET", "").json()
    assert (shown["full_name"], shown["private"], shown["default_branch"]) == (place.name, True, "trunk")
    assert shown["permissions"]["push"] is True
    reader = place.ask("GET", "", token=place.allowed(contents="read")).json()
    assert (reader["permissions"]["pull"], reader["permissions"]["push"]) == (True, False)
    starter = place.ask("GET", "", token=place.allowed(actions="write")).json()
    assert starter["permissions"]["push"] is True


def test_a_file_is_created_and_updated_and_read(place: Place) -> None:
    """https://docs.github.com/rest/repos/contents#create-or-update-file-contents"""
    author = {"name": "Mona", "email": "mona@example.com"}
    made = place.ask("PUT", "contents/a%20b/c.txt", {**NEW, "author": author})
    assert made.status_code == 201
    commit = made.json()["commit"]
    assert (commit["sha"], commit["author"]["name"], commit["message"]) == (place.head(), "Mona", "m")
    sha = made.json()["content"]["sha"]
    again = place.ask("PUT", "contents/a b/c.txt", {**NEW, "content": encoded("y" * 99), "sha": sha})
    assert again.status_code == 200
    read = place.ask("GET", "contents/a b/c.txt").json()
    assert (read["type"], read["encoding"], read["path"]) == ("file", "base64", "a b/c.txt")
    assert base64.b64decode(read["content"]) == b"y" * 99
    raw = place.ask("GET", "contents/a b/c.txt", headers={"Accept": "application/vnd.github.raw+json"})
    assert raw.text == "y" * 99


def test_a_folder_is_listed(place: Place) -> None:
    """https://docs.github.com/rest/repos/contents#get-repository-content"""
    root = place.ask("GET", "contents").json()
    assert [(one["name"], one["type"]) for one in root] == [("README.md", "file"), ("env", "dir")]
    below = place.ask("GET", "contents/env").json()
    assert [one["path"] for one in below] == ["env/dev.yaml", "env/prod.yaml"]


PROTECTED: dict[str, tuple[str, str, Any, int]] = {
    "a commit": ("PUT", "contents/n", NEW, 409),
    "a move": ("PATCH", "git/refs/heads/main", {"force": True}, 422),
    "a deletion": ("DELETE", "git/refs/heads/main", None, 422),
}


@pytest.mark.parametrize(("method", "path", "body", "status"), PROTECTED.values(), ids=PROTECTED)
def test_a_protected_branch_refuses(served: Served, method: str, path: str, body: Any, status: int) -> None:
    place = served.lay({"README.md": "x"}, protected=("main",))
    before = place.head()
    if method == "PATCH":
        body = {**body, "sha": place.commit("next", {"README.md": "y"})}
    answer = place.ask(method, path, body)
    assert answer.status_code == status
    assert "Changes must be made through a pull request" in answer.json()["message"]
    assert place.head() == before
    assert place.ask("GET", "branches/main").json()["protected"] is True


# -- references, trees, commits ---------------------------------------------------------------


def test_a_reference_is_made_moved_forward_and_deleted(laid: Place) -> None:
    """https://docs.github.com/rest/git/refs"""
    first, ahead = laid.head(), laid.head("next")
    made = laid.ask("POST", "git/refs", {"ref": "refs/heads/a/b", "sha": first})
    assert (made.status_code, made.json()["object"]["sha"]) == (201, first)
    moved = laid.ask("PATCH", "git/refs/heads/a/b", {"sha": ahead})
    assert (moved.status_code, laid.head("a/b")) == (200, ahead)
    back = laid.ask("PATCH", "git/refs/heads/a/b", {"sha": first})
    assert (back.status_code, back.json()["message"]) == (422, "Update is not a fast forward")
    assert laid.ask("PATCH", "git/refs/heads/a/b", {"sha": first, "force": True}).status_code == 200
    assert laid.ask("GET", "git/ref/heads/a/b").json()["object"] == made.json()["object"]
    matching = laid.ask("GET", "git/matching-refs/heads/a").json()
    assert [one["ref"] for one in matching] == ["refs/heads/a/b"]
    assert laid.ask("DELETE", "git/refs/heads/a/b").status_code == 204
    assert laid.head("a/b") is None


def test_branches_are_listed_with_their_commits(laid: Place) -> None:
    """https://docs.github.com/rest/branches/branches#list-branches"""
    shown = laid.ask("GET", "branches").json()
    assert {one["name"]: one["commit"]["sha"] for one in shown} == {
        name: laid.head(name) for name in ("clash", "main", "next", "same")
    }


def test_a_tree_is_shown_whole_or_level_by_level(place: Place) -> None:
    """https://docs.github.com/rest/git/trees#get-a-tree"""
    top = place.ask("GET", "git/trees/main").json()
    assert [(one["path"], one["type"], one["mode"]) for one in top["tree"]] == [
        ("README.md", "blob", "100644"),
        ("env", "tree", "040000"),
    ]
    whole = place.ask("GET", f"git/trees/{top['sha']}?recursive=1").json()
    assert [one["path"] for one in whole["tree"]] == ["README.md", "env", "env/dev.yaml", "env/prod.yaml"]
    assert (whole["truncated"], whole["tree"][0]["size"]) == (False, 6)


def test_a_submodule_is_a_commit_in_a_tree(place: Place, tmp_path: Path) -> None:
    """https://docs.github.com/rest/git/trees#get-a-tree"""
    git("clone", "-q", place.remote(), ".", cwd=tmp_path)
    git("update-index", "--add", "--cacheinfo", f"160000,{NOWHERE},charts/sub", cwd=tmp_path)
    git("commit", "-qm", "sub", cwd=tmp_path)
    git("push", "-q", cwd=tmp_path)
    tree = place.ask("GET", "git/trees/main?recursive=1").json()["tree"]
    (link,) = [one for one in tree if one["type"] == "commit"]
    assert link == {"path": "charts/sub", "mode": "160000", "type": "commit", "sha": NOWHERE}


@pytest.mark.parametrize("by", ["branch", "full id", "short id"])
def test_a_commit_is_found(laid: Place, by: str) -> None:
    """https://docs.github.com/rest/commits/commits#get-a-commit"""
    sha = str(laid.head("next"))
    ref = {"branch": "next", "full id": sha, "short id": sha[:8]}[by]
    shown = laid.ask("GET", f"commits/{ref}").json()
    assert (shown["sha"], shown["commit"]["message"]) == (sha, "change")
    assert [one["sha"] for one in shown["parents"]] == [laid.head()]
    assert laid.ask("GET", f"git/commits/{sha}").json()["tree"] == shown["commit"]["tree"]


COMPARED = {
    "main...next": "ahead",
    "next...main": "behind",
    "clash...next": "diverged",
    "main...same": "identical",
}


@pytest.mark.parametrize(("spec", "status"), COMPARED.items())
def test_two_commits_are_compared(laid: Place, spec: str, status: str) -> None:
    """https://docs.github.com/rest/commits/commits#compare-two-commits"""
    shown = laid.ask("GET", f"compare/{spec}").json()
    assert shown["status"] == status
    assert [one["filename"] for one in shown["files"]] == (["env/dev.yaml"] if spec.endswith("next") else [])


def test_a_tree_is_made_upon_another_and_committed_and_changes_nothing_until_a_branch_moves(
    place: Place,
) -> None:
    """https://docs.github.com/rest/git/trees#create-a-tree, https://docs.github.com/rest/git/commits#create-a-commit"""
    first = str(place.head())
    entries = [
        {"path": "charts/sub", "mode": "160000", "type": "commit", "sha": NOWHERE},
        {"path": "env/new.yaml", "mode": "100644", "type": "blob", "content": "a: 3\n"},
        {"path": "env/dev.yaml", "mode": "100644", "type": "blob", "sha": None},
    ]
    base = place.ask("GET", f"git/commits/{first}").json()["tree"]["sha"]
    tree = place.ask("POST", "git/trees", {"base_tree": base, "tree": entries})
    assert tree.status_code == 201
    assert [one["path"] for one in tree.json()["tree"]] == ["README.md", "charts", "env"]
    body = {"message": "why", "tree": tree.json()["sha"], "parents": [first]}
    made = place.ask("POST", "git/commits", body)
    assert made.status_code == 201
    shown = made.json()
    assert (shown["message"], [one["sha"] for one in shown["parents"]]) == ("why", [first])
    assert place.head() == first
    assert place.ask("PATCH", "git/refs/heads/main", {"sha": shown["sha"]}).status_code == 200
    whole = place.ask("GET", "git/trees/main?recursive=1").json()["tree"]
    assert {one["path"]: one["sha"] for one in whole if one["type"] == "commit"} == {"charts/sub": NOWHERE}
    assert [one["path"] for one in whole if one["type"] == "blob"] == [
        "README.md",
        "env/new.yaml",
        "env/prod.yaml",
    ]
    assert place.text("env/new.yaml") == "a: 3\n"


def test_a_tree_may_be_made_upon_none(place: Place) -> None:
    """https://docs.github.com/rest/git/trees#create-a-tree"""
    entry = {"path": "a/b", "mode": "100755", "type": "blob", "content": "x"}
    made = place.ask("POST", "git/trees", {"tree": [entry]}).json()
    whole = place.ask("GET", f"git/trees/{made['sha']}?recursive=1").json()["tree"]
    assert [(one["path"], one["mode"]) for one in whole] == [("a", "040000"), ("a/b", "100755")]
