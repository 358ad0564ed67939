"""What a cluster holds of the way from the bootstrap to Ready secrets: its CronJob, Jobs and log, stores and
ExternalSecrets; and the two writes on that way: start a Job, refresh an object.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/cron-job-v1/
https://external-secrets.io/latest/api/spec/
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from shared.clients.azure_core import AGAIN, shaped
from shared.clients.kubernetes_api import (
    MERGE_PATCH,
    SERVICE,
    AlreadyExists,
    BadRequest,
    Call,
    KubernetesApi,
    NotFound,
    read,
    time_of,
    word,
)
from shared.clients.managed_clusters import ApiServer
from shared.errors import NotWritten, before_a_write
from shared.model import Read

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

LOG_LINES: Final = 200
LOG_BYTES: Final = 64 * 1024
"""A bootstrap says at the end what it failed of; the rest is not worth its way."""

GROUP: Final = "external-secrets.io"
VERSIONS: Final = ("v1", "v1beta1")
"""Newest first. v1 is there since External Secrets 0.16, and alone since 0.17."""
FORCE_SYNC: Final = "force-sync"
"""The annotation that operators set by hand; any change of it makes the operator look again."""

type Json = Mapping[str, Any]


class JobState(StrEnum):
    ACTIVE = "active"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CronJob:
    uid: str
    schedule: str
    time_zone: str | None
    suspended: bool
    created: datetime | None
    last_success: datetime | None
    replaces: bool = False
    """A Job that still runs is ended when the next one is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    name: str
    state: JobState
    created: datetime | None
    completed: datetime | None
    """Of a Job that succeeded."""


