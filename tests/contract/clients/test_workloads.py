"""Jobs, pods, realm imports, ConfigMaps and Secrets of a cluster: requests as they go over the wire."""

import base64
import hashlib
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes import client, config

from sandbox import platform
from shared.clients.cluster_api import JobState
from shared.clients.credentials import AppCredential
from shared.clients.fingerprints import placeholder_digest
from shared.clients.managed_clusters import ApiServer, ManagedClusters
from shared.clients.workloads import Config, Entry, Pod, RealmImport, Work, Workloads
from shared.errors import NotWritten, PermanentError, TemporaryError
from shared.model import Absent, Known, Unknown
from shared.settings import Settings
from tests.contract.clients.api_server import Answers, Credential, status
from tests.contract.clients.loopback import Cloud

NAMESPACE = "/api/v1/namespaces/dev"
JOBS = "/apis/batch/v1/namespaces/dev/jobs"
PATCHER = f"{JOBS}/patcher"
PODS = f"{NAMESPACE}/pods"
CONFIG_MAPS = f"{NAMESPACE}/configmaps"
SECRETS = f"{NAMESPACE}/secrets"
IMPORTS = "/apis/k8s.keycloak.org/v2alpha1/namespaces/dev/keycloakrealmimports"
SECRET = "the value that nobody may see"


@pytest.fixture
def api() -> Workloads:
    return Workloads(Credential())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def named(name: str, created: str = "2026-03-02T10:00:00Z", **metadata: Any) -> dict[str, Any]:
    return {"name": name, "uid": f"uid-{name}", "creationTimestamp": created, **metadata}


def conditions(*true: str, **more: Any) -> list[dict[str, Any]]:
    return [{"type": one, "status": "True", **more} for one in true]


def job(name: str = "patcher", created: str = "2026-03-02T10:00:00Z", **status: Any) -> dict[str, Any]:
    return {"metadata": named(name, created), "spec": {"template": {}}, "status": status}


# -- Jobs -------------------------------------------------------------------------------------------------


def test_a_job_is_read_with_its_place_among_the_hooks(api: Workloads, server: Answers) -> None:
    found = job(
        conditions=conditions("FailureTarget", "Failed", reason="BackoffLimitExceeded", message=SECRET),
        startTime="2026-03-02T10:00:01Z",
    )
    found["metadata"] |= {
        "labels": {"app": "patcher"},
        "annotations": {"argocd.argoproj.io/hook": "Sync", "argocd.argoproj.io/sync-wave": "-2"},
        "deletionTimestamp": "2026-03-02T10:05:00Z",
    }
    server.on("GET", PATCHER, found)
    assert api.job(server.at, "dev", "patcher") == Known(
        Work(
            name="patcher",
            uid="uid-patcher",
            labels={"app": "patcher"},
            hook="Sync",
            wave=-2,
            state=JobState.FAILED,
            reason="BackoffLimitExceeded",
            created=at("2026-03-02T10:00"),
            started=at("2026-03-02T10:00:01"),
            completed=None,
            deleting=True,
        )
    )


def test_a_job_that_was_just_made_is_active_and_no_hook(api: Workloads, server: Answers) -> None:
    server.on("GET", PATCHER, {"metadata": {"name": "patcher", "uid": "u"}, "spec": {}})
    found = api.job(server.at, "dev", "patcher")
    assert isinstance(found, Known)
    assert (found.value.state, found.value.hook, found.value.wave) == (JobState.ACTIVE, "", 0)
    assert (found.value.reason, found.value.created, found.value.deleting) == ("", None, False)


HOOK, WAVE = "argocd.argoproj.io/hook", "argocd.argoproj.io/sync-wave"
HELM_HOOK, WEIGHT = "helm.sh/hook", "helm.sh/hook-weight"
PLACES: dict[str, tuple[dict[str, str], tuple[str, int]]] = {
    "a hook of Helm before an installation": ({HELM_HOOK: "pre-install"}, ("PreSync", 0)),
    "one before an installation and an upgrade": ({HELM_HOOK: "pre-install, pre-upgrade"}, ("PreSync", 0)),
    "one after both": ({HELM_HOOK: "post-install,post-upgrade"}, ("PostSync", 0)),
    "one before and after": ({HELM_HOOK: "pre-install,post-upgrade"}, ("PreSync,PostSync", 0)),
    "one that no sync runs": ({HELM_HOOK: "test"}, ("Skip", 0)),
    "one of a sync beside that": ({HELM_HOOK: "post-rollback,post-upgrade"}, ("PostSync", 0)),
    "one beside a hook of Argo CD": ({HELM_HOOK: "pre-install", HOOK: "Sync"}, ("Sync", 0)),
    "one with a weight": ({HELM_HOOK: "pre-install", WEIGHT: "-5"}, ("PreSync", -5)),
    "a weight of a hook of Argo CD": ({HOOK: "Sync", WEIGHT: "3"}, ("Sync", 3)),
    "a weight beside a wave": ({HOOK: "Sync", WEIGHT: "3", WAVE: "0"}, ("Sync", 0)),
    "a weight beside a wave that is no number": ({HOOK: "Sync", WEIGHT: "3", WAVE: "first"}, ("Sync", 3)),
    "a weight that is no number": ({HELM_HOOK: "pre-install", WEIGHT: "heavy"}, ("PreSync", 0)),
}


