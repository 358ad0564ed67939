"""Which fault is found in which situation, and that nothing is said about what was not read."""

from datetime import timedelta
from typing import Any

import pytest

from responders.federated_credentials.checks import STALE_FOR, check, doubt
from responders.federated_credentials.facts import Facts
from responders.federated_credentials.reasons import REASONS, Reason
from shared.landscape import Contract
from shared.model import Known, Proof, Unknown, Verdict
from tests.unit.clocks import START
from tests.unit.federated_credentials.builders import (
    AUDIENCE,
    CLUSTER,
    DEAD,
    GONE,
    IDENTITY,
    LIVE,
    OWN,
    OWN_OBJECT,
    cluster,
    declared,
    facts,
    held,
    holding,
    identity,
    wrote,
)

GITHUB = "https://token.actions.githubusercontent.com"
OTHER = "system:serviceaccount:dev:other"


def many(number: int) -> tuple[Any, ...]:
    return tuple(held(f"kept-{n}", subject=f"system:serviceaccount:dev:s{n}") for n in range(number))


def kept(number: int) -> tuple[Any, ...]:
    return tuple(declared(f"kept-{n}", subject=f"system:serviceaccount:dev:s{n}") for n in range(number))


def state(of: str) -> Facts:
    return facts(clusters={"aks": Known(cluster(provisioning_state=of))})


