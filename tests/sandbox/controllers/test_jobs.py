"""CronJobs, Jobs and pods, as kubectl shows them."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.kubernetes_resources import CRON_JOBS, EVENTS, JOBS, PODS, SECRETS, Resource
from tests.sandbox.clients import BOOTSTRAP
from tests.sandbox.controllers.platform import (
    Platform,
    conditions,
    hold_schedule,
    of_schedule,
    running,
)
from tests.waiting import eventually

type Json = dict[str, Any]

TOKEN_PATH = "/oauth2/v2.0/token$"


def hang(platform: Platform, seconds: float = 1.5) -> None:
    """Let every run take longer than a minute of the sandbox."""
    platform.world.control.inject(TOKEN_PATH, service="entra", delay=seconds, count=None)


def by_hand(platform: Platform, name: str, change: Callable[[Json], Any] = str) -> None:
    """Make a Job of the CronJob's template, as `kubectl create job --from` does, with a change."""
    cron_job = platform.cron_job()
    spec = cron_job["spec"]["jobTemplate"]["spec"]
    change(spec)
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": BOOTSTRAP,
        "uid": cron_job["metadata"]["uid"],
        "controller": True,
    }
    metadata = {"name": name, "namespace": "ameide-dev", "ownerReferences": [owner]}
    platform.here(lambda: platform.objects.create(JOBS, {"metadata": metadata, "spec": spec}))


def pods_of(platform: Platform, job: str) -> list[Json]:
    return [pod for pod in platform.all(PODS) if pod["metadata"]["labels"].get("job-name") == job]


def ended(platform: Platform, name: str) -> Json:
    def look() -> Json | None:
        job = platform.get(JOBS, name)
        return job if job and {"Complete", "Failed"} & conditions(job).keys() else None

    return eventually(look, f"Job {name} has ended")


@pytest.fixture
def quiet(healthy: Platform) -> Platform:
    """Healthy, and no schedule makes a Job any more."""
    hold_schedule(healthy)
    return healthy


# -- CronJobs ---------------------------------------------------------------------------------


def test_the_cron_job_tells_when_it_ran_and_when_it_succeeded(healthy: Platform) -> None:
    eventually(healthy.succeeded, "the CronJob has succeeded")
    found = healthy.cron_job()
    made, status = found["metadata"]["creationTimestamp"], found["status"]
    assert min(status["lastScheduleTime"], status["lastSuccessfulTime"]) >= made > ""


def test_forbid_lets_the_run_before_end(rebuilt: Platform) -> None:
    hang(rebuilt)
    rebuilt.hears(BOOTSTRAP, "prior execution is running and concurrency policy is Forbid")
    (job,) = running(rebuilt, "dev")
    assert rebuilt.cron_job()["status"]["active"][0]["name"] == job
    eventually(lambda: job not in running(rebuilt, "dev"), "it ends by itself")
    assert conditions(ended(rebuilt, job))["Failed"] == "BackoffLimitExceeded"


def test_replace_kills_the_run_before(rebuilt: Platform) -> None:
    hang(rebuilt)
    (first,) = eventually(lambda: running(rebuilt, "prod"), "a Job runs")
    rebuilt.hears(BOOTSTRAP, f"Deleted job {first}", "prod")
    (second,) = eventually(lambda: running(rebuilt, "prod"), "another one runs")
    assert second != first
    pods = rebuilt.all(PODS, "prod")
    assert not [pod for pod in pods if pod["metadata"]["labels"].get("job-name") == first]
    assert len(of_schedule(rebuilt, "prod")) == 1, "what never ends leaves no history"
    assert any("Stopping container" in one for one in said_of_pods(rebuilt, first))


def said_of_pods(platform: Platform, job: str) -> list[str]:
    events = eventually(
        lambda: [one for one in platform.all(EVENTS, "prod") if one["reason"] == "Killing"], "a kill is told"
    )
    return [one["message"] for one in events if one["involvedObject"]["name"].startswith(job)]


