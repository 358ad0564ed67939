"""`reconverge doctor`: what was granted is held to what the landscape needs, place by place."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cli.exits import Exit
from shared.clients.arm_permissions import Granted
from shared.clients.repository_access import Account
from shared.errors import TemporaryError
from shared.model import Absent, Known, Unknown
from tests.unit.cli.desk import Desk
from tests.unit.cli.granted import DELETE, GROUP, KUBECONFIG, WRITE, allow
from tests.unit.federated_credentials.builders import CLUSTER, IDENTITY, OWN, OWN_OBJECT

KEY_VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/seeds-kv"
FACTS = "https://github.com/o/facts.git"
SECRETS = "Microsoft.KeyVault/vaults/secrets"
WHOLE = f"""
version: 1
tenant: 22222222-2222-2222-2222-222222222222
reconverge: {{identity: {OWN}, objectId: {OWN_OBJECT}}}
environments:
  dev:
    clusters: [{{name: aks, id: {CLUSTER}}}]
    identities:
      - {{id: {IDENTITY}, credentials: [{{name: vault-dev, subject: "system:serviceaccount:dev:vault"}}]}}
    facts:
      - repository: {FACTS}
        path: dev.yaml
        fields: {{azure.keyVaultUri: {{from: keyVaultUri, id: {KEY_VAULT}}}}}
    vault:
      namespace: dev
      address: http://vault:8200
      login: {{mount: jwt, role: reconverge}}
      bootstrap: {{cronJob: seed, identity: {IDENTITY}, credential: vault-dev}}
      keyVault: {KEY_VAULT}
      seeds: [token]
    contract:
      default: MODE
      identities: [{IDENTITY}]
      repositories: [{FACTS}]
      namespaces: [dev]
      vaults: ["http://vault:8200"]
"""
READS = (
    allow("get", "batch", "cronjobs", "seed"),
    allow("list", "batch", "jobs"),
    allow("list", "", "pods events"),
    allow("get", "", "pods/log"),
    allow("list", "external-secrets.io", "secretstores externalsecrets"),
)
REPAIRS = (
    allow("create", "batch", "jobs"),
    allow("patch", "external-secrets.io", "secretstores externalsecrets"),
)

AS_ITSELF = f"--assignee-object-id {OWN_OBJECT} --assignee-principal-type ServicePrincipal"

type Change = Callable[[Desk], object]


@pytest.fixture
def whole(desk: Desk) -> Desk:
    """A landscape with facts and a Vault, in which everything may be repaired, and just that is granted."""
    desk.platform.resources[KEY_VAULT.lower()] = "https://kv/"
    given = desk.given
    given.azure.roles[KEY_VAULT] = [
        Granted(data_actions=(f"{SECRETS}/getSecret/action", f"{SECRETS}/readMetadata/action"))
    ]
    given.kubernetes.rules = [*READS, *REPAIRS]
    given.vault.held = {"secret/data/token": {"create", "read", "update"}}
    given.github.account = Known(Account(pull=True, push=True, admin=False, scopes=None))
    desk.environment["RECONVERGE_GITHUB_TOKEN"] = "token-of-a-test"
    return desk


def asked(desk: Desk, mode: str = "apply") -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and the checks of permissions."""
    landscape = desk.folder / "whole.yaml"
    landscape.write_text(WHOLE.replace("MODE", mode))
    answer = desk.types("doctor", "--landscape", str(landscape), "--output", "json")
    systems = {"azure", "kubernetes", "vault", "github"}
    return answer.code, [one for one in answer.document["checks"] if one["name"] in systems]


def test_what_is_needed_and_no_more_is_said_place_by_place(whole: Desk) -> None:
    code, checks = asked(whole)
    assert code == Exit.CONVERGED
    told = {(one["name"], one["verdict"], one["says"].partition(": ")[0]) for one in checks}
    assert told == {
        ("azure", "ok", "aks"),
        ("azure", "ok", "vault"),
        ("azure", "ok", "seeds-kv"),
        ("kubernetes", "ok", "aks/dev"),
        ("vault", "ok", "http://vault:8200"),
        ("github", "note", "https://github.com/o/facts"),
    }


