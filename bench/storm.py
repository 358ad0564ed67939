"""Thousands of signals for one target while it runs: what they cost beyond being journalled.

    run 1     ├── reads ─────────────────────────┤ settles
    signals       ║║║║║║║║║║║║║║║║║║║║║║║║║║         one write: a further run is wanted
    run 2                                        ├──┤ answers them all

Every signal takes the whole way of queue `signals`, several at a time; then whatever has come onto queue
`targets` is worked off until it is empty.
"""

import base64
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event, Lock
from typing import TYPE_CHECKING, Final

from bench.declared import TARGET, landscape
from bench.loopback import Nobody
from bench.measure import Line
from responders import wiring
from responders.service import Service
from sandbox import azurite
from shared import signals
from shared.clients import credentials
from shared.clients.entra import Exchange
from shared.clients.managed_clusters import ApiServer
from shared.clients.queues import StorageMessages
from shared.clients.tables import StorageRows
from shared.journal import TABLE as JOURNAL
from shared.landscape import Landscape
from shared.memory import MemoryMessages, MemoryRows
from shared.model import Cluster, Credential, Identity, Known, Read, Signal, Source, Unknown, utc_now
from shared.notices import Notifier
from shared.ports import Key, Messages, Row, Rows, Stored
from shared.settings import ConnectionString, Settings
from shared.workqueue import QUEUE
from shared.workqueue import TABLE as TARGETS
from shared.world import Clusters, World

if TYPE_CHECKING:
    from shared.engine import Report

SIGNALS: Final = 5_000
SIGNALS_TO_AZURITE: Final = 500
SENDERS: Final = 8
PATIENCE: Final = 60.0
"""Seconds; only a defect needs them."""

_GROUP: Final = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/bench/providers"
_CLUSTER: Final = f"{_GROUP}/Microsoft.ContainerService/managedClusters/aks"


@dataclass(frozen=True, slots=True)
class Store:
    name: str
    rows: Rows
    messages: Messages
    take: Callable[[], str | None]
    """The next visible message of queue `targets`, which leaves it."""


def lines() -> list[Line]:
    found = _storm(_memory(), SIGNALS)
    with _azurite() as store:
        return found + _storm(store, SIGNALS_TO_AZURITE)


def _world(cluster: Clusters) -> World:
    """Nothing else of it is declared in this landscape."""
    unused = wiring.world(Settings.from_environment({}))
    return replace(unused, clusters=cluster, identities=NoIdentities(), exchanges=NoExchanges())


def _storm(store: Store, number: int) -> list[Line]:
    rows, cluster = CountedRows(store.rows), SlowCluster()
    reports: list[Report] = []
    service = Service(
        rows=rows,
        messages=store.messages,
        world=_world(cluster),
        read_landscape=_landscape,
        notifier=Notifier(Nobody()),
        observe=lambda _, report: reports.append(report),
    )
    service.queue.want(TARGET, "first")
    with ThreadPoolExecutor(SENDERS + 1) as pool:
        first = pool.submit(_work_off, service, store)
        if not cluster.asked.wait(PATIENCE):
            raise RuntimeError("the first run did not begin")
        rows.forget()
        list(pool.map(service.route, [_signal(index) for index in range(number)]))
        written, journalled = rows.written[TARGETS], rows.written[JOURNAL]
        cluster.answers.set()
        first.result(PATIENCE)
    further = len(reports) - 1
    what = f"{number:,} signals during a run, {store.name}"
    return [
        Line(what=what, measured=f"{further} further", against="1 further run", ratio=further, target=1.0),
        Line(
            what=what,
            measured=f"{written} written",
            against="1 write to the target's row",
            ratio=written,
            target=1.0,
            note=f"beside that {journalled / number:.2f} journal entries per signal, as promised",
        ),
    ]


def _work_off(service: Service, store: Store) -> None:
    while (text := store.take()) is not None:
        service.run(text.encode())


