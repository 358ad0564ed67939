"""The judge tells what holds, what does not, and what is not known apart. One cloud serves all, in the order
written."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import hvac
import pytest

from cli import judging
from cli.judging import Claim
from cli.judging.asking import Operator
from cli.judging.credentials import CredentialWorks
from cli.judging.seeds import SeedsAreThere
from cli.judging.verdict import Answer
from cli.story import operator_of
from sandbox.control_client import Control
from sandbox.stack import Stack
from shared.landscape import load


@pytest.fixture
def operator(cloud: Stack) -> Operator:
    return operator_of(cloud)


@pytest.fixture
def everything(cloud: Stack) -> tuple[Claim, ...]:
    return judging.claims(load(cloud.environment["RECONVERGE_LANDSCAPE"]))


@pytest.fixture
def asked(everything: tuple[Claim, ...]) -> tuple[CredentialWorks, ...]:
    return tuple(claim for claim in everything if isinstance(claim, CredentialWorks))


def answers(operator: Operator, asked: tuple[Claim, ...]) -> set[str]:
    return {str(verdict) for verdict in judging.verdicts(operator, asked).values()}


def by_kind(operator: Operator, asked: tuple[Claim, ...]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for claim, verdict in judging.verdicts(operator, asked).items():
        found.setdefault(claim.kind, set()).add(str(verdict))
    return found


def test_everything_that_enabled_environments_declare_is_asked_for(everything: tuple[Claim, ...]) -> None:
    kinds = ["submodules", *["credential"] * 3, "facts", "seeds", "bootstrap", "store"]
    kinds += [*["external secret"] * 3, "secrets", *["login"] * 4, "page", "applications"]
    assert [(one.environment, one.kind) for one in everything] == [
        (environment, kind) for environment in ("dev", "prod") for kind in kinds
    ]


WORKS = {
    "submodules": {"fetched"},
    "credential": {"accepted"},
    "facts": {"8 of 8 equal"},
    "seeds": {"4 of 4 equal"},
    "bootstrap": {"succeeded"},
    "store": {"Ready"},
    "external secret": {"Ready"},
    "secrets": {"2 of 2 there"},
    "login": {"login page"},
    "page": {"200"},
    "applications": {"3 of 3 well"},
}


def test_of_a_platform_that_works_everything_holds(
    settled: Stack, operator: Operator, everything: tuple[Claim, ...]
) -> None:
    assert settled.complete
    assert by_kind(operator, everything) == WORKS


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        pytest.param(
            {"subject": "system:serviceaccount:ameide-dev:default"},
            "refused AADSTS700213",
            id="another service account is refused",
        ),
        pytest.param(
            {"audience": "api://elsewhere"}, "refused AADSTS700212", id="another audience is refused"
        ),
        pytest.param(
            {"subject": "system:serviceaccount:ameide-dev:nobody"},
            "not known Kubernetes answered 404 to a TokenRequest for ameide-dev/nobody",
            id="a service account that is not there tells nothing",
        ),
        pytest.param(
            {"cluster": "elsewhere"},
            "not known the kubeconfig has no cluster elsewhere",
            id="a cluster that is not there tells nothing",
        ),
        pytest.param(
            {"identity": "/subscriptions/nowhere"},
            "not known ARM answered 404 to GET of the identity",
            id="an identity that is not there tells nothing",
        ),
    ],
)
def test_a_claim_that_is_not_true_is_not_accepted(
    operator: Operator, asked: tuple[CredentialWorks, ...], change: dict[str, str], answer: str
) -> None:
    assert answers(operator, (replace(asked[0], **change),)) == {answer}


def test_an_operator_who_cannot_sign_in_knows_nothing(
    operator: Operator, asked: tuple[CredentialWorks, ...]
) -> None:
    found = judging.verdicts(replace(operator, secret="wrong"), asked)
    assert {verdict.answer for verdict in found.values()} == {Answer.NOT_KNOWN}


def test_an_entra_that_does_not_answer_tells_nothing(
    operator: Operator, asked: tuple[CredentialWorks, ...]
) -> None:
    found = judging.verdicts(replace(operator, authority="https://127.0.0.1:9"), asked)
    assert {verdict.answer for verdict in found.values()} == {Answer.NOT_KNOWN}


def test_an_entra_that_is_broken_tells_nothing(
    cloud: Stack, operator: Operator, asked: tuple[CredentialWorks, ...]
) -> None:
    control = Control.from_dir(cloud.directory)
    control.inject("/oauth2/v2.0/token$", status=503, count=None)
    try:
        found = judging.verdicts(operator, asked)
    finally:
        control.clear_faults()
    assert {verdict.answer for verdict in found.values()} == {Answer.NOT_KNOWN}


def test_no_verdict_shows_a_secret(operator: Operator, everything: tuple[Claim, ...]) -> None:
    told = repr(operator) + repr(judging.verdicts(operator, everything))
    for secret in (operator.secret, operator.github_token, *operator.vault_tokens.values(), "eyJ"):
        assert secret not in told


NO_CLONES = {
    "submodules": "not known git clone of ameide-gitops ended with 128",
    "facts": "not known git clone of ameide-runtime-facts ended with 128",
}
WITHOUT: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "Git": ({"github_token": "wrong"}, NO_CLONES),
    "a way to Git": ({"github": "https://127.0.0.1:9"}, NO_CLONES),
    "a token of Vault": (
        {"vault_tokens": {}},
        {"seeds": "not known the operator has no token for the Vault of"},
    ),
    "a good token of Vault": (
        {"vault_tokens": {"dev": "wrong", "prod": "wrong"}},
        {"seeds": "not known Vault answered 403"},
    ),
}


@pytest.mark.parametrize(("change", "unknown"), WITHOUT.values(), ids=WITHOUT)
def test_without_it_nothing_is_known_of_what_rests_on_it(
    operator: Operator, everything: tuple[Claim, ...], change: dict[str, Any], unknown: dict[str, str]
) -> None:
    found = by_kind(replace(operator, **change), everything)
    for kind, answer in unknown.items():
        assert all(one.startswith(answer) for one in found[kind])
        del found[kind]
    assert found == {kind: says for kind, says in WORKS.items() if kind not in unknown}


SUBMODULE = {
    "git does not serve any more": ("forgotten", "not our ref"),
    "nobody has any more": ("lost", "not our ref"),
}


@pytest.mark.parametrize(("fate", "answer"), SUBMODULE.values(), ids=SUBMODULE)
def test_a_submodule_at_a_commit_that_is_not_there(
    settled: Stack, operator: Operator, everything: tuple[Claim, ...], fate: str, answer: str
) -> None:
    control = Control.from_dir(settled.directory)
    asked = tuple(claim for claim in everything if claim.kind == "submodules")
    control.break_submodule(fate)
    try:
        assert answers(operator, asked) == {answer}
    finally:
        control.mend_submodule()
    assert answers(operator, asked) == {"fetched"}


def test_a_value_that_is_not_its_sources_is_found_out(
    settled: Stack, operator: Operator, everything: tuple[Claim, ...]
) -> None:
    """Nobody overwrites it: who wrote it owns it."""
    assert settled.complete
    (seeds,) = (one for one in everything if isinstance(one, SeedsAreThere) and one.environment == "dev")
    vault = hvac.Client(url=seeds.declared.address, token=operator.vault_tokens["dev"])
    vault.secrets.kv.v2.create_or_update_secret(
        "ghcr-token", {"value": "painted over"}, mount_point=seeds.declared.mount
    )
    assert answers(operator, (seeds,)) == {"3 of 4 equal"}


def test_after_a_rebuild_nothing_of_the_cluster_holds(
    cloud: Stack, operator: Operator, everything: tuple[Claim, ...], tmp_path: Path
) -> None:
    stale = tmp_path / "kubeconfig"
    shutil.copy(operator.kubeconfig, stale)
    Control.from_dir(cloud.directory).recreate("ameide")
    found = by_kind(operator, everything)
    assert found["credential"] == {"refused AADSTS700211"}
    assert found["facts"] == {"6 of 8 differ"}
    assert found["seeds"] == {"0 of 4 equal"}
    assert found["bootstrap"] <= {"no such CronJob", "never succeeded"}
    assert all(one.startswith("not Ready: ") for one in found["store"] | found["external secret"])
    assert found["secrets"] == {"0 of 2 there"}
    assert all(one.startswith("not up") for one in found["login"])
    assert found["page"] <= {"502", "not up"}
    gone = judging.verdicts(replace(operator, kubeconfig=stale), everything)
    of_the_cluster = {claim.kind for claim, verdict in gone.items() if verdict.answer is Answer.NOT_KNOWN}
    assert of_the_cluster == {
        "credential",
        "bootstrap",
        "store",
        "external secret",
        "secrets",
        "applications",
    }
