"""The subresource `log` of pods.

https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#get-read-log-of-the-specified-pod
"""

from collections.abc import Mapping

from sandbox.kubernetes_errors import StatusError, bad_request, not_found
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_requests import Target
from sandbox.kubernetes_resources import PODS


def log_of(objects: Objects, target: Target, query: Mapping[str, str]) -> str:
    """What the container has printed, as much of it as is asked for. Raises StatusError (400, 404)."""
    pod = objects.get(PODS, target.namespace, target.name)
    if pod is None:
        raise not_found(PODS, target.name)
    container = _container(pod, query.get("container", ""))
    _require_begun(pod, container)
    if query.get("previous") in ("1", "true"):
        raise bad_request(f'previous terminated container "{container}" in pod "{target.name}" not found')
    text = objects.log(target.namespace, target.name, container)
    if lines := _number(query, "tailLines"):
        text = "".join(text.splitlines(keepends=True)[-lines:])
    elif "tailLines" in query:
        text = ""
    size = _number(query, "limitBytes")
    return text.encode()[:size].decode(errors="ignore") if size else text


def _container(pod: Object, asked: str) -> str:
    name, spec = pod["metadata"]["name"], pod["spec"]
    containers, init = (
        [one["name"] for one in spec.get(sort) or ()] for sort in ("containers", "initContainers")
    )
    if asked:
        if asked not in (*containers, *init):
            raise bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(containers) == 1 and not init:
        return str(containers[0])
    beside = f" or one of the init containers: [{' '.join(init)}]" if init else ""
    raise bad_request(
        f"a container name must be specified for pod {name}, choose one of: [{' '.join(containers)}]{beside}"
    )


def _require_begun(pod: Object, container: str) -> None:
    status = pod.get("status") or {}
    states = [
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ]
    waiting = next(
        (
            one["state"]["waiting"]
            for one in states
            if one["name"] == container
            and "waiting" in (one.get("state") or {})
            # One that waits for its next start shows what it printed last.
            and "terminated" not in (one.get("lastState") or {})
        ),
        None,
    )
    if waiting is not None:
        raise bad_request(
            f'container "{container}" in pod "{pod["metadata"]["name"]}" is waiting to start: '
            f"{waiting.get('reason', '')}"
        )


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    if text and not text.isdecimal():
        said = f'PodLogOptions "" is invalid: {name}: Invalid value: "{text}": must be a whole number'
        raise StatusError(422, "Invalid", said)
    return int(text or 0)
