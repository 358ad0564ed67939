"""Service accounts, their tokens, and what roles let them do. Each docstring says what servers answer."""

from typing import Any

import jwt
import pytest

from tests.cluster.cluster import Answer, Cluster, some_name
from tests.waiting import eventually

RBAC = "rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"


def account(cluster: Cluster, *rules: dict[str, Any]) -> str:
    """A new service account that may do this much in the namespace."""
    name = some_name()
    assert cluster.send("POST", cluster.path("serviceaccounts"), {"metadata": {"name": name}}).status == 201
    if rules:
        role = {"metadata": {"name": name}, "rules": list(rules)}
        assert cluster.send("POST", cluster.path("roles", group=RBAC), role).status == 201
        binding = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": cluster.namespace}],
        }
        assert cluster.send("POST", cluster.path("rolebindings", group=RBAC), binding).status == 201
    return name


def token(cluster: Cluster, name: str, *audiences: str) -> str:
    body = {"spec": {"expirationSeconds": 600, **({"audiences": list(audiences)} if audiences else {})}}
    answer = cluster.send("POST", cluster.path("serviceaccounts", f"{name}/token"), body)
    assert answer.status == 201, answer.body
    return str(answer.body["status"]["token"])


def review(cluster: Cluster, presented: str, *audiences: str) -> Answer:
    spec = {"token": presented, **({"audiences": list(audiences)} if audiences else {})}
    return cluster.send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"spec": spec})


def test_a_token_names_its_account_and_audience(cluster: Cluster) -> None:
    """201. https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/"""
    name = account(cluster)
    claims = jwt.decode(token(cluster, name, "vault"), options={"verify_signature": False})
    assert claims["sub"] == f"system:serviceaccount:{cluster.namespace}:{name}"
    assert claims["aud"] == ["vault"]
    assert claims["kubernetes.io"]["serviceaccount"]["name"] == name


def test_a_token_lives_for_ten_minutes_at_least(cluster: Cluster) -> None:
    """422. https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/"""
    path = cluster.path("serviceaccounts", f"{account(cluster)}/token")
    answer = cluster.send("POST", path, {"spec": {"expirationSeconds": 599, "audiences": ["vault"]}})
    assert answer.refusal == (422, "Invalid")


def test_a_good_token_is_reviewed(cluster: Cluster) -> None:
    """201 with the user, and those of the asked audiences that the token is for.
    https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/"""
    name = account(cluster)
    status = review(cluster, token(cluster, name, "vault"), "vault", "other").body["status"]
    assert status["authenticated"] is True
    assert status["audiences"] == ["vault"]
    assert status["user"]["username"] == f"system:serviceaccount:{cluster.namespace}:{name}"
    assert f"system:serviceaccounts:{cluster.namespace}" in status["user"]["groups"]


@pytest.mark.parametrize("why", ["for somebody else", "nonsense", "of an account that is gone"])
def test_a_token_that_is_no_good_is_reviewed_too(why: str, cluster: Cluster) -> None:
    """201 with what is wrong, and authenticated left out or false.
    https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/"""
    name = account(cluster)
    presented = "nonsense" if why == "nonsense" else token(cluster, name, "vault")
    if why == "of an account that is gone":
        cluster.send("DELETE", cluster.path("serviceaccounts", name))

    def refused() -> bool:
        audience = "other" if why == "for somebody else" else "vault"
        answer = review(cluster, presented, audience)
        assert answer.status == 201
        return not answer.body["status"].get("authenticated") and bool(answer.body["status"]["error"])

    eventually(refused)


def test_an_account_may_do_what_its_role_says_and_nothing_else(cluster: Cluster) -> None:
    """403 Forbidden for the rest. https://kubernetes.io/docs/reference/access-authn-authz/rbac/"""
    rule = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["facts"], "verbs": ["get"]}
    name = account(cluster, rule, {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]})
    api = cluster.api_as(token(cluster, name))
    eventually(lambda: cluster.send("GET", cluster.path("events"), api=api).status == 200)
    assert cluster.send("GET", cluster.path("configmaps", "facts"), api=api).refusal == (404, "NotFound")
    for path in (
        cluster.path("configmaps", "other"),
        cluster.path("configmaps"),
        cluster.path("pods"),
        "/api/v1/events",
        "/api/v1/namespaces",
    ):
        assert cluster.send("GET", path, api=api).refusal == (403, "Forbidden"), path
    said = cluster.send("GET", cluster.path("pods"), api=api).body["message"]
    user = f"system:serviceaccount:{cluster.namespace}:{name}"
    assert said == (
        f'pods is forbidden: User "{user}" cannot list resource "pods" in API group "" in the namespace '
        f'"{cluster.namespace}"'
    )


def test_a_subresource_is_a_right_of_its_own(cluster: Cluster) -> None:
    """https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources"""
    name = account(cluster, {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]})
    api = cluster.api_as(token(cluster, name))
    log = cluster.path("pods", "nobody/log")
    eventually(lambda: cluster.send("GET", log, api=api).status == 404)
    assert cluster.send("GET", cluster.path("pods", "nobody"), api=api).status == 403


def test_somebody_learns_what_he_may(cluster: Cluster) -> None:
    """201 with status.allowed.
    https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/"""
    api = cluster.api_as(
        token(cluster, account(cluster, {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create"]}))
    )

    def may(**attributes: str) -> bool:
        wanted = {"spec": {"resourceAttributes": {"namespace": cluster.namespace, **attributes}}}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = cluster.send("POST", path, wanted, api=api)
        assert answer.status == 201
        return bool(answer.body["status"]["allowed"])

    eventually(lambda: may(verb="create", group="batch", resource="jobs"))
    assert not may(verb="delete", group="batch", resource="jobs")
    assert not may(verb="create", resource="jobs")
    assert not may(verb="create", group="batch", resource="jobs", namespace="default")


def test_nobody_gets_in_with_nonsense(cluster: Cluster) -> None:
    """401 Unauthorized. https://kubernetes.io/docs/reference/access-authn-authz/authentication/"""
    api = cluster.api_as("nonsense")
    assert cluster.send("GET", cluster.path("pods"), api=api).refusal == (401, "Unauthorized")
