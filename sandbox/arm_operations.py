"""Long-running ARM operations: begun by a call, told of at an address of their own until they end."""

import asyncio
import logging
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime

from sandbox.arm_calls import Call, Json, Reply, Route
from sandbox.arm_errors import ArmError
from sandbox.cloud import Cloud

log = logging.getLogger(__name__)

_PATH = (
    "/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/{location}"
    "/operations/{operation}"
)

# Without it pollers ask every 30 s, as Azure's own operations take minutes.
_SOON = {"x-ms-retry-after-ms": "200"}


@dataclass(slots=True)
class _Operation:
    name: str
    started: datetime
    task: asyncio.Task[None]
    ended: datetime | None = None

    def show(self) -> Json:
        body: Json = {"name": self.name, "status": self._status(), "startTime": self.started.isoformat()}
        if self.ended:
            body["endTime"] = self.ended.isoformat()
        return body

    def _status(self) -> str:
        if not self.task.done():
            return "InProgress"
        return "Failed" if self.task.cancelled() or self.task.exception() else "Succeeded"


class Operations:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._operations: dict[str, _Operation] = {}

    def routes(self) -> list[Route]:
        return [Route("GET", _PATH, "", self._show)]

    def begin(self, call: Call, work: Coroutine[object, object, None]) -> dict[str, str]:
        """Run the work beside the call; the headers tell the caller where to ask about it."""
        name = str(uuid.uuid4())
        task = asyncio.get_running_loop().create_task(work)
        operation = _Operation(name, self._cloud.clock(), task)
        task.add_done_callback(lambda _: self._end(operation))
        self._operations[name] = operation
        address = _PATH.format(
            subscription=self._cloud.subscription, location=self._cloud.location, operation=name
        )
        link = f"{self._cloud.base_url}{address}?api-version={call.api_version}"
        return {"Azure-AsyncOperation": link, **_SOON}

    async def stop(self) -> None:
        """Cancel what still runs."""
        tasks = [operation.task for operation in self._operations.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, operation: _Operation) -> None:
        operation.ended = self._cloud.clock()
        if not operation.task.cancelled() and operation.task.exception():
            log.error("arm.operation_failed", exc_info=operation.task.exception())

    async def _show(self, call: Call) -> Reply:
        operation = self._operations.get(call.params["operation"])
        if operation is None:
            raise ArmError(404, "NotFound", "The operation was not found.")
        return Reply(status=200, body=operation.show(), headers=_SOON)
