"""Asks, for `reconverge doctor`, what whoever is signed in was granted wherever anything is needed.

    ARM ───────── permissions at each scope, and at those above and beside that nobody should hold
    API server ── one review for each need, the rules of each namespace
    Vault ─────── login ── capabilities
    Keycloak ──── login ── the clients of the realm
    GitHub ────── each repository

Read only, side by side. What cannot be read comes back as Unknown and stops no other read.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from shared.clients.access_reviews import Access, Allowed
from shared.clients.arm_permissions import Granted
from shared.clients.keycloak import Client, Realm
from shared.clients.keycloak import LoginRefused as KeycloakRefused
from shared.clients.managed_clusters import ApiServer
from shared.clients.repository_access import Account
from shared.clients.vault import LoginRefused
from shared.excess import allows
from shared.grants import Grants
from shared.landscape import Landscape
from shared.model import Known, Read, Unknown
from shared.permissions import (
    AzureNeed,
    InKeycloak,
    InRepository,
    InVault,
    KubernetesNeed,
    Needs,
    group_of,
)
from shared.world import World

READERS: Final = 16
STRANGE_PATHS: Final = ("sys/policies/acl/reconverge-doctor", "sys/auth/reconverge-doctor")
"""Paths of Vault that nobody needs: whoever may write there may give itself anything."""
STRANGE_KEY: Final = "reconverge-doctor"
"""A key that nobody declares: what may be done with it may be done with every key."""

type Namespace = tuple[str, str]
"""Id of the cluster in lower case, and the namespace."""
type Login = tuple[str, str, str]
"""Address, mount and role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    azure: Mapping[str, Read[tuple[Granted, ...]]]
    """By scope in lower case."""
    by_policy: frozenset[str]
    """Key Vaults, in lower case, whose secrets can be listed although no role says so."""
    reviews: Mapping[KubernetesNeed, Read[bool]]
    allowed: Mapping[Namespace, Read[Allowed]]
    vaults: Mapping[Login, Read[Mapping[str, frozenset[str]]]]
    """Capabilities by path."""
    keycloak: Mapping[InKeycloak, Read[tuple[Client, ...]] | KeycloakRefused]
    """The clients that were to be seen."""
    github: Mapping[InRepository, Read[Account]]


def find(landscape: Landscape, needed: Needs, world: World, grants: Grants) -> Found:
    """Two rounds: what can be asked at once, then what lies behind an API server's address or a role."""
    scopes = {one.lower(): one for one in _scopes(landscape, needed)}
    logins = {login_of(one.place): one.place for one in needed.vault}
    with ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="doctor") as pool:
        servers = _start(pool, {one.place.cluster for one in needed.kubernetes}, world.clusters.api_server)
        azure = _start(pool, scopes, lambda scope: grants.azure.at(scopes[scope]))
        github = _start(pool, {one.place for one in needed.github}, lambda one: grants.github.of(one.url))
        vaults = _start(pool, logins, lambda one: _capabilities(world, grants, needed, logins[one]))
        keycloak = _start(pool, {one.place for one in needed.keycloak}, lambda one: _clients(world, one))
        server = {cluster.lower(): read for cluster, read in servers().items()}
        reviews = _start(
            pool, needed.kubernetes, lambda need: _review(server[need.place.cluster.lower()], grants, need)
        )
        namespaces = {namespace_of(one) for one in needed.kubernetes}
        allowed = _start(pool, namespaces, lambda one: _allowed(server[one[0]], grants, one[1]))
        policies = _start(
            pool, _unexplained(needed.azure, azure()), lambda vault: _can_be_listed(world, vault)
        )
        return Found(
            azure=azure(),
            by_policy=frozenset(vault.lower() for vault, listed in policies().items() if listed),
            reviews=reviews(),
            allowed=allowed(),
            vaults=vaults(),
            keycloak=keycloak(),
            github=github(),
        )


def namespace_of(need: KubernetesNeed) -> Namespace:
    return need.place.cluster.lower(), need.place.namespace


def login_of(place: InVault) -> Login:
    return place.address, place.login.mount, place.login.role


def _start[K: Hashable, V](
    pool: ThreadPoolExecutor, keys: Iterable[K], read: Callable[[K], V]
) -> Callable[[], dict[K, V]]:
    """Answers what waits for all of them."""
    futures = {key: pool.submit(read, key) for key in keys}
    return lambda: {key: future.result() for key, future in futures.items()}


# -- Azure --------------------------------------------------------------------------------


def _scopes(landscape: Landscape, needed: Needs) -> list[str]:
    """Where anything is needed; their resource groups and our own identity, where nothing may be written."""
    at = [one.place.id for one in needed.azure]
    above = [group_of(one) for one in at]
    return [*above, landscape.reconverge.identity, *at] if at else []


def _unexplained(needs: Iterable[AzureNeed], azure: Mapping[str, Read[tuple[Granted, ...]]]) -> set[str]:
    """Key Vaults whose data no role opens. One that goes by access policies may be open all the same."""
    return {
        one.place.id
        for one in needs
        if one.right.data
        and isinstance(read := azure[one.place.id.lower()], Known)
        and not allows(read.value, one.right)
    }


def _can_be_listed(world: World, vault: str) -> bool:
    uri = world.resources.vault_uri(vault)
    return isinstance(uri, Known) and isinstance(world.key_vaults.secrets(uri.value), Known)


# -- the cluster --------------------------------------------------------------------------


def _review(server: Read[ApiServer], grants: Grants, need: KubernetesNeed) -> Read[bool]:
    if not isinstance(server, Known):
        return server
    right, place = need.right, need.place
    return grants.kubernetes.may(
        server.value,
        Access(
            namespace=place.namespace,
            verb=right.verb,
            group=right.group,
            resource=right.resource,
            name=place.name,
        ),
    )


def _allowed(server: Read[ApiServer], grants: Grants, namespace: str) -> Read[Allowed]:
    return grants.kubernetes.allowed(server.value, namespace) if isinstance(server, Known) else server


# -- Vault --------------------------------------------------------------------------------


def _capabilities(
    world: World, grants: Grants, needed: Needs, place: InVault
) -> Read[Mapping[str, frozenset[str]]]:
    """Of the paths that this login is needed for, and of some that nobody needs."""
    login = place.login
    match world.vaults.login(place.address, login.mount, login.role, login.audience):
        case Known(session):
            own = [one.place for one in needed.vault if login_of(one.place) == login_of(place)]
            beside = [replace(one, name=STRANGE_KEY) for one in own]
            paths = dict.fromkeys((*(one.path for one in (*own, *beside)), *STRANGE_PATHS))
            return grants.vault.capabilities(session, tuple(paths))
        case LoginRefused(why):
            return Unknown(why)
        case unread:
            return unread


# -- Keycloak -----------------------------------------------------------------------------


def _clients(world: World, place: InKeycloak) -> Read[tuple[Client, ...]] | KeycloakRefused:
    login = place.login
    return world.keycloaks.clients(
        Realm(
            url=place.url,
            realm=place.realm,
            client_id=login.client_id,
            key_vault=login.key_vault,
            secret=login.secret,
        )
    )
