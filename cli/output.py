"""Where a command writes: results to one stream, progress and complaints to the other.

On a terminal with rich (imported only then); piped as plain lines; with --output json as one document.
Whatever came from elsewhere is printed without its control characters: a terminal obeys them.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from rich.console import Console

ARROW: Final = "→"
GAP: Final = "  "
"""Between two columns."""


class OutputError(Exception):
    """What a command had to say could not be written; the text says why."""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    GITHUB = "github"
    """Workflow commands, which GitHub Actions shows beside the change."""
    SARIF = "sarif"
    """For code scanning."""


class Style(StrEnum):
    """rich's words for it."""

    GOOD = "green"
    BAD = "bold red"
    OPEN = "yellow"
    HEAD = "bold"
    FAINT = "dim"
    NONE = ""


@dataclass(frozen=True)
class Screen:
    out: TextIO
    err: TextIO
    format: Format = Format.TABLE
    colour: bool = True

    @property
    def as_json(self) -> bool:
        return self.format is Format.JSON

    def say(self, text: str = "", style: Style = Style.NONE) -> None:
        """A line of the result."""
        self._line(self.out, text, style)

    def note(self, text: str, style: Style = Style.NONE) -> None:
        """A line about what is going on."""
        self._line(self.err, text, style)

    def document(self, value: Mapping[str, Any]) -> None:
        _write(self.out, json.dumps(value, indent=2, ensure_ascii=False))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns of equal width, headed; cells are cut nowhere.

        Columns for which a terminal is too narrow stand on a second line of each row, one after the other.
        """
        cells = [[printable(cell) for cell in row] for row in (columns, *rows)]
        widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
        fit = _fitting(widths, self._out.width) if self.out.isatty() else len(widths)
        for number, row in enumerate(cells):
            style = Style.HEAD if number == 0 else Style.NONE
            line = GAP.join(cell.ljust(width) for cell, width in zip(row[:fit], widths[:fit], strict=True))
            self.say(line.rstrip(), style)
            if any(row[fit:]):
                self.say(GAP * 2 + GAP.join(cell for cell in row[fit:] if cell), style)

    @contextmanager
    def waiting(self, text: str, *, stays: bool = False) -> Iterator[Callable[[str], None]]:
        """Shows what is waited for: a spinner on a terminal, a line elsewhere, and on both if it stays.

        What it gives changes the spinner's text. Lines may be noted meanwhile.
        """
        spins = self.err.isatty()
        if stays or not spins:
            self.note(text, Style.HEAD if stays else Style.NONE)
        if not spins:
            yield lambda _: None
            return
        from rich.text import Text  # noqa: PLC0415 (a pipe never needs rich)

        with self._err.status(Text("" if stays else printable(text))) as status:
            yield lambda now: status.update(Text(printable(now)))

    def _line(self, stream: TextIO, text: str, style: Style) -> None:
        text = printable(text)
        if not stream.isatty():
            _write(stream, text)
            return
        from rich.text import Text  # noqa: PLC0415 (a pipe never needs rich)

        console = self._out if stream is self.out else self._err
        console.print(Text(text, style=style.value), soft_wrap=True)

    @cached_property
    def _out(self) -> "Console":
        return self._console(self.out)

    @cached_property
    def _err(self) -> "Console":
        return self._console(self.err)

    def _console(self, stream: TextIO) -> "Console":
        from rich.console import Console  # noqa: PLC0415 (a pipe never needs rich)

        return Console(file=stream, no_color=not self.colour, highlight=False)


def _write(stream: TextIO, text: str) -> None:
    """At once: what Python only flushes at its end can fail without anybody hearing of it.

    Raises OutputError, and BrokenPipeError when whoever reads has gone.
    """
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"the result could not be written: {error.strerror}") from error


def _fitting(widths: Sequence[int], room: int) -> int:
    """How many of the columns, the first in any case, stand side by side in so many characters."""
    ends = accumulate(widths, lambda end, width: end + len(GAP) + width)
    return max(1, sum(end <= room for end in ends))


def printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def shortened(text: str, longest: int) -> str:
    """No longer than that; where something was left out, it ends in an ellipsis."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def short_id(text: str) -> str:
    """The names in an ARM id, outermost first: `<identity>/<credential>`. Anything else as it is."""
    _, found, tail = text.rpartition("/providers/")
    parts = tail.split("/")
    return "/".join(parts[2::2]) if found and len(parts) > 2 else text


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def difference(before: Mapping[str, str] | None, after: Mapping[str, str]) -> list[str]:
    """One line for each value that a step changes."""
    if before is None:
        return [f"{name}: {value} (new)" for name, value in after.items()]
    return [
        f"{name}: {before.get(name, '(none)')} {ARROW} {value}"
        for name, value in after.items()
        if before.get(name) != value
    ]
