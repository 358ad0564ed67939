"""What is found of Applications: their state, and what is said of each."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from responders.applications import situations
from responders.applications.checks import check
from responders.applications.facts import Facts, Seen
from responders.applications.holders import rests_on
from responders.applications.plan import BATCH, plan
from responders.applications.reasons import REASONS, Reason
from responders.applications.situations import REFRESH, SYNC, TERMINATE
from shared.attempts import Attempt
from shared.clients.argocd import Application, Resource
from shared.model import Absent, Known, Unknown
from shared.world import Leads
from tests.unit.applications.builders import (
    GAVE_UP,
    HOUR,
    MINUTE,
    NO_COMMIT,
    NOW,
    SEALED,
    SECOND,
    SECRET,
    SHA,
    STRANGE,
    UNAVAILABLE,
    application,
    condition,
    facts,
    failed,
    incomparable,
    operation,
    unsynced,
)

UNRESOLVED = "rpc error: code = Unknown desc = unable to resolve 'x' to a commit SHA"
WINDOW = "Sync operation blocked by sync window"
STOPPED = operation("Failed", "Operation terminated")
EMPTIES = "Skipping sync attempt to [x]: auto-sync will wipe out all resources"
FAILED_BEFORE = "Failed last sync attempt to [x]: one or more"
HOOK = "waiting for completion of hook batch/Job/migrate"


def reasons(given: Facts) -> list[str]:
    return [one.reason for one in check(given, NOW)]


def running(age: timedelta, message: str = HOOK, **changes: Any) -> Application:
    state = operation("Running", message, age=age, running=True)
    return application(requested=True, sync="OutOfSync", operation=state, **changes)


def degraded(message: str = "", age: timedelta = HOUR, name: str = "dev-gitlab") -> Application:
    of = Resource(kind="ExternalSecret", name="pull", message=message)
    return application(name, health="Degraded", unhealthy=(of,), operation=operation(age=age))


def progressing(age: timedelta | None, **changes: Any) -> Application:
    usual = {"health": "Progressing", "health_since": None if age is None else NOW - age}
    return application(**{**usual, **changes})


ALONE: dict[str, tuple[Application, list[str]]] = {
    "is well": (application(), []),
    "differs from Git, and is left to auto-sync or its people": (application(sync="OutOfSync"), []),
    "has warnings only": (
        application(conditions=(condition("x", "SharedResourceWarning"),)),
        [],
    ),
    "is Synced and Healthy since an operation failed": (
        application(operation=failed(NO_COMMIT)), [Reason.OPERATION_FAILED_BEFORE],
    ),
    "cannot be compared for a submodule's commit": (incomparable(), [Reason.APPLICATION_HELD_UP]),
    "could not be synced for one": (unsynced(), [Reason.APPLICATION_HELD_UP]),
    "could not be synced, and has no automated sync": (
        unsynced(automated=False), [Reason.SYNC_LEFT_TO_PEOPLE],
    ),
    "cannot be compared, and has no automated sync": (
        incomparable(automated=False), [Reason.APPLICATION_HELD_UP],
    ),
    "is Synced with a hook that failed, and not Healthy": (
        unsynced(SEALED, sync="Synced", health="Degraded"), [Reason.APPLICATION_HELD_UP],
    ),
    "fails of what nobody looks after": (incomparable(UNRESOLVED), ["RevisionUnresolvable"]),
    "fails of what passes": (incomparable(UNAVAILABLE), ["RepoServerUnavailable"]),
    "fails of what should have passed": (
        incomparable(UNAVAILABLE, conditions=(condition(UNAVAILABLE, since=NOW - HOUR),)),
        [Reason.APPLICATION_HELD_UP],
    ),
    "fails of what is not known": (incomparable(STRANGE), [Reason.FAILURE_UNKNOWN]),
    "cannot be compared for what is not known, after a failure that was": (
        incomparable(STRANGE, operation=failed(NO_COMMIT)), [Reason.FAILURE_UNKNOWN],
    ),
    "was not synced again by auto-sync": (
        unsynced(conditions=(condition(FAILED_BEFORE, "SyncError"),)),
        [Reason.APPLICATION_HELD_UP],
    ),
    "has a Job that gave up, and a rule that names who may be behind it": (
        unsynced(GAVE_UP, "dev-vault-core"), [Reason.APPLICATION_HELD_UP],
    ),
    "has a Job that gave up, and a rule that names nobody": (unsynced(GAVE_UP), ["JobGaveUp"]),
    "would lose all that it has by a sync, whatever an operation failed of before": (
        unsynced(conditions=(condition(EMPTIES, "SyncError"),)), ["PruneOfEverything"],
    ),
    "would lose all that it has by a sync, at a revision that failed": (
        unsynced(conditions=(condition(FAILED_BEFORE, "SyncError"),), emptied=True), ["PruneOfEverything"],
    ),
    "would lose all that it has, as it cannot be compared": (
        incomparable(emptied=True), [Reason.APPLICATION_HELD_UP],
    ),
    "is being synced while a revision before would have emptied it": (
        running(HOUR, WINDOW, conditions=(condition(EMPTIES, "SyncError"),)), ["SyncWindowClosed"],
    ),
    "had its operation stopped": (
        application(sync="OutOfSync", operation=STOPPED),
        [Reason.OPERATION_STOPPED],
    ),
    "had its operation stopped, and a rule that names who may be behind it": (
        application("dev-vault-core", sync="OutOfSync", operation=STOPPED),
        [Reason.OPERATION_STOPPED],
    ),
    "had its operation stopped, whose hook fails of what a responder looks after": (
        unsynced(operation=replace(failed(SEALED), message="Operation terminated")),
        [Reason.OPERATION_STOPPED],
    ),
    "had its operation stopped, whose hook fails of what should have passed": (
        unsynced(operation=replace(failed(UNAVAILABLE), message="Operation terminated")),
        [Reason.OPERATION_STOPPED],
    ),
    "had its operation stopped, and cannot be compared now for what is not known": (
        incomparable(STRANGE, "dev-vault-core", operation=STOPPED),
        [Reason.FAILURE_UNKNOWN],
    ),
    "is being refreshed": (incomparable(refreshing=True), [Reason.APPLICATION_REFRESHING]),
    "is being synced": (running(MINUTE), []),
    "is being synced while it fails": (running(MINUTE, health="Degraded"), [Reason.APPLICATION_SYNCING]),
    "waits for a sync window, however long": (running(HOUR, WINDOW), ["SyncWindowClosed"]),
    "is being synced for too long": (running(HOUR), [Reason.OPERATION_STUCK]),
    "is asked to be synced, by somebody, and was not yet": (
        application(requested=True, operation=None), [Reason.APPLICATION_SYNCING],
    ),
    "was just asked to be synced": (unsynced(requested=True), [Reason.APPLICATION_SYNCING]),
    "is not healthy": (degraded(), [Reason.APPLICATION_UNHEALTHY]),
    "is not healthy yet": (degraded(age=MINUTE), [Reason.APPLICATION_SETTLING]),
    "gets healthy": (progressing(MINUTE), [Reason.APPLICATION_SETTLING]),
    "gets healthy, after a sync of a moment ago": (
        progressing(HOUR, operation=operation(age=MINUTE)), [Reason.APPLICATION_SETTLING],
    ),
    "gets healthy, nobody knows since when": (progressing(None), [Reason.APPLICATION_SETTLING]),
    "does not get healthy": (progressing(HOUR), [Reason.APPLICATION_UNHEALTHY]),
    "does not get healthy, and was never synced": (
        progressing(HOUR, operation=None), [Reason.APPLICATION_UNHEALTHY],
    ),
    "cannot be told to be healthy yet": (
        progressing(MINUTE, health="Unknown"), [Reason.APPLICATION_SETTLING],
    ),
    "cannot be told to be healthy": (progressing(HOUR, health="Unknown"), [Reason.APPLICATION_UNHEALTHY]),
    "is paused by its people": (progressing(HOUR, health="Suspended"), []),
    "waits for its phase of a rollout": (
        application(health="Missing", sync="OutOfSync", operation=None), [Reason.APPLICATION_NOT_DEPLOYED],
    ),
    "lacks a resource that it is synced with": (
        application(health="Missing"), [Reason.APPLICATION_UNHEALTHY],
    ),
    "was never compared": (application(sync="", health="", operation=None), [Reason.NOT_COMPARED]),
    "cannot be told to differ": (application(sync="Unknown"), [Reason.NOT_COMPARED]),
    "is excluded from reconciliation": (incomparable(skipped=True), [Reason.APPLICATION_LEFT_ALONE]),
    "is being deleted": (incomparable(deleting=True), [Reason.APPLICATION_LEFT_ALONE]),
    "is well and being deleted": (application(deleting=True), []),
}  # fmt: skip


@pytest.mark.parametrize(("given", "found"), ALONE.values(), ids=ALONE)
def test_an_application_that(given: Application, found: list[str]) -> None:
    assert reasons(facts(given)) == found


def test_every_one_is_judged_by_itself() -> None:
    given = facts(incomparable(), application("dev-x"), degraded(name="dev-y"), incomparable(name="prod-z"))
    found = [(one.subject.rpartition("/")[2], one.reason) for one in check(given, NOW)]
    assert found == [("dev-gitlab", "ApplicationHeldUp"), ("dev-y", "ApplicationUnhealthy")]


def test_a_fault_that_a_responder_could_look_after_and_none_does_is_for_people() -> None:
    (found,) = check(facts(incomparable(), watched=frozenset()), NOW)
    assert (found.reason, REASONS[found.reason].leads) == (Reason.ROOT_NOT_WATCHED, Leads.PERSON)
    assert "SubmoduleCommitMissing" in found.message
    assert "submodule_refs" in found.message


def test_a_finding_names_the_code_and_the_commit_and_nothing_of_the_text() -> None:
    (found,) = check(facts(incomparable()), NOW)
    assert found.message == "Application dev-gitlab: ComparisonError, SubmoduleCommitMissing"
    assert dict(found.evidence) == {"commit": SHA}


@pytest.mark.parametrize("given", [incomparable(STRANGE), unsynced(STRANGE), degraded(STRANGE)])
def test_no_foreign_text_is_repeated(given: Application) -> None:
    found = facts(given)
    shown = repr((found.applications, check(found, NOW), plan(found, check(found, NOW))))
    assert SECRET not in shown
    assert "capacitor" not in shown


UNREAD: dict[str, tuple[Any, str]] = {
    "cannot be listed": (Unknown("503"), Reason.APPLICATIONS_UNREAD),
    "are not served": (Absent(), Reason.APPLICATIONS_NOT_SERVED),
    "are none": (Known(()), Reason.NO_APPLICATION_FITS),
}


@pytest.mark.parametrize(("read", "reason"), UNREAD.values(), ids=UNREAD)
def test_where_they(read: Any, reason: str) -> None:
    assert reasons(facts(application(), applications=read)) == [reason]


def test_faults_of_foreign_texts_wait_where_they_pass_and_else_want_people() -> None:
    leads = {code: REASONS[code].leads for code in ("GitUnreachable", "RevisionUnresolvable", "JobImmutable")}
    assert leads == {
        "GitUnreachable": Leads.WAIT,
        "RevisionUnresolvable": Leads.PERSON,
        "JobImmutable": Leads.PERSON,
    }


# -- what it rests on -------------------------------------------------------------------------------

RESTS: dict[str, tuple[Application, set[str]]] = {
    "a text that names its responder": (incomparable(), {"dev/submodule_refs"}),
    "another": (unsynced(SEALED), {"dev/vault_seeding"}),
    "a Job that gave up, by the rule": (unsynced(GAVE_UP, "dev-vault-core"), {"dev/vault_seeding"}),
    "health, by the rule": (degraded(name="dev-vault-core"), {"dev/vault_seeding"}),
    "health that is not understood, by the rule": (
        degraded(STRANGE, name="dev-vault-core"), {"dev/vault_seeding"},
    ),
    "health that does not come, by the rule": (
        progressing(HOUR, name="dev-vault-core"), {"dev/vault_seeding"},
    ),
    "health of an Application whose rule names nobody": (degraded(), set()),
    "health whose text names its responder": (degraded(SEALED), {"dev/vault_seeding"}),
    "an operation that does not end, by the rule": (
        application("dev-vault-core", operation=operation("Running", HOOK, running=True)),
        {"dev/vault_seeding"},
    ),
}  # fmt: skip


def rested(given: Facts) -> list[set[str]]:
    """What each symptom rests on."""
    found = check(given, NOW)
    return [set(rests_on(given, one)) for one in found if REASONS[one.reason].symptom]


@pytest.mark.parametrize(("given", "targets"), RESTS.values(), ids=RESTS)
def test_rests_on(given: Application, targets: set[str]) -> None:
    assert rested(facts(given)) == [targets]


UNRESTED: dict[str, Application] = {
    "a text that is not known": incomparable(STRANGE, "dev-vault-core"),
    "a text that nobody looks after": incomparable(UNRESOLVED, "dev-vault-core"),
    "an operation that is young": running(MINUTE, health="Degraded"),
}


@pytest.mark.parametrize("given", UNRESTED.values(), ids=UNRESTED)
def test_is_no_symptom(given: Application) -> None:
    assert rested(facts(given)) == []


def test_each_rests_on_its_own() -> None:
    assert rested(facts(incomparable(), unsynced(SEALED, "dev-x"))) == [
        {"dev/submodule_refs"},
        {"dev/vault_seeding"},
    ]


def test_rests_on_nothing_that_has_no_target() -> None:
    stale = tried(REFRESH, STILL, 4 * MINUTE)
    assert rested(facts(STILL, attempt=stale, watched=frozenset({"vault_seeding"}))) == []


# -- one try for each situation ---------------------------------------------------------------------


def seen(given: Application) -> Seen:
    read = facts(given).applications
    assert isinstance(read, Known)
    return read.value[0]


def tried(action: str, given: Application, age: timedelta, **changes: Any) -> Attempt:
    situation = situations.of(seen(given), action)
    usual = {"at": NOW - age, "situation": situation, "action": action, "confirmed": True}
    return Attempt(**{**usual, **changes})


ASKED = application(sync="OutOfSync", requested=True, operation=None)
HALTED = application("dev-vault-core", sync="OutOfSync", operation=STOPPED)
STILL, STALE = incomparable(), incomparable(refreshing=True)
TRIES: dict[str, tuple[Application, Attempt, str]] = {
    "a refresh of a moment ago that nobody confirmed": (
        STILL, tried(REFRESH, STILL, SECOND, confirmed=False), Reason.APPLICATION_REFRESHING,
    ),
    "a refresh that nobody confirmed": (
        STILL, tried(REFRESH, STILL, 4 * MINUTE, confirmed=False), Reason.APPLICATION_HELD_UP,
    ),
    "a refresh that nobody confirmed, and that may not be why it can be compared": (
        unsynced(), tried(REFRESH, unsynced(), SECOND, confirmed=False), Reason.APPLICATION_REFRESHING,
    ),
    "a refresh of a moment ago": (STILL, tried(REFRESH, STILL, SECOND), Reason.APPLICATION_REFRESHING),
    "a refresh that brought nothing": (
        STILL, tried(REFRESH, STILL, 4 * MINUTE), Reason.APPLICATION_STILL_FAILS,
    ),
    "a refresh that brought nothing, long ago": (
        STILL, tried(REFRESH, STILL, HOUR), Reason.APPLICATION_HELD_UP,
    ),
    "a refresh for another fault": (
        STILL, tried(REFRESH, unsynced(SEALED), 4 * MINUTE), Reason.APPLICATION_HELD_UP,
    ),
    "a refresh that Argo CD has not taken up": (
        STALE, tried(REFRESH, STALE, 4 * MINUTE), Reason.APPLICATION_NOT_REFRESHED,
    ),
    "a refresh that Argo CD may still take up": (
        STALE, tried(REFRESH, STALE, MINUTE), Reason.APPLICATION_REFRESHING,
    ),
    "a refresh that Argo CD has not taken up for hours": (
        STALE, tried(REFRESH, STALE, 5 * HOUR), Reason.APPLICATION_NOT_REFRESHED,
    ),
    "a refresh that Argo CD has not taken up, for another fault": (
        STALE, tried(REFRESH, STALE, HOUR, situation="other"), Reason.APPLICATION_NOT_REFRESHED,
    ),
    "a sync that Argo CD may still take up": (
        ASKED, tried(SYNC, ASKED, MINUTE), Reason.APPLICATION_SYNCING,
    ),
    "a sync that Argo CD has not taken up": (
        ASKED, tried(SYNC, ASKED, 4 * MINUTE), Reason.OPERATION_NOT_BEGUN,
    ),
    "a sync that Argo CD has not taken up for hours": (
        ASKED, tried(SYNC, ASKED, 20 * HOUR), Reason.OPERATION_NOT_BEGUN,
    ),
    "a refresh after which it can be compared": (
        unsynced(), tried(REFRESH, unsynced(), SECOND), Reason.SYNC_NOT_RETRIED,
    ),
    "a sync of a moment ago": (unsynced(), tried(SYNC, unsynced(), SECOND), Reason.APPLICATION_SYNCING),
    "a sync that came to the same end": (
        unsynced(), tried(SYNC, unsynced(), 4 * MINUTE), Reason.APPLICATION_STILL_FAILS,
    ),
    "a sync that came to the same end, long ago": (
        unsynced(), tried(SYNC, unsynced(), HOUR), Reason.APPLICATION_HELD_UP,
    ),
    "a sync that runs": (
        running(SECOND), tried(SYNC, running(SECOND), SECOND), Reason.APPLICATION_SYNCING,
    ),
    "an end that was asked for": (
        running(HOUR), tried(TERMINATE, running(HOUR), SECOND), Reason.APPLICATION_SYNCING,
    ),
    "an end that does not come": (
        running(HOUR), tried(TERMINATE, running(HOUR), 4 * MINUTE), Reason.APPLICATION_STILL_FAILS,
    ),
    "an end that came, and a rule that names who may be behind it": (
        HALTED, tried(TERMINATE, HALTED, MINUTE), Reason.APPLICATION_HELD_UP,
    ),
    "an end that came, of an earlier operation": (
        HALTED, tried(TERMINATE, HALTED, 2 * HOUR), Reason.OPERATION_STOPPED,
    ),
    "the end of an earlier operation": (
        running(HOUR), tried(TERMINATE, running(2 * HOUR), SECOND), Reason.OPERATION_STUCK,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "attempt", "reason"), TRIES.values(), ids=TRIES)
def test_after(given: Application, attempt: Attempt, reason: str) -> None:
    assert reasons(facts(given, attempt=attempt)) == [reason]


# -- plan -------------------------------------------------------------------------------------------

STEPS: dict[str, tuple[Application, Attempt | None, list[str]]] = {
    "is refreshed first": (unsynced(), None, [REFRESH]),
    "is then synced": (unsynced(), tried(REFRESH, unsynced(), MINUTE), [SYNC]),
    "is stopped where it is stuck": (running(HOUR), None, [TERMINATE]),
    "is left to people where it still fails": (STILL, tried(REFRESH, STILL, 4 * MINUTE), []),
    "is left to people where its text is not known": (incomparable(STRANGE), None, []),
    "is left alone while it runs": (running(MINUTE, health="Degraded"), None, []),
    "is left alone while it is refreshed": (STALE, None, []),
    "is left alone where it is excluded": (incomparable(skipped=True), None, []),
}


@pytest.mark.parametrize(("given", "attempt", "actions"), STEPS.values(), ids=STEPS)
def test_what_fails(given: Application, attempt: Attempt | None, actions: list[str]) -> None:
    known = facts(given, attempt=attempt)
    assert [step.action for step in plan(known, check(known, NOW)).steps] == actions


def test_a_plan_is_the_same_for_the_same_situation_and_holds_no_time() -> None:
    given = facts(incomparable())
    assert plan(given, check(given, NOW)).digest == plan(given, check(given, NOW + MINUTE)).digest


def test_of_many_only_a_few_are_asked_for_at_a_time() -> None:
    many = facts(*(incomparable(name=f"dev-{number}") for number in range(BATCH + 5)))
    assert len(plan(many, check(many, NOW)).steps) == BATCH
