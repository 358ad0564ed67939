"""Who runs a target, how often, and when again. Every store call is real; only the clock is virtual."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared import workqueue
from shared.errors import LeaseLost
from shared.leases import SKEW, TTL
from shared.memory import MemoryMessages, MemoryRows
from shared.model import Outcome, Target, Word
from shared.ports import Row, Stored
from shared.workqueue import FIRST_PAUSE, LONGEST_PAUSE, LOST_AFTER, Work, WorkQueue
from tests.unit.app import DiesError
from tests.unit.clocks import VirtualClock
from tests.unit.mortal import Mortal, MortalMessages, MortalRows

DEV = Target("dev", "federated_credentials")
CONVERGED = Outcome(word=Word.CONVERGED, because="all well")
FAILED = Outcome(word=Word.FAILED, because="ARM answered 503")
SECOND = timedelta(seconds=1)


class Bench:
    """A queue, its store and its clock, with a worker's moves in one word each."""

    def __init__(self, rows: MemoryRows | None = None) -> None:
        self.clock = VirtualClock()
        self.rows = rows or MemoryRows()
        self.messages = MemoryMessages(self.clock)
        self.queue = WorkQueue(self.rows, self.messages, self.clock, jitter=lambda low, _high: low)
        self.runs = 0

    def want(self) -> bool:
        return self.queue.want(DEV, "why")

    def receive(self) -> bool:
        return self.messages.take(workqueue.QUEUE) is not None

    def take(self) -> Work | None:
        self.runs += 1
        return self.queue.take(DEV, f"worker-{self.runs}")

    def taken(self) -> Work:
        work = self.take()
        assert work is not None
        return work

    def waiting(self) -> list[timedelta]:
        """How long each message stays invisible, from now."""
        return [one.visible - self.clock() for one in self.messages.waiting(workqueue.QUEUE)]

    def work_off(self, outcome: Outcome = CONVERGED) -> int:
        """Play the host: give every visible message to a worker. Answers the number of runs."""
        runs = 0
        while self.receive():
            if (work := self.take()) is not None:
                runs += 1
                self.queue.settle(work, outcome)
        return runs


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_signal_brings_one_run(bench: Bench) -> None:
    bench.want()
    assert bench.work_off() == 1
    assert bench.waiting() == []


def test_signals_for_an_idle_target_share_one_message(bench: Bench) -> None:
    assert [bench.want() for _ in range(100)] == [True] + [False] * 99
    assert bench.work_off() == 1


def test_a_storm_during_a_run_costs_one_further_run(bench: Bench) -> None:
    bench.want()
    assert bench.receive()
    running = bench.taken()
    for _ in range(5_000):
        bench.want()
    assert bench.waiting() == []
    bench.queue.settle(running, CONVERGED)
    assert bench.work_off() == 1


def test_a_storm_writes_the_row_once() -> None:
    writes = 0

    class Counting(MemoryRows):
        def replace(self, stored: Stored, values: Row) -> Stored:
            nonlocal writes
            writes += 1
            return super().replace(stored, values)

    bench = Bench(Counting())
    bench.want()
    bench.receive()
    bench.taken()
    writes = 0
    for _ in range(5_000):
        bench.want()
    assert writes == 1


def test_a_storm_from_many_threads_costs_one_further_run(bench: Bench) -> None:
    bench.want()
    bench.receive()
    running = bench.taken()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: bench.want(), range(5_000)))
    bench.queue.settle(running, CONVERGED)
    assert bench.work_off() == 1


def test_a_signal_after_the_run_began_is_not_answered_by_that_run(bench: Bench) -> None:
    bench.want()
    bench.receive()
    running = bench.taken()
    bench.want()
    assert bench.queue.settle(running, CONVERGED) == bench.clock()
    assert bench.waiting() == [timedelta(0)]


def test_only_one_of_two_workers_gets_the_target(bench: Bench) -> None:
    bench.want()
    bench.taken()
    assert bench.take() is None


def test_a_doubled_message_finds_nothing_to_do(bench: Bench) -> None:
    bench.want()
    bench.work_off()
    bench.messages.send(workqueue.QUEUE, workqueue.to_message(DEV))
    assert bench.work_off() == 0


