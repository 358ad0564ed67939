"""What responders that write in clusters do alike: reaching the API server, and one Application's sync."""

from shared.clients.argocd import Application
from shared.clients.azure_core import AGAIN
from shared.clients.managed_clusters import ApiServer
from shared.errors import NotWritten, PermanentError
from shared.landscape import Action
from shared.model import Known, Step
from shared.world import Scope


def api_server(scope: Scope, cluster_id: str) -> ApiServer:
    """Raises NotWritten while nobody knows where it is."""
    found = scope.world.clusters.api_server(cluster_id)
    if isinstance(found, Known):
        return found.value
    raise NotWritten("the cluster's API server is not known", delay=AGAIN)


def sync_step(
    application: Application, application_id: str, *, situation: str, mends: str, **more: str
) -> Step:
    """The step that syncs the Application which deploys what a responder looks after.

    situation: digest of what it is made for
    more: of what it is made for, what is told of it
    """
    return Step(
        action=Action.APPLICATION_SYNC.value,
        object=application_id,
        owner=application_id,
        before=None,
        after={"name": application.name, "uid": application.uid, "situation": situation, **more},
        mends=mends,
    )


def sync(scope: Scope, step: Step, application: str, *, of: str, why: str) -> None:
    """Carry out such a step. The caller has asked the contract.

    application: name of the declared one
    of: whose it is, in words
    why: what Argo CD shows as the reason
    Raises what the clients raise, and PermanentError for a step of another Application.
    """
    argocd = scope.environment.argocd
    if argocd is None:
        raise PermanentError(f"{scope.environment.name} declares no Argo CD")
    cluster_id = scope.environment.cluster(argocd.cluster).id
    ours = f"{cluster_id}/namespaces/{argocd.namespace}/applications/{application}"
    if (step.object, step.owner, step.after["name"]) != (ours, ours, application):
        raise PermanentError(f"{step.owner} is not the Application of {of}")
    scope.world.argocd.sync(
        api_server(scope, cluster_id), argocd.namespace, application, uid=step.after["uid"], why=why
    )