CASES: dict[str, tuple[Facts, list[Reason]]] = {
    "a credential that matches the live cluster has no fault": (facts(), []),
    "a credential from before the rebuild is stale": (
        facts(holding(held(issuer=DEAD))),
        [Reason.ISSUER_STALE],
    ),
    "an issuer less its last slash is another one": (
        facts(holding(held(issuer=LIVE[:-1]))),
        [Reason.ISSUER_STALE],
    ),
    "another service account differs": (facts(holding(held(subject=OTHER))), [Reason.SUBJECT_DIFFERS]),
    "a letter's case in the subject differs": (
        facts(holding(held(subject="system:serviceaccount:dev:Vault"))),
        [Reason.SUBJECT_DIFFERS],
    ),
    "another audience differs": (
        facts(holding(held(audiences=("api://other",)))),
        [Reason.AUDIENCE_DIFFERS],
    ),
    "everything that differs is named": (
        facts(holding(held(issuer=DEAD, subject=OTHER, audiences=()))),
        [Reason.SUBJECT_DIFFERS, Reason.ISSUER_STALE, Reason.AUDIENCE_DIFFERS],
    ),
    "a declared credential that is not there is missing": (
        facts(holding()),
        [Reason.CREDENTIAL_MISSING],
    ),
    "a name that differs by letter case is the same name": (
        facts(holding(held("Vault-Dev", issuer=DEAD))),
        [Reason.ISSUER_STALE],
    ),
    "a credential of that name for somebody else's issuer is a collision": (
        facts(holding(held(issuer=GITHUB))),
        [Reason.NAME_COLLISION],
    ),
    "a credential of that name which AKS manages is a collision": (
        facts(
            holding(
                held(issuer="https://ib.oic.prod-aks.azure.com/x/", audiences=("api://AKSIdentityBinding",))
            )
        ),
        [Reason.NAME_COLLISION],
    ),
    "a flexible credential of that name is a collision": (
        facts(holding(held(subject=None))),
        [Reason.NAME_COLLISION],
    ),
    "the pair under another name stops the create": (
        facts(holding(held("other"))),
        [Reason.PAIR_HELD_ELSEWHERE, Reason.CREDENTIAL_UNDECLARED],
    ),
    "the pair under another name stops the update": (
        facts(holding(held(issuer=DEAD), held("other"))),
        [Reason.PAIR_HELD_ELSEWHERE, Reason.CREDENTIAL_UNDECLARED],
    ),
    "eighteen credentials are near the quota": (
        facts(holding(*many(18), declares=kept(18))),
        [Reason.QUOTA_NEAR],
    ),
    "twenty credentials reach the quota, and nothing more": (
        facts(holding(*many(20), declares=kept(20))),
        [Reason.QUOTA_REACHED],
    ),
    "a missing credential without a slot says so": (
        facts(holding(*many(20), declares=(*kept(20), declared()))),
        [Reason.QUOTA_REACHED, Reason.NO_SLOT_LEFT],
    ),
    "of two missing credentials the first gets the last slot": (
        facts(holding(*many(19), declares=(*kept(19), declared(), declared("second")))),
        [Reason.QUOTA_NEAR, Reason.CREDENTIAL_MISSING, Reason.NO_SLOT_LEFT],
    ),
    "a leftover of a cluster nobody declares is foreign": (
        facts(holding(held(), held("old", issuer=DEAD))),
        [Reason.ISSUER_FOREIGN],
    ),
    "a trusted issuer is not foreign": (
        facts(holding(held(), held("ci", issuer=GITHUB), trusted_issuers=frozenset({GITHUB}))),
        [],
    ),
    "what another environment declares is not foreign": (
        facts(holding(held(), held("vault-prod", issuer=DEAD), elsewhere=frozenset({"vault-prod"}))),
        [],
    ),
    "an undeclared subject of the live cluster is named": (
        facts(holding(held(), held("extra", subject=OTHER))),
        [Reason.CREDENTIAL_UNDECLARED],
    ),
    "an identity binding of AKS is only noted": (
        facts(holding(held(), held("aks", audiences=("api://AKSIdentityBinding",)))),
        [Reason.CREDENTIAL_MANAGED_BY_AKS],
    ),
    "a flexible credential is only noted": (
        facts(holding(held(), held("flex", subject=None, issuer=GITHUB))),
        [Reason.CREDENTIAL_FLEXIBLE],
    ),
    "an identity that ARM does not know is missing": (
        facts(holding(identity=GONE, credentials=GONE)),
        [Reason.IDENTITY_MISSING],
    ),
    "an identity that cannot be read proves nothing": (
        facts(holding(identity=Unknown("ARM answered 503"))),
        [Reason.UNREAD],
    ),
    "credentials that cannot be listed prove nothing": (
        facts(holding(credentials=Unknown("ARM answered 429"))),
        [Reason.UNREAD],
    ),
    "the app's own identity is refused by its id": (
        facts(holding(held(issuer=DEAD), id=OWN.upper())),
        [Reason.IDENTITY_IS_OWN],
    ),
    "the app's own identity is refused by its principal": (
        facts(holding(held(issuer=DEAD), identity=Known(identity(principal_id=OWN_OBJECT)))),
        [Reason.IDENTITY_IS_OWN],
    ),
    "an identity of another subscription is a stale pointer": (
        facts(holding(held(issuer=DEAD), id=IDENTITY.replace("1111-1111-1111", "2222-2222-2222"))),
        [Reason.IDENTITY_OUTSIDE_SUBSCRIPTION],
    ),
    "a cluster that does not answer proves nothing": (
        facts(holding(held(issuer=DEAD)), clusters={"aks": Unknown("503")}),
        [Reason.UNREAD],
    ),
    "a deleted cluster's credentials are left alone": (
        facts(clusters={"aks": GONE}),
        [Reason.CLUSTER_DELETED],
    ),
    "a cluster being built is waited for": (state("Creating"), [Reason.CLUSTER_NOT_READY]),
    "a cluster being updated is waited for": (state("Updating"), [Reason.CLUSTER_NOT_READY]),
    "a cluster whose creation failed needs somebody": (state("Failed"), [Reason.CLUSTER_FAILED]),
    "a state nobody has heard of needs somebody": (state("Quantum"), [Reason.CLUSTER_FAILED]),
    "a cluster without an issuer needs somebody": (
        facts(clusters={"aks": Known(cluster(issuer=None))}),
        [Reason.CLUSTER_WITHOUT_ISSUER],
    ),
    "an issuer of a host outside the contract needs somebody": (
        facts(contract=Contract(issuer_hosts=("issuers.example.org",))),
        [Reason.ISSUER_HOST_NOT_ALLOWED],
    ),
    "a stopped cluster keeps its issuer": (
        facts(clusters={"aks": Known(cluster(power_state="Stopped"))}),
        [],
    ),
}


@pytest.mark.parametrize(("given", "reasons"), CASES.values(), ids=CASES)
def test_the_faults_are_named(given: Facts, reasons: list[Reason]) -> None:
    assert [finding.reason for finding in check(given, START)] == reasons


def test_every_reason_is_explained() -> None:
    assert set(REASONS) == set(Reason)


def test_a_fault_of_one_cluster_hides_nothing_of_the_other() -> None:
    given = facts(
        holding(
            held(issuer=DEAD),
            held("vault-green", issuer=DEAD),
            declares=(declared(), declared("vault-green", cluster="green")),
        ),
        clusters={"aks": Known(cluster()), "green": Unknown("503")},
    )
    assert [finding.reason for finding in check(given, START)] == [
        Reason.UNREAD,
        Reason.PAIR_HELD_ELSEWHERE if False else Reason.ISSUER_STALE,
    ]


