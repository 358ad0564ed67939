"""Syncs of Argo CD: in which order, how they end, and what follows from it."""

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from sandbox.kubernetes_resources import APPLICATIONS, CONFIG_MAPS, JOBS, NAMESPACES
from tests.sandbox.controllers.argo import Argo, config_map, job, message_of, results
from tests.sandbox.controllers.platform import Json
from tests.waiting import eventually

NEVER = "docker.io/nobody/nothing:1"
"""An image that cannot be pulled: a Job with it never ends."""
UNSUCCESSFUL = "one or more synchronization tasks completed unsuccessfully"


# -- order ------------------------------------------------------------------------------------


def test_phases_come_before_waves_and_waves_before_kinds_and_names(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(
        f"{folder}/all.yaml",
        job("after", hook="PostSync"),
        job("plain"),
        config_map("b"),
        config_map("a"),
        config_map("late", wave=1),
        config_map("early", wave=-1),
        job("second", hook="PreSync", sync_wave="1"),
        job("first", hook="PreSync"),
        job("comfort", hook="SyncFail"),
        job("never", hook="Skip"),
    )
    name = argo.deploy(folder)
    argo.sync(name)
    state = argo.ended(name)
    assert results(state) == [
        "PreSync Job first: Succeeded",
        "PreSync Job second: Succeeded",
        "Sync ConfigMap early: Succeeded",
        "Sync ConfigMap a: Succeeded",
        "Sync ConfigMap b: Succeeded",
        "Sync Job plain: Succeeded",
        "Sync ConfigMap late: Succeeded",
        "PostSync Job after: Succeeded",
    ]
    assert (state["phase"], state["message"]) == ("Succeeded", "successfully synced (no more tasks)")
    assert message_of(state, "first") == "Reached expected number of succeeded pods"
    assert message_of(state, "a") == "configmap/a created"


def test_each_step_waits_for_the_one_before(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("gate", image=NEVER, hook="PreSync"), config_map("behind"))
    name = argo.deploy(folder)
    argo.sync(name)
    argo.running(name, "waiting for completion of hook batch/Job/gate")
    assert argo.deployed(JOBS, name, "gate")
    assert argo.deployed(CONFIG_MAPS, name, "behind") is None


def test_a_wave_waits_until_what_it_brings_is_well(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("slow", image=NEVER), config_map("behind", wave=1))
    name = argo.deploy(folder)
    argo.sync(name)
    argo.running(name, "waiting for healthy state of batch/Job/slow")
    assert argo.deployed(CONFIG_MAPS, name, "behind") is None


def test_without_waves_and_hooks_a_sync_has_ended_when_all_is_applied(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("slow", image=NEVER), config_map("one"))
    name = argo.deploy(folder)
    argo.sync(name)
    state = argo.ended(name)
    assert (state["phase"], state["message"]) == ("Succeeded", "successfully synced (all tasks run)")
    found = argo.becomes(name, "Synced")["status"]
    assert found["health"]["status"] == "Progressing"
    assert found["history"][-1]["revision"] == state["syncResult"]["revision"] == found["sync"]["revision"]


# -- failure ----------------------------------------------------------------------------------


def test_a_hook_that_fails_ends_the_sync_before_anything_is_applied(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(
        f"{folder}/all.yaml",
        job("gate", code=1, hook="PreSync"),
        job("comfort", hook="SyncFail"),
        config_map("behind"),
    )
    name = argo.deploy(folder)
    argo.sync(name)
    state = argo.ended(name)
    assert (state["phase"], state["message"]) == ("Failed", UNSUCCESSFUL)
    assert results(state) == ["PreSync Job gate: Failed", "SyncFail Job comfort: Succeeded"]
    assert message_of(state, "gate") == "Job has reached the specified backoff limit"
    assert argo.deployed(CONFIG_MAPS, name, "behind") is None
    assert "history" not in argo.get(name)["status"]


def test_a_job_that_fails_is_a_degraded_part_of_its_application(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("broken", code=1), config_map("behind", wave=1))
    name = argo.deploy(folder)
    argo.sync(name)
    assert argo.ended(name)["message"] == UNSUCCESSFUL
    eventually(lambda: argo.get(name)["status"]["health"]["status"] == "Degraded", "it is Degraded")
    (told,) = [one for one in argo.get(name)["status"]["resources"] if one["name"] == "broken"]
    assert told["health"]["message"] == "Job has reached the specified backoff limit"


def test_what_the_api_server_refuses_is_the_reason(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", config_map("one"))
    name = argo.deploy(folder)
    argo.sync(name, options=())
    state = argo.ended(name)
    assert state["phase"] == "Failed"
    assert state["message"] == (f'one or more objects failed to apply, reason: namespaces "{name}" not found')
    assert state["syncResult"]["resources"][0]["status"] == "SyncFailed"
    assert argo.deployed(NAMESPACES, "", name) is None, "the operation did not ask for it"
    argo.sync(name, options=("CreateNamespace=true",))
    assert argo.ended(name)["phase"] == "Succeeded"


def test_a_job_cannot_be_changed(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("once"))
    name = argo.deploy(folder)
    argo.sync(name)
    argo.ended(name)
    argo.commit(f"{folder}/all.yaml", job("once", code=1))
    argo.sync(name)
    state = argo.ended(name)
    assert state["message"].startswith("one or more objects failed to apply, reason: ")
    assert state["message"].endswith("field is immutable")


def test_a_kind_that_is_not_served_is_no_task(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", {**config_map("one"), "apiVersion": "example.org/v1", "kind": "Odd"})
    name = argo.deploy(folder)
    argo.sync(name)
    state = argo.ended(name)
    assert state["message"] == "one or more synchronization tasks are not valid"
    assert message_of(state, "one").startswith("The Kubernetes API could not find example.org/Odd for ")


def test_nothing_can_be_synced_that_cannot_be_rendered(argo: Argo) -> None:
    name = argo.deploy(argo.folder())
    said = argo.condition(name)
    argo.sync(name)
    state = argo.ended(name)
    assert (state["phase"], state["message"]) == ("Error", f"ComparisonError: {said}")


def test_a_sync_that_failed_is_tried_as_often_as_it_may(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("gate", code=1, hook="PreSync"))
    name = argo.deploy(folder)
    argo.sync(name, retries=2)
    state = argo.ended(name)
    assert (state["phase"], state["retryCount"]) == ("Failed", 2)
    assert state["message"] == f"{UNSUCCESSFUL} (retried 2 times)."


def test_between_two_tries_it_says_so(argo: Argo) -> None:
    folder = argo.folder()
    argo.platform.world.control.turn(argo_retry_seconds=3600)
    argo.commit(f"{folder}/all.yaml", job("gate", code=1, hook="PreSync"))
    name = argo.deploy(folder)
    argo.sync(name, retries=1)
    state = argo.running(name, f"{UNSUCCESSFUL}. Retrying attempt #1 at ")
    assert state["retryCount"] == 1


# -- hooks that are done ----------------------------------------------------------------------

POLICIES = {
    "by default a hook stays until it is run again": ({}, 0, True),
    "one that is to go when it succeeded, goes": ({"hook_delete_policy": "HookSucceeded"}, 0, False),
    "one that is to go when it succeeded, stays when it failed": (
        {"hook_delete_policy": "HookSucceeded"},
        1,
        True,
    ),
    "one that is to go when it failed, goes": ({"hook_delete_policy": "HookFailed"}, 1, False),
    "one that is to go either way, goes": ({"hook_delete_policy": "HookSucceeded,HookFailed"}, 1, False),
}


@pytest.mark.parametrize(("policy", "code", "stays"), POLICIES.values(), ids=POLICIES)
def test_what_becomes_of_a_hook(argo: Argo, policy: dict[str, str], code: int, stays: bool) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("gate", code=code, hook="PreSync", **policy))
    name = argo.deploy(folder)
    argo.sync(name)
    argo.ended(name)
    assert (argo.deployed(JOBS, name, "gate") is not None) == stays


def test_a_hook_is_made_anew_at_each_sync(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("gate", hook="PreSync"))
    name = argo.deploy(folder)
    made = []
    for _ in range(2):
        argo.sync(name)
        argo.ended(name)
        held = argo.deployed(JOBS, name, "gate")
        assert held is not None
        made.append(held["metadata"]["uid"])
    assert len(set(made)) == 2


def test_hooks_are_no_state(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("gate", code=1, hook="PreSync"))
    name = argo.deploy(folder)
    argo.sync(name)
    argo.ended(name)
    found = argo.refresh(name)["status"]
    assert found["resources"] == []
    assert (found["sync"]["status"], found["health"]["status"]) == ("Synced", "Healthy")


# -- termination ------------------------------------------------------------------------------


def terminate(argo: Argo, name: str) -> None:
    def mark(held: Json) -> None:
        held["status"]["operationState"]["phase"] = "Terminating"

    argo.change(name, mark)


def test_an_operation_is_terminated_with_its_hooks(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("gate", image=NEVER, hook="PreSync"), config_map("behind"))
    name = argo.deploy(folder)
    argo.sync(name)
    argo.running(name, "waiting for completion of hook")
    terminate(argo, name)
    state = argo.ended(name)
    assert (state["phase"], state["message"]) == ("Failed", "Operation terminated")
    assert results(state) == ["PreSync Job gate: Failed"]
    assert argo.deployed(JOBS, name, "gate") is None
    assert argo.deployed(CONFIG_MAPS, name, "behind") is None


def test_an_application_that_is_deleted_takes_its_operation_along(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("gate", image=NEVER, hook="PreSync"))
    name = argo.deploy(folder)
    argo.sync(name)
    argo.running(name, "waiting")
    argo.platform.here(lambda: argo.platform.objects.delete(APPLICATIONS, "argocd", name))
    argo.made.remove(name)
    (controller,) = argo.platform.cloud._controllers._applications.values()
    eventually(lambda: ("argocd", name) not in controller._running, "nothing of it runs")


# -- through the API --------------------------------------------------------------------------


def test_one_patch_begins_a_sync_and_one_ends_it(argo: Argo) -> None:
    """There is no subresource `status`: whoever may patch an Application does both."""
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("gate", image=NEVER, hook="PreSync"))
    name = argo.deploy(folder)
    argo.becomes(name, "Synced")
    argo.sync(name, options=())
    argo.ended(name)
    api = client.CustomObjectsApi(argo.platform.world.core().api_client)

    def patch(body: Json) -> None:
        api.patch_namespaced_custom_object("argoproj.io", "v1alpha1", "argocd", "applications", name, body)

    version = argo.get(name)["metadata"]["resourceVersion"]
    operation = {"sync": {"syncOptions": ["CreateNamespace=true"]}}
    begin: Json = {"operation": operation, "status": {"operationState": None}}
    patch({**begin, "metadata": {"resourceVersion": version}})
    assert argo.running(name, "waiting for completion of hook")["operation"] == operation
    with pytest.raises(ApiException) as refused:
        patch({**begin, "metadata": {"resourceVersion": version}})
    assert refused.value.status == 409, "somebody was quicker"
    patch({"status": {"operationState": {"phase": "Terminating"}}})
    assert argo.ended(name)["message"] == "Operation terminated"


# -- automated sync ---------------------------------------------------------------------------


def test_what_is_out_of_sync_is_synced_with_the_options_of_its_policy(argo: Argo) -> None:
    folder = argo.folder()
    commit = argo.commit(f"{folder}/all.yaml", config_map("one"))
    name = argo.deploy(folder, automated=True)
    state = argo.ended(name)
    assert state["operation"] == {
        "initiatedBy": {"automated": True},
        "retry": {"limit": 0},
        "sync": {"revision": commit, "syncOptions": ["CreateNamespace=true"]},
    }
    assert argo.becomes(name, "Synced")["status"]["health"]["status"] == "Healthy"


def test_a_commit_whose_sync_failed_is_left_alone_until_another_comes(argo: Argo) -> None:
    folder = argo.folder()
    commit = argo.commit(f"{folder}/all.yaml", job("gate", code=1, hook="PreSync"), config_map("one"))
    name = argo.deploy(folder, automated=True)
    first = argo.ended(name)
    argo.refresh(name, "hard")
    assert argo.condition(name, "SyncError") == f"Failed last sync attempt to [{commit}]: {UNSUCCESSFUL}"
    assert argo.ended(name) == first
    argo.commit(f"{folder}/all.yaml", job("gate", hook="PreSync"), config_map("one"))
    found = argo.becomes(name, "Synced")["status"]
    assert found["conditions"] == []
    assert found["operationState"]["phase"] == "Succeeded"


def test_an_operation_that_was_asked_for_tries_a_failed_commit_again(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", job("gate", code=1, hook="PreSync"), config_map("one"))
    name = argo.deploy(folder, automated=True)
    argo.condition(name, "SyncError")
    held = argo.deployed(JOBS, name, "gate")
    argo.sync(name)
    argo.ended(name)
    again = argo.deployed(JOBS, name, "gate")
    assert held
    assert again
    assert held["metadata"]["uid"] != again["metadata"]["uid"]


def test_what_somebody_changed_by_hand_stays(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", config_map("one"))
    name = argo.deploy(folder, automated=True)
    argo.becomes(name, "Synced")

    def change() -> None:
        held = argo.platform.objects.get(CONFIG_MAPS, name, "one")
        assert held is not None
        argo.platform.objects.replace(CONFIG_MAPS, {**held, "data": {"key": "by hand"}})

    argo.platform.here(change)
    argo.becomes(name, "OutOfSync")
    argo.refresh(name)
    held = argo.deployed(CONFIG_MAPS, name, "one")
    assert held
    assert held["data"] == {"key": "by hand"}


def test_an_application_of_several_sources_is_left_alone_and_the_others_are_not(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", config_map("one"))
    several = argo.deploy(argo.folder(), automated=True)
    argo.change(several, lambda held: held.update(spec={"sources": [held["spec"]["source"]]}, status={}))
    argo.annotate(several, refresh="hard")
    name = argo.deploy(folder, automated=True)
    argo.becomes(name, "Synced")
    assert argo.get(several)["status"] == {}


def test_nothing_is_synced_whose_state_is_unknown(argo: Argo) -> None:
    folder = argo.folder()
    argo.commit(f"{folder}/all.yaml", config_map("one"))
    argo.platform.world.control.break_submodule()
    name = argo.deploy(folder, automated=True)
    argo.becomes(name, "Unknown")
    argo.refresh(name)
    assert "operationState" not in argo.get(name)["status"]
    assert "operation" not in argo.get(name)
