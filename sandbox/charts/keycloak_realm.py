"""The platform's chart `keycloak-realm`: the realms of an environment's Keycloak, and what makes them usable.

    wave 0   account and rights of the patcher, declared clients, imports of the realms
    wave 1   hook: the master bootstrap makes the client that the patcher logs in as
    wave 2   hook: the patcher brings the clients to their declaration, and their secrets to Vault
    wave 3   what waits for those secrets

Hooks and waves of the two Jobs are values, and so is `runId`, a change of which changes nothing else.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox import manifests
from sandbox.argo_tasks import DELETED, HOOK, WAVE
from sandbox.charts import ChartError, Release, Values
from sandbox.keycloak_names import (
    ACCOUNT,
    ADMIN_SECRET,
    CLIENTS_SECRET,
    DIGESTS,
    FALLBACK,
    FIRST_ADMIN,
    OWN_SECRET,
    PROVIDER_SECRET,
    VAULT_KEYS,
)
from sandbox.kubernetes_objects import Object

CHART: Final = "sources/charts/platform/keycloak-realm"
FILES: Final[Mapping[str, str]] = {
    f"{CHART}/Chart.yaml": """\
apiVersion: v2
name: keycloak-realm
description: The realms of an environment's Keycloak, and the Jobs that make them usable
type: application
version: 1.4.0
appVersion: "26.4"
""",
    f"{CHART}/values.yaml": """\
# Realm that the environment's clients are in.
realm: ameide

# What stands behind the names of the environment's hosts, such as dev.ameide.io.
domain: ""

keycloak:
  url: ""

vault:
  address: ""
  role: keycloak-client-patcher

masterBootstrap:
  hook: Sync
  syncWave: "1"
  hookDeletePolicy: BeforeHookCreation
  activeDeadlineSeconds: 60

clientPatcher:
  # Change it to have the Jobs run again with the next sync.
  runId: ""
  hook: Sync
  syncWave: "2"
  hookDeletePolicy: BeforeHookCreation
  activeDeadlineSeconds: 60
  clientReconciliation:
    enabled: true
  # Each with the key of Vault that its secret goes to.
  clients:
    platform-app:
      vaultKey: platform-app-client-secret
      redirectUris:
        - https://platform.{{ .Values.domain }}/api/auth/callback/keycloak
    argocd:
      vaultKey: argocd-dex-client-secret
      redirectUris:
        - https://argocd.ameide.io/api/dex/callback
        - https://argocd.ameide.io/auth/callback
    backstage:
      vaultKey: backstage-oidc-client-secret
      redirectUris:
        - https://backstage.{{ .Values.domain }}/api/auth/oidc/handler/frame
    gitlab:
      vaultKey: gitlab-oidc-client-secret
      redirectUris:
        - https://gitlab.{{ .Values.domain }}/users/auth/openid_connect/callback
""",
}
"""What the repository has of it, beside the templates below."""


def values_text(*, domain: str, keycloak: str, vault: str) -> str:
    """What stands there when all is well. keycloak, vault: addresses"""
    return f"""\
domain: {domain}

keycloak:
  url: {keycloak}

vault:
  address: {vault}

masterBootstrap:
  hook: Sync
  syncWave: "1"

clientPatcher:
  runId: "2026-01-12"
  hook: Sync
  syncWave: "2"
"""


def render(release: Release, values: Values) -> Iterator[Object]:
    """Raises ChartError."""
    for name, value in (
        ("domain", values.get("domain")),
        ("keycloak.url", values["keycloak"].get("url")),
        ("vault.address", values["vault"].get("address")),
    ):
        if not value:
            where = "keycloak-realm/templates/client-patcher.yaml:3:4"
            raise ChartError(f"execution error at ({where}): {name} is required")
    yield from _rights(release)
    yield _config_map(release, f"{release.name}-client-specs", {"clients.json": _specs(values)})
    yield _config_map(release, DIGESTS)
    yield _import(release, "master-realm", {"id": "master", "realm": "master", "enabled": True}, {})
    yield _import(
        release,
        f"{values['realm']}-realm",
        _realm(values),
        {"RECONVERGE_SECRET": (OWN_SECRET, "client-secret"), "PROBE_SECRET": (ADMIN_SECRET, "client-secret")},
    )
    yield _bootstrap(release, values)
    yield _patcher(release, values)
    yield from _external_secrets(release, values)


def _realm(values: Values) -> Object:
    """An import never comes again, so redirect URIs are the patcher's business."""
    management = ["view-clients", "manage-clients"]
    return {
        "id": values["realm"],
        "realm": values["realm"],
        "enabled": True,
        "clients": [
            *({"clientId": name, "redirectUris": []} for name in values["clientPatcher"]["clients"]),
            _service("reconverge", "${RECONVERGE_SECRET}"),
            _service(FALLBACK, "${PROBE_SECRET}"),
        ],
        "users": [
            {
                "username": "service-account-reconverge",
                "serviceAccountClientId": "reconverge",
                "clientRoles": {"realm-management": management},
            }
        ],
    }


def _service(client_id: str, secret: str) -> Object:
    return {
        "clientId": client_id,
        "secret": secret,
        "serviceAccountsEnabled": True,
        "standardFlowEnabled": False,
    }


def _specs(values: Values) -> str:
    patcher = values["clientPatcher"]
    clients = {
        name: {
            "vaultKey": one["vaultKey"],
            "redirectUris": [_filled(uri, values) for uri in one["redirectUris"]],
        }
        for name, one in patcher["clients"].items()
    }
    reconcile = bool(patcher["clientReconciliation"]["enabled"])
    return json.dumps({"realm": values["realm"], "reconcile": reconcile, "clients": clients}, indent=2)


