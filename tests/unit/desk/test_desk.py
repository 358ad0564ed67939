"""What people are answered, to the status and the type of the body, asked rightly or not."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from responders.desk import LARGEST_BODY, PRINCIPAL, Desk
from responders.federated_credentials.reasons import REASONS
from responders.service import Service
from shared import signals, workqueue
from shared.answers import Answer
from shared.errors import Misconfigured, PermanentError, TemporaryError, Throttled
from shared.journal import Kind
from shared.landscape import Mode
from shared.model import Target
from shared.ports import Row
from tests.unit.app import DEV, App, FrailRows, contract, environment, rebuilt
from tests.unit.federated_credentials.builders import CLUSTER, DEAD, IDENTITY, LIVE
from tests.unit.platform import LIST, PUT
from tests.unit.seeding import register

HOUR = timedelta(hours=1)
SECRET = "AccountKey=c2VjcmV0"
TARGET = "dev/federated_credentials"


@pytest.fixture
def app() -> App:
    return rebuilt(environment(), environment(name="prod"), environment(name="off", enabled=False))


@pytest.fixture
def desk(app: App) -> Desk:
    return Desk(lambda: app.service)


def ask(desk: Desk, body: object) -> tuple[Answer, list[str]]:
    return desk.run(body if isinstance(body, bytes) else json.dumps(body).encode(), "the-id")


def said(answer: Answer) -> dict[str, Any]:
    told = json.loads(answer.body)
    assert isinstance(told, dict)
    return told


def assert_is_problem(answer: Answer, status: int, detail: str) -> None:
    """RFC 9457."""
    assert (answer.status, answer.mimetype) == (status, "application/problem+json")
    told = said(answer)
    assert set(told) == {"type", "title", "status", "detail"}
    assert told["status"] == status
    assert detail in told["detail"]


# -- run ----------------------------------------------------------------------------------

ASKED_FOR: dict[str, tuple[object, list[str], list[str]]] = {
    "no body asks for everything": (b"", ["*"], [TARGET, "prod/federated_credentials"]),
    "blanks ask for everything": (b" \n", ["*"], [TARGET, "prod/federated_credentials"]),
    "an empty object asks for everything": ({}, ["*"], [TARGET, "prod/federated_credentials"]),
    "a target": ({"targets": [TARGET]}, [TARGET], [TARGET]),
    "a target named twice is asked for once": ({"targets": [TARGET, TARGET]}, [TARGET], [TARGET]),
    "an environment among the targets": ({"targets": ["dev"]}, ["dev"], [TARGET]),
    "an environment": ({"environment": "prod"}, ["prod"], ["prod/federated_credentials"]),
}


@pytest.mark.parametrize(("body", "subjects", "targets"), ASKED_FOR.values(), ids=ASKED_FOR)
def test_a_run_is_accepted(desk: Desk, body: object, subjects: list[str], targets: list[str]) -> None:
    answer, messages = ask(desk, body)
    assert (answer.status, answer.mimetype) == (202, "application/json")
    assert said(answer) == {"id": "the-id", "targets": targets}
    assert answer.headers["Location"] == "/api/status"
    read = [signals.from_message(message.encode()) for message in messages]
    assert [getattr(signal, "subject", None) for (signal,) in read] == subjects


def test_an_accepted_run_takes_place_under_the_id_that_was_answered(app: App, desk: Desk) -> None:
    _, messages = ask(desk, {"targets": [TARGET]})
    for message in messages:
        app.messages.send(signals.QUEUE, message)
    app.work_off()
    assert app.state().word == "repaired"
    assert {entry.correlation_id for entry in app.journal()} == {"the-id"}
    (signal,) = app.signals()
    assert (signal.actor, signal.detail["time"]) == ("http", app.clock().isoformat())


NOT_UNDERSTOOD: dict[str, object] = {
    "what is not JSON": b"{",
    "what is not text": b"\xff\xfe",
    "a depth that no parser takes": b"[" * 10_000,
    "a list": [TARGET],
    "a text": TARGET,
    "no targets": {"targets": []},
    "targets that are no texts": {"targets": [1]},
    "targets that are no list": {"targets": TARGET},
    "a key that nobody knows": {"target": TARGET},
    "a key too many": {"targets": [TARGET], "apply": True},
    "a target where an environment is asked for": {"environment": TARGET},
    "an environment that is no text": {"environment": None},
}


@pytest.mark.parametrize("body", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_is_answered_with_what_to_send_instead(desk: Desk, body: object) -> None:
    answer, messages = ask(desk, body)
    assert_is_problem(answer, 400, '{"targets": ["dev/federated_credentials"]}')
    assert messages == []


UNKNOWN: dict[str, tuple[object, str]] = {
    "an environment": ({"environment": "qa"}, "qa is unknown"),
    "an environment's target": ({"targets": ["qa/federated_credentials"]}, "qa is unknown"),
    "a responder": ({"targets": ["dev/keycloak"]}, "keycloak is unknown"),
    "one of several": ({"targets": [TARGET, "qa"]}, "qa is unknown"),
}


@pytest.mark.parametrize(("body", "detail"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_unknown_is_answered_with_what_is_known(desk: Desk, body: object, detail: str) -> None:
    answer, messages = ask(desk, body)
    assert_is_problem(answer, 404, detail)
    for known in ("dev", "prod", "off", TARGET, "prod/federated_credentials"):
        assert known in said(answer)["detail"]
    assert messages == []


def test_a_disabled_environment_is_not_run(desk: Desk) -> None:
    answer, messages = ask(desk, {"environment": "off"})
    assert_is_problem(answer, 404, "disabled")
    assert messages == []


def test_the_largest_body_is_read_and_one_byte_more_is_not(desk: Desk) -> None:
    padded = json.dumps({"environment": "dev"}).ljust(LARGEST_BODY).encode()
    assert ask(desk, padded)[0].status == 202
    answer, messages = ask(desk, padded + b" ")
    assert_is_problem(answer, 413, f"at most {LARGEST_BODY}")
    assert messages == []


# -- status -------------------------------------------------------------------------------


def status(desk: Desk, **parameters: str) -> dict[str, Any]:
    answer = desk.status(parameters)
    assert (answer.status, answer.mimetype) == (200, "application/json")
    return said(answer)


def repair(app: App) -> None:
    app.request()
    app.work_off()


def test_status_of_an_app_that_never_ran(app: App, desk: Desk) -> None:
    told = status(desk)
    assert [one["target"] for one in told["targets"]] == [TARGET, "prod/federated_credentials"]
    assert {one["outcome"] for one in told["targets"]} == {"never run"}
    assert told["disabled"] == ["off"]
    assert (told["changes"], told["outcomes"], told["buried"]) == ([], [], [])
    assert told["droppedToday"] == {}
    assert told["at"] == app.clock().isoformat()


def test_status_says_what_was_changed_last_night_by_whom_and_why(app: App, desk: Desk) -> None:
    repair(app)
    app.clock.advance(8 * HOUR)
    told = status(desk)
    assert told["targets"][0]["outcome"] == "repaired"
    assert [change["kind"] for change in told["changes"]] == ["step-started", "step-done", "proof"]
    started = told["changes"][0]
    assert (started["actor"], started["correlation_id"], started["where"]) == (
        "reconverge",
        "asked-for",
        TARGET,
    )
    assert started["detail"]["after"]["issuer"] == LIVE
    assert started["detail"]["mends"] == "IssuerStale"


SINCE = {
    "a day, unless said otherwise": ({}, 25, 0),
    "within the time asked for": ({"since": "30h"}, 25, 3),
    "before the time asked for": ({"since": "90m"}, 2, 0),
    "no time at all": ({"since": "0s"}, 1, 0),
    "in days": ({"since": "7d"}, 6 * 24, 3),
}


@pytest.mark.parametrize(("parameters", "hours", "count"), SINCE.values(), ids=SINCE)
def test_status_looks_back(app: App, desk: Desk, parameters: dict[str, str], hours: int, count: int) -> None:
    repair(app)
    app.clock.advance(hours * HOUR)
    assert len(status(desk, **parameters)["changes"]) == count


def test_status_of_one_environment_tells_of_that_one_only(app: App, desk: Desk) -> None:
    repair(app)
    told = status(desk, environment="prod")
    assert [one["target"] for one in told["targets"]] == ["prod/federated_credentials"]
    assert told["changes"] == []


def test_status_tells_of_what_waits_what_failed_and_what_was_buried(desk: Desk, app: App) -> None:
    app.platform.lay(PUT, Throttled("ARM answered 429", delay=90 * timedelta(seconds=1)))
    repair(app)
    app.service.bury(signals.QUEUE, signals.to_message(signals.Dropped("x")).encode())
    app.service.journal.count("Microsoft.Web/sites/write")
    told = status(desk)
    first = told["targets"][0]
    assert (first["outcome"], first["because"], first["failures"]) == ("failed", "ARM answered 429", 1)
    assert first["lookAgainAt"] == (app.clock() + 90 * timedelta(seconds=1)).isoformat()
    assert told["droppedToday"] == {"Microsoft.Web/sites/write": 1}
    assert [(one["queue"], len(one["digest"])) for one in told["buried"]] == [("signals", 32)]


def test_status_looks_back_to_a_moment(app: App, desk: Desk) -> None:
    repair(app)
    app.clock.advance(HOUR)
    begun = status(desk)["changes"][0]["at"]
    after = (datetime.fromisoformat(begun) + HOUR / 2).isoformat()
    assert [len(status(desk, since=since)["changes"]) for since in (begun, after)] == [3, 0]


def test_status_names_the_reason_and_what_to_do_about_it(desk: Desk, app: App) -> None:
    app.platform.propagation = timedelta(days=2)
    app.request()
    app.let(HOUR)
    suspect, untouched = status(desk)["targets"]
    assert (suspect["outcome"], suspect["reason"]) == ("human", "RefusedAfterGrace")
    assert suspect["remedy"] == REASONS["RefusedAfterGrace"].remedy
    assert (untouched["reason"], untouched["remedy"]) == (None, None)


def test_status_names_the_target_that_blocks_another(
    desk: Desk, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, app.platform)
    app.platform.lay(PUT, Throttled("ARM answered 429", delay=90 * timedelta(seconds=1)))
    repair(app)
    blocked = {one["target"]: one["blockedBy"] for one in status(desk, environment="dev")["targets"]}
    assert blocked == {"dev/federated_credentials": None, "dev/vault_seeding": "dev/federated_credentials"}


def test_status_tells_what_a_target_came_to_and_what_held_it_back_meanwhile(
    desk: Desk, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, app.platform)
    app.platform.lay(PUT, Throttled("ARM answered 429", delay=90 * timedelta(seconds=1)))
    repair(app)
    app.let(90 * timedelta(seconds=1))
    told = [
        one for one in status(desk, environment="dev")["outcomes"] if one["target"] == "dev/vault_seeding"
    ]
    blocked, well = told
    assert (blocked["outcome"], blocked["blockedBy"]) == ("blocked", TARGET)
    assert blocked["causes"] == [{"target": TARGET, "reason": "IssuerStale"}]
    assert (well["outcome"], well["blockedBy"], well["causes"]) == ("converged", None, [])
    assert blocked["at"] < well["at"]


def test_status_tells_no_state_without_how_it_came_about(
    desk: Desk, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends while the status is put together."""
    read = workqueue.WorkQueue.state
    runs = iter([repair])

    def meanwhile(queue: workqueue.WorkQueue, target: Target) -> workqueue.TargetState:
        for run in runs:
            run(app)
        return read(queue, target)

    monkeypatch.setattr(workqueue.WorkQueue, "state", meanwhile)
    told = status(desk)
    assert told["targets"][0]["outcome"] == "repaired"
    assert [one["outcome"] for one in told["outcomes"] if one["target"] == TARGET] == ["repaired"]


