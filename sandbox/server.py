"""Starts and stops the loopback cloud: `python -m sandbox.server --dir DIR`.

DIR gets `ca.pem`, `kubeconfig`, and, once everything answers, `cloud.json`, which holds secrets and is
readable by its owner only. SIGTERM and SIGINT end it, and `cloud.json` is gone again.
"""

import argparse
import asyncio
import json
import logging
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path

from aiohttp import web

from sandbox import github, gitops, manifests, platform, runtime_facts
from sandbox.aftermath import Aftermath
from sandbox.api_servers import LoopbackApiServers
from sandbox.argo_controller import NAMESPACE
from sandbox.argo_git import Access
from sandbox.argo_notifications import Notifications
from sandbox.argo_notifications_config import Config, shipped
from sandbox.arm import Arm
from sandbox.arm_calls import Call, Change
from sandbox.arm_clusters import ManagedClusters
from sandbox.arm_identities import Identities
from sandbox.arm_operations import Operations
from sandbox.arm_permissions import Permissions
from sandbox.arm_resources import Resources
from sandbox.arm_subscriptions import Subscriptions
from sandbox.certs import Authority
from sandbox.cloud import Cloud
from sandbox.clusters import Clusters
from sandbox.control import Control
from sandbox.controllers import Controllers
from sandbox.entra import Entra
from sandbox.entra_http import EntraHttp
from sandbox.eventgrid import EventGrid
from sandbox.eventgrid_senders import Sender
from sandbox.faults import Faults
from sandbox.forge import Forge
from sandbox.identity_endpoint import IdentityEndpoint
from sandbox.issuers import Issuers
from sandbox.key_vault import KeyVault
from sandbox.kubeconfig import token_kubeconfig
from sandbox.kubernetes_objects import Object
from sandbox.listening import free_socket, port_of, serve
from sandbox.records import Principal
from sandbox.resource_events import resource_event
from sandbox.tokens import KUBERNETES_AUDIENCE, Tokens
from sandbox.traffic import RequestLog, Traffic
from sandbox.vaults import Vaults
from sandbox.web_sites import WebSites

KUBECONFIG_LIFETIME = timedelta(days=1)


