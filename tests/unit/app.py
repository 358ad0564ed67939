"""The whole app in one process: its queues are worked off by hand, its clock moves when told.

Plays the Functions host by its rules: a message whose function raised comes back after the visibility
timeout, one whose process died after ten minutes, and after five tries it goes to the poison queue.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from responders.service import Service, request_message, sweep_message
from shared import signals, workqueue
from shared.errors import TemporaryError
from shared.journal import SIGNALS, Entry, Kind
from shared.landscape import (
    Contract,
    DeclaredCluster,
    DeclaredCredential,
    DeclaredIdentity,
    Environment,
    Landscape,
    Mode,
    OwnIdentity,
    ProofMethod,
)
from shared.memory import MemoryMessages, MemoryRows
from shared.model import Credential, Pause, Source, Target, same_id
from shared.notices import Notifier
from shared.ports import Key, Row, Stored
from shared.workqueue import TargetState
from tests.unit.clocks import START, VirtualClock
from tests.unit.federated_credentials.builders import (
    CLUSTER,
    DEAD,
    GREEN,
    IDENTITY,
    LIVE,
    OWN,
    OWN_OBJECT,
    declared,
    held,
)
from tests.unit.platform import Platform

DEV = Target("dev", "federated_credentials")
PROD = Target("prod", "federated_credentials")

GREEN_LIVE: Final = "https://westeurope.oic.prod-aks.azure.com/tenant/green/"

VISIBILITY: Final = timedelta(seconds=30)
ABANDONED: Final = timedelta(minutes=10)
TRIES: Final = 5
STORM: Final = 1_000
"""Messages at one moment: more is a loop."""
SAMPLES = Path(__file__).parent.parent / "samples" / "eventgrid"


def contract(**changes: Any) -> Contract:
    """One that allows everything on the identity of the builders, and asks for a real proof."""
    base = {
        "default": Mode.APPLY,
        "identities": (IDENTITY,),
        "pace": timedelta(0),
        "proof": ProofMethod.TOKEN_EXCHANGE,
    }
    return Contract(**{**base, **changes})


def environment(
    identities: Mapping[str, tuple[DeclaredCredential, ...]] | None = None,
    *,
    name: str = "dev",
    **changes: Any,
) -> Environment:
    """One identity with one credential, unless told otherwise; every identity is in the contract."""
    given = identities or {IDENTITY: (declared(),)}
    base = {
        "name": name,
        "clusters": (DeclaredCluster(name="aks", id=CLUSTER),),
        "identities": tuple(DeclaredIdentity(id=one, credentials=held) for one, held in given.items()),
        "contract": contract(identities=tuple(given)),
    }
    return Environment(**{**base, **changes})


BLUE_AND_GREEN = (DeclaredCluster(name="aks", id=CLUSTER), DeclaredCluster(name="green", id=GREEN))


def landscape(*environments: Environment) -> Landscape:
    return Landscape(
        version=1,
        tenant="22222222-2222-2222-2222-222222222222",
        reconverge=OwnIdentity(identity=OWN, object_id=OWN_OBJECT),
        environments={one.name: one for one in environments or (environment(),)},
    )


class DiesError(BaseException):
    """The process is gone: no handler of ours runs."""


class FrailRows(MemoryRows):
    """A store that can be down, and that says how often it was written."""

    def __init__(self) -> None:
        super().__init__()
        self.down: Callable[[str, Row], bool] = lambda _table, _values: False
        """Whether a write of these values to this table fails."""
        self.writes = 0

    def insert(self, table: str, key: Key, values: Row) -> Stored:
        self._up(table, values)
        return super().insert(table, key, values)

    def replace(self, stored: Stored, values: Row) -> Stored:
        self._up(stored.table, values)
        return super().replace(stored, values)

    def _up(self, table: str, values: Row) -> None:
        if self.down(table, values):
            raise TemporaryError("storage answered 503 ServerBusy", delay=timedelta(seconds=10))
        self.writes += 1


class Told:
    """Notices, kept."""

    def __init__(self) -> None:
        self.notices: list[tuple[str, str, Mapping[str, str]]] = []
        self.down = False

    def tell(self, kind: str, subject: str, data: Mapping[str, str]) -> None:
        if self.down:
            raise TemporaryError("Event Grid answered 503", delay=timedelta(seconds=30))
        self.notices.append((kind, subject, data))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.notices]


class App:
    def __init__(
        self,
        *environments: Environment,
        rows: MemoryRows | None = None,
        messages: Callable[[VirtualClock], MemoryMessages] = MemoryMessages,
    ) -> None:
        self.clock = VirtualClock()
        self.platform = Platform(self.clock)
        self.rows = rows or FrailRows()
        self.messages = messages(self.clock)
        self.told = Told()
        self.pause: Pause = self.clock.pause
        self.landscape = landscape(*environments)
        self._tries: Counter[tuple[str, str]] = Counter()
        self.start_process()

    def start_process(self) -> None:
        """A new process, which knows only what was stored. The contract may be another one now."""
        self.service = Service(
            rows=self.rows,
            messages=self.messages,
            world=self.platform.world,
            read_landscape=lambda: self.landscape,
            notifier=Notifier(self.told),
            clock=self.clock,
            pause=self.pause,
            jitter=lambda low, _high: low,
        )

    # -- what comes in --------------------------------------------------------------------

    def deliver(self, *events: Mapping[str, Any]) -> None:
        """As Event Grid puts events on the queue by itself."""
        for one in events:
            MemoryMessages.send(self.messages, signals.QUEUE, json.dumps(one))

    def request(self, subject: str = "dev") -> None:
        message = request_message(Source.HTTP, "requested", subject, "asked-for", self.clock)
        MemoryMessages.send(self.messages, signals.QUEUE, message)

    def sweep(self) -> None:
        MemoryMessages.send(self.messages, signals.QUEUE, sweep_message(self.clock))

    # -- the host -------------------------------------------------------------------------

    def work_off(self) -> None:
        """Hand out every message that is visible now, which must come to an end."""
        for _ in range(STORM):
            if not any(self._hand_out(*trigger) for trigger in self._triggers()):
                return
        raise AssertionError(f"after {STORM} messages there is still something to do at {self.clock()}")

    def let(self, span: timedelta) -> None:
        """Let the time pass, and hand out every message when it becomes visible."""
        end = self.clock() + span
        self.work_off()
        while (upcoming := self._upcoming()) and upcoming[0] <= end:
            self.clock.advance(upcoming[0] - self.clock())
            self.work_off()
        self.clock.advance(end - self.clock())

    def _upcoming(self) -> list[Any]:
        return sorted(
            max(waiting.visible, self.clock())
            for queue, _ in self._triggers()
            for waiting in self.messages.waiting(queue)
        )

    def _triggers(self) -> tuple[tuple[str, Callable[[bytes], object]], ...]:
        return (
            (signals.QUEUE, self.service.route),
            (workqueue.QUEUE, self.service.run),
            (f"{signals.QUEUE}-poison", lambda body: self.service.bury(signals.QUEUE, body)),
            (f"{workqueue.QUEUE}-poison", lambda body: self.service.bury(workqueue.QUEUE, body)),
        )

    def _hand_out(self, queue: str, function: Callable[[bytes], object]) -> bool:
        text = self.messages.take(queue)
        if text is None:
            return False
        try:
            function(text.encode())
        except DiesError:
            self._put_back(queue, text, ABANDONED)
            self.start_process()
        except Exception:  # noqa: BLE001 (the host takes whatever a function raises)
            self._put_back(queue, text, VISIBILITY)
        else:
            del self._tries[queue, text]
        return True

    def _put_back(self, queue: str, text: str, hidden: timedelta) -> None:
        self._tries[queue, text] += 1
        if self._tries[queue, text] < TRIES:
            MemoryMessages.send(self.messages, queue, text, delay=hidden)
            return
        del self._tries[queue, text]
        MemoryMessages.send(self.messages, f"{queue}-poison", text)

    # -- what came of it ------------------------------------------------------------------

    def state(self, target: Target = DEV) -> TargetState:
        return self.service.queue.state(target)

    def journal(self, where: Target | str = DEV, *kinds: Kind) -> list[Entry]:
        entries = self.service.journal.read(where, since=START - timedelta(days=1))
        return [entry for entry in entries if not kinds or entry.kind in kinds]

    def signals(self, *kinds: Kind) -> list[Entry]:
        return self.journal(SIGNALS, *kinds)

    def looks(self, target: Target = DEV) -> int:
        """How many runs came to an end."""
        return len(self.journal(target, Kind.OUTCOME))


def cluster_written(cluster_id: str = CLUSTER, **changes: Any) -> dict[str, Any]:
    return _event("aks_managedClusters_write.json", cluster_id, **changes)


def credential_written(credential_id: str, *, caller: str | None = None) -> dict[str, Any]:
    """caller: object id of the writer; None is an event that does not carry it."""
    claims = {signals.OBJECT_ID_CLAIM: caller} if caller else {}
    return _event("fic_write.json", credential_id, claims=claims, authorization={})


def _event(sample: str, resource: str, **data: Any) -> dict[str, Any]:
    base = json.loads((SAMPLES / sample).read_text())[0]
    return {**base, "subject": resource, "data": {**base["data"], "resourceUri": resource, **data}}


def rebuilt(*environments: Environment, made: Callable[..., App] = App) -> App:
    """An app whose clusters were built anew, while every declared credential still trusts the old ones."""
    app = made(*environments)
    held_by: dict[str, list[Credential]] = {}
    for one in app.landscape.environments.values():
        for cluster in one.clusters:
            app.platform.build(cluster.id, LIVE if same_id(cluster.id, CLUSTER) else GREEN_LIVE)
        for identity in one.identities:
            held_by.setdefault(identity.id, []).extend(
                held(each.name, subject=each.subject, issuer=DEAD) for each in identity.credentials
            )
    for holder, credentials in held_by.items():
        app.platform.hold(holder, *credentials)
    return app
