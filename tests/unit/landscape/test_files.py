"""The files that come with the project, and files as such."""

import json
import os
import re
from pathlib import Path

import pytest

from sandbox import platform
from shared.errors import Misconfigured
from shared.landscape import Environment, Landscape, Mode, ProofMethod, load, schema
from tests.unit.landscape.texts import ROOT, UAMI, VALID

REGENERATE = (
    "python -c 'import json, shared.landscape as l; "
    "print(json.dumps(l.schema(), indent=2, ensure_ascii=False))' > docs/landscape.schema.json"
)


@pytest.fixture(scope="module")
def sample() -> Landscape:
    return load(ROOT / "landscape.sample.yaml")


@pytest.fixture(scope="module")
def sandbox() -> Landscape:
    return load(ROOT / "sandbox" / "landscape.yaml")


# -- the sample -------------------------------------------------------------------------------------

PLATFORM = {
    f"{environment}: {identity}": (environment, identity, credential, subject)
    for environment in ("dev", "staging", "prod")
    for identity, credential, subject in (
        (
            "ameide-vault-bootstrap-mi",
            f"vault-bootstrap-{environment}",
            f"system:serviceaccount:ameide-{environment}:foundation-vault-bootstrap-vault-bootstrap",
        ),
        (
            f"ameide-{environment}-backup-mi",
            "cnpg-backup",
            f"system:serviceaccount:ameide-{environment}:postgres-ameide",
        ),
        (
            f"ameide-dns-{environment}-mi",
            f"ameide-{environment}-cert-manager",
            f"system:serviceaccount:ameide-{environment}:cert-manager-{environment}",
        ),
    )
}


@pytest.mark.parametrize(
    ("environment", "identity", "credential", "subject"), PLATFORM.values(), ids=PLATFORM
)
def test_the_sample_declares_the_platform(
    environment: str, identity: str, credential: str, subject: str, sample: Landscape
) -> None:
    where, declared = sample.declared_on(f"{UAMI}/{identity}")[credential]
    assert (where.name, declared.subject) == (environment, subject)
    assert declared.audience == "api://AzureADTokenExchange"


def test_the_sample_declares_nothing_more(sample: Landscape) -> None:
    declared = [
        credential
        for environment in sample.environments.values()
        for identity in environment.identities
        for credential in identity.credentials
    ]
    assert len(declared) == len(PLATFORM)


def test_the_sample_has_staging_switched_off(sample: Landscape) -> None:
    assert {name: environment.enabled for name, environment in sample.environments.items()} == {
        "dev": True,
        "staging": False,
        "prod": True,
    }


def test_the_sample_changes_nothing_until_somebody_decides_so(sample: Landscape) -> None:
    for environment in sample.environments.values():
        assert environment.contract.default is Mode.PROPOSE
        assert environment.contract.actions == {}


def test_the_names_that_the_sample_only_guesses_stay_comments() -> None:
    for line in (ROOT / "landscape.sample.yaml").read_text().splitlines():
        assert "<" not in line.split("#")[0]


# -- the sandbox ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_sandbox_declares_what_the_sample_declares(
    name: str, sample: Landscape, sandbox: Landscape
) -> None:
    ours, theirs = sandbox.environments[name], sample.environments[name]
    assert (ours.clusters, ours.identities) == (theirs.clusters, theirs.identities)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_sandbox_may_repair_all_that_is_declared_and_must_prove_it(name: str, sandbox: Landscape) -> None:
    environment: Environment = sandbox.environments[name]
    contract = environment.contract
    assert {contract.mode("credential.update"), contract.mode("credential.create")} == {Mode.APPLY}
    assert all(contract.may_write(identity.id) for identity in environment.identities)
    assert contract.proof is ProofMethod.TOKEN_EXCHANGE
    assert contract.issuer_host_allowed("https://127.0.0.1:40000/issuer/")


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_sandbox_may_repair_keycloak_and_gitlab_and_see_everything_of_it(
    name: str, sample: Landscape, sandbox: Landscape
) -> None:
    ours, theirs = sandbox.environments[name], sample.environments[name]
    assert ours.keycloak
    assert ours.gitlab
    assert theirs.keycloak
    assert theirs.gitlab
    assert ours.keycloak.application == theirs.keycloak.application
    assert ours.keycloak.realm_imports == theirs.keycloak.realm_imports
    assert ours.gitlab.application == theirs.gitlab.application
    for client, declared in ours.keycloak.clients.items():
        assert theirs.keycloak.clients[client] == declared
    # The cluster's roles are those of the files that operators apply, which name the sample's Secrets.
    assert set(ours.keycloak.secrets) == set(theirs.keycloak.secrets)
    contract = ours.contract
    assert contract.may_change_clients_of(ours.keycloak.url)
    assert contract.may_operate(ours.keycloak.application)
    assert contract.may_operate(ours.gitlab.application)
    writing = ("keycloak.order", "keycloak.rerun", "keycloak.redirect", "gitlab.map", "gitlab.rerun")
    assert {contract.mode(one) for one in writing} == {Mode.APPLY}
    assert contract.mode("keycloak.jobs") is Mode.PROPOSE


