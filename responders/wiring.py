"""Builds what stands behind the ports, from the settings. No call leaves the process here."""

from shared.clients import arm, credentials, notices
from shared.clients.argocd import ArgoCD
from shared.clients.cluster_api import ClusterApi
from shared.clients.git_files import GitFiles
from shared.clients.git_remotes import GitRemotes
from shared.clients.github import GitHub
from shared.clients.key_vault import KeyVaults
from shared.clients.keycloak import Keycloaks
from shared.clients.managed_clusters import ManagedClusters
from shared.clients.managed_identities import ManagedIdentities
from shared.clients.queues import StorageMessages
from shared.clients.resources import Resources
from shared.clients.seeding import Seeding
from shared.clients.service_accounts import ServiceAccounts
from shared.clients.tables import StorageRows
from shared.clients.token_exchange import TokenExchange
from shared.clients.vault import Vaults
from shared.clients.web import Web
from shared.clients.workloads import Workloads
from shared.errors import Misconfigured
from shared.notices import Notifier
from shared.ports import Messages, Rows
from shared.settings import STORAGE, Settings
from shared.world import World


def stores(settings: Settings) -> tuple[Rows, Messages]:
    """Raises Misconfigured without a storage connection."""
    if settings.storage is None:
        raise Misconfigured(f"{STORAGE} is missing: set a connection string, or {STORAGE}__accountName")
    credential = credentials.of_storage(settings)
    return StorageRows(settings.storage, credential), StorageMessages(settings.storage, credential)


def world(settings: Settings) -> World:
    credential = credentials.of_app(settings)
    clusters = ManagedClusters(settings, credential)
    key_vaults, vaults = KeyVaults(credential), Vaults(credential)
    resources = Resources(settings, credential)
    return World(
        clusters=clusters,
        identities=ManagedIdentities(settings, credential),
        exchanges=TokenExchange(
            clusters,
            ServiceAccounts(credential),
            authority=settings.authority,
            scope=arm.scope(settings),
        ),
        resources=resources,
        files=GitFiles(settings),
        github=GitHub(settings),
        git=GitRemotes(settings),
        key_vaults=key_vaults,
        vaults=vaults,
        kubernetes=ClusterApi(credential),
        argocd=ArgoCD(credential),
        workloads=Workloads(credential),
        keycloaks=Keycloaks(key_vaults, resources),
        web=Web(),
        seeding=Seeding(key_vaults, vaults),
    )


def notifier(settings: Settings) -> Notifier:
    return Notifier(notices.notices(settings, credentials.of_app(settings)))
