"""What is refused, where the operator is told to look, and that the answer says what to write instead."""

import re
from fnmatch import fnmatchcase
from itertools import product

import pytest

from shared.errors import Misconfigured
from shared.landscape import parse
from shared.landscape.argocd import overlap
from tests.unit.landscape.texts import (
    AKS,
    BACKUP,
    DNS,
    FACTS,
    GITOPS,
    KEY_VAULT,
    KEYCLOAK,
    NAME,
    OWN,
    PLACEHOLDER,
    UAMI,
    VALID,
    VAULT,
    VAULT_ADDRESS,
    lines_marked,
    with_line,
)


def refusals(text: str) -> list[str]:
    with pytest.raises(Misconfigured) as refused:
        parse(text, NAME)
    return str(refused.value).splitlines()


def one_refusal(text: str) -> tuple[int, str]:
    (line,) = refusals(text)
    found = re.fullmatch(rf"{NAME}:(\d+): (.+)", line)
    assert found, line
    return int(found[1]), found[2]


SUBJECT = "system:serviceaccount:ameide-prod:vault-bootstrap"

OTHERWISE_SPELLED = "https://GITHUB.com/AmeideIO/ameide-runtime-facts"
ONE_FIELD = """\
  ref: published
  path: runtime-facts/env/prod/globals.yaml
  fields: {azure.tenantId: {from: tenantId}}"""

