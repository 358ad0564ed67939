"""Every broken state that can be dialled in: what people see, the Job's condition, and the log's words."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import requests

from sandbox.gitlab_variants import VARIANTS
from tests.sandbox.controllers.platform import Json, Platform
from tests.sandbox.gitlab.site import Site, conditions, waiting
from tests.waiting import eventually

FAILED = "BackoffLimitExceeded"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Of a new migrations Job, and what waits for it."""

    job: str
    """Reason of its end; empty: it does not end."""
    log: str = ""
    waits: str = ""
    """What a pod of webservice says why."""


SHARED = "since it is using 'database_tasks: false' should share database with 'main:'"
MANY = "Many configurations (main, ci) share the same database (gitlabhq_production)"
MIGRATIONS = {
    "gitlab-ci-unmapped": Seen(job=FAILED, log=f"- The 'ci' {SHARED}", waits="not been initialized"),
    "gitlab-ci-by-another-name": Seen(job=FAILED, log=f"- {MANY}", waits="not been initialized"),
    "gitlab-ci-tasks-by-hand": Seen(job=FAILED, log=f"- {MANY}", waits="not been initialized"),
    "gitlab-main-without-tasks": Seen(
        job=FAILED,
        log="- The 'main' is required to use 'database_tasks: true'",
        waits="not been initialized",
    ),
    "gitlab-ci-alone": Seen(
        job=FAILED,
        log="- The 'ci' is expecting to share configuration with 'main', but no such is to be found.",
        waits="not been initialized",
    ),
    "gitlab-ci-on-another-host": Seen(
        job="CompletionsReached",
        log='for ci: could not translate host name "postgres-ci-rw" to address',
        waits="Problem accessing ci database",
    ),
    "gitlab-database-unreachable": Seen(
        job=FAILED,
        log='could not translate host name "postgres-ameide-rw" to address',
        waits="could not translate host name",
    ),
    "gitlab-database-refuses": Seen(job=FAILED, log="Connection refused", waits="Connection refused"),
    "gitlab-database-missing": Seen(
        job=FAILED,
        log='FATAL:  database "gitlabhq_production" does not exist',
        waits="does not exist",
    ),
    "gitlab-password-refused": Seen(
        job=FAILED,
        log='FATAL:  password authentication failed for user "gitlab"',
        waits="password authentication failed",
    ),
    "gitlab-extension-missing": Seen(
        job=FAILED, log='extension "btree_gist" is not available', waits="not been initialized"
    ),
    "gitlab-database-locked": Seen(
        job=FAILED, log="canceling statement due to lock timeout", waits="not been initialized"
    ),
    "gitlab-deadline-exceeded": Seen(job="DeadlineExceeded", waits="not been initialized"),
}


@pytest.mark.parametrize(("name", "seen"), MIGRATIONS.items(), ids=MIGRATIONS)
def test_the_migrations_meet_what_is_wrong_and_people_see_it(well: Site, name: str, seen: Seen) -> None:
    before = tuple(one["metadata"]["name"] for one in well.jobs())
    well.break_(name)
    ending = "Complete" if seen.job == "CompletionsReached" else "Failed"
    job = well.job(ending, known=before)
    assert conditions(job)[ending] == seen.job
    log = well.log(job)
    assert seen.log in log
    assert ("Database config validation failure:" in log) is (seen.log.startswith("- "))
    assert_no_password(well, log)
    well.waits(seen.waits)
    well.becomes(502)


def assert_no_password(site: Site, log: str) -> None:
    assert str(site.platform.held("gitlab-db-password")) not in log


def test_an_image_that_no_registry_has_lets_the_job_wait(well: Site) -> None:
    before = [one["metadata"]["name"] for one in well.jobs()]
    well.break_("gitlab-image-not-pulled")

    def stuck() -> Json | None:
        pods = [pod for pod in well.pods("migrations") if pod["metadata"]["labels"]["job-name"] not in before]
        return next((pod for pod in pods if waiting(pod, "migrations") == "ImagePullBackOff"), None)

    pod = eventually(stuck, "a pod cannot pull its image")
    well.platform.hears(pod["metadata"]["name"], "gitlab-toolbox-ce:v18.8.9: not found")
    well.waits("not been initialized")
    well.becomes(502)


def test_tables_that_went_leave_a_complete_job_and_pods_that_wait(well: Site) -> None:
    (job,) = well.jobs()
    well.break_("gitlab-stuck-in-init")
    well.waits("not been initialized")
    well.becomes(502)
    assert [one["metadata"]["uid"] for one in well.jobs()] == [job["metadata"]["uid"]]
    assert "Complete" in conditions(job)


