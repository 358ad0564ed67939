"""`reconverge explain`: from a text to what it means, without settings."""

import io
import sys
from pathlib import Path

import pytest

from cli.exits import Exit
from tests.unit.cli.desk import Desk
from tests.unit.failure_texts.wordings import SUBMODULE, Y

MISSING = SUBMODULE["under FETCH_HEAD"]
SEALED = "Code: 503. Errors:\n\n* Vault is sealed"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_text_from_a_pipe_is_explained(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, MISSING.encode())
    answer = desk.types("explain", "--output", "json")
    found = answer.document
    assert answer.code == Exit.CONVERGED
    assert (found["reason"], found["code"]) == ("submodule_ref_missing", "SubmoduleCommitMissing")
    assert (found["responder"], found["commit"]) == ("submodule_refs", Y)
    assert found["evidence"] in MISSING
    assert found["cause"].startswith("The parent repository pins a commit")
    assert found["page"] == "docs/errors/SubmoduleCommitMissing.md"
    assert "submodule_refs" in found["remedy"]


def test_a_text_from_a_file_is_explained(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "message.txt"
    file.write_text(MISSING, encoding="utf-8")
    answer = desk.types("explain", "--text-file", str(file), "--output", "json")
    assert (answer.code, answer.document["reason"]) == (Exit.CONVERGED, "submodule_ref_missing")


def test_a_fault_without_a_label_has_a_code(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, SEALED.encode())
    answer = desk.types("explain", "--output", "json")
    assert answer.code == Exit.CONVERGED
    assert (answer.document["reason"], answer.document["code"]) == ("unknown", "VaultSealed")
    assert answer.document["responder"] == "vault_seeding"


@pytest.mark.parametrize("data", [b"all is well", b"\xff\xfe\x00", b"fatal: remote error"])
def test_what_is_not_known_is_said_to_be_unknown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    pipe(monkeypatch, data)
    answer = desk.types("explain", "--output", "json")
    assert answer.code == Exit.COULD_NOT_TELL
    found = answer.document
    assert (found["reason"], found["evidence"]) == ("unknown", "")
    assert (found["code"], found["responder"], found["commit"], found["page"]) == (None,) * 4
    assert found["cause"]
    assert found["remedy"]


def test_bytes_that_are_no_text_hide_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, b"\xff\x80 " + SEALED.encode())
    assert desk.types("explain", "--output", "json").document["code"] == "VaultSealed"


def test_the_table_says_it_in_a_few_lines(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, SEALED.encode())
    lines = desk.types("explain").out.splitlines()
    assert lines[0] == "VaultSealed"
    assert "    said       Vault is sealed" in lines
    assert "    page       docs/errors/VaultSealed.md" in lines


def test_the_table_says_unknown_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, b"all is well")
    answer = desk.types("explain")
    assert (answer.code, answer.out.splitlines()[0]) == (Exit.COULD_NOT_TELL, "unknown")


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n"])
@pytest.mark.parametrize("flags", [(), ("--text-file", "-")])
def test_of_a_pipe_that_brings_nothing_just_that_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], data: bytes
) -> None:
    pipe(monkeypatch, data)
    answer = desk.types("explain", *flags)
    assert answer.code == Exit.COULD_NOT_TELL
    assert answer.out.splitlines()[:2] == ["unknown", "Not known: nothing came on standard input."]


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n"])
def test_so_it_is_of_a_file_that_is_empty(desk: Desk, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "message.txt"
    file.write_bytes(data)
    answer = desk.types("explain", "--text-file", str(file), "--output", "json")
    assert (answer.code, answer.document["reason"]) == (Exit.COULD_NOT_TELL, "unknown")
    assert answer.document["cause"] == f"Not known: {file} is empty."
    assert "failed" in answer.document["remedy"]


def test_a_file_without_a_name_is_wrong_use(desk: Desk) -> None:
    answer = desk.types("explain", "--text-file", "")
    assert (answer.code, answer.out) == (Exit.WRONG_USE, "")
    assert "--text-file names no file" in answer.err


def test_a_dash_is_standard_input(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe(monkeypatch, SEALED.encode())
    answer = desk.types("explain", "--text-file", "-", "--output", "json")
    assert answer.document["code"] == "VaultSealed"


def test_a_text_that_was_typed_is_told_where_it_belongs(desk: Desk) -> None:
    answer = desk.types("explain", "Vault", "is sealed")
    assert (answer.code, answer.out) == (Exit.WRONG_USE, "")
    (line,) = answer.err.splitlines()
    assert "standard input" in line
    assert "--text-file" in line


def test_a_terminal_is_told_how_to_give_the_text(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    answer = desk.types("explain")
    assert (answer.code, answer.out) == (Exit.WRONG_USE, "")
    assert "--text-file" in answer.err


def test_a_file_that_cannot_be_read_is_wrong_use(desk: Desk, tmp_path: Path) -> None:
    answer = desk.types("explain", "--text-file", str(tmp_path / "none"))
    assert answer.code == Exit.WRONG_USE
    assert "cannot be read: No such file" in answer.err


@pytest.mark.parametrize("flags", [(), ("--output", "json")])
def test_no_output_shows_a_credential(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    pipe(monkeypatch, b"Unable to resolve 'https://u:hunter2@g/r' to a commit SHA")
    answer = desk.types("explain", *flags)
    assert answer.code == Exit.CONVERGED
    assert "hunter2" not in answer.out + answer.err


def test_it_needs_no_setting(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.environment.clear()
    pipe(monkeypatch, SEALED.encode())
    assert desk.types("explain").code == Exit.CONVERGED
