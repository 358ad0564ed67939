"""The whole sandbox as one thing: Azurite, OpenBao, the loopback cloud and the app on its host.

    up(directory)    start what is not there, subscribe the app to the cloud's events
    load(directory)  what runs there, if all of it does
    read(directory)  what was started there, though half of it may have ended
    down(directory)  stop it, whoever started it

The directory then holds `env` (for `source`), `landscape.yaml`, `logs/<child>.log`, `stack.json` and the
children's own files.
"""

import fcntl
import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from sandbox import azurite, environment, openbao, processes
from sandbox.control_client import Control, ControlError
from sandbox.environment import Channel, Variable
from sandbox.host.errors import HostError
from sandbox.host.keys import EVENT_GRID_KEY, Keys
from sandbox.listening import free_socket, port_of
from sandbox.processes import Child

REPOSITORY: Final = Path(__file__).resolve().parents[1]
LANDSCAPE: Final = REPOSITORY / "sandbox" / "landscape.yaml"
EVENT_FUNCTION: Final = "arm_event"
ARGOCD_FUNCTION: Final = "argocd_webhook"
SUBSCRIPTION: Final = "reconverge"

_READY_SECONDS: Final = 60.0
_SWEEP: Final = "0 */15 * * * *"

type Host = Literal["runtime", "func"]


