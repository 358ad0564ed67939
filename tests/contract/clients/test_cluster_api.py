"""What is read and written in a cluster on the way to Ready secrets: requests as they go over the wire."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.clients.cluster_api import FORCE_SYNC, ClusterApi, CronJob, Job, JobState, Kind
from shared.clients.managed_clusters import ApiServer
from shared.errors import NotWritten, PermanentError, TemporaryError
from shared.model import Absent, Known, Unknown
from tests.contract.clients import api_server
from tests.contract.clients.api_server import Answers, Credential, status

BATCH = "/apis/batch/v1/namespaces/dev"
CRON_JOB = f"{BATCH}/cronjobs/bootstrap"
JOBS = f"{BATCH}/jobs"
PODS = "/api/v1/namespaces/dev/pods"
V1 = "/apis/external-secrets.io/v1/namespaces/dev"
BETA = "/apis/external-secrets.io/v1beta1/namespaces/dev"
SECRET = "the value that nobody may see"


@pytest.fixture
def api() -> ClusterApi:
    return ClusterApi(Credential())


def cron_job(**spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "bootstrap", "uid": "uid-1", "creationTimestamp": "2026-03-02T10:00:00Z"},
        "spec": {
            "schedule": "*/1 * * * *",
            "jobTemplate": {
                "metadata": {"labels": {"app": "bootstrap"}, "annotations": {"team": "platform"}},
                "spec": {"backoffLimit": 0, "template": {"spec": {"future": {"field": 1}}}},
            },
            **spec,
        },
        "status": {"lastSuccessfulTime": "2026-03-02T10:05:00Z"},
    }


def job(name: str, created: str, *conditions: str, owner: str = "uid-1", **done: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "creationTimestamp": created, "ownerReferences": [{"uid": owner}]},
        "status": {"conditions": [{"type": one, "status": "True"} for one in conditions], **done},
    }


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# -- the bootstrap ----------------------------------------------------------------------------------


def test_a_cron_job_is_read_as_the_app_s_identity(api: ClusterApi, server: Answers) -> None:
    server.on("GET", CRON_JOB, cron_job(suspend=True, timeZone="Europe/Berlin"))
    assert api.cron_job(server.at, "dev", "bootstrap") == Known(
        CronJob(
            uid="uid-1",
            schedule="*/1 * * * *",
            time_zone="Europe/Berlin",
            suspended=True,
            created=at("2026-03-02T10:00"),
            last_success=at("2026-03-02T10:05"),
        )
    )
    assert [one.headers["authorization"] for one in server.asked] == ["Bearer entra-token"]


@pytest.mark.parametrize(("policy", "replaces"), [("Replace", True), ("Forbid", False), ("Allow", False)])
def test_a_cron_job_whose_runs_end_each_other_says_so(
    api: ClusterApi, server: Answers, policy: str, replaces: bool
) -> None:
    server.on("GET", CRON_JOB, cron_job(concurrencyPolicy=policy))
    found = api.cron_job(server.at, "dev", "bootstrap")
    assert isinstance(found, Known)
    assert found.value.replaces is replaces


def test_a_cron_job_that_is_not_there_is_absent(api: ClusterApi, server: Answers) -> None:
    server.on("GET", CRON_JOB, status(404, "NotFound"), 404)
    assert api.cron_job(server.at, "dev", "bootstrap") == Absent()


UNREADABLE: dict[str, tuple[int, Any, str]] = {
    "a role that is missing": (403, status(403, "Forbidden"), "grant the app's identity get on cronjobs"),
    "a cluster that takes no Entra tokens": (401, status(401, "Unauthorized"), "enable Entra integration"),
    "an API server that is down": (503, "upstream " + SECRET, "answered 503"),
    "something that is no API server": (200, f"<html>{SECRET}</html>", "no JSON"),
    "a body of another shape": (200, {"items": SECRET}, "has not the promised shape"),
}


@pytest.mark.parametrize(("code", "body", "says"), UNREADABLE.values(), ids=UNREADABLE)
def test_is_unknown(api: ClusterApi, server: Answers, code: int, body: Any, says: str) -> None:
    server.on("GET", CRON_JOB, body, code)
    found = api.cron_job(server.at, "dev", "bootstrap")
    assert isinstance(found, Unknown)
    assert says in found.why
    assert SECRET not in found.why


def test_an_api_server_that_cannot_be_reached_is_unknown_and_says_what_a_private_one_needs(
    api: ClusterApi, server: Answers
) -> None:
    found = api.cron_job(ApiServer("https://127.0.0.1:1", server.at.ca_pem), "dev", "bootstrap")
    assert isinstance(found, Unknown)
    assert "could not be reached" in found.why
    assert "private cluster" in found.why


def test_a_certificate_of_another_ca_gets_no_token(api: ClusterApi, server: Answers) -> None:
    with api_server.running() as other:
        found = api.cron_job(ApiServer(server.at.server, other.at.ca_pem), "dev", "bootstrap")
    assert isinstance(found, Unknown)
    assert "certificate" in found.why
    assert server.asked == []


def test_the_cron_job_s_own_jobs_are_told_newest_first(api: ClusterApi, server: Answers) -> None:
    items = [
        job(
            "one",
            "2026-03-02T10:01:00Z",
            "SuccessCriteriaMet",
            "Complete",
            completionTime="2026-03-02T10:01:09Z",
        ),
        job("two", "2026-03-02T10:02:00Z", "FailureTarget", "Failed"),
        job("three", "2026-03-02T10:03:00Z"),
        job("other", "2026-03-02T10:04:00Z", owner="uid-2"),
    ]
    server.on("GET", JOBS, {"items": items})
    found = api.jobs(server.at, "dev", "uid-1")
    assert isinstance(found, Known)
    assert [(one.name, one.state) for one in found.value] == [
        ("three", JobState.ACTIVE),
        ("two", JobState.FAILED),
        ("one", JobState.COMPLETE),
    ]
    assert found.value[2] == Job(
        name="one",
        state=JobState.COMPLETE,
        created=at("2026-03-02T10:01"),
        completed=at("2026-03-02T10:01:09"),
    )


def pod(name: str, created: str, **containers: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "creationTimestamp": created},
        "status": {
            "initContainerStatuses": [{"name": "kubectl", "state": {containers["kubectl"]: {}}}],
            "containerStatuses": [{"name": "bootstrap", "state": {containers["bootstrap"]: {}}}],
        },
    }


LOGS = {
    "of the last container that began": ("terminated", "terminated", "bootstrap"),
    "of the first one, where it is stuck": ("running", "waiting", "kubectl"),
}


@pytest.mark.parametrize(("first", "last", "container"), LOGS.values(), ids=LOGS)
def test_the_end_of_the_newest_pod_s_log_is_read(
    api: ClusterApi, server: Answers, first: str, last: str, container: str
) -> None:
    old = pod("old", "2026-03-02T10:01:00Z", kubectl="terminated", bootstrap="terminated")
    new = pod("new", "2026-03-02T10:02:00Z", kubectl=first, bootstrap=last)
    server.on("GET", PODS, {"items": [new, old]})
    server.on("GET", f"{PODS}/new/log", "AADSTS700211\nbye\n")
    assert api.log(server.at, "dev", "job-1") == Known("AADSTS700211\nbye\n")
    pods, log = server.asked
    assert pods.query == {"labelSelector": "job-name=job-1"}
    assert log.query == {"container": container, "tailLines": "200", "limitBytes": "65536"}


@pytest.mark.parametrize(
    "items", [[], [pod("new", "2026-03-02T10:02:00Z", kubectl="waiting", bootstrap="waiting")]]
)
def test_a_log_that_nobody_wrote_yet_is_absent(api: ClusterApi, server: Answers, items: list[Any]) -> None:
    server.on("GET", PODS, {"items": items})
    assert api.log(server.at, "dev", "job-1") == Absent()


def start(api: ClusterApi, server: Answers, uid: str = "uid-1") -> None:
    api.start(server.at, "dev", "bootstrap", uid=uid, name="bootstrap-abc")


def test_a_job_is_made_as_kubectl_makes_it(api: ClusterApi, server: Answers) -> None:
    server.on("GET", CRON_JOB, cron_job())
    server.on("POST", JOBS, {}, 201)
    start(api, server)
    assert server.asked[1].body == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "bootstrap-abc",
            "annotations": {"team": "platform", "cronjob.kubernetes.io/instantiate": "manual"},
            "labels": {"app": "bootstrap"},
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "CronJob",
                    "name": "bootstrap",
                    "uid": "uid-1",
                    "controller": True,
                }
            ],
        },
        "spec": {"backoffLimit": 0, "template": {"spec": {"future": {"field": 1}}}},
    }


def test_a_job_that_is_there_already_was_started(api: ClusterApi, server: Answers) -> None:
    server.on("GET", CRON_JOB, cron_job())
    server.on("POST", JOBS, status(409, "AlreadyExists"), 409)
    start(api, server)
    assert [one.method for one in server.asked] == ["GET", "POST"]


def test_another_cron_job_of_that_name_is_not_started(api: ClusterApi, server: Answers) -> None:
    server.on("GET", CRON_JOB, cron_job())
    with pytest.raises(TemporaryError, match="made anew"):
        start(api, server, uid="uid-0")
    assert [one.method for one in server.asked] == ["GET"]


NO_CRON_JOB: dict[str, tuple[int, Any]] = {
    "nothing": (200, None),
    "a list": (200, [SECRET]),
    "one without metadata": (200, {"metadata": None}),
    "one whose name is missing": (200, {**cron_job(), "metadata": {"uid": "uid-1"}}),
    "one without a template": (200, cron_job(jobTemplate=None)),
    "no JSON": (200, SECRET),
    "an API server that is down": (503, SECRET),
}


@pytest.mark.parametrize(("code", "body"), NO_CRON_JOB.values(), ids=NO_CRON_JOB)
def test_nothing_is_started_of_a_cron_job_that_was_not_read(
    api: ClusterApi, server: Answers, code: int, body: Any
) -> None:
    server.on("GET", CRON_JOB, body, code)
    with pytest.raises(NotWritten) as unread:
        start(api, server)
    assert [one.method for one in server.asked] == ["GET"]
    assert SECRET not in str(unread.value)


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [
        (403, "Forbidden", TemporaryError),
        # As a namespace says that is being deleted: nothing was started.
        (409, "Conflict", TemporaryError),
        (422, "Invalid", PermanentError),
    ],
)
def test_a_start_that_is_refused_says_so(
    api: ClusterApi, server: Answers, code: int, reason: str, error: type[Exception]
) -> None:
    server.on("GET", CRON_JOB, cron_job())
    server.on("POST", JOBS, status(code, reason), code)
    with pytest.raises(error, match=reason):
        start(api, server)


# -- what rests on the seeds ------------------------------------------------------------------------


def external_secret(ready: str, reason: str) -> dict[str, Any]:
    condition = {
        "type": "Ready",
        "status": ready,
        "reason": reason,
        "message": SECRET,
        "lastTransitionTime": "2026-03-02T10:00:00Z",
    }
    return {"metadata": {"name": "pull", "uid": "u"}, "status": {"conditions": [condition]}}


READY = {
    "synced": (external_secret("True", "SecretSynced"), True, "SecretSynced"),
    "in error": (external_secret("False", "SecretSyncedError"), False, "SecretSyncedError"),
    "of a reason that is none": (external_secret("False", SECRET), False, ""),
    "that nobody has looked at": ({"metadata": {"name": "pull", "uid": "u"}}, False, ""),
}


@pytest.mark.parametrize(("item", "ready", "reason"), READY.values(), ids=READY)
def test_an_external_secret(
    api: ClusterApi, server: Answers, item: dict[str, Any], ready: bool, reason: str
) -> None:
    server.on("GET", f"{V1}/externalsecrets", {"items": [item]})
    found = api.synced(server.at, "dev", Kind.EXTERNAL_SECRET)
    assert isinstance(found, Known)
    assert [(one.name, one.ready, one.reason) for one in found.value] == [("pull", ready, reason)]
    assert SECRET not in repr(found)


READS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "one store": ({"secretStoreRef": {"kind": "SecretStore", "name": "ameide-vault"}}, {"ameide-vault"}),
    "a store by the usual kind": ({"secretStoreRef": {"name": "ameide-vault"}}, {"ameide-vault"}),
    "a store of the whole cluster": ({"secretStoreRef": {"kind": "ClusterSecretStore", "name": "v"}}, set()),
    "one store for each value": (
        {
            "data": [{"sourceRef": {"storeRef": {"name": "one"}}}, {"secretKey": "none"}],
            "dataFrom": [{"sourceRef": {"storeRef": {"name": "two"}}}],
        },
        {"one", "two"},
    ),
    "none": ({}, set()),
}


@pytest.mark.parametrize(("spec", "stores"), READS.values(), ids=READS)
def test_an_external_secret_reads_through(
    api: ClusterApi, server: Answers, spec: dict[str, Any], stores: set[str]
) -> None:
    item = {**external_secret("True", "SecretSynced"), "spec": spec}
    server.on("GET", f"{V1}/externalsecrets", {"items": [item]})
    found = api.synced(server.at, "dev", Kind.EXTERNAL_SECRET)
    assert isinstance(found, Known)
    assert found.value[0].reads == stores


def test_the_older_version_is_asked_for_once_and_remembered(api: ClusterApi, server: Answers) -> None:
    server.on("GET", f"{BETA}/secretstores", {"items": []})
    server.on("PATCH", f"{BETA}/secretstores/store", {})
    api.synced(server.at, "dev", Kind.STORE)
    api.synced(server.at, "dev", Kind.STORE)
    api.refresh(server.at, "dev", Kind.STORE, "store", "mark")
    assert [one.path.split("/")[3] for one in server.asked] == ["v1", "v1beta1", "v1beta1", "v1beta1"]


def test_a_cluster_that_was_upgraded_is_asked_for_the_newer_one(api: ClusterApi, server: Answers) -> None:
    server.on("GET", f"{BETA}/secretstores", {"items": []})
    api.synced(server.at, "dev", Kind.STORE)
    server.answers.clear()
    server.on("GET", f"{V1}/secretstores", {"items": []})
    assert api.synced(server.at, "dev", Kind.STORE) == Known(())


def test_a_kind_that_the_cluster_does_not_serve_is_absent(api: ClusterApi, server: Answers) -> None:
    assert api.synced(server.at, "dev", Kind.STORE) == Absent()


def test_a_refresh_sets_one_annotation_and_nothing_else(api: ClusterApi, server: Answers) -> None:
    server.on("PATCH", f"{V1}/externalsecrets/pull", {})
    api.refresh(server.at, "dev", Kind.EXTERNAL_SECRET, "pull", "mark")
    (asked,) = server.asked
    assert asked.headers["Content-Type"] == "application/merge-patch+json"
    assert asked.body == {"metadata": {"annotations": {FORCE_SYNC: "mark"}}}


def test_events_are_read_of_one_kind_and_their_text_is_not_shown(api: ClusterApi, server: Answers) -> None:
    item = {"involvedObject": {"kind": "ExternalSecret", "name": "pull"}, "message": SECRET}
    server.on("GET", "/api/v1/namespaces/dev/events", {"items": [item]})
    found = api.events(server.at, "dev", Kind.EXTERNAL_SECRET)
    assert isinstance(found, Known)
    assert [(one.name, one.message) for one in found.value] == [("pull", SECRET)]
    assert SECRET not in repr(found)
    assert server.asked[0].query["fieldSelector"] == "involvedObject.kind=ExternalSecret,type=Warning"
