"""What the work queue and the journal need of a store, and nothing of how it is kept; and how to tell people.

Rows and Messages are kept by shared.clients (Azure Tables, Storage queues) and by shared.memory (one process,
for `reconverge run` and tests). One suite holds both to the same sentences. Notices go out by shared.clients.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from shared.errors import PermanentError

type Value = str | int | bool | datetime | None
type Row = Mapping[str, Value]
"""The columns of a row, without its keys. A column that is None is not kept: it is missing when read."""

# https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
LONGEST_KEY: Final = 512
"""UTF-16 characters of a partition key, and of a row key."""
LONGEST_TEXT: Final = 32 * 1024
"""UTF-16 characters of a text column."""
FORBIDDEN_IN_KEYS: Final = frozenset("/\\#?") | {
    chr(c)
    # The last are halves of surrogate pairs: a key stands in an address, which is UTF-8.
    for c in (*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000))
}
LARGEST_ROW: Final = 1024 * 1024
"""Bytes of a row, names of columns included."""
WRITE_ID: Final = "WriteId"
"""The column by which a store recognises its own write; callers never see it."""
RESERVED: Final = frozenset({"PartitionKey", "RowKey", "Timestamp", WRITE_ID})

# https://learn.microsoft.com/rest/api/storageservices/put-message
LONGEST_MESSAGE: Final = 48 * 1024
"""Bytes of UTF-8; base64 makes 64 KiB of them, the most a queue takes."""
LONGEST_DELAY: Final = timedelta(days=7)
KEPT: Final = timedelta(days=7)
"""How long a message can be taken, from the moment it becomes visible."""


class Conflict(Exception):
    """The row is not as the caller read it: changed, gone, or there already.

    Stands outside the two words for failure on purpose. A lost race is the ordinary answer of a conditional
    write: the caller reads again and decides. Left uncaught, it is a defect and should look like one.
    """


@dataclass(frozen=True, slots=True)
class Key:
    """Where a row is. Raises ValueError for text that Azure Tables cannot keep as a key."""

    partition: str
    row: str

    def __post_init__(self) -> None:
        for text in (self.partition, self.row):
            if utf16_length(text) > LONGEST_KEY or not FORBIDDEN_IN_KEYS.isdisjoint(text):
                raise ValueError(
                    f"{text[:80]!r} cannot be a table key: at most {LONGEST_KEY} characters,"
                    " none of / \\ # ?, no control characters and no half characters"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A row as it was read or written."""

    table: str
    key: Key
    values: Row
    etag: str


class Rows(Protocol):
    """Rows in tables, changed under their etags. Tables come into being when first written to.

    Every method raises TemporaryError or PermanentError when the store cannot do its work.
    """

    def get(self, table: str, key: Key) -> Stored | None:
        """The row as it is now."""

    def insert(self, table: str, key: Key, values: Row) -> Stored:
        """Raises Conflict when the row exists."""

    def replace(self, stored: Stored, values: Row) -> Stored:
        """Put `values` in place of all columns. Raises Conflict when the row changed since, or is gone."""

    def delete(self, stored: Stored) -> None:
        """Raises Conflict when the row changed since.

        A row that is gone is no conflict: a repeated delete cannot tell its own work from another's. Whoever
        must be the only one to win a row replaces it.
        """

    def query(
        self, table: str, partition: str, *, after: str | None = None, before: str | None = None
    ) -> Iterator[Stored]:
        """Rows of one partition in the order of their row keys, both ends left out."""


class Messages(Protocol):
    """Sends to queues. Queues come into being when first sent to. A message may arrive twice."""

    def send(self, queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
        """Make `text` visible to the queue's readers after `delay`, and keep it for seven days from then.

        A delay of more than seven days is cut to seven, which is all a queue can do: whoever waits longer is
        woken early and looks again. Raises PermanentError for a text of more than 48 KiB.
        """


class Notices(Protocol):
    """Tells people outside what they may want to act on."""

    def tell(self, kind: str, subject: str, data: Mapping[str, str]) -> None:
        """kind: in camel case, such as `HumanNeeded`. subject: what it is about, such as a target.
        data: names, codes and digests. Raises TemporaryError when nobody could be told."""


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_row(values: Row) -> None:
    """Raises PermanentError that names what a table would not keep as it is."""
    size = sum(2 * len(name) + _size(value) for name, value in values.items())
    if size > LARGEST_ROW:
        raise PermanentError(f"a row has {size} bytes: at most {LARGEST_ROW} fit, keep less of it")
    for name, value in values.items():
        if name in RESERVED:
            raise PermanentError(f"column {name} belongs to the store: choose another name")
        match value:
            case str() if utf16_length(value) > LONGEST_TEXT:
                raise PermanentError(
                    f"column {name} has {utf16_length(value)} characters: at most {LONGEST_TEXT} fit,"
                    " spread the text over several columns"
                )
            case datetime() if value.tzinfo is None:
                raise PermanentError(f"column {name} is a time without a zone: use UTC")
            case int() if not -(2**63) <= value < 2**63:
                raise PermanentError(f"column {name} does not fit into 64 bits")


def _size(value: Value) -> int:
    return 2 * utf16_length(value) if isinstance(value, str) else 8


def as_kept(values: Row) -> Row:
    """What a reader will find: no empty columns, every time in UTC."""
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def check_message(queue: str, text: str) -> None:
    """Raises PermanentError for a message that no queue would take."""
    if (size := len(text.encode())) > LONGEST_MESSAGE:
        raise PermanentError(f"a message for queue {queue} has {size} bytes: at most {LONGEST_MESSAGE} fit")
