"""Whole runs against a small platform in memory: what heals, in which order, and what is left alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from responders.keycloak_bootstrap import RESPONDER
from responders.keycloak_bootstrap.reasons import Reason
from shared.clients.cluster_api import JobState
from shared.clients.keycloak_http import Forbidden
from shared.errors import PermanentError, TemporaryError, WriteConflict
from shared.landscape import Action, Contract, Mode
from shared.model import Channel, Step, Word
from tests.unit.app import DiesError
from tests.unit.applications.builders import failed, operation
from tests.unit.clocks import START
from tests.unit.federated_credentials.builders import CLUSTER
from tests.unit.keycloak_bootstrap.builders import (
    APPLICATION,
    BOOTSTRAP,
    CALLBACK,
    FILE,
    PATCHER,
    RIGHT,
    URL,
    WRONG,
    declared,
    hooks,
)
from tests.unit.keycloak_bootstrap.stage import (
    DIRECT,
    FIXTURE,
    FORBIDDEN,
    PAGE,
    SEALED,
    SECRET,
    TARGET,
    UNAUTHORISED,
    World,
    allowing,
)
from tests.unit.mortal import Mortal, MortalRows

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
MOMENTS = 68
"""Before and after each write to the store, in a whole repair of a wrong order."""


def refused(**world: Any) -> World:
    """The cluster was made anew while the patcher comes first by the values in Git."""
    made = World(text=WRONG, **world)
    made.recreate()
    return made


def failing(said: str = FORBIDDEN, **world: Any) -> World:
    """The order is right, and the patcher failed once of something that has passed."""
    made = World(**world)
    made.refuses = said
    made.recreate()
    made.refuses = ""
    return made


def test_a_realm_that_is_well_is_converged_and_nothing_is_written() -> None:
    world = World()
    assert world.run().outcome.word is Word.CONVERGED
    assert world.actions() == []
    assert world.github.open == []


def unmoved(world: World) -> Callable[[str], None]:
    """A sync that comes to nothing before it comes to the Jobs."""
    nothing = operation("Failed", "no reason")
    return lambda name: world.argocd.change(name, requested=False, operation=nothing)


# -- wrong order ------------------------------------------------------------------------------------


def test_a_wrong_order_is_proposed_merged_synced_and_proven() -> None:
    world = refused()
    assert {Reason.KEYCLOAK_FORBIDDEN, Reason.BOOTSTRAP_NOT_SYNC_HOOK, Reason.HOOKS_MISORDERED} <= set(
        world.reasons()
    )
    assert world.run().outcome.word is Word.PENDING
    assert world.run().outcome.reason == Reason.HOOK_PROPOSAL_OPEN
    world.merge()
    assert world.values == RIGHT
    assert world.until(Word.REPAIRED).proofs
    assert world.run().outcome.word is Word.CONVERGED
    assert world.actions() == ["keycloak.order", "application.sync"]
    assert world.workloads.works[PATCHER].state is JobState.COMPLETE


UNORDERED = dict.fromkeys(("bootstrap_hook", "bootstrap_wave", "patcher_hook", "patcher_wave"))


@pytest.mark.parametrize("missing", [UNORDERED, {"values": None}], ids=["the keys", "the file of values"])
def test_a_wrong_order_is_left_to_people_after_one_sync_where_the_landscape_does_not_declare(
    missing: dict[str, None],
) -> None:
    """The bootstrap is never made: what comes first fails the sync."""
    world = refused(keycloak=hooks(**missing))
    assert BOOTSTRAP not in world.workloads.works
    assert Reason.PATCHER_BEFORE_BOOTSTRAP in world.reasons()
    for _ in range(12):
        report = world.run()
        world.clock.advance(HOUR)
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.HOOK_KEY_UNDECLARED)
    assert world.actions() == ["application.sync"]
    world.commit(RIGHT)
    world.sync(APPLICATION)
    assert world.until(Word.REPAIRED, Word.CONVERGED)
    assert world.run().outcome.word is Word.CONVERGED


def test_a_bootstrap_that_is_gone_by_its_ttl_is_not_told_to_come_too_late() -> None:
    world = failing(keycloak=hooks(**UNORDERED))
    world.workloads.works.pop(BOOTSTRAP)
    assert Reason.MASTER_BOOTSTRAP_MISSING in world.reasons()
    assert Reason.PATCHER_BEFORE_BOOTSTRAP not in world.reasons()


def test_a_wave_that_is_no_number_of_this_world_stops_nothing() -> None:
    world = refused()
    world.commit(world.values.replace('syncWave: "1"', f'syncWave: "{"9" * 5000}"'))
    assert world.run().outcome.word is not Word.FAILED


def test_a_wrong_order_is_proposed_once_however_often_it_is_looked_at() -> None:
    world = refused()
    world.words(5)
    assert world.actions() == ["keycloak.order"]
    assert len(world.github.pulls) == 1


def test_what_was_merged_is_synced_once() -> None:
    world = refused()
    world.run()
    world.merge()
    world.argocd.synced = unmoved(world)
    for _ in range(30):
        world.clock.advance(MINUTE)
        report = world.run()
    assert world.actions() == ["keycloak.order", "application.sync"]
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.KEYCLOAK_SYNC_IN_VAIN)


def test_a_sync_is_tried_twice_a_day_at_most_where_it_changes_nothing() -> None:
    world = refused()
    world.run()
    world.merge()
    world.argocd.synced = unmoved(world)
    for _ in range(10):
        world.clock.advance(HOUR)
        world.run()
    assert world.actions().count("application.sync") == 2


@pytest.mark.parametrize("made", [refused, World], ids=["while it is needed", "as a precaution"])
def test_values_that_the_chart_does_not_follow_are_synced_twice_a_day_at_most(
    made: Callable[..., World],
) -> None:
    """Each sync makes the Jobs anew, so their uids tell nothing of what was tried."""
    world = made()
    world.sync(APPLICATION, WRONG)
    world.commit(RIGHT)
    world.argocd.synced = lambda name: world.sync(name, WRONG)
    for _ in range(12):
        world.clock.advance(HOUR)
        world.words(2)
    assert world.actions() == ["application.sync"] * 2


def test_a_job_that_is_always_gone_is_synced_for_twice_a_day_at_most() -> None:
    """The bootstrap is deleted once it has completed, by its ttlSecondsAfterFinished; the patcher fails."""
    world = failing()
    world.refuses = FORBIDDEN

    def sync(name: str) -> None:
        world.sync(name)
        del world.workloads.works[BOOTSTRAP]

    sync(APPLICATION)
    world.argocd.synced = sync
    for _ in range(12):
        world.clock.advance(HOUR)
        world.words(2)
    assert world.actions() == ["application.sync"] * 2


def test_a_sync_whose_answer_is_always_lost_is_asked_for_twice_a_day_at_most() -> None:
    """Each was begun all the same, ran all hooks, and mended nothing."""
    world = failing()
    world.workloads.works.clear()

    def sync(name: str) -> None:
        unmoved(world)(name)
        raise LOST

    world.argocd.synced = sync
    for _ in range(12):
        report = world.run()
        world.clock.advance(HOUR)
    assert world.actions() == ["application.sync"] * 2
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.KEYCLOAK_SYNC_IN_VAIN)


def test_nothing_is_synced_beside_a_running_operation() -> None:
    world = refused()
    world.run()
    world.merge()
    world.argocd.change(APPLICATION, requested=True)
    assert world.run().outcome.word is Word.PENDING
    assert world.actions() == ["keycloak.order"]


LEFT_TO_PEOPLE: dict[str, dict[str, Any]] = {
    "without automated sync": {"automated": False},
    "that is excluded from reconciliation": {"skipped": True},
    "that is being deleted": {"deleting": True},
}


@pytest.mark.parametrize("changes", LEFT_TO_PEOPLE.values(), ids=LEFT_TO_PEOPLE)
def test_an_application_is_left_to_people(changes: dict[str, Any]) -> None:
    world = refused()
    world.run()
    world.merge()
    world.argocd.change(APPLICATION, **changes)
    assert world.run().outcome.reason == Reason.KEYCLOAK_SYNC_LEFT_TO_PEOPLE
    assert world.syncs == 1


def test_an_application_of_another_name_is_told_to_people() -> None:
    """The Jobs are there, so somebody deploys them: nobody waits for their first deployment."""
    world = failing()
    world.run()
    world.merge()
    del world.argocd.held[APPLICATION]
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.KEYCLOAK_SYNC_LEFT_TO_PEOPLE)


def test_without_an_argo_cd_somebody_must_sync() -> None:
    world = refused(with_argocd=False)
    world.run()
    world.merge()
    assert world.run().outcome.reason == Reason.KEYCLOAK_SYNC_LEFT_TO_PEOPLE


def test_a_proposal_that_was_declined_is_not_made_again() -> None:
    world = refused()
    world.run()
    world.github.decline(world.github.open[0])
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.HOOK_PROPOSAL_DECLINED)
    assert len(world.github.pulls) == 1


def test_values_that_somebody_mended_meanwhile_are_synced_and_our_proposal_is_closed() -> None:
    world = refused()
    world.run()
    world.commit(RIGHT.replace('"1"', '"5"').replace('"2"', '"6"'))
    world.until(Word.REPAIRED, Word.CONVERGED)
    world.words(2)
    assert world.github.open == []
    assert world.run().outcome.word is Word.CONVERGED
    assert world.values.count('"5"') == 1


def test_a_wrong_order_is_a_precaution_while_everything_is_well() -> None:
    world = World()
    world.workloads.change(BOOTSTRAP, hook="PostSync")
    world.commit(WRONG)
    world.run()
    report = world.run()
    assert report.outcome.word is Word.PENDING
    assert Reason.HOOK_ORDER_UNSETTLED in world.reasons()
    world.merge()
    assert world.until(Word.REPAIRED, Word.CONVERGED)
    assert world.run().outcome.word is Word.CONVERGED
    assert world.workloads.works[BOOTSTRAP].hook == "Sync"


def test_people_may_say_no_to_a_precaution() -> None:
    world = World()
    world.workloads.change(BOOTSTRAP, hook="PostSync")
    world.commit(WRONG)
    world.run()
    world.github.decline(world.github.open[0])
    assert world.run().outcome.word is Word.CONVERGED
    assert world.reasons() == [Reason.HOOK_ORDER_UNSETTLED]


def test_a_proposal_that_nobody_needs_any_more_is_closed() -> None:
    world = refused()
    world.run()
    world.commit(RIGHT)
    world.sync(APPLICATION)
    world.words(2)
    assert world.github.open == []
    assert world.run().outcome.word is Word.CONVERGED


def test_the_order_is_proposed_while_its_root_is_broken_and_the_sync_waits_for_that() -> None:
    world = refused()
    world.seeds.vaults.sealed = True
    report = world.run()
    assert world.actions() == ["keycloak.order"]
    assert report.outcome.blocked_by == "dev/vault_seeding"
    world.merge()
    assert world.run().outcome.word is Word.BLOCKED
    assert world.actions() == ["keycloak.order"]
    world.seeds.vaults.sealed = False
    world.until(Word.REPAIRED)
    assert world.actions() == ["keycloak.order", "application.sync"]


# -- another run ------------------------------------------------------------------------------------


def test_a_patcher_that_was_refused_in_the_right_order_runs_again() -> None:
    world = failing()
    assert world.run().outcome.word is Word.PENDING
    assert world.actions() == ["keycloak.rerun"]
    world.merge()
    assert "runId: reconverge-" in world.values.replace('"', "")
    assert world.until(Word.REPAIRED).proofs
    assert world.run().outcome.word is Word.CONVERGED
    assert world.actions() == ["keycloak.rerun", "application.sync"]


def test_it_waits_while_its_root_is_broken_and_says_which() -> None:
    world = failing()
    world.seeds.vaults.sealed = True
    outcome = world.run().outcome
    assert (outcome.word, outcome.blocked_by) == (Word.BLOCKED, "dev/vault_seeding")
    assert "VaultSealed" in outcome.because
    assert world.actions() == []
    world.seeds.vaults.sealed = False
    world.run()
    assert world.actions() == ["keycloak.rerun"]


def test_what_fails_in_the_same_way_runs_again_twice_a_day_and_no_more() -> None:
    world = failing()
    world.refuses = FORBIDDEN
    for _ in range(40):
        outcome = world.run().outcome
        if world.github.open:
            world.merge()
        world.clock.advance(MINUTE)
    assert world.actions() == ["keycloak.rerun", "application.sync"] * 2
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.RERUN_IN_VAIN)
    world.clock.advance(timedelta(days=1))
    world.run()
    assert world.actions()[-1] == "keycloak.rerun"


def again(world: World) -> None:
    """Argo CD syncs for somebody else's commit: the Jobs are others, and the fault is the same."""
    world.sync(APPLICATION)
    world.clock.advance(20 * MINUTE)
    world.run()


