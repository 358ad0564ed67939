"""Each fault of published facts has its name, and nothing that was not read is called a fault."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from responders.runtime_facts.reasons import REASONS, Reason
from responders.runtime_facts.verify import look_again
from shared.errors import TemporaryError, Throttled
from shared.landscape import Truth
from tests.unit.runtime_facts.builders import (
    ADDRESS,
    CLIENT_ID,
    CLUSTER,
    FIELDS,
    IDENTITY,
    IP,
    OLD_CLIENT_ID,
    OLD_IDENTITY,
    REFERENCE,
    RIGHT,
    STALE,
    TENANT,
    VAULT,
    VAULT_URI,
    World,
    declared,
    fact,
)

DOWN = TemporaryError("answered 503", delay=timedelta(seconds=30))
NOBODY = "client-id: [\n"

TEXTS: dict[str, tuple[str | None, list[Reason]]] = {
    "facts that are right have no fault": (RIGHT, []),
    "a fact of the old platform differs": (STALE, [Reason.FACT_DIFFERS]),
    "letter case is no difference": (RIGHT.replace(CLIENT_ID, CLIENT_ID.upper()), []),
    "an address less its last slash is another one": (
        RIGHT.replace(VAULT_URI, VAULT_URI[:-1]),
        [Reason.FACT_DIFFERS],
    ),
    "every fact that differs is named": (
        STALE.replace(IP, "20.9.9.9"),
        [Reason.FACT_DIFFERS, Reason.FACT_DIFFERS],
    ),
    "an empty fact is missing": (RIGHT.replace(f'"{VAULT_URI}"', '""'), [Reason.FACT_MISSING]),
    "a fact without value is missing": (RIGHT.replace(f'"{VAULT_URI}"', ""), [Reason.FACT_MISSING]),
    "a fact that is not there is missing": (RIGHT.replace("keyVaultUri", "uri"), [Reason.FACT_MISSING]),
    "a fact that may be empty may be absent too": (
        RIGHT.replace('  dnsManagedIdentityClientId: ""\n', ""),
        [],
    ),
    "a fact that may be empty must be right where it is not": (
        RIGHT.replace('dnsManagedIdentityClientId: ""', f"dnsManagedIdentityClientId: {OLD_CLIENT_ID}"),
        [Reason.FACT_DIFFERS],
    ),
    "a placeholder is malformed": (RIGHT.replace(CLIENT_ID, "CHANGE-ME"), [Reason.FACT_MALFORMED]),
    "an address that is none is malformed": (RIGHT.replace(IP, "20.1.2.300"), [Reason.FACT_MALFORMED]),
    "a number is malformed": (RIGHT.replace(IP, "2012"), [Reason.FACT_MALFORMED]),
    "a list is no scalar": (RIGHT.replace(IP, f"[{IP}]"), [Reason.FACT_NOT_SCALAR]),
    "a mapping is no scalar": (RIGHT.replace(IP, f"{{ip: {IP}}}"), [Reason.FACT_NOT_SCALAR]),
    "a parent that is no mapping has no fields": ("azure: none\n", [Reason.FIELD_UNKNOWN] * 4),
    "a parent that is missing has no fields": ("other: {}\n", [Reason.FIELD_UNKNOWN] * 4),
    "an empty file has no fields": ("", [Reason.FIELD_UNKNOWN] * 4),
    "a file that is not YAML": (NOBODY, [Reason.FACTS_FILE_NOT_YAML]),
    "a file that is missing is no missing field": (None, [Reason.FACTS_FILE_MISSING]),
}


@pytest.mark.parametrize(("text", "reasons"), TEXTS.values(), ids=TEXTS)
def test_names_what_is_wrong_with_a_file(text: str | None, reasons: list[Reason]) -> None:
    assert World(text).reasons() == reasons


ZONED = {
    "a token": "fe80::1%ghs-not-to-be-seen",
    "a line of its own": "::1%x\n\nReconverge-Change: none",
    "a cell of a table": "::1%`|`",
}


@pytest.mark.parametrize("published", ZONED.values(), ids=ZONED)
def test_a_zone_behind_an_address_may_hold_anything_so_it_is_no_address(published: str) -> None:
    world = World(RIGHT.replace(IP, json.dumps(published)))
    (found,) = world.findings()
    assert found.reason == Reason.FACT_MALFORMED
    assert published.partition("%")[2] not in found.message


# -- what is not known, or not there --------------------------------------------------------------


def without_repository(world: World) -> None:
    world.github.branches.clear()


def without_git(world: World) -> None:
    world.github.troubles["read"] = DOWN


def without_cluster_reads(world: World) -> None:
    world.azure.lay("GET cluster", DOWN)


def without_identity_reads(world: World) -> None:
    world.azure.lay("GET identity", DOWN)


def without_client_id(world: World) -> None:
    key = IDENTITY.lower()
    world.azure._identities[key] = replace(world.azure._identities[key], client_id="")


def without_cluster(world: World) -> None:
    world.azure.tear_down(CLUSTER)


def without_vault(world: World) -> None:
    del world.azure.resources[VAULT.lower()]


def without_address(world: World) -> None:
    del world.azure.resources[ADDRESS.lower()]


SITUATIONS: dict[str, tuple[Callable[[World], None], list[tuple[Reason, str]]]] = {
    "a repository that answers 404 may be private": (
        without_repository,
        [(Reason.REPOSITORY_UNREADABLE, "https://github.com/ameideio/ameide-runtime-facts")],
    ),
    "a repository that does not answer is not known": (
        without_git,
        [(Reason.REPOSITORY_UNREADABLE, "https://github.com/ameideio/ameide-runtime-facts")],
    ),
    "a cluster that does not answer leaves nothing to judge by": (
        without_cluster_reads,
        [(Reason.FACTS_UNREAD, CLUSTER), (Reason.FACTS_UNREAD, REFERENCE)],
    ),
    "a cluster that is being rebuilt has no facts": (without_cluster, [(Reason.NO_LIVE_CLUSTER, CLUSTER)]),
    "an identity that does not answer is not known": (
        without_identity_reads,
        [(Reason.FACTS_UNREAD, IDENTITY)],
    ),
    "a vault that does not exist is a fault of its own": (without_vault, [(Reason.RESOURCE_MISSING, VAULT)]),
    "an address that does not exist is a fault of its own": (
        without_address,
        [(Reason.RESOURCE_MISSING, ADDRESS)],
    ),
}


@pytest.mark.parametrize(("take", "found"), SITUATIONS.values(), ids=SITUATIONS)
def test_names_what_is_wrong_around_a_file(
    take: Callable[[World], None], found: list[tuple[Reason, str]]
) -> None:
    world = World()
    take(world)
    assert [(one.reason, one.subject) for one in world.findings()] == found


@pytest.mark.parametrize("take", [take for take, _ in SITUATIONS.values()], ids=SITUATIONS)
def test_what_is_wrong_around_a_file_is_never_published(take: Callable[[World], None]) -> None:
    """Beside a fact that is stale: that one alone may change, and only while all others are known."""
    world = World(STALE)
    take(world)
    changed = {field for step in world.plan().steps for field in step.after}
    assert changed <= {"azure.vaultBootstrapIdentityClientId"}


def test_an_unread_truth_holds_the_whole_file_back_since_half_a_change_is_another_one() -> None:
    world = World(STALE.replace(IP, "20.9.9.9"))
    without_identity_reads(world)
    assert world.plan().steps == ()


def test_a_missing_resource_holds_back_no_other_field() -> None:
    world = World(STALE)
    without_vault(world)
    (step,) = world.plan().steps
    assert step.after == {"azure.vaultBootstrapIdentityClientId": CLIENT_ID}


# -- sources that no resource has to tell -------------------------------------------------------------


ILL_FORMED: dict[str, tuple[Callable[[World], None], str]] = {
    "an identity without a client id": (without_client_id, IDENTITY),
    "a vault whose address has no scheme": (
        lambda world: world.azure.resources.update({VAULT.lower(): "kv.vault.azure.net"}),
        VAULT,
    ),
    "an address that is none": (
        lambda world: world.azure.resources.update({ADDRESS.lower(): "pending"}),
        ADDRESS,
    ),
}


@pytest.mark.parametrize(("answer", "subject"), ILL_FORMED.values(), ids=ILL_FORMED)
def test_what_azure_answers_in_another_form_is_not_known_and_never_published(
    answer: Callable[[World], None], subject: str
) -> None:
    world = World(STALE)
    answer(world)
    found = [(one.reason, one.subject) for one in world.findings()]
    assert (Reason.FACTS_UNREAD, subject) in found
    assert world.plan().steps == ()


def test_parts_of_an_id_and_the_tenant_are_facts_too() -> None:
    fields = {
        "azure.subscriptionId": fact(Truth.SUBSCRIPTION_ID, CLUSTER),
        "azure.resourceGroup": fact(Truth.RESOURCE_GROUP, OLD_IDENTITY),
        "azure.tenantId": fact(Truth.TENANT_ID),
    }
    text = "azure:\n  subscriptionId: old\n  resourceGroup: ameide\n  tenantId:\n"
    world = World(text, files=(declared(fields=fields),))
    assert world.reasons() == [Reason.FACT_MALFORMED, Reason.FACT_MISSING]
    (step,) = world.plan().steps
    assert step.after == {
        "azure.subscriptionId": "11111111-1111-1111-1111-111111111111",
        "azure.tenantId": TENANT,
    }


# -- what is told -----------------------------------------------------------------------------------------


def test_a_finding_on_a_field_is_one_on_its_file_and_names_the_field() -> None:
    (finding,) = World(STALE).findings()
    assert finding.subject == REFERENCE
    assert finding.evidence == {"field": "azure.vaultBootstrapIdentityClientId"}
    assert finding.message == (
        f"azure.vaultBootstrapIdentityClientId is {OLD_CLIENT_ID}, not {CLIENT_ID} of vault-bootstrap"
    )


def test_a_malformed_value_is_never_shown_for_it_may_be_a_secret() -> None:
    world = World(RIGHT.replace(CLIENT_ID, "hunter2-the-password"))
    assert "hunter2" not in repr(world.findings()) + repr(world.plan())
    assert world.findings()[0].message.startswith(
        "azure.vaultBootstrapIdentityClientId is a text of 20 characters, not shown, not "
    )


def test_a_pause_that_a_far_side_asked_for_is_kept() -> None:
    world = World()
    world.github.troubles["read"] = Throttled("answered 429", delay=timedelta(minutes=7))
    facts = world.gather()
    (finding,) = world.findings()
    look = look_again(facts, finding, world.clock())
    assert (look.after, look.asked) == (timedelta(minutes=7), True)


def test_every_reason_has_its_words() -> None:
    assert set(REASONS) == set(Reason)


def test_each_thing_is_read_once() -> None:
    world = World()
    world.gather()
    assert sorted(call for call, _ in world.azure.calls) == ["GET cluster", "GET identity"]
    assert set(FIELDS) > {"azure.dnsManagedIdentityClientId"}
