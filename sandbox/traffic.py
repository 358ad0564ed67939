"""The middleware every public service runs behind: the request log, and injected faults."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.faults import Fault, Faults
from sandbox.timeline import Clock
from sandbox.tokens import Caller

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CALLER: Final = web.RequestKey("caller", Caller)
OPERATION: Final = web.RequestKey("operation", str)
STALE_SECONDS: Final = web.RequestKey("stale_seconds", float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One call: who asked what, and what came of it. Never a body, a query or a header."""

    time: datetime
    service: str
    method: str
    operation: str
    path: str
    status: int | None
    """None: the connection was cut."""
    caller: str
    """Object id; empty when the call proved none."""


class RequestLog:
    KEPT: Final = 50_000
    """So that a long drill stays small; `total` goes on counting."""

    def __init__(self) -> None:
        self._seen: deque[Seen] = deque(maxlen=self.KEPT)
        self.total = 0

    def add(self, seen: Seen) -> None:
        self._seen.append(seen)
        self.total += 1

    def clear(self) -> None:
        self._seen.clear()
        self.total = 0

    def all(self) -> list[Seen]:
        return list(self._seen)


class Traffic:
    def __init__(self, clock: Clock, faults: Faults, log: RequestLog) -> None:
        self._clock = clock
        self._faults = faults
        self._log = log

    def middleware(self, service_of: Callable[[str], str | None]) -> Middleware:
        """Log and disturb every call whose path belongs to a service; None leaves a call alone."""

        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            service = service_of(request.path)
            if service is None:
                return await handler(request)
            fault = self._faults.take(service, request.method, request.path)
            response = await _disturbed(request, handler, fault)
            self._log.add(
                Seen(
                    time=self._clock(),
                    service=service,
                    method=request.method,
                    operation=request.get(OPERATION, ""),
                    path=request.path,
                    status=None if fault and fault.reset else response.status,
                    caller=request[CALLER].object_id if CALLER in request else "",
                )
            )
            return response

        return watch


async def _disturbed(request: web.Request, handler: Handler, fault: Fault | None) -> web.StreamResponse:
    if fault is None:
        return await handler(request)
    request[STALE_SECONDS] = fault.stale_seconds
    if fault.phase == "before":
        await asyncio.sleep(fault.delay)
        return _struck(request, fault) or await handler(request)
    response = await handler(request)
    await asyncio.sleep(fault.delay)
    return _struck(request, fault) or response


def _struck(request: web.Request, fault: Fault) -> web.StreamResponse | None:
    if fault.reset:
        if request.transport is not None:
            request.transport.abort()
        # Nobody receives it: the transport is gone.
        return web.Response(status=500)
    if fault.status is not None:
        text = "" if fault.body is None else json.dumps(fault.body)
        headers = {"Content-Type": "application/json; charset=utf-8", **fault.headers}
        return web.Response(status=fault.status, text=text, headers=headers)
    return None
