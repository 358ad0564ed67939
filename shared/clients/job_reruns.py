"""One write, in a room of its own: a Job deleted, and made again as it was rendered.

    GET ── may it be deleted? ── trial of the creation ── DELETE ── POST

Called by shared.clients.workloads. Whoever dies behind the DELETE loses the Job, until Argo CD syncs.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final

from shared.clients.azure_core import AGAIN, shaped
from shared.clients.kubernetes_api import SERVICE, AlreadyExists, Call, KubernetesApi, Lost, NotFound
from shared.clients.managed_clusters import ApiServer
from shared.errors import NotWritten, ReconvergeError, TemporaryError, before_a_write

SOON: Final = timedelta(seconds=5)
"""For an object that is being deleted."""

# What the API server itself gives a Job and its pods, by the Job's uid. The older names are without a prefix.
# https://kubernetes.io/docs/reference/labels-annotations-taints/#batchkubernetesio-controller-uid
_GIVEN_LABELS: Final = frozenset(
    {"batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name"}
)
_GIVEN_ANNOTATIONS: Final = frozenset({"batch.kubernetes.io/job-tracking"})
_OF_DELETION: Final = frozenset({"foregroundDeletion", "orphan"})
"""Finalizers that stand for the way of a deletion, which the deletion itself names anew."""

type Json = Mapping[str, Any]


def rerun(api: KubernetesApi, api_server: ApiServer, namespace: str, name: str, *, uid: str) -> None:
    """Delete the Job with this uid, with its pods, and create it anew as it was rendered: what it runs
    cannot be changed, nor can it be run again.

    A GET, a trial of the creation, a DELETE and a POST, and each of the last two once more where its answer
    is lost. What would keep the new Job from being made is found by the trial, before the old one is gone:
    its manifest is nowhere else.

    Raises ReconvergeError; NotWritten where it is another Job by now, is on its way out already, or
    is held by somebody's finalizer, as Argo CD holds its hooks while they run. Where the old one is
    deleted and no new one is known to be made, the text says so.
    """
    with before_a_write(), shaped(SERVICE):
        found = job_of(api, api_server, namespace, name)
        _hold(found, name, uid)
        manifest = _as_rendered(found)
        _try(api, api_server, namespace, manifest)
    _delete(api, api_server, namespace, name, uid)
    try:
        _create(api, api_server, namespace, manifest, uid=uid)
    # Of whatever kind: something was written.
    except ReconvergeError as error:
        delay = error.delay if isinstance(error, TemporaryError) else AGAIN
        said = f"Job {name} was deleted and is not known to be made anew: {error}"
        raise TemporaryError(said, delay=delay) from error


def job_of(api: KubernetesApi, api_server: ApiServer, namespace: str, name: str) -> Json:
    """One GET. Raises ReconvergeError."""
    call = Call(
        method="GET",
        path=f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}",
        needs=f"get on jobs in namespace {namespace}",
    )
    found: Json = api.json(api_server, call)
    return found


def _try(api: KubernetesApi, api_server: ApiServer, namespace: str, manifest: Json) -> None:
    """The name is looked at last, so that it is taken says that all else is well.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run
    """
    try:
        api.json(api_server, _creation(namespace, manifest, {"dryRun": "All"}))
    except AlreadyExists:
        return


def _delete(api: KubernetesApi, api_server: ApiServer, namespace: str, name: str, uid: str) -> None:
    call = Call(
        method="DELETE",
        path=f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}",
        body={
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid},
        },
        needs=f"delete on jobs in namespace {namespace}",
    )
    try:
        api.json(api_server, call)
    except NotFound:
        return
    # Whether it is gone must be known, since nobody else has the manifest. By its uid it is no other.
    except Lost:
        _delete_again(api, api_server, call, name)


def _delete_again(api: KubernetesApi, api_server: ApiServer, call: Call, name: str) -> None:
    try:
        api.json(api_server, call)
    except NotFound:
        return
    except ReconvergeError as error:
        said = f"it is not known whether Job {name} was deleted; it was not made anew: {error}"
        raise TemporaryError(said, delay=AGAIN) from error


@shaped(SERVICE)
def _create(api: KubernetesApi, api_server: ApiServer, namespace: str, manifest: Json, *, uid: str) -> None:
    create = _creation(namespace, manifest, {})
    try:
        try:
            api.json(api_server, create)
        except AlreadyExists:
            raise
        # Once more, since nobody else has the manifest. Where only the answer was lost, it is there.
        except TemporaryError:
            api.json(api_server, create)
    except AlreadyExists as error:
        there = job_of(api, api_server, namespace, manifest["metadata"]["name"])["metadata"]
        if there["uid"] == uid:
            raise TemporaryError("the old one is still being deleted", delay=SOON) from error


def _creation(namespace: str, manifest: Json, query: Mapping[str, str]) -> Call:
    return Call(
        method="POST",
        path=f"/apis/batch/v1/namespaces/{namespace}/jobs",
        query=query,
        body=manifest,
        needs=f"create on jobs in namespace {namespace}",
    )


def _hold(found: Json, name: str, uid: str) -> None:
    """Raises NotWritten where the Job may not be deleted, or its deletion would not come to an end."""
    metadata = found["metadata"]
    if metadata["uid"] != uid:
        raise NotWritten(f"Job {name} was made anew meanwhile", delay=AGAIN)
    if metadata.get("deletionTimestamp"):
        raise NotWritten(f"Job {name} is being deleted", delay=SOON)
    if set(metadata.get("finalizers") or ()) - _OF_DELETION:
        raise NotWritten(f"Job {name} has a finalizer, so it would stay; nothing was deleted", delay=AGAIN)


def _as_rendered(found: Json) -> Json:
    """The manifest, without what the API server and controllers have added."""
    metadata, spec = found["metadata"], dict(found["spec"])
    if not spec.get("manualSelector"):
        spec.pop("selector", None)
        spec["template"] = _without_given(spec["template"])
    kept = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    if labels := _kept(metadata.get("labels"), _GIVEN_LABELS):
        kept["labels"] = labels
    if annotations := _kept(metadata.get("annotations"), _GIVEN_ANNOTATIONS):
        kept["annotations"] = annotations
    if owners := [one for one in metadata.get("ownerReferences") or () if one.get("kind") != "Job"]:
        kept["ownerReferences"] = owners
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": kept, "spec": spec}


def _without_given(template: Json) -> Json:
    metadata = dict(template.get("metadata") or {})
    if "labels" in metadata:
        metadata["labels"] = _kept(metadata["labels"], _GIVEN_LABELS)
    return {**template, "metadata": metadata}


def _kept(pairs: Mapping[str, str] | None, given: Collection[str]) -> Mapping[str, str]:
    return {key: text for key, text in (pairs or {}).items() if key not in given}
