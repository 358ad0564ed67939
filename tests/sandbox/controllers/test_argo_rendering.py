"""What Argo CD tells when it can load what Git says, and above all when it cannot."""

import re
from pathlib import Path

import pytest

from cli import sandbox
from sandbox.kubernetes_resources import CRON_JOBS, EXTERNAL_SECRETS
from shared.errors import PermanentError
from tests.sandbox.clients import BOOTSTRAP
from tests.sandbox.controllers.argo import BACKLOG, BOOTSTRAP_APPLICATION, REFRESH, Argo, config_map
from tests.sandbox.controllers.platform import Platform
from tests.waiting import eventually

NOBODY = "11111111-2222-3333-4444-555555555555"
NO_COMMIT = "1234567890" * 4
UNLOADED = "Failed to load target state: failed to generate manifest for source 1 of 1: "
PREPARING = (
    "rpc error: code = Unknown desc = failed to initialize repository resources: "
    "rpc error: code = Internal desc = "
)


# -- the submodule ----------------------------------------------------------------------------


@pytest.mark.parametrize("fate", ["forgotten", "lost"])
def test_a_missing_commit_of_a_submodule_is_told_in_gits_own_words(argo: Argo, fate: str) -> None:
    commit = argo.platform.world.control.break_submodule(fate)["commit"]
    argo.condition(BOOTSTRAP_APPLICATION, text=f"upload-pack: not our ref {commit}")
    argo.refresh(BOOTSTRAP_APPLICATION, "hard")
    said = argo.condition(BOOTSTRAP_APPLICATION)
    assert said.startswith(
        f"{UNLOADED}{PREPARING}Failed to checkout FETCH_HEAD: failed to update submodules: "
        "`git submodule update --init --recursive` failed exit status 128: "
    )
    assert f"fatal: remote error: upload-pack: not our ref {commit}" in said
    assert (
        f"Fetched in submodule path 'backlog', but it did not contain {commit}. "
        "Direct fetching of that commit failed."
    ) in said


def test_a_fetch_that_looks_after_submodules_by_itself_tells_of_them_first(argo: Argo) -> None:
    """With files of another commit already there, as after every push."""
    commit = argo.platform.world.control.break_submodule()["commit"]
    said = argo.condition(BOOTSTRAP_APPLICATION)
    assert said.startswith(f"{UNLOADED}{PREPARING}Failed to fetch default: `git fetch origin ")
    assert said.endswith(f"not our ref {commit}\nErrors during submodule fetch:\n\tbacklog")


def test_where_nothing_can_be_compared_what_was_known_before_stays(argo: Argo) -> None:
    before = argo.becomes(BOOTSTRAP_APPLICATION, "Synced")["status"]
    argo.platform.world.control.break_submodule()
    after = argo.becomes(BOOTSTRAP_APPLICATION, "Unknown")["status"]
    assert after["health"] == before["health"]
    assert [one["name"] for one in after["resources"]] == [one["name"] for one in before["resources"]]
    assert after["sync"]["comparedTo"]["source"]["path"] == "environments/dev/foundation-vault-bootstrap"


def test_a_branch_that_keeps_the_commit_heals_what_looks_again(argo: Argo) -> None:
    commit = argo.platform.world.control.break_submodule()["commit"]
    argo.becomes(BOOTSTRAP_APPLICATION, "Unknown")
    argo.branch(BACKLOG, f"gitops-pin/{commit[:7]}", commit)
    assert argo.get(BOOTSTRAP_APPLICATION)["status"]["conditions"], "a push there concerns no Application"
    found = argo.refresh(BOOTSTRAP_APPLICATION, "hard")
    assert found["status"]["sync"]["status"] == "Synced"
    assert found["status"]["conditions"] == []


def test_argo_cd_looks_again_by_itself(argo: Argo) -> None:
    commit = argo.platform.world.control.break_submodule()["commit"]
    argo.becomes(BOOTSTRAP_APPLICATION, "Unknown")
    argo.branch(BACKLOG, "again", commit)
    argo.platform.world.control.turn(argo_seconds=0.1)
    argo.becomes(BOOTSTRAP_APPLICATION, "Synced")


