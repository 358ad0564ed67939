"""Real git against the sandbox's repositories: clone, fetch, push, and who may."""

import base64
import os
import threading
import time
from pathlib import Path

import pytest
import requests

from sandbox.git_repository import GitError
from tests.sandbox.github.served import BIG, PATIENCE, Place, Served, git

PROTOCOLS = ("0", "2")


def clone(place: Place, directory: Path, *options: str, name: str = "clone") -> Path:
    git(*options, "clone", "-q", place.remote(), name, cwd=directory)
    return directory / name


def commit(copy: Path, files: dict[str, str]) -> str:
    for path, text in files.items():
        (copy / path).write_text(text)
    git("add", ".", cwd=copy)
    git("commit", "-qm", "change", cwd=copy)
    return git("rev-parse", "HEAD", cwd=copy).strip()


@pytest.mark.parametrize("version", PROTOCOLS)
def test_a_repository_is_cloned_fetched_and_pushed_to(place: Place, tmp_path: Path, version: str) -> None:
    speak = ("-c", f"protocol.version={version}")
    mine, theirs = (clone(place, tmp_path, *speak, name=name) for name in ("mine", "theirs"))
    assert (theirs / "env" / "dev.yaml").read_text() == "a: 1\n"
    pushed = commit(mine, {"README.md": "hello, you\n"})
    git(*speak, "push", "-q", cwd=mine)
    assert place.head() == pushed
    assert place.text("README.md") == "hello, you\n"
    git(*speak, "fetch", "-q", cwd=theirs)
    assert git("rev-parse", "origin/main", cwd=theirs).strip() == pushed


@pytest.mark.parametrize("version", PROTOCOLS)
def test_the_protocol_that_was_asked_for_is_spoken(place: Place, version: str) -> None:
    answer = requests.get(
        f"{place.remote()}/info/refs?service=git-upload-pack",
        headers={"Git-Protocol": f"version={version}"},
        timeout=PATIENCE,
    )
    assert ("version 2" in answer.text) is (version == "2")


def test_a_single_commit_is_fetched_by_its_id(place: Place, tmp_path: Path) -> None:
    first = str(place.head())
    place.commit("main", {"README.md": "later\n"})
    git("init", "-q", cwd=tmp_path)
    git("fetch", "-q", "--depth=1", place.remote(), first, cwd=tmp_path)
    assert git("show", "FETCH_HEAD:README.md", cwd=tmp_path) == "hello\n"
    nowhere = git("fetch", "-q", "--depth=1", place.remote(), "0" * 39 + "1", cwd=tmp_path, code=128)
    assert "not our ref" in nowhere


def test_a_request_that_git_has_compressed_is_understood(place: Place, tmp_path: Path) -> None:
    """More than a kilobyte of what a fetch has already is sent as gzip. It tells the newest first."""
    copy = clone(place, tmp_path)
    later = f"@{int(time.time()) + 3600} +0000"
    for number in range(60):
        git("commit", "-q", "--allow-empty", "-m", str(number), cwd=copy, GIT_COMMITTER_DATE=later)
    pushed = place.commit("main", {"README.md": "later\n"})
    assert "Content-Encoding: gzip" in git("fetch", "-q", cwd=copy, GIT_TRACE_CURL="1")
    assert git("rev-parse", "origin/main", cwd=copy).strip() == pushed


def test_a_large_pack_goes_both_ways_while_others_are_answered(place: Place, tmp_path: Path) -> None:
    copy = clone(place, tmp_path)
    noise = os.urandom(BIG).hex()
    commit(copy, {"large.txt": noise})
    pushing = threading.Thread(target=git, args=("push", "-q"), kwargs={"cwd": copy})
    pushing.start()
    answered = 0
    while pushing.is_alive():
        answered += place.ask("GET", "").status_code == 200
    pushing.join()
    assert answered > 1
    again = clone(place, tmp_path, name="again")
    assert (again / "large.txt").read_text() == noise


def test_a_branch_is_pushed_and_deleted(place: Place, tmp_path: Path) -> None:
    copy = clone(place, tmp_path)
    git("push", "-q", "origin", "HEAD:refs/heads/next", cwd=copy)
    assert place.head("next") == place.head()
    git("push", "-q", "origin", ":next", cwd=copy)
    assert place.head("next") is None


