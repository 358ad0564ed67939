"""What is found on the way from Key Vault to Ready secrets, and what is not called a fault."""

from dataclasses import replace
from datetime import timedelta

import pytest

from responders.vault_seeding import situations
from responders.vault_seeding.checks import check
from responders.vault_seeding.facts import Facts
from responders.vault_seeding.log_reasons import Cause
from responders.vault_seeding.reasons import REASONS, Reason
from shared.attempts import Attempt
from shared.clients.cluster_api import JobState, Kind
from shared.clients.vault import LoginRefused, SealStatus
from shared.model import Absent, Finding, Known, Unknown
from shared.world import Leads
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

ELSEWHERE = KEY_VAULT.replace("11111111", "22222222")
DAY = timedelta(days=1)
NOT_READY = synced("pull", ready=False, reason="SecretSyncedError")
STORE_DOWN = synced("store", ready=False, reason="InvalidProviderConfig")
UNVALIDATED = synced("store", reason="ValidationUnknown")
NO_MATCH = Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED, "AADSTS700211")


def secrets(**changes: object) -> Known[tuple[object, ...]]:
    return Known((secret("ghcr-username"), secret("ghcr-token", **changes)))


CASES: dict[str, tuple[Facts, list[Reason]]] = {
    "nothing is wrong": (facts(), []),
    # -- Key Vault
    "a Key Vault in another subscription than the cluster belongs elsewhere": (
        facts(declared=declared(key_vault=ELSEWHERE)),
        [Reason.KEY_VAULT_ELSEWHERE],
    ),
    "a Key Vault that ARM does not know": (facts(key_vault=Absent()), [Reason.KEY_VAULT_MISSING]),
    "a Key Vault that cannot be reached is not known to be wrong": (
        facts(secrets=Unknown("Key Vault could not be reached")),
        [Reason.SEEDING_UNREAD],
    ),
    "a Key Vault that Reconverge itself may not read is not known to be wrong": (
        facts(secrets=Unknown("Key Vault answered 403 ForbiddenByRbac")),
        [Reason.SEEDING_UNREAD],
    ),
    "a required secret that is missing": (
        facts(secrets=Known((secret("ghcr-token"),))),
        [Reason.SECRET_MISSING],
    ),
    "a name in other letter case is the same secret": (
        facts(secrets=Known((secret("GHCR-Username"), secret("ghcr-token")))),
        [],
    ),
    "the source of a seed is required as well": (
        facts(secrets=Known((secret("ghcr-username"),)), sources={}),
        [Reason.SECRET_MISSING],
    ),
    "a secret that is disabled": (facts(secrets=secrets(enabled=False)), [Reason.SECRET_DISABLED]),
    "a secret that expired": (facts(secrets=secrets(expires=NOW)), [Reason.SECRET_EXPIRED]),
    "a secret that will expire is well": (facts(secrets=secrets(expires=NOW + DAY)), []),
    "a secret that is not valid yet": (
        facts(secrets=secrets(not_before=NOW + DAY)),
        [Reason.SECRET_NOT_YET_VALID],
    ),
    "a secret that is a placeholder": (
        facts(sources={"ghcr-token": source("fixture", placeholder=True)}),
        [Reason.SECRET_IS_PLACEHOLDER, Reason.SEED_DIFFERS],
    ),
    "a secret whose value cannot be read": (
        facts(sources={"ghcr-token": Unknown("403")}),
        [Reason.SEEDING_UNREAD],
    ),
    # -- Vault
    "a sealed Vault, whatever it holds": (
        facts(seal=Known(SealStatus(initialised=True, sealed=True)), held={}),
        [Reason.VAULT_SEALED],
    ),
    "a Vault that was never initialised is not called sealed": (
        facts(seal=Known(SealStatus(initialised=False, sealed=True)), held={}),
        [Reason.VAULT_UNINITIALISED],
    ),
    "a Vault that cannot be reached": (facts(seal=Unknown("refused"), held={}), [Reason.SEEDING_UNREAD]),
    "a Vault that refuses our login": (
        facts(login=LoginRefused("403"), held={}),
        [Reason.VAULT_LOGIN_REFUSED],
    ),
    "a login that could not be tried": (facts(login=Unknown("no token"), held={}), [Reason.SEEDING_UNREAD]),
    # -- seeds
    "a seed that Vault was never given": (facts(held={"ghcr/token": Absent()}), [Reason.SEED_MISSING]),
    "a seed that cannot be read": (facts(held={"ghcr/token": Unknown("403")}), [Reason.SEEDING_UNREAD]),
    "a seed that is a placeholder": (
        facts(held={"ghcr/token": held("fixture", placeholder=True)}),
        [Reason.SEED_IS_PLACEHOLDER],
    ),
    "a placeholder is one, though its source cannot be read": (
        facts(held={"ghcr/token": held("fixture", placeholder=True)}, sources={"ghcr-token": Unknown("5")}),
        [Reason.SEEDING_UNREAD, Reason.SEED_IS_PLACEHOLDER],
    ),
    "a seed that differs though the bootstrap ran since": (
        facts(held={"ghcr/token": held("other")}),
        [Reason.SEED_DIFFERS],
    ),
    "a seed whose source is newer than the bootstrap's last success": (
        facts(held={"ghcr/token": held("old")}, secrets=secrets(updated=NOW)),
        [Reason.SEED_BEHIND],
    ),
    "a seed that somebody deleted": (
        facts(held={"ghcr/token": held(None, deleted=True)}),
        [Reason.SEED_DELETED],
    ),
    "a key without the field that is read": (
        facts(held={"ghcr/token": held(None)}),
        [Reason.SEED_WITHOUT_VALUE],
    ),
    # -- what rests on the seeds
    "a store that is not Ready": (facts(stores=Known((STORE_DOWN,))), [Reason.STORE_NOT_READY]),
    "a store that is missing": (facts(stores=Known(())), [Reason.STORE_MISSING]),
    "a store that nobody declared is not looked at": (
        facts(stores=Known((synced("store"), synced("other", ready=False)))),
        [],
    ),
    "a store that could not be validated is proven by what reads through it": (
        facts(stores=Known((UNVALIDATED,))),
        [Reason.STORE_UNPROVEN],
    ),
    "one whose ExternalSecret is not Ready has that as its finding": (
        facts(stores=Known((UNVALIDATED,)), external_secrets=Known((NOT_READY,))),
        [Reason.STORE_UNPROVEN, Reason.EXTERNAL_SECRET_NOT_READY],
    ),
    "nothing is known of it while ExternalSecrets cannot be listed": (
        facts(stores=Known((UNVALIDATED,)), external_secrets=Unknown("403")),
        [Reason.STORE_UNPROVEN, Reason.SEEDING_UNREAD],
    ),
    "one that nothing reads through is not proven": (
        facts(stores=Known((UNVALIDATED,)), external_secrets=Known((synced("pull", reads="other"),))),
        [Reason.STORE_NEVER_TRIED],
    ),
    "nor is one in a namespace without ExternalSecrets": (
        facts(
            declared=declared(external_secrets=()),
            stores=Known((UNVALIDATED,)),
            external_secrets=Known(()),
        ),
        [Reason.STORE_NEVER_TRIED],
    ),
    "one that has been there for minutes may yet be read through": (
        facts(
            declared=declared(external_secrets=()),
            stores=Known((replace(UNVALIDATED, since=(NOW - 9 * MINUTE).isoformat()),)),
            external_secrets=Known(()),
        ),
        [Reason.STORE_UNTRIED],
    ),
    "an ExternalSecret that is not Ready": (
        facts(external_secrets=Known((NOT_READY,))),
        [Reason.EXTERNAL_SECRET_NOT_READY],
    ),
    "an ExternalSecret that is missing": (
        facts(external_secrets=Known(())),
        [Reason.EXTERNAL_SECRET_MISSING],
    ),
    "without any declared, all of the namespace must be Ready": (
        facts(
            declared=declared(external_secrets=()),
            external_secrets=Known((synced("a", ready=False), synced("b"))),
        ),
        [Reason.EXTERNAL_SECRET_NOT_READY],
    ),
    "kinds that the cluster does not serve": (
        facts(stores=Absent(), external_secrets=Absent()),
        [Reason.EXTERNAL_SECRETS_NOT_SERVED] * 2,
    ),
    "stores that cannot be listed": (facts(stores=Unknown("403")), [Reason.SEEDING_UNREAD]),
    # -- the bootstrap
    "a CronJob that is missing": (facts(cron_job=Absent()), [Reason.BOOTSTRAP_MISSING]),
    "a CronJob that is suspended": (facts(cron_job=cron_job(suspended=True)), [Reason.BOOTSTRAP_SUSPENDED]),
    "a CronJob that cannot be read": (facts(cron_job=Unknown("403")), [Reason.SEEDING_UNREAD]),
    "Jobs that cannot be listed": (facts(jobs=Unknown("403")), [Reason.SEEDING_UNREAD]),
    "a schedule that nobody understands": (
        facts(cron_job=cron_job(schedule="soon")),
        [Reason.SEEDING_UNREAD],
    ),
    "a CronJob that never succeeded": (failing(), [Reason.BOOTSTRAP_NEVER_SUCCEEDED]),
    "a CronJob that is too young to have succeeded": (
        facts(cron_job=cron_job(last_success=None, created=NOW - 2 * MINUTE)),
        [Reason.BOOTSTRAP_UNDER_WAY],
    ),
    "a CronJob whose last success is several runs ago": (
        facts(cron_job=cron_job(last_success=NOW - 10 * MINUTE)),
        [Reason.BOOTSTRAP_OVERDUE],
    ),
    "an hourly CronJob that succeeded this hour": (
        facts(cron_job=cron_job(schedule="@hourly", last_success=NOW - 59 * MINUTE)),
        [],
    ),
    "failed Jobs before the last success count for nothing": (
        facts(jobs=Known((job(age=5 * MINUTE),)), log=Known((NO_MATCH,))),
        [],
    ),
    "failed Jobs alone are no fault while the last success is young": (
        facts(jobs=Known((job(age=timedelta(seconds=5)),))),
        [],
    ),
    "a Job that completed counts, though its CronJob has not told of it": (
        facts(cron_job=cron_job(last_success=None), jobs=Known((job(JobState.COMPLETE),))),
        [],
    ),
    "a bootstrap that runs is waited for": (
        failing(jobs=Known((job(JobState.ACTIVE),)), log=Absent()),
        [Reason.BOOTSTRAP_UNDER_WAY, Reason.BOOTSTRAP_NEVER_SUCCEEDED],
    ),
    "one that runs for longer than any does hangs": (
        failing(jobs=Known((job(JobState.ACTIVE, 2 * DAY),)), log=Absent()),
        [Reason.BOOTSTRAP_HANGS, Reason.BOOTSTRAP_NEVER_SUCCEEDED],
    ),
    "so does the first one of a CronJob that runs once a day": (
        facts(
            cron_job=cron_job(schedule="@daily", created=NOW - DAY, last_success=None),
            jobs=Known((job(JobState.ACTIVE, 20 * MINUTE),)),
        ),
        [Reason.BOOTSTRAP_HANGS],
    ),
    "an old Job that runs beside good ones is somebody's own": (
        facts(jobs=Known((job(JobState.COMPLETE), job(JobState.ACTIVE, 2 * DAY)))),
        [],
    ),
    "runs that are each ended by the next one are not waited for": (
        failing(
            cron_job=cron_job(last_success=None, replaces=True),
            jobs=Known((job(JobState.ACTIVE, MINUTE / 3),)),
            log=Absent(),
        ),
        [Reason.BOOTSTRAP_NEVER_SUCCEEDED],
    ),
    "unless none was missed": (
        facts(
            cron_job=cron_job(last_success=None, created=NOW - 2 * MINUTE, replaces=True),
            jobs=Known((job(JobState.ACTIVE, MINUTE / 3),)),
        ),
        [Reason.BOOTSTRAP_UNDER_WAY],
    ),
    "a log that is gone leaves the fault as it is": (
        failing(log=Absent()),
        [Reason.BOOTSTRAP_NEVER_SUCCEEDED],
    ),
    "a log that could not be read may say anything": (
        failing(log=Unknown("403")),
        [Reason.BOOTSTRAP_NEVER_SUCCEEDED, Reason.SEEDING_UNREAD],
    ),
    "it says nothing while the last success is young": (
        facts(jobs=Known((job(age=timedelta(seconds=5)),)), log=Unknown("403")),
        [],
    ),
    "what one of many runs failed of is no fault while the last success is young": (
        facts(jobs=Known((job(age=timedelta(seconds=5)),)), log=Known((NO_MATCH,))),
        [],
    ),
    "what the first runs of a young CronJob failed of is": (
        facts(
            cron_job=cron_job(last_success=None, created=NOW - 2 * MINUTE),
            jobs=Known((job(),)),
            log=Known((NO_MATCH,)),
        ),
        [Reason.BOOTSTRAP_IDENTITY_REFUSED],
    ),
    "so is what the only run of a day failed of": (
        facts(
            cron_job=cron_job(schedule="@daily", last_success=NOW - DAY),
            jobs=Known((job(age=timedelta(seconds=5)),)),
            log=Known((NO_MATCH,)),
        ),
        [Reason.BOOTSTRAP_IDENTITY_REFUSED],
    ),
    "its log may say anything where it could not be read": (
        facts(
            cron_job=cron_job(schedule="@daily", last_success=NOW - DAY),
            jobs=Known((job(age=timedelta(seconds=5)),)),
            log=Unknown("403"),
        ),
        [Reason.SEEDING_UNREAD],
    ),
    "a connection that failed once is a bad moment": (
        facts(
            cron_job=cron_job(schedule="@daily", last_success=NOW - DAY),
            jobs=Known((job(age=timedelta(seconds=5)),)),
            log=Known((Cause(Reason.BOOTSTRAP_UNREACHABLE),)),
        ),
        [],
    ),
    "a run that has not ended may get over what its log says": (
        failing(Cause(Reason.BOOTSTRAP_DENIED_BY_VAULT), jobs=Known((job(JobState.ACTIVE),))),
        [Reason.BOOTSTRAP_UNDER_WAY, Reason.BOOTSTRAP_NEVER_SUCCEEDED],
    ),
    "one that hangs tells why": (
        failing(Cause(Reason.BOOTSTRAP_MET_SEALED_VAULT), jobs=Known((job(JobState.ACTIVE, 20 * MINUTE),))),
        [Reason.BOOTSTRAP_HANGS, Reason.BOOTSTRAP_NEVER_SUCCEEDED, Reason.BOOTSTRAP_MET_SEALED_VAULT],
    ),
}