def test_a_worker_that_finds_the_target_taken_comes_back_when_the_lease_has_ended(bench: Bench) -> None:
    bench.want()
    bench.taken()  # and dies
    assert bench.take() is None
    assert bench.take() is None
    assert bench.waiting()[-1] == TTL + SKEW
    assert len(bench.waiting()) == 2, "the first message, and one for all that found it taken"
    bench.clock.advance(TTL + SKEW)
    assert bench.taken().taken_over_from == "worker-1"


def test_a_lease_is_not_taken_over_while_a_slow_clock_may_still_believe_in_it(bench: Bench) -> None:
    bench.want()
    bench.taken()
    bench.clock.advance(TTL + SKEW - SECOND)
    assert bench.take() is None


def test_a_worker_that_slept_through_its_lease_can_write_nothing_more(bench: Bench) -> None:
    bench.want()
    late = bench.taken()
    bench.clock.advance(TTL)
    with pytest.raises(LeaseLost):
        late.lease.keep()
    with pytest.raises(LeaseLost):
        bench.queue.settle(late, CONVERGED)


def test_an_old_owner_that_wakes_up_changes_nothing_of_the_new_one(bench: Bench) -> None:
    bench.want()
    old = bench.taken()
    bench.clock.advance(TTL + SKEW)
    new = bench.taken()
    with pytest.raises(LeaseLost):
        bench.queue.settle(old, FAILED)
    new.lease.keep()
    bench.queue.settle(new, CONVERGED)
    assert bench.queue.state(DEV).word == "converged"


def test_keeping_the_lease_extends_it(bench: Bench) -> None:
    bench.want()
    work = bench.taken()
    for _ in range(5):
        bench.clock.advance(TTL - SECOND)
        work.lease.keep()
    assert bench.take() is None


def test_waiting_is_a_delayed_message(bench: Bench) -> None:
    bench.want()
    later = bench.clock() + timedelta(minutes=2)
    bench.work_off(Outcome(word=Word.PENDING, because="propagating", until=later))
    assert bench.waiting() == [timedelta(minutes=2)]
    bench.clock.advance(timedelta(minutes=2))
    assert bench.work_off() == 1


def test_a_signal_does_not_wait_for_a_pending_look(bench: Bench) -> None:
    bench.want()
    bench.work_off(Outcome(word=Word.PENDING, because="x", until=bench.clock() + timedelta(hours=1)))
    bench.want()
    assert bench.work_off() == 1
    bench.clock.advance(timedelta(hours=1))
    assert bench.work_off() == 0, "the old look's message finds nothing left to do"


def test_a_signal_does_wait_for_the_end_of_a_backoff(bench: Bench) -> None:
    bench.want()
    bench.work_off(FAILED)
    for _ in range(100):
        bench.want()
    assert bench.waiting() == [FIRST_PAUSE]
    bench.clock.advance(FIRST_PAUSE)
    assert bench.work_off() == 1


def test_a_signal_waits_for_the_first_pause_of_a_long_backoff_only(bench: Bench) -> None:
    bench.want()
    for _ in range(10):
        bench.work_off(FAILED)
        bench.clock.advance(LONGEST_PAUSE)
    bench.work_off(FAILED)
    bench.want()
    assert min(bench.waiting()) == FIRST_PAUSE
    bench.clock.advance(FIRST_PAUSE)
    assert bench.work_off() == 1


def test_a_signal_does_wait_for_the_end_of_a_pause_that_the_far_side_asked_for(bench: Bench) -> None:
    bench.want()
    until = bench.clock() + timedelta(hours=1)
    bench.work_off(Outcome(word=Word.FAILED, because="429", until=until, held_until=until))
    bench.want()
    assert bench.waiting() == [timedelta(hours=1)]
    bench.clock.advance(timedelta(hours=1) - SECOND / 10)
    assert bench.take() is None
    bench.clock.advance(SECOND / 10)
    assert bench.work_off() == 1