def test_a_push_over_somebody_elses_commit_is_rejected(place: Place, tmp_path: Path) -> None:
    copy = clone(place, tmp_path)
    newest = place.commit("main", {"README.md": "theirs\n"})
    commit(copy, {"README.md": "mine\n"})
    assert "rejected" in git("push", cwd=copy, code=1)
    assert place.head() == newest


def test_a_protected_branch_takes_no_push_and_other_branches_do(served: Served, tmp_path: Path) -> None:
    place = served.lay({"README.md": "hello\n"}, protected=("main",))
    copy, before = clone(place, tmp_path), place.head()
    pushed = commit(copy, {"README.md": "mine\n"})
    refused = git("push", "origin", "main", "main:next", cwd=copy, code=1)
    assert "Changes must be made through a pull request" in refused
    assert (place.head(), place.head("next")) == (before, pushed)


# -- who may ------------------------------------------------------------------------------


def test_a_private_repository_asks_for_credentials_and_is_not_there_for_strangers(
    served: Served, place: Place, tmp_path: Path
) -> None:
    stranger = served.forge.issue("stranger", {"ameideio/other": {"contents": "write"}})
    asked = "could not read Username"
    assert asked in git("clone", place.remote(token=""), "a", cwd=tmp_path, code=128)
    assert "not found" in git("clone", place.remote(token=stranger), "b", cwd=tmp_path, code=128)
    assert "Authentication failed" in git("clone", place.remote(token="wrong"), "c", cwd=tmp_path, code=128)
    nobody = f"{served.url}/ameideio/nothing/info/refs?service=git-upload-pack"
    answer = requests.get(nobody, timeout=PATIENCE)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="GitHub"')


def test_a_public_repository_is_read_by_anybody_and_written_by_those_who_may(
    served: Served, tmp_path: Path
) -> None:
    place = served.lay({"README.md": "hello\n"}, private=False)
    git("clone", "-q", place.remote(token="", suffix=""), "copy", cwd=tmp_path)
    copy = tmp_path / "copy"
    commit(copy, {"README.md": "mine\n"})
    assert "could not read Username" in git("push", cwd=copy, code=128)


def test_a_token_that_may_only_read_cannot_push(place: Place, tmp_path: Path) -> None:
    copy, reader = clone(place, tmp_path), place.allowed(contents="read")
    git("fetch", "-q", place.remote(token=reader), cwd=copy)
    commit(copy, {"README.md": "mine\n"})
    assert "403" in git("push", place.remote(token=reader), "main", cwd=copy, code=128)


def test_a_token_is_taken_as_bearer_too(place: Place) -> None:
    answer = requests.get(
        f"{place.remote(token='')}/info/refs?service=git-upload-pack",
        headers={"Authorization": f"Bearer {place.token}"},
        timeout=PATIENCE,
    )
    assert answer.status_code == 200


def test_files_cannot_be_fetched_without_the_protocol(place: Place) -> None:
    assert requests.get(f"{place.remote()}/info/refs", timeout=PATIENCE).status_code == 403
    assert requests.get(f"{place.remote()}/config", timeout=PATIENCE).status_code == 404