def test_the_command_line_breaks_it_and_mends_it(argo: Argo) -> None:
    directory = Path(argo.platform.world.described["ca"]).parent
    moved = sandbox.move_submodule(directory)
    assert moved == argo.platform.world.control.state()["submodule"]
    assert moved["repository"] == f"https://github.com/{BACKLOG}.git"
    argo.condition(BOOTSTRAP_APPLICATION, text=moved["commit"])
    sandbox.move_submodule(directory, "present")
    argo.becomes(BOOTSTRAP_APPLICATION, "Synced")
    with pytest.raises(PermanentError, match="is forgotten, lost or present"):
        sandbox.move_submodule(directory, "elsewhere")


def test_a_condition_is_as_old_as_its_message(argo: Argo) -> None:
    argo.platform.world.control.break_submodule()
    argo.becomes(BOOTSTRAP_APPLICATION, "Unknown")
    argo.refresh(BOOTSTRAP_APPLICATION)
    (first,) = argo.get(BOOTSTRAP_APPLICATION)["status"]["conditions"]
    since = first["lastTransitionTime"]
    eventually(
        lambda: argo.refresh(BOOTSTRAP_APPLICATION)["status"]["reconciledAt"] > since, "it is looked at later"
    )
    assert argo.get(BOOTSTRAP_APPLICATION)["status"]["conditions"] == [first]


def test_facts_reach_the_cron_job_only_while_its_application_can_be_rendered(rebuilt: Platform) -> None:
    """A repair that goes through Git stops at the submodule, and gets on with it."""

    def client_id(environment: str) -> str:
        pod = rebuilt.cron_job(environment)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        return next(str(one["value"]) for one in container["env"] if one["name"] == "AZURE_CLIENT_ID")

    argo = Argo(rebuilt)
    rebuilt.world.control.turn(facts_seconds=3600, cron_seconds=3600, argo_seconds=3600)
    right = client_id("dev")
    rebuilt.publish(rebuilt.facts_of("dev", vaultBootstrapIdentityClientId=NOBODY))
    eventually(lambda: client_id("dev") == NOBODY, "the CronJob names nobody")
    rebuilt.world.control.break_submodule()
    for name in (BOOTSTRAP_APPLICATION, "production-foundation-vault-bootstrap"):
        argo.becomes(name, "Unknown")
    rebuilt.publish()
    rebuilt.publish(rebuilt.facts_of("prod", vaultBootstrapIdentityClientId=NOBODY), "prod")
    for _ in range(3):
        argo.refresh(BOOTSTRAP_APPLICATION, "hard")
    assert (client_id("dev"), client_id("prod")) == (NOBODY, right)
    rebuilt.world.control.mend_submodule()
    eventually(lambda: client_id("dev") == right, "the facts have arrived")
    rebuilt.publish(environment="prod")


def test_a_build_that_cannot_load_anything_has_no_cron_job(rebuilt: Platform) -> None:
    argo = Argo(rebuilt)
    rebuilt.world.control.break_submodule()
    rebuilt.rebuild()
    argo.becomes(BOOTSTRAP_APPLICATION, "Unknown")
    assert rebuilt.get(CRON_JOBS, BOOTSTRAP) is None
    rebuilt.world.control.mend_submodule()
    assert rebuilt.cron_job()


# -- other reasons ----------------------------------------------------------------------------


def test_a_missing_commit_of_the_repository_itself_reads_otherwise(argo: Argo) -> None:
    name = argo.deploy(argo.folder(), revision=NO_COMMIT)
    assert argo.condition(name) == (
        f"{UNLOADED}{PREPARING}Failed to checkout revision {NO_COMMIT}: "
        f"`git fetch origin {NO_COMMIT} --tags --force --prune` failed exit status 128: "
        f"fatal: remote error: upload-pack: not our ref {NO_COMMIT}"
    )


def test_a_branch_that_is_not_there_cannot_be_resolved(argo: Argo) -> None:
    name = argo.deploy(argo.folder(), revision="nowhere")
    assert argo.condition(name) == (
        f"{UNLOADED}rpc error: code = Unknown desc = unable to resolve 'nowhere' to a commit SHA"
    )


def test_a_git_that_hangs_is_given_up(argo: Argo) -> None:
    control = argo.platform.world.control
    control.inject("info/refs", service="github", delay=1, count=None)
    control.turn(argo_git_seconds=0.2)
    argo.annotate(BOOTSTRAP_APPLICATION, refresh="normal")
    said = argo.condition(BOOTSTRAP_APPLICATION)
    assert re.search(r"failed to list refs: `git ls-remote .*` failed timeout after 0\.2s$", said)


