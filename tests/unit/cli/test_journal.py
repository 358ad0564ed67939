"""`reconverge journal`: told from what the engine itself journalled."""

import re
from datetime import timedelta

import pytest

from cli.exits import Exit
from cli.surroundings import SILENT
from responders import wiring
from responders.service import Service
from shared import signals
from shared.errors import Throttled
from shared.landscape import load
from shared.model import Signal, Source, Target
from shared.workqueue import to_message
from tests.unit.cli.desk import SECRET, Desk
from tests.unit.federated_credentials.builders import CLUSTER, DEAD, IDENTITY, LIVE
from tests.unit.platform import PUT

REBUILDER = "77777777-7777-7777-7777-777777777777"
CORRELATION = "c0ffee00-0000-0000-0000-000000000000"


@pytest.fixture
def night(desk: Desk) -> Desk:
    """A cluster was rebuilt at night; the deployed app repaired its credential. It is morning now."""
    desk.types("doctor")  # writes the landscape
    service = deployed(desk)
    service.route(told_of_the_rebuild(desk))
    work_off(desk, service)
    desk.clock.advance(timedelta(hours=5))
    return desk


def deployed(desk: Desk) -> Service:
    return Service(
        rows=desk.rows,
        messages=desk.messages,
        world=desk.platform.world,
        read_landscape=lambda: load(desk.landscape),
        notifier=SILENT,
        clock=desk.clock,
        pause=desk.clock.pause,
    )


def told_of_the_rebuild(desk: Desk) -> bytes:
    signal = Signal(
        source=Source.EVENT_GRID,
        kind="cluster.written",
        subject=CLUSTER,
        time=desk.clock(),
        correlation_id=CORRELATION,
        caller=REBUILDER,
    )
    return signals.to_message(signal).encode()


def work_off(desk: Desk, service: Service) -> None:
    while waiting := desk.messages.waiting("targets"):
        desk.clock.advance(max(waiting[0].visible - desk.clock(), timedelta(0)))
        text = desk.messages.take("targets")
        assert text is not None
        service.run(text.encode())


def test_a_change_is_told_with_what_who_why_and_its_proof(night: Desk) -> None:
    answer = night.types("journal", "--changes", "--output", "json")
    (change,) = answer.document["changes"]
    assert answer.code == Exit.CONVERGED
    assert (change["target"], change["actor"]) == ("dev/federated_credentials", "reconverge")
    assert change["object"] == f"{IDENTITY}/federatedIdentityCredentials/vault-dev"
    assert (change["before"]["issuer"], change["after"]["issuer"]) == (DEAD, LIVE)
    assert change["reason"] == "IssuerStale"
    assert DEAD in change["because"]
    assert change["wokenBy"]["actor"] == REBUILDER
    assert change["result"] == "done"
    assert (change["proof"]["method"], change["proof"]["verdict"]) == ("token-exchange", "accepted")
    assert change["outcome"]["word"] == "repaired"
    assert change["correlationId"] == CORRELATION


@pytest.mark.parametrize("form", [(), ("--changes",)], ids=["everything", "changes"])
def test_times_are_written_alike_in_both_forms(night: Desk, form: tuple[str, ...]) -> None:
    heads = [line for line in night.types("journal", *form).out.splitlines() if not line.startswith(" ")]
    assert heads
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  ", head) for head in heads)


def test_a_proof_that_came_in_a_later_run_is_told_with_its_change(desk: Desk) -> None:
    desk.platform.propagation = timedelta(minutes=1)
    desk.types("doctor")
    service = deployed(desk)
    service.route(told_of_the_rebuild(desk))
    work_off(desk, service)
    (change,) = desk.types("journal", "--changes", "--output", "json").document["changes"]
    assert change["outcome"]["word"] == "pending"
    assert change["proof"]["verdict"] == "accepted"
    told = desk.types("journal", "--changes").out
    assert re.search(r"outcome  pending at \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ, before that proof: ", told)


def test_a_failed_write_is_told_with_its_error(desk: Desk) -> None:
    desk.platform.lay(PUT, Throttled("ARM answered 429", delay=timedelta(seconds=40)))
    desk.types("doctor")
    service = deployed(desk)
    service.route(told_of_the_rebuild(desk))
    work_off(desk, service)
    first, second = desk.types("journal", "--changes", "--output", "json").document["changes"]
    assert (first["result"], first["error"], first["proof"]) == ("failed", "ARM answered 429", None)
    assert (second["result"], second["proof"]["verdict"]) == ("done", "accepted")


def test_the_table_tells_a_change_in_a_few_lines(night: Desk) -> None:
    told = night.types("journal", "--changes").out
    assert "dev/federated_credentials  credential.update vault/vault-dev  done" in told
    assert f"issuer: {DEAD} → {LIVE}" in told
    assert "why      IssuerStale: " in told
    assert f"woken    cluster.written aks, by {REBUILDER}" in told
    assert "proof    token-exchange accepted" in told
    assert "outcome  repaired: " in told


def test_the_table_groups_entries_by_run_in_the_order_of_time(night: Desk) -> None:
    lines = night.types("journal").out.splitlines()
    kinds = [line.split()[1] for line in lines if line.startswith("    ")]
    assert kinds == ["finding", "plan", "step-started", "step-done", "proof", "outcome"]
    assert "signals  signal" in lines[0]
    assert f"by reconverge, correlation {CORRELATION}" in lines[1]


def test_every_kind_of_entry_has_its_line(desk: Desk) -> None:
    desk.mode = "approve"
    desk.types("doctor")
    service = deployed(desk)
    service.route(b"not json")
    service.route(told_of_the_rebuild(desk))
    work_off(desk, service)
    plan = service.queue.state(Target("dev", "federated_credentials")).plan
    assert plan
    service.approve(plan, "alice")
    work_off(desk, service)
    service.bury("targets", to_message(Target("dev", "federated_credentials")).encode())
    service.replay((), "alice")
    told = desk.types("journal").out
    for kind in ("rejected", "signal", "approved", "buried", "replayed", "outcome"):
        assert f" {kind} " in told


def test_what_is_older_than_asked_for_is_left_out(night: Desk) -> None:
    answer = night.types("journal", "--since", "4h", "--output", "json")
    assert answer.document["changes"] == answer.document["entries"] == []
    assert "nothing is journalled since" in night.types("journal", "--since", "4h").err


def test_a_disabled_environment_keeps_its_history(night: Desk) -> None:
    night.dev = "false"
    assert night.types("journal", "--changes", "--output", "json").document["changes"]


def test_an_environment_without_entries_tells_none_of_the_others(night: Desk) -> None:
    found = night.types("journal", "--environment", "staging", "--output", "json").document
    assert found["entries"] == []


def test_an_unknown_environment_lists_the_known_ones(night: Desk) -> None:
    answer = night.types("journal", "--environment", "prod")
    assert answer.code == Exit.WRONG_USE
    assert "dev, staging (disabled)" in answer.err


@pytest.mark.parametrize("flags", [(), ("--changes",), ("--output", "json")])
def test_no_output_shows_a_secret(night: Desk, flags: tuple[str, ...]) -> None:
    answer = night.types("journal", *flags)
    assert SECRET not in answer.out + answer.err


def test_without_storage_it_says_what_to_set(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    del desk.environment["AzureWebJobsStorage"]
    monkeypatch.setattr(desk, "stores", wiring.stores)
    answer = desk.types("journal")
    assert answer.code == Exit.WRONG_USE
    assert "AzureWebJobsStorage is missing" in answer.err
