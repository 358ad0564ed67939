"""What this responder must be allowed to do."""

from collections.abc import Iterator
from typing import Final

from shared.landscape import Action, DeclaredKeycloak, Environment
from shared.permissions import (
    CLUSTER_USER,
    READER,
    SECRETS_USER,
    AzureRight,
    AzureScope,
    GitHubRight,
    InCluster,
    InKeycloak,
    InRepository,
    InVault,
    KeycloakRight,
    KubernetesRight,
    Level,
    Rule,
    VaultRight,
    by_group,
    itself,
)

MANIFEST: Final = "keycloak-bootstrap.yaml"


def _keycloak(environment: Environment) -> Iterator[DeclaredKeycloak]:
    if environment.keycloak:
        yield environment.keycloak


def _cluster(environment: Environment) -> Iterator[AzureScope]:
    return (by_group(environment.cluster(one.cluster).id) for one in _keycloak(environment))


def _key_vault(environment: Environment) -> Iterator[AzureScope]:
    return (itself(one.login.key_vault) for one in _keycloak(environment))


def _within(environment: Environment, *names: str | None) -> Iterator[InCluster]:
    for one in _keycloak(environment):
        cluster = environment.cluster(one.cluster).id
        for name in names:
            yield InCluster(cluster=cluster, namespace=one.namespace, name=name)


def _namespace(environment: Environment) -> Iterator[InCluster]:
    return _within(environment, None)


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


def _listed_jobs(environment: Environment) -> Iterator[InCluster]:
    return (one for one in _jobs(environment) if environment.contract.may_act_in(one.namespace))


def _listed_namespace(environment: Environment) -> Iterator[InCluster]:
    return (one for one in _namespace(environment) if environment.contract.may_act_in(one.namespace))


def _argocd(environment: Environment) -> Iterator[InCluster]:
    if environment.keycloak and (argocd := environment.argocd):
        yield InCluster(cluster=environment.cluster(argocd.cluster).id, namespace=argocd.namespace)


def _operated(environment: Environment) -> Iterator[InCluster]:
    for one in _keycloak(environment):
        if environment.contract.may_operate(one.application):
            yield from _argocd(environment)


def _values(environment: Environment) -> Iterator[InRepository]:
    for one in _keycloak(environment):
        if one.hooks.values:
            yield InRepository(one.hooks.values.repository)


def _listed_values(environment: Environment) -> Iterator[InRepository]:
    return (one for one in _values(environment) if environment.contract.may_write_to(one.url))


def _client_keys(environment: Environment) -> Iterator[InVault]:
    for one in _keycloak(environment):
        for client in one.clients.values():
            if (vault := environment.vault) and client.vault_key:
                yield InVault(
                    address=vault.address, login=vault.login, mount=vault.mount, name=client.vault_key
                )


def _realm(environment: Environment) -> Iterator[InKeycloak]:
    for one in _keycloak(environment):
        yield InKeycloak(url=one.url, realm=one.realm, login=one.login)


def _listed_realm(environment: Environment) -> Iterator[InKeycloak]:
    return (one for one in _realm(environment) if environment.contract.may_change_clients_of(one.url))


def _reading(verb: str, resource: str, group: str = "") -> KubernetesRight:
    return KubernetesRight(
        verb=verb, resource=resource, group=group, manifest=MANIFEST, role="reconverge-keycloak-reader"
    )


def _making_jobs(verb: str) -> KubernetesRight:
    return KubernetesRight(
        verb=verb, resource="jobs", group="batch", manifest=MANIFEST, role="reconverge-keycloak-jobs"
    )


def _operating(verb: str, role: str) -> KubernetesRight:
    return KubernetesRight(
        verb=verb, resource="applications", group="argoproj.io", manifest="applications.yaml", role=role
    )


RULES: Final = (
    Rule(
        purpose="the secret of Reconverge's own client in Keycloak",
        rights=(
            AzureRight(action="Microsoft.KeyVault/vaults/read", role=READER),
            AzureRight(
                action="Microsoft.KeyVault/vaults/secrets/getSecret/action", role=SECRETS_USER, data=True
            ),
        ),
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
    Rule(
        purpose="the API server's address and CA",
        rights=(
            AzureRight(
                action="Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
                role=CLUSTER_USER,
            ),
        ),
        where="the cluster's resource group",
        places=_cluster,
    ),
    Rule(
        purpose="the realm imports, and the log of a Job that failed",
        rights=(
            _reading("list", "keycloakrealmimports", "k8s.keycloak.org"),
            _reading("list", "pods"),
            _reading("get", "pods/log"),
        ),
        where="Keycloak's namespace",
        places=_namespace,
    ),
    Rule(
        purpose="the Jobs of the realm",
        rights=(_reading("get", "jobs", "batch"),),
        where="the two Jobs of `keycloak.hooks`",
        places=_jobs,
    ),
    Rule(
        purpose="the published digests",
        rights=(_reading("get", "configmaps"),),
        where="the ConfigMap `keycloak.digests`",
        places=_digests,
    ),
    Rule(
        purpose="whether Secrets are there, and equal what was published; their values are dropped at once",
        rights=(_reading("get", "secrets"),),
        where="each Secret of `keycloak.secrets`",
        places=_secrets,
    ),
    Rule(
        purpose="whether a sync is under way",
        rights=(_operating("get", "reconverge-applications-read"),),
        where="Argo CD's namespace",
        places=_argocd,
    ),
    Rule(
        purpose="whether Vault holds the clients' secrets",
        rights=(VaultRight("read"),),
        where="`<mount>/data/<key>` of each `vaultKey` of `keycloak.clients`",
        places=_client_keys,
    ),
    Rule(
        purpose="reading the values of the Jobs, and seeing pull requests",
        rights=(GitHubRight("Contents", Level.READ), GitHubRight("Pull requests", Level.READ)),
        where="the repository of `keycloak.hooks.values`",
        places=_values,
    ),
    Rule(
        purpose="changing these values by pull request",
        rights=(GitHubRight("Contents", Level.WRITE), GitHubRight("Pull requests", Level.WRITE)),
        where="the same, in `contract.repositories`",
        places=_listed_values,
        actions=(Action.KEYCLOAK_ORDER, Action.KEYCLOAK_RERUN),
    ),
    Rule(
        purpose="making a Job of the realm anew",
        rights=(_making_jobs("delete"),),
        where="the two Jobs, of a namespace in `contract.namespaces`",
        places=_listed_jobs,
        actions=(Action.KEYCLOAK_JOBS,),
    ),
    Rule(
        purpose="the same; RBAC knows no name of what is still to be created",
        rights=(_making_jobs("create"),),
        where="that namespace",
        places=_listed_namespace,
        actions=(Action.KEYCLOAK_JOBS,),
    ),
    Rule(
        purpose="syncing the Application, so that the Jobs run",
        rights=(
            _operating("get", "reconverge-applications-repair"),
            _operating("patch", "reconverge-applications-repair"),
        ),
        where="Argo CD's namespace, where `contract.applications` lists the Application",
        places=_operated,
        actions=(Action.APPLICATION_SYNC,),
    ),
)