def test_a_proposal_of_another_run_stays_whatever_runs_meanwhile() -> None:
    world = failing()
    world.refuses = FORBIDDEN
    world.run()
    for _ in range(4):
        again(world)
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (Word.PENDING, Reason.HOOK_PROPOSAL_OPEN)
    assert len(world.github.pulls) == len(world.github.open) == 1
    world.refuses = ""
    world.merge()
    world.until(Word.REPAIRED)


@pytest.mark.parametrize(
    "made",
    [failing, lambda: refused(refuses=FORBIDDEN)],
    ids=["another run", "another order"],
)
def test_a_proposal_that_nobody_merged_is_no_repair_whoever_makes_the_jobs_run(
    made: Callable[[], World],
) -> None:
    world = made()
    world.run()
    world.refuses = ""
    world.sync(APPLICATION, RIGHT)
    world.clock.advance(20 * MINUTE)
    before = world.values
    report = world.run()
    assert (report.proofs, world.values) == ((), before)
    world.words(2)
    assert "proof" not in {one.kind for one in world.scope.journal.read(TARGET, since=START - MINUTE)}


def test_another_run_that_was_declined_is_not_proposed_again_for_the_next_jobs() -> None:
    world = failing()
    world.refuses = FORBIDDEN
    world.run()
    world.github.decline(world.github.open[0])
    for _ in range(4):
        again(world)
    report = world.run()
    assert (report.outcome.word, report.outcome.reason) == (Word.HUMAN, Reason.HOOK_PROPOSAL_DECLINED)
    assert len(world.github.pulls) == 1


