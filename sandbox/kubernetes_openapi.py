"""As much of the OpenAPI description as kubectl asks for: which kinds can be patched, with what options.

It has no schemas: kubectl then leaves the validation to the server, and merges by what it knows itself.
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3
"""

from typing import Any

from aiohttp import web

from sandbox.kubernetes_errors import no_such_path
from sandbox.kubernetes_resources import RESOURCES, Resource

type Json = dict[str, Any]

_OPTIONS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation")
]


class OpenApi:
    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/openapi/v3", self._index),
            web.get("/openapi/v3/api/{version}", self._document),
            web.get("/openapi/v3/apis/{group}/{version}", self._document),
        ]

    async def _index(self, _: web.Request) -> web.Response:
        paths = dict.fromkeys(_base(resource) for resource in RESOURCES)
        return web.json_response(
            {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in paths}}
        )

    async def _document(self, request: web.Request) -> web.Response:
        base = request.path.removeprefix("/openapi/v3/")
        served = [resource for resource in RESOURCES if _base(resource) == base]
        if not served:
            raise no_such_path()
        return web.json_response(
            {
                "openapi": "3.0.0",
                "info": {"title": "Kubernetes", "version": "unversioned"},
                "paths": dict(_path(base, resource) for resource in served),
                "components": {"schemas": {}},
            }
        )


def _base(resource: Resource) -> str:
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"


def _path(base: str, resource: Resource) -> tuple[str, Json]:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    patch = {
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": kind,
        "parameters": _OPTIONS,
        "responses": {"200": {"description": "OK"}},
    }
    within = "namespaces/{namespace}/" if resource.namespaced else ""
    return f"/{base}/{within}{resource.plural}/{{name}}", {"patch": patch}
