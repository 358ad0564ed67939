"""Who gets into a cluster with a token of its own, and how far: the classes that judge, on a store."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.keys import IssuerKeys
from sandbox.kubernetes_bootstrap import bootstrap_policy
from sandbox.kubernetes_objects import Object, Objects, load
from sandbox.kubernetes_rbac import Attributes, Authorizer, Grant
from sandbox.kubernetes_resources import CLUSTER_ROLE_BINDINGS, ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS
from sandbox.kubernetes_tokens import IN_CLUSTER, ServiceAccountTokens, TokenRefused
from sandbox.kubernetes_users import User

ISSUER = "https://issuer.invalid/build/"
HOUR = timedelta(hours=1)
KEYS = IssuerKeys.generate()


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Cluster:
    def __init__(self) -> None:
        self.clock = Clock()
        self.objects = Objects(self.clock)
        load(self.objects, bootstrap_policy())
        self.tokens = ServiceAccountTokens(issuer=ISSUER, keys=KEYS, objects=self.objects, clock=self.clock)

    def account(self, name: str = "vault") -> Object:
        return self.objects.create(SERVICE_ACCOUNTS, {"metadata": {"name": name, "namespace": "dev"}})


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


# -- tokens -----------------------------------------------------------------------------


@pytest.mark.parametrize("audience", [ISSUER, IN_CLUSTER])
def test_a_token_for_the_api_server_proves_its_account(cluster: Cluster, audience: str) -> None:
    account = cluster.account()
    token = cluster.tokens.issue(account, [audience, "other"], HOUR)
    verified = cluster.tokens.verify(token, cluster.tokens.audiences)
    assert verified.subject == "system:serviceaccount:dev:vault"
    assert verified.uid == account["metadata"]["uid"]
    assert verified.audiences == (audience,)


def test_a_token_for_somebody_else_is_refused(cluster: Cluster) -> None:
    token = cluster.tokens.issue(cluster.account(), ["api://AzureADTokenExchange"], HOUR)
    with pytest.raises(TokenRefused, match="audiences"):
        cluster.tokens.verify(token, cluster.tokens.audiences)


def test_a_token_ends_with_its_time(cluster: Cluster) -> None:
    token = cluster.tokens.issue(cluster.account(), [ISSUER], HOUR)
    cluster.clock.now += HOUR
    with pytest.raises(TokenRefused, match="expired"):
        cluster.tokens.verify(token, cluster.tokens.audiences)


def test_a_token_ends_with_its_account_though_another_of_the_name_follows(cluster: Cluster) -> None:
    token = cluster.tokens.issue(cluster.account(), [ISSUER], HOUR)
    cluster.objects.delete(SERVICE_ACCOUNTS, "dev", "vault")
    with pytest.raises(TokenRefused, match="not found"):
        cluster.tokens.verify(token, cluster.tokens.audiences)
    cluster.account()
    with pytest.raises(TokenRefused, match="UID"):
        cluster.tokens.verify(token, cluster.tokens.audiences)


def test_a_token_outlives_one_rotation_of_keys_and_not_two(cluster: Cluster) -> None:
    token = cluster.tokens.issue(cluster.account(), [ISSUER], HOUR)
    cluster.tokens.keys = cluster.tokens.keys.rotated()
    assert cluster.tokens.verify(token, (ISSUER,)).name == "vault"
    cluster.tokens.keys = cluster.tokens.keys.rotated()
    with pytest.raises(TokenRefused, match="invalid bearer token"):
        cluster.tokens.verify(token, (ISSUER,))


# -- roles ------------------------------------------------------------------------------

USER = User(name="0f2b7a52-object-id")
ACCOUNT = User(
    name="system:serviceaccount:dev:vault",
    groups=("system:serviceaccounts", "system:serviceaccounts:dev", "system:authenticated"),
)
JOBS = {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "create"]}
LOGS = {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}
NAMED = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["facts"], "verbs": ["get", "list"]}
ALL_STATUS = {"apiGroups": ["*"], "resources": ["*/status"], "verbs": ["*"]}


def job(verb: str = "create", namespace: str = "dev") -> Attributes:
    return Attributes(verb=verb, group="batch", resource="jobs", namespace=namespace)


def map_(verb: str, name: str = "") -> Attributes:
    return Attributes(verb=verb, resource="configmaps", namespace="dev", name=name)


COVERED: dict[str, tuple[dict[str, Any], Attributes, bool]] = {
    "a verb that is listed": (JOBS, job(), True),
    "a verb that is not listed": (JOBS, job("delete"), False),
    "another namespace than the binding's": (JOBS, job(namespace="prod"), False),
    "all namespaces at once": (JOBS, job(namespace=""), False),
    "the same plural of another group": (JOBS | {"apiGroups": [""]}, job(), False),
    "any group": (JOBS | {"apiGroups": ["*"]}, job(), True),
    "a subresource that is listed": (
        LOGS,
        Attributes(verb="get", resource="pods", subresource="log", namespace="dev"),
        True,
    ),
    "an object whose subresource alone is listed": (
        LOGS,
        Attributes(verb="get", resource="pods", namespace="dev"),
        False,
    ),
    "a subresource of an object that alone is listed": (
        JOBS,
        Attributes(verb="get", group="batch", resource="jobs", subresource="status", namespace="dev"),
        False,
    ),
    "a subresource of every kind": (
        ALL_STATUS,
        Attributes(verb="get", group="batch", resource="jobs", subresource="status", namespace="dev"),
        True,
    ),
    "the object that is named": (NAMED, map_("get", "facts"), True),
    "an object that is not named": (NAMED, map_("get", "other"), False),
    "a list, which names none": (NAMED, map_("list"), False),
}


@pytest.mark.parametrize(("rule", "wanted", "allowed"), COVERED.values(), ids=COVERED)
def test_a_rule_covers(rule: dict[str, Any], wanted: Attributes, allowed: bool, cluster: Cluster) -> None:
    _bind(cluster, rule, {"kind": "User", "name": USER.name})
    assert (Authorizer(cluster.objects, ()).reason(USER, wanted) is not None) is allowed


SUBJECTS: dict[str, tuple[dict[str, str], User, bool]] = {
    "a user by object id": ({"kind": "User", "name": USER.name}, USER, True),
    "an account of the binding's namespace": ({"kind": "ServiceAccount", "name": "vault"}, ACCOUNT, True),
    "an account of a namespace": (
        {"kind": "ServiceAccount", "name": "vault", "namespace": "dev"},
        ACCOUNT,
        True,
    ),
    "an account of its name elsewhere": (
        {"kind": "ServiceAccount", "name": "vault", "namespace": "prod"},
        ACCOUNT,
        False,
    ),
    "a group": ({"kind": "Group", "name": "system:serviceaccounts:dev"}, ACCOUNT, True),
    "a group the user is not in": ({"kind": "Group", "name": "system:serviceaccounts:dev"}, USER, False),
}


@pytest.mark.parametrize(("subject", "user", "allowed"), SUBJECTS.values(), ids=SUBJECTS)
def test_a_binding_means(subject: dict[str, str], user: User, allowed: bool, cluster: Cluster) -> None:
    _bind(cluster, JOBS, subject)
    assert (Authorizer(cluster.objects, ()).reason(user, job()) is not None) is allowed


def test_a_binding_of_the_cluster_counts_in_every_namespace(cluster: Cluster) -> None:
    authorizer = Authorizer(cluster.objects, ())
    assert authorizer.reason(USER, job(namespace="prod")) is None
    cluster.objects.create(
        CLUSTER_ROLE_BINDINGS,
        {
            "metadata": {"name": "admins"},
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "User", "name": USER.name}],
        },
    )
    assert authorizer.reason(USER, job(namespace="prod")) == 'RBAC: allowed by ClusterRoleBinding "admins"'
    assert authorizer.reason(USER, Attributes(verb="get", path="/metrics"))


def test_a_grant_from_outside_counts_without_any_object(cluster: Cluster) -> None:
    grant = Grant(user=USER.name, verbs=frozenset({"get"}), resources=frozenset({"pods/log"}))
    authorizer = Authorizer(cluster.objects, [grant])
    wanted = Attributes(verb="get", resource="pods", subresource="log", namespace="dev")
    assert authorizer.reason(USER, wanted)
    assert authorizer.reason(ACCOUNT, wanted) is None
    assert authorizer.reason(USER, Attributes(verb="get", path="/metrics")) is None


def test_a_binding_to_no_role_allows_nothing(cluster: Cluster) -> None:
    _bind(cluster, JOBS, {"kind": "User", "name": USER.name})
    cluster.objects.delete(ROLES, "dev", "role")
    assert Authorizer(cluster.objects, ()).reason(USER, job()) is None


def _bind(cluster: Cluster, rule: dict[str, Any], subject: dict[str, str]) -> None:
    cluster.objects.create(ROLES, {"metadata": {"name": "role", "namespace": "dev"}, "rules": [rule]})
    cluster.objects.create(
        ROLE_BINDINGS,
        {
            "metadata": {"name": "binding", "namespace": "dev"},
            "roleRef": {"kind": "Role", "name": "role"},
            "subjects": [subject],
        },
    )
