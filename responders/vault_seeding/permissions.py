"""What this responder must be allowed to do."""

from collections.abc import Iterator
from typing import Final

from shared.landscape import Action, DeclaredVault, Environment
from shared.permission_rules import (
    KEY_VAULT_ADDRESS,
    SECRET_VALUE,
    ClusterRole,
    api_server,
    in_listed_namespaces,
    namespaces,
    vault_key,
)
from shared.permissions import (
    SECRETS_USER,
    AzureRight,
    AzureScope,
    InCluster,
    InVault,
    Rule,
    VaultRight,
    itself,
)

READING: Final = ClusterRole("vault-seeding.yaml", "reconverge-vault-read")
REPAIRING: Final = ClusterRole("vault-seeding.yaml", "reconverge-vault-repair")
OPERATOR: Final = "external-secrets.io"


def _vault(environment: Environment) -> Iterator[DeclaredVault]:
    if environment.vault:
        yield environment.vault


def _key_vault(environment: Environment) -> Iterator[AzureScope]:
    return (itself(one.key_vault) for one in _vault(environment))


def _cron_job(environment: Environment) -> Iterator[InCluster]:
    for one in _vault(environment):
        cluster, name = environment.cluster(one.cluster).id, one.bootstrap.cron_job
        yield InCluster(cluster=cluster, namespace=one.namespace, name=name)


def _seeds(environment: Environment) -> Iterator[InVault]:
    for one in _vault(environment):
        for key in one.seeds:
            yield vault_key(one, key)


def _listed_seeds(environment: Environment) -> Iterator[InVault]:
    return (one for one in _seeds(environment) if environment.contract.may_seed(one.address))


RULES: Final = (
    Rule(
        purpose="the Key Vault's address",
        rights=(KEY_VAULT_ADDRESS,),
        where="the Key Vault",
        places=_key_vault,
    ),
    Rule(
        purpose="what the Key Vault holds, and the value of a seed's source",
        rights=(
            AzureRight(
                action="Microsoft.KeyVault/vaults/secrets/readMetadata/action", role=SECRETS_USER, data=True
            ),
            SECRET_VALUE,
        ),
        where="the Key Vault",
        places=_key_vault,
    ),
    api_server(_vault),
    Rule(
        purpose="the bootstrap",
        rights=(READING.may("get", "cronjobs", "batch"),),
        where="the declared CronJob",
        places=_cron_job,
    ),
    Rule(
        purpose="the bootstrap's Jobs and their log, stores, ExternalSecrets and what is said of them",
        rights=(
            READING.may("list", "jobs", "batch"),
            READING.may("list", "pods"),
            READING.may("get", "pods/log"),
            READING.may("list", "events"),
            READING.may("list", "secretstores", OPERATOR),
            READING.may("list", "externalsecrets", OPERATOR),
        ),
        where="the Vault's namespace",
        places=namespaces(_vault),
    ),
    Rule(
        purpose="starting the bootstrap",
        rights=(REPAIRING.may("create", "jobs", "batch"),),
        where="the Vault's namespace, in `contract.namespaces`",
        places=in_listed_namespaces(namespaces(_vault)),
        actions=(Action.VAULT_BOOTSTRAP,),
    ),
    Rule(
        purpose="refreshing stores and ExternalSecrets",
        rights=(
            REPAIRING.may("patch", "secretstores", OPERATOR),
            REPAIRING.may("patch", "externalsecrets", OPERATOR),
        ),
        where="the Vault's namespace, in `contract.namespaces`",
        places=in_listed_namespaces(namespaces(_vault)),
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
