"""GitLab's databases as its pods read them, and the check that stands before every migration.

https://docs.gitlab.com/administration/postgresql/multiple_databases/
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from ruamel.yaml import YAML

from sandbox.postgres import Database, DatabaseError, Place, Postgres

HEADER: Final = "Database config validation failure:"
IGNORED: Final = "Use `export GITLAB_VALIDATE_DATABASE_CONFIG=0` to ignore this validation."
ENFORCED: Final = "Use `export GITLAB_VALIDATE_DATABASE_CONFIG=1` to enforce this validation."
_ERB: Final = re.compile(r'<%= ENV\.fetch\("(\w+)"\)\.to_json %>')
_SHARED: Final = {"ci": "main"}
"""Which database one that has none of its own lives in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """One database of the file."""

    name: str
    place: Place
    tasks: bool
    """Its tables are made and changed by this configuration."""


def read_config(text: str, env: Mapping[str, str]) -> list[Configured]:
    """The databases of the file, in its order. Raises KeyError for a variable that is not set."""
    plain = _ERB.sub(lambda found: _quoted(env[found[1]]), text)
    document = YAML(typ="safe", pure=True).load(plain)
    return [
        Configured(
            name=name,
            place=Place(
                host=str(one["host"]),
                port=str(one["port"]),
                database=str(one["database"]),
                user=str(one["username"]),
                password=str(one["password"]),
            ),
            tasks=bool(one.get("database_tasks", True)),
        )
        for name, one in (document["production"] or {}).items()
    ]


def trouble(configured: Sequence[Configured], postgres: Postgres) -> Iterator[str]:
    """A line for each database that cannot be looked at."""
    for one in configured:
        try:
            postgres.connect(one.place)
        except DatabaseError as error:
            yield f"WARNING: Could not establish database connection for {one.name}: {error}"


def mistakes(configured: Sequence[Configured], postgres: Postgres) -> list[str]:
    """What the check says of the databases, without its header; nothing where all is well."""
    return [
        *_main_without_tasks(configured),
        *_tasks_twice(configured, postgres),
        *_shared_with_none(configured, postgres),
    ]


def _main_without_tasks(configured: Sequence[Configured]) -> Iterator[str]:
    for one in configured[:1]:
        if not one.tasks:
            yield f"- The '{one.name}' is required to use 'database_tasks: true'"


def _tasks_twice(configured: Sequence[Configured], postgres: Postgres) -> Iterator[str]:
    found = [(id(held), one) for one in configured if (held := _reached(one, postgres)) and one.tasks]
    found.sort(key=lambda pair: pair[0])
    for _, group in groupby(found, key=lambda pair: pair[0]):
        sharing = [one for _, one in group]
        if len(sharing) > 1:
            yield (
                f"- Many configurations ({', '.join(one.name for one in sharing)}) share the same database "
                f"({sharing[0].place.database}). This will result in failures provisioning or migrating this "
                "database. Ensure that additional databases are configured with 'database_tasks: false' or "
                "are pointing to a dedicated database host."
            )


def _shared_with_none(configured: Sequence[Configured], postgres: Postgres) -> Iterator[str]:
    named = {one.name: one for one in configured}
    for one in configured:
        sharing = _SHARED.get(one.name)
        if one.tasks or sharing is None:
            continue
        if sharing not in named:
            yield (
                f"- The '{one.name}' is expecting to share configuration with '{sharing}', but no such is to "
                "be found."
            )
            continue
        mine, theirs = _reached(one, postgres), _reached(named[sharing], postgres)
        # What cannot be reached, or is not there yet, is no mistake of the configuration.
        if mine and theirs and mine is not theirs:
            yield (
                f"- The '{one.name}' since it is using 'database_tasks: false' should share database with "
                f"'{sharing}:'."
            )


def _reached(one: Configured, postgres: Postgres) -> Database | None:
    try:
        return postgres.connect(one.place)
    except DatabaseError:
        return None


def _quoted(text: str) -> str:
    """For a value of YAML, whatever it holds."""
    return "'" + text.replace("'", "''") + "'"
