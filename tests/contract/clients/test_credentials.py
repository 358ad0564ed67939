"""Who the app is, asked at the loopback cloud's identity endpoint and its Entra."""

import logging
import os

import pytest

from shared.clients import arm, credentials
from shared.clients.credentials import AppCredential
from shared.errors import Misconfigured, TemporaryError
from shared.settings import Settings
from tests.contract.clients.loopback import Cloud

AZURE_STORAGE = {
    "AzureWebJobsStorage__accountName": "account",
    "AzureWebJobsStorage__credential": "managedidentity",
}


def test_the_app_knows_its_own_object_id(credential: AppCredential, settings: Settings, cloud: Cloud) -> None:
    assert credential.object_id(arm.scope(settings)) == cloud.description["app"]["object_id"].lower()


def test_a_token_is_asked_for_once_and_then_kept(
    credential: AppCredential, settings: Settings, cloud: Cloud
) -> None:
    scope = arm.scope(settings)
    first = credential.get_token(scope).token
    cloud.inject("/msi/token", status=500, body={}, count=None)
    assert credential.get_token(scope).token == first


def test_an_identity_that_the_app_does_not_have_is_a_temporary_failure_that_says_what_to_check(
    cloud: Cloud,
) -> None:
    stranger = "11111111-2222-3333-4444-555555555555"
    settings = Settings.from_environment({**cloud.environment(), "AZURE_CLIENT_ID": stranger})
    with pytest.raises(TemporaryError, match=f"identity {stranger} is assigned to the app"):
        credentials.of_app(settings).get_token(arm.scope(settings))


@pytest.mark.parametrize(
    "fault",
    [{"status": 500, "body": {}}, {"status": 429, "body": {}}, {"reset": True}, {"status": 200, "body": {}}],
)
def test_an_identity_endpoint_on_a_bad_day_is_a_temporary_failure(
    credential: AppCredential, cloud: Cloud, fault: dict[str, object]
) -> None:
    cloud.inject("/msi/token", **fault, count=None)
    with pytest.raises(TemporaryError):
        credential.get_token("https://another.example/.default")


def test_a_service_principal_of_a_ci_job_is_used_where_no_identity_is_offered(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = cloud.description["operator"]
    monkeypatch.setenv("AZURE_CLIENT_ID", operator["client_id"])
    monkeypatch.setenv("AZURE_CLIENT_SECRET", operator["secret"])
    settings = _laptop(cloud)
    found = credentials.of_app(settings).object_id(arm.scope(settings))
    assert found == operator["object_id"].lower()


def test_a_wrong_secret_is_a_mistake_of_the_operator_and_is_not_shown(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", cloud.description["operator"]["client_id"])
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "a-wrong-secret")
    settings = _laptop(cloud)
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(Misconfigured, match="AZURE_CLIENT_SECRET") as caught,
    ):
        credentials.of_app(settings).get_token(arm.scope(settings))
    assert "a-wrong-secret" not in str(caught.value) + caplog.text
    assert "AADSTS" not in caplog.text


def test_entra_on_a_bad_day_is_a_temporary_failure_of_a_service_principal(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", cloud.description["operator"]["client_id"])
    monkeypatch.setenv("AZURE_CLIENT_SECRET", cloud.description["operator"]["secret"])
    settings = _laptop(cloud)
    for fault in ({"status": 503, "body": {}}, {"reset": True}):
        cloud.inject("oauth2/v2.0/token", service="entra", **fault, count=None)
        with pytest.raises(TemporaryError):
            credentials.of_app(settings).get_token(arm.scope(settings))
        cloud.control("DELETE", "faults")


def test_without_any_sign_in_the_operator_is_told_how_to(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no `az` here
    settings = _laptop(cloud)
    with pytest.raises(Misconfigured, match="Sign in with `az login`"):
        credentials.of_app(settings).get_token(arm.scope(settings))


def test_the_storage_connection_may_name_an_identity_of_its_own(cloud: Cloud) -> None:
    other = cloud.identity_id("ameide-vault-bootstrap-mi")
    (client_id,) = [
        one["clientId"]
        for one in cloud.control("GET", "state")["identities"]
        if one["id"].lower() == other.lower()
    ]
    environment = {**cloud.environment(), **AZURE_STORAGE, "AzureWebJobsStorage__clientId": client_id}
    with pytest.raises(TemporaryError, match=client_id):  # the endpoint offers the app's own identity only
        credentials.of_storage(Settings.from_environment(environment)).get_token(
            "https://storage.azure.com/.default"
        )


def test_a_storage_connection_that_names_no_identity_uses_the_apps(cloud: Cloud) -> None:
    settings = Settings.from_environment({**cloud.environment(), **AZURE_STORAGE})
    found = credentials.of_storage(settings).object_id("https://storage.azure.com/.default")
    assert found == cloud.description["app"]["object_id"].lower()


def _laptop(cloud: Cloud) -> Settings:
    """The environment of somebody whom no platform offers an identity."""
    return Settings.from_environment(
        {
            name: value
            for name, value in {**cloud.environment(), **os.environ}.items()
            if name != "IDENTITY_ENDPOINT"
        }
    )