UNSYNCED: dict[str, tuple[TemporaryError, int]] = {
    "was refused, so it is as good as before": (WriteConflict("409 Conflict", delay=MINUTE), 1),
    "may have been taken, so it has had its run": (TemporaryError("the answer was lost", delay=MINUTE), 2),
}


@pytest.mark.parametrize(("met", "proposals"), UNSYNCED.values(), ids=UNSYNCED)
def test_a_change_that_was_merged_for_jobs_before_these_and_whose_sync(
    met: TemporaryError, proposals: int
) -> None:
    world = failing()
    world.refuses = FORBIDDEN
    world.run()
    again(world)
    world.merge()
    world.refuses = ""
    world.argocd.trouble["sync"] = met
    world.run()
    world.argocd.trouble.clear()
    world.clock.advance(MINUTE)
    for _ in range(3):
        world.run()
        world.clock.advance(MINUTE)
    assert len(world.github.pulls) == proposals
    assert (world.run().outcome.word is Word.CONVERGED) is (proposals == 1)


def test_a_root_that_is_mended_by_a_rerun_of_the_patcher_alone() -> None:
    world = World(brings=False)
    world.recreate()
    assert {Reason.CLIENT_KEY_MISSING, Reason.OIDC_SECRET_MISSING} <= set(world.reasons())
    world.brings = True
    world.run()
    world.merge()
    world.until(Word.REPAIRED)
    assert world.run().outcome.word is Word.CONVERGED


