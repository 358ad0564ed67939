"""Tokens of a cluster's own accounts over HTTP, and what a cluster answers when it is asked about them."""

import json
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from sandbox.kubernetes_tokens import IN_CLUSTER
from tests.sandbox.clients import BOOTSTRAP, World

SUBJECT = f"system:serviceaccount:ameide-dev:{BOOTSTRAP}"


def review(world: World, token: str, audiences: list[str] | None = None) -> Any:
    spec = client.V1TokenReviewSpec(token=token, audiences=audiences)
    api = client.AuthenticationV1Api(world.core().api_client)
    return api.create_token_review(client.V1TokenReview(spec=spec)).status


def authorization(core: Any) -> Any:
    return client.AuthorizationV1Api(core.api_client)


@pytest.mark.parametrize(
    ("audiences", "meant"), [(None, [IN_CLUSTER]), ([IN_CLUSTER, "vault"], [IN_CLUSTER])]
)
def test_a_good_token_is_told_whose_it_is(
    audiences: list[str] | None, meant: list[str], world: World
) -> None:
    status = review(world, world.service_account_token(audience=IN_CLUSTER), audiences)
    assert status.authenticated
    assert status.user.username == SUBJECT
    assert (
        status.user.uid == world.core().read_namespaced_service_account(BOOTSTRAP, "ameide-dev").metadata.uid
    )
    assert status.user.groups == [
        "system:serviceaccounts",
        "system:serviceaccounts:ameide-dev",
        "system:authenticated",
    ]
    assert status.audiences == meant


@pytest.mark.parametrize("audience", ["vault", IN_CLUSTER])
def test_a_token_is_only_good_for_its_own_audience(audience: str, world: World) -> None:
    status = review(world, world.service_account_token(audience=audience), ["vault"])
    assert bool(status.authenticated) is (audience == "vault")
    assert bool(status.error) is (audience != "vault")


def test_nonsense_is_reviewed_and_refused(world: World) -> None:
    status = review(world, "nonsense")
    assert not status.authenticated
    assert "invalid bearer token" in status.error


def test_an_account_gets_in_by_its_own_token_and_as_far_as_its_roles_go(world: World) -> None:
    own = world.core_as(world.service_account_token(audience=IN_CLUSTER))
    authentication: Any = client.AuthenticationV1Api(own.api_client)
    me = authentication.create_self_subject_review(client.V1SelfSubjectReview())
    assert me.status.user_info.username == SUBJECT
    with pytest.raises(ApiException) as refused:
        own.list_namespace()
    assert refused.value.status == 403
    said = json.loads(str(refused.value.body))["message"]
    assert f'User "{SUBJECT}" cannot list resource "namespaces" in API group "" at the cluster scope' in said


def test_a_token_for_entra_does_not_open_the_cluster(world: World) -> None:
    with pytest.raises(ApiException) as refused:
        world.core_as(world.service_account_token()).list_namespace()
    assert refused.value.status == 401


def test_whoever_asks_learns_what_he_may(world: World) -> None:
    def may(api: Any, verb: str) -> bool:
        attributes = client.V1ResourceAttributes(verb=verb, resource="namespaces")
        spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        wanted = client.V1SelfSubjectAccessReview(spec=spec)
        return bool(authorization(api).create_self_subject_access_review(wanted).status.allowed)

    app = world.core_as(world.token(world.app, "6dae42f8-4368-4678-94ff-3960e28e3630/.default"))
    assert (may(world.core(), "delete"), may(app, "list"), may(app, "delete")) == (True, False, False)
    spec = client.V1SelfSubjectRulesReviewSpec(namespace="ameide-dev")
    rules = authorization(app).create_self_subject_rules_review(client.V1SelfSubjectRulesReview(spec=spec))
    assert (["create"], ["serviceaccounts/token"]) in [
        (rule.verbs, rule.resources) for rule in rules.status.resource_rules
    ]


def test_nobody_is_impersonated(world: World) -> None:
    core = world.core()
    core.api_client.set_default_header("Impersonate-User", "somebody")
    with pytest.raises(ApiException) as refused:
        core.list_namespace()
    assert refused.value.status == 403