@pytest.mark.parametrize(("annotations", "place"), PLACES.values(), ids=PLACES)
def test_hooks_of_helm_are_placed_as_argo_cd_does(
    api: Workloads, server: Answers, annotations: dict[str, str], place: tuple[str, int]
) -> None:
    found = job()
    found["metadata"]["annotations"] = annotations
    server.on("GET", PATCHER, found)
    read = api.job(server.at, "dev", "patcher")
    assert isinstance(read, Known)
    assert (read.value.hook, read.value.wave) == place


@pytest.mark.parametrize("text", ["first", "", "1.5"])
def test_a_wave_that_is_no_number_is_none(api: Workloads, server: Answers, text: str) -> None:
    found = job()
    found["metadata"]["annotations"] = {"argocd.argoproj.io/sync-wave": text}
    server.on("GET", PATCHER, found)
    read = api.job(server.at, "dev", "patcher")
    assert isinstance(read, Known)
    assert read.value.wave == 0


def test_jobs_are_selected_by_label_and_told_newest_first_over_all_pages(
    api: Workloads, server: Answers
) -> None:
    server.on_each(
        "GET",
        JOBS,
        {"metadata": {"continue": "more"}, "items": [job("old", "2026-03-02T09:00:00Z")]},
        {"metadata": {}, "items": [job("new", "2026-03-02T11:00:00Z"), job("middle")]},
    )
    found = api.jobs(server.at, "dev", "app=migrations,release=platform-gitlab")
    assert isinstance(found, Known)
    assert [one.name for one in found.value] == ["new", "middle", "old"]
    first, second = server.asked
    assert first.query == {"labelSelector": "app=migrations,release=platform-gitlab", "limit": "100"}
    assert second.query == {**first.query, "continue": "more"}


def test_a_list_whose_next_page_expired_is_begun_again(api: Workloads, server: Answers) -> None:
    page = {"metadata": {"continue": "more"}, "items": [job("one")]}
    last = {"metadata": {}, "items": [job("two", "2026-03-02T09:00:00Z")]}
    server.on_each("GET", JOBS, page, status(410, "Expired"), page, last)
    found = api.jobs(server.at, "dev", "app=a")
    assert isinstance(found, Known)
    assert [one.name for one in found.value] == ["one", "two"]


def test_a_list_without_an_end_is_given_up(
    api: Workloads, server: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.clients.kubernetes_api.MOST_PAGES", 3)
    server.on("GET", JOBS, {"metadata": {"continue": "more"}, "items": [job()]})
    found = api.jobs(server.at, "dev", "app=a")
    assert isinstance(found, Unknown)
    assert "does not end" in found.why
    assert len(server.asked) == 3


# -- pods and logs ----------------------------------------------------------------------------------------


def container(name: str, state: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "state": {state: {"reason": more.pop("reason", ""), "exitCode": 0}}, **more}


def pod(name: str, created: str = "2026-03-02T10:00:00Z", owner: str = "uid-patcher", **status: Any) -> Any:
    metadata = named(name, created, labels={"app": "webservice"}, ownerReferences=[{"uid": owner}])
    return {
        "metadata": metadata,
        "spec": {"initContainers": [{"name": "certificates"}, {"name": "dependencies"}]},
        "status": status,
    }


IN_INIT: dict[str, Any] = {
    "phase": "Pending",
    "initContainerStatuses": [
        container("certificates", "terminated", ready=True),
        container("dependencies", "waiting", reason="CrashLoopBackOff", lastState={"terminated": {}}),
    ],
    "containerStatuses": [container("webservice", "waiting", reason="PodInitializing", lastState={})],
}
RUNNING: dict[str, Any] = {
    "phase": "Running",
    "initContainerStatuses": [
        container("certificates", "terminated", ready=True),
        container("dependencies", "terminated", ready=True),
    ],
    "containerStatuses": [container("webservice", "running", ready=True)],
}
TOLD = [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "False"}]


