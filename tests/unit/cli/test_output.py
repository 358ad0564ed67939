"""What is printed where: results apart from progress, plain when piped, no control codes of others."""

import io
import json
import re

import pytest

from cli.output import Format, Screen, Style, difference, printable, short_id, shortened

IDENTITY = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/vault"
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_results_and_progress_go_different_ways() -> None:
    screen = Screen(io.StringIO(), io.StringIO())
    screen.say("the result")
    screen.note("on the way")
    assert (screen.out.getvalue(), screen.err.getvalue()) == ("the result\n", "on the way\n")  # type: ignore[attr-defined]


def test_a_pipe_gets_plain_lines_whatever_their_style() -> None:
    out = io.StringIO()
    Screen(out, io.StringIO()).say("[red]a name[/red]", Style.BAD)
    assert out.getvalue() == "[red]a name[/red]\n"


def test_a_pipe_never_imports_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rich", None)
    screen = Screen(io.StringIO(), io.StringIO())
    screen.say("text", Style.GOOD)
    screen.table(["a"], [["b"]])
    with screen.waiting("a while") as show:
        show("longer")


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_gets_colour_unless_it_is_unwanted(colour: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    out = Terminal()
    Screen(out, Terminal(), colour=colour).say("text", Style.GOOD)
    assert ("\x1b[32m" in out.getvalue()) == colour
    assert "text" in out.getvalue()


def test_a_terminal_shows_markup_of_others_as_text() -> None:
    out = Terminal()
    Screen(out, Terminal(), colour=False).say("[red]a name[/red]")
    assert "[red]a name[/red]" in out.getvalue()


def test_a_long_line_is_not_cut_on_a_terminal() -> None:
    out = Terminal()
    Screen(out, Terminal(), colour=False).say("x" * 500)
    assert "x" * 500 in out.getvalue()


def test_control_characters_of_others_are_not_obeyed() -> None:
    out = io.StringIO()
    Screen(out, io.StringIO()).say("a\x1b[2Jb\rc\nd")
    assert out.getvalue() == "a\ufffd[2Jb\ufffdc\ufffdd\n"
    assert printable("Größe → 2 m") == "Größe → 2 m"


def test_a_document_is_json_with_its_letters_as_they_are() -> None:
    out = io.StringIO()
    Screen(out, io.StringIO(), Format.JSON).document({"a": "→\x1b"})
    assert json.loads(out.getvalue()) == {"a": "→\x1b"}
    assert "\x1b" not in out.getvalue()


def test_columns_line_up() -> None:
    out = io.StringIO()
    Screen(out, io.StringIO()).table(["name", "is"], [["a", "1"], ["longer", "2"]])
    assert out.getvalue() == "name    is\na       1\nlonger  2\n"


COLUMNS = ("what", "name", "before", "now")
ROWS = (("credential", "vault", "refused", "accepted"), ("store", "main", "", "Ready"))
NARROW = {
    "wide enough": (
        36,
        [
            "what        name   before   now",
            "credential  vault  refused  accepted",
            "store       main            Ready",
        ],
    ),
    "one column too narrow": (
        35,
        [
            "what        name   before",
            "    now",
            "credential  vault  refused",
            "    accepted",
            "store       main",
            "    Ready",
        ],
    ),
    "narrower than a cell": (
        5,
        [
            "what",
            "    name  before  now",
            "credential",
            "    vault  refused  accepted",
            "store",
            "    main  Ready",
        ],
    ),
}


@pytest.mark.parametrize(("wide", "lines"), NARROW.values(), ids=NARROW)
def test_columns_that_a_terminal_has_no_room_for_stand_on_a_second_line(
    wide: int, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(wide))
    monkeypatch.setenv("TERM", "xterm")
    out = Terminal()
    Screen(out, Terminal(), colour=False).table(COLUMNS, ROWS)
    assert re.sub(r"\x1b\[\d*m", "", out.getvalue()).splitlines() == lines


def test_a_pipe_has_room_for_every_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "5")
    out = io.StringIO()
    Screen(out, io.StringIO()).table(COLUMNS, ROWS)
    assert len(out.getvalue().splitlines()) == 1 + len(ROWS)


def test_a_text_is_shortened_to_what_was_allowed() -> None:
    assert [shortened("a name", 6), shortened("a longer name", 8)] == ["a name", "a longe…"]


@pytest.mark.parametrize(
    ("text", "short"),
    [
        (IDENTITY, "vault"),
        (f"{IDENTITY}/federatedIdentityCredentials/dev", "vault/dev"),
        ("dev/federated_credentials", "dev/federated_credentials"),
        ("/providers/", "/providers/"),
        ("", ""),
    ],
)
def test_an_arm_id_is_told_by_its_names(text: str, short: str) -> None:
    assert short_id(text) == short


def test_only_what_changes_is_told() -> None:
    assert difference({"issuer": "a", "name": "n"}, {"issuer": "b", "name": "n"}) == ["issuer: a → b"]
    assert difference(None, {"name": "n"}) == ["name: n (new)"]
