"""`reconverge sandbox`: a cloud, a storage account and the app on this computer's loopback interface."""

import argparse
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import requests

from cli.exits import Exit
from cli.inputs import folder
from cli.output import Screen, Style, short_id
from cli.surroundings import Surroundings
from sandbox import stack, variants
from sandbox.control_client import Control, ControlError
from sandbox.environment import Channel
from sandbox.gitops import Fate
from sandbox.processes import Child
from sandbox.stack import Stack
from shared.errors import Misconfigured, PermanentError
from shared.landscape import Environment, load
from shared.settings import APP_DIRECTORY

HOME: Final = APP_DIRECTORY / ".sandbox"
ACTIONS: Final = ("up", "recreate", "submodule", "break", "down", "status")
TAKERS: Final = {"host": ("up",), "environment": ("recreate", "break"), "commit": ("submodule",)}
"""The flags that not every action takes, with those that do."""
ENVIRONMENT: Final = "dev"
PRESENT: Final = "present"
COMMITS: Final = (*(fate.value for fate in Fate), PRESENT)
"""What may be of the commit that the submodule stands at."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help=f"break: what to break, one of {', '.join(variants.VARIANTS)}",
    )
    parser.add_argument("--dir", type=folder, default=HOME, metavar="DIR", help="where it keeps its files")
    parser.add_argument(
        "--host",
        choices=("runtime", "func"),
        help="up: the loopback host, which is the default, or Core Tools from PATH",
    )
    parser.add_argument(
        "--environment",
        metavar="E",
        help=f"recreate: whose cluster to build anew; break: where; by default {ENVIRONMENT}",
    )
    parser.add_argument(
        "--commit",
        choices=COMMITS,
        help="submodule: move it to a commit that git does not serve any more but GitHub has, that nobody "
        "has, or that everybody can fetch; by default the first",
    )


def run(given: argparse.Namespace, here: Surroundings) -> Exit:
    if given.name is not None and given.action != "break":
        raise Misconfigured(f"{given.action} takes no name")
    for flag, takers in TAKERS.items():
        if getattr(given, flag) is not None and given.action not in takers:
            raise Misconfigured(f"--{flag} belongs to {' and '.join(takers)}")
    match given.action:
        case "up":
            return _up(given, here)
        case "recreate":
            return _recreate(given, here)
        case "submodule":
            return _move_submodule(given, here)
        case "break":
            return _break(given, here)
        case "down":
            return _down(given, here)
        case _:
            return _status(given, here)


def _up(given: argparse.Namespace, here: Surroundings) -> Exit:
    screen = here.screen
    with screen.waiting("starting a cloud, a storage account and the app"):
        running = start(given.dir, given.host or "runtime")
    _show(screen, given.dir, running)
    if not screen.as_json:
        screen.say()
        screen.say(f"source {shlex.quote(str(given.dir / 'env'))}", Style.HEAD)
        screen.say("  points az, kubectl, the Azure SDKs and reconverge at it. Then, for example:")
        screen.say(command(here, "recreate", given.dir), Style.HEAD)
        screen.say(here.command("journal", "--changes"), Style.HEAD)
    return Exit.CONVERGED


def command(here: Surroundings, action: str, directory: Path) -> str:
    """To be typed for the sandbox of that directory."""
    elsewhere = () if directory == HOME else ("--dir", str(directory))
    return here.command("sandbox", action, *elsewhere)


def start(
    directory: Path,
    host: stack.Host = "runtime",
    *,
    channel: Channel = Channel.WORKFLOW,
    sweep: str | None = None,
) -> Stack:
    """Raises PermanentError with the end of the log that tells why."""
    with _stack_errors():
        return stack.up(directory, host=host, channel=channel, sweep=sweep)


def load_stack(directory: Path) -> Stack | None:
    """Raises PermanentError."""
    with _stack_errors():
        return stack.load(directory)


def stop(directory: Path) -> tuple[Child, ...]:
    """What was stopped. Raises PermanentError."""
    with _stack_errors():
        return stack.down(directory)


@contextmanager
def _stack_errors() -> Iterator[None]:
    try:
        yield
    except stack.StackError as error:
        raise PermanentError(str(error)) from error


def _recreate(given: argparse.Namespace, here: Surroundings) -> Exit:
    screen, running = here.screen, _running(given, here)
    rebuilt = []
    for cluster in clusters_of(running, given.environment or ENVIRONMENT):
        with screen.waiting(f"rebuilding {short_id(cluster)}"):
            rebuilt.append(recreate(given.dir, cluster))
    if screen.as_json:
        screen.document({"rebuilt": rebuilt})
    else:
        for one in rebuilt:
            screen.say(f"{one['name']} is rebuilt")
            screen.say(f"  issuer: {one['previousIssuer']} → {one['issuer']}")
    return Exit.CONVERGED


def _move_submodule(given: argparse.Namespace, here: Surroundings) -> Exit:
    _running(given, here)
    commit = given.commit or Fate.FORGOTTEN.value
    moved = move_submodule(given.dir, commit)
    if here.screen.as_json:
        here.screen.document({"submodule": moved})
    else:
        here.screen.say(f"{moved['path']} of {moved['parent']} stands at {moved['commit']}, {commit}")
    return Exit.CONVERGED


def move_submodule(directory: Path, commit: str = Fate.FORGOTTEN) -> dict[str, Any]:
    """Let the submodule of the GitOps repository stand at a commit of that kind, one of COMMITS: where then.
    Raises PermanentError.
    """
    control = Control.from_dir(directory)
    try:
        return control.mend_submodule() if commit == PRESENT else control.break_submodule(commit)
    except (ControlError, requests.RequestException) as error:
        raise PermanentError(f"the submodule could not be moved: {error}") from error


def _break(given: argparse.Namespace, here: Surroundings) -> Exit:
    known = ", ".join(variants.VARIANTS)
    if given.name is None:
        raise Misconfigured(f"say what to break: {known}")
    if given.name not in variants.VARIANTS:
        raise Misconfigured(f"nothing is called {given.name!r} to be broken; there are {known}")
    environment = given.environment or ENVIRONMENT
    if not _declared(_running(given, here), environment).enabled:
        raise Misconfigured(f"environment {environment!r} is switched off: the sandbox has nothing of it")
    broken = break_(given.dir, given.name, environment)
    if here.screen.as_json:
        here.screen.document(broken)
    else:
        here.screen.say(f"{broken['variant']} in {broken['environment']}: {broken['about']}")
    return Exit.CONVERGED


def break_(directory: Path, name: str, environment: str) -> dict[str, Any]:
    """Bring the environment into that broken state: what the sandbox says of it. Raises PermanentError."""
    try:
        return Control.from_dir(directory).break_(name, environment)
    except (ControlError, requests.RequestException) as error:
        raise PermanentError(f"{environment} could not be broken: {error}") from error


def _running(given: argparse.Namespace, here: Surroundings) -> Stack:
    """Raises Misconfigured."""
    running = load_stack(given.dir)
    if running is None:
        up = command(here, "up", given.dir)
        raise Misconfigured(f"no sandbox runs in {given.dir}: start one with `{up}`")
    return running


def clusters_of(running: Stack, environment: str) -> tuple[str, ...]:
    """ARM ids. Raises Misconfigured."""
    return tuple(cluster.id for cluster in _declared(running, environment).clusters)


def _declared(running: Stack, name: str) -> Environment:
    """By the landscape that the sandbox's app works with. Raises Misconfigured."""
    environments = load(running.environment["RECONVERGE_LANDSCAPE"]).environments
    if name not in environments:
        raise Misconfigured(f"environment {name!r} is unknown; there are {', '.join(environments)}")
    return environments[name]


