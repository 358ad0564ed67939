"""A healthy sweep of a whole environment: its calls against the floor, its memory against its SDKs alone.

The sandbox's `dev` with every responder, through the app's own clients: ARM, Key Vault, the cluster, a real
OpenBao and real Git. The floor names each thing that a verdict needs, once, whichever responders need it.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.measure import Line
from bench.wire import watched
from responders import REGISTRY, wiring
from responders.service import Service
from sandbox import stack
from shared import routing
from shared.landscape import Environment, load
from shared.memory import MemoryMessages, MemoryRows
from shared.model import Word, utc_now
from shared.notices import Notifier
from shared.settings import Settings
from shared.workqueue import QUEUE

ENVIRONMENT: Final = "dev"
SETTLE_SECONDS: Final = 120.0
CALLS_TARGET: Final = 1.5
"""Two responders that need the same cluster or identity read it each: targets share nothing between runs."""
MEMORY_TARGET: Final = 1.2
SDKS: Final = (
    "azure.functions",
    "azure.identity",
    "azure.mgmt.containerservice",
    "azure.mgmt.msi",
    "azure.keyvault.secrets",
    "dulwich.client",
    "kubernetes.client",
    "hvac",
    "pydantic",
    "ruamel.yaml",
)


def lines() -> list[Line]:
    with _environment() as environment:
        return [_calls(environment), _memory(environment)]


# -- calls ----------------------------------------------------------------------------------


def _calls(environment: Mapping[str, str]) -> Line:
    sweep = _Sweep(environment)
    sweep.run()  # warms clients, connections and tokens
    with watched() as sent:
        sweep.run()
    declared = sweep.landscape.environments[ENVIRONMENT]
    known = _services(environment, declared)
    made = Counter((known.get(one.port, "cluster"), one.method, one.path) for one in sent)
    floor = _floor(declared)
    repeated = sorted(
        f"{path.rpartition('/')[2]} ×{count}" for (_, _, path), count in made.items() if count > 1
    )
    return Line(
        what=f"calls of a healthy sweep of {ENVIRONMENT}, {len(sweep.targets)} targets",
        measured=f"{made.total()} calls",
        against=f"each thing that must be read, once: {floor}",
        ratio=made.total() / floor,
        target=CALLS_TARGET,
        note=f"read by more than one responder: {', '.join(repeated) or 'nothing'}",
    )


def _floor(environment: Environment) -> int:
    """What no verdict can do without, written down by hand from what is declared."""
    vault = environment.vault
    if vault is None:
        raise RuntimeError(f"{environment.name} declares no Vault")
    arm = (
        len(environment.clusters) + 2 * len(environment.identities) + 2
    )  # the vault's address, the kubeconfig
    git = 3 * len(environment.facts)  # capabilities, refs, the one commit
    # The same of the repository and of its one submodule, and .gitmodules; a tip needs no look of its own.
    git += 7 * len(environment.submodules)
    key_vault = 1 + len(set(vault.seeds.values()))
    in_vault = 2 + len(vault.seeds)  # seal status, login
    cluster = 5  # CronJob, Jobs, stores, ExternalSecrets, Applications
    return (
        arm
        + git
        + key_vault
        + in_vault
        + cluster
        + _floor_of_keycloak(environment)
        + _floor_of_gitlab(environment)
    )


def _floor_of_keycloak(environment: Environment) -> int:
    keycloak = environment.keycloak
    if keycloak is None:
        return 0
    cluster = 4 + len(keycloak.secrets)  # imports, two Jobs, digests; the Application is in the list
    in_vault = sum(one.vault_key is not None for one in keycloak.clients.values())
    web = 3  # the realm as anybody sees it, a token, the clients
    return cluster + in_vault + web + 1 + 1  # the login's secret; our open pull requests


def _floor_of_gitlab(environment: Environment) -> int:
    """Jobs, three kinds of pods, ConfigMaps and the page; pull requests are in Keycloak's list."""
    return 6 if environment.gitlab else 0


def _services(environment: Mapping[str, str], declared: Environment) -> Mapping[int, str]:
    """By port."""
    vault = declared.vault
    addresses = {
        "cloud": environment["RECONVERGE_ARM_ENDPOINT"],
        "github": environment["RECONVERGE_GITHUB_URL"],
        "identity": environment["IDENTITY_ENDPOINT"],
        "vault": vault.address if vault else "",
        "keycloak": declared.keycloak.url if declared.keycloak else "",
        "gitlab": declared.gitlab.url if declared.gitlab else "",
    }
    return {port: name for name, url in addresses.items() if (port := urlsplit(url).port)}


# -- memory ---------------------------------------------------------------------------------


def _memory(environment: Mapping[str, str]) -> Line:
    whole = _peak("run", environment)
    alone = _peak("import", environment)
    return Line(
        what="memory of a process that swept the environment",
        measured=f"{whole / 1024:.0f} MiB",
        against=f"its SDKs imported and nothing done: {alone / 1024:.0f} MiB",
        ratio=whole / alone,
        target=MEMORY_TARGET,
    )


def _peak(what: str, environment: Mapping[str, str]) -> int:
    """KiB of resident memory, at its highest."""
    ended = subprocess.run(  # noqa: S603 (our own module)
        [sys.executable, "-m", "bench.sweep", what],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return int(json.loads(ended.stdout))


def _in_child(what: str) -> None:
    import resource  # noqa: PLC0415 (of the child alone)
    from importlib import import_module  # noqa: PLC0415 (the same)

    for name in SDKS:
        import_module(name)
    if what == "run":
        _Sweep(os.environ).run()
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


# -- how ------------------------------------------------------------------------------------


class _Nobody:
    """Notices of shared.ports."""

    def tell(self, kind: str, subject: str, data: Mapping[str, str]) -> None:
        """Nobody needs to know of a benchmark."""


class _Sweep:
    """The app in this process, with a memory of its own."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.landscape = load(environment["RECONVERGE_LANDSCAPE"])
        self.targets = routing.expand(self.landscape, ENVIRONMENT, REGISTRY)
        self._messages = MemoryMessages(utc_now)
        self._service = Service(
            rows=MemoryRows(),
            messages=self._messages,
            world=wiring.world(Settings.from_environment(environment)),
            read_landscape=lambda: self.landscape,
            notifier=Notifier(_Nobody()),
        )

    def run(self) -> None:
        """One run of each target. Raises RuntimeError unless all are well."""
        for target in self.targets:
            self._service.queue.want(target, str(uuid.uuid4()))
            message = self._messages.take(QUEUE)
            outcome = self._service.run(message.encode()) if message else None
            if outcome is None or outcome.word is not Word.CONVERGED:
                raise RuntimeError(f"{target} is not healthy: {outcome.because if outcome else 'no run'}")


@contextmanager
def _environment() -> Iterator[Mapping[str, str]]:
    """A sandbox without the app, in which everything has happened once."""
    with tempfile.TemporaryDirectory(prefix="reconverge-bench-") as folder:
        running = stack.up(Path(folder), app=None)
        before = dict(os.environ)
        try:
            os.environ.update(running.environment)
            _settle(running.environment)
            yield running.environment
        finally:
            os.environ.clear()
            os.environ.update(before)
            stack.down(Path(folder))


def _settle(environment: Mapping[str, str]) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            _Sweep(environment).run()
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return


if __name__ == "__main__":
    _in_child(sys.argv[1])
