"""What `reconverge sandbox` answers where nothing runs. One that runs: tests/sandbox/stack."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli import main
from cli.exits import Exit
from sandbox import processes, stack
from sandbox.processes import Child
from sandbox.stack import Stack
from tests.unit.cli.desk import Desk

NO_DESCRIPTIONS = {
    "empty": "",
    "cut short": '{"complete": tr',
    "an object of nothing": "{}",
    "a list": "[]",
    "of children without a name": '{"children": [{"pid": 1}], "environment": {}, "complete": true}',
}


@pytest.mark.parametrize("text", NO_DESCRIPTIONS.values(), ids=NO_DESCRIPTIONS)
@pytest.mark.parametrize("action", ["status", "up", "down", "recreate", "drill"])
def test_a_broken_description_is_told_with_the_way_out_and_kept(
    desk: Desk, tmp_path: Path, action: str, text: str
) -> None:
    described = tmp_path / "stack.json"
    described.write_text(text)
    words = ["drill"] if action == "drill" else ["sandbox", action]
    answer = desk.types(*words, "--dir", str(tmp_path))
    assert answer.code == Exit.COULD_NOT_TELL
    *_, problem, remedy = answer.err.splitlines()
    assert problem.startswith(f"reconverge: {described} is broken")
    assert remedy.endswith("then delete that file.")
    assert described.read_text() == text


@pytest.mark.parametrize(
    "words", [("sandbox", "up"), ("sandbox", "status"), ("sandbox", "down"), ("drill",)], ids=" ".join
)
def test_a_file_is_no_folder_for_a_sandbox(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        main.parse([*words, "--dir", str(tmp_path / "file")])
    assert ended.value.code == Exit.WRONG_USE
    assert "is no folder; name one" in capsys.readouterr().err


def test_nothing_runs_below_a_file(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = desk.types("sandbox", "status", "--dir", str(tmp_path / "file" / "sandbox"))
    assert (answer.code, answer.err) == (Exit.DIFFERENCES, "")
    assert answer.out.startswith("not running in ")


def test_a_folder_that_cannot_be_made_is_told_in_a_line(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "sandbox"
    answer = desk.types("sandbox", "up", "--dir", str(folder))
    assert answer.code == Exit.COULD_NOT_TELL
    assert answer.err.endswith(f"\nreconverge: {folder} cannot be created: Not a directory\n")


STRANGE_FLAGS: dict[str, tuple[tuple[str, ...], str]] = {
    "a commit is for submodule": (("recreate", "--commit", "lost"), "--commit belongs to submodule"),
    "even the commit that is usual": (("up", "--commit", "forgotten"), "--commit belongs to submodule"),
    "a host is for up": (("status", "--host", "func"), "--host belongs to up"),
    "an environment is for recreate and break": (
        ("submodule", "--environment", "prod"),
        "--environment belongs to recreate and break",
    ),
    "nor does up take one": (("up", "--environment", "dev"), "--environment belongs to recreate and break"),
    "nor down": (("down", "--environment", "dev"), "--environment belongs to recreate and break"),
    "a name is for break": (("recreate", "dev"), "recreate takes no name"),
}


@pytest.mark.parametrize(("words", "says"), STRANGE_FLAGS.values(), ids=STRANGE_FLAGS)
def test_what_belongs_to_another_action_is_refused_before_anything_happens(
    desk: Desk, tmp_path: Path, words: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for happening in ("up", "load", "down"):
        monkeypatch.setattr(stack, happening, lambda *_, **__: pytest.fail("it did something"))
    answer = desk.types("sandbox", *words, "--dir", str(tmp_path / "sandbox"))
    assert (answer.code, answer.err) == (Exit.WRONG_USE, f"reconverge: {says}\n")


@pytest.mark.parametrize(
    "words",
    [("break", "x", "--environment", "prod"), ("break", "--environment", "prod", "x")],
    ids=["before its environment", "behind it"],
)
def test_what_to_break_may_stand(words: tuple[str, ...]) -> None:
    given = main.parse(["sandbox", *words])
    assert (given.action, given.name, given.environment) == ("break", "x", "prod")


def test_the_choice_of_commits_is_in_plain_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.parse(["sandbox", "submodule", "--commit", "foo"])
    said = capsys.readouterr().err.replace("'", "")
    assert said.endswith("invalid choice: foo (choose from forgotten, lost, present)\n")


UNBROKEN = {
    "no name": (("break",), "reconverge: say what to break: "),
    "a wrong name": (
        ("break", "everything"),
        "reconverge: nothing is called 'everything' to be broken; there are ",
    ),
    "an empty name": (("break", ""), "reconverge: nothing is called '' to be broken; there are "),
    "a wrong environment": (
        ("break", "keycloak-redirect-missing", "--environment", "prod"),
        "reconverge: environment 'prod' is unknown; there are dev, staging",
    ),
    "an environment that is switched off": (
        ("break", "keycloak-redirect-missing", "--environment", "staging"),
        "reconverge: environment 'staging' is switched off",
    ),
    "a wrong environment to rebuild": (
        ("recreate", "--environment", "prod"),
        "reconverge: environment 'prod' is unknown; there are dev, staging",
    ),
}


@pytest.mark.parametrize(("words", "says"), UNBROKEN.values(), ids=UNBROKEN)
def test_what_is_not_there_cannot_be_broken_or_rebuilt(
    desk: Desk, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    landscape = {"RECONVERGE_LANDSCAPE": str(desk.landscape)}
    Stack(directory=tmp_path, children=(), environment=landscape, complete=True).save()
    answer = desk.types("sandbox", *words, "--dir", str(tmp_path))
    assert (answer.code, answer.out) == (Exit.WRONG_USE, "")
    assert answer.err.startswith(says)
    assert answer.err.count("\n") == 1


@pytest.fixture
def half(tmp_path: Path) -> Iterator[Stack]:
    """A sandbox whose host has ended; a stranger has its id by now."""
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    log = tmp_path / "cloud.log"
    cloud = processes.start("cloud", command, environment=os.environ, cwd=tmp_path, log=log)
    host = Child(name="host", pid=os.getpid(), started="0")
    started = Stack(directory=tmp_path, children=(cloud, host), environment={}, complete=True)
    started.save()
    yield started
    processes.stop([cloud])


def test_the_status_of_half_a_sandbox_names_what_ended_what_runs_and_what_helps(
    desk: Desk, half: Stack
) -> None:
    where = str(half.directory)
    answer = desk.types("sandbox", "status", "--dir", where)
    assert (answer.code, answer.err) == (Exit.DIFFERENCES, "")
    assert answer.out.splitlines() == [
        f"not running in {where}",
        f"  ended  host  its log is {where}/logs/host.log",
        f"  process {half.children[0].pid}  cloud",
        f"start all of it anew with `reconverge sandbox up --dir {where}`",
        f"or stop the rest with `reconverge sandbox down --dir {where}`",
    ]


def test_the_document_tells_the_same_of_half_a_sandbox(desk: Desk, half: Stack) -> None:
    told = desk.types("sandbox", "status", "--dir", str(half.directory), "--output", "json").document
    assert told == {
        "running": False,
        "directory": str(half.directory),
        "addresses": {},
        "processes": [{"name": "cloud", "pid": half.children[0].pid}],
        "ended": [{"name": "host", "log": f"{half.directory}/logs/host.log"}],
    }


def test_a_start_that_was_cut_short_is_told(desk: Desk, half: Stack) -> None:
    replace(half, children=half.children[:1], complete=False).save()
    answer = desk.types("sandbox", "status", "--dir", str(half.directory))
    assert answer.code == Exit.DIFFERENCES
    assert "  its start goes on, or was cut short" in answer.out.splitlines()


def test_down_tells_what_it_stopped(desk: Desk, half: Stack) -> None:
    (cloud, _), where = half.children, str(half.directory)
    first = desk.types("sandbox", "down", "--dir", where)
    assert (first.code, first.out) == (
        Exit.CONVERGED,
        f"not running in {where}\n  stopped {cloud.pid}  cloud\n",
    )
    assert not cloud.is_alive()
    assert desk.types("sandbox", "down", "--dir", where).out == f"not running in {where}\n"


def test_the_document_tells_what_was_stopped(desk: Desk, half: Stack) -> None:
    told = desk.types("sandbox", "down", "--dir", str(half.directory), "--output", "json").document
    assert told["stopped"] == [{"name": "cloud", "pid": half.children[0].pid}]
