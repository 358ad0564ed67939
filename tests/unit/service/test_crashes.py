"""A process dies at any write to the store, to a queue or to Azure, just before or just after its effect.

Then the host delivers the message again, another process takes over, and all comes to a good end.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.journal import Kind
from shared.landscape import Mode
from tests.unit.app import DEV, App, DiesError, cluster_written, contract, environment, rebuilt
from tests.unit.federated_credentials.builders import CLUSTER, IDENTITY, LIVE, SUBJECT, declared
from tests.unit.mortal import MortalApp

HOUR = timedelta(hours=1)
OTHER = f"{IDENTITY}-of-dns"
DECLARED = {
    IDENTITY: (declared("one"), declared("two", subject=f"{SUBJECT}-2")),
    OTHER: (declared("three", subject=f"{SUBJECT}-3"),),
}


def repair(at: int | None = None) -> MortalApp:
    app = rebuilt(environment(DECLARED), made=lambda *given: MortalApp(*given, at=at))
    assert isinstance(app, MortalApp)
    app.deliver(cluster_written())
    app.let(HOUR)
    return app


def approve(at: int | None = None) -> MortalApp:
    """The person's request dies as well, and is made again."""
    waiting = environment(DECLARED, contract=contract(default=Mode.APPROVE, identities=tuple(DECLARED)))
    app = rebuilt(waiting, made=lambda *given: MortalApp(*given, at=at))
    assert isinstance(app, MortalApp)
    app.deliver(cluster_written())
    app.let(HOUR)
    plan = app.state().plan
    assert plan
    try:
        app.service.approve(plan, by="alice")
    except DiesError:
        app.start_process()
        app.service.approve(plan, by="alice")
    app.let(HOUR)
    return app


def moments(story: Callable[..., MortalApp]) -> range:
    """Every moment of the story told without a death, and some more, for what follows a death."""
    return range(1, story().mortal.moments + 10)


def proven(app: App) -> set[str]:
    return {
        entry.detail["object"].rpartition("/")[2]
        for entry in app.journal(DEV, Kind.PROOF)
        if entry.detail["verdict"] == "accepted"
    }


def assert_all_is_well(app: MortalApp) -> None:
    for identity, credentials in DECLARED.items():
        for one in credentials:
            assert app.platform.holds(identity)[one.name].issuer == LIVE
            assert app.platform.admits(CLUSTER, one.subject, identity)
    assert proven(app) == {"one", "two", "three"}
    assert app.state().word in {"repaired", "converged"}
    assert not app.state().running


def assert_the_journal_explains_every_write(app: MortalApp) -> None:
    announced = [(entry.at, entry.detail["object"]) for entry in app.journal(DEV, Kind.STEP_STARTED)]
    for write in app.platform.written:
        assert any(at <= write.at and name == write.id for at, name in announced)
    outcomes = {entry.run for entry in app.journal(DEV, Kind.OUTCOME)}
    left_behind = {entry.run for entry in app.journal() if entry.run} - outcomes
    taken_over = {entry.detail["from"] for entry in app.journal(DEV, Kind.TAKEN_OVER)}
    assert left_behind <= taken_over, "a run without an ending is named by its successor"
    assert app.signals(Kind.SIGNAL)


@pytest.mark.parametrize("at", moments(repair))
def test_wherever_a_process_dies_the_repair_is_made_once_proven_and_explained(at: int) -> None:
    app = repair(at)
    assert_all_is_well(app)
    assert_the_journal_explains_every_write(app)
    assert list(app.service.buried.all()) == []
    assert app.platform.overlaps == []
    assert len(app.platform.written) == 3, "what a dead process wrote is seen, not repeated"


@pytest.mark.parametrize("at", moments(approve))
def test_wherever_a_process_dies_an_approved_plan_is_carried_out_and_proven(at: int) -> None:
    app = approve(at)
    assert_the_journal_explains_every_write(app)
    if app.state().word == "approval":
        # It died half way: what is left is another plan, which nobody has agreed to yet.
        assert app.state().plan
        app.service.approve(app.state().plan or "", by="alice")
        app.let(HOUR)
    assert_all_is_well(app)
    assert app.platform.overlaps == []
    assert len(app.platform.written) == 3
    assert app.journal(DEV, Kind.APPROVED)


def die() -> None:
    raise DiesError


def test_a_process_that_dies_over_and_over_gives_the_message_up_and_the_sweep_goes_on() -> None:
    app = rebuilt(environment(DECLARED), made=MortalApp)
    assert isinstance(app, MortalApp)
    app.platform.moment = die
    app.deliver(cluster_written())
    app.let(6 * HOUR)
    assert app.told.kinds == ["MessageBuried"]
    app.platform.moment = lambda: None
    app.sweep()
    app.let(HOUR)
    assert_all_is_well(app)
