"""Messages that no worker could finish: kept once, told once, free of anything about people, replayable."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared import signals, workqueue
from shared.journal import Kind
from shared.ports import Row
from tests.unit.app import App, FrailRows, cluster_written, rebuilt

HOUR = timedelta(hours=1)
CLAIMS = {
    signals.OBJECT_ID_CLAIM: "22222222-2222-2222-2222-222222222222",
    "name": "Maria Sklodowska",
    "ipaddr": "203.0.113.77",
}


def with_claims() -> dict[str, Any]:
    return cluster_written(claims=CLAIMS)


def sick(app: App, down: Callable[[str, Row], bool]) -> None:
    """The store fails for as long as it takes to give a message up."""
    assert isinstance(app.rows, FrailRows)
    app.rows.down = lambda table, values: table != "buried" and down(table, values)
    app.let(5 * timedelta(minutes=1))
    app.rows.down = lambda _table, _values: False
    app.let(HOUR)


def signals_cannot_be_journalled(_table: str, values: Row) -> bool:
    return values.get("kind") == "signal"


def runs_cannot_be_begun(table: str, values: Row) -> bool:
    return table == "targets" and bool(values.get("lease_owner"))


@pytest.fixture(params=["a signal", "a target"])
def buried(request: pytest.FixtureRequest) -> App:
    app = rebuilt()
    app.deliver(with_claims())
    sick(app, signals_cannot_be_journalled if request.param == "a signal" else runs_cannot_be_begun)
    return app


def test_is_kept_and_told_once(buried: App) -> None:
    (message,) = buried.service.buried.all()
    assert buried.told.kinds == ["MessageBuried"]
    assert buried.told.notices[0][2] == {"queue": message.queue, "digest": message.digest}
    (entry,) = buried.signals(Kind.BURIED)
    assert entry.detail == {"queue": message.queue, "digest": message.digest}


def test_is_replayed_to_a_good_end(buried: App) -> None:
    (message,) = buried.service.buried.all()
    assert buried.service.replay((message.digest[:8],), by="alice") == (message.digest,)
    buried.let(HOUR)
    assert buried.state().word == "repaired"
    assert list(buried.service.buried.all()) == []
    (replayed,) = buried.signals(Kind.REPLAYED)
    assert (replayed.actor, replayed.detail["digest"]) == ("alice", message.digest)


def test_holds_nothing_about_people(buried: App) -> None:
    kept = repr([*buried.service.buried.all(), *buried.signals(), *buried.journal()])
    for said in ("Sklodowska", "203.0.113", "claims"):
        assert said not in kept


def test_a_message_that_is_buried_again_and_again_is_one(buried: App) -> None:
    (message,) = buried.service.buried.all()
    for _ in range(3):
        buried.service.bury(message.queue, message.text.encode())
    assert len(list(buried.service.buried.all())) == 1
    assert len(buried.signals(Kind.BURIED)) == 1
    assert buried.told.kinds == ["MessageBuried"]


def test_a_message_that_fails_again_after_its_replay_is_news_again(buried: App) -> None:
    (message,) = buried.service.buried.all()
    buried.service.replay((), by="alice")
    buried.service.bury(message.queue, message.text.encode())
    assert buried.told.kinds == ["MessageBuried", "MessageBuried"]


def test_replaying_what_is_not_buried_replays_nothing(buried: App) -> None:
    assert buried.service.replay(("no such digest",), by="alice") == ()
    assert len(list(buried.service.buried.all())) == 1


def test_a_replay_that_dies_before_forgetting_sends_twice_rather_than_never(buried: App) -> None:
    sent = buried.messages.waiting
    assert isinstance(buried.rows, FrailRows)
    buried.rows.down = lambda table, _: table == "buried"
    (message,) = buried.service.buried.all()
    buried.service.replay((), by="alice")
    assert [one.text for one in sent(message.queue)] == [message.text]


UNREADABLE = {
    "on queue signals": (signals.QUEUE, b"{"),
    "on queue targets": (workqueue.QUEUE, json.dumps(with_claims()).encode()),
    "on queue targets, of a depth that no parser takes": (workqueue.QUEUE, b"[" * 40_000),
    "on queue targets, longer than a column": (workqueue.QUEUE, b"x" * 48_000),
}


@pytest.mark.parametrize(("queue", "body"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_journalled_with_its_reason_and_not_kept(queue: str, body: bytes) -> None:
    app = App()
    app.service.bury(queue, body)
    assert Kind.REJECTED in [entry.kind for entry in app.signals()]
    assert "Sklodowska" not in repr([*app.signals(), *app.service.buried.all()])


def test_a_text_in_the_place_of_a_targets_name_is_not_written_down() -> None:
    app = rebuilt()
    body = json.dumps({"reconverge": {"target": "AccountKey=c2VjcmV0"}}).encode()
    app.service.run(body)
    app.service.bury(workqueue.QUEUE, body)
    assert len(app.signals(Kind.REJECTED)) == 2
    assert "c2VjcmV0" not in repr(app.signals())


def test_a_batch_of_raw_events_is_buried_one_by_one() -> None:
    app = App()
    second = cluster_written(correlationId="the second")
    app.service.bury(signals.QUEUE, json.dumps([with_claims(), second]).encode())
    assert len(list(app.service.buried.all())) == 2


def test_a_target_that_everybody_waits_for_is_looked_at_by_the_sweep_even_if_nobody_replays(
    buried: App,
) -> None:
    buried.sweep()
    buried.let(HOUR)
    assert buried.state().word == "repaired"