def test_a_suspended_cron_job_makes_no_job(healthy: Platform) -> None:
    healthy.change(CRON_JOBS, BOOTSTRAP, lambda held: held["spec"].update(suspend=True))
    eventually(lambda: not running(healthy, "dev"), "no Job runs")
    before = (
        healthy.cron_job()["status"]["lastScheduleTime"],
        [job["metadata"]["name"] for job in of_schedule(healthy)],
    )
    strikes = len(healthy.said_of(BOOTSTRAP, "prod"))
    eventually(lambda: len(healthy.said_of(BOOTSTRAP, "prod")) > strikes + 6, "prod goes on")
    after = (
        healthy.cron_job()["status"]["lastScheduleTime"],
        [job["metadata"]["name"] for job in of_schedule(healthy)],
    )
    assert after == before


def test_history_is_kept_as_short_as_it_says(healthy: Platform) -> None:
    def count() -> int:
        return sum("Deleted job" in one for one in healthy.said_of(BOOTSTRAP))

    eventually(lambda: count() > 3, "old Jobs are deleted")
    kinds = [
        kind for job in of_schedule(healthy) for kind in conditions(job) if kind in ("Complete", "Failed")
    ]
    assert kinds.count("Complete") <= 2
    assert kinds.count("Failed") <= 2


# -- Jobs -------------------------------------------------------------------------------------


def test_a_job_made_by_hand_runs_too_and_counts_for_its_cron_job(rebuilt: Platform) -> None:
    rebuilt.cron_job()
    # One of the schedule that ran beside it would seed the same keys.
    hold_schedule(rebuilt)
    rebuilt.trust()
    by_hand(rebuilt, "once")
    job = ended(rebuilt, "once")
    assert set(conditions(job)) == {"SuccessCriteriaMet", "Complete"}
    assert job["status"]["succeeded"] == 1
    assert job["status"]["startTime"] <= job["status"]["completionTime"]
    eventually(rebuilt.succeeded, "the CronJob tells of it")
    assert rebuilt.cron_job()["status"]["lastSuccessfulTime"] >= job["status"]["completionTime"]


def test_its_pod_is_found_by_label_and_shows_each_container(quiet: Platform) -> None:
    by_hand(quiet, "once")
    ended(quiet, "once")
    (pod,) = pods_of(quiet, "once")
    assert pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "once"
    assert pod["metadata"]["ownerReferences"][0]["name"] == "once"
    assert pod["status"]["phase"] == "Succeeded"
    statuses = [*pod["status"]["initContainerStatuses"], *pod["status"]["containerStatuses"]]
    assert [one["name"] for one in statuses] == ["kubectl", "bootstrap"]
    assert [one["state"]["terminated"]["exitCode"] for one in statuses] == [0, 0]


def test_a_job_that_is_deleted_takes_its_pod_along(quiet: Platform) -> None:
    by_hand(quiet, "once")
    ended(quiet, "once")
    quiet.here(lambda: quiet.objects.delete(JOBS, "ameide-dev", "once"))
    assert not pods_of(quiet, "once")


def test_a_job_goes_when_its_time_after_the_end_is_over(quiet: Platform) -> None:
    by_hand(quiet, "once", lambda spec: spec.update(ttlSecondsAfterFinished=0))
    eventually(lambda: any("Created pod: once" in one for one in quiet.said_of("once")), "it has run")
    eventually(lambda: quiet.get(JOBS, "once") is None, "it is gone")


def test_a_job_tries_as_often_as_it_may(quiet: Platform) -> None:
    def hopeless(spec: Json) -> None:
        spec["backoffLimit"] = 2
        spec["template"]["spec"]["containers"][0]["env"].append(
            {"name": "REQUIRED_SECRETS", "value": "no-such-secret"}
        )

    by_hand(quiet, "thrice", hopeless)
    job = ended(quiet, "thrice")
    assert conditions(job)["Failed"] == "BackoffLimitExceeded"
    assert job["status"]["failed"] == 3
    assert len(pods_of(quiet, "thrice")) == 3


def test_a_job_that_takes_longer_than_it_may_fails_and_its_pod_goes(quiet: Platform) -> None:
    hang(quiet, 2)
    by_hand(quiet, "slow", lambda spec: spec.update(activeDeadlineSeconds=0.2, backoffLimit=2))
    job = ended(quiet, "slow")
    assert conditions(job) == {"FailureTarget": "DeadlineExceeded", "Failed": "DeadlineExceeded"}
    assert job["status"]["conditions"][1]["message"] == "Job was active longer than specified deadline"
    assert not pods_of(quiet, "slow")


