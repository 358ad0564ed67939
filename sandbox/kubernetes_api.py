"""One cluster's Kubernetes API: who asks, what for, whether they may, and what comes of it.

Callers prove themselves with an Entra token for the AKS server application, where a user's name is the object
id, or with a token of one of the cluster's service accounts.
"""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from sandbox.keys import IssuerKeys
from sandbox.kubernetes_bodies import read_object, read_token_request_body
from sandbox.kubernetes_discovery import Discovery
from sandbox.kubernetes_errors import StatusError, forbidden, method_not_allowed, no_such_path, not_found
from sandbox.kubernetes_objects import Objects
from sandbox.kubernetes_rbac import Attributes, Authorizer, Grant
from sandbox.kubernetes_requests import Target, target_of, verb_of
from sandbox.kubernetes_resources import NAMESPACES, REVIEWS, SERVICE_ACCOUNTS
from sandbox.kubernetes_reviews import Reviews
from sandbox.kubernetes_token_requests import answer_token_request
from sandbox.kubernetes_tokens import ServiceAccountTokens
from sandbox.kubernetes_users import Authenticator, User
from sandbox.timeline import Clock
from sandbox.tokens import Caller, Tokens
from sandbox.traffic import CALLER, OPERATION, Handler

type Served = Callable[[web.Request, Target], Awaitable[web.StreamResponse]]

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
        self._objects = objects
        self._clock = clock
        self._discovery = Discovery(version)
        self._authenticator = Authenticator(tokens, self.accounts)
        self._authorizer = Authorizer(objects, grants)
        self._reviews = Reviews(self._authenticator, self._authorizer, self.accounts.audiences)
        self._served: dict[tuple[str, str], Served] = {
            ("get", ""): self._get,
            ("list", ""): self._list,
        }

    def routes(self) -> list[web.RouteDef]:
        return [
            *self._discovery.routes(),
            web.route("*", "/api/{version}/{path:.+}", self._serve),
            web.route("*", "/apis/{group}/{version}/{path:.+}", self._serve),
        ]

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Nobody passes without a good token; every refusal is a Status object."""
        try:
            user = self._authenticator.user(request.headers.get("Authorization"))
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
        if (target.resource, target.subresource, verb) == (SERVICE_ACCOUNTS, "token", "create"):
            return await self._create_token(request, target)
        served = self._served.get((verb, target.subresource))
        if served is None:
            raise method_not_allowed()
        return await served(request, target)

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

    async def _create_token(self, request: web.Request, target: Target) -> web.Response:
        if self._objects.get(NAMESPACES, "", target.namespace) is None:
            raise not_found(NAMESPACES, target.namespace)
        account = self._objects.get(SERVICE_ACCOUNTS, target.namespace, target.name)
        if account is None:
            raise not_found(SERVICE_ACCOUNTS, target.name)
        body = await read_token_request_body(request)
        answer = answer_token_request(self.accounts, account, body, self._clock)
        return web.json_response(answer, status=201)

    async def _list(self, _: web.Request, target: Target) -> web.Response:
        return web.json_response(
            {
                "kind": f"{target.resource.kind}List",
                "apiVersion": target.resource.api_version,
                "metadata": {"resourceVersion": self._objects.version},
                "items": self._objects.held(target.resource, target.namespace),
            }
        )

    async def _get(self, _: web.Request, target: Target) -> web.Response:
        held = self._objects.get(target.resource, target.namespace, target.name)
        if held is None:
            raise not_found(target.resource, target.name)
        return web.json_response(held)
