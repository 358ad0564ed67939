"""What the cloud holds at the start: the reference platform, with staging switched off.

Its one cluster hosts all environments. The names, service accounts and credentials are the platform's own;
the ids that only Azure could give are invented.
"""

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.cloud import Cloud
from sandbox.clusters import Wanted
from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_rbac import Grant
from sandbox.rbac import CREDENTIAL_CONTRIBUTOR, OWNER, PLATFORM_FACTS, SECRETS_OFFICER, SECRETS_USER
from sandbox.records import Credential, Identity, Principal, PublicAddress, RoleAssignment, Vault
from sandbox.timeline import BEGINNING
from sandbox.vault_secrets import Secrets

TENANT = "7d1c6c2e-4a0f-4d4e-9a61-3f2b8c5e9d10"
SUBSCRIPTION = "e4652c74-2582-4efc-b605-9d9ed2210a2a"
LOCATION = "westeurope"
GROUP = "Ameide"
CLUSTER = "ameide"
APP_IDENTITY = "reconverge-mi"
APP_OBJECT_ID = "5b0a7c1e-93d2-4f6b-8e47-c1d5a2f08b36"
"""Fixed, since the landscape names it: the app recognises its own writes by it."""
AUDIENCE = "api://AzureADTokenExchange"
ENVIRONMENTS = ("dev", "prod")
VAULT = "ameidekv"
ADDRESSES = {"ameide-dev-envoy-pip": "20.61.10.4", "ameide-prod-envoy-pip": "20.61.10.5"}
SECRETS = (
    "ghcr-username",
    "ghcr-token",
    "pypi-token",
    "npm-token",
    "buf-token",
    "langsmith-api-key",
    "repository-database-url",
    "database-ssl",
    "database-pool-max",
    "database-pool-idle-timeout-ms",
    "database-pool-connection-timeout-ms",
    "go-proto-version",
    "go-sdk-version",
    "coder-github-oauth-client-id",
    "coder-github-oauth-client-secret",
    "coder-bootstrap-admin-username",
    "coder-bootstrap-admin-email",
    "coder-bootstrap-admin-password",
    "coder-bootstrap-token",
    "codex-auth-json-b64-0",
    "codex-auth-json-b64-1",
    "codex-auth-json-b64-2",
    "backstage-gitlab-token",
    *(f"gitlab-db-password-{environment}" for environment in ENVIRONMENTS),
)
"""What the platform's documents ask of a new subscription's vault. One more, coder-cli-session-token, is made
by automation later."""
SECRETS_OF_ENVIRONMENTS = (
    "keycloak-bootstrap-admin-password",
    "keycloak-admin-sa-client-secret",
    "keycloak-reconverge-client-secret",
)
"""Made for each environment, whose name is put behind."""

_BOOTSTRAP = "foundation-vault-bootstrap-vault-bootstrap"
_BOOTSTRAP_IDENTITY = "ameide-vault-bootstrap-mi"
_PLAIN_NAMESPACES = ("default", "kube-system", "argocd", "ameide-system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """A credential of the platform: which service account may become which identity."""

    identity: str
    name: str
    namespace: str
    service_account: str

    @property
    def subject(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.service_account}"


TRUSTS = tuple(
    trust
    for env in ENVIRONMENTS
    for trust in (
        Trust(
            identity=_BOOTSTRAP_IDENTITY,
            name=f"vault-bootstrap-{env}",
            namespace=f"ameide-{env}",
            service_account=_BOOTSTRAP,
        ),
        Trust(
            identity=f"ameide-{env}-backup-mi",
            name="cnpg-backup",
            namespace=f"ameide-{env}",
            service_account="postgres-ameide",
        ),
        Trust(
            identity=f"ameide-dns-{env}-mi",
            name=f"ameide-{env}-cert-manager",
            namespace=f"ameide-{env}",
            service_account=f"cert-manager-{env}",
        ),
    )
)

CLUSTER_WANTED = Wanted(
    location=LOCATION, tags={"platform": "ameide"}, issuer_enabled=True, workload_identity=True
)


def seed_directory(cloud: Cloud) -> tuple[Principal, Principal]:
    """Create the operator, the app's identity and their roles. Answers the two principals."""
    operator = Principal(
        client_id=str(uuid.uuid4()),
        object_id=str(uuid.uuid4()),
        name="operator",
        secret=secrets.token_hex(32),  # begins with no "-", which az would take for an option of its own
    )
    cloud.service_principals[operator.client_id] = operator
    _assign(cloud, f"/subscriptions/{SUBSCRIPTION}", OWNER.id, operator.object_id)
    app = _identity(APP_IDENTITY, (), principal_id=APP_OBJECT_ID)
    cloud.identities.put(app.id, app, BEGINNING)
    _assign(
        cloud, f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}", PLATFORM_FACTS.id, app.principal_id
    )
    return operator, Principal(
        client_id=app.client_id, object_id=app.principal_id, name=app.name, identity_id=app.id
    )


