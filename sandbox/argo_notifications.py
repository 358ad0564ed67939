"""Argo CD's notifications controller: what it tells of an Application, to whom, how often, and what is lost.

The order is the controller's own: it remembers first and sends then. What four tries did not deliver is
forgotten again where its trigger has no oncePer, and so tried at the next look; where it has one, it is lost.
What is remembered is stored only at the end, so a controller that dies in between sends twice.
https://github.com/argoproj/notifications-engine (pkg/controller, pkg/triggers, pkg/services/webhook.go)
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ssl import SSLContext
from typing import Final

import aiohttp

from sandbox.argo_expressions import ExpressionError, printed
from sandbox.argo_notifications_config import Condition, Config, Service, Template
from sandbox.argo_templates import TemplateError
from sandbox.dials import Dials
from sandbox.kubernetes_objects import Object
from sandbox.timeline import Clock

log = logging.getLogger(__name__)

NOTIFIED: Final = "notified.notifications.argoproj.io"
MOST_REMEMBERED: Final = 100
RETRIES: Final = 3
SHORTEST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 5.0
"""Seconds; each pause is twice the one before."""
PATIENCE: Final = aiohttp.ClientTimeout(total=None)
"""None: the controller waits for an answer for as long as it takes."""
_ENDED: Final = frozenset({"Failed", "Error", "Succeeded"})


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    body: str = field(repr=False)


class Notifications:
    def __init__(self, config: Config, dials: Dials, clock: Clock, trust: SSLContext) -> None:
        """trust: whose certificates the services may show."""
        self._config = config
        self._dials = dials
        self._clock = clock
        self._trust = trust

    async def reconciled(self, application: Object) -> Mapping[str, str | None] | None:
        """Tell of the Application as it is now. Called after each change of it, and about every minute.

        Answers the annotations to be changed by a merge patch (None removes one), or None where none is.
        """
        if not _is_refreshed(application):
            return None
        before = _annotations(application).get(NOTIFIED)
        memory = _Memory(before, self._clock)
        for trigger, recipient in self._config.recipients(application):
            for condition in self._config.triggers[trigger]:
                await self._consider(application, memory, trigger, condition, recipient)
        after = memory.stored()
        return None if after == before else {NOTIFIED: after}

    async def _consider(
        self, application: Object, memory: "_Memory", trigger: str, condition: Condition, recipient: str
    ) -> None:
        service, _, to = recipient.partition(":")
        key = f"{trigger}:{condition.key}:{service}:{to}"
        if not _holds(condition, application):
            memory.forget(key)
            return
        once_per = _once_per(condition, application)
        remembered = f"{once_per}:{key}" if once_per else key
        if not memory.add(remembered):
            return
        if not await self._send(application, condition.send, service) and not once_per:
            memory.forget(remembered)

    async def _send(self, application: Object, templates: tuple[str, ...], service: str) -> bool:
        """Whether every template's message was delivered."""
        target = self._config.services[service]
        for name in templates:
            try:
                request = _request(target, service, self._config.templates[name], application)
            except TemplateError as error:
                log.error("notification.unrendered", extra={"template": name, "why": str(error)})  # noqa: TRY400
                return False
            if not await self._deliver(target, request):
                return False
        return True

    async def _deliver(self, service: Service, request: _Request) -> bool:
        status: int | None = None
        for tried in range(RETRIES + 1):
            status = await self._try(service, request)
            # 501 alone of the server's failures says that it will not pass.
            if status is not None and status != 429 and (status < 500 or status == 501):
                break
            if tried < RETRIES:
                pause = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2**tried)
                await asyncio.sleep(pause * self._dials.notification_time_scale)
        delivered = status is not None and 200 <= status < 300
        if not delivered:
            log.warning("notification.undelivered", extra={"status": status})
        return delivered

    async def _try(self, service: Service, request: _Request) -> int | None:
        """The answer's status; None when there was none."""
        try:
            async with (
                aiohttp.ClientSession(timeout=PATIENCE, skip_auto_headers=["Content-Type"]) as session,
                session.request(
                    request.method,
                    request.url,
                    data=request.body.encode(),
                    headers=service.headers,
                    ssl=self._trust,
                ) as answer,
            ):
                await answer.read()
                return answer.status
        except aiohttp.ClientError:
            return None


class _Memory:
    """What was told already: keys, each with the time of it in seconds since 1970."""

    def __init__(self, stored: str | None, clock: Clock) -> None:
        self._clock = clock
        try:
            held = json.loads(stored or "{}")
        except ValueError:
            held = {}
        self._held: dict[str, int] = held if isinstance(held, dict) else {}

    def add(self, key: str) -> bool:
        """Whether it is new."""
        if key in self._held:
            return False
        self._held[key] = int(self._clock().timestamp())
        return True

    def forget(self, key: str) -> None:
        self._held.pop(key, None)

    def stored(self) -> str | None:
        """The newest hundred; None where there is nothing to remember."""
        kept = dict(sorted(self._held.items(), key=lambda one: one[1])[-MOST_REMEMBERED:])
        return json.dumps(kept, sort_keys=True, separators=(",", ":")) if kept else None


def _holds(condition: Condition, application: Object) -> bool:
    """An expression that fails counts as false."""
    try:
        return condition.when({"app": application}) is True
    except ExpressionError:
        return False


def _once_per(condition: Condition, application: Object) -> str:
    """Empty where there is none; one that fails, or comes to an empty text, is as good as none."""
    if condition.once_per is None:
        return ""
    try:
        return printed(condition.once_per({"app": application}))
    except ExpressionError:
        return ""


def _request(target: Service, service: str, template: Template, application: Object) -> _Request:
    """Without a block for the service the message goes by GET. Raises TemplateError."""
    variables = {"app": application}
    webhook = template.webhooks.get(service)
    if webhook is None:
        return _Request("GET", target.url, template.message(variables))
    path = webhook.path(variables)
    url = f"{target.url.rstrip('/')}/{path.lstrip('/')}" if path else target.url
    return _Request(webhook.method, url, webhook.body(variables))


def _is_refreshed(application: Object) -> bool:
    """Nothing is told of an operation that has ended before the Application was looked at after that."""
    status = application.get("status", {})
    operation = status.get("operationState", {})
    if operation.get("phase") not in _ENDED:
        return True
    if "finishedAt" not in operation:
        return False
    finished = datetime.fromisoformat(operation["finishedAt"])
    looked = [status[name] for name in ("reconciledAt", "observedAt") if name in status]
    return any(datetime.fromisoformat(at) >= finished for at in looked)


def _annotations(application: Object) -> Mapping[str, str]:
    annotations: Mapping[str, str] = application["metadata"].get("annotations", {})
    return annotations
