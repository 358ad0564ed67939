"""When a seeding that is not through yet is worth another look."""

from datetime import timedelta
from typing import Any

import pytest

from responders.vault_seeding.reasons import Reason, finding
from responders.vault_seeding.verify import look_again
from shared.model import Absent, Unknown
from tests.unit.vault_seeding.builders import NOW, attempt, cron_job, facts

SECOND = timedelta(seconds=1)
MINUTE = 60 * SECOND
OLD = cron_job(created=NOW - timedelta(days=30))
UNDER_WAY = finding(Reason.BOOTSTRAP_UNDER_WAY, "the CronJob", "is running")
UNREAD = finding(Reason.SEEDING_UNREAD, "the CronJob", "could not be read")

LOOKS: dict[str, tuple[dict[str, Any], timedelta]] = {
    "at once after a write": ({"attempts": {"x": attempt("s", 2 * SECOND)}}, 5 * SECOND),
    "half a minute after a write": ({"attempts": {"x": attempt("s", 30 * SECOND)}}, 15 * SECOND),
    "long after a write": ({"attempts": {"x": attempt("s", 20 * MINUTE)}}, MINUTE),
    "of two writes the newer counts": (
        {"attempts": {"x": attempt("s", 20 * MINUTE), "y": attempt("s", 30 * SECOND)}},
        15 * SECOND,
    ),
    "in a cluster that was just built": ({"cron_job": cron_job(created=NOW - 20 * SECOND)}, 10 * SECOND),
    "where nothing was begun lately": ({}, MINUTE),
    "where nothing is known to have begun": ({"cron_job": Absent()}, MINUTE),
}


@pytest.mark.parametrize(("given", "pause"), LOOKS.values(), ids=LOOKS)
def test_it_is_looked_at_again(given: dict[str, Any], pause: timedelta) -> None:
    look = look_again(facts(**{"cron_job": OLD, **given}), UNDER_WAY, NOW)
    assert (look.after, look.asked) == (pause, False)


def test_what_could_not_be_read_is_tried_again_in_half_a_minute() -> None:
    assert look_again(facts(), UNREAD, NOW).after == 30 * SECOND


def test_the_pause_that_was_asked_for_in_place_of_a_log_is_kept() -> None:
    look = look_again(facts(log=Unknown("429", 7 * MINUTE)), UNREAD, NOW)
    assert (look.after, look.asked) == (7 * MINUTE, True)


def test_the_longest_pause_that_a_far_side_asked_for_is_kept() -> None:
    asked = facts(seal=Unknown("429", 7 * MINUTE), secrets=Unknown("429", 2 * MINUTE))
    look = look_again(asked, UNREAD, NOW)
    assert (look.after, look.asked) == (7 * MINUTE, True)