def seed_identities(cloud: Cloud, app: Principal, issuer: str) -> None:
    """Create the platform's identities; their credentials trust the issuer, and the app may write them.

    The app's role is assigned on each identity and never above: on its own it could make itself anybody.
    """
    for name in sorted({trust.identity for trust in TRUSTS}):
        credentials = tuple(
            Credential(name=trust.name, issuer=issuer, subject=trust.subject, audience=AUDIENCE)
            for trust in TRUSTS
            if trust.identity == name
        )
        identity = _identity(name, credentials)
        cloud.identities.put(identity.id, identity, BEGINNING)
        _assign(cloud, identity.id, CREDENTIAL_CONTRIBUTOR.id, app.object_id)


def seed_vault(cloud: Cloud, operator: Principal, app: Principal, uri: str) -> Secrets:
    """Create the platform's key vault, its secrets with random values, and who may read them."""
    vault = Vault(subscription=SUBSCRIPTION, group=GROUP, name=VAULT, location=LOCATION, uri=uri)
    cloud.vaults.put(vault.id, vault, BEGINNING)
    secrets_of_vault = Secrets(cloud.clock)
    made = (f"{name}-{environment}" for environment in ENVIRONMENTS for name in SECRETS_OF_ENVIRONMENTS)
    for name in (*SECRETS, *made):
        secrets_of_vault.set(name, secrets.token_urlsafe(24), {})
    _assign(cloud, vault.id, SECRETS_OFFICER.id, operator.object_id)
    _assign(cloud, vault.id, SECRETS_USER.id, app.object_id)
    for identity in cloud.identities.all(cloud.clock()):
        if identity.name == _BOOTSTRAP_IDENTITY:
            _assign(cloud, vault.id, SECRETS_USER.id, identity.principal_id)
    return secrets_of_vault


def seed_addresses(cloud: Cloud) -> None:
    for name, address in ADDRESSES.items():
        held = PublicAddress(
            subscription=SUBSCRIPTION, group=GROUP, name=name, location=LOCATION, address=address
        )
        cloud.addresses.put(held.id, held, BEGINNING)


def grants(operator: Principal) -> tuple[Grant, ...]:
    """What the operator may do in the cluster. What the app may is among the cluster's objects."""
    everything = frozenset({"*"})
    return (Grant(user=operator.object_id, verbs=everything, resources=everything),)


def manifests() -> Iterator[Object]:
    """What Argo CD deploys to every build of the cluster."""
    namespaces = (*_PLAIN_NAMESPACES, *(f"ameide-{env}" for env in ENVIRONMENTS))
    for namespace in namespaces:
        yield {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace, "labels": {"kubernetes.io/metadata.name": namespace}},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        }
        yield _service_account(namespace, "default")
    for trust in TRUSTS:
        yield _service_account(trust.namespace, trust.service_account)


def _service_account(namespace: str, name: str) -> Object:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def _identity(name: str, credentials: tuple[Credential, ...], principal_id: str | None = None) -> Identity:
    return Identity(
        subscription=SUBSCRIPTION,
        group=GROUP,
        name=name,
        location=LOCATION,
        client_id=str(uuid.uuid4()),
        principal_id=principal_id or str(uuid.uuid4()),
        credentials={credential.name.lower(): credential for credential in credentials},
    )


def _assign(cloud: Cloud, scope: str, role: str, principal_id: str) -> None:
    assignment = RoleAssignment(name=str(uuid.uuid4()), scope=scope, role=role, principal_id=principal_id)
    cloud.assignments.put(assignment.id, assignment, BEGINNING)
