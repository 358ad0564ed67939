"""Jobs, pods, realm imports, ConfigMaps and Secrets of one namespace, in memory.

Values of Secrets live here alone: a run sees what it does of the real ones. What comes of a Job that is made
again is told by `reran`.
"""

# ruff: noqa: ARG002 (the ports' signatures)

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from shared.clients.azure_core import as_unknown
from shared.clients.cluster_api import JobState
from shared.clients.fingerprints import placeholder_digest
from shared.clients.managed_clusters import ApiServer
from shared.clients.workloads import Config, Entry, Materialised, Pod, RealmImport, Work
from shared.errors import ReconvergeError
from shared.model import Absent, Clock, Known, Read, utc_now


def work(name: str, **changes: Any) -> Work:
    """A Job that is no hook and that is running, unless told otherwise."""
    base: dict[str, Any] = {
        "name": name,
        "uid": f"uid-{name}",
        "labels": {},
        "hook": "",
        "wave": 0,
        "state": JobState.ACTIVE,
        "reason": "",
        "created": None,
        "started": None,
        "completed": None,
        "deleting": False,
    }
    return Work(**{**base, **changes})


def pod(name: str, **changes: Any) -> Pod:
    """A pod that is ready, unless told otherwise."""
    base: dict[str, Any] = {
        "name": name,
        "labels": {},
        "created": None,
        "phase": "Running",
        "ready": True,
        "waiting": (),
        "initialised": True,
        "containers": (),
    }
    return Pod(**{**base, **changes})


def realm_import(name: str, **changes: Any) -> RealmImport:
    """One that is done, unless told otherwise."""
    base: dict[str, Any] = {
        "name": name,
        "done": True,
        "started": False,
        "errors": False,
        "created": None,
        "since": None,
    }
    return RealmImport(**{**base, **changes})


@dataclass(slots=True)
class Workloads:
    clock: Clock = utc_now
    works: dict[str, Work] = field(default_factory=dict)
    job_logs: dict[str, str] = field(default_factory=dict)
    """By the Job's name: what its newest pod wrote."""
    pod_list: dict[str, Pod] = field(default_factory=dict)
    pod_logs: dict[tuple[str, str], str] = field(default_factory=dict)
    """By pod and container."""
    imports: dict[str, RealmImport] = field(default_factory=dict)
    served: bool = True
    """The cluster knows the kind of realm imports."""
    configs: dict[str, Config] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of Secrets, by name and key."""
    trouble: dict[str, ReconvergeError] = field(default_factory=dict)
    """By the name of a call: what it meets in place of its answer. `rerun lost` strikes after its effect."""
    reruns: list[str] = field(default_factory=list)
    """The Jobs that were made again, each time."""
    reran: Callable[[str], None] = lambda _name: None
    _uids: "count[int]" = field(default_factory=lambda: count(1))

    # -- what a run reads -----------------------------------------------------------------

    def job(self, api_server: ApiServer, namespace: str, name: str) -> Read[Work]:
        return self._read("job", self.works.get(name))

    def jobs(self, api_server: ApiServer, namespace: str, selector: str) -> Read[tuple[Work, ...]]:
        return self._read("jobs", _newest(_selected(self.works.values(), selector)))

    def job_log(self, api_server: ApiServer, namespace: str, job: str) -> Read[str]:
        return self._read("job_log", self.job_logs.get(job))

    def pods(self, api_server: ApiServer, namespace: str, selector: str) -> Read[tuple[Pod, ...]]:
        return self._read("pods", _newest(_selected(self.pod_list.values(), selector)))

    def pod_log(self, api_server: ApiServer, namespace: str, pod: str, container: str) -> Read[str]:
        return self._read("pod_log", self.pod_logs.get((pod, container)))

    def realm_imports(self, api_server: ApiServer, namespace: str) -> Read[tuple[RealmImport, ...]]:
        return self._read("realm_imports", tuple(self.imports.values()) if self.served else None)

    def config_map(self, api_server: ApiServer, namespace: str, name: str) -> Read[Config]:
        return self._read("config_map", self.configs.get(name))

    def config_maps(self, api_server: ApiServer, namespace: str, selector: str) -> Read[tuple[Config, ...]]:
        return self._read("config_maps", _newest(_selected(self.configs.values(), selector)))

    def secret(
        self,
        api_server: ApiServer,
        namespace: str,
        name: str,
        *,
        published: Mapping[str, str],
        placeholders: Collection[str],
    ) -> Read[Materialised]:
        held = self.values.get(name)
        if held is None:
            return self._read("secret", None)
        entries = {
            key: Entry(
                empty=not value.strip(),
                placeholder=placeholder_digest(value) in placeholders,
                published=digest(value) == published[key] if key in published else None,
            )
            for key, value in held.items()
        }
        return self._read("secret", Materialised(entries=entries, created=None))

    # -- what a run writes ----------------------------------------------------------------

    def rerun(self, api_server: ApiServer, namespace: str, name: str, *, uid: str) -> None:
        self._strike("rerun")
        assert self.works[name].uid == uid
        self.job_logs.pop(name, None)
        self.works[name] = replace(
            self.works[name],
            uid=f"uid-{name}-{next(self._uids)}",
            state=JobState.ACTIVE,
            reason="",
            created=self.clock(),
            started=self.clock(),
            completed=None,
        )
        self.reruns.append(name)
        self.reran(name)
        self._strike("rerun lost")

    # -- what people and controllers do ---------------------------------------------------

    def make(self, name: str, log: str | None = None, **changes: Any) -> None:
        """A Job, in place of the one of that name."""
        self.works[name] = work(name, **changes)
        if log is not None:
            self.job_logs[name] = log

    def change(self, name: str, **changes: Any) -> None:
        self.works[name] = replace(self.works[name], **changes)

    def run_pod(self, name: str, logs: Mapping[str, str] | None = None, **changes: Any) -> None:
        """logs: by container; these have begun then."""
        given = logs or {}
        self.pod_list[name] = pod(name, **{"containers": tuple(given), **changes})
        self.pod_logs |= {(name, container): text for container, text in given.items()}

    def import_realm(self, name: str, **changes: Any) -> None:
        self.imports[name] = realm_import(name, **changes)

    def configure(self, name: str, data: Mapping[str, str], labels: Mapping[str, str] | None = None) -> None:
        self.configs[name] = Config(name=name, labels=labels or {}, data=data, created=None)

    # -- how ------------------------------------------------------------------------------

    def _read[T](self, call: str, found: T | None) -> Read[T]:
        if error := self.trouble.get(call):
            return as_unknown(error)
        return Absent() if found is None else Known(found)

    def _strike(self, call: str) -> None:
        if error := self.trouble.pop(call, None):
            raise error


def digest(value: str) -> str:
    """As the patcher publishes it."""
    return hashlib.sha256(value.encode()).hexdigest()


def _selected[T: (Work, Pod, Config)](found: Iterable[T], selector: str) -> list[T]:
    """selector: `key=value` and `key!=value`, with commas between them."""
    return [one for one in found if all(_holds(one.labels, term) for term in selector.split(",") if term)]


def _holds(labels: Mapping[str, str], term: str) -> bool:
    key, _, value = term.partition("=")
    return labels.get(key[:-1]) != value if key.endswith("!") else labels.get(key) == value


def _newest[T: (Work, Pod, Config)](found: list[T]) -> tuple[T, ...]:
    begin = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(found, key=lambda one: one.created or begin, reverse=True))