def test_a_pod_that_waits_in_its_init_containers_says_for_what(api: Workloads, server: Answers) -> None:
    server.on("GET", PODS, {"metadata": {}, "items": [pod("web", **IN_INIT)]})
    assert api.pods(server.at, "dev", "app=webservice") == Known(
        (
            Pod(
                name="web",
                labels={"app": "webservice"},
                created=at("2026-03-02T10:00"),
                phase="Pending",
                ready=False,
                waiting=(("dependencies", "CrashLoopBackOff"), ("webservice", "PodInitializing")),
                initialised=False,
                containers=("certificates", "dependencies"),
            ),
        )
    )


STATES: dict[str, tuple[dict[str, Any], bool, bool]] = {
    "that runs": (RUNNING, True, True),
    "whose conditions say that it is not ready": ({**RUNNING, "conditions": TOLD}, True, False),
    "whose conditions say more than its containers": ({**IN_INIT, "conditions": TOLD}, True, False),
    "of which nothing is told": ({"phase": "Pending"}, False, False),
    "that has ended": (
        {**RUNNING, "containerStatuses": [container("webservice", "terminated", ready=True)]},
        True,
        False,
    ),
}


@pytest.mark.parametrize(("state", "initialised", "ready"), STATES.values(), ids=STATES)
def test_a_pod(
    api: Workloads, server: Answers, state: dict[str, Any], initialised: bool, ready: bool
) -> None:
    server.on("GET", PODS, {"metadata": {}, "items": [pod("web", **state)]})
    found = api.pods(server.at, "dev", "app=webservice")
    assert isinstance(found, Known)
    (told,) = found.value
    assert (told.initialised, told.ready) == (initialised, ready)


def test_a_reason_that_is_no_word_is_dropped(api: Workloads, server: Answers) -> None:
    waiting: dict[str, Any] = {"containerStatuses": [container("webservice", "waiting", reason=SECRET)]}
    server.on("GET", PODS, {"metadata": {}, "items": [pod("web", **waiting)]})
    assert SECRET not in repr(api.pods(server.at, "dev", "app=webservice"))


def test_the_end_of_one_container_s_log_is_read(api: Workloads, server: Answers) -> None:
    server.on("GET", f"{PODS}/web/log", "no such table\n")
    assert api.pod_log(server.at, "dev", "web", "dependencies") == Known("no such table\n")
    assert server.asked[0].query == {"container": "dependencies", "tailLines": "200", "limitBytes": "65536"}


@pytest.mark.parametrize("refusal", [status(404, "NotFound"), status(400, "BadRequest")])
def test_a_log_of_what_has_not_begun_is_absent(api: Workloads, server: Answers, refusal: Any) -> None:
    server.on("GET", f"{PODS}/web/log", refusal, refusal["code"])
    assert api.pod_log(server.at, "dev", "web", "dependencies") == Absent()


def test_the_log_of_a_job_is_that_of_its_own_newest_pod(api: Workloads, server: Answers) -> None:
    """Pods of an earlier Job of that name go away a little later than the Job."""
    server.on("GET", PATCHER, job())
    ended: dict[str, Any] = {"containerStatuses": [container("client-patcher", "terminated")]}
    earlier = pod("earlier", "2026-03-02T10:09:00Z", owner="uid-earlier", **ended)
    items = [pod("first", **ended), pod("second", "2026-03-02T10:05:00Z", **ended), earlier]
    server.on("GET", PODS, {"items": items})
    server.on("GET", f"{PODS}/second/log", "403 Forbidden\n")
    assert api.job_log(server.at, "dev", "patcher") == Known("403 Forbidden\n")
    assert server.asked[1].query == {"labelSelector": "job-name=patcher"}


@pytest.mark.parametrize(
    ("job_there", "items"),
    [(False, []), (True, []), (True, [pod("earlier", owner="uid-earlier", **RUNNING)]), (True, [pod("new")])],
    ids=["no Job", "no pod", "a pod of an earlier Job", "a pod that has not begun"],
)
def test_a_job_without_a_log_has_none(
    api: Workloads, server: Answers, job_there: bool, items: list[Any]
) -> None:
    if job_there:
        server.on("GET", PATCHER, job())
    server.on("GET", PODS, {"items": items})
    assert api.job_log(server.at, "dev", "patcher") == Absent()


