"""A pinned commit that got lost, repaired with the app's own clients and judged by real git."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from responders.submodule_refs.reasons import Reason
from shared.clients.git_remotes import GitRemotes
from shared.clients.github import GitHub
from shared.model import Word
from shared.settings import Settings
from shared.world import Scope
from tests.sandbox.github.served import EVERYTHING, Place, Served, git
from tests.unit.submodule_refs.builders import PATH, World, allowing, declared

NOTES = {"notes.md": "1\n"}


@dataclass
class Platform(World):
    """What a run needs, but for Git and GitHub, which are the sandbox's."""

    settings: Settings | None = None

    @property
    def scope(self) -> Scope:
        assert self.settings
        scope = super().scope
        world = replace(scope.world, git=GitRemotes(self.settings), github=GitHub(self.settings))
        return replace(scope, world=world)


@dataclass
class Pinned:
    gitops: Place
    backlog: Place
    stray: str
    """The pinned commit, which only a deleted branch of the backlog led to."""
    platform: Platform

    def clone(self, folder: Path, code: int = 0) -> str:
        """As Argo CD's repo server does it."""
        return git("clone", "--recurse-submodules", self.gitops.remote(), "x", cwd=folder, code=code)


@pytest.fixture
def pinned(served: Served) -> Pinned:
    backlog = served.lay(NOTES)
    modules = f'[submodule "{PATH}"]\n\tpath = {PATH}\n\turl = ../{backlog.name.partition("/")[2]}.git\n'
    gitops = served.lay({".gitmodules": modules})
    token = served.forge.issue("mona", {gitops.name: EVERYTHING, backlog.name: EVERYTHING})
    gitops.token = backlog.token = token
    settings = replace(
        Settings.from_environment({}),
        github_url=served.url,
        github_api=f"{served.url}/api/v3",
        github_token=token,
    )
    stray = backlog.leave({"notes.md": "2\n"})
    GitHub(settings).move_gitlink(
        gitops.page, "main", str(gitops.head()), PATH, commit=stray, message="Pin a branch that was squashed"
    )
    platform = Platform(
        submodules=(declared(repository=gitops.page, moves={PATH: "main"}),),
        contract=allowing(repositories=(gitops.page, backlog.page)),
        settings=settings,
    )
    return Pinned(gitops, backlog, stray, platform)


def test_a_commit_that_only_the_api_has_is_brought_back_by_a_branch(pinned: Pinned, tmp_path: Path) -> None:
    repository = pinned.backlog.hosted.git
    pinned.backlog.served.do(repository.forget(pinned.stray))
    assert "not our ref" in pinned.clone(tmp_path, code=128)
    report = pinned.platform.run()
    assert (report.outcome.word, report.findings[0].reason) == (
        Word.REPAIRED,
        Reason.SUBMODULE_COMMIT_MISSING,
    )
    assert pinned.backlog.head(f"gitops-pin/{pinned.stray[:7]}") == pinned.stray
    (tmp_path / "after").mkdir()
    pinned.clone(tmp_path / "after")
    assert (tmp_path / "after" / "x" / PATH / "notes.md").read_text() == "2\n"
    assert pinned.platform.run().outcome.word is Word.CONVERGED


def test_a_commit_that_may_vanish_is_kept(pinned: Pinned) -> None:
    report = pinned.platform.run()
    assert (report.outcome.word, report.findings[0].reason) == (
        Word.REPAIRED,
        Reason.SUBMODULE_COMMIT_UNREFERENCED,
    )
    assert pinned.backlog.head(f"gitops-pin/{pinned.stray[:7]}") == pinned.stray


def test_the_pin_of_a_commit_that_is_gone_is_moved_by_whoever_merges(pinned: Pinned, tmp_path: Path) -> None:
    repository = pinned.backlog.hosted.git
    pinned.backlog.served.do(repository.lose(pinned.stray))
    before = pinned.gitops.head()
    assert pinned.platform.run().outcome.reason == Reason.PIN_MOVE_OPEN
    assert pinned.platform.run().outcome.reason == Reason.PIN_MOVE_OPEN
    assert pinned.gitops.head() == before
    (pull,) = pinned.gitops.ask("GET", "pulls").json()
    assert pinned.gitops.ask("PUT", f"pulls/{pull['number']}/merge").status_code == 200
    assert pinned.platform.run().outcome.word is Word.REPAIRED
    pinned.clone(tmp_path)
    assert (tmp_path / "x" / PATH / "notes.md").read_text() == NOTES["notes.md"]
