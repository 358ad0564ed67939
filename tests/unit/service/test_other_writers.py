"""Whose write is whose: our own come back as events, others may put back what we repaired."""

from datetime import timedelta
from typing import Any

import pytest

from responders.federated_credentials.gather import gather
from shared.errors import TemporaryError
from shared.journal import Kind
from tests.unit.app import DEV, App, credential_written, rebuilt
from tests.unit.federated_credentials.builders import DEAD, IDENTITY, LIVE, OWN_OBJECT, held
from tests.unit.platform import PUT

HOUR = timedelta(hours=1)
LOST = TemporaryError("ARM: the answer was lost", delay=timedelta(seconds=30))
CREDENTIAL = f"{IDENTITY}/federatedIdentityCredentials/vault-dev"
TERRAFORM = "77777777-0000-0000-0000-000000000001"


@pytest.fixture
def app() -> App:
    app = rebuilt()
    app.request()
    app.work_off()
    assert app.state().word == "repaired"
    return app


def put_back(app: App, times: int, caller: str | None) -> None:
    """Somebody writes the old value, and Azure tells; so it does of our own write in between."""
    for _ in range(times):
        app.platform.meddle(IDENTITY, held(issuer=DEAD))
        app.clock.advance(HOUR)
        app.deliver(credential_written(CREDENTIAL, caller=caller))
        app.work_off()
        app.deliver(credential_written(CREDENTIAL, caller=OWN_OBJECT))
        app.work_off()


def test_an_event_of_our_own_write_is_journalled_and_wakes_nobody(app: App) -> None:
    app.deliver(credential_written(CREDENTIAL.upper(), caller=OWN_OBJECT.upper()))
    app.work_off()
    signal = app.signals(Kind.SIGNAL)[-1]
    assert (signal.detail["own"], signal.detail["targets"], signal.actor) == (True, [], OWN_OBJECT)
    assert app.looks() == 1


def test_an_event_of_our_own_write_that_names_nobody_starts_a_run_that_finds_nothing_to_do(app: App) -> None:
    app.deliver(credential_written(CREDENTIAL))
    app.work_off()
    assert (app.state().word, app.looks(), app.platform.number_of(PUT)) == ("converged", 2, 1)


def test_an_event_of_somebody_elses_write_is_looked_at(app: App) -> None:
    app.platform.meddle(IDENTITY, held(issuer=DEAD))
    app.clock.advance(HOUR)
    app.deliver(credential_written(CREDENTIAL, caller=TERRAFORM))
    app.work_off()
    assert app.state().word == "repaired"
    assert app.platform.holds(IDENTITY)["vault-dev"].issuer == LIVE


def test_a_value_put_back_once_is_repaired_once_more(app: App) -> None:
    put_back(app, 1, TERRAFORM)
    assert app.platform.number_of(PUT) == 2
    assert app.state().word == "repaired"


FIGHTS = {
    "by its object id": (TERRAFORM, TERRAFORM),
    "as unknown, where its events carried none": (None, "one whose events carried no id"),
}


@pytest.mark.parametrize(("caller", "named"), FIGHTS.values(), ids=FIGHTS)
def test_a_value_put_back_twice_is_left_and_the_other_writer_named(
    app: App, caller: str | None, named: str
) -> None:
    put_back(app, 2, caller)
    state = app.state()
    assert state.word == "human"
    assert state.because == (
        f"WritersFight: vault-dev was put back 2 times; writers: {OWN_OBJECT} (Reconverge) and {named}"
    )
    assert app.platform.number_of(PUT) == 2
    assert app.platform.holds(IDENTITY)["vault-dev"].issuer == DEAD, "the other one's word stands"
    put_back(app, 3, caller)
    assert app.platform.number_of(PUT) == 2
    assert app.told.kinds == ["TargetHuman"]


@pytest.mark.parametrize("propagation", [0 * HOUR, 2 * HOUR], ids=["and proven", "and not proven so far"])
def test_a_value_put_back_twice_is_left_also_where_the_answers_to_our_writes_were_lost(
    propagation: timedelta,
) -> None:
    app = rebuilt()
    app.platform.propagation = propagation
    app.platform.lay(PUT, LOST, after=True, times=1_000)
    app.request()
    app.work_off()
    put_back(app, 5, TERRAFORM)
    assert (app.state().word, app.platform.number_of(PUT)) == ("human", 2)
    assert app.platform.holds(IDENTITY)["vault-dev"].issuer == DEAD


def test_writes_that_never_took_effect_are_no_fight() -> None:
    app = rebuilt()
    app.platform.lay(PUT, LOST, times=5)
    app.request()
    app.let(2 * HOUR)
    assert (app.state().word, app.platform.number_of(PUT)) == ("repaired", 6)


def test_a_late_word_of_a_run_that_was_taken_over_confirms_its_own_write_only() -> None:
    app = rebuilt()

    def journalled(kind: Kind, run: str) -> None:
        detail: dict[str, Any] = {"object": CREDENTIAL, "before": None, "after": {}}
        app.service.journal.record(kind, DEV, actor="reconverge", correlation_id="c", run=run, detail=detail)

    journalled(Kind.STEP_STARTED, "old")
    journalled(Kind.STEP_STARTED, "new")
    journalled(Kind.STEP_DONE, "old")
    scope = app.service._scope(DEV)
    assert scope is not None
    (holding,) = gather(scope).holdings
    assert [(one.run, one.confirmed) for one in holding.writes["vault-dev"]] == [
        ("old", True),
        ("new", False),
    ]


def test_a_fight_is_forgotten_after_a_day(app: App) -> None:
    put_back(app, 2, TERRAFORM)
    app.clock.advance(timedelta(days=1))
    app.request()
    app.work_off()
    assert app.state().word == "repaired"


def test_every_repair_of_a_fight_is_in_the_journal(app: App) -> None:
    put_back(app, 2, TERRAFORM)
    assert len(app.journal(DEV, Kind.STEP_DONE)) == 2
    assert [entry.actor for entry in app.signals(Kind.SIGNAL)] == [
        "http",
        *[TERRAFORM, OWN_OBJECT] * 2,
    ]
