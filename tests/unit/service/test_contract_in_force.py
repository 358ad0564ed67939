"""What a contract lets happen, what it keeps for a person, and what no contract allows."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import responders
from shared.contract import Decision
from shared.errors import PermanentError, Refused, TemporaryError, Throttled
from shared.journal import Kind
from shared.landscape import Action, Caps, Contract, Mode
from shared.model import Plan, Step
from shared.plans import MOST_STEPS, State
from tests.unit.app import DEV, App, FrailRows, contract, environment, rebuilt
from tests.unit.federated_credentials.builders import (
    CLUSTER,
    DEAD,
    IDENTITY,
    LIVE,
    OWN,
    OWN_OBJECT,
    SUBJECT,
    declared,
    held,
)
from tests.unit.platform import LIST, PUT

if TYPE_CHECKING:
    from shared.world import Responder

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
OTHER = f"{IDENTITY}-of-dns"
REBUILT_AGAIN = "https://westeurope.oic.prod-aks.azure.com/tenant/again/"


def under(given: Contract, credentials: int = 1) -> App:
    names = tuple(declared(f"vault-{n}", subject=f"{SUBJECT}-{n}") for n in range(credentials))
    return run(rebuilt(environment({IDENTITY: names}, contract=given)))


def run(app: App) -> App:
    app.request()
    app.work_off()
    return app


def trusted(app: App) -> int:
    return sum(one.issuer == LIVE for one in app.platform.holds(IDENTITY).values())


def plan_of(app: App) -> str:
    digest = app.state().plan
    assert digest
    return digest


WITHOUT_A_WRITE: dict[str, tuple[Contract, str, str]] = {
    "left out, it proposes": (Contract(), "human", "contract.identities does not list this identity"),
    "the default is to propose": (Contract(identities=(IDENTITY,)), "proposed", "the contract says propose"),
    "propose": (contract(default=Mode.PROPOSE), "proposed", "the contract says propose"),
    "approve": (contract(default=Mode.APPROVE), "approval", "to approve in plan"),
    "never": (contract(default=Mode.NEVER), "human", "the contract says never"),
    "the action's own word goes before the default": (
        contract(actions={Action.CREDENTIAL_UPDATE: Mode.NEVER}),
        "human",
        "the contract says never to credential.update",
    ),
    "another identity than those listed": (contract(identities=(OTHER,)), "human", "does not list"),
    "the app's own identity, listed or not": (
        contract(identities=(IDENTITY,)),
        "human",
        "Reconverge never writes its own identity",
    ),
}


@pytest.mark.parametrize(("given", "word", "said"), WITHOUT_A_WRITE.values(), ids=WITHOUT_A_WRITE)
def test_changes_nothing_and_says_why(given: Contract, word: str, said: str) -> None:
    app = rebuilt(environment(contract=given))
    if "own identity" in said:
        own = app.landscape.reconverge.model_copy(update={"identity": IDENTITY.upper()})
        app.landscape = app.landscape.model_copy(update={"reconverge": own})
        app.start_process()
        said = "this is the identity Reconverge runs as"
    run(app).let(timedelta(days=1))
    assert app.platform.number_of(PUT) == 0
    assert (app.state().word, app.looks()) == (word, 1)
    assert said in (app.state().because or "")
    assert app.journal(DEV, Kind.FINDING)


def test_the_actions_are_governed_one_by_one() -> None:
    given = contract(default=Mode.PROPOSE, actions={Action.CREDENTIAL_UPDATE: Mode.APPLY})
    app = rebuilt(
        environment({IDENTITY: (declared("old"), declared("new", subject=f"{SUBJECT}-2"))}, contract=given)
    )
    app.platform.delete(IDENTITY, "new")
    run(app)
    assert app.platform.holds(IDENTITY) == {"old": held("old")}
    assert app.state().word == "proposed"


# -- approving ----------------------------------------------------------------------------

ASK = contract(default=Mode.APPROVE)


def test_approving_lets_exactly_the_stored_plan_run() -> None:
    app = under(ASK)
    stored = app.service.approve(plan_of(app), by="alice")
    assert [step["object"] for step in stored.steps] == [f"{IDENTITY}/federatedIdentityCredentials/vault-0"]
    app.work_off()
    assert (app.state().word, trusted(app)) == ("repaired", 1)
    (approved,) = app.journal(DEV, Kind.APPROVED)
    assert (approved.actor, approved.detail["digest"]) == ("alice", stored.digest)
    (started,) = app.journal(DEV, Kind.STEP_STARTED)
    assert started.correlation_id == approved.correlation_id, (
        "the journal leads from the change to who agreed"
    )


def test_nothing_runs_on_an_approval_of_other_facts() -> None:
    """Approved, and before the run the cluster is rebuilt once more."""
    app = under(ASK)
    first = plan_of(app)
    app.service.approve(first, by="alice")
    app.platform.build(CLUSTER, REBUILT_AGAIN)
    app.work_off()
    assert app.platform.number_of(PUT) == 0
    assert app.state().word == "approval"
    assert plan_of(app) != first


def test_approving_after_the_facts_changed_is_refused_and_the_new_plan_is_stored() -> None:
    app = under(ASK)
    app.platform.build(CLUSTER, REBUILT_AGAIN)
    with pytest.raises(Refused, match="facts have changed") as refusal:
        app.service.approve(plan_of(app), by="alice")
    assert refusal.value.status == 409
    (renewed,) = [word for word in str(refusal.value).split() if len(word) == 64]
    app.service.approve(renewed, by="alice")
    app.work_off()
    assert app.platform.holds(IDENTITY)["vault-0"].issuer == REBUILT_AGAIN


def test_approving_what_is_well_by_now_is_refused() -> None:
    app = under(ASK)
    app.platform.meddle(IDENTITY, held("vault-0", subject=f"{SUBJECT}-0"))
    with pytest.raises(Refused, match="nothing left to change") as refusal:
        app.service.approve(plan_of(app), by="alice")
    assert refusal.value.status == 409


@pytest.mark.parametrize("unread", [IDENTITY, OTHER], ids=["all of it", "a part of it"])
def test_approving_facts_that_cannot_be_read_is_put_off(unread: str) -> None:
    app = rebuilt(
        environment(
            {IDENTITY: (declared(),), OTHER: (declared(),)},
            contract=contract(default=Mode.APPROVE, identities=(IDENTITY, OTHER)),
        )
    )
    run(app)
    app.platform.lay(LIST, TemporaryError("ARM answered 503", delay=SECOND), on=unread)
    with pytest.raises(TemporaryError, match="503"):
        app.service.approve(plan_of(app), by="alice")
    assert app.journal(DEV, Kind.APPROVED) == []
    app.service.approve(plan_of(app), by="alice")
    app.work_off()
    assert app.state().word == "repaired"


def test_an_unknown_plan_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        under(ASK).service.approve("0" * 64, by="alice")
    assert refusal.value.status == 404


def test_a_plan_of_an_environment_that_is_gone_is_refused() -> None:
    app = under(ASK)
    app.landscape = rebuilt(environment(enabled=False)).landscape
    app.start_process()
    with pytest.raises(Refused, match="not in the landscape") as refusal:
        app.service.approve(plan_of(app), by="alice")
    assert refusal.value.status == 409


def test_an_approval_serves_once() -> None:
    app = under(ASK)
    app.service.approve(plan_of(app), by="alice")
    app.work_off()
    app.platform.meddle(IDENTITY, held("vault-0", subject=f"{SUBJECT}-0", issuer=DEAD))
    app.clock.advance(HOUR)
    run(app)
    assert (app.state().word, trusted(app)) == ("approval", 0)
    app.service.approve(plan_of(app), by="bob")
    app.work_off()
    assert (app.state().word, trusted(app)) == ("repaired", 1)


def test_the_same_situation_can_be_approved_again_before_any_run_has_seen_it() -> None:
    app = under(ASK)
    first = plan_of(app)
    app.service.approve(first, by="alice")
    app.work_off()
    app.platform.meddle(IDENTITY, held("vault-0", subject=f"{SUBJECT}-0", issuer=DEAD))
    app.clock.advance(HOUR)
    app.service.approve(first, by="bob")
    app.work_off()
    assert (app.state().word, trusted(app)) == ("repaired", 1)


def test_an_approval_is_journalled_before_any_run_can_act_on_it() -> None:
    app = under(ASK)
    assert isinstance(app.rows, FrailRows)
    app.rows.down = lambda table, _values: table == "plans"
    with pytest.raises(TemporaryError):
        app.service.approve(plan_of(app), by="alice")
    assert [entry.actor for entry in app.journal(DEV, Kind.APPROVED)] == ["alice"]


def test_an_approval_whose_write_was_refused_for_now_still_stands() -> None:
    app = under(ASK)
    app.platform.lay(PUT, Throttled("ARM answered 429", delay=MINUTE))
    app.service.approve(plan_of(app), by="alice")
    app.let(HOUR)
    assert (app.state().word, trusted(app)) == ("repaired", 1)


def test_an_approval_whose_write_may_have_happened_is_used_up() -> None:
    app = under(ASK)
    app.platform.lay(PUT, TemporaryError("ARM answered 503", delay=SECOND), after=True)
    app.service.approve(plan_of(app), by="alice")
    app.work_off()
    app.platform.meddle(IDENTITY, held("vault-0", subject=f"{SUBJECT}-0", issuer=DEAD))
    app.let(HOUR)
    run(app)
    assert (app.state().word, trusted(app)) == ("approval", 0)


def test_waiting_for_approval_does_not_hold_up_what_needs_none() -> None:
    given = contract(default=Mode.APPROVE, actions={Action.CREDENTIAL_UPDATE: Mode.APPLY})
    both = (declared("old"), declared("new", subject=f"{SUBJECT}-2"))
    app = rebuilt(environment({IDENTITY: both}, contract=given))
    app.platform.delete(IDENTITY, "new")
    run(app)
    assert (app.state().word, trusted(app)) == ("approval", 1)
    app.service.approve(plan_of(app), by="alice")
    app.work_off()
    assert (app.state().word, trusted(app)) == ("repaired", 2)


# -- caps ---------------------------------------------------------------------------------


def test_more_steps_than_a_run_may_take_are_kept_for_a_person_altogether() -> None:
    app = under(contract(caps=Caps(per_run=2)), credentials=3)
    assert (app.state().word, trusted(app)) == ("approval", 0)
    app.service.approve(plan_of(app), by="alice")
    app.work_off()
    assert (app.state().word, trusted(app)) == ("repaired", 3)


def test_as_many_steps_as_a_run_may_take_are_taken() -> None:
    app = under(contract(caps=Caps(per_run=3)), credentials=3)
    assert (app.state().word, trusted(app)) == ("repaired", 3)


def test_a_plan_of_three_hundred_steps_is_stored_within_a_row_and_approved_as_a_whole() -> None:
    """A row of a table holds 252 columns of ours. It keeps the first steps to be read, and counts all."""
    identities = {f"{IDENTITY}-{n}": (declared(),) for n in range(300)}
    app = rebuilt(
        environment(identities, contract=contract(default=Mode.APPROVE, identities=tuple(identities)))
    )
    run(app)
    widest = max(len(stored.values) for stored in app.rows.query("plans", "digests"))
    assert widest <= 252
    stored = app.service.plans.find(plan_of(app))
    assert (stored.count, len(stored.steps)) == (300, MOST_STEPS)
    app.service.approve(stored.digest, by="alice")
    assert app.service.plans.find(stored.digest).state is State.APPROVED


def test_the_hour_stops_the_writes_and_the_next_free_slot_goes_on() -> None:
    app = under(contract(caps=Caps(per_hour=2)), credentials=5)
    assert (app.state().word, trusted(app)) == ("pending", 2)
    assert app.state().because == "caps.perHour is used up"
    assert app.state().due == app.clock() + HOUR
    app.let(HOUR - SECOND)
    assert trusted(app) == 2
    app.let(SECOND)
    assert trusted(app) == 4
    app.let(HOUR)
    assert (app.state().word, trusted(app)) == ("repaired", 5)


def test_slots_that_are_left_over_are_used() -> None:
    app = under(contract(caps=Caps(per_hour=3)), credentials=2)
    app.clock.advance(HOUR / 2)
    app.platform.build(CLUSTER, REBUILT_AGAIN)
    run(app)
    assert app.state().word == "pending"
    assert app.state().due == app.clock() + HOUR / 2
    app.let(HOUR / 2)
    assert app.state().word == "repaired"


# -- the last guard -----------------------------------------------------------------------

FORGED: dict[str, dict[str, Any]] = {
    "on the app's own identity": {"owner": OWN},
    "on the app's own identity in other letters": {"owner": OWN.upper()},
    "on an identity that the contract does not list": {"owner": OTHER},
    "of an action that is none of the responder's": {"action": "credential.delete"},
    "for an issuer that no cluster can have": {"after": {"issuer": "https://evil.example/"}},
}


@pytest.mark.parametrize("forgery", FORGED.values(), ids=FORGED)
def test_a_forged_step_is_not_carried_out(forgery: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever went wrong above, in the planning or in the contract's decision."""
    real: Responder[Any] = responders.load("federated_credentials")

    def forge(facts: Any, findings: Any) -> Plan:
        plan = real.plan(facts, findings)
        return replace(plan, steps=tuple(_forged(step, forgery) for step in plan.steps))

    monkeypatch.setattr(responders, "load", lambda _name: replace(real, plan=forge))
    monkeypatch.setattr("shared.contract._decide", lambda step, *_args, **_more: _applied(step))
    app = rebuilt(environment(contract=contract(identities=(IDENTITY, OWN))))
    for identity in (OWN, OTHER):
        app.platform.hold(identity, held(issuer=DEAD))
    run(app)
    assert app.platform.number_of(PUT) == 0
    assert app.state().word == "failed"
    (failed,) = app.journal(DEV, Kind.STEP_FAILED)
    assert failed.detail["written"] is False


