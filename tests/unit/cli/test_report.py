"""The page that tells of a drill."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from cli.report import Drill, Event, page
from cli.verdicts import Row, rows
from tests.unit.cli.told import BROKEN, WELL, Stated, outcome, step, told

FACTS, SEEDING, GITLAB = "dev/runtime_facts", "dev/vault_seeding", "dev/gitlab_migrations"
VALUES = "https://github.com/ameideio/ameide-gitops/blob/main/sources/values/platform-gitlab.yaml"
HOSTILE = "\"'><script>alert('1')</script>&copy;\x1b[31m"


def of_a_story() -> tuple[Row, ...]:
    app = told(
        outcome(FACTS, 1, "pending", reason="WorkflowRunning"),
        outcome(FACTS, 8, "repaired"),
        outcome(SEEDING, 1, "blocked", (FACTS, "FactDiffers"), reason="BootstrapLacksSecret"),
        outcome(SEEDING, 12, "converged"),
        outcome(GITLAB, 1, "blocked", (FACTS, "FactDiffers"), (SEEDING, "SeedMissing")),
        outcome(GITLAB, 10, "blocked", (SEEDING, "StoreNotReady")),
        outcome(GITLAB, 20, "repaired"),
        outcome("prod/gitlab_migrations", 9, "converged"),
        changes=[
            *step(FACTS, 2, "facts.update", "https://github.com/a/facts/blob/main/dev.yaml", "workflow"),
            *step(GITLAB, 14, "gitlab.map-ci", VALUES, "pull-request"),
        ],
    )
    asked = tuple(Stated(*target.split("/")) for target in (FACTS, SEEDING, GITLAB))
    return rows(
        asked, dict.fromkeys(asked, WELL), dict.fromkeys(asked, BROKEN), dict.fromkeys(asked, WELL), app
    )


def drill(**changes: Any) -> Drill:
    story = Drill(
        closing="CONVERGED: 3 of 3 declared things hold",
        good=True,
        facts={"took": "47 s"},
        rows=of_a_story(),
        events=(
            Event(at=-5, who="the drill", what="the cluster was rebuilt"),
            Event(at=16, who="a reviewer", what="merged ameide-gitops#1", channel="pull-request"),
        ),
        claim_columns=("what", "after_rebuild"),
        claims=(("page", "500"),),
    )
    return replace(story, **changes)


def read(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 (our own)


def table(text: str, title: str) -> list[list[str]]:
    """The cells of the table beneath that heading."""
    (section,) = (one for one in read(text).iter("section") if one.findtext("h2") == title)
    return [["".join(cell.itertext()) for cell in line] for line in section.iter("tr")]


def test_each_target_is_a_row_of_the_verdict() -> None:
    head, *body = table(page(drill()), "What became of each target")
    assert head == [
        "target",
        "before",
        "after the damage",
        "now",
        "outcome",
        "converged after",
        "waited for",
        "changed",
    ]
    assert body == [
        [
            FACTS,
            "all is well",
            "500",
            "all is well",
            "repaired",
            "8 s",
            "",
            "facts.update dev.yaml (workflow)",
        ],
        [SEEDING, "all is well", "500", "all is well", "converged", "12 s", "← runtime_facts", ""],
        [
            GITLAB,
            "all is well",
            "500",
            "all is well",
            "repaired",
            "20 s",
            "← vault_seeding ← runtime_facts",
            "gitlab.map-ci platform-gitlab.yaml (pull-request)",
        ],
        ["prod/gitlab_migrations", "", "", "", "converged", "9 s", "", ""],
    ]


def test_what_happened_is_told_in_the_order_of_time_with_its_channel() -> None:
    _, *body = table(page(drill()), "What happened")
    assert [(line[0], line[1], line[3]) for line in body] == [
        ("-5.0 s", "the drill", ""),
        ("+2.0 s", FACTS, "workflow"),
        ("+8.0 s", FACTS, ""),
        ("+9.0 s", "prod/gitlab_migrations", ""),
        ("+12.0 s", SEEDING, ""),
        ("+14.0 s", GITLAB, "pull-request"),
        ("+16.0 s", "a reviewer", "pull-request"),
        ("+20.0 s", GITLAB, ""),
    ]
    assert [VALUES in line[2] for line in body].count(True) == 1


def test_what_was_tried_from_outside_is_told() -> None:
    assert table(page(drill()), "What was tried from outside") == [["what", "after rebuild"], ["page", "500"]]


def test_each_environment_is_drawn_with_its_targets_and_described_in_words() -> None:
    dev, prod = read(page(drill())).iter("svg")
    assert [one.text for one in dev.iter("text") if one.get("class") == "name"] == [
        "runtime_facts",
        "vault_seeding",
        "gitlab_migrations",
    ]
    assert dev.findtext("title") == "What waited for what in dev"
    assert dev.findtext("desc") == (
        "vault_seeding waited for runtime_facts (FactDiffers);"
        " gitlab_migrations waited for runtime_facts (FactDiffers);"
        " gitlab_migrations waited for vault_seeding (SeedMissing, StoreNotReady)."
    )
    assert prod.findtext("desc") == "Nothing waited for anything."
    named = (dev.get("aria-labelledby") or "").split()
    assert named == [one.get("id") for one in dev if one.get("id")]


def test_each_arrow_says_why_and_each_state_how_long() -> None:
    dev, _ = read(page(drill())).iter("svg")
    arrows = [one.findtext("title") for one in dev.iter("g") if one.find("circle") is not None]
    assert sorted(map(str, arrows)) == [
        "gitlab_migrations waited for runtime_facts: FactDiffers",
        "gitlab_migrations waited for vault_seeding: SeedMissing, StoreNotReady",
        "vault_seeding waited for runtime_facts: FactDiffers",
    ]
    words = [one.findtext("text") for one in dev.iter("g") if one.find("circle") is not None]
    assert sorted(map(str, words)) == [
        "FactDiffers · runtime_facts",
        "FactDiffers · runtime_facts",
        "SeedMissing +1 · vault_seeding",
    ]
    states = [one.findtext("title") for one in dev.iter("rect") if "state" in (one.get("class") or "")]
    assert "blocked BootstrapLacksSecret, 1 to 12 s" in states


def test_nothing_of_the_drawing_lies_outside_of_it() -> None:
    for drawn in read(page(drill())).iter("svg"):
        _, _, width, height = map(float, drawn.get("viewBox", "").split())
        for one in drawn.iter():
            assert float(one.get("x", one.get("cx", 0))) + float(one.get("width", one.get("r", 0))) <= width
            assert float(one.get("y", 0)) + float(one.get("height", 0)) <= height


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Elements()
    parser.feed(text)
    parser.close()
    return parser.found


def test_a_browser_fetches_nothing_and_runs_nothing() -> None:
    text = page(drill())
    found = elements(text)
    assert {name for name, _ in found}.isdisjoint({"script", "link", "img", "iframe", "object", "a", "base"})
    names = {name for _, attributes in found for name in attributes}
    assert names.isdisjoint({"src", "href", "style"})
    assert not [name for name in names if name.startswith("on")]
    style = "".join(one.text or "" for one in read(text).iter("style"))
    assert not re.search(r"url\(|@import|http", style)
    policy = [one["content"] for _, one in found if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def hostile(row: Row) -> Row:
    (state, *_), (cause, *_) = row.states, row.causes
    bad_cause = replace(cause, reason=HOSTILE)
    return replace(
        row,
        responder=HOSTILE,
        before=HOSTILE,
        outcome=HOSTILE,
        states=(replace(state, word=HOSTILE, reason=HOSTILE, causes=(bad_cause,)),),
        changes=tuple(replace(one, action=HOSTILE, object=HOSTILE, channel=HOSTILE) for one in row.changes),
    )


def test_hostile_texts_are_shown_and_do_nothing() -> None:
    first, *others = of_a_story()
    text = page(
        drill(
            closing=HOSTILE,
            facts={HOSTILE: HOSTILE},
            rows=(first, *map(hostile, others[:2])),
            events=(Event(at=1, who=HOSTILE, what=HOSTILE, channel=HOSTILE),),
            claim_columns=(HOSTILE,),
            claims=((HOSTILE,),),
        )
    )
    assert "script" not in {name for name, _ in elements(text)}
    assert "\x1b" not in text
    assert "alert('1')" in "".join(read(text).itertext())


def test_tables_tell_what_their_heads_are_for() -> None:
    heads = [one.get("scope") for one in read(page(drill())).iter("th")]
    assert set(heads) == {"col", "row"}


def test_the_same_story_makes_the_same_page() -> None:
    assert page(drill()) == page(drill())


ENDINGS = {"a good end": (True, "verdict good"), "another": (False, "verdict")}


@pytest.mark.parametrize(("good", "look"), ENDINGS.values(), ids=ENDINGS)
def test_the_verdict_stands_at_the_top(good: bool, look: str) -> None:
    first = next(read(page(drill(good=good))).iter("p"))
    assert (first.text, first.get("class")) == (drill().closing, look)


def test_a_story_without_a_word_of_the_app_is_told_as_well() -> None:
    silent = tuple(replace(row, outcome="", states=(), changes=()) for row in of_a_story())
    text = page(drill(rows=silent, events=()))
    assert [one.findtext("desc") for one in read(text).iter("svg")] == ["Nothing waited for anything."] * 2
    assert page(drill(rows=()))