def test_status_tells_an_outcome_that_repeats_itself_once(desk: Desk, app: App) -> None:
    repair(app)
    for _ in range(3):
        app.clock.advance(HOUR)
        repair(app)
    first, last = (one for one in status(desk)["outcomes"] if one["target"] == TARGET)
    assert (first["outcome"], last["outcome"]) == ("repaired", "converged")
    assert first["at"] == first["lastAt"]
    begun, ended = (datetime.fromisoformat(last[name]) for name in ("at", "lastAt"))
    assert ended - begun >= 2 * HOUR


@pytest.mark.parametrize("mode", [Mode.APPROVE, Mode.PROPOSE])
def test_status_shows_the_steps_of_a_plan_that_is_for_people_to_read(mode: Mode) -> None:
    app = rebuilt(environment(contract=contract(default=mode)), environment(name="prod"))
    repair(app)
    planned, untouched = status(Desk(lambda: app.service))["targets"]
    (step,) = planned["steps"]
    assert (step["action"], step["mends"]) == ("credential.update", "IssuerStale")
    assert step["object"].startswith(f"{IDENTITY}/")
    assert (step["before"]["issuer"], step["after"]["issuer"]) == (DEAD, LIVE)
    assert untouched["steps"] == []


ROWS_OF_OTHERS: dict[str, tuple[Row, str | None]] = {
    "of a version that stored no reason": ({"word": "human", "because": "why"}, None),
    "of a version that stored no proposed plan": ({"word": "human", "plan": "0" * 64}, None),
    "with a reason that was retired since": ({"word": "human", "reason": "OfOld"}, "OfOld"),
}


