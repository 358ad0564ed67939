"""How well an object is, as Argo CD judges it by what the object says of itself.

https://argo-cd.readthedocs.io/en/stable/operator-manual/health/
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sandbox.cron_jobs import FAILED, SUCCEEDED
from sandbox.kubernetes_objects import Object

HEALTHY: Final = "Healthy"
PROGRESSING: Final = "Progressing"
MISSING: Final = "Missing"
DEGRADED: Final = "Degraded"
_WORST_LAST: Final = (HEALTHY, PROGRESSING, MISSING, DEGRADED)


@dataclass(frozen=True, slots=True)
class Health:
    status: str
    message: str = ""


def health_of(held: Object) -> Health | None:
    """None for a kind that has no health, such as a ConfigMap."""
    match held["kind"]:
        case "Job":
            return _of_job(held)
        case "Deployment":
            return _of_deployment(held)
        case "ExternalSecret" | "SecretStore":
            return _by_readiness(held)
        case "KeycloakRealmImport":
            return _of_realm_import(held)
    return None


def worst(healths: Iterable[str]) -> str:
    """Of an Application, by the health of what belongs to it."""
    return max(healths, key=_WORST_LAST.index, default=HEALTHY)


def _of_job(held: Object) -> Health:
    for condition in (held.get("status") or {}).get("conditions") or ():
        if condition["status"] == "True":
            if condition["type"] == FAILED:
                return Health(DEGRADED, condition.get("message", ""))
            if condition["type"] == SUCCEEDED:
                return Health(HEALTHY, condition.get("message", ""))
    return Health(PROGRESSING)


def _of_deployment(held: Object) -> Health:
    """By its counts; a rollout that has got stuck is Degraded once its time is up, and not before."""
    spec, status = held["spec"], held.get("status") or {}
    if status.get("observedGeneration", 0) < held["metadata"].get("generation", 0):
        return Health(
            PROGRESSING,
            "Waiting for rollout to finish: observed deployment generation less than desired generation",
        )
    for condition in status.get("conditions") or ():
        if condition["type"] == "Progressing" and condition["reason"] == "ProgressDeadlineExceeded":
            said = f'Deployment "{held["metadata"]["name"]}" exceeded its progress deadline'
            return Health(DEGRADED, said)
    wanted, there, updated, available = (
        spec.get("replicas", 1),
        *(status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")),
    )
    waiting = "Waiting for rollout to finish"
    if updated < wanted:
        said = f"{waiting}: {updated} out of {wanted} new replicas have been updated..."
    elif there > updated:
        said = f"{waiting}: {there - updated} old replicas are pending termination..."
    elif available < updated:
        said = f"{waiting}: {available} of {updated} updated replicas are available..."
    else:
        return Health(HEALTHY)
    return Health(PROGRESSING, said)


def _by_readiness(held: Object) -> Health:
    for condition in (held.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Ready":
            ready = condition["status"] == "True"
            return Health(HEALTHY if ready else DEGRADED, condition.get("message", ""))
    return Health(PROGRESSING, f"Waiting for {held['kind']}")


def _of_realm_import(held: Object) -> Health:
    """https://github.com/argoproj/argo-cd/blob/master/resource_customizations/k8s.keycloak.org"""
    told = {one["type"]: one for one in (held.get("status") or {}).get("conditions") or ()}
    for kind, status in (("HasErrors", DEGRADED), ("Done", HEALTHY), ("Started", PROGRESSING)):
        if (condition := told.get(kind)) and str(condition["status"]) == "True":
            return Health(status, condition.get("message", ""))
    return Health(PROGRESSING, "Waiting for Keycloak Realm Import")
