"""What is true of a platform, seen from outside: does each declared thing hold, yes or no?

A judge must not share the defendant's eyes. Nothing here uses a client of the app, an SDK or an answer of the
app: only Kubernetes with the operator's kubeconfig, Entra, ARM, Key Vault and Vault over plain HTTP, pages as
a browser asks for them, and git. From the landscape it takes what is declared, and nothing else.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import requests

from cli.judging import (
    applications,
    cluster,
    credentials,
    facts,
    gitlab,
    keycloak,
    seeds,
    submodules,
)
from cli.judging.asking import NotKnown, Operator, Outside
from cli.judging.verdict import Answer, Verdict
from shared.landscape import Landscape

JUDGES: Final = 8


class Claim(Protocol):
    """One thing that must hold. Equal claims are about the same thing."""

    @property
    def environment(self) -> str: ...

    @property
    def kind(self) -> str:
        """Such as `credential`."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def journalled(self) -> str:
        """What the app's journal calls it; the target, where it is about all that one looks after; or only
        the responder, where one of another environment may have mended it as well."""

    @property
    def responder(self) -> str:
        """Who of the app looks after it."""

    @property
    def cluster(self) -> str:
        """Name of the cluster that it stands and falls with."""

    def judge(self, outside: Outside) -> Verdict:
        """Raises NotKnown, and whatever an unusable answer leads to."""


def claims(landscape: Landscape) -> tuple[Claim, ...]:
    """Everything that enabled environments declare, in the order in which one thing rests on another."""
    return tuple(
        claim
        for environment in landscape.environments.values()
        if environment.enabled
        for part in (submodules, credentials, facts, seeds, cluster, keycloak, gitlab, applications)
        for claim in part.claims(environment, landscape)
    )


def verdicts(operator: Operator, asked: tuple[Claim, ...]) -> dict[Claim, Verdict]:
    """Try every claim, side by side. Raises nothing for what the far sides do."""
    with Outside.of(operator) as outside, ThreadPoolExecutor(JUDGES) as pool:
        return dict(zip(asked, pool.map(lambda claim: _verdict(claim, outside), asked), strict=True))


def _verdict(claim: Claim, outside: Outside) -> Verdict:
    try:
        return claim.judge(outside)
    except NotKnown as why:
        return Verdict(Answer.NOT_KNOWN, f"not known {why}")
    except (requests.RequestException, LookupError, TypeError, ValueError) as error:
        return Verdict(Answer.NOT_KNOWN, f"not known {type(error).__name__}")