@pytest.mark.parametrize(("row", "reason"), ROWS_OF_OTHERS.values(), ids=ROWS_OF_OTHERS)
def test_status_reads_a_row(desk: Desk, app: App, row: Row, reason: str | None) -> None:
    app.rows.insert(workqueue.TABLE, workqueue.key_of(DEV), row)
    told = status(desk)["targets"][0]
    assert (told["outcome"], told["reason"], told["remedy"]) == ("human", reason, None)
    assert told["steps"] == []


def test_the_functions_key_may_stand_in_the_address(desk: Desk) -> None:
    assert desk.status({"code": "the key"}).status == 200


NO_STATUS: dict[str, tuple[Mapping[str, str], int, str]] = {
    "an unknown environment": ({"environment": "qa"}, 404, "known are dev, prod, off"),
    "a time that is none": ({"since": "yesterday"}, 400, "write 90m, 12h, 7d or 2026-"),
    "a moment of no place": ({"since": "2026-11-02T03:00:00"}, 400, "write 90m, 12h, 7d or 2026-"),
    "a moment too long ago": ({"since": "1999-01-01T00:00:00Z"}, 400, "31 days at most"),
    "a time that is too long": ({"since": "400d"}, 400, "31 days at most"),
    "a length beyond the calendar": ({"since": "999999d"}, 400, "31 days at most"),
    "a moment beyond the calendar": ({"since": "9999-12-31T23:59:59-14:00"}, 400, "write 90m, 12h, 7d or"),
    "a parameter that nobody knows": ({"enviroment": "dev"}, 400, "known are environment, since"),
}


