"""What people apply from deploy/ says the same as the code and the pages."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from sandbox.eventgrid_subscriptions import read_subscription
from shared.landscape import load
from shared.model import Signal
from shared.signals import WATCHED, from_event

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "shared" / "clients"
SAMPLES = sorted((ROOT / "tests" / "samples" / "eventgrid").glob("*.json"))


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def event_filter() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(text_of("deploy/eventgrid/filter.json"))
    return loaded


def test_the_event_filter_names_exactly_the_watched_operations() -> None:
    (condition,) = event_filter()["advancedFilters"]
    assert condition["key"] == "data.operationName"
    assert sorted(map(str.lower, condition["values"])) == sorted(WATCHED)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_the_event_filter_lets_through_what_concerns_us_and_nothing_else(sample: Path) -> None:
    loaded = json.loads(sample.read_text(encoding="utf-8"))
    event = loaded[0] if isinstance(loaded, list) else loaded
    wanted = isinstance(from_event(event), Signal)
    if "specversion" in event:
        event = {"eventType": event["type"], "subject": event["subject"], "data": event["data"]}
    subscription = read_subscription(
        {"name": "x", "endpoint": "https://127.0.0.1/", "filter": event_filter()}
    )
    assert subscription.filter.lets_through(event) is wanted


def test_the_command_that_subscribes_says_the_same_as_the_filter() -> None:
    block = re.search(r"az eventgrid event-subscription create.*?```", text_of("docs/deploy.md"), re.DOTALL)
    assert block
    told = set(re.findall(r"Microsoft\.[\w./]+", block.group()))
    values = event_filter()["advancedFilters"][0]["values"]
    assert told == {*event_filter()["includedEventTypes"], *values}


def manifests() -> list[dict[str, Any]]:
    return list(YAML(typ="safe", pure=True).load_all(text_of("deploy/kubernetes/token-request.yaml")))


def test_the_cluster_role_allows_what_the_code_calls_and_nothing_else() -> None:
    method = r"\.((?:create|read|list|patch|replace|delete)_(?:namespaced_)?service_account\w*)\("
    calls = {call for source in CLIENTS.glob("*.py") for call in re.findall(method, source.read_text())}
    assert calls == {"create_namespaced_service_account_token"}
    rules = [rule for one in manifests() if one["kind"] == "Role" for rule in one["rules"]]
    assert {tuple(rule["apiGroups"]) for rule in rules} == {("",)}
    assert {tuple(rule["verbs"]) for rule in rules} == {("create",)}
    assert {tuple(rule["resources"]) for rule in rules} == {("serviceaccounts/token",)}


def test_the_cluster_roles_name_the_service_accounts_that_the_sample_declares() -> None:
    declared = {
        credential.subject
        for environment in load(ROOT / "landscape.sample.yaml").environments.values()
        if environment.enabled
        for identity in environment.identities
        for credential in identity.credentials
    }
    allowed = {
        f"system:serviceaccount:{one['metadata']['namespace']}:{name}"
        for one in manifests()
        if one["kind"] == "Role"
        for rule in one["rules"]
        for name in rule["resourceNames"]
    }
    assert allowed == declared


def test_every_cluster_role_is_bound_in_its_namespace_to_a_user() -> None:
    bound = {
        (one["metadata"]["namespace"], one["roleRef"]["kind"], one["roleRef"]["name"])
        for one in manifests()
        if one["kind"] == "RoleBinding"
    }
    roles = {
        (one["metadata"]["namespace"], "Role", one["metadata"]["name"])
        for one in manifests()
        if one["kind"] == "Role"
    }
    assert bound == roles
    subjects = [subject for one in manifests() if one["kind"] == "RoleBinding" for subject in one["subjects"]]
    assert {(one["kind"], one["apiGroup"]) for one in subjects} == {("User", "rbac.authorization.k8s.io")}


def seeding() -> list[dict[str, Any]]:
    return list(YAML(typ="safe", pure=True).load_all(text_of("deploy/kubernetes/vault-seeding.yaml")))


def test_the_roles_for_vault_allow_what_the_code_needs_and_nothing_else() -> None:
    source = (CLIENTS / "cluster_api.py").read_text()
    needs = set(re.findall(r'needs=f"(\w+) on ([\w/{}.]+) in namespace', source))
    kinds = {"secretstores", "externalsecrets"}
    needed = {(verb, one) for verb, what in needs for one in (kinds if what.startswith("{") else {what})}
    for namespace in ("ameide-dev", "ameide-prod"):
        allowed = {
            (verb, resource)
            for one in seeding()
            if one["kind"] == "Role" and one["metadata"]["namespace"] == namespace
            for rule in one["rules"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }
        assert allowed == needed


def test_the_role_that_only_reads_lets_nothing_be_written_and_no_secret_be_read() -> None:
    readers = [one for one in seeding() if one["metadata"]["name"] == "reconverge-vault-read"]
    rules = [rule for one in readers if one["kind"] == "Role" for rule in one["rules"]]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list"}
    assert "secrets" not in {resource for rule in rules for resource in rule["resources"]}


def test_the_roles_for_vault_are_in_the_namespaces_that_the_sample_declares() -> None:
    sample = load(ROOT / "landscape.sample.yaml").environments.values()
    declared = {one.vault.namespace for one in sample if one.enabled and one.vault}
    assert {one["metadata"]["namespace"] for one in seeding()} == declared


def test_the_page_of_permissions_lists_every_arm_action_that_clients_name() -> None:
    listed = set(re.findall(r"^Microsoft\.\S+", text_of("docs/permissions.md"), re.MULTILINE))
    action = r"Microsoft\.\w+/[\w/]+/(?:read|write|action)\b"
    named = {
        found for source in CLIENTS.glob("managed_*.py") for found in re.findall(action, source.read_text())
    }
    assert named <= listed
