"""Applications as they come over the wire, and what is asked of Argo CD through them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config
from ruamel.yaml import YAML

from sandbox import platform
from shared.clients.argocd import LONGEST_MESSAGE, Application, ArgoCD
from shared.clients.credentials import AppCredential
from shared.clients.kubernetes_api import KubernetesApi
from shared.clients.managed_clusters import ApiServer, ManagedClusters
from shared.errors import NotWritten, PermanentError, TemporaryError, WriteConflict
from shared.model import Absent, Known, Unknown
from shared.settings import Settings
from tests.contract.clients.api_server import Answers, Credential, status
from tests.contract.clients.loopback import Cloud

LIST = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
ONE = f"{LIST}/dev-gitlab"
SECRET = "the value that nobody may see"
BEGUN = "2026-03-02T10:00:00Z"
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
SHA = "1f0e3dad99908345f7439f8ffabdffc4c8d2b1c6"
SOURCE = {"repoURL": "https://github.com/o/r", "targetRevision": "main", "path": "a"}


@pytest.fixture
def argocd() -> ArgoCD:
    return ArgoCD(Credential())


def found(name: str = "dev-gitlab", metadata: Any = None, spec: Any = None, **parts: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "argocd",
            "name": name,
            "uid": "uid-1",
            "resourceVersion": "7",
            **(metadata or {}),
        },
        "spec": {"source": SOURCE, **(spec or {})},
        **parts,
    }


def page(*items: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"metadata": metadata, "items": list(items)}


def read(argocd: ArgoCD, server: Answers, one: dict[str, Any]) -> Application:
    server.on("GET", LIST, page(one))
    answer = argocd.applications(server.at, "argocd")
    assert isinstance(answer, Known)
    return answer.value[0]


def states(one: Application) -> set[str]:
    known = ("running", "refreshing", "skipped", "deleting", "automated", "emptied")
    return {name for name in known if getattr(one, name)}


# -- reading ----------------------------------------------------------------------------------------


def test_a_failing_application_is_read_with_all_that_it_says(argocd: ArgoCD, server: Answers) -> None:
    resources = [
        {"kind": "Job", "name": "up", "hookType": "PreSync", "hookPhase": "Failed", "message": "gave up"},
        {"kind": "Service", "name": "web", "status": "Synced", "message": "unchanged"},
        {"kind": "Pod", "name": "x", "status": "SyncFailed", "message": "denied"},
        {"kind": "Job", "name": "ok", "hookType": "Sync", "hookPhase": "Succeeded"},
        {"kind": "Job", "name": "plain", "status": "Synced", "hookPhase": "Running"},
    ]
    one = read(
        argocd,
        server,
        found(
            spec={"syncPolicy": {"automated": {}}},
            status={
                "sync": {"status": "OutOfSync"},
                "health": {"status": "Degraded", "lastTransitionTime": BEGUN},
                "conditions": [{"type": "SyncError", "message": "failed", "lastTransitionTime": BEGUN}],
                "resources": [
                    {"kind": "Pod", "name": "x", "health": {"status": "Degraded", "message": "crash"}},
                    {"kind": "Pod", "name": "y", "health": {"status": "Healthy"}},
                    {"kind": "ConfigMap", "name": "z"},
                ],
                "operationState": {
                    "phase": "Failed",
                    "message": "one or more",
                    "startedAt": BEGUN,
                    "finishedAt": "2026-03-02T10:01:00Z",
                    "syncResult": {"resources": resources},
                },
            },
        ),
    )
    assert (one.name, one.uid, one.sync, one.health, one.automated) == (
        "dev-gitlab", "uid-1", "OutOfSync", "Degraded", True,
    )  # fmt: skip
    assert one.health_since == AT
    assert [(each.type, each.message, each.since) for each in one.conditions] == [("SyncError", "failed", AT)]
    assert [(each.name, each.message) for each in one.unhealthy] == [("x", "crash")]
    assert one.operation is not None
    assert (one.operation.phase, one.operation.started) == ("Failed", AT)
    assert one.operation.finished == AT + timedelta(minutes=1)
    assert [(each.name, each.message, each.hook) for each in one.operation.resources] == [
        ("up", "gave up", True),
        ("x", "denied", False),
    ]
    assert one.operation.jobs == ("up", "ok", "plain")
    assert states(one) == {"automated"}


def test_one_that_nobody_has_compared_yet_is_read_too(argocd: ArgoCD, server: Answers) -> None:
    one = read(argocd, server, found())
    assert (one.sync, one.health, one.operation, one.conditions, one.automated) == ("", "", None, (), False)


NOTE = "argocd.argoproj.io"
STATES: dict[str, tuple[dict[str, Any], str]] = {
    "asked to be operated": (found(operation={"sync": {}}), "running"),
    "being operated": (found(status={"operationState": {"phase": "Running"}}), "running"),
    "being stopped": (found(status={"operationState": {"phase": "Terminating"}}), "running"),
    "to be refreshed": (found(metadata={"annotations": {f"{NOTE}/refresh": "normal"}}), "refreshing"),
    "excluded": (found(metadata={"annotations": {f"{NOTE}/skip-reconcile": "True"}}), "skipped"),
    "being deleted": (found(metadata={"deletionTimestamp": BEGUN}), "deleting"),
    "synced by itself": (found(spec={"syncPolicy": {"automated": {"enabled": True}}}), "automated"),
}


@pytest.mark.parametrize(("given", "state"), STATES.values(), ids=STATES)
def test_one_is(argocd: ArgoCD, server: Answers, given: dict[str, Any], state: str) -> None:
    one = read(argocd, server, given)
    assert states(one) == {state}


NO_STATES = {
    "an annotation that excludes nothing": found(metadata={"annotations": {f"{NOTE}/skip-reconcile": "no"}}),
    "auto-sync that is switched off": found(spec={"syncPolicy": {"automated": {"enabled": False}}}),
    "several sources": found(spec={"source": None, "sources": [SOURCE, SOURCE]}),
    "a policy that prunes only when it is switched on": found(
        spec={"syncPolicy": {"automated": {"enabled": False, "prune": True, "allowEmpty": True}}}
    ),
}


@pytest.mark.parametrize("given", NO_STATES.values(), ids=NO_STATES)
def test_nothing_is_made_of(argocd: ArgoCD, server: Answers, given: dict[str, Any]) -> None:
    one = read(argocd, server, given)
    assert states(one) == set()


BY_WHOM: dict[str, tuple[Any, bool]] = {
    "us": ({"initiatedBy": {"username": "reconverge", "automated": True}}, True),
    "Argo CD itself": ({"initiatedBy": {"automated": True}}, False),
    "somebody": ({"initiatedBy": {"username": SECRET}}, False),
    "nobody who says so": (None, False),
}


@pytest.mark.parametrize(("asked", "ours"), BY_WHOM.values(), ids=BY_WHOM)
def test_an_operation_was_asked_for_by(argocd: ArgoCD, server: Answers, asked: Any, *, ours: bool) -> None:
    state = {"phase": "Succeeded", "startedAt": BEGUN, "operation": asked}
    one = read(argocd, server, found(status={"operationState": state}))
    assert one.operation is not None
    assert one.operation.ours is ours
    assert SECRET not in repr(one)


def test_no_foreign_text_is_shown(argocd: ArgoCD, server: Answers) -> None:
    says = {"type": SECRET, "kind": SECRET, "name": "x", "message": SECRET, "status": "SyncFailed"}
    state = {"phase": SECRET, "message": SECRET, "syncResult": {"resources": [says]}}
    broken = {"kind": SECRET, "name": "x", "health": {"status": "Degraded", "message": SECRET}}
    one = read(
        argocd,
        server,
        found(
            status={
                "conditions": [says],
                "operationState": state,
                "resources": [broken],
                "sync": {"status": SECRET},
                "health": {"status": SECRET},
            }
        ),
    )
    assert SECRET not in repr(one)
    assert one.conditions[0].message == SECRET


def test_of_a_text_without_end_both_ends_are_kept(argocd: ArgoCD, server: Answers) -> None:
    text = "first" + "x" * 3_000_000 + "last"
    one = read(argocd, server, found(status={"conditions": [{"type": "ComparisonError", "message": text}]}))
    kept = one.conditions[0].message
    assert (kept[:5], kept[-4:]) == ("first", "last")
    assert len(kept) < LONGEST_MESSAGE + 10


def test_pages_are_read_to_the_last(argocd: ArgoCD, server: Answers) -> None:
    server.on_each("GET", LIST, page(found("a"), **{"continue": "next"}), page(found("b")))
    answer = argocd.applications(server.at, "argocd")
    assert isinstance(answer, Known)
    assert [one.name for one in answer.value] == ["a", "b"]
    assert [one.query for one in server.asked] == [{"limit": "50"}, {"limit": "50", "continue": "next"}]


def test_a_list_whose_pages_are_gone_meanwhile_is_begun_once_more(argocd: ArgoCD, server: Answers) -> None:
    first, all_ = page(found("a"), **{"continue": "next"}), page(found("a"), found("b"))
    server.on_each("GET", LIST, first, status(410, "Expired"), all_)
    answer = argocd.applications(server.at, "argocd")
    assert isinstance(answer, Known)
    assert [one.name for one in answer.value] == ["a", "b"]


def test_a_list_whose_pages_are_gone_again_and_again_is_unknown(argocd: ArgoCD, server: Answers) -> None:
    server.on("GET", LIST, status(410, "Expired"), 410)
    assert isinstance(argocd.applications(server.at, "argocd"), Unknown)
    assert len(server.asked) == 2


def test_a_single_one_is_read_as_in_a_list(argocd: ArgoCD, server: Answers) -> None:
    server.on("GET", ONE, found())
    assert argocd.application(server.at, "argocd", "dev-gitlab") == Known(read(argocd, server, found()))
    assert [one.path for one in server.asked] == [ONE, LIST]


def test_one_that_is_not_there_is_absent(argocd: ArgoCD, server: Answers) -> None:
    assert argocd.application(server.at, "argocd", "dev-gitlab") == Absent()


def test_a_cluster_without_argo_cd_serves_none(argocd: ArgoCD, server: Answers) -> None:
    assert argocd.applications(server.at, "argocd") == Absent()


UNREADABLE: dict[str, tuple[int, Any, str]] = {
    "a role that is missing": (403, status(403, "Forbidden"), "grant the app's identity list on app"),
    "an API server that is down": (503, "upstream " + SECRET, "answered 503"),
    "a body of another shape": (200, {"items": SECRET}, "has not the promised shape"),
}


@pytest.mark.parametrize(("code", "body", "says"), UNREADABLE.values(), ids=UNREADABLE)
def test_is_unknown(argocd: ArgoCD, server: Answers, code: int, body: Any, says: str) -> None:
    server.on("GET", LIST, body, code)
    answer = argocd.applications(server.at, "argocd")
    assert isinstance(answer, Unknown)
    assert says in answer.why
    assert SECRET not in answer.why
    server.on("GET", ONE, body, code)
    alone = argocd.application(server.at, "argocd", "dev-gitlab")
    assert isinstance(alone, Unknown)
    assert says.replace("list on", "get on") in alone.why
    assert SECRET not in alone.why


# -- asking -----------------------------------------------------------------------------------------

MERGE = "application/merge-patch+json"


def patches(server: Answers) -> list[Any]:
    sent = [one for one in server.asked if one.method == "PATCH"]
    assert all(one.headers["Content-Type"] == MERGE for one in sent)
    return [one.body for one in sent]


def refresh(argocd: ArgoCD, server: Answers) -> None:
    argocd.refresh(server.at, "argocd", "dev-gitlab", uid="uid-1")


@pytest.mark.parametrize("body", [[SECRET], None, {"metadata": SECRET}])
def test_nothing_is_asked_of_an_application_of_another_shape(
    argocd: ArgoCD, server: Answers, body: Any
) -> None:
    server.on("GET", ONE, body)
    with pytest.raises(NotWritten, match="not the promised shape") as raised:
        refresh(argocd, server)
    assert SECRET not in str(raised.value)
    assert patches(server) == []


def test_a_refresh_is_an_annotation(argocd: ArgoCD, server: Answers) -> None:
    server.on("GET", ONE, found(status={"operationState": {"phase": "Failed"}}))
    server.on("PATCH", ONE, found())
    refresh(argocd, server)
    annotations = {"argocd.argoproj.io/refresh": "hard"}
    assert patches(server) == [{"metadata": {"resourceVersion": "7", "annotations": annotations}}]


def sync(argocd: ArgoCD, server: Answers) -> None:
    argocd.sync(server.at, "argocd", "dev-gitlab", uid="uid-1", why="it is mended")


BY = {
    "initiatedBy": {"username": "reconverge", "automated": True},
    "info": [{"name": "Reason", "value": "it is mended"}],
}
RETRY = {"limit": 3, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"}}
AUTOMATED: dict[str, Any] = {"automated": {}}
DIFFERS: dict[str, Any] = {
    "sync": {"status": "OutOfSync", "revision": SHA},
    "resources": [
        {"kind": "ConfigMap", "name": "old", "requiresPruning": True},
        {"kind": "Pod", "name": "x"},
    ],
    "operationState": {"phase": "Failed"},
}
EMPTIED: dict[str, Any] = {**DIFFERS, "resources": DIFFERS["resources"][:1]}
POLICIES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "automated": ({"syncPolicy": AUTOMATED}, DIFFERS, {"sync": {"prune": False}}),
    "with options and retry": (
        {
            "syncPolicy": {
                **AUTOMATED,
                "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
                "retry": RETRY,
            }
        },
        DIFFERS,
        {
            "sync": {"prune": False, "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"]},
            "retry": RETRY,
        },
    ),
    "with automated prune, which is known of what was compared": (
        {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}},
        DIFFERS,
        {"sync": {"prune": True, "revision": SHA}},
    ),
    "without prune, of which nothing is left": (
        {"syncPolicy": AUTOMATED}, EMPTIED, {"sync": {"prune": False}},
    ),
    "that may be empty": (
        {"syncPolicy": {"automated": {"prune": True, "allowEmpty": True}}},
        EMPTIED,
        {"sync": {"prune": True}},
    ),
    "of hooks alone": (
        {"syncPolicy": {"automated": {"prune": True}}},
        {**DIFFERS, "sync": {"status": "Synced", "revision": SHA}, "resources": []},
        {"sync": {"prune": True, "revision": SHA}},
    ),
    "of several sources": (
        {"source": None, "sources": [SOURCE, SOURCE], "syncPolicy": AUTOMATED},
        DIFFERS,
        {"sync": {"prune": False}},
    ),
    "of several sources, with automated prune": (
        {"source": None, "sources": [SOURCE, SOURCE], "syncPolicy": {"automated": {"prune": True}}},
        {**DIFFERS, "sync": {"status": "OutOfSync", "revisions": [SHA, "1.2.3"]}},
        {"sync": {"prune": True, "revisions": [SHA, "1.2.3"]}},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "state", "operation"), POLICIES.values(), ids=POLICIES)
def test_a_sync_is_an_operation_as_the_application_declares_it(
    argocd: ArgoCD, server: Answers, spec: dict[str, Any], state: dict[str, Any], operation: dict[str, Any]
) -> None:
    server.on("GET", ONE, found(spec=spec, status=state))
    server.on("PATCH", ONE, found())
    sync(argocd, server)
    assert patches(server) == [
        {
            "metadata": {"resourceVersion": "7"},
            "operation": {**BY, **operation},
            "status": {"operationState": None},
        }
    ]


NOTHING_LEFT: dict[str, dict[str, Any]] = {
    "all that there is would be pruned": EMPTIED,
    "nothing is said of what there is": {**EMPTIED, "resources": []},
    "it was not compared yet": {"operationState": {"phase": "Failed"}},
}


@pytest.mark.parametrize("state", NOTHING_LEFT.values(), ids=NOTHING_LEFT)
def test_no_sync_with_prune_is_asked_for_where(
    argocd: ArgoCD, server: Answers, state: dict[str, Any]
) -> None:
    server.on("GET", ONE, found(spec={"syncPolicy": {"automated": {"prune": True}}}, status=state))
    with pytest.raises(NotWritten, match="would prune all that Application dev-gitlab has"):
        sync(argocd, server)
    assert patches(server) == []


MANUAL: dict[str, dict[str, Any]] = {
    "there is no policy": {},
    "it is not automated": {"syncPolicy": {"syncOptions": ["CreateNamespace=true"]}},
    "automation is switched off": {"syncPolicy": {"automated": {"enabled": False, "prune": True}}},
}


@pytest.mark.parametrize("spec", MANUAL.values(), ids=MANUAL)
def test_no_sync_is_asked_for_where(argocd: ArgoCD, server: Answers, spec: dict[str, Any]) -> None:
    server.on("GET", ONE, found(spec=spec, status={"operationState": {"phase": "Failed"}}))
    with pytest.raises(NotWritten, match="no automated sync"):
        sync(argocd, server)
    assert patches(server) == []


NOT_NOW: dict[str, dict[str, Any]] = {
    "in progress": found(operation={"sync": {}}),
    "in progress of application": found(status={"operationState": {"phase": "Running"}}),
    "being deleted": found(metadata={"deletionTimestamp": BEGUN}),
    "made anew": found(metadata={"uid": "uid-2"}),
}


@pytest.mark.parametrize("ask", [sync, refresh])
@pytest.mark.parametrize(("says", "given"), NOT_NOW.items(), ids=NOT_NOW)
def test_nothing_is_asked_for_beside_an_operation_or_of_another_application(
    argocd: ArgoCD, server: Answers, says: str, given: dict[str, Any], ask: Callable[[ArgoCD, Answers], None]
) -> None:
    server.on("GET", ONE, given)
    with pytest.raises(NotWritten, match=says.partition(" of ")[0]):
        ask(argocd, server)
    assert patches(server) == []


def stop(argocd: ArgoCD, server: Answers, started: datetime = AT) -> None:
    argocd.terminate(server.at, "argocd", "dev-gitlab", uid="uid-1", started=started)


def running() -> dict[str, Any]:
    return found(operation={"sync": {}}, status={"operationState": {"phase": "Running", "startedAt": BEGUN}})


def test_an_operation_is_stopped_by_its_phase(argocd: ArgoCD, server: Answers) -> None:
    server.on("GET", ONE, running())
    server.on("PATCH", ONE, found())
    stop(argocd, server)
    assert patches(server) == [
        {"metadata": {"resourceVersion": "7"}, "status": {"operationState": {"phase": "Terminating"}}}
    ]


ENDED: dict[str, dict[str, Any]] = {
    "that ended": found(status={"operationState": {"phase": "Succeeded", "startedAt": BEGUN}}),
    "that was not begun": found(operation={"sync": {}}),
    "of another time": {**running(), "status": {"operationState": {"startedAt": "2026-03-02T11:00:00Z"}}},
}


@pytest.mark.parametrize("given", ENDED.values(), ids=ENDED)
def test_no_operation_is_stopped(argocd: ArgoCD, server: Answers, given: dict[str, Any]) -> None:
    server.on("GET", ONE, given)
    with pytest.raises(NotWritten, match="has ended"):
        stop(argocd, server)
    assert patches(server) == []


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [
        (403, "Forbidden", NotWritten),
        (404, "NotFound", NotWritten),
        (503, "ServiceUnavailable", TemporaryError),
        # Somebody else wrote it between our read and our write.
        (409, "Conflict", WriteConflict),
        (422, "Invalid", PermanentError),
    ],
)
def test_a_write_that_is_refused_says_so(
    argocd: ArgoCD, server: Answers, code: int, reason: str, error: type[Exception]
) -> None:
    server.on("GET", ONE, found(spec={"syncPolicy": AUTOMATED}))
    server.on("PATCH", ONE, status(code, reason), code)
    with pytest.raises(error, match=reason):
        sync(argocd, server)


UNANSWERED: dict[str, tuple[int, Any]] = {
    "503": (503, status(503, "ServiceUnavailable")),
    "429": (429, status(429, "TooManyRequests")),
    "no JSON": (200, "<html>"),
    "not the promised shape": (200, found(status={"conditions": [None]})),
}


@pytest.mark.parametrize("ask", [sync, refresh, stop])
@pytest.mark.parametrize(("says", "given"), UNANSWERED.items(), ids=UNANSWERED)
def test_a_read_that_fails_before_the_write_leaves_no_doubt_that_nothing_was_written(
    argocd: ArgoCD,
    server: Answers,
    says: str,
    given: tuple[int, Any],
    ask: Callable[[ArgoCD, Answers], None],
) -> None:
    code, body = given
    server.on("GET", ONE, body, code)
    with pytest.raises(NotWritten, match=says):
        ask(argocd, server)
    assert patches(server) == []


def test_a_read_that_fails_before_the_write_keeps_the_pause_that_was_asked_for(
    argocd: ArgoCD, server: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(*_: object) -> None:
        raise TemporaryError("429", delay=timedelta(seconds=90), asked=True)

    monkeypatch.setattr(KubernetesApi, "json", throttled)
    with pytest.raises(NotWritten) as raised:
        sync(argocd, server)
    assert (raised.value.delay, raised.value.asked) == (timedelta(seconds=90), True)


@pytest.mark.parametrize("ask", [sync, refresh])
def test_a_write_whose_answer_is_lost_may_have_been_done(
    argocd: ArgoCD, server: Answers, ask: Callable[[ArgoCD, Answers], None]
) -> None:
    server.on("GET", ONE, found(spec={"syncPolicy": AUTOMATED}))
    server.on("PATCH", ONE, status(503, "ServiceUnavailable"), 503)
    with pytest.raises(TemporaryError) as raised:
        ask(argocd, server)
    assert not isinstance(raised.value, NotWritten)


# -- the sandbox's cluster --------------------------------------------------------------------------

OURS = Path(__file__).parents[3] / "deploy" / "kubernetes" / "applications.yaml"
RBAC = ("rbac.authorization.k8s.io", "v1")
APPLICATIONS = ("argoproj.io", "v1alpha1", "some-argocd", "applications")
MANY = 60


class Deployed:
    """Applications in a namespace of a cluster, as its administrator has them; we have our Roles there."""

    def __init__(self, kubeconfig: str) -> None:
        load: Any = config.new_client_from_config  # the package leaves it untyped
        api = load(kubeconfig)
        self.objects: Any = client.CustomObjectsApi(api)  # whose answers are declared as objects
        namespace = client.V1Namespace(metadata=client.V1ObjectMeta(name=APPLICATIONS[2]))
        client.CoreV1Api(api).create_namespace(namespace)
        manifest = OURS.read_text().replace("namespace: argocd", f"namespace: {APPLICATIONS[2]}")
        ours = re.sub(r"0{8}-[-0]+", platform.APP_OBJECT_ID, manifest)
        for one in YAML(typ="safe", pure=True).load_all(ours):
            self.objects.create_namespaced_custom_object(
                *RBAC, APPLICATIONS[2], f"{one['kind'].lower()}s", one
            )

    def make(self, name: str, **parts: Any) -> str:
        """Answers its uid."""
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name},
            "spec": {"source": SOURCE, "syncPolicy": {**AUTOMATED, "syncOptions": ["CreateNamespace=true"]}},
            **parts,
        }
        made = self.objects.create_namespaced_custom_object(*APPLICATIONS, body)
        return str(made["metadata"]["uid"])

    def get(self, name: str) -> Any:
        return self.objects.get_namespaced_custom_object(*APPLICATIONS, name)


@pytest.fixture(scope="module")
def deployed(running_cloud: Cloud) -> Deployed:
    return Deployed(str(running_cloud.description["kubeconfig"]))


@pytest.fixture
def cluster(cloud: Cloud, settings: Settings, credential: AppCredential) -> ApiServer:
    answer = ManagedClusters(settings, credential).api_server(cloud.cluster_id)
    assert isinstance(answer, Known)
    return answer.value


@pytest.fixture
def real(credential: AppCredential) -> ArgoCD:
    return ArgoCD(credential)


FAILED = {"operationState": {"phase": "Failed", "startedAt": BEGUN, "syncResult": {"revision": "old"}}}


def test_a_cluster_lists_more_than_a_page(real: ArgoCD, cluster: ApiServer, deployed: Deployed) -> None:
    made = {f"many-{number:03}" for number in range(MANY)}
    for name in made:
        deployed.make(name)
    answer = real.applications(cluster, APPLICATIONS[2])
    assert isinstance(answer, Known)
    assert {one.name for one in answer.value} >= made


def test_a_cluster_takes_a_refresh(real: ArgoCD, cluster: ApiServer, deployed: Deployed) -> None:
    uid = deployed.make("refreshed", status=FAILED)
    real.refresh(cluster, APPLICATIONS[2], "refreshed", uid=uid)
    kept = deployed.get("refreshed")
    assert kept["metadata"]["annotations"] == {"argocd.argoproj.io/refresh": "hard"}
    assert kept["status"] == FAILED


def test_a_cluster_takes_one_sync_at_a_time(real: ArgoCD, cluster: ApiServer, deployed: Deployed) -> None:
    uid = deployed.make("synced", status={"sync": {"status": "OutOfSync"}, **FAILED})
    real.sync(cluster, APPLICATIONS[2], "synced", uid=uid, why="it is mended")
    kept = deployed.get("synced")
    assert kept["operation"] == {**BY, "sync": {"prune": False, "syncOptions": ["CreateNamespace=true"]}}
    assert kept["status"] == {"sync": {"status": "OutOfSync"}}
    with pytest.raises(NotWritten, match="in progress"):
        real.sync(cluster, APPLICATIONS[2], "synced", uid=uid, why="again")


def test_a_cluster_takes_the_end_of_an_operation(
    real: ArgoCD, cluster: ApiServer, deployed: Deployed
) -> None:
    state = {"phase": "Running", "startedAt": BEGUN, "message": "waiting"}
    uid = deployed.make("stuck", operation={"sync": {}}, status={"operationState": state})
    real.terminate(cluster, APPLICATIONS[2], "stuck", uid=uid, started=AT)
    kept = deployed.get("stuck")
    assert kept["operation"] == {"sync": {}}
    assert kept["status"]["operationState"] == {**state, "phase": "Terminating"}