def test_a_hook_that_was_deleted_before_it_could_be_read_runs_again() -> None:
    world = failing()
    told = world.argocd.held[APPLICATION].operation
    assert told is not None
    resources = tuple(replace(one, name=PATCHER) for one in failed("gave up").resources)
    world.argocd.change(APPLICATION, operation=replace(told, resources=resources))
    del world.workloads.works[PATCHER]
    assert Reason.HOOK_GONE in world.reasons()
    world.run()
    world.merge()
    world.until(Word.REPAIRED, Word.CONVERGED)
    assert world.run().outcome.word is Word.CONVERGED


def test_hooks_that_are_missing_are_made_by_a_sync_alone() -> None:
    world = failing()
    world.workloads.works.clear()
    assert {Reason.MASTER_BOOTSTRAP_MISSING, Reason.CLIENT_PATCHER_MISSING} <= set(world.reasons())
    world.until(Word.REPAIRED)
    assert world.actions() == ["application.sync"]
    assert world.run().outcome.word is Word.CONVERGED


# -- Jobs made anew ---------------------------------------------------------------------------------


def test_where_the_contract_names_it_the_job_is_made_anew_at_once() -> None:
    world = failing(SEALED, contract=DIRECT)
    assert world.run().outcome.word is Word.REPAIRED
    assert world.workloads.reruns == [PATCHER]
    assert world.actions() == ["keycloak.jobs"]
    assert world.run().outcome.word is Word.CONVERGED


def test_the_bootstrap_first_and_the_patcher_once_that_has_completed() -> None:
    world = failing(contract=DIRECT)
    world.workloads.change(BOOTSTRAP, state=JobState.FAILED, completed=None)
    world.until(Word.CONVERGED)
    assert world.workloads.reruns == [BOOTSTRAP, PATCHER]


def test_the_default_alone_makes_no_job_anew() -> None:
    world = failing(contract=allowing(default=Mode.APPLY))
    world.words(3)
    assert world.workloads.reruns == []


def test_a_wrong_order_is_not_mended_by_jobs_made_anew() -> None:
    world = refused(contract=DIRECT)
    world.words(3)
    assert (world.workloads.reruns, world.actions()) == ([], ["keycloak.order"])


@pytest.mark.parametrize("said", [FORBIDDEN, UNAUTHORISED], ids=["and is forbidden", "and gets no login"])
def test_a_patcher_that_lost_its_client_runs_again_behind_the_bootstrap(said: str) -> None:
    world = World(contract=DIRECT)
    world.automation = False
    world.refused_by = said
    world.clock.advance(MINUTE)
    world.run_job(PATCHER)
    world.until(Word.CONVERGED)
    assert world.workloads.reruns == [BOOTSTRAP, PATCHER]


@pytest.mark.parametrize(
    ("said", "expected"),
    [(SEALED, [PATCHER] * 2), (FORBIDDEN, [BOOTSTRAP, PATCHER] * 2)],
    ids=["alone", "behind the bootstrap"],
)
def test_a_job_that_fails_again_is_made_anew_twice_a_day_and_no_more(said: str, expected: list[str]) -> None:
    world = failing(said, contract=DIRECT)
    world.refuses = said
    for _ in range(20):
        outcome = world.run().outcome
        world.clock.advance(5 * MINUTE)
    assert world.workloads.reruns == expected
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.RERUN_IN_VAIN)


# -- redirect URIs ----------------------------------------------------------------------------------


def test_a_redirect_uri_that_is_missing_is_added_and_proven() -> None:
    world = World()
    world.keycloaks.hold("gitlab")
    assert world.run().outcome.word is Word.REPAIRED
    assert world.keycloaks.added == [("gitlab", CALLBACK)]
    assert world.run().outcome.word is Word.CONVERGED


def test_whatever_else_the_client_accepts_stays() -> None:
    world = World()
    world.keycloaks.hold("gitlab", "https://other/cb")
    world.run()
    assert world.keycloaks.realms["ameide"]["gitlab"].redirect_uris == ("https://other/cb", CALLBACK)


def test_a_redirect_uri_is_added_whatever_its_neighbours_are_at() -> None:
    world = World()
    world.seeds.vaults.sealed = True
    world.keycloaks.hold("gitlab")
    world.run()
    assert world.keycloaks.added == [("gitlab", CALLBACK)]


