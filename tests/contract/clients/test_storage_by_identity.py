"""The store on a connection without a key: Azurite over TLS, which takes Entra tokens."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import trustme
from azure.core.credentials import AccessToken

from sandbox import azurite as azurite_process
from shared.clients.queues import StorageMessages
from shared.clients.storage import connection
from shared.clients.tables import StorageRows
from shared.errors import TemporaryError
from shared.ports import Key
from shared.settings import Settings

TENANT = "11111111-2222-3333-4444-555555555555"
STORAGE = "https://storage.azure.com"
KEY = Key("dev", "federated_credentials")


class TokenFor:
    """Issues tokens for one audience, whatever is asked for."""

    def __init__(self, audience: str) -> None:
        self._audience = audience
        self.scopes: set[str] = set()

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes.update(scopes)
        now = int(time.time())
        issuer = f"https://sts.windows.net/{TENANT}/"
        claims = {"aud": self._audience, "iss": issuer, "nbf": now - 60, "iat": now - 60, "exp": now + 3600}
        header = {"alg": "RS256", "typ": "JWT"}
        token = ".".join(
            (*(_part(json.dumps(part).encode()) for part in (header, claims)), _part(b"signature"))
        )
        return AccessToken(token, now + 3600)


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment that leads to it."""
    directory = tmp_path_factory.mktemp("azurite")
    ca = trustme.CA()
    served = ca.issue_cert("127.0.0.1")
    ca.cert_pem.write_to_path(str(directory / "ca.pem"))
    served.private_key_pem.write_to_path(str(directory / "key.pem"))
    _write_chain(served, directory / "cert.pem")
    account = azurite_process.Account.random()
    tls = ("--oauth", "basic", "--cert", str(directory / "cert.pem"), "--key", str(directory / "key.pem"))
    command = [*azurite_process.command(account), *tls]
    process = subprocess.Popen(  # noqa: S603 (the sandbox's own command line)
        command, env={**os.environ, **account.environment}, stdout=subprocess.DEVNULL
    )
    try:
        azurite_process.wait_until_open(account, lambda: process.poll() is None)
        yield {
            "AzureWebJobsStorage__queueServiceUri": f"https://127.0.0.1:{account.queue_port}/{account.name}",
            "AzureWebJobsStorage__tableServiceUri": f"https://127.0.0.1:{account.table_port}/{account.name}",
            "REQUESTS_CA_BUNDLE": str(directory / "ca.pem"),
        }
    finally:
        process.terminate()
        process.wait(timeout=30)


def _write_chain(served: trustme.LeafCert, path: Path) -> None:
    for blob in served.cert_chain_pems:
        blob.write_to_path(str(path), append=True)


@pytest.fixture
def settings(storage: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", storage["REQUESTS_CA_BUNDLE"])
    return Settings.from_environment(storage)


def test_rows_are_kept_by_whoever_has_a_token_for_storage(settings: Settings) -> None:
    credential = TokenFor(STORAGE)
    rows = StorageRows(connection(settings), credential)
    table = f"t{uuid4().hex}"
    first = rows.insert(table, KEY, {"wanted": 1})
    second = rows.replace(first, {"wanted": 2})
    assert rows.get(table, KEY) == second
    assert credential.scopes == {f"{STORAGE}/.default"}


def test_messages_are_sent_by_whoever_has_a_token_for_storage(settings: Settings) -> None:
    credential = TokenFor(STORAGE)
    StorageMessages(connection(settings), credential).send(f"q{uuid4().hex}", "text")
    assert credential.scopes == {f"{STORAGE}/.default"}


def test_a_refused_token_tells_which_roles_are_needed(settings: Settings) -> None:
    stranger = TokenFor("https://other.example")
    with pytest.raises(TemporaryError, match="Storage Table Data Contributor"):
        StorageRows(connection(settings), stranger).get(f"t{uuid4().hex}", KEY)
    with pytest.raises(TemporaryError, match="Storage Queue Data Contributor"):
        StorageMessages(connection(settings), stranger).send(f"q{uuid4().hex}", "text")
