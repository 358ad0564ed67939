"""What GitOps deploys of the way from Key Vault to Ready secrets, and what this repository asks of a cluster.

Names are the platform's own. The digests of images are invented.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from sandbox.gitlab import CREDENTIALS as GITLAB_CREDENTIALS
from sandbox.keycloak_names import (
    ACCOUNT,
    ADMIN_SECRET,
    AUTOMATION,
    FIRST_ADMIN,
    OWN_SECRET,
    VAULT_KEYS,
    VAULT_PATHS,
)
from sandbox.kubernetes_objects import Object
from sandbox.platform import ENVIRONMENTS, SECRETS_OF_ENVIRONMENTS
from sandbox.vault_bootstrap import CREDENTIALS
from sandbox.vaults import Opened
from sandbox.workload_identity import LABEL

BOOTSTRAP: Final = "foundation-vault-bootstrap-vault-bootstrap"
STORE: Final = "ameide-vault"
ROLE: Final = "external-secrets"
"""Of the kubernetes auth method."""
REQUIRED: Final = ("ghcr-username", "ghcr-token", "codex-auth-json-b64-0", "codex-auth-json-b64-1")
MAPPED: Final = {
    environment: {
        "backstage-gitlab-api-token": "backstage-gitlab-token",
        **{key: f"{key}-{environment}" for key in SECRETS_OF_ENVIRONMENTS},
        "gitlab-db-password": f"gitlab-db-password-{environment}",
    }
    for environment in ENVIRONMENTS
}
"""By environment: key of Vault, and the secret of Key Vault that it is seeded from."""
POLICIES: Final = {"dev": "Forbid", "prod": "Replace"}
"""How the environments' CronJobs treat a run that has not ended."""

_RBAC: Final = "rbac.authorization.k8s.io"
_OPERATOR: Final = "external-secrets.io/v1"
_OURS: Final = Path(__file__).resolve().parents[1] / "deploy" / "kubernetes"
_PLACEHOLDER: Final = "00000000-0000-0000-0000-000000000000"


def _image(name: str) -> str:
    return f"docker.io/{name}@sha256:{hashlib.sha256(name.encode()).hexdigest()}"


KUBECTL_IMAGE: Final = _image("alpine/k8s")
VAULT_IMAGE: Final = _image("hashicorp/vault")
HOOK_IMAGE: Final = _image("library/busybox")
MASTER_BOOTSTRAP_IMAGE: Final = _image("ameideio/keycloak-master-bootstrap")
CLIENT_PATCHER_IMAGE: Final = _image("ameideio/keycloak-client-patcher")


def namespace_of(environment: str) -> str:
    return f"ameide-{environment}"


def permissions_of_app(object_id: str) -> Iterator[Object]:
    """The files that operators apply, with the app's object id where they say to put it."""
    for path in sorted(_OURS.glob("*.yaml")):
        text = path.read_text(encoding="utf-8").replace(_PLACEHOLDER, object_id)
        yield from YAML(typ="safe").load_all(text)


def of_vaults(vaults: Mapping[str, Opened]) -> Iterator[Object]:
    """Of each environment, all but the CronJob, which waits for facts."""
    for environment, vault in vaults.items():
        namespace = namespace_of(environment)
        yield _credentials(namespace, vault)
        yield from _bootstrap_role(namespace)
        yield _store(namespace, vault.address)
        yield from external_secrets(namespace)
    if vaults:
        yield _reviewers([namespace_of(one) for one in vaults])


def external_secrets(namespace: str) -> Iterator[Object]:
    """What waits for the seeds. Argo CD has them from Git, too, and so tells how they are."""
    yield external_secret(
        namespace,
        "ghcr-pull-sync",
        "ghcr-pull",
        {"username": "ghcr-username", "token": "ghcr-token"},
        {
            "type": "kubernetes.io/dockerconfigjson",
            "data": {
                ".dockerconfigjson": json.dumps(
                    {"auths": {"ghcr.io": {"username": "{{ .username }}", "password": "{{ .token }}"}}}
                )
            },
        },
    )
    yield external_secret(
        namespace, "gitlab-db-credentials-sync", GITLAB_CREDENTIALS, {"password": "gitlab-db-password"}
    )
    for slot in (0, 1):
        remote = {"auth.json.b64": f"codex-auth-json-b64-{slot}"}
        yield external_secret(namespace, f"codex-auth-sync-{slot}", f"codex-auth-{slot}", remote)
    admin = {"username": "admin", "password": "{{ .password }}"}
    automation = {"client-id": AUTOMATION, "client-secret": "{{ .secret }}"}
    for name, remote, template in (
        (FIRST_ADMIN, {"password": "keycloak-bootstrap-admin-password"}, {"data": admin}),
        (ADMIN_SECRET, {"secret": "keycloak-admin-sa-client-secret"}, {"data": automation}),
        (OWN_SECRET, {"client-secret": "keycloak-reconverge-client-secret"}, None),
    ):
        yield external_secret(namespace, name, name, remote, template)


