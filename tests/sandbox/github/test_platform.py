"""The forge of a running sandbox: over TLS, with the platform's facts, what publishes them, and faults."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from ruamel.yaml import YAML

from sandbox import environment
from shared.clients.git_files import GitFiles
from shared.clients.github import GitHub, State
from shared.errors import TemporaryError, Throttled
from shared.model import Known, Unknown
from shared.settings import Settings
from tests.sandbox.clients import World
from tests.waiting import eventually

FACTS = "https://github.com/ameideio/ameide-runtime-facts.git"
GITOPS = "https://github.com/ameideio/ameide-gitops.git"
WORKFLOW = "terraform-azure-apply.yaml"
PATHS = {
    "dev": "runtime-facts/env/dev/globals.yaml",
    "prod": "runtime-facts/env/production/globals.yaml",
}
PATIENCE = 20.0


@pytest.fixture
def settings(world: World, tmp_path: Path) -> Iterator[Settings]:
    """As the app has them, by the environment that the sandbox writes for it."""
    variables = environment.of_cloud(
        world.described, "UseDevelopmentStorage=true", tmp_path / "landscape.yaml"
    )
    set_right(world)
    yield Settings.from_environment({one.name: one.value for one in variables if one.for_app})
    set_right(world)


def set_right(world: World) -> None:
    """The facts are true, and nobody is at work on them. A rebuild elsewhere leaves wrong ones."""
    world.control.turn(workflow_seconds=0.0)
    workflow = f"ameide-gitops/actions/workflows/{WORKFLOW}"
    reviewer(world, "POST", f"{workflow}/dispatches", {"ref": "main"})
    eventually(
        lambda: all(one["status"] == "completed" for one in runs(world, workflow)), "no workflow at work"
    )
    assert all(azure(world, read(world, path)) for path in PATHS.values())


def reviewer(world: World, method: str, path: str, body: Any = None) -> requests.Response:
    told = world.described["github"]
    return requests.request(
        method,
        f"{told['api']}/repos/ameideio/{path}",
        json=body,
        headers={"Authorization": f"Bearer {told['operator_token']}"},
        verify=world.described["ca"],
        timeout=PATIENCE,
    )


def runs(world: World, workflow: str) -> list[Any]:
    return list(reviewer(world, "GET", f"{workflow}/runs").json()["workflow_runs"])


def read(world: World, path: str) -> str:
    told = world.described["github"]
    variables = {"github_url": told["url"], "github_api": told["api"], "github_token": told["token"]}
    found = GitFiles(replace(Settings.from_environment({}), **variables)).read(FACTS, "main", path)
    assert isinstance(found, Known), found
    return found.value.text


def azure(world: World, text: str) -> bool:
    """Whether the facts are those of the live cloud, as its own clients tell it."""
    facts = YAML(typ="safe", pure=True).load(text)
    name = facts["global"]["ameide"]["environment"]
    identities = world.msi().user_assigned_identities
    bootstrap = identities.get("Ameide", "ameide-vault-bootstrap-mi")
    dns = identities.get("Ameide", f"ameide-dns-{name}-mi")
    group = f"/subscriptions/{world.described['subscription']}/resourceGroups/Ameide"
    address = f"{group}/providers/Microsoft.Network/publicIPAddresses/ameide-{name}-envoy-pip"
    shown = world.arm("GET", address, params={"api-version": "2023-09-01"}).json()
    live = {
        "tenantId": world.described["tenant"],
        "subscriptionId": world.described["subscription"],
        "resourceGroup": "Ameide",
        "envoyPublicIpAddress": shown["properties"]["ipAddress"],
        "dnsManagedIdentityClientId": dns.client_id,
        "dnsManagedIdentityPrincipalId": dns.principal_id,
        "keyVaultUri": world.described["vaults"]["ameidekv"],
        "vaultBootstrapIdentityClientId": bootstrap.client_id,
    }
    return live.items() <= dict(facts["azure"]).items()


def spoil(world: World, branch: str = "main", path: str = PATHS["dev"]) -> None:
    """Somebody commits a wrong address."""
    text = read(world, path).replace("envoyPublicIpAddress: ", "envoyPublicIpAddress: 1.2.3.4 #")
    told = world.described["github"]
    who = {"github_url": told["url"], "github_api": told["api"], "github_token": told["operator_token"]}
    GitHub(replace(Settings.from_environment({}), **who)).commit(
        FACTS, branch, path, text=text, replaces=read(world, path), message="by hand"
    )


@pytest.mark.parametrize("name", PATHS)
def test_the_published_facts_are_true_to_the_cloud(world: World, settings: Settings, name: str) -> None:
    found = GitFiles(settings).read(FACTS, "main", PATHS[name])
    assert isinstance(found, Known)
    assert azure(world, found.value.text)


def test_the_workflow_that_owns_them_publishes_them_anew(world: World, settings: Settings) -> None:
    spoil(world)
    assert not azure(world, read(world, PATHS["dev"]))
    github = GitHub(settings)
    github.dispatch(GITOPS, WORKFLOW, "main", {"environment": "dev"})
    eventually(lambda: azure(world, read(world, PATHS["dev"])), "the facts are true")
    found = github.runs(GITOPS, WORKFLOW)
    assert isinstance(found, Known)
    assert found.value[0].succeeded


def test_a_run_takes_the_time_of_its_dial(world: World, settings: Settings) -> None:
    world.control.turn(workflow_seconds=2.0)
    github = GitHub(settings)
    github.dispatch(GITOPS, WORKFLOW, "main", {})
    seen: list[str] = []

    def completed() -> bool:
        found = github.runs(GITOPS, WORKFLOW)
        assert isinstance(found, Known)
        seen.append(found.value[0].status)
        return found.value[0].completed

    eventually(completed, "the run is completed")
    assert list(dict.fromkeys(seen)) == ["queued", "in_progress", "completed"]


def test_the_app_proposes_and_the_reviewer_merges(world: World, settings: Settings) -> None:
    github, branch, path = GitHub(settings), "reconverge/dev/facts-test", PATHS["dev"]
    before = GitFiles(settings).read(FACTS, "main", path)
    assert isinstance(before, Known)
    github.point(FACTS, branch, before.value.commit)
    github.commit(FACTS, branch, path, text="a: 1\n", replaces=before.value.text, message="why")
    github.propose(FACTS, branch, "main", "title", "body")
    opened = github.history(FACTS, branch)
    assert isinstance(opened, Known)
    merged = reviewer(world, "PUT", f"ameide-runtime-facts/pulls/{opened.value[0].number}/merge")
    assert merged.status_code == 200
    assert read(world, path) == "a: 1\n"
    ended = github.history(FACTS, branch)
    assert isinstance(ended, Known)
    assert ended.value[0].state is State.MERGED


def test_the_apps_token_has_what_its_channels_need_and_no_more(world: World, settings: Settings) -> None:
    def ask(path: str, method: str = "GET") -> int:
        headers = {"Authorization": f"Bearer {settings.github_token}"}
        url = f"{settings.github_api}/repos/ameideio/{path}"
        return requests.request(
            method, url, json={}, headers=headers, verify=world.described["ca"], timeout=PATIENCE
        ).status_code

    assert ask("ameide-runtime-facts/pulls") == 200
    assert ask(f"ameide-gitops/actions/workflows/{WORKFLOW}") == 200
    assert ask("ameide-gitops/contents/README.md") == 200
    assert ask("ameide-backlog/contents/README.md") == 200
    assert ask("ameide-backlog/pulls") == 403
    assert ask("ameide-runtime-facts/actions/workflows/x.yaml") == 403


def test_git_clones_with_the_variables_of_the_environment(world: World, tmp_path: Path) -> None:
    told = environment.of_cloud(world.described, "UseDevelopmentStorage=true", tmp_path / "landscape.yaml")
    given = {one.name: one.value for one in told}
    address = (
        f"x-access-token:{given['SANDBOX_GITHUB_TOKEN']}@{given['RECONVERGE_GITHUB_URL'].partition('://')[2]}"
    )
    trust = {"GIT_SSL_CAINFO": given["GIT_SSL_CAINFO"], "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(  # noqa: S603 (git, in a directory of the test's own)
        ["git", "clone", "-q", f"https://{address}/ameideio/ameide-gitops.git", "copy"],  # noqa: S607
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1", **trust},
        check=True,
        timeout=60,
    )
    assert (tmp_path / "copy" / ".github" / "workflows" / WORKFLOW).exists()


# -- faults -------------------------------------------------------------------------------------


def test_a_bad_day_of_github_is_seen(world: World, settings: Settings) -> None:
    world.control.inject("/pulls", service="github", status=503)
    found = GitHub(settings).proposals(FACTS, "x")
    assert isinstance(found, Unknown)
    assert "503" in found.why
    assert isinstance(GitHub(settings).proposals(FACTS, "x"), Known)


def test_a_secondary_limit_is_kept(world: World, settings: Settings) -> None:
    """https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"""
    world.control.inject("/dispatches", service="github", status=403, headers={"Retry-After": "60"})
    with pytest.raises(Throttled):
        GitHub(settings).dispatch(GITOPS, WORKFLOW, "main", {})


def test_a_cut_connection_to_git_proves_nothing(world: World, settings: Settings) -> None:
    world.control.inject("git-upload-pack$", service="github", reset=True)
    found = GitFiles(settings).read(FACTS, "main", PATHS["dev"])
    assert isinstance(found, Unknown)
    assert isinstance(GitFiles(settings).read(FACTS, "main", PATHS["dev"]), Known)


def test_a_commit_whose_answer_is_lost_was_made(world: World, settings: Settings) -> None:
    path, before = PATHS["prod"], read(world, PATHS["prod"])
    world.control.inject("/contents/", method="PUT", service="github", phase="after", reset=True)
    with pytest.raises(TemporaryError):
        GitHub(settings).commit(FACTS, "main", path, text="a: 2\n", replaces=before, message="why")
    assert read(world, path) == "a: 2\n"


def test_calls_are_in_the_request_log_with_who_asked_and_no_token(world: World, settings: Settings) -> None:
    world.control.clear_requests()
    GitHub(settings).proposals(FACTS, "x")
    GitFiles(settings).read(FACTS, "main", PATHS["dev"])
    seen = world.control.requests("github")
    assert [(one["operation"], one["status"], one["caller"]) for one in seen] == [
        ("pulls/pulls#list-pull-requests", 200, "reconverge"),
        ("git-upload-pack", 200, "reconverge"),
        ("git-upload-pack", 200, "reconverge"),
        ("git-upload-pack", 200, "reconverge"),
    ]
    assert str(settings.github_token) not in str(seen)
