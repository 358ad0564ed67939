"""Whole runs: what an Application waits for, and how Argo CD is made to carry on once that is mended."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from responders.applications import RESPONDER
from responders.applications.plan import BATCH, NAME
from responders.applications.reasons import Reason
from shared.clients.argocd import Application, OperationState
from shared.engine import Report, Run, execute, record_outcome
from shared.errors import NotWritten, PermanentError, TemporaryError, WriteConflict
from shared.journal import Entry, Journal, Kind
from shared.landscape import Action, Contract, Mode
from shared.leases import Leases
from shared.memory import MemoryRows
from shared.model import Finding, Outcome, Plan, Severity, Step, Target, Word
from shared.plans import Plans
from shared.steps import Crew
from shared.world import AnyResponder, Leads, Look, ReasonInfo, Responder, Scope
from tests.unit.app import environment, landscape
from tests.unit.applications.builders import (
    HOUR,
    MINUTE,
    NO_COMMIT,
    NOW,
    SEALED,
    SECOND,
    SECRET,
    STRANGE,
    application,
    condition,
    declared,
    failed,
    incomparable,
    operation,
    unsynced,
)
from tests.unit.clocks import VirtualClock
from tests.unit.federated_credentials.builders import CLUSTER, IDENTITY, LIVE
from tests.unit.platform import Platform

TARGET = Target("dev", NAME)
MAY: dict[str, Any] = {
    "default": Mode.APPLY,
    "applications": ("dev-*",),
    "identities": (IDENTITY,),
    "pace": timedelta(0),
}
APP = "dev-gitlab"
EMPTIES = "Skipping sync attempt to [x]: auto-sync will wipe out all resources"


class Stage:
    """An Argo CD, a responder that looks after submodules, and runs."""

    def __init__(self, *applications: Application, **contract: Any) -> None:
        self.clock = VirtualClock()
        self.rows = MemoryRows()
        self.journal = Journal(self.rows, self.clock)
        self.platform = Platform(self.clock)
        self.platform.build(CLUSTER, LIVE)
        self.argocd = self.platform.argocd
        self.argocd.held = {one.name: one for one in applications}
        self.argocd.refreshed, self.argocd.synced = self.controller_compares, self.controller_syncs
        self.broken = False
        """The root: a commit is missing."""
        self.sealed = False
        """Another root: Vault is sealed."""
        self.unclear: Leads | None = None
        """What the look at the first root leads to, where nothing is known to be broken there."""
        self.contract = Contract(**{**MAY, **contract})

    # -- what Argo CD does ----------------------------------------------------------------

    def controller_compares(self, name: str) -> None:
        errors = (condition(NO_COMMIT, since=self.clock()),) if self.broken else ()
        sync = "Unknown" if self.broken else "OutOfSync"
        self.argocd.change(name, refreshing=False, conditions=errors, sync=sync)

    def controller_syncs(self, name: str) -> None:
        state = operation(age=NOW - self.clock())
        self.argocd.change(name, requested=False, sync="Synced", operation=state)

    def in_time(self, does: Callable[[str], None]) -> Callable[[str], None]:
        """A moment passes between the write and the end of the run."""

        def later(name: str) -> None:
            does(name)
            self.clock.advance(SECOND)

        return later

    # -- runs -----------------------------------------------------------------------------

    def vault(self) -> AnyResponder:
        def check(*_: object) -> tuple[Finding, ...]:
            sealed = Finding(reason="Missing", subject="http://vault", message="it is sealed")
            return (sealed,) if self.sealed else ()

        return replace(self.submodules(), name="vault_seeding", check=check)

    def submodules(self) -> AnyResponder:
        def check(*_: object) -> tuple[Finding, ...]:
            missing = Finding(reason="Missing", subject="https://forge/backlog", message="no such commit")
            if self.unclear:
                return (replace(missing, reason=self.unclear, message="429"),)
            return (missing,) if self.broken else ()

        return Responder(
            name="submodule_refs",
            actions=(),
            reasons={
                "Missing": ReasonInfo(Leads.PERSON, Severity.ERROR, "", ""),
                **{lead: ReasonInfo(lead, Severity.ERROR, "", "") for lead in (Leads.UNREAD, Leads.WAIT)},
            },
            gather=lambda _scope: None,
            check=check,
            plan=lambda _facts, _findings: Plan(target=TARGET, facts="", steps=()),
            apply=lambda _scope, _step: None,
            verify=lambda _scope, _facts: (),
            doubt=lambda _facts, _proofs, _now: (),
            look_again=lambda _facts, _finding, _now: Look(SECOND),
        )

    def scope(self) -> Scope:
        whole = landscape(environment(contract=self.contract).model_copy(update={"argocd": declared()}))
        return Scope(
            target=TARGET,
            landscape=whole,
            environment=whole.environments["dev"],
            world=self.platform.world,
            journal=self.journal,
            clock=self.clock,
            pause=self.clock.pause,
            preconditions=(self.submodules(), self.vault()),
        )

    def run(self) -> Report:
        run = Run(id=str(uuid.uuid4()), correlation_id="c", actor="reconverge")
        crew = Crew(Leases(self.rows, self.clock), lambda: None, "worker")
        report = execute(self.scope(), RESPONDER, run, Plans(self.rows, self.clock), crew)
        record_outcome(self.journal, TARGET, run, report)
        return report

    def entries(self) -> list[Entry]:
        return list(self.journal.read(TARGET, since=self.clock() - HOUR))

    def runs(self, most: int = 6, after: timedelta = 10 * SECOND) -> list[Word]:
        """Until nothing is pending."""
        words: list[Word] = []
        while len(words) < most and words[-1:] in ([], [Word.PENDING]):
            words.append(self.run().outcome.word)
            self.clock.advance(after)
        return words


def outcome(stage: Stage) -> Outcome:
    return stage.run().outcome


def test_while_the_root_is_broken_it_waits_for_it_and_nothing_is_asked_of_argo_cd() -> None:
    stage = Stage(incomparable(), application("dev-x"))
    stage.broken = True
    ended = outcome(stage)
    assert (ended.word, ended.blocked_by) == (Word.BLOCKED, "dev/submodule_refs")
    assert ended.because.startswith("ApplicationHeldUp because of dev/submodule_refs Missing: no such commit")
    assert stage.argocd.asked == []


def test_once_the_root_is_well_argo_cd_is_made_to_look_again_and_carry_on() -> None:
    stage = Stage(unsynced(sync="Unknown", conditions=(condition(NO_COMMIT),)))
    stage.broken = True
    assert outcome(stage).word is Word.BLOCKED
    stage.broken = False
    words = stage.runs()
    assert words[-1] is Word.REPAIRED
    assert stage.argocd.asked == [("refresh", APP), ("sync", APP)]
    assert stage.argocd.reasons == ["the cause of SubmoduleCommitMissing is mended"]
    assert outcome(stage).word is Word.CONVERGED
    proofs = [one.detail["detail"] for one in stage.entries() if one.kind is Kind.PROOF]
    assert proofs == ["Argo CD can compare it again", "it is Synced"]


def test_what_auto_sync_does_by_itself_is_left_to_it() -> None:
    stage = Stage(incomparable())
    assert stage.runs()[-1] is Word.REPAIRED
    assert stage.argocd.asked == [("refresh", APP)]


def test_one_without_automated_sync_is_refreshed_and_its_sync_is_left_to_people() -> None:
    stage = Stage(unsynced(sync="Unknown", conditions=(condition(NO_COMMIT),), automated=False))
    stage.runs()
    for _ in range(3):
        stage.clock.advance(HOUR)
        ended = outcome(stage)
        assert (ended.word, ended.reason) == (Word.HUMAN, Reason.SYNC_LEFT_TO_PEOPLE)
    assert stage.argocd.asked == [("refresh", APP)]
    stage.broken = True
    assert outcome(stage).word is Word.BLOCKED


def test_a_refresh_is_waited_for() -> None:
    stage = Stage(incomparable())
    stage.argocd.refreshed = lambda _name: None
    assert outcome(stage).word is Word.PENDING
    stage.clock.advance(MINUTE)
    ended = outcome(stage)
    assert (ended.word, ended.reason) == (Word.PENDING, Reason.APPLICATION_REFRESHING)
    stage.clock.advance(3 * MINUTE)
    ended = outcome(stage)
    assert (ended.word, ended.reason) == (Word.HUMAN, Reason.APPLICATION_NOT_REFRESHED)
    assert stage.argocd.asked == [("refresh", APP)]


def test_it_is_not_refreshed_again_and_again() -> None:
    stage = Stage(incomparable())
    stage.argocd.refreshed = lambda name: stage.argocd.change(name, refreshing=False)
    for _ in range(10):
        ended = outcome(stage)
        stage.clock.advance(MINUTE)
    assert (ended.word, ended.reason) == (Word.HUMAN, Reason.APPLICATION_STILL_FAILS)
    assert stage.argocd.asked == [("refresh", APP)]
    stage.clock.advance(HOUR)
    outcome(stage)
    assert stage.argocd.asked == [("refresh", APP)] * 2


def test_a_try_that_met_a_broken_root_does_not_count() -> None:
    stage = Stage(incomparable())
    stage.argocd.refreshed = lambda name: stage.argocd.change(name, refreshing=False)
    outcome(stage)
    stage.clock.advance(4 * MINUTE)
    stage.broken = True
    assert outcome(stage).word is Word.BLOCKED
    stage.clock.advance(MINUTE)
    stage.broken, stage.argocd.refreshed = False, stage.controller_compares
    assert stage.runs()[-1] is Word.REPAIRED


def test_others_that_wait_for_their_root_do_not_make_it_be_refreshed_again() -> None:
    stage = Stage(incomparable(), unsynced(SEALED, "dev-vault-core"), unsynced(name="dev-x"))
    stage.argocd.refreshed = stage.in_time(lambda name: stage.argocd.change(name, refreshing=False))
    stage.sealed = True
    for _ in range(10):
        ended = outcome(stage)
        stage.clock.advance(MINUTE)
    assert (ended.word, ended.blocked_by) == (Word.HUMAN, "dev/vault_seeding")
    # What concerns two Applications is done side by side.
    assert sorted(stage.argocd.asked) == [("refresh", APP), ("refresh", "dev-x"), ("sync", "dev-x")]


def test_a_try_that_met_a_broken_root_does_not_count_beside_others_that_wait_for_theirs() -> None:
    stage = Stage(unsynced(SEALED, "dev-vault-core"), incomparable())
    stage.argocd.refreshed = stage.in_time(lambda name: stage.argocd.change(name, refreshing=False))
    stage.sealed = True
    outcome(stage)
    stage.clock.advance(4 * MINUTE)
    stage.broken = True
    assert outcome(stage).word is Word.BLOCKED
    stage.clock.advance(MINUTE)
    stage.broken = False
    outcome(stage)
    assert stage.argocd.asked == [("refresh", APP)] * 2


def test_a_sync_that_fails_of_the_same_is_not_begun_again() -> None:
    stage = Stage(unsynced())
    stage.argocd.synced = lambda name: stage.argocd.change(name, requested=False, operation=failed(NO_COMMIT))
    for _ in range(10):
        ended = outcome(stage)
        stage.clock.advance(MINUTE)
    assert (ended.word, ended.reason) == (Word.HUMAN, Reason.APPLICATION_STILL_FAILS)
    assert stage.argocd.asked == [("refresh", APP), ("sync", APP)]


def test_a_sync_is_waited_for() -> None:
    stage = Stage(unsynced())
    stage.argocd.synced = lambda _name: None
    assert stage.runs() == [Word.PENDING] * 6
    assert stage.argocd.asked == [("refresh", APP), ("sync", APP)]
    stage.controller_syncs(APP)
    assert outcome(stage).word is Word.REPAIRED


def test_somebody_else_s_write_is_no_failed_try() -> None:
    stage = Stage(unsynced())
    outcome(stage)
    stage.clock.advance(MINUTE)
    stage.argocd.trouble["sync"] = WriteConflict("409 Conflict", delay=SECOND)
    assert outcome(stage).word is Word.FAILED
    stage.argocd.trouble.clear()
    stage.clock.advance(MINUTE)
    assert stage.runs()[-1] is Word.REPAIRED


def test_many_are_refreshed_a_few_at_a_time() -> None:
    stage = Stage(*(incomparable(name=f"dev-{number}") for number in range(2 * BATCH + 1)))
    words = stage.runs()
    assert words == [Word.PENDING, Word.PENDING, Word.REPAIRED]
    assert len(stage.argocd.asked) == len(set(stage.argocd.asked)) == 2 * BATCH + 1


def test_those_that_wait_for_their_root_keep_none_waiting_whose_root_is_well() -> None:
    waiting = (unsynced(SEALED, f"dev-a{number}") for number in range(BATCH + 2))
    stage = Stage(*waiting, incomparable(name="dev-zzz"))
    stage.sealed = True
    outcome(stage)
    assert stage.argocd.asked == [("refresh", "dev-zzz")]


def test_another_environment_s_applications_are_left_to_it() -> None:
    stage = Stage(incomparable(name="production-gitlab"), application())
    assert outcome(stage).word is Word.CONVERGED


def test_of_the_same_run_all_are_listed_once_for_each_look() -> None:
    stage = Stage(*(application(f"dev-{number}") for number in range(400)))
    assert outcome(stage).word is Word.CONVERGED
    assert stage.argocd.lists == 1


MODES: dict[str, tuple[dict[str, Any], Word, list[tuple[str, str]]]] = {
    "only proposed": ({"default": Mode.PROPOSE}, Word.PROPOSED, []),
    "left to people": ({"default": Mode.NEVER}, Word.HUMAN, []),
    "of another environment": ({"applications": ("production-*",)}, Word.HUMAN, []),
    "to be approved": ({"default": Mode.APPROVE}, Word.APPROVAL, []),
    "refreshed, and its sync to be approved": (
        {"actions": {Action.APPLICATION_SYNC: Mode.APPROVE}}, Word.APPROVAL, [("refresh", APP)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("contract", "word", "asked"), MODES.values(), ids=MODES)
def test_by_the_contract_it_is(contract: dict[str, Any], word: Word, asked: list[tuple[str, str]]) -> None:
    stage = Stage(unsynced(), **contract)
    assert stage.runs()[-1] is word
    assert stage.argocd.asked == asked


def stuck() -> Application:
    state = operation("Running", "waiting for completion of hook batch/Job/x", running=True)
    return application(APP, requested=True, sync="OutOfSync", operation=state)


def test_an_operation_that_does_not_end_is_stopped_where_the_contract_names_that() -> None:
    stage = Stage(stuck(), actions={Action.APPLICATION_TERMINATE: Mode.APPLY})
    assert outcome(stage).word is Word.PENDING
    assert stage.argocd.asked == [("terminate", APP)]
    ended = operation("Failed", "Operation terminated")
    stage.argocd.change(APP, requested=False, sync="Synced", operation=ended)
    stage.clock.advance(MINUTE)
    assert outcome(stage).word is Word.REPAIRED


def test_an_operation_that_we_stopped_is_begun_again_once() -> None:
    state = operation("Running", "waiting for completion of hook batch/Job/x", running=True)
    hung = application("dev-vault-core", requested=True, sync="OutOfSync", operation=state)
    stage = Stage(hung, actions={Action.APPLICATION_TERMINATE: Mode.APPLY})
    outcome(stage)
    ended = operation("Failed", "Operation terminated")
    stage.argocd.change("dev-vault-core", requested=False, operation=ended)
    stage.clock.advance(MINUTE)
    assert stage.runs()[-1] is Word.REPAIRED
    assert [what for what, _ in stage.argocd.asked] == ["terminate", "refresh", "sync"]


HUNG = "dev-vault-core"


def hung() -> Application:
    """What it waits for is not told, and Vault may be it."""
    state = operation("Running", "waiting for completion of hook batch/Job/x", running=True)
    return application(HUNG, requested=True, sync="OutOfSync", operation=state)


def test_an_operation_that_we_stopped_is_begun_again_days_later_when_its_root_is_well() -> None:
    stage = Stage(hung(), actions={Action.APPLICATION_TERMINATE: Mode.APPLY})
    outcome(stage)
    stage.argocd.change(HUNG, requested=False, operation=operation("Failed", "Operation terminated"))
    stage.sealed = True
    for _ in range(6):
        stage.clock.advance(12 * HOUR)
        ended = outcome(stage)
        assert (ended.word, ended.blocked_by) == (Word.BLOCKED, "dev/vault_seeding")
    stage.sealed = False
    stage.clock.advance(MINUTE)
    assert stage.runs()[-1] is Word.REPAIRED
    assert [what for what, _ in stage.argocd.asked] == ["terminate", "refresh", "sync"]


def test_a_stop_of_ours_that_may_never_have_arrived_makes_nobody_else_s_ours() -> None:
    stage = Stage(hung(), actions={Action.APPLICATION_TERMINATE: Mode.APPLY})
    stage.argocd.trouble["terminate"] = TemporaryError("the answer was lost", delay=SECOND)
    outcome(stage)
    stage.argocd.trouble.clear()
    stage.argocd.change(HUNG, requested=False, operation=operation("Failed", "Operation terminated"))
    for _ in range(3):
        stage.clock.advance(MINUTE)
        ended = outcome(stage)
        assert (ended.word, ended.reason) == (Word.HUMAN, Reason.OPERATION_STOPPED)
    assert stage.argocd.asked == []
    assert Kind.PROOF not in {one.kind for one in stage.entries()}


def test_what_hangs_again_after_it_was_stopped_and_begun_anew_is_left_to_people() -> None:
    def hangs(age: timedelta = timedelta(0)) -> OperationState:
        state = operation("Running", "waiting for completion of hook batch/Job/x", age=age, running=True)
        return replace(state, started=stage.clock() - age)

    stage = Stage(actions={Action.APPLICATION_TERMINATE: Mode.APPLY})
    stage.argocd.make("dev-vault-core", requested=True, sync="OutOfSync", operation=hangs(HOUR))
    stage.argocd.refreshed = lambda name: stage.argocd.change(name, refreshing=False)
    stage.argocd.synced = lambda name: stage.argocd.change(name, operation=hangs())
    outcome(stage)
    ended = replace(hangs(HOUR), phase="Failed", message="Operation terminated", finished=stage.clock())
    stage.argocd.change("dev-vault-core", requested=False, operation=ended)
    stage.runs()
    for _ in range(20):
        stage.clock.advance(31 * MINUTE)
        ended_as = outcome(stage)
        assert (ended_as.word, ended_as.reason) == (Word.HUMAN, Reason.APPLICATION_STILL_FAILS)
    assert [what for what, _ in stage.argocd.asked] == ["terminate", "refresh", "sync"]


def test_a_sync_that_fails_again_and_again_is_begun_a_few_times_a_day() -> None:
    stage = Stage(unsynced())
    stage.argocd.refreshed = lambda name: stage.argocd.change(name, refreshing=False)
    stage.argocd.synced = lambda name: stage.argocd.change(name, requested=False, operation=failed(NO_COMMIT))
    for _ in range(22 * 6):
        ended = outcome(stage)
        stage.clock.advance(10 * MINUTE)
    assert (ended.word, ended.reason) == (Word.HUMAN, Reason.APPLICATION_STILL_FAILS)
    assert stage.argocd.asked == [("refresh", APP), ("sync", APP)] * 3


@pytest.mark.parametrize("lost", [True, False])
def test_it_is_refreshed_three_times_within_a_day_at_most(*, lost: bool) -> None:
    def brings_nothing(name: str) -> None:
        stage.argocd.change(name, refreshing=False)
        if lost:
            raise TemporaryError("the answer was lost", delay=SECOND)

    stage = Stage(incomparable())
    stage.argocd.refreshed = brings_nothing
    for _ in range(22 * 6):
        ended = outcome(stage)
        stage.clock.advance(10 * MINUTE)
    assert (ended.word, ended.reason) == (Word.HUMAN, Reason.APPLICATION_STILL_FAILS)
    assert stage.argocd.asked == [("refresh", APP)] * 3


def test_refreshes_that_brought_a_comparison_do_not_count() -> None:
    stage = Stage()
    for _ in range(5):
        stage.argocd.held = {APP: incomparable()}
        assert stage.runs()[-1] is Word.REPAIRED
        stage.clock.advance(2 * HOUR)
    assert stage.argocd.asked == [("refresh", APP)] * 5


def test_a_sync_whose_answer_is_lost_counts_as_well_since_it_may_have_run() -> None:
    def fails_unheard(name: str) -> None:
        stage.argocd.change(name, requested=False, operation=failed(NO_COMMIT))
        raise TemporaryError("the answer was lost", delay=SECOND)

    stage = Stage(unsynced())
    stage.argocd.refreshed = lambda name: stage.argocd.change(name, refreshing=False)
    stage.argocd.synced = fails_unheard
    for _ in range(22 * 6):
        ended = outcome(stage)
        stage.clock.advance(10 * MINUTE)
    assert (ended.word, ended.reason) == (Word.HUMAN, Reason.APPLICATION_STILL_FAILS)
    assert stage.argocd.asked.count(("sync", APP)) == 3


def test_a_sync_by_somebody_else_is_no_repair_of_ours_where_ours_never_arrived() -> None:
    stage = Stage(unsynced())
    outcome(stage)
    stage.argocd.trouble["sync"] = TemporaryError("the answer was lost", delay=SECOND)
    stage.clock.advance(MINUTE)
    outcome(stage)
    stage.clock.advance(MINUTE)
    stage.controller_syncs(APP)
    report = stage.run()
    assert (report.outcome.word, report.proofs) == (Word.CONVERGED, ())


def test_a_sync_that_was_refused_does_not_count() -> None:
    stage = Stage(unsynced())
    outcome(stage)
    stage.argocd.trouble["sync"] = NotWritten("403 Forbidden: grant patch", delay=SECOND)
    for _ in range(5):
        stage.clock.advance(10 * MINUTE)
        assert outcome(stage).word is Word.FAILED
    stage.argocd.trouble.clear()
    stage.clock.advance(MINUTE)
    assert stage.runs()[-1] is Word.REPAIRED


def test_syncs_that_met_a_broken_root_do_not_count_towards_those_of_a_day() -> None:
    stage = Stage(unsynced())
    stage.argocd.refreshed = lambda name: stage.argocd.change(name, refreshing=False)
    stage.argocd.synced = lambda name: stage.argocd.change(name, requested=False, operation=failed(NO_COMMIT))
    for _ in range(6 * 6):
        outcome(stage)
        stage.clock.advance(10 * MINUTE)
    stage.broken = True
    assert outcome(stage).word is Word.BLOCKED
    stage.clock.advance(MINUTE)
    stage.broken, stage.argocd.synced = False, stage.controller_syncs
    assert stage.runs()[-1] is Word.REPAIRED


@pytest.mark.parametrize("lead", [Leads.UNREAD, Leads.WAIT])
def test_a_root_that_is_unclear_now_and_then_makes_a_day_s_syncs_no_more(lead: Leads) -> None:
    stage = Stage(unsynced())
    stage.argocd.refreshed = lambda name: stage.argocd.change(name, refreshing=False)
    stage.argocd.synced = lambda name: stage.argocd.change(name, requested=False, operation=failed(NO_COMMIT))
    for number in range(22 * 2):
        stage.unclear = lead if number % 4 == 3 else None
        ended = outcome(stage)
        assert (ended.word is Word.BLOCKED) == bool(stage.unclear)
        stage.clock.advance(30 * MINUTE)
    assert stage.argocd.asked.count(("sync", APP)) == 3


def test_a_broken_root_in_an_outcome_of_before_causes_were_kept_makes_tries_count_no_more() -> None:
    stage = Stage(incomparable())
    stage.argocd.refreshed = lambda name: stage.argocd.change(name, refreshing=False)
    outcome(stage)
    stage.clock.advance(4 * MINUTE)
    roots = {"roots": ["dev/submodule_refs"]}
    stage.journal.record(Kind.OUTCOME, TARGET, actor="reconverge", correlation_id="c", detail=roots)
    outcome(stage)
    assert stage.argocd.asked == [("refresh", APP)] * 2


def test_an_operation_that_somebody_stopped_is_not_begun_again() -> None:
    ended = operation("Failed", "Operation terminated")
    stage = Stage(application("dev-vault-core", sync="OutOfSync", operation=ended))
    assert outcome(stage).reason == Reason.OPERATION_STOPPED
    stage.clock.advance(2 * HOUR)
    assert stage.runs() == [Word.HUMAN]
    assert stage.argocd.asked == []


def test_one_that_a_sync_would_empty_is_left_to_people() -> None:
    stage = Stage(unsynced(SEALED, conditions=(condition(EMPTIES, "SyncError"),)))
    # A refresh leaves it as it is: Git renders nothing.
    stage.argocd.refreshed = lambda name: stage.argocd.change(name, refreshing=False)
    ended = outcome(stage)
    assert (ended.word, ended.reason) == (Word.HUMAN, "PruneOfEverything")
    assert stage.argocd.asked == []


def test_an_operation_that_does_not_end_is_left_to_run_where_it_does_not() -> None:
    stage = Stage(stuck())
    ended = outcome(stage)
    assert ended.word is Word.PROPOSED
    assert stage.argocd.asked == []


def test_nothing_of_a_foreign_text_is_written_down() -> None:
    stage = Stage(incomparable(STRANGE), unsynced(f"{NO_COMMIT} {SECRET}", "dev-x"))
    stage.runs()
    assert {one.kind for one in stage.entries()} >= {Kind.FINDING, Kind.PLAN, Kind.STEP_STARTED, Kind.OUTCOME}
    assert SECRET not in repr(stage.entries())


@pytest.mark.parametrize("delay", [None, 90 * SECOND])
def test_a_list_that_cannot_be_had_is_asked_for_again(delay: timedelta | None) -> None:
    stage = Stage(incomparable())
    asked = delay is not None
    stage.argocd.trouble["applications"] = TemporaryError("429", delay=delay or SECOND, asked=asked)
    ended = outcome(stage)
    assert (ended.word, ended.reason) == (Word.FAILED, Reason.APPLICATIONS_UNREAD)
    assert ended.until == stage.clock() + (delay or 30 * SECOND)


# -- the last guard ---------------------------------------------------------------------------------

OWNER = f"{CLUSTER}/namespaces/argocd/applications/{APP}"


def step(**changes: Any) -> Step:
    after = {"name": APP, "uid": f"uid-{APP}", "situation": "s"}
    usual: dict[str, Any] = {
        "action": "application.sync",
        "object": OWNER,
        "owner": OWNER,
        "before": None,
        "after": after,
        "mends": Reason.SYNC_NOT_RETRIED,
    }
    return Step(**{**usual, **changes})


GUARDED: dict[str, tuple[Step, str]] = {
    "an Application of another name than its owner": (
        step(after={"name": "dev-x", "uid": "u"}), "none of the environment's Applications",
    ),
    "one of another cluster": (
        step(owner=OWNER.replace("/aks", "/other")), "none of the environment's Applications",
    ),
    "one that no pattern of the contract stands for": (step(owner=OWNER.replace("dev-", "x-")), "may not be"),
    "an action of others": (step(action="vault.seed"), "not an action of applications"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "says"), GUARDED.values(), ids=GUARDED)
def test_nothing_is_asked_for(given: Step, says: str) -> None:
    stage = Stage(incomparable())
    with pytest.raises(PermanentError, match=says):
        RESPONDER.apply(stage.scope(), given)
    assert stage.argocd.asked == []
