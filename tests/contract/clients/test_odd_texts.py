"""Events whose texts no store may be able to keep, on their way into real queues and tables."""

import json
from pathlib import Path
from typing import Any

import pytest

from responders.service import Service
from shared import signals
from shared.clients.credentials import of_app
from shared.clients.queues import StorageMessages
from shared.clients.tables import StorageRows
from shared.journal import SIGNALS, Kind
from shared.model import utc_now
from shared.notices import Notifier
from shared.settings import ConnectionString, Settings
from tests.unit.app import Told, landscape
from tests.unit.clocks import VirtualClock
from tests.unit.platform import Platform

SAMPLE = Path(__file__).parents[2] / "samples" / "eventgrid" / "aks_managedClusters_write.json"
ODD = {"half a character": "\ud800", "a control character": "\x00", "a line break": "\n", "the last": "\x9f"}


@pytest.fixture
def service(azurite: str) -> Service:
    account, credential = ConnectionString(azurite), of_app(Settings.from_environment({}))
    return Service(
        rows=StorageRows(account, credential),
        messages=StorageMessages(account, credential),
        world=Platform(VirtualClock()).world,
        read_landscape=landscape,
        notifier=Notifier(Told()),
    )


def altered(**changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(SAMPLE.read_text())[0]
    return event | {"data": event["data"] | changes}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("name", ["resourceUri", "correlationId", "claims"])
def test_a_signal_with_such_a_text_is_journalled_as_rejected(service: Service, name: str, odd: str) -> None:
    since = utc_now()
    text = f"/subscriptions/{odd}"
    event = altered(**{name: {"oid": text} if name == "claims" else text})
    service.messages.send("odd-signals", signals.to_message(signals.from_event(event)))
    service.route(json.dumps(event).encode())
    (entry,) = service.journal.read(SIGNALS, since=since)
    assert entry.kind is Kind.REJECTED
    assert "holds a control character" in entry.detail["reason"]


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_event_of_no_concern_with_such_a_name_is_counted(service: Service, odd: str) -> None:
    name = f"Microsoft.Odd{ord(odd)}/{odd}/write"
    service.route(json.dumps(altered(operationName=name)).encode())
    assert service.journal.counts(utc_now())[name.replace(odd, "\ufffd")] == 1


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_a_target_with_such_a_name_is_journalled_as_rejected(service: Service, odd: str) -> None:
    since = utc_now()
    service.run(json.dumps({"reconverge": {"target": f"dev/{odd}"}}).encode())
    (entry,) = service.journal.read(SIGNALS, since=since)
    assert entry.kind is Kind.REJECTED