class Kind(StrEnum):
    """Kinds of the External Secrets Operator, by their plural."""

    STORE = "secretstores"
    EXTERNAL_SECRET = "externalsecrets"  # noqa: S105 (a kind, not a secret)

    @property
    def singular(self) -> str:
        return {"secretstores": "SecretStore", "externalsecrets": "ExternalSecret"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """A store or an ExternalSecret, as its condition Ready tells."""

    name: str
    uid: str
    ready: bool
    reason: str
    """Of the condition; empty while the operator has not said anything."""
    since: str
    """When the condition last changed, as the operator spells it."""
    reads: frozenset[str] = frozenset()
    """Of an ExternalSecret: the stores of its namespace that it reads through."""


@dataclass(frozen=True, slots=True)
class Event:
    """Why an object is not Ready stands only here. The text may hold anything, so it is never shown."""

    name: str
    """Of the object."""
    message: str = field(repr=False)


class ClusterApi:
    def __init__(self, credential: "TokenCredential") -> None:
        self._api = KubernetesApi(credential)
        self._served: dict[ApiServer, str] = {}
        self._lock = Lock()

    # -- the bootstrap --------------------------------------------------------------------

    def cron_job(self, api_server: ApiServer, namespace: str, name: str) -> Read[CronJob]:
        """One GET."""
        return read(lambda: _cron_job(self._cron_job(api_server, namespace, name)))

    def jobs(self, api_server: ApiServer, namespace: str, owner: str) -> Read[tuple[Job, ...]]:
        """One LIST: the Jobs that belong to the CronJob with this uid, newest first."""
        call = Call(
            method="GET",
            path=f"/apis/batch/v1/namespaces/{namespace}/jobs",
            needs=f"list on jobs in namespace {namespace}",
        )
        return read(
            lambda: tuple(
                sorted(
                    (_job(one) for one in self._api.json(api_server, call)["items"] if _owned(one, owner)),
                    key=lambda job: job.created or datetime.min.replace(tzinfo=UTC),
                    reverse=True,
                )
            )
        )

    def log(self, api_server: ApiServer, namespace: str, job: str) -> Read[str]:
        """Two GETs: the end of the log of the Job's newest pod. Absent without a pod, or before it began.

        The text may hold anything. It is for log_reasons only: never to be kept, shown or put into an error.
        """
        return read(lambda: job_log(self._api, api_server, namespace, job))

    def start(self, api_server: ApiServer, namespace: str, cron_job: str, *, uid: str, name: str) -> None:
        """Make a Job of the CronJob's template, as `kubectl create job --from` does. A GET and a POST.

        name: the same until a start is confirmed, so that a second one finds the first one's Job.
        Raises ReconvergeError, NotWritten where the CronJob could not be read, or has another uid than it had
        when this was planned. A Job of that name is a success, whatever came of it.
        Source: https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/kubectl/pkg/cmd/create/create_job.go
        """
        create = Call(
            method="POST",
            path=f"/apis/batch/v1/namespaces/{namespace}/jobs",
            body=self._job_to_make(api_server, namespace, cron_job, uid, name),
            needs=f"create on jobs in namespace {namespace}",
        )
        try:
            self._api.json(api_server, create)
        except AlreadyExists:
            return

    # -- what rests on the seeds ----------------------------------------------------------

    def synced(self, api_server: ApiServer, namespace: str, kind: Kind) -> Read[tuple[Synced, ...]]:
        """One LIST; a second one once, where the cluster serves only the older version. Absent: it serves
        neither."""
        return read(lambda: tuple(map(_synced, self._list(api_server, namespace, kind)["items"])))

    def events(self, api_server: ApiServer, namespace: str, kind: Kind) -> Read[tuple[Event, ...]]:
        """One LIST: what was said of objects of this kind in the last hour or so."""
        call = Call(
            method="GET",
            path=f"/api/v1/namespaces/{namespace}/events",
            query={"fieldSelector": f"involvedObject.kind={kind.singular},type=Warning", "limit": "500"},
            needs=f"list on events in namespace {namespace}",
        )
        return read(lambda: tuple(map(_event, self._api.json(api_server, call)["items"])))

    def refresh(self, api_server: ApiServer, namespace: str, kind: Kind, name: str, mark: str) -> None:
        """Make the operator look at an object again. One PATCH of one annotation. Raises ReconvergeError."""
        version = self._served.get(api_server, VERSIONS[0])
        patch = Call(
            method="PATCH",
            path=f"/apis/{GROUP}/{version}/namespaces/{namespace}/{kind.value}/{name}",
            body={"metadata": {"annotations": {FORCE_SYNC: mark}}},
            content_type=MERGE_PATCH,
            needs=f"patch on {kind.value} in namespace {namespace}",
        )
        self._api.json(api_server, patch)

    # -- how ------------------------------------------------------------------------------

    def _cron_job(self, api_server: ApiServer, namespace: str, name: str) -> Json:
        call = Call(
            method="GET",
            path=f"/apis/batch/v1/namespaces/{namespace}/cronjobs/{name}",
            needs=f"get on cronjobs in namespace {namespace}",
        )
        found: Json = self._api.json(api_server, call)
        return found

    def _job_to_make(self, api_server: ApiServer, namespace: str, cron_job: str, uid: str, name: str) -> Json:
        with before_a_write(), shaped(SERVICE):
            found = self._cron_job(api_server, namespace, cron_job)
            if found["metadata"]["uid"] != uid:
                raise NotWritten(f"CronJob {cron_job} was made anew meanwhile", delay=AGAIN)
            return _job_of(found, name)

    def _list(self, api_server: ApiServer, namespace: str, kind: Kind) -> Json:
        known = self._served.get(api_server, VERSIONS[0])
        for version in dict.fromkeys((known, *VERSIONS)):
            call = Call(
                method="GET",
                path=f"/apis/{GROUP}/{version}/namespaces/{namespace}/{kind.value}",
                needs=f"list on {kind.value} in namespace {namespace}",
            )
            try:
                found: Json = self._api.json(api_server, call)
            except NotFound:
                continue
            with self._lock:
                self._served[api_server] = version
            return found
        raise NotFound(f"the API server serves no {kind.value} of {GROUP}", delay=AGAIN)


# -- Jobs and their logs, for other clients too -------------------------------------------


def state_of(status: Json) -> JobState:
    """Of a Job."""
    true = {one["type"] for one in status.get("conditions") or () if one.get("status") == "True"}
    if "Complete" in true:
        return JobState.COMPLETE
    return JobState.FAILED if true & {"Failed", "FailureTarget"} else JobState.ACTIVE


def job_log(
    api: KubernetesApi, api_server: ApiServer, namespace: str, job: str, uid: str | None = None
) -> str:
    """The end of the log of the Job's newest pod. Raises NotFound without a pod, or before it began.

    uid: of the Job; pods of an earlier one of its name, which may still be there, are left out then
    """
    call = Call(
        method="GET",
        path=f"/api/v1/namespaces/{namespace}/pods",
        query={"labelSelector": f"job-name={job}"},
        needs=f"list on pods in namespace {namespace}",
    )
    pods = [pod for pod in api.json(api_server, call)["items"] if uid is None or _owned(pod, uid)]
    newest = max(pods, key=lambda pod: pod["metadata"].get("creationTimestamp") or "", default=None)
    containers = begun(newest) if newest else ()
    if newest is None or not containers:
        raise NotFound("no container of the Job has begun", delay=AGAIN)
    return log_of(api, api_server, namespace, newest["metadata"]["name"], containers[-1])


def log_of(api: KubernetesApi, api_server: ApiServer, namespace: str, pod: str, container: str) -> str:
    """The end of one container's log. Raises NotFound without such a pod, and before the container began."""
    call = Call(
        method="GET",
        path=f"/api/v1/namespaces/{namespace}/pods/{pod}/log",
        query={"container": container, "tailLines": str(LOG_LINES), "limitBytes": str(LOG_BYTES)},
        needs=f"get on pods/log in namespace {namespace}",
    )
    try:
        return api.text(api_server, call)
    except BadRequest as error:
        raise NotFound(str(error), delay=AGAIN) from error


def begun(pod: Json) -> tuple[str, ...]:
    """Its containers that may have written anything, in the order in which they run."""
    status = pod.get("status") or {}
    return tuple(
        one["name"]
        for part in ("initContainerStatuses", "containerStatuses")
        for one in status.get(part) or ()
        # One that waits for its next try still has the log of the last.
        if {"running", "terminated"} & set(one.get("state") or {}) or one.get("lastState")
    )


# -- from JSON to records -----------------------------------------------------------------


def _cron_job(found: Json) -> CronJob:
    spec, status = found["spec"], found.get("status") or {}
    return CronJob(
        uid=found["metadata"]["uid"],
        schedule=spec["schedule"],
        time_zone=spec.get("timeZone"),
        suspended=bool(spec.get("suspend")),
        created=time_of(found["metadata"].get("creationTimestamp")),
        last_success=time_of(status.get("lastSuccessfulTime")),
        replaces=spec.get("concurrencyPolicy") == "Replace",
    )


def _owned(job: Json, owner: str) -> bool:
    return any(one.get("uid") == owner for one in job["metadata"].get("ownerReferences") or ())


def _job(found: Json) -> Job:
    status = found.get("status") or {}
    return Job(
        name=found["metadata"]["name"],
        state=state_of(status),
        created=time_of(found["metadata"].get("creationTimestamp")),
        completed=time_of(status.get("completionTime")),
    )


def _job_of(cron_job: Json, name: str) -> Json:
    template = cron_job["spec"]["jobTemplate"]
    described = template.get("metadata") or {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "annotations": {
                **(described.get("annotations") or {}),
                "cronjob.kubernetes.io/instantiate": "manual",
            },
            "labels": described.get("labels") or {},
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "CronJob",
                    "name": cron_job["metadata"]["name"],
                    "uid": cron_job["metadata"]["uid"],
                    "controller": True,
                }
            ],
        },
        "spec": template["spec"],
    }


def _synced(found: Json) -> Synced:
    conditions: Iterable[Json] = (found.get("status") or {}).get("conditions") or ()
    ready = next((one for one in conditions if one.get("type") == "Ready"), {})
    return Synced(
        name=found["metadata"]["name"],
        uid=found["metadata"]["uid"],
        ready=ready.get("status") == "True",
        reason=word(ready.get("reason")),
        since=ready.get("lastTransitionTime") or "",
        reads=frozenset(_stores(found.get("spec") or {})),
    )


def _stores(spec: Json) -> Iterator[str]:
    """One for all values, or one for a value."""
    values = (*(spec.get("data") or ()), *(spec.get("dataFrom") or ()))
    own = [(one.get("sourceRef") or {}).get("storeRef") for one in values]
    for store in (spec.get("secretStoreRef"), *own):
        if store and store.get("kind", Kind.STORE.singular) == Kind.STORE.singular:
            yield str(store.get("name"))


def _event(found: Json) -> Event:
    return Event(found["involvedObject"]["name"], found.get("message") or "")
