"""Carries out one step. Safe to repeat: an annotation may be set twice, nothing is asked for while an
operation is running, and what is stopped is the operation that was planned for alone."""

from datetime import datetime

from responders.applications.situations import REFRESH, SYNC, TERMINATE
from shared import cluster_writes
from shared.contract import refusal
from shared.errors import PermanentError
from shared.landscape import DeclaredArgoCD
from shared.model import Step
from shared.world import Scope


def apply(scope: Scope, step: Step) -> None:
    """Raises ReconvergeError of the client, and PermanentError for a step that no plan of this responder may
    hold: the last guard before a write, whatever went wrong above."""
    declared = scope.environment.argocd
    if declared is None:
        raise PermanentError(f"{scope.environment.name} declares no Argo CD")
    if step.action not in (REFRESH, SYNC, TERMINATE):
        raise PermanentError(f"{step.action} is not an action of applications")
    if why := refusal(step, scope.environment.contract):
        raise PermanentError(f"{step.owner} may not be operated: {why}")
    name, uid = step.after["name"], step.after["uid"]
    api_server = cluster_writes.api_server(scope, _cluster_id(scope, declared, step, name))
    argocd, namespace = scope.world.argocd, declared.namespace
    match step.action:
        case "application.refresh":
            argocd.refresh(api_server, namespace, name, uid=uid)
        case "application.sync":
            why = f"the cause of {step.after.get('fault', 'its failure')} is mended"
            argocd.sync(api_server, namespace, name, uid=uid, why=why)
        case "application.terminate":
            started = datetime.fromisoformat(step.after["started"])
            argocd.terminate(api_server, namespace, name, uid=uid, started=started)


def _cluster_id(scope: Scope, declared: DeclaredArgoCD, step: Step, name: str) -> str:
    cluster_id = scope.environment.cluster(declared.cluster).id
    ours = f"{cluster_id}/namespaces/{declared.namespace}/applications/{name}"
    if step.owner != ours or declared.rule(name) is None:
        raise PermanentError(f"{step.owner} is none of the environment's Applications")
    return cluster_id