def reasons(found: tuple[Finding, ...]) -> list[str]:
    return [one.reason for one in found]


@pytest.mark.parametrize(("given", "expected"), CASES.values(), ids=CASES)
def test_finds(given: Facts, expected: list[Reason]) -> None:
    assert reasons(check(given, NOW)) == expected


CAUSES = {
    Reason.BOOTSTRAP_IDENTITY_REFUSED,
    Reason.BOOTSTRAP_IDENTITY_UNKNOWN,
    Reason.BOOTSTRAP_ROLE_MISSING,
    Reason.BOOTSTRAP_LACKS_SECRET,
    Reason.BOOTSTRAP_TOKEN_FILE_MISSING,
    Reason.BOOTSTRAP_MET_SEALED_VAULT,
    Reason.BOOTSTRAP_DENIED_BY_VAULT,
    Reason.BOOTSTRAP_AUDIENCE_REFUSED,
    Reason.BOOTSTRAP_UNREACHABLE,
    Reason.BOOTSTRAP_REFUSED_BY_ENTRA,
}


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_a_failing_bootstrap_has_each_cause_that_its_log_names(cause: Reason) -> None:
    assert reasons(check(failing(Cause(cause)), NOW)) == [Reason.BOOTSTRAP_NEVER_SUCCEEDED, cause]


