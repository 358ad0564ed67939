"""An Application that is well, to let it fail."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from responders.applications import failures
from responders.applications.facts import Facts, Seen
from shared.attempts import Attempt
from shared.clients.argocd import Application, Condition, OperationState, Resource
from shared.failure_texts import classify_first
from shared.landscape import ApplicationRule, DeclaredArgoCD, Watcher
from shared.model import Known
from tests.unit.clocks import START
from tests.unit.federated_credentials.builders import CLUSTER

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOW = START
SHA = "d7273e6d72ff5a3b1c0e4f8a9b2c3d4e5f60718a"
SECRET = "hunter2-the-password"
NO_COMMIT = (
    "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Internal "
    "desc = Failed to checkout FETCH_HEAD: `git submodule update --init --recursive` failed exit status 128: "
    f"fatal: remote error: upload-pack: not our ref {SHA}\nfatal: Fetched in submodule path 'backlog', but "
    f"it did not contain {SHA}. Direct fetching of that commit failed."
)
UNAVAILABLE = (
    "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = "
    "Unavailable desc = error reading from server: EOF"
)
GAVE_UP = "Job has reached the specified backoff limit"
SEALED = "could not validate provider: Vault is sealed"
STRANGE = f"the flux capacitor is empty, password={SECRET}"


def declared(**changes: Any) -> DeclaredArgoCD:
    base = DeclaredArgoCD(
        cluster="aks",
        applications=(
            ApplicationRule(match="dev-vault-*", responders=(Watcher.VAULT_SEEDING,)),
            ApplicationRule(match="dev-*"),
        ),
    )
    return base.model_copy(update=changes)


def application(name: str = "dev-gitlab", **changes: Any) -> Application:
    base = Application(
        namespace="argocd",
        name=name,
        uid=f"uid-{name}",
        sync="Synced",
        health="Healthy",
        health_since=None,
        unhealthy=(),
        conditions=(),
        operation=operation(),
        requested=False,
        refreshing=False,
        automated=True,
        emptied=False,
        skipped=False,
        deleting=False,
    )
    return replace(base, **changes)


def operation(
    phase: str = "Succeeded",
    message: str = "successfully synced (all tasks run)",
    *resources: Resource,
    age: timedelta = HOUR,
    running: bool = False,
    ours: bool = False,
    jobs: tuple[str, ...] = (),
) -> OperationState:
    begun = NOW - age
    ended = None if running else begun + SECOND
    return OperationState(
        phase=phase, message=message, started=begun, finished=ended, resources=resources, jobs=jobs, ours=ours
    )


def failed(message: str, age: timedelta = HOUR) -> OperationState:
    """An operation whose hook failed of something that only the hook's message tells."""
    hook = Resource(kind="Job", name="migrate", message=message, hook=True)
    says = "one or more synchronization tasks completed unsuccessfully"
    return operation("Failed", says, hook, age=age)


def condition(message: str, type: str = "ComparisonError", since: datetime = NOW - MINUTE) -> Condition:  # noqa: A002
    return Condition(type=type, message=message, since=since)


def incomparable(message: str = NO_COMMIT, name: str = "dev-gitlab", **changes: Any) -> Application:
    """As where the sources cannot be read."""
    usual = {"sync": "Unknown", "conditions": (condition(message),)}
    return application(name, **{**usual, **changes})


def unsynced(message: str = NO_COMMIT, name: str = "dev-gitlab", **changes: Any) -> Application:
    """As where the last sync failed, and the sources can be read again."""
    return application(name, **{"sync": "OutOfSync", "operation": failed(message), **changes})


def facts(*applications: Application, attempt: Attempt | None = None, **changes: Any) -> Facts:
    """attempt: our only write to the first of them."""
    rules = declared()
    seen = tuple(
        Seen(application=one, rule=rule, explanation=classify_first(failures.texts(one)))
        for one in applications
        if (rule := rules.rule(one.name))
    )
    base = Facts(
        environment="dev",
        declared=rules,
        cluster_id=CLUSTER,
        applications=Known(seen),
        watched=frozenset({"submodule_refs", "vault_seeding", "federated_credentials"}),
        tries={},
    )
    tries = {base.id_of(applications[0]).lower(): (attempt,)} if attempt else {}
    return replace(base, **{"tries": tries, **changes})