class StackError(Exception):
    """The sandbox cannot be started or found. The text says why, with the end of a log where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    directory: Path
    children: tuple[Child, ...]
    """In the order of starting."""
    environment: Mapping[str, str] = field(repr=False)
    """What the file `env` exports; it holds keys."""
    complete: bool = False
    """False while it is being started, and for ever when that was cut short."""

    @property
    def ended(self) -> tuple[Child, ...]:
        return tuple(child for child in self.children if not child.is_alive())

    def log(self, child: Child) -> Path:
        return _log(self.directory, child.name)

    def save(self) -> None:
        environment.write_private(
            self.directory / "stack.json",
            json.dumps(
                {
                    "complete": self.complete,
                    "children": [asdict(child) for child in self.children],
                    "environment": dict(self.environment),
                },
                indent=2,
            ),
        )


def up(
    directory: Path,
    *,
    app: Path | None = REPOSITORY,
    host: Host = "runtime",
    channel: Channel = Channel.WORKFLOW,
    sweep: str | None = None,
) -> Stack:
    """Start everything, or answer what runs already; what a crash left half running is stopped first.

    app: the folder of the function app; None starts the cloud and the storage account alone.
    host: "func" takes Core Tools from PATH instead of the loopback host.
    channel: how the landscape's contract lets published facts be brought right.
    sweep: the schedule of the app's sweep; else RECONVERGE_SWEEP, or every quarter of an hour.
    Raises StackError; then nothing is left running.
    """
    directory = directory.resolve()
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StackError(f"{directory} cannot be created: {error.strerror}") from error
    with _locked(directory):
        if (running := load(directory)) is not None:
            return running
        _stop(directory)
        starting = _Starting(directory, channel, sweep)
        try:
            return starting.everything(app.resolve() if app else None, host)
        except (
            azurite.AzuriteError,
            openbao.OpenBaoError,
            processes.ChildError,
            ControlError,
            HostError,
        ) as error:
            _stop(directory)
            raise StackError(f"the sandbox did not start: {error}") from error
        except BaseException:
            _stop(directory)
            raise


def load(directory: Path) -> Stack | None:
    """The stack of that directory when it was started to the end and each of its processes lives.

    Raises StackError when what is written of it cannot be understood.
    """
    stack = read(directory)
    return None if stack is None or not stack.complete or stack.ended else stack


def down(directory: Path) -> tuple[Child, ...]:
    """Stop what runs there, the app first, so that it can finish: what that was. Nothing is no error.

    Raises StackError, and touches nothing, when what is written of it cannot be understood.
    """
    directory = directory.resolve()
    if not directory.exists():
        return ()
    with _locked(directory):
        return _stop(directory)


class _Starting:
    """One start. Each child is on record as soon as it runs, so that a crash leaves nothing unknown."""

    def __init__(self, directory: Path, channel: Channel, sweep: str | None) -> None:
        self._directory = directory
        self._channel = channel
        self._stack = Stack(directory=directory, children=(), environment={})
        (directory / "logs").mkdir(exist_ok=True)
        self._base = {"RECONVERGE_SWEEP": _SWEEP, **os.environ, "PYTHONPATH": str(REPOSITORY)}
        if sweep is not None:
            self._base["RECONVERGE_SWEEP"] = sweep

    def everything(self, app: Path | None, host: Host) -> Stack:
        account = azurite.Account.random()
        vaults = openbao.Server.on_free_ports(tuple(environment.VAULT_STAND_INS))
        cloud = self._start_cloud(account, vaults)
        landscape = self._directory / "landscape.yaml"
        addresses = {one.environment: one.address for one in vaults}
        environment.write_landscape(landscape, LANDSCAPE, addresses, cloud["web"], self._channel)
        variables = environment.of_cloud(cloud, account.connection_string, landscape)
        if app is not None:
            keys = Keys.load_or_create(self._directory / "keys.json")
            url, functions = self._start_app(app, host, variables)
            if EVENT_FUNCTION in functions:
                self._subscribe(url, keys)
            if ARGOCD_FUNCTION in functions:
                Control.from_dir(self._directory).notify(f"{url}/api/argocd", keys.function)
            variables += environment.of_app(url, keys.function, self._base["RECONVERGE_SWEEP"])
        environment.write(self._directory / "env", variables)
        exports = {one.name: one.value for one in variables}
        self._stack = replace(self._stack, environment=exports, complete=True)
        self._stack.save()
        return self._stack

    # -- the children -----------------------------------------------------------------

    def _start_cloud(self, account: azurite.Account, vaults: tuple[openbao.Server, ...]) -> dict[str, Any]:
        """With storage and the Vaults at the same time. What `cloud.json` says."""
        described = self._directory / "cloud.json"
        described.unlink(missing_ok=True)
        storage = self._start("azurite", azurite.command(account), {**self._base, **account.environment})
        given = openbao.environment_of(self._base)
        servers = [self._start(one.name, openbao.command(one, self._directory), given) for one in vaults]
        command = [sys.executable, "-m", "sandbox.server", "--dir", str(self._directory)]
        command += [f"--vault={one.environment}={one.address}" for one in vaults]
        cloud = self._start("cloud", command, self._base)
        self._wait_for("azurite", lambda: azurite.wait_until_open(account, storage.is_alive))
        for one, server in zip(vaults, servers, strict=True):
            self._wait_for(one.name, partial(openbao.wait_until_open, one, server.is_alive))
        self._wait(cloud, described.exists)
        return _object(described)

    def _wait_for(self, name: str, wait: Callable[[], None]) -> None:
        """Raises ChildError with the end of the child's log."""
        try:
            wait()
        except (azurite.AzuriteError, openbao.OpenBaoError) as error:
            raise processes.ChildError(f"{error}{processes.tail(self._log(name))}") from error

    def _start_app(self, app: Path, host: Host, variables: list[Variable]) -> tuple[str, list[str]]:
        """Its URL and the names of its functions."""
        given = {
            **self._base,
            **{one.name: one.value for one in variables if one.for_app},
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "RECONVERGE_HOST_KEYS": str(self._directory / "keys.json"),
        }
        if host == "func":
            return self._start_core_tools(app, given)
        ready = self._directory / "host.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "sandbox.host", "--app", str(app), "--ready", str(ready)]
        child = self._start("host", command, given)
        self._wait(child, ready.exists)
        described = _object(ready)
        return described["url"], described["functions"]

    def _start_core_tools(self, app: Path, given: Mapping[str, str]) -> tuple[str, list[str]]:
        """Core Tools check no keys on a developer's machine, and take the worker's Python from PATH."""
        program = shutil.which("func")
        if program is None:
            raise processes.ChildError(
                "there is no `func` on PATH; install azure-functions-core-tools 4, or use the host 'runtime'"
            )
        with free_socket() as probe:
            port = port_of(probe)
        path = f"{Path(sys.executable).parent}{os.pathsep}{given.get('PATH', '')}"
        command = [program, "start", "--port", str(port)]
        child = self._start("host", command, {**given, "PATH": path}, cwd=app)
        url = f"http://127.0.0.1:{port}"
        self._wait(child, lambda: processes.answers(f"{url}/admin/host/ping"))
        with urllib.request.urlopen(f"{url}/admin/functions", timeout=10) as answer:  # noqa: S310 (as below)
            return url, [function["name"] for function in json.load(answer)]

    def _start(
        self, name: str, command: list[str], given: Mapping[str, str], cwd: Path | None = None
    ) -> Child:
        child = processes.start(
            name, command, environment=given, cwd=cwd or self._directory, log=self._log(name)
        )
        self._stack = replace(self._stack, children=(*self._stack.children, child))
        self._stack.save()
        return child

    def _wait(self, child: Child, ready: Callable[[], bool]) -> None:
        processes.wait_until(child, ready, log=self._log(child.name), seconds=_READY_SECONDS)

    def _log(self, name: str) -> Path:
        return _log(self._directory, name)

    # -- events -----------------------------------------------------------------------

    def _subscribe(self, url: str, keys: Keys) -> None:
        query = f"functionName={EVENT_FUNCTION}&code={keys.system[EVENT_GRID_KEY]}"
        Control.from_dir(self._directory).subscribe(
            {
                "name": SUBSCRIPTION,
                "endpoint": {"kind": "AzureFunction", "url": f"{url}/runtime/webhooks/eventgrid?{query}"},
                "schema": "EventGridSchema",
            }
        )


def _stop(directory: Path) -> tuple[Child, ...]:
    stack = read(directory)
    children = tuple(reversed(stack.children)) if stack else ()
    alive = tuple(child for child in children if child.is_alive())
    processes.stop(children)
    for name in ("stack.json", "env", "landscape.yaml", "host.json", "cloud.json"):
        (directory / name).unlink(missing_ok=True)
    return alive


def read(directory: Path) -> Stack | None:
    """What was started there and not stopped since, whether or not it was to the end and still lives.

    Raises StackError when what is written of it cannot be understood.
    """
    directory = directory.resolve()
    path = directory / "stack.json"
    try:
        document = _object(path)
        return Stack(
            directory=directory,
            children=tuple(Child(**child) for child in document["children"]),
            environment=document["environment"],
            complete=document["complete"],
        )
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError) as error:
        # Not deleted here: what is left of it may be all that tells which processes to end.
        raise StackError(
            f"{path} is broken, so nobody knows which processes it started.\n"
            f"End those that still run (they work in {directory}), then delete that file."
        ) from error


def _log(directory: Path, name: str) -> Path:
    return directory / "logs" / f"{name}.log"


def _object(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """One `up` or `down` at a time per directory; the system lets go of it when its holder dies."""
    with (directory / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
