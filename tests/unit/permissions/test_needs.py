"""Which rights a landscape needs, where, and for whom."""

from collections.abc import Callable

import pytest

from responders import REGISTRY
from responders.permissions import RULES
from shared.landscape import parse
from shared.permissions import Needs, needs

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks"
IDENTITIES = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
KEY_VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/seeds-kv"
ADDRESS = f"{GROUP}/providers/Microsoft.Network/publicIPAddresses/ip"
FACTS = "https://github.com/o/facts.git"
FLOWS = "https://github.com/o/flows.git"
OWN = f"{IDENTITIES}/reconverge"
ONE, TWO = f"{IDENTITIES}/one", f"{IDENTITIES}/two"

LANDSCAPE = f"""
version: 1
tenant: 22222222-2222-2222-2222-222222222222
reconverge: {{identity: {OWN}, objectId: 99999999-9999-9999-9999-999999999999}}
environments:
  dev:
    enabled: true
    clusters: [{{name: aks, id: {CLUSTER}}}]
    identities:
      - {{id: {ONE}, credentials: [{{name: cred-a, subject: "system:serviceaccount:dev:one"}}]}}
      - {{id: {TWO}, credentials: [{{name: cred-b, subject: "system:serviceaccount:dev:two"}}]}}
    facts:
      - repository: {FACTS}
        path: dev.yaml
        fields:
          azure.vault: {{from: keyVaultUri, id: {KEY_VAULT}}}
          azure.ip: {{from: publicIpAddress, id: {ADDRESS}}}
          azure.id: {{from: identityClientId, id: {ONE}}}
          azure.group: {{from: resourceGroup, id: {TWO}}}
        workflow: {{repository: {FLOWS}, file: apply.yaml}}
    vault:
      namespace: dev
      address: http://vault:8200
      login: {{mount: jwt, role: reconverge}}
      bootstrap: {{cronJob: seed, identity: {ONE}, credential: cred-a}}
      keyVault: {KEY_VAULT}
      seeds: [token]
    contract:
      default: propose
      identities: [{ONE}]
      repositories: [{FACTS}, {FLOWS}]
      namespaces: [dev]
      vaults: ["http://vault:8200"]
      channels: {{facts.update: pull-request}}
      # more
"""


def needed(more: str = "", text: str = LANDSCAPE) -> Needs:
    return needs(parse(text.replace("# more", more), "landscape.yaml"), RULES)


def azure(found: Needs) -> set[str]:
    """`<name>: <action>`, without its provider."""
    return {f"{one.place.id.rpartition('/')[2]}: {one.right.action.partition('/')[2]}" for one in found.azure}


def kubernetes(found: Needs) -> set[str]:
    return {
        f"{one.right.verb} {one.right.resource} {one.place.name or ''}".strip() for one in found.kubernetes
    }


def vault(found: Needs) -> set[str]:
    return {f"{one.right.capability} {one.place.path}" for one in found.vault}


def github(found: Needs) -> set[str]:
    return {
        f"{one.place.url.rpartition('/')[2]}: {one.right.permission} {one.right.level}"
        for one in found.github
    }


READING = {
    "aks: managedClusters/read",
    "aks: managedClusters/listClusterUserCredential/action",
    "one: userAssignedIdentities/read",
    "one: userAssignedIdentities/federatedIdentityCredentials/read",
    "two: userAssignedIdentities/read",
    "two: userAssignedIdentities/federatedIdentityCredentials/read",
    "seeds-kv: vaults/read",
    "seeds-kv: vaults/secrets/readMetadata/action",
    "seeds-kv: vaults/secrets/getSecret/action",
    "ip: publicIPAddresses/read",
}
WRITING = "one: userAssignedIdentities/federatedIdentityCredentials/write"
WATCHING = {
    "get cronjobs seed",
    "list jobs",
    "list pods",
    "get pods/log",
    "list events",
    "list secretstores",
    "list externalsecrets",
}


@pytest.mark.parametrize("mode", ["never", "propose"])
def test_nothing_but_reading_is_needed_where_nothing_is_written(mode: str) -> None:
    found = needed(text=LANDSCAPE.replace("default: propose", f"default: {mode}"))
    assert azure(found) == READING
    assert kubernetes(found) == WATCHING
    assert vault(found) == {"read secret/data/token"}
    assert github(found) == {"facts.git: Contents read", "facts.git: Pull requests read"}


@pytest.mark.parametrize("mode", ["approve", "apply"])
@pytest.mark.parametrize(
    ("action", "of", "more"),
    [
        ("credential.update", azure, {WRITING}),
        ("credential.create", azure, {WRITING}),
        ("facts.update", github, {"facts.git: Contents write", "facts.git: Pull requests write"}),
        ("vault.bootstrap", kubernetes, {"create jobs"}),
        ("secrets.refresh", kubernetes, {"patch secretstores", "patch externalsecrets"}),
        ("vault.seed", vault, {"create secret/data/token", "update secret/data/token"}),
    ],
)
def test_each_action_that_may_write_needs_just_its_own(
    action: str, of: Callable[[Needs], set[str]], more: set[str], mode: str
) -> None:
    before, after = needed(), needed(f"actions: {{{action}: {mode}}}")
    assert of(after) - of(before) == more
    for other in {azure, github, kubernetes, vault} - {of}:
        assert other(after) == other(before)


