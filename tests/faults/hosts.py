"""Processes of the app, as Azure has them: started, stopped and killed by their own ids."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import requests

from sandbox import environment, processes
from sandbox.host.keys import EVENT_GRID_KEY, Keys
from sandbox.listening import free_socket, port_of
from sandbox.processes import Child
from sandbox.stack import EVENT_FUNCTION, REPOSITORY

START_SECONDS: Final = 60.0
NEVER: Final = "0 0 0 29 2 *"
"""The sweep runs when a test asks for it."""


@dataclass(frozen=True, slots=True)
class Host:
    """One process of the app: Microsoft's worker library behind the loopback host, always on one port."""

    directory: Path
    name: str
    port: int
    keys: Keys = field(repr=False)
    settings: Mapping[str, str] = field(repr=False)
    running: list[Child]
    """At most one."""

    @classmethod
    def described(cls, directory: Path, name: str, landscape: Path, storage: str) -> "Host":
        """In the cloud that runs in that directory. Not started yet."""
        cloud = json.loads((directory / "cloud.json").read_text())
        keys = directory / "keys.json"
        told = environment.of_cloud(cloud, storage, landscape)
        with free_socket() as probe:
            port = port_of(probe)
        settings = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "RECONVERGE_HOST_KEYS": str(keys),
            "RECONVERGE_SWEEP": NEVER,
            **{one.name: one.value for one in told if one.for_app},
        }
        return cls(directory, name, port, Keys.load_or_create(keys), settings, [])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def webhook(self) -> str:
        """Where Event Grid delivers to."""
        query = f"functionName={EVENT_FUNCTION}&code={self.keys.system[EVENT_GRID_KEY]}"
        return f"{self.url}/runtime/webhooks/eventgrid?{query}"

    @property
    def log(self) -> Path:
        return self.directory / "logs" / f"{self.name}.log"

    def start(self) -> None:
        ready = self.directory / f"{self.name}.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "sandbox.host", "--app", str(REPOSITORY), "--ready", str(ready)]
        child = processes.start(
            self.name,
            [*command, "--port", str(self.port)],
            environment=self.settings,
            cwd=self.directory,
            log=self.log,
        )
        self.running.append(child)
        processes.wait_until(child, ready.exists, log=self.log, seconds=START_SECONDS)

    def kill(self) -> None:
        """At whatever line it is."""
        (child,) = self.running
        os.kill(child.pid, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        processes.stop(self.running)
        self.running.clear()

    def executed(self) -> list[dict[str, Any]]:
        """What the log says of each function that ended, oldest first: `function` and `succeeded`."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        said = [json.loads(line) for line in lines if line.startswith("{")]
        return [one for one in said if one["message"] == "function.executed"]

    def ask(self, method: str, path: str, *, key: str | None = None, **more: Any) -> requests.Response:
        """With the function key unless another is given."""
        used = self.keys.function if key is None else key
        headers = {**more.pop("headers", {}), "x-functions-key": used}
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=30, **more)

    def want(self, environment: str) -> None:
        """As a person asks for a run."""
        assert self.ask("POST", "/api/run", json={"environment": environment}).status_code == 202

    def sweep(self) -> None:
        """As the timer does."""
        answer = self.ask("POST", "/admin/functions/sweep", key=self.keys.master, json={"input": ""})
        assert answer.status_code == 202
