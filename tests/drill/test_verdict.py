"""The judge tells accepted, refused and not known apart. One cloud serves all, in the order written."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cli.story import operator_of
from cli.verdict import Answer, Claim, Judge, Operator, claims
from sandbox.control_client import Control
from sandbox.stack import Stack
from shared.landscape import load


@pytest.fixture
def operator(cloud: Stack) -> Operator:
    return operator_of(cloud)


@pytest.fixture
def asked(cloud: Stack) -> tuple[Claim, ...]:
    return claims(load(cloud.environment["RECONVERGE_LANDSCAPE"]))


def answers(operator: Operator, asked: tuple[Claim, ...]) -> set[str]:
    return {str(verdict) for verdict in Judge(operator).verdicts(asked).values()}


def test_every_credential_of_enabled_environments_is_asked_for(asked: tuple[Claim, ...]) -> None:
    assert [claim.environment for claim in asked] == ["dev"] * 3 + ["prod"] * 3


def test_a_declared_credential_is_accepted(operator: Operator, asked: tuple[Claim, ...]) -> None:
    assert answers(operator, asked) == {"accepted"}


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
    operator: Operator, asked: tuple[Claim, ...], change: dict[str, str], answer: str
) -> None:
    assert answers(operator, (replace(asked[0], **change),)) == {answer}


def test_an_operator_who_cannot_sign_in_knows_nothing(operator: Operator, asked: tuple[Claim, ...]) -> None:
    found = Judge(replace(operator, secret="wrong")).verdicts(asked)
    assert {verdict.answer for verdict in found.values()} == {Answer.NOT_KNOWN}


def test_an_entra_that_does_not_answer_tells_nothing(operator: Operator, asked: tuple[Claim, ...]) -> None:
    found = Judge(replace(operator, authority="https://127.0.0.1:9")).verdicts(asked)
    assert {verdict.answer for verdict in found.values()} == {Answer.NOT_KNOWN}


def test_an_entra_that_is_broken_tells_nothing(
    cloud: Stack, operator: Operator, asked: tuple[Claim, ...]
) -> None:
    control = Control.from_dir(cloud.directory)
    control.inject("/oauth2/v2.0/token$", status=503, count=None)
    try:
        found = Judge(operator).verdicts(asked)
    finally:
        control.clear_faults()
    assert {verdict.answer for verdict in found.values()} == {Answer.NOT_KNOWN}


def test_no_verdict_shows_a_secret(operator: Operator, asked: tuple[Claim, ...]) -> None:
    told = repr(operator) + repr(Judge(operator).verdicts(asked))
    assert operator.secret not in told
    assert "eyJ" not in told


def test_after_a_rebuild_every_credential_of_the_cluster_is_refused(
    cloud: Stack, operator: Operator, asked: tuple[Claim, ...], tmp_path: Path
) -> None:
    stale = tmp_path / "kubeconfig"
    shutil.copy(operator.kubeconfig, stale)
    Control.from_dir(cloud.directory).recreate("ameide")
    assert answers(operator, asked) == {"refused AADSTS700211"}
    gone = Judge(replace(operator, kubeconfig=stale)).verdicts(asked)
    assert {verdict.answer for verdict in gone.values()} == {Answer.NOT_KNOWN}
