"""The web server of the host: one dispatch table, the function routes last."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from sandbox.host.admin import Admin
from sandbox.host.eventgrid import EventGridWebhook
from sandbox.host.http import HttpFunctions
from sandbox.host.routes import Route

type Handler = Callable[[web.Request, Mapping[str, str]], Awaitable[web.StreamResponse]]

# https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#limits
_LARGEST_REQUEST = 210_000_000


class Dispatcher:
    """Paths match without regard to letter case, as in ASP.NET, which aiohttp's own router cannot do."""

    def __init__(self, admin: Admin, webhook: EventGridWebhook, functions: HttpFunctions) -> None:
        self._functions = functions
        self._table: tuple[tuple[Route, frozenset[str], Handler], ...] = (
            (Route.parse("admin/host/ping"), frozenset({"GET", "POST"}), admin.ping),
            (Route.parse("admin/host/status"), frozenset({"GET"}), admin.status),
            (Route.parse("admin/functions"), frozenset({"GET"}), admin.list_functions),
            (Route.parse("admin/functions/{name}"), frozenset({"POST"}), admin.run),
            (
                Route.parse("runtime/webhooks/{extension}/{*rest}"),
                frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS"}),
                webhook.handle,
            ),
        )

    async def handle(self, request: web.Request) -> web.StreamResponse:
        for route, methods, handler in self._table:
            parameters = route.match(request.rel_url.raw_path)
            if parameters is None:
                continue
            if request.method not in methods:
                return web.Response(status=405, headers={"Allow": ", ".join(sorted(methods))})
            return await handler(request, parameters)
        return await self._functions.handle(request)


async def listen(dispatcher: Dispatcher, port: int, drain_seconds: float) -> tuple[web.AppRunner, str]:
    """Serve on 127.0.0.1. Answers the runner, to be cleaned up, and the base URL.

    drain_seconds: how long requests under way may take once the runner is cleaned up.
    Raises OSError when the port is taken.
    """
    app = web.Application(client_max_size=_LARGEST_REQUEST)
    app.router.add_route("*", "/{path:.*}", dispatcher.handle)
    # Without an access log: a URL holds the key in `code`.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=drain_seconds)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    _, bound = runner.addresses[0][:2]
    return runner, f"http://127.0.0.1:{bound}"