# What is wrong: the line of VALID that is replaced, what by (the mistake's line ends in `# wrong`), and what
# the refusal must say.
SPOILED = {
    # -- keys
    "an unknown key is answered with the nearest one": (
        "default: propose",
        "defualt: propose  # wrong",
        "no key `defualt` is known here; did you mean default?",
    ),
    "an unknown key without a near one is answered with all of them": (
        "enabled: true",
        "zzz: 1  # wrong",
        "one of: enabled, clusters, identities, submodules, facts, vault, keycloak, gitlab, argocd, contract",
    ),
    "the spelling of Python is not the spelling of the file": (
        "trustedIssuers:",
        "trusted_issuers:  # wrong",
        "did you mean trustedIssuers?",
    ),
    "a section of a responder that does not exist yet": (
        "enabled: true",
        "vaultSeeding: {}  # wrong",
        "no key `vaultSeeding` is known here",
    ),
    "an environment names itself by its key only": (
        "enabled: true",
        "name: dev  # wrong",
        "an environment is named by its key",
    ),
    "a missing key is named where it is missing": (
        "- id: " + BACKUP,
        "- trustedIssuers: []  # wrong",
        "an entry of `identities` lacks `id`; write for example `id: /subscriptions/",
    ),
    "a key that stands twice": (
        "enabled: true",
        "enabled: true\nenabled: false  # wrong",
        "`enabled` stands here a second time (first in line 8)",
    ),
    "a key without a value": (
        "default: propose",
        "default:  # wrong",
        "`default` is none of the choices; write apply, approve, propose or never",
    ),
    # -- Argo CD
    "an Argo CD in a cluster that the environment does not have": (
        "cluster: 'blue'",
        "cluster: red  # wrong",
        "no cluster of this environment has that name; write one of: blue, green",
    ),
    "an Application's pattern with signs of other pattern languages": (
        "- match: dev-*",
        '- match: "dev-[ab]?"  # wrong',
        "write an Application's name, in which `*` stands for any characters",
    ),
    "a pattern below one that stands for all of it": (
        "- match: dev-*",
        "- match: dev-*\n- match: dev-*-vault  # wrong",
        "stands for all of these already, and the first that fits decides",
    ),
    "a pattern that stands there already": (
        "- match: dev-*",
        "- match: dev-*\n- match: dev-foundation-vault-*  # wrong",
        "stands for all of these already",
    ),
    "a responder that looks after nothing of the kind": (
        "- vault_seeding",
        "- applications  # wrong",
        "write submodule_refs, federated_credentials, runtime_facts, vault_seeding, keycloak_bootstrap or",
    ),
    # -- Keycloak
    "a Keycloak in a cluster that the environment does not have": (
        "cluster: blue  # as Vault",
        "cluster: red  # wrong",
        "no cluster of this environment has that name; write one of: blue, green",
    ),
    "an address of Keycloak with a path": (
        f"url: {KEYCLOAK}",
        f"url: {KEYCLOAK}/realms/ameide  # wrong",
        "write the address with https and without a path",
    ),
    "leave to change another Keycloak's clients": (
        f"- {KEYCLOAK}",
        "- https://auth.ameide.io  # wrong",
        "the environment's `keycloak` has another `url`; write that one, or remove it",
    ),
    "an Application that no pattern of the environment stands for": (
        "application: dev-platform-keycloak-realm",
        "application: production-platform-keycloak-realm  # wrong",
        "no pattern of the environment's `argocd` stands for this Application",
    ),
    "digests to compare with that nobody publishes": (
        "keycloak-realm-oidc-clients:\ndigests: keycloak-client-secret-versions",
        "keycloak-realm-oidc-clients:  # wrong",
        "no `digests` says where those are; add it, or write {} for the keys",
    ),
    "an ExternalSecret of Keycloak's that Vault is judged by": (
        "- ghcr-pull-sync",
        "- ghcr-pull-sync\n- gitlab-oidc-provider  # wrong",
        "`keycloak` has a Secret of this name, which Keycloak's patcher makes possible",
    ),
    "a Vault judged by all of a namespace in which Keycloak is": (
        "externalSecrets:\n- ghcr-pull-sync",
        "externalSecrets: []  # wrong",
        "each would wait for the other; list those that rest on `seeds`",
    ),
    "a redirect URI without a scheme": (
        "- https://gitlab.dev.ameide.io/users/auth/openid_connect/callback",
        "- gitlab.dev.ameide.io/users/auth/openid_connect/callback  # wrong",
        "write one redirect URI as the client sends it",
    ),
    "a dotted key with a hole": (
        "rerun: clientPatcher.runId",
        "rerun: clientPatcher..runId  # wrong",
        "`rerun` has the wrong form",
    ),
    # -- GitLab
    "a GitLab in a cluster that the environment does not have": (
        "cluster: green  # another",
        "cluster: red  # wrong",
        "no cluster of this environment has that name; write one of: blue, green",
    ),
    "migrations that nothing could be proposed for": (
        "values:  # of GitLab\nci: gitlab.global.psql.ci\nsuffix: gitlab.gitlab.migrations.annotations.rerun",
        "values:  # wrong",
        "`migrations` names no key of this file, so nothing could be proposed in it",
    ),
    "a page of another host": (
        "page: /users/sign_in",
        "page: https://elsewhere.example/  # wrong",
        "write the path of a page, such as /users/sign_in",
    ),
    **{
        f"a page that GitLab answers without its database, {page}": (
            "page: /users/sign_in",
            f"page: {page}  # wrong",
            "which is answered without its database; write one that is made with it, such as /users/sign_in",
        )
        for page in ("/-/health", "/-/readiness", "/-/liveness/", "/-/metrics", "/gitlab/-/health")
    },
    # -- Vault
    "a Vault in a cluster that the environment does not have": (
        'cluster: "blue"',
        "cluster: red  # wrong",
        "no cluster of this environment has that name; write one of: blue, green",
    ),
    "a bootstrap of an identity that the environment does not declare": (
        f"identity: {VAULT}",
        f"identity: {BACKUP}  # wrong",
        "this environment does not declare the identity",
    ),
    "a bootstrap of a credential that the identity is not to hold": (
        "credential: vault-bootstrap-dev",
        "credential: vault-bootstrap-prod  # wrong",
        "the identity is declared without a credential of this name",
    ),
    "leave to act where nothing of the environment is": (
        "- ameide-dev",
        "- ameide-prod  # wrong",
        "neither `vault` nor `keycloak` nor `gitlab` of the environment is in this namespace",
    ),
    "leave to seed a Vault that is not the environment's": (
        f"- {VAULT_ADDRESS}",
        f"- {VAULT_ADDRESS.replace('dev', 'prod')}  # wrong",
        "the environment's `vault` has another address",
    ),
    "an address of Vault with a path": (
        f"address: {VAULT_ADDRESS}",
        f"address: {VAULT_ADDRESS}/v1  # wrong",
        "write Vault's address without a path, such as https://vault.dev.ameide.io",
    ),
    "a key of Vault that climbs": (
        "ghcr/token: ghcr-token",
        "../token: ghcr-token  # wrong",
        "write a path of Vault",
    ),
    "a secret's name with a slash": (
        "ghcr/token: ghcr-token",
        "ghcr/token: ghcr/token  # wrong",
        "name a Key Vault secret with letters, digits and hyphens",
    ),
    "a fixture value where its digest belongs": (
        f"- {PLACEHOLDER}",
        "- changeme  # wrong",
        "write the 64 hexadecimal digits",
    ),
    # -- kinds and choices
    "a version of another time": (
        "version: 1",
        "version: 2  # wrong",
        "`version` is none of the choices; write 1",
    ),
    "a text where a switch belongs": (
        "enabled: true",
        "enabled: yes  # wrong",
        "`enabled` is of another kind; write true or false",
    ),
    "a number where a text belongs": (
        "- name: blue",
        "- name: 7  # wrong",
        "`name` is of another kind; write a text, in quotes",
    ),
    "a text where a number belongs": (
        "perRun: 5",
        "perRun: five  # wrong",
        "`perRun` is of another kind; write a whole number",
    ),
    "a cap that lets nothing through": (
        "perRun: 5",
        "perRun: 0  # wrong",
        "`perRun` is too small; write 1 or more",
    ),
    "a text where a list belongs": (
        "credentials: []",
        "credentials: none  # wrong",
        "`credentials` is of another kind; write a list",
    ),
    "an unknown mode": (
        "default: propose",
        "default: aply  # wrong",
        "`default` is none of the choices; write apply, approve, propose or never",
    ),
    "an unknown mode of an action": (
        "credential.update: apply",
        "credential.update: always  # wrong",
        "`credential.update` is none of the choices; write apply, approve, propose or never",
    ),
    "an unknown action": (
        "credential.update: apply",
        "credential.updat: apply  # wrong",
        "no action `credential.updat` is known here; did you mean credential.update",
    ),
    "an unknown method of proof": (
        "proof: token-exchange",
        "proof: hope  # wrong",
        "`proof` is none of the choices; write read-back or token-exchange",
    ),
    # -- forms
    "a tenant that is a name": (
        "tenant: 11111111-2222-3333-4444-555555555555",
        "tenant: contoso  # wrong",
        "a GUID",
    ),
    "an object id one digit short": (
        "objectId: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "objectId: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeee  # wrong",
        "`objectId` has the wrong form; write a GUID",
    ),
    "an ARM id that is only a name": (
        "- id: " + BACKUP,
        "- id: ameide-dev-backup-mi  # wrong",
        "(`az identity show --query id`)",
    ),
    "an ARM id of another kind": (
        f"id: {AKS}/ameide",
        f"id: {VAULT}  # wrong",
        "/providers/Microsoft.ContainerService/managedClusters/<name>",
    ),
    "an ARM id whose subscription is a name": (
        "- id: " + BACKUP,
        f"- id: {BACKUP.replace('e4652c74-2582-4efc-b605-9d9ed2210a2a', 'main')}  # wrong",
        "/subscriptions/<guid>/",
    ),
    "an ARM id that goes on after the name": (
        "- id: " + BACKUP,
        f"- id: {BACKUP}/federatedIdentityCredentials/x  # wrong",
        "`id` has the wrong form",
    ),
    "an ARM id with a letter that only looks like one of ASCII": (
        "- id: " + BACKUP,
        f'- id: "{BACKUP.replace("backup", "bac\N{KELVIN SIGN}up")}"  # wrong',
        "`id` has the wrong form",
    ),
    "a blank at the end, kept by quotes": (
        "subject: " + SUBJECT,
        f'subject: "{SUBJECT} "  # wrong',
        "`subject` begins or ends with a blank; remove it",
    ),
    "a blank at the beginning, kept by quotes": (
        "audience: api://AzureADTokenExchange",
        'audience: " api://AzureADTokenExchange"  # wrong',
        "`audience` begins or ends with a blank; remove it",
    ),
    "a subject that is no service account": (
        "subject: " + SUBJECT,
        "subject: repo:ameideio/ameide:ref:refs/heads/main  # wrong",
        "write system:serviceaccount:<namespace>:<name>",
    ),
    "a subject in the capitals that Kubernetes does not have": (
        "subject: " + SUBJECT,
        "subject: system:serviceaccount:Ameide-prod:vault-bootstrap  # wrong",
        "Kubernetes names are lower case",
    ),
    "a subject with dots in its namespace": (
        "subject: " + SUBJECT,
        "subject: system:serviceaccount:ameide.prod:vault-bootstrap  # wrong",
        "write system:serviceaccount:<namespace>:<name>",
    ),
    "a service account of more than 253 characters": (
        "subject: " + SUBJECT,
        f"subject: system:serviceaccount:ameide-prod:{'.'.join(['a' * 63] * 4)}  # wrong",
        "write system:serviceaccount:<namespace>:<name>",
    ),
    "an audience of more than 600 characters": (
        "audience: api://AzureADTokenExchange",
        f"audience: api://{'a' * 595}  # wrong",
        "`audience` is longer than 600 characters",
    ),
    "an issuer of more than 600 characters": (
        "- https://token.actions.githubusercontent.com",
        f"- https://example.com/{'a' * 600}  # wrong",
        "an entry of `trustedIssuers` is longer than 600 characters",
    ),
    "an issuer that is not https": (
        "- https://token.actions.githubusercontent.com",
        "- http://token.actions.githubusercontent.com  # wrong",
        "an entry of `trustedIssuers` has the wrong form; write the issuer",
    ),
    "a credential name of two letters": (
        "- name: vault-bootstrap-prod",
        "- name: vb  # wrong",
        "name a credential with 3 to 120 letters",
    ),
    "a credential name that begins with a hyphen": (
        "- name: vault-bootstrap-prod",
        "- name: -vault  # wrong",
        "the first a letter or digit",
    ),
    "a credential name with a dot": (
        "- name: vault-bootstrap-prod",
        "- name: vault.prod  # wrong",
        "3 to 120 letters",
    ),
    "an environment in capitals": (
        "prod:",
        "Prod:  # wrong",
        "`Prod` has the wrong form; name an environment",
    ),
    "an environment that looks like a target": (
        "prod:",
        "prod/x:  # wrong",
        "name an environment with lower-case",
    ),
    "a duration without a unit": ("pace: 2s", "pace: 2  # wrong", "such as 4s, 10m or 2h"),
    "a duration of two units": ("grace: 15m", "grace: 1h30m  # wrong", "such as 4s, 10m or 2h"),
    "a negative duration": ("grace: 15m", "grace: -1m  # wrong", "such as 4s, 10m or 2h"),
    "a pace at which no run would end": (
        "pace: 2s",
        "pace: 2m  # wrong",
        "`pace` is too long; write at most 1m",
    ),
    "a grace of days": ("grace: 15m", "grace: 25h  # wrong", "`grace` is too long; write at most 24h"),
    "a star that covers a whole top-level domain": (
        '- "*.oic.prod-aks.azure.com"',
        '- "*.com"  # wrong',
        "at least two labels after the star",
    ),
    "a star that covers everything": (
        '- "*.oic.prod-aks.azure.com"',
        '- "*"  # wrong',
        "at least two labels",
    ),
    "a star inside a label": (
        '- "*.oic.prod-aks.azure.com"',
        '- "a*.azure.com"  # wrong',
        "at least two labels",
    ),
    "a URL where a host belongs": (
        '- "*.oic.prod-aks.azure.com"',
        "- https://oic.prod-aks.azure.com/  # wrong",
        "an entry of `issuerHosts` has the wrong form; write a host",
    ),
    # -- relations
    "an environment without a cluster": (
        f"- name: ameide\nid: {AKS}/ameide",
        "",
        "`clusters` is empty",
    ),
    "a cluster name that stands twice": (
        "- name: green",
        f"- name: blue  # wrong\n  id: {AKS}/ameide-red\n- name: green",
        "a cluster of this name stands in line 10 already",
    ),
    "a cluster that stands twice": (
        "- name: green",
        f"- name: red\n  id: {AKS.upper()}/AMEIDE-BLUE  # wrong\n- name: green",
        "a cluster of this id stands in line 11 already",
    ),
    "a cluster that the environment does not have": (
        "cluster: blue",
        "cluster: red  # wrong",
        "no cluster of this environment has that name; write one of: blue, green",
    ),
    "two clusters, and a credential that does not say which": (
        "cluster: green",
        "",
        "an entry of `credentials` lacks `cluster`; write for example `cluster: ameide`",
    ),
    "an identity that stands twice in one environment": (
        "- id: " + BACKUP,
        f"- id: {VAULT.upper()}  # wrong",
        "this environment declares the identity in line 133 already",
    ),
    "a credential name that another environment uses on the same identity": (
        "- name: vault-bootstrap-prod",
        "- name: Vault-Bootstrap-Dev  # wrong",
        "the identity has a credential of this name in line 17 already",
    ),
    "a subject and cluster that the identity has under another name": (
        "cluster: green",
        "cluster: blue",
        "the identity has a credential of this cluster and subject in line 19 already",
    ),
    "Reconverge's own identity declared": (
        "- id: " + BACKUP,
        f"- id: {OWN.upper()}  # wrong",
        "Reconverge's own identity; whoever may change what it trusts can become Reconverge, so it never",
    ),
    "a contract that lets Reconverge's own identity be written": (
        "- " + VAULT,
        f"- {OWN}  # wrong",
        "Reconverge's own identity; whoever may change what it trusts can become Reconverge, so no contract",
    ),
    "a contract for an identity that nobody declares": (
        "- " + VAULT,
        f"- {UAMI}/ameide-typo-mi  # wrong",
        "no environment declares this identity; declare it in one, or remove it here",
    ),
    # -- published facts
    "a repository with a token in its address": (
        "- repository: " + FACTS,
        "- repository: https://x:secret@github.com/ameideio/facts.git  # wrong",
        "without user name",
    ),
    "a repository over plain http": (
        "- repository: " + FACTS,
        "- repository: http://github.com/ameideio/facts.git  # wrong",
        "write the repository's address, https://github.com/<owner>/<name>.git",
    ),
    "a path that leaves the repository": (
        "path: runtime-facts/env/prod/globals.yaml",
        "path: ../env/prod/globals.yaml  # wrong",
        "from the root of its repository",
    ),
    "a branch that Git would refuse": (
        "ref: published",
        "ref: published..main  # wrong",
        "`ref` has the wrong form; name a branch",
    ),
    "a field with an empty key on its way": (
        "azure.tenantId:",
        "azure..tenantId:  # wrong",
        "with dots between them, such as azure.keyVaultUri",
    ),
    "a fact from nowhere": (
        "from: keyVaultUri",
        "from: keyVaultURL  # wrong",
        "`from` is none of the choices; write keyVaultUri, ",
    ),
    "a fact that does not say of which resource": (
        "id: " + KEY_VAULT,
        "",
        "`keyVaultUri` is a part of a resource or its id; add `id`",
    ),
    "a tenant of a resource": (
        "from: tenantId",
        f"from: tenantId\nid: {KEY_VAULT}  # wrong",
        "`tenantId` is the landscape's `tenant`; remove `id`",
    ),
    "a vault's address of an identity": (
        "id: " + KEY_VAULT,
        f"id: {DNS}  # wrong",
        "`keyVaultUri` is that of a Key Vault; write the resource's ARM id",
    ),
    "an identity's client id of a vault": (
        "id: " + DNS,
        f"id: {KEY_VAULT}  # wrong",
        "`identityClientId` is that of a user-assigned identity; write the resource's ARM id",
    ),
    "a field within another": (
        "azure.tenantId:",
        "azure.keyVaultUri.tenantId:  # wrong",
        "the field in line 144 lies on the way to this one",
    ),
    "a workflow without its file": (
        "file: terraform-azure-apply.yaml",
        "",
        "`workflow` lacks `file`; write for example `file: terraform-azure-apply.yaml`",
    ),
    "a text where seeds belong": (
        "seeds:\nghcr/token: ghcr-token",
        "seeds: ghcr-token  # wrong",
        'write keys of its own, for example `seeds: {"ghcr-token": "ghcr-token"}`',
    ),
    "a workflow by its path": (
        "file: terraform-azure-apply.yaml",
        "file: .github/workflows/terraform-azure-apply.yaml  # wrong",
        "write the name of a file in .github/workflows",
    ),
    "a workflow's input that is no text": (
        "environment: prod",
        "environment: 1  # wrong",
        "`environment` is of another kind; write a text",
    ),
    "a file that another entry declares": (
        "- repository: " + FACTS,
        f"- repository: {OTHERWISE_SPELLED}\n{ONE_FIELD}\n- repository: {FACTS}  # wrong",
        "the file stands in line 140 already",
    ),
    "a channel for credentials": (
        "pace: 2s",
        "channels:\n  credential.update: direct  # wrong",
        "only facts.update has a choice of channels",
    ),
    "a channel that there is not": (
        "pace: 2s",
        "channels:\n  facts.update: mail  # wrong",
        "`facts.update` is none of the choices; write direct, pull-request or workflow",
    ),
    "a contract for a repository that nobody declares": (
        "pace: 2s",
        "repositories:\n  - https://github.com/ameideio/other  # wrong",
        "no environment declares facts, a workflow or a file of values in this repository, and this one no",
    ),
    # -- submodules
    "a submodule's path that leaves the repository": (
        "backlog: main",
        "../backlog: main  # wrong",
        "write the submodule's path as .gitmodules has it, such as backlog",
    ),
    "a submodule moved to a ref that is no branch": (
        "backlog: main",
        "backlog: refs/heads/main~1  # wrong",
        "name a branch, such as main",
    ),
    # -- YAML
    "a star without quotes": (
        '- "*.oic.prod-aks.azure.com"',
        "- *.oic.prod-aks.azure.com  # wrong",
        "`*` begins a YAML alias, which is not read here; put the value in quotes",
    ),
    "an anchor": ("enabled: true", "enabled: &on true  # wrong", "`&` begins a YAML anchor"),
    "a tag": ("enabled: true", "enabled: !!python/object:os.system true  # wrong", "`!` begins a YAML tag"),
    "a merged mapping": ("enabled: true", "<<: {enabled: true}  # wrong", "`<<` merges another mapping"),
    "a key that is a list": (
        "enabled: true",
        "? [enabled]  # wrong\n: true",
        "a key that is not a plain word",
    ),
    "a value over several lines": (
        "proof: token-exchange",
        "proof: |  # wrong\n  token-exchange",
        "a line break",
    ),
    "an unprintable character": ("proof: token-exchange", 'proof: "read\\ud800back"  # wrong', "unprintable"),
    "a colon too many": ("proof: token-exchange", "proof: token: exchange  # wrong", "not YAML from here on"),
    "a second document": ("version: 1", "version: 1\n---  # wrong", "a second document; keep only one"),
}


