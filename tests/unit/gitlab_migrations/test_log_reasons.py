"""What logs of GitLab's are understood as, and that nothing of them is repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responders.gitlab_migrations.log_reasons import (
    LONGEST,
    ONE_DATABASE,
    VALIDATION,
    Cause,
    causes,
    remembered,
)
from responders.gitlab_migrations.reasons import Reason
from tests.unit.gitlab_migrations.builders import SECRET

REFUSED = Reason.GITLAB_DATABASE_CONFIG_REFUSED
HEADER = "rake aborted!\nDatabase config validation failure:\n"
IGNORE = "\nUse `export GITLAB_VALIDATE_DATABASE_CONFIG=0` to ignore this validation.\n"
ENFORCE = "\nUse `export GITLAB_VALIDATE_DATABASE_CONFIG=1` to enforce this validation.\n"
AT = 'connection to server at "postgres-ameide-rw" (10.0.0.7), port 5432 failed'

TWICE = (
    "- Many configurations (main, ci) share the same database (x). This will result in failures provisioning "
    "or migrating this database. Ensure that additional databases are configured with "
    "'database_tasks: false' or are pointing to a dedicated database host."
)
ALONE = "- The 'ci' is expecting to share configuration with 'main', but no such is to be found."
APART = "- The 'ci' since it is using 'database_tasks: false' should share database with 'main:'."
RULES = {
    "main has no tasks": "- The 'main' is required to use 'database_tasks: true'",
    "main and ci have tasks on one database": TWICE,
    "what ci shares with is not there": ALONE,
    "ci has no tasks and another database than main": APART,
}
LACKS = (
    'PG::UndefinedFile: ERROR:  extension "amcheck" is not available\n'
    "DETAIL:  Could not open extension control file"
)
LOCKED = (
    "ActiveRecord::ConcurrentMigrationError: Cannot run migrations because another migration process is "
    "currently running."
)
NO_PASSWORD = f'{AT}: FATAL:  password authentication failed for user "gitlab"'
NO_SCHEMA = (
    "Database Schema - main (gitlabhq_production) - current: 0\n"
    "NOTICE: Database has not been initialized yet."
)


def test_knows_every_rule_of_the_check() -> None:
    assert list(RULES) == list(VALIDATION)


@pytest.mark.parametrize(("says", "line"), RULES.items(), ids=RULES)
def test_names_the_rule_that_was_broken(says: str, line: str) -> None:
    (cause,) = causes(f"Begin\n{HEADER}{line}{IGNORE}")
    assert (cause.reason, cause.detail) == (Reason.GITLAB_DATABASE_CONFIG_REFUSED, says)


def test_names_all_rules_that_were_broken_at_once() -> None:
    (cause,) = causes(HEADER + "\n".join(RULES.values()) + IGNORE)
    assert cause.detail.split("; ") == list(RULES)


LOGS: dict[str, tuple[str, list[Reason]]] = {
    "the check refuses and says no rule": (HEADER, [Reason.GITLAB_DATABASE_CONFIG_REFUSED]),
    "the check only warns": (f"Database config validation failure:\n- x{ENFORCE}Migrations complete", []),
    "the check warned once and refused then": (
        f"Database config validation failure:\n- x{ENFORCE}{HEADER}- x{IGNORE}",
        [Reason.GITLAB_DATABASE_CONFIG_REFUSED],
    ),
    "an unreachable ci is only warned of beside the refusal": (
        f"WARNING: Could not establish database connection for ci: {AT}\n{HEADER}- x{IGNORE}",
        [Reason.GITLAB_DATABASE_CONFIG_REFUSED, Reason.MIGRATIONS_DATABASE_UNREACHABLE],
    ),
    "nobody listens": (
        f"PG::ConnectionBad: {AT}: Connection refused",
        [Reason.MIGRATIONS_DATABASE_UNREACHABLE],
    ),
    "no such host": (
        'could not translate host name "postgres-ameide-rw" to address: Name or service not known',
        [Reason.MIGRATIONS_DATABASE_UNREACHABLE],
    ),
    "a server that is starting": (
        "FATAL:  the database system is starting up",
        [Reason.MIGRATIONS_DATABASE_UNREACHABLE],
    ),
    "an older driver": ("could not connect to server: timeout", [Reason.MIGRATIONS_DATABASE_UNREACHABLE]),
    "a password that is refused has reached the database": (
        f"ActiveRecord::ConnectionNotEstablished: {NO_PASSWORD}",
        [Reason.MIGRATIONS_PASSWORD_REFUSED, Reason.MIGRATIONS_DATABASE_UNREACHABLE],
    ),
    "a role that is not there": (
        'FATAL:  role "gitlab" does not exist',
        [Reason.MIGRATIONS_PASSWORD_REFUSED],
    ),
    "an address that is not let in": (
        'FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "gitlab", database "x", SSL off',
        [Reason.MIGRATIONS_PASSWORD_REFUSED],
    ),
    "a database that is not there": (
        f'{AT}: FATAL:  database "gitlabhq_production" does not exist',
        [Reason.MIGRATIONS_DATABASE_MISSING, Reason.MIGRATIONS_DATABASE_UNREACHABLE],
    ),
    "an extension that may not be created": (
        'PG::InsufficientPrivilege: ERROR:  permission denied to create extension "btree_gist"',
        [Reason.MIGRATIONS_EXTENSION_MISSING],
    ),
    "an extension that the server lacks": (
        LACKS,
        [Reason.MIGRATIONS_EXTENSION_MISSING],
    ),
    "another migration": (
        LOCKED,
        [Reason.MIGRATIONS_LOCKED],
    ),
    "a lock that is held for too long": (
        "PG::LockNotAvailable: ERROR:  canceling statement due to lock timeout",
        [Reason.MIGRATIONS_LOCKED],
    ),
    "a statement that takes too long": (
        "PG::QueryCanceled: ERROR:  canceling statement due to statement timeout",
        [Reason.MIGRATIONS_TIMED_OUT],
    ),
    "a table that is missing is nothing that is known": (
        'PG::UndefinedTable: ERROR:  relation "application_settings" does not exist',
        [],
    ),
    "pods that wait for the schema tell of nothing else": (
        NO_SCHEMA,
        [],
    ),
    "a good end": ("Migrations complete", []),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("text", "reasons"), LOGS.values(), ids=LOGS)
def test_reads_a_log(text: str, reasons: list[Reason]) -> None:
    assert [cause.reason for cause in causes(f"password={SECRET}\n{text}")] == reasons


def test_looks_at_the_end_of_a_long_log_alone() -> None:
    assert causes(HEADER + IGNORE + "x" * LONGEST) == ()
    assert causes("x" * LONGEST + HEADER + IGNORE) != ()


REMEMBERED: dict[str, tuple[str, str, Cause | None]] = {
    "a refusal with its rule": (REFUSED, ONE_DATABASE, Cause(REFUSED, ONE_DATABASE)),
    "a refusal without one": (REFUSED, "", Cause(REFUSED)),
    "all of its rules": (REFUSED, "; ".join(VALIDATION), Cause(REFUSED, "; ".join(VALIDATION))),
    "a rule that is none of ours": (REFUSED, f"{SECRET}; {ONE_DATABASE}", Cause(REFUSED, ONE_DATABASE)),
    "what was made of a refusal": (Reason.CI_DATABASE_IN_USE, ONE_DATABASE, Cause(REFUSED, ONE_DATABASE)),
    "a lock": (Reason.MIGRATIONS_LOCKED, "", Cause(Reason.MIGRATIONS_LOCKED)),
    "what no log tells": (Reason.CI_DATABASE_OWN, "", None),
    "a reason of another version": ("SomethingElse", "", None),
}


@pytest.mark.parametrize(("reason", "rule", "cause"), REMEMBERED.values(), ids=REMEMBERED)
def test_remembers_what_a_log_told(reason: str, rule: str, cause: Cause | None) -> None:
    assert remembered(reason, rule) == cause


WORDS = st.sampled_from(
    [SECRET, "\n", " ", HEADER, IGNORE, ENFORCE, *RULES.values(), *(a for a, _ in LOGS.values())]
)


@given(st.lists(WORDS | st.text(max_size=20), max_size=12))
def test_repeats_nothing_of_a_log(parts: list[str]) -> None:
    said = causes("".join(parts))
    assert all(cause.reason in Reason for cause in said)
    assert all(one in VALIDATION for cause in said for one in cause.detail.split("; ") if one)
