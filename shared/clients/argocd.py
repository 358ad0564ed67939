"""Argo CD's Applications as the cluster's own API shows them, and the three things that can be asked of Argo
CD through them: to look again, to sync, and to stop.

No call of Argo CD's own API: its sign-on may be down just when it is needed. What its server checks before it
obeys is checked here instead. Source of every rule is Argo CD's code, https://github.com/argoproj/argo-cd:

    an operation in progress bars another; a new one clears status.operationState
                                              util/argo/argo.go, SetAppOperation
    options and retry are those of spec.syncPolicy; nothing is synced that is being deleted
                                              server/application/application.go, Sync
    prune only as spec.syncPolicy.automated says, and never of all that there is unless it says allowEmpty
                                              controller/appcontroller.go, autoSync
    without revisions the controller resolves those of the spec, of one source and of several
                                              controller/state.go, CompareAppState
    stopping needs an operation and its state
                                              server/application/application.go, TerminateOperation

Messages are written by whatever failed and may hold anything: they are for shared.failure_texts alone, never
to be kept, shown or put into an error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from shared.clients.azure_core import AGAIN, shaped
from shared.clients.kubernetes_api import MERGE_PATCH, SERVICE, Call, KubernetesApi, read, time_of, word
from shared.clients.managed_clusters import ApiServer
from shared.errors import NotWritten, before_a_write
from shared.model import Read

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

GROUP: Final = "argoproj.io/v1alpha1"
REFRESH: Final = "argocd.argoproj.io/refresh"
SKIP_RECONCILE: Final = "argocd.argoproj.io/skip-reconcile"
USERNAME: Final = "reconverge"
PAGE: Final = 50
"""Applications of one request. One with many resources takes 100 kB and more, and only a fraction is kept."""
LONGEST_MESSAGE: Final = 16 * 1024
"""Characters. Whoever wraps an error puts the cause at its end, and what was being done at its beginning."""

type Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    type: str
    message: str = field(repr=False)
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource that failed: in the last operation, or by its health."""

    kind: str
    name: str
    message: str = field(repr=False)
    hook: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationState:
    """The last operation, or the one that is running."""

    phase: str
    message: str = field(repr=False)
    started: datetime | None
    finished: datetime | None
    resources: tuple[Resource, ...]
    """Those that failed."""
    jobs: tuple[str, ...]
    """Names of the Jobs that it came to, whatever became of them."""
    ours: bool
    """It says that we asked for it. Who else did is not kept."""

    @property
    def under_way(self) -> bool:
        return self.phase in _UNDER_WAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    namespace: str
    name: str
    uid: str
    sync: str
    """Synced, OutOfSync, Unknown; empty before it was compared for the first time."""
    health: str
    health_since: datetime | None
    """None: it was never told, as by an Argo CD that does not keep it."""
    unhealthy: tuple[Resource, ...]
    """Of its resources. Argo CD 3 leaves their health out unless it is told to keep it."""
    conditions: tuple[Condition, ...]
    operation: OperationState | None
    requested: bool
    """An operation is asked for, or running."""
    refreshing: bool
    """A refresh was asked for, and has not happened yet."""
    automated: bool
    """It is synced whenever it differs from what is declared."""
    emptied: bool
    """A sync as it declares would prune all that it has, and it does not say that it may be empty."""
    skipped: bool
    """Argo CD is told to leave it alone, so what it shows is of the past."""
    deleting: bool

    @property
    def running(self) -> bool:
        return self.requested or (self.operation is not None and self.operation.under_way)


_UNDER_WAY: Final = frozenset({"Running", "Terminating"})
_BROKEN: Final = frozenset({"Degraded", "Missing"})
_FAILED: Final = frozenset({"Failed", "Error"})


