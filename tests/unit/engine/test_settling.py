"""Every ending of a run becomes one word with a reason, and says when to look again."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.engine import DEFECT_PAUSE, Report, settle
from shared.errors import (
    Busy,
    LeaseLost,
    Misconfigured,
    PermanentError,
    Refused,
    TemporaryError,
    Throttled,
    WriteConflict,
)
from shared.model import Outcome, Word
from tests.unit.clocks import START, VirtualClock

MINUTE = timedelta(minutes=1)
SECRET = "AccountKey=c2VjcmV0"
CONVERGED = Report(outcome=Outcome(word=Word.CONVERGED, because="all well"))


def ending(error: BaseException) -> Callable[[], Report]:
    def run() -> Report:
        raise error

    return run


ENDINGS: dict[str, tuple[Exception, Outcome]] = {
    "what may pass is looked at after its delay": (
        TemporaryError("503", delay=MINUTE),
        Outcome(word=Word.FAILED, because="503", until=START + MINUTE),
    ),
    "throttling": (
        Throttled("429", delay=MINUTE),
        Outcome(word=Word.FAILED, because="429", until=START + MINUTE, held_until=START + MINUTE),
    ),
    "a concurrent write": (
        WriteConflict("409", delay=MINUTE),
        Outcome(word=Word.FAILED, because="409", until=START + MINUTE),
    ),
    "another run of ours is no failure": (
        Busy("taken", delay=MINUTE),
        Outcome(word=Word.PENDING, because="taken", until=START + MINUTE),
    ),
    "what stays is not looked at again": (
        PermanentError("400"),
        Outcome(word=Word.FAILED, because="400", permanent=True),
    ),
    "a wrong landscape stays": (
        Misconfigured("line 3"),
        Outcome(word=Word.FAILED, because="line 3", permanent=True),
    ),
    "a refusal stays": (Refused("no", status=409), Outcome(word=Word.FAILED, because="no", permanent=True)),
}


@pytest.mark.parametrize(("error", "outcome"), ENDINGS.values(), ids=ENDINGS)
def test_ending(error: Exception, outcome: Outcome) -> None:
    assert settle(ending(error), VirtualClock()).outcome == outcome


def test_a_good_ending_is_left_as_it_is() -> None:
    assert settle(lambda: CONVERGED, VirtualClock()) is CONVERGED


DEFECTS: dict[str, Exception] = {
    "a wrong value": ValueError(SECRET),
    "a missing key": KeyError(SECRET),
    "a wrong assumption": AssertionError(SECRET),
    "a cause that tells": RuntimeError("x"),
}
DEFECTS["a cause that tells"].__cause__ = ValueError(SECRET)


@pytest.mark.parametrize("error", DEFECTS.values(), ids=DEFECTS)
def test_a_defect_is_told_by_its_type_and_place_only(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        outcome = settle(ending(error), VirtualClock()).outcome
    assert (outcome.word, outcome.permanent, outcome.until) == (Word.FAILED, False, START + DEFECT_PAUSE)
    assert outcome.because.startswith(f"a defect of Reconverge: {type(error).__name__} at {__name__}:")
    assert SECRET not in outcome.because
    assert SECRET not in caplog.text
    assert all(SECRET not in str(vars(record)) for record in caplog.records)


def test_who_lost_its_lease_does_not_even_say_how_it_ended() -> None:
    with pytest.raises(LeaseLost):
        settle(ending(LeaseLost("taken over")), VirtualClock())


def test_a_process_that_is_told_to_stop_stops() -> None:
    with pytest.raises(KeyboardInterrupt):
        settle(ending(KeyboardInterrupt()), VirtualClock())
