"""How long an empty queue is left alone."""

from datetime import timedelta

from sandbox.host.backoff import Backoff


def milliseconds(backoff: Backoff, polls: int) -> list[float]:
    return [backoff.next() / timedelta(milliseconds=1) for _ in range(polls)]


def middle(low: float, high: float) -> float:
    return (low + high) / 2


def test_pauses_double_from_100_ms_up_to_the_limit() -> None:
    pauses = milliseconds(Backoff(timedelta(seconds=2), middle), 7)
    assert pauses == [100, 200, 300, 500, 900, 1700, 2000]


def test_a_message_found_makes_the_next_pause_short_again() -> None:
    backoff = Backoff(timedelta(minutes=1), middle)
    milliseconds(backoff, 6)
    backoff.reset()
    assert milliseconds(backoff, 2) == [100, 200]


def test_steps_differ_by_a_fifth_at_most() -> None:
    assert milliseconds(Backoff(timedelta(minutes=1), lambda low, _: low), 3) == [100, 180, 260]
    assert milliseconds(Backoff(timedelta(minutes=1), lambda _, high: high), 3) == [100, 220, 340]


def test_a_long_quiet_time_does_not_overflow() -> None:
    assert milliseconds(Backoff(timedelta(minutes=1)), 5000)[-1] == 60_000
