"""What roles allow, and what of it no need explains."""

import pytest

from shared.clients.access_reviews import Allowed, ResourceRule
from shared.clients.arm_permissions import Granted
from shared.excess import allows, more_in_azure, more_in_namespace
from shared.permissions import (
    CLUSTER_USER,
    CREDENTIAL_CONTRIBUTOR,
    SECRETS_USER,
    AzureNeed,
    AzureRight,
    AzureScope,
    InCluster,
    KubernetesNeed,
    KubernetesRight,
    Need,
    Role,
    by_group,
    itself,
)

GROUP = "/subscriptions/s/resourceGroups/rg"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one"
OTHER = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one-more"
CREDENTIALS = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"
WRITE = f"{CREDENTIALS}/write"
SECRET = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
KUBECONFIG = "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action"


def azure(action: str, place: AzureScope, role: Role, *, data: bool = False) -> AzureNeed:
    return Need(right=AzureRight(action=action, role=role, data=data), place=place, by=("one",))


NEEDS = (
    azure(KUBECONFIG, by_group(CLUSTER), CLUSTER_USER),
    azure(WRITE, itself(IDENTITY), CREDENTIAL_CONTRIBUTOR),
)

ALLOWS: dict[str, tuple[tuple[Granted, ...], bool]] = {
    "the action": ((Granted(actions=(WRITE,)),), True),
    "the action in other letters": ((Granted(actions=(WRITE.upper(),)),), True),
    "everything": ((Granted(actions=("*",)),), True),
    "a pattern that reaches over slashes": ((Granted(actions=("Microsoft.ManagedIdentity/*/write",)),), True),
    "a pattern that ends otherwise": ((Granted(actions=("*/read",)),), False),
    "a longer action": ((Granted(actions=(f"{WRITE}/action",)),), False),
    "a shorter action": ((Granted(actions=(WRITE.rpartition("/")[0],)),), False),
    "one taken away by the same role": ((Granted(actions=("*",), not_actions=("*/WRITE",)),), False),
    "one taken away by one role and brought by another": (
        (Granted(actions=("*",), not_actions=(WRITE,)), Granted(actions=(WRITE,))),
        True,
    ),
    "an action on data of that name": ((Granted(data_actions=("*",)),), False),
    "nothing": ((), False),
}


@pytest.mark.parametrize("what", ALLOWS)
def test_a_right_is_brought_by(what: str) -> None:
    granted, expected = ALLOWS[what]
    assert allows(granted, AzureRight(action=WRITE, role=CREDENTIAL_CONTRIBUTOR)) is expected


def test_a_right_on_data_is_brought_by_actions_on_data_only() -> None:
    right = AzureRight(action=SECRET, role=SECRETS_USER, data=True)
    assert not allows((Granted(actions=("*",)),), right)
    assert allows((Granted(data_actions=("Microsoft.KeyVault/vaults/secrets/*",)),), right)
    taken = Granted(data_actions=("*",), not_data_actions=(SECRET,))
    assert not allows((taken,), right)


MORE: dict[str, tuple[str, Granted, tuple[str, ...]]] = {
    "reading is never too much": (IDENTITY, Granted(actions=("*/read", "Microsoft.Network/x/read")), ()),
    "the role that is enough is no more than enough": (
        IDENTITY,
        Granted(actions=CREDENTIAL_CONTRIBUTOR.actions),
        (),
    ),
    "the same role on another identity": (OTHER, Granted(actions=(WRITE,)), (WRITE,)),
    "the same role on all identities": (GROUP, Granted(actions=(WRITE,)), (WRITE,)),
    "a role that belongs on the group, seen below it": (OTHER, Granted(actions=(KUBECONFIG,)), ()),
    "a role for the cluster that was assigned on it": (CLUSTER, Granted(actions=(KUBECONFIG,)), ()),
    "everything": (IDENTITY, Granted(actions=("*",), not_actions=("x/write",)), ("*",)),
    "what the same role takes away again": (
        IDENTITY,
        Granted(actions=("a/b/write",), not_actions=("A/*",)),
        (),
    ),
    "actions on data": (IDENTITY, Granted(data_actions=("a/read",)), ("a/read",)),
}


@pytest.mark.parametrize("what", MORE)
def test_more_than_needed_in_azure(what: str) -> None:
    scope, granted, expected = MORE[what]
    assert more_in_azure((granted,), scope, NEEDS) == expected


def kubernetes(verb: str, resource: str, group: str = "", name: str | None = None) -> KubernetesNeed:
    right = KubernetesRight(verb=verb, resource=resource, group=group, manifest="m.yaml", role="r")
    return Need(right=right, place=InCluster(cluster=CLUSTER, namespace="dev", name=name), by=("one",))


def rule(verbs: str, group: str, resources: str, *names: str) -> ResourceRule:
    return ResourceRule(
        verbs=tuple(verbs.split()), groups=(group,), resources=tuple(resources.split()), names=names
    )


WATCHED = (
    kubernetes("list", "pods"),
    kubernetes("create", "serviceaccounts/token", name="one"),
    kubernetes("create", "serviceaccounts/token", name="two"),
)
RULES: dict[str, tuple[ResourceRule, tuple[str, ...]]] = {
    "what is needed": (rule("list", "", "pods"), ()),
    "a part of it by name": (rule("list", "", "pods", "one"), ()),
    "the named objects": (rule("create", "", "serviceaccounts/token", "two", "one"), ()),
    "one name more": (
        rule("create", "", "serviceaccounts/token", "one", "three"),
        ("create serviceaccounts/token one three",),
    ),
    "all names": (rule("create", "", "serviceaccounts/token"), ("create serviceaccounts/token",)),
    "another verb": (rule("list get", "", "pods"), ("get pods",)),
    "another group": (rule("list", "metrics.k8s.io", "pods"), ("list pods.metrics.k8s.io",)),
    "Secrets": (rule("get list", "", "pods secrets"), ("get pods", "get secrets", "list secrets")),
    "everything": (rule("*", "*", "*"), ("* *.*",)),
    "asking about oneself": (
        rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
        (),
    ),
    "asking about others": (
        rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        ("create subjectaccessreviews.authorization.k8s.io",),
    ),
}


@pytest.mark.parametrize("what", RULES)
def test_more_than_needed_in_a_namespace(what: str) -> None:
    allowed, expected = RULES[what]
    assert more_in_namespace(Allowed((allowed,), complete=True), WATCHED) == expected
