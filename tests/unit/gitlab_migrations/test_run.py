"""Whole runs against a GitLab in memory: what is repaired, by which way, and what is left alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from responders.gitlab_migrations.apply import apply
from responders.gitlab_migrations.facts import WEBSERVICE
from responders.gitlab_migrations.plan import SYNC
from responders.gitlab_migrations.reasons import Reason
from responders.gitlab_migrations.repairs import MAP, RERUN, is_suffix
from shared.clients.cluster_api import JobState
from shared.errors import PermanentError, ReconvergeError, TemporaryError, Throttled, WriteConflict
from shared.journal import Journal, Kind
from shared.landscape import DeclaredMigrations, Mode
from shared.model import Channel, Step, Word
from tests.unit.applications.builders import operation
from tests.unit.clocks import START
from tests.unit.federated_credentials.builders import CLUSTER
from tests.unit.gitlab_migrations.builders import (
    APPLICATION_ID,
    CI,
    PAGE,
    SECRET,
    SIGN_ON,
    SUFFIX,
    URL,
    VALUES,
    database_yml,
    declared,
)
from tests.unit.gitlab_migrations.world import (
    APP,
    GIT,
    LABELS,
    NO_DATABASE,
    ON_ONE,
    REFUSAL,
    World,
    unmapped,
    without_database,
)
from tests.unit.keycloak_bootstrap.builders import declared as keycloak

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
GITOPS = "https://github.com/ameide/gitops"
LOCK = "PG::LockNotAvailable: ERROR:  canceling statement due to lock timeout"


def always_locked() -> World:
    """The migrations fail of a lock, whatever is changed."""
    world = World()
    world.never_succeeds = LOCK
    world.commit(lambda text: text.replace('"1"', '"2"'))
    world.controller_syncs(APP)
    return world


def everything(world: World) -> str:
    """All that a run leaves behind for people."""
    entries = Journal(world.rows, world.clock).read(world.scope.target, since=START)
    return f"{entries} {world.github.texts} {world.github.comments} {world.github.messages}"


# -- nothing to do ------------------------------------------------------------------------


def test_a_gitlab_that_is_well_is_left_alone() -> None:
    world = World()
    assert world.run().outcome.word is Word.CONVERGED
    assert (world.github.open, world.argocd.asked) == ([], [])


OTHERS: dict[str, dict[str, Any]] = {
    "of background migrations, by its name": {"name": "platform-gitlab-migrations-bbm-1234567"},
    "of background migrations, by a shorter name": {"name": "platform-gitlab-bbm-1234567"},
    "of background migrations, by a name whose suffix is set": {"name": "platform-gitlab-bbm-again-2"},
    "of background migrations, by its component": {"component": "bbm"},
    "of another release": {"release": "other"},
    "that is being deleted": {"deleting": True},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_newer_job_is_not_taken_for_that_of_the_migrations(other: dict[str, Any]) -> None:
    world = World()
    labels = {"app": "migrations", "release": other.get("release", "platform-gitlab")}
    if "component" in other:
        labels["app.kubernetes.io/component"] = other["component"]
    world.workloads.make(
        other.get("name", "platform-gitlab-migrations-1234567"),
        LOCK,
        labels=labels,
        state=JobState.FAILED,
        created=world.clock(),
        deleting=other.get("deleting", False),
    )
    assert world.reasons() == []


BACKGROUND_PODS: dict[str, tuple[str, dict[str, str]]] = {
    "by its name": ("platform-gitlab-migrations-bbm-1234567-abcde", {}),
    "by a shorter name": ("platform-gitlab-bbm-1234567-abcde", {}),
    "by its component": ("platform-gitlab-1234567-abcde", {"app.kubernetes.io/component": "bbm"}),
}


@pytest.mark.parametrize(("name", "labels"), BACKGROUND_PODS.values(), ids=BACKGROUND_PODS)
def test_a_pod_of_background_migrations_does_not_keep_migrations_under_way(
    name: str, labels: dict[str, str]
) -> None:
    world = World()
    world.workloads.run_pod(name, {}, labels={**LABELS, **labels}, created=world.clock())
    assert world.reasons() == []


def test_a_release_may_be_named_after_background_migrations() -> None:
    world = World()
    world.gitlab = declared(release="team-bbm")
    labels = {**LABELS, "release": "team-bbm"}
    world.workloads.make("team-bbm-migrations-1234567", LOCK, labels=labels, state=JobState.FAILED)
    assert world.reasons() == [Reason.MIGRATIONS_LOCKED]


# -- the mapping --------------------------------------------------------------------------


def test_a_refused_mapping_is_proposed_merged_synced_and_proven() -> None:
    world = unmapped()
    first = world.run()
    assert [one.action for one in first.applied.done] == [MAP]
    assert first.outcome.word is Word.PENDING
    assert first.outcome.reason == Reason.MIGRATIONS_CHANGE_OPEN
    (number,) = world.github.open
    title, body = world.github.texts[number]
    assert title == "Let the database ci of platform-gitlab in dev be main's [main]"
    assert f"| `{CI}.database` | `gitlabhq_production_ci` | `gitlabhq_production` |" in body

    world.merge()
    second = world.run()
    assert [one.action for one in second.applied.done] == [SYNC]
    assert world.git == GIT
    assert world.argocd.reasons == ["Git has what mends GitLabDatabaseConfigRefused"]
    assert second.outcome.word is Word.REPAIRED
    assert [one.object for one in second.proofs] == [VALUES.reference, APPLICATION_ID]
    assert world.run().outcome.word is Word.CONVERGED
    # What is proven is not asked for any more.
    assert not world.gather().landed


def test_nothing_is_asked_of_argo_cd_that_has_synced_by_itself() -> None:
    world = unmapped()
    world.run()
    world.merge()
    world.controller_syncs(APP)
    world.clock.advance(HOUR)
    report = world.run()
    assert (report.outcome.word, world.argocd.asked) == (Word.REPAIRED, [])
    assert [one.object for one in report.proofs] == [VALUES.reference]


def test_only_the_fields_that_differ_are_changed_and_missing_mappings_are_made() -> None:
    world = World("gitlab:\n  # nothing yet\n  gitlab: {}\n")
    world.run()
    world.merge()
    assert world.value(f"{CI}.database", "") == "gitlabhq_production"
    assert world.value(f"{CI}.host", "none") == "none"


def test_a_mapping_is_repaired_whatever_else_is_broken() -> None:
    world = unmapped()
    world.sealed = True
    assert [one.action for one in world.run().applied.done] == [MAP]


def test_a_proof_is_not_made_while_the_page_fails() -> None:
    world = unmapped()
    world.run()
    world.merge()
    world.storage = False
    report = world.run()
    assert (report.proofs, report.outcome.word) == ((), Word.PENDING)
    world.clock.advance(HOUR)
    assert world.run().outcome.reason == Reason.GITLAB_PAGE_FAILS


def test_a_job_that_kept_its_name_gets_another_suffix() -> None:
    world = unmapped()
    world.fixed_name = True
    world.workloads.works.clear()
    world.controller_syncs(APP)
    world.clock.advance(HOUR)
    world.run()
    world.merge()
    world.run()
    assert world.reasons() == [Reason.CONFIG_REFUSED_BEFORE]
    assert [one.action for one in world.run().applied.done] == [RERUN]
    world.merge()
    assert [one.action for one in world.run().applied.done] == [SYNC]
    world.clock.advance(HOUR)
    assert world.run().outcome.word in (Word.REPAIRED, Word.CONVERGED)


# -- logs that go with their pods ---------------------------------------------------------


def newest_job(world: World) -> str:
    (name,) = [one for one in world.workloads.works if "-bbm-" not in one]
    return name


def retried(world: World) -> str:
    """The newest Job is tried again and again, as the chart has it. Its name."""
    name = newest_job(world)
    began = world.clock()
    labels = {"app": "migrations", "release": "platform-gitlab"}
    world.workloads.change(name, state=JobState.ACTIVE, reason="", created=began, started=began)
    waits = (("migrations", "CrashLoopBackOff"),)
    world.workloads.run_pod(f"{name}-abcde", {}, labels=labels, created=began, ready=False, waiting=waits)
    world.clock.advance(5 * MINUTE)
    return name


def give_up(world: World, name: str) -> None:
    world.workloads.change(name, state=JobState.FAILED, reason="BackoffLimitExceeded")
    del world.workloads.pod_list[f"{name}-abcde"], world.workloads.job_logs[name]


def test_what_every_try_failed_of_is_known_when_the_last_has_taken_its_log_with_it() -> None:
    world = unmapped()
    name = retried(world)
    report = world.run()
    assert Reason.GITLAB_DATABASE_CONFIG_REFUSED in {one.reason for one in report.findings}
    assert (report.outcome.word, world.github.open) == (Word.PENDING, [])
    give_up(world, name)
    assert [one.action for one in world.run().applied.done] == [MAP]


def test_what_an_earlier_job_of_the_name_failed_of_tells_nothing_of_this_one() -> None:
    world = unmapped()
    name = retried(world)
    world.run()
    give_up(world, name)
    world.workloads.change(name, created=world.clock())
    assert world.reasons() == [Reason.MIGRATIONS_FAILED]


def test_a_pull_request_stays_open_when_the_log_is_gone_that_it_was_made_for() -> None:
    world = without_database()
    world.come_back()
    world.run()
    assert len(world.github.open) == 1
    world.workloads.job_logs.clear()
    assert world.run().outcome.reason == Reason.MIGRATIONS_CHANGE_OPEN
    world.clock.advance(timedelta(days=8))
    assert world.run().outcome.reason == Reason.MIGRATIONS_FAILED
    assert len(world.github.open) == 1


SPELT = "postgres-ameide-rw.ameide-dev.svc"


def spelt() -> World:
    """Git spells ci's host in another way than main's, so that both have tasks on one database."""
    world = World()
    world.never_succeeds = ON_ONE
    world.commit(lambda text: text.replace("ci:\n", f"ci:\n        host: {SPELT}\n", 1))
    world.controller_syncs(APP)
    world.render(database_yml(host=SPELT, tasks=True))
    world.clock.advance(HOUR)
    return world


def as_mapped() -> World:
    world = World()
    world.never_succeeds = REFUSAL
    world.commit(lambda text: text.replace('"1"', '"2"'))
    world.controller_syncs(APP)
    return world


def refused_before() -> World:
    world = as_mapped()
    sync(world)
    return world


def in_use() -> World:
    world = unmapped()
    world.start_pods(schema=True, now=world.clock())
    return world


def unreadable() -> World:
    world = unmapped()
    world.workloads.configs.clear()
    return world


def sync(world: World) -> None:
    """Of something else: the Job keeps its name."""
    world.clock.advance(MINUTE)
    now = world.clock()
    world.argocd.change(APP, operation=replace(operation(), started=now, finished=now))


@pytest.mark.parametrize("begin", [as_mapped, refused_before, in_use, unreadable])
def test_what_was_made_of_a_refusal_holds_when_the_log_is_gone(begin: Any) -> None:
    world = begin()
    before = world.reasons()
    world.run()
    world.workloads.job_logs.clear()
    for _ in range(2):
        assert world.reasons()[-1:] == before
        world.run()


def test_the_rule_that_a_log_named_holds_when_the_log_is_gone() -> None:
    world = spelt()
    world.run()
    sync(world)
    world.workloads.job_logs.clear()
    for _ in range(2):
        assert world.run().outcome.reason == Reason.MIGRATIONS_CHANGE_OPEN
    (number,) = world.github.open
    assert f"| `{CI}.host` | `{SPELT}` | `postgres-ameide-rw` |" in world.github.texts[number][1]


def test_nor_is_it_lost_while_nothing_is_rendered() -> None:
    world = spelt()
    world.workloads.configs.clear()
    world.run()
    world.workloads.job_logs.clear()
    world.run()
    world.render(database_yml(host=SPELT, tasks=True))
    assert [one.action for one in world.run().applied.done] == [MAP]


def test_what_was_found_before_the_rule_was_written_down_still_counts() -> None:
    world = unmapped()
    world.workloads.job_logs.clear()
    job = f"{CLUSTER}/namespaces/ameide-dev/jobs/{newest_job(world)}"
    told = {"reason": Reason.GITLAB_DATABASE_CONFIG_REFUSED, "subject": job, "message": "it failed"}
    world.scope.journal.record(
        Kind.FINDING, world.scope.target, actor="reconverge", correlation_id="c", detail=told
    )
    assert [one.action for one in world.run().applied.done] == [MAP]


# -- the database -------------------------------------------------------------------------


def test_an_unreachable_database_is_waited_for_and_then_the_migrations_run_again() -> None:
    world = without_database()
    world.sealed = True
    blocked = world.run().outcome
    assert (blocked.word, blocked.blocked_by) == (Word.BLOCKED, "dev/vault_seeding")
    assert world.github.open == []
    again = world.run().outcome
    assert (again.word, again.because) == (Word.BLOCKED, blocked.because)
    assert blocked.because.startswith("MigrationsDatabaseUnreachable because of dev/vault_seeding")

    world.sealed = False
    world.come_back()
    waits = world.run()
    assert Reason.MIGRATIONS_CAUSE_MENDED in world.reasons()
    assert waits.outcome.word is Word.PENDING
    assert waits.outcome.until is not None
    assert world.github.open == []

    world.clock.advance(5 * MINUTE)
    assert [one.action for one in world.run().applied.done] == [RERUN]
    world.merge()
    assert is_suffix(world.value(SUFFIX, ""))
    assert "If the database was lost" in world.github.texts[1][1]
    report = world.run()
    assert [one.action for one in report.applied.done] == [SYNC]
    assert report.outcome.word is Word.REPAIRED


def test_the_migrations_do_not_run_again_above_a_broken_root() -> None:
    world = without_database()
    world.come_back()
    world.sealed = True
    report = world.run()
    assert (report.outcome.word, report.decisions) == (Word.BLOCKED, ())
    assert world.github.open == []


def test_the_migrations_do_not_run_again_while_pods_cannot_reach_the_database() -> None:
    world = without_database()
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.DATABASE_STILL_REFUSES)
    assert world.github.open == []
    world.come_back()
    assert [one.action for one in world.run().applied.done] == [RERUN]


def test_what_pods_said_earlier_is_of_the_past() -> None:
    world = without_database()
    world.come_back()
    world.workloads.pod_logs[f"{WEBSERVICE}-1", "dependencies"] = f"{NO_DATABASE}\n" + "it waits\n" * 20
    assert [one.action for one in world.run().applied.done] == [RERUN]


def test_no_more_than_two_suffixes_of_a_day_are_proposed_for_the_same_failure() -> None:
    world = always_locked()
    suffixes = []
    for _ in range(2):
        world.clock.advance(HOUR)
        assert [one.action for one in world.run().applied.done] == [RERUN]
        world.merge()
        suffixes.append(world.value(SUFFIX, ""))
        assert [one.action for one in world.run().applied.done] == [SYNC]
    world.clock.advance(HOUR)
    last = world.run()
    assert (last.applied.done, last.outcome.reason) == ((), Reason.MIGRATIONS_STILL_FAIL)
    assert (last.outcome.word, len(set(suffixes))) == (Word.HUMAN, 2)
    world.clock.advance(timedelta(days=1))
    assert [one.action for one in world.run().applied.done] == [RERUN]


def test_nor_are_more_where_the_answers_to_both_were_lost() -> None:
    world = always_locked()
    for _ in range(4):
        world.clock.advance(HOUR)
        world.github.troubles["propose lost"] = TemporaryError("GitHub did not answer", delay=MINUTE)
        outcome = world.run().outcome
        if world.github.open:
            world.merge()
            world.run()
    assert len(world.github.pulls) == 2
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.MIGRATIONS_STILL_FAIL)


def test_a_suffix_that_was_certainly_refused_is_none_of_the_two() -> None:
    world = always_locked()
    world.clock.advance(HOUR)
    world.run()
    world.merge()
    world.run()
    world.clock.advance(HOUR)
    world.github.troubles["point"] = Throttled("GitHub answered 429", delay=MINUTE)
    world.run()
    # Another Job comes, and so another suffix.
    world.commit(lambda text: text.replace("in dev.", "of dev."))
    world.controller_syncs(APP)
    world.clock.advance(HOUR)
    assert [one.action for one in world.run().applied.done] == [RERUN]


def test_a_sync_that_changes_nothing_is_asked_for_once() -> None:
    world = unmapped()
    world.run()
    world.merge()
    world.argocd.synced = lambda name: world.argocd.change(name, requested=False)
    for _ in range(3):
        world.run()
    assert world.argocd.asked == [("sync", APP)]
    world.clock.advance(15 * MINUTE)
    outcome = world.run().outcome
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.GITLAB_SYNC_IN_VAIN)


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "the answer is lost"])
def test_nothing_is_asked_for_more_than_twice_a_day_that_changes_nothing(*, lost: bool) -> None:
    world = unmapped()
    world.run()
    world.merge()

    def changes_nothing(name: str) -> None:
        world.argocd.change(name, requested=False)
        if lost:
            raise TemporaryError("the API server did not answer", delay=MINUTE)

    world.argocd.synced = changes_nothing
    for _ in range(10):
        outcome = world.run().outcome
        world.clock.advance(HOUR)
    assert world.argocd.asked == [("sync", APP)] * 2
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.GITLAB_SYNC_IN_VAIN)


def test_a_sync_that_was_certainly_refused_is_none_of_the_two() -> None:
    world = unmapped()
    world.run()
    world.merge()
    world.argocd.trouble["sync"] = WriteConflict("the API server answered 409", delay=MINUTE)
    for _ in range(3):
        world.run()
    del world.argocd.trouble["sync"]
    assert [one.action for one in world.run().applied.done] == [SYNC]


def test_an_application_that_people_sync_is_left_to_them() -> None:
    world = unmapped()
    world.run()
    world.merge()
    world.argocd.change(APP, automated=False)
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.GITLAB_SYNC_LEFT_TO_PEOPLE)
    assert report.applied.touched is False


def test_nothing_is_asked_beside_an_operation_that_is_running() -> None:
    world = unmapped()
    world.run()
    world.merge()
    world.argocd.change(APP, requested=True)
    outcome = world.run().outcome
    assert (outcome.word, outcome.reason, world.argocd.asked) == (Word.PENDING, Reason.GITLAB_SYNCING, [])


def test_a_job_that_is_gone_before_its_time_is_made_by_a_sync() -> None:
    world = World()
    world.start_pods(schema=False, now=world.clock())
    world.workloads.works.clear()
    report = world.run()
    assert [one.action for one in report.applied.done] == [SYNC]
    assert report.outcome.word is Word.REPAIRED


# -- what is not ours ---------------------------------------------------------------------


def test_a_page_that_fails_of_the_object_storage_is_people_s_and_nothing_is_run_again() -> None:
    world = World()
    world.storage = False
    world.start_pods(schema=True, now=world.clock() - HOUR)
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.GITLAB_PAGE_FAILS)
    assert "ObjectStorageKeyUnknown" in report.outcome.because
    assert (report.decisions, world.github.open, world.argocd.asked) == ((), [], [])


NOT_SEEN: dict[str, tuple[int, str | None, Word, Reason]] = {
    "an edge lets us not through": (403, None, Word.HUMAN, Reason.GITLAB_PAGE_UNPROVEN),
    "a proxy asks who we are": (401, None, Word.HUMAN, Reason.GITLAB_PAGE_UNPROVEN),
    "it leads in circles": (302, URL, Word.HUMAN, Reason.GITLAB_PAGE_FAILS),
    "it leads to a host that is not the sign-on": (
        302,
        "https://parking.example",
        Word.HUMAN,
        Reason.GITLAB_PAGE_UNPROVEN,
    ),
    "it is asked for too often": (429, None, Word.FAILED, Reason.GITLAB_UNREAD),
}


@pytest.mark.parametrize(("status", "leads_to", "word", "reason"), NOT_SEEN.values(), ids=NOT_SEEN)
def test_a_gitlab_whose_page_is_not_seen_is_not_called_well(
    status: int, leads_to: str | None, word: Word, reason: Reason
) -> None:
    world = World()
    world.web.answer(PAGE, status, leads_to)
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (word, reason)
    assert (report.decisions, world.github.open, world.argocd.asked) == ((), [], [])


def test_a_page_that_leads_to_the_keycloak_of_the_environment_is_gitlab_s_sign_on() -> None:
    world = World()
    world.keycloak = keycloak(url=SIGN_ON)
    world.web.answer(PAGE, 302, SIGN_ON)
    assert world.run().outcome.word is Word.CONVERGED


def test_a_monitoring_page_that_is_not_shown_to_us_says_nothing_against_gitlab() -> None:
    world = World()
    world.gitlab = declared(page="/-/readiness")
    world.web.answer(f"{URL}/-/readiness", 404)
    assert world.run().outcome.word is Word.CONVERGED


def test_a_secret_that_is_missing_is_waited_for_while_its_root_is_broken() -> None:
    world = World()
    world.sealed = True
    world.workloads.pod_list.clear()
    world.workloads.run_pod(
        f"{WEBSERVICE}-1",
        labels={"app": WEBSERVICE, "release": "platform-gitlab"},
        created=world.clock() - HOUR,
        ready=False,
        initialised=False,
        waiting=(("dependencies", "CreateContainerConfigError"),),
    )
    world.web.answer(PAGE, 502)
    assert world.run().outcome.blocked_by == "dev/vault_seeding"
    world.sealed = False
    assert world.run().outcome.word is Word.PENDING
    world.clock.advance(HOUR)
    assert world.run().outcome.word is Word.HUMAN


# -- pull requests ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "moment", ["point", "commit", "propose", "point lost", "commit lost", "propose lost"]
)
@pytest.mark.parametrize("begin", [unmapped, None], ids=[MAP, RERUN])
def test_whoever_dies_on_the_way_leaves_one_pull_request_in_the_end(moment: str, begin: Any) -> None:
    world = begin() if begin else without_database()
    if not begin:
        world.come_back()
    world.github.troubles[moment] = TemporaryError("GitHub answered 502", delay=MINUTE)
    world.run()
    for _ in range(3):
        world.run()
    assert len(world.github.open) == 1
    assert len(world.github.pulls) == 1


def test_a_sync_whose_answer_was_lost_is_not_made_beside_itself() -> None:
    world = unmapped()
    world.run()
    world.merge()
    world.argocd.trouble["sync"] = TemporaryError("the API server answered 504", delay=MINUTE)
    world.run()
    del world.argocd.trouble["sync"]
    assert [one.action for one in world.run().applied.done] == [SYNC]


def test_a_pull_request_that_somebody_closed_is_not_opened_again() -> None:
    world = unmapped()
    world.run()
    world.github.decline(world.github.open[0])
    outcome = world.run().outcome
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.MIGRATIONS_CHANGE_DECLINED)
    assert world.github.open == []


def test_a_pull_request_is_brought_up_to_date_when_the_file_changes_below_it() -> None:
    world = unmapped()
    world.run()
    world.commit(lambda text: text.replace("# GitLab in dev.", "# GitLab of dev."))
    world.run()
    world.merge()
    assert world.git == GIT.replace("# GitLab in dev.", "# GitLab of dev.")
    assert len(world.github.pulls) == 1


def test_a_pull_request_is_closed_once_nobody_needs_it_and_proves_nothing_then() -> None:
    world = unmapped()
    world.run()
    (number,) = world.github.open
    world.commit(lambda _text: GIT.replace("database: gitlabhq_production", "enabled: true"))
    labels = {"app": "migrations", "release": "platform-gitlab"}
    world.workloads.works.clear()
    world.migrate("platform-gitlab-migrations-7654321", labels, world.clock(), "gitlabhq_production")
    world.clock.advance(HOUR)
    world.argocd.synced = lambda _name: None
    world.workloads.configs.clear()
    report = world.run()
    assert (world.github.open, report.proofs) == ([], ())
    assert "Reconverge closes this" in world.github.comments[number][0]
    # Closing one is no change of its own.
    assert [one.keys for one in world.gather().made] == [{f"{CI}.database": "gitlabhq_production"}]
    assert world.run().outcome.word is Word.CONVERGED


# -- the contract -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "word"),
    [(Mode.APPROVE, Word.APPROVAL), (Mode.PROPOSE, Word.PROPOSED), (Mode.NEVER, Word.HUMAN)],
)
def test_nothing_is_written_unless_the_contract_says_apply(mode: Mode, word: Word) -> None:
    world = unmapped(default=mode)
    assert world.run().outcome.word is word
    assert world.github.pulls == []


def test_nothing_is_written_to_a_repository_or_application_that_is_not_listed() -> None:
    world = unmapped(repositories=())
    assert world.run().outcome.word is Word.HUMAN
    assert world.github.pulls == []
    world = unmapped(applications=("prod-*",))
    world.run()
    world.merge()
    assert world.run().outcome.word is Word.HUMAN
    assert world.argocd.asked == []


@pytest.mark.parametrize(
    ("migrations", "reason"),
    [
        (None, Reason.MIGRATIONS_MAPPING_UNDECLARED),
        (DeclaredMigrations(values=VALUES, suffix=SUFFIX), Reason.MIGRATIONS_MAPPING_UNDECLARED),
    ],
)
def test_without_a_declared_key_people_are_told_the_change(
    migrations: DeclaredMigrations | None, reason: Reason
) -> None:
    world = unmapped()
    world.gitlab = declared(migrations=migrations)
    outcome = world.run().outcome
    assert (outcome.word, outcome.reason) == (Word.HUMAN, reason)
    assert "database = gitlabhq_production" in outcome.because
    assert world.github.pulls == []


def test_without_argo_cd_people_are_told_to_sync() -> None:
    world = unmapped()
    world.run()
    world.merge()
    world.has_argocd = False
    outcome = world.run().outcome
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.GITLAB_SYNC_LEFT_TO_PEOPLE)


def step(**changes: Any) -> Step:
    base = Step(
        action=MAP,
        object=VALUES.reference,
        owner=GITOPS,
        before={f"{CI}.database": "gitlabhq_production_ci"},
        after={f"{CI}.database": "gitlabhq_production"},
        mends=Reason.GITLAB_DATABASE_CONFIG_REFUSED,
        channel=Channel.PULL_REQUEST,
    )
    return replace(base, **changes)


CLOSING = {"pull request": "1", "state": "closed"}
OTHER = APPLICATION_ID.replace("gitlab", "grafana")
REFUSED = {
    "an action of somebody else": step(action="facts.update"),
    "another repository": step(owner="https://github.com/ameide/other"),
    "another file": step(object=f"{GITOPS}/blob/main/other.yaml"),
    "another channel": step(channel=Channel.DIRECT),
    "an undeclared key": step(after={"gitlab.global.psql.main.database": "x"}),
    "a text that is no place": step(after={f"{CI}.database": "x y"}),
    "a port that is none": step(after={f"{CI}.port": "http"}),
    "nothing": step(after={}),
    "a suffix by the action of the mapping": step(after={SUFFIX: "a123456"}),
    "a mapping by the action of the suffix": step(action=RERUN),
    "a suffix that is none": step(action=RERUN, after={SUFFIX: "latest"}),
    "a pull request of another repository": step(object="https://github.com/x/y/pull/1", after=CLOSING),
    "another Application": step(action=SYNC, object=OTHER, owner=OTHER, after={"name": APP, "uid": "u"}),
    "an Application by another name": step(
        action=SYNC, object=APPLICATION_ID, owner=APPLICATION_ID, after={"name": "dev-other", "uid": "u"}
    ),
}


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED)
def test_a_step_that_no_plan_may_hold_is_refused_at_the_last_moment(wrong: Step) -> None:
    world = unmapped()
    before = world.git
    with pytest.raises(PermanentError):
        apply(world.scope, wrong)
    assert (world.github.pulls, world.argocd.asked, world.git) == ([], [], before)


@pytest.mark.parametrize("action", [MAP, RERUN, SYNC])
def test_what_the_contract_does_not_list_is_refused_at_the_last_moment(action: str) -> None:
    world = unmapped(repositories=(), applications=())
    steps = {
        MAP: step(),
        RERUN: step(action=RERUN, before=None, after={SUFFIX: "a123456"}),
        SYNC: step(
            action=SYNC,
            object=APPLICATION_ID,
            owner=APPLICATION_ID,
            after={"name": APP, "uid": world.argocd.held[APP].uid},
        ),
    }
    with pytest.raises(PermanentError, match="may not be written"):
        apply(world.scope, steps[action])
    assert (world.github.pulls, world.argocd.asked) == ([], [])


@pytest.mark.parametrize("missing", ["gitlab", "migrations", "argocd"])
def test_a_step_for_what_is_not_declared_any_more_is_refused(missing: str) -> None:
    world = unmapped()
    sync = step(action=SYNC, object=APPLICATION_ID, owner=APPLICATION_ID, after={"name": APP, "uid": "u"})
    scope = world.scope
    if missing == "migrations":
        environment = scope.environment.model_copy(update={"gitlab": declared(migrations=None)})
    else:
        environment = scope.environment.model_copy(update={missing: None})
    with pytest.raises(PermanentError):
        apply(replace(scope, environment=environment), sync if missing == "argocd" else step())


def test_a_file_that_changed_since_the_plan_is_planned_anew() -> None:
    world = unmapped()
    world.commit(lambda text: text.replace("gitlabhq_production_ci", "another"))
    with pytest.raises(TemporaryError):
        apply(world.scope, step())
    assert world.github.pulls == []


# -- what is read, and what is left behind ------------------------------------------------

READS = ["jobs", "pods", "config_maps", "job_log"]


@pytest.mark.parametrize("call", READS)
def test_nothing_is_written_while_something_is_unread(call: str) -> None:
    world = unmapped()
    world.workloads.trouble[call] = TemporaryError("the API server answered 503", delay=MINUTE)
    outcome = world.run().outcome
    assert (outcome.word, outcome.reason) == (Word.FAILED, Reason.GITLAB_UNREAD)
    assert world.github.pulls == []


@pytest.mark.parametrize("call", ["read", "history", "proposals"])
def test_nothing_is_proposed_while_git_is_unread(call: str) -> None:
    world = unmapped()
    trouble: ReconvergeError = TemporaryError("GitHub answered 503", delay=MINUTE)
    world.github.troubles[call] = trouble
    assert world.run().outcome.word is Word.FAILED
    assert world.github.pulls == []


def test_without_the_cluster_nothing_is_known() -> None:
    world = unmapped()
    world.azure.tear_down(world.declares.clusters[0].id)
    assert set(world.reasons()) == {Reason.GITLAB_UNREAD}
    assert world.run().outcome.word is Word.FAILED


def test_the_same_situation_has_the_same_plan_at_any_time() -> None:
    world = without_database()
    world.come_back()
    digest = world.plan().digest
    world.clock.advance(HOUR)
    assert world.plan().digest == digest


def test_another_job_that_fails_of_the_same_gets_another_suffix() -> None:
    world = without_database()
    world.come_back()
    (one,) = world.plan().steps
    world.workloads.change(newest_job(world), uid="another")
    (other,) = world.plan().steps
    assert one.after != other.after
    assert is_suffix(one.after[SUFFIX])
    assert is_suffix(other.after[SUFFIX])


def test_nothing_of_a_log_or_a_template_is_left_behind() -> None:
    worlds = [unmapped(), without_database(), World()]
    worlds[1].come_back()
    worlds[2].storage = False
    worlds[2].start_pods(schema=True, now=worlds[2].clock() - HOUR)
    for world in worlds:
        reports = [world.run() for _ in range(2)]
        assert SECRET not in everything(world)
        assert SECRET not in str(reports)
        assert SECRET not in str(world.gather())
        assert "psql-password" not in everything(world)
