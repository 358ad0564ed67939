"""Who owns a row, for how long, and what an owner may still do when its time is over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.errors import Busy, LeaseLost, TemporaryError
from shared.leases import COME_BACK, SKEW, TABLE, TRIES, TTL, Leases
from shared.memory import MemoryRows
from shared.ports import Conflict, Key, Row, Stored
from tests.unit.clocks import VirtualClock

IDENTITY = Key("owner", "an identity")
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def rows() -> MemoryRows:
    return MemoryRows()


@pytest.fixture
def leases(rows: MemoryRows, clock: VirtualClock) -> Leases:
    return Leases(rows, clock)


def test_a_second_owner_is_told_that_the_first_is_busy(leases: Leases) -> None:
    leases.take(IDENTITY, "a")
    with pytest.raises(Busy):
        leases.take(IDENTITY, "b")


def test_an_owner_does_not_take_twice_either(leases: Leases) -> None:
    leases.take(IDENTITY, "a")
    with pytest.raises(Busy):
        leases.take(IDENTITY, "a")


def test_another_row_is_another_lease(leases: Leases) -> None:
    leases.take(IDENTITY, "a")
    leases.take(Key("owner", "another"), "b").keep()


def test_what_was_let_go_can_be_taken_at_once(leases: Leases) -> None:
    leases.take(IDENTITY, "a").release()
    leases.take(IDENTITY, "b").keep()


def test_of_many_that_take_at_once_one_gets_it(leases: Leases) -> None:
    def take(number: int) -> bool:
        try:
            leases.take(IDENTITY, f"worker-{number}")
        except Busy:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(take, range(64))) == 1


TIMES = {
    "right after it was taken": (timedelta(0), False),
    "just before it runs out": (TTL - SECOND, False),
    "when it has run out, as long as a slow clock may believe in it": (TTL + SKEW - SECOND, False),
    "when no clock can believe in it": (TTL + SKEW, True),
}


@pytest.mark.parametrize(("after", "free"), TIMES.values(), ids=TIMES)
def test_is_free_for_another_owner(leases: Leases, clock: VirtualClock, after: timedelta, free: bool) -> None:
    leases.take(IDENTITY, "a")
    clock.advance(after)
    if free:
        leases.take(IDENTITY, "b").keep()
    else:
        with pytest.raises(Busy):
            leases.take(IDENTITY, "b")


@pytest.mark.parametrize("act", ["keep", "update", "release"])
def test_an_owner_may_do_nothing_when_its_time_is_over(
    leases: Leases, rows: MemoryRows, clock: VirtualClock, act: str
) -> None:
    lease = leases.take(IDENTITY, "a")
    clock.advance(TTL)
    before = rows.get(TABLE, IDENTITY)
    with pytest.raises(LeaseLost, match="ran out"):
        lease.update({"x": 1}) if act == "update" else getattr(lease, act)()
    assert rows.get(TABLE, IDENTITY) == before


@pytest.mark.parametrize("act", ["keep", "update", "release"])
def test_an_owner_may_do_nothing_to_its_successors_lease(
    leases: Leases, rows: MemoryRows, clock: VirtualClock, act: str
) -> None:
    lease = leases.take(IDENTITY, "a")
    clock.advance(TTL + SKEW)
    leases.take(IDENTITY, "b")
    before = rows.get(TABLE, IDENTITY)
    with pytest.raises(LeaseLost, match="took over"):
        lease.update({"x": 1}) if act == "update" else getattr(lease, act)()
    assert rows.get(TABLE, IDENTITY) == before


def test_who_let_go_owns_nothing_any_more(leases: Leases) -> None:
    lease = leases.take(IDENTITY, "a")
    lease.release()
    with pytest.raises(LeaseLost):
        lease.keep()


def test_keeping_and_updating_lengthen_the_time(leases: Leases, clock: VirtualClock) -> None:
    lease = leases.take(IDENTITY, "a")
    for _ in range(3):
        clock.advance(TTL - SECOND)
        lease.keep()
        clock.advance(TTL - SECOND)
        lease.update({"last_write": clock()})


def test_what_an_owner_noted_stays_for_the_next(
    leases: Leases, rows: MemoryRows, clock: VirtualClock
) -> None:
    lease = leases.take(IDENTITY, "a")
    lease.update({"last_write": clock()})
    lease.release()
    leases.take(IDENTITY, "b")
    stored = rows.get(TABLE, IDENTITY)
    assert stored is not None
    assert stored.values["last_write"] == clock()


PATIENCE = {
    "at first it is soon asked again": (timedelta(0), COME_BACK),
    "an owner that is silent for longer is asked later": (timedelta(seconds=60), timedelta(seconds=30)),
    "but never later than its lease can last": (TTL, SKEW),
}


@pytest.mark.parametrize(("silent", "delay"), PATIENCE.values(), ids=PATIENCE)
def test_patience_grows(leases: Leases, clock: VirtualClock, silent: timedelta, delay: timedelta) -> None:
    leases.take(IDENTITY, "a")
    clock.advance(silent)
    with pytest.raises(Busy) as busy:
        leases.take(IDENTITY, "b")
    assert busy.value.delay == delay


def test_an_owner_survives_lost_races_with_those_that_write_beside_the_lease(clock: VirtualClock) -> None:
    """Signals raise a target's generation while its owner keeps the lease."""

    class Contended(MemoryRows):
        races = 0

        def replace(self, stored: Stored, values: Row) -> Stored:
            if self.races:
                self.races -= 1
                raise Conflict
            return super().replace(stored, values)

    rows = Contended()
    lease = Leases(rows, clock).take(IDENTITY, "a")
    rows.races = TRIES - 1
    lease.keep()
    rows.races = TRIES
    with pytest.raises(TemporaryError, match="lost 50 races"):
        lease.keep()
