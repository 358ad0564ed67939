"""The admin API, for the holder of the master key; `ping` is open, as load balancers use it.

https://learn.microsoft.com/azure/azure-functions/functions-manually-run-non-http
"""

import asyncio
import json
import logging
import time
from collections.abc import Iterable, Mapping

from aiohttp import web

from sandbox.host.bindings import EventGridTrigger, Function, HttpTrigger, QueueTrigger, TimerTrigger
from sandbox.host.executor import Executor
from sandbox.host.keys import Keys, Level
from sandbox.host.routes import join
from sandbox.host.runtime import Datum, InvocationError
from sandbox.host.schedules import payload

log = logging.getLogger("host.admin")


class Admin:
    def __init__(
        self, functions: Iterable[Function], *, host_id: str, prefix: str, keys: Keys, executor: Executor
    ) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._host_id = host_id
        self._prefix = prefix
        self._keys = keys
        self._executor = executor
        self._started = time.monotonic()
        self._running: set[asyncio.Task[None]] = set()

    async def ping(self, _: web.Request, __: Mapping[str, str]) -> web.Response:
        return web.json_response({"hostState": "Running"})

    async def status(self, request: web.Request, _: Mapping[str, str]) -> web.Response:
        if not self._keys.allow(request, Level.ADMIN):
            return web.Response(status=401)
        uptime = round((time.monotonic() - self._started) * 1000)
        return web.json_response({"id": self._host_id, "state": "Running", "processUptime": uptime})

    async def list_functions(self, request: web.Request, _: Mapping[str, str]) -> web.Response:
        if not self._keys.allow(request, Level.ADMIN):
            return web.Response(status=401)
        return web.json_response([self._describe(request, function) for function in self._functions.values()])

    async def run(self, request: web.Request, parameters: Mapping[str, str]) -> web.Response:
        """Start the function with `{"input": "…"}` and answer 202 without waiting for it.

        400: the body is no such JSON, or the function is an HTTP one, which is run by its own URL.
        """
        if not self._keys.allow(request, Level.ADMIN):
            return web.Response(status=401)
        function = self._functions.get(parameters["name"].lower())
        if function is None:
            return web.Response(status=404)
        try:
            document = json.loads(await request.read())
            data = _data(function, document.get("input") or "")
        except (ValueError, AttributeError):
            return web.Response(status=400, text='the body must be {"input": "<text>"}')
        if data is None:
            return web.Response(status=400, text=f"{function.name} is an HTTP function: call its URL")
        task = asyncio.create_task(self._run(function, data))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return web.Response(status=202)

    async def finish(self) -> None:
        """Wait for the runs that were started here."""
        while self._running:
            await asyncio.wait(self._running)

    async def _run(self, function: Function, data: Datum) -> None:
        try:
            await self._executor.run(function, data)
        except InvocationError as error:
            log.warning("admin.run_failed", extra={"function": function.name, "error": str(error)})

    def _describe(self, request: web.Request, function: Function) -> dict[str, object]:
        described: dict[str, object] = {
            "name": function.name,
            "language": "python",
            "isDisabled": False,
            "config": {"bindings": function.raw},
        }
        if isinstance(function.trigger, HttpTrigger):
            path = join(self._prefix, function.trigger.route)
            described["invoke_url_template"] = f"{request.url.origin()}/{path}"
        return described


def _data(function: Function, text: str) -> Datum | None:
    """The trigger's data for a manual run; None when there is no such thing."""
    match function.trigger:
        case QueueTrigger():
            return Datum(text, "string")
        case EventGridTrigger():
            return Datum(json.dumps(json.loads(text)), "json")
        case TimerTrigger():
            return Datum(payload(None, past_due=False), "json")
        case HttpTrigger():
            return None
