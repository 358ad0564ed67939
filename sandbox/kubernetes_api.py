"""One cluster's Kubernetes API: discovery, namespaces, service accounts, and their tokens.

Callers prove themselves with an Entra token for the AKS server application; a user's name is the object id.
"""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from sandbox.keys import IssuerKeys
from sandbox.kubernetes_errors import (
    StatusError,
    forbidden,
    method_not_allowed,
    no_such_path,
    not_found,
    unauthorized,
)
from sandbox.kubernetes_objects import Objects
from sandbox.kubernetes_protobuf import CONTENT_TYPE, read_token_request
from sandbox.kubernetes_resources import NAMESPACES, RESOURCES, SERVICE_ACCOUNTS, Resource
from sandbox.timeline import Clock
from sandbox.tokens import KUBERNETES_AUDIENCE, Caller, TokenError, Tokens, bearer
from sandbox.traffic import CALLER, OPERATION, Handler

CORE = {resource.plural: resource for resource in RESOURCES if not resource.group}
SHORTEST_TOKEN = timedelta(minutes=10)
LONGEST_TOKEN = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one user may do; `*` is everything."""

    user: str
    """Object id."""
    verbs: frozenset[str]
    resources: frozenset[str]
    """Plural, with the subresource after a slash."""

    def allows(self, user: str, verb: str, resource: str) -> bool:
        return self.user == user and bool(self.verbs & {"*", verb}) and bool(self.resources & {"*", resource})


class KubernetesApi:
    def __init__(
        self,
        *,
        issuer: str,
        keys: IssuerKeys,
        version: str,
        objects: Objects,
        tokens: Tokens,
        grants: Iterable[Grant],
        clock: Clock,
    ) -> None:
        self.keys = keys
        self._issuer = issuer
        self._version = version
        self._objects = objects
        self._tokens = tokens
        self._grants = tuple(grants)
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/version", self._show_version),
            web.get("/api", self._api_versions),
            web.get("/apis", self._api_groups),
            web.get("/api/v1", self._api_resources),
            web.get("/api/v1/{plural}", self._list),
            web.get("/api/v1/{plural}/{name}", self._get),
            web.get("/api/v1/namespaces/{namespace}/{plural}", self._list),
            web.get("/api/v1/namespaces/{namespace}/{plural}/{name}", self._get),
            web.post("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", self._create_token),
        ]

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Nobody passes without a good token; every refusal is a Status object."""
        try:
            request[CALLER] = self._authenticate(request)
            return await handler(request)
        except StatusError as refused:
            return web.json_response(refused.body(), status=refused.code)
        except web.HTTPNotFound:
            return web.json_response(no_such_path().body(), status=404)
        except web.HTTPMethodNotAllowed:
            return web.json_response(method_not_allowed().body(), status=405)

    def _authenticate(self, request: web.Request) -> Caller:
        token = bearer(request.headers.get("Authorization"))
        if token is None:
            raise unauthorized()
        try:
            return self._tokens.verify(token, {KUBERNETES_AUDIENCE})
        except TokenError as error:
            raise unauthorized() from error

    def _authorise(self, request: web.Request, verb: str, resource: str, namespace: str) -> None:
        request[OPERATION] = f"{verb} {resource}"
        user = request[CALLER].object_id
        if not any(grant.allows(user, verb, resource) for grant in self._grants):
            where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
            raise forbidden(user, verb, resource, where)

    # -- discovery --------------------------------------------------------------------

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

    async def _api_versions(self, request: web.Request) -> web.Response:
        host = {"clientCIDR": "0.0.0.0/0", "serverAddress": request.host}
        return web.json_response(
            {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [host]}
        )

    async def _api_groups(self, _: web.Request) -> web.Response:
        return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})

    async def _api_resources(self, _: web.Request) -> web.Response:
        resources: list[dict[str, Any]] = [
            {
                "name": resource.plural,
                "singularName": resource.singular,
                "kind": resource.kind,
                "namespaced": resource.namespaced,
                "shortNames": list(resource.short_names),
                "verbs": ["get", "list"],
            }
            for resource in CORE.values()
        ]
        resources.append(
            {
                "name": "serviceaccounts/token",
                "singularName": "",
                "kind": "TokenRequest",
                "group": "authentication.k8s.io",
                "version": "v1",
                "namespaced": True,
                "verbs": ["create"],
            }
        )
        return web.json_response(
            {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": resources}
        )

    # -- objects ----------------------------------------------------------------------

    async def _list(self, request: web.Request) -> web.Response:
        resource, namespace = _resource(request), request.match_info.get("namespace", "")
        self._authorise(request, "list", resource.plural, namespace)
        return web.json_response(
            {
                "kind": f"{resource.kind}List",
                "apiVersion": resource.api_version,
                "metadata": {"resourceVersion": self._objects.version},
                "items": self._objects.list(resource, namespace),
            }
        )

    async def _get(self, request: web.Request) -> web.Response:
        resource, namespace = _resource(request), request.match_info.get("namespace", "")
        name = request.match_info["name"]
        if resource.namespaced != bool(namespace):
            raise no_such_path()
        self._authorise(request, "get", resource.plural, namespace)
        held = self._objects.get(resource, namespace, name)
        if held is None:
            raise not_found(resource.plural, name)
        return web.json_response(held)

    async def _create_token(self, request: web.Request) -> web.Response:
        namespace, name = request.match_info["namespace"], request.match_info["name"]
        self._authorise(request, "create", "serviceaccounts/token", namespace)
        if self._objects.get(NAMESPACES, "", namespace) is None:
            raise not_found("namespaces", namespace)
        account = self._objects.get(SERVICE_ACCOUNTS, namespace, name)
        if account is None:
            raise not_found("serviceaccounts", name)
        audiences, lifetime = _token_spec(await _token_request(request), name, default_audience=self._issuer)
        now = self._clock()
        token = self.keys.signing.sign(self._claims(account, audiences, now, lifetime))
        return web.json_response(
            {
                "kind": "TokenRequest",
                "apiVersion": "authentication.k8s.io/v1",
                "metadata": {
                    "name": name,
                    "namespace": namespace,
                    "creationTimestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}",
                },
                "spec": {
                    "audiences": audiences,
                    "expirationSeconds": int(lifetime.total_seconds()),
                    "boundObjectRef": None,
                },
                "status": {"token": token, "expirationTimestamp": f"{now + lifetime:%Y-%m-%dT%H:%M:%SZ}"},
            },
            status=201,
        )

    def _claims(
        self, account: dict[str, Any], audiences: list[str], now: datetime, lifetime: timedelta
    ) -> dict[str, object]:
        metadata, issued = account["metadata"], int(now.timestamp())
        return {
            "iss": self._issuer,
            "sub": f"system:serviceaccount:{metadata['namespace']}:{metadata['name']}",
            "aud": audiences,
            "iat": issued,
            "nbf": issued,
            "exp": issued + int(lifetime.total_seconds()),
            "jti": str(uuid.uuid4()),
            "kubernetes.io": {
                "namespace": metadata["namespace"],
                "serviceaccount": {"name": metadata["name"], "uid": metadata["uid"]},
            },
        }


def _resource(request: web.Request) -> Resource:
    resource = CORE.get(request.match_info["plural"])
    if resource is None:
        raise no_such_path()
    return resource


async def _token_request(request: web.Request) -> dict[str, Any]:
    data = await request.read()
    try:
        if request.content_type == CONTENT_TYPE:
            return read_token_request(data)
        body = json.loads(data) if data else {}
    except ValueError as error:
        raise StatusError(400, "BadRequest", f"the TokenRequest cannot be read: {error}") from error
    return body if isinstance(body, dict) else {}


def _token_spec(body: dict[str, Any], name: str, *, default_audience: str) -> tuple[list[str], timedelta]:
    spec = body.get("spec") or {}
    audiences = spec.get("audiences") or [default_audience]
    seconds = spec.get("expirationSeconds") or 3600
    if seconds < SHORTEST_TOKEN.total_seconds():
        raise StatusError(
            422,
            "Invalid",
            f'TokenRequest.authentication.k8s.io "{name}" is invalid: spec.expirationSeconds: Invalid value: '
            f"{seconds}: may not specify a duration less than 10 minutes",
        )
    return list(audiences), min(timedelta(seconds=seconds), LONGEST_TOKEN)
