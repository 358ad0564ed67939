"""Carries out one step. Safe to repeat: a pull request is found again, a Job is deleted by its uid alone, a
redirect URI is added where it is missing, and nothing is synced while an operation is running."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from responders.keycloak_bootstrap.course import prefix_of
from responders.keycloak_bootstrap.facts import Purpose, is_wave
from responders.keycloak_bootstrap.gather import realm_of
from responders.keycloak_bootstrap.order import SYNC as SYNC_HOOK
from responders.keycloak_bootstrap.plan import ACTIONS, JOBS, ORDERS, REDIRECT, RERUNS, SYNC
from responders.keycloak_bootstrap.writing import body, closing, message, title
from shared import cluster_writes, proposals
from shared.clients.azure_core import AGAIN
from shared.clients.cluster_api import JobState
from shared.clients.managed_clusters import ApiServer
from shared.contract import refusal
from shared.errors import PermanentError, TemporaryError
from shared.landscape import DeclaredHooks, DeclaredKeycloak, ValuesFile, repository_page
from shared.model import Absent, Channel, Known, Step
from shared.world import Scope

_KNOB: Final = re.compile(r"reconverge-[0-9a-f]{8}", re.ASCII)


def apply(scope: Scope, step: Step) -> None:
    """Raises ReconvergeError of the clients, and PermanentError for a step that no plan of this responder may
    hold: the last guard before a write, whatever went wrong above."""
    declared = scope.environment.keycloak
    if declared is None:
        raise PermanentError(f"{scope.environment.name} declares no Keycloak")
    if step.action not in ACTIONS:
        raise PermanentError(f"{step.action} is not an action of keycloak_bootstrap")
    if why := refusal(step, scope.environment.contract):
        raise PermanentError(f"{step.owner} may not be written: {why}")
    _HANDS[step.action](scope, declared, step)


# -- values ---------------------------------------------------------------------------------


def _values(scope: Scope, declared: DeclaredKeycloak, step: Step) -> None:
    """The caller holds the repository's lease: GitHub asks for writes one after the other."""
    file = declared.hooks.values
    if file is None or step.owner != repository_page(file.repository):
        raise PermanentError(f"{step.owner} is not where the values of the Jobs are")
    if step.channel is not Channel.PULL_REQUEST:
        raise PermanentError(f"{step.object} is changed by pull request alone")
    if proposals.NUMBER in step.after:
        heading, comment = closing(scope)
        proposals.withdraw(scope, step, title=heading, comment=comment)
        return
    _is_declared(declared.hooks, file, step)
    purpose = Purpose.ORDER if step.action == ORDERS else Purpose.RERUN
    proposals.propose(
        scope,
        step,
        file,
        prefix_of(scope.environment.name, purpose),
        title=title(scope, step, file),
        body=body(scope, step),
        message=message(scope, step),
    )


def _is_declared(hooks: DeclaredHooks, file: ValuesFile, step: Step) -> None:
    """Every key is one that the landscape declares for this action, and its value one that it may have."""
    allowed: dict[str | None, Callable[[str], bool]] = (
        {
            hooks.bootstrap_hook: _is_sync,
            hooks.patcher_hook: _is_sync,
            hooks.bootstrap_wave: is_wave,
            hooks.patcher_wave: is_wave,
        }
        if step.action == ORDERS
        else {hooks.rerun: _is_knob}
    )
    fits = all(key in allowed and allowed[key](value) for key, value in step.after.items())
    if step.object != file.reference or not step.after or not fits:
        raise PermanentError(f"{step.object} is not declared with the keys {', '.join(step.after)}")


def _is_sync(value: str) -> bool:
    return value == SYNC_HOOK


def _is_knob(value: str) -> bool:
    return _KNOB.fullmatch(value) is not None


# -- the cluster ----------------------------------------------------------------------------


def _job(scope: Scope, declared: DeclaredKeycloak, step: Step) -> None:
    job, hooks = step.after["job"], declared.hooks
    cluster_id = scope.environment.cluster(declared.cluster).id
    namespace_id = f"{cluster_id}/namespaces/{declared.namespace}"
    if step.owner != namespace_id or step.object != f"{namespace_id}/jobs/{job}":
        raise PermanentError(f"{step.object} is not in the namespace of the declared Keycloak")
    if job not in (hooks.bootstrap, hooks.patcher):
        raise PermanentError(f"{job} is none of the declared Jobs")
    api_server = cluster_writes.api_server(scope, cluster_id)
    if job == hooks.patcher:
        _bootstrap_is_over(scope, declared, api_server)
    scope.world.workloads.rerun(api_server, declared.namespace, job, uid=step.after["uid"])


def _bootstrap_is_over(scope: Scope, declared: DeclaredKeycloak, api_server: ApiServer) -> None:
    """Asked again: a patcher that runs beside the bootstrap is the very fault that is mended here."""
    match scope.world.workloads.job(api_server, declared.namespace, declared.hooks.bootstrap):
        case Absent():
            return
        case Known(work) if work.state is JobState.COMPLETE and not work.deleting:
            return
    raise TemporaryError("the master bootstrap is not known to be complete", delay=AGAIN)


def _sync(scope: Scope, declared: DeclaredKeycloak, step: Step) -> None:
    why = f"the Jobs of the realm must run ({step.mends})"
    cluster_writes.sync(scope, step, declared.application, of="the declared Keycloak", why=why)


# -- Keycloak -------------------------------------------------------------------------------


def _redirect(scope: Scope, declared: DeclaredKeycloak, step: Step) -> None:
    name, uri = step.after["client"], step.after["uri"]
    client = declared.clients.get(name)
    if step.owner != declared.url or client is None or uri not in client.redirect_uris:
        raise PermanentError(f"client {name} of {step.owner} is not declared with this redirect URI")
    scope.world.keycloaks.add_redirect_uri(realm_of(declared), name, uri)


_HANDS: Final[Mapping[str, Callable[[Scope, DeclaredKeycloak, Step], None]]] = {
    ORDERS: _values,
    RERUNS: _values,
    JOBS: _job,
    REDIRECT: _redirect,
    SYNC: _sync,
}
