"""What the environment says about the app, and what is said to the operator when it says it wrongly."""

from pathlib import Path

import pytest

from shared.clients.storage import connection
from shared.errors import Misconfigured
from shared.settings import APP_DIRECTORY, ConnectionString, GitCredential, IdentityConnection, Settings

GUID = "11111111-2222-3333-4444-555555555555"
KEY = "c2VjcmV0LWtleQ=="
ACCOUNT = (
    f"DefaultEndpointsProtocol=https;AccountName=account;AccountKey={KEY};EndpointSuffix=core.windows.net"
)
STORAGE = "AzureWebJobsStorage"
WHO = '{"username": "me", "password": "hunter2"}'


def test_an_empty_environment_is_the_public_cloud_without_storage_or_identity() -> None:
    settings = Settings.from_environment({})
    assert settings == Settings(
        arm_endpoint="https://management.azure.com",
        arm_audience="https://management.azure.com",
        authority="https://login.microsoftonline.com",
        client_id=None,
        tenant_id=None,
        managed_identity=False,
        callers_named=False,
        service_principal=False,
        landscape=APP_DIRECTORY / "landscape.yaml",
        storage=None,
        notices_endpoint=None,
        github_url="https://github.com",
        github_api="https://api.github.com",
        github_token=None,
    )


def test_every_setting_is_read() -> None:
    settings = Settings.from_environment(
        {
            "RECONVERGE_ARM_ENDPOINT": "https://127.0.0.1:8443/",
            "RECONVERGE_ARM_AUDIENCE": "https://management.chinacloudapi.cn/",
            "AZURE_AUTHORITY_HOST": "login.partner.microsoftonline.cn",
            "AZURE_CLIENT_ID": GUID,
            "AZURE_TENANT_ID": f" {GUID} ",
            "AZURE_CLIENT_SECRET": "secret",
            "IDENTITY_ENDPOINT": "http://127.0.0.1:1/token",
            "WEBSITE_AUTH_ENABLED": "True",
            "RECONVERGE_LANDSCAPE": "/etc/landscape.yaml",
            "RECONVERGE_NOTICES_ENDPOINT": "https://topic.westeurope-1.eventgrid.azure.net/api/events",
            "RECONVERGE_GITHUB_URL": "https://ghe.example.com/",
            "RECONVERGE_GITHUB_API_URL": "https://ghe.example.com/api/v3",
            "RECONVERGE_GITHUB_TOKEN": "ghs_secret",
            "RECONVERGE_GIT_CREDENTIALS": f'{{"Git.Example.com:443": {WHO}, "git.example.com:8443": {WHO}}}',
            STORAGE: ACCOUNT,
        }
    )
    assert "hunter2" not in repr(settings)
    assert "ghs_secret" not in repr(settings)
    assert settings == Settings(
        arm_endpoint="https://127.0.0.1:8443",
        arm_audience="https://management.chinacloudapi.cn",
        authority="https://login.partner.microsoftonline.cn",
        client_id=GUID,
        tenant_id=GUID,
        managed_identity=True,
        callers_named=True,
        service_principal=True,
        landscape=Path("/etc/landscape.yaml"),
        storage=ConnectionString(ACCOUNT),
        notices_endpoint="https://topic.westeurope-1.eventgrid.azure.net/api/events",
        github_url="https://ghe.example.com",
        github_api="https://ghe.example.com/api/v3",
        github_token="ghs_secret",
        git_credentials={
            "git.example.com": GitCredential("me", "hunter2"),
            "git.example.com:8443": GitCredential("me", "hunter2"),
        },
    )


def test_an_empty_setting_is_a_missing_one() -> None:
    names = (
        "RECONVERGE_ARM_ENDPOINT",
        "AZURE_CLIENT_ID",
        STORAGE,
        f"{STORAGE}__accountName",
        "IDENTITY_ENDPOINT",
    )
    assert Settings.from_environment(dict.fromkeys(names, " ")) == Settings.from_environment({})


def test_certificates_of_whom_to_trust_are_a_file_or_a_folder_and_requests_name_for_them_counts_first(
    tmp_path: Path,
) -> None:
    for there in (tmp_path, Path(__file__)):
        Settings.from_environment({"REQUESTS_CA_BUNDLE": str(there), "CURL_CA_BUNDLE": "/nowhere"})


