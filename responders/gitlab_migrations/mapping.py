"""Where GitLab's databases `main` and `ci` are, as database.yml.erb has it. Pure.

It is a template of Ruby's, so that no reader of YAML takes it: a password is an expression, and more may be.
It is read line by line. What is not understood counts as not told, and what is an expression is compared,
and neither shown nor copied.

https://docs.gitlab.com/administration/postgresql/multiple_databases/
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, NamedTuple

KEY: Final = "database.yml.erb"
"""Of the ConfigMap."""
ENVIRONMENT: Final = "production"
PLACE: Final = ("database", "host", "port")
"""The fields that must all be main's where `ci` shares its database, as the chart compares them."""
LONGEST: Final = 64 * 1024
"""Characters that are looked at."""

_SHOWN: Final = re.compile(r"[\w][-\w.]{0,252}", re.ASCII)
_PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
_EXPRESSION: Final = "<%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One entry. Of its fields only those that tell where it is."""

    place: Mapping[str, str]
    """By the names in PLACE; those that are told."""
    tasks: bool
    """Rails' own work is done on it, the default."""

    def told(self, field: str) -> str | None:
        """The field as it may be shown and copied; None where it is missing, or an expression."""
        text = self.place.get(field)
        return text if text is not None and may_be_copied(field, text) else None

    def shown(self, field: str) -> str:
        return self.told(field) or ("(an expression)" if field in self.place else "(nothing)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What is rendered."""

    main: Database
    ci: Database | None


def may_be_copied(field: str, text: str) -> bool:
    """A name, an address or a number, and nothing that anything else could hide in."""
    form = _PORT if field == "port" else _SHOWN
    return form.fullmatch(text) is not None


class Standing(Enum):
    """How `ci` stands to main, as GitLab's check of its databases judges it."""

    ALONE = auto()
    """There is no `ci`."""
    SHARED = auto()
    """It is main's database, and leaves the work on it to main."""
    SHARED_TWICE = auto()
    """It is main's database, and both would work on it."""
    MISSED = auto()
    """It leaves the work to main, and is another database."""
    SPELT = auto()
    """It is main's database by another spelling of the host, so that the chart takes it for another one."""
    OWN = auto()
    """It is another database that is worked on."""
    NO_MAIN = auto()
    """Main leaves the work to somebody else, whatever `ci` says."""


def standing(mapping: Rendered) -> Standing:
    main, ci = mapping.main, mapping.ci
    if not main.tasks:
        return Standing.NO_MAIN
    if ci is None:
        return Standing.ALONE
    if not differing(mapping):
        return Standing.SHARED_TWICE if ci.tasks else Standing.SHARED
    if not ci.tasks:
        return Standing.MISSED
    return Standing.SPELT if _spelt_otherwise(main, ci) else Standing.OWN


def differing(mapping: Rendered) -> tuple[str, ...]:
    """The fields in which `ci` is not main's; without any `ci` all that main tells."""
    ci = mapping.ci.place if mapping.ci else {}
    return tuple(
        field for field in PLACE if (text := mapping.main.place.get(field)) and ci.get(field) != text
    )


def mapped(mapping: Rendered) -> Mapping[str, str] | None:
    """What those fields of `ci` must say; None where main does not tell it in words that may be copied."""
    wanted = {field: mapping.main.told(field) for field in differing(mapping)}
    told = {field: text for field, text in wanted.items() if text is not None}
    return told if len(told) == len(wanted) and mapping.main.told("database") else None


def _spelt_otherwise(main: Database, ci: Database) -> bool:
    """A Service's name may be followed by its namespace and the cluster's domain."""
    one, other = main.place.get("host", ""), ci.place.get("host", "")
    same = all(main.place.get(field) == ci.place.get(field) for field in ("database", "port"))
    return same and (one.startswith(f"{other}.") or other.startswith(f"{one}.")) and bool(one and other)


# -- reading ------------------------------------------------------------------------------


def read(text: str) -> Rendered | None:
    """What the template says of production; None where main is not found in it. Never raises."""
    lines = list(_lines(text[:LONGEST]))
    sections = _within(lines, ENVIRONMENT) or lines
    main, ci = _within(sections, "main"), _within(sections, "ci")
    if not main:
        return None
    # One that is there and not understood is not called absent.
    there = any(line.key == "ci" and line.indent <= _outermost(sections) for line in sections)
    return Rendered(main=_database(main), ci=_database(ci) if there else None)


class _Line(NamedTuple):
    indent: int
    key: str
    value: str


_LINE: Final = re.compile(
    r"""(?P<indent>[ \t]*)(?P<quote>["']?)(?P<key>[\w][-\w]*)(?P=quote)[ \t]*:(?:[ \t]+(?P<value>.*)|)"""
)


def _lines(text: str) -> Iterator[_Line]:
    """The lines that have a key. Comments, documents' marks, lists and Ruby's own lines have none."""
    for line in text.removeprefix("\ufeff").splitlines():
        if found := _LINE.fullmatch(line.rstrip()):
            indent = len(found["indent"].expandtabs())
            yield _Line(indent, found["key"], _scalar((found["value"] or "").strip()))


def _scalar(text: str) -> str:
    """A plain or quoted scalar on one line, without the comment behind it. An expression stays as it is."""
    if text[:1] in ("'", '"'):
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 and _EXPRESSION not in text else text
    return re.split(r"(?:^|[ \t]+)#", text, maxsplit=1)[0].strip() if _EXPRESSION not in text else text


def _within(lines: list[_Line], key: str) -> list[_Line]:
    """The fields of the outermost key of that name: the lines below it, as deep as the first of them."""
    found: list[_Line] = []
    outermost = _outermost(lines)
    inside = False
    for line in lines:
        if line.indent <= outermost:
            inside = line.key == key and not line.value.strip().startswith(("{", "*", "|", ">"))
            if inside:
                found = []  # of two keys of one name, YAML takes the second
        elif inside:
            found.append(line)
    return found


def _outermost(lines: list[_Line]) -> int:
    return min((line.indent for line in lines), default=0)


def _database(lines: list[_Line]) -> Database:
    outermost = lines[0].indent if lines else 0
    fields = {line.key: line.value for line in lines if line.indent == outermost}
    place = {field: text for field in PLACE if (text := fields.get(field, "")) and text not in ("~", "null")}
    return Database(
        place=place, tasks=fields.get("database_tasks", "true").lower() not in ("false", "no", "off")
    )
