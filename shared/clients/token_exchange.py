"""The proof of a federated credential: walk the way a workload walks, to the identity's own token.

    ARM ── the cluster's API server ── Kubernetes ── a token of the service account ── Entra ── verdict

Used by `verify` of responder federated_credentials. Neither token leaves this module's clients.
"""

import re
from typing import Final

from shared.clients import entra
from shared.clients.entra import Exchange
from shared.clients.managed_clusters import ManagedClusters
from shared.clients.service_accounts import ServiceAccounts
from shared.model import Absent, Known, Unknown

_SUBJECT: Final = re.compile(r"system:serviceaccount:([^:]+):([^:]+)")


class TokenExchange:
    def __init__(
        self, clusters: ManagedClusters, service_accounts: ServiceAccounts, *, authority: str, scope: str
    ) -> None:
        """scope: what the token is asked for; nothing is done with it."""
        self._clusters = clusters
        self._service_accounts = service_accounts
        self._authority = authority
        self._scope = scope

    def prove(self, cluster_id: str, subject: str, audience: str, *, client_id: str, tenant: str) -> Exchange:
        """Three calls, each made once. Every obstacle on the way is Unknown with its reason.

        subject: `system:serviceaccount:<namespace>:<name>`
        client_id: of the identity that holds the credential
        """
        found = _SUBJECT.fullmatch(subject)
        if not found:
            return Unknown(f"{subject} is not a service account, so no token of it can be had")
        namespace, name = found.groups()
        match self._clusters.api_server(cluster_id):
            case Known(api_server):
                token = self._service_accounts.token(api_server, namespace, name, audience)
            case Absent():
                return Unknown("the cluster does not exist")
            case Unknown() as unknown:
                return unknown
        match token:
            case Known(secret):
                return entra.exchange(
                    secret.text,
                    client_id=client_id,
                    tenant=tenant,
                    authority=self._authority,
                    scope=self._scope,
                )
            case Absent():
                return Unknown(f"service account {namespace}/{name} does not exist in the cluster")
            case Unknown() as unknown:
                return unknown