def test_what_comes_up_behind_a_root_that_was_mended_needs_nobody() -> None:
    world = World()
    world.seeds.vaults.sealed = True
    world.web.pages.clear()
    world.clock.advance(HOUR)
    assert world.run().outcome.word is Word.BLOCKED
    world.seeds.vaults.sealed = False
    outcome = world.run().outcome
    assert (outcome.word, outcome.reason) == (Word.PENDING, Reason.KEYCLOAK_STARTING)
    world.clock.advance(20 * MINUTE)
    assert world.run().outcome.word is Word.HUMAN


def test_a_client_that_somebody_disabled_gets_no_redirect_uri() -> None:
    world = World()
    world.keycloaks.hold("gitlab", enabled=False)
    assert world.run().outcome.reason == Reason.CLIENT_DISABLED
    assert world.keycloaks.added == []


def test_a_keycloak_that_restarts_needs_nobody() -> None:
    world = World()
    world.run()
    world.clock.advance(HOUR)
    answered = dict(world.web.pages)
    world.web.pages.clear()
    for _ in range(4):
        outcome = world.run().outcome
        assert (outcome.word, outcome.reason) == (Word.PENDING, Reason.KEYCLOAK_STARTING)
        world.clock.advance(MINUTE)
    world.web.pages.update(answered)
    assert world.run().outcome.word is Word.CONVERGED
    world.clock.advance(HOUR)
    world.web.pages.clear()
    world.run()
    world.clock.advance(6 * MINUTE)
    outcome = world.run().outcome
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.KEYCLOAK_UNREACHABLE)


def test_before_the_patcher_has_run_nothing_is_added() -> None:
    world = failing()
    world.run()
    assert world.keycloaks.added == []


def test_a_redirect_uri_that_somebody_takes_away_is_left_to_people_in_the_end() -> None:
    world = World()
    for _ in range(4):
        world.keycloaks.hold("gitlab")
        outcome = world.run().outcome
        world.clock.advance(HOUR)
    assert world.actions() == ["keycloak.redirect"] * 2
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.REDIRECT_URI_TAKEN_AWAY)


def test_a_redirect_uri_whose_write_is_never_answered_is_left_to_people_in_the_end() -> None:
    """As where somebody else writes the client at that moment, and then takes the URI away."""
    world = World()
    world.keycloaks.trouble["add_redirect_uri lost"] = LOST
    for _ in range(6):
        world.keycloaks.hold("gitlab")
        outcome = world.run().outcome
        world.clock.advance(HOUR)
    assert world.actions() == ["keycloak.redirect"] * 2
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.REDIRECT_URI_TAKEN_AWAY)


def test_a_redirect_uri_that_keycloak_refuses_is_added_once_the_role_is_granted() -> None:
    world = World()
    world.keycloaks.hold("gitlab")
    world.keycloaks.trouble["add_redirect_uri"] = Forbidden("Keycloak answered 403", delay=MINUTE)
    for _ in range(4):
        assert world.run().outcome.word is Word.FAILED
        world.clock.advance(10 * MINUTE)
    world.keycloaks.trouble.clear()
    assert world.run().outcome.word is Word.REPAIRED
    assert world.keycloaks.added == [("gitlab", CALLBACK)]


# -- what is only waited for, or for people ---------------------------------------------------------


def test_a_secret_that_the_operator_has_not_refreshed_yet_is_waited_for_and_then_written_anew() -> None:
    """The operator reads what is there already once an hour, so another run of the patcher would bring
    nothing sooner."""
    world = World()
    world.sync(APPLICATION)
    key = "gitlab-oidc-client-secret"
    for stale in ("an older one", FIXTURE):
        world.workloads.values["keycloak-realm-oidc-clients"][key] = stale
        assert world.run().outcome.reason == Reason.OIDC_SECRET_REFRESHING
    world.clock.advance(HOUR)
    assert world.run().outcome.reason == Reason.OIDC_SECRET_REFRESHING
    assert world.actions() == []
    world.clock.advance(10 * MINUTE)
    assert Reason.OIDC_SECRET_IS_PLACEHOLDER in world.reasons()
    world.run()
    world.merge()
    world.until(Word.REPAIRED)
    assert world.actions() == ["keycloak.rerun", "application.sync"]


def test_a_placeholder_makes_the_patcher_run_again() -> None:
    world = World()
    world.workloads.values["keycloak-realm-oidc-clients"]["gitlab-oidc-client-secret"] = FIXTURE
    world.run()
    assert world.actions() == ["keycloak.rerun"]


def test_a_placeholder_that_stands_in_vault_is_waited_for_by_nobody() -> None:
    """Its operator would bring nothing else however often it reads."""
    world = World()
    world.sync(APPLICATION)
    key = "gitlab-oidc-client-secret"
    world.seeds.vaults.versions[key] = [FIXTURE]
    world.workloads.values["keycloak-realm-oidc-clients"][key] = FIXTURE
    world.run()
    assert world.actions() == ["keycloak.rerun"]
    assert world.reasons().count(Reason.OIDC_SECRET_IS_PLACEHOLDER) == 2
    world.merge()
    world.until(Word.REPAIRED)
    assert world.run().outcome.word is Word.CONVERGED