def _signal(number: int) -> bytes:
    signal = Signal(
        source=Source.EVENT_GRID,
        kind="cluster.written",
        subject=_CLUSTER,
        time=utc_now(),
        correlation_id=f"signal-{number}",
    )
    return signals.to_message(signal).encode()


def _landscape() -> Landscape:
    return landscape(
        tenant="22222222-2222-2222-2222-222222222222",
        own_identity=f"{_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/own",
        own_object_id="33333333-3333-3333-3333-333333333333",
        cluster=_CLUSTER,
        identities=[],
        credentials=0,
    )


# -- the world: one healthy cluster that takes its time ------------------------------------


class SlowCluster:
    """Clusters of shared.world. The first question waits until the storm is over."""

    def __init__(self) -> None:
        self.asked = Event()
        self.answers = Event()

    def get(self, cluster_id: str) -> Read[Cluster]:
        self.asked.set()
        self.answers.wait(PATIENCE)
        issuer = "https://127.0.0.1:1/issuer/"
        return Known(
            Cluster(id=cluster_id, provisioning_state="Succeeded", power_state="Running", issuer=issuer)
        )

    def api_server(self, cluster_id: str) -> Read[ApiServer]:
        return Unknown(f"nothing of this landscape is in {cluster_id}")


class NoIdentities:
    """Identities of shared.world. The landscape declares none."""

    def get(self, identity_id: str) -> Read[Identity]:
        return Unknown(f"{identity_id} is not declared")

    def credentials(self, identity_id: str) -> Read[tuple[Credential, ...]]:
        return Unknown(f"{identity_id} is not declared")

    def put(self, identity_id: str, credential: Credential) -> None:
        raise AssertionError(f"nothing is written here: {identity_id} {credential.name}")


class NoExchanges:
    """Exchanges of shared.world."""

    def prove(self, cluster_id: str, subject: str, audience: str, *, client_id: str, tenant: str) -> Exchange:
        raise AssertionError(f"nothing to prove: {cluster_id} {subject} {audience} {client_id} {tenant}")


# -- the stores -----------------------------------------------------------------------------


class CountedRows:
    """Rows of shared.ports that count the writes which took effect, by table."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._lock = Lock()
        self.written: Counter[str] = Counter()

    def forget(self) -> None:
        self.written.clear()

    def get(self, table: str, key: Key) -> Stored | None:
        return self._rows.get(table, key)

    def insert(self, table: str, key: Key, values: Row) -> Stored:
        return self._counted(self._rows.insert(table, key, values))

    def replace(self, stored: Stored, values: Row) -> Stored:
        return self._counted(self._rows.replace(stored, values))

    def delete(self, stored: Stored) -> None:
        self._rows.delete(stored)
        self._counted(stored)

    def query(
        self, table: str, partition: str, *, after: str | None = None, before: str | None = None
    ) -> Iterator[Stored]:
        return self._rows.query(table, partition, after=after, before=before)

    def _counted(self, stored: Stored) -> Stored:
        with self._lock:
            self.written[stored.table] += 1
        return stored


def _memory() -> Store:
    messages = MemoryMessages(utc_now)
    return Store("in memory", MemoryRows(), messages, lambda: messages.take(QUEUE))


@contextmanager
def _azurite() -> Iterator[Store]:
    from azure.storage.queue import QueueClient  # noqa: PLC0415 (slow to import, and only needed here)

    with azurite.running() as account:
        text = account.connection_string
        credential = credentials.of_app(Settings.from_environment({}))

        def take() -> str | None:
            with QueueClient.from_connection_string(text, QUEUE) as queue:
                message = queue.receive_message(visibility_timeout=int(PATIENCE))
                if message is None:
                    return None
                queue.delete_message(message)
                return base64.b64decode(message.content).decode()

        connection = ConnectionString(text)
        yield Store(
            "Azurite",
            StorageRows(connection, credential),
            StorageMessages(connection, credential),
            take,
        )
