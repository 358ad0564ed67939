"""What proves a write: its effect where the fault was, seen after it. Nothing less does."""

from typing import Any

import pytest

from responders.vault_seeding.facts import Facts
from responders.vault_seeding.verify import verify
from shared.clients.cluster_api import JobState, Kind
from shared.model import Absent, Known, Unknown, Verdict
from tests.unit.vault_seeding.builders import (
    MINUTE,
    NOW,
    attempt,
    cron_job,
    facts,
    held,
    job,
    source,
    synced,
)
from tests.unit.vault_seeding.test_run import Stage

WELL = facts()
BOOTSTRAP = WELL.cron_job_id
SEED = WELL.seed_id("ghcr/token")
STORE = WELL.synced_id(Kind.STORE, "store")
EXTERNAL_SECRET = WELL.synced_id(Kind.EXTERNAL_SECRET, "pull")


def written(subject: str, *, proven: bool = False, **changes: Any) -> Facts:
    """An object was written a minute ago; this is what was read since."""
    return facts(attempts={subject.lower(): attempt("s", MINUTE, proven=proven)}, **changes)


CASES: dict[str, tuple[Facts, list[str]]] = {
    "nothing was written": (facts(), []),
    "the bootstrap succeeded after its start": (
        written(BOOTSTRAP, cron_job=cron_job(last_success=NOW)),
        [BOOTSTRAP],
    ),
    "a Job of the bootstrap did, and its CronJob has not told of it": (
        written(
            BOOTSTRAP, cron_job=cron_job(last_success=None), jobs=Known((job(JobState.COMPLETE, MINUTE),))
        ),
        [BOOTSTRAP],
    ),
    "the bootstrap succeeded before its start, and not since": (
        written(BOOTSTRAP, cron_job=cron_job(last_success=NOW - 2 * MINUTE)),
        [],
    ),
    "the bootstrap never succeeded": (written(BOOTSTRAP, cron_job=cron_job(last_success=None)), []),
    "the seed equals its source": (written(SEED), [SEED]),
    "the seed differs from its source": (written(SEED, held={"ghcr/token": held("other")}), []),
    "the seed has another field": (written(SEED, held={"ghcr/token": held(None)}), []),
    "the seed is not there": (written(SEED, held={"ghcr/token": Absent()}), []),
    "the seed could not be read": (written(SEED, held={"ghcr/token": Unknown("403")}), []),
    "its source could not be read": (written(SEED, sources={"ghcr-token": Unknown("403")}), []),
    "both were replaced by the same value": (
        written(SEED, held={"ghcr/token": held("new")}, sources={"ghcr-token": source("new")}),
        [SEED],
    ),
    "the store is Ready": (written(STORE), [STORE]),
    "the store is not Ready": (written(STORE, stores=Known((synced("store", ready=False),))), []),
    "the store is called Ready without having been tried": (
        written(STORE, stores=Known((synced("store", reason="ValidationUnknown"),))),
        [],
    ),
    "the ExternalSecret is Ready": (written(EXTERNAL_SECRET), [EXTERNAL_SECRET]),
    "the ExternalSecret is not Ready": (
        written(EXTERNAL_SECRET, external_secrets=Known((synced("pull", ready=False),))),
        [],
    ),
    "the ExternalSecrets could not be listed": (
        written(EXTERNAL_SECRET, external_secrets=Unknown("403")),
        [],
    ),
    "it has its proof already": (written(STORE, proven=True), []),
}


@pytest.mark.parametrize(("given", "proven"), CASES.values(), ids=CASES)
def test_proves(given: Facts, proven: list[str]) -> None:
    proofs = verify(Stage().scope(), given)
    assert [one.object for one in proofs] == proven
    assert all(one.verdict is Verdict.ACCEPTED for one in proofs)
