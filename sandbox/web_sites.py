"""What browsers open of the platform: one https address per environment and service, whatever answers there.

An address outlives every build of the cluster, as a name in the DNS does; behind it is what the present build
has. Where there is nothing, the gateway answers in its place.
"""

from collections.abc import Iterable
from functools import partial
from typing import Final

from aiohttp import web

from sandbox.certs import Authority
from sandbox.listening import free_socket, port_of, serve
from sandbox.traffic import Handler, Traffic

SERVICES: Final = ("keycloak", "gitlab")

type Place = tuple[str, str]
"""Environment and service."""


class WebSites:
    def __init__(self, environments: Iterable[str]) -> None:
        self._sockets = {
            (environment, service): free_socket() for environment in environments for service in SERVICES
        }
        self._handlers: dict[Place, Handler] = {}

    def address(self, environment: str, service: str) -> str:
        return f"https://127.0.0.1:{port_of(self._sockets[environment, service])}"

    def show(self) -> dict[str, dict[str, str]]:
        """Addresses by environment and service."""
        shown: dict[str, dict[str, str]] = {}
        for environment, service in self._sockets:
            shown.setdefault(environment, {})[service] = self.address(environment, service)
        return shown

    def open(self, environment: str, service: str, handler: Handler) -> None:
        """Let it answer there from now on."""
        self._handlers[environment, service] = handler

    def close(self) -> None:
        """Nothing is behind any address."""
        self._handlers.clear()

    async def serve(self, authority: Authority, traffic: Traffic) -> list[web.AppRunner]:
        runners = []
        for place, bound in self._sockets.items():
            app = web.Application(middlewares=[traffic.middleware(partial(_service, place))])
            app.add_routes([web.route("*", "/{path:.*}", self._handler(place))])
            runners.append(await serve(app, bound, authority.server_context()))
        return runners

    def _handler(self, place: Place) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handlers.get(place, unavailable)(request)

        return handle


def _service(place: Place, _: str) -> str:
    return place[1]


async def unavailable(_: web.Request) -> web.StreamResponse:
    """As Envoy answers where a route leads to no pod that is ready."""
    return web.Response(status=503, text="no healthy upstream")
