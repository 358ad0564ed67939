"""Which targets explain what is found in GitLab: nothing waits for a fault that has no part in it."""

from dataclasses import replace
from typing import Any, Final

import pytest

from responders.gitlab_migrations import RESPONDER
from responders.gitlab_migrations.facts import MIGRATIONS, SIDEKIQ, WEBSERVICE, Facts
from responders.gitlab_migrations.log_reasons import Cause
from responders.gitlab_migrations.reasons import REASONS, Reason
from shared.clients.cluster_api import JobState
from shared.clients.web import NoAnswer, Page
from shared.model import Absent, Known
from tests.unit.applications.builders import condition
from tests.unit.gitlab_migrations.builders import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    WAITING,
    application,
    database_yml,
    declared,
    facts,
    failed,
    job,
    made,
    pod,
    pods,
    rendered,
    waiting,
    with_proposal,
)

SEEDING: Final = frozenset({"dev/vault_seeding"})
BOTH: Final = SEEDING | {"dev/keycloak_bootstrap"}
NOBODY: Final[frozenset[str]] = frozenset()

UNREACHABLE = Reason.MIGRATIONS_DATABASE_UNREACHABLE
REFUSED = Reason.MIGRATIONS_PASSWORD_REFUSED
LOCKED = Reason.MIGRATIONS_LOCKED
NO_KEYS = declared(migrations=None)
DEADLINE = Known((job(JobState.FAILED, reason="DeadlineExceeded"),))
CI_NOT_THERE = with_proposal(
    facts(
        rendered=rendered(database_yml(host="ci-rw")),
        pods=WAITING,
        page=Page(status=502),
        waits={WEBSERVICE: (Cause(UNREACHABLE),)},
    )
)


def twice_rerun(cause: Reason) -> Facts:
    return failed(cause, made=(made("b111111", mends=cause), made("c222222", mends=cause)))


def webservice(reason: str, **changes: Any) -> Facts:
    return facts(pods=pods(waiting(reason=reason, **changes)), page=Page(status=502))


def migrating(reason: str) -> Facts:
    """Their pod cannot begin."""
    stuck = waiting(MIGRATIONS, reason, MIGRATIONS)
    return facts(
        jobs=Known((job(JobState.ACTIVE, 10 * MINUTE),)), pods={**WAITING, MIGRATIONS: Known((stuck,))}
    )


