"""Microsoft's Azurite, the storage account of the sandbox, in memory and on loopback.

`running()` for tests and scripts; `Account`, `command` and `wait_until_open` for those who keep the process.
"""

import base64
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_SCRIPT = Path(__file__).parents[1] / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class AzuriteError(Exception):
    """Azurite cannot be started; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account on free ports, with a key of its own so that no two sandboxes mix."""

    name: str
    key: str
    blob_port: int
    queue_port: int
    table_port: int

    @classmethod
    def random(cls) -> Self:
        blob, queue, table = _free_ports(3)
        return cls(
            name="sandbox" + secrets.token_hex(4),
            key=base64.b64encode(secrets.token_bytes(64)).decode(),
            blob_port=blob,
            queue_port=queue,
            table_port=table,
        )

    @property
    def ports(self) -> tuple[int, int, int]:
        return self.blob_port, self.queue_port, self.table_port

    @property
    def connection_string(self) -> str:
        return ";".join(
            (
                "DefaultEndpointsProtocol=http",
                f"AccountName={self.name}",
                f"AccountKey={self.key}",
                f"BlobEndpoint=http://127.0.0.1:{self.blob_port}/{self.name}",
                f"QueueEndpoint=http://127.0.0.1:{self.queue_port}/{self.name}",
                f"TableEndpoint=http://127.0.0.1:{self.table_port}/{self.name}",
            )
        )

    @property
    def environment(self) -> dict[str, str]:
        """What the process needs beside the caller's environment."""
        return {"AZURITE_ACCOUNTS": f"{self.name}:{self.key}"}


def command(account: Account) -> list[str]:
    """Raises AzuriteError when Node or the package is missing."""
    node = shutil.which("node")
    if node is None:
        raise AzuriteError("Azurite needs Node 20 or later, and there is no `node` on PATH")
    if not _SCRIPT.exists():
        raise AzuriteError(f"{_SCRIPT} is missing: run `npm ci` in {_SCRIPT.parents[4]}")
    return [
        node,
        str(_SCRIPT),
        "--inMemoryPersistence",
        # The SDKs are ahead of the API versions that Azurite lists.
        "--skipApiVersionCheck",
        "--silent",
        "--disableTelemetry",
        *("--blobPort", str(account.blob_port)),
        *("--queuePort", str(account.queue_port)),
        *("--tablePort", str(account.table_port)),
    ]


def wait_until_open(account: Account, still_running: Callable[[], bool]) -> None:
    """Return when all three ports answer. Raises AzuriteError when the process ends or takes too long."""
    deadline = time.monotonic() + _START_SECONDS
    waiting = list(account.ports)
    while waiting:
        if not still_running():
            raise AzuriteError("Azurite ended while starting")
        if time.monotonic() > deadline:
            raise AzuriteError(f"Azurite does not answer on {waiting} after {_START_SECONDS:.0f} s")
        waiting = [port for port in waiting if not _is_open(port)]
        if waiting:
            time.sleep(0.05)


@contextmanager
def running() -> Iterator[Account]:
    """Azurite for the length of the block. Raises AzuriteError when it does not start."""
    account = Account.random()
    process = subprocess.Popen(  # noqa: S603 (our own command line)
        command(account),
        env={**os.environ, **account.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_open(account, lambda: process.poll() is None)
        yield account
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago; held together, so that they differ."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