@pytest.mark.parametrize("word", ["False", "false", "0", "1", "yes", ""])
def test_only_the_platforms_word_for_it_makes_callers_named(word: str) -> None:
    assert not Settings.from_environment({"WEBSITE_AUTH_ENABLED": word}).callers_named


def test_the_key_of_the_storage_account_is_never_shown() -> None:
    settings = Settings.from_environment({STORAGE: ACCOUNT})
    assert KEY not in f"{settings!r} {settings}"


STORAGES: dict[str, tuple[dict[str, str], ConnectionString | IdentityConnection | None]] = {
    "the emulator": ({STORAGE: "UseDevelopmentStorage=true"}, ConnectionString("UseDevelopmentStorage=true")),
    "an account by key": ({STORAGE: ACCOUNT}, ConnectionString(ACCOUNT)),
    "an account by signature": (
        {STORAGE: "QueueEndpoint=https://q/;TableEndpoint=https://t/;SharedAccessSignature=sv=1&sig=x%3D"},
        ConnectionString(
            "QueueEndpoint=https://q/;TableEndpoint=https://t/;SharedAccessSignature=sv=1&sig=x%3D"
        ),
    ),
    "an account by name": (
        {f"{STORAGE}__accountName": "account", f"{STORAGE}__credential": "managedidentity"},
        IdentityConnection(
            queue_endpoint="https://account.queue.core.windows.net",
            table_endpoint="https://account.table.core.windows.net",
            managed_identity=True,
            client_id=None,
        ),
    ),
    "an account by the addresses of its services": (
        {
            f"{STORAGE}__queueServiceUri": "https://account.queue.core.chinacloudapi.cn/",
            f"{STORAGE}__tableServiceUri": "https://account.table.core.chinacloudapi.cn/",
            f"{STORAGE}__clientId": GUID,
        },
        IdentityConnection(
            queue_endpoint="https://account.queue.core.chinacloudapi.cn",
            table_endpoint="https://account.table.core.chinacloudapi.cn",
            managed_identity=False,
            client_id=GUID,
        ),
    ),
    "a connection string before a name, as the host has it": (
        {STORAGE: ACCOUNT, f"{STORAGE}__accountName": "other"},
        ConnectionString(ACCOUNT),
    ),
}


@pytest.mark.parametrize(("environment", "storage"), STORAGES.values(), ids=STORAGES)
def test_storage_is_named_as_the_host_is_told_it(
    environment: dict[str, str], storage: ConnectionString | IdentityConnection
) -> None:
    settings = Settings.from_environment(environment)
    assert settings.storage == storage
    assert connection(settings) == storage


def test_who_needs_storage_and_has_none_is_told_what_to_write() -> None:
    with pytest.raises(Misconfigured, match="AzureWebJobsStorage is missing: write"):
        connection(Settings.from_environment({}))


MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "an address without TLS": (
        {"RECONVERGE_ARM_ENDPOINT": "http://127.0.0.1"},
        "RECONVERGE_ARM_ENDPOINT is not an https",
    ),
    "an address without a host": (
        {"RECONVERGE_ARM_ENDPOINT": "https://"},
        "RECONVERGE_ARM_ENDPOINT is not an https",
    ),
    "an address with a broken port": (
        {"RECONVERGE_ARM_ENDPOINT": "https://a:b"},
        "RECONVERGE_ARM_ENDPOINT is not",
    ),
    "an address with a password": (
        {"AZURE_AUTHORITY_HOST": "https://me:secret@host"},
        "AZURE_AUTHORITY_HOST is not",
    ),
    "an authority without TLS": (
        {"AZURE_AUTHORITY_HOST": "http://host"},
        "AZURE_AUTHORITY_HOST is not an https",
    ),
    "a topic's key in its address": (
        {"RECONVERGE_NOTICES_ENDPOINT": "https://topic/api/events?key=secret"},
        "RECONVERGE_NOTICES_ENDPOINT is not",
    ),
    "a client id that is a name": ({"AZURE_CLIENT_ID": "my-identity"}, "AZURE_CLIENT_ID is not a GUID"),
    "a tenant id with a letter too many": ({"AZURE_TENANT_ID": f"{GUID}0"}, "AZURE_TENANT_ID is not a GUID"),
    "certificates of whom to trust that are not there": (
        {"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"},
        "REQUESTS_CA_BUNDLE names a file that is not there: /nowhere/ca.pem",
    ),
    "the same under curl's name": (
        {"CURL_CA_BUNDLE": "/nowhere/ca.pem"},
        "CURL_CA_BUNDLE names a file that is not there: /nowhere/ca.pem",
    ),
    "a secret of nobody": (
        {"AZURE_CLIENT_SECRET": "secret"},
        "AZURE_CLIENT_SECRET is there without AZURE_CLIENT_ID",
    ),
    "a secret of no tenant": (
        {"AZURE_CLIENT_SECRET": "secret", "AZURE_CLIENT_ID": GUID},
        "AZURE_CLIENT_SECRET is there without AZURE_TENANT_ID",
    ),
    "a connection string that is a name": ({STORAGE: "account"}, "AzureWebJobsStorage is not a complete"),
    "a connection string without its key": (
        {STORAGE: "AccountName=account;AccountKey="},
        "AzureWebJobsStorage is not",
    ),
    "a kind of credential that does not exist": (
        {f"{STORAGE}__accountName": "account", f"{STORAGE}__credential": "secret"},
        "AzureWebJobsStorage__credential is of no known kind: write managedidentity",
    ),
    "only one of the two services": (
        {f"{STORAGE}__queueServiceUri": "https://account.queue.core.windows.net"},
        "AzureWebJobsStorage__tableServiceUri is missing: write",
    ),
    "a service without TLS": (
        {f"{STORAGE}__queueServiceUri": "http://account", f"{STORAGE}__tableServiceUri": "https://account"},
        "AzureWebJobsStorage__queueServiceUri is not an https",
    ),
    "an account that is an address": (
        {f"{STORAGE}__accountName": "https://account"},
        "AzureWebJobsStorage__accountName is not a storage account",
    ),
    "an identity of the storage that is a name": (
        {f"{STORAGE}__accountName": "account", f"{STORAGE}__clientId": "me"},
        "AzureWebJobsStorage__clientId is not a GUID",
    ),
}


@pytest.mark.parametrize(("environment", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_names_the_setting_and_never_its_secret(environment: dict[str, str], says: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Settings.from_environment(environment)
    assert str(caught.value).startswith(says)
    assert "secret" not in str(caught.value).replace("'secret'", "")


WRONG_CREDENTIALS = {
    "no JSON": "git.example.com me hunter2",
    "nesting without end": "[" * 100_000,
    "a list": f"[{WHO}]",
    "a text in place of a record": '{"git.example.com": "me:hunter2"}',
    "no password": '{"git.example.com": {"username": "me hunter2"}}',
    "an empty password": '{"git.example.com": {"username": "me hunter2", "password": ""}}',
    "a number for a password": '{"git.example.com": {"username": "me hunter2", "password": 1}}',
    "another word": '{"git.example.com": {"username": "me", "password": "x", "token": "hunter2"}}',
    "a user name that ends too early": '{"git.example.com": {"username": "me:hunter2", "password": "x"}}',
    "an address for a host": f'{{"https://git.example.com": {WHO}}}',
    "a host with a user name": f'{{"me:hunter2@git.example.com": {WHO}}}',
    "a host twice": f'{{"git.example.com": {WHO}, "GIT.example.com": {WHO}}}',
    "a pattern": f'{{"*": {WHO}}}',
}


@pytest.mark.parametrize("text", WRONG_CREDENTIALS.values(), ids=WRONG_CREDENTIALS)
def test_credentials_that_are_wrong_are_told_of_and_not_repeated(text: str) -> None:
    with pytest.raises(Misconfigured, match="RECONVERGE_GIT_CREDENTIALS is not what") as wrong:
        Settings.from_environment({"RECONVERGE_GIT_CREDENTIALS": text})
    assert "write a JSON object like" in str(wrong.value)
    told = (wrong.value, wrong.value.__cause__)
    assert not any("hunter2" in repr(one) for one in told)
    assert wrong.value.__suppress_context__ or wrong.value.__context__ is None


@pytest.mark.parametrize("host", ["github.com", "GHE.example.com"])
def test_github_has_its_token_in_one_place(host: str) -> None:
    with pytest.raises(Misconfigured, match="set RECONVERGE_GITHUB_TOKEN for it instead"):
        Settings.from_environment(
            {
                "RECONVERGE_GITHUB_URL": "https://ghe.example.com",
                "RECONVERGE_GIT_CREDENTIALS": f'{{"{host}": {WHO}}}',
            }
        )