def no_kubeconfig(desk: Desk) -> None:
    desk.given.azure.roles[GROUP] = [Granted(actions=("*/read",))]


def taken_away(desk: Desk) -> None:
    desk.given.azure.roles[IDENTITY] = [Granted(actions=("*",), not_actions=(WRITE.lower(),))]


def no_values(desk: Desk) -> None:
    desk.given.azure.roles[KEY_VAULT] = [Granted(data_actions=(f"{SECRETS}/readMetadata/action",))]
    desk.platform.seeds.key_vaults.trouble["secrets"] = TemporaryError(
        "Key Vault answered 403", delay=timedelta(0)
    )


def no_repairs(desk: Desk) -> None:
    desk.given.kubernetes.rules = list(READS)


def other_cron_job(desk: Desk) -> None:
    desk.given.kubernetes.rules[0] = allow("get", "batch", "cronjobs", "another")


def no_seeding(desk: Desk) -> None:
    desk.given.vault.held["secret/data/token"] = {"read", "create"}


def no_push(desk: Desk) -> None:
    desk.given.github.account = Known(Account(pull=True, push=False, admin=False, scopes=None))


def no_token(desk: Desk) -> None:
    del desk.environment["RECONVERGE_GITHUB_TOKEN"]


def few_scopes(desk: Desk) -> None:
    scopes = frozenset({"gist"})
    desk.given.github.account = Known(Account(pull=True, push=True, admin=False, scopes=scopes))


MISSING: dict[str, tuple[Change, str, str, str]] = {
    "an action": (
        no_kubeconfig,
        "azure",
        f"aks: missing for vault_seeding: {KUBECONFIG}",
        AS_ITSELF + f" --role 'Azure Kubernetes Service Cluster User Role' --scope {GROUP}",
    ),
    "an action that the same role takes away": (
        taken_away,
        "azure",
        f"vault: missing for federated_credentials: {WRITE}",
        f"--role 'Managed Identity Federated Identity Credential Contributor' --scope {IDENTITY}",
    ),
    "an action on data": (
        no_values,
        "azure",
        f"seeds-kv: missing for vault_seeding: {SECRETS}/getSecret/action",
        f"--role 'Key Vault Secrets User' --scope {KEY_VAULT}",
    ),
    "writes in a namespace": (
        no_repairs,
        "kubernetes",
        "aks/dev: missing for vault_seeding: create jobs.batch, patch secretstores.external-secrets.io",
        f"/{OWN_OBJECT}/ deploy/kubernetes/vault-seeding.yaml | kubectl apply -f -",
    ),
    "the one object that is meant": (
        other_cron_job,
        "kubernetes",
        "aks/dev: missing for vault_seeding: get cronjobs.batch seed",
        f"/{OWN_OBJECT}/ deploy/kubernetes/vault-seeding.yaml | kubectl apply -f -",
    ),
    "a capability": (
        no_seeding,
        "vault",
        "http://vault:8200: missing for vault_seeding: update on secret/data/token",
        'path "secret/data/token" { capabilities = ["read", "create", "update"] }',
    ),
    "an account that may push": (
        no_push,
        "github",
        "https://github.com/o/facts: missing for runtime_facts: the token's account may not write",
        "Contents: write, Pull requests: write",
    ),
    "a token": (
        no_token,
        "github",
        "https://github.com/o/facts: missing for runtime_facts: a token",
        "Contents: write, Pull requests: write",
    ),
    "a scope of a classic token": (
        few_scopes,
        "github",
        "https://github.com/o/facts: missing for runtime_facts: the token's scopes are gist",
        "Contents: write, Pull requests: write",
    ),
}