def _forged(step: Step, forgery: dict[str, Any]) -> Step:
    after = {**step.after, **forgery.get("after", {})}
    return replace(step, **{**forgery, "after": after})


def _applied(step: Step) -> Any:
    return Decision(step, Mode.APPLY, "forged")


def test_an_identity_that_turns_out_to_be_the_apps_own_is_not_written() -> None:
    """Declared under another ARM id, recognised by its object id."""
    app = rebuilt()
    found = app.platform._identities[IDENTITY.lower()]
    app.platform._identities[IDENTITY.lower()] = replace(found, principal_id=OWN_OBJECT.upper())
    run(app)
    assert (app.state().word, app.platform.number_of(PUT)) == ("human", 0)


def test_a_dry_run_writes_nothing_whatever_the_contract_allows() -> None:
    app = rebuilt()
    app.service = replace(app.service, dry=True)
    run(app)
    assert (app.state().word, app.platform.number_of(PUT)) == ("proposed", 0)
    assert "this run only plans" in (app.state().because or "")


def test_a_refused_write_leaves_the_reason_with_the_person() -> None:
    app = rebuilt()
    app.platform.lay(PUT, PermanentError("ARM answered 400 BadRequest"))
    run(app)
    assert app.told.notices[-1][2]["because"] == "ARM answered 400 BadRequest"
