"""What is repaired, in which order, and what holds a repair back."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from responders.vault_seeding import situations
from responders.vault_seeding.checks import check
from responders.vault_seeding.facts import Facts
from responders.vault_seeding.log_reasons import Cause
from responders.vault_seeding.plan import BOOTSTRAP, LONGEST_NAME, REFRESH, SEED, job_name, plan
from responders.vault_seeding.reasons import Reason
from shared.attempts import Attempt
from shared.clients.cluster_api import JobState
from shared.clients.vault import LoginRefused, SealStatus
from shared.model import Absent, Known, Plan, Unknown
from tests.unit.vault_seeding.builders import (
    KEY_VAULT,
    MINUTE,
    NOW,
    attempt,
    cron_job,
    declared,
    facts,
    failing,
    held,
    job,
    secret,
    source,
    synced,
)

STORE_DOWN = synced("store", ready=False, reason="InvalidProviderConfig")
NOT_READY = synced("pull", ready=False, reason="SecretSyncedError")
EMPTY = {"ghcr/token": Absent()}


def planned(given: Facts) -> Plan:
    return plan(given, check(given, NOW))


def steps(given: Facts) -> list[tuple[str, str]]:
    return [(step.action, step.object.rpartition("/")[2]) for step in planned(given).steps]


CASES: dict[str, tuple[Facts, list[tuple[str, str]]]] = {
    "nothing for what is well": (facts(), []),
    # -- the first stage
    "a bootstrap that never succeeded is started": (failing(), [(BOOTSTRAP, "vault-bootstrap")]),
    "one start mends all that its log says": (
        failing(Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED), Cause(Reason.BOOTSTRAP_LACKS_SECRET)),
        [(BOOTSTRAP, "vault-bootstrap")],
    ),
    "a bootstrap comes before seeds and what reads them": (
        failing(held=EMPTY, stores=Known((STORE_DOWN,)), external_secrets=Known((NOT_READY,))),
        [(BOOTSTRAP, "vault-bootstrap")],
    ),
    "a running bootstrap holds everything back": (
        failing(jobs=Known((job(JobState.ACTIVE),)), held=EMPTY, stores=Known((STORE_DOWN,))),
        [],
    ),
    "a role that is missing is not mended by a start": (
        failing(Cause(Reason.BOOTSTRAP_ROLE_MISSING), held=EMPTY),
        [],
    ),
    "a log that could not be read holds a start back": (failing(log=Unknown("403")), []),
    "a secret that is missing holds a start back": (failing(secrets=Known((secret("ghcr-token"),))), []),
    "a Key Vault that is not known holds a start back": (failing(secrets=Unknown("503")), []),
    "a sealed Vault holds a start back": (
        failing(seal=Known(SealStatus(initialised=True, sealed=True)), held={}),
        [],
    ),
    "a new Vault that lets nobody in does not": (
        failing(login=LoginRefused("403"), held={}),
        [(BOOTSTRAP, "vault-bootstrap")],
    ),
    "a suspended CronJob is somebody's intention": (
        facts(cron_job=cron_job(suspended=True), held=EMPTY),
        [],
    ),
    "one that the contract never lets be started holds no seed back": (
        failing(may_start=False, held=EMPTY, stores=Known((STORE_DOWN,))),
        [(BOOTSTRAP, "vault-bootstrap"), (SEED, "token")],
    ),
    "nor does it where only a person could mend it": (
        failing(Cause(Reason.BOOTSTRAP_ROLE_MISSING), may_start=False, held=EMPTY),
        [(SEED, "token")],
    ),
    "nor where a secret of another seed is missing": (
        failing(may_start=False, held=EMPTY, secrets=Known((secret("ghcr-token"),))),
        [(SEED, "token")],
    ),
    "what reads the seeds waits for it all the same": (
        failing(may_start=False, external_secrets=Known((NOT_READY,))),
        [(BOOTSTRAP, "vault-bootstrap")],
    ),
    "seeds wait while it runs": (
        failing(jobs=Known((job(JobState.ACTIVE),)), may_start=False, held=EMPTY),
        [],
    ),
    "and while it is suspended": (
        facts(cron_job=cron_job(suspended=True), may_start=False, held=EMPTY),
        [],
    ),
    "and while nothing is known of it": (facts(cron_job=Unknown("403"), may_start=False, held=EMPTY), []),
    "and while Vault is sealed": (
        failing(seal=Known(SealStatus(initialised=True, sealed=True)), may_start=False, held=EMPTY),
        [],
    ),
    # -- the second
    "a missing seed is written": (facts(held=EMPTY), [(SEED, "token")]),
    "a placeholder is replaced": (
        facts(held={"ghcr/token": held("fixture", placeholder=True)}),
        [(SEED, "token")],
    ),
    "a value of its owner is not": (facts(held={"ghcr/token": held("other")}), []),
    "nor is a version that somebody deleted": (facts(held={"ghcr/token": held(None, deleted=True)}), []),
    "a seed comes before what reads it": (
        facts(held=EMPTY, stores=Known((STORE_DOWN,)), external_secrets=Known((NOT_READY,))),
        [(SEED, "token")],
    ),
    "no placeholder is written for a missing seed": (
        facts(held=EMPTY, sources={"ghcr-token": source("fixture", placeholder=True)}),
        [],
    ),
    "nothing is written from a source that was not read": (
        facts(held=EMPTY, sources={"ghcr-token": Unknown("403")}),
        [],
    ),
    "nothing is written from a Key Vault that belongs elsewhere": (
        facts(held=EMPTY, declared=declared(key_vault=KEY_VAULT.replace("11111111", "22222222"))),
        [],
    ),
    # -- the third
    "a store that is not Ready is refreshed": (facts(stores=Known((STORE_DOWN,))), [(REFRESH, "store")]),
    "and before the ExternalSecrets that read through it": (
        facts(stores=Known((STORE_DOWN,)), external_secrets=Known((NOT_READY,))),
        [(REFRESH, "store")],
    ),
    "an ExternalSecret behind a store that is Ready": (
        facts(external_secrets=Known((NOT_READY,))),
        [(REFRESH, "pull")],
    ),
    "a store that could not be validated holds nothing back": (
        facts(
            stores=Known((synced("store", reason="ValidationUnknown"),)), external_secrets=Known((NOT_READY,))
        ),
        [(REFRESH, "pull")],
    ),
    "a secret that is missing holds a refresh back": (
        facts(secrets=Known((secret("ghcr-token"),)), external_secrets=Known((NOT_READY,))),
        [],
    ),
    "a seed that differs holds a refresh back": (
        facts(held={"ghcr/token": held("other")}, external_secrets=Known((NOT_READY,))),
        [],
    ),
    "stores that could not be listed hold ExternalSecrets back": (
        facts(stores=Unknown("403"), external_secrets=Known((NOT_READY,))),
        [],
    ),
}


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_plans(given: Facts, expected: list[tuple[str, str]]) -> None:
    assert steps(given) == expected


def test_a_missing_seed_is_written_only_where_nothing_was() -> None:
    (step,) = planned(facts(held=EMPTY)).steps
    assert (step.before, step.after["cas"], step.after["secretVersion"]) == (None, "0", "v7")


def test_a_placeholder_is_replaced_only_in_the_version_that_was_judged() -> None:
    (step,) = planned(facts(held={"ghcr/token": held("fixture", placeholder=True)})).steps
    assert (step.before, step.after["cas"]) == ({"version": "3"}, "3")


def test_no_digest_of_a_value_stands_in_a_plan() -> None:
    given = facts(held=EMPTY, sources={"ghcr-token": source("digest-of-kv")})
    assert "digest-of" not in str(planned(given))


def test_the_same_situation_has_the_same_plan_whenever_it_is_looked_at() -> None:
    given = failing()
    later = plan(given, check(given, NOW + 2 * MINUTE))
    assert planned(given).digest == later.digest


def test_another_cron_job_of_that_name_makes_another_job() -> None:
    one, other = (
        planned(failing(cron_job=cron_job(last_success=None, uid=uid))).steps[0].after["job"]
        for uid in ("uid-1", "uid-2")
    )
    assert one != other


def started(*made: Attempt) -> str:
    """The name of the Job that is to be made after these starts."""
    given = failing()
    given = replace(given, tries={given.cron_job_id.lower(): made} if made else {})
    return planned(given).steps[0].after["job"]


def start(age: timedelta, *, confirmed: bool = True) -> Attempt:
    return attempt(situations.of_bootstrap(failing()), age, confirmed=confirmed)


def test_a_second_start_an_hour_later_makes_another_job() -> None:
    first, second = start(150 * MINUTE), start(75 * MINUTE)
    assert len({started(), started(first), started(first, second)}) == 3


def test_starts_that_leave_memory_give_no_name_back() -> None:
    first, second, third = start(240 * MINUTE), start(150 * MINUTE), start(75 * MINUTE)
    assert started(first, second) != started(second, third)


def test_a_start_whose_answer_was_lost_meets_its_own_job() -> None:
    first, lost = start(150 * MINUTE), start(75 * MINUTE, confirmed=False)
    assert started(first, lost) == started(first)
    assert started(lost) == started()


@pytest.mark.parametrize("name", ["a", "b" * 52, "foundation-vault-bootstrap-vault-bootstrap"])
def test_a_job_s_name_is_one_and_tells_whose_it_is(name: str) -> None:
    found = job_name(name, "uid", "situation", "2026-01-01T00:00:00+00:00")
    assert len(found) <= LONGEST_NAME
    assert found.startswith(name[:50])
    assert re.fullmatch(r"[0-9a-f]{12}", found.rpartition("-")[2])
