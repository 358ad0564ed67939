"""Clusters, as the loopback cloud's ARM describes them."""

import base64
import ssl

import pytest

from shared.clients.credentials import AppCredential
from shared.clients.managed_clusters import ManagedClusters
from shared.errors import Misconfigured
from shared.model import Absent, Known, Unknown, same_id
from shared.settings import Settings
from tests.contract.clients.loopback import Cloud


@pytest.fixture
def clusters(settings: Settings, credential: AppCredential) -> ManagedClusters:
    return ManagedClusters(settings, credential)


def test_a_cluster_is_read_with_one_get(clusters: ManagedClusters, cloud: Cloud) -> None:
    found = clusters.get(cloud.cluster_id)
    assert isinstance(found, Known)
    assert same_id(found.value.id, cloud.cluster_id)
    assert (found.value.provisioning_state, found.value.power_state) == ("Succeeded", "Running")
    assert type(found.value.power_state) is str
    assert [method for method, _ in cloud.calls()] == ["GET"]


def test_the_issuer_comes_as_the_cluster_signs_with_it(clusters: ManagedClusters, cloud: Cloud) -> None:
    (described,) = cloud.control("GET", "state")["clusters"]
    found = clusters.get(cloud.cluster_id)
    assert isinstance(found, Known)
    assert found.value.issuer == described["issuer"]
    assert str(found.value.issuer).endswith("/")


def test_the_letter_case_of_an_id_does_not_matter(clusters: ManagedClusters, cloud: Cloud) -> None:
    assert clusters.get(cloud.cluster_id.lower()) == clusters.get(cloud.cluster_id.upper())


def test_a_cluster_that_does_not_exist_is_absent(clusters: ManagedClusters, cloud: Cloud) -> None:
    assert clusters.get(f"{cloud.cluster_id}-gone") == Absent()


def test_a_cluster_that_the_app_may_not_see_proves_nothing(clusters: ManagedClusters, cloud: Cloud) -> None:
    found = clusters.get(cloud.cluster_id.replace("/resourcegroups/", "/resourceGroups/other-"))
    assert isinstance(found, Unknown)
    assert "403 AuthorizationFailed" in found.why


def test_an_id_of_something_else_is_a_mistake_of_the_landscape(
    clusters: ManagedClusters, cloud: Cloud
) -> None:
    with pytest.raises(Misconfigured, match="write it like /subscriptions/"):
        clusters.get(cloud.identity_id("some-mi"))


SHAPES = {
    "an answer that is no JSON": "<html>proxy</html>",
    "an answer that is a list": [],
    "an answer that is a number": 5,
    "properties that are a text": {"properties": "none"},
    "properties that are a list": {"properties": [1]},
    "a profile that is a text": {"properties": {"oidcIssuerProfile": "none"}},
}


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_what_is_no_cluster_proves_nothing(clusters: ManagedClusters, cloud: Cloud, body: object) -> None:
    cloud.inject("managedClusters", status=200, body=body)
    assert isinstance(clusters.get(cloud.cluster_id), Unknown)


PARTS = {
    "a cluster that is only being made has no issuer yet": (
        {"properties": {"provisioningState": "Creating"}},
        None,
    ),
    "an issuer that is switched off is none": (
        {"properties": {"oidcIssuerProfile": {"enabled": False, "issuerURL": "https://old/"}}},
        None,
    ),
    "empty properties": ({"properties": {}}, None),
    "a state that the SDK does not know yet": (
        {"properties": {"powerState": {"code": "Hibernated"}, "oidcIssuerProfile": None}},
        None,
    ),
}


@pytest.mark.parametrize(("body", "issuer"), PARTS.values(), ids=PARTS)
def test_a_partial_cluster_is_read_as_far_as_it_goes(
    clusters: ManagedClusters, cloud: Cloud, body: object, issuer: str | None
) -> None:
    cloud.inject("managedClusters", status=200, body=body)
    found = clusters.get(cloud.cluster_id)
    assert isinstance(found, Known)
    assert found.value.issuer == issuer
    assert found.value.id == cloud.cluster_id


def test_the_api_server_comes_with_the_ca_that_it_is_trusted_by(
    clusters: ManagedClusters, cloud: Cloud
) -> None:
    found = clusters.api_server(cloud.cluster_id)
    assert isinstance(found, Known)
    assert found.value.server.startswith("https://127.0.0.1:")
    ssl.create_default_context(cadata=found.value.ca_pem)
    assert [method for method, _ in cloud.calls()] == ["POST"]


def test_the_api_server_of_a_cluster_that_does_not_exist_is_absent(
    clusters: ManagedClusters, cloud: Cloud
) -> None:
    assert clusters.api_server(f"{cloud.cluster_id}-gone") == Absent()


PLAIN = 'clusters: [{cluster: {server: "http://plain", certificate-authority-data: "eA=="}}]'
KUBECONFIGS = {
    "a kubeconfig that is empty": "",
    "a kubeconfig that is no YAML": "{{{",
    "a kubeconfig without clusters": "{}",
    "an API server without its CA": 'clusters: [{cluster: {server: "https://one"}}]',
    "an API server without TLS": PLAIN,
}


@pytest.mark.parametrize("kubeconfig", KUBECONFIGS.values(), ids=KUBECONFIGS)
def test_without_an_address_to_trust_there_is_no_api_server(
    clusters: ManagedClusters, cloud: Cloud, kubeconfig: str
) -> None:
    value = base64.b64encode(kubeconfig.encode()).decode()
    body = {"kubeconfigs": [{"name": "clusterUser", "value": value}]}
    cloud.inject("listClusterUserCredential", status=200, body=body)
    assert isinstance(clusters.api_server(cloud.cluster_id), Unknown)


def test_without_a_kubeconfig_there_is_no_api_server(clusters: ManagedClusters, cloud: Cloud) -> None:
    cloud.inject("listClusterUserCredential", status=200, body={"kubeconfigs": []})
    assert isinstance(clusters.api_server(cloud.cluster_id), Unknown)
