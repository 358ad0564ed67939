"""Which targets a signal wakes."""

import pytest

import responders
from shared import routing
from shared.landscape import (
    ApplicationRule,
    DeclaredCluster,
    DeclaredFact,
    DeclaredFacts,
    Truth,
    Watcher,
)
from shared.model import Signal, Source, Target
from shared.routing import Registered
from shared.signals import REPORTED
from tests.unit.app import BLUE_AND_GREEN, environment, landscape
from tests.unit.applications.builders import declared as argocd
from tests.unit.clocks import START
from tests.unit.federated_credentials.builders import CLUSTER, GREEN, IDENTITY, SUBSCRIPTION, declared
from tests.unit.vault_seeding.builders import declared as declared_vault

REGISTRY = {
    "federated_credentials": Registered(
        hears=frozenset({"cluster.written", "identity.written", "credential.written"})
    ),
    "runtime_facts": Registered(
        hears=frozenset({"cluster.written", "role-assignment.written"}), rests_on=("federated_credentials",)
    ),
}
OTHER = f"{IDENTITY}-of-dns"
GROUP = SUBSCRIPTION.removesuffix("/providers")
KEY_VAULT = f"{SUBSCRIPTION}-elsewhere/Microsoft.KeyVault/vaults/kv"
PUBLISHED = f"{IDENTITY}-published"
FACTS = DeclaredFacts(
    repository="https://github.com/o/facts",
    path="a.yaml",
    fields={"id": DeclaredFact.model_validate({"from": Truth.IDENTITY_CLIENT_ID, "id": PUBLISHED})},
)
LANDSCAPE = landscape(
    environment(clusters=BLUE_AND_GREEN).model_copy(update={"facts": (FACTS,)}),
    environment({IDENTITY: (declared(),), OTHER: (declared(),)}, name="prod"),
    environment(name="off", enabled=False),
    environment(
        {f"{OTHER}-2": ()},
        name="away",
        clusters=(DeclaredCluster(name="aks", id=f"{CLUSTER}2"),),
        vault=declared_vault(key_vault=KEY_VAULT),
    ),
)
ARGOCD = landscape(
    environment().model_copy(
        update={
            "argocd": argocd(
                applications=(
                    ApplicationRule(match="dev-vault-*", responders=(Watcher.RUNTIME_FACTS,)),
                    ApplicationRule(match="dev-*"),
                )
            )
        }
    ),
    environment(name="prod").model_copy(
        update={"argocd": argocd(namespace="other", applications=(ApplicationRule(match="*"),))}
    ),
    environment(name="plain"),
    environment(name="off", enabled=False).model_copy(update={"argocd": argocd()}),
)
FC, RF = "federated_credentials", "runtime_facts"


def woken(kind: str, subject: str) -> list[str]:
    signal = Signal(source=Source.EVENT_GRID, kind=kind, subject=subject, time=START, correlation_id="c")
    return [str(target) for target in routing.targets(LANDSCAPE, signal, REGISTRY)]


CREDENTIAL = f"{IDENTITY}/federatedIdentityCredentials/vault-dev"
ROLE = "providers/Microsoft.Authorization/roleAssignments/1"
EVENTS: dict[str, tuple[str, str, list[str]]] = {
    "a cluster wakes every environment that declares it, and all who watch": (
        "cluster.written", CLUSTER, [f"dev/{FC}", f"dev/{RF}", f"prod/{FC}", f"prod/{RF}"],
    ),
    "the green cluster wakes the one that declares it": (
        "cluster.written", GREEN, [f"dev/{FC}", f"dev/{RF}"],
    ),
    "letter case does not matter": ("cluster.written", GREEN.upper(), [f"dev/{FC}", f"dev/{RF}"]),
    "a cluster whose name goes on is another one": ("cluster.written", f"{CLUSTER}3", []),
    "an identity wakes those who hold it and watch it": ("identity.written", OTHER, [f"prod/{FC}"]),
    "an identity wakes those who publish facts about it": ("identity.written", PUBLISHED, [f"dev/{FC}"]),
    "a credential wakes its identity's environments": (
        "credential.written", CREDENTIAL, [f"dev/{FC}", f"prod/{FC}"],
    ),
    "a credential of an identity whose name goes on is another's": (
        "credential.written", f"{OTHER}-2/federatedIdentityCredentials/x", [f"away/{FC}"],
    ),
    "a role on an identity": ("role-assignment.written", f"{OTHER}/{ROLE}", [f"prod/{RF}"]),
    "a role on a resource group wakes everything beneath": (
        "role-assignment.written", f"{GROUP}/{ROLE}", [f"dev/{RF}", f"prod/{RF}", f"away/{RF}"],
    ),
    "a role on the Key Vault that the seeds come from": (
        "role-assignment.written", f"{KEY_VAULT}/{ROLE}", [f"away/{RF}"],
    ),
    "a role on another group wakes nobody": ("role-assignment.written", f"{GROUP}x/{ROLE}", []),
    "a kind that nobody watches wakes nobody": ("cluster.deleted", CLUSTER, []),
    "a kind of which nothing is known wakes nobody": ("vault.written", CLUSTER, []),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "subject", "targets"), EVENTS.values(), ids=EVENTS)