def bootstrap_cron_job(
    environment: str,
    *,
    client_id: str,
    tenant: str,
    authority: str,
    key_vault_uri: str,
    vault: str,
    object_id: str,
) -> Object:
    """The chart's CronJob. Facts give it the client id and the URI; the rest are the chart's own values."""
    variables = {
        "AZURE_CLIENT_ID": client_id,
        "AZURE_TENANT_ID": tenant,
        "AZURE_AUTHORITY_HOST": authority,
        "KEY_VAULT_URI": key_vault_uri,
        "REQUIRED_SECRETS": ",".join(REQUIRED),
        "MAPPED_SECRETS": ",".join(f"{key}={name}" for key, name in MAPPED[environment].items()),
        "VAULT_ADDR": vault,
        "EXTERNAL_SECRETS_NAMESPACES": namespace_of(environment),
        "EXTERNAL_SECRETS_ROLE": ROLE,
        "CLIENT_PATCHER_NAMESPACE": namespace_of(environment),
        "CLIENT_PATCHER_ROLE": ACCOUNT,
        "CLIENT_PATCHER_PATHS": ",".join(VAULT_PATHS),
        "CLIENT_SECRETS": ",".join(VAULT_KEYS.values()),
        "RECONVERGE_OBJECT_ID": object_id,
    }
    shared = [{"name": "vault-auto", "mountPath": "/vault/auto"}]
    pod = {
        "serviceAccountName": BOOTSTRAP,
        "restartPolicy": "Never",
        "initContainers": [{"name": "kubectl", "image": KUBECTL_IMAGE, "volumeMounts": shared}],
        "containers": [
            {
                "name": "bootstrap",
                "image": VAULT_IMAGE,
                "env": [{"name": name, "value": value} for name, value in variables.items()],
                "volumeMounts": shared,
            }
        ],
        "volumes": [{"name": "vault-auto", "emptyDir": {"medium": "Memory"}}],
    }
    labels = {"app.kubernetes.io/name": "vault-bootstrap", LABEL: "true"}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": BOOTSTRAP, "namespace": namespace_of(environment)},
        "spec": {
            "schedule": "*/1 * * * *",
            "suspend": False,
            "concurrencyPolicy": POLICIES[environment],
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {
                "spec": {
                    "backoffLimit": 0,
                    "ttlSecondsAfterFinished": 300,
                    "template": {"metadata": {"labels": labels}, "spec": pod},
                }
            },
        },
    }


def _credentials(namespace: str, vault: Opened) -> Object:
    """As Vault's StatefulSet has it made when it is initialised; the unseal key is kept from this cluster."""
    token = base64.b64encode(vault.root_token.encode()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": CREDENTIALS, "namespace": namespace},
        "data": {"root-token": token},
    }


def _bootstrap_role(namespace: str) -> Iterator[Object]:
    metadata = {"name": BOOTSTRAP, "namespace": namespace}
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": [
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": [CREDENTIALS]}
        ],
    }
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": BOOTSTRAP},
        "subjects": [{"kind": "ServiceAccount", "name": BOOTSTRAP, "namespace": namespace}],
    }


def _reviewers(namespaces: list[str]) -> Object:
    """Vault has tokens reviewed with the very token it is shown, so whoever logs in must be allowed to."""
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "vault-core-server-binding"},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "system:auth-delegator"},
        "subjects": [
            {"kind": "ServiceAccount", "name": name, "namespace": namespace}
            for namespace in namespaces
            for name in ("default", ACCOUNT)
        ],
    }


def _store(namespace: str, address: str) -> Object:
    kubernetes = {"mountPath": "kubernetes", "role": ROLE, "serviceAccountRef": {"name": "default"}}
    vault = {"server": address, "path": "secret", "version": "v2", "auth": {"kubernetes": kubernetes}}
    return {
        "apiVersion": _OPERATOR,
        "kind": "SecretStore",
        "metadata": {"name": STORE, "namespace": namespace},
        "spec": {"provider": {"vault": vault}},
    }


def external_secret(
    namespace: str, name: str, target: str, data: Mapping[str, str], template: Mapping[str, Any] | None = None
) -> Object:
    """data: key of the target -> key of Vault."""
    return {
        "apiVersion": _OPERATOR,
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "refreshInterval": "1m",
            "secretStoreRef": {"kind": "SecretStore", "name": STORE},
            "target": {
                "name": target,
                "creationPolicy": "Owner",
                **({"template": dict(template)} if template else {}),
            },
            "data": [
                {"secretKey": key, "remoteRef": {"key": remote, "property": "value"}}
                for key, remote in data.items()
            ],
        },
    }
