"""The sandbox's own controls, for drills, the command line and tests. Not a part of any cloud.

Guarded by the key in `cloud.json`: the public services next door are for programs under test.
"""

import hmac
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass

from aiohttp import web

from sandbox import variants
from sandbox.aftermath import Aftermath
from sandbox.arm_calls import Call
from sandbox.arm_clusters import ManagedClusters
from sandbox.cloud import Cloud
from sandbox.credentials import show_credential
from sandbox.eventgrid import EventGrid, HandshakeError
from sandbox.eventgrid_subscriptions import read_subscription
from sandbox.faults import Faults, read_fault
from sandbox.gitops import Backlog, Fate
from sandbox.inputs import InputError, json_object
from sandbox.records import Cluster, Identity, Principal, ProvisioningState
from sandbox.stages import Stage
from sandbox.tokens import Caller, Tokens
from sandbox.traffic import Handler, RequestLog
from sandbox.vaults import Vaults

PREFIX = "/_sandbox"
KEY_HEADER = "x-sandbox-key"
_NEWEST = "2026-05-31"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    cloud: Cloud
    clusters: ManagedClusters
    events: EventGrid
    faults: Faults
    log: RequestLog
    tokens: Tokens
    operator: Principal
    aftermath: Aftermath
    backlog: Backlog
    notify: Callable[[str, str], None]
    """Address and key of the function that takes Argo CD's notifications."""
    vaults: Vaults
    stage: Callable[[str], Stage]
    """An environment as it is now, by name. Raises InputError."""
    key: str

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{PREFIX}/state", self._state),
            web.post(f"{PREFIX}/recreate", self._recreate),
            web.get(f"{PREFIX}/dials", self._dials),
            web.patch(f"{PREFIX}/dials", self._turn),
            web.get(f"{PREFIX}/faults", self._show_faults),
            web.post(f"{PREFIX}/faults", self._inject),
            web.delete(f"{PREFIX}/faults", self._mend),
            web.get(f"{PREFIX}/requests", self._requests),
            web.delete(f"{PREFIX}/requests", self._forget_requests),
            web.get(f"{PREFIX}/event-subscriptions", self._subscriptions),
            web.post(f"{PREFIX}/event-subscriptions", self._subscribe),
            web.delete(f"{PREFIX}/event-subscriptions/{{name}}", self._unsubscribe),
            web.get(f"{PREFIX}/deliveries", self._deliveries),
            web.post(f"{PREFIX}/events", self._deliver),
            web.post(f"{PREFIX}/vaults/{{environment}}", self._seal),
            web.post(f"{PREFIX}/submodule", self._break_submodule),
            web.post(f"{PREFIX}/notifications", self._notify),
            web.get(f"{PREFIX}/variants", self._variants),
            web.post(f"{PREFIX}/variants/{{name}}", self._break),
        ]

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse whoever lacks the key; turn a wrong request into 400 and its reason."""
        if not request.path.startswith(f"{PREFIX}/"):
            return await handler(request)
        given = request.headers.get(KEY_HEADER, "")
        if not hmac.compare_digest(given.encode(), self.key.encode()):
            return _problem(401, f"the header {KEY_HEADER} must hold the control_key of cloud.json")
        try:
            return await handler(request)
        except (ValueError, HandshakeError) as error:
            return _problem(400, str(error))

    # -- state ------------------------------------------------------------------------

    async def _state(self, _: web.Request) -> web.Response:
        now = self.cloud.clock()
        return web.json_response(
            {
                "clusters": [_show_cluster(held) for held in self.cloud.clusters.all(now)],
                "identities": [
                    _show_identity(held)
                    for held in self.cloud.identities.all(now)
                    if held.subscription == self.cloud.subscription
                ],
                "submodule": await self.backlog.show(),
                "dials": self.cloud.dials.show(),
            }
        )

    async def _recreate(self, request: web.Request) -> web.Response:
        cluster = self._find(str((await _object(request)).get("cluster", "")))
        previous = cluster.issuer
        fresh = await self.clusters.recreate(
            self._operator_call("DELETE", cluster),
            self._operator_call("PUT", cluster),
            cluster,
            meanwhile=lambda: self.aftermath.publish_old_state(previous),
        )
        return web.json_response({**_show_cluster(fresh), "previousIssuer": previous})

    def _find(self, wanted: str) -> Cluster:
        held = self.cloud.clusters.all(self.cloud.clock())
        found = [one for one in held if wanted.lower() in (one.name.lower(), one.id.lower())]
        if not found:
            raise InputError(f"no cluster {wanted!r}; there are {', '.join(one.id for one in held)}")
        if found[0].state is not ProvisioningState.SUCCEEDED:
            raise InputError(f"{found[0].name} is {found[0].state}; wait until it is Succeeded")
        return found[0]

    def _operator_call(self, method: str, cluster: Cluster) -> Call:
        """A call of the operator who rebuilds the cluster, for the events to tell of."""
        now = self.cloud.clock()
        url = f"{self.cloud.base_url}{cluster.id}?api-version={_NEWEST}"
        claims = {
            "aud": "https://management.core.windows.net/",
            "iss": self.tokens.issuer,
            "appid": self.operator.client_id,
            "oid": self.operator.object_id,
            "tid": self.cloud.tenant,
            "ver": "1.0",
        }
        caller = Caller(object_id=self.operator.object_id, client_id=self.operator.client_id, claims=claims)
        held = self.cloud.assignments.all(now)
        return Call(
            method=method,
            url=url,
            params={},
            query={},
            body=None,
            api_version=_NEWEST,
            caller=caller,
            grant=next((one for one in held if one.principal_id == self.operator.object_id), None),
            correlation_id=str(uuid.uuid4()),
            client_request_id=str(uuid.uuid4()),
            client_address="127.0.0.1",
            read_at=now,
        )

    # -- dials, faults, requests ------------------------------------------------------

    async def _dials(self, _: web.Request) -> web.Response:
        return web.json_response(self.cloud.dials.show())

    async def _turn(self, request: web.Request) -> web.Response:
        self.cloud.dials.turn(await _object(request))
        return web.json_response(self.cloud.dials.show())

    async def _show_faults(self, _: web.Request) -> web.Response:
        return web.json_response({"faults": self.faults.show()})

    async def _inject(self, request: web.Request) -> web.Response:
        number = self.faults.add(read_fault(await _object(request)))
        return web.json_response({"id": number}, status=201)

    async def _mend(self, _: web.Request) -> web.Response:
        self.faults.clear()
        return web.Response(status=204)

    async def _requests(self, _: web.Request) -> web.Response:
        seen = [{**asdict(one), "time": one.time.isoformat()} for one in self.log.all()]
        return web.json_response({"total": self.log.total, "requests": seen})

    async def _forget_requests(self, _: web.Request) -> web.Response:
        self.log.clear()
        return web.Response(status=204)

    # -- events -----------------------------------------------------------------------

    async def _subscriptions(self, _: web.Request) -> web.Response:
        return web.json_response({"subscriptions": [held.show() for held in self.events.subscriptions()]})

    async def _subscribe(self, request: web.Request) -> web.Response:
        subscription = read_subscription(await _object(request))
        await self.events.subscribe(subscription)
        return web.json_response(subscription.show(), status=201)

    async def _unsubscribe(self, request: web.Request) -> web.Response:
        return web.Response(status=204 if self.events.unsubscribe(request.match_info["name"]) else 404)

    async def _deliveries(self, _: web.Request) -> web.Response:
        held = self.events.deliveries()
        return web.json_response(
            {
                "deliveries": [delivery.show() for delivery in held],
                "deadLetters": [delivery.dead_letter() for delivery in held if delivery.state == "dead"],
            }
        )

    async def _deliver(self, request: web.Request) -> web.Response:
        given = await _object(request)
        if "event" not in given:
            raise InputError('what to deliver stands in "event"')
        name = given.get("subscription")
        count = self.events.deliver_raw(given["event"], str(name) if name else None)
        return web.json_response({"deliveries": count}, status=202)

    # -- Vaults -----------------------------------------------------------------------

    async def _seal(self, request: web.Request) -> web.Response:
        sealed = (await _object(request)).get("sealed")
        if not isinstance(sealed, bool):
            raise InputError('"sealed" is true or false')
        await self.vaults.seal(request.match_info["environment"], sealed)
        return web.json_response({"sealed": sealed})

    # -- Argo CD ----------------------------------------------------------------------

    async def _notify(self, request: web.Request) -> web.Response:
        given = await _object(request)
        url, key = given.get("url"), given.get("functionKey")
        if not isinstance(url, str) or not isinstance(key, str):
            raise InputError('"url" and "functionKey" are texts')
        self.notify(url, key)
        return web.Response(status=204)

    # -- the submodule ----------------------------------------------------------------

    async def _break_submodule(self, request: web.Request) -> web.Response:
        fate = (await _object(request)).get("commit")
        if fate == "present":
            await self.backlog.mend()
        elif fate in list(Fate):
            await self.backlog.break_off(Fate(str(fate)))
        else:
            raise InputError(f'"commit" is {", ".join(Fate)} or present')
        return web.json_response(await self.backlog.show())

    # -- variants ---------------------------------------------------------------------

    async def _variants(self, _: web.Request) -> web.Response:
        return web.json_response({"variants": variants.about()})

    async def _break(self, request: web.Request) -> web.Response:
        name, environment = request.match_info["name"], (await _object(request)).get("environment")
        if not isinstance(environment, str):
            raise InputError('"environment" is the name of an environment')
        await variants.dial(name, self.stage(environment))
        return web.json_response(
            {"variant": name, "environment": environment, "about": variants.about()[name]}
        )


async def _object(request: web.Request) -> dict[str, object]:
    return json_object(await request.json(), "the body")


def _problem(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


def _show_cluster(cluster: Cluster) -> dict[str, object]:
    return {
        "id": cluster.id,
        "name": cluster.name,
        "state": cluster.state.value,
        "issuer": cluster.issuer,
        "generation": cluster.generation,
        "apiServer": cluster.api.url if cluster.api else None,
    }


def _show_identity(identity: Identity) -> dict[str, object]:
    held = sorted(identity.credentials.items())
    return {
        "id": identity.id,
        "name": identity.name,
        "clientId": identity.client_id,
        "principalId": identity.principal_id,
        "credentials": [show_credential(identity, credential, _NEWEST) for _, credential in held],
    }
