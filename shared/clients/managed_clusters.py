"""AKS clusters: their state and issuer, and the way to their API server. Reads only.

Permissions: Microsoft.ContainerService/managedClusters/read; for `api_server` also
Microsoft.ContainerService/managedClusters/listClusterUserCredential/action.
"""

import base64
import io
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from shared.clients import arm
from shared.clients.azure_core import OncePer
from shared.clients.importing import IMPORTING
from shared.model import Cluster, Known, Read, Unknown
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.containerservice import ContainerServiceClient
    from azure.mgmt.containerservice.models import CredentialResults, ManagedCluster

TYPE: Final = "Microsoft.ContainerService/managedClusters"


@dataclass(frozen=True, slots=True)
class ApiServer:
    """Where a cluster's Kubernetes API is, and the CA that its certificate must come from."""

    server: str
    ca_pem: str


class ManagedClusters:
    def __init__(self, settings: Settings, credential: "TokenCredential") -> None:
        def make(subscription: str) -> "ContainerServiceClient":
            with IMPORTING:
                from azure.mgmt.containerservice import ContainerServiceClient

            return ContainerServiceClient(credential, subscription, **arm.options(settings, credential))

        self._client = OncePer(make)

    def get(self, cluster_id: str) -> Read[Cluster]:
        """One GET. Absent only where ARM says so of the cluster or its resource group.

        Raises Misconfigured for an id that is none.
        """
        at = arm.ResourceId.parse(cluster_id, TYPE)
        clusters = self._client(at.subscription).managed_clusters
        return arm.read(lambda: _cluster(cluster_id, clusters.get(at.group, at.name)))

    def api_server(self, cluster_id: str) -> Read[ApiServer]:
        """One POST. Of the kubeconfig only the address and the CA are used; its user is a command to run on
        the reader's computer, which is never done, or a certificate, which is never kept.

        Raises Misconfigured for an id that is none.
        """
        at = arm.ResourceId.parse(cluster_id, TYPE)
        clusters = self._client(at.subscription).managed_clusters
        answered = arm.read(lambda: clusters.list_cluster_user_credentials(at.group, at.name))
        return _api_server(answered.value) if isinstance(answered, Known) else answered


def _cluster(cluster_id: str, found: "ManagedCluster") -> Cluster:
    # Any part may be missing while the cluster is being made.
    issuer = found.oidc_issuer_profile
    return Cluster(
        id=found.id or cluster_id,
        provisioning_state=found.provisioning_state or "",
        power_state=_plain(found.power_state.code) if found.power_state else "",
        issuer=(issuer.issuer_url or None) if issuer and issuer.enabled else None,
    )


def _plain(word: str | None) -> str:
    """The SDK makes enums of the words it knows, and leaves those it does not know yet."""
    return str(word.value) if isinstance(word, Enum) else word or ""


def _api_server(found: "CredentialResults") -> Read[ApiServer]:
    with IMPORTING:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

    try:
        kubeconfig: Any = YAML(typ="safe", pure=True).load(
            io.BytesIO((found.kubeconfigs or [])[0].value or b"")
        )
        cluster = kubeconfig["clusters"][0]["cluster"]
        server = str(cluster["server"])
        ca = base64.b64decode(cluster["certificate-authority-data"], validate=True).decode("ascii")
    except (YAMLError, LookupError, TypeError, ValueError):
        return Unknown("ARM's kubeconfig names no API server with its CA")
    # Tokens go there, so nothing but TLS will do.
    return (
        Known(ApiServer(server, ca))
        if server.startswith("https://")
        else Unknown("the API server is not https")
    )