def test_what_is_pending_beside_a_failure_does_not_wait_for_its_backoff(bench: Bench) -> None:
    bench.want()
    for _ in range(10):
        bench.work_off(FAILED)
        bench.clock.advance(LONGEST_PAUSE)
    pending = bench.clock() + 20 * SECOND
    bench.work_off(Outcome(word=Word.FAILED, because="403", pending_until=pending))
    assert bench.waiting() == [20 * SECOND]
    bench.clock.advance(20 * SECOND)
    assert bench.work_off() == 1


def test_targets_that_failed_together_do_not_come_back_together(bench: Bench) -> None:
    spread = WorkQueue(bench.rows, bench.messages, bench.clock, jitter=lambda _low, high: high)
    bench.want()
    spread.settle(bench.taken(), FAILED)
    assert FIRST_PAUSE < bench.waiting()[-1] <= FIRST_PAUSE * 1.5


def test_failures_double_the_pause_up_to_a_limit(bench: Bench) -> None:
    pauses = []
    bench.want()
    for _ in range(10):
        bench.work_off(FAILED)
        pauses.append(bench.waiting()[0])
        bench.clock.advance(pauses[-1])
    assert pauses[:3] == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]
    assert pauses[-1] == LONGEST_PAUSE


def test_success_forgets_failures(bench: Bench) -> None:
    bench.want()
    bench.work_off(FAILED)
    bench.clock.advance(FIRST_PAUSE)
    bench.work_off(CONVERGED)
    bench.want()
    bench.work_off(FAILED)
    assert bench.waiting() == [FIRST_PAUSE]


def test_a_pause_that_the_far_side_named_is_kept_even_if_longer_than_ours(bench: Bench) -> None:
    bench.want()
    until = bench.clock() + timedelta(hours=1)
    bench.work_off(Outcome(word=Word.FAILED, because="429", until=until))
    assert bench.waiting() == [timedelta(hours=1)]


def test_a_permanent_failure_is_not_repeated_by_itself(bench: Bench) -> None:
    bench.want()
    bench.work_off(Outcome(word=Word.FAILED, because="400", permanent=True))
    assert bench.waiting() == []


def test_failure_count_and_next_attempt_survive_the_process(bench: Bench) -> None:
    bench.want()
    bench.work_off(FAILED)
    reborn = WorkQueue(bench.rows, bench.messages, bench.clock)
    state = reborn.state(DEV)
    assert (state.failures, state.not_before) == (1, bench.clock() + FIRST_PAUSE)


def test_a_lost_message_is_sent_again_by_the_next_signal_once_it_must_be_lost(bench: Bench) -> None:
    bench.want()
    assert bench.receive(), "and it is lost"
    bench.clock.advance(LOST_AFTER - SECOND)
    assert not bench.want()
    bench.clock.advance(SECOND)
    assert bench.want()
    assert bench.work_off() == 1


def hand_out_messages(bench: Bench, mortal: Mortal, outcome: Outcome) -> None:
    """The host: a message whose worker died comes back after ten minutes."""
    while (text := bench.messages.take(workqueue.QUEUE)) is not None:
        try:
            if (work := bench.take()) is not None:
                bench.queue.settle(work, outcome)
        except DiesError:
            mortal.dead = False
            MemoryMessages.send(bench.messages, workqueue.QUEUE, text, delay=timedelta(minutes=10))


@pytest.mark.parametrize("at", range(1, 14))
def test_at_whatever_write_a_process_dies_the_signal_is_answered_in_the_end(at: int) -> None:
    mortal = Mortal(at)
    bench = Bench(MortalRows(mortal))
    bench.messages = MortalMessages(mortal, bench.clock)
    bench.queue = WorkQueue(bench.rows, bench.messages, bench.clock)
    wanted_at = bench.clock()
    try:
        bench.want()
    except DiesError:
        mortal.dead = False
        bench.clock.advance(timedelta(minutes=10))
        bench.want()
    for _ in range(40):
        hand_out_messages(bench, mortal, CONVERGED)
        bench.clock.advance(timedelta(minutes=1))
    state = bench.queue.state(DEV)
    assert state.word == "converged"
    assert state.settled_at is not None
    assert state.settled_at >= wanted_at
    assert not state.running
