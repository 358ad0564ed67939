"""What people apply from deploy/ says the same as the code and the pages."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from responders.permissions import RULES
from sandbox.eventgrid_subscriptions import read_subscription
from shared.landscape import Landscape, Mode, ProofMethod, load
from shared.landscape.models import NAMED_ONLY
from shared.model import Signal
from shared.permissions import needs
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


def manifests(name: str) -> list[dict[str, Any]]:
    return list(YAML(typ="safe", pure=True).load_all(text_of(f"deploy/kubernetes/{name}")))


MANIFESTS = {path.name: manifests(path.name) for path in (ROOT / "deploy" / "kubernetes").glob("*.yaml")}

type Grant = tuple[str, str, str, str, str, str, str | None]
"""File, Role, namespace, verb, group, resource, and the name of the one object that is meant."""


def granted() -> Counter[Grant]:
    """Every right that a Role in deploy/kubernetes grants, and how often."""
    return Counter(
        (name, one["metadata"]["name"], one["metadata"]["namespace"], verb, group, resource, only)
        for name, loaded in MANIFESTS.items()
        for one in loaded
        if one["kind"] == "Role"
        for rule in one["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for only in rule.get("resourceNames", [None])
    )


def sample(mode: Mode) -> Landscape:
    """The sample with that mode for every action, and the proof that needs most."""
    loaded = load(ROOT / "landscape.sample.yaml")
    change = {
        "default": mode,
        "actions": dict.fromkeys(NAMED_ONLY, mode),
        "proof": ProofMethod.TOKEN_EXCHANGE,
    }
    environments = {
        name: one.model_copy(update={"contract": one.contract.model_copy(update=change)})
        for name, one in loaded.environments.items()
    }
    return loaded.model_copy(update={"environments": environments})


def needed(landscape: Landscape) -> set[Grant]:
    return {
        (
            one.right.manifest,
            one.right.role,
            one.place.namespace,
            one.right.verb,
            one.right.group,
            one.right.resource,
            one.place.name,
        )
        for one in needs(landscape, RULES).kubernetes
    }


def test_the_cluster_roles_grant_what_the_sample_needs_each_once_and_nothing_else() -> None:
    assert granted() == Counter(needed(sample(Mode.APPLY)))


READERS = {
    "reconverge-vault-read",
    "reconverge-keycloak-reader",
    "reconverge-gitlab-reader",
    "reconverge-applications-read",
}
NAMED_SECRETS = {"reconverge-keycloak-reader": {"keycloak-realm-oidc-clients", "gitlab-oidc-provider"}}


def test_the_role_that_reads_is_all_that_is_needed_where_nothing_is_written() -> None:
    reading = {one for one in granted() if one[1] in READERS}
    assert needed(sample(Mode.PROPOSE)) == reading


def test_the_rules_say_what_the_clients_of_the_cluster_call() -> None:
    names = ("cluster_api.py", "argocd.py", "workloads.py", "job_reruns.py")
    source = "".join((CLIENTS / name).read_text() for name in names)
    calls = set(re.findall(r'needs=f"(\w+) on ([\w/{}.]+) in namespace', source))
    # Lists are made in one place of that client, by what they list.
    calls |= {("list", what) for what in re.findall(r'_list\([^)]*?f"(\w+) in namespace', source)}
    kinds = {"secretstores", "externalsecrets"}
    called = {(verb, one) for verb, what in calls for one in (kinds if what.startswith("{") else {what})}
    method = r"\.(create|read|list|patch|replace|delete)_namespaced_service_account(\w*)\("
    tokens = {call for source in CLIENTS.glob("*.py") for call in re.findall(method, source.read_text())}
    assert tokens == {("create", "_token")}
    assert {(one[3], one[5]) for one in needed(sample(Mode.APPLY))} == {
        *called,
        ("create", "serviceaccounts/token"),
    }


@pytest.mark.parametrize("name", MANIFESTS)
def test_every_cluster_role_is_bound_in_its_namespace_to_a_user(name: str) -> None:
    bound = {
        (one["metadata"]["namespace"], one["roleRef"]["kind"], one["roleRef"]["name"])
        for one in MANIFESTS[name]
        if one["kind"] == "RoleBinding"
    }
    roles = {
        (one["metadata"]["namespace"], "Role", one["metadata"]["name"])
        for one in MANIFESTS[name]
        if one["kind"] == "Role"
    }
    assert bound == roles
    subjects = [
        subject for one in MANIFESTS[name] if one["kind"] == "RoleBinding" for subject in one["subjects"]
    ]
    assert {(one["kind"], one["apiGroup"]) for one in subjects} == {("User", "rbac.authorization.k8s.io")}


def test_the_roles_that_only_read_let_nothing_be_written_and_no_secret_be_read_but_by_name() -> None:
    roles = [one for loaded in MANIFESTS.values() for one in loaded if one["kind"] == "Role"]
    readers = [one for one in roles if one["metadata"]["name"] in READERS]
    assert {one["metadata"]["name"] for one in readers} == READERS
    assert {verb for one in readers for rule in one["rules"] for verb in rule["verbs"]} == {"get", "list"}
    for one in roles:
        of_secrets = [rule for rule in one["rules"] if "secrets" in rule["resources"]]
        assert all(rule["verbs"] == ["get"] for rule in of_secrets)
        names = [name for rule in of_secrets for name in rule["resourceNames"]]
        assert set(names) == NAMED_SECRETS.get(one["metadata"]["name"], set())


def test_the_page_of_permissions_lists_every_arm_action_that_clients_name() -> None:
    listed = set(re.findall(r"^Microsoft\.\S+", text_of("docs/permissions.md"), re.MULTILINE))
    action = r"Microsoft\.\w+/[\w/]+/(?:read|write|action)\b"
    named = {found for source in CLIENTS.glob("*.py") for found in re.findall(action, source.read_text())}
    assert named <= listed