class LoopbackCloud:
    """Everything that runs, wired together."""

    def __init__(self, directory: Path, vaults: Mapping[str, str]) -> None:
        """vaults: addresses of servers that nobody has initialised yet, by environment."""
        self._directory = directory
        self._authority = Authority("Reconverge sandbox")
        self._socket = free_socket()
        self._identity_socket = free_socket()
        self._vault_socket = free_socket()
        self._github_socket = free_socket()
        self._runners: list[web.AppRunner] = []
        self.cloud = Cloud(
            tenant=platform.TENANT,
            subscription=platform.SUBSCRIPTION,
            location=platform.LOCATION,
            groups=(platform.GROUP,),
            base_url=f"https://127.0.0.1:{port_of(self._socket)}",
        )
        self._tokens = Tokens(self.cloud)
        self._faults, self._log = Faults(), RequestLog()
        self._traffic = Traffic(self.cloud.clock, self._faults, self._log)
        self._operator, self._app = platform.seed_directory(self.cloud)
        self.forge = Forge(directory / "repositories", self.cloud.dials, self.cloud.clock)
        self._git = Access()
        self._vaults = Vaults(vaults)
        self._sites = WebSites(platform.ENVIRONMENTS)
        self._controllers = Controllers(
            cloud=self.cloud,
            cluster=platform.CLUSTER,
            vaults=self._vaults,
            trusted=self._authority.pem.decode(),
            app_object_id=self._app.object_id,
            published=partial(runtime_facts.read, self.forge),
            git=self._git,
            sites=self._sites,
            directory=directory / "argocd",
        )
        self.forge.on_push(self._controllers.hear)
        self._servers = LoopbackApiServers(
            controllers=self._controllers,
            tokens=self._tokens,
            grants=platform.grants(self._operator),
            manifests=self._manifests,
            traffic=self._traffic,
            clock=self.cloud.clock,
        )
        self._events = EventGrid(Sender(self._authority.client_context()), self.cloud.dials, self.cloud.clock)
        self._operations = Operations(self.cloud)
        self._clusters = Clusters(self.cloud, self._servers, self._write_kubeconfig)
        self._control_key = secrets.token_urlsafe(24)
        self._identity_header = secrets.token_urlsafe(24)
        self._notifications_token = secrets.token_hex(32)

    async def start(self) -> None:
        """Build the platform's cluster, serve everything, then tell where."""
        self._directory.mkdir(parents=True, exist_ok=True)
        # One that was killed has left its description behind; nobody must take it for ours.
        (self._directory / "cloud.json").unlink(missing_ok=True)
        shutil.rmtree(self._directory / "argocd", ignore_errors=True)
        _write(self._directory / "ca.pem", self._authority.pem, mode=0o644)
        await self._vaults.open()
        await self._build_platform()
        await self._serve_cloud()
        await self._serve_identity_endpoint()
        await self._serve_vault()
        await self._serve_github()
        self._runners += await self._sites.serve(self._authority, self._traffic)
        _write(self._directory / "cloud.json", json.dumps(self._description(), indent=2).encode())

    async def stop(self) -> None:
        """Withdraw the description, then close everything."""
        (self._directory / "cloud.json").unlink(missing_ok=True)
        await self._events.stop()
        await self._operations.stop()
        await self.forge.stop()
        await self._servers.stop_all()
        for runner in self._runners:
            await runner.cleanup()

    def _manifests(self) -> Iterator[Object]:
        yield from platform.manifests()
        yield from manifests.permissions_of_app(self._app.object_id)
        yield from manifests.of_vaults(self._vaults.opened)
        yield from gitops.applications(self._vaults.opened)

    # -- what is served ---------------------------------------------------------------

    async def _build_platform(self) -> None:
        dials = self.cloud.dials
        usual, dials.provisioning_seconds = dials.provisioning_seconds, 0.0
        begun = self._clusters.begin_create(
            platform.SUBSCRIPTION, platform.GROUP, platform.CLUSTER, platform.CLUSTER_WANTED
        )
        cluster = await self._clusters.finish_create(begun)
        dials.provisioning_seconds = usual
        platform.seed_identities(self.cloud, self._app, cluster.issuer or "")
        platform.seed_addresses(self.cloud)
        uri = f"https://127.0.0.1:{port_of(self._vault_socket)}/"
        self._secrets = platform.seed_vault(self.cloud, self._operator, self._app, uri)

    async def _serve_cloud(self) -> None:
        managed = ManagedClusters(self.cloud, self._clusters, self._operations, self._announce)
        arm = Arm(
            self.cloud,
            self._tokens,
            [
                *Identities(self.cloud, self._announce).routes(),
                *managed.routes(),
                *self._operations.routes(),
                *Resources(self.cloud).routes(),
                *Subscriptions(self.cloud, self._announce).routes(),
                *Permissions(self.cloud).routes(),
            ],
        )
        control = Control(
            cloud=self.cloud,
            clusters=managed,
            events=self._events,
            faults=self._faults,
            log=self._log,
            tokens=self._tokens,
            operator=self._operator,
            aftermath=Aftermath(self.cloud, self.forge),
            backlog=gitops.Backlog(self.forge),
            notify=self._notify,
            vaults=self._vaults,
            stage=lambda environment: self._controllers.stage(environment, self.forge),
            key=self._control_key,
        )
        app = web.Application(middlewares=[control.guard, self._traffic.middleware(_service_of)])
        app.add_routes(control.routes())
        app.add_routes(Issuers(self.cloud).routes())
        app.add_routes(EntraHttp(self.cloud, Entra(self.cloud, self._tokens), self._tokens).routes())
        app.add_routes([web.route("*", "/{path:.*}", arm.handle)])
        self._runners.append(await serve(app, self._socket, self._authority.server_context()))

    async def _serve_identity_endpoint(self) -> None:
        endpoint = IdentityEndpoint(
            self.cloud, self._tokens, self._app.identity_id or "", self._identity_header
        )
        app = web.Application(middlewares=[self._traffic.middleware(lambda _: "identity")])
        app.add_routes(endpoint.routes())
        self._runners.append(await serve(app, self._identity_socket))

    async def _serve_vault(self) -> None:
        (vault,) = self.cloud.vaults.all(self.cloud.clock())
        served = KeyVault(vault, self.cloud, self._tokens, self._secrets)
        app = web.Application(middlewares=[self._traffic.middleware(lambda _: "keyvault")])
        app.add_routes(served.routes())
        self._runners.append(await serve(app, self._vault_socket, self._authority.server_context()))

    async def _serve_github(self) -> None:
        self.forge.start_empty()
        await runtime_facts.seed(self.forge, self.cloud)
        addresses = {
            name: gitops.Addresses(keycloak=self._sites.address(name, "keycloak"), vault=vault.address)
            for name, vault in self._vaults.opened.items()
        }
        await gitops.seed(self.forge, addresses)
        self._github_tokens = runtime_facts.tokens(self.forge)
        app = web.Application(middlewares=[self._traffic.middleware(lambda _: "github")])
        app.add_routes(github.routes(self.forge, self._directory / "repositories", self._github_url))
        self._runners.append(await serve(app, self._github_socket, self._authority.server_context()))
        self._git.open(
            self._github_url, self._directory / "ca.pem", self.forge.issue("argocd", gitops.READER)
        )

    @property
    def _github_url(self) -> str:
        return f"https://127.0.0.1:{port_of(self._github_socket)}"

    def _announce(self, call: Call, change: Change) -> None:
        self._events.publish(
            resource_event(
                call,
                change,
                subscription=self.cloud.subscription,
                tenant=self.cloud.tenant,
                now=self.cloud.clock(),
            )
        )

    def _notify(self, url: str, function_key: str) -> None:
        """Let Argo CD's notifications go to that address of an app, as our own manifests say."""
        secret = {
            "reconverge-token": self._notifications_token,
            "reconverge-function-key": function_key,
        }
        config = Config.read(shipped(url), secret)
        trust = self._authority.client_context()
        self._controllers.notify(Notifications(config, self.cloud.dials, self.cloud.clock, trust))

    # -- what is told -----------------------------------------------------------------

    def _write_kubeconfig(self) -> None:
        """With a token for the operator, the platform's cluster first; again when an address has changed."""
        clusters = self.cloud.clusters.all(self.cloud.clock())
        clusters.sort(key=lambda cluster: cluster.name != platform.CLUSTER)
        endpoints = [(cluster.name, cluster.api) for cluster in clusters if cluster.api]
        token = self._tokens.issue(self._operator, KUBERNETES_AUDIENCE, KUBECONFIG_LIFETIME)
        _write(self._directory / "kubeconfig", token_kubeconfig(endpoints, token))

    def _description(self) -> dict[str, object]:
        return {
            "pid": os.getpid(),
            "cloud": self.cloud.base_url,
            "identity_endpoint": f"http://127.0.0.1:{port_of(self._identity_socket)}/msi/token",
            "identity_header": self._identity_header,
            "ca": str(self._directory / "ca.pem"),
            "tenant": self.cloud.tenant,
            "subscription": self.cloud.subscription,
            "location": self.cloud.location,
            "operator": {**_ids(self._operator), "secret": self._operator.secret},
            "app": {**_ids(self._app), "identity_id": self._app.identity_id},
            "vaults": {held.name: held.uri for held in self.cloud.vaults.all(self.cloud.clock())},
            "github": {
                "url": self._github_url,
                "api": f"{self._github_url}{github.PREFIX}",
                **self._github_tokens,
            },
            "argocd": {
                "namespace": NAMESPACE,
                "applications": {name: gitops.names_of(name) for name in self._vaults.opened},
            },
            "openbao": {
                name: {"address": held.address, "root_token": held.root_token}
                for name, held in self._vaults.opened.items()
            },
            "web": self._sites.show(),
            "notifications": {"token": self._notifications_token},
            "kubeconfig": str(self._directory / "kubeconfig"),
            "clusters": [cluster.id for cluster in self.cloud.clusters.all(self.cloud.clock())],
            "control_key": self._control_key,
        }


