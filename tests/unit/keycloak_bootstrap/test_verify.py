"""What proves a write: its effect where the fault was, seen after it. Nothing less does."""

from typing import Any

import pytest

from responders.keycloak_bootstrap.facts import Facts
from responders.keycloak_bootstrap.verify import verify
from shared.model import Absent, Known, Unknown, Verdict
from tests.unit.applications.builders import application, operation
from tests.unit.keycloak_bootstrap.builders import (
    ACTIVE,
    APPLICATION,
    CALLBACK,
    FAILED,
    MINUTE,
    NOW,
    OIDC_KEYS,
    SECOND,
    attempt,
    bootstrap,
    client,
    clients,
    entry,
    facts,
    failed_patcher,
    patcher,
    secret,
    secrets,
    tried,
)
from tests.unit.keycloak_bootstrap.stage import World

WELL = facts()
VALUES = str(WELL.values_id)
SYNC, BOOTSTRAP, PATCHER = WELL.application_id, WELL.bootstrap_id, WELL.patcher_id
REDIRECT = WELL.redirect_id("gitlab", CALLBACK)

LATELY: dict[str, Any] = {
    "created": NOW - 30 * SECOND,
    "started": NOW - 30 * SECOND,
    "completed": NOW - SECOND,
}
RAN: dict[str, Any] = {"bootstrap": bootstrap(**LATELY), "patcher": patcher(**LATELY)}
GONE: dict[str, Any] = {"bootstrap": Absent(), "patcher": Absent()}


def written(action: str, subject: str, *, proven: bool = False, **changes: Any) -> Facts:
    """An object was written a minute ago, and a change of values was merged; this is what was read since."""
    return facts(
        tries=tried(subject, attempt(action, age=MINUTE, proven=proven)), **{"landed": True, **changes}
    )


def synced(age: Any) -> Known[Any]:
    return Known(application(APPLICATION, operation=operation(age=age)))


CASES: dict[str, tuple[Facts, list[str]]] = {
    "nothing was written": (facts(), []),
    # -- the order
    "the order is right as both are rendered": (written("keycloak.order", VALUES), [VALUES]),
    "the order is as wrong as before": (
        written("keycloak.order", VALUES, bootstrap=bootstrap(hook="PostSync")),
        [],
    ),
    "the order is right in the values, and nothing was rendered of it": (
        written(
            "keycloak.order",
            VALUES,
            bootstrap=Absent(),
            said={"masterBootstrap.hook": "Sync", "masterBootstrap.syncWave": "1"},
        ),
        [],
    ),
    "the order is right as both are rendered, and the file reads otherwise": (
        written("keycloak.order", VALUES, landed=False),
        [],
    ),
    # -- another run
    "both Jobs ran after the knob was changed": (written("keycloak.rerun", VALUES, **RAN), [VALUES]),
    "both Jobs ran after the change of the knob was proposed, and nobody merged it": (
        written("keycloak.rerun", VALUES, **RAN, landed=False),
        [],
    ),
    "both Jobs are complete from before it": (written("keycloak.rerun", VALUES), []),
    "the bootstrap alone ran": (
        written("keycloak.rerun", VALUES, bootstrap=bootstrap(**LATELY), patcher=failed_patcher()),
        [],
    ),
    # -- a sync
    "both Jobs completed after the sync, and the Secrets are there": (
        written("application.sync", SYNC, **RAN),
        [SYNC],
    ),
    "both Jobs completed before it": (written("application.sync", SYNC), []),
    "the patcher failed after it": (
        written(
            "application.sync",
            SYNC,
            bootstrap=bootstrap(**LATELY),
            patcher=patcher(state=FAILED, created=NOW, started=NOW),
        ),
        [],
    ),
    "the patcher is running": (
        written(
            "application.sync",
            SYNC,
            bootstrap=bootstrap(**LATELY),
            patcher=patcher(state=ACTIVE, created=NOW, started=NOW),
        ),
        [],
    ),
    "a Secret is missing": (
        written("application.sync", SYNC, **RAN, secrets=secrets(oidc=Absent())),
        [],
    ),
    "a key of a Secret is missing": (
        written("application.sync", SYNC, **RAN, secrets=secrets(oidc=secret(OIDC_KEYS[0]))),
        [],
    ),
    "a key of a Secret is empty": (
        written(
            "application.sync", SYNC, **RAN, secrets=secrets(provider=secret(provider=entry(empty=True)))
        ),
        [],
    ),
    "hooks that are deleted when they succeed": (
        written("application.sync", SYNC, **GONE, application=synced(30 * SECOND)),
        [SYNC],
    ),
    "the same of a sync before ours": (
        written("application.sync", SYNC, **GONE, application=synced(5 * MINUTE)),
        [],
    ),
    # -- Jobs made anew
    "a Job that was made anew is complete": (
        written("keycloak.jobs", PATCHER, patcher=patcher(**LATELY)),
        [PATCHER],
    ),
    "a Job that is as it was": (written("keycloak.jobs", PATCHER), []),
    "a Job that could not be read": (written("keycloak.jobs", PATCHER, patcher=Unknown("503")), []),
    # -- redirect URIs
    "the client accepts what was added": (written("keycloak.redirect", REDIRECT), [REDIRECT]),
    "the client does not": (
        written("keycloak.redirect", REDIRECT, clients=clients(client("gitlab"))),
        [],
    ),
    "the clients could not be read": (
        written("keycloak.redirect", REDIRECT, clients=Unknown("503")),
        [],
    ),
    "it has its proof already": (written("keycloak.redirect", REDIRECT, proven=True), []),
}


@pytest.mark.parametrize(("given", "proven"), CASES.values(), ids=CASES)
def test_proves(given: Facts, proven: list[str]) -> None:
    proofs = verify(World().scope, given)
    assert [one.object for one in proofs] == proven
    assert all(one.verdict is Verdict.ACCEPTED for one in proofs)
