"""The proof of a credential, walked through the loopback cloud: ARM, its cluster's API server, its Entra."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.clients import arm
from shared.clients.azure_core import without_correlation
from shared.clients.credentials import AppCredential
from shared.clients.entra import Accepted, Declined, Exchange, exchange
from shared.clients.managed_clusters import ApiServer, ManagedClusters
from shared.clients.managed_identities import ManagedIdentities
from shared.clients.service_accounts import ServiceAccounts
from shared.clients.token_exchange import TokenExchange
from shared.model import Absent, Credential, Identity, Known, Unknown
from shared.settings import Settings
from tests.contract.clients.loopback import Cloud

NAMESPACE = "ameide-dev"
ACCOUNT = "postgres-ameide"
SUBJECT = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
AUDIENCE = "api://AzureADTokenExchange"


class Platform:
    """The backup identity of dev, which holds one credential, and the ways to it."""

    def __init__(self, cloud: Cloud, settings: Settings, credential: AppCredential) -> None:
        self.cloud = cloud
        self.settings = settings
        self.clusters = ManagedClusters(settings, credential)
        self.service_accounts = ServiceAccounts(credential)
        self.identities = ManagedIdentities(settings, credential)
        self.identity_id = cloud.identity_id("ameide-dev-backup-mi")
        self.token_exchange = TokenExchange(
            self.clusters, self.service_accounts, authority=settings.authority, scope=arm.scope(settings)
        )

    def prove(self, *, subject: str = SUBJECT, audience: str = AUDIENCE, cluster_id: str = "") -> Exchange:
        identity = self.identity()
        return self.token_exchange.prove(
            cluster_id or self.cloud.cluster_id,
            subject,
            audience,
            client_id=identity.client_id,
            tenant=identity.tenant_id,
        )

    def identity(self) -> Identity:
        found = self.identities.get(self.identity_id)
        assert isinstance(found, Known)
        return found.value

    def api_server(self) -> ApiServer:
        found = self.clusters.api_server(self.cloud.cluster_id)
        assert isinstance(found, Known)
        return found.value

    def trust(self, issuer: str) -> Credential:
        return Credential(name="cnpg-backup", issuer=issuer, subject=SUBJECT, audiences=(AUDIENCE,))

    def live_issuer(self) -> str:
        found = self.clusters.get(self.cloud.cluster_id)
        assert isinstance(found, Known)
        return str(found.value.issuer)


@pytest.fixture
def platform(cloud: Cloud, settings: Settings, credential: AppCredential) -> Iterator[Platform]:
    usual = cloud.control("GET", "dials")
    cloud.control("PATCH", "dials", {"entra_propagation": 0.0})
    platform = Platform(cloud, settings, credential)
    yield platform
    cloud.control("DELETE", "faults")
    platform.identities.put(platform.identity_id, platform.trust(platform.live_issuer()))
    cloud.control("PATCH", "dials", usual)


def test_a_credential_that_trusts_the_live_cluster_is_accepted(platform: Platform) -> None:
    assert platform.prove() == Accepted()


def test_a_proof_takes_one_call_on_each_leg_of_the_way(platform: Platform) -> None:
    identity = platform.identity()
    platform.prove()
    platform.cloud.forget_calls()
    platform.token_exchange.prove(
        platform.cloud.cluster_id, SUBJECT, AUDIENCE, client_id=identity.client_id, tenant=identity.tenant_id
    )
    legs = {service: len(platform.cloud.calls(service)) for service in ("arm", "kubernetes", "entra")}
    assert legs == {"arm": 1, "kubernetes": 1, "entra": 1}


def test_a_credential_that_trusts_another_issuer_is_declined(platform: Platform) -> None:
    platform.identities.put(platform.identity_id, platform.trust("https://gone.example/"))
    assert platform.prove() == Declined("AADSTS700211")


def test_an_issuer_without_its_last_slash_is_another_issuer(platform: Platform) -> None:
    platform.identities.put(platform.identity_id, platform.trust(platform.live_issuer().rstrip("/")))
    assert platform.prove() == Declined("AADSTS700211")


def test_another_audience_is_declined(platform: Platform) -> None:
    assert platform.prove(audience="api://other") == Declined("AADSTS700212")


def test_another_service_account_is_declined(platform: Platform) -> None:
    other = f"system:serviceaccount:{NAMESPACE}:cert-manager-dev"
    assert platform.prove(subject=other) == Declined("AADSTS700213")


UNPROVABLE = {
    "a subject that is no service account": ({"subject": "repo:org/name:ref"}, "is not a service account"),
    "a service account that no Role names": (
        {"subject": f"system:serviceaccount:{NAMESPACE}:default"},
        "the API server answered 403 Forbidden: grant",
    ),
    "a namespace that does not exist": (
        {"subject": "system:serviceaccount:gone:a"},
        "the API server answered 403 Forbidden: grant",
    ),
}


@pytest.mark.parametrize(("given", "why"), UNPROVABLE.values(), ids=UNPROVABLE)
def test_what_cannot_be_tried_is_unproven(platform: Platform, given: dict[str, str], why: str) -> None:
    found = platform.prove(**given)
    assert isinstance(found, Unknown)
    assert why in found.why


def test_a_cluster_that_is_gone_proves_nothing(platform: Platform) -> None:
    found = platform.prove(cluster_id=f"{platform.cloud.cluster_id}-gone")
    assert found == Unknown("the cluster does not exist")


OBSTACLES: dict[str, tuple[dict[str, object], str]] = {
    "ARM does not tell the API server": (
        {
            "path": "listClusterUserCredential",
            "status": 403,
            "body": {"error": {"code": "AuthorizationFailed"}},
        },
        "ARM answered 403 AuthorizationFailed",
    ),
    "the API server does not take the app's token": (
        {"path": "/token$", "service": "kubernetes", "status": 401, "body": {"reason": "Unauthorized"}},
        "the API server answered 401 Unauthorized: it does not take Entra tokens",
    ),
    "the app may not ask for tokens": (
        {"path": "/token$", "service": "kubernetes", "status": 403, "body": {"reason": "Forbidden"}},
        "the API server answered 403 Forbidden: grant",
    ),
    "the API server is down": (
        {"path": "/token$", "service": "kubernetes", "status": 503, "body": {"reason": "ServiceUnavailable"}},
        "the API server answered 503 ServiceUnavailable",
    ),
    "the service account does not exist": (
        {"path": "/token$", "service": "kubernetes", "status": 404, "body": {"reason": "NotFound"}},
        f"service account {NAMESPACE}/{ACCOUNT} does not exist",
    ),
    "a 404 that is not of the API": (
        {"path": "/token$", "service": "kubernetes", "status": 404, "body": {"reason": "<html>"}},
        "the API server answered 404",
    ),
    "the API server cuts the connection": (
        {"path": "/token$", "service": "kubernetes", "reset": True},
        "the API server could not be reached",
    ),
    "the API server answers something else": (
        {"path": "/token$", "service": "kubernetes", "status": 201, "body": {"kind": "TokenRequest"}},
        "the API server",
    ),
    "Entra is down": (
        {"path": "oauth2/v2.0/token", "service": "entra", "status": 503, "body": {}},
        "Entra answered 503",
    ),
    "Entra wants a pause": (
        {
            "path": "oauth2/v2.0/token",
            "service": "entra",
            "status": 429,
            "body": {"error": "invalid_client", "error_codes": [700211]},
        },
        "Entra answered 429",
    ),
    "Entra could not fetch the issuer's keys": (
        {
            "path": "oauth2/v2.0/token",
            "service": "entra",
            "status": 400,
            "body": {"error": "invalid_request", "error_codes": [50166]},
        },
        "Entra answered 400 AADSTS50166",
    ),
    "Entra's answer has no code": (
        {"path": "oauth2/v2.0/token", "service": "entra", "status": 400, "body": {"error": "odd"}},
        "Entra answered 400",
    ),
    "Entra cuts the connection": ({"path": "oauth2/v2.0/token", "service": "entra", "reset": True}, "Entra"),
}


@pytest.mark.parametrize(("fault", "why"), OBSTACLES.values(), ids=OBSTACLES)
def test_an_obstacle_on_the_way_is_unproven_and_tells_why(
    platform: Platform, fault: dict[str, object], why: str
) -> None:
    platform.cloud.control("POST", "faults", fault)
    found = platform.prove()
    assert isinstance(found, Unknown)
    assert found.why.startswith(why)


KUBERNETES = {"path": "/token$", "service": "kubernetes"}
ENTRA = {"path": "oauth2/v2.0/token", "service": "entra"}
NOT_TO_BE_SHOWN: dict[str, tuple[dict[str, object], str]] = {
    "a reason that is no word": (
        KUBERNETES | {"status": 503, "body": {"reason": "s3cret"}},
        "the API server answered 503",
    ),
    "a reason without end": (
        KUBERNETES | {"status": 503, "body": {"reason": "x" * 9_000}},
        "the API server answered 503",
    ),
    "a code that is no number": (
        ENTRA | {"status": 400, "body": {"error": "s3cret", "error_codes": ["s3cret"]}},
        "Entra answered 400",
    ),
    "a code that is too large a number": (
        ENTRA | {"status": 400, "body": {"error": "odd", "error_codes": [10**40]}},
        "Entra answered 400",
    ),
    "a code that is a fraction": (
        ENTRA | {"status": 400, "body": {"error": "odd", "error_codes": [700211.5]}},
        "Entra answered 400",
    ),
}


@pytest.mark.parametrize(("fault", "why"), NOT_TO_BE_SHOWN.values(), ids=NOT_TO_BE_SHOWN)
def test_what_stands_in_the_place_of_a_code_is_not_shown(
    platform: Platform, fault: dict[str, object], why: str
) -> None:
    platform.cloud.control("POST", "faults", fault)
    found = platform.prove()
    assert isinstance(found, Unknown)
    assert without_correlation(found.why) == why


def test_a_pause_that_entra_names_is_a_delay_and_is_not_slept(platform: Platform) -> None:
    platform.cloud.inject(
        "oauth2/v2.0/token", service="entra", status=503, body={}, headers={"Retry-After": "3600"}
    )
    found = platform.prove()
    assert isinstance(found, Unknown)
    assert found.delay == timedelta(hours=1)


def test_a_rebuilt_cluster_is_reached_at_its_new_address_with_its_new_ca(platform: Platform) -> None:
    before = platform.api_server()
    platform.cloud.control("POST", "recreate", {"cluster": platform.cloud.cluster_id})
    assert platform.api_server() != before
    assert platform.prove() == Declined("AADSTS700211")
    platform.identities.put(platform.identity_id, platform.trust(platform.live_issuer()))
    assert platform.prove() == Accepted()


def test_a_certificate_of_another_ca_is_not_trusted(platform: Platform) -> None:
    other = ApiServer(platform.api_server().server, Path(platform.cloud.description["ca"]).read_text())
    found = platform.service_accounts.token(other, NAMESPACE, ACCOUNT, AUDIENCE)
    assert isinstance(found, Unknown)
    assert "certificate" in found.why


def test_a_token_of_a_service_account_is_never_shown(platform: Platform) -> None:
    found = platform.service_accounts.token(platform.api_server(), NAMESPACE, ACCOUNT, AUDIENCE)
    assert isinstance(found, Known)
    assert found.value.text.count(".") == 2
    assert found.value.text not in repr(found)


def test_a_service_account_that_does_not_exist_is_absent(platform: Platform) -> None:
    platform.cloud.inject("/token$", service="kubernetes", status=404, body={"reason": "NotFound"})
    assert platform.service_accounts.token(platform.api_server(), NAMESPACE, ACCOUNT, AUDIENCE) == Absent()


def test_rubbish_is_no_assertion(settings: Settings, platform: Platform) -> None:
    identity = platform.identity()
    found = exchange(
        "rubbish",
        client_id=identity.client_id,
        tenant=identity.tenant_id,
        authority=settings.authority,
        scope=arm.scope(settings),
    )
    assert isinstance(found, Declined)