def _ids(principal: Principal) -> dict[str, str]:
    return {"client_id": principal.client_id, "object_id": principal.object_id}


def _service_of(path: str) -> str | None:
    """The service that a path of the main address belongs to, for the request log and for faults."""
    if path.startswith("/_sandbox/"):
        return None
    if path.startswith("/oic/"):
        return "issuer"
    entra = ("/oauth2/v2.0/token", "/.well-known/openid-configuration", "/discovery/v2.0/keys")
    if path.endswith(entra) or path.startswith("/common/"):
        return "entra"
    return "arm"


def _write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace the file at once; nobody sees half of it, nor a readable secret."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


async def run(directory: Path, vaults: Mapping[str, str]) -> None:
    """Serve until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    cloud = LoopbackCloud(directory, vaults)
    try:
        await cloud.start()
        await ended.wait()
    finally:
        await cloud.stop()


def _vault(text: str) -> tuple[str, str]:
    environment, _, address = text.partition("=")
    if environment not in platform.ENVIRONMENTS or not address:
        raise argparse.ArgumentTypeError("write ENVIRONMENT=ADDRESS")
    return environment, address


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.server", description="A cloud on loopback.")
    parser.add_argument("--dir", type=Path, required=True, help="where cloud.json and its files are written")
    parser.add_argument(
        "--vault",
        type=_vault,
        action="append",
        default=[],
        metavar="ENVIRONMENT=ADDRESS",
        help="an OpenBao that nobody has initialised yet, to be the environment's Vault",
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(run(arguments.dir.resolve(), dict(arguments.vault)))


if __name__ == "__main__":
    main()