# -- realm imports and ConfigMaps -------------------------------------------------------------------------


def realm_import(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": named("ameide-realm"), "status": {"conditions": list(conditions)}}


def condition(kind: str, truth: str, since: str) -> dict[str, str]:
    return {
        "type": kind,
        "status": truth,
        "lastTransitionTime": f"2026-03-02T10:0{since}:00Z",
        "message": SECRET,
    }


def test_a_time_without_a_zone_is_utc(api: Workloads, server: Answers) -> None:
    told = condition("Started", "True", "1") | {"lastTransitionTime": "2026-03-02T10:01:00"}
    server.on("GET", IMPORTS, {"metadata": {}, "items": [realm_import(told)]})
    found = api.realm_imports(server.at, "dev")
    assert isinstance(found, Known)
    assert found.value[0].since == at("2026-03-02T10:01")


@pytest.mark.parametrize(
    ("truth", "done"), [("True", True), ("true", True), (True, True), ("false", False), (False, False)]
)
def test_a_condition_of_a_realm_import_may_be_written_as_older_operators_did(
    api: Workloads, server: Answers, truth: Any, *, done: bool
) -> None:
    told = (condition("Done", truth, "1"), condition("HasErrors", "false", "2"))
    server.on("GET", IMPORTS, {"metadata": {}, "items": [realm_import(*told)]})
    found = api.realm_imports(server.at, "dev")
    assert isinstance(found, Known)
    assert (found.value[0].done, found.value[0].errors) == (done, False)
    assert found.value[0].since == (at("2026-03-02T10:01") if done else None)


def test_a_realm_import_is_what_its_true_conditions_say(api: Workloads, server: Answers) -> None:
    told = (
        condition("Done", "False", "9"),
        condition("Started", "True", "1"),
        condition("HasErrors", "True", "2"),
    )
    bare = {"metadata": named("master-realm")}
    server.on("GET", IMPORTS, {"metadata": {}, "items": [realm_import(*told), bare]})
    assert api.realm_imports(server.at, "dev") == Known(
        (
            RealmImport(
                name="ameide-realm",
                done=False,
                started=True,
                errors=True,
                created=at("2026-03-02T10:00"),
                since=at("2026-03-02T10:02"),
            ),
            RealmImport(
                name="master-realm",
                done=False,
                started=False,
                errors=False,
                created=at("2026-03-02T10:00"),
                since=None,
            ),
        )
    )


def test_a_cluster_without_the_kind_of_realm_imports_has_none(api: Workloads, server: Answers) -> None:
    assert api.realm_imports(server.at, "dev") == Absent()


def test_a_config_map_is_read(api: Workloads, server: Answers) -> None:
    found = {"metadata": named("digests", labels={"app": "keycloak"}), "data": {"gitlab": "ab12"}}
    server.on("GET", f"{CONFIG_MAPS}/digests", found)
    assert api.config_map(server.at, "dev", "digests") == Known(
        Config(
            name="digests",
            labels={"app": "keycloak"},
            data={"gitlab": "ab12"},
            created=at("2026-03-02T10:00"),
        )
    )
    assert api.config_map(server.at, "dev", "other") == Absent()


def test_config_maps_are_selected_by_label_newest_first(api: Workloads, server: Answers) -> None:
    items = [{"metadata": named("old")}, {"metadata": named("new", "2026-03-02T11:00:00Z")}]
    server.on("GET", CONFIG_MAPS, {"metadata": {}, "items": items})
    found = api.config_maps(server.at, "dev", "app=migrations")
    assert isinstance(found, Known)
    assert [(one.name, one.data) for one in found.value] == [("new", {}), ("old", {})]
    assert server.asked[0].query["labelSelector"] == "app=migrations"


# -- Secrets ----------------------------------------------------------------------------------------------


def secret(**values: str) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"metadata": named("oidc"), "type": "Opaque", "data": data}


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


