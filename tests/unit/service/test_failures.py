"""What a run does about refusals, lost answers, defects and a store that is down."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared import workqueue
from shared.clients import arm
from shared.clients.azure_core import Answer
from shared.errors import PermanentError, TemporaryError, Throttled, WriteConflict
from shared.journal import Kind
from shared.landscape import Action, Mode
from shared.leases import SKEW, TTL
from shared.ports import Row
from shared.workqueue import EARLY, FIRST_PAUSE
from tests.unit.app import DEV, App, FrailRows, cluster_written, contract, environment, rebuilt
from tests.unit.federated_credentials.builders import CLUSTER, DEAD, IDENTITY, LIVE, declared, held
from tests.unit.platform import EXCHANGE, GET_CLUSTER, GET_IDENTITY, LIST, PUT

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
OTHER = f"{IDENTITY}-of-dns"

CONFLICT = WriteConflict("ARM answered 409 ConcurrentWrites", delay=20 * SECOND)
THROTTLED = Throttled("ARM answered 429 TooManyRequests", delay=90 * SECOND)
BROKEN = TemporaryError("ARM answered 503 ServiceUnavailable", delay=30 * SECOND)
REFUSED = PermanentError("ARM answered 400 BadRequest")
FORBIDDEN = TemporaryError("ARM answered 403 AuthorizationFailed", delay=5 * MINUTE)


def two_identities(credentials: int = 1) -> App:
    """Two identities, each with as many stale credentials."""
    names = tuple(
        declared(f"vault-{n}", subject=f"system:serviceaccount:dev:s{n}") for n in range(credentials)
    )
    return rebuilt(environment({IDENTITY: names, OTHER: names}))


def trusted(app: App, identity: str) -> list[str]:
    """Names of the credentials that trust the live cluster."""
    return [name for name, one in app.platform.holds(identity).items() if one.issuer == LIVE]


def during_the_next_write(app: App, happens: Callable[[], object]) -> None:
    def once(_identity: str) -> None:
        app.platform.meanwhile = lambda _: None
        happens()

    app.platform.meanwhile = once


def run(app: App) -> App:
    app.deliver(cluster_written())
    app.work_off()
    return app


PASSES_BY_ITSELF = {
    "a concurrent write under the identity": (CONFLICT, False, 20 * SECOND),
    "throttling": (THROTTLED, False, 90 * SECOND),
    "a server error": (BROKEN, None, 30 * SECOND),
}


@pytest.mark.parametrize(("error", "written", "delay"), PASSES_BY_ITSELF.values(), ids=PASSES_BY_ITSELF)
def test_passes_by_itself(error: TemporaryError, written: bool | None, delay: timedelta) -> None:
    app = rebuilt()
    app.platform.lay(PUT, error)
    run(app)
    state = app.state()
    assert (state.word, state.because, state.failures) == ("failed", str(error), 1)
    assert state.due == app.clock() + delay
    (failed,) = app.journal(DEV, Kind.STEP_FAILED)
    assert (failed.detail["error"], failed.detail["written"]) == (str(error), written)
    app.let(delay - SECOND)
    assert app.looks() == 1
    app.let(SECOND)
    assert (app.state().word, app.state().failures) == ("repaired", 0)


def test_a_signal_does_not_shorten_the_pause_that_the_far_side_named() -> None:
    app = rebuilt()
    app.platform.lay(PUT, THROTTLED)
    run(app)
    run(app)
    app.sweep()
    app.let(90 * SECOND - SECOND)
    assert app.platform.number_of(PUT) == 1
    app.let(SECOND)
    assert app.state().word == "repaired"


def test_of_two_pauses_that_were_named_the_longer_is_kept() -> None:
    app = two_identities()
    app.platform.lay(PUT, CONFLICT, on=f"{OTHER}/")
    app.platform.lay(PUT, THROTTLED, on=f"{IDENTITY}/")
    run(app)
    assert app.state().not_before == app.clock() + 90 * SECOND + EARLY


def test_the_pause_is_kept_however_soon_something_else_would_be_looked_at() -> None:
    app = two_identities()
    app.platform.propagation = 8 * MINUTE
    app.platform.lay(PUT, THROTTLED, on=f"{OTHER}/")
    run(app)
    assert app.state().not_before == app.clock() + 90 * SECOND + EARLY


STOPS_THE_IDENTITY = {
    "throttling": THROTTLED,
    "a concurrent write": CONFLICT,
    "a server error": BROKEN,
    "a refusal for good": REFUSED,
}


@pytest.mark.parametrize("error", STOPS_THE_IDENTITY.values(), ids=STOPS_THE_IDENTITY)
def test_stops_the_identitys_other_steps_and_no_other_identitys(error: Exception) -> None:
    app = two_identities(credentials=3)
    app.platform.lay(PUT, error, on=f"{IDENTITY}/federatedIdentityCredentials/vault-1")
    run(app)
    assert trusted(app, IDENTITY) == ["vault-0"]
    assert trusted(app, OTHER) == ["vault-0", "vault-1", "vault-2"]


def test_a_refusal_for_good_is_not_tried_again_by_itself() -> None:
    app = rebuilt()
    app.platform.lay(PUT, REFUSED, times=1_000)
    run(app)
    state = app.state()
    assert (state.word, state.because, state.due) == ("failed", str(REFUSED), None)
    app.let(timedelta(hours=12))
    assert app.platform.number_of(PUT) == 1
    assert app.told.kinds == ["TargetFailed"]


def test_a_write_whose_answer_was_lost_is_proven_and_not_made_again() -> None:
    app = rebuilt()
    app.platform.lay(PUT, BROKEN, after=True)
    run(app)
    assert app.state().word == "repaired", "the effect is there, and that is what counts"
    assert app.journal(DEV, Kind.PROOF)[-1].detail["verdict"] == "accepted"
    run(app)
    assert app.state().word == "converged"
    assert len(app.platform.written) == 1


def test_a_write_whose_answer_was_lost_is_proven_later_when_nothing_can_be_read_either() -> None:
    app = rebuilt()
    app.platform.lay(PUT, BROKEN, after=True)
    during_the_next_write(app, lambda: app.platform.lay(LIST, BROKEN))
    run(app)
    assert app.state().word == "failed"
    app.let(MINUTE)
    assert app.state().word == "repaired"
    assert len(app.platform.written) == 1


REFUSED_FOR_NOW = {
    "an expired token": (401, "ExpiredAuthenticationToken"),
    "a role that is not seen yet": (403, "AuthorizationFailed"),
    "an identity that is gone": (404, "ParentResourceNotFound"),
    "a 404 of something on the way": (404, ""),
    "a condition that no longer holds": (412, "PreconditionFailed"),
}


@pytest.mark.parametrize(("status", "code"), REFUSED_FOR_NOW.values(), ids=REFUSED_FOR_NOW)
def test_a_refused_write_leaves_the_approval_and_claims_nothing_of_what_others_mend(
    status: int, code: str
) -> None:
    app = rebuilt(environment(contract=contract(actions={Action.CREDENTIAL_UPDATE: Mode.APPROVE})))
    run(app)
    digest = app.state().plan
    assert digest
    app.service.approve(digest, "alice")
    app.platform.lay(PUT, arm.classify(Answer(service="ARM", status=status, code=code)))
    app.work_off()
    assert [entry.detail["written"] for entry in app.journal(DEV, Kind.STEP_FAILED)] == [False]
    plan = app.service.plans.find(digest)
    assert plan
    assert plan.state.value == "approved"
    app.platform.meddle(IDENTITY, held(issuer=LIVE))
    run(app)
    app.let(timedelta(hours=1))
    assert app.state().word == "converged"
    assert app.journal(DEV, Kind.PROOF) == []


def test_steps_behind_a_lost_answer_are_carried_on_after_the_pause() -> None:
    app = two_identities(credentials=2)
    app.platform.lay(PUT, BROKEN, on=f"{OTHER}/federatedIdentityCredentials/vault-0", after=True)
    run(app)
    assert (app.state().word, trusted(app, OTHER)) == ("failed", ["vault-0"])
    app.let(BROKEN.delay)
    assert (app.state().word, trusted(app, OTHER)) == ("repaired", ["vault-0", "vault-1"])
    assert len(app.platform.written) == 4


CANNOT_BE_READ = {
    "the cluster": (GET_CLUSTER, "could not be read"),
    "the identity": (GET_IDENTITY, "could not be read"),
    "its credentials": (LIST, "could not be listed"),
}


@pytest.mark.parametrize(("call", "said"), CANNOT_BE_READ.values(), ids=CANNOT_BE_READ)
def test_what_cannot_be_read_is_never_written_on(call: str, said: str) -> None:
    app = rebuilt()
    app.platform.lay(call, FORBIDDEN, times=3)
    run(app)
    state = app.state()
    assert app.platform.number_of(PUT) == 0
    assert state.word == "failed"
    assert said in (state.because or "")
    assert "403" in (state.because or "")
    app.let(timedelta(hours=1))
    assert app.state().word == "repaired"


def test_what_can_be_read_is_repaired_beside_what_cannot() -> None:
    app = two_identities()
    app.platform.lay(LIST, FORBIDDEN, on=OTHER, times=2)
    run(app)
    assert trusted(app, IDENTITY) == ["vault-0"]
    assert trusted(app, OTHER) == []
    assert app.state().word == "failed"


def test_a_rebuild_is_repaired_at_once_while_another_identity_stays_unreadable() -> None:
    app = two_identities()
    app.platform.lay(LIST, FORBIDDEN, on=OTHER, times=1_000)
    run(app)
    app.let(timedelta(hours=6))
    app.platform.hold(IDENTITY, held("vault-0", issuer=DEAD, subject="system:serviceaccount:dev:s0"))
    app.deliver(cluster_written())
    app.let(FIRST_PAUSE)
    assert trusted(app, IDENTITY) == ["vault-0"]


def test_a_repair_is_proven_in_time_while_another_identity_stays_unreadable() -> None:
    app = two_identities()
    app.platform.lay(LIST, FORBIDDEN, on=OTHER, times=1_000)
    app.platform.propagation = MINUTE
    run(app)
    app.let(3 * MINUTE)
    assert [entry.detail["verdict"] for entry in app.journal(DEV, Kind.PROOF)][-1] == "accepted"


def test_a_persons_task_beside_something_unread_is_looked_at_again_and_both_are_journalled() -> None:
    app = two_identities()
    app.platform.hold(IDENTITY, held("vault-0", issuer="https://token.actions.githubusercontent.com"))
    app.platform.lay(LIST, FORBIDDEN, on=OTHER)
    run(app)
    assert {entry.detail["reason"] for entry in app.journal(DEV, Kind.FINDING)} == {"NameCollision", "Unread"}
    assert app.state().word == "failed"
    app.let(MINUTE)
    assert app.state().word == "human"
    assert trusted(app, OTHER) == ["vault-0"]


@pytest.mark.parametrize("call", [GET_CLUSTER, GET_IDENTITY, LIST, PUT])
def test_of_a_defect_only_the_kind_and_the_place_are_told(call: str) -> None:
    app = rebuilt()
    app.platform.lay(call, RuntimeError("AccountKey=c2VjcmV0"))
    run(app)
    state = app.state()
    assert state.word == "failed"
    assert "RuntimeError at tests.unit.platform:" in (state.because or "")
    assert "c2VjcmV0" not in repr([*app.journal(), *app.signals(), state, app.told.notices])
    app.let(timedelta(minutes=5))
    assert app.state().word == "repaired"


def test_a_proof_that_meets_a_defect_does_not_undo_the_repair() -> None:
    app = rebuilt()
    app.platform.lay(EXCHANGE, RuntimeError("eyJ0"))
    run(app)
    app.let(timedelta(minutes=5))
    assert app.state().word in {"repaired", "pending"}
    assert len(app.platform.written) == 1


def kind(word: str) -> Callable[[str, Row], bool]:
    return lambda table, values: table == "journal" and values.get("kind") == word


STORE_IS_DOWN = {
    "for the signal": kind("signal"),
    "for what was found": kind("finding"),
    "for the step's start": kind("step-started"),
    "for the step's end": kind("step-done"),
    "for the proof": kind("proof"),
    "for the outcome": kind("outcome"),
    "for the target's row": lambda table, _: table == "targets",
    "for the identity's lease": lambda table, _: table == "leases",
    "altogether": lambda _table, _values: True,
}


@pytest.mark.parametrize("down", STORE_IS_DOWN.values(), ids=STORE_IS_DOWN)
def test_a_store_that_was_down_costs_time_and_nothing_else(down: Callable[[str, Row], bool]) -> None:
    app = rebuilt()
    assert isinstance(app.rows, FrailRows)
    app.rows.down = down
    app.deliver(cluster_written())
    app.let(MINUTE)
    app.rows.down = lambda _table, _values: False
    app.let(TTL + SKEW + MINUTE)
    assert trusted(app, IDENTITY) == ["vault-dev"]
    assert app.journal(DEV, Kind.OUTCOME)[-1].detail["word"] in {"repaired", "converged"}
    assert app.journal(DEV, Kind.STEP_STARTED)
    assert "accepted" in [entry.detail["verdict"] for entry in app.journal(DEV, Kind.PROOF)]
    assert len(app.platform.written) == 1


def test_no_write_is_made_that_could_not_be_journalled_first() -> None:
    app = rebuilt()
    assert isinstance(app.rows, FrailRows)
    app.rows.down = kind("step-started")
    app.deliver(cluster_written())
    app.let(timedelta(hours=1))
    assert app.platform.written == []


def test_an_ending_that_cannot_be_journalled_makes_the_queue_deliver_again() -> None:
    app = rebuilt()
    assert isinstance(app.rows, FrailRows)
    app.service.queue.want(DEV, "why")
    app.rows.down = kind("outcome")
    with pytest.raises(TemporaryError, match="storage"):
        app.service.run(workqueue.to_message(DEV).encode())


def test_who_lost_the_target_while_writing_writes_no_further_credential_and_no_ending() -> None:
    names = tuple(declared(f"vault-{n}", subject=f"system:serviceaccount:dev:s{n}") for n in range(3))
    app = rebuilt(environment({IDENTITY: names}))
    during_the_next_write(app, lambda: app.clock.advance(TTL))  # the process stands still
    run(app)
    assert trusted(app, IDENTITY) == ["vault-0"], "the write that was under way"
    assert [entry.kind for entry in app.journal()][-2:] == [Kind.STEP_STARTED, Kind.STEP_DONE]
    assert app.state().word is None
    app.let(timedelta(hours=1))
    assert app.state().word == "repaired"
    assert trusted(app, IDENTITY) == ["vault-0", "vault-1", "vault-2"]
    assert len(app.platform.written) == 3
    assert app.journal(DEV, Kind.TAKEN_OVER)


def test_who_lost_the_target_while_reading_again_tells_no_ending() -> None:
    app = rebuilt()
    app.platform.lay(PUT, THROTTLED)
    reads = iter([0, 0, 0, TTL / SECOND])  # the cluster, the identity, its credentials; and once more
    app.platform.reading = lambda: app.clock.advance(next(reads, 0) * SECOND)
    app.request()
    app.work_off()
    assert app.journal()[-1].kind is Kind.STEP_FAILED
    assert app.state().word is None


def test_a_lost_target_is_taken_up_again_without_waiting_for_a_signal() -> None:
    app = rebuilt()
    during_the_next_write(app, lambda: app.clock.advance(TTL))  # the process stands still
    run(app)
    app.let(MINUTE)
    assert app.state().word == "repaired"


def test_who_waited_out_its_lease_before_a_write_does_not_even_announce_it() -> None:
    names = tuple(declared(f"vault-{n}", subject=f"system:serviceaccount:dev:s{n}") for n in range(2))
    given = environment({IDENTITY: names})
    paced = given.contract.model_copy(update={"pace": 4 * SECOND})
    app = rebuilt(given.model_copy(update={"contract": paced}))
    app.pause = lambda _: app.clock.advance(TTL)
    app.start_process()
    run(app)
    assert trusted(app, IDENTITY) == ["vault-0"]
    assert len(app.journal(DEV, Kind.STEP_STARTED)) == 1
    assert app.journal()[-1].kind is Kind.STEP_DONE


def test_an_old_workers_late_word_does_not_unsay_what_its_successor_did() -> None:
    """A froze in its write and finds it refused long after B repaired and proved the same credential."""
    app = rebuilt()
    app.platform.propagation = 8 * MINUTE

    def successor() -> None:
        app.platform._writing.clear()  # A's request never reached Azure
        app.clock.advance(TTL + SKEW)
        app.request()
        app.work_off()
        raise CONFLICT

    during_the_next_write(app, successor)
    run(app)
    assert [entry.detail.get("written") for entry in app.journal(DEV, Kind.STEP_FAILED)] == [False]
    app.let(timedelta(hours=1))
    assert app.state().word == "repaired"
    assert app.journal(DEV, Kind.PROOF)[-1].detail["verdict"] == "accepted"


def test_the_failures_pause_doubles_and_is_forgotten_after_success() -> None:
    app = rebuilt()
    app.platform.lay(PUT, BROKEN, times=1_000)
    run(app)
    app.let(timedelta(hours=2))
    assert 8 <= app.platform.number_of(PUT) <= 12
    app.platform.calm()
    app.let(timedelta(minutes=33))
    assert (app.state().word, app.state().failures) == ("repaired", 0)


def test_a_cluster_that_is_being_built_is_waited_for() -> None:
    app = rebuilt()
    app.platform.build(CLUSTER, None, provisioning_state="Creating")
    run(app)
    assert app.state().word == "pending"
    app.platform.build(CLUSTER, LIVE)
    app.let(2 * MINUTE)
    assert app.state().word == "repaired"


def test_a_deleted_cluster_needs_a_person_and_its_credentials_stay() -> None:
    app = rebuilt()
    app.platform.tear_down(CLUSTER)
    run(app)
    assert app.state().word == "human"
    assert app.platform.holds(IDENTITY) == {"vault-dev": held(issuer=DEAD)}
