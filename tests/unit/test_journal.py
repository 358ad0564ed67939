"""What is recorded is read again, in order, however long and whatever it spells."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import TemporaryError
from shared.journal import COUNTS, SIGNALS, TABLE, Journal, Kind
from shared.memory import MemoryRows
from shared.model import Target
from shared.ports import Conflict, Key, Row, Stored
from tests.unit.app import FrailRows
from tests.unit.clocks import START, VirtualClock

DEV = Target("dev", "federated_credentials")
SECOND = timedelta(seconds=1)
LONG_AGO = START - timedelta(days=365)


class Bench:
    def __init__(self, rows: MemoryRows | None = None) -> None:
        self.clock = VirtualClock()
        self.rows = rows or MemoryRows()
        self.journal = Journal(self.rows, self.clock)

    def note(self, number: object, where: Target | str = DEV) -> None:
        self.journal.record(
            Kind.FINDING, where, actor="reconverge", correlation_id="c", run="r", detail={"number": number}
        )

    def numbers(self, where: Target | str = DEV, since: datetime = LONG_AGO, **limits: Any) -> list[Any]:
        return [entry.detail["number"] for entry in self.journal.read(where, since=since, **limits)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_an_entry_is_read_as_it_was_recorded(bench: Bench) -> None:
    recorded = bench.journal.record(
        Kind.STEP_STARTED,
        DEV,
        actor="alice",
        correlation_id="why",
        run="which",
        detail={"a": {"b": ["é", None, 1]}},
    )
    assert list(bench.journal.read(DEV, since=LONG_AGO)) == [recorded]
    assert recorded.at == START


def test_entries_come_in_order_of_time(bench: Bench) -> None:
    for number in range(5):
        bench.note(number)
        bench.clock.advance(timedelta(microseconds=1))
    assert bench.numbers() == [0, 1, 2, 3, 4]


def test_entries_of_one_tick_come_in_the_order_they_were_recorded(bench: Bench) -> None:
    for number in range(50):
        bench.note(number)
    assert bench.numbers() == list(range(50))


def test_entries_of_many_threads_are_all_kept(bench: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bench.note, range(200)))
    assert sorted(bench.numbers()) == list(range(200))


def test_two_processes_at_one_tick_do_not_take_each_others_place(bench: Bench) -> None:
    bench.note("ours")
    Journal(bench.rows, bench.clock).record(
        Kind.FINDING, DEV, actor="a", correlation_id="c", detail={"number": "theirs"}
    )
    assert sorted(bench.numbers()) == ["ours", "theirs"]


def test_each_place_has_its_own_entries(bench: Bench) -> None:
    for where in (DEV, Target("prod", "federated_credentials"), SIGNALS):
        bench.note(str(where), where)
    assert bench.numbers() == [str(DEV)]
    assert bench.numbers(SIGNALS) == [SIGNALS]


LIMITS = {
    "from the moment itself": (START + SECOND, None, [1, 2]),
    "after it": (START + SECOND + timedelta(microseconds=1), None, [2]),
    "before the end, which is left out": (START, START + 2 * SECOND, [0, 1]),
    "in another zone's words": (
        (START + SECOND).astimezone(timezone(timedelta(hours=9))),
        (START + 2 * SECOND).astimezone(timezone(-timedelta(hours=9))),
        [1],
    ),
    "nothing before it began": (LONG_AGO, START, []),
}


@pytest.mark.parametrize(("since", "until", "numbers"), LIMITS.values(), ids=LIMITS)
def test_is_read(bench: Bench, since: datetime, until: datetime | None, numbers: list[int]) -> None:
    for number in range(3):
        bench.note(number)
        bench.clock.advance(SECOND)
    assert bench.numbers(since=since, until=until) == numbers


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=20))
def test_any_detail_survives(detail: Any) -> None:
    bench = Bench()
    bench.note(detail)
    assert bench.numbers() == [detail]


def test_a_detail_longer_than_a_column_survives(bench: Bench) -> None:
    long = "\N{ROCKET}" * 100_000
    bench.note(long)
    assert bench.numbers() == [long]


def test_what_was_recorded_is_never_changed_or_deleted(bench: Bench) -> None:
    for number in range(10):
        bench.note(number)
    stored = list(bench.rows.query(TABLE, "dev|federated_credentials"))
    assert len({one.etag for one in stored}) == len(stored) == 10
    assert not [name for name in vars(Journal) if name.startswith(("delete", "replace", "update"))]


def test_what_cannot_be_recorded_is_said() -> None:
    rows = FrailRows()
    rows.down = lambda _table, _values: True
    with pytest.raises(TemporaryError):
        Bench(rows).note(1)


# -- counts of dropped events -------------------------------------------------------------


def test_dropped_events_are_counted_by_operation_and_day(bench: Bench) -> None:
    for operation in ("Microsoft.Web/sites/write", "other", "Microsoft.Web/sites/write"):
        bench.journal.count(operation)
    assert bench.journal.counts(START) == {"Microsoft.Web/sites/write": 2, "other": 1}
    bench.clock.advance(timedelta(days=1))
    assert bench.journal.counts(bench.clock()) == {}


def test_a_day_is_one_of_utc(bench: Bench) -> None:
    bench.journal.count("x")
    assert bench.journal.counts(datetime(2026, 11, 1, 23, 0, tzinfo=timezone(-timedelta(hours=6)))) == {
        "x": 1
    }
    assert bench.journal.counts(datetime(2026, 11, 1, 23, 0, tzinfo=UTC)) == {}


@given(st.text(min_size=1, max_size=600))
def test_an_operation_of_any_spelling_is_counted(operation: str) -> None:
    bench = Bench()
    bench.journal.count(operation)
    assert list(bench.journal.counts(START).values()) == [1]


def test_a_count_that_loses_every_race_is_given_up() -> None:
    class Contended(MemoryRows):
        def insert(self, table: str, key: Key, values: Row) -> Stored:
            if table == COUNTS:
                raise Conflict
            return super().insert(table, key, values)

    bench = Bench(Contended())
    bench.journal.count("x")
    assert bench.journal.counts(START) == {}
