"""A write is not yet a repair: how Entra and ARM lag behind, and what is said when they lag too long."""

from datetime import timedelta
from itertools import pairwise

from shared.journal import Kind
from shared.landscape import ProofMethod
from tests.unit.app import DEV, App, contract, environment, rebuilt
from tests.unit.federated_credentials.builders import CLUSTER, DEAD, IDENTITY, LIVE, SUBJECT, held
from tests.unit.platform import EXCHANGE, PUT

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
GRACE = 10 * MINUTE


def run(app: App) -> App:
    app.request()
    app.work_off()
    return app


def reasons(app: App) -> str:
    return (app.state().because or "").partition(":")[0]


def test_a_refusal_within_the_grace_time_is_pending_and_looked_at_less_and_less_often() -> None:
    app = rebuilt()
    app.platform.propagation = 8 * MINUTE
    run(app)
    assert (app.state().word, reasons(app)) == ("pending", "Propagating")
    app.let(8 * MINUTE)
    ended = [entry.at for entry in app.journal(DEV, Kind.OUTCOME)]
    pauses = [later - earlier for earlier, later in pairwise(ended)]
    assert pauses == sorted(pauses)
    assert pauses[0] == 5 * SECOND
    assert pauses[-1] <= 2 * MINUTE
    assert len(pauses) < 15
    app.let(2 * MINUTE)
    assert app.state().word == "repaired"
    assert app.platform.admits(CLUSTER, SUBJECT, IDENTITY)
    assert app.platform.number_of(PUT) == 1


def test_a_refusal_after_the_grace_time_needs_a_person_who_is_told_once() -> None:
    app = rebuilt()
    app.platform.propagation = timedelta(days=2)
    run(app)
    app.let(GRACE + 2 * MINUTE)
    assert (app.state().word, reasons(app)) == ("human", "RefusedAfterGrace")
    assert "AADSTS700211" in (app.state().because or "")
    assert app.state().due is None
    for _ in range(10):
        app.let(15 * MINUTE)
        app.sweep()
    app.work_off()
    assert app.state().word == "human"
    assert app.told.kinds == ["TargetHuman"]
    assert app.platform.number_of(PUT) == 1


def test_a_repair_that_is_never_proven_is_never_taken_for_a_good_one() -> None:
    app = rebuilt()
    app.platform.propagation = timedelta(days=31)
    run(app)
    for _ in range(30):
        app.let(timedelta(days=1))
        app.sweep()
        app.work_off()
    assert (app.state().word, reasons(app)) == ("human", "RefusedAfterGrace")
    app.let(timedelta(days=2))
    app.sweep()
    app.work_off()
    assert app.state().word == "repaired"
    assert app.platform.number_of(PUT) == 1


def test_a_repair_is_proven_even_after_the_app_stood_still_over_a_weekend() -> None:
    app = rebuilt()
    app.platform.undeployed.add(SUBJECT)
    run(app)
    app.clock.advance(timedelta(days=3))
    app.platform.undeployed.clear()
    app.work_off()
    assert app.state().word == "repaired"
    assert app.journal(DEV, Kind.PROOF)[-1].detail["verdict"] == "accepted"


def test_entra_may_come_round_even_after_the_grace_time() -> None:
    app = rebuilt()
    app.platform.propagation = GRACE + 5 * MINUTE
    run(app)
    app.let(GRACE + 5 * MINUTE)
    app.sweep()
    app.work_off()
    assert app.state().word == "repaired"


def test_a_service_account_that_is_not_deployed_yet_leaves_the_repair_unproven() -> None:
    app = rebuilt()
    app.platform.undeployed.add(SUBJECT)
    run(app)
    assert (app.state().word, reasons(app)) == ("pending", "Unproven")
    app.let(timedelta(hours=1))
    assert app.state().word == "pending", "without any haste to blame somebody"
    app.platform.undeployed.clear()
    app.let(15 * MINUTE)
    assert app.state().word == "repaired"
    assert app.platform.number_of(PUT) == 1


def test_where_the_contract_asks_for_no_exchange_reading_back_is_the_proof() -> None:
    app = rebuilt(environment(contract=contract(proof=ProofMethod.READ_BACK)))
    app.platform.propagation = 8 * MINUTE
    run(app)
    assert app.state().word == "repaired"
    assert app.platform.number_of(EXCHANGE) == 0
    (proof,) = app.journal(DEV, Kind.PROOF)
    assert (proof.detail["method"], proof.detail["verdict"]) == ("read-back", "accepted")


def test_a_list_that_lags_behind_our_own_write_is_no_reason_to_write_again() -> None:
    app = rebuilt()
    app.platform.lag = 20 * SECOND
    run(app)
    assert (app.state().word, reasons(app)) == ("pending", "ReadMayBeStale")
    app.let(MINUTE)
    assert app.state().word == "repaired"
    assert app.platform.number_of(PUT) == 1


def test_a_credential_that_was_created_and_is_not_listed_yet_is_not_created_again() -> None:
    app = rebuilt()
    app.platform.delete(IDENTITY, "vault-dev")
    app.platform.lag = 20 * SECOND
    run(app)
    app.let(MINUTE)
    assert app.state().word == "repaired"
    assert app.platform.number_of(PUT) == 1


def test_a_proof_is_not_asked_for_what_somebody_else_has_changed_since() -> None:
    app = rebuilt()
    app.platform.propagation = 8 * MINUTE
    run(app)
    exchanges = app.platform.number_of(EXCHANGE)
    app.clock.advance(2 * MINUTE)
    app.platform.meddle(IDENTITY, held(issuer=DEAD))
    app.platform.lay(PUT, RuntimeError("any"))
    run(app)
    assert app.platform.number_of(EXCHANGE) == exchanges


def test_what_somebody_else_wrote_after_the_next_rebuild_is_not_told_as_our_repair() -> None:
    app = rebuilt()
    app.platform.undeployed.add(SUBJECT)
    run(app)
    app.platform.build(CLUSTER, f"{LIVE}rebuilt/")
    app.platform.meddle(IDENTITY, held(issuer=f"{LIVE}rebuilt/"))
    app.platform.undeployed.clear()
    run(app)
    assert app.state().word == "converged"
    assert "accepted" not in [entry.detail["verdict"] for entry in app.journal(DEV, Kind.PROOF)]


def test_what_we_wrote_is_proven_in_whatever_letter_case_azure_spells_its_name() -> None:
    app = rebuilt()
    app.platform.undeployed.add(SUBJECT)
    run(app)
    app.platform.meddle(IDENTITY, held("Vault-Dev"))
    app.platform.undeployed.clear()
    run(app)
    assert app.state().word == "repaired"