def recreate(directory: Path, cluster: str) -> dict[str, Any]:
    """What the sandbox says of the new cluster. Raises PermanentError."""
    try:
        return Control.from_dir(directory).recreate(cluster)
    except (ControlError, requests.RequestException) as error:
        raise PermanentError(f"the cluster could not be rebuilt: {error}") from error


def _down(given: argparse.Namespace, here: Surroundings) -> Exit:
    screen, stopped = here.screen, stop(given.dir)
    if screen.as_json:
        screen.document({**_plain(given.dir, None), "stopped": _processes(stopped)})
        return Exit.CONVERGED
    _show(screen, given.dir, None)
    for child in stopped:
        screen.say(f"  stopped {child.pid}  {child.name}")
    return Exit.CONVERGED


def _status(given: argparse.Namespace, here: Surroundings) -> Exit:
    with _stack_errors():
        started = stack.read(given.dir)
    ended = started.ended if started else ()
    if started is None or (started.complete and not ended):
        _show(here.screen, given.dir, started)
        return Exit.CONVERGED if started else Exit.DIFFERENCES
    _show_half(here, given.dir, started, ended)
    return Exit.DIFFERENCES


def _show_half(here: Surroundings, directory: Path, started: Stack, ended: tuple[Child, ...]) -> None:
    """A sandbox that does not run, though parts of it may."""
    screen, alive = here.screen, [child for child in started.children if child not in ended]
    if screen.as_json:
        logs = [{"name": child.name, "log": str(started.log(child))} for child in ended]
        screen.document({**_plain(directory, None), "processes": _processes(alive), "ended": logs})
        return
    _show(screen, directory, None)
    if not started.complete:
        screen.say("  its start goes on, or was cut short")
    for child in ended:
        screen.say(f"  ended  {child.name}  its log is {started.log(child)}")
    for child in alive:
        screen.say(f"  process {child.pid}  {child.name}")
    screen.say(f"start all of it anew with `{command(here, 'up', directory)}`")
    screen.say(f"or stop the rest with `{command(here, 'down', directory)}`")


def _show(screen: Screen, directory: Path, running: Stack | None) -> None:
    told = _plain(directory, running)
    if screen.as_json:
        screen.document(told)
        return
    screen.say(f"{'running' if running else 'not running'} in {directory}")
    for name, address in told["addresses"].items():
        screen.say(f"  {name}  {address}")
    for child in told["processes"]:
        screen.say(f"  process {child['pid']}  {child['name']}")


def _plain(directory: Path, running: Stack | None) -> dict[str, Any]:
    """For JSON."""
    return {
        "running": running is not None,
        "directory": str(directory),
        "addresses": {
            name: running.environment[variable]
            for name, variable in (("cloud", "SANDBOX_URL"), ("app", "RECONVERGE_APP_URL"))
            if running and variable in running.environment
        },
        "processes": _processes(running.children if running else ()),
    }


def _processes(children: Iterable[Child]) -> list[dict[str, Any]]:
    return [{"name": one.name, "pid": one.pid} for one in children]
