"""Argo CD's notifications controller at work in one build of a cluster: it hears of Applications, and tells.

What is to be told, how often and to whom says sandbox.argo_notifications; where to, whoever starts the app.
"""

import asyncio
import ssl
from typing import Final

from sandbox.argo_notifications import Notifications
from sandbox.argo_notifications_config import Config, shipped
from sandbox.dials import Dials
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_resources import APPLICATIONS
from sandbox.reconciling import Worklist
from sandbox.timeline import Clock

HOLD_SECONDS: Final = 0.05

type Key = tuple[str, str]
"""Namespace and name."""


class Messages:
    """Where notifications go: nowhere, until somebody has an address. Outlives a cluster's builds."""

    def __init__(self, dials: Dials, clock: Clock, token: str) -> None:
        """token: what the messages come with."""
        self.dials = dials
        self._clock = clock
        self._token = token
        self.notifications: Notifications | None = None

    def go_to(self, url: str, key: str) -> None:
        """By our own manifests, with this address in the place of the one to be adapted.

        key: the function key, as argocd-notifications-secret has it.
        """
        secret = {"reconverge-token": self._token, "reconverge-function-key": key}
        config = Config.read(shipped(url), secret)
        self.notifications = Notifications(config, self.dials, self._clock, ssl.create_default_context())


class Messenger:
    def __init__(self, objects: Objects, messages: Messages) -> None:
        self._objects = objects
        self._messages = messages
        self._work: Worklist[Key] = Worklist()

    def hear(self, application: Object) -> None:
        metadata = application["metadata"]
        self._work.add((metadata["namespace"], metadata["name"]))

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            key = await self._work.take()
            if key and self._messages.dials.event_hold:
                self._work.add(key)
                await asyncio.sleep(HOLD_SECONDS)
            elif key:
                await self._tell(key)

    async def _tell(self, key: Key) -> None:
        application = self._objects.get(APPLICATIONS, *key)
        if application is None or (notifications := self._messages.notifications) is None:
            return
        changed = await notifications.reconciled(application)
        held = self._objects.get(APPLICATIONS, *key)
        if not changed or held is None:
            return
        annotations = {**held["metadata"].get("annotations", {}), **changed}
        held["metadata"]["annotations"] = {
            name: text for name, text in annotations.items() if text is not None
        }
        self._objects.replace(APPLICATIONS, held)
