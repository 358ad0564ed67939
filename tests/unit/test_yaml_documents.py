"""A field is found where its keys lead, and an edit touches its line and no other."""

import difflib
import io
import warnings
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from shared.yaml_documents import (
    Document,
    Field,
    Missing,
    NoScalar,
    NotYamlError,
    NoWay,
    Scalar,
)

VAULT = "https://new.vault.azure.net/"


def data(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


# -- looking ----------------------------------------------------------------------------------------

SEEN: dict[str, tuple[str, Field]] = {
    "a plain text": ("azure:\n  uri: https://kv/\n", Scalar("https://kv/", is_text=True)),
    "a text in double quotes": ('azure:\n  uri: "https://kv/"\n', Scalar("https://kv/", is_text=True)),
    "a text in single quotes": ("azure: {uri: 'it''s'}\n", Scalar("it's", is_text=True)),
    "an empty text": ('azure:\n  uri: ""\n', Scalar("", is_text=True)),
    "nothing": ("azure:\n  uri:\n", Scalar("", is_text=True)),
    "null": ("azure:\n  uri: ~\n", Scalar("", is_text=True)),
    "a number": ("azure:\n  uri: 12\n", Scalar("12", is_text=False)),
    "a number in quotes": ("azure:\n  uri: '12'\n", Scalar("12", is_text=True)),
    "a boolean": ("azure:\n  uri: true\n", Scalar("true", is_text=False)),
    "a field that is not there": ("azure:\n  other: 1\n", Missing()),
    "a field of an empty mapping": ("azure: {}\n", Missing()),
    "a list": ("azure:\n  uri: [1]\n", NoScalar("a list")),
    "a mapping": ("azure:\n  uri:\n    host: kv\n", NoScalar("a mapping")),
    "a text of several lines": ("azure:\n  uri: |\n    https://kv/\n", NoScalar("a text of several lines")),
    "an anchor": ("azure:\n  uri: &a x\n", NoScalar("an anchor, an alias or a tag")),
    "an alias": ("other: &a x\nazure:\n  uri: *a\n", NoScalar("an anchor, an alias or a tag")),
    "a tag": ("azure:\n  uri: !!str x\n", NoScalar("an anchor, an alias or a tag")),
    "a parent that is missing": ("other: 1\n", NoWay("the document has no azure")),
    "a parent without value": ("azure:\n", NoWay("azure is no mapping")),
    "a parent that is a list": ("azure:\n- uri\n", NoWay("azure is no mapping")),
    "a parent that is an alias": (
        "a: &a\n  uri: x\nazure: *a\n",
        NoWay("azure has an anchor or a tag"),
    ),
    "a parent that is merged from another": (
        "a: &a\n  uri: x\nazure:\n  <<: *a\n",
        NoWay("azure is merged from another mapping"),
    ),
    "a field that stands twice": ("azure:\n  uri: x\n  uri: y\n", NoWay("azure has uri twice")),
    "an empty file": ("", NoWay("the document is no mapping")),
    "a file of comments": ("# nothing yet\n", NoWay("the document is no mapping")),
}


@pytest.mark.parametrize(("text", "seen"), SEEN.values(), ids=SEEN)
def test_sees(text: str, seen: Field) -> None:
    assert Document(text).field("azure.uri") == seen


NOT_YAML = {
    "an open bracket": "azure: [\n",
    "a tab": "azure:\n\turi: x\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "a character that YAML forbids": "a: \x00\n",
    "nesting without end": "[" * 5000,
    "an older version than any parser knows": "%YAML 1.0\n---\na: 1\n",
    "a version that is not made yet": "%YAML 1.3\n---\na: 1\n",
    "a version of two digits": "%YAML 1.10\n---\na: 1\n",
}


@pytest.mark.parametrize("text", NOT_YAML.values(), ids=NOT_YAML)
def test_what_is_not_one_yaml_document_is_refused(text: str) -> None:
    with pytest.raises(NotYamlError, match="not one YAML document"):
        Document(text)


# -- editing ----------------------------------------------------------------------------------------

EDITS = {
    "a plain value": ("azure:\n  uri: old  # kept\n", f"azure:\n  uri: {VAULT}  # kept\n"),
    "a value in double quotes": ('azure:\n  uri:   "old"\n', f'azure:\n  uri:   "{VAULT}"\n'),
    "a value in single quotes": ("azure: {uri: 'old', b: 1}\n", f"azure: {{uri: '{VAULT}', b: 1}}\n"),
    "a plain value between braces gets quotes": ("azure: {uri: old}\n", f'azure: {{uri: "{VAULT}"}}\n'),
    "a value that was left out": ("azure:\n  uri:\n  b: 1\n", f"azure:\n  uri: {VAULT}\n  b: 1\n"),
    "a value that was left out before a comment": (
        "azure:\n  uri: # to come\n",
        f"azure:\n  uri: {VAULT} # to come\n",
    ),
    "null": ("azure:\n  uri: null\n", f"azure:\n  uri: {VAULT}\n"),
    "line ends of Windows": (
        "azure:\r\n  uri: old\r\n  b: 1\r\n",
        f"azure:\r\n  uri: {VAULT}\r\n  b: 1\r\n",
    ),
    "a mark at the beginning": ("\ufeffazure:\n  uri: old\n", f"\ufeffazure:\n  uri: {VAULT}\n"),
    "no line end at the end": ("azure:\n  uri: old", f"azure:\n  uri: {VAULT}"),
    "a missing field goes below its siblings": (
        "azure:\n    b: 1  # one\n\n# next\nc: 2\n",
        f"azure:\n    b: 1  # one\n    uri: {VAULT}\n\n# next\nc: 2\n",
    ),
    "a missing field goes below siblings that have fields": (
        "azure:\n  b:\n    - c: 1\n      d: 2\n",
        f"azure:\n  b:\n    - c: 1\n      d: 2\n  uri: {VAULT}\n",
    ),
    "a missing field goes below a text of several lines": (
        "azure:\n  b: |\n    one\n    two\nc: 2\n",
        f"azure:\n  b: |\n    one\n    two\n  uri: {VAULT}\nc: 2\n",
    ),
    "a missing field where the file has no last line end": (
        "azure:\n  b: 1",
        f"azure:\n  b: 1\n  uri: {VAULT}",
    ),
    "a missing field where the file ends with a text that has no line end of its own": (
        "azure:\n  b: |-\n    one",
        f"azure:\n  b: |-\n    one\n  uri: {VAULT}",
    ),
    "a missing field below an empty one": ("azure:\n  b:\nc: 1\n", f"azure:\n  b:\n  uri: {VAULT}\nc: 1\n"),
    "a missing field below a list that ends with an empty item": (
        "azure:\n  b:\n    - 1\n    - # to come\n\n  # next\nc: 2\n",
        f"azure:\n  b:\n    - 1\n    - # to come\n  uri: {VAULT}\n\n  # next\nc: 2\n",
    ),
    "a missing field among line ends of Windows": (
        "azure:\r\n  b: 1\r\n",
        f"azure:\r\n  b: 1\r\n  uri: {VAULT}\r\n",
    ),
    "a missing field between braces": ("azure: {b: 1}\n", f'azure: {{b: 1, uri: "{VAULT}"}}\n'),
    "a missing field between braces, behind an empty one": (
        "azure: {b: 1, c: }\n",
        f'azure: {{b: 1, c: , uri: "{VAULT}" }}\n',
    ),
    "a missing field between empty braces": ("azure: {}\n", f'azure: {{uri: "{VAULT}"}}\n'),
}


@pytest.mark.parametrize(("text", "after"), EDITS.values(), ids=EDITS)
def test_edits(text: str, after: str) -> None:
    assert Document(text).edited({"azure.uri": VAULT}) == after


QUOTED = {
    "a number": "12",
    "a time of day, to YAML 1.1": "1:20",
    "a yes": "yes",
    "an on": "on",
    "a null": "null",
    "a comment": "a # b",
    "a colon and a blank": "a: b",
    "an empty text": "",
    "a control character": "a\x07b",
}


@pytest.mark.parametrize("value", QUOTED.values(), ids=QUOTED)
def test_what_would_read_as_something_else_gets_quotes(value: str) -> None:
    after = Document("azure:\n  uri: old\n").edited({"azure.uri": value})
    assert '"' in after
    assert data(after) == {"azure": {"uri": value}}


def test_several_fields_are_edited_at_once_and_added_in_their_order() -> None:
    text = "azure:\n  a: 1\n  b: old\nedge: {}\n"
    changes = {"azure.c": "x", "azure.d": "y", "azure.b": "new", "edge.e": "v", "edge.f": "w"}
    assert Document(text).edited(changes) == (
        'azure:\n  a: 1\n  b: new\n  c: x\n  d: "y"\nedge: {e: v, f: w}\n'
    )


@pytest.mark.parametrize("text", ["azure: []\n", "azure:\n  uri: [1]\n"], ids=["no way", "no scalar"])
def test_what_is_no_field_is_not_edited(text: str) -> None:
    with pytest.raises(ValueError, match=r"azure\.uri cannot be changed"):
        Document(text).edited({"azure.uri": VAULT})


@pytest.mark.parametrize("style", ["|", ">", "|+", ">2+", "| # two"])
def test_a_field_is_not_added_where_its_line_end_would_become_a_part_of_the_text_above(style: str) -> None:
    with pytest.raises(ValueError, match="text above it has no line end"):
        Document(f"azure:\n  b: {style}\n    one").edited({"azure.uri": VAULT})


# -- making mappings on the way ----------------------------------------------------------------------

WAY = {"gitlab.psql.ci.database": "gitlabhq", "gitlab.psql.ci.port": "5432"}
IN_BRACES = '{psql: {ci: {database: gitlabhq, port: "5432"}}}'

WITH_PARENTS = {
    "an empty file": ("", "gitlab:\n  psql:\n    ci:\n      database: gitlabhq\n      port: '5432'\n"),
    "a file of comments": (
        "# none yet\n",
        "# none yet\ngitlab:\n  psql:\n    ci:\n      database: gitlabhq\n      port: '5432'\n",
    ),
    "a file of comments without a last line end": (
        "# none yet",
        "# none yet\ngitlab:\n  psql:\n    ci:\n      database: gitlabhq\n      port: '5432'",
    ),
    "a file with the mark of a document alone": (
        "---\n",
        "---\ngitlab:\n  psql:\n    ci:\n      database: gitlabhq\n      port: '5432'\n",
    ),
    "empty braces alone": ("{}\n", f"{{gitlab: {IN_BRACES}}}\n"),
    "other keys": (
        "# values\nother: 1\n",
        "# values\nother: 1\ngitlab:\n  psql:\n    ci:\n      database: gitlabhq\n      port: '5432'\n",
    ),
    "a parent in empty braces": ("gitlab: {}  # one\n", f"gitlab: {IN_BRACES}  # one\n"),
    "a parent in braces": (
        "gitlab: {a: 1}\n",
        'gitlab: {a: 1, psql: {ci: {database: gitlabhq, port: "5432"}}}\n',
    ),
    "a parent with other keys": (
        "gitlab:\n    a: 1  # one\n\nother: 2\n",
        (
            "gitlab:\n    a: 1  # one\n    psql:\n      ci:\n        database: gitlabhq\n"
            "        port: '5432'\n\nother: 2\n"
        ),
    ),
    "a parent without a value": (
        "gitlab:  # to come\nother: 1\n",
        "gitlab:  # to come\n  psql:\n    ci:\n      database: gitlabhq\n      port: '5432'\nother: 1\n",
    ),
    "a parent without a value at the end": (
        "gitlab:",
        "gitlab:\n  psql:\n    ci:\n      database: gitlabhq\n      port: '5432'",
    ),
    "a parent that is null": (
        "gitlab: null # to come\n",
        "gitlab: # to come\n  psql:\n    ci:\n      database: gitlabhq\n      port: '5432'\n",
    ),
    "a parent without a value between braces": (
        "{gitlab: , b: 1}\n",
        f"{{gitlab: {IN_BRACES} , b: 1}}\n",
    ),
    "a parent that is null between braces": ("{gitlab: ~}\n", f"{{gitlab: {IN_BRACES}}}\n"),
    "an inner parent without a value": (
        "gitlab:\n  psql:\n    ci:\n    main: 1\n",
        "gitlab:\n  psql:\n    ci:\n      database: gitlabhq\n      port: '5432'\n    main: 1\n",
    ),
    "every parent, and one of the fields": (
        "gitlab:\n  psql:\n    ci:\n      port: 5433\n",
        "gitlab:\n  psql:\n    ci:\n      port: '5432'\n      database: gitlabhq\n",
    ),
    "line ends of Windows": (
        "gitlab:\r\n  a: 1\r\nb: 2\r\n",
        (
            "gitlab:\r\n  a: 1\r\n  psql:\r\n    ci:\r\n      database: gitlabhq\r\n"
            "      port: '5432'\r\nb: 2\r\n"
        ),
    ),
    "a parent without a value among line ends of Windows": (
        "gitlab:\r\nb: 2\r\n",
        "gitlab:\r\n  psql:\r\n    ci:\r\n      database: gitlabhq\r\n      port: '5432'\r\nb: 2\r\n",
    ),
}


@pytest.mark.parametrize(("text", "after"), WITH_PARENTS.values(), ids=WITH_PARENTS)
def test_missing_mappings_are_made_where_that_is_asked_for(text: str, after: str) -> None:
    edited = Document(text).edited(WAY, with_parents=True)
    assert edited == after.replace("'", '"')
    assert data(edited)["gitlab"]["psql"]["ci"] == {"database": "gitlabhq", "port": "5432"}


@pytest.mark.parametrize(
    "text", ["", "# none\n", "other: 1\n", "gitlab:\n", "gitlab: ~\n", "gitlab:\n  a: 1\n"]
)
def test_missing_mappings_are_not_made_where_nobody_asked_for_it(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be changed"):
        Document(text).edited(WAY)


NO_PLACE = {
    "a list": "gitlab: []\n",
    "a text": "gitlab: x\n",
    "an empty text": 'gitlab: ""\n',
    "an anchor without a value": "gitlab: &a\nb: 1\n",
    "a tag without a value": "gitlab: !!null\n",
    "an alias": "a: &a {}\ngitlab: *a\n",
    "a merged mapping": "a: &a {}\ngitlab:\n  <<: *a\n",
    "a key that stands twice": "gitlab: {}\ngitlab: {}\n",
    "a list as the file": "- 1\n",
    "a text as the file": "x\n",
    "the end of a document": "---\n...\n",
    "a complex key": "? gitlab\n",
}


@pytest.mark.parametrize("text", NO_PLACE.values(), ids=NO_PLACE)
def test_no_mapping_is_made_in_place_of_something_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be changed|does not allow the edit"):
        Document(text).edited(WAY, with_parents=True)


@pytest.mark.parametrize("changes", [{"a.b": "x", "a.b.c": "y"}, {"a.b.c": "y", "a.b": "x"}])
def test_no_field_becomes_both_a_value_and_a_mapping(changes: Mapping[str, str]) -> None:
    with pytest.raises(ValueError, match="b cannot be a value and a mapping"):
        Document("").edited(changes, with_parents=True)


def test_new_mappings_and_new_fields_beside_them_keep_their_order() -> None:
    changes = {"a.x": "1.2.3", "a.new.q": "on", "b.z": "v", "c.new.w": "u"}
    assert Document("a:\n  k: 1\nb:\n").edited(changes, with_parents=True) == (
        'a:\n  k: 1\n  x: 1.2.3\n  new:\n    q: "on"\nb:\n  z: v\nc:\n  new:\n    w: u\n'
    )


def test_a_new_key_that_would_read_as_something_else_gets_quotes() -> None:
    assert Document("").edited({"on._x": "v"}, with_parents=True) == '"on":\n  _x: v\n'


# -- whatever the file --------------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "c", "azure", "keyVaultUri", "id"])
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-9, 99)
    | st.sampled_from(["", "https://kv/", "old", "yes", "it's", 'a "b"', "two\nlines", "- x", "# y", "a: b"])
)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        VALUES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=8,
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file in one of many layouts, with comments, other line ends, with or without a last one."""
    yaml = YAML()
    yaml.default_flow_style = draw(st.sampled_from([False, None, True]))
    yaml.indent(mapping=draw(st.integers(2, 6)), sequence=4, offset=2)
    yaml.width = 1000
    out = io.StringIO()
    yaml.dump(draw(TREES), out)
    lines = out.getvalue().splitlines()
    if draw(st.booleans()):
        lines = ["# generated", "", *lines, "# the end"]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return end.join(lines) + draw(st.sampled_from(["", end]))


def paths(tree: Mapping[str, Any], way: tuple[str, ...] = ()) -> list[str]:
    found = [".".join((*way, key)) for key in (*tree, "new")]
    for key, value in tree.items():
        if isinstance(value, dict):
            found.extend(paths(value, (*way, key)))
    return found


def with_changes(tree: dict[str, Any], changes: Mapping[str, str]) -> dict[str, Any]:
    for path, value in changes.items():
        *way, last = path.split(".")
        at = tree
        for key in way:
            if at.get(key) is None:
                at[key] = {}
            at = at[key]
        at[last] = value
    return tree


@settings(max_examples=300, deadline=None)
@given(st.data(), files())
def test_only_what_was_asked_for_changes_and_only_on_its_lines(draw: st.DataObject, text: str) -> None:
    document, before = Document(text), data(text)
    editable = [path for path in paths(before) if isinstance(document.field(path), Scalar | Missing)]
    if not editable:
        return
    chosen = draw.draw(st.lists(st.sampled_from(editable), min_size=1, max_size=3, unique=True))
    values = draw.draw(st.lists(st.sampled_from([VAULT, "10.0.0.1", "on", "x y", "'", ""]), min_size=3))
    changes = dict(zip(chosen, values, strict=False))
    after = document.edited(changes)
    assert data(after) == with_changes(data(text), changes)
    assert all(Document(after).field(path) == Scalar(value, is_text=True) for path, value in changes.items())
    assert after.endswith("\n") == text.endswith("\n")
    assert ("\r\n" in after) == ("\r\n" in text) or "\n" not in text
    operations = difflib.SequenceMatcher(
        None, text.splitlines(), after.splitlines(), autojunk=False
    ).get_opcodes()
    touched = sum(max(i2 - i1, j2 - j1) for op, i1, i2, j1, j2 in operations if op != "equal")
    assert touched <= len(changes)


@settings(max_examples=300, deadline=None)
@given(st.data(), files())
def test_mappings_are_made_without_touching_what_is_there(draw: st.DataObject, text: str) -> None:
    document, before = Document(text), data(text)
    ways = [path for path in paths(before) if isinstance(document.field(path), Missing)]
    ways += [path for path in paths(before) if document.field(path) == Scalar("", is_text=True)]
    changes = {
        f"{way}.deep.{key}": "v"
        for way in draw.draw(st.lists(st.sampled_from(ways or ["new"]), max_size=3, unique=True))
        for key in draw.draw(st.lists(st.sampled_from(["x", "y"]), min_size=1, unique=True))
    }
    try:
        after = document.edited(changes, with_parents=True)
    except ValueError:
        # An empty text is a value, and a text that would swallow the line stays as it is.
        return
    assert data(after) == with_changes(data(text), changes)
    kept = [line.strip() for line in after.splitlines()]
    for line in text.splitlines():
        if line.strip().startswith("#"):
            assert line.strip() in kept


def test_an_anchor_that_is_set_anew_shows_nobody_the_lines_where_it_is() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Document("a: {key: &one first}\nb: {key: &one second}\nc: 1\n").field("c")
    assert found == Scalar("1", is_text=False)