@pytest.mark.parametrize(("old", "new", "says"), SPOILED.values(), ids=SPOILED)
def test_refuses(old: str, new: str, says: str) -> None:
    first, *others = old.splitlines()
    spoiled = with_line(first, new)
    for other in others:
        spoiled = with_line(other, "", spoiled)
    line, said = one_refusal(spoiled)
    assert says in said
    if "# wrong" in new:
        assert line in lines_marked(spoiled)


def test_a_channel_that_is_a_workflow_needs_one_on_every_file() -> None:
    spoiled = VALID.partition("        workflow:\n")[0] + (
        "    contract:\n      channels:\n        facts.update: workflow\n"
    )
    line, said = one_refusal(spoiled)
    assert spoiled.splitlines()[line - 1].strip() == f"- repository: {FACTS}"
    assert "and this file declares none; add `workflow`, or choose pull-request or direct" in said


def test_a_repository_with_submodules_is_declared_once_in_an_environment() -> None:
    spoiled = VALID + f"      - repository: {GITOPS.upper().replace('HTTPS', 'https')}  # wrong\n"
    line, said = one_refusal(spoiled)
    assert line in lines_marked(spoiled)
    assert "this environment declares the repository in line" in said


OTHERWISE = {
    "more branches": "revisions: [main, next], moves: {backlog: main}",
    "another branch to move to": "moves: {backlog: next}",
    "none to move to": "revisions: [main]",
}


