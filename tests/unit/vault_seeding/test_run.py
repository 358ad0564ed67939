"""Whole runs against a small platform in memory: what heals, in which order, and what is left alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from responders.federated_credentials import RESPONDER as CREDENTIALS
from responders.runtime_facts import RESPONDER as FACTS
from responders.vault_seeding import RESPONDER
from responders.vault_seeding.plan import NAME
from responders.vault_seeding.reasons import Reason
from responders.vault_seeding.sync_checks import MOST_REFRESHES
from shared.clients.cluster_api import CronJob, Event, JobState, Kind
from shared.clients.fingerprints import placeholder_digest
from shared.engine import Report, Run, execute
from shared.errors import PermanentError, ReconvergeError, TemporaryError
from shared.journal import Journal
from shared.landscape import Action, Contract, DeclaredFact, Mode, Truth
from shared.leases import Leases
from shared.memory import MemoryRows
from shared.model import Finding, Outcome, Step, Target, Word
from shared.plans import Plans
from shared.steps import Crew
from shared.world import Scope
from tests.unit.app import BLUE_AND_GREEN, GREEN_LIVE, environment, landscape
from tests.unit.clocks import START, VirtualClock
from tests.unit.federated_credentials.builders import CLUSTER, DEAD, GREEN, IDENTITY, LIVE, held
from tests.unit.platform import Platform
from tests.unit.runtime_facts.builders import OLD_CLIENT_ID, PATH, REPOSITORY, fact
from tests.unit.runtime_facts.builders import declared as published
from tests.unit.vault_seeding.builders import ADDRESS, CRON_JOB, KEY_VAULT, declared

MINUTE = timedelta(minutes=1)
VALUE = "the value that nobody may see"
FIXTURE = "fixture-value"
MAY: Any = {
    "default": Mode.APPLY,
    "identities": (IDENTITY,),
    "namespaces": ("dev",),
    "vaults": (ADDRESS,),
    "pace": timedelta(0),
}
TARGET = Target("dev", NAME)


class Stage:
    """A platform after a rebuild that went well, and runs against it."""

    def __init__(self, **contract: Any) -> None:
        self.clock = VirtualClock()
        self.rows = MemoryRows()
        self.journal = Journal(self.rows, self.clock)
        self.platform = Platform(self.clock)
        self.platform.build(CLUSTER, LIVE)
        self.platform.hold(IDENTITY, held())
        self.platform.resources[KEY_VAULT.lower()] = "https://seeds-kv.vault.azure.net/"
        self.seeds = self.platform.seeds
        self.seeds.key_vaults.values = {"ghcr-username": "robot", "ghcr-token": VALUE}
        self.seeds.vaults.versions = {"ghcr/token": [VALUE]}
        cluster = self.seeds.kubernetes
        cluster.cron_jobs[CRON_JOB] = CronJob(
            uid="uid-1",
            schedule="0 3 * * *",
            time_zone=None,
            suspended=False,
            created=START - timedelta(days=30),
            last_success=None,
        )
        cluster.run("old", JobState.COMPLETE, START - MINUTE)
        cluster.make(Kind.STORE, "store")
        cluster.make(Kind.EXTERNAL_SECRET, "pull")
        cluster.bootstrap = self.bootstrap
        cluster.refreshed = self.operator
        self.works = True
        self.declared = declared(placeholders=(placeholder_digest(FIXTURE),))
        self.contract = Contract(**{**MAY, **contract})
        self.sections: dict[str, Any] = {}
        """Of the environment, beside Vault and the identity."""

    # -- what the platform's own controllers do -------------------------------------------

    def bootstrap(self, job: str) -> None:
        if self.works:
            self.seeds.vaults.versions["ghcr/token"] = [VALUE]
            self.seeds.kubernetes.run(job, JobState.COMPLETE, self.clock())
        else:
            self.seeds.kubernetes.run(job, JobState.FAILED, self.clock(), f"AADSTS700211 {VALUE}")

    def operator(self, kind: Kind, name: str) -> None:
        if (self.seeds.vaults.versions.get("ghcr/token") or [None])[-1] == VALUE:
            reason = "Valid" if kind is Kind.STORE else "SecretSynced"
            self.seeds.kubernetes.turn(kind, name, ready=True, reason=reason)

    def broken(self) -> None:
        """As after a rebuild whose bootstrap never came through."""
        cluster = self.seeds.kubernetes
        cluster.all_jobs.clear()
        cluster.run("first", JobState.FAILED, START - MINUTE, f"AADSTS700211: …\npassword={VALUE}")
        self.seeds.vaults.versions.clear()
        cluster.make(Kind.STORE, "store", ready=False)
        cluster.make(Kind.EXTERNAL_SECRET, "pull", ready=False)

    # -- runs -----------------------------------------------------------------------------

    def scope(self) -> Scope:
        sections = {"vault": self.declared, **self.sections}
        whole = landscape(environment(contract=self.contract).model_copy(update=sections))
        return Scope(
            target=TARGET,
            landscape=whole,
            environment=whole.environments["dev"],
            world=self.platform.world,
            journal=self.journal,
            clock=self.clock,
            pause=self.clock.pause,
            preconditions=(CREDENTIALS, FACTS),
        )

    def run(self, *, dry: bool = False) -> Report:
        leases = Leases(self.rows, self.clock)
        run = Run(id=str(self.clock()), correlation_id="c", actor="reconverge", dry=dry)
        crew = Crew(leases, lambda: None, "worker")
        report = execute(self.scope(), RESPONDER, run, Plans(self.rows, self.clock), crew)
        self.clock.advance(timedelta(seconds=15))
        return report

    def words(self, runs: int) -> list[Word]:
        return [self.run().outcome.word for _ in range(runs)]

    def actions(self) -> list[str]:
        return [
            entry.detail["action"]
            for entry in self.journal.read(TARGET, since=START - MINUTE)
            if entry.kind == "step-started"
        ]


def test_a_seeded_vault_is_converged_and_nothing_is_written() -> None:
    stage = Stage()
    assert stage.run().outcome.word is Word.CONVERGED
    assert stage.actions() == []


def test_a_failed_bootstrap_is_started_and_everything_behind_it_heals_in_order() -> None:
    stage = Stage()
    stage.broken()
    words = stage.words(6)
    assert words[-1] is Word.CONVERGED
    assert stage.actions() == ["vault.bootstrap", "secrets.refresh", "secrets.refresh"]
    assert Word.REPAIRED in words
    objects = stage.seeds.kubernetes.objects
    assert objects[Kind.EXTERNAL_SECRET]["pull"].ready


def test_a_stale_credential_blocks_and_nothing_is_written_until_it_is_right() -> None:
    stage = Stage()
    stage.broken()
    stage.platform.hold(IDENTITY, held(issuer=DEAD))
    outcome = stage.run().outcome
    assert outcome.word is Word.BLOCKED
    assert "IssuerStale" in outcome.because
    assert stage.actions() == []
    stage.platform.hold(IDENTITY, held())
    assert stage.words(6)[-1] is Word.CONVERGED


def test_a_seed_that_is_missing_is_written_once_and_proven() -> None:
    stage = Stage()
    stage.seeds.vaults.versions.clear()
    assert stage.run().outcome.word is Word.REPAIRED
    assert stage.seeds.vaults.versions == {"ghcr/token": [VALUE]}
    assert stage.run().outcome.word is Word.CONVERGED
    assert stage.actions() == ["vault.seed"]


def test_a_placeholder_is_replaced() -> None:
    stage = Stage()
    stage.seeds.vaults.versions = {"ghcr/token": [FIXTURE]}
    assert stage.run().outcome.word is Word.REPAIRED
    assert stage.seeds.vaults.versions == {"ghcr/token": [FIXTURE, VALUE]}


def fought_over(stage: Stage, hours: int) -> Outcome:
    """Somebody puts the fixture back after each look, every ten minutes."""
    for _ in range(6 * hours):
        stage.seeds.vaults.versions.setdefault("ghcr/token", []).append(FIXTURE)
        outcome = stage.run().outcome
        stage.clock.advance(10 * MINUTE)
    return outcome


def test_a_placeholder_that_somebody_puts_back_is_written_over_twice_and_then_told_of() -> None:
    stage = Stage()
    outcome = fought_over(stage, hours=4)
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.SEED_FIGHT)
    assert stage.actions() == ["vault.seed"] * 2
    assert stage.seeds.vaults.versions["ghcr/token"][-1] == FIXTURE


def test_a_placeholder_that_was_fought_over_is_written_over_again_a_day_later() -> None:
    stage = Stage()
    assert fought_over(stage, hours=1).word is Word.HUMAN
    stage.clock.advance(timedelta(days=1))
    assert stage.run().outcome.word is Word.REPAIRED
    assert stage.seeds.vaults.versions["ghcr/token"][-1] == VALUE


def test_a_key_that_somebody_takes_away_is_written_twice_and_then_told_of() -> None:
    stage = Stage()
    for _ in range(6):
        stage.seeds.vaults.versions.clear()
        outcome = stage.run().outcome
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.SEED_FIGHT)
    assert stage.actions() == ["vault.seed"] * 2


def test_a_value_that_somebody_wrote_meanwhile_stays() -> None:
    stage = Stage()
    stage.seeds.vaults.versions.clear()
    owners: dict[str, list[str | None]] = {"ghcr/token": ["the owner's"]}
    stage.seeds.meanwhile = lambda: stage.seeds.vaults.versions.update(owners)
    stage.run()
    assert stage.seeds.vaults.versions == {"ghcr/token": ["the owner's"]}


def test_a_sealed_vault_is_for_people_and_nothing_is_written() -> None:
    stage = Stage()
    stage.broken()
    stage.seeds.vaults.sealed = True
    assert stage.run().outcome.word is Word.HUMAN
    assert stage.actions() == []


def test_a_role_that_is_missing_is_for_people_where_credential_and_facts_are_right() -> None:
    stage = Stage()
    stage.broken()
    stage.seeds.kubernetes.run("second", JobState.FAILED, START, "403 Forbidden: ForbiddenByRbac")
    outcome = stage.run().outcome
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.BOOTSTRAP_ROLE_MISSING)
    assert stage.actions() == []


def test_a_bootstrap_that_fails_again_is_started_once_and_then_told_of() -> None:
    stage = Stage()
    stage.broken()
    stage.works = False
    assert stage.run().outcome.word is Word.PENDING
    for _ in range(10):
        stage.clock.advance(MINUTE)
        outcome = stage.run().outcome
    assert outcome.word is Word.HUMAN
    assert outcome.reason == Reason.BOOTSTRAP_IN_VAIN
    assert stage.actions() == ["vault.bootstrap"]


def test_a_bootstrap_that_never_begins_is_told_of() -> None:
    stage = Stage()
    stage.broken()
    stage.seeds.kubernetes.run("stuck", JobState.ACTIVE, START - timedelta(days=2))
    outcome = stage.run().outcome
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.BOOTSTRAP_HANGS)
    assert stage.actions() == []


def test_a_bootstrap_whose_runs_end_each_other_is_started_once_beside_them() -> None:
    stage = Stage()
    stage.broken()
    cluster = stage.seeds.kubernetes
    usual = cluster.cron_jobs[CRON_JOB]
    cluster.cron_jobs[CRON_JOB] = replace(usual, schedule="*/1 * * * *", replaces=True)
    for number in range(20):
        cluster.run(f"run-{number}", JobState.ACTIVE, stage.clock() - timedelta(seconds=20))
        stage.run()
        del cluster.all_jobs[f"run-{number}"]
    assert stage.actions() == ["vault.bootstrap", "secrets.refresh", "secrets.refresh"]


def test_an_hour_later_it_is_started_anew_beside_the_job_that_failed() -> None:
    stage = Stage()
    stage.broken()
    stage.works = False
    stage.run()
    stage.works = True
    stage.clock.advance(timedelta(hours=1))
    assert stage.words(6)[-1] is Word.CONVERGED
    states = [one.state for one in stage.seeds.kubernetes.all_jobs.values()]
    assert states == [JobState.FAILED, JobState.FAILED, JobState.COMPLETE]


NOT_MADE = {
    "it was refused": PermanentError("the API server answered 403"),
    "its answer was lost": TemporaryError("the API server could not be reached", delay=MINUTE),
}


@pytest.mark.parametrize("trouble", NOT_MADE.values(), ids=NOT_MADE)
def test_a_start_that_was_not_confirmed_is_made_again_and_not_called_in_vain(
    trouble: ReconvergeError,
) -> None:
    stage = Stage()
    stage.broken()
    stage.seeds.kubernetes.trouble["start"] = trouble
    stage.run()
    del stage.seeds.kubernetes.trouble["start"]
    stage.clock.advance(30 * MINUTE)
    stage.run()
    assert stage.actions() == ["vault.bootstrap"] * 2
    assert stage.words(6)[-1] is Word.CONVERGED


def test_a_refresh_whose_answer_is_lost_again_and_again_counts_as_made() -> None:
    def unheard(_kind: Kind, _name: str) -> None:
        raise TemporaryError("the answer was lost", delay=MINUTE)

    stage = Stage()
    stage.seeds.kubernetes.make(Kind.EXTERNAL_SECRET, "pull", ready=False)
    stage.seeds.kubernetes.refreshed = unheard
    begun = stage.clock()
    while stage.clock() - begun < 59 * MINUTE:
        ended = stage.run().outcome
    assert (ended.word, ended.reason) == (Word.HUMAN, Reason.REFRESH_IN_VAIN)
    assert stage.actions() == ["secrets.refresh"] * 3


def test_a_refresh_without_effect_is_made_once_and_then_told_of() -> None:
    stage = Stage()
    stage.seeds.kubernetes.make(Kind.EXTERNAL_SECRET, "pull", ready=False)
    stage.seeds.kubernetes.refreshed = lambda _kind, _name: None
    for _ in range(10):
        stage.clock.advance(MINUTE)
        outcome = stage.run().outcome
    assert outcome.reason == Reason.REFRESH_IN_VAIN
    assert stage.actions() == ["secrets.refresh"]


def test_a_store_that_is_down_for_two_reasons_in_turn_is_refreshed_only_so_often_in_a_day() -> None:
    stage = Stage()
    stage.seeds.kubernetes.refreshed = lambda _kind, _name: None
    for number in range(60):
        why = ("InvalidProviderConfig", "ValidationFailed")[number % 2]
        stage.seeds.kubernetes.make(Kind.STORE, "store", ready=False, reason=why)
        outcome = stage.run().outcome
        stage.clock.advance(MINUTE)
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.REFRESH_IN_VAIN)
    assert stage.actions() == ["secrets.refresh"] * MOST_REFRESHES


def test_a_store_that_nothing_proves_keeps_the_whole_from_being_called_converged() -> None:
    stage = Stage()
    stage.declared = stage.declared.model_copy(update={"external_secrets": ()})
    stage.seeds.kubernetes.make(Kind.STORE, "store", reason="ValidationUnknown")
    del stage.seeds.kubernetes.objects[Kind.EXTERNAL_SECRET]["pull"]
    outcome = stage.run().outcome
    assert (outcome.word, outcome.reason) == (Word.HUMAN, Reason.STORE_NEVER_TRIED)
    assert stage.actions() == []


FORBIDDEN: dict[str, dict[str, Any]] = {
    "in a namespace that the contract does not list": {"namespaces": ()},
    "with an action that it forbids": {"default": Mode.NEVER},
    "with an action that it only proposes": {"default": Mode.PROPOSE},
}


@pytest.mark.parametrize("contract", FORBIDDEN.values(), ids=FORBIDDEN)
def test_no_job_is_started(contract: dict[str, Any]) -> None:
    stage = Stage(**contract)
    stage.broken()
    assert stage.run().outcome.word in {Word.HUMAN, Word.PROPOSED}
    assert set(stage.seeds.kubernetes.all_jobs) == {"first"}


NEVER_STARTED: dict[str, dict[str, Any]] = {
    "by its action": {"actions": {Action.VAULT_BOOTSTRAP: Mode.NEVER}},
    "by its namespace": {"namespaces": ()},
}


@pytest.mark.parametrize("contract", NEVER_STARTED.values(), ids=NEVER_STARTED)
def test_where_the_contract_never_lets_the_bootstrap_be_started_its_seeds_are_written(
    contract: dict[str, Any],
) -> None:
    stage = Stage(**contract)
    stage.broken()
    outcome = stage.run().outcome
    assert outcome.word is Word.HUMAN
    assert stage.actions() == ["vault.seed"]
    assert stage.seeds.vaults.versions == {"ghcr/token": [VALUE]}


def test_a_vault_that_the_contract_does_not_list_is_not_seeded() -> None:
    stage = Stage(vaults=())
    stage.seeds.vaults.versions.clear()
    assert stage.run().outcome.word is Word.HUMAN
    assert not stage.seeds.vaults.versions


def test_a_run_that_only_plans_writes_nothing() -> None:
    stage = Stage()
    stage.broken()
    assert stage.run(dry=True).outcome.word is Word.PROPOSED
    assert stage.actions() == []


def test_what_cannot_be_read_is_neither_a_fault_nor_written() -> None:
    stage = Stage()
    stage.broken()
    stage.seeds.key_vaults.trouble["secrets"] = TemporaryError("Key Vault answered 503", delay=MINUTE)
    assert stage.run().outcome.word is Word.FAILED
    assert stage.actions() == []


def step(action: str, **changes: Any) -> Step:
    base: dict[str, Any] = {
        "object": "x",
        "owner": f"{CLUSTER}/namespaces/dev",
        "before": None,
        "after": {
            "uid": "uid-1",
            "job": "j",
            "key": "ghcr/token",
            "secret": "ghcr-token",
            "secretVersion": "v-ghcr-token",
            "keyVault": "https://seeds-kv.vault.azure.net/",
            "cas": "1",
            "kind": "secretstores",
            "name": "store",
            "situation": "s",
        },
        "mends": "",
    }
    return Step(action=action, **{**base, **changes})


REFUSED = {
    "a Job in another namespace": step("vault.bootstrap", owner=f"{CLUSTER}/namespaces/kube-system"),
    "a refresh in another namespace": step("secrets.refresh", owner=f"{CLUSTER}/namespaces/kube-system"),
    "a seed of another Vault": step("vault.seed", owner="http://elsewhere:8200"),
    "a key that is no declared seed": step(
        "vault.seed", owner=ADDRESS, after={"key": "root", "secret": "ghcr-token"}
    ),
    "a source that is not the seed's": step(
        "vault.seed", owner=ADDRESS, after={"key": "ghcr/token", "secret": "ghcr-username"}
    ),
    "an action of somebody else": step("credential.update", owner=IDENTITY),
}


LISTS: dict[str, dict[str, Any]] = {
    "that the contract does not list": {},
    "though the contract listed it": {
        "namespaces": ("dev", "kube-system"),
        "vaults": (ADDRESS, "http://elsewhere:8200"),
    },
}


@pytest.mark.parametrize("lists", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_the_last_guard_refuses(given: Step, lists: dict[str, Any]) -> None:
    stage = Stage(**lists)
    with pytest.raises(PermanentError):
        RESPONDER.apply(stage.scope(), given)
    assert set(stage.seeds.kubernetes.all_jobs) == {"old"}
    assert (stage.seeds.copies, stage.seeds.kubernetes.marks) == ([], {})


@pytest.mark.parametrize("action", ["vault.bootstrap", "secrets.refresh", "vault.seed"])
def test_the_last_guard_refuses_the_declared_vault_s_own_place_where_the_contract_lists_none(
    action: str,
) -> None:
    stage = Stage(namespaces=(), vaults=())
    given = step(action, owner=ADDRESS) if action == "vault.seed" else step(action)
    with pytest.raises(PermanentError, match="does not list"):
        RESPONDER.apply(stage.scope(), given)


def test_the_value_stands_in_nothing_that_is_kept_or_told() -> None:
    stage = Stage()
    stage.broken()
    reports = [stage.run() for _ in range(3)]
    stage.seeds.vaults.versions.clear()
    reports += [stage.run() for _ in range(3)]
    assert VALUE not in repr(reports)
    assert VALUE not in repr([entry.detail for entry in stage.journal.read(TARGET, since=START - MINUTE)])


# -- what the platform says of the cause ------------------------------------------------------------


def found(stage: Stage) -> dict[str, Finding]:
    return {one.reason: one for one in RESPONDER.check(RESPONDER.gather(stage.scope()), stage.clock())}


def test_the_log_of_the_newest_failed_job_names_the_cause() -> None:
    stage = Stage()
    stage.broken()
    stage.seeds.kubernetes.run(
        "second", JobState.FAILED, START, "missing required Key Vault secret: ghcr-token"
    )
    named = found(stage)
    assert named[Reason.BOOTSTRAP_LACKS_SECRET].message.endswith("(ghcr-token)")
    assert Reason.BOOTSTRAP_IDENTITY_REFUSED not in named


def test_the_log_of_a_job_that_runs_names_nothing() -> None:
    stage = Stage()
    stage.broken()
    stage.seeds.kubernetes.run("second", JobState.ACTIVE, START, "cat: seeds.json: permission denied")
    assert Reason.BOOTSTRAP_DENIED_BY_VAULT not in found(stage)


def test_the_log_of_a_job_before_the_last_success_names_nothing() -> None:
    stage = Stage()
    stage.seeds.kubernetes.logs["old"] = "AADSTS700211: …"
    assert found(stage) == {}


def test_events_name_the_cause_of_what_is_not_ready_and_of_nothing_else() -> None:
    stage = Stage()
    cluster = stage.seeds.kubernetes
    cluster.make(Kind.EXTERNAL_SECRET, "pull", ready=False)
    cluster.said += [
        Event("pull", f"Code: 503. Errors: * Vault is sealed {VALUE}"),
        Event("store", "Code: 403. Errors: * permission denied"),
    ]
    assert {one.reason: one.message for one in found(stage).values()} == {
        Reason.EXTERNAL_SECRET_NOT_READY: (
            "ExternalSecret pull is not Ready (SecretSyncedError): Vault is sealed"
        )
    }


# -- what it rests on -------------------------------------------------------------------------------


def test_a_run_rests_on_its_cluster_its_credential_and_nothing_of_its_own() -> None:
    scope = Stage().scope()
    assert RESPONDER.gather(scope).rests_on == {
        CLUSTER.lower(),
        f"{IDENTITY}/federatedIdentityCredentials/vault-dev".lower(),
    }


TELLS = {
    "of the bootstrap's identity": (fact(Truth.IDENTITY_CLIENT_ID, IDENTITY.upper()), True),
    "of the Key Vault": (fact(Truth.KEY_VAULT_URI, KEY_VAULT.upper()), True),
    "of another identity": (fact(Truth.IDENTITY_CLIENT_ID, f"{IDENTITY}-of-dns"), False),
    "of the tenant": (fact(Truth.TENANT_ID), False),
}


@pytest.mark.parametrize(("told", "rests"), TELLS.values(), ids=TELLS)
def test_a_run_rests_on_the_facts_file_that_tells(told: DeclaredFact, rests: bool) -> None:
    file = published(fields={"azure.fact": told})
    scope = Stage().scope()
    scope = replace(scope, environment=scope.environment.model_copy(update={"facts": (file,)}))
    rests_on = RESPONDER.gather(scope).rests_on
    assert (file.reference.lower() in rests_on) is rests


OF_THE_BOOTSTRAP = "azure.vaultBootstrapIdentityClientId"


def publishing(text: str, **fields: DeclaredFact) -> Stage:
    """A platform whose Vault lacks its seed, and that publishes facts."""
    stage = Stage()
    told = {OF_THE_BOOTSTRAP: fact(Truth.IDENTITY_CLIENT_ID, IDENTITY), **fields}
    stage.sections["facts"] = (published(fields=told),)
    stage.platform.github.clock = stage.clock
    stage.platform.github.put(REPOSITORY, "main", PATH, text)
    stage.seeds.vaults.versions.clear()
    return stage


def test_nothing_is_seeded_while_an_unread_cluster_leaves_the_bootstrap_s_fact_unjudged() -> None:
    stage = publishing(f"azure:\n  vaultBootstrapIdentityClientId: {OLD_CLIENT_ID}\n")
    stage.sections["clusters"] = BLUE_AND_GREEN
    stage.platform.build(GREEN, GREEN_LIVE)
    busy = TemporaryError("answered 429", delay=timedelta(seconds=30))
    stage.platform.lay("GET cluster", busy, on="green", times=99)
    outcome = stage.run().outcome
    assert outcome.word is Word.BLOCKED
    assert "FactsUnread" in outcome.because
    assert stage.actions() == []
