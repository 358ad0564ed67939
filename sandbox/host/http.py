"""HTTP triggers: from aiohttp's request to the runtime's, and back.

What a function sees differs from what was sent: header names are lower case, empty query values are gone, and
a body without Content-Length (chunked) is empty. So it is in Azure; see `GrpcMessageConversionExtensions` in
https://github.com/Azure/azure-functions-host
"""

from collections.abc import Iterable
from http.cookies import SimpleCookie

from aiohttp import web
from multidict import CIMultiDict

from sandbox.host.bindings import Function, HttpTrigger
from sandbox.host.executor import Executor
from sandbox.host.keys import Keys
from sandbox.host.routes import Route, join, sort
from sandbox.host.runtime import Datum, InvocationError


class HttpFunctions:
    """Answers every path that no other part of the host owns."""

    def __init__(self, functions: Iterable[Function], prefix: str, keys: Keys, executor: Executor) -> None:
        self._keys = keys
        self._executor = executor
        self._routes = sort(
            (Route.parse(join(prefix, function.trigger.route)), (function, function.trigger))
            for function in functions
            if isinstance(function.trigger, HttpTrigger)
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """404 for a wrong path as for a wrong method (it is a route constraint), 401 for a wrong key, 500."""
        found = self._find(request)
        if found is None:
            return web.Response(status=404)
        function, trigger, parameters = found
        if not self._keys.allow(request, trigger.level):
            return web.Response(status=401)
        try:
            returned = await self._executor.run(function, await _request_datum(request, parameters))
        except InvocationError:
            return web.Response(status=500)
        return _response(returned)

    def _find(self, request: web.Request) -> tuple[Function, HttpTrigger, dict[str, str]] | None:
        for route, (function, trigger) in self._routes:
            if trigger.methods and request.method not in trigger.methods:
                continue
            if (parameters := route.match(request.rel_url.raw_path)) is not None:
                return function, trigger, parameters
        return None


async def _request_datum(request: web.Request, parameters: dict[str, str]) -> Datum:
    body = await request.read() if request.content_length else b""
    query = {name: ",".join(request.query.getall(name)) for name in request.query}
    headers = {name.lower(): ",".join(request.headers.getall(name)) for name in request.headers}
    return Datum(
        {
            "method": _text(request.method),
            "url": _text(str(request.url)),
            "headers": {name: _text(value) for name, value in headers.items()},
            "query": {name: _text(value) for name, value in query.items() if value},
            "params": {name: _text(value) for name, value in parameters.items()},
            "body": Datum(body, "bytes"),
        },
        "http",
    )


def _response(returned: Datum | None) -> web.Response:
    """A returned string is a 200 of plain text; without a `$return` binding the answer is 204."""
    if returned is None:
        return web.Response(status=204)
    if returned.type == "string":
        return web.Response(text=returned.value)
    value = returned.value
    headers = CIMultiDict((name, header.value) for name, header in value["headers"].items())
    response = web.Response(status=int(value["status_code"].value), headers=headers, body=value["body"].value)
    for jar in value["cookies"] or ():
        _set_cookies(response, jar)
    return response


def _set_cookies(response: web.Response, jar: SimpleCookie) -> None:
    for morsel in jar.values():
        response.headers.add("Set-Cookie", morsel.OutputString())


def _text(value: str) -> Datum:
    return Datum(value, "string")