def test_event(kind: str, subject: str, targets: list[str]) -> None:
    assert woken(kind, subject) == targets


EVERYTHING = [f"{name}/{responder}" for name in ("dev", "prod", "away") for responder in (FC, RF)]
REQUESTS: dict[str, tuple[str, list[str]]] = {
    "everything is everything enabled, in the landscape's order": ("*", EVERYTHING),
    "an environment": ("prod", [f"prod/{FC}", f"prod/{RF}"]),
    "a target": (f"prod/{RF}", [f"prod/{RF}"]),
    "a disabled environment": ("off", []),
    "a target of a disabled environment": (f"off/{FC}", []),
    "an environment that is unknown": ("qa", []),
    "a responder that is unknown": ("dev/keycloak", []),
}


@pytest.mark.parametrize("kind", ["sweep", "requested", "approved", "replayed"])
@pytest.mark.parametrize(("subject", "targets"), REQUESTS.values(), ids=REQUESTS)
def test_request(kind: str, subject: str, targets: list[str]) -> None:
    assert woken(kind, subject) == targets


@pytest.mark.parametrize(("subject", "unknown"), [("qa", "qa"), ("qa/x", "qa"), ("dev/x", "x"), ("", "")])
def test_what_cannot_be_expanded_is_named(subject: str, unknown: str) -> None:
    with pytest.raises(KeyError) as error:
        routing.expand(LANDSCAPE, subject, REGISTRY)
    assert error.value.args == (unknown,)


def test_every_target_there_is() -> None:
    assert [str(target) for target in routing.every(LANDSCAPE, REGISTRY)] == EVERYTHING
    assert routing.every(LANDSCAPE, REGISTRY)[0] == Target("dev", FC)


def test_what_rests_on_a_target_is_of_its_own_environment() -> None:
    assert routing.resting_on(Target("prod", FC), LANDSCAPE, REGISTRY) == (Target("prod", RF),)
    assert routing.resting_on(Target("prod", RF), LANDSCAPE, REGISTRY) == ()


def test_a_target_rests_on_those_of_its_own_environment() -> None:
    assert routing.preconditions(Target("prod", RF), LANDSCAPE, REGISTRY) == (Target("prod", FC),)
    assert routing.preconditions(Target("prod", FC), LANDSCAPE, REGISTRY) == ()


def test_a_responder_has_no_target_where_its_section_is_not_declared() -> None:
    registry = {
        FC: Registered(hears=frozenset(), section="identities"),
        RF: Registered(hears=frozenset(), section="clusters"),
    }
    bare = landscape(environment().model_copy(update={"identities": ()}), environment(name="prod"))
    assert [str(target) for target in routing.every(bare, registry)] == [
        f"dev/{RF}",
        f"prod/{FC}",
        f"prod/{RF}",
    ]


def test_no_responder_rests_on_itself_over_however_many_others() -> None:
    done: set[str] = set()
    for name, registered in responders.REGISTRY.items():
        assert done >= set(registered.rests_on), "a root stands before what rests on it"
        done.add(name)


# -- what Argo CD reports ---------------------------------------------------------------------------

WATCHING = {**REGISTRY, "applications": Registered(hears=frozenset({REPORTED}), section="argocd")}
REPORTS: dict[str, tuple[str, list[str]]] = {
    "wakes who watches Applications, and who its rule names": (
        "argocd/dev-vault-core", [f"dev/{RF}", "dev/applications"],
    ),
    "wakes nobody else where its rule names nobody": ("argocd/dev-gitlab", ["dev/applications"]),
    "of another namespace is another's": ("other/dev-vault-core", ["prod/applications"]),
    "of no environment wakes nobody": ("argocd/production-gitlab", []),
    "of a namespace without Argo CD wakes nobody": ("kube-system/dev-gitlab", []),
    "whose name could not be read wakes all that any of them may concern, everywhere": (
        "*", [f"dev/{RF}", "dev/applications", "prod/applications"],
    ),
    "that names none wakes nobody": ("argocd/", []),
    "that is no name wakes nobody": ("", []),
}  # fmt: skip


@pytest.mark.parametrize(("subject", "targets"), REPORTS.values(), ids=REPORTS)
def test_an_application(subject: str, targets: list[str]) -> None:
    signal = Signal(source=Source.ARGO_CD, kind=REPORTED, subject=subject, time=START, correlation_id="c")
    assert [str(target) for target in routing.targets(ARGOCD, signal, WATCHING)] == targets


def test_a_responder_without_its_section_is_not_woken() -> None:
    registry = {**WATCHING, RF: Registered(hears=frozenset(), section="facts")}
    signal = Signal(
        source=Source.ARGO_CD,
        kind=REPORTED,
        subject="argocd/dev-vault-core",
        time=START,
        correlation_id="c",
    )
    assert [str(target) for target in routing.targets(ARGOCD, signal, registry)] == ["dev/applications"]


def test_a_rule_may_name_every_responder_but_the_one_that_watches_applications() -> None:
    others = set(responders.REGISTRY) - {"applications"}
    # submodule_refs comes with its own section.
    assert others == set(Watcher)


def test_applications_come_last_and_rest_on_all_others() -> None:
    *others, last = responders.REGISTRY
    assert (last, responders.REGISTRY[last].rests_on) == ("applications", tuple(others))