def test_the_sandbox_s_landscape_is_that_of_its_cloud(sandbox: Landscape) -> None:
    assert sandbox.tenant == platform.TENANT
    assert sandbox.reconverge.identity == f"{UAMI}/{platform.APP_IDENTITY}"
    assert sandbox.reconverge.object_id == platform.APP_OBJECT_ID
    assert {
        (identity.id, credential.name, credential.subject, credential.audience)
        for environment in sandbox.environments.values()
        if environment.enabled
        for identity in environment.identities
        for credential in identity.credentials
    } == {
        (f"{UAMI}/{trust.identity}", trust.name, trust.subject, platform.AUDIENCE)
        for trust in platform.TRUSTS
    }


def test_the_sandbox_has_staging_switched_off(sandbox: Landscape) -> None:
    assert not sandbox.environments["staging"].enabled


# -- the schema -------------------------------------------------------------------------------------


def test_the_committed_schema_is_that_of_the_models() -> None:
    committed = json.loads((ROOT / "docs" / "landscape.schema.json").read_text())
    assert committed == schema(), f"regenerate it: {REGENERATE}"


@pytest.mark.parametrize("file", ["landscape.sample.yaml", "sandbox/landscape.yaml"])
def test_editors_find_the_schema_from_the_file(file: str) -> None:
    head = (ROOT / file).read_text().splitlines()[0]
    where = head.removeprefix("# yaml-language-server: $schema=")
    assert (ROOT / file).parent.joinpath(where).resolve() == ROOT / "docs" / "landscape.schema.json"


def test_the_schema_asks_for_the_keys_of_the_file_and_not_of_python() -> None:
    definitions = schema()["$defs"]
    assert "name" not in definitions["Environment"]["properties"]
    assert definitions["DeclaredCredential"]["required"] == ["name", "subject"]
    assert definitions["Contract"]["properties"]["pace"]["default"] == "4s"


def test_the_page_for_operators_explains_every_key() -> None:
    page = (ROOT / "docs" / "landscape.md").read_text()
    described = schema()
    keys = {key for one in (described, *described["$defs"].values()) for key in one.get("properties", ())}
    actions_and_modes = {
        choice
        for one in described["$defs"].values()
        for choice in one.get("enum", ())
        if isinstance(choice, str)
    }
    explained = set(re.findall(r"[A-Za-z][A-Za-z._-]*", " ".join(re.findall(r"`([^`\n]+)`", page))))
    parts = {part for word in explained for part in (word, *word.split("."))}
    assert keys | actions_and_modes <= parts


# -- files as such ----------------------------------------------------------------------------------


def test_a_file_is_read_whatever_mark_its_editor_left_at_the_beginning(tmp_path: Path) -> None:
    plain, marked = tmp_path / "plain.yaml", tmp_path / "marked.yaml"
    plain.write_text(VALID)
    marked.write_bytes(b"\xef\xbb\xbf" + VALID.encode())
    assert load(marked).digest == load(str(plain)).digest


def test_a_missing_file_is_answered_with_where_to_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"there is no such file; start from landscape\.sample\.yaml"):
        load(tmp_path / "landscape.yaml")


def test_a_directory_is_no_landscape(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        load(tmp_path)


def test_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "landscape.yaml"
    file.write_bytes(b"version: 1\n# caf\xe9\n")
    with pytest.raises(Misconfigured, match=r"landscape\.yaml:2: not UTF-8; save the file in that encoding"):
        load(file)


def test_no_more_than_the_largest_landscape_is_read(tmp_path: Path) -> None:
    file = tmp_path / "landscape.yaml"
    file.touch()
    os.truncate(file, 1 << 40)
    with pytest.raises(Misconfigured, match="larger than 1 MiB"):
        load(file)


def test_no_environment_variable_changes_what_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "landscape.yaml"
    file.write_text(VALID)
    before = load(file)
    for name in ("TENANT", "VERSION", "ENVIRONMENTS", "LANDSCAPE__TENANT", "RECONVERGE_TENANT"):
        monkeypatch.setenv(name, "00000000-0000-0000-0000-000000000000")
    assert load(file) == before
