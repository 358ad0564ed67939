"""Rows of shared.ports in Azure Tables. Used by the work queue and the journal.

Each write carries an id of its own in column `WriteId`. A write that is repeated because its answer got lost
may be refused although the first try succeeded; by the id it recognises its own work.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from shared.clients.azure_core import OncePer
from shared.clients.importing import IMPORTING
from shared.clients.storage import (
    Connection,
    NoContainerError,
    NoRowError,
    explained,
    options,
    persistently,
    sleep,
)
from shared.model import Pause
from shared.ports import RESERVED, WRITE_ID, Conflict, Key, Row, Stored, Value, as_kept, check_row
from shared.settings import ConnectionString, IdentityConnection

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableClient, TableServiceClient

type Entity = Mapping[str, Any]
type Send = Callable[["TableClient", Entity], Entity]


class StorageRows:
    """Rows of shared.ports in Azure Tables."""

    def __init__(
        self, connection: Connection, credential: "TokenCredential", *, pause: Pause = sleep
    ) -> None:
        """credential: asked for tokens only where the connection is one by identity."""
        service: OncePer[Connection, TableServiceClient] = OncePer(lambda _: _service(connection, credential))
        self._client: OncePer[str, TableClient] = OncePer(
            lambda table: service(connection).get_table_client(table)
        )
        self._pause = pause

    def get(self, table: str, key: Key) -> Stored | None:
        entity = self._entity(table, key)
        return None if entity is None else _stored(table, entity)

    def insert(self, table: str, key: Key, values: Row) -> Stored:
        def create(client: "TableClient", entity: Entity) -> Entity:
            return client.create_entity(entity)

        try:
            return self._put(table, key, values, create)
        except NoContainerError:
            with suppress(Conflict):  # another worker made the table meanwhile
                self._call(table, lambda client: client.create_table())
            return self._put(table, key, values, create)

    def replace(self, stored: Stored, values: Row) -> Stored:
        with IMPORTING:
            from azure.core import MatchConditions
            from azure.data.tables import UpdateMode

        def update(client: "TableClient", entity: Entity) -> Entity:
            return client.update_entity(
                entity,
                UpdateMode.REPLACE,
                etag=stored.etag,
                match_condition=MatchConditions.IfNotModified,
            )

        try:
            return self._put(stored.table, stored.key, values, update)
        except (NoContainerError, NoRowError) as error:
            raise Conflict(f"{stored.table} {stored.key} is gone") from error

    def delete(self, stored: Stored) -> None:
        with IMPORTING:
            from azure.core import MatchConditions

        with suppress(NoContainerError, NoRowError):
            self._call(
                stored.table,
                lambda client: client.delete_entity(
                    stored.key.partition,
                    stored.key.row,
                    etag=stored.etag,
                    match_condition=MatchConditions.IfNotModified,
                ),
            )

    def query(
        self, table: str, partition: str, *, after: str | None = None, before: str | None = None
    ) -> Iterator[Stored]:
        bounds = {"partition": partition, "after": after, "before": before}
        condition = "PartitionKey eq @partition"
        condition += "" if after is None else " and RowKey gt @after"
        condition += "" if before is None else " and RowKey lt @before"
        pages = self._client(table).query_entities(condition, parameters=bounds).by_page()
        with suppress(NoContainerError):
            while (page := self._call(table, lambda _: next(pages, None))) is not None:
                yield from (_stored(table, entity) for entity in page)

    def _put(self, table: str, key: Key, values: Row, send: Send) -> Stored:
        check_row(values)
        write_id = uuid4().hex
        entity = _entity(key, values, write_id)
        try:
            written = self._call(table, lambda client: send(client, entity))
        except Conflict:
            # A repeated write meets its own first try when only that one's answer was lost.
            own = self._entity(table, key)
            if own is None or own.get(WRITE_ID) != write_id:
                raise
            return _stored(table, own)
        return Stored(table=table, key=key, values=as_kept(values), etag=str(written["etag"]))

    def _entity(self, table: str, key: Key) -> Entity | None:
        try:
            return self._call(table, lambda client: client.get_entity(key.partition, key.row))
        except (NoContainerError, NoRowError):
            return None

    def _call[T](self, table: str, do: Callable[["TableClient"], T]) -> T:
        return persistently("Azure Tables", lambda: do(self._client(table)), self._pause)


def _service(connection: Connection, credential: "TokenCredential") -> "TableServiceClient":
    with IMPORTING:
        from azure.data.tables import TableServiceClient

    match connection:
        case ConnectionString(text):
            with explained():
                return TableServiceClient.from_connection_string(text, **options())
        case IdentityConnection():
            return TableServiceClient(connection.table_endpoint, credential=credential, **options())


def _entity(key: Key, values: Row, write_id: str) -> Entity:
    return {
        **{name: _property(value) for name, value in as_kept(values).items()},
        "PartitionKey": key.partition,
        "RowKey": key.row,
        WRITE_ID: write_id,
    }


def _property(value: Value) -> Any:
    # Left to itself the SDK sends 32 bits and refuses what is larger.
    return (value, "Edm.Int64") if type(value) is int else value


def _stored(table: str, entity: Any) -> Stored:
    return Stored(
        table=table,
        key=Key(entity["PartitionKey"], entity["RowKey"]),
        values={name: _value(value) for name, value in entity.items() if name not in RESERVED},
        etag=str(entity.metadata["etag"]),
    )


def _value(value: Any) -> Value:
    """A property in our types: the SDK wraps 64-bit numbers and subclasses datetime."""
    match value:
        case (int(number), _):
            return number
        case datetime():
            return datetime.combine(value.date(), value.time(), UTC)
        case bool() | int() | str():
            return value
    return str(value)
