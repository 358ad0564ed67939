"""The Kubernetes API, through the official client."""

import json

import jwt
import pytest
import requests
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from sandbox.tokens import KUBERNETES_AUDIENCE
from tests.sandbox.clients import AUDIENCE, BOOTSTRAP, World, service_account_token


def refusal(error: ApiException) -> tuple[int, str]:
    body = json.loads(str(error.body))
    assert body["kind"] == "Status"
    return int(error.status), str(body["reason"])


def test_the_platforms_namespaces_and_service_accounts_are_there(world: World) -> None:
    core = world.core()
    names = {item.metadata.name for item in core.list_namespace().items}
    assert {"ameide-dev", "ameide-prod", "argocd", "kube-system"} <= names
    assert "ameide-staging" not in names
    accounts = {item.metadata.name for item in core.list_namespaced_service_account("ameide-dev").items}
    assert accounts == {"default", BOOTSTRAP, "postgres-ameide", "cert-manager-dev"}
    everywhere = core.list_service_account_for_all_namespaces().items
    assert ("ameide-prod", "postgres-ameide") in {(i.metadata.namespace, i.metadata.name) for i in everywhere}


def test_an_object_has_what_a_server_gives_it(world: World) -> None:
    metadata = world.core().read_namespaced_service_account(BOOTSTRAP, "ameide-dev").metadata
    assert metadata.uid
    assert int(metadata.resource_version) > 0
    assert metadata.creation_timestamp


def test_a_requested_token_says_who_for_whom_and_until_when(world: World) -> None:
    claims = jwt.decode(world.service_account_token(), options={"verify_signature": False})
    assert claims["iss"] == world.issuer()
    assert claims["sub"] == f"system:serviceaccount:ameide-dev:{BOOTSTRAP}"
    assert claims["aud"] == [AUDIENCE]
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["kubernetes.io"]["namespace"] == "ameide-dev"
    assert claims["kubernetes.io"]["serviceaccount"]["name"] == BOOTSTRAP


def test_the_issuer_publishes_the_key_that_signed_the_token(world: World) -> None:
    token = world.service_account_token()
    keys = requests.get(f"{world.issuer()}openid/v1/jwks", verify=world.described["ca"], timeout=30).json()[
        "keys"
    ]
    kid = jwt.get_unverified_header(token)["kid"]
    key = jwt.PyJWK(next(one for one in keys if one["kid"] == kid))
    assert jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE)["iss"] == world.issuer()


@pytest.mark.parametrize(("namespace", "name"), [("ameide-dev", "nobody"), ("nowhere", BOOTSTRAP)])
def test_no_token_is_given_for_an_account_that_does_not_exist(
    namespace: str, name: str, world: World
) -> None:
    with pytest.raises(ApiException) as refused:
        world.service_account_token(name, namespace)
    assert refusal(refused.value) == (404, "NotFound")


def test_a_token_shorter_than_ten_minutes_is_invalid(world: World) -> None:
    spec = client.V1TokenRequestSpec(audiences=[AUDIENCE], expiration_seconds=599)
    with pytest.raises(ApiException) as refused:
        world.core().create_namespaced_service_account_token(
            BOOTSTRAP, "ameide-dev", client.AuthenticationV1TokenRequest(spec=spec)
        )
    assert refusal(refused.value) == (422, "Invalid")


def test_the_app_may_request_tokens_with_its_own_entra_token(world: World) -> None:
    token = world.token(world.app, f"{KUBERNETES_AUDIENCE}/.default")
    assert service_account_token(world.core_as(token), BOOTSTRAP, "ameide-dev")


def test_an_identity_without_a_grant_is_forbidden(world: World) -> None:
    identity = world.identity()
    world.trust(identity, subject=f"system:serviceaccount:ameide-dev:{BOOTSTRAP}")
    scope = f"{KUBERNETES_AUDIENCE}/.default"
    answer = world.exchange(str(identity.client_id), world.service_account_token(), scope=scope)
    with pytest.raises(ApiException) as refused:
        world.core_as(answer.json()["access_token"]).list_namespace()
    assert refusal(refused.value) == (403, "Forbidden")


@pytest.mark.parametrize("scope", ["", "https://management.azure.com/.default"])
def test_nobody_gets_in_without_a_token_for_the_aks_server(scope: str, world: World) -> None:
    token = world.token(scope=scope) if scope else "nonsense"
    with pytest.raises(ApiException) as refused:
        world.core_as(token).list_namespace()
    assert refusal(refused.value) == (401, "Unauthorized")


def test_what_is_not_served_is_refused_with_a_status_object_too(world: World) -> None:
    with pytest.raises(ApiException) as refused:
        client.AppsV1Api(world.core().api_client).list_stateful_set_for_all_namespaces()
    assert refusal(refused.value) == (404, "NotFound")
    with pytest.raises(ApiException) as refused:
        world.core().read_namespace_status("argocd/nothing/at/all")
    assert refusal(refused.value) == (404, "NotFound")
