"""From an event's JSON on the queue to the journalled outcome, everything real but Azure and the clock."""

import json
from datetime import timedelta

import pytest

from shared import signals
from shared.journal import Kind
from shared.landscape import DeclaredCluster
from tests.unit.app import DEV, App, cluster_written, environment, rebuilt
from tests.unit.federated_credentials.builders import (
    AUDIENCE,
    CLUSTER,
    DEAD,
    GREEN,
    IDENTITY,
    LIVE,
    SUBJECT,
    declared,
    held,
)
from tests.unit.platform import EXCHANGE, GET_CLUSTER, GET_IDENTITY, LIST, PUT

CREDENTIAL = f"{IDENTITY}/federatedIdentityCredentials/vault-dev"
CORRELATION = cluster_written()["data"]["correlationId"]
CALLER = "22222222-2222-2222-2222-222222222222"


@pytest.fixture
def app() -> App:
    return rebuilt()


@pytest.fixture
def repaired(app: App) -> App:
    app.deliver(cluster_written())
    app.work_off()
    return app


def test_a_rebuilt_cluster_gets_its_workload_in_again(repaired: App) -> None:
    assert repaired.platform.holds(IDENTITY) == {"vault-dev": held()}
    assert repaired.platform.admits(CLUSTER, SUBJECT, IDENTITY)
    assert repaired.state().word == "repaired"


def test_the_journal_tells_the_story_in_its_order(repaired: App) -> None:
    assert [entry.kind for entry in repaired.signals()] == [Kind.SIGNAL]
    assert [entry.kind for entry in repaired.journal()] == [
        Kind.FINDING,
        Kind.PLAN,
        Kind.STEP_STARTED,
        Kind.STEP_DONE,
        Kind.PROOF,
        Kind.OUTCOME,
    ]


def test_the_journal_says_who_woke_us_and_about_what(repaired: App) -> None:
    (signal,) = repaired.signals()
    assert signal.actor == CALLER
    assert signal.correlation_id == CORRELATION
    assert signal.detail["subject"] == CLUSTER
    assert signal.detail["targets"] == [str(DEV)]


def test_every_entry_of_a_run_bears_its_actor_its_run_and_the_signals_correlation_id(repaired: App) -> None:
    entries = repaired.journal()
    assert {(entry.actor, entry.correlation_id) for entry in entries} == {("reconverge", CORRELATION)}
    assert len({entry.run for entry in entries}) == 1
    assert entries[0].run


def test_the_journal_keeps_each_change_before_and_after(repaired: App) -> None:
    (started,) = repaired.journal(DEV, Kind.STEP_STARTED)
    (done,) = repaired.journal(DEV, Kind.STEP_DONE)
    common = {"name": "vault-dev", "subject": SUBJECT, "audience": AUDIENCE}
    assert started.detail["before"] == {**common, "issuer": DEAD}
    assert started.detail["after"] == {**common, "issuer": LIVE}
    assert (started.detail["object"], started.detail["mends"]) == (CREDENTIAL, "IssuerStale")
    assert done.detail["object"] == CREDENTIAL


def test_a_repair_counts_when_entra_accepts_a_token(repaired: App) -> None:
    (proof,) = repaired.journal(DEV, Kind.PROOF)
    assert (proof.detail["object"], proof.detail["method"]) == (CREDENTIAL, "token-exchange")
    assert proof.detail["verdict"] == "accepted"


def test_a_second_run_is_converged_and_writes_nothing(repaired: App) -> None:
    repaired.request()
    repaired.work_off()
    assert repaired.state().word == "converged"
    assert repaired.platform.number_of(PUT) == 1
    assert repaired.platform.number_of(EXCHANGE) == 1, "what is proven stays proven"
    assert repaired.journal()[-1].correlation_id == "asked-for"


def test_a_converged_target_is_left_alone(repaired: App) -> None:
    repaired.let(timedelta(days=1))
    assert repaired.looks() == 1