# -- a placeholder that was written over ------------------------------------------------------------


def seeding(version: str = "v7", *, confirmed: bool = True, proven: bool = False) -> Attempt:
    made = attempt("", 30 * MINUTE, confirmed=confirmed, proven=proven)
    return replace(made, after={"secretVersion": version})


LOST = seeding(confirmed=False)
SEEDED = {
    "once": ((seeding(),), Reason.SEED_IS_PLACEHOLDER),
    "twice, the second time with another version of its source": (
        (seeding("v6"), seeding()),
        Reason.SEED_IS_PLACEHOLDER,
    ),
    "twice": ((seeding(), seeding()), Reason.SEED_FIGHT),
    "twice, of which one answer was lost and nothing was seen there": (
        (seeding(), LOST),
        Reason.SEED_IS_PLACEHOLDER,
    ),
    "twice, of which one answer was lost and its value was seen there": (
        (seeding(), seeding(confirmed=False, proven=True)),
        Reason.SEED_FIGHT,
    ),
    "four times, and every answer was lost": ((LOST,) * 4, Reason.SEED_IS_PLACEHOLDER),
    "five times, and every answer was lost": ((LOST,) * 5, Reason.SEED_FIGHT),
}


@pytest.mark.parametrize(("made", "expected"), SEEDED.values(), ids=SEEDED)
def test_a_placeholder_that_is_there_again_after_it_was_seeded(
    made: tuple[Attempt, ...], expected: Reason
) -> None:
    given = facts(held={"ghcr/token": held("fixture", placeholder=True)})
    given = replace(given, tries={given.seed_id("ghcr/token").lower(): made})
    assert reasons(check(given, NOW)) == [expected]


