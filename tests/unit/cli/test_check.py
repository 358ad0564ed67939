"""`reconverge check`: a guard in CI, which says what a change brings in the words of whoever reads it."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cli.exits import Exit
from shared.clients.git_remotes import Gitlink
from shared.errors import TemporaryError
from tests.unit.cli.desk import LANDSCAPE, Answer, Desk
from tests.unit.federated_credentials.builders import CLUSTER
from tests.unit.git_remotes import GitRemotes, Repository

GITOPS = "https://github.com/ameideio/ameide-gitops"
BACKLOG = "https://github.com/ameideio/ameide-backlog"
THERE, GONE, STRAY = "a" * 40, "b" * 40, "c" * 40
HEAD = "d" * 40
"""The commit of a pull request."""

DECLARING = (
    LANDSCAPE.replace("MODE", "propose")
    .replace("DEV", "true")
    .replace("    contract:", f"    submodules: [{{repository: {GITOPS}.git}}]\n    contract:")
    .replace(
        "  staging:",
        f"  bare:\n    clusters: [{{name: aks, id: {CLUSTER}-bare}}]\n    identities: []\n  staging:",
    )
)


@pytest.fixture
def guarded(desk: Desk, tmp_path: Path) -> "Guarded":
    return Guarded(desk, tmp_path / "guarded.yaml")


class Guarded:
    def __init__(self, desk: Desk, landscape: Path) -> None:
        self.desk = desk
        self.landscape = landscape
        self.landscape.write_text(DECLARING)
        self.gitops.commit("e" * 40, pins=(pin(THERE),))
        self.git.lay(BACKLOG).commit(THERE)
        self.git.lay(BACKLOG).loose.add(STRAY)

    @property
    def git(self) -> GitRemotes:
        return self.desk.platform.github.git

    @property
    def gitops(self) -> Repository:
        return self.git.lay(GITOPS)

    def checks(self, *arguments: str) -> Answer:
        return self.desk.types("check", "submodules", "--landscape", str(self.landscape), *arguments)


def pin(commit: str, path: str = "backlog") -> Gitlink:
    return Gitlink(path=path, commit=commit, url="../ameide-backlog.git")


def silent(guarded: Guarded) -> None:
    guarded.git.troubles["refs"] = TemporaryError("answered 503", delay=timedelta(seconds=30))


def moved(guarded: Guarded) -> None:
    guarded.git.lay(BACKLOG).moved_to = "https://github.com/ameideio/backlog.git"


ENDINGS: dict[str, tuple[Callable[[Guarded], object], Exit, tuple[str, ...]]] = {
    "a commit that is there": (lambda _: None, Exit.CONVERGED, ()),
    "a commit that is not there": (
        lambda guarded: guarded.gitops.commit(HEAD, pins=(pin(GONE),)),
        Exit.DIFFERENCES,
        ("SubmoduleCommitMissing",),
    ),
    "a commit that may vanish": (
        lambda guarded: guarded.gitops.commit(HEAD, pins=(pin(STRAY),)),
        Exit.DIFFERENCES,
        ("SubmoduleCommitUnreferenced",),
    ),
    "a remote that does not answer is no verdict": (silent, Exit.COULD_NOT_TELL, ("SubmodulesUnread",)),
    "a remote that was renamed is no fault": (moved, Exit.CONVERGED, ("SubmoduleRemoteMoved",)),
}


@pytest.mark.parametrize(("happens", "code", "reasons"), ENDINGS.values(), ids=ENDINGS)
def test_a_guard_ends_with_the_exit_code_of_what_it_found(
    happens: Callable[[Guarded], object], code: Exit, reasons: tuple[str, ...], guarded: Guarded
) -> None:
    happens(guarded)
    answer = guarded.checks("--output", "json")
    assert answer.code == code
    assert answer.document["verdict"] == code.says
    assert tuple(one["reason"] for one in answer.document["findings"]) == reasons


def test_a_pull_request_is_judged_by_its_own_commit(guarded: Guarded) -> None:
    guarded.gitops.commit(HEAD, "feature", pins=(pin(GONE),))
    assert guarded.checks().code == Exit.CONVERGED
    assert guarded.checks("--revision", HEAD).code == Exit.DIFFERENCES
    assert guarded.checks("--revision", "feature").code == Exit.DIFFERENCES


def test_a_revision_that_there_is_not_is_no_verdict(guarded: Guarded) -> None:
    assert guarded.checks("--revision", "nowhere").code == Exit.COULD_NOT_TELL


def test_the_remedy_for_a_revision_speaks_of_the_one_that_was_typed(guarded: Guarded) -> None:
    assert "--revision" in guarded.checks("--revision", "nowhere").out
    (found,) = guarded.checks("--revision", "nowhere", "--output", "json").document["findings"]
    assert "--revision" in found["remedy"]
    assert "landscape" not in found["remedy"]


def test_the_remedy_for_a_declared_branch_speaks_of_the_landscape(guarded: Guarded) -> None:
    guarded.git.troubles["snapshot"] = TemporaryError("answered 503", delay=timedelta(seconds=30))
    out = guarded.checks().out
    assert "Check `submodules` in the landscape" in out
    assert "--revision" not in out


def test_a_guard_changes_nothing_and_asks_no_pull_request(guarded: Guarded) -> None:
    guarded.gitops.commit(HEAD, pins=(pin(STRAY),))
    guarded.desk.platform.github.troubles["proposals"] = TemporaryError("down", delay=timedelta(seconds=1))
    assert guarded.checks("--output", "json").code == Exit.DIFFERENCES
    assert set(guarded.git.lay(BACKLOG).branches) == {"main"}


def test_a_reader_is_told_what_is_wrong_and_what_to_do(guarded: Guarded) -> None:
    guarded.gitops.commit(HEAD, pins=(pin(GONE),))
    out = guarded.checks().out
    assert f"SubmoduleCommitMissing (error)  {BACKLOG}/commit/{GONE}" in out
    assert f"pinned by {GITOPS}/tree/main/backlog, it is not there: `not our ref`" in out
    assert "remedy: Where GitHub still has the object" in out
    assert out.endswith("\ndifferences\n")


def test_github_shows_it_beside_the_file(guarded: Guarded) -> None:
    guarded.gitops.commit(HEAD, pins=(pin(GONE), pin(STRAY, "docs/a,b")))
    missing, stray = guarded.checks("--output", "github").out.splitlines()
    assert missing.startswith(f"::error file=backlog,title=SubmoduleCommitMissing::{BACKLOG}/commit/{GONE}: ")
    assert stray.startswith("::warning file=docs/a%2Cb,title=SubmoduleCommitUnreferenced::")


def test_a_path_with_a_line_break_is_no_second_command(guarded: Guarded) -> None:
    guarded.gitops.commit(HEAD, pins=(pin(GONE, "x\n::stop-commands::y"),))
    (line,) = guarded.checks("--output", "github").out.splitlines()
    assert line.startswith("::error file=x%0A%3A%3Astop-commands%3A%3Ay,title=")


@pytest.mark.parametrize("output", ["github", "sarif", "json", "table"])
def test_a_path_that_is_shown_escaped_names_no_file(guarded: Guarded, output: str) -> None:
    shown = r"x\n::stop-commands::y\x1b"
    guarded.gitops.commit(HEAD, pins=(Gitlink(path=shown, commit=GONE, printable=False),))
    answer = guarded.checks("--output", output)
    assert answer.code == Exit.COULD_NOT_TELL
    assert "SubmodulePathUnprintable" in answer.out
    assert "file=" not in answer.out
    assert f'"uri": "{shown}"' not in answer.out
    assert "\x1b" not in answer.out


def test_code_scanning_gets_a_result_with_its_rule(guarded: Guarded) -> None:
    guarded.gitops.commit(HEAD, pins=(pin(STRAY, "my docs"),))
    document = json.loads(guarded.checks("--output", "sarif").out)
    (run,) = document["runs"]
    (result,) = run["results"]
    assert document["version"] == "2.1.0"
    assert [one["id"] for one in run["tool"]["driver"]["rules"]] == [result["ruleId"]]
    assert (result["ruleId"], result["level"]) == ("SubmoduleCommitUnreferenced", "warning")
    (place,) = result["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "my%20docs"},
        "region": {"startLine": 1},
    }


def test_code_scanning_gets_an_empty_run_where_nothing_is_wrong(guarded: Guarded) -> None:
    assert json.loads(guarded.checks("--output", "sarif").out)["runs"][0]["results"] == []


WRONG = {
    "an environment that there is not": (("--environment", "nope"), "environment 'nope' is unknown"),
    "an environment that is disabled": (("--environment", "staging"), "environment staging is disabled in"),
    "an environment without any": (("--environment", "bare"), "environment bare declares no `submodules`"),
}


@pytest.mark.parametrize(("arguments", "says"), WRONG.values(), ids=WRONG)
def test_a_guard_with_nothing_to_guard_is_wrong_use(
    arguments: tuple[str, ...], says: str, guarded: Guarded
) -> None:
    answer = guarded.checks(*arguments)
    assert (answer.code, says in answer.err) == (Exit.WRONG_USE, True), answer.err


def test_a_landscape_without_submodules_is_wrong_use(guarded: Guarded) -> None:
    guarded.landscape.write_text(LANDSCAPE.replace("MODE", "propose").replace("DEV", "true"))
    answer = guarded.checks()
    assert answer.code == Exit.WRONG_USE
    assert "no enabled environment declares `submodules`" in answer.err


def test_a_revision_that_can_be_none_is_wrong_use(
    guarded: Guarded, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        guarded.checks("--revision", "main~1")
    assert ended.value.code == Exit.WRONG_USE
    assert "is no branch and no commit" in capsys.readouterr().err


def test_other_commands_have_no_format_of_guards(desk: Desk) -> None:
    with pytest.raises(SystemExit):
        desk.types("run", "--output", "sarif")
