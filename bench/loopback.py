"""The sandbox's cloud in a process of its own, with identities for a benchmark, and the app pointed at it."""

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import requests

from bench.declared import TARGET, landscape
from responders import wiring
from responders.service import Service
from sandbox.control_client import Control
from sandbox.rbac import CREDENTIAL_CONTRIBUTOR
from shared.landscape import Landscape
from shared.memory import MemoryMessages, MemoryRows
from shared.model import Outcome, utc_now
from shared.notices import Notifier
from shared.settings import Settings
from shared.workqueue import QUEUE
from shared.world import World

if TYPE_CHECKING:
    from shared.engine import Report

ROOT: Final = Path(__file__).parents[1]
START_SECONDS: Final = 60.0
IDENTITIES: Final = 10
CREDENTIALS: Final = 5
AT_ONCE: Final = {"write_seconds": 0.0, "entra_propagation": 0.0, "provisioning_seconds": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loopback:
    """A running cloud whose one cluster is declared, with IDENTITIES × CREDENTIALS."""

    told: Mapping[str, Any] = field(repr=False)
    """Its description, which holds secrets."""
    control: Control
    world: World
    """Of the app: the real clients, one set for all runs, as a function's process has."""
    landscape: Landscape

    def forget(self) -> None:
        self.control.clear_requests()

    def requests(self, service: str) -> list[tuple[str, str]]:
        """Method and path of each call since `forget`, in lower case."""
        return [(one["method"], one["path"].lower()) for one in self.control.requests(service)]


class Runs:
    """A service with the real clients and a new memory, and what it reports."""

    def __init__(self, cloud: Loopback) -> None:
        self.reports: list[Report] = []
        self._messages = MemoryMessages(utc_now)
        self._service = Service(
            rows=MemoryRows(),
            messages=self._messages,
            world=cloud.world,
            read_landscape=lambda: cloud.landscape,
            notifier=Notifier(Nobody()),
            observe=lambda _, report: self.reports.append(report),
        )

    def run(self) -> Outcome:
        """One run, from the queue's message to the settled row. Raises RuntimeError if there was none."""
        self._service.queue.want(TARGET, str(uuid.uuid4()))
        message = self._messages.take(QUEUE)
        outcome = self._service.run(message.encode()) if message else None
        if outcome is None:
            raise RuntimeError(f"{TARGET} did not run")
        return outcome


class Nobody:
    """Notices of shared.ports."""

    def tell(self, kind: str, subject: str, data: Mapping[str, str]) -> None:
        """Nobody needs to know of a benchmark."""


@contextmanager
def running() -> Iterator[Loopback]:
    """The cloud for the length of the block, each credential repaired once: clients, connections and tokens
    are warm."""
    with tempfile.TemporaryDirectory(prefix="reconverge-bench-") as folder, _process(Path(folder)) as told:
        control = Control.from_dir(folder)
        control.turn(**AT_ONCE)
        names = [f"bench-{number}" for number in range(IDENTITIES)]
        _create(told, names)
        with _environment(told) as environment:
            cloud = Loopback(
                told=told,
                control=control,
                world=wiring.world(Settings.from_environment(environment)),
                landscape=landscape(
                    tenant=told["tenant"],
                    own_identity=told["app"]["identity_id"],
                    own_object_id=told["app"]["object_id"],
                    cluster=told["clusters"][0],
                    identities=[identity_id(told, name) for name in names],
                    credentials=CREDENTIALS,
                ),
            )
            warm = Runs(cloud).run()
            if warm.word != "repaired":
                raise RuntimeError(f"the first repair ended {warm.word}: {warm.because}")
            yield cloud


@contextmanager
def _process(folder: Path) -> Iterator[Mapping[str, Any]]:
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 (our own module)
            [sys.executable, "-m", "sandbox.server", "--dir", str(folder)], cwd=ROOT, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (folder / "cloud.json").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the cloud did not start: {(folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.05)
        yield json.loads((folder / "cloud.json").read_text())
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def _environment(told: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    """What the identity SDK and requests read for themselves, and the app's settings, for a while."""
    ours = {
        "RECONVERGE_ARM_ENDPOINT": told["cloud"],
        "AZURE_AUTHORITY_HOST": told["cloud"],
        "AZURE_CLIENT_ID": told["app"]["client_id"],
        "IDENTITY_ENDPOINT": told["identity_endpoint"],
        "IDENTITY_HEADER": told["identity_header"],
        "REQUESTS_CA_BUNDLE": told["ca"],
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield ours
    finally:
        for name, text in before.items():
            if text is None:
                del os.environ[name]
            else:
                os.environ[name] = text


def _create(told: Mapping[str, Any], names: list[str]) -> None:
    """Identities without credentials, on which the app may write; by the operator."""
    token = operator_token(told)
    for name in names:
        identity = identity_id(told, name)
        _put(told, token, identity, {"location": told["location"]})
        role = {"roleDefinitionId": CREDENTIAL_CONTRIBUTOR.id, "principalId": told["app"]["object_id"]}
        assignment = f"{identity}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
        _put(told, token, assignment, {"properties": role})


def operator_token(told: Mapping[str, Any]) -> str:
    answer = requests.post(
        f"{told['cloud']}/{told['tenant']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": told["operator"]["client_id"],
            "client_secret": told["operator"]["secret"],
            "scope": "https://management.azure.com/.default",
        },
        verify=told["ca"],
        timeout=30,
    )
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def identity_id(told: Mapping[str, Any], name: str) -> str:
    group = told["clusters"][0].partition("/providers/")[0]
    return f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"


def _put(told: Mapping[str, Any], token: str, path: str, body: Mapping[str, Any]) -> None:
    answer = requests.put(
        told["cloud"] + path,
        params={"api-version": "2024-11-30"},
        headers={"Authorization": f"Bearer {token}"},
        json=body,
        verify=told["ca"],
        timeout=30,
    )
    answer.raise_for_status()
