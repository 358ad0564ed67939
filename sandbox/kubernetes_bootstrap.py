"""The roles that every cluster has from its beginning, as far as somebody here is bound to them.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/#default-roles-and-role-bindings
"""

from collections.abc import Iterator
from typing import Any

from sandbox.kubernetes_objects import Object
from sandbox.kubernetes_users import AUTHENTICATED

type Rules = tuple[dict[str, Any], ...]

_GROUP = "rbac.authorization.k8s.io"
_ROLES: dict[str, Rules] = {
    "cluster-admin": (
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ),
    "system:auth-delegator": (
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
        {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
    ),
    "system:basic-user": (
        {
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            "verbs": ["create"],
        },
        {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
    ),
    "system:discovery": (
        {
            "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/openapi/*", "/version"],
            "verbs": ["get"],
        },
    ),
}
_BOUND = {
    "cluster-admin": "system:masters",
    "system:basic-user": AUTHENTICATED,
    "system:discovery": AUTHENTICATED,
}


def bootstrap_policy() -> Iterator[Object]:
    """The roles, and the bindings of those that groups have from the beginning."""
    for name, rules in _ROLES.items():
        yield {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "ClusterRole",
            "metadata": _metadata(name),
            "rules": list(rules),
        }
    for role, group in _BOUND.items():
        yield {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": _metadata(role),
            "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": _GROUP, "kind": "Group", "name": group}],
        }


def _metadata(name: str) -> Object:
    return {"name": name, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}
