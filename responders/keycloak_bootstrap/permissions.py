"""What this responder must be allowed to do."""

from collections.abc import Iterator
from typing import Final

from shared.landscape import Action, DeclaredKeycloak, Environment
from shared.permission_rules import (
    KEY_VAULT_ADDRESS,
    PROPOSING,
    READING_AN_APPLICATION,
    SECRET_VALUE,
    SEEING_PROPOSALS,
    ClusterRole,
    api_server,
    argocd_for,
    in_listed_namespaces,
    listed_repositories,
    namespaces,
    syncing,
    vault_key,
)
from shared.permissions import (
    AzureScope,
    InCluster,
    InKeycloak,
    InRepository,
    InVault,
    KeycloakRight,
    Rule,
    VaultRight,
    itself,
)

READING: Final = ClusterRole("keycloak-bootstrap.yaml", "reconverge-keycloak-reader")
JOBS: Final = ClusterRole("keycloak-bootstrap.yaml", "reconverge-keycloak-jobs")


def _keycloak(environment: Environment) -> Iterator[DeclaredKeycloak]:
    if environment.keycloak:
        yield environment.keycloak


def _key_vault(environment: Environment) -> Iterator[AzureScope]:
    return (itself(one.login.key_vault) for one in _keycloak(environment))


def _within(environment: Environment, *names: str) -> Iterator[InCluster]:
    for one in _keycloak(environment):
        cluster = environment.cluster(one.cluster).id
        for name in names:
            yield InCluster(cluster=cluster, namespace=one.namespace, name=name)


def _jobs(environment: Environment) -> Iterator[InCluster]:
    for one in _keycloak(environment):
        yield from _within(environment, one.hooks.bootstrap, one.hooks.patcher)


def _digests(environment: Environment) -> Iterator[InCluster]:
    for one in _keycloak(environment):
        if one.digests:
            yield from _within(environment, one.digests)


def _secrets(environment: Environment) -> Iterator[InCluster]:
    for one in _keycloak(environment):
        yield from _within(environment, *one.secrets)


def _values(environment: Environment) -> Iterator[InRepository]:
    for one in _keycloak(environment):
        if one.hooks.values:
            yield InRepository(one.hooks.values.repository)


def _client_keys(environment: Environment) -> Iterator[InVault]:
    for one in _keycloak(environment):
        for client in one.clients.values():
            if (vault := environment.vault) and client.vault_key:
                yield vault_key(vault, client.vault_key)


def _realm(environment: Environment) -> Iterator[InKeycloak]:
    for one in _keycloak(environment):
        yield InKeycloak(url=one.url, realm=one.realm, login=one.login)


def _listed_realm(environment: Environment) -> Iterator[InKeycloak]:
    return (one for one in _realm(environment) if environment.contract.may_change_clients_of(one.url))


RULES: Final = (
    Rule(
        purpose="the secret of Reconverge's own client in Keycloak",
        rights=(KEY_VAULT_ADDRESS, SECRET_VALUE),
        where="the Key Vault of `keycloak.login`",
        places=_key_vault,
    ),
    Rule(
        purpose="the clients of the realm, without their secrets",
        rights=(KeycloakRight("view-clients"),),
        where="the realm, for the service account of `keycloak.login`",
        places=_realm,
    ),
    Rule(
        purpose="adding a redirect URI",
        rights=(KeycloakRight("manage-clients"),),
        where="the same, of a Keycloak in `contract.keycloaks`",
        places=_listed_realm,
        actions=(Action.KEYCLOAK_REDIRECT,),
    ),
    api_server(_keycloak),
    Rule(
        purpose="the realm imports, and the log of a Job that failed or left a client out",
        rights=(
            READING.may("list", "keycloakrealmimports", "k8s.keycloak.org"),
            READING.may("list", "pods"),
            READING.may("get", "pods/log"),
        ),
        where="Keycloak's namespace",
        places=namespaces(_keycloak),
    ),
    Rule(
        purpose="the Jobs of the realm",
        rights=(READING.may("get", "jobs", "batch"),),
        where="the two Jobs of `keycloak.hooks`",
        places=_jobs,
    ),
    Rule(
        purpose="the published digests",
        rights=(READING.may("get", "configmaps"),),
        where="the ConfigMap `keycloak.digests`",
        places=_digests,
    ),
    Rule(
        purpose="whether Secrets are there, and equal what was published; their values are dropped at once",
        rights=(READING.may("get", "secrets"),),
        where="each Secret of `keycloak.secrets`",
        places=_secrets,
    ),
    Rule(
        purpose="whether a sync is under way",
        rights=(READING_AN_APPLICATION,),
        where="Argo CD's namespace",
        places=argocd_for(_keycloak),
    ),
    Rule(
        purpose="whether Vault holds the clients' secrets",
        rights=(VaultRight("read"),),
        where="`<mount>/data/<key>` of each `vaultKey` of `keycloak.clients`",
        places=_client_keys,
    ),
    Rule(
        purpose="reading the values of the Jobs, and seeing pull requests",
        rights=SEEING_PROPOSALS,
        where="the repository of `keycloak.hooks.values`",
        places=_values,
    ),
    Rule(
        purpose="changing these values by pull request",
        rights=PROPOSING,
        where="the same, in `contract.repositories`",
        places=listed_repositories(_values),
        actions=(Action.KEYCLOAK_ORDER, Action.KEYCLOAK_RERUN),
    ),
    Rule(
        purpose="making a Job of the realm anew",
        rights=(JOBS.may("delete", "jobs", "batch"),),
        where="the two Jobs, of a namespace in `contract.namespaces`",
        places=in_listed_namespaces(_jobs),
        actions=(Action.KEYCLOAK_JOBS,),
    ),
    Rule(
        purpose="the same; RBAC knows no name of what is still to be created",
        rights=(JOBS.may("create", "jobs", "batch"),),
        where="that namespace",
        places=in_listed_namespaces(namespaces(_keycloak)),
        actions=(Action.KEYCLOAK_JOBS,),
    ),
    syncing(
        _keycloak,
        purpose="syncing the Application, so that the Jobs run",
        where="Argo CD's namespace, where `contract.applications` lists the Application",
    ),
)
