"""A workload cannot exchange its token: is the fact stale that names its identity, or the credential?

Both responders look at the same platform, one at the facts and one at the credentials. Each branch of the
decision has a test named after it.
"""

from datetime import timedelta

import pytest

from responders.federated_credentials import RESPONDER as CREDENTIALS
from responders.runtime_facts.reasons import Reason
from shared.errors import TemporaryError
from shared.landscape import DeclaredCredential, DeclaredIdentity, Truth
from shared.model import Credential
from tests.unit.runtime_facts.builders import (
    CLIENT_ID,
    FIELDS,
    IDENTITY,
    OLD_CLIENT_ID,
    OLD_IDENTITY,
    RIGHT,
    STALE,
    THERE,
    World,
    allowing,
    declared,
    fact,
)

LIVE = "https://westeurope.oic.prod-aks.azure.com/t/live/"
DEAD = "https://westeurope.oic.prod-aks.azure.com/t/dead/"
SUBJECT = "system:serviceaccount:ameide-dev:vault-bootstrap"
CREDENTIAL = "vault-bootstrap-dev"


def platform(text: str, issuer: str, identity_id: str = IDENTITY) -> World:
    """A facts file, and the declared identity with a credential for an issuer."""
    trust = DeclaredCredential(name=CREDENTIAL, cluster="ameide", subject=SUBJECT)
    world = World(
        text,
        identities=(DeclaredIdentity(id=identity_id, credentials=(trust,)),),
        contract=allowing(identities=(identity_id,)),
    )
    named = world.azure._identities[IDENTITY.lower()]
    held = Credential(
        name=CREDENTIAL, issuer=issuer, subject=SUBJECT, audiences=("api://AzureADTokenExchange",)
    )
    world.azure.hold(identity_id, held)
    world.azure._identities[identity_id.lower()] = named
    return world


def on_credentials(world: World) -> list[str]:
    facts = CREDENTIALS.gather(world.scope)
    return [str(one.reason) for one in CREDENTIALS.check(facts, world.clock())]


def credential_steps(world: World) -> int:
    facts = CREDENTIALS.gather(world.scope)
    found = CREDENTIALS.check(facts, world.clock())
    return len(CREDENTIALS.plan(facts, found).steps)


def test_the_fact_names_another_identity_while_the_cluster_s_own_exists_so_the_fact_is_stale() -> None:
    world = platform(STALE, LIVE)
    assert world.reasons() == [Reason.FACT_DIFFERS]
    assert on_credentials(world) == []
    (step,) = world.plan().steps
    assert (step.action, step.before, step.after) == (
        "facts.update",
        {"azure.vaultBootstrapIdentityClientId": OLD_CLIENT_ID},
        {"azure.vaultBootstrapIdentityClientId": CLIENT_ID},
    )


def test_for_a_stale_fact_no_credential_is_touched() -> None:
    world = platform(STALE, LIVE)
    before = world.azure.holds(IDENTITY)
    world.run()
    assert credential_steps(world) == 0
    assert world.azure.written == []
    assert world.azure.holds(IDENTITY) == before


def test_the_fact_is_right_and_its_identity_s_issuer_is_stale_so_the_credential_is_stale() -> None:
    world = platform(RIGHT, DEAD)
    assert world.reasons() == []
    assert world.plan().steps == ()
    assert on_credentials(world) == ["IssuerStale"]


def test_fact_and_credential_are_both_stale_so_each_is_told_by_its_own_responder() -> None:
    world = platform(STALE, DEAD)
    assert world.reasons() == [Reason.FACT_DIFFERS]
    assert on_credentials(world) == ["IssuerStale"]


def test_both_are_right_so_the_fault_is_elsewhere() -> None:
    world = platform(RIGHT, LIVE)
    assert (world.reasons(), on_credentials(world)) == ([], [])


def test_the_cluster_s_own_identity_does_not_exist_so_the_fact_is_left_alone() -> None:
    world = platform(STALE, LIVE)
    world.azure._identities.pop(IDENTITY.lower())
    assert world.reasons() == [Reason.RESOURCE_MISSING]
    assert world.plan().steps == ()


def test_the_declared_identity_lies_in_another_subscription_so_neither_is_touched() -> None:
    fields = {
        **FIELDS,
        "azure.vaultBootstrapIdentityClientId": fact(Truth.IDENTITY_CLIENT_ID, OLD_IDENTITY),
    }
    world = platform(STALE.replace(OLD_CLIENT_ID, CLIENT_ID), DEAD, OLD_IDENTITY)
    world.files = (declared(fields=fields),)
    assert world.reasons() == [Reason.RESOURCE_OUTSIDE_SUBSCRIPTION]
    assert world.plan().steps == ()
    assert on_credentials(world) == ["IdentityOutsideSubscription"]
    assert credential_steps(world) == 0


@pytest.mark.parametrize("published", [RIGHT, STALE], ids=["right facts", "stale facts"])
def test_the_vault_belongs_to_another_subscription_so_its_address_is_never_published(published: str) -> None:
    elsewhere = f"{THERE}/Microsoft.KeyVault/vaults/ameidekv"
    fields = {**FIELDS, "azure.keyVaultUri": fact(Truth.KEY_VAULT_URI, elsewhere)}
    world = platform(published, LIVE)
    world.azure.resources[elsewhere.lower()] = "https://old.vault.azure.net/"
    world.files = (declared(fields=fields),)
    assert Reason.RESOURCE_OUTSIDE_SUBSCRIPTION in world.reasons()
    assert all("azure.keyVaultUri" not in step.after for step in world.plan().steps)


def test_the_cluster_was_not_read_so_nothing_is_decided() -> None:
    world = platform(STALE, LIVE)
    world.azure.lay("GET cluster", TemporaryError("answered 503", delay=timedelta(seconds=30)))
    assert world.plan().steps == ()
