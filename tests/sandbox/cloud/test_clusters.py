"""Managed clusters, through azure-mgmt-containerservice, and what goes with them: issuers and API servers."""

import base64

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.containerservice.models import (
    ManagedCluster,
    ManagedClusterOIDCIssuerProfile,
    ManagedClusterProperties,
)
from ruamel.yaml import YAML
from urllib3.exceptions import MaxRetryError

from tests.sandbox.clients import BOOTSTRAP, GROUP, World, service_account_token


def fetch(world: World, url: str) -> requests.Response:
    return requests.get(url, verify=world.described["ca"], timeout=30)


def key_ids(world: World, issuer: str) -> list[str]:
    return [key["kid"] for key in fetch(world, f"{issuer}openid/v1/jwks").json()["keys"]]


def with_issuer(*, enabled: bool) -> ManagedClusterProperties:
    return ManagedClusterProperties(oidc_issuer_profile=ManagedClusterOIDCIssuerProfile(enabled=enabled))


# -- what ARM tells ---------------------------------------------------------------------


def test_a_cluster_is_shown_with_its_issuer_and_in_arms_own_spelling(world: World) -> None:
    cluster = world.aks().managed_clusters.get("ameide", "AMEIDE")
    assert cluster.type == "Microsoft.ContainerService/ManagedClusters"
    assert "/resourcegroups/Ameide/" in str(cluster.id)
    assert (cluster.provisioning_state, cluster.disable_local_accounts) == ("Succeeded", True)
    assert cluster.node_resource_group == "MC_Ameide_ameide_westeurope"
    assert cluster.power_state is not None
    assert cluster.power_state.code == "Running"
    issuer = world.issuer()
    assert issuer.startswith(f"{world.described['cloud']}/oic/{world.described['tenant']}/")
    assert issuer.endswith("/")


def test_clusters_are_listed_by_subscription_and_by_group(world: World) -> None:
    clusters = world.aks().managed_clusters
    assert "ameide" in [one.name for one in clusters.list()]
    assert "ameide" in [one.name for one in clusters.list_by_resource_group("AMEIDE")]


def test_a_missing_cluster_is_not_found(world: World) -> None:
    with pytest.raises(ResourceNotFoundError) as refused:
        world.aks().managed_clusters.get(GROUP, "nobody")
    assert refused.value.error is not None
    assert refused.value.error.code == "ResourceNotFound"


def test_the_kubeconfig_leads_to_the_api_server_but_cannot_log_in_by_itself(world: World) -> None:
    clusters = world.aks().managed_clusters
    texts = {
        form: clusters.list_cluster_user_credentials(GROUP, "ameide", format=form).kubeconfigs
        for form in ("exec", "azure")
    }
    parsed = {}
    for form, found in texts.items():
        assert found is not None
        assert found[0].value is not None
        parsed[form] = YAML(typ="safe").load(bytes(found[0].value).decode())
    assert parsed["exec"]["users"][0]["user"]["exec"]["command"] == "kubelogin"
    assert parsed["azure"]["users"][0]["user"]["auth-provider"]["name"] == "azure"
    state = world.control.state()["clusters"][0]
    cluster = parsed["exec"]["clusters"][0]["cluster"]
    assert cluster["server"] == state["apiServer"]
    assert b"BEGIN CERTIFICATE" in base64.b64decode(cluster["certificate-authority-data"])


# -- the life of a cluster --------------------------------------------------------------


def test_a_cluster_lives_from_its_creation_to_its_deletion(world: World) -> None:
    clusters = world.aks().managed_clusters
    with world.cluster("green") as made:
        assert made.provisioning_state == "Succeeded"
        issuer = world.issuer("green")
        assert issuer != world.issuer()
        assert fetch(world, f"{issuer}.well-known/openid-configuration").json()["issuer"] == issuer
    with pytest.raises(ResourceNotFoundError):
        clusters.get(GROUP, "green")
    assert fetch(world, f"{issuer}.well-known/openid-configuration").status_code == 404
    assert fetch(world, f"{issuer}openid/v1/jwks").status_code == 404


