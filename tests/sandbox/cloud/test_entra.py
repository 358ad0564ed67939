"""The token endpoint and the managed-identity endpoint, through azure-identity and by hand."""

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    ClientAssertionCredential,
    CredentialUnavailableError,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.mgmt.msi.models import Identity

from sandbox.keys import SigningKey
from tests.sandbox.clients import AUDIENCE, BOOTSTRAP, GROUP, World, service_account_token
from tests.waiting import eventually

SUBJECT = f"system:serviceaccount:ameide-dev:{BOOTSTRAP}"
VAULT = "https://vault.azure.net"


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


# -- what is accepted -------------------------------------------------------------------


def test_a_service_account_token_becomes_a_token_of_the_identity(world: World) -> None:
    identity = world.identity()
    world.trust(identity, subject=SUBJECT)
    credential = ClientAssertionCredential(
        world.described["tenant"],
        str(identity.client_id),
        world.service_account_token,
        authority=world.described["cloud"],
    )
    claims = claims_of(credential.get_token(f"{VAULT}/.default").token)
    expected = {
        "aud": VAULT,
        "iss": f"https://sts.windows.net/{world.described['tenant']}/",
        "appid": identity.client_id,
        "oid": identity.principal_id,
        "tid": world.described["tenant"],
        "idtyp": "app",
    }
    assert {name: claims[name] for name in expected} == expected
    assert claims["exp"] > time.time()


def test_a_projected_token_file_works_as_in_a_pod(world: World, tmp_path: Any) -> None:
    identity = world.identity()
    world.trust(identity, subject=SUBJECT)
    file = tmp_path / "token"
    file.write_text(world.service_account_token())
    credential = WorkloadIdentityCredential(
        tenant_id=world.described["tenant"],
        client_id=str(identity.client_id),
        token_file_path=str(file),
        authority=world.described["cloud"],
    )
    assert claims_of(credential.get_token(f"{VAULT}/.default").token)["oid"] == identity.principal_id


def test_tokens_are_verifiable_by_the_published_keys(world: World) -> None:
    base = f"{world.described['cloud']}/{world.described['tenant']}"
    metadata = requests.get(
        f"{base}/v2.0/.well-known/openid-configuration", verify=world.described["ca"], timeout=30
    ).json()
    keys = requests.get(metadata["jwks_uri"], verify=world.described["ca"], timeout=30).json()["keys"]
    key = jwt.PyJWK(keys[0])
    decoded = jwt.decode(world.token(), key, algorithms=["RS256"], audience="https://management.azure.com")
    assert decoded["oid"] == world.described["operator"]["object_id"]


def test_a_token_signed_before_a_key_rotation_is_still_accepted(world: World) -> None:
    with world.cluster("entra-rotating"):
        identity = world.identity()
        world.trust(identity, subject=SUBJECT, issuer=world.issuer("entra-rotating"))
        token = service_account_token(world.core("entra-rotating"), BOOTSTRAP, "ameide-dev")
        rotate = world.aks().managed_clusters.begin_rotate_service_account_signing_keys
        rotate(GROUP, "entra-rotating").result()
        assert world.exchange(str(identity.client_id), token).status_code == 200
        fresh = service_account_token(world.core("entra-rotating"), BOOTSTRAP, "ameide-dev")
        assert world.exchange(str(identity.client_id), fresh).status_code == 200
        rotate(GROUP, "entra-rotating").result()
        refused = world.exchange(str(identity.client_id), token)
        assert refused.json()["error_codes"] == [50013]


def test_a_credential_counts_only_once_it_has_propagated(world: World) -> None:
    identity = world.identity()
    token = world.service_account_token()
    world.control.turn(entra_propagation=3.0)
    world.trust(identity, subject=SUBJECT)
    early = world.exchange(str(identity.client_id), token)
    assert early.json()["error_codes"][0] in {700016, 700211}
    eventually(lambda: world.exchange(str(identity.client_id), token).status_code == 200)


# -- what is refused, and how -----------------------------------------------------------


def forged(world: World, **changes: Any) -> str:
    """The platform's token, signed by somebody else under the same key id."""
    genuine = world.service_account_token()
    kid = jwt.get_unverified_header(genuine)["kid"]
    return SigningKey(kid, SigningKey.generate().private).sign({**claims_of(genuine), **changes})


def trusting(**trust: str) -> Callable[[World, Identity], str]:
    """Trust something, then present the bootstrap account's own token."""

    def present(world: World, identity: Identity) -> str:
        world.trust(identity, **{"subject": SUBJECT, **trust})
        return world.service_account_token()

    return present


def trusting_all(assertion: Callable[[World], str]) -> Callable[[World, Identity], str]:
    """Trust the bootstrap account, then present something else."""

    def present(world: World, identity: Identity) -> str:
        world.trust(identity, subject=SUBJECT)
        return assertion(world)

    return present


def from_a_deleted_cluster(world: World, identity: Identity) -> str:
    with world.cluster("doomed"):
        world.trust(identity, subject=SUBJECT, issuer=world.issuer("doomed"))
        return service_account_token(world.core("doomed"), BOOTSTRAP, "ameide-dev")


