"""A drill as one page of HTML, which needs nothing from anywhere. The same story makes the same page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli import verdicts
from cli.markup import Html, join, tag
from cli.output import short_id
from cli.report_drawing import drawing
from cli.verdicts import CAUSED_BY, Change, Row, length
from cli.watch import WELL

STYLE: Final = Path(__file__).with_suffix(".css")
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""Even if something of elsewhere were in the page, no browser would fetch it."""
LASTS: Final = 1.06
"""How much longer than until the last news the drawings' time is: what came last is to be seen."""
KEYS: Final = ("converged", "repaired", "pending", "blocked", "human", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, and none of the app's changes."""

    at: float
    """Seconds after the app was told; negative before."""
    who: str
    what: str
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What a page tells of."""

    closing: str
    """The verdict in one line."""
    good: bool
    facts: Mapping[str, str]
    """Such as when it was and which version."""
    rows: tuple[Row, ...]
    events: tuple[Event, ...]
    claim_columns: tuple[str, ...]
    claims: tuple[tuple[str, ...], ...]


def page(drill: Drill) -> str:
    """As HTML and as XML."""
    body = tag(
        "body",
        tag("h1", "Reconverge drill"),
        tag("p", drill.closing, class_="verdict good" if drill.good else "verdict"),
        tag(
            "dl", *(part for name, text in drill.facts.items() for part in (tag("dt", name), tag("dd", text)))
        ),
        tag(
            "main",
            _section(
                "What became of each target", _VERDICTS, _table(_verdict_head(), _verdict_rows(drill.rows))
            ),
            _section("What waited for what", _CHAIN, _keys(), *_drawings(drill.rows)),
            _section("What happened", _TIMELINE, _table(_TIMELINE_HEAD, _timeline(drill))),
            _section(
                "What was tried from outside", _CLAIMS, _table(_heads(drill.claim_columns), _claims(drill))
            ),
        ),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("title", f"Reconverge drill: {drill.closing.partition(':')[0].lower()}"),
        tag("style", Html(f"\n{STYLE.read_text(encoding='utf-8')}")),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


_VERDICTS: Final = (
    "Before, after the damage and now are what was tried from outside. The rest is the app's own account, in"
    " seconds from when it was told."
)
_CHAIN: Final = (
    "Each box is a target, its strip what it came to over time. Arrows lead from a target to those that"
    " waited for it; above each stand the faults that were named."
)
_TIMELINE: Final = (
    "Seconds before and after the app was told, and the channel by which a change reached the platform."
)
_CLAIMS: Final = "Without a client or an answer of the app. Who changed a thing is told by its journal."
_TIMELINE_HEAD: Final = ("time", "who", "what", "through", "mends", "result")


def _section(title: str, about: str, *parts: Html) -> Html:
    return tag("section", tag("h2", title), tag("p", about), *parts)


def _table(columns: Sequence[str], rows: Iterable[Sequence[Html]]) -> Html:
    heads = (tag("th", name, scope="col") for name in columns)
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", *heads)),
            tag("tbody", *(tag("tr", *cells) for cells in rows)),
        ),
        class_="wide",
    )


def _heads(columns: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.replace("_", " ") for name in columns)


def _verdict_head() -> tuple[str, ...]:
    return ("target", *verdicts.COLUMNS[2:])


def _verdict_rows(rows: Iterable[Row]) -> Iterator[tuple[Html, ...]]:
    for row in rows:
        yield (
            tag("th", row.target, scope="row"),
            tag("td", row.before),
            tag("td", row.damaged),
            tag("td", row.now),
            tag("td", _word(row.ending)),
            tag("td", length(row.seconds), class_="number"),
            tag("td", _chain(row.chain)),
            tag("td", *(tag("div", told) for told in row.changed), class_="changes"),
        )


def _chain(responders: Iterable[str]) -> Html:
    """Broken between its links only."""
    links = [part for name in responders for part in (" ", _whole(f"{CAUSED_BY}{name}"))]
    return join(*links[1:])


def _whole(text: str) -> Html:
    return tag("span", text, class_="whole")


def _word(outcome: str) -> Html:
    return tag("span", outcome, class_=f"word {outcome}") if outcome else join()


def _keys() -> Html:
    words = (tag("span", word, class_=f"key {word}") for word in KEYS)
    return tag("p", *words, tag("span", "not looked at yet", class_="key nothing"))


def _drawings(rows: Sequence[Row]) -> Iterator[Html]:
    until = LASTS * max((state.at for row in rows for state in row.states), default=0.0)
    for environment in dict.fromkeys(row.environment for row in rows):
        of_it = [row for row in rows if row.environment == environment]
        yield tag("h3", environment)
        yield tag("div", drawing(environment, of_it, until), class_="wide")


def _timeline(drill: Drill) -> Iterator[tuple[Html, ...]]:
    told = [
        *((event.at, _event(event)) for event in drill.events),
        *((change.at, _change(change)) for row in drill.rows for change in row.changes),
        *((row.seconds, _good(row)) for row in drill.rows if row.seconds is not None),
    ]
    for at, cells in sorted(told, key=lambda entry: entry[0]):
        yield (tag("td", f"{at:+.1f} s", class_="number"), *cells)


def _event(event: Event) -> tuple[Html, ...]:
    return _cells(event.who, event.what, _whole(event.channel))


def _change(change: Change) -> tuple[Html, ...]:
    what = f"{change.action} {short_id(change.object)}"
    return _cells(change.target, what, _whole(change.channel), _whole(change.mends), change.result)


def _good(row: Row) -> tuple[Html, ...]:
    word = next((state.word for state in row.states if state.at == row.seconds and state.word in WELL), "")
    return _cells(row.target, _word(word))


def _cells(who: str, *texts: str) -> tuple[Html, ...]:
    filled = (*texts, *[""] * (len(_TIMELINE_HEAD) - 2 - len(texts)))
    return (tag("td", _whole(who)), *(tag("td", text) for text in filled))


def _claims(drill: Drill) -> Iterator[tuple[Html, ...]]:
    return (tuple(tag("td", text) for text in row) for row in drill.claims)
