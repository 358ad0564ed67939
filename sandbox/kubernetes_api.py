"""One cluster's Kubernetes API: who asks, what for, whether they may, and what comes of it.

Callers prove themselves with an Entra token for the AKS server application, where a user's name is the object
id, or with a token of one of the cluster's service accounts.
"""

from collections.abc import Iterable

from aiohttp import web

from sandbox.keys import IssuerKeys
from sandbox.kubernetes_bodies import read_object
from sandbox.kubernetes_calls import ObjectCalls
from sandbox.kubernetes_discovery import Discovery
from sandbox.kubernetes_errors import StatusError, forbidden, method_not_allowed, no_such_path
from sandbox.kubernetes_objects import Objects
from sandbox.kubernetes_openapi import OpenApi
from sandbox.kubernetes_rbac import Attributes, Authorizer, Grant
from sandbox.kubernetes_requests import Target, target_of, verb_of
from sandbox.kubernetes_resources import REVIEWS
from sandbox.kubernetes_reviews import Reviews
from sandbox.kubernetes_tokens import ServiceAccountTokens
from sandbox.kubernetes_users import Authenticator, User
from sandbox.timeline import Clock
from sandbox.tokens import Caller, Tokens
from sandbox.traffic import CALLER, OPERATION, Handler

USER = web.RequestKey("user", User)


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
        self.accounts = ServiceAccountTokens(issuer=issuer, keys=keys, objects=objects, clock=clock)
        self._discovery = Discovery(version)
        self._authenticator = Authenticator(tokens, self.accounts)
        self._authorizer = Authorizer(objects, grants)
        self._reviews = Reviews(self._authenticator, self._authorizer, self.accounts.audiences)
        self._calls = ObjectCalls(objects, self.accounts, clock)

    def routes(self) -> list[web.RouteDef]:
        return [
            *self._discovery.routes(),
            *OpenApi().routes(),
            web.route("*", "/api/{version}/{path:.+}", self._serve),
            web.route("*", "/apis/{group}/{version}/{path:.+}", self._serve),
        ]

    def close(self) -> None:
        """End what would keep connections open."""
        self._calls.close()

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Nobody passes without a good token; every refusal is a Status object."""
        try:
            user = self._authenticator.user(request.headers.get("Authorization"))
            _refuse_impersonation(request)
            request[USER] = user
            request[CALLER] = Caller(object_id=user.name, client_id="", claims={})
            return await handler(request)
        except StatusError as refused:
            return web.json_response(refused.body(), status=refused.code)
        except web.HTTPNotFound:
            return web.json_response(no_such_path().body(), status=404)
        except web.HTTPMethodNotAllowed:
            return web.json_response(method_not_allowed().body(), status=405)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        target = target_of(request.path)
        verb = verb_of(request.method, target, request.query)
        self._authorise(request, verb, target)
        if target.resource in REVIEWS:
            return await self._review(request, verb, target)
        return await self._calls.serve(request, verb, target)

    def _authorise(self, request: web.Request, verb: str, target: Target) -> None:
        wanted = Attributes(
            verb=verb,
            group=target.resource.group,
            resource=target.resource.plural,
            subresource=target.subresource,
            namespace=target.judged_in,
            name=target.name,
        )
        request[OPERATION] = f"{verb} {wanted.full_resource}"
        user = request[USER]
        if self._authorizer.reason(user, wanted) is None:
            where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
            raise forbidden(
                target.resource,
                target.name,
                f'User "{user.name}" cannot {verb} resource "{wanted.full_resource}" in API group '
                f'"{wanted.group}" {where}',
            )

    async def _review(self, request: web.Request, verb: str, target: Target) -> web.Response:
        if verb != "create" or target.name:
            raise method_not_allowed()
        answer = self._reviews.answer(target.resource, request[USER], await read_object(request))
        return web.json_response(answer, status=201)


def _refuse_impersonation(request: web.Request) -> None:
    """An answer to somebody else's question would look like one to this caller's."""
    if any(name.lower().startswith("impersonate-") for name in request.headers):
        raise StatusError(403, "Forbidden", "nobody can be impersonated here")
