"""What this responder must be allowed to do."""

from collections.abc import Iterator
from typing import Final

from shared.landscape import Action, DeclaredCredential, Environment, ProofMethod
from shared.permission_rules import api_server
from shared.permissions import (
    CREDENTIAL_CONTRIBUTOR,
    READER,
    AzureRight,
    AzureScope,
    InCluster,
    KubernetesRight,
    Rule,
    by_group,
    itself,
)

IDENTITIES: Final = "Microsoft.ManagedIdentity/userAssignedIdentities"
WRITES: Final = (Action.CREDENTIAL_UPDATE, Action.CREDENTIAL_CREATE)


def _clusters(environment: Environment) -> Iterator[AzureScope]:
    return (by_group(one.id) for one in environment.clusters)


def _identities(environment: Environment) -> Iterator[AzureScope]:
    return (itself(one.id) for one in environment.identities)


def _listed(environment: Environment) -> Iterator[AzureScope]:
    return (itself(one.id) for one in environment.identities if environment.contract.may_write(one.id))


def _exchanged(environment: Environment) -> Iterator[DeclaredCredential]:
    """Only what may be written is ever proven."""
    if environment.contract.proof is ProofMethod.TOKEN_EXCHANGE:
        for identity in environment.identities:
            if environment.contract.may_write(identity.id):
                yield from identity.credentials


def _service_accounts(environment: Environment) -> Iterator[InCluster]:
    for credential in _exchanged(environment):
        namespace, name = credential.subject.split(":")[2:]
        yield InCluster(cluster=environment.cluster(credential.cluster).id, namespace=namespace, name=name)


RULES: Final = (
    Rule(
        purpose="the cluster's state and issuer",
        rights=(AzureRight(action="Microsoft.ContainerService/managedClusters/read", role=READER),),
        where="the cluster's resource group",
        places=_clusters,
    ),
    Rule(
        purpose="identities and their credentials",
        rights=(
            AzureRight(action=f"{IDENTITIES}/read", role=READER),
            AzureRight(action=f"{IDENTITIES}/federatedIdentityCredentials/read", role=READER),
        ),
        where="each declared identity",
        places=_identities,
    ),
    Rule(
        purpose="writing credentials",
        rights=(
            AzureRight(
                action=f"{IDENTITIES}/federatedIdentityCredentials/write", role=CREDENTIAL_CONTRIBUTOR
            ),
        ),
        where="each declared identity of `contract.identities`",
        places=_listed,
        actions=WRITES,
    ),
    api_server(
        _exchanged,
        where="the cluster's resource group, for `proof: token-exchange`",
        actions=WRITES,
    ),
    Rule(
        purpose="tokens to prove a repair with",
        rights=(
            KubernetesRight(
                verb="create",
                resource="serviceaccounts/token",
                manifest="token-request.yaml",
                role="reconverge-token-request",
            ),
        ),
        where="each service account of a credential that may be written, for `proof: token-exchange`",
        places=_service_accounts,
        actions=WRITES,
    ),
)
