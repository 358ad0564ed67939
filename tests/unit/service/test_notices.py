"""When people are told, and that telling them changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from responders.federated_credentials.reasons import REASONS
from shared.clients.azure_core import Answer
from shared.errors import PermanentError, TemporaryError
from shared.landscape import Caps, Mode
from shared.notices import LASTING
from shared.workqueue import QUEUE
from tests.unit.app import App, contract, environment, rebuilt
from tests.unit.federated_credentials.builders import CLUSTER, DEAD, IDENTITY, LIVE, SUBJECT, declared, held
from tests.unit.platform import LIST, PUT

HOUR = timedelta(hours=1)
AGAIN = "https://westeurope.oic.prod-aks.azure.com/tenant/again/"


def run(app: App, times: int = 1) -> App:
    for _ in range(times):
        app.request()
        app.work_off()
        app.clock.advance(HOUR)
    return app


def of_mode(mode: Mode) -> App:
    return rebuilt(environment(contract=contract(default=mode)))


def refused_for_good() -> App:
    app = rebuilt()
    app.platform.lay(PUT, PermanentError("ARM answered 400 BadRequest"), times=100)
    return app


def failing(times: int = 3) -> App:
    app = rebuilt()
    lay(app, times)
    return app


def lay(app: App, times: int) -> None:
    app.platform.lay(LIST, TemporaryError("ARM answered 503", delay=timedelta(seconds=30)), times=times)


NEEDS_SOMEBODY: dict[str, tuple[Callable[[], App], list[str]]] = {
    "an approval": (lambda: of_mode(Mode.APPROVE), ["TargetApproval"]),
    "a proposal": (lambda: of_mode(Mode.PROPOSE), ["TargetProposed"]),
    "a person's task": (lambda: of_mode(Mode.NEVER), ["TargetHuman"]),
    "a failure for good": (refused_for_good, ["TargetFailed"]),
    "a repair": (rebuilt, []),
    "a failure that may pass": (failing, []),
}


@pytest.mark.parametrize(("made", "kinds"), NEEDS_SOMEBODY.values(), ids=NEEDS_SOMEBODY)
def test_is_told_once_however_often_it_is_found(made: Callable[[], App], kinds: list[str]) -> None:
    assert run(made(), times=3).told.kinds == kinds


def test_a_failure_that_lasts_for_half_an_hour_is_told_once() -> None:
    app = failing(1_000)
    app.request()
    app.let(HOUR / 4)
    assert app.told.kinds == []
    app.let(HOUR / 2)
    ((kind, subject, data),) = app.told.notices
    assert (kind, subject, data["outcome"]) == ("TargetFailed", "dev/federated_credentials", "failed")
    assert (data["failures"], data["reason"]) == (str(LASTING), "Unread")
    app.let(24 * HOUR)
    assert app.told.kinds == ["TargetFailed"]


def test_a_failure_that_passes_just_before_it_lasts_is_not_told_and_begins_anew() -> None:
    app = failing(LASTING - 1)
    app.request()
    app.let(HOUR)
    assert app.state().word == "repaired"
    lay(app, LASTING - 1)
    app.sweep()
    app.let(HOUR)
    assert (app.state().word, app.told.kinds) == ("converged", [])


def test_a_failure_that_lasts_a_second_time_is_news() -> None:
    app = failing(LASTING)
    app.request()
    app.let(2 * HOUR)
    lay(app, LASTING)
    app.sweep()
    app.let(2 * HOUR)
    assert app.told.kinds == ["TargetFailed", "TargetFailed"]


def test_a_notice_says_what_why_and_which_plan() -> None:
    app = run(of_mode(Mode.APPROVE))
    ((kind, subject, data),) = app.told.notices
    assert (kind, subject) == ("TargetApproval", "dev/federated_credentials")
    assert data["plan"] == app.state().plan
    assert (data["outcome"], data["because"]) == ("approval", app.state().because)


def test_a_notice_names_the_reason_and_what_to_do_about_it() -> None:
    """Entra refuses for longer than propagation explains: the credential is suspect."""
    app = rebuilt()
    app.platform.propagation = timedelta(days=2)
    app.request()
    app.let(HOUR)
    ((kind, _, data),) = app.told.notices
    assert (kind, data["reason"]) == ("TargetHuman", "RefusedAfterGrace")
    assert data["remedy"] == REASONS["RefusedAfterGrace"].remedy


@pytest.mark.parametrize("mode", [Mode.APPROVE, Mode.PROPOSE])
def test_another_plan_is_news(mode: Mode) -> None:
    app = run(of_mode(mode))
    app.platform.build(CLUSTER, AGAIN)
    run(app, times=2)
    first, second = [data["plan"] for _, _, data in app.told.notices]
    assert first != second


def test_the_same_trouble_after_all_was_well_is_news() -> None:
    app = run(of_mode(Mode.PROPOSE))
    app.platform.meddle(IDENTITY, held(issuer=LIVE))
    run(app)
    app.platform.meddle(IDENTITY, held(issuer=DEAD))
    run(app)
    assert app.told.kinds == ["TargetProposed", "TargetProposed"]


def test_more_than_a_run_may_take_is_told_with_the_reason() -> None:
    two = (declared("one"), declared("two", subject=f"{SUBJECT}-2"))
    app = run(rebuilt(environment({IDENTITY: two}, contract=contract(caps=Caps(per_run=1)))))
    assert app.told.kinds == ["TargetApproval"]


def test_a_notice_that_cannot_be_sent_changes_nothing() -> None:
    told, untold = of_mode(Mode.APPROVE), of_mode(Mode.APPROVE)
    untold.told.down = True
    run(told)
    run(untold)
    assert untold.told.kinds == []
    assert untold.state() == told.state()
    assert untold.messages.waiting(QUEUE) == (), "nor does the queue deliver again"
    assert [entry.kind for entry in untold.journal()] == [entry.kind for entry in told.journal()]


def test_the_same_refusal_of_another_request_is_no_news() -> None:
    app = rebuilt()
    for number in range(3):
        answer = Answer(service="ARM", status=400, code="BadRequest", correlation_id=f"id-{number}")
        app.platform.lay(PUT, PermanentError(f"{answer}: why"))
    assert run(app, times=3).told.kinds == ["TargetFailed"]
    app.platform.lay(PUT, PermanentError(f"{replace(answer, code='ScopeLocked')}: why"))
    assert run(app).told.kinds == ["TargetFailed", "TargetFailed"]


def test_a_long_reason_is_told_once_as_well() -> None:
    app = rebuilt()
    app.platform.lay(PUT, PermanentError("ARM answered 400: " + "x" * 9_000), times=100)
    assert run(app, times=3).told.kinds == ["TargetFailed"]