def test_the_machines_configuration_of_git_is_not_used(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text("[http]\n\tuploadpack = false\n[core]\n\thooksPath = /nowhere\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert (clone(place, tmp_path) / "README.md").exists()
    assert place.commit("main", {"README.md": "later\n"}) == place.head()


# -- who hears ----------------------------------------------------------------------------


def test_every_move_of_a_branch_is_heard_whichever_way_it_came(place: Place, tmp_path: Path) -> None:
    heard: list[tuple[str, str, bool, bool]] = []
    silence = place.served.forge.on_push(
        lambda one: heard.append((one.repository, one.branch, one.before is None, one.after is None))
    )
    copy = clone(place, tmp_path)
    commit(copy, {"README.md": "pushed\n"})
    git("push", "-q", "origin", "HEAD:next", cwd=copy)
    asked = {"head": "next", "base": "main", "title": "t"}
    number = place.ask("POST", "pulls", asked).json()["number"]
    place.ask("PUT", f"pulls/{number}/merge")
    content = {"message": "m", "content": base64.b64encode(b"x").decode(), "branch": "next"}
    place.ask("PUT", "contents/x", content)
    place.ask("PATCH", "git/refs/heads/next", {"sha": place.head(), "force": True})
    place.ask("DELETE", "git/refs/heads/next")
    place.commit("main", {"README.md": "by the sandbox\n"})
    silence()
    place.commit("main", {"README.md": "unheard\n"})
    assert heard == [
        (place.name, "next", True, False),
        (place.name, "main", False, False),
        (place.name, "next", False, False),
        (place.name, "next", False, False),
        (place.name, "next", False, True),
        (place.name, "main", False, False),
    ]


def test_a_commit_that_changes_nothing_is_none(place: Place) -> None:
    before = place.head()
    assert place.commit("main", {"README.md": "hello\n"}) == before


# -- commits that get lost ----------------------------------------------------------------


def fetched(place: Place, directory: Path, commit: str, *, code: int = 0) -> str:
    directory.mkdir()
    git("init", "-q", cwd=directory)
    return git("fetch", "-q", place.remote(), commit, cwd=directory, code=code)


def test_a_commit_without_a_branch_is_given_until_it_is_forgotten_and_again_with_a_branch(
    place: Place, tmp_path: Path
) -> None:
    """What GitHub's Git server does not give, its API may still show, and keep by a new reference."""
    first = place.commit("gone", {"README.md": "gone\n"})
    lost = place.commit("gone", {"README.md": "gone, too\n"})
    place.ask("DELETE", "git/refs/heads/gone")
    fetched(place, tmp_path / "before", lost)
    for commit in (first, lost):
        place.served.do(place.hosted.git.forget(commit))
    assert f"not our ref {lost}" in fetched(place, tmp_path / "forgotten", lost, code=128)
    assert place.ask("GET", f"git/commits/{lost}").json()["message"] == "change"
    kept = place.ask("POST", "git/refs", {"ref": "refs/heads/kept", "sha": lost})
    assert kept.status_code == 201
    fetched(place, tmp_path / "kept", lost)
    assert git("log", "--format=%H", "FETCH_HEAD", cwd=tmp_path / "kept").split()[:2] == [lost, first]


def test_a_commit_that_is_lost_is_nowhere(place: Place, tmp_path: Path) -> None:
    packed, forgotten = place.leave({"README.md": "1"}), place.leave({"README.md": "2"})
    git("repack", "-q", "-a", "-d", "-k", cwd=place.hosted.git.path)
    place.served.do(place.hosted.git.forget(forgotten))
    for commit in (packed, forgotten):
        place.served.do(place.hosted.git.lose(commit))
        assert "not our ref" in fetched(place, tmp_path / commit, commit, code=128)
        assert place.ask("GET", f"git/commits/{commit}").status_code == 404
        refused = place.ask("POST", "git/refs", {"ref": "refs/heads/kept", "sha": commit})
        assert (refused.status_code, refused.json()["message"]) == (422, "Object does not exist")
    clone(place, tmp_path)


@pytest.mark.parametrize("way", ["forget", "lose"])
def test_what_a_branch_leads_to_is_not_lost(place: Place, tmp_path: Path, way: str) -> None:
    first = str(place.head())
    place.commit("main", {"README.md": "later\n"})
    for commit in (first, str(place.head()), "0" * 39 + "1"):
        with pytest.raises(GitError):
            place.served.do(getattr(place.hosted.git, way)(commit))
    clone(place, tmp_path)


def test_a_server_may_speak_the_old_protocol_by_the_old_policy(place: Place, tmp_path: Path) -> None:
    loose = place.leave({"README.md": "x"})
    place.hosted.old_git = True
    assert "not our ref" in fetched(place, tmp_path / "reachable", loose, code=128)
    place.served.do(place.hosted.git.configure("uploadpack.allowAnySHA1InWant", "true"))
    fetched(place, tmp_path / "any", loose)