def flexible(world: World, identity: Identity) -> str:
    expression = {"value": "claims['sub'] matches 'x'", "languageVersion": 1}
    properties = {"issuer": world.issuer(), "audiences": [AUDIENCE], "claimsMatchingExpression": expression}
    path = f"{identity.id}/federatedIdentityCredentials/flexible"
    world.arm("PUT", path, params={"api-version": "2025-01-31-preview"}, json={"properties": properties})
    return world.service_account_token()


def other_tokens_subject(world: World) -> str:
    return world.service_account_token("postgres-ameide")


REFUSED: dict[str, tuple[Callable[[World, Identity], str], int, int, str]] = {
    "no credential at all": (lambda world, _: world.service_account_token(), 700211, 401, "invalid_client"),
    "a credential of another issuer": (
        trusting(issuer="https://westeurope.oic.prod-aks.azure.com/a/b/"),
        700211,
        401,
        "invalid_client",
    ),
    "another subject": (trusting_all(other_tokens_subject), 700213, 401, "invalid_client"),
    "a subject in other letter case": (trusting(subject=SUBJECT.upper()), 7002138, 401, "invalid_client"),
    "another audience": (trusting(audience="api://else"), 700212, 401, "invalid_client"),
    "only a flexible credential": (flexible, 7002131, 401, "invalid_client"),
    "a forged signature": (trusting_all(forged), 50013, 400, "invalid_grant"),
    "a deleted cluster's token": (from_a_deleted_cluster, 50166, 400, "invalid_request"),
    "a token of Entra itself": (trusting_all(lambda world: world.token()), 700222, 400, "invalid_request"),
    "something that is no token": (trusting_all(lambda _: "nonsense"), 50027, 400, "invalid_request"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_exchange_is_refused_with(case: str, world: World) -> None:
    present, error_code, status, error = REFUSED[case]
    identity = world.identity()
    answer = world.exchange(str(identity.client_id), present(world, identity))
    body = answer.json()
    assert (body["error_codes"], answer.status_code, body["error"]) == ([error_code], status, error)
    assert body["error_description"].startswith(f"AADSTS{error_code}: ")
    assert {"timestamp", "trace_id", "correlation_id"} <= set(body)


def test_the_issuer_is_compared_to_its_last_slash(world: World) -> None:
    identity = world.identity()
    world.trust(identity, subject=SUBJECT, issuer=world.issuer().rstrip("/"))
    answer = world.exchange(str(identity.client_id), world.service_account_token())
    assert answer.json()["error_codes"] == [700211]


def test_the_sdk_sees_the_code_in_the_body(world: World) -> None:
    credential = ClientAssertionCredential(
        world.described["tenant"],
        str(world.identity().client_id),
        world.service_account_token,
        authority=world.described["cloud"],
    )
    with pytest.raises(ClientAuthenticationError) as refused:
        credential.get_token(f"{VAULT}/.default")
    assert refused.value.response is not None
    assert json.loads(refused.value.response.text())["error_codes"] == [700211]


def test_an_unknown_client_a_wrong_secret_and_a_wrong_tenant_have_their_codes(world: World) -> None:
    unknown = world.exchange("00000000-0000-0000-0000-000000000001", world.service_account_token())
    assert (unknown.status_code, unknown.json()["error_codes"]) == (400, [700016])
    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        world.secret_credential("wrong").get_token(f"{VAULT}/.default")
    elsewhere = world.exchange("any", "any", tenant="00000000-0000-0000-0000-000000000002")
    assert (elsewhere.status_code, elsewhere.json()["error_codes"]) == (400, [90002])


# -- the managed-identity endpoint ------------------------------------------------------


def test_the_app_gets_its_tokens_from_the_managed_identity_endpoint(world: World) -> None:
    ids = world.described["app"]
    for credential in (
        ManagedIdentityCredential(),
        ManagedIdentityCredential(client_id=ids["client_id"]),
        ManagedIdentityCredential(identity_config={"mi_res_id": ids["identity_id"]}),
        ManagedIdentityCredential(identity_config={"object_id": ids["object_id"]}),
    ):
        answer = credential.get_token(f"{VAULT}/.default")
        claims = claims_of(answer.token)
        assert (claims["aud"], claims["oid"]) == (VAULT, ids["object_id"])
        assert answer.expires_on == pytest.approx(time.time() + 86400, abs=60)


def test_an_identity_that_is_not_the_apps_is_not_available(world: World) -> None:
    credential = ManagedIdentityCredential(client_id=str(world.identity().client_id))
    with pytest.raises(CredentialUnavailableError):
        credential.get_token(f"{VAULT}/.default")


ASKED = {
    "without its header": ({}, {"api-version": "2019-08-01", "resource": VAULT}, 401),
    "with a wrong header": (
        {"X-IDENTITY-HEADER": "x"},
        {"api-version": "2019-08-01", "resource": VAULT},
        401,
    ),
    "in another version": (None, {"api-version": "2018-02-01", "resource": VAULT}, 400),
    "for no resource": (None, {"api-version": "2019-08-01"}, 400),
}


@pytest.mark.parametrize("case", ASKED)
def test_the_managed_identity_endpoint_refuses_to_be_asked(case: str, world: World) -> None:
    headers, query, status = ASKED[case]
    if headers is None:
        headers = {"X-IDENTITY-HEADER": world.described["identity_header"]}
    answer = requests.get(world.described["identity_endpoint"], params=query, headers=headers, timeout=30)
    assert answer.status_code == status
    assert answer.json()["statusCode"] == status
