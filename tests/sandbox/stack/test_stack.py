"""The whole sandbox in one directory: up, found again, down."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import processes, stack
from sandbox.azurite import Account
from sandbox.control_client import Control
from sandbox.environment import VAULT_STAND_INS
from sandbox.processes import Child
from sandbox.stack import Stack, StackError

APP = Path(__file__).parents[2] / "runtime" / "host" / "app"


@pytest.fixture(scope="module", autouse=True)
def _queues_of_the_test_app() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"SEEN": "seen", "WORK": "work", "TICK": "0 0 0 1 1 *"}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """For the tests that leave it running."""
    directory = tmp_path_factory.mktemp("stack")
    yield stack.up(directory, app=APP)
    stack.down(directory)


def sourced(path: Path) -> dict[str, str]:
    """The environment of a shell that has sourced the file, and started with none."""
    shell = ["/bin/sh", "-c", f". {path}; exec env -0"]
    printed = subprocess.run(shell, env={}, capture_output=True, check=True, text=True)  # noqa: S603 (a test's path)
    return dict(entry.split("=", 1) for entry in printed.stdout.split("\0") if entry)


def alive(one: Stack) -> list[bool]:
    return [child.is_alive() for child in one.children]


# -- up ---------------------------------------------------------------------------------------


def test_up_answers_when_all_serve(running: Stack) -> None:
    names = [child.name for child in running.children]
    assert names == ["azurite", "openbao-dev", "openbao-prod", "cloud", "host"]
    assert all(alive(running))
    answer = requests.get(running.environment["RECONVERGE_APP_URL"] + "/api/echo/a", timeout=10)
    assert answer.status_code == 201


def test_up_again_answers_what_runs(running: Stack) -> None:
    assert stack.up(running.directory, app=APP) == running


def test_it_is_found_again_by_its_directory(running: Stack) -> None:
    assert stack.load(running.directory) == running


def test_the_app_is_subscribed_to_the_clouds_events(running: Stack) -> None:
    (subscription,) = Control.from_dir(running.directory).subscriptions()
    app = running.environment["RECONVERGE_APP_URL"]
    assert (subscription["name"], subscription["kind"]) == ("reconverge", "AzureFunction")
    assert subscription["endpoint"] == f"{app}/runtime/webhooks/eventgrid"


def test_the_function_key_opens_the_app(running: Stack) -> None:
    given = running.environment
    answer = requests.get(
        given["RECONVERGE_APP_URL"] + "/api/guarded",
        headers={"x-functions-key": given["RECONVERGE_APP_KEY"]},
        timeout=10,
    )
    assert answer.status_code == 200


# -- env --------------------------------------------------------------------------------------


def test_a_shell_that_sources_env_has_what_the_stack_tells(running: Stack) -> None:
    exported = sourced(running.directory / "env")
    assert {name: exported.get(name) for name in running.environment} == dict(running.environment)


def test_env_points_every_official_client_somewhere(running: Stack) -> None:
    assert set(running.environment) == {
        "AZURE_AUTHORITY_HOST",
        "AZURE_CLIENT_ID",
        "AZURE_CORE_INSTANCE_DISCOVERY",
        "AZURE_SUBSCRIPTION_ID",
        "AZURE_TENANT_ID",
        "AzureWebJobsStorage",
        "GIT_SSL_CAINFO",
        "IDENTITY_ENDPOINT",
        "IDENTITY_HEADER",
        "AZURE_KEYVAULT_URL",
        "KUBECONFIG",
        "RECONVERGE_APP_KEY",
        "RECONVERGE_APP_URL",
        "RECONVERGE_ARGOCD_TOKEN",
        "RECONVERGE_ARM_ENDPOINT",
        "RECONVERGE_GITHUB_API_URL",
        "RECONVERGE_GITHUB_TOKEN",
        "RECONVERGE_GITHUB_URL",
        "RECONVERGE_LANDSCAPE",
        "RECONVERGE_SWEEP",
        "REQUESTS_CA_BUNDLE",
        "SANDBOX_CONTROL_KEY",
        "SANDBOX_GITHUB_TOKEN",
        "SANDBOX_OPERATOR_CLIENT_ID",
        "SANDBOX_OPERATOR_CLIENT_SECRET",
        "SANDBOX_URL",
        "SANDBOX_VAULT_TOKEN_DEV",
        "SANDBOX_VAULT_TOKEN_PROD",
        "SSL_CERT_FILE",
    }
    assert all(running.environment.values())


@pytest.mark.parametrize("name", ["env", "stack.json", "keys.json", "cloud.json"])
def test_files_with_secrets_are_for_their_owner_only(running: Stack, name: str) -> None:
    assert stat.S_IMODE((running.directory / name).stat().st_mode) == 0o600


def test_the_app_has_neither_the_operators_means_nor_the_controls(running: Stack) -> None:
    host = next(child for child in running.children if child.name == "host")
    given = _environment_of(host.pid)
    assert given["RECONVERGE_GITHUB_TOKEN"] == running.environment["RECONVERGE_GITHUB_TOKEN"]
    assert given["AZURE_CLIENT_ID"] == running.environment["AZURE_CLIENT_ID"]
    assert given["FUNCTIONS_WORKER_RUNTIME"] == "python"
    assert given["RECONVERGE_SWEEP"] == running.environment["RECONVERGE_SWEEP"]
    assert {
        "SANDBOX_OPERATOR_CLIENT_SECRET",
        "SANDBOX_GITHUB_TOKEN",
        "SANDBOX_CONTROL_KEY",
        "SANDBOX_VAULT_TOKEN_DEV",
        "SANDBOX_VAULT_TOKEN_PROD",
        "RECONVERGE_APP_KEY",
    }.isdisjoint(given)


def test_secrets_are_not_printed_with_the_stack(running: Stack) -> None:
    assert running.environment["SANDBOX_CONTROL_KEY"] not in repr(running)


# -- down, and crashes --------------------------------------------------------------------------


def test_the_landscape_names_the_vaults_that_run(running: Stack) -> None:
    written = Path(running.environment["RECONVERGE_LANDSCAPE"]).read_text()
    told = json.loads((running.directory / "cloud.json").read_text())["openbao"]
    for environment, stand_in in VAULT_STAND_INS.items():
        assert stand_in not in written
        assert written.count(told[environment]["address"]) == 2, "the Vault, and the contract's leave for it"


def test_nobody_else_learns_a_vaults_root_token(running: Stack) -> None:
    told = json.loads((running.directory / "cloud.json").read_text())["openbao"]
    tokens = [one["root_token"].encode() for one in told.values()]
    for child in running.children:
        shown = (
            Path(f"/proc/{child.pid}/cmdline").read_bytes() + Path(f"/proc/{child.pid}/environ").read_bytes()
        )
        assert not any(token in shown for token in tokens), child.name
    for log in (running.directory / "logs").iterdir():
        assert not any(token in log.read_bytes() for token in tokens), log.name


def test_down_stops_all_and_leaves_no_description(tmp_path: Path) -> None:
    once = stack.up(tmp_path, app=None)
    stack.down(tmp_path)
    assert not any(alive(once))
    assert stack.load(tmp_path) is None
    described = ("env", "landscape.yaml", "stack.json", "cloud.json")
    assert not any((tmp_path / name).exists() for name in described)


def test_down_where_nothing_runs_is_no_error(tmp_path: Path) -> None:
    stack.down(tmp_path)
    stack.down(tmp_path / "never-was")


def test_half_a_stack_is_stopped_and_started_anew(tmp_path: Path) -> None:
    before = stack.up(tmp_path, app=None)
    azurite, *_, cloud = before.children
    os.kill(cloud.pid, signal.SIGKILL)
    while cloud.is_alive():
        time.sleep(0.02)
    try:
        after = stack.up(tmp_path, app=None)
        assert not azurite.is_alive()
        assert all(alive(after))
    finally:
        stack.down(tmp_path)


def test_a_start_that_was_cut_short_is_not_taken_for_a_stack(tmp_path: Path) -> None:
    once = stack.up(tmp_path, app=None)
    try:
        replace(once, complete=False).save()
        assert stack.load(tmp_path) is None
    finally:
        stack.down(tmp_path)
    assert not any(alive(once))


def test_an_app_that_cannot_be_served_is_told_with_its_log_and_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "host.json").write_text('{"version": "1.0"}')
    started: list[Child] = []

    def remember(*given: Any, **named: Any) -> Child:
        started.append(start(*given, **named))
        return started[-1]

    start = processes.start
    monkeypatch.setattr(processes, "start", remember)
    with pytest.raises(StackError, match=r'host ended while starting(.|\n)*"version" must be "2\.0"'):
        stack.up(tmp_path / "sandbox", app=tmp_path / "app")
    assert [child.name for child in started][-1] == "host"
    assert not any(child.is_alive() for child in started)
    assert stack.load(tmp_path / "sandbox") is None


def test_a_storage_account_that_cannot_start_is_told_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        account = replace(Account.random(), queue_port=taken.getsockname()[1])
        monkeypatch.setattr(Account, "random", lambda: account)
        with pytest.raises(StackError, match=r"Azurite ended while starting; the end of (.|\n)*EADDRINUSE"):
            stack.up(tmp_path, app=None)


def test_keys_that_are_unfit_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{}")
    with pytest.raises(StackError, match=r"keys\.json must hold"):
        stack.up(tmp_path, app=APP)
    assert stack.load(tmp_path) is None


def test_core_tools_that_are_not_installed_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = shutil.which
    monkeypatch.setattr(
        "shutil.which", lambda name, **options: None if name == "func" else which(name, **options)
    )
    with pytest.raises(StackError, match="no `func` on PATH"):
        stack.up(tmp_path, app=APP, host="func")


def _environment_of(pid: int) -> dict[str, str]:
    path = Path(f"/proc/{pid}/environ")
    if not path.exists():
        pytest.skip("needs /proc")
    return dict(entry.split("=", 1) for entry in path.read_text().split("\0") if "=" in entry)