class ArgoCD:
    def __init__(self, credential: "TokenCredential") -> None:
        self._api = KubernetesApi(credential)

    def application(self, api_server: ApiServer, namespace: str, name: str) -> Read[Application]:
        """One GET. Absent: no such Application, or the cluster does not serve them."""
        return read(lambda: _application(self._found(api_server, namespace, name)))

    def applications(self, api_server: ApiServer, namespace: str) -> Read[tuple[Application, ...]]:
        """All of the namespace, a LIST for each page. Absent: the cluster does not serve Applications."""
        call = Call(
            method="GET", path=_path(namespace), needs=f"list on applications in namespace {namespace}"
        )
        return read(lambda: self._api.every(api_server, call, _application, page=PAGE))

    def refresh(self, api_server: ApiServer, namespace: str, name: str, *, uid: str) -> None:
        """Make Argo CD read sources anew, past its cache of manifests: it remembers a failure to render as
        well. A GET, and a PATCH of one annotation, which Argo CD removes when it is done.

        Raises what `sync` raises, whether or not there is automated sync.
        """
        with before_a_write(), shaped(SERVICE):
            found = self._idle(api_server, namespace, name, uid)
            marks = {
                "resourceVersion": found["metadata"]["resourceVersion"],
                "annotations": {REFRESH: "hard"},
            }
        self._patch(api_server, namespace, name, {"metadata": marks})

    def sync(self, api_server: ApiServer, namespace: str, name: str, *, uid: str, why: str) -> None:
        """Ask for a sync as the Application itself is configured to be synced. A GET and a PATCH.

        uid: what it was planned for. why: a short text that is shown with the operation.

        The operation calls itself automated, so that a sync window that keeps automatic syncs out keeps this
        one out as well. It names no revision: the controller resolves what the spec tracks when it begins,
        and a commit that was read here might be behind that by then. But where it must not prune all that
        there is, it names what was compared, as auto-sync does: what would be pruned is known of no other.
        So only what Argo CD would bring there by itself may be synced: elsewhere people choose the revision,
        and when.

        Raises ReconvergeError; NotWritten where an operation is in progress, the Application has no
        automated sync (any more), would lose all that it has, is another one or on its way out, somebody
        else wrote it meanwhile, or the GET failed: it is to be planned anew then.
        """
        with before_a_write(), shaped(SERVICE):
            found = self._idle(api_server, namespace, name, uid)
            application = _application(found)
            if not application.automated:
                raise NotWritten(f"Application {name} has no automated sync", delay=AGAIN)
            if application.emptied:
                raise NotWritten(f"a sync would prune all that Application {name} has", delay=AGAIN)
            patch = {
                "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
                "operation": _operation(found, why),
                "status": {"operationState": None},
            }
        self._patch(api_server, namespace, name, patch)

    def terminate(
        self, api_server: ApiServer, namespace: str, name: str, *, uid: str, started: datetime
    ) -> None:
        """Stop the operation that began then. A GET and a PATCH.

        Raises ReconvergeError; NotWritten where no operation is in progress, or another one, or the GET
        failed.
        """
        with before_a_write(), shaped(SERVICE):
            found = self._get(api_server, namespace, name, uid)
            state = _application(found).operation
            if not found.get("operation") or state is None or state.started != started:
                raise NotWritten(f"that operation of Application {name} has ended", delay=AGAIN)
            patch = {
                "metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
                "status": {"operationState": {"phase": "Terminating"}},
            }
        self._patch(api_server, namespace, name, patch)

    # -- how ------------------------------------------------------------------------------

    def _idle(self, api_server: ApiServer, namespace: str, name: str, uid: str) -> Json:
        found = self._get(api_server, namespace, name, uid)
        if _application(found).running:
            raise NotWritten(f"an operation of Application {name} is in progress", delay=AGAIN)
        return found

    def _found(self, api_server: ApiServer, namespace: str, name: str) -> Json:
        call = Call(
            method="GET",
            path=_path(namespace, name),
            needs=f"get on applications in namespace {namespace}",
        )
        found: Json = self._api.json(api_server, call)
        return found

    def _get(self, api_server: ApiServer, namespace: str, name: str, uid: str) -> Json:
        found = self._found(api_server, namespace, name)
        metadata = found["metadata"]
        if metadata["uid"] != uid:
            raise NotWritten(f"Application {name} was made anew meanwhile", delay=AGAIN)
        if metadata.get("deletionTimestamp"):
            raise NotWritten(f"Application {name} is being deleted", delay=AGAIN)
        return found

    def _patch(self, api_server: ApiServer, namespace: str, name: str, body: Json) -> None:
        call = Call(
            method="PATCH",
            path=_path(namespace, name),
            body=body,
            content_type=MERGE_PATCH,
            needs=f"patch on applications in namespace {namespace}",
        )
        self._api.json(api_server, call)