@pytest.mark.parametrize("rest", OTHERWISE.values(), ids=OTHERWISE)
def test_a_repository_with_submodules_is_declared_in_one_way(rest: str) -> None:
    entry = f"submodules: [{{repository: {GITOPS.removesuffix('.git')}, {rest}}}]"
    _, said = one_refusal(with_line("enabled: true", entry))
    assert "with other `revisions` or `moves`; a pull request to it serves every environment" in said


def test_a_repository_with_submodules_may_stand_in_every_environment() -> None:
    entry = f"submodules: [{{repository: {GITOPS.removesuffix('.git')}, moves: {{backlog: main}}}}]"
    parse(with_line("enabled: true", entry), NAME)


def test_a_repository_that_only_gitmodules_names_may_be_written() -> None:
    backlog = "    contract:\n      repositories: [https://github.com/ameideio/ameide-backlog]\n"
    parse(VALID + backlog, NAME)


TEXTS = {
    "an empty file": ("", 1, "the file is empty; start from landscape.sample.yaml"),
    "a file of comments": ("# nothing\n# yet\n", 1, "the file is empty; start from landscape.sample.yaml"),
    "a list": (
        "- version: 1\n",
        1,
        "the landscape is of another kind; write keys of its own: version, tenant",
    ),
    "a sentence": ("hello\n", 1, "the landscape is of another kind"),
    "a tab": ("version: 1\nenvironments:\n\tdev: {}\n", 3, "a tab; YAML indents with blanks only"),
    "a quote that never ends": ("version: 'one\n", 1, "not YAML from here on"),
    "a control character": ("version: 1\ntenant: \x00\n", 2, "a character that YAML forbids; remove it"),
    "an escape of no character": ('version: 1\n"\\UFFFFFFFF": 1\n', 2, "a character that YAML forbids"),
    "a tab below line ends of Windows": ("version: 1\r\n\r\n\t- 1\r\n", 3, "a tab"),
    "a tab below line ends of old": ("version: 1\r\r\t- 1\r", 3, "a tab"),
    "nesting without end": ("[" * 100_000, 1, "nested more than 20 levels deep"),
    "a file of more than 1 MiB": ("#" * (1024 * 1024 + 1), 1, "the file is larger than 1 MiB"),
}


