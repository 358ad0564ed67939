"""The `az` command line, unmodified, against the loopback cloud.

Slow (about a second per command) and big (733 MB), so it is installed apart: `locks/az.txt`. The order of the
steps within a test is that of a person at a terminal.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.control_client import Control
from tests.sandbox.clients import AUDIENCE, GROUP, described
from tests.sandbox.conftest import AT_ONCE, start_cloud

ROOT = Path(__file__).parents[2]
IDENTITY = "ameide-dev-backup-mi"
SUBJECT = "system:serviceaccount:ameide-dev:postgres-ameide"
COMMAND_SECONDS = 60.0


def executable() -> str:
    """Where `az` is: RECONVERGE_AZ, or the project's own environment for it."""
    named = os.environ.get("RECONVERGE_AZ")
    found = shutil.which(named or str(ROOT / ".venv-az" / "bin" / "az"))
    if found is None:
        pytest.fail(
            "there is no az command line: install locks/az.txt into .venv-az "
            "(python -m venv .venv-az && .venv-az/bin/pip install --require-hashes -r locks/az.txt), "
            "or let RECONVERGE_AZ name the executable",
            pytrace=False,
        )
    return found


@dataclass
class Terminal:
    """A shell that has never seen az before, beside a running cloud."""

    az: str
    environment: dict[str, str]
    told: dict[str, Any]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 (the az that was asked for)
            [self.az, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def ask(self, *words: str) -> Any:
        """What the command prints, which must succeed."""
        done = self.run(*words, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def credential(self, verb: str, *words: str) -> Any:
        return self.ask(
            "identity", "federated-credential", verb, "-g", GROUP, "--identity-name", IDENTITY, *words
        )


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal in which the cloud is registered and chosen; nobody is logged in yet."""
    az = executable()
    directory = tmp_path_factory.mktemp("az")
    process = start_cloud(directory)
    try:
        told = described(directory)
        Control.from_dir(directory).turn(**AT_ONCE)
        held = Terminal(az, _environment(directory, told), told)
        held.ask("cloud", "register", "-n", "Loopback", "--endpoint-resource-manager", told["cloud"])
        held.ask("cloud", "set", "-n", "Loopback")
        yield held
    finally:
        process.terminate()
        process.wait(10)


def _environment(directory: Path, told: dict[str, Any]) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "AZURE_CONFIG_DIR": str(directory / "config"),
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "REQUESTS_CA_BUNDLE": told["ca"],
        "IDENTITY_ENDPOINT": told["identity_endpoint"],
        "IDENTITY_HEADER": told["identity_header"],
    }


@pytest.fixture
def operator(terminal: Terminal) -> Iterator[Terminal]:
    """The terminal, logged in as the operator's service principal."""
    who, secret = terminal.told["operator"]["client_id"], terminal.told["operator"]["secret"]
    tenant = terminal.told["tenant"]
    terminal.ask("login", "--service-principal", "-u", who, "-p", secret, "--tenant", tenant)
    yield terminal
    terminal.ask("logout")


def test_the_operator_sees_the_subscription_after_login(operator: Terminal) -> None:
    account = operator.ask("account", "show")
    assert account["id"] == operator.told["subscription"]
    assert account["environmentName"] == "Loopback"
    assert account["user"]["name"] == operator.told["operator"]["client_id"]


def test_clusters_are_listed_and_shown_with_their_issuer(operator: Terminal) -> None:
    assert [one["name"] for one in operator.ask("aks", "list")] == ["ameide"]
    cluster = operator.ask("aks", "show", "-g", GROUP, "-n", "ameide")
    assert cluster["provisioningState"] == "Succeeded"
    issuer = cluster["oidcIssuerProfile"]["issuerUrl"]
    assert issuer.startswith(f"{operator.told['cloud']}/oic/")
    trusted = {one["issuer"] for one in operator.credential("list")}
    assert trusted == {issuer}


def test_identities_are_listed_and_shown(operator: Terminal) -> None:
    names = [one["name"] for one in operator.ask("identity", "list")]
    assert {IDENTITY, "ameide-vault-bootstrap-mi", "reconverge-mi"} <= set(names)
    shown = operator.ask("identity", "show", "-g", GROUP, "-n", "reconverge-mi")
    assert shown["clientId"] == operator.told["app"]["client_id"]


def test_a_credential_is_created_updated_and_deleted_by_hand(operator: Terminal) -> None:
    trust = ("--subject", "by:hand", "--audiences", AUDIENCE)
    created = operator.credential("create", "-n", "by-hand", "--issuer", "https://one.example/", *trust)
    assert (created["issuer"], created["subject"]) == ("https://one.example/", "by:hand")
    operator.credential("update", "-n", "by-hand", "--issuer", "https://two.example/", *trust)
    assert operator.credential("show", "-n", "by-hand")["issuer"] == "https://two.example/"
    assert {one["name"] for one in operator.credential("list")} == {"cnpg-backup", "by-hand"}
    operator.credential("delete", "-n", "by-hand", "--yes")
    assert [one["name"] for one in operator.credential("list")] == ["cnpg-backup"]


def test_a_refusal_reaches_the_terminal_in_azures_words(operator: Terminal) -> None:
    words = ("identity", "federated-credential", "show", "-g", GROUP, "--identity-name", IDENTITY)
    missing = operator.run(*words, "-n", "nobody")
    assert missing.returncode == 3
    assert "(ResourceNotFound)" in missing.stderr
    issuer = operator.ask("aks", "show", "-g", GROUP, "-n", "ameide")["oidcIssuerProfile"]["issuerUrl"]
    twice = operator.run(
        *("identity", "federated-credential", "create", "-g", GROUP, "--identity-name", IDENTITY),
        *("-n", "twice", "--issuer", issuer, "--subject", SUBJECT, "--audiences", AUDIENCE),
    )
    assert twice.returncode == 1
    assert "Issuer and subject combination already exists" in twice.stderr


def test_the_app_logs_in_by_its_identity_and_may_not_touch_clusters(terminal: Terminal) -> None:
    terminal.ask("login", "--identity")
    assert [one["name"] for one in terminal.credential("list")] == ["cnpg-backup"]
    refused = terminal.run("aks", "delete", "-g", GROUP, "-n", "ameide", "--yes")
    assert refused.returncode != 0
    assert "AuthorizationFailed" in refused.stderr


def test_a_wrong_secret_does_not_log_in(terminal: Terminal) -> None:
    who, tenant = terminal.told["operator"]["client_id"], terminal.told["tenant"]
    refused = terminal.run("login", "--service-principal", "-u", who, "-p", "wrong", "--tenant", tenant)
    assert refused.returncode == 1
    assert "AADSTS7000215" in refused.stderr
