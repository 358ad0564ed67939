"""Which steps mend which findings, in which order, and what is never planned."""

from collections.abc import Mapping
from dataclasses import replace

from responders.federated_credentials.checks import check
from responders.federated_credentials.facts import Facts
from responders.federated_credentials.plan import CREATE, UPDATE, plan
from shared.model import Cluster, Known, Plan, Read, Unknown
from tests.unit.clocks import START
from tests.unit.federated_credentials.builders import (
    AUDIENCE,
    CLUSTER,
    DEAD,
    GREEN,
    IDENTITY,
    LIVE,
    SUBJECT,
    cluster,
    declared,
    facts,
    held,
    holding,
    wrote,
)

GREEN_ISSUER = "https://westeurope.oic.prod-aks.azure.com/tenant/green/"
BOTH = {"aks": Known(cluster()), "green": Known(cluster(id=GREEN, issuer=GREEN_ISSUER))}


def planned(given: Facts) -> Plan:
    return plan(given, check(given, START))


def steps(given: Facts) -> list[tuple[str, str]]:
    return [(step.action, step.after["name"]) for step in planned(given).steps]


def test_a_healthy_environment_has_nothing_to_do() -> None:
    assert planned(facts()).steps == ()


def test_a_stale_credential_is_updated_in_place_under_its_own_name() -> None:
    (step,) = planned(facts(holding(held("Vault-Dev", issuer=DEAD)))).steps
    assert step.action == UPDATE
    assert step.owner == IDENTITY
    assert step.before == {"name": "Vault-Dev", "issuer": DEAD, "subject": SUBJECT, "audience": AUDIENCE}
    assert step.after == {"name": "Vault-Dev", "issuer": LIVE, "subject": SUBJECT, "audience": AUDIENCE}


def test_everything_that_differs_is_mended_by_one_step() -> None:
    differing = held(issuer=DEAD, subject="system:serviceaccount:dev:x", audiences=("y",))
    assert len(planned(facts(holding(differing))).steps) == 1


def test_a_missing_credential_is_created() -> None:
    (step,) = planned(facts(holding())).steps
    assert (step.action, step.before) == (CREATE, None)


def test_only_as_many_are_created_as_slots_are_free() -> None:
    full = [held(f"kept-{n}", subject=f"system:serviceaccount:dev:s{n}") for n in range(19)]
    given = facts(holding(*full, declares=(declared("first"), declared("second", subject=SUBJECT + "2"))))
    assert steps(given) == [(CREATE, "first")]


def test_nothing_foreign_undeclared_or_managed_is_ever_touched() -> None:
    given = facts(
        holding(
            held(),
            held("leftover", issuer=DEAD),
            held("aks", audiences=("api://AKSIdentityBinding",)),
            held("flex", subject=None),
        )
    )
    assert planned(given).steps == ()


def test_with_two_live_clusters_the_new_one_is_added_before_anything_changes() -> None:
    """The credential of blue is to serve green from now on, and blue gets one of its own."""
    given = facts(
        holding(
            held("vault-dev"),
            declares=(
                declared("vault-dev", cluster="green", subject=SUBJECT),
                declared("vault-dev-blue", cluster="aks", subject=SUBJECT + "-blue"),
            ),
        ),
        clusters=BOTH,
    )
    assert steps(given) == [(CREATE, "vault-dev-blue")]


def moved(*, proven: bool) -> Facts:
    created = held("vault-dev-blue", subject=SUBJECT + "-blue")
    return facts(
        holding(
            held("vault-dev"),
            created,
            declares=(
                declared("vault-dev", cluster="green"),
                declared("vault-dev-blue", subject=SUBJECT + "-blue"),
            ),
            writes={"vault-dev-blue": (wrote(START, before=None, after=created, proven=proven),)},
        ),
        clusters=BOTH,
    )


def test_what_a_live_cluster_uses_changes_only_after_the_added_one_is_proven() -> None:
    assert steps(moved(proven=False)) == []
    assert steps(moved(proven=True)) == [(UPDATE, "vault-dev")]


def test_an_added_one_that_somebody_has_written_over_is_not_waited_for() -> None:
    given = moved(proven=False)
    (one,) = given.holdings
    created = wrote(START, before=None, after=held("vault-dev-blue", subject=SUBJECT + "-blue", issuer=DEAD))
    assert steps(replace(given, holdings=(replace(one, writes={"vault-dev-blue": (created,)}),))) == [
        (UPDATE, "vault-dev")
    ]


GREEN_UNREAD: Mapping[str, Read[Cluster]] = {"aks": Known(cluster()), "green": Unknown("ARM answered 429")}
GREEN_REBUILT = {"aks": Known(cluster()), "green": Known(cluster(id=GREEN, issuer=f"{GREEN_ISSUER}new/"))}


def taken_from_green(clusters: Mapping[str, Read[Cluster]]) -> Facts:
    """What trusts green's issuer is to serve blue from now on, and a second one is missing."""
    return facts(
        holding(
            held(issuer=GREEN_ISSUER),
            declares=(declared(), declared("vault-dev-green", subject=SUBJECT + "-green")),
        ),
        clusters=clusters,
    )


def test_what_a_cluster_that_could_not_be_read_may_use_changes_only_after_the_added_one() -> None:
    assert steps(taken_from_green(GREEN_UNREAD)) == [(CREATE, "vault-dev-green")]


def test_what_no_cluster_uses_changes_beside_the_added_one_when_all_were_read() -> None:
    assert steps(taken_from_green(GREEN_REBUILT)) == [(CREATE, "vault-dev-green"), (UPDATE, "vault-dev")]


def test_where_nothing_is_missing_a_cluster_that_could_not_be_read_holds_nothing_back() -> None:
    assert steps(facts(holding(held(issuer=DEAD)), clusters=GREEN_UNREAD)) == [(UPDATE, "vault-dev")]


def test_the_same_situation_has_the_same_digest_at_any_time() -> None:
    given = facts(holding(held(issuer=DEAD)))
    assert planned(given).digest == plan(given, check(given, START.replace(year=2030))).digest


def test_a_change_of_the_facts_changes_the_digest() -> None:
    one = planned(facts(holding(held(issuer=DEAD))))
    other_issuer = facts(holding(held(issuer=DEAD)), clusters={"aks": Known(cluster(issuer=GREEN_ISSUER))})
    another_credential = facts(holding(held(issuer=DEAD), held("b", subject=SUBJECT + "2", issuer=DEAD)))
    assert len({one.digest, planned(other_issuer).digest, planned(another_credential).digest}) == 3


def test_steps_name_cluster_issuers_only_as_they_were_read() -> None:
    (step,) = planned(facts(holding(held(issuer=DEAD)))).steps
    assert step.after["issuer"] == LIVE
    assert CLUSTER not in str(step)
