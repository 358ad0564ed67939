"""What a landscape answers once it is read."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from shared.landscape import (
    Action,
    Contract,
    DeclaredCluster,
    Environment,
    Landscape,
    Mode,
    ProofMethod,
    load,
    parse,
)
from shared.model import Channel
from tests.unit.landscape.texts import (
    AKS,
    BACKUP,
    DNS,
    FACTS,
    GITOPS,
    KEYCLOAK,
    NAME,
    OWN,
    ROOT,
    UAMI,
    VALID,
    VAULT,
    VAULT_ADDRESS,
    with_line,
)


@pytest.fixture(scope="module")
def landscape() -> Landscape:
    return parse(VALID, NAME)


# -- what the file says, and what it leaves to be understood ---------------------------------------


def test_an_environment_is_named_by_its_key(landscape: Landscape) -> None:
    assert {name: environment.name for name, environment in landscape.environments.items()} == {
        "dev": "dev",
        "prod": "prod",
    }


def test_a_credential_of_the_only_cluster_need_not_name_it(landscape: Landscape) -> None:
    prod = landscape.environments["prod"]
    (credential,) = prod.identities[0].credentials
    assert prod.cluster(credential.cluster) == DeclaredCluster(name="ameide", id=f"{AKS}/ameide")


def test_blue_and_green_hold_the_same_service_account_under_two_names(landscape: Landscape) -> None:
    blue, green = landscape.environments["dev"].identities[0].credentials
    assert (blue.cluster, green.cluster) == ("blue", "green")
    assert blue.subject == green.subject
    assert blue.name != green.name


def test_a_cluster_that_the_environment_lacks_is_a_key_error(landscape: Landscape) -> None:
    with pytest.raises(KeyError):
        landscape.environments["prod"].cluster("blue")


def test_a_written_contract_is_read_as_written(landscape: Landscape) -> None:
    contract = landscape.environments["dev"].contract
    assert (contract.caps.per_run, contract.caps.per_hour) == (5, 10)
    assert contract.proof is ProofMethod.TOKEN_EXCHANGE
    assert (contract.pace, contract.grace) == (timedelta(seconds=2), timedelta(minutes=15))


def test_without_a_contract_nothing_may_be_changed(landscape: Landscape) -> None:
    contract = landscape.environments["prod"].contract
    assert contract == Contract()
    assert {contract.mode(action) for action in Action} == {Mode.PROPOSE}
    assert not contract.may_write(VAULT)


def test_the_defaults_are_those_that_the_documents_name() -> None:
    contract = Contract()
    assert (contract.caps.per_run, contract.caps.per_hour) == (20, 60)
    assert contract.proof is ProofMethod.READ_BACK
    assert (contract.pace, contract.grace) == (timedelta(seconds=4), timedelta(minutes=10))
    assert contract.issuer_hosts == ("*.oic.prod-aks.azure.com",)


def test_environments_are_enabled_and_audiences_are_entra_s_by_default(landscape: Landscape) -> None:
    prod = landscape.environments["prod"]
    assert prod.enabled
    assert prod.identities[0].credentials[0].audience == "api://AzureADTokenExchange"
    assert prod.identities[0].trusted_issuers == ()


DURATIONS = {
    "no pause at all": ("0s", timedelta(0)),
    "seconds": ("45s", timedelta(seconds=45)),
    "a minute": ("1m", timedelta(minutes=1)),
}


@pytest.mark.parametrize(("text", "span"), DURATIONS.values(), ids=DURATIONS)
def test_reads_a_duration(text: str, span: timedelta) -> None:
    parsed = parse(with_line("pace: 2s", f"pace: {text}"), NAME)
    assert parsed.environments["dev"].contract.pace == span


def test_hours_are_read_too() -> None:
    parsed = parse(with_line("grace: 15m", "grace: 2h"), NAME)
    assert parsed.environments["dev"].contract.grace == timedelta(hours=2)


def test_object_ids_are_kept_in_the_letter_case_in_which_events_are_compared() -> None:
    spelled = "objectId: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    parsed = parse(with_line(spelled, "objectId: AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE"), NAME)
    assert parsed.reconverge.object_id == "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


def test_nothing_in_it_can_be_changed(landscape: Landscape) -> None:
    dev = landscape.environments["dev"]
    with pytest.raises(ValidationError):
        dev.contract.default = Mode.APPLY
    with pytest.raises(TypeError):
        landscape.environments["other"] = dev  # type: ignore[index]
    with pytest.raises(TypeError):
        dev.contract.actions[Action.CREDENTIAL_CREATE] = Mode.APPLY  # type: ignore[index]


# -- contract ---------------------------------------------------------------------------------------


def test_an_action_that_is_listed_has_its_own_mode_and_the_others_the_default(landscape: Landscape) -> None:
    contract = landscape.environments["dev"].contract
    assert contract.mode("credential.update") is Mode.APPLY
    assert contract.mode(Action.CREDENTIAL_CREATE) is Mode.PROPOSE
    assert contract.mode("vault.seed") is Mode.PROPOSE


def test_only_listed_identities_may_be_written_however_they_are_spelled(landscape: Landscape) -> None:
    contract = landscape.environments["dev"].contract
    assert contract.may_write(VAULT)
    assert contract.may_write(VAULT.lower())
    assert contract.may_write(VAULT.upper() + "/")
    assert not contract.may_write(BACKUP)
    assert not contract.may_write(OWN)
    assert not contract.may_write(VAULT + "-2")
    assert not contract.may_write("")


ISSUER = "https://westeurope.oic.prod-aks.azure.com/11111111-2222-3333-4444-555555555555/c0ffee/"
ISSUERS = {
    "an issuer of AKS": ("*.oic.prod-aks.azure.com", ISSUER, True),
    "an issuer in capitals": ("*.oic.prod-aks.azure.com", ISSUER.replace("oic", "OIC"), True),
    "a pattern in capitals": ("*.OIC.prod-aks.azure.com", ISSUER, True),
    "several labels under the star": ("*.prod-aks.azure.com", ISSUER, True),
    "the domain under the star alone": (
        "*.oic.prod-aks.azure.com",
        "https://oic.prod-aks.azure.com/x/",
        False,
    ),
    "a label that only ends like the domain": (
        "*.oic.prod-aks.azure.com",
        "https://evil-oic.prod-aks.azure.com/x/",
        False,
    ),
    "a dot, and nothing before it": ("*.oic.prod-aks.azure.com", "https://.oic.prod-aks.azure.com/", False),
    "an empty label": ("*.oic.prod-aks.azure.com", "https://a..oic.prod-aks.azure.com/", False),
    "a dot at the end": ("*.oic.prod-aks.azure.com", "https://a.oic.prod-aks.azure.com./", False),
    "the domain as the beginning of another": (
        "*.oic.prod-aks.azure.com",
        "https://a.oic.prod-aks.azure.com.evil.example/",
        False,
    ),
    "the domain in the path": (
        "*.oic.prod-aks.azure.com",
        "https://evil.example/a.oic.prod-aks.azure.com/",
        False,
    ),
    "the domain in the query": (
        "*.oic.prod-aks.azure.com",
        "https://evil.example?a.oic.prod-aks.azure.com",
        False,
    ),
    "the domain in the fragment": (
        "*.oic.prod-aks.azure.com",
        "https://evil.example#a.oic.prod-aks.azure.com",
        False,
    ),
    "the domain as a user": (
        "*.oic.prod-aks.azure.com",
        "https://a.oic.prod-aks.azure.com@evil.example/",
        False,
    ),
    "a user in front of the domain": (
        "*.oic.prod-aks.azure.com",
        "https://someone@a.oic.prod-aks.azure.com/",
        False,
    ),
    "a backslash, which some read as a slash": (
        "*.oic.prod-aks.azure.com",
        "https://evil.example\\.a.oic.prod-aks.azure.com/",
        False,
    ),
    "a line break, which some leave out": ("*.oic.prod-aks.azure.com", ISSUER + "\n", False),
    "a blank in front": ("*.oic.prod-aks.azure.com", " " + ISSUER, False),
    "another scheme": ("*.oic.prod-aks.azure.com", ISSUER.replace("https", "http"), False),
    "no scheme": ("*.oic.prod-aks.azure.com", ISSUER.removeprefix("https:"), False),
    "nothing": ("*.oic.prod-aks.azure.com", "", False),
    "a host without a star": ("issuer.example.com", "https://issuer.example.com", True),
    "a host below one without a star": ("issuer.example.com", "https://a.issuer.example.com", False),
    "the port of https, spelled out": ("issuer.example.com", "https://issuer.example.com:443/", True),
    "the port of https in the pattern": ("issuer.example.com:443", "https://issuer.example.com/", True),
    "a port that is not declared": ("issuer.example.com", "https://issuer.example.com:8443/", False),
    "a port that is declared": ("issuer.example.com:8443", "https://issuer.example.com:8443/", True),
    "another port than declared": ("issuer.example.com:8443", "https://issuer.example.com/", False),
    "any port": ("127.0.0.1:*", "https://127.0.0.1:40123/oidc/1/", True),
    "any port of another host": ("127.0.0.1:*", "https://127.0.0.2:40123/", False),
    "an address that only begins alike": ("127.0.0.1:*", "https://127.0.0.10:40123/", False),
}


@pytest.mark.parametrize(("pattern", "issuer", "allowed"), ISSUERS.values(), ids=ISSUERS)
def test_an_issuer_is_allowed_by_its_host(pattern: str, issuer: str, *, allowed: bool) -> None:
    parsed = parse(with_line('- "*.oic.prod-aks.azure.com"', f'- "{pattern}"'), NAME)
    assert parsed.environments["dev"].contract.issuer_host_allowed(issuer) is allowed


def test_one_matching_pattern_of_several_is_enough() -> None:
    contract = Contract(issuer_hosts=("issuer.example.com", "*.oic.prod-aks.azure.com"))
    assert contract.issuer_host_allowed(ISSUER)


def test_without_patterns_no_issuer_is_allowed() -> None:
    assert not Contract(issuer_hosts=()).issuer_host_allowed(ISSUER)


# -- looking up -------------------------------------------------------------------------------------


def names(environments: tuple[Environment, ...]) -> list[str]:
    return [environment.name for environment in environments]


def test_finds_the_environments_of_a_cluster(landscape: Landscape) -> None:
    assert names(landscape.environments_of_cluster(f"{AKS}/ameide-green".upper())) == ["dev"]
    assert names(landscape.environments_of_cluster(f"{AKS}/ameide")) == ["prod"]
    assert names(landscape.environments_of_cluster(f"{AKS}/unheard-of")) == []


def test_finds_the_environments_of_an_identity(landscape: Landscape) -> None:
    assert names(landscape.environments_of_identity(VAULT.lower())) == ["dev", "prod"]
    assert names(landscape.environments_of_identity(BACKUP)) == ["prod"]
    assert names(landscape.environments_of_identity(f"{UAMI}/unheard-of")) == []


def test_a_disabled_environment_is_found_as_well() -> None:
    parsed = parse(with_line("enabled: true", "enabled: false"), NAME)
    assert names(parsed.environments_of_identity(VAULT)) == ["dev", "prod"]


def test_knows_what_all_environments_declare_on_one_identity(landscape: Landscape) -> None:
    declared = landscape.declared_on(VAULT.upper())
    assert {name: environment.name for name, (environment, _) in declared.items()} == {
        "vault-bootstrap-dev": "dev",
        "vault-bootstrap-dev-green": "dev",
        "vault-bootstrap-prod": "prod",
    }
    assert all(name == credential.name for name, (_, credential) in declared.items())


# -- digest -----------------------------------------------------------------------------------------

SAME = {
    "comments and blank lines": VALID.replace("version: 1\n", "# a comment\nversion: 1  # one\n\n"),
    "quotes": VALID.replace("name: blue", 'name: "blue"'),
    "the order of keys": VALID.replace(
        "      pace: 2s\n      grace: 15m\n", "      grace: 15m\n      pace: 2s\n"
    ),
    "a default, spelled out": VALID.replace("  prod:\n", "  prod:\n    enabled: true\n"),
    "another spelling of a duration": VALID.replace("grace: 15m", "grace: 900s"),
    "line ends of Windows": VALID.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_the_digest_is_that_of_the_content(text: str, landscape: Landscape) -> None:
    assert text != VALID
    assert parse(text, "elsewhere.yaml").digest == landscape.digest


OTHER = {
    "a mode": ("default: propose", "default: approve"),
    "a subject": (
        "subject: system:serviceaccount:ameide-prod:vault-bootstrap",
        "subject: system:serviceaccount:ameide-prod:other",
    ),
    "a switch": ("enabled: true", "enabled: false"),
    "a pause": ("pace: 2s", "pace: 3s"),
    "a writable identity": ("- " + VAULT, f"- {BACKUP}"),
}


@pytest.mark.parametrize(("old", "new"), OTHER.values(), ids=OTHER)
def test_other_content_has_another_digest(old: str, new: str, landscape: Landscape) -> None:
    assert parse(with_line(old, new), NAME).digest != landscape.digest


# -- published facts ----------------------------------------------------------------------------------


def test_a_file_of_facts_is_referred_to_by_its_page(landscape: Landscape) -> None:
    (file,) = landscape.environments["prod"].facts
    page = (
        "https://github.com/ameideio/ameide-runtime-facts/blob/published/runtime-facts/env/prod/globals.yaml"
    )
    assert file.reference == page


def test_facts_that_name_no_branch_are_those_of_main() -> None:
    parsed = parse(with_line("ref: published", ""), NAME)
    (file,) = parsed.environments["prod"].facts
    assert file.ref == "main"
    assert file.workflow is not None
    assert file.workflow.ref == "main"


def test_an_environment_is_found_by_what_its_facts_tell_about(landscape: Landscape) -> None:
    assert [one.name for one in landscape.environments_of_fact(DNS.upper())] == ["prod"]
    assert landscape.environments_of_fact(OWN) == ()


def test_only_listed_repositories_may_be_written_however_they_are_spelled() -> None:
    contract = Contract(repositories=(FACTS,))
    assert contract.may_write_to("https://github.com/AmeideIO/ameide-runtime-facts")
    assert not contract.may_write_to(GITOPS)
    assert not contract.may_write_to(f"{FACTS}x")
    assert not Contract().may_write_to(FACTS)


def test_a_change_goes_the_way_the_contract_names_else_through_the_workflow_else_by_pull_request(
    landscape: Landscape,
) -> None:
    (published,) = landscape.environments["prod"].facts
    plain = published.model_copy(update={"workflow": None})
    assert Contract().channel_to(published) is Channel.WORKFLOW
    assert Contract().channel_to(plain) is Channel.PULL_REQUEST
    direct = Contract(channels={Action.FACTS_UPDATE: Channel.DIRECT})
    assert direct.channel_to(published) is Channel.DIRECT


# -- Vault ------------------------------------------------------------------------------------------


def test_a_list_of_seeds_stands_for_secrets_of_the_same_names() -> None:
    text = VALID.replace(
        "        ghcr/token: ghcr-token\n", "        - ghcr-token\n        - ghcr-username\n"
    )
    vault = parse(text, NAME).environments["dev"].vault
    assert vault is not None
    assert dict(vault.seeds) == {"ghcr-token": "ghcr-token", "ghcr-username": "ghcr-username"}


def test_a_vault_s_sources_are_named_once_each(landscape: Landscape) -> None:
    vault = landscape.environments["dev"].vault
    assert vault is not None
    assert vault.sources == ("ghcr-username", "ghcr-token")


def test_a_vault_of_the_only_cluster_need_not_name_it() -> None:
    sample = load(ROOT / "landscape.sample.yaml").environments["dev"].vault
    assert sample is not None
    assert (sample.cluster, sample.mount, sample.login.audience) == (
        "ameide",
        "secret",
        "api://AzureADTokenExchange",
    )


def test_a_contract_lets_nothing_be_done_in_the_cluster_unless_it_says_where(landscape: Landscape) -> None:
    dev, prod = (landscape.environments[name].contract for name in ("dev", "prod"))
    assert (dev.may_act_in("ameide-dev"), dev.may_act_in("ameide-prod")) == (True, False)
    assert (dev.may_seed(VAULT_ADDRESS), prod.may_seed(VAULT_ADDRESS)) == (True, False)


def test_a_default_port_may_be_left_out() -> None:
    assert Contract(vaults=("https://vault.example",)).may_seed("https://vault.example:443")
    assert not Contract(vaults=("https://vault.example",)).may_seed("http://vault.example")


def test_the_first_pattern_that_fits_an_application_decides(landscape: Landscape) -> None:
    argocd = landscape.environments["dev"].argocd
    assert argocd is not None
    found = {name: argocd.rule(name) for name in ("dev-foundation-vault-core", "dev-gitlab", "prod-gitlab")}
    assert {name: rule.match if rule else None for name, rule in found.items()} == {
        "dev-foundation-vault-core": "dev-foundation-vault-*",
        "dev-gitlab": "dev-*",
        "prod-gitlab": None,
    }


def test_an_argo_cd_of_the_only_cluster_need_not_name_it() -> None:
    sample = load(ROOT / "landscape.sample.yaml").environments["dev"].argocd
    assert sample is not None
    assert (sample.cluster, sample.namespace) == ("ameide", "argocd")


def test_a_contract_lists_applications_by_pattern() -> None:
    contract = Contract(applications=("dev-*", "cluster-gateway"))
    assert [contract.may_operate(name) for name in ("dev-x", "cluster-gateway")] == [True, True]
    assert [contract.may_operate(name) for name in ("cluster-gateway-2", "prod-dev-x", "")] == [False] * 3


# -- Keycloak and GitLab ----------------------------------------------------------------------------


def test_a_keycloak_and_a_gitlab_of_the_only_cluster_need_not_name_it() -> None:
    sample = load(ROOT / "landscape.sample.yaml").environments["dev"]
    assert sample.keycloak is not None
    assert sample.gitlab is not None
    assert (sample.keycloak.cluster, sample.gitlab.cluster) == ("ameide", "ameide")


def test_what_is_left_out_of_keycloak_and_gitlab_is_usual_or_nothing() -> None:
    sample = load(ROOT / "landscape.sample.yaml").environments["dev"]
    assert sample.keycloak is not None
    assert sample.keycloak.hooks.values is not None
    assert sample.gitlab is not None
    assert sample.keycloak.hooks.values.ref == "main"
    assert sample.keycloak.hooks.bootstrap_wave is None
    assert sample.keycloak.clients["plausible"].redirect_uris == ()
    assert sample.gitlab.page == "/users/sign_in"


def test_a_file_of_values_is_referred_to_by_its_page(landscape: Landscape) -> None:
    gitlab = landscape.environments["dev"].gitlab
    assert gitlab is not None
    assert gitlab.migrations is not None
    assert gitlab.migrations.values.reference == (
        "https://github.com/ameideio/ameide-gitops/blob/main/sources/values/env/dev/platform/platform-gitlab.yaml"
    )


def test_only_listed_keycloaks_may_be_changed_with_or_without_the_usual_port(landscape: Landscape) -> None:
    contract = landscape.environments["dev"].contract
    assert contract.may_change_clients_of(KEYCLOAK)
    assert contract.may_change_clients_of(f"{KEYCLOAK}:443")
    assert not contract.may_change_clients_of(f"{KEYCLOAK}:8443")
    assert not landscape.environments["prod"].contract.may_change_clients_of(KEYCLOAK)


@pytest.mark.parametrize("action", ["application.terminate", "keycloak.jobs"])
@pytest.mark.parametrize(
    ("default", "mode"),
    [
        (Mode.APPLY, Mode.PROPOSE),
        (Mode.APPROVE, Mode.PROPOSE),
        (Mode.PROPOSE, Mode.PROPOSE),
        (Mode.NEVER, Mode.NEVER),
    ],
)
def test_the_default_alone_ends_nothing_that_others_began(action: str, default: Mode, mode: Mode) -> None:
    assert Contract(default=default).mode(action) is mode
    assert Contract(default=default).mode("application.sync") is default


def test_an_operation_is_stopped_where_the_contract_says_so_by_name() -> None:
    contract = Contract(default=Mode.NEVER, actions={Action.APPLICATION_TERMINATE: Mode.APPLY})
    assert contract.mode("application.terminate") is Mode.APPLY
