"""What shared.ports promises of rows, held against the store in memory and against Azurite."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest

from shared.clients.credentials import of_app
from shared.clients.tables import StorageRows
from shared.errors import PermanentError
from shared.memory import MemoryRows
from shared.ports import LONGEST_TEXT, Conflict, Key, Row, Rows
from shared.settings import ConnectionString, Settings

KEY = Key("dev", "federated_credentials")
NOW = datetime(2026, 11, 22, 21, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture(params=["memory", "azurite"])
def rows(request: pytest.FixtureRequest) -> Rows:
    if request.param == "memory":
        return MemoryRows()
    return StorageRows(
        ConnectionString(request.getfixturevalue("azurite")), of_app(Settings.from_environment({}))
    )


@pytest.fixture
def table() -> str:
    return f"t{uuid4().hex}"


def test_a_row_that_was_never_written_is_not_there(rows: Rows, table: str) -> None:
    assert rows.get(table, KEY) is None


def test_a_partition_of_a_table_that_was_never_written_is_empty(rows: Rows, table: str) -> None:
    assert list(rows.query(table, "dev")) == []


ROWS: dict[str, Row] = {
    "a row without columns": {},
    "texts, the empty one and one beyond ASCII": {"a": "plain", "b": "", "c": "ärgerlich 🙂 'quoted'"},
    "numbers beyond 32 bits": {"small": -1, "large": 2**40, "largest": 2**63 - 1},
    "truth": {"yes": True, "no": False},
    "a time to the microsecond": {"at": NOW},
    "the longest text": {"text": "x" * LONGEST_TEXT},
}


@pytest.mark.parametrize("values", ROWS.values(), ids=ROWS)
def test_what_was_inserted_is_read_again(rows: Rows, table: str, values: Row) -> None:
    written = rows.insert(table, KEY, values)
    assert written.values == values
    assert rows.get(table, KEY) == written


def test_an_empty_column_is_missing_when_read(rows: Rows, table: str) -> None:
    assert rows.insert(table, KEY, {"owner": None, "wanted": 1}).values == {"wanted": 1}
    stored = rows.get(table, KEY)
    assert stored is not None
    assert stored.values == {"wanted": 1}


def test_a_time_of_another_zone_is_read_in_utc(rows: Rows, table: str) -> None:
    rows.insert(table, KEY, {"at": NOW.astimezone(timezone(timedelta(hours=2)))})
    stored = rows.get(table, KEY)
    assert stored is not None
    assert stored.values == {"at": NOW}
    assert isinstance(stored.values["at"], datetime)
    assert stored.values["at"].tzinfo is UTC


def test_a_second_insert_of_a_row_is_a_conflict_and_changes_nothing(rows: Rows, table: str) -> None:
    first = rows.insert(table, KEY, {"by": "first"})
    with pytest.raises(Conflict):
        rows.insert(table, KEY, {"by": "second"})
    assert rows.get(table, KEY) == first


def test_replacing_puts_the_new_columns_in_place_of_all_old_ones(rows: Rows, table: str) -> None:
    first = rows.insert(table, KEY, {"owner": "a", "wanted": 1})
    second = rows.replace(first, {"wanted": 2})
    assert second.etag != first.etag
    assert rows.get(table, KEY) == second
    assert second.values == {"wanted": 2}


def test_replacing_a_row_that_somebody_changed_is_a_conflict(rows: Rows, table: str) -> None:
    first = rows.insert(table, KEY, {"by": "first"})
    second = rows.replace(first, {"by": "second"})
    with pytest.raises(Conflict):
        rows.replace(first, {"by": "late"})
    assert rows.get(table, KEY) == second


def test_the_same_content_written_again_is_still_another_state(rows: Rows, table: str) -> None:
    first = rows.insert(table, KEY, {"by": "me"})
    rows.replace(first, {"by": "me"})
    with pytest.raises(Conflict):
        rows.replace(first, {"by": "me"})


def test_replacing_a_row_that_is_gone_is_a_conflict(rows: Rows, table: str) -> None:
    first = rows.insert(table, KEY, {})
    rows.delete(first)
    with pytest.raises(Conflict):
        rows.replace(first, {"by": "late"})
    assert rows.get(table, KEY) is None


def test_deleting_a_row_that_somebody_changed_is_a_conflict(rows: Rows, table: str) -> None:
    first = rows.insert(table, KEY, {})
    second = rows.replace(first, {"by": "other"})
    with pytest.raises(Conflict):
        rows.delete(first)
    assert rows.get(table, KEY) == second


def test_deleting_twice_is_no_conflict(rows: Rows, table: str) -> None:
    first = rows.insert(table, KEY, {})
    rows.delete(first)
    rows.delete(first)
    assert rows.get(table, KEY) is None


def test_a_row_can_come_back_and_is_then_another_row(rows: Rows, table: str) -> None:
    first = rows.insert(table, KEY, {})
    rows.delete(first)
    rows.insert(table, KEY, {"by": "second"})
    with pytest.raises(Conflict):
        rows.replace(first, {"by": "first"})


RANGES: dict[str, tuple[str | None, str | None, list[str]]] = {
    "a whole partition comes in the order of its row keys": (None, None, ["1", "10", "2", "it's 3"]),
    "the lower end is left out": ("1", None, ["10", "2", "it's 3"]),
    "the upper end is left out": (None, "2", ["1", "10"]),
    "between both ends": ("1", "2", ["10"]),
    "an empty range is empty": ("2", "2", []),
}


@pytest.mark.parametrize(("after", "before", "expected"), RANGES.values(), ids=RANGES)
def test_a_range_is_read(
    rows: Rows, table: str, after: str | None, before: str | None, expected: list[str]
) -> None:
    for row in ("2", "10", "it's 3", "1"):
        rows.insert(table, Key("it's dev", row), {"row": row})
    rows.insert(table, Key("prod", "15"), {})
    found = list(rows.query(table, "it's dev", after=after, before=before))
    assert [stored.key.row for stored in found] == expected
    assert all(stored == rows.get(table, stored.key) for stored in found)


def test_of_many_workers_exactly_one_wins_each_round(rows: Rows, table: str) -> None:
    """Every worker adds to the same number until its own addition held; none may be lost."""
    workers, rounds = 4, 5
    rows.insert(table, KEY, {"sum": 0})

    def add(_: int) -> None:
        while True:
            stored = rows.get(table, KEY)
            assert stored is not None
            try:
                rows.replace(stored, {"sum": int(str(stored.values["sum"])) + 1})
            except Conflict:
                continue
            return

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(add, range(workers * rounds)))
    stored = rows.get(table, KEY)
    assert stored is not None
    assert stored.values == {"sum": workers * rounds}


def test_of_many_inserts_of_one_row_into_a_new_table_one_wins(rows: Rows, table: str) -> None:
    def insert(worker: int) -> bool:
        try:
            rows.insert(table, KEY, {"by": worker})
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(insert, range(8))) == 1


REFUSED: dict[str, tuple[Row, str]] = {
    "a text longer than a column": (
        {"detail": "x" * (LONGEST_TEXT + 1)},
        "column detail has 32769 characters",
    ),
    "a text longer than a column in UTF-16 only": (
        {"detail": "🙂" * (LONGEST_TEXT // 2 + 1)},
        "column detail",
    ),
    "a time without a zone": ({"at": NOW.replace(tzinfo=None)}, "column at is a time without a zone"),
    "a number beyond 64 bits": ({"sum": 2**63}, "column sum does not fit"),
    "a column that belongs to the store": ({"RowKey": "x"}, "column RowKey belongs to the store"),
}


@pytest.mark.parametrize(("values", "says"), REFUSED.values(), ids=REFUSED)
def test_a_row_that_would_not_be_kept_as_it_is_is_refused(
    rows: Rows, table: str, values: Row, says: str
) -> None:
    stored = rows.insert(table, KEY, {})
    with pytest.raises(PermanentError, match=says):
        rows.insert(table, Key("dev", "other"), values)
    with pytest.raises(PermanentError, match=says):
        rows.replace(stored, values)
    assert rows.get(table, Key("dev", "other")) is None
    assert rows.get(table, KEY) == stored


def test_the_longest_key_with_odd_characters_is_kept(rows: Rows, table: str) -> None:
    key = Key("a|b~c'd&e=f+g%h i:" + "x" * 400, "é" * 100 + " %2F")
    written = rows.insert(table, key, {"a": 1})
    assert rows.get(table, key) == written
    assert rows.replace(written, {"a": 2}).key == key
    assert [stored.key for stored in rows.query(table, key.partition)] == [key]
