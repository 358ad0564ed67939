"""A platform of one cluster and one identity in memory, and a way to type commands at it."""

import io
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cli import main
from cli.output import Format, Screen
from cli.surroundings import Surroundings
from shared.clients.entra import Accepted, Declined, Exchange
from shared.errors import Throttled
from shared.memory import MemoryMessages, MemoryRows
from shared.model import Absent, Cluster, Credential, Identity, Known, Read, Unknown
from shared.ports import Messages, Rows
from shared.settings import Settings
from shared.world import World
from tests.unit.clocks import VirtualClock

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers"
CLUSTER = f"{GROUP}/Microsoft.ContainerService/managedClusters/aks"
IDENTITY = f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/vault"
OWN = f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/reconverge"
OWN_OBJECT = "99999999-9999-9999-9999-999999999999"
TENANT = "22222222-2222-2222-2222-222222222222"

LIVE = "https://westeurope.oic.prod-aks.azure.com/tenant/live/"
DEAD = "https://westeurope.oic.prod-aks.azure.com/tenant/dead/"
SUBJECT = "system:serviceaccount:dev:vault"
SECRET = "an-account-key-that-nobody-may-see"

LANDSCAPE = f"""
version: 1
tenant: {TENANT}
reconverge: {{identity: {OWN}, objectId: {OWN_OBJECT}}}
environments:
  dev:
    clusters: [{{name: aks, id: {CLUSTER}}}]
    identities:
      - {{id: {IDENTITY}, credentials: [{{name: vault-dev, subject: "{SUBJECT}"}}]}}
    contract: {{default: MODE, identities: [{IDENTITY}], proof: token-exchange, pace: 0s}}
  staging:
    enabled: false
    clusters: [{{name: aks, id: {CLUSTER}}}]
    identities: []
"""


@dataclass
class Platform:
    """Azure as far as one declared credential needs it. It is also each of the ports."""

    clock: VirtualClock
    issuer: str | None = LIVE
    held: Credential | None = None
    readable: bool = True
    throttled: int = 0
    """That many writes are refused before one succeeds."""
    propagation: timedelta = timedelta(0)
    """Entra takes what ARM took this much later."""
    written_at: datetime | None = None

    def world(self) -> World:
        return World(clusters=self, identities=self, exchanges=self)

    def get(self, arm_id: str) -> Read[Any]:
        if not self.readable:
            return Unknown("ARM answered 503")
        if arm_id == CLUSTER:
            if self.issuer is None:
                return Absent()
            return Known(
                Cluster(id=CLUSTER, provisioning_state="Succeeded", power_state="Running", issuer=self.issuer)
            )
        return Known(Identity(id=arm_id, client_id="client", principal_id="principal", tenant_id=TENANT))

    def credentials(self, _: str) -> Read[tuple[Credential, ...]]:
        return Known((self.held,) if self.held else ()) if self.readable else Unknown("ARM answered 503")

    def put(self, _: str, credential: Credential) -> None:
        if self.throttled:
            self.throttled -= 1
            raise Throttled("ARM answered 429", delay=timedelta(seconds=40))
        self.held = credential
        self.written_at = self.clock()

    def prove(self, *_: str, **__: str) -> Exchange:
        due = self.written_at is None or self.clock() >= self.written_at + self.propagation
        return Accepted() if due else Declined("AADSTS700211")


class TickingClock(VirtualClock):
    """No two readings alike, as with a real clock: the journal's order rests on it."""

    def __call__(self) -> datetime:
        self.advance(timedelta(microseconds=1))
        return super().__call__()


@dataclass
class Desk:
    """Somebody at a terminal: types a command, reads what comes out."""

    folder: Path
    clock: VirtualClock = field(default_factory=TickingClock)
    mode: str = "apply"
    signs_in_as: str = OWN_OBJECT

    def __post_init__(self) -> None:
        self.platform = Platform(self.clock, held=credential(DEAD))
        self.rows, self.messages = MemoryRows(), MemoryMessages(self.clock)
        self.landscape = self.folder / "landscape.yaml"
        self.environment = {
            "RECONVERGE_LANDSCAPE": str(self.landscape),
            "RECONVERGE_SWEEP": "0 */15 * * * *",
            "AzureWebJobsStorage": f"AccountName=a;AccountKey={SECRET}",
        }

    def types(self, *arguments: str) -> "Answer":
        self.landscape.write_text(LANDSCAPE.replace("MODE", self.mode))
        out, err = io.StringIO(), io.StringIO()
        try:
            given = main.parse(arguments)
        except SystemExit as ended:
            return Answer(int(str(ended.code)), "", "")
        code = main.conduct(given, self._surroundings(Screen(out, err, Format(given.output))))
        return Answer(code, out.getvalue(), err.getvalue())

    def world(self, _: Settings) -> World:
        return self.platform.world()

    def stores(self, _: Settings) -> tuple[Rows, Messages]:
        return self.rows, self.messages

    def object_id(self, _: Settings) -> str:
        return self.signs_in_as

    def _surroundings(self, screen: Screen) -> Surroundings:
        return Surroundings(
            environment=self.environment,
            screen=screen,
            clock=self.clock,
            pause=self.clock.pause,
            world=self.world,
            stores=self.stores,
            object_id=self.object_id,
        )


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


def credential(issuer: str, **changes: Any) -> Credential:
    base = Credential(
        name="vault-dev", issuer=issuer, subject=SUBJECT, audiences=("api://AzureADTokenExchange",)
    )
    return replace(base, **changes)
