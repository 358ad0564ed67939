"""An environment's Keycloak, as one build of the cluster has it: it is empty when the build is new."""

from dataclasses import dataclass

from aiohttp import web

from sandbox.web_sites import unavailable


@dataclass(slots=True, kw_only=True)
class Keycloak:
    environment: str

    async def handle(self, request: web.Request) -> web.StreamResponse:
        return await unavailable(request)