@pytest.mark.parametrize(("text", "line", "says"), TEXTS.values(), ids=TEXTS)
def test_refuses_as_a_whole(text: str, line: int, says: str) -> None:
    at, said = one_refusal(text)
    assert (at, says in said) == (line, True), said


def test_names_every_mistake_at_once_in_the_order_of_the_file() -> None:
    text = with_line("tenant: 11111111-2222-3333-4444-555555555555", "tennant: x  # wrong")
    text = with_line("cluster: blue", "cluster: red  # wrong", text)
    text = with_line("default: propose", "default: maybe  # wrong\ndefault: never  # wrong", text)
    text = with_line("- " + VAULT, f"- {OWN}  # wrong", text)
    text = with_line("pace: 2s", "pace: soon  # wrong", text)
    missing, *others = refusals(text)
    assert missing.startswith(f"{NAME}:1: the landscape lacks `tenant`;")
    assert [int(line.split(":")[1]) for line in others] == lines_marked(text)
    assert [line.split(": ", 1)[1].split(";")[0] for line in others] == [
        "no key `tennant` is known here",
        "no cluster of this environment has that name",
        "`default` is none of the choices",
        "`default` stands here a second time (first in line 107)",
        "Reconverge's own identity",
        "`pace` has the wrong form",
    ]


