"""Whatever the text: an answer, never an accident; a line that exists; never a value."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from shared.errors import Misconfigured
from shared.landscape import Landscape, parse
from tests.unit.landscape.texts import NAME, ROOT, VALID

SAMPLE: Final = (ROOT / "landscape.sample.yaml").read_text()
DATA: Final[dict[str, Any]] = YAML(typ="safe", pure=True).load(VALID)
SECRET: Final = "hunter2Zq.TopSecret"


def refusal(text: str) -> str:
    """What is said against the text; nothing if it is accepted. Fails on any other ending."""
    try:
        assert isinstance(parse(text, NAME), Landscape)
    except Misconfigured as error:
        return str(error)
    return ""


def assert_told_well(text: str) -> None:
    last = max(1, len(re.split(r"\r\n|\r|\n", text.removesuffix("\n"))))
    for line in refusal(text).splitlines():
        found = re.fullmatch(rf"{NAME}:(\d+): \S.*", line)
        assert found, line
        assert 1 <= int(found[1]) <= last, line


# No deadline: the machine may be busy, and pytest's own limit bounds the whole.
bounded = settings(max_examples=150, deadline=None)


@bounded
@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    assert_told_well(text)


WORDS: Final = """- |: |{|}|[|]|*a|&a |!t |<<|? |> |'|"|#|%|@|null|true|1|version|tenant|environments|\\U"""
YAML_WORDS: Final = st.sampled_from(
    [*WORDS.split("|"), "|\n ", "\n", "\n  ", "---\n", "...\n", "\t", "\r", "\x85", "\ufeff"]
)


@bounded
@given(st.lists(YAML_WORDS, max_size=40).map("".join))
def test_any_heap_of_yaml_words_is_answered(text: str) -> None:
    assert_told_well(text)


@st.composite
def mutilated(draw: st.DrawFn, text: str) -> str:
    """The text with a few lines dropped, doubled, swapped or indented, or pieces of it overwritten."""
    for _ in range(draw(st.integers(1, 3))):
        lines = text.splitlines()
        at = draw(st.integers(0, len(lines) - 1))
        other = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("drop", "double", "swap", "indent", "overwrite"))):
            case "drop":
                del lines[at]
            case "double":
                lines.insert(other, lines[at])
            case "swap":
                lines[at], lines[other] = lines[other], lines[at]
            case "indent":
                lines[at] = " " * draw(st.integers(0, 12)) + lines[at].lstrip()
            case "overwrite":
                column = draw(st.integers(0, len(lines[at])))
                piece = draw(YAML_WORDS | st.text(max_size=5))
                lines[at] = lines[at][:column] + piece + lines[at][column + len(piece) :]
        text = "\n".join(lines) or "\n"
    return text


@bounded
@given(mutilated(VALID))
def test_any_spoiled_landscape_is_answered(text: str) -> None:
    assert_told_well(text)


@settings(max_examples=40, deadline=None)
@given(mutilated(SAMPLE))
def test_any_spoiled_sample_is_answered(text: str) -> None:
    assert_told_well(text)


def places(data: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in entries:
        yield from places(value, (*path, key))


def replaced(data: Any, path: tuple[str | int, ...], value: object) -> Any:
    match path:
        case ():
            return value
        case (head, *rest):
            copy = data.copy()
            copy[head] = replaced(data[head], tuple(rest), value)
            return copy


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)


@bounded
@given(st.sampled_from(list(places(DATA))), JUNK)
def test_anything_in_any_place_is_answered(path: tuple[str | int, ...], junk: object) -> None:
    # JSON is YAML, and what is printed with indentation has lines.
    assert_told_well(json.dumps(replaced(DATA, path, junk), indent=1))


@pytest.mark.parametrize(
    "path", list(places(DATA)), ids=lambda path: "/".join(map(str, path)) or "everything"
)
def test_a_secret_in_the_wrong_place_is_not_repeated(path: tuple[str | int, ...]) -> None:
    assert SECRET not in refusal(json.dumps(replaced(DATA, path, SECRET), indent=1))


WRONG: Final[tuple[object, ...]] = (None, True, -7, 1.5, "", " ", "?", [], {}, [None], {"zzz": 1})


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_every_kind_of_mistake_has_words_of_its_own(wrong: object) -> None:
    for path in places(DATA):
        said = refusal(json.dumps(replaced(DATA, path, wrong), indent=1))
        assert "something else;" not in said
        assert "write something else" not in said
