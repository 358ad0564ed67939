"""Argo CD's Applications in memory. What comes of a request is told by `refreshed` and `synced`."""

# ruff: noqa: ARG002 (the ports' signatures)

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared.clients.argocd import Application
from shared.clients.azure_core import as_unknown
from shared.clients.managed_clusters import ApiServer
from shared.errors import NotWritten, ReconvergeError
from shared.model import Absent, Known, Read
from tests.unit.applications.builders import SECOND, application


@dataclass(slots=True)
class ArgoCD:
    held: dict[str, Application] = field(default_factory=dict)
    served: bool = True
    trouble: dict[str, ReconvergeError] = field(default_factory=dict)
    """By the name of a call: what it meets in place of its answer."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """What was asked of which Application, reads aside."""
    lists: int = 0
    refreshed: Callable[[str], None] = lambda _name: None
    synced: Callable[[str], None] = lambda _name: None
    reasons: list[str] = field(default_factory=list)
    """What was written beside each sync."""

    def application(self, api_server: ApiServer, namespace: str, name: str) -> Read[Application]:
        assert namespace == "argocd"
        if error := self.trouble.get("application"):
            return as_unknown(error)
        return Known(self.held[name]) if name in self.held else Absent()

    def applications(self, api_server: ApiServer, namespace: str) -> Read[tuple[Application, ...]]:
        assert namespace == "argocd"
        self.lists += 1
        if error := self.trouble.get("applications"):
            return as_unknown(error)
        return Known(tuple(self.held.values())) if self.served else Absent()

    def refresh(self, api_server: ApiServer, namespace: str, name: str, *, uid: str) -> None:
        assert self.held[name].uid == uid
        self._ask("refresh", name)
        if self.held[name].running:
            raise NotWritten("an operation is in progress", delay=SECOND)
        self.change(name, refreshing=True)
        self.refreshed(name)

    def sync(self, api_server: ApiServer, namespace: str, name: str, *, uid: str, why: str) -> None:
        assert self.held[name].uid == uid
        self._ask("sync", name)
        if self.held[name].running:
            raise NotWritten("an operation is in progress", delay=SECOND)
        self.change(name, requested=True, operation=None)
        self.reasons.append(why)
        self.synced(name)

    def terminate(
        self, api_server: ApiServer, namespace: str, name: str, *, uid: str, started: datetime
    ) -> None:
        operation = self.held[name].operation
        assert operation is not None
        assert (self.held[name].uid, operation.started) == (uid, started)
        self._ask("terminate", name)
        self.change(name, operation=replace(operation, phase="Terminating"))

    def _ask(self, what: str, name: str) -> None:
        if error := self.trouble.get(what):
            raise error
        self.asked.append((what, name))

    # -- what people and controllers do ---------------------------------------------------

    def make(self, name: str, **changes: Any) -> None:
        self.held[name] = application(name, **changes)

    def change(self, name: str, **changes: Any) -> None:
        self.held[name] = replace(self.held[name], **changes)
