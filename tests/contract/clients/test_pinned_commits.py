"""What is found about submodules where real Git servers answer."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from responders.submodule_refs import RESPONDER
from responders.submodule_refs.reasons import Reason
from shared.clients.git_remotes import GitRemotes
from shared.settings import Settings
from tests.contract.clients import git_server
from tests.contract.clients.git_server import NEVER, GitServer, Repository
from tests.unit.submodule_refs.builders import BACKLOG, PARENT, World

LIBRARY = "https://github.com/ameideio/library"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with git_server.running(tmp_path, None) as running:
        yield running


class Platform:
    """The gitops repository, its backlog, and a library that the backlog has as a submodule. What GitHub's
    API says beside is made up.
    """

    def __init__(self, server: GitServer) -> None:
        self.gitops = server.repository("ameideio/ameide-gitops")
        self.backlog = server.repository("ameideio/ameide-backlog")
        self.library = server.repository("ameideio/library")
        settings = replace(Settings.from_environment({}), github_url=f"{server.scheme}://{server.host}")
        world = World()
        world.git.lay(LIBRARY)
        scope = world.scope
        self.scope = replace(scope, world=replace(scope.world, git=GitRemotes(settings)))

    def found(self) -> list[tuple[str, str]]:
        facts = RESPONDER.gather(self.scope)
        return [(one.reason, one.subject) for one in RESPONDER.check(facts, self.scope.clock())]


@pytest.fixture
def platform(server: GitServer) -> Platform:
    return Platform(server)


def pins(holder: Repository, path: str, url: str, commit: str) -> str:
    modules = f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n'
    return holder.commit({".gitmodules": modules.encode()}, links={path: commit})


def test_commits_that_branches_lead_to_have_no_fault_down_to_the_last(platform: Platform) -> None:
    older = platform.library.commit({"a": b"1"})
    platform.library.commit({"a": b"2"})
    pins(platform.gitops, "backlog", "../ameide-backlog.git", pins(platform.backlog, "lib", LIBRARY, older))
    assert platform.found() == []


def test_a_commit_that_the_remote_never_had_is_missing(platform: Platform) -> None:
    platform.backlog.commit({"a": b"1"})
    pins(platform.gitops, "backlog", f"{BACKLOG}.git", NEVER)
    assert platform.found() == [(Reason.SUBMODULE_COMMIT_MISSING, f"{BACKLOG}/commit/{NEVER}")]


def test_a_commit_that_a_deleted_branch_left_behind_may_vanish(platform: Platform) -> None:
    platform.backlog.commit({"a": b"1"})
    stray = platform.backlog.commit({"a": b"2"}, on=None)
    pins(platform.gitops, "backlog", f"{BACKLOG}.git", stray)
    assert platform.found() == [(Reason.SUBMODULE_COMMIT_UNREFERENCED, f"{BACKLOG}/commit/{stray}")]


def test_a_nested_commit_is_missing_where_its_holder_is_well(platform: Platform) -> None:
    platform.library.commit({"a": b"1"})
    pins(platform.gitops, "backlog", f"{BACKLOG}.git", pins(platform.backlog, "lib", "../library", NEVER))
    lost, missing = platform.found()
    assert missing == (Reason.SUBMODULE_COMMIT_MISSING, f"{LIBRARY}/commit/{NEVER}")
    assert lost[0] == Reason.SUBMODULE_COMMIT_LOST


def test_a_gitlink_that_gitmodules_does_not_know_stops_git(platform: Platform) -> None:
    platform.gitops.commit({"a": b"1"}, links={"backlog": NEVER})
    assert platform.found() == [(Reason.SUBMODULE_URL_MISSING, f"{PARENT}/tree/main/backlog")]


def test_a_remote_that_is_not_there_proves_nothing(platform: Platform) -> None:
    pins(platform.gitops, "backlog", "https://github.com/ameideio/gone.git", NEVER)
    assert platform.found() == [(Reason.SUBMODULES_UNREAD, "https://github.com/ameideio/gone")]


def test_a_tracked_branch_that_is_not_there_is_not_known(platform: Platform) -> None:
    platform.gitops.commit({"a": b"1"}, on="next")
    assert platform.found() == [(Reason.TRACKED_REVISION_UNREAD, f"{PARENT}/tree/main")]


def test_a_renamed_remote_is_told_and_followed(platform: Platform, server: GitServer) -> None:
    there = platform.backlog.commit({"a": b"1"})
    platform.backlog.commit({"a": b"2"})
    pins(platform.gitops, "backlog", "../docs.git", there)
    target = f"{server.url('ameideio/ameide-backlog')}/info/refs?service=git-upload-pack"
    server.laid["GET /ameideio/docs.git/info/refs"] = (301, {"Location": target}, b"")
    assert platform.found() == [(Reason.SUBMODULE_REMOTE_MOVED, "https://github.com/ameideio/docs")]
