"""Hands every Application that was reconciled to the notifications, and keeps with it what was told.

Where they go is known only when the app is up, so until then nobody is told of anything.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from sandbox.argo_notifications import Notifications
from sandbox.dials import Dials
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_resources import APPLICATIONS
from sandbox.reconciling import Worklist

HOLD_SECONDS: Final = 0.05


class Notifier:
    def __init__(self, objects: Objects, dials: Dials, told: Callable[[], Notifications | None]) -> None:
        """told: who is told now; None as long as there is nobody"""
        self._objects = objects
        self._dials = dials
        self._told = told
        self._work: Worklist[tuple[str, str]] = Worklist()

    def hear(self, application: Object) -> None:
        """For whoever has reconciled an Application."""
        metadata = application["metadata"]
        self._work.add((metadata["namespace"], metadata["name"]))

    def look(self) -> None:
        """At all Applications: there is somebody new to be told."""
        for one in self._objects.held(APPLICATIONS):
            self.hear(one)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            key = await self._work.take()
            if key and self._dials.event_hold:
                self._work.add(key)
                await asyncio.sleep(HOLD_SECONDS)
            elif key:
                await self._tell(*key)

    async def _tell(self, namespace: str, name: str) -> None:
        notifications, application = self._told(), self._objects.get(APPLICATIONS, namespace, name)
        if notifications is None or application is None:
            return
        changes = await notifications.reconciled(application)
        held = self._objects.get(APPLICATIONS, namespace, name)
        if changes is not None and held is not None:
            self._objects.replace(APPLICATIONS, _annotated(held, changes))


def _annotated(application: Object, changes: Mapping[str, str | None]) -> Object:
    """By a merge patch: None takes an annotation away."""
    metadata = application["metadata"]
    merged = {**(metadata.get("annotations") or {}), **changes}
    annotations = {name: value for name, value in merged.items() if value is not None}
    return {**application, "metadata": {**metadata, "annotations": annotations}}
