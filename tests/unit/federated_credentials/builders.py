"""A small platform to take things away from."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from responders.federated_credentials.facts import Facts, Holding, Write
from shared.landscape import Contract, DeclaredCredential, Mode
from shared.model import Absent, Cluster, Credential, Identity, Known, Read

SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers"
CLUSTER = f"{SUBSCRIPTION}/Microsoft.ContainerService/managedClusters/aks"
GREEN = f"{SUBSCRIPTION}/Microsoft.ContainerService/managedClusters/green"
IDENTITY = f"{SUBSCRIPTION}/Microsoft.ManagedIdentity/userAssignedIdentities/vault"
OWN = f"{SUBSCRIPTION}/Microsoft.ManagedIdentity/userAssignedIdentities/reconverge"
OWN_OBJECT = "99999999-9999-9999-9999-999999999999"

LIVE = "https://westeurope.oic.prod-aks.azure.com/tenant/live/"
DEAD = "https://westeurope.oic.prod-aks.azure.com/tenant/dead/"
SUBJECT = "system:serviceaccount:dev:vault"
AUDIENCE = "api://AzureADTokenExchange"

CONTRACT = Contract(default=Mode.APPLY, identities=(IDENTITY,), pace=timedelta(0))


def cluster(**changes: Any) -> Cluster:
    base = Cluster(id=CLUSTER, provisioning_state="Succeeded", power_state="Running", issuer=LIVE)
    return replace(base, **changes)


def identity(**changes: Any) -> Identity:
    base = Identity(id=IDENTITY, client_id="client", principal_id="principal", tenant_id="tenant")
    return replace(base, **changes)


def held(name: str = "vault-dev", **changes: Any) -> Credential:
    base = Credential(name=name, issuer=LIVE, subject=SUBJECT, audiences=(AUDIENCE,))
    return replace(base, **changes)


def declared(name: str = "vault-dev", **changes: Any) -> DeclaredCredential:
    return DeclaredCredential(**{"name": name, "cluster": "aks", "subject": SUBJECT, **changes})


def holding(
    *credentials: Credential,
    declares: tuple[DeclaredCredential, ...] | None = None,
    **changes: Any,
) -> Holding:
    base = Holding(
        id=IDENTITY,
        declared=declares or (declared(),),
        elsewhere=frozenset(),
        trusted_issuers=frozenset(),
        identity=Known(identity()),
        credentials=Known(credentials),
        writes={},
        others={},
    )
    return replace(base, **changes)


def facts(
    *holdings: Holding,
    clusters: Mapping[str, Read[Cluster]] | None = None,
    contract: Contract = CONTRACT,
) -> Facts:
    clusters = clusters or {"aks": Known(cluster())}
    ids = {"aks": CLUSTER, "green": GREEN}
    return Facts(
        environment="dev",
        clusters=clusters,
        cluster_ids={name: ids[name] for name in clusters},
        live_issuers=frozenset(
            one.value.issuer for one in clusters.values() if isinstance(one, Known) and one.value.issuer
        ),
        holdings=holdings or (holding(held()),),
        contract=contract,
        own_identity=OWN,
        own_object_id=OWN_OBJECT,
    )


def wrote(at: datetime, *, before: Credential | None, after: Credential, **changes: Any) -> Write:
    def plain(one: Credential) -> dict[str, str]:
        return {
            "name": one.name,
            "issuer": one.issuer,
            "subject": one.subject or "",
            "audience": ", ".join(one.audiences),
        }

    base = Write(
        at=at, run="run", before=plain(before) if before else None, after=plain(after), confirmed=True
    )
    return replace(base, **changes)


GONE: Read[Any] = Absent()