ENTRIES: dict[str, tuple[str, dict[str, str], Entry]] = {
    "that nobody published": (SECRET, {}, Entry(empty=False, placeholder=False, published=None)),
    "that is published": (
        SECRET,
        {"key": digest(SECRET)},
        Entry(empty=False, placeholder=False, published=True),
    ),
    "that is published in capitals": (
        SECRET,
        {"key": f"{digest(SECRET).upper()}\n"},
        Entry(empty=False, placeholder=False, published=True),
    ),
    "that differs from the published one": (
        SECRET,
        {"key": digest("older")},
        Entry(empty=False, placeholder=False, published=False),
    ),
    "whose published digest is none": (
        SECRET,
        {"key": "nöne"},
        Entry(empty=False, placeholder=False, published=False),
    ),
    "that is a fixture": ("fixture", {}, Entry(empty=False, placeholder=True, published=None)),
    "that is empty": ("", {}, Entry(empty=True, placeholder=False, published=None)),
    "that is blank": (" \n", {}, Entry(empty=True, placeholder=False, published=None)),
}


@pytest.mark.parametrize(("value", "published", "entry"), ENTRIES.values(), ids=ENTRIES)
def test_of_a_secret_only_leaves_what_may_be_known_of_a_value(
    api: Workloads, server: Answers, value: str, published: dict[str, str], entry: Entry
) -> None:
    server.on("GET", f"{SECRETS}/oidc", secret(key=value))
    placeholders = (placeholder_digest("fixture"),)
    found = api.secret(server.at, "dev", "oidc", published=published, placeholders=placeholders)
    assert isinstance(found, Known)
    assert found.value.entries == {"key": entry}
    assert found.value.created == at("2026-03-02T10:00")
    assert SECRET not in repr(found)
    assert digest(value) not in repr(found)


def test_a_value_that_is_no_text_is_compared_by_its_bytes(api: Workloads, server: Answers) -> None:
    content = b"\xff\x00key"
    found = {"metadata": named("oidc"), "data": {"key": base64.b64encode(content).decode()}}
    server.on("GET", f"{SECRETS}/oidc", found)
    published = {"key": hashlib.sha256(content).hexdigest()}
    read = api.secret(server.at, "dev", "oidc", published=published, placeholders=())
    assert isinstance(read, Known)
    assert read.value.entries["key"].published is True


def test_a_secret_without_any_key_is_there_all_the_same(api: Workloads, server: Answers) -> None:
    server.on("GET", f"{SECRETS}/oidc", {"metadata": named("oidc")})
    found = api.secret(server.at, "dev", "oidc", published={"key": "x"}, placeholders=())
    assert isinstance(found, Known)
    assert found.value.entries == {}


@pytest.mark.parametrize("body", [SECRET, {"metadata": named("oidc"), "data": {"key": f"{SECRET}="}}])
def test_a_secret_that_cannot_be_read_is_unknown_and_not_shown(
    api: Workloads, server: Answers, body: Any
) -> None:
    server.on("GET", f"{SECRETS}/oidc", body)
    found = api.secret(server.at, "dev", "oidc", published={}, placeholders=())
    assert isinstance(found, Unknown)
    assert SECRET not in found.why


def test_a_secret_that_is_not_there_is_absent(api: Workloads, server: Answers) -> None:
    assert api.secret(server.at, "dev", "oidc", published={}, placeholders=()) == Absent()


# -- what cannot be read ----------------------------------------------------------------------------------

READS: dict[str, tuple[Callable[[Workloads, Answers], object], str, str]] = {
    "a Job": (lambda api, server: api.job(server.at, "dev", "patcher"), PATCHER, "get on jobs"),
    "Jobs": (lambda api, server: api.jobs(server.at, "dev", "a=b"), JOBS, "list on jobs"),
    "the log of a Job": (
        lambda api, server: api.job_log(server.at, "dev", "patcher"),
        PATCHER,
        "get on jobs",
    ),
    "pods": (lambda api, server: api.pods(server.at, "dev", "a=b"), PODS, "list on pods"),
    "the log of a pod": (
        lambda api, server: api.pod_log(server.at, "dev", "web", "c"),
        f"{PODS}/web/log",
        "get on pods/log",
    ),
    "realm imports": (
        lambda api, server: api.realm_imports(server.at, "dev"),
        IMPORTS,
        "list on keycloakrealmimports",
    ),
    "a ConfigMap": (
        lambda api, server: api.config_map(server.at, "dev", "c"),
        f"{CONFIG_MAPS}/c",
        "get on configmaps",
    ),
    "ConfigMaps": (
        lambda api, server: api.config_maps(server.at, "dev", "a=b"),
        CONFIG_MAPS,
        "list on configmaps",
    ),
    "a Secret": (
        lambda api, server: api.secret(server.at, "dev", "s", published={}, placeholders=()),
        f"{SECRETS}/s",
        "get on secrets",
    ),
}


