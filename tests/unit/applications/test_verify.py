"""What counts as proof that a refresh, a sync or a stop has worked."""

from dataclasses import replace
from datetime import timedelta

import pytest

from responders.applications.situations import REFRESH, SYNC, TERMINATE
from responders.applications.verify import look_again, verify
from shared.attempts import Attempt
from shared.clients.argocd import Application
from shared.model import Absent, Finding
from shared.world import Look
from tests.unit.applications.builders import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    application,
    condition,
    facts,
    failed,
    incomparable,
    operation,
    unsynced,
)
from tests.unit.applications.test_run import Stage


def asked(action: str, age: timedelta = MINUTE) -> Attempt:
    return Attempt(at=NOW - age, situation="s", action=action, confirmed=True)


SYNCED = application(operation=operation(age=MINUTE))
CASES: dict[str, tuple[Application, str, bool]] = {
    "a refresh, once it can be compared": (unsynced("x"), REFRESH, True),
    "a refresh, not before it has happened": (application(refreshing=True), REFRESH, False),
    "a refresh, not where it cannot be compared": (incomparable(), REFRESH, False),
    "a sync, once it has succeeded since": (SYNCED, SYNC, True),
    "a sync, not by one of before": (application(operation=operation(age=HOUR)), SYNC, False),
    "a sync, not while it runs": (replace(SYNCED, requested=True), SYNC, False),
    "a sync, not where it failed": (application(operation=failed("x", SECOND)), SYNC, False),
    "a sync, not where it still differs": (replace(SYNCED, sync="OutOfSync"), SYNC, False),
    "a sync, not beside an error": (replace(SYNCED, conditions=(condition("x"),)), SYNC, False),
    "a sync, not before Argo CD says anything": (application(operation=None), SYNC, False),
    "a stop, once the operation has ended": (unsynced("x"), TERMINATE, True),
    "a stop, not while it is stopping": (application(operation=operation("Terminating")), TERMINATE, False),
}


@pytest.mark.parametrize(("given", "action", "proven"), CASES.values(), ids=CASES)
def test_proves(given: Application, action: str, *, proven: bool) -> None:
    found = verify(Stage().scope(), facts(given, attempt=asked(action)))
    assert [one.object.rpartition("/")[2] for one in found] == ["dev-gitlab"] * proven


def test_the_times_of_an_api_server_have_no_fractions() -> None:
    attempt = replace(asked(SYNC), at=NOW - MINUTE + timedelta(milliseconds=900))
    assert len(verify(Stage().scope(), facts(SYNCED, attempt=attempt))) == 1


UNANSWERED: dict[str, tuple[Application, str, bool]] = {
    "a sync that says it is ours": (application(operation=operation(age=MINUTE, ours=True)), SYNC, True),
    "a sync that may be somebody else's": (SYNCED, SYNC, False),
    "a refresh": (unsynced("x"), REFRESH, False),
    "a stop": (unsynced("x"), TERMINATE, False),
}


@pytest.mark.parametrize(("given", "action", "proven"), UNANSWERED.values(), ids=UNANSWERED)
def test_proves_without_an_answer(given: Application, action: str, *, proven: bool) -> None:
    attempt = replace(asked(action), confirmed=False)
    assert len(verify(Stage().scope(), facts(given, attempt=attempt))) == proven


def test_what_is_proven_is_not_proven_again() -> None:
    attempt = replace(asked(SYNC), proven=True)
    assert verify(Stage().scope(), facts(SYNCED, attempt=attempt)) == ()


def test_nothing_is_proven_where_nothing_was_asked_for_or_read() -> None:
    assert verify(Stage().scope(), facts(SYNCED)) == ()
    unread = facts(SYNCED, attempt=asked(SYNC), applications=Absent())
    assert verify(Stage().scope(), unread) == ()


LOOKS: dict[str, tuple[timedelta, timedelta]] = {
    "soon after it was asked for": (4 * SECOND, 5 * SECOND),
    "later and later": (MINUTE, 30 * SECOND),
    "each minute in the end": (HOUR, MINUTE),
}


@pytest.mark.parametrize(("age", "after"), LOOKS.values(), ids=LOOKS)
def test_it_looks_again(age: timedelta, after: timedelta) -> None:
    waiting = Finding(reason="ApplicationRefreshing", subject="x", message="")
    assert look_again(facts(SYNCED, attempt=asked(SYNC, age)), waiting, NOW) == Look(after)
