"""What is found on the way from the migrations to the page, and what is not called a fault."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from responders.gitlab_migrations.checks import check, doubt
from responders.gitlab_migrations.facts import MIGRATIONS, SIDEKIQ, WEBSERVICE, Facts
from responders.gitlab_migrations.leftovers import prefix_of
from responders.gitlab_migrations.log_reasons import ONE_DATABASE, Cause
from responders.gitlab_migrations.progress import SYNC_PATIENCE, situation
from responders.gitlab_migrations.reasons import REASONS, Reason
from responders.gitlab_migrations.repairs import MAP, RERUN, needed
from shared.clients.cluster_api import JobState
from shared.clients.git_files import FileAt
from shared.clients.github import PullRequest, State
from shared.clients.web import NoAnswer, Page
from shared.model import Absent, Finding, Known, Severity, Unknown
from shared.proposals import branch
from shared.world import Leads
from tests.unit.applications.builders import condition, operation
from tests.unit.gitlab_migrations.builders import (
    APPLICATION_ID,
    CI,
    HOUR,
    JOB,
    MINUTE,
    NOW,
    PAGE,
    SECOND,
    SECRET,
    SIGN_ON,
    UNMAPPED,
    URL,
    VALUES,
    WAITING,
    application,
    attempt,
    database_yml,
    declared,
    facts,
    failed,
    job,
    made,
    pod,
    pods,
    pull_request,
    refused,
    rendered,
    waiting,
    with_proposal,
)

FAILED = JobState.FAILED
ACTIVE = JobState.ACTIVE
UNREACHABLE = Reason.MIGRATIONS_DATABASE_UNREACHABLE
REFUSED = Reason.GITLAB_DATABASE_CONFIG_REFUSED
NO_KEYS = declared(migrations=None)
MONITORING = declared(page="/-/health")
BY_LOCK = Reason.MIGRATIONS_LOCKED


def proposed(state: State, given: Facts | None = None, **changes: Any) -> Facts:
    """The change has a pull request."""
    history = Known((pull_request(state, **changes),))
    return with_proposal(given or refused(), history=history, proposed=Absent())


def right(given: Facts | None = None, **changes: Any) -> Facts:
    """Git says what is wanted, and the cluster does not show it."""
    return replace(with_proposal(given or refused(), right=True), **changes)


def synced(age: timedelta, *, twice: bool = False, **changes: Any) -> Facts:
    """The same, and a sync was asked for."""
    given = right()
    ours = attempt(situation(given), NOW - age, **changes)
    return replace(given, attempts={APPLICATION_ID.lower(): ours}, syncs=(ours,) * (2 if twice else 1))


def without_job(**changes: Any) -> Facts:
    return facts(**{"jobs": Known(()), "pods": WAITING, "page": Page(status=502), **changes})


CASES: dict[str, tuple[Facts, list[Reason]]] = {
    "nothing is wrong": (facts(), []),
    # -- unread
    "without the cluster nothing is known": (
        facts(jobs=Unknown("403"), pods=dict.fromkeys((MIGRATIONS, WEBSERVICE), Unknown("403"))),
        [Reason.GITLAB_UNREAD] * 3,
    ),
    "without Jobs nothing is said of pods that wait": (
        facts(jobs=Unknown("403"), pods=WAITING),
        [Reason.GITLAB_UNREAD],
    ),
    "a log that cannot be read is not called unknown": (failed(log=Unknown("503")), [Reason.GITLAB_UNREAD]),
    "a ConfigMap that cannot be read gives no verdict on the mapping": (
        refused(rendered=Unknown("403")),
        [Reason.GITLAB_UNREAD],
    ),
    "an Application that nobody needs may be unread": (facts(application=Unknown("403")), []),
    # -- deployed
    "neither Job nor pods": (
        facts(jobs=Known(()), pods={WEBSERVICE: Known(()), SIDEKIQ: Absent()}),
        [Reason.GITLAB_NOT_DEPLOYED],
    ),
    # -- migrations under way, or gone
    "migrations that run": (
        facts(jobs=Known((job(ACTIVE, MINUTE),)), pods=WAITING, page=Page(status=502)),
        [Reason.MIGRATIONS_RUNNING],
    ),
    "migrations that fail and are tried again": (
        failed(UNREACHABLE, jobs=Known((job(ACTIVE, 10 * MINUTE),))),
        [Reason.MIGRATIONS_RUNNING, UNREACHABLE],
    ),
    "migrations whose databases are refused at every try, which nothing is run beside": (
        refused(jobs=Known((job(ACTIVE, 10 * MINUTE),))),
        [Reason.MIGRATIONS_RUNNING, REFUSED],
    ),
    "migrations that failed at first, as their database comes up": (
        failed(UNREACHABLE, jobs=Known((job(ACTIVE, MINUTE),))),
        [Reason.MIGRATIONS_RUNNING],
    ),
    "migrations that run for an hour": (
        facts(jobs=Known((job(ACTIVE, HOUR),)), pods=WAITING, page=Page(status=502)),
        [Reason.MIGRATIONS_TAKE_TOO_LONG],
    ),
    "a Job that failed beside an older one that still runs": (
        failed(BY_LOCK, jobs=Known((job(FAILED, MINUTE), job(ACTIVE, HOUR / 2, name="older")))),
        [Reason.MIGRATIONS_RUNNING],
    ),
    "a Job that failed beside an older one that runs for an hour": (
        failed(BY_LOCK, jobs=Known((job(FAILED, MINUTE), job(ACTIVE, HOUR, name="older")))),
        [Reason.MIGRATIONS_TAKE_TOO_LONG],
    ),
    "a pod that is still at work when its Job has failed": (
        failed(BY_LOCK, pods={**WAITING, MIGRATIONS: Known((pod(MIGRATIONS, MINUTE),))}),
        [Reason.MIGRATIONS_RUNNING],
    ),
    "a pod that outlives its Job": (
        without_job(pods={**WAITING, MIGRATIONS: Known((pod(MIGRATIONS, MINUTE),))}),
        [Reason.MIGRATIONS_RUNNING],
    ),
    "the newest Job counts, whatever became of older ones": (
        facts(jobs=Known((job(), job(FAILED, 9 * HOUR, name="older")))),
        [],
    ),
    "a Job that was cleaned up is no fault when the page answers": (facts(jobs=Known(())), []),
    "nor while pods wait for something, as a page that answers has the schema": (
        facts(jobs=Known(()), pods=WAITING),
        [Reason.GITLAB_STILL_INITIALISING] * 2,
    ),
    "nor when only the pods are there to tell": (
        facts(jobs=Known(()), page=NoAnswer("timeout"), pods=pods(pod(age=SECOND))),
        [Reason.GITLAB_STARTING],
    ),
    "a Job that is missing while pods wait for its schema": (without_job(), [Reason.MIGRATIONS_MISSING]),
    "that waits for a sync that is under way": (
        without_job(application=application(requested=True)),
        [Reason.GITLAB_SYNCING, Reason.MIGRATIONS_MISSING],
    ),
    "that waits for a database that does not answer, as while it is restored": (
        without_job(waits={WEBSERVICE: (Cause(UNREACHABLE),)}),
        [Reason.DATABASE_STILL_REFUSES, Reason.MIGRATIONS_MISSING],
    ),
    "that is people's where nobody can be asked for a sync": (
        without_job(application=Absent(), application_id=""),
        [Reason.GITLAB_SYNC_LEFT_TO_PEOPLE, Reason.MIGRATIONS_MISSING],
    ),
    # -- the mapping
    "a refused mapping that is not main's": (refused(), [REFUSED]),
    "a refused mapping without any ci": (refused(database_yml(ci=None)), [REFUSED]),
    "a refused mapping that spells main's host otherwise": (
        refused(
            database_yml(host="postgres-ameide-rw.ameide-dev", tasks=True),
            log=Known((Cause(REFUSED, ONE_DATABASE),)),
        ),
        [REFUSED],
    ),
    "a refused mapping to main's database by another service": (
        refused(database_yml(host="pgbouncer", tasks=True), log=Known((Cause(REFUSED, ONE_DATABASE),))),
        [REFUSED],
    ),
    "a database of ci's own, which is not what was refused": (
        refused(database_yml(ci="ci", host="ci-rw", tasks=True)),
        [Reason.CONFIG_REFUSED_AS_MAPPED],
    ),
    "nor is a database of another name, whatever the log tells": (
        refused(database_yml(ci="ci", tasks=True), log=Known((Cause(REFUSED, ONE_DATABASE),))),
        [Reason.CONFIG_REFUSED_AS_MAPPED],
    ),
    "nor one in another namespace, whose host begins as main's": (
        refused(database_yml(host="postgres-ameide-rw.ci-prod", tasks=True)),
        [Reason.CONFIG_REFUSED_AS_MAPPED],
    ),
    "a database of ci's own that somebody set up after the refusal": (
        refused(
            database_yml(ci="ci", host="ci-rw", tasks=True),
            application=application(operation=operation(age=MINUTE)),
        ),
        [Reason.CONFIG_REFUSED_BEFORE],
    ),
    "a ci that is written in a way that is not understood": (
        refused(database_yml(ci=None) + "  ci: {database: ci, host: ci-rw}\n"),
        [Reason.CONFIG_REFUSED_AS_MAPPED],
    ),
    "a refused mapping apart from main, while pods serve": (
        refused(pods=pods(), page=Page(status=200)),
        [Reason.CI_DATABASE_IN_USE],
    ),
    "a refused mapping to a main that is an expression": (
        refused(UNMAPPED.replace('"gitlabhq_production"', "<%= ENV['DB'] %>", 1)),
        [Reason.CI_DATABASE_UNREADABLE],
    ),
    "a refusal without any ConfigMap of the release": (
        refused(rendered=Absent()),
        [Reason.CI_DATABASE_UNREADABLE],
    ),
    "a refused mapping that is main's": (refused(database_yml()), [Reason.CONFIG_REFUSED_AS_MAPPED]),
    "a refused mapping with tasks of its own, which no mapping mends": (
        refused(database_yml(tasks=True)),
        [Reason.CONFIG_REFUSED_AS_MAPPED],
    ),
    "a main without tasks, which no mapping mends either": (
        refused(database_yml(ci="other", main_tasks=False)),
        [Reason.CONFIG_REFUSED_AS_MAPPED],
    ),
    "a Job that is older than the sync that brought the mapping": (
        refused(database_yml(), application=application(operation=operation(age=MINUTE))),
        [Reason.CONFIG_REFUSED_BEFORE],
    ),
    "the check refuses, and the database was slow at first": (
        failed(REFUSED, UNREACHABLE, rendered=rendered(UNMAPPED)),
        [REFUSED],
    ),
    "a mapping that the next migrations will be refused for": (
        facts(rendered=rendered(UNMAPPED)),
        [Reason.CI_DATABASE_NOT_MAINS],
    ),
    "a database of ci's own that serves": (
        facts(rendered=rendered(database_yml(ci="ci", host="ci-rw", tasks=True))),
        [Reason.CI_DATABASE_OWN],
    ),
    "a database of ci's own that never answered": (
        with_proposal(
            facts(
                rendered=rendered(database_yml(host="ci-rw")),
                pods=WAITING,
                page=Page(status=502),
                waits={WEBSERVICE: (Cause(UNREACHABLE),)},
            )
        ),
        [Reason.CI_DATABASE_NOT_THERE],
    ),
    "one that was migrated and answers no more, while every pod waits for it": (
        facts(
            rendered=rendered(database_yml(ci="ci", host="ci-rw", tasks=True)),
            pods=WAITING,
            page=Page(status=502),
            waits={WEBSERVICE: (Cause(UNREACHABLE),)},
        ),
        [Reason.CI_DATABASE_OWN, *[Reason.GITLAB_STILL_INITIALISING] * 2],
    ),
    "one whose host begins as main's was migrated, and so is another one": (
        facts(rendered=rendered(database_yml(host="postgres-ameide-rw.ci-prod", tasks=True))),
        [Reason.CI_DATABASE_OWN],
    ),
    "one that answers no more, after it served": (
        facts(
            rendered=rendered(database_yml(host="ci-rw", tasks=True)),
            pods=pods(waiting(), pod(SIDEKIQ)),
            page=Page(status=502),
            waits={WEBSERVICE: (Cause(UNREACHABLE),)},
        ),
        [Reason.CI_DATABASE_OWN, Reason.GITLAB_STILL_INITIALISING],
    ),
    "tasks that both have, while the migrations are complete": (
        facts(rendered=rendered(database_yml(tasks=True))),
        [Reason.DATABASE_TASKS_WRONG],
    ),
    "a GitLab with main alone": (facts(rendered=rendered(database_yml(ci=None))), []),
    "migrations that are complete, without any ConfigMap": (facts(rendered=Absent()), []),
    # -- other failures
    "an unreachable database": (failed(UNREACHABLE), [UNREACHABLE]),
    "one that pods still cannot reach": (
        failed(UNREACHABLE, waits={WEBSERVICE: (Cause(UNREACHABLE),)}),
        [UNREACHABLE, Reason.DATABASE_STILL_REFUSES],
    ),
    "one whose cause was mended a moment ago": (
        failed(UNREACHABLE, blocked_at=NOW - MINUTE),
        [UNREACHABLE, Reason.MIGRATIONS_CAUSE_MENDED],
    ),
    "one whose cause was mended a while ago": (failed(UNREACHABLE, blocked_at=NOW - HOUR), [UNREACHABLE]),
    "a password that is refused": (
        failed(Reason.MIGRATIONS_PASSWORD_REFUSED, UNREACHABLE),
        [Reason.MIGRATIONS_PASSWORD_REFUSED],
    ),
    "a database that is missing": (
        failed(Reason.MIGRATIONS_DATABASE_MISSING),
        [Reason.MIGRATIONS_DATABASE_MISSING],
    ),
    "an extension that is missing": (
        failed(Reason.MIGRATIONS_EXTENSION_MISSING),
        [Reason.MIGRATIONS_EXTENSION_MISSING],
    ),
    "a lock": (failed(BY_LOCK), [BY_LOCK]),
    "a deadline": (
        failed(jobs=Known((job(FAILED, reason="DeadlineExceeded"),)), log=Absent()),
        [Reason.MIGRATIONS_TIMED_OUT],
    ),
    "a deadline while the image could not be pulled": (
        failed(
            jobs=Known((job(FAILED, reason="DeadlineExceeded"),)),
            log=Absent(),
            pods={**WAITING, MIGRATIONS: Known((waiting(MIGRATIONS, "ImagePullBackOff", MIGRATIONS),))},
        ),
        [Reason.MIGRATIONS_IMAGE_NOT_PULLED],
    ),
    "a deadline whose log tells more": (
        failed(UNREACHABLE, jobs=Known((job(FAILED, reason="DeadlineExceeded"),))),
        [UNREACHABLE],
    ),
    "a log that is not understood": (failed(), [Reason.MIGRATIONS_FAILED]),
    "a log that is gone": (failed(log=Absent()), [Reason.MIGRATIONS_FAILED]),
    "a failure is one, though older pods still serve": (
        failed(BY_LOCK, pods=pods(), page=Page(status=200)),
        [BY_LOCK],
    ),
    # -- reruns that are enough
    "a third suffix of a day is people's to choose": (
        failed(BY_LOCK, made=(made("b111111"), made("c222222"))),
        [BY_LOCK, Reason.MIGRATIONS_STILL_FAIL],
    ),
    "suffixes for another failure do not count": (
        failed(BY_LOCK, made=(made("b111111"), made("c222222", mends=UNREACHABLE))),
        [BY_LOCK],
    ),
    "nor do those of another day": (
        failed(BY_LOCK, made=(made("b111111", 25 * HOUR), made("c222222"))),
        [BY_LOCK],
    ),
    "nor the same one twice": (failed(BY_LOCK, made=(made("b111111"), made("b111111"))), [BY_LOCK]),
    # -- the change in Git
    "a mapping without any declared key": (
        refused(declared=NO_KEYS),
        [Reason.MIGRATIONS_MAPPING_UNDECLARED, REFUSED],
    ),
    "another suffix without any declared key": (
        failed(BY_LOCK, declared=NO_KEYS),
        [BY_LOCK, Reason.MIGRATIONS_SUFFIX_UNDECLARED],
    ),
    "a pull request that waits": (
        with_proposal(
            refused(),
            history=Known((pull_request(),)),
            proposed=Known(FileAt("wanted", "c0ffee")),
        ),
        [Reason.MIGRATIONS_CHANGE_OPEN, REFUSED],
    ),
    "a pull request below which the file changed": (proposed(State.OPEN), [REFUSED]),
    "a pull request that somebody closed": (
        proposed(State.DECLINED),
        [Reason.MIGRATIONS_CHANGE_DECLINED, REFUSED],
    ),
    "a pull request that was merged just now": (
        proposed(State.MERGED, ended_at=NOW),
        [Reason.MIGRATIONS_CHANGE_SETTLING, REFUSED],
    ),
    "a change that somebody took back": (
        proposed(State.MERGED, ended_at=NOW - HOUR),
        [Reason.MIGRATIONS_CHANGE_UNDONE, REFUSED],
    ),
    "pull requests that cannot be listed": (
        with_proposal(refused(), history=Unknown("403")),
        [Reason.GITLAB_UNREAD, REFUSED],
    ),
    "a file that cannot be read": (
        with_proposal(refused(), text=Unknown("403"), wanted_text=None, after={}),
        [Reason.GITLAB_UNREAD, REFUSED],
    ),
    "a file that is not there": (
        with_proposal(refused(), text=Absent(), wanted_text=None, after={}),
        [Reason.MIGRATIONS_VALUES_MISSING, REFUSED],
    ),
    "a file that allows no edit": (
        with_proposal(refused(), wanted_text=None),
        [Reason.MIGRATIONS_VALUES_UNEDITABLE, REFUSED],
    ),
    "another suffix waits for a sync, which may bring one by itself": (
        failed(BY_LOCK, application=application(requested=True)),
        [Reason.GITLAB_SYNCING, BY_LOCK],
    ),
    "the mapping does not": (refused(application=application(requested=True)), [REFUSED]),
    # -- the sync
    "a change that Git has and the cluster does not show": (right(), [Reason.MIGRATIONS_NOT_SYNCED, REFUSED]),
    "a sync that is under way": (
        right(application=application(requested=True)),
        [Reason.GITLAB_SYNCING, REFUSED],
    ),
    "a sync that was asked for": (synced(SECOND), [Reason.GITLAB_SYNCING, REFUSED]),
    "a sync that changed nothing": (synced(SYNC_PATIENCE), [Reason.GITLAB_SYNC_IN_VAIN, REFUSED]),
    "a sync that was asked for long ago": (synced(HOUR), [Reason.MIGRATIONS_NOT_SYNCED, REFUSED]),
    "a sync that was asked for twice within a day": (
        synced(HOUR, twice=True),
        [Reason.GITLAB_SYNC_IN_VAIN, REFUSED],
    ),
    "an Application that people sync": (
        right(application=application(automated=False)),
        [Reason.GITLAB_SYNC_LEFT_TO_PEOPLE, REFUSED],
    ),
    "a sync whose answer was lost": (
        synced(SECOND, confirmed=False),
        [Reason.MIGRATIONS_NOT_SYNCED, REFUSED],
    ),
    "a second one a moment ago, which may be under way": (
        synced(SECOND, twice=True, confirmed=False),
        [Reason.GITLAB_SYNCING, REFUSED],
    ),
    "a second one whose answer was lost, and which changed nothing": (
        synced(SYNC_PATIENCE, twice=True, confirmed=False),
        [Reason.GITLAB_SYNC_IN_VAIN, REFUSED],
    ),
    "an environment without Argo CD": (
        right(application=Absent(), application_id=""),
        [Reason.GITLAB_SYNC_LEFT_TO_PEOPLE, REFUSED],
    ),
    "an Application that is not there": (
        right(application=Absent()),
        [Reason.GITLAB_SYNC_LEFT_TO_PEOPLE, REFUSED],
    ),
    "an Application that is being deleted": (
        right(application=application(deleting=True)),
        [Reason.GITLAB_SYNC_LEFT_TO_PEOPLE, REFUSED],
    ),
    "an Application that is left alone": (
        right(application=application(skipped=True)),
        [Reason.GITLAB_SYNC_LEFT_TO_PEOPLE, REFUSED],
    ),
    "an Application that cannot be rendered": (
        right(application=application(conditions=(condition("no such commit"),))),
        [REFUSED, Reason.GITLAB_NOT_COMPARED],
    ),
    "an Application whose last sync failed": (
        right(application=application(conditions=(condition("no", "SyncError"),))),
        [Reason.MIGRATIONS_NOT_SYNCED, REFUSED],
    ),
    "an Application that cannot be read": (
        right(application=Unknown("403")),
        [Reason.GITLAB_UNREAD, REFUSED],
    ),
    # -- pods
    "a Secret that is missing": (
        facts(pods=pods(waiting(age=SECOND, reason="CreateContainerConfigError")), page=Page(status=502)),
        [Reason.GITLAB_SECRET_MISSING],
    ),
    "a Secret that is missing for long": (
        facts(pods=pods(waiting(reason="CreateContainerConfigError")), page=Page(status=502)),
        [Reason.GITLAB_DOES_NOT_START],
    ),
    "a Secret that keeps the migrations from starting": (
        facts(
            jobs=Known((job(ACTIVE, MINUTE),)),
            pods={
                **WAITING,
                MIGRATIONS: Known((waiting(MIGRATIONS, "CreateContainerConfigError", age=MINUTE),)),
            },
            page=Page(status=502),
        ),
        [Reason.MIGRATIONS_RUNNING, Reason.GITLAB_SECRET_MISSING],
    ),
    "an image that cannot be pulled": (
        facts(pods=pods(None, waiting(SIDEKIQ, "ErrImagePull", age=SECOND))),
        [Reason.GITLAB_IMAGE_NOT_PULLED],
    ),
    "an image that could not be pulled while its root was broken": (
        facts(pods=pods(None, waiting(SIDEKIQ, "ErrImagePull")), blocked_at=NOW - MINUTE),
        [Reason.GITLAB_IMAGE_NOT_PULLED],
    ),
    "pods that wait though the schema came a moment ago": (
        facts(jobs=Known((job(age=MINUTE),)), pods=WAITING, page=Page(status=502)),
        [Reason.GITLAB_STARTING] * 2,
    ),
    "pods that wait though the schema is there": (
        facts(pods=WAITING, page=Page(status=502)),
        [Reason.GITLAB_STILL_INITIALISING] * 2,
    ),
    "a young pod beside one that serves": (
        facts(
            pods={
                WEBSERVICE: Known((waiting(age=SECOND), pod())),
                SIDEKIQ: Known((pod(SIDEKIQ),)),
            }
        ),
        [],
    ),
    "an old pod that waits beside one that serves": (
        facts(pods={WEBSERVICE: Known((waiting(), pod())), SIDEKIQ: Known((pod(SIDEKIQ),))}),
        [Reason.GITLAB_STILL_INITIALISING],
    ),
    "a pod that is not ready": (facts(pods=pods(None, pod(SIDEKIQ, ready=False))), [Reason.GITLAB_NOT_READY]),
    "a workload without any pod": (
        facts(pods={WEBSERVICE: Known(()), SIDEKIQ: Known((pod(SIDEKIQ),))}, page=Page(status=502)),
        [Reason.GITLAB_NOT_READY],
    ),
    # -- the page
    "a page that leads to the sign-on is well": (
        facts(page=Page(status=302, redirected_to=SIGN_ON)),
        [],
    ),
    "nor is anything wrong where the sign-on is declared with its port": (
        facts(sign_on=f"{SIGN_ON}:443", page=Page(status=302, redirected_to=SIGN_ON)),
        [],
    ),
    "a page that leads to a host that is not the sign-on proves nothing": (
        facts(page=Page(status=302, redirected_to="https://parking.example")),
        [Reason.GITLAB_PAGE_UNPROVEN],
    ),
    "nor does one that leads to another port of the sign-on": (
        facts(page=Page(status=302, redirected_to=f"{SIGN_ON}:8443")),
        [Reason.GITLAB_PAGE_UNPROVEN],
    ),
    "nor one that leads to another host where no sign-on is declared": (
        facts(sign_on="", page=Page(status=302, redirected_to=SIGN_ON)),
        [Reason.GITLAB_PAGE_UNPROVEN],
    ),
    "a page that leads in circles at the address of the sign-on as well": (
        facts(sign_on=URL, page=Page(status=302, redirected_to=URL)),
        [Reason.GITLAB_PAGE_FAILS],
    ),
    "a page that leads in circles": (
        facts(page=Page(status=302, redirected_to=declared().url)),
        [Reason.GITLAB_PAGE_FAILS],
    ),
    "one that leads in circles where the port is declared": (
        facts(
            declared=declared(url=f"{declared().url}:443"),
            page=Page(status=302, redirected_to=declared().url),
        ),
        [Reason.GITLAB_PAGE_FAILS],
    ),
    "a page that leads to itself without encryption proves nothing": (
        facts(page=Page(status=301, redirected_to="http://gitlab.dev.example")),
        [Reason.GITLAB_PAGE_UNPROVEN],
    ),
    "nor does one that leads nowhere": (facts(page=Page(status=302)), [Reason.GITLAB_PAGE_UNPROVEN]),
    "a page that fails with migrations that are well": (
        facts(page=Page(status=500)),
        [Reason.GITLAB_PAGE_FAILS],
    ),
    "a page that fails a moment after the pod became ready": (
        facts(page=Page(status=502), pods=pods(pod(age=SECOND))),
        [Reason.GITLAB_STARTING],
    ),
    "a page that fails because of migrations is no fault of its own": (
        failed(BY_LOCK, pods=pods(), page=Page(status=500)),
        [BY_LOCK],
    ),
    "nobody answers": (facts(page=NoAnswer("timeout")), [Reason.GITLAB_UNREACHABLE]),
    "nobody answers while no pod is ready": (
        facts(page=NoAnswer("timeout"), pods=pods(pod(ready=False))),
        [Reason.GITLAB_NOT_READY],
    ),
    "a page that is not there": (facts(page=Page(status=404)), [Reason.GITLAB_PAGE_MISSING]),
    "a monitoring page that is not shown to us": (
        facts(declared=MONITORING, page=Page(status=404)),
        [Reason.GITLAB_MONITORING_NOT_ALLOWED],
    ),
    "an edge that lets us not through": (facts(page=Page(status=403)), [Reason.GITLAB_PAGE_UNPROVEN]),
    "a proxy that asks who we are": (facts(page=Page(status=401)), [Reason.GITLAB_PAGE_UNPROVEN]),
    "a refusal a moment after the pod became ready": (
        facts(page=Page(status=403), pods=pods(pod(age=SECOND))),
        [Reason.GITLAB_STARTING],
    ),
    "a page that is asked for too often": (facts(page=Page(status=429)), [Reason.GITLAB_UNREAD]),
}


def reasons(given: Facts) -> list[str]:
    return [one.reason for one in check(given, NOW)]


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_names_what_is_wrong(given: Facts, expected: list[Reason]) -> None:
    assert reasons(given) == expected


def test_every_reason_has_a_case() -> None:
    told = {reason for _, expected in CASES.values() for reason in expected}
    assert set(Reason) - told == {Reason.MIGRATIONS_CHANGE_SUPERSEDED}, "it has tests of its own"


def test_a_page_that_fails_names_the_evidence_that_points_elsewhere() -> None:
    (found,) = check(facts(page=Page(status=500), page_cause="ObjectStorageKeyUnknown"), NOW)
    assert found.evidence == {"cause": "ObjectStorageKeyUnknown"}
    assert found.message.endswith("it answers 500, and the webservice's log tells of ObjectStorageKeyUnknown")
    assert REASONS[found.reason].leads is Leads.PERSON


def test_no_answer_and_an_error_are_told_apart() -> None:
    (silent,), (failing,) = check(facts(page=NoAnswer("name")), NOW), check(facts(page=Page(status=503)), NOW)
    assert silent.message.endswith("nobody answers (name)")
    assert failing.message.endswith("it answers 503")


PROVES_NOTHING = {
    Page(status=403): "it answers 403, which proves nothing: we are not let in",
    Page(status=401): "it answers 401, which proves nothing: we are not let in",
    Page(status=410): "it answers 410, which proves nothing",
    Page(status=302, redirected_to=URL): "it answers 302, and leads back to itself without an end",
    Page(status=301, redirected_to="http://gitlab.dev.example"): (
        "it answers 301, which proves nothing: it leads to http://gitlab.dev.example"
    ),
    Page(status=302, redirected_to="https://parking.example"): (
        "it answers 302, which proves nothing: it leads to https://parking.example"
    ),
    Page(status=429): "it could not be read: it answers 429",
}


@pytest.mark.parametrize(("page", "says"), PROVES_NOTHING.items(), ids=str)
def test_a_page_that_is_not_seen_says_what_it_answers_instead(page: Page, says: str) -> None:
    (found,) = check(facts(page=page), NOW)
    assert found.message == f"{PAGE}: {says}"


def test_a_refused_mapping_says_what_differs_and_which_rule_was_broken() -> None:
    found = of(refused(log=Known((Cause(REFUSED, "the rule"),))), REFUSED)
    assert found.message == (
        f"Job {JOB} failed: the databases were refused, and of ci database is gitlabhq_production_ci, not "
        "gitlabhq_production"
    )
    assert found.evidence == {"rule": "the rule", "ended": "BackoffLimitExceeded", "page": "502"}


def test_what_may_hold_data_of_ci_is_never_mapped_by_way_of_precaution() -> None:
    assert needed(facts(rendered=rendered(UNMAPPED))) is None
    assert REASONS[Reason.CI_DATABASE_NOT_MAINS].leads is Leads.NOTE
    assert REASONS[Reason.CI_DATABASE_NOT_MAINS].severity is Severity.WARNING
    assert REASONS[Reason.CI_DATABASE_IN_USE].leads is Leads.PERSON
    assert REASONS[REFUSED].severity is Severity.ERROR


def test_without_a_key_the_exact_change_is_named() -> None:
    mapping = of(refused(declared=NO_KEYS), Reason.MIGRATIONS_MAPPING_UNDECLARED)
    assert mapping.message.endswith("global.psql.ci.database = gitlabhq_production")
    suffix = of(failed(BY_LOCK, declared=NO_KEYS), Reason.MIGRATIONS_SUFFIX_UNDECLARED)
    assert "an annotation of the migrations = " in suffix.message


def test_a_pull_request_is_named_with_its_address() -> None:
    found = of(proposed(State.DECLINED), Reason.MIGRATIONS_CHANGE_DECLINED)
    assert (found.subject, found.evidence) == (VALUES.reference, {"url": pull_request().url})
    assert f"{CI}.database = gitlabhq_production" in found.message


def test_nothing_is_said_of_a_sync_before_the_change_is_in_git() -> None:
    given = replace(refused(), attempts={APPLICATION_ID.lower(): attempt("other", NOW - HOUR / 2)})
    assert reasons(given) == [REFUSED]


# -- pull requests that nobody needs ------------------------------------------------------


def ours(action: str, change: str = "0123456789abcdef", number: int = 7) -> PullRequest:
    return pull_request(number=number, branch=branch(prefix_of("dev", action), change))


def own(given: Facts, action: str) -> PullRequest:
    assert given.proposal is not None
    return ours(action, given.proposal.change, 9)


def test_a_pull_request_is_needless_once_the_migrations_are_complete() -> None:
    found = check(facts(proposals=Known((ours(MAP), ours(RERUN, number=8)))), NOW)
    assert [one.reason for one in found] == [Reason.MIGRATIONS_CHANGE_SUPERSEDED] * 2


def test_the_one_that_is_needed_is_left_open_and_an_older_one_is_not() -> None:
    given = refused()
    found = check(replace(given, proposals=Known((ours(MAP), own(given, MAP), ours(RERUN, number=8)))), NOW)
    needless = [one.subject for one in found if one.reason == Reason.MIGRATIONS_CHANGE_SUPERSEDED]
    assert needless == [pull_request(number=7).url, pull_request(number=8).url]


def test_a_mapping_stays_proposed_while_the_migrations_fail_of_something_else() -> None:
    given = failed(BY_LOCK, rendered=rendered(UNMAPPED), proposals=Known((ours(MAP), ours(RERUN, number=8))))
    needless = [one.subject for one in check(given, NOW) if one.reason == Reason.MIGRATIONS_CHANGE_SUPERSEDED]
    assert needless == [pull_request(number=8).url]


KEPT = {
    "the migrations run": facts(jobs=Known((job(ACTIVE, MINUTE),)), pods=WAITING),
    "they are gone": facts(jobs=Known(())),
    "the file cannot be read": with_proposal(refused(), text=Unknown("403"), wanted_text=None, after={}),
    "Jobs cannot be listed": facts(jobs=Unknown("403")),
    "what they failed of is not known": failed(log=Unknown("403")),
}


@pytest.mark.parametrize("given", KEPT.values(), ids=KEPT)
def test_no_pull_request_is_needless_while(given: Facts) -> None:
    listed = replace(given, proposals=Known((ours(MAP), ours(RERUN, number=8))))
    assert Reason.MIGRATIONS_CHANGE_SUPERSEDED not in reasons(listed)


def test_a_pull_request_of_somebody_else_is_never_needless() -> None:
    foreign = pull_request(branch="reconverge/dev/gitlab-other-0123456789ab")
    assert reasons(facts(proposals=Known((foreign,)))) == []


def test_pull_requests_that_cannot_be_listed_are_told() -> None:
    assert reasons(facts(proposals=Unknown("403"))) == [Reason.GITLAB_UNREAD]


# -- all ----------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [given for given, _ in CASES.values()], ids=CASES)
def test_says_nothing_of_what_is_secret_and_doubts_nothing(given: Facts) -> None:
    assert SECRET not in str(check(given, NOW))
    assert doubt(given, (), NOW) == ()


def of(given: Facts, reason: Reason) -> Finding:
    return next(one for one in check(given, NOW) if one.reason == reason)