CASES: dict[str, tuple[Facts, Reason, frozenset[str]]] = {
    # -- what no other target can mend
    "a database that is missing": (
        failed(Reason.MIGRATIONS_DATABASE_MISSING),
        Reason.MIGRATIONS_DATABASE_MISSING,
        NOBODY,
    ),
    "an extension that is missing": (
        failed(Reason.MIGRATIONS_EXTENSION_MISSING),
        Reason.MIGRATIONS_EXTENSION_MISSING,
        NOBODY,
    ),
    "a lock": (failed(LOCKED), LOCKED, NOBODY),
    "a lock that two other Jobs met as well": (twice_rerun(LOCKED), Reason.MIGRATIONS_STILL_FAIL, NOBODY),
    "a lock, where nobody may name another Job": (
        failed(LOCKED, declared=NO_KEYS),
        Reason.MIGRATIONS_SUFFIX_UNDECLARED,
        NOBODY,
    ),
    "a page that proves nothing": (facts(page=Page(status=403)), Reason.GITLAB_PAGE_UNPROVEN, NOBODY),
    # -- the migrations need no Keycloak
    "an unreachable database": (failed(UNREACHABLE), UNREACHABLE, SEEDING),
    "a password that is refused": (failed(REFUSED), REFUSED, SEEDING),
    "one that two other Jobs met as well": (twice_rerun(REFUSED), Reason.MIGRATIONS_STILL_FAIL, SEEDING),
    "one where nobody may name another Job": (
        failed(REFUSED, declared=NO_KEYS),
        Reason.MIGRATIONS_SUFFIX_UNDECLARED,
        SEEDING,
    ),
    "a database that pods cannot reach either": (
        failed(UNREACHABLE, waits={WEBSERVICE: (Cause(UNREACHABLE),)}),
        Reason.DATABASE_STILL_REFUSES,
        SEEDING,
    ),
    "a database whose root was mended a moment ago": (
        failed(UNREACHABLE, blocked_at=NOW - MINUTE),
        Reason.MIGRATIONS_CAUSE_MENDED,
        SEEDING,
    ),
    "a deadline": (failed(jobs=DEADLINE, log=Absent()), Reason.MIGRATIONS_TIMED_OUT, SEEDING),
    "a deadline while the image could not be pulled": (
        failed(
            jobs=DEADLINE,
            log=Absent(),
            pods={**WAITING, MIGRATIONS: Known((waiting(MIGRATIONS, "ImagePullBackOff", MIGRATIONS),))},
        ),
        Reason.MIGRATIONS_IMAGE_NOT_PULLED,
        SEEDING,
    ),
    "a log that is not understood": (failed(), Reason.MIGRATIONS_FAILED, SEEDING),
    "migrations that run for an hour": (
        facts(jobs=Known((job(JobState.ACTIVE, HOUR),)), pods=WAITING),
        Reason.MIGRATIONS_TAKE_TOO_LONG,
        SEEDING,
    ),
    "a Job that is not there": (
        facts(jobs=Known(()), pods=WAITING, page=Page(status=502)),
        Reason.MIGRATIONS_MISSING,
        SEEDING,
    ),
    "a database of ci that never answered": (CI_NOT_THERE, Reason.CI_DATABASE_NOT_THERE, SEEDING),
    "an Application that cannot be rendered": (
        facts(
            jobs=Known(()),
            pods=WAITING,
            page=Page(status=502),
            application=application(conditions=(condition("no such commit"),)),
        ),
        Reason.GITLAB_NOT_COMPARED,
        SEEDING,
    ),
    "a Secret that the migrations name": (
        migrating("CreateContainerConfigError"),
        Reason.GITLAB_DOES_NOT_START,
        SEEDING,
    ),
    # -- nor do images, gateways and what stores objects
    "an image that is not pulled yet": (
        webservice("ErrImagePull", age=SECOND),
        Reason.GITLAB_IMAGE_NOT_PULLED,
        SEEDING,
    ),
    "an image that is never pulled": (webservice("ErrImagePull"), Reason.GITLAB_DOES_NOT_START, SEEDING),
    "pods that say it is the database they wait for": (
        facts(
            pods=WAITING,
            page=Page(status=502),
            waits={app: (Cause(UNREACHABLE),) for app in (WEBSERVICE, SIDEKIQ)},
        ),
        Reason.GITLAB_STILL_INITIALISING,
        SEEDING,
    ),
    "a page without its object storage": (
        facts(page=Page(status=500), page_cause="ObjectStorageKeyUnknown"),
        Reason.GITLAB_PAGE_FAILS,
        SEEDING,
    ),
    "nobody answers": (facts(page=NoAnswer("timeout")), Reason.GITLAB_UNREACHABLE, SEEDING),
    "somebody else answers": (facts(page=Page(status=404)), Reason.GITLAB_PAGE_MISSING, SEEDING),
    # -- what GitLab's pods get from Keycloak, or may
    "a release that is not deployed": (
        facts(jobs=Known(()), pods={WEBSERVICE: Known(()), SIDEKIQ: Absent()}),
        Reason.GITLAB_NOT_DEPLOYED,
        BOTH,
    ),
    "a Secret that is not there yet": (
        webservice("CreateContainerConfigError", age=SECOND),
        Reason.GITLAB_SECRET_MISSING,
        BOTH,
    ),
    "a Secret that never comes": (
        webservice("CreateContainerConfigError"),
        Reason.GITLAB_DOES_NOT_START,
        BOTH,
    ),
    "pods that do not say what they wait for": (
        facts(pods=WAITING, page=Page(status=502)),
        Reason.GITLAB_STILL_INITIALISING,
        BOTH,
    ),
    "a pod that is not ready": (
        facts(pods=pods(None, pod(SIDEKIQ, ready=False))),
        Reason.GITLAB_NOT_READY,
        BOTH,
    ),
    "a page that fails of nobody knows what": (facts(page=Page(status=500)), Reason.GITLAB_PAGE_FAILS, BOTH),
    "a page that fails of its sign-on": (
        facts(page=Page(status=500), page_cause="ClientSecretRefused"),
        Reason.GITLAB_PAGE_FAILS,
        BOTH,
    ),
}


@pytest.mark.parametrize(("given", "reason", "roots"), CASES.values(), ids=CASES)
def test_waits_only_for_what_explains_it(given: Facts, reason: Reason, roots: frozenset[str]) -> None:
    watched = replace(given, environment="Dev", watched=frozenset({"vault_seeding", "keycloak_bootstrap"}))
    found = {one.reason: one for one in RESPONDER.check(watched, NOW)}
    waits_for = RESPONDER.rests_on(watched, found[reason]) if REASONS[reason].symptom else NOBODY
    assert waits_for == roots


def test_each_symptom_has_its_case() -> None:
    assert {reason for reason, info in REASONS.items() if info.symptom} <= {
        case[1] for case in CASES.values()
    }