@pytest.mark.parametrize(("made", "expected"), SEEDED.values(), ids=SEEDED)
def test_a_key_that_is_gone_again_after_it_was_seeded(made: tuple[Attempt, ...], expected: Reason) -> None:
    given = facts(held={"ghcr/token": Absent()})
    given = replace(given, tries={given.seed_id("ghcr/token").lower(): made})
    usual = {Reason.SEED_IS_PLACEHOLDER: Reason.SEED_MISSING}
    assert reasons(check(given, NOW)) == [usual.get(expected, expected)]


def test_a_missing_key_whose_source_was_not_read_is_no_fight() -> None:
    given = facts(held={"ghcr/token": Absent()}, sources={"ghcr-token": Unknown("403")})
    given = replace(given, tries={given.seed_id("ghcr/token").lower(): (seeding(), seeding())})
    assert reasons(check(given, NOW)) == [Reason.SEEDING_UNREAD, Reason.SEED_MISSING]


def test_a_placeholder_without_end_is_for_people_and_named_with_what_was_written() -> None:
    given = facts(held={"ghcr/token": held("fixture", placeholder=True)})
    given = replace(given, tries={given.seed_id("ghcr/token").lower(): (seeding(), seeding())})
    (found,) = check(given, NOW)
    assert found.message == (
        "version 3 of ghcr/token is a placeholder again, though version v7 of its source was written 2 times"
        " in a day"
    )
    assert REASONS[found.reason].leads is Leads.PERSON


