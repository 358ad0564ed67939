"""A target that is blocked by another one goes on by itself when that one is well."""

from dataclasses import replace
from datetime import timedelta

import pytest

from responders.service import NEWS_AFTER
from shared.errors import PermanentError, Throttled
from shared.journal import Kind
from shared.model import Finding
from tests.unit.app import DEV, App, cluster_written, rebuilt
from tests.unit.federated_credentials.builders import DEAD, IDENTITY
from tests.unit.platform import PUT
from tests.unit.seeding import SEEDING, register

SECOND = timedelta(seconds=1)


@pytest.fixture
def own() -> list[Finding]:
    """Faults of the target's own, which no root explains."""
    return []


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, own: list[Finding]) -> App:
    app = rebuilt()
    register(monkeypatch, app.platform, own)
    return app


def test_it_says_what_blocks_it_and_tells_nobody(app: App) -> None:
    app.platform.lay(PUT, Throttled("429", delay=90 * SECOND))
    app.deliver(cluster_written())
    app.work_off()
    state = app.state(SEEDING)
    assert state.word == "blocked"
    assert (state.because or "").startswith(f"SecretMissing because of {DEV} IssuerStale: ")
    (outcome,) = app.journal(SEEDING, Kind.OUTCOME)
    assert outcome.detail["blocked_by"] == str(DEV)
    assert state.blocked_by == str(DEV)
    assert app.told.kinds == []


def test_it_goes_on_as_soon_as_the_root_is_repaired(app: App) -> None:
    app.platform.lay(PUT, Throttled("429", delay=90 * SECOND))
    app.deliver(cluster_written())
    app.let(90 * SECOND)
    assert app.state(DEV).word == "repaired"
    assert (app.state(SEEDING).word, app.state(SEEDING).blocked_by) == ("converged", None)


def test_it_goes_on_even_where_something_graver_names_its_ending(app: App, own: list[Finding]) -> None:
    own.append(Finding(reason="VaultSealed", subject="vault", message="sealed"))
    app.platform.lay(PUT, Throttled("429", delay=90 * SECOND))
    app.deliver(cluster_written())
    app.work_off()
    assert (app.state(SEEDING).word, app.state(SEEDING).blocked_by) == ("human", str(DEV))
    runs = len(app.journal(SEEDING, Kind.OUTCOME))
    app.let(90 * SECOND)
    assert len(app.journal(SEEDING, Kind.OUTCOME)) == runs + 1


KNOWS: dict[str, tuple[timedelta, int]] = {
    "that has just looked is left alone": (NEWS_AFTER - SECOND, 0),
    "that looked a while ago is woken": (NEWS_AFTER, 1),
}


@pytest.mark.parametrize(("since", "runs"), KNOWS.values(), ids=KNOWS)
def test_a_root_of_which_only_the_symptom_is_known(app: App, since: timedelta, runs: int) -> None:
    app.service.queue.want(DEV, "first")
    app.work_off()
    app.let(10 * 60 * SECOND)
    app.service.queue.want(DEV, "again")
    app.work_off()
    before = len(app.journal(DEV, Kind.OUTCOME))
    app.platform.hold(IDENTITY, replace(app.platform.holds(IDENTITY)["vault-dev"], issuer=DEAD))
    app.let(since)
    app.service.queue.want(SEEDING, "symptom")
    app.work_off()
    assert (len(app.journal(DEV, Kind.OUTCOME)) > before) is bool(runs)


def test_a_root_that_knows_its_fault_is_not_woken_by_its_symptoms(app: App) -> None:
    app.platform.lay(PUT, PermanentError("400"), times=1_000)
    app.deliver(cluster_written())
    app.work_off()
    runs = len(app.journal(DEV, Kind.OUTCOME))
    app.let(timedelta(hours=1))
    app.service.queue.want(SEEDING, "symptom")
    app.work_off()
    assert app.state(SEEDING).word == "blocked"
    assert len(app.journal(DEV, Kind.OUTCOME)) == runs


def test_nobody_else_is_woken_by_a_repair(app: App) -> None:
    app.deliver(cluster_written())
    app.work_off()
    runs = len(app.journal(SEEDING, Kind.OUTCOME))
    app.service.queue.want(DEV, "again")
    app.work_off()
    assert len(app.journal(SEEDING, Kind.OUTCOME)) == runs
