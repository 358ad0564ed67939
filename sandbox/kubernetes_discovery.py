"""What a cluster serves, as clients discover it.

https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from typing import Any

from aiohttp import web

from sandbox.kubernetes_errors import no_such_path
from sandbox.kubernetes_resources import PODS, RESOURCES, REVIEWS, SERVICE_ACCOUNTS, Resource

type Json = dict[str, Any]

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


class Discovery:
    def __init__(self, version: str) -> None:
        self._version = version

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/version", self._show_version),
            web.get("/api", self._core_versions),
            web.get("/apis", self._groups),
            web.get("/apis/{group}", self._group),
            web.get("/api/{version}", self._resources),
            web.get("/apis/{group}/{version}", self._resources),
        ]

    async def _show_version(self, _: web.Request) -> web.Response:
        major, minor, _patch = self._version.split(".")
        return web.json_response(
            {
                "major": major,
                "minor": minor,
                "gitVersion": f"v{self._version}",
                "gitCommit": "sandbox",
                "gitTreeState": "clean",
                "buildDate": "2026-01-01T00:00:00Z",
                "goVersion": "none",
                "compiler": "none",
                "platform": "linux/amd64",
            }
        )

    async def _core_versions(self, request: web.Request) -> web.Response:
        host = {"clientCIDR": "0.0.0.0/0", "serverAddress": request.host}
        return web.json_response(
            {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [host]}
        )

    async def _groups(self, _: web.Request) -> web.Response:
        names = dict.fromkeys(one.group for one in (*RESOURCES, *REVIEWS) if one.group)
        groups = [_group_of(name) for name in names]
        return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})

    async def _group(self, request: web.Request) -> web.Response:
        described = _group_of(request.match_info["group"])
        return web.json_response({"kind": "APIGroup", "apiVersion": "v1", **described})

    async def _resources(self, request: web.Request) -> web.Response:
        group, version = request.match_info.get("group", ""), request.match_info["version"]
        served = [one for one in (*RESOURCES, *REVIEWS) if (one.group, one.version) == (group, version)]
        if not served:
            raise no_such_path()
        return web.json_response(
            {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": served[0].api_version,
                "resources": [described for one in served for described in _described(one)],
            }
        )


def _group_of(name: str) -> Json:
    versions = dict.fromkeys(one.version for one in (*RESOURCES, *REVIEWS) if name and one.group == name)
    if not versions:
        raise no_such_path()
    served = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": served, "preferredVersion": served[0]}


def _described(resource: Resource) -> list[Json]:
    """The resource and its subresources."""
    described: Json = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": ["create"] if resource in REVIEWS else _VERBS,
    }
    if resource.short_names:
        described["shortNames"] = list(resource.short_names)
    found = [described]
    if resource.has_status:
        found.append(_subresource(resource, "status", resource.kind, ["get", "patch", "update"]))
    if resource == PODS:
        found.append(_subresource(resource, "log", resource.kind, ["get"]))
    if resource == SERVICE_ACCOUNTS:
        of_token = {"group": "authentication.k8s.io", "version": "v1"}
        found.append(_subresource(resource, "token", "TokenRequest", ["create"]) | of_token)
    return found


def _subresource(resource: Resource, name: str, kind: str, verbs: list[str]) -> Json:
    return {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": kind,
        "verbs": verbs,
    }