@pytest.mark.parametrize(("read", "path", "needs"), READS.values(), ids=READS)
def test_without_a_role_it_is_unknown_and_says_which(
    api: Workloads, server: Answers, read: Callable[[Workloads, Answers], object], path: str, needs: str
) -> None:
    server.on("GET", path, status(403, "Forbidden"), 403)
    found = read(api, server)
    assert isinstance(found, Unknown)
    assert f"grant the app's identity {needs} in namespace dev" in found.why


# -- running a Job again ------------------------------------------------------------------------------------

GIVEN = {
    "batch.kubernetes.io/controller-uid": "uid-patcher",
    "batch.kubernetes.io/job-name": "patcher",
    "controller-uid": "uid-patcher",
    "job-name": "patcher",
}
ANNOTATIONS = {
    "argocd.argoproj.io/hook": "Sync",
    "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
    "argocd.argoproj.io/tracking-id": "dev-platform-keycloak-realm:batch/Job:dev/patcher",
}
RENDERED: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {
        "name": "patcher",
        "namespace": "dev",
        "labels": {"app": "patcher"},
        "annotations": ANNOTATIONS,
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "u"}],
    },
    "spec": {
        "backoffLimit": 2,
        "completionMode": "NonIndexed",
        "suspend": False,
        "template": {
            "metadata": {"labels": {"app": "patcher"}, "annotations": {"a": "b"}},
            "spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "client-patcher", "image": "alpine"}],
            },
        },
    },
}


def in_cluster(**metadata: Any) -> dict[str, Any]:
    """The rendered Job, with what the API server and controllers add."""
    found = deepcopy(RENDERED)
    found["metadata"] |= {
        "uid": "uid-patcher",
        "resourceVersion": "42",
        "generation": 1,
        "creationTimestamp": "2026-03-02T10:00:00Z",
        "managedFields": [{"manager": "argocd"}],
        **metadata,
    }
    found["metadata"]["labels"] = {**RENDERED["metadata"]["labels"], **GIVEN}
    found["metadata"]["annotations"] = {**ANNOTATIONS, "batch.kubernetes.io/job-tracking": ""}
    found["metadata"]["ownerReferences"].append({"kind": "Job", "name": "x", "uid": "y", "controller": True})
    found["spec"]["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": "uid-patcher"}}
    found["spec"]["template"]["metadata"]["labels"] |= GIVEN
    found["status"] = {"conditions": conditions("Failed")}
    return found


def rerun(api: Workloads, server: Answers, uid: str = "uid-patcher") -> None:
    api.rerun(server.at, "dev", "patcher", uid=uid)


def made(server: Answers) -> list[str]:
    return [f"{one.method}{' trial' if one.query.get('dryRun') else ''}" for one in server.asked]


@pytest.fixture
def cluster(server: Answers) -> Answers:
    """With the Job in it, and everything allowed."""
    server.on("GET", PATCHER, in_cluster())
    server.on("DELETE", PATCHER, status(200, ""))
    server.on("POST", JOBS, {}, 201)
    server.on_each("POST", JOBS, status(409, "AlreadyExists"))
    return server


def test_a_job_is_deleted_and_made_anew_as_it_was_rendered(api: Workloads, cluster: Answers) -> None:
    rerun(api, cluster)
    assert made(cluster) == ["GET", "POST trial", "DELETE", "POST"]
    _, trial, delete, create = cluster.asked
    assert trial.query == {"dryRun": "All"}
    assert trial.body == create.body == RENDERED
    assert create.query == {}
    assert delete.body == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Background",
        "preconditions": {"uid": "uid-patcher"},
    }


def test_a_job_with_a_selector_of_its_own_keeps_it(api: Workloads, cluster: Answers) -> None:
    found = in_cluster()
    found["spec"]["manualSelector"] = True
    cluster.on("GET", PATCHER, found)
    rerun(api, cluster)
    assert cluster.asked[3].body["spec"] == found["spec"]


UNTOUCHED: dict[str, tuple[dict[str, Any], str]] = {
    "another Job by now": ({"uid": "uid-other"}, "was made anew meanwhile"),
    "on its way out": ({"deletionTimestamp": "2026-03-02T10:05:00Z"}, "is being deleted"),
    "held by Argo CD": ({"finalizers": ["argocd.argoproj.io/hook-finalizer"]}, "nothing was deleted"),
}