def test_what_cannot_be_read_is_neither_a_fault_nor_written() -> None:
    world = failing()
    world.workloads.trouble["job"] = TemporaryError("the API server answered 503", delay=MINUTE)
    assert world.run().outcome.word is Word.FAILED
    assert world.actions() == []


@pytest.mark.parametrize("contract", [DIRECT, allowing()], ids=["made anew", "made to run by its knob"])
def test_a_job_is_not_run_again_while_its_log_cannot_be_read(contract: Contract) -> None:
    """403 on pods/log: its log may tell what only people can mend, or what is to be mended first."""
    world = failing(contract=contract)
    refused = TemporaryError("the API server answered 403 Forbidden", delay=MINUTE)
    world.workloads.trouble["job_log"] = refused
    assert world.run().outcome.word is Word.FAILED
    assert Reason.KEYCLOAK_UNREAD in world.reasons()
    assert world.actions() == []
    world.workloads.trouble.clear()
    world.run()
    assert world.actions() != []


# -- what the contract forbids ----------------------------------------------------------------------

FORBIDS: dict[str, dict[str, Any]] = {
    "a repository that it does not list": {"repositories": ()},
    "an action that it forbids": {"default": Mode.NEVER},
    "an action that it only proposes": {"default": Mode.PROPOSE},
}


@pytest.mark.parametrize("contract", FORBIDS.values(), ids=FORBIDS)
def test_no_pull_request_is_opened_to(contract: dict[str, Any]) -> None:
    world = refused(contract=allowing(**contract))
    assert world.run().outcome.word in {Word.HUMAN, Word.PROPOSED}
    assert world.github.pulls == []


def test_an_application_that_it_does_not_list_is_not_synced() -> None:
    world = refused(contract=allowing(applications=()))
    world.run()
    world.merge()
    assert world.run().outcome.word is Word.HUMAN
    assert world.syncs == 1


def test_a_keycloak_that_it_does_not_list_is_not_written() -> None:
    world = World(contract=allowing(keycloaks=()))
    world.keycloaks.hold("gitlab")
    assert world.run().outcome.word is Word.HUMAN
    assert world.keycloaks.added == []


# -- the last guard ---------------------------------------------------------------------------------

NAMESPACE = f"{CLUSTER}/namespaces/ameide-dev"
OURS = f"{CLUSTER}/namespaces/argocd/applications/{APPLICATION}"


def step(action: str, **changes: Any) -> Step:
    usual: dict[str, dict[str, Any]] = {
        "keycloak.order": {
            "object": FILE.reference,
            "owner": PAGE,
            "after": {"masterBootstrap.hook": "Sync"},
            "before": {"masterBootstrap.hook": "PostSync"},
            "channel": Channel.PULL_REQUEST,
        },
        "keycloak.rerun": {
            "object": FILE.reference,
            "owner": PAGE,
            "after": {"clientPatcher.runId": "reconverge-0123abcd"},
            "before": {"clientPatcher.runId": "2025-12-18"},
            "channel": Channel.PULL_REQUEST,
        },
        "keycloak.jobs": {
            "object": f"{NAMESPACE}/jobs/{PATCHER}",
            "owner": NAMESPACE,
            "after": {"job": PATCHER, "uid": "u", "situation": "s"},
        },
        "keycloak.redirect": {
            "object": "x",
            "owner": URL,
            "after": {"client": "gitlab", "uri": CALLBACK},
        },
        "application.sync": {
            "object": OURS,
            "owner": OURS,
            "after": {"name": APPLICATION, "uid": f"uid-{APPLICATION}", "situation": "s"},
        },
    }
    base = {"before": None, "mends": "", **usual.get(action, {"object": "x", "owner": "x", "after": {}})}
    return Step(action=action, **{**base, **changes})


