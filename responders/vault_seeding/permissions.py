"""What this responder must be allowed to do."""

from collections.abc import Iterator
from typing import Final

from shared.landscape import Action, DeclaredVault, Environment
from shared.permissions import (
    CLUSTER_USER,
    READER,
    SECRETS_USER,
    AzureRight,
    AzureScope,
    InCluster,
    InVault,
    KubernetesRight,
    Rule,
    VaultRight,
    by_group,
    itself,
)

SECRETS: Final = "Microsoft.KeyVault/vaults/secrets"
OPERATOR: Final = "external-secrets.io"


def _vault(environment: Environment) -> Iterator[DeclaredVault]:
    if environment.vault:
        yield environment.vault


def _key_vault(environment: Environment) -> Iterator[AzureScope]:
    return (itself(one.key_vault) for one in _vault(environment))


def _cluster(environment: Environment) -> Iterator[AzureScope]:
    return (by_group(environment.cluster(one.cluster).id) for one in _vault(environment))


def _namespace(environment: Environment) -> Iterator[InCluster]:
    for one in _vault(environment):
        yield InCluster(cluster=environment.cluster(one.cluster).id, namespace=one.namespace)


def _cron_job(environment: Environment) -> Iterator[InCluster]:
    for one in _vault(environment):
        cluster, name = environment.cluster(one.cluster).id, one.bootstrap.cron_job
        yield InCluster(cluster=cluster, namespace=one.namespace, name=name)


def _listed_namespace(environment: Environment) -> Iterator[InCluster]:
    return (one for one in _namespace(environment) if environment.contract.may_act_in(one.namespace))


def _seeds(environment: Environment) -> Iterator[InVault]:
    for one in _vault(environment):
        for key in one.seeds:
            yield InVault(address=one.address, login=one.login, mount=one.mount, name=key)


def _listed_seeds(environment: Environment) -> Iterator[InVault]:
    return (one for one in _seeds(environment) if environment.contract.may_seed(one.address))


def _reading(verb: str, resource: str, group: str = "") -> KubernetesRight:
    return KubernetesRight(
        verb=verb,
        resource=resource,
        group=group,
        manifest="vault-seeding.yaml",
        role="reconverge-vault-read",
    )


def _repairing(verb: str, resource: str, group: str) -> KubernetesRight:
    return KubernetesRight(
        verb=verb,
        resource=resource,
        group=group,
        manifest="vault-seeding.yaml",
        role="reconverge-vault-repair",
    )


RULES: Final = (
    Rule(
        purpose="the Key Vault's address",
        rights=(AzureRight(action="Microsoft.KeyVault/vaults/read", role=READER),),
        where="the Key Vault",
        places=_key_vault,
    ),
    Rule(
        purpose="what the Key Vault holds, and the value of a seed's source",
        rights=(
            AzureRight(action=f"{SECRETS}/readMetadata/action", role=SECRETS_USER, data=True),
            AzureRight(action=f"{SECRETS}/getSecret/action", role=SECRETS_USER, data=True),
        ),
        where="the Key Vault",
        places=_key_vault,
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
        purpose="the bootstrap",
        rights=(_reading("get", "cronjobs", "batch"),),
        where="the declared CronJob",
        places=_cron_job,
    ),
    Rule(
        purpose="the bootstrap's Jobs and their log, stores, ExternalSecrets and what is said of them",
        rights=(
            _reading("list", "jobs", "batch"),
            _reading("list", "pods"),
            _reading("get", "pods/log"),
            _reading("list", "events"),
            _reading("list", "secretstores", OPERATOR),
            _reading("list", "externalsecrets", OPERATOR),
        ),
        where="the Vault's namespace",
        places=_namespace,
    ),
    Rule(
        purpose="starting the bootstrap",
        rights=(_repairing("create", "jobs", "batch"),),
        where="the Vault's namespace, in `contract.namespaces`",
        places=_listed_namespace,
        actions=(Action.VAULT_BOOTSTRAP,),
    ),
    Rule(
        purpose="refreshing stores and ExternalSecrets",
        rights=(
            _repairing("patch", "secretstores", OPERATOR),
            _repairing("patch", "externalsecrets", OPERATOR),
        ),
        where="the Vault's namespace, in `contract.namespaces`",
        places=_listed_namespace,
        actions=(Action.SECRETS_REFRESH,),
    ),
    Rule(
        purpose="comparing the seeds",
        rights=(VaultRight("read"),),
        where="`<mount>/data/<key>` of each declared seed",
        places=_seeds,
    ),
    Rule(
        purpose="writing missing seeds",
        rights=(VaultRight("create"), VaultRight("update")),
        where="the same, of a Vault in `contract.vaults`",
        places=_listed_seeds,
        actions=(Action.VAULT_SEED,),
    ),
)
