"""The calls on objects: from a request to what is read or written, and to the answer.

https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from sandbox.kubernetes_bodies import APPLY_PATCH, read_applied, read_object, read_patch
from sandbox.kubernetes_collections import listed
from sandbox.kubernetes_errors import StatusError, method_not_allowed, no_such_path, not_found
from sandbox.kubernetes_logs import log_of
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_requests import Target
from sandbox.kubernetes_resources import NAMESPACES, PODS, SERVICE_ACCOUNTS, Resource
from sandbox.kubernetes_token_requests import answer_token_request
from sandbox.kubernetes_tokens import ServiceAccountTokens
from sandbox.kubernetes_watches import Watches
from sandbox.kubernetes_writes import Options, Writes
from sandbox.timeline import Clock

type Served = Callable[[web.Request, Target], Awaitable[web.StreamResponse]]


class ObjectCalls:
    def __init__(self, objects: Objects, accounts: ServiceAccountTokens, clock: Clock) -> None:
        self._objects = objects
        self._accounts = accounts
        self._clock = clock
        self._writes = Writes(objects)
        self._watches = Watches(objects)
        self._served: dict[tuple[str, str], Served] = {
            ("get", ""): self._get,
            ("list", ""): self._list,
            ("watch", ""): self._watches.serve,
            ("create", ""): self._create,
            ("update", ""): self._update,
            ("patch", ""): self._patch,
            ("delete", ""): self._delete,
            ("deletecollection", ""): self._delete_collection,
            ("get", "status"): self._get,
            ("update", "status"): self._update,
            ("patch", "status"): self._patch,
            ("get", "log"): self._log,
            ("create", "token"): self._create_token,
        }

    def close(self) -> None:
        """End what would keep connections open."""
        self._watches.close()

    async def serve(self, request: web.Request, verb: str, target: Target) -> web.StreamResponse:
        """Raises StatusError."""
        if not _has(target.resource, target.subresource):
            raise no_such_path()
        served = self._served.get((verb, target.subresource))
        if served is None:
            raise method_not_allowed()
        return await served(request, target)

    # -- reading ----------------------------------------------------------------------

    async def _get(self, _: web.Request, target: Target) -> web.Response:
        return web.json_response(self._held(target))

    async def _list(self, request: web.Request, target: Target) -> web.Response:
        return web.json_response(listed(self._objects, target, request.query))

    async def _log(self, request: web.Request, target: Target) -> web.Response:
        return web.Response(text=log_of(self._objects, target, request.query))

    def _held(self, target: Target) -> Object:
        held = self._objects.get(target.resource, target.namespace, target.name)
        if held is None:
            raise not_found(target.resource, target.name)
        return held

    # -- writing ----------------------------------------------------------------------

    async def _create(self, request: web.Request, target: Target) -> web.Response:
        made = self._writes.create(target, await read_object(request), _options(request))
        return web.json_response(made, status=201)

    async def _update(self, request: web.Request, target: Target) -> web.Response:
        given = await read_object(request)
        return web.json_response(self._writes.replace(target, given, _options(request)))

    async def _patch(self, request: web.Request, target: Target) -> web.Response:
        if request.content_type == APPLY_PATCH:
            return await self._apply(request, target)
        change = await read_patch(request, target.resource)
        return web.json_response(self._writes.update(target, change, _options(request)))

    async def _apply(self, request: web.Request, target: Target) -> web.Response:
        if target.subresource:
            raise method_not_allowed()
        if not request.query.get("fieldManager"):
            said = "fieldManager: Required value: is required for apply patch"
            raise StatusError(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {said}')
        given = await read_applied(request)
        kept, created = self._writes.apply(target, given, _options(request))
        return web.json_response(kept, status=201 if created else 200)

    async def _delete(self, request: web.Request, target: Target) -> web.Response:
        asked = await _delete_options(request)
        last = self._writes.delete(target, asked, _options(request, asked))
        # https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/core (ReturnDeletedObject)
        if target.resource in (PODS, SERVICE_ACCOUNTS) or "deletionTimestamp" in last["metadata"]:
            return web.json_response(last)
        return web.json_response(_deleted(target, last))

    async def _delete_collection(self, request: web.Request, target: Target) -> web.Response:
        """One after the other; what is kept from going by finalizers stays for a while."""
        asked = await _delete_options(request)
        found = listed(self._objects, target, request.query)
        for one in found["items"]:
            metadata = one["metadata"]
            single = replace(target, namespace=metadata.get("namespace", ""), name=metadata["name"])
            if self._objects.get(single.resource, single.namespace, single.name):
                self._writes.delete(single, asked, _options(request, asked))
        return web.json_response(found)

    async def _create_token(self, request: web.Request, target: Target) -> web.Response:
        if self._objects.get(NAMESPACES, "", target.namespace) is None:
            raise not_found(NAMESPACES, target.namespace)
        account = self._held(target)
        body = await read_object(request)
        answer = answer_token_request(self._accounts, account, body, self._clock)
        return web.json_response(answer, status=201)


def _has(resource: Resource, subresource: str) -> bool:
    return (
        subresource == ""
        or (subresource == "status" and resource.has_status)
        or (subresource == "log" and resource == PODS)
        or (subresource == "token" and resource == SERVICE_ACCOUNTS)
    )


def _options(request: web.Request, asked: Mapping[str, Any] | None = None) -> Options:
    """What the query says of a write, or the body of a delete. Raises StatusError (422)."""
    query = request.query
    dry_run = query.getall("dryRun", []) or (asked or {}).get("dryRun") or []
    if any(one != "All" for one in dry_run):
        said = 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: supported values: "All"'
        raise StatusError(422, "Invalid", said)
    client = request.headers.get("User-Agent", "").partition("/")[0] or "unknown"
    return Options(
        manager=query.get("fieldManager") or client,
        dry_run=bool(dry_run),
        force=query.get("force") in ("1", "true"),
    )


async def _delete_options(request: web.Request) -> dict[str, Any]:
    """From the body, and from the query, which older clients use."""
    asked = await read_object(request)
    if "propagationPolicy" in request.query:
        asked = {**asked, "propagationPolicy": request.query["propagationPolicy"]}
    return asked


def _deleted(target: Target, last: Object) -> dict[str, Any]:
    resource = target.resource
    details = {
        "name": target.name,
        "group": resource.group,
        "kind": resource.plural,
        "uid": last["metadata"]["uid"],
    }
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {name: value for name, value in details.items() if value},
    }