ELSEWHERE = f"{CLUSTER}/namespaces/argocd/applications/dev-other"
REFUSED = {
    "an action of somebody else": step("vault.seed"),
    "a key that is not declared": step("keycloak.order", after={"clientPatcher.image": "Sync"}),
    "a hook that is no Sync": step("keycloak.order", after={"masterBootstrap.hook": "PreSync"}),
    "a wave that is none": step("keycloak.order", after={"masterBootstrap.syncWave": "1 # x"}),
    "the knob by the wrong action": step(
        "keycloak.order", after={"clientPatcher.runId": "reconverge-0123abcd"}
    ),
    "a knob with another value": step("keycloak.rerun", after={"clientPatcher.runId": "; rm -rf /"}),
    "another file of the repository": step("keycloak.rerun", object=f"{PAGE}/blob/main/other.yaml"),
    "another repository": step("keycloak.rerun", owner="https://github.com/ameideio/other"),
    "a change without a pull request": step("keycloak.rerun", channel=Channel.DIRECT),
    "a pull request of another repository": step(
        "keycloak.rerun",
        owner="https://github.com/ameideio/other",
        after={"pull request": "1", "state": "closed"},
    ),
    "another Job": step(
        "keycloak.jobs", object=f"{NAMESPACE}/jobs/x", after={"job": "x", "uid": "u", "situation": "s"}
    ),
    "a Job in another namespace": step(
        "keycloak.jobs",
        object=f"{CLUSTER}/namespaces/kube-system/jobs/{PATCHER}",
        owner=f"{CLUSTER}/namespaces/kube-system",
    ),
    "a client that is not declared": step(
        "keycloak.redirect", after={"client": "admin-cli", "uri": CALLBACK}
    ),
    "a redirect URI that is not declared": step(
        "keycloak.redirect", after={"client": "gitlab", "uri": "https://evil/cb"}
    ),
    "another Keycloak": step("keycloak.redirect", owner="https://elsewhere"),
    "another Application": step(
        "application.sync",
        object=ELSEWHERE,
        owner=ELSEWHERE,
        after={"name": "dev-other", "uid": "u", "situation": "s"},
    ),
}
LISTED: dict[str, dict[str, Any]] = {
    "that the contract does not list": {},
    "though the contract listed it": {
        "namespaces": ("ameide-dev", "kube-system"),
        "keycloaks": (URL, "https://elsewhere"),
        "repositories": (
            "https://github.com/ameideio/ameide-gitops.git",
            "https://github.com/ameideio/other.git",
        ),
    },
}


@pytest.mark.parametrize("lists", LISTED.values(), ids=LISTED)
@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_the_last_guard_refuses(given: Step, lists: dict[str, Any]) -> None:
    world = World(contract=allowing(**lists))
    with pytest.raises(PermanentError):
        RESPONDER.apply(world.scope, given)
    assert (world.github.pulls, world.workloads.reruns, world.keycloaks.added) == ([], [], [])
    assert world.syncs == 0


@pytest.mark.parametrize(
    "action",
    ["keycloak.order", "keycloak.rerun", "keycloak.jobs", "keycloak.redirect", "application.sync"],
)
def test_the_last_guard_refuses_the_declared_place_where_the_contract_lists_none(action: str) -> None:
    nothing: dict[str, Any] = dict.fromkeys(("repositories", "namespaces", "keycloaks", "applications"), ())
    world = World(contract=allowing(**nothing))
    with pytest.raises(PermanentError, match="does not list"):
        RESPONDER.apply(world.scope, step(action))


def test_a_patcher_is_not_made_anew_beside_a_bootstrap() -> None:
    world = failing(contract=DIRECT)
    world.workloads.change(BOOTSTRAP, state=JobState.ACTIVE)
    given = step("keycloak.jobs", after={"job": PATCHER, "uid": world.workloads.works[PATCHER].uid})
    with pytest.raises(TemporaryError):
        RESPONDER.apply(world.scope, given)
    assert world.workloads.reruns == []


# -- dying between two writes -----------------------------------------------------------------------

LOST = TemporaryError("the answer was lost", delay=timedelta(seconds=5))
DIES: dict[str, tuple[str, str]] = {
    "before its branch": ("order", "point"),
    "after its branch": ("order", "point lost"),
    "before its commit": ("order", "commit"),
    "after its commit": ("order", "commit lost"),
    "before its pull request": ("order", "propose"),
    "after its pull request": ("order", "propose lost"),
}


@pytest.mark.parametrize(("_what", "call"), DIES.values(), ids=DIES)
def test_a_proposal_that_died_is_carried_on_and_not_made_twice(_what: str, call: str) -> None:
    world = refused()
    world.github.troubles[call] = LOST
    world.run()
    world.clock.advance(MINUTE)
    world.words(2)
    assert len(world.github.pulls) == 1
    world.merge()
    world.until(Word.REPAIRED)
    assert world.run().outcome.word is Word.CONVERGED


@pytest.mark.parametrize("call", ["rerun", "rerun lost"])
def test_a_job_whose_making_died_is_made_and_not_made_twice(call: str) -> None:
    world = failing(SEALED, contract=DIRECT)
    world.workloads.trouble[call] = LOST
    world.until(Word.CONVERGED, Word.REPAIRED)
    world.clock.advance(MINUTE)
    assert world.until(Word.CONVERGED)
    assert world.workloads.reruns == [PATCHER]


def test_a_job_that_was_deleted_and_never_made_is_made_by_a_sync() -> None:
    world = failing(contract=DIRECT)
    del world.workloads.works[PATCHER]
    world.until(Word.REPAIRED)
    assert world.actions() == ["application.sync"]
    assert world.run().outcome.word is Word.CONVERGED


def test_a_sync_whose_answer_was_lost_is_not_asked_for_beside_itself() -> None:
    world = refused()
    world.run()
    world.merge()
    world.argocd.trouble["sync"] = LOST
    world.run()
    assert world.syncs == 1
    del world.argocd.trouble["sync"]
    world.clock.advance(MINUTE)
    world.until(Word.REPAIRED)
    assert world.syncs == 2