@pytest.mark.parametrize(("metadata", "says"), UNTOUCHED.values(), ids=UNTOUCHED)
def test_a_job_is_left_alone_that_is(
    api: Workloads, cluster: Answers, metadata: dict[str, Any], says: str
) -> None:
    cluster.on("GET", PATCHER, in_cluster(**metadata))
    with pytest.raises(NotWritten, match=says):
        rerun(api, cluster)
    assert made(cluster) == ["GET"]


def test_a_job_that_is_gone_is_not_made(api: Workloads, server: Answers) -> None:
    with pytest.raises(TemporaryError, match="404"):
        rerun(api, server)
    assert made(server) == ["GET"]


@pytest.mark.parametrize(
    ("refusal", "error"),
    [(status(403, "Forbidden"), TemporaryError), (status(422, "Invalid"), PermanentError)],
)
def test_a_job_that_could_not_be_made_is_not_deleted(
    api: Workloads, cluster: Answers, refusal: dict[str, Any], error: type[Exception]
) -> None:
    cluster.on_each("POST", JOBS, refusal)
    with pytest.raises(error, match=refusal["reason"]):
        rerun(api, cluster)
    assert made(cluster) == ["GET", "POST trial"]


@pytest.mark.parametrize("refusal", [status(409, "Conflict"), status(403, "Forbidden")])
def test_a_job_that_could_not_be_deleted_is_not_made(
    api: Workloads, cluster: Answers, refusal: dict[str, Any]
) -> None:
    cluster.on("DELETE", PATCHER, refusal, refusal["code"])
    with pytest.raises(NotWritten, match=refusal["reason"]):
        rerun(api, cluster)
    assert made(cluster) == ["GET", "POST trial", "DELETE"]


def test_a_deletion_whose_answer_is_lost_is_asked_for_once_more(api: Workloads, cluster: Answers) -> None:
    cluster.on_each("DELETE", PATCHER, status(503, "ServiceUnavailable"), status(404, "NotFound"))
    rerun(api, cluster)
    assert made(cluster) == ["GET", "POST trial", "DELETE", "DELETE", "POST"]


def test_a_job_of_which_nobody_knows_whether_it_was_deleted_is_told(api: Workloads, cluster: Answers) -> None:
    lost = status(503, "ServiceUnavailable")
    cluster.on_each("DELETE", PATCHER, lost, lost)
    with pytest.raises(TemporaryError, match="not known whether Job patcher was deleted; it was not made"):
        rerun(api, cluster)


@pytest.mark.parametrize("body", [[], None, {"metadata": None}])
def test_a_job_of_another_shape_is_left_alone(api: Workloads, cluster: Answers, body: Any) -> None:
    cluster.on("GET", PATCHER, body)
    with pytest.raises(TemporaryError, match="not the promised shape"):
        rerun(api, cluster)
    assert made(cluster) == ["GET"]


def test_a_job_that_went_away_by_itself_meanwhile_is_made(api: Workloads, cluster: Answers) -> None:
    cluster.on("DELETE", PATCHER, status(404, "NotFound"), 404)
    rerun(api, cluster)
    assert made(cluster)[-1] == "POST"


@pytest.mark.parametrize("method", ["GET", "POST"], ids=["its reading", "its trial"])
def test_a_job_was_not_written_where_no_answer_came_to(api: Workloads, cluster: Answers, method: str) -> None:
    cluster.on_each(method, PATCHER if method == "GET" else JOBS, status(503, "ServiceUnavailable"))
    with pytest.raises(NotWritten, match="503"):
        rerun(api, cluster)
    assert "DELETE" not in made(cluster)


TAKEN = status(409, "AlreadyExists")


def test_a_job_that_is_still_being_deleted_is_told_as_deleted_and_not_made(
    api: Workloads, cluster: Answers
) -> None:
    cluster.on_each("POST", JOBS, TAKEN, TAKEN)
    with pytest.raises(
        TemporaryError, match="was deleted and is not known to be made anew: the old one"
    ) as raised:
        rerun(api, cluster)
    assert raised.value.delay.total_seconds() == 5
    assert made(cluster) == ["GET", "POST trial", "DELETE", "POST", "GET"]


def test_a_job_that_somebody_else_made_meanwhile_runs_again(api: Workloads, cluster: Answers) -> None:
    cluster.on_each("GET", PATCHER, in_cluster(), in_cluster(uid="uid-new"))
    cluster.on_each("POST", JOBS, TAKEN, TAKEN)
    rerun(api, cluster)
    assert made(cluster)[-2:] == ["POST", "GET"]


