"""Carries out one step. Safe to repeat: a Job's name stays until its start is confirmed, a seed is
written by check-and-set, and an annotation may be set twice."""

from responders.vault_seeding.plan import BOOTSTRAP, REFRESH, SEED
from shared import cluster_writes
from shared.clients.cluster_api import Kind
from shared.clients.managed_clusters import ApiServer
from shared.clients.seeding import Destination, Source
from shared.contract import namespace_of, refusal
from shared.errors import PermanentError
from shared.landscape import DeclaredVault
from shared.model import Step
from shared.world import Scope


def apply(scope: Scope, step: Step) -> None:
    """Raises ReconvergeError of the clients, and PermanentError for a step that no plan of this responder may
    hold: the last guard before a write, whatever went wrong above."""
    declared = scope.environment.vault
    if declared is None:
        raise PermanentError(f"{scope.environment.name} declares no Vault")
    if step.action not in (BOOTSTRAP, SEED, REFRESH):
        raise PermanentError(f"{step.action} is not an action of vault_seeding")
    if why := refusal(step, scope.environment.contract):
        raise PermanentError(f"{step.owner} may not be written: {why}")
    match step.action:
        case "vault.bootstrap":
            _start(scope, declared, step)
        case "vault.seed":
            _seed(scope, declared, step)
        case "secrets.refresh":
            _refresh(scope, declared, step)


def _start(scope: Scope, declared: DeclaredVault, step: Step) -> None:
    name = declared.bootstrap.cron_job
    scope.world.kubernetes.start(
        _api_server(scope, declared, step),
        declared.namespace,
        name,
        uid=step.after["uid"],
        name=step.after["job"],
    )


def _seed(scope: Scope, declared: DeclaredVault, step: Step) -> None:
    key = step.after["key"]
    if step.owner != declared.address or declared.seeds.get(key) != step.after["secret"]:
        raise PermanentError(f"{key} is not a declared seed of {declared.address}")
    login = declared.login
    scope.world.seeding.copy(
        Source(uri=step.after["keyVault"], secret=step.after["secret"], version=step.after["secretVersion"]),
        Destination(
            address=declared.address,
            login_mount=login.mount,
            login_role=login.role,
            login_audience=login.audience,
            mount=declared.mount,
            key=key,
            cas=int(step.after["cas"]),
        ),
    )


def _refresh(scope: Scope, declared: DeclaredVault, step: Step) -> None:
    # The operator acts on a change only, so each mark is another one; what it begins with tells whose it is.
    mark = f"reconverge-{step.after['situation'][:12]}-{scope.clock():%Y%m%dT%H%M%SZ}"
    scope.world.kubernetes.refresh(
        _api_server(scope, declared, step),
        declared.namespace,
        Kind(step.after["kind"]),
        step.after["name"],
        mark,
    )


def _api_server(scope: Scope, declared: DeclaredVault, step: Step) -> ApiServer:
    if namespace_of(step.owner) != declared.namespace:
        raise PermanentError(f"{step.owner} is not the namespace of the declared Vault")
    return cluster_writes.api_server(scope, scope.environment.cluster(declared.cluster).id)
