"""When a realm that is not through yet is worth another look."""

from datetime import timedelta
from typing import Any

import pytest

from responders.keycloak_bootstrap.reasons import Reason, finding
from responders.keycloak_bootstrap.verify import look_again
from shared.model import Unknown
from tests.unit.keycloak_bootstrap.builders import (
    HOUR,
    MINUTE,
    NOW,
    PATCHER,
    SECOND,
    attempt,
    facts,
    imports,
    patcher,
    tried,
)

VALUES = str(facts().values_id)
RUNNING = finding(Reason.CLIENT_PATCHER_RUNNING, "the patcher", "is running")
UNREAD = finding(Reason.KEYCLOAK_UNREAD, "the patcher", "could not be read")
REFRESHING = finding(Reason.OIDC_SECRET_REFRESHING, "secrets/s", "not there yet")
OPEN = finding(Reason.HOOK_PROPOSAL_OPEN, VALUES, "waits for people")

LOOKS: dict[str, tuple[dict[str, Any], timedelta]] = {
    "at once after a write": ({"tries": tried("x", attempt("a", age=2 * SECOND))}, 5 * SECOND),
    "half a minute after a write": ({"tries": tried("x", attempt("a", age=30 * SECOND))}, 15 * SECOND),
    "in a namespace that was just made": ({"imports": imports(created=NOW - 40 * SECOND)}, 20 * SECOND),
    "where nothing was begun lately": ({}, MINUTE),
}


@pytest.mark.parametrize(("given", "pause"), LOOKS.values(), ids=LOOKS)
def test_it_is_looked_at_again(given: dict[str, Any], pause: timedelta) -> None:
    look = look_again(facts(**given), RUNNING, NOW)
    assert (look.after, look.asked) == (pause, False)


OPENED: dict[str, tuple[timedelta | None, timedelta]] = {
    "a moment ago": (4 * SECOND, 5 * SECOND),
    "minutes ago": (10 * MINUTE, 5 * MINUTE),
    "hours ago": (3 * HOUR, 15 * MINUTE),
    "longer ago than is remembered": (None, 15 * MINUTE),
}


@pytest.mark.parametrize(("age", "pause"), OPENED.values(), ids=OPENED)
def test_a_pull_request_is_looked_at_less_and_less_often(age: timedelta | None, pause: timedelta) -> None:
    made = tried(VALUES, attempt("keycloak.order", age=age)) if age else {}
    assert look_again(facts(tries=made), OPEN, NOW).after == pause


@pytest.mark.parametrize(
    ("age", "pause"), [(8 * SECOND, 5 * SECOND), (4 * MINUTE, MINUTE), (HOUR, 5 * MINUTE)]
)
def test_a_secret_that_is_awaited_is_looked_at_less_and_less_often(age: timedelta, pause: timedelta) -> None:
    given = facts(patcher=patcher(completed=NOW - age))
    assert look_again(given, REFRESHING, NOW).after == pause


def test_what_could_not_be_read_is_tried_again_in_half_a_minute() -> None:
    assert look_again(facts(), UNREAD, NOW).after == 30 * SECOND


LOGS = {PATCHER: Unknown("429", 7 * MINUTE)}
ASKED: dict[str, dict[str, Any]] = {
    "for the clients": {"clients": Unknown("429", 7 * MINUTE), "bootstrap": Unknown("429", 2 * MINUTE)},
    "for a Job's log": {"logs": LOGS, "clients": Unknown("429", 2 * MINUTE)},
}


@pytest.mark.parametrize("given", ASKED.values(), ids=ASKED)
def test_the_longest_pause_that_a_far_side_asked_for_is_kept(given: dict[str, Any]) -> None:
    look = look_again(facts(**given), UNREAD, NOW)
    assert (look.after, look.asked) == (7 * MINUTE, True)