def test_no_file_and_no_text_holds_the_token(argo: Argo) -> None:
    control = argo.platform.world.control
    control.inject("/git-upload-pack", service="github", status=403, count=None)
    argo.refresh(BOOTSTRAP_APPLICATION, "hard")
    said = argo.condition(BOOTSTRAP_APPLICATION)
    assert "403" in said
    directory = Path(argo.platform.world.described["ca"]).parent / "argocd"
    written = [said, *(path.read_text() for path in directory.rglob("config"))]
    assert len(written) > 2
    secret = re.compile("authorization|github_pat|x-access-token", re.IGNORECASE)
    assert not [text for text in written if secret.search(text)]


UNREADABLE = 'Failed to unmarshal "one.yaml": '
NOT_GENERATED = {
    "a folder that is not there": ("", "{folder}: app path does not exist"),
    "a file that is no YAML": (
        "kind: ConfigMap\n  data: {",
        f"{UNREADABLE}error converting YAML to JSON: yaml: line 2: mapping values are not allowed here",
    ),
    "a document that is no object": (
        "- one\n",
        f"{UNREADABLE}it is no object with kind, apiVersion and name",
    ),
}


@pytest.mark.parametrize(("text", "said"), NOT_GENERATED.values(), ids=NOT_GENERATED)
def test_what_cannot_be_generated_is_told_from_memory_after_three_times(
    argo: Argo, text: str, said: str
) -> None:
    folder = argo.folder()
    if text:
        argo.commit_text(f"{folder}/one.yaml", text)
    name = argo.deploy(folder)
    fresh = f"{UNLOADED}rpc error: code = Unknown desc = {said.format(folder=folder)}"
    cached = fresh.replace("desc = ", "desc = Manifest generation error (cached): ")
    assert argo.condition(name) == fresh
    messages = [argo.refresh(name)["status"]["conditions"][0]["message"] for _ in range(4)]
    assert messages == [fresh, fresh, cached, cached]
    (condition,) = argo.refresh(name, "hard")["status"]["conditions"]
    assert condition["message"] == fresh


def test_another_commit_is_generated_whatever_failed_before(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit_text(f"{folder}/one.yaml", "{")
    name = argo.deploy(folder)
    argo.condition(name)
    for _ in range(3):
        argo.refresh(name)
    argo.condition(name, text="(cached)")
    argo.commit(f"{folder}/one.yaml", config_map("one"))
    argo.becomes(name, "OutOfSync")


# -- annotations ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["normal", "hard"])
def test_a_refresh_is_done_when_its_annotation_is_gone(argo: Argo, kind: str) -> None:
    before = argo.becomes(BOOTSTRAP_APPLICATION, "Synced")
    after = argo.refresh(BOOTSTRAP_APPLICATION, kind)
    assert REFRESH not in after["metadata"]["annotations"]
    assert after["status"]["reconciledAt"] >= before["status"]["reconciledAt"]
    assert after["status"]["sync"] == before["status"]["sync"]


def test_whoever_is_to_be_skipped_is_left_alone(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/one.yaml", config_map("one"))
    name = argo.deploy(folder)
    argo.becomes(name, "OutOfSync")
    argo.annotate(name, skip_reconcile="true", refresh="hard")
    argo.refresh(BOOTSTRAP_APPLICATION)
    assert REFRESH in argo.get(name)["metadata"]["annotations"]
    argo.annotate(name, skip_reconcile="false")
    eventually(lambda: REFRESH not in argo.get(name)["metadata"]["annotations"], "it was looked at")


# -- health -----------------------------------------------------------------------------------


def test_an_application_is_as_well_as_its_external_secrets(rebuilt: Platform) -> None:
    argo = Argo(rebuilt)

    def health() -> str | None:
        found: str | None = argo.get(BOOTSTRAP_APPLICATION).get("status", {}).get("health", {}).get("status")
        return found

    eventually(lambda: health() == "Degraded", "no seed is there")
    told = {one["name"]: one["health"] for one in argo.get(BOOTSTRAP_APPLICATION)["status"]["resources"]}
    assert told["ghcr-pull-sync"] == {
        "status": "Degraded",
        "message": "could not get secret data from provider",
    }
    rebuilt.trust()
    rebuilt.becomes_ready(EXTERNAL_SECRETS, "ghcr-pull-sync")
    eventually(lambda: health() == "Healthy", "all seeds are there")
