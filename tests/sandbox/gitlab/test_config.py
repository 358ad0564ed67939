"""The check that stands before GitLab's migrations."""

from dataclasses import replace

import pytest

from sandbox.gitlab_config import Configured, mistakes, trouble
from sandbox.postgres import DatabaseError, Place, Postgres

HERE = Place(
    host="postgres-ameide-rw", port="5432", database="gitlabhq_production", user="gitlab", password="right"
)
MAIN = Configured(name="main", place=HERE, tasks=True)
CI = Configured(name="ci", place=HERE, tasks=False)
OWN = replace(HERE, database="gitlabhq_production_ci")
AWAY = replace(HERE, host="elsewhere")


def postgres() -> Postgres:
    return Postgres("ameide-dev", lambda: "right")


REQUIRED = "- The 'main' is required to use 'database_tasks: true'"
MANY = (
    "- Many configurations (main, ci) share the same database (gitlabhq_production). This will result in "
    "failures provisioning or migrating this database. Ensure that additional databases are configured with "
    "'database_tasks: false' or are pointing to a dedicated database host."
)
NOT_FOUND = "- The 'ci' is expecting to share configuration with 'main', but no such is to be found."
SHOULD = "- The 'ci' since it is using 'database_tasks: false' should share database with 'main:'."
CASES: dict[str, tuple[list[Configured], list[str]]] = {
    "ci shares main's": ([MAIN, CI], []),
    "main alone": ([MAIN], []),
    "ci has one of its own": ([MAIN, replace(CI, place=OWN, tasks=True)], []),
    "main has no tasks": ([replace(MAIN, tasks=False)], [REQUIRED]),
    "both have tasks on one": ([MAIN, replace(CI, tasks=True)], [MANY]),
    "both have tasks on one that is named in two ways": (
        [MAIN, replace(CI, tasks=True, place=replace(HERE, host="postgres-ameide-rw.ameide-dev"))],
        [MANY],
    ),
    "ci without tasks has another": ([MAIN, replace(CI, place=OWN)], [SHOULD]),
    "ci without tasks has one that cannot be reached": ([MAIN, replace(CI, place=AWAY)], []),
    "main cannot be reached": ([replace(MAIN, place=AWAY), CI], []),
    "there is no main": ([CI], ["- The 'ci' is required to use 'database_tasks: true'", NOT_FOUND]),
    "several at once": (
        [replace(MAIN, tasks=False), replace(CI, place=OWN)],
        [REQUIRED, SHOULD],
    ),
}


@pytest.mark.parametrize(("configured", "said"), CASES.values(), ids=CASES)
def test_the_check_names_every_mistake(configured: list[Configured], said: list[str]) -> None:
    assert mistakes(configured, postgres()) == said


REFUSED = {
    "a host without a name": (AWAY, 'could not translate host name "elsewhere" to address'),
    "another port": (replace(HERE, port="5433"), "port 5433 failed: Connection refused"),
    "a wrong password": (
        replace(HERE, password="wrong"),
        'FATAL:  password authentication failed for user "gitlab"',
    ),
    "an unknown role": (
        replace(HERE, user="root"),
        'FATAL:  password authentication failed for user "root"',
    ),
    "an unknown database": (replace(HERE, database="other"), 'FATAL:  database "other" does not exist'),
}


@pytest.mark.parametrize(("place", "said"), REFUSED.values(), ids=REFUSED)
def test_postgresql_refuses_in_its_own_words(place: Place, said: str) -> None:
    with pytest.raises(DatabaseError) as refused:
        postgres().connect(place)
    assert said in str(refused.value)
    assert place.password not in str(refused.value)
    (line,) = trouble([replace(MAIN, place=place)], postgres())
    assert line.startswith("WARNING: ")
    assert said in line


def test_the_role_has_the_password_that_its_secret_says_unless_it_was_set_by_hand() -> None:
    server = postgres()
    assert server.connect(HERE) is server.databases["gitlabhq_production"]
    server.other_password = "by hand"
    with pytest.raises(DatabaseError):
        server.connect(HERE)
    with pytest.raises(DatabaseError):
        Postgres("ameide-dev", lambda: None).connect(replace(HERE, password=""))