@pytest.mark.parametrize("what", MISSING)
def test_what_is_missing_comes_with_what_grants_it(whole: Desk, what: str) -> None:
    change, name, says, remedy = MISSING[what]
    change(whole)
    code, checks = asked(whole)
    assert code == Exit.DIFFERENCES
    (missing,) = [one for one in checks if one["verdict"] == "differs"]
    assert missing["name"] == name
    assert missing["says"].startswith(says)
    assert remedy in missing["remedy"]


@pytest.mark.parametrize("mode", ["never", "propose"])
def test_reading_is_enough_where_the_contract_writes_nothing(whole: Desk, mode: str) -> None:
    whole.given.azure.roles[IDENTITY] = []
    whole.given.vault.held = {"secret/data/token": {"read"}}
    no_repairs(whole)
    no_push(whole)
    code, checks = asked(whole, mode)
    assert code == Exit.CONVERGED
    assert {one["verdict"] for one in checks} <= {"ok", "note"}
    assert "more than needed" not in str(checks)


def more(what: str) -> Change:
    def change(desk: Desk) -> None:
        desk.given.azure.roles.setdefault(GROUP, []).append(Granted(actions=(what,)))

    return change


def on_itself(desk: Desk) -> None:
    desk.given.azure.roles[OWN] = [Granted(actions=(WRITE,))]


def officer(desk: Desk) -> None:
    desk.given.azure.roles[KEY_VAULT].append(Granted(data_actions=(f"{SECRETS}/*",)))


def reads_secrets(desk: Desk) -> None:
    desk.given.kubernetes.rules.append(allow("get list", "", "secrets"))


def any_cron_job(desk: Desk) -> None:
    desk.given.kubernetes.rules.append(allow("get", "batch", "cronjobs"))


def root(desk: Desk) -> None:
    everywhere = ("secret/data/token", "secret/data/reconverge-doctor", "sys/policies/acl/reconverge-doctor")
    desk.given.vault.held = {path: {"root"} for path in everywhere}


def every_key(desk: Desk) -> None:
    desk.given.vault.held["secret/data/reconverge-doctor"] = {"read"}


def administers(desk: Desk) -> None:
    desk.given.github.account = Known(Account(pull=True, push=True, admin=True, scopes=None))


def classic(desk: Desk) -> None:
    scopes = frozenset({"repo"})
    desk.given.github.account = Known(Account(pull=True, push=True, admin=False, scopes=scopes))


MORE: dict[str, tuple[Change, str, str]] = {
    "everything in ARM, told once": (more("*"), "azure", f"{GROUP.lower()}: more than needed: *"),
    "credentials of every identity": (more(WRITE), "azure", f"{GROUP.lower()}: more than needed: {WRITE}"),
    "credentials of our own identity": (on_itself, "azure", f"reconverge: more than needed: {WRITE}"),
    "writing secrets": (officer, "azure", f"seeds-kv: more than needed: {SECRETS}/*"),
    "reading Secrets": (reads_secrets, "kubernetes", "aks/dev: more than needed: get secrets, list secrets"),
    "reading any CronJob": (any_cron_job, "kubernetes", "aks/dev: more than needed: get cronjobs.batch"),
    "every key of Vault": (
        every_key,
        "vault",
        "http://vault:8200: more than needed: read on secret/data/reconverge-doctor",
    ),
    "a root token": (root, "vault", "http://vault:8200: more than needed: root on secret/data/token"),
    "administering a repository": (
        administers,
        "github",
        "https://github.com/o/facts: more than needed: the token's account administers it",
    ),
    "a classic token": (
        classic,
        "github",
        "https://github.com/o/facts: more than needed: a classic token reaches every repository",
    ),
}


@pytest.mark.parametrize("what", MORE)
def test_what_is_more_than_needed_is_a_note_that_names_it(whole: Desk, what: str) -> None:
    change, name, says = MORE[what]
    change(whole)
    code, checks = asked(whole)
    assert code == Exit.CONVERGED
    (told,) = [one for one in checks if "more than needed" in one["says"]]
    assert (told["name"], told["verdict"]) == (name, "note")
    assert told["says"].startswith(says)


