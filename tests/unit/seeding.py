"""A second responder that rests on the first: its one fault is what a dead issuer leads to."""

from collections.abc import Collection
from typing import Any

import pytest

import cli.run
import cli.targets
import responders
import responders.desk
import responders.service
from shared.model import Finding, Plan, Severity, Target
from shared.routing import Registered
from shared.world import Leads, Look, ReasonInfo, Responder
from tests.unit.federated_credentials.builders import IDENTITY, LIVE
from tests.unit.platform import SECOND, Platform

SEEDING = Target("dev", "vault_seeding")


def register(monkeypatch: pytest.MonkeyPatch, platform: Platform, own: Collection[Finding] = ()) -> None:
    """Let every environment have it, for the length of a test.

    own: what it finds besides, for people to mend
    """
    registry = {
        **responders.REGISTRY,
        SEEDING.responder: Registered(
            hears=frozenset({"cluster.written"}), rests_on=("federated_credentials",)
        ),
    }
    known = responders.load

    def load(name: str) -> Responder[Any]:
        return _seeding(platform, own) if name == SEEDING.responder else known(name)

    for module in (responders, responders.service, responders.desk, cli.targets):
        monkeypatch.setattr(module, "REGISTRY", registry)
    monkeypatch.setattr(responders, "load", load)
    monkeypatch.setattr(cli.run, "responder", load)


def _seeding(platform: Platform, own: Collection[Finding]) -> Responder[Any]:
    missing = Finding(reason="SecretMissing", subject="ghcr-username", message="no such secret")

    def check(*_: object) -> tuple[Finding, ...]:
        trusted = platform.holds(IDENTITY)["vault-dev"].issuer == LIVE
        return (*own, *(() if trusted else (missing,)))

    return Responder(
        name=SEEDING.responder,
        actions=(),
        reasons={
            "SecretMissing": ReasonInfo(Leads.PERSON, Severity.ERROR, "", "", symptom=True),
            "VaultSealed": ReasonInfo(Leads.PERSON, Severity.ERROR, "", ""),
        },
        gather=lambda _scope: None,
        check=check,
        plan=lambda _facts, _findings: Plan(target=SEEDING, facts="", steps=()),
        apply=lambda _scope, _step: None,
        verify=lambda _scope, _facts: (),
        doubt=lambda _facts, _proofs, _now: (),
        look_again=lambda _facts, _finding, _now: Look(SECOND),
        rests_on=lambda _facts, _finding: frozenset({IDENTITY.lower()}),
    )
