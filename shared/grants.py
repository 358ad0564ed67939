"""What was granted, as the outside systems tell it: ports to ask them by. Used by `reconverge doctor`.

The classes of shared.clients fit these protocols; tests bring their own.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from shared.clients.access_reviews import Access, Allowed
from shared.clients.arm_permissions import Granted
from shared.clients.managed_clusters import ApiServer
from shared.clients.repository_access import Account
from shared.clients.vault import Session
from shared.model import Read


class Azure(Protocol):
    def at(self, scope: str) -> Read[tuple[Granted, ...]]: ...


class Kubernetes(Protocol):
    def may(self, api_server: ApiServer, access: Access) -> Read[bool]: ...

    def allowed(self, api_server: ApiServer, namespace: str) -> Read[Allowed]: ...


class GitHub(Protocol):
    def of(self, repository: str) -> Read[Account]: ...


class Vault(Protocol):
    def capabilities(
        self, session: Session, paths: Collection[str]
    ) -> Read[Mapping[str, frozenset[str]]]: ...


@dataclass(frozen=True, slots=True)
class Grants:
    azure: Azure
    kubernetes: Kubernetes
    github: GitHub
    vault: Vault
