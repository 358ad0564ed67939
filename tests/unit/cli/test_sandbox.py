"""What `reconverge sandbox` answers where nothing runs. One that runs: tests/sandbox/stack."""

from pathlib import Path

import pytest

from cli import main
from cli.exits import Exit
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