def test_an_object_storage_without_its_users_fails_pages_and_no_migration(well: Site) -> None:
    well.break_("gitlab-object-storage-users-gone")
    well.becomes(500)
    assert "InvalidAccessKeyId" in well.log_of_webservice()
    assert "Complete" in conditions(well.jobs()[0])
    assert well.deployment()["status"]["readyReplicas"] == 1


def test_monitoring_pages_are_not_there_for_those_who_are_not_on_the_list(well: Site) -> None:
    assert [well.ask(path).status_code for path in ("/-/health", "/-/readiness", "/-/liveness")] == [404] * 3
    well.break_("gitlab-monitoring-not-allowed")
    eventually(lambda: "10.0.0.0/8" not in str(well.deployment()["spec"]), "the list is empty")
    assert (well.ask("/-/readiness").status_code, well.ask().status_code) == (404, 200)


def test_monitoring_pages_are_there_for_those_who_are(well: Site) -> None:
    well.change_values(
        lambda values: values["gitlab"].update(webservice={"monitoring": {"ipWhitelist": ["127.0.0.1/32"]}})
    )
    well.becomes(200, "/-/health")
    assert well.ask("/-/health").text == "GitLab OK"


def test_a_webservice_that_was_scaled_to_nothing_is_down(well: Site) -> None:
    well.break_("gitlab-web-down")
    well.becomes(502)
    assert not well.pods("webservice")
    assert "Complete" in conditions(well.jobs()[0])


GATEWAY = {
    "gitlab-route-lost": 404,
    "gitlab-restricted-at-the-edge": 403,
    "gitlab-redirected-in-circles": 301,
}


@pytest.mark.parametrize(("name", "status"), GATEWAY.items(), ids=GATEWAY)
def test_what_stands_before_gitlab_may_answer_in_its_place(well: Site, name: str, status: int) -> None:
    well.break_(name)
    well.becomes(status)
    assert well.deployment()["status"]["readyReplicas"] == 1


def test_a_page_that_is_redirected_in_circles_leads_back_to_itself(well: Site) -> None:
    well.break_("gitlab-redirected-in-circles")
    well.becomes(301)
    answer = well.ask()
    assert answer.headers["Location"] == answer.url


def test_a_gateway_that_cuts_connections_is_no_answer(well: Site) -> None:
    well.break_("gitlab-unreachable")
    with pytest.raises(requests.ConnectionError):
        well.ask()


def test_every_variant_is_tried_here_and_says_in_one_line_what_it_is(everywhere: Platform) -> None:
    tried = {
        *MIGRATIONS,
        *GATEWAY,
        "gitlab-image-not-pulled",
        "gitlab-stuck-in-init",
        "gitlab-object-storage-users-gone",
        "gitlab-monitoring-not-allowed",
        "gitlab-web-down",
        "gitlab-unreachable",
    }
    assert set(VARIANTS) == tried
    told = everywhere.world.control.variants()
    assert all(told[name].endswith(".") for name in VARIANTS)


REPAIRS: dict[str, Callable[[Json], object]] = {
    "gitlab-ci-unmapped": lambda values: values["global"].update(
        psql={"ci": {"database": "gitlabhq_production", "host": "postgres-ameide-rw", "port": "5432"}}
    ),
    "gitlab-ci-by-another-name": lambda values: values["global"]["psql"]["ci"].update(
        host="postgres-ameide-rw"
    ),
    "gitlab-ci-tasks-by-hand": lambda values: values["global"]["psql"]["ci"].pop("databaseTasks"),
}


@pytest.mark.parametrize(("name", "repair"), REPAIRS.items(), ids=REPAIRS)
def test_right_values_in_git_make_another_job_and_that_heals_all(
    well: Site, name: str, repair: Callable[[Json], object]
) -> None:
    (first,) = well.jobs()
    well.break_(name)
    failed = well.job("Failed")
    well.change_values(repair)
    fresh = well.job("Complete", known=(first["metadata"]["name"],))
    assert fresh["metadata"]["name"] != failed["metadata"]["name"]
    well.becomes(200)


def test_another_suffix_in_git_runs_the_migrations_again(well: Site) -> None:
    well.break_("gitlab-stuck-in-init")
    well.becomes(502)
    well.change_values(lambda values: values["gitlab"]["migrations"]["annotations"].update(rerun="2"))
    well.becomes(200)
    assert len(well.jobs()) == 2