@pytest.mark.parametrize(("parameters", "code", "detail"), NO_STATUS.values(), ids=NO_STATUS)
def test_no_status_is_told(desk: Desk, parameters: Mapping[str, str], code: int, detail: str) -> None:
    assert_is_problem(desk.status(parameters), code, detail)


# -- approve ------------------------------------------------------------------------------


@pytest.fixture
def waiting(app: App) -> str:
    """A plan that waits."""
    app.landscape = rebuilt(environment(contract=contract(default=Mode.APPROVE))).landscape
    app.start_process()
    repair(app)
    plan = app.state().plan
    assert plan
    return plan


def test_a_plan_is_approved_by_name_and_carried_out(app: App, desk: Desk, waiting: str) -> None:
    app.service = replace(app.service, callers_named=True)
    answer = desk.approve(waiting, {PRINCIPAL: "alice@example.org"})
    assert answer.status == 200
    told = said(answer)
    assert (told["plan"], told["target"], told["approvedBy"]) == (waiting, TARGET, "alice@example.org")
    assert [step["after"]["issuer"] for step in told["steps"]] == [LIVE]
    app.work_off()
    assert app.state().word == "repaired"
    assert [entry.actor for entry in app.journal(app.state().target, Kind.APPROVED)] == ["alice@example.org"]


ONLY_A_KEY = {
    "where the platform names nobody": (True, {}),
    "where the name is empty": (True, {PRINCIPAL: ""}),
    "where anybody may write any name": (False, {PRINCIPAL: "alice@example.org"}),
}


@pytest.mark.parametrize(("named", "headers"), ONLY_A_KEY.values(), ids=ONLY_A_KEY)
def test_it_is_the_keys_holder_who_approves(
    app: App, desk: Desk, waiting: str, named: bool, headers: Mapping[str, str]
) -> None:
    app.service = replace(app.service, callers_named=named)
    assert said(desk.approve(waiting, headers))["approvedBy"] == "holder of a function key"
    assert [entry.actor for entry in app.journal(app.state().target, Kind.APPROVED)] == [
        "holder of a function key"
    ]


NO_PLAN = ["0" * 64, "", "short", "with/slash", "x" * 2_000, "\x00"]


@pytest.mark.parametrize("digest", NO_PLAN, ids=repr)
def test_a_plan_that_nobody_stored_is_not_known(desk: Desk, digest: str) -> None:
    assert_is_problem(desk.approve(digest, {}), 404, "no plan")


