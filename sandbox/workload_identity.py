"""The webhook of workload identity: gives a pod that asks for it a token for Entra, and where to take it.

https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html
"""

from copy import deepcopy

from sandbox.kubernetes_objects import Object

LABEL = "azure.workload.identity/use"
AUDIENCE = "api://AzureADTokenExchange"
_VOLUME = "azure-identity-token"
_DIRECTORY = "/var/run/secrets/azure/tokens"
TOKEN_FILE = f"{_DIRECTORY}/{_VOLUME}"


def inject(pod: Object, *, tenant: str, authority: str) -> Object:
    """The pod as it is created. One without the label stays as it is, and its programs find no token."""
    if (pod["metadata"].get("labels") or {}).get(LABEL) != "true":
        return pod
    changed = deepcopy(pod)
    spec = changed["spec"]
    spec.setdefault("volumes", []).append(
        {
            "name": _VOLUME,
            "projected": {
                "sources": [
                    {
                        "serviceAccountToken": {
                            "audience": AUDIENCE,
                            "expirationSeconds": 3600,
                            "path": _VOLUME,
                        }
                    }
                ]
            },
        }
    )
    given = {
        "AZURE_TENANT_ID": tenant,
        "AZURE_FEDERATED_TOKEN_FILE": TOKEN_FILE,
        "AZURE_AUTHORITY_HOST": f"{authority}/",
    }
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        own = container.setdefault("env", [])
        named = {one["name"] for one in own}
        own.extend({"name": name, "value": value} for name, value in given.items() if name not in named)
        container.setdefault("volumeMounts", []).append(
            {"name": _VOLUME, "mountPath": _DIRECTORY, "readOnly": True}
        )
    return changed