def test_a_broken_cluster_list_is_not_also_blamed_on_the_credentials() -> None:
    text = with_line("- name: ameide", "- nam: ameide")
    said = refusals(text)
    assert len(said) == 2
    assert "lacks `name`" in said[0]
    assert "no key `nam` is known here; did you mean name?" in said[1]


def identities_of(environment: str, count: int) -> str:
    credentials = "".join(
        f"          - name: {environment}-{number}\n"
        f"            subject: system:serviceaccount:{environment}:sa-{number}\n"
        for number in range(count)
    )
    return (
        f"  {environment}:\n    clusters:\n      - name: {environment}\n        id: {AKS}/{environment}\n"
        f"    identities:\n      - id: {UAMI}/shared-mi\n        credentials:\n{credentials}"
    )


def test_an_identity_may_hold_twenty_credentials_over_all_environments() -> None:
    parse(VALID + identities_of("one", 10) + identities_of("two", 10), NAME)


def test_twenty_one_are_refused_in_the_environment_that_goes_too_far() -> None:
    text = VALID + identities_of("one", 10) + identities_of("two", 11)
    line, said = one_refusal(text)
    assert "more than 20 credentials" in said
    assert line == text.splitlines().index("  two:") + 6


def test_a_long_key_is_cut_when_it_is_repeated() -> None:
    _, said = one_refusal(with_line("enabled: true", f"{'k' * 500}: true"))
    assert "k" * 80 + "…`" in said
    assert "k" * 81 not in said