def test_a_plan_whose_facts_have_changed_is_answered_with_its_successor(
    app: App, desk: Desk, waiting: str
) -> None:
    app.platform.build(CLUSTER, f"{LIVE}again/")
    answer = desk.approve(waiting, {})
    assert_is_problem(answer, 409, "facts have changed")
    (successor,) = [word for word in said(answer)["detail"].split() if len(word) == 64]
    assert desk.approve(successor, {}).status == 200


def test_a_plan_that_was_carried_out_is_not_approved_again(app: App, desk: Desk, waiting: str) -> None:
    desk.approve(waiting, {})
    app.work_off()
    assert_is_problem(desk.approve(waiting, {}), 409, "nothing left to change")


def test_a_plan_that_is_only_proposed_is_not_approved() -> None:
    app = rebuilt(environment(contract=contract(default=Mode.PROPOSE)))
    repair(app)
    plan = app.state().plan
    assert plan
    assert_is_problem(Desk(lambda: app.service).approve(plan, {}), 409, "nothing left to change that may be")
    app.let(HOUR)
    assert app.platform.written == []


def test_a_plan_that_was_proposed_can_be_approved_once_the_contract_says_so() -> None:
    app = rebuilt(environment(contract=contract(default=Mode.PROPOSE)))
    repair(app)
    app.landscape = rebuilt(environment(contract=contract(default=Mode.APPROVE))).landscape
    app.start_process()
    repair(app)
    plan = app.state().plan
    assert plan
    assert Desk(lambda: app.service).approve(plan, {}).status == 200
    app.work_off()
    assert app.state().word == "repaired"


def test_a_plan_whose_facts_cannot_be_read_is_to_be_approved_later(
    app: App, desk: Desk, waiting: str
) -> None:
    app.platform.lay(LIST, TemporaryError("ARM answered 503", delay=HOUR), on=IDENTITY)
    answer = desk.approve(waiting, {})
    assert_is_problem(answer, 503, "503")
    assert answer.headers["Retry-After"] == "30"


# -- health, and what goes wrong on our side ----------------------------------------------


def failing(error: Exception) -> Callable[[], Service]:
    def service() -> Service:
        raise error

    return service


def test_health_of_a_healthy_app(desk: Desk) -> None:
    answer = desk.health()
    assert answer.status == 200
    assert said(answer) == {"ready": True, "parts": {"settings": "ok", "landscape": "ok", "storage": "ok"}}


def test_health_says_which_part_fails_and_nothing_about_it(app: App) -> None:
    def unusable() -> Any:
        raise Misconfigured(f"landscape.yaml, line 3: {SECRET}")

    app.service = Service(
        rows=app.rows,
        messages=app.messages,
        world=app.platform.world,
        read_landscape=unusable,
        notifier=app.service.notifier,
    )
    answer = Desk(lambda: app.service).health()
    assert answer.status == 503
    assert said(answer)["parts"] == {"settings": "ok", "landscape": "failing", "storage": "ok"}
    assert SECRET not in answer.body


def test_health_without_settings_says_so() -> None:
    answer = Desk(failing(Misconfigured(SECRET))).health()
    assert answer.status == 503
    assert said(answer)["parts"]["settings"] == "failing"
    assert SECRET not in answer.body


OUR_SIDE: dict[str, tuple[Exception, int]] = {
    "settings that are wrong": (Misconfigured(SECRET), 503),
    "a store that is down": (TemporaryError("storage answered 503", delay=timedelta(seconds=12.4)), 503),
    "a store that refuses for good": (PermanentError("storage answered 403"), 500),
}


@pytest.mark.parametrize(("error", "code"), OUR_SIDE.values(), ids=OUR_SIDE)
def test_what_is_wrong_on_our_side_is_no_fault_of_the_sender(error: Exception, code: int) -> None:
    desk = Desk(failing(error))
    for answer in (desk.status({}), desk.approve("0" * 64, {}), ask(desk, {})[0]):
        assert_is_problem(answer, code, "")
        assert SECRET not in answer.body
        if isinstance(error, TemporaryError):
            assert answer.headers["Retry-After"] == "12"


def test_nothing_secret_is_told_by_anything(app: App, desk: Desk) -> None:
    app.platform.lay(PUT, RuntimeError(SECRET))
    app.platform.lay(LIST, ValueError(SECRET))
    repair(app)
    app.let(HOUR)
    told = [desk.status({"since": "7d"}), desk.health(), desk.approve("0" * 64, {}), ask(desk, b"{")[0]]
    assert all(SECRET not in answer.body for answer in told)
    assert isinstance(app.rows, FrailRows)