# -- time -----------------------------------------------------------------------------------

OLD = held(issuer=DEAD)
NEW = held()
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

HISTORIES: dict[str, tuple[list[Any], list[Reason]]] = {
    "right after our write the old value is a stale read": (
        [wrote(START - MINUTE / 2, before=OLD, after=NEW)],
        [Reason.READ_MAY_BE_STALE],
    ),
    "later it is stale again, and repaired again": (
        [wrote(START - STALE_FOR, before=OLD, after=NEW)],
        [Reason.ISSUER_STALE],
    ),
    "a write that may not have happened is simply repeated": (
        [wrote(START - MINUTE / 2, before=OLD, after=NEW, confirmed=False)],
        [Reason.ISSUER_STALE],
    ),
    "put back twice, it is somebody's intention": (
        [wrote(START - HOUR, before=OLD, after=NEW), wrote(START - HOUR / 2, before=OLD, after=NEW)],
        [Reason.WRITERS_FIGHT],
    ),
    "put back twice, with more than a day between, it is no fight": (
        [wrote(START - DAY, before=OLD, after=NEW), wrote(START - HOUR, before=OLD, after=NEW)],
        [Reason.ISSUER_STALE],
    ),
    "two repairs of different faults are no fight": (
        [
            wrote(START - HOUR, before=held(subject=OTHER), after=NEW),
            wrote(START - HOUR / 2, before=OLD, after=NEW),
        ],
        [Reason.ISSUER_STALE],
    ),
}


@pytest.mark.parametrize(("writes", "reasons"), HISTORIES.values(), ids=HISTORIES)
def test_our_own_writes_are_remembered(writes: list[Any], reasons: list[Reason]) -> None:
    given = facts(holding(OLD, writes={"vault-dev": tuple(writes)}))
    assert [finding.reason for finding in check(given, START)] == reasons


def test_a_created_credential_that_is_not_seen_yet_is_not_created_again() -> None:
    given = facts(holding(writes={"vault-dev": (wrote(START - MINUTE / 2, before=None, after=NEW),)}))
    assert [finding.reason for finding in check(given, START)] == [Reason.READ_MAY_BE_STALE]


def test_a_fight_names_both_writers() -> None:
    twice = tuple(wrote(START - HOUR * n, before=OLD, after=NEW) for n in (2, 1))
    given = facts(holding(OLD, writes={"vault-dev": twice}, others={"vault-dev": ("terraform-object-id",)}))
    (finding,) = check(given, START)
    assert "terraform-object-id" in finding.message
    assert OWN_OBJECT in finding.message


def proof(verdict: Verdict) -> Proof:
    return Proof(
        object=f"{IDENTITY}/federatedIdentityCredentials/vault-dev",
        method="token-exchange",
        verdict=verdict,
        detail="AADSTS700211",
        at=START,
    )


DOUBTS = {
    "an accepted token leaves none": (Verdict.ACCEPTED, MINUTE, []),
    "a refusal within the grace time is propagation": (
        Verdict.REFUSED,
        10 * MINUTE - MINUTE,
        [Reason.PROPAGATING],
    ),
    "a refusal after the grace time is suspect": (Verdict.REFUSED, 10 * MINUTE, [Reason.REFUSED_AFTER_GRACE]),
    "an exchange that could not be tried proves nothing": (Verdict.UNPROVEN, MINUTE, [Reason.UNPROVEN]),
}


@pytest.mark.parametrize(("verdict", "age", "reasons"), DOUBTS.values(), ids=DOUBTS)
def test_a_proof_leaves_doubt(verdict: Verdict, age: timedelta, reasons: list[Reason]) -> None:
    given = facts(holding(NEW, writes={"vault-dev": (wrote(START - age, before=OLD, after=NEW),)}))
    assert [finding.reason for finding in doubt(given, (proof(verdict),), START)] == reasons


def test_findings_name_the_resource_by_its_arm_id() -> None:
    assert check(facts(clusters={"aks": GONE}), START)[0].subject == CLUSTER
    (finding,) = check(facts(holding()), START)
    assert finding.subject == f"{IDENTITY}/federatedIdentityCredentials/vault-dev"
    assert AUDIENCE not in finding.subject
