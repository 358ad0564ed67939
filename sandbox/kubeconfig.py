"""Kubeconfig documents: the one ARM hands out, and the ready one for the operator."""

import base64
import io
from typing import Any

from ruamel.yaml import YAML

from sandbox.records import ApiEndpoint, Cluster
from sandbox.tokens import KUBERNETES_AUDIENCE


def user_kubeconfig(cluster: Cluster, api: ApiEndpoint, tenant: str, *, form: str) -> bytes:
    """What `listClusterUserCredential` holds for an Entra cluster without local accounts.

    Its user asks another program (kubelogin) for a token, or with form "azure" names a plugin that clients
    no longer have. So only server and authority are of use to a program; the token is its own affair.
    """
    name = f"clusterUser_{cluster.group}_{cluster.name}"
    return _document(
        [(cluster.name, api)], cluster.name, name, _azure(tenant) if form == "azure" else _exec()
    )


def token_kubeconfig(endpoints: list[tuple[str, ApiEndpoint]], token: str) -> bytes:
    """A kubeconfig that just works, one context per cluster, the first of them current."""
    return _document(endpoints, endpoints[0][0] if endpoints else "", "operator", {"token": token})


def _document(
    endpoints: list[tuple[str, ApiEndpoint]], current: str, user: str, credential: dict[str, Any]
) -> bytes:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": api.url,
                    "certificate-authority-data": base64.b64encode(api.ca_pem).decode(),
                },
            }
            for name, api in endpoints
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}} for name, _ in endpoints],
        "current-context": current,
        "preferences": {},
        "users": [{"name": user, "user": credential}],
    }
    text = io.BytesIO()
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.width = 1 << 20  # certificates stay on their line
    yaml.dump(document, text)
    return text.getvalue()


def _exec() -> dict[str, Any]:
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "kubelogin",
            "args": [
                "get-token",
                "--environment",
                "AzurePublicCloud",
                "--server-id",
                KUBERNETES_AUDIENCE,
                "--login",
                "devicecode",
            ],
            "env": None,
            "provideClusterInfo": False,
        }
    }


def _azure(tenant: str) -> dict[str, Any]:
    config = {"apiserver-id": KUBERNETES_AUDIENCE, "config-mode": "1", "tenant-id": tenant}
    return {"auth-provider": {"name": "azure", "config": config}}