def test_a_cluster_that_is_being_created_has_no_issuer_yet(world: World) -> None:
    world.control.turn(provisioning_seconds=0.5)
    clusters = world.aks().managed_clusters
    poller = clusters.begin_create_or_update(GROUP, "slow", ManagedCluster(location="westeurope"))
    early = clusters.get(GROUP, "slow")
    assert early.provisioning_state == "Creating"
    assert early.oidc_issuer_profile is not None
    assert early.oidc_issuer_profile.issuer_url is None
    with pytest.raises(HttpResponseError, match="OperationNotAllowed"):
        clusters.begin_delete(GROUP, "slow")
    assert poller.result().provisioning_state == "Succeeded"
    world.control.turn(provisioning_seconds=0.0)
    clusters.begin_delete(GROUP, "slow").result()


def test_the_issuer_can_be_switched_on_and_not_off_again(world: World) -> None:
    clusters = world.aks().managed_clusters
    with world.cluster("plain", with_issuer(enabled=False)) as plain:
        assert plain.oidc_issuer_profile is not None
        assert plain.oidc_issuer_profile.issuer_url is None
        wanted = ManagedCluster(location="westeurope", properties=with_issuer(enabled=True))
        clusters.begin_create_or_update(GROUP, "plain", wanted).result()
        assert world.issuer("plain").startswith("https://")
        off = ManagedCluster(location="westeurope", properties=with_issuer(enabled=False))
        with pytest.raises(HttpResponseError, match="cannot be disabled"):
            clusters.begin_create_or_update(GROUP, "plain", off)


def test_a_key_rotation_keeps_the_issuer_and_the_former_key(world: World) -> None:
    with world.cluster("rotating"):
        issuer = world.issuer("rotating")
        before = key_ids(world, issuer)
        world.aks().managed_clusters.begin_rotate_service_account_signing_keys(GROUP, "rotating").result()
        after = key_ids(world, issuer)
        assert world.issuer("rotating") == issuer
    assert len(before) == len(after) == 2
    assert after[1] == before[0]
    assert after[0] not in before


def test_recreate_gives_the_name_to_another_cluster(world: World) -> None:
    with world.cluster("blue"):
        old = world.control.state()["clusters"]
        old_blue = next(one for one in old if one["name"] == "blue")
        identity = world.identity()
        world.trust(
            identity, issuer=old_blue["issuer"], subject=f"system:serviceaccount:ameide-dev:{BOOTSTRAP}"
        )
        fresh = world.control.recreate("blue")
        assert fresh["previousIssuer"] == old_blue["issuer"]
        assert fresh["issuer"] == world.issuer("blue") != old_blue["issuer"]
        assert fresh["generation"] == old_blue["generation"] + 1
        assert fresh["apiServer"] != old_blue["apiServer"]
        assert fetch(world, f"{old_blue['issuer']}openid/v1/jwks").status_code == 404
        with pytest.raises(requests.ConnectionError):
            requests.get(old_blue["apiServer"], verify=False, timeout=5)  # noqa: S501 (nobody answers)
        # Its service accounts are back, and the ready kubeconfig leads to the new address.
        token = service_account_token(world.core("blue"), BOOTSTRAP, "ameide-dev")
        refused = world.exchange(str(identity.client_id), token)
        assert refused.json()["error_codes"] == [700211]


def test_only_the_clusters_own_authority_vouches_for_its_api_server(world: World) -> None:
    core = world.core()
    core.api_client.configuration.ssl_ca_cert = world.described["ca"]
    wrong = type(core)(type(core.api_client)(core.api_client.configuration))
    with pytest.raises(MaxRetryError, match="CERTIFICATE_VERIFY_FAILED"):
        wrong.list_namespace()
