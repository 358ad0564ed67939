"""What a contract says to each step of a plan, and when the hour has room again."""

from datetime import datetime, timedelta

import pytest

from shared.contract import HOUR, Decision, Spent, by_mode, decide
from shared.landscape import Action, Caps, Contract, Mode
from shared.model import Plan, Step, Target
from tests.unit.clocks import START
from tests.unit.federated_credentials.builders import CLUSTER, IDENTITY, OWN

UPDATE, CREATE = "credential.update", "credential.create"
LISTED = Contract(identities=(IDENTITY, OWN))


def step(action: str = UPDATE, owner: str = IDENTITY) -> Step:
    return Step(action=action, object=f"{owner}/x", owner=owner, before=None, after={}, mends="IssuerStale")


def decided(contract: Contract, *steps: Step) -> list[Mode]:
    plan = Plan(target=Target("dev", "federated_credentials"), facts="", steps=steps)
    return [decision.mode for decision in decide(plan, contract, OWN)]


def listed(**changes: object) -> Contract:
    return LISTED.model_copy(update=changes)


CASES: dict[str, tuple[Contract, Step, Mode]] = {
    "left out, it lists no identity": (Contract(), step(), Mode.NEVER),
    "an identity alone lets propose": (LISTED, step(), Mode.PROPOSE),
    "the default holds for every action": (listed(default=Mode.APPLY), step(CREATE), Mode.APPLY),
    "an action's own word goes before it": (
        listed(default=Mode.APPLY, actions={Action.CREDENTIAL_CREATE: Mode.APPROVE}),
        step(CREATE),
        Mode.APPROVE,
    ),
    "and says nothing of another": (
        listed(default=Mode.APPLY, actions={Action.CREDENTIAL_CREATE: Mode.APPROVE}),
        step(UPDATE),
        Mode.APPLY,
    ),
    "letter case makes no other identity": (
        listed(default=Mode.APPLY),
        step(owner=IDENTITY.upper()),
        Mode.APPLY,
    ),
    "a longer name is another identity": (listed(default=Mode.APPLY), step(owner=f"{IDENTITY}2"), Mode.NEVER),
    "its own identity is never written, though listed": (
        listed(default=Mode.APPLY),
        step(owner=OWN.upper()),
        Mode.NEVER,
    ),
    "an action that no list is about is refused": (
        listed(default=Mode.APPLY),
        step("realm.reset"),
        Mode.NEVER,
    ),
    "a Job is started in a namespace that it lists": (
        Contract(default=Mode.APPLY, namespaces=("dev",)),
        step("vault.bootstrap", f"{CLUSTER}/namespaces/dev"),
        Mode.APPLY,
    ),
    "and in no other, of a longer name or none": (
        Contract(default=Mode.APPLY, namespaces=("dev",)),
        step("vault.bootstrap", f"{CLUSTER}/namespaces/dev2"),
        Mode.NEVER,
    ),
    "a listed identity lets nothing be refreshed": (
        listed(default=Mode.APPLY),
        step("secrets.refresh", IDENTITY),
        Mode.NEVER,
    ),
    "a Vault that it lists is seeded": (
        Contract(default=Mode.APPLY, vaults=("http://vault:8200",)),
        step("vault.seed", "http://vault:8200"),
        Mode.APPLY,
    ),
    "an Application that one of its patterns stands for is synced": (
        Contract(default=Mode.APPLY, applications=("dev-*",)),
        step("application.sync", f"{CLUSTER}/namespaces/argocd/applications/dev-gitlab"),
        Mode.APPLY,
    ),
    "another Application is not": (
        Contract(default=Mode.APPLY, applications=("dev-*",)),
        step("application.sync", f"{CLUSTER}/namespaces/argocd/applications/production-gitlab"),
        Mode.NEVER,
    ),
    "nor is what is no Application, whatever it is called": (
        Contract(default=Mode.APPLY, applications=("*",)),
        step("application.refresh", f"{CLUSTER}/namespaces/dev"),
        Mode.NEVER,
    ),
    "another Vault is not": (
        Contract(default=Mode.APPLY, vaults=("http://vault:8200",)),
        step("vault.seed", "http://vault:8201"),
        Mode.NEVER,
    ),
}


@pytest.mark.parametrize(("contract", "given", "mode"), CASES.values(), ids=CASES)
def test_decides(contract: Contract, given: Step, mode: Mode) -> None:
    assert decided(contract, given) == [mode]


CROWDS: dict[str, tuple[Mode, int, Mode]] = {
    "as many as allowed are applied": (Mode.APPLY, 2, Mode.APPLY),
    "one more, and all wait for approval": (Mode.APPLY, 3, Mode.APPROVE),
    "what is only proposed stays so": (Mode.PROPOSE, 3, Mode.PROPOSE),
    "what is forbidden stays so": (Mode.NEVER, 3, Mode.NEVER),
}


@pytest.mark.parametrize(("default", "count", "mode"), CROWDS.values(), ids=CROWDS)
def test_of_many_steps(default: Mode, count: int, mode: Mode) -> None:
    contract = listed(default=default, caps=Caps(per_run=2))
    assert decided(contract, *[step()] * count) == [mode] * count


def test_every_mode_has_its_decisions_in_the_plans_order() -> None:
    decisions = (Decision(step(UPDATE), Mode.APPLY, ""), Decision(step(CREATE), Mode.APPLY, ""))
    sorted_out = by_mode(decisions)
    assert sorted_out[Mode.APPLY] == decisions
    assert all(sorted_out[mode] == () for mode in Mode if mode is not Mode.APPLY)


TWO_AN_HOUR = Contract(caps=Caps(per_hour=2))
MINUTE = timedelta(minutes=1)
ROOM: dict[str, tuple[tuple[datetime, ...], int, datetime | None]] = {
    "nothing was written yet": ((), 2, None),
    "one slot is left": ((START,), 1, None),
    "the last slot is used": ((START, START + MINUTE), 0, START + HOUR),
    "more was written under an older contract": ((START, START, START + MINUTE), 0, START + HOUR),
}


@pytest.mark.parametrize(("times", "left", "freed"), ROOM.values(), ids=ROOM)
def test_the_hour_has_room(times: tuple[datetime, ...], left: int, freed: datetime | None) -> None:
    spent = Spent(times)
    assert (spent.left(TWO_AN_HOUR), spent.freed_at(TWO_AN_HOUR)) == (left, freed)
