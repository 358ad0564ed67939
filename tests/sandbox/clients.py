"""The official clients, pointed at a running loopback cloud, as its tests use them."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import requests
from azure.core.credentials import TokenCredential
from azure.identity import ClientSecretCredential, ManagedIdentityCredential
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.containerservice.models import ManagedCluster, ManagedClusterProperties
from azure.mgmt.msi import ManagedServiceIdentityClient
from azure.mgmt.msi.models import FederatedIdentityCredential, Identity
from kubernetes import client, config

from sandbox.control_client import Control
from sandbox.entra import ASSERTION_TYPE

type Json = dict[str, Any]

GROUP = "Ameide"
AUDIENCE = "api://AzureADTokenExchange"
BOOTSTRAP = "foundation-vault-bootstrap-vault-bootstrap"
ARM_SCOPE = "https://management.azure.com/.default"
API_VERSION = "2024-11-30"


@dataclass
class World:
    """A running cloud, seen from outside."""

    described: Json
    control: Control

    # -- who asks ---------------------------------------------------------------------

    @cached_property
    def operator(self) -> ClientSecretCredential:
        return self.secret_credential(self.described["operator"]["secret"])

    def secret_credential(self, secret: str) -> ClientSecretCredential:
        return ClientSecretCredential(
            self.described["tenant"],
            self.described["operator"]["client_id"],
            secret,
            authority=self.described["cloud"],
            disable_instance_discovery=True,
        )

    @property
    def app(self) -> ManagedIdentityCredential:
        """The app's own identity; the fixture sets the environment that leads to it."""
        return ManagedIdentityCredential()

    def token(self, credential: TokenCredential | None = None, scope: str = ARM_SCOPE) -> str:
        return (credential or self.operator).get_token(scope).token

    # -- ARM --------------------------------------------------------------------------

    def msi(self, credential: TokenCredential | None = None) -> ManagedServiceIdentityClient:
        return ManagedServiceIdentityClient(
            credential or self.operator, self.described["subscription"], **self._arm_settings
        )

    def aks(self, credential: TokenCredential | None = None) -> ContainerServiceClient:
        return ContainerServiceClient(
            credential or self.operator, self.described["subscription"], **self._arm_settings
        )

    @property
    def _arm_settings(self) -> Json:
        return {
            "base_url": self.described["cloud"],
            "credential_scopes": [ARM_SCOPE],
            "connection_verify": self.described["ca"],
            "retry_total": 0,
        }

    def arm(self, method: str, path: str, *, token: str | None = None, **options: Any) -> requests.Response:
        """A raw call of the operator's, for what the clients would not send."""
        headers = {"Authorization": f"Bearer {self.token() if token is None else token}"}
        options = {"params": {"api-version": API_VERSION}, "headers": headers, **options}
        return requests.request(
            method, self.described["cloud"] + path, verify=self.described["ca"], timeout=30, **options
        )

    def identity(self) -> Identity:
        """A new managed identity without credentials."""
        name = f"test-{uuid.uuid4().hex[:8]}"
        made: Identity = self.msi().user_assigned_identities.create_or_update(
            GROUP, name, Identity(location="westeurope")
        )
        return made

    def trust(
        self,
        identity: Identity,
        name: str = "trust",
        *,
        subject: str,
        issuer: str = "",
        audience: str = AUDIENCE,
    ) -> FederatedIdentityCredential:
        """A credential of the identity, by default for the platform's cluster."""
        made: FederatedIdentityCredential = self.msi().federated_identity_credentials.create_or_update(
            GROUP,
            str(identity.name),
            name,
            FederatedIdentityCredential(
                issuer=issuer or self.issuer(), subject=subject, audiences=[audience]
            ),
        )
        return made

    @contextmanager
    def cluster(
        self, name: str, properties: ManagedClusterProperties | None = None
    ) -> Iterator[ManagedCluster]:
        """Another cluster, deleted at the end if the test did not."""
        clusters = self.aks().managed_clusters
        wanted = ManagedCluster(location="westeurope", properties=properties)
        yield clusters.begin_create_or_update(GROUP, name, wanted).result()
        clusters.begin_delete(GROUP, name).result()

    def issuer(self, cluster: str = "ameide") -> str:
        profile = self.aks().managed_clusters.get(GROUP, cluster).oidc_issuer_profile
        assert profile is not None
        return str(profile.issuer_url)

    # -- Entra and Kubernetes ---------------------------------------------------------

    def exchange(self, client_id: str, assertion: str, *, tenant: str = "", **form: str) -> requests.Response:
        """A raw token request with a client assertion."""
        body = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
            "scope": "https://vault.azure.net/.default",
        }
        url = f"{self.described['cloud']}/{tenant or self.described['tenant']}/oauth2/v2.0/token"
        return requests.post(url, data={**body, **form}, verify=self.described["ca"], timeout=30)

    def core(self, cluster: str = "ameide") -> Any:
        """The operator's view of a cluster, through the ready kubeconfig."""
        settings = client.Configuration()
        load: Any = config.load_kube_config  # the package leaves it untyped
        load(self.described["kubeconfig"], cluster, client_configuration=settings)
        return client.CoreV1Api(client.ApiClient(settings))

    def core_as(self, token: str) -> Any:
        """Whoever holds the token, as a program does it: server and authority, and a token of its own."""
        known = self.core().api_client.configuration
        settings = client.Configuration(host=known.host)
        settings.ssl_ca_cert = known.ssl_ca_cert
        settings.api_key = {"authorization": f"Bearer {token}"}
        return client.CoreV1Api(client.ApiClient(settings))

    def service_account_token(
        self, name: str = BOOTSTRAP, namespace: str = "ameide-dev", audience: str = AUDIENCE
    ) -> str:
        return service_account_token(self.core(), name, namespace, audience)


def service_account_token(core: Any, name: str, namespace: str, audience: str = AUDIENCE) -> str:
    spec = client.V1TokenRequestSpec(audiences=[audience], expiration_seconds=3600)
    wanted = client.AuthenticationV1TokenRequest(spec=spec)
    answer = core.create_namespaced_service_account_token(name, namespace, wanted)
    return str(answer.status.token)


def described(directory: Path) -> Json:
    return dict(json.loads((directory / "cloud.json").read_text()))