def _path(namespace: str, name: str = "") -> str:
    return f"/apis/{GROUP}/namespaces/{namespace}/applications{f'/{name}' if name else ''}"


def _operation(found: Json, why: str) -> Json:
    """The controller knows no other options than those of the operation itself."""
    policy = found["spec"].get("syncPolicy") or {}
    automated = policy.get("automated") or {}
    sync: dict[str, Any] = {"prune": bool(automated.get("prune"))}
    if _spares_the_last(automated):
        compared = (found.get("status") or {}).get("sync") or {}
        # One source has the first, several have the second.
        sync |= {name: compared[name] for name in ("revision", "revisions") if compared.get(name)}
    if options := policy.get("syncOptions"):
        sync["syncOptions"] = options
    operation: dict[str, Any] = {
        "initiatedBy": {"username": USERNAME, "automated": True},
        "info": [{"name": "Reason", "value": why}],
        "sync": sync,
    }
    if retry := policy.get("retry"):
        operation["retry"] = retry
    return operation


# -- from JSON to records -----------------------------------------------------------------


def _application(found: Json) -> Application:
    metadata, spec, status = found["metadata"], found["spec"], found.get("status") or {}
    annotations = metadata.get("annotations") or {}
    automated = (spec.get("syncPolicy") or {}).get("automated")
    return Application(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        sync=word((status.get("sync") or {}).get("status")),
        health=word((status.get("health") or {}).get("status")),
        health_since=time_of((status.get("health") or {}).get("lastTransitionTime")),
        unhealthy=tuple(_unhealthy(status)),
        conditions=tuple(map(_condition, status.get("conditions") or ())),
        operation=_operation_state(status.get("operationState")),
        requested=bool(found.get("operation")),
        refreshing=REFRESH in annotations,
        automated=automated is not None and automated.get("enabled") is not False,
        emptied=_emptied(automated or {}, status),
        skipped=str(annotations.get(SKIP_RECONCILE, "")).lower() in _TRUE,
        deleting=bool(metadata.get("deletionTimestamp")),
    )


_TRUE: Final = frozenset({"1", "t", "true"})
"""As Go's strconv.ParseBool reads an annotation."""


def _emptied(automated: Json, status: Json) -> bool:
    if not _spares_the_last(automated):
        return False
    # One that is Synced has nothing to prune. It may have no resources: all that it renders may be hooks.
    differs = (status.get("sync") or {}).get("status") != "Synced"
    return differs and all(one.get("requiresPruning") for one in status.get("resources") or ())


def _spares_the_last(automated: Json) -> bool:
    """It may prune, and not all that there is."""
    return bool(automated.get("prune")) and not automated.get("allowEmpty")


def _condition(found: Json) -> Condition:
    return Condition(
        type=word(found.get("type")),
        message=_message(found.get("message")),
        since=time_of(found.get("lastTransitionTime")),
    )


def _unhealthy(status: Json) -> Iterator[Resource]:
    for one in status.get("resources") or ():
        health = one.get("health") or {}
        if health.get("status") in _BROKEN:
            yield Resource(
                kind=word(one.get("kind")), name=one["name"], message=_message(health.get("message"))
            )


def _operation_state(found: Json | None) -> OperationState | None:
    if not found:
        return None
    resources = (found.get("syncResult") or {}).get("resources") or ()
    return OperationState(
        phase=word(found.get("phase")),
        message=_message(found.get("message")),
        started=time_of(found.get("startedAt")),
        finished=time_of(found.get("finishedAt")),
        resources=tuple(
            Resource(
                kind=word(one.get("kind")),
                name=one["name"],
                message=_message(one.get("message")),
                hook=bool(one.get("hookType")),
            )
            for one in resources
            # A hook has no status of its own, only a phase.
            if one.get("status") == "SyncFailed" or one.get("hookPhase") in _FAILED
        ),
        jobs=tuple(one["name"] for one in resources if one.get("kind") == "Job"),
        ours=((found.get("operation") or {}).get("initiatedBy") or {}).get("username") == USERNAME,
    )


def _message(text: object) -> str:
    if not isinstance(text, str):
        return ""
    half = LONGEST_MESSAGE // 2
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:half]}\n…\n{text[-half:]}"
