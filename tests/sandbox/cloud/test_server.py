"""The server as a process: what it writes, what it keeps to itself, how it ends."""

import json
import ssl
import stat
import urllib.request
from pathlib import Path

from tests.sandbox.clients import World, described
from tests.sandbox.conftest import start_cloud

KEYS = {
    "pid",
    "cloud",
    "identity_endpoint",
    "identity_header",
    "ca",
    "tenant",
    "subscription",
    "location",
    "operator",
    "app",
    "argocd",
    "kubeconfig",
    "clusters",
    "control_key",
    "openbao",
    "vaults",
    "web",
    "github",
    "notifications",
}


def test_the_description_is_complete_and_for_its_owner_only(running_cloud: Path, world: World) -> None:
    assert set(world.described) == KEYS
    for name in ("cloud.json", "kubeconfig"):
        assert stat.S_IMODE((running_cloud / name).stat().st_mode) == 0o600


def test_the_authority_passes_pythons_strict_verification(world: World) -> None:
    context = ssl.create_default_context(cafile=world.described["ca"])
    assert context.verify_flags & ssl.VERIFY_X509_STRICT
    url = f"{world.described['cloud']}/metadata/endpoints?api-version=2022-09-01"
    with urllib.request.urlopen(url, context=context, timeout=30) as answer:  # noqa: S310 (https)
        assert json.load(answer)["authentication"]["loginEndpoint"] == world.described["cloud"]


def test_it_starts_over_a_dead_ones_traces_ends_on_sigterm_and_logs_no_secret(tmp_path: Path) -> None:
    (tmp_path / "cloud.json").write_text("{}")
    process = start_cloud(tmp_path)
    told = described(tmp_path)
    process.terminate()
    assert process.wait(10) == 0
    assert told["pid"] == process.pid
    assert not (tmp_path / "cloud.json").exists()
    log = (tmp_path / "server.log").read_text()
    for secret in (
        told["operator"]["secret"],
        told["identity_header"],
        told["control_key"],
        told["notifications"]["token"],
    ):
        assert secret not in log
