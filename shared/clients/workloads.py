"""What a cluster holds of Jobs, pods, realm imports, ConfigMaps and Secrets, without any value of a Secret;
and one write: a Job deleted and made again as it was.

Texts of logs may hold anything. They are for shared.failure_texts and the responders' own tables of reasons:
never to be kept, shown or put into an error.
"""

import base64
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from shared.clients.cluster_api import JobState, begun, job_log, log_of, state_of
from shared.clients.fingerprints import is_placeholder, is_published
from shared.clients.job_reruns import job_of, rerun
from shared.clients.kubernetes_api import Call, KubernetesApi, read, time_of, word
from shared.clients.managed_clusters import ApiServer
from shared.model import Read

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

HOOK: Final = "argocd.argoproj.io/hook"
SYNC_WAVE: Final = "argocd.argoproj.io/sync-wave"
HELM_HOOK: Final = "helm.sh/hook"
HELM_WEIGHT: Final = "helm.sh/hook-weight"
_OF_HELM: Final[Mapping[str, str]] = {
    "pre-install": "PreSync",
    "pre-upgrade": "PreSync",
    "post-install": "PostSync",
    "post-upgrade": "PostSync",
}
"""Argo CD's hooks in place of Helm's."""
REALM_IMPORTS: Final = "k8s.keycloak.org/v2alpha1"
PAGE: Final = 100
"""Objects of one request."""

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A Job."""

    name: str
    uid: str
    labels: Mapping[str, str]
    hook: str
    """Annotation argocd.argoproj.io/hook, or what Argo CD makes of Helm's; empty where it has none."""
    wave: int
    """Annotation argocd.argoproj.io/sync-wave, or Helm's weight; 0 where it has none."""
    state: JobState
    reason: str
    """Of the condition Failed, such as BackoffLimitExceeded; else empty."""
    created: datetime | None
    started: datetime | None
    completed: datetime | None
    """Of a Job that succeeded."""
    deleting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    name: str
    labels: Mapping[str, str]
    created: datetime | None
    phase: str
    ready: bool
    waiting: tuple[tuple[str, str], ...]
    """Container and reason, such as (`dependencies`, `CrashLoopBackOff`): init containers first."""
    initialised: bool
    """Its init containers are done."""
    containers: tuple[str, ...]
    """Names of those that have begun and so have a log, init containers first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealmImport:
    """A KeycloakRealmImport of k8s.keycloak.org/v2alpha1, as its conditions tell."""

    name: str
    done: bool
    started: bool
    errors: bool
    created: datetime | None
    since: datetime | None
    """When the newest of its true conditions came about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of a Secret."""

    empty: bool
    placeholder: bool
    """It is one of the fixture values that were declared."""
    published: bool | None
    """Whether the published digest is that of the value; None where none was given to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Materialised:
    """A Secret, by its keys. The values are dropped in this client."""

    entries: Mapping[str, Entry]
    created: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A ConfigMap."""

    name: str
    labels: Mapping[str, str]
    data: Mapping[str, str]
    created: datetime | None


class Workloads:
    def __init__(self, credential: "TokenCredential") -> None:
        self._api = KubernetesApi(credential)

    # -- Jobs and pods --------------------------------------------------------------------

    def job(self, api_server: ApiServer, namespace: str, name: str) -> Read[Work]:
        """One GET."""
        return read(lambda: _work(job_of(self._api, api_server, namespace, name)))

    def jobs(self, api_server: ApiServer, namespace: str, selector: str) -> Read[tuple[Work, ...]]:
        """A LIST for each page; newest first. selector: of labels, as kubectl takes it."""
        call = _list(
            f"/apis/batch/v1/namespaces/{namespace}/jobs", selector, f"jobs in namespace {namespace}"
        )
        return read(lambda: _newest_first(self._api.every(api_server, call, _work, page=PAGE)))

    def job_log(self, api_server: ApiServer, namespace: str, job: str) -> Read[str]:
        """Three GETs: the end of the log of the Job's newest pod. Absent without the Job, without a pod of
        it, and before that began."""

        def log() -> str:
            uid = str(job_of(self._api, api_server, namespace, job)["metadata"]["uid"])
            return job_log(self._api, api_server, namespace, job, uid)

        return read(log)

    def pods(self, api_server: ApiServer, namespace: str, selector: str) -> Read[tuple[Pod, ...]]:
        """A LIST for each page; newest first. selector: of labels, as kubectl takes it."""
        call = _list(f"/api/v1/namespaces/{namespace}/pods", selector, f"pods in namespace {namespace}")
        return read(lambda: _newest_first(self._api.every(api_server, call, _pod, page=PAGE)))

    def pod_log(self, api_server: ApiServer, namespace: str, pod: str, container: str) -> Read[str]:
        """One GET: the end of the log. Absent without that pod, and before the container began."""
        return read(lambda: log_of(self._api, api_server, namespace, pod, container))

    # -- what they rest on ----------------------------------------------------------------

    def realm_imports(self, api_server: ApiServer, namespace: str) -> Read[tuple[RealmImport, ...]]:
        """A LIST for each page. Absent: the cluster does not serve their kind."""
        path = f"/apis/{REALM_IMPORTS}/namespaces/{namespace}/keycloakrealmimports"
        call = _list(path, "", f"keycloakrealmimports in namespace {namespace}")
        return read(lambda: self._api.every(api_server, call, _realm_import, page=PAGE))

    def config_map(self, api_server: ApiServer, namespace: str, name: str) -> Read[Config]:
        """One GET."""
        call = Call(
            method="GET",
            path=f"/api/v1/namespaces/{namespace}/configmaps/{name}",
            needs=f"get on configmaps in namespace {namespace}",
        )
        return read(lambda: _config(self._api.json(api_server, call)))

    def config_maps(self, api_server: ApiServer, namespace: str, selector: str) -> Read[tuple[Config, ...]]:
        """A LIST for each page; newest first. selector: of labels, as kubectl takes it."""
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        call = _list(path, selector, f"configmaps in namespace {namespace}")
        return read(lambda: _newest_first(self._api.every(api_server, call, _config, page=PAGE)))

    def secret(
        self,
        api_server: ApiServer,
        namespace: str,
        name: str,
        *,
        published: Mapping[str, str],
        placeholders: Collection[str],
    ) -> Read[Materialised]:
        """One GET. The values are dropped here: of each only leaves what Entry says.

        published: by key of the Secret, SHA-256 in hexadecimal digits
        placeholders: as shared.clients.fingerprints makes them of fixture values
        """
        call = Call(
            method="GET",
            path=f"/api/v1/namespaces/{namespace}/secrets/{name}",
            needs=f"get on secrets in namespace {namespace}",
        )
        return read(lambda: _materialised(self._api.json(api_server, call), published, placeholders))

    # -- the one write --------------------------------------------------------------------

    def rerun(self, api_server: ApiServer, namespace: str, name: str, *, uid: str) -> None:
        """Delete the Job with this uid, and create it anew as it was rendered. Raises ReconvergeError."""
        rerun(self._api, api_server, namespace, name, uid=uid)


def _list(path: str, selector: str, what: str) -> Call:
    query = {"labelSelector": selector} if selector else {}
    return Call(method="GET", path=path, query=query, needs=f"list on {what}")


# -- from JSON to records -----------------------------------------------------------------


def _newest_first[T: (Work, Pod, Config)](found: tuple[T, ...]) -> tuple[T, ...]:
    begin = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(found, key=lambda one: one.created or begin, reverse=True))


def _work(found: Json) -> Work:
    metadata, status = found["metadata"], found.get("status") or {}
    annotations = metadata.get("annotations") or {}
    return Work(
        name=metadata["name"],
        uid=metadata["uid"],
        labels=metadata.get("labels") or {},
        hook=annotations.get(HOOK) or _helm_hook(annotations.get(HELM_HOOK)),
        wave=_wave(annotations.get(SYNC_WAVE), annotations.get(HELM_WEIGHT)),
        state=state_of(status),
        reason=word(_condition(status, "Failed").get("reason")),
        created=time_of(metadata.get("creationTimestamp")),
        started=time_of(status.get("startTime")),
        completed=time_of(status.get("completionTime")),
        deleting=bool(metadata.get("deletionTimestamp")),
    )


def _helm_hook(text: str | None) -> str:
    """As Argo CD reads it where it has no annotation of its own. It runs no other hook of Helm in any sync.

    https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#helm-hooks
    """
    if not text:
        return ""
    named = (one.strip() for one in text.split(","))
    return ",".join(dict.fromkeys(_OF_HELM[one] for one in named if one in _OF_HELM)) or "Skip"


def _wave(*texts: str | None) -> int:
    """As Argo CD reads it: the first that is a number, else 0.

    https://github.com/argoproj/gitops-engine/blob/master/pkg/sync/syncwaves/waves.go
    """
    for text in texts:
        with suppress(ValueError):
            return int(text or "")
    return 0


def _condition(status: Json, kind: str) -> Json:
    """The one of that type, if it is true; else an empty one."""
    true = (one for one in status.get("conditions") or () if one.get("status") == "True")
    return next((one for one in true if one.get("type") == kind), {})


def _pod(found: Json) -> Pod:
    metadata, status = found["metadata"], found.get("status") or {}
    return Pod(
        name=metadata["name"],
        labels=metadata.get("labels") or {},
        created=time_of(metadata.get("creationTimestamp")),
        phase=word(status.get("phase")),
        ready=_holds(status, "Ready", otherwise=_all_ready(status)),
        waiting=tuple(
            (one["name"], word(waiting.get("reason")))
            for part in ("initContainerStatuses", "containerStatuses")
            for one in status.get(part) or ()
            if (waiting := (one.get("state") or {}).get("waiting")) is not None
        ),
        initialised=_holds(status, "Initialized", otherwise=_all_begun_well(found)),
        containers=begun(found),
    )


def _holds(status: Json, kind: str, *, otherwise: bool) -> bool:
    """What the condition of that type says; `otherwise` where there is none, as at first."""
    told = (one.get("status") == "True" for one in status.get("conditions") or () if one.get("type") == kind)
    return next(told, otherwise)


def _all_ready(status: Json) -> bool:
    containers = status.get("containerStatuses") or ()
    return bool(containers) and all(one.get("ready") and "running" in one["state"] for one in containers)


def _all_begun_well(pod: Json) -> bool:
    """Every init container has ended well, or is one that goes on beside the others and is ready."""
    told = (pod.get("status") or {}).get("initContainerStatuses") or ()
    done = {one["name"] for one in told if one.get("ready")}
    return all(one["name"] in done for one in pod["spec"].get("initContainers") or ())


def _realm_import(found: Json) -> RealmImport:
    told = (found.get("status") or {}).get("conditions") or ()
    # Older operators wrote `true`, and the newer ones still read it.
    true = [one for one in told if str(one.get("status")).lower() == "true"]
    kinds = {one.get("type") for one in true}
    changed = (time_of(one.get("lastTransitionTime")) for one in true)
    return RealmImport(
        name=found["metadata"]["name"],
        done="Done" in kinds,
        started="Started" in kinds,
        errors="HasErrors" in kinds,
        created=time_of(found["metadata"].get("creationTimestamp")),
        since=max((at for at in changed if at), default=None),
    )


def _config(found: Json) -> Config:
    metadata = found["metadata"]
    return Config(
        name=metadata["name"],
        labels=metadata.get("labels") or {},
        data=found.get("data") or {},
        created=time_of(metadata.get("creationTimestamp")),
    )


def _materialised(found: Json, published: Mapping[str, str], placeholders: Collection[str]) -> Materialised:
    values = {
        key: base64.b64decode(text or "", validate=True) for key, text in (found.get("data") or {}).items()
    }
    return Materialised(
        entries={
            key: Entry(
                empty=not value.strip(),
                placeholder=is_placeholder(value, placeholders),
                published=is_published(value, published[key]) if key in published else None,
            )
            for key, value in values.items()
        },
        created=time_of(found["metadata"].get("creationTimestamp")),
    )