EMPTY = ("vault", "keycloak", "gitlab", "argocd")


@pytest.mark.parametrize("part", EMPTY)
def test_a_part_that_is_not_described_is_none(part: str) -> None:
    text = with_line(
        "enabled: true", f"enabled: true\n{part}:  # wrong", VALID.replace(f"    {part}:\n", "    other:\n")
    )
    assert any(f"`{part}` is empty; write its keys, or remove it" in line for line in refusals(text))


def without(*lines: str, text: str = VALID) -> str:
    for line in lines:
        text = with_line(line, "", text)
    return text


FILE_OF_KEYCLOAK = (
    "values:  # of Keycloak",
    f"repository: {GITOPS}  # Keycloak's values",
    'ref: "main"',
    "path: sources/values/env/dev/platform/platform-keycloak-realm.yaml",
)
KEYS_OF_KEYCLOAK = (
    "rerun: clientPatcher.runId",
    "bootstrapHook: masterBootstrap.hook",
    "bootstrapWave: masterBootstrap.syncWave",
    "patcherHook: clientPatcher.hook",
    "patcherWave: clientPatcher.syncWave",
)


def test_keys_of_values_need_the_file_that_they_are_in() -> None:
    text = without(*FILE_OF_KEYCLOAK)
    said = refusals(text)
    lines = text.splitlines()
    assert [lines[int(one.split(":")[1]) - 1].strip() for one in said] == list(KEYS_OF_KEYCLOAK)
    assert all("a file that `hooks` does not name; add `values`, or remove this" in one for one in said)


def test_a_file_of_values_needs_keys_that_are_in_it() -> None:
    text = without(*KEYS_OF_KEYCLOAK)
    line, said = one_refusal(text)
    assert text.splitlines()[line - 1].strip() == "values:  # of Keycloak"
    assert "`hooks` names no key of this file, so nothing could be proposed in it" in said


def test_hooks_that_nothing_is_to_be_proposed_for_name_neither_file_nor_keys() -> None:
    parse(without(*FILE_OF_KEYCLOAK, *KEYS_OF_KEYCLOAK), NAME)


def test_a_key_of_vault_is_looked_up_in_a_vault() -> None:
    vault = VALID[VALID.index("    vault:\n") : VALID.index("    keycloak:\n")]
    text = without(f"- {VAULT_ADDRESS}", "vaults:", text=VALID.replace(vault, ""))
    line, said = one_refusal(text)
    assert text.splitlines()[line - 1].strip() == "vaultKey: gitlab-oidc-client-secret"
    assert "the environment has no `vault`, so nobody could look the key up; add it, or remove this" in said


def test_leave_to_change_clients_is_of_no_use_where_no_keycloak_is_declared() -> None:
    text = f"{VALID}    contract:\n      keycloaks: [{KEYCLOAK}]\n"
    line, said = one_refusal(text)
    assert "the environment has no `keycloak`, so nothing would be done there; add it with this `url`" in said
    assert line == len(text.splitlines())


def test_nor_is_leave_to_seed_where_no_vault_is_declared() -> None:
    text = f"{VALID}    contract:\n      vaults: [{VAULT_ADDRESS}]\n"
    line, said = one_refusal(text)
    assert (
        "the environment has no `vault`, so nothing would be done there; add it with this `address`" in said
    )
    assert line == len(text.splitlines())


@pytest.mark.parametrize("address", [f"url: {KEYCLOAK}", f"address: {VAULT_ADDRESS}"])
def test_a_section_without_its_address_is_asked_for_that_alone(address: str) -> None:
    _, said = one_refusal(without(address))
    assert f"lacks `{address.partition(':')[0]}`" in said


def test_the_address_that_is_asked_for_is_one_that_the_app_could_reach() -> None:
    _, said = one_refusal(without(f"address: {VAULT_ADDRESS}"))
    assert said.endswith("write for example `address: https://vault.dev.ameide.io`")


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_port_that_there_is_none_of_is_refused_in_both_places(port: str) -> None:
    said = refusals(VALID.replace(KEYCLOAK, f"{KEYCLOAK}:{port}"))
    assert len(said) == VALID.count(KEYCLOAK)
    assert all("has the wrong form; write the address with https" in one for one in said)
    parse(VALID.replace(KEYCLOAK, f"{KEYCLOAK}:65535"), NAME)


