"""What a log of GitLab's says of its database, as reason codes. Pure.

Promises: nothing of the log is ever repeated. A cause is made of words that stand here alone; whatever else
the text holds, a password above all, stays out of it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from responders.gitlab_migrations.reasons import Reason

LONGEST: Final = 256 * 1024
"""Characters that are looked at, from the end: what went wrong last stands there."""
REPORT: Final = 4000
"""Characters that the check of the databases may write below its header."""


@dataclass(frozen=True, slots=True)
class Cause:
    reason: Reason
    detail: str = ""
    """In our words."""


def _words(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


_HEADER: Final = _words(r"\bDatabase config validation failure:")
_ONLY_WARNED: Final = _words(r"\bGITLAB_VALIDATE_DATABASE_CONFIG=1\b")
"""What it ends with where it was told not to insist."""
_QUOTE: Final = r"[\"'`]?"
VALIDATION: Final[Mapping[str, re.Pattern[str]]] = {
    "main has no tasks": _words(rf"required to use {_QUOTE}database_tasks: true"),
    "main and ci have tasks on one database": _words(r"\bshare the same database\b"),
    "what ci shares with is not there": _words(
        r"\bexpecting to share configuration with\b.{0,80}\bno such is to be found"
    ),
    "ci has no tasks and another database than main": _words(
        rf"using {_QUOTE}database_tasks: false{_QUOTE} should share database with"
    ),
}
"""Which of its rules was broken, in our words.
https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/tasks/gitlab/db/validate_config.rake"""

TEXTS: Final[Mapping[Reason, re.Pattern[str]]] = {
    # https://www.postgresql.org/docs/current/errcodes-appendix.html
    Reason.MIGRATIONS_PASSWORD_REFUSED: _words(
        r"\bpassword authentication failed for user\b",
        r"\bno password supplied\b",
        r"\brole \S{1,80} does not exist\b",
        r"\bno pg_hba\.conf entry for\b",
    ),
    Reason.MIGRATIONS_DATABASE_MISSING: _words(
        r"\bdatabase \"[^\"\n]{1,80}\" does not exist\b", r"\bActiveRecord::NoDatabaseError\b"
    ),
    Reason.MIGRATIONS_EXTENSION_MISSING: _words(
        r"\bpermission denied to create extension\b",
        r"\bcould not open extension control file\b",
        r"\bextension \"[^\"\n]{1,80}\" (?:is not available|does not exist)\b",
        r"\brequired extension \S{1,80} is not (?:installed|enabled)\b",
        r"\bmust be (?:superuser|owner of database \S{1,80}) to create (?:this )?extension\b",
    ),
    Reason.MIGRATIONS_LOCKED: _words(
        r"\bActiveRecord::ConcurrentMigrationError\b",
        r"\banother migration process is currently running\b",
        r"\bPG::LockNotAvailable\b",
        r"\bcanceling statement due to lock timeout\b",
        r"\bdeadlock detected\b",
    ),
    Reason.MIGRATIONS_TIMED_OUT: _words(r"\bcanceling statement due to statement timeout\b"),
    Reason.MIGRATIONS_DATABASE_UNREACHABLE: _words(
        r"\bPG::ConnectionBad\b",
        r"\bActiveRecord::(?:ConnectionNotEstablished|DatabaseConnectionError)\b",
        r"\bcould not (?:connect to server|translate host name)\b",
        r"\bconnection to server (?:at|on) .{0,200}? failed\b",
        r"\bcould not establish database connection\b",
        r"\bthe database system is (?:starting up|shutting down|in recovery mode)\b",
        r"\bserver closed the connection unexpectedly\b",
    ),
}
"""In the order in which one explains another: whoever is refused has reached the database."""


def causes(text: str) -> tuple[Cause, ...]:
    """Every cause that the text names, each once; what explains the others first."""
    read = text[-LONGEST:]
    found = (Cause(reason) for reason, words in TEXTS.items() if words.search(read))
    return (*_refusals(read), *found)


def _refusals(text: str) -> Iterator[Cause]:
    """Of the check of the databases, if the last of its reports ended the migrations."""
    headers = list(_HEADER.finditer(text))
    if not headers:
        return
    report = text[headers[-1].end() : headers[-1].end() + REPORT]
    if not _ONLY_WARNED.search(report):
        broken = [says for says, words in VALIDATION.items() if words.search(report)]
        yield Cause(Reason.GITLAB_DATABASE_CONFIG_REFUSED, "; ".join(broken))
