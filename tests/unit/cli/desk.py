"""Somebody at a terminal, before a small Azure in memory: types a command, reads what comes out."""

import io
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cli import main
from cli.output import Format, Screen
from cli.surroundings import Surroundings
from shared.errors import TemporaryError
from shared.grants import Grants
from shared.memory import MemoryMessages, MemoryRows
from shared.model import Credential
from shared.ports import Messages, Rows
from shared.settings import Settings
from shared.world import World
from tests.unit.cli.granted import Given
from tests.unit.clocks import VirtualClock
from tests.unit.federated_credentials.builders import (
    CLUSTER,
    DEAD,
    IDENTITY,
    LIVE,
    OWN,
    OWN_OBJECT,
    SUBJECT,
    held,
)
from tests.unit.platform import GET_CLUSTER, GET_IDENTITY, LIST, Platform

SECRET = "an-account-key-that-nobody-may-see"
ALWAYS = 1_000_000

LANDSCAPE = f"""
version: 1
tenant: 22222222-2222-2222-2222-222222222222
reconverge: {{identity: {OWN}, objectId: {OWN_OBJECT}}}
environments:
  dev:
    enabled: DEV
    clusters: [{{name: aks, id: {CLUSTER}}}]
    identities:
      - {{id: {IDENTITY}, credentials: [{{name: vault-dev, subject: "{SUBJECT}"}}]}}
    contract: {{default: MODE, identities: [{IDENTITY}], proof: token-exchange, pace: 0s}}
  staging:
    enabled: false
    clusters: [{{name: aks, id: {CLUSTER}}}]
    identities: []
"""


class TickingClock(VirtualClock):
    """No two readings alike, as with a real clock: the journal's order rests on it."""

    def __call__(self) -> datetime:
        self.advance(timedelta(microseconds=1))
        return super().__call__()


@dataclass
class Desk:
    """The cluster was rebuilt: the one declared credential still trusts the dead issuer."""

    folder: Path
    clock: VirtualClock = field(default_factory=TickingClock)
    mode: str = "apply"
    """What the contract of dev says to every action."""
    dev: str = "true"
    """Whether dev is enabled."""
    signs_in_as: str = OWN_OBJECT
    given: Given = field(default_factory=Given)

    def __post_init__(self) -> None:
        self.platform = Platform(self.clock)
        self.platform.build(CLUSTER, LIVE)
        self.platform.hold(IDENTITY, held(issuer=DEAD))
        self.rows, self.messages = MemoryRows(), MemoryMessages(self.clock)
        self.landscape = self.folder / "landscape.yaml"
        self.environment = {
            "RECONVERGE_LANDSCAPE": str(self.landscape),
            "RECONVERGE_SWEEP": "0 */15 * * * *",
            "AzureWebJobsStorage": f"AccountName=a;AccountKey={SECRET}",
        }

    @property
    def held(self) -> Credential:
        """What the identity holds under the declared name."""
        return self.platform.holds(IDENTITY)["vault-dev"]

    def silence_arm(self) -> None:
        for call in (GET_CLUSTER, GET_IDENTITY, LIST):
            no_answer = TemporaryError("ARM answered 503", delay=timedelta(seconds=30))
            self.platform.lay(call, no_answer, times=ALWAYS)

    def types(self, *arguments: str) -> "Answer":
        self.landscape.write_text(LANDSCAPE.replace("MODE", self.mode).replace("DEV", self.dev))
        given = main.parse(arguments)
        out, err = io.StringIO(), io.StringIO()
        code = main.conduct(given, self._surroundings(Screen(out, err, Format(given.output))))
        return Answer(code, out.getvalue(), err.getvalue())

    def world(self, _: Settings) -> World:
        return self.platform.world

    def grants(self, _: Settings) -> Grants:
        return self.given.grants

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
            grants=self.grants,
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