SECRET = {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "later", "key": "text"}}}
NEEDING: dict[str, tuple[Callable[[Json], Any], Resource, Json, str]] = {
    "a Secret": (
        lambda pod: pod["containers"][0].setdefault("env", []).append(SECRET),
        SECRETS,
        {"data": {"text": "eA=="}},
        'secret "later" not found',
    ),
    "a key of a Secret": (
        lambda pod: pod["containers"][0]["env"].append(
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "vault-auto-credentials", "key": "none"}}}
        ),
        SECRETS,
        {"metadata": {"name": "vault-auto-credentials"}, "data": {"none": "eA=="}},
        "couldn't find key none in Secret ameide-dev/vault-auto-credentials",
    ),
}


@pytest.mark.parametrize(("need", "resource", "given", "said"), NEEDING.values(), ids=NEEDING)
def test_a_container_waits_for_what_it_is_made_of(
    quiet: Platform, need: Callable[[Json], Any], resource: Resource, given: Json, said: str
) -> None:
    by_hand(quiet, "waiting", lambda spec: need(spec["template"]["spec"]))

    def waits() -> bool:
        pods = [pod["status"] for pod in pods_of(quiet, "waiting")]
        kinds = ("initContainerStatuses", "containerStatuses")
        states = [one["state"] for status in pods for kind in kinds for one in status.get(kind, ())]
        return {"reason": "CreateContainerConfigError", "message": said} in [
            state.get("waiting") for state in states
        ]

    eventually(waits, "it waits")
    (pod,) = pods_of(quiet, "waiting")
    quiet.hears(pod["metadata"]["name"], f"Error: {said}")
    metadata = {"namespace": "ameide-dev", "name": "later", **given.get("metadata", {})}

    def give() -> None:
        held = quiet.objects.get(resource, "ameide-dev", metadata["name"])
        if held is None:
            quiet.objects.create(resource, {**given, "metadata": metadata})
        else:
            quiet.objects.replace(resource, {**held, "data": {**held["data"], **given["data"]}})

    quiet.here(give)
    assert "Complete" in conditions(ended(quiet, "waiting"))


@pytest.mark.parametrize("part", ["initContainers", "containers"])
def test_an_image_that_nobody_has_cannot_be_pulled(quiet: Platform, part: str) -> None:
    by_hand(
        quiet,
        "pulling",
        lambda spec: spec["template"]["spec"][part][0].update(image="docker.io/nobody/nothing:1"),
    )

    kind = "initContainerStatuses" if part == "initContainers" else "containerStatuses"

    def waits() -> bool:
        pods = [pod["status"] for pod in pods_of(quiet, "pulling")]
        states = [one["state"] for status in pods for one in status.get(kind, [])]
        return any(state.get("waiting", {}).get("reason") == "ImagePullBackOff" for state in states)

    eventually(waits, "the image is not there")
    (pod,) = pods_of(quiet, "pulling")
    assert pod["status"]["phase"] == "Pending"
    assert not conditions(quiet.get(JOBS, "pulling") or {}), "it waits, and has not failed"
    quiet.hears(pod["metadata"]["name"], "Failed to pull image")


def test_without_its_service_account_a_job_gets_no_pod(quiet: Platform) -> None:
    by_hand(quiet, "nobodys", lambda spec: spec["template"]["spec"].update(serviceAccountName="nobody"))
    quiet.hears("nobodys", 'serviceaccount "nobody" not found')
    assert not pods_of(quiet, "nobodys")


def test_a_pod_without_the_label_gets_no_token_for_entra(quiet: Platform) -> None:
    by_hand(quiet, "bare", lambda spec: spec["template"]["metadata"]["labels"].clear())
    assert "Failed" in conditions(ended(quiet, "bare"))
    quiet.log("missing AZURE_FEDERATED_TOKEN_FILE")


def test_without_the_right_to_its_secret_the_init_container_says_so(quiet: Platform) -> None:
    by_hand(quiet, "stranger", lambda spec: spec["template"]["spec"].update(serviceAccountName="default"))
    assert "Failed" in conditions(ended(quiet, "stranger"))
    log = quiet.log("Error from server (Forbidden)")
    assert 'secrets "vault-auto-credentials" is forbidden' in log
    (pod,) = pods_of(quiet, "stranger")
    assert "waiting" in pod["status"]["containerStatuses"][0]["state"]