def test_a_vault_that_names_no_externalsecrets_is_told_where_they_would_stand() -> None:
    text = without("externalSecrets:", "- ghcr-pull-sync")
    line, said = one_refusal(text)
    assert text.splitlines()[line - 1].strip() == "vault:"
    assert "list those that rest on `seeds`" in said


ELSEWHERE = {
    "in another namespace": ("namespace: ameide-dev  # of Keycloak", "namespace: keycloak"),
    "in another cluster": ("cluster: blue  # as Vault", "cluster: green"),
}


@pytest.mark.parametrize(("old", "new"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_is_elsewhere_waits_for_nothing_in_the_vault_s_namespace(old: str, new: str) -> None:
    parse(with_line(old, new, without("externalSecrets:", "- ghcr-pull-sync")), NAME)
    parse(with_line(old, new, with_line("- ghcr-pull-sync", "- gitlab-oidc-provider")), NAME)


@pytest.mark.parametrize("namespace", ["keycloak", "gitlab", "ameide-dev"])
def test_a_contract_lets_something_be_done_where_a_part_of_the_environment_is(namespace: str) -> None:
    text = with_line("namespace: ameide-dev  # of Keycloak", "namespace: keycloak")
    parse(with_line("- ameide-dev", f"- {namespace}", text), NAME)


@pytest.mark.parametrize("whose", ["Keycloak", "GitLab"])
def test_a_repository_of_values_may_be_written(whose: str) -> None:
    other = "https://github.com/ameideio/ameide-values"
    text = with_line(f"repository: {GITOPS}  # {whose}'s values", f"repository: {other}")
    parse(with_line("pace: 2s", f"repositories: [{other}]", text), NAME)


def test_leave_to_sync_is_of_no_use_where_no_argo_cd_is_declared() -> None:
    text = f'{VALID}    contract:\n      applications: ["production-*"]\n'
    line, said = one_refusal(text)
    assert "the environment has no `argocd`, so nothing would be done there" in said
    assert line == len(text.splitlines())


def beside(pattern: str, *, cluster: str = "ameide-blue", namespace: str = "", enabled: str = "") -> str:
    """Another environment, whose Argo CD is that of dev unless it is said otherwise."""
    return (
        f"{VALID}  other:\n{enabled}    clusters:\n      - name: aks\n        id: {AKS.upper()}/{cluster}\n"
        f"    identities: []\n    argocd:\n{namespace}      applications:\n"
        f"        - match: first\n        - match: {pattern!r}\n"
    )


OF_TWO: dict[str, tuple[str, str]] = {
    "the same": (beside("dev-*"), "dev-foundation-vault-*"),
    "all": (beside("*"), "dev-foundation-vault-*"),
    "one": (beside("dev-gitlab"), "dev-*"),
    "those of one end": (beside("*-gitlab"), "dev-foundation-vault-*"),
    "those with something within": (beside("dev-*x*"), "dev-foundation-vault-*"),
    "one, though nothing is done there": (beside("dev-x", enabled="    enabled: false\n"), "dev-*"),
    "one, with the usual namespace": (beside("dev-x", namespace="      namespace: argocd\n"), "dev-*"),
}


@pytest.mark.parametrize(("text", "earlier"), OF_TWO.values(), ids=OF_TWO)
def test_applications_of_one_environment_are_refused_to_another_that_claims(text: str, earlier: str) -> None:
    line, said = one_refusal(text)
    assert line == len(text.splitlines())
    first = text.splitlines().index(f"        - match: {earlier}") + 1
    assert f"the pattern in line {first}, of another environment with the same Argo CD" in said
    assert "write patterns that have no name in common" in said


OF_ONE: dict[str, str] = {
    "other names": beside("production-*"),
    "a name that is nearly one of them": beside("dev"),
    "names with another beginning": beside("x*-dev-*"),
    "the same names in another cluster": beside("dev-*", cluster="ameide-green"),
    "the same names in another namespace": beside("dev-*", namespace="      namespace: argo\n"),
}


@pytest.mark.parametrize("text", OF_ONE.values(), ids=OF_ONE)
def test_environments_share_an_argo_cd_where_the_other_has(text: str) -> None:
    parse(text, NAME)


def test_two_patterns_overlap_where_some_name_fits_both() -> None:
    patterns = ["".join(one) for length in (1, 2, 3) for one in product("ab*", repeat=length)]
    names = ["".join(one) for length in range(7) for one in product("ab", repeat=length)]
    fitting = {pattern: {name for name in names if fnmatchcase(name, pattern)} for pattern in patterns}
    for one, other in product(patterns, repeat=2):
        assert overlap(one, other) is bool(fitting[one] & fitting[other]), (one, other)