def test_a_healthy_run_reads_each_cluster_and_identity_once() -> None:
    """One cluster under two names, three identities, two credentials each."""
    identities = [f"{IDENTITY}-{number}" for number in range(3)]
    two = (declared("one"), declared("two", subject=f"{SUBJECT}-2"))
    clusters = (
        DeclaredCluster(name="aks", id=CLUSTER),
        DeclaredCluster(name="alias", id=CLUSTER.upper()),
        DeclaredCluster(name="green", id=GREEN),
    )
    app = App(environment(dict.fromkeys(identities, two), clusters=clusters))
    app.platform.build(CLUSTER, LIVE)
    app.platform.build(GREEN, f"{LIVE}green/")
    for identity in identities:
        app.platform.hold(identity, held("one"), held("two", subject=f"{SUBJECT}-2"))
    app.request()
    app.work_off()
    assert app.state().word == "converged"
    reads = [(GET_CLUSTER, one) for one in (CLUSTER.upper(), GREEN)]
    reads += [(call, one) for call in (GET_IDENTITY, LIST) for one in identities]
    assert sorted(app.platform.calls) == sorted(reads)


WHAT_OTHERS_SEND = {
    "no JSON at all": b"{",
    "no event": b'"hello"',
    "an event without data": json.dumps({"eventType": "Microsoft.Resources.ResourceWriteSuccess"}).encode(),
    "an envelope from another version": b'{"reconverge": {"signal": 1}}',
}


@pytest.mark.parametrize("body", WHAT_OTHERS_SEND.values(), ids=WHAT_OTHERS_SEND)
def test_an_unreadable_message_is_journalled_with_its_reason_and_never_delivered_again(body: bytes) -> None:
    app = App()
    app.messages.send(signals.QUEUE, body.decode())
    app.work_off()
    (rejected,) = app.signals()
    assert rejected.kind is Kind.REJECTED
    assert rejected.detail["reason"]
    assert rejected.detail["size"] == len(body)
    assert app.messages.waiting(signals.QUEUE) == ()


def test_an_unreadable_target_message_is_journalled_and_never_delivered_again() -> None:
    app = App()
    app.service.run(b'{"reconverge": {"target": "dev"}}')
    assert [entry.kind for entry in app.signals()] == [Kind.REJECTED]


def test_an_event_about_a_cluster_that_nobody_declared_is_counted_and_wakes_nobody(app: App) -> None:
    app.deliver(cluster_written(f"{CLUSTER}-of-others"))
    app.work_off()
    assert app.signals() == []
    assert app.service.journal.counts(app.clock()) == {"undeclared cluster.written": 1}
    assert app.looks() == 0


def test_an_operation_of_no_concern_is_counted(app: App) -> None:
    app.deliver(cluster_written(operationName="Microsoft.Web/sites/write"))
    app.work_off()
    assert app.service.journal.counts(app.clock()) == {"Microsoft.Web/sites/write": 1}


def test_an_operation_of_any_spelling_and_length_is_counted_all_the_same(app: App) -> None:
    app.deliver(cluster_written(operationName="\N{ROCKET}" * 400 + "/\\#?\x00"))
    app.work_off()
    assert list(app.service.journal.counts(app.clock()).values()) == [1]


def test_a_target_that_the_landscape_does_not_declare_any_more_is_left_in_peace(app: App) -> None:
    app.request()
    app.service.route(app.messages.take(signals.QUEUE).encode())  # type: ignore[union-attr]
    app.landscape = App(environment(name="other")).landscape
    app.start_process()
    app.work_off()
    assert app.state().word == "converged"
    assert app.platform.calls == []


def test_a_disabled_environment_is_not_looked_at() -> None:
    app = App(environment(enabled=False))
    app.deliver(cluster_written())
    app.sweep()
    app.work_off()
    assert app.platform.calls == []
    assert app.looks() == 0