@pytest.mark.parametrize("at", range(1, MOMENTS + 1))
def test_wherever_a_process_dies_the_next_one_carries_on(at: int) -> None:
    """Just before or just after any write to the store, from the first look to the end."""
    mortal = Mortal(at)
    world = refused()
    world.rows = MortalRows(mortal)
    for _ in range(40):
        try:
            word = world.run().outcome.word
        except DiesError:
            mortal.dead = False
            word = None
        if world.github.open:
            world.merge()
        world.clock.advance(MINUTE)
        if word is Word.CONVERGED:
            break
    assert mortal.moments >= at
    assert word is Word.CONVERGED
    assert len(world.github.pulls) == 1
    assert world.syncs == 2


# -- secrets ----------------------------------------------------------------------------------------


def test_no_secret_and_no_digest_of_one_stands_in_anything_that_is_kept_or_told() -> None:
    world = refused()
    reports = [world.run() for _ in range(2)]
    world.merge()
    reports += [world.run() for _ in range(4)]
    held = world.workloads.values["keycloak-realm-oidc-clients"]
    held["gitlab-oidc-client-secret"] = FIXTURE
    held["platform-app-client-secret"] = f"{SECRET}, another"
    world.clock.advance(2 * HOUR)
    reports.append(world.run())
    shown = repr(reports) + world.told() + repr(world.github.texts) + repr(world.github.messages)
    assert Reason.OIDC_SECRET_IS_PLACEHOLDER in shown
    assert Reason.OIDC_SECRET_DIFFERS in shown
    digests = world.workloads.configs["keycloak-client-secret-versions"].data.values()
    for one in (SECRET, FIXTURE, "login with", *digests):
        assert one not in shown


# -- what is read -----------------------------------------------------------------------------------


def test_nothing_is_read_that_no_check_needs() -> None:
    """Logs only of what failed, Git only for a change of values, Vault only for what was written to it."""
    world = World()
    refuse = PermanentError("nobody may ask")
    world.workloads.trouble["job_log"] = refuse
    world.github.troubles |= {"read": refuse, "history": refuse}
    assert world.run().outcome.word is Word.CONVERGED
    other = failing()
    other.seeds.vaults.trouble["read"] = refuse
    assert Reason.CLIENT_KEYS_UNREAD not in other.reasons()


LEFT_OUT: dict[str, tuple[str | None, list[Reason]]] = {
    "it says": (
        f"{SECRET}\nClient 'gitlab' not found - skipping\n",
        [Reason.PATCHER_SKIPPED_CLIENT, Reason.CLIENT_MISSING],
    ),
    "it says nothing of": ("done", [Reason.CLIENT_MISSING]),
    "it tells of others than": ("Client 'grafana' not found - skipping\n", [Reason.CLIENT_MISSING]),
    "its log is gone of": (None, [Reason.CLIENT_MISSING]),
    "it got 403 for at first": (f"{FORBIDDEN}done", [Reason.CLIENT_MISSING]),
}


@pytest.mark.parametrize(("log", "expected"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_the_log_of_a_patcher_that_completed_is_read_for_a_client_that_it_left_out(
    log: str | None, expected: list[Reason]
) -> None:
    world = World()
    del world.keycloaks.realms["ameide"]["gitlab"]
    if log:
        world.workloads.job_logs[PATCHER] = log
    assert world.reasons() == expected
    assert SECRET not in world.told()


@pytest.mark.parametrize("with_argocd", [True, False], ids=["an operation that failed", "no Argo CD"])
def test_vault_is_asked_though_the_jobs_are_gone_by_their_ttl_beside(*, with_argocd: bool) -> None:
    world = World(with_argocd=with_argocd)
    world.workloads.works.clear()
    del world.seeds.vaults.versions["gitlab-oidc-client-secret"]
    unmoved(world)(APPLICATION)
    assert Reason.CLIENT_KEY_MISSING in world.reasons()
    assert world.run().outcome.word is not Word.CONVERGED


def test_vault_is_not_asked_before_the_first_sync_of_a_cluster_that_was_made_anew() -> None:
    world = World()
    world.workloads.works.clear()
    world.seeds.vaults.versions.clear()
    world.argocd.change(APPLICATION, operation=None)
    world.seeds.vaults.trouble["read"] = PermanentError("nobody may ask")
    assert not {Reason.CLIENT_KEY_MISSING, Reason.CLIENT_KEYS_UNREAD} & set(world.reasons())


def test_an_environment_without_clients_in_vault_does_not_ask_it() -> None:
    plain = {name: one.model_copy(update={"vault_key": None}) for name, one in declared().clients.items()}
    world = World(keycloak=declared(clients=plain))
    world.seeds.vaults.refuses = "403"
    assert world.run().outcome.word is Word.CONVERGED


def test_the_runs_are_journalled_with_what_they_mend() -> None:
    world = failing()
    world.run()
    entries = world.scope.journal.read(TARGET, since=START - MINUTE)
    started = [one.detail for one in entries if one.kind == "step-started"]
    assert [(one["action"], one["mends"]) for one in started] == [
        (Action.KEYCLOAK_RERUN, Reason.KEYCLOAK_FORBIDDEN)
    ]
