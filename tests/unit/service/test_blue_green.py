"""Two live clusters side by side: what works keeps its access until its successor has one."""

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Throttled
from shared.journal import Kind
from shared.landscape import Action, Mode
from tests.unit.app import BLUE_AND_GREEN, DEV, GREEN_LIVE, App, contract, environment
from tests.unit.federated_credentials.builders import CLUSTER, GREEN, IDENTITY, LIVE, SUBJECT, declared, held
from tests.unit.platform import GET_CLUSTER, PUT

MINUTE = timedelta(minutes=1)
THROTTLED = Throttled("ARM answered 429 TooManyRequests", delay=MINUTE)
BLUE_SUBJECT = f"{SUBJECT}-blue"


def moving(**changes: Any) -> App:
    """The credential of blue is to serve green from now on, and blue's workload gets one of its own."""
    wanted = (
        declared("vault-dev", cluster="green"),
        declared("vault-dev-blue", cluster="aks", subject=BLUE_SUBJECT),
    )
    app = App(environment({IDENTITY: wanted}, clusters=BLUE_AND_GREEN, **changes))
    app.platform.build(CLUSTER, LIVE)
    app.platform.build(GREEN, GREEN_LIVE)
    app.platform.hold(IDENTITY, held("vault-dev"))
    return app


def run(app: App) -> App:
    app.request()
    app.work_off()
    return app


def written(app: App) -> list[str]:
    return [one.credential.name for one in app.platform.written]


def test_what_is_missing_is_added_then_proven_and_only_then_is_changed_what_a_cluster_uses() -> None:
    app = moving()
    app.platform.propagation = 3 * MINUTE
    run(app)
    assert (written(app), app.state().word) == (["vault-dev-blue"], "pending")
    app.let(2 * MINUTE)
    assert app.platform.admits(CLUSTER, SUBJECT, IDENTITY), "blue keeps its access meanwhile"
    assert written(app) == ["vault-dev-blue"]
    app.let(10 * MINUTE)
    assert written(app) == ["vault-dev-blue", "vault-dev"]
    assert app.state().word == "repaired"
    assert app.platform.admits(GREEN, SUBJECT, IDENTITY)
    assert app.platform.admits(CLUSTER, BLUE_SUBJECT, IDENTITY)
    order = [entry.kind for entry in app.journal(DEV, Kind.STEP_STARTED, Kind.PROOF)]
    assert order.index(Kind.PROOF) < len(order) - 1 - order[::-1].index(Kind.STEP_STARTED)


def test_a_cluster_that_could_not_be_read_keeps_its_access_until_the_added_one_is_proven() -> None:
    app = moving()
    app.platform.propagation = 3 * MINUTE
    app.platform.lay(GET_CLUSTER, THROTTLED, on=CLUSTER)
    run(app)
    app.let(2 * MINUTE)
    assert app.platform.admits(CLUSTER, SUBJECT, IDENTITY)
    app.let(15 * MINUTE)
    assert (written(app), app.state().word) == (["vault-dev-blue", "vault-dev"], "repaired")


def test_while_the_added_one_is_not_proven_it_is_looked_at_less_and_less_often() -> None:
    app = moving()
    app.platform.propagation = 8 * MINUTE
    run(app).let(8 * MINUTE)
    assert app.looks() < 20


def test_an_added_one_that_is_never_proven_stops_the_move_and_calls_a_person() -> None:
    app = moving()
    app.platform.propagation = timedelta(days=3)
    run(app).let(timedelta(hours=12))
    assert (app.state().word, written(app)) == ("human", ["vault-dev-blue"])
    assert app.looks() < 25
    assert app.platform.admits(CLUSTER, SUBJECT, IDENTITY)


KEPT_FOR_A_PERSON = {
    Mode.PROPOSE: "proposed",
    Mode.APPROVE: "approval",
    Mode.NEVER: "human",
}


@pytest.mark.parametrize(("mode", "word"), KEPT_FOR_A_PERSON.items())
def test_a_move_whose_first_step_waits_for_a_person_waits_without_looking_again(
    mode: Mode, word: str
) -> None:
    app = moving(contract=contract(actions={Action.CREDENTIAL_CREATE: mode}))
    run(app).let(timedelta(hours=12))
    assert (app.state().word, app.looks(), app.platform.number_of(PUT)) == (word, 1, 0)


def test_a_credential_that_only_the_old_cluster_lost_is_mended_beside_a_healthy_green() -> None:
    app = moving()
    app.platform.hold(
        IDENTITY, held("vault-dev", issuer=GREEN_LIVE), held("vault-dev-blue", subject=BLUE_SUBJECT)
    )
    rebuilt_blue = f"{LIVE}rebuilt/"
    app.platform.build(CLUSTER, rebuilt_blue)
    run(app)
    assert (app.state().word, written(app)) == ("repaired", ["vault-dev-blue"])


def test_one_cluster_that_cannot_be_judged_stops_nothing_of_the_other() -> None:
    app = moving()
    app.platform.tear_down(CLUSTER)
    app.platform.hold(IDENTITY, held("vault-dev", issuer=f"{LIVE}before/"))
    run(app)
    assert (app.state().word, written(app)) == ("human", ["vault-dev"])