def _filled(uri: str, values: Values) -> str:
    """As Helm's `tpl` does, for the one value that they use."""
    return uri.replace("{{ .Values.domain }}", values["domain"])


# -- Jobs -----------------------------------------------------------------------------------


def _bootstrap(release: Release, values: Values) -> Object:
    env = [
        _plain("KEYCLOAK_URL", values["keycloak"]["url"]),
        _secret("BOOTSTRAP_USERNAME", FIRST_ADMIN, "username"),
        _secret("BOOTSTRAP_PASSWORD", FIRST_ADMIN, "password"),
        *_admin(),
    ]
    container = {"name": "master-bootstrap", "image": manifests.MASTER_BOOTSTRAP_IMAGE, "env": env}
    return _job(release, "master-bootstrap", values["masterBootstrap"], {"containers": [container]})


def _patcher(release: Release, values: Values) -> Object:
    env = [
        _plain("KEYCLOAK_URL", values["keycloak"]["url"]),
        *_admin(),
        _plain("FALLBACK_CLIENT_ID", FALLBACK),
        _plain("VAULT_ADDR", values["vault"]["address"]),
        _plain("VAULT_ROLE", values["vault"]["role"]),
        _plain("DIGESTS_CONFIG_MAP", DIGESTS),
        _plain("RUN_ID", str(values["clientPatcher"].get("runId") or "")),
    ]
    container = {
        "name": "client-patcher",
        "image": manifests.CLIENT_PATCHER_IMAGE,
        "env": env,
        "volumeMounts": [{"name": "specs", "mountPath": "/specs"}],
    }
    pod = {
        "serviceAccountName": ACCOUNT,
        "containers": [container],
        "volumes": [{"name": "specs", "configMap": {"name": f"{release.name}-client-specs"}}],
    }
    return _job(release, "client-patcher", values["clientPatcher"], pod)


def _job(release: Release, name: str, values: Mapping[str, Any], pod: Object) -> Object:
    """Without a hook it is an object like others, which Kubernetes runs once and never again."""
    hook, wave = values.get("hook"), values.get("syncWave")
    annotations = {
        **({HOOK: str(hook), DELETED: values["hookDeletePolicy"]} if hook else {}),
        **({WAVE: str(wave)} if wave not in (None, "") else {}),
    }
    metadata = _metadata(release, f"{release.name}-{name}")
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**metadata, **({"annotations": annotations} if annotations else {})},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": values["activeDeadlineSeconds"],
            "template": {
                "metadata": {"labels": metadata["labels"]},
                "spec": {"restartPolicy": "Never", **pod},
            },
        },
    }


def _admin() -> Iterator[Object]:
    yield _secret("ADMIN_CLIENT_ID", ADMIN_SECRET, "client-id")
    yield _secret("ADMIN_CLIENT_SECRET", ADMIN_SECRET, "client-secret")


def _plain(name: str, value: str) -> Object:
    return {"name": name, "value": value}


def _secret(name: str, secret: str, key: str) -> Object:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


# -- the rest -------------------------------------------------------------------------------


def _rights(release: Release) -> Iterator[Object]:
    """To publish digests. What the patcher may in Vault is said there."""
    metadata = _metadata(release, ACCOUNT)
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    yield {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": [
            {
                "apiGroups": [""],
                "resources": ["configmaps"],
                "resourceNames": [DIGESTS],
                "verbs": ["get", "patch"],
            }
        ],
    }
    yield {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": release.namespace}],
    }


def _import(
    release: Release, name: str, realm: Object, placeholders: Mapping[str, tuple[str, str]]
) -> Object:
    sources = {
        variable: {"secret": {"name": secret, "key": key}} for variable, (secret, key) in placeholders.items()
    }
    return {
        "apiVersion": "k8s.keycloak.org/v2alpha1",
        "kind": "KeycloakRealmImport",
        "metadata": _metadata(release, name),
        "spec": {
            "keycloakCRName": "keycloak",
            "realm": realm,
            **({"placeholders": sources} if sources else {}),
        },
    }


def _external_secrets(release: Release, values: Values) -> Iterator[Object]:
    """Of the last wave: Argo CD would take them for broken while there is nothing to be had."""
    keys = {one["vaultKey"]: one["vaultKey"] for one in values["clientPatcher"]["clients"].values()}
    yield _late(release, manifests.external_secret(release.namespace, CLIENTS_SECRET, CLIENTS_SECRET, keys))
    client = {
        "identifier": "gitlab",
        "secret": "{{ .secret }}",
        "redirect_uri": f"https://gitlab.{values['domain']}/users/auth/openid_connect/callback",
    }
    provider = {
        "name": "openid_connect",
        "label": "Keycloak",
        "args": {
            "issuer": f"{values['keycloak']['url']}/realms/{values['realm']}",
            "client_options": client,
        },
    }
    yield _late(
        release,
        manifests.external_secret(
            release.namespace,
            PROVIDER_SECRET,
            PROVIDER_SECRET,
            {"secret": VAULT_KEYS["gitlab"]},
            {"data": {"provider": json.dumps(provider)}},
        ),
    )


def _late(release: Release, external: Object) -> Object:
    metadata = {**_metadata(release, external["metadata"]["name"]), "annotations": {WAVE: "3"}}
    return {**external, "metadata": metadata}


def _config_map(release: Release, name: str, data: Mapping[str, str] | None = None) -> Object:
    """Without data: others write it, and it is not compared."""
    made: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(release, name)}
    return {**made, "data": dict(data)} if data else made


def _metadata(release: Release, name: str) -> Object:
    return {
        "name": name,
        "namespace": release.namespace,
        "labels": {
            "app.kubernetes.io/instance": release.name,
            "app.kubernetes.io/name": release.chart,
            "helm.sh/chart": f"{release.chart}-{release.chart_version}",
        },
    }
