"""Where the databases are, read from a template that is no YAML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.gitlab_migrations.mapping import (
    PLACE,
    Rendered,
    Standing,
    differing,
    mapped,
    read,
    standing,
)
from tests.unit.gitlab_migrations.builders import SECRET, UNMAPPED, database_yml

PLAIN = """\
production:
  main:
    database: gitlabhq_production
    host: pg
    port: 5432
  ci:
    database: gitlabhq_production
    host: pg
    port: 5432
    database_tasks: false
"""

SAME = {
    "as the chart renders it": database_yml(),
    "without any quotes": PLAIN,
    "in single quotes, keys too": PLAIN.replace("gitlabhq_production", "'gitlabhq_production'").replace(
        "  ci:", '  "ci":'
    ),
    "with Windows line ends": database_yml().replace("\n", "\r\n"),
    "with a byte order mark and no last line end": f"\ufeff{PLAIN}test:\n  ci:\n    database: x",
    "deeper indented": PLAIN.replace("    ", "          ")
    .replace("  main", "   main")
    .replace("  ci", "   ci"),
    "with ci before main": PLAIN.replace("main:", "x:")
    .replace("ci:", "main:")
    .replace("x:", "ci:")
    .replace("    port: 5432\n    database_tasks: false\n", "    port: 5432\n")
    .replace("    port: 5432\n  main", "    port: 5432\n    database_tasks: false\n  main"),
    "with fields in another order": PLAIN.replace(
        "    host: pg\n    port: 5432\n", "    port: 5432\n    host: pg\n"
    ),
    "with comments, blank lines and Ruby's own": PLAIN.replace(
        "  ci:", "# old: one\n\n<% if true %>\n  ci:   # shares main's\n<% end %>"
    ),
    "with comments behind values": PLAIN.replace("host: pg", "host: pg  # the service"),
    "with another environment beside it": f"test:\n  main:\n    database: t\n  ci:\n    database: u\n{PLAIN}",
    "without the environment above": "\n".join(line[2:] for line in PLAIN.splitlines()[1:]),
    "with settings beneath a setting": PLAIN.replace(
        "    port: 5432\n",
        "    port: 5432\n    load_balancing:\n      host: other\n      port: 1\n    so:\n      database: x\n",
    ),
    "with the default in words": PLAIN.replace("  main:\n", "  main:\n    database_tasks: True\n").replace(
        "tasks: false", 'tasks: "no"'
    ),
    "with fields that both lack": PLAIN.replace("    port: 5432\n", ""),
    "with an expression that is the same in both": PLAIN.replace("host: pg", "host: <%= ENV['PG'] %>"),
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_reads_a_mapping_that_is_mains_however_it_is_written(text: str) -> None:
    assert standing(found(text)) is Standing.SHARED


STANDS = {
    "another database": (UNMAPPED, Standing.MISSED, ("database",)),
    "another host": (database_yml(host="other"), Standing.MISSED, ("host",)),
    "another port": (database_yml(port="6432"), Standing.MISSED, ("port",)),
    "everything else": (database_yml(ci="a", host="b", port="1"), Standing.MISSED, PLACE),
    "another host that is worked on": (database_yml(host="other", tasks=None), Standing.OWN, ("host",)),
    "main's host by its longer name": (
        database_yml(host="postgres-ameide-rw.ameide-dev.svc", tasks=True),
        Standing.SPELT,
        ("host",),
    ),
    "main's database, and tasks of its own": (database_yml(tasks=True), Standing.SHARED_TWICE, ()),
    "no ci": (database_yml(ci=None), Standing.ALONE, PLACE),
    "a ci of another style, which may be any": (
        database_yml(ci=None) + "  ci: {database: gitlabhq_production}\n",
        Standing.OWN,
        PLACE,
    ),
    "a ci that is empty": (database_yml(ci=None) + "  ci:\n", Standing.OWN, PLACE),
    "a main that leaves its tasks to nobody": (database_yml(main_tasks=False), Standing.NO_MAIN, ()),
    "another expression": (
        PLAIN.replace("pg", "\"<%= ENV['A'] %>\"", 1).replace(" pg", " \"<%= ENV['B'] %>\""),
        Standing.MISSED,
        ("host",),
    ),
    "another expression with quotes of the same kind": (
        PLAIN.replace("pg", '"<%= ENV["A"] %>"', 1).replace(" pg", ' "<%= ENV["B"] %>"'),
        Standing.MISSED,
        ("host",),
    ),
    "an empty database": (database_yml(ci=""), Standing.MISSED, ("database",)),
    "a host that ci lacks": (
        PLAIN.replace(
            "    host: pg\n    port: 5432\n    database_tasks", "    port: 5432\n    database_tasks"
        ),
        Standing.MISSED,
        ("host",),
    ),
    "a database that is null": (
        PLAIN.replace("  ci:\n    database: gitlabhq_production", "  ci:\n    database: ~"),
        Standing.MISSED,
        ("database",),
    ),
}


@pytest.mark.parametrize(("text", "stands", "fields"), STANDS.values(), ids=STANDS)
def test_tells_how_ci_stands_to_main(text: str, stands: Standing, fields: tuple[str, ...]) -> None:
    rendered = found(text)
    assert standing(rendered) is stands
    assert differing(rendered) == fields


def test_names_what_ci_must_say_in_the_fields_that_differ_alone() -> None:
    assert mapped(found(database_yml(ci="other", port="1"))) == {
        "database": "gitlabhq_production",
        "port": "5432",
    }


NOT_COPIED = {
    "an expression": "<%= ENV['DATABASE'] %>",
    "a text with a blank": "two words",
    "a text with a break of YAML's": "a: b",
    "a very long text": "x" * 300,
}


@pytest.mark.parametrize("text", NOT_COPIED.values(), ids=NOT_COPIED)
def test_what_is_no_plain_name_is_neither_copied_nor_shown(text: str) -> None:
    rendered = found(f"production:\n  main:\n    database: {text}\n  ci:\n    database: other\n")
    assert mapped(rendered) is None
    assert rendered.main.shown("database") == "(an expression)"


NOTHING = {
    "nothing": "",
    "no main": "production:\n  ci:\n    database: a\n",
    "a main that is no mapping": "production:\n  main: *other\n",
    "something else": "<html>\n<body>\n",
    "another environment alone": "test:\n  main:\n    database: a\n",
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_tells_nothing_where_main_is_not_found(text: str) -> None:
    assert read(text) is None


@given(st.text(alphabet="maincdtbe:_ \t\r\n#'\"<%=>5.-{}*&|", max_size=300))
def test_never_raises(text: str) -> None:
    rendered = read(text)
    assert rendered is None or standing(rendered) in Standing


NAMES = st.from_regex(r"[a-z][-a-z0-9_.]{0,20}", fullmatch=True).filter(lambda text: text != "null")
PORTS = st.integers(1, 65535).map(str)
PLACES = st.fixed_dictionaries({"database": NAMES, "host": NAMES, "port": PORTS})
QUOTES = st.sampled_from(["", "'", '"'])


@st.composite
def entries(draw: st.DrawFn, name: str, place: dict[str, str], indent: str) -> str:
    quotes = {key: draw(QUOTES) for key in place}
    fields = [f"{key}: {quotes[key]}{text}{quotes[key]}" for key, text in place.items()]
    fields.append("password: <%= File.read('/secret').strip.to_json %>")
    if name == "ci":
        fields.append("database_tasks: false")
    lines = [f"{indent}{name}:", *(f"{indent * 2}{one}" for one in draw(st.permutations(fields)))]
    return draw(st.sampled_from(["\n", "\r\n", "\n\n"])).join(lines)


@given(data=st.data(), main=PLACES, ci=PLACES, indent=st.sampled_from(["  ", "    ", "\t"]))
def test_reads_what_was_written_however_it_was(
    data: st.DataObject, main: dict[str, str], ci: dict[str, str], indent: str
) -> None:
    texts = [data.draw(entries("main", main, indent)), data.draw(entries("ci", ci, indent))]
    rendered = found("production:\n" + "\n".join(data.draw(st.permutations(texts))))
    assert rendered.ci is not None
    assert (dict(rendered.main.place), dict(rendered.ci.place)) == (main, ci)
    # After the change everything is main's, and nothing else was touched.
    changed = {**ci, **(mapped(rendered) or {})}
    assert changed == main


@given(st.sampled_from(["database", "host", "port", "password", "username", "url"]))
def test_a_secret_in_any_field_is_never_shown(field: str) -> None:
    line = f"    {field}: postgres://gitlab:{SECRET}@pg/x\n"
    rendered = found(f"production:\n  main:\n    database: a\n{line}  ci:\n    database: b\n{line}")
    shown = [one.shown(key) for one in (rendered.main, rendered.ci) if one for key in PLACE]
    assert SECRET not in " ".join(shown)


def found(text: str) -> Rendered:
    rendered = read(text)
    assert rendered is not None
    return rendered