# -- the rule that tells roots apart ----------------------------------------------------------------


def test_a_stale_credential_is_not_a_fault_of_vault_but_a_symptom_of_it() -> None:
    found = check(failing(NO_MATCH), NOW)
    assert all(REASONS[one.reason].symptom for one in found)
    assert REASONS[Reason.BOOTSTRAP_IDENTITY_REFUSED].leads is Leads.REPAIR


def test_a_stale_fact_is_not_a_fault_of_vault_but_a_symptom_of_it() -> None:
    found = check(failing(Cause(Reason.BOOTSTRAP_IDENTITY_UNKNOWN, "AADSTS700016")), NOW)
    assert all(REASONS[one.reason].symptom for one in found)


def test_a_role_that_is_missing_is_for_ci_alone() -> None:
    assert REASONS[Reason.BOOTSTRAP_ROLE_MISSING].leads is Leads.PERSON
    assert "CI" in REASONS[Reason.BOOTSTRAP_ROLE_MISSING].remedy


def test_a_secret_that_is_missing_is_named_at_its_source() -> None:
    given = failing(
        Cause(Reason.BOOTSTRAP_LACKS_SECRET, "ghcr-username"), secrets=Known((secret("ghcr-token"),))
    )
    found = {one.reason: one for one in check(given, NOW)}
    assert found[Reason.SECRET_MISSING].subject == f"{KEY_VAULT}/secrets/ghcr-username"
    assert not REASONS[Reason.SECRET_MISSING].symptom


def test_a_key_vault_that_belongs_elsewhere_is_a_finding_of_its_own() -> None:
    found = check(failing(NO_MATCH, declared=declared(key_vault=ELSEWHERE)), NOW)
    assert found[0].reason == Reason.KEY_VAULT_ELSEWHERE
    assert not REASONS[Reason.KEY_VAULT_ELSEWHERE].symptom


# -- repairs that were tried ------------------------------------------------------------------------

TRIED = {
    "a moment ago, it is waited for": (timedelta(seconds=30), Reason.BOOTSTRAP_UNDER_WAY),
    "while Entra may not know its credential yet": (timedelta(minutes=9), Reason.BOOTSTRAP_UNDER_WAY),
    "some minutes ago, somebody must see why it fails": (timedelta(minutes=10), Reason.BOOTSTRAP_IN_VAIN),
    "long ago, it is due again": (timedelta(hours=2), Reason.BOOTSTRAP_NEVER_SUCCEEDED),
}


@pytest.mark.parametrize(("age", "expected"), TRIED.values(), ids=TRIED)
def test_a_bootstrap_that_was_started(age: timedelta, expected: Reason) -> None:
    given = failing()
    tried = attempt(situations.of_bootstrap(given), age)
    given = failing(attempts={given.cron_job_id.lower(): tried})
    assert reasons(check(given, NOW))[0] == expected


