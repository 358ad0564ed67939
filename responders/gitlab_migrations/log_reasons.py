"""What a log of GitLab's says of its database, as reason codes. Pure.

Promises: nothing of the log is ever repeated. A cause is made of words that stand here alone; whatever else
the text holds, a password above all, stays out of it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from responders.gitlab_migrations.reasons import Reason
from shared.failure_texts import TABLE

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


_ONLY_WARNED: Final = _words(r"\bGITLAB_VALIDATE_DATABASE_CONFIG=1\b")
"""What it ends with where it was told not to insist."""
_QUOTE: Final = r"[\"'`]?"
ONE_DATABASE: Final = "main and ci have tasks on one database"
VALIDATION: Final[Mapping[str, re.Pattern[str]]] = {
    "main has no tasks": _words(rf"required to use {_QUOTE}database_tasks: true"),
    ONE_DATABASE: _words(r"\bshare the same database\b"),
    "what ci shares with is not there": _words(
        r"\bexpecting to share configuration with\b.{0,80}\bno such is to be found"
    ),
    "ci has no tasks and another database than main": _words(
        rf"using {_QUOTE}database_tasks: false{_QUOTE} should share database with"
    ),
}
"""Which of its rules was broken, in our words.
https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/tasks/gitlab/db/validate_config.rake"""

MEANS: Final[Mapping[str, Reason]] = {
    "DatabasePasswordRefused": Reason.MIGRATIONS_PASSWORD_REFUSED,
    "DatabaseMissing": Reason.MIGRATIONS_DATABASE_MISSING,
    "DatabaseExtensionMissing": Reason.MIGRATIONS_EXTENSION_MISSING,
    "DatabaseLocked": Reason.MIGRATIONS_LOCKED,
    "DatabaseTooSlow": Reason.MIGRATIONS_TIMED_OUT,
    "DatabaseUnreachable": Reason.MIGRATIONS_DATABASE_UNREACHABLE,
}
"""What a fault of the one table of failure texts means for the migrations whose log tells of it. In the order
in which one explains another: whoever is refused has reached the database."""

_IN_LOG: Final = {row.code: row.in_log for row in TABLE if row.in_log}
TEXTS: Final[Mapping[Reason, re.Pattern[str]]] = {reason: _IN_LOG[code] for code, reason in MEANS.items()}
_HEADER: Final = _IN_LOG["GitLabDatabaseConfigRefused"]
RULE: Final = "rule"
"""In a finding's evidence, the key of its cause's detail."""
_REFUSED: Final = (
    Reason.GITLAB_DATABASE_CONFIG_REFUSED,
    Reason.CONFIG_REFUSED_BEFORE,
    Reason.CONFIG_REFUSED_AS_MAPPED,
    Reason.CI_DATABASE_IN_USE,
    Reason.CI_DATABASE_UNREADABLE,
)
"""The refusal of the databases, and what is made of it by what is rendered."""
_TOLD: Final[Mapping[str, Reason]] = {
    **{reason: reason for reason in MEANS.values()},
    **dict.fromkeys(_REFUSED, Reason.GITLAB_DATABASE_CONFIG_REFUSED),
}
"""What a log told, by what was found of it."""


def causes(text: str) -> tuple[Cause, ...]:
    """Every cause that the text names, each once; what explains the others first."""
    read = text[-LONGEST:]
    found = (Cause(reason) for reason, words in TEXTS.items() if words.search(read))
    return (*_refusals(read), *found)


def remembered(reason: str, rule: str) -> Cause | None:
    """What a log told, by what an earlier run found of it; None where no log told that.

    rule: of the finding's evidence; empty where there is none, as in what older versions journalled
    """
    told = _TOLD.get(reason)
    ours = (one for one in rule.split("; ") if one in VALIDATION)
    return Cause(told, "; ".join(ours)) if told else None


def _refusals(text: str) -> Iterator[Cause]:
    """Of the check of the databases, if the last of its reports ended the migrations."""
    headers = list(_HEADER.finditer(text))
    if not headers:
        return
    report = text[headers[-1].end() : headers[-1].end() + REPORT]
    if not _ONLY_WARNED.search(report):
        broken = [says for says, words in VALIDATION.items() if words.search(report)]
        yield Cause(Reason.GITLAB_DATABASE_CONFIG_REFUSED, "; ".join(broken))