def test_a_creation_that_failed_is_tried_once_more(api: Workloads, cluster: Answers) -> None:
    cluster.on_each("POST", JOBS, TAKEN, status(503, "ServiceUnavailable"))
    rerun(api, cluster)
    assert made(cluster)[-3:] == ["DELETE", "POST", "POST"]


@pytest.mark.parametrize("refusal", [status(503, "ServiceUnavailable"), status(422, "Invalid")])
def test_a_job_that_is_lost_is_told_and_not_as_if_nothing_was_written(
    api: Workloads, cluster: Answers, refusal: dict[str, Any]
) -> None:
    cluster.on_each("POST", JOBS, TAKEN, refusal, refusal)
    says = f"deleted and is not known to be made anew: .*{refusal['code']} {refusal['reason']}"
    with pytest.raises(TemporaryError, match=says):
        rerun(api, cluster)


# -- in a cluster of the sandbox ----------------------------------------------------------------------------

HERE = "some-workloads"
RULES = [
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list", "create", "delete"]},
    {"apiGroups": [""], "resources": ["pods", "configmaps"], "verbs": ["get", "list"]},
    {"apiGroups": [""], "resources": ["pods/log", "secrets"], "verbs": ["get"]},
]


@pytest.fixture(scope="module")
def operator(running_cloud: Cloud) -> Any:
    """The cluster's administrator, who has given us our roles in a namespace with a Job and a Secret."""
    load: Any = config.new_client_from_config  # the package leaves it untyped
    api = load(str(running_cloud.description["kubeconfig"]))
    # Bodies are plain JSON, which these classes take and do not declare.
    core: Any = client.CoreV1Api(api)
    roles: Any = client.RbacAuthorizationV1Api(api)
    jobs: Any = client.BatchV1Api(api)
    core.create_namespace({"metadata": {"name": HERE}})
    core.create_namespaced_secret(HERE, {"metadata": {"name": "oidc"}, "stringData": {"key": SECRET}})
    roles.create_namespaced_role(HERE, {"metadata": {"name": "ours"}, "rules": RULES})
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": "ours"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "ours"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": platform.APP_OBJECT_ID}],
    }
    roles.create_namespaced_role_binding(HERE, binding)
    rendered = deepcopy(RENDERED)
    rendered["metadata"] = {**RENDERED["metadata"], "namespace": HERE}
    del rendered["metadata"]["ownerReferences"]
    jobs.create_namespaced_job(HERE, rendered)
    return jobs


@pytest.fixture
def real(cloud: Cloud, settings: Settings, credential: AppCredential) -> tuple[Workloads, ApiServer]:
    answer = ManagedClusters(settings, credential).api_server(cloud.cluster_id)
    assert isinstance(answer, Known)
    return Workloads(credential), answer.value


def test_a_cluster_lets_a_job_run_again(real: tuple[Workloads, ApiServer], operator: Any) -> None:
    api, at = real
    before = api.job(at, HERE, "patcher")
    assert isinstance(before, Known)
    made = operator.read_namespaced_job("patcher", HERE)
    api.rerun(at, HERE, "patcher", uid=before.value.uid)
    after = api.jobs(at, HERE, "app=patcher")
    assert isinstance(after, Known)
    (again,) = after.value
    assert again.uid != before.value.uid
    assert (again.name, again.hook, again.labels) == ("patcher", "Sync", before.value.labels)
    made_again = operator.read_namespaced_job("patcher", HERE)
    assert made_again.metadata.annotations == made.metadata.annotations
    assert made_again.spec.template.spec == made.spec.template.spec
    with pytest.raises(TemporaryError, match="made anew meanwhile"):
        api.rerun(at, HERE, "patcher", uid=before.value.uid)


def test_a_cluster_shows_a_secret_by_what_may_be_known_of_it(
    real: tuple[Workloads, ApiServer], operator: Any
) -> None:
    del operator  # who made it
    api, at = real
    found = api.secret(at, HERE, "oidc", published={"key": digest(SECRET)}, placeholders=())
    assert isinstance(found, Known)
    assert found.value.entries == {"key": Entry(empty=False, placeholder=False, published=True)}


def test_a_cluster_without_keycloak_knows_no_realm_imports(
    real: tuple[Workloads, ApiServer], operator: Any
) -> None:
    del operator  # whose roles say nothing of them
    api, at = real
    assert not isinstance(api.realm_imports(at, HERE), Known)