def test_a_start_is_not_in_vain_while_the_bootstrap_runs() -> None:
    given = failing(jobs=Known((job(JobState.ACTIVE, 9 * MINUTE),)), log=Absent())
    tried = attempt(situations.of_bootstrap(given), 11 * MINUTE)
    given = replace(given, tries={given.cron_job_id.lower(): (tried,)})
    assert reasons(check(given, NOW)) == [Reason.BOOTSTRAP_UNDER_WAY, Reason.BOOTSTRAP_NEVER_SUCCEEDED]


def test_a_start_that_nobody_confirmed_is_made_again() -> None:
    """Whoever announced it may have died before it was sent; a second one finds the first one's Job."""
    given = failing()
    tried = attempt(situations.of_bootstrap(given), confirmed=False)
    given = failing(attempts={given.cron_job_id.lower(): tried})
    assert reasons(check(given, NOW)) == [Reason.BOOTSTRAP_NEVER_SUCCEEDED]


def test_a_start_in_another_situation_says_nothing_of_this_one() -> None:
    given = failing(attempts={facts().cron_job_id.lower(): attempt("another")})
    assert reasons(check(given, NOW)) == [Reason.BOOTSTRAP_NEVER_SUCCEEDED]


REFRESHED = {
    "a moment ago": (timedelta(seconds=30), Reason.REFRESHING),
    "some minutes ago": (timedelta(minutes=10), Reason.REFRESH_IN_VAIN),
    "long ago": (timedelta(hours=2), Reason.EXTERNAL_SECRET_NOT_READY),
}


@pytest.mark.parametrize(("age", "expected"), REFRESHED.values(), ids=REFRESHED)
def test_an_external_secret_that_was_refreshed(age: timedelta, expected: Reason) -> None:
    given = facts(external_secrets=Known((NOT_READY,)))
    subject = given.synced_id(Kind.EXTERNAL_SECRET, "pull").lower()
    tried = attempt(situations.of_refresh(given, Kind.EXTERNAL_SECRET, NOT_READY), age)
    found = check(facts(external_secrets=Known((NOT_READY,)), attempts={subject: tried}), NOW)
    assert reasons(found) == [expected]


@pytest.mark.parametrize(("times", "expected"), [(23, Reason.STORE_NOT_READY), (24, Reason.REFRESH_IN_VAIN)])
def test_a_store_that_is_in_another_situation_at_each_look(times: int, expected: Reason) -> None:
    given = facts(stores=Known((STORE_DOWN,)))
    made = tuple(attempt("another", timedelta(hours=one + 1)) for one in reversed(range(times)))
    given = replace(given, tries={given.synced_id(Kind.STORE, "store").lower(): made})
    assert reasons(check(given, NOW)) == [expected]


def test_a_store_that_recovered_makes_a_refresh_worth_while_again() -> None:
    before = facts(external_secrets=Known((NOT_READY,)))
    subject = before.synced_id(Kind.EXTERNAL_SECRET, "pull").lower()
    tried = attempt(situations.of_refresh(before, Kind.EXTERNAL_SECRET, NOT_READY), 10 * MINUTE)
    after = facts(
        external_secrets=Known((NOT_READY,)),
        stores=Known((synced("store", since="later"),)),
        attempts={subject: tried},
    )
    assert reasons(check(after, NOW)) == [Reason.EXTERNAL_SECRET_NOT_READY]


def test_the_cause_that_events_tell_stands_in_the_message() -> None:
    given = facts(external_secrets=Known((NOT_READY,)))
    subject = given.synced_id(Kind.EXTERNAL_SECRET, "pull")
    told = {subject: (Cause(Reason.BOOTSTRAP_MET_SEALED_VAULT),)}
    (found,) = check(facts(external_secrets=Known((NOT_READY,)), told=told), NOW)
    assert found.message == "ExternalSecret pull is not Ready (SecretSyncedError): Vault is sealed"


def test_no_digest_of_a_value_stands_in_a_finding() -> None:
    given = facts(
        held={"ghcr/token": held("digest-of-vault")}, sources={"ghcr-token": source("digest-of-kv")}
    )
    shown = str(check(given, NOW))
    assert "digest-of" not in shown


def test_every_reason_says_what_it_means_and_what_to_do() -> None:
    assert set(REASONS) == set(Reason)
    assert all(info.means.endswith(".") and info.remedy.endswith(".") for info in REASONS.values())
