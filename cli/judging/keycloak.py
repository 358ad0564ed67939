"""Would Keycloak let people in? Asked by the request that a client sends a browser with. And its Secrets?"""

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

from cli.judging.asking import NotKnown, Outside
from cli.judging.verdict import Answer, Verdict, fails, holds
from shared.landscape import Environment, Landscape

REFUSALS: Final = {"Invalid parameter: redirect_uri": "redirect_uri", "Client not found": "client not found"}
"""What Keycloak's error page says, and in a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfKeycloak:
    """What its claims have in common."""

    environment: str
    cluster: str

    @property
    def journalled(self) -> str:
        return f"{self.environment}/{self.responder}"

    @property
    def responder(self) -> str:
        return "keycloak_bootstrap"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginIsOffered(OfKeycloak):
    """For one declared client Keycloak shows its login page, whichever of its pages people come from."""

    url: str
    realm: str
    client: str
    redirect_uris: tuple[str, ...]

    @property
    def kind(self) -> str:
        return "login"

    @property
    def name(self) -> str:
        return self.client

    def judge(self, outside: Outside) -> Verdict:
        answers = [self._answer(outside, uri) for uri in self.redirect_uris]
        return next((one for one in answers if one.answer is Answer.FAILS), answers[0])

    def _answer(self, outside: Outside, uri: str) -> Verdict:
        """https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest"""
        answer = outside.page(
            f"{self.url}/realms/{self.realm}/protocol/openid-connect/auth",
            client_id=self.client,
            # A star is part of the rule and never of what a browser sends.
            redirect_uri=uri.removesuffix("*"),
            response_type="code",
            scope="openid",
        )
        return _read(answer) if answer is not None else fails("not up")


def _read(answer: requests.Response) -> Verdict:
    said = html.unescape(answer.text)
    refused = next((word for text, word in REFUSALS.items() if text in said), "")
    if refused:
        return fails(f"{answer.status_code} {refused}")
    if answer.status_code >= 500:
        return fails(f"not up ({answer.status_code})")
    if answer.status_code == 200:
        return holds("login page")
    return fails(f"{answer.status_code} and no login page")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsAreThere(OfKeycloak):
    """Every declared Secret of Keycloak's is there, and nothing that is declared of it is empty."""

    namespace: str
    declared: Mapping[str, Mapping[str, str]]

    @property
    def kind(self) -> str:
        return "secrets"

    @property
    def name(self) -> str:
        return f"{len(self.declared)} in {self.namespace}"

    def judge(self, outside: Outside) -> Verdict:
        there = sum(self._is_there(outside, name, keys) for name, keys in self.declared.items())
        said = f"{there} of {len(self.declared)} there"
        return holds(said) if there == len(self.declared) else fails(said)

    def _is_there(self, outside: Outside, name: str, keys: Mapping[str, str]) -> bool:
        """Whether something is in it; what it is stays unread."""
        path = f"/api/v1/namespaces/{self.namespace}/secrets/{name}"
        answer = outside.kubernetes(self.cluster, "GET", path)
        if answer.status_code == 404:
            return False
        if answer.status_code != 200:
            raise NotKnown(f"Kubernetes answered {answer.status_code} to GET {path}")
        data: Mapping[str, Any] = answer.json().get("data") or {}
        return bool(data) and all(data.get(key) for key in (keys or data))

    def __hash__(self) -> int:
        return hash((self.environment, self.namespace))


type KeycloakClaim = SecretsAreThere | LoginIsOffered


def claims(environment: Environment, _: Landscape) -> Iterator[KeycloakClaim]:
    declared = environment.keycloak
    if declared is None:
        return
    cluster = environment.cluster(declared.cluster).id.rpartition("/")[2]
    if declared.secrets:
        yield SecretsAreThere(
            environment=environment.name,
            cluster=cluster,
            namespace=declared.namespace,
            declared=declared.secrets,
        )
    for client, wanted in declared.clients.items():
        if wanted.redirect_uris:
            yield LoginIsOffered(
                environment=environment.name,
                cluster=cluster,
                url=declared.url,
                realm=declared.realm,
                client=client,
                redirect_uris=wanted.redirect_uris,
            )