def test_of_much_more_than_needed_some_is_shown_and_the_rest_counted(whole: Desk) -> None:
    whole.given.kubernetes.rules.append(allow("get list watch create update patch delete", "", "secrets"))
    _, checks = asked(whole)
    (told,) = [one["says"] for one in checks if "more than needed" in one["says"]]
    assert told.endswith("update secrets, patch secrets and 1 more")


def test_a_right_to_write_is_more_than_needed_where_nothing_is_written(whole: Desk) -> None:
    code, checks = asked(whole, "propose")
    told = " ".join(one["says"] for one in checks if "more than needed" in one["says"])
    assert code == Exit.CONVERGED
    for one in (WRITE, DELETE, "create jobs.batch", "create, update on secret/data/token", "may write"):
        assert one in told


def arm_refuses(desk: Desk) -> None:
    desk.given.azure.unread[IDENTITY] = Unknown("ARM answered 403 AuthorizationFailed")


def no_api_server(desk: Desk) -> None:
    desk.given.kubernetes.unread = Unknown("the API server could not be reached")


def no_login(desk: Desk) -> None:
    desk.platform.seeds.vaults.refuses = "Vault answered 403"


def no_repository(desk: Desk) -> None:
    desk.given.github.account = Unknown("GitHub answered 404")


NOT_KNOWN: dict[str, tuple[Change, str]] = {
    "a scope": (arm_refuses, "azure"),
    "a cluster": (no_api_server, "kubernetes"),
    "a Vault": (no_login, "vault"),
    "a repository": (no_repository, "github"),
}


@pytest.mark.parametrize("what", NOT_KNOWN)
def test_what_cannot_be_asked_is_not_known_and_never_missing(whole: Desk, what: str) -> None:
    change, name = NOT_KNOWN[what]
    change(whole)
    code, checks = asked(whole)
    assert code == Exit.COULD_NOT_TELL
    assert [one["name"] for one in checks if one["verdict"] == "not known"] == [name]
    assert "differs" not in {one["verdict"] for one in checks}


def test_a_cluster_that_cannot_list_what_it_allows_may_allow_more(whole: Desk) -> None:
    whole.given.kubernetes.complete = False
    code, checks = asked(whole)
    assert code == Exit.CONVERGED
    assert any("an authorizer there cannot list" in one["says"] for one in checks if one["verdict"] == "note")


def test_a_key_vault_with_access_policies_lacks_no_role(whole: Desk) -> None:
    whole.given.azure.roles[KEY_VAULT] = []
    code, checks = asked(whole)
    assert code == Exit.CONVERGED
    assert any("access policies rule there" in one["says"] for one in checks)


def test_a_group_that_may_not_be_asked_about_is_a_note(whole: Desk) -> None:
    whole.given.azure.unread[GROUP] = Unknown("ARM answered 403 AuthorizationFailed")
    code, checks = asked(whole)
    assert code == Exit.CONVERGED
    assert any(one["says"].startswith(f"{GROUP.lower()}: nothing is needed there") for one in checks)


def test_nothing_is_asked_where_there_is_nothing(whole: Desk) -> None:
    whole.given.azure.unread[KEY_VAULT] = Absent()
    code, checks = asked(whole)
    assert code == Exit.CONVERGED
    assert any(one["says"].startswith("seeds-kv: what is granted was not asked") for one in checks)


def test_somebody_elses_role_is_given_without_a_type(whole: Desk) -> None:
    whole.signs_in_as = "55555555-5555-5555-5555-555555555555"
    no_kubeconfig(whole)
    _, checks = asked(whole)
    (missing,) = [one for one in checks if one["verdict"] == "differs"]
    assert "--assignee-object-id 55555555-5555-5555-5555-555555555555 --role" in missing["remedy"]
