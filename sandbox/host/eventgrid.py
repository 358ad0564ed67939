"""The Event Grid webhook, `/runtime/webhooks/eventgrid?functionName=F&code=KEY`.

As the extension's `HttpRequestProcessor` answers: https://github.com/Azure/azure-sdk-for-net/tree/main/sdk/eventgrid
/Microsoft.Azure.WebJobs.Extensions.EventGrid/src/TriggerBinding
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from sandbox.host.bindings import EventGridTrigger, Function
from sandbox.host.executor import Executor
from sandbox.host.keys import EVENT_GRID_KEY, Keys
from sandbox.host.runtime import Datum, InvocationError


class EventGridWebhook:
    def __init__(self, functions: Iterable[Function], keys: Keys, executor: Executor) -> None:
        self._keys = keys
        self._executor = executor
        self._functions = {
            function.name: function
            for function in functions
            if isinstance(function.trigger, EventGridTrigger)
        }

    async def handle(self, request: web.Request, parameters: Mapping[str, str]) -> web.StreamResponse:
        """404 unknown extension or function · 401 wrong key · then see `_answer`."""
        if parameters["extension"].lower() != "eventgrid":
            return web.Response(status=404)
        if not self._keys.allow_system(request, EVENT_GRID_KEY):
            return web.Response(status=401)
        # Letter case counts in the function's name, though it does nowhere else in the URL.
        name = request.query.get("functionName", "")
        if name not in self._functions:
            return web.Response(status=404, text=f"cannot find function: '{name}'")
        return await self._answer(self._functions[name], request)

    async def _answer(self, function: Function, request: web.Request) -> web.Response:
        """By the kind of delivery; 400 for one that Event Grid does not send."""
        match request.headers.get("aeg-event-type", "").lower():
            case "subscriptionvalidation":
                return _validate(await _body(request))
            case "notification":
                return await self._notify(function, await _body(request))
            case "unsubscribe":
                return web.Response(status=202)
        return web.Response(status=400)

    async def _notify(self, function: Function, body: Any) -> web.Response:
        """Run the function once per event, all at once: 202 when all succeed.

        Otherwise 500 with the first error's text, upon which Event Grid sends the whole batch again.
        """
        events = body if isinstance(body, list) else [body]
        endings = await asyncio.gather(
            *(self._executor.run(function, Datum(json.dumps(event), "json")) for event in events),
            return_exceptions=True,
        )
        failures = [ending for ending in endings if isinstance(ending, BaseException)]
        for failure in failures:
            if not isinstance(failure, InvocationError):
                raise failure
        return web.Response(status=500, text=str(failures[0])) if failures else web.Response(status=202)


def _validate(body: Any) -> web.Response:
    """Echo the code of the handshake. A CloudEvent may carry its data as JSON in a string."""
    data = (body[0] if isinstance(body, list) else body)["data"]
    if isinstance(data, str):
        data = json.loads(data)
    return web.json_response({"validationResponse": data["validationCode"]})


async def _body(request: web.Request) -> Any:
    return json.loads(await request.read())
