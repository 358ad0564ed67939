"""What can be typed, and what happens when something ends a command early."""

import errno
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from cli import main
from cli.exits import Exit, worst
from cli.output import Format
from shared.errors import Misconfigured, PermanentError, TemporaryError
from tests.unit.cli.desk import Desk


@pytest.mark.parametrize("command", main.COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.parse([command, "--help"])
    assert ended.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "--output" in said
    assert "0 converged, 1 differences found, 2 wrong use or configuration, 3 could not tell" in said


DEFAULTS = {"journal": "how far to look back; without it, 12h", "run": "are due; without it, 5m"}


@pytest.mark.parametrize(("command", "says"), DEFAULTS.items(), ids=DEFAULTS)
def test_help_tells_how_long_without_being_told(
    command: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main.parse([command, "--help"])
    assert says in " ".join(capsys.readouterr().out.split())


def test_a_journal_of_a_year_may_be_asked_for() -> None:
    assert main.parse(["journal", "--since", "366d"]).since == timedelta(days=366)


NOT_UNDERSTOOD = {
    "no command": ((), "command"),
    "an unknown command": (("explode",), "run, check, journal, explain, replay, doctor, sandbox, drill"),
    "an unknown flag": (("run", "--force"), "--force"),
    "a flag before the command": (("--force", "run"), "--force"),
    "an unknown output": (("run", "--output", "xml"), "table, json"),
    "a wait without a unit": (("run", "--wait", "5"), "write it like 90s, 5m, 12h or 7d"),
    "a wait that is no length": (("run", "--wait", "soon"), "write it like 90s, 5m, 12h or 7d"),
    "a part of a plan's digest": (("run", "--approve", "abc"), "64 digits"),
    "a since that nobody counts": (("journal", "--since", "9999999d"), "length of time up to 366d"),
    "a since beyond the calendar": (("journal", "--since", "999999d"), "length of time up to 366d"),
    "a since that is too long": (("journal", "--since", "367d"), "length of time up to 366d"),
    "a since that is no length": (("journal", "--since", "yesterday"), "write it like 90s, 5m, 12h or 7d"),
    "an unknown channel": (("drill", "--channel", "mail"), "workflow, pull-request"),
    "a digest that is none": (("replay", "../etc"), "6 to 32 digits"),
}


@pytest.mark.parametrize(("typed", "says"), NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_what_cannot_be_understood_is_wrong_use(
    typed: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.parse(typed)
    assert ended.value.code == Exit.WRONG_USE
    assert says in capsys.readouterr().err.replace("'", "")


@pytest.mark.parametrize("command", main.COMMANDS)
def test_an_unknown_flag_is_answered_with_the_usage_of_its_command(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = {"sandbox": ["up"], "check": ["submodules"]}.get(command, [])
    with pytest.raises(SystemExit):
        main.parse([command, *needed, "--unknown"])
    assert capsys.readouterr().err.startswith(f"usage: reconverge {command} ")


EARLY_ENDS: dict[str, tuple[BaseException, Exit]] = {
    "a wrong setting is wrong use": (Misconfigured("write it so"), Exit.WRONG_USE),
    "a service that is away tells nothing": (
        TemporaryError("write it so", delay=timedelta(0)),
        Exit.COULD_NOT_TELL,
    ),
    "a service that refuses tells nothing": (PermanentError("write it so"), Exit.COULD_NOT_TELL),
    "an interrupted command tells nothing": (KeyboardInterrupt(), Exit.COULD_NOT_TELL),
}


@pytest.mark.parametrize(("raised", "code"), EARLY_ENDS.values(), ids=EARLY_ENDS)
def test_an_early_end_is_an_exit_code(
    desk: Desk, raised: BaseException, code: Exit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(_: object) -> None:
        raise raised

    monkeypatch.setattr(desk, "world", end)
    answer = desk.types("run")
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.startswith("reconverge: ")


def test_the_worst_of_several_exits_counts() -> None:
    by_gravity = [Exit.CONVERGED, Exit.DIFFERENCES, Exit.COULD_NOT_TELL, Exit.WRONG_USE]
    for number, code in enumerate(by_gravity):
        assert worst(by_gravity[: number + 1]) is code
    assert worst([]) is Exit.CONVERGED


def test_commands_that_are_shown_begin_with_what_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONVERGE_PROGRAM", "../my checkout/bin/reconverge")
    shown = main.real(Format.TABLE).command("sandbox", "up")
    assert shown == "'../my checkout/bin/reconverge' sandbox up"


FULL = Path("/dev/full")


@pytest.mark.skipif(
    not FULL.exists(), reason="this system has no file that is always full, such as Linux's /dev/full"
)
@pytest.mark.parametrize("output", ["table", "json"])
def test_a_result_that_cannot_be_written_is_told_in_a_line(output: str) -> None:
    with FULL.open("w") as full:
        ended = subprocess.run(  # noqa: S603 (our own command)
            [sys.executable, "-m", "cli", "explain", "--output", output],
            cwd=Path(main.__file__).parents[1],
            input="AADSTS700211",
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == Exit.COULD_NOT_TELL
    assert ended.stderr == "reconverge: the result could not be written: No space left on device\n"


def test_a_file_that_cannot_be_used_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "lock")

    monkeypatch.setattr(desk, "world", end)
    answer = desk.types("run")
    assert (answer.code, answer.out) == (Exit.COULD_NOT_TELL, "")
    assert answer.err == "reconverge: lock: Permission denied\n"


def test_an_unforeseen_error_of_a_library_stays_a_traceback(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(_: object) -> None:
        raise requests.ConnectionError("a defect of ours")

    monkeypatch.setattr(desk, "world", end)
    with pytest.raises(requests.ConnectionError):
        desk.types("run")
