"""A target that is blocked by another one goes on by itself when that one is well."""

from datetime import timedelta
from typing import Any

import pytest

import responders
from responders import service
from shared.errors import Throttled
from shared.journal import Kind
from shared.model import Finding, Plan, Severity, Target
from shared.routing import Registered
from shared.world import Leads, Look, ReasonInfo, Responder
from tests.unit.app import DEV, App, cluster_written, rebuilt
from tests.unit.federated_credentials.builders import IDENTITY, LIVE
from tests.unit.platform import PUT

SECOND = timedelta(seconds=1)
SEEDING = Target("dev", "vault_seeding")


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> App:
    """dev with a second target, whose one fault is that the credential does not trust the live cluster."""
    app = rebuilt()
    registry = {
        **responders.REGISTRY,
        "vault_seeding": Registered(
            hears=frozenset({"cluster.written"}), rests_on=("federated_credentials",)
        ),
    }
    load = responders.load
    monkeypatch.setattr(service, "REGISTRY", registry)
    monkeypatch.setattr(
        responders, "load", lambda name: seeding(app) if name == SEEDING.responder else load(name)
    )
    monkeypatch.setattr(responders, "remedy", lambda _name, _reason: None)
    return app


def seeding(app: App) -> Responder[Any]:
    missing = Finding(reason="SecretMissing", subject="ghcr-username", message="no such secret")

    def check(*_: object) -> tuple[Finding, ...]:
        trusted = app.platform.holds(IDENTITY)["vault-dev"].issuer == LIVE
        return () if trusted else (missing,)

    return Responder(
        name=SEEDING.responder,
        actions=(),
        reasons={"SecretMissing": ReasonInfo(Leads.PERSON, Severity.ERROR, "", "", symptom=True)},
        gather=lambda _scope: None,
        check=check,
        plan=lambda _facts, _findings: Plan(target=SEEDING, facts="", steps=()),
        apply=lambda _scope, _step: None,
        verify=lambda _scope, _facts: (),
        doubt=lambda _facts, _proofs, _now: (),
        look_again=lambda _facts, _finding, _now: Look(SECOND),
        rests_on=lambda _facts: frozenset({IDENTITY.lower()}),
    )


def test_it_says_what_blocks_it_and_tells_nobody(app: App) -> None:
    app.platform.lay(PUT, Throttled("429", delay=90 * SECOND))
    app.deliver(cluster_written())
    app.work_off()
    state = app.state(SEEDING)
    assert state.word == "blocked"
    assert (state.because or "").startswith(f"SecretMissing because of {DEV} IssuerStale: ")
    (outcome,) = app.journal(SEEDING, Kind.OUTCOME)
    assert outcome.detail["blocked_by"] == str(DEV)
    assert app.told.kinds == []


def test_it_goes_on_as_soon_as_the_root_is_repaired(app: App) -> None:
    app.platform.lay(PUT, Throttled("429", delay=90 * SECOND))
    app.deliver(cluster_written())
    app.let(90 * SECOND)
    assert app.state(DEV).word == "repaired"
    assert app.state(SEEDING).word == "converged"


def test_nobody_else_is_woken_by_a_repair(app: App) -> None:
    app.deliver(cluster_written())
    app.work_off()
    runs = len(app.journal(SEEDING, Kind.OUTCOME))
    app.service.queue.want(DEV, "again")
    app.work_off()
    assert len(app.journal(SEEDING, Kind.OUTCOME)) == runs