@pytest.mark.parametrize(
    ("listed", "of", "gone"),
    [
        (f"identities: [{ONE}]", azure, {WRITING}),
        (
            f"repositories: [{FACTS}, {FLOWS}]",
            github,
            {"facts.git: Contents write", "facts.git: Pull requests write"},
        ),
        ("namespaces: [dev]", kubernetes, {"create jobs", "patch secretstores", "patch externalsecrets"}),
        ('vaults: ["http://vault:8200"]', vault, {"create secret/data/token", "update secret/data/token"}),
    ],
    ids=["identities", "repositories", "namespaces", "vaults"],
)
def test_what_no_list_of_the_contract_names_needs_no_write(
    listed: str, of: Callable[[Needs], set[str]], gone: set[str]
) -> None:
    apply = LANDSCAPE.replace("default: propose", "default: apply")
    unlisted = apply.replace(listed, f"{listed.partition(':')[0]}: []")
    assert of(needed(text=apply)) - of(needed(text=unlisted)) == gone


CHANNELS = {
    "pull-request": (
        {"facts.git: Contents read", "facts.git: Pull requests read"},
        {"facts.git: Contents write", "facts.git: Pull requests write"},
    ),
    "direct": ({"facts.git: Contents read"}, {"facts.git: Contents write"}),
    "workflow": ({"facts.git: Contents read", "flows.git: Actions read"}, {"flows.git: Actions write"}),
}


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_token_needs_what_the_channel_needs(channel: str) -> None:
    reading, writing = CHANNELS[channel]
    text = LANDSCAPE.replace("facts.update: pull-request", f"facts.update: {channel}")
    assert github(needed(text=text)) == reading
    assert github(needed("actions: {facts.update: approve}", text)) == reading | writing


def test_tokens_of_service_accounts_are_needed_where_they_prove_what_may_be_written() -> None:
    exchange = "proof: token-exchange"
    assert kubernetes(needed(exchange)) == WATCHING
    writes = needed(f"{exchange}\n      actions: {{credential.update: apply}}")
    assert kubernetes(writes) - WATCHING == {"create serviceaccounts/token one"}


def test_nothing_of_a_disabled_environment_is_needed() -> None:
    disabled = needed(text=LANDSCAPE.replace("enabled: true", "enabled: false"))
    assert disabled == Needs(azure=(), kubernetes=(), github=(), vault=(), keycloak=())


def test_what_two_environments_need_is_needed_once_whatever_the_letter_case() -> None:
    again = LANDSCAPE.partition("  dev:")[2]
    for here, there in {
        "managedClusters/aks": "MANAGEDCLUSTERS/AKS",
        "o/facts.git": "O/Facts",
        "dev.yaml": "prod.yaml",
        "name: cred-a,": "name: prod-a,",
        "name: cred-b,": "name: prod-b,",
        "credential: cred-a}": "credential: prod-a}",
        "serviceaccount:dev": "serviceaccount:prod",
        "namespace: dev": "namespace: prod",
        "[dev]": "[prod]",
        "http://vault:8200": "http://vault-prod:8200",
    }.items():
        again = again.replace(here, there)
    both, alone = needed(text=f"{LANDSCAPE}  prod:{again}"), needed()
    assert both.azure == alone.azure
    assert both.github == alone.github
    assert len(both.kubernetes) == 2 * len(alone.kubernetes)
    assert len(both.vault) == 2 * len(alone.vault)


def test_a_repository_is_one_however_it_is_spelled() -> None:
    again = LANDSCAPE.replace(
        "repository: https://github.com/o/flows.git", "repository: https://github.com/O/Facts"
    )
    again = again.replace(f", {FLOWS}]", "]").replace("facts.update: pull-request", "facts.update: workflow")
    assert {one.place.url for one in needed(text=again).github} == {FACTS}


def test_a_need_of_two_responders_names_both() -> None:
    action = "Microsoft.ManagedIdentity/userAssignedIdentities/read"
    (one,) = [one for one in needed().azure if one.right.action == action and one.place.id == ONE]
    assert set(one.by) == {"federated_credentials", "runtime_facts"}


def test_roles_on_a_cluster_belong_where_they_outlive_it() -> None:
    assert {one.place.assign for one in needed().azure if one.place.id == CLUSTER} == {GROUP}
    others = [one for one in needed().azure if one.place.id != CLUSTER]
    assert all(one.place.assign == one.place.id for one in others)


def test_every_responder_has_rules() -> None:
    assert RULES.keys() >= REGISTRY.keys()
    assert all(RULES.values())
