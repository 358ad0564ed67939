"""What is true of the declared credentials, seen from outside: can each workload get its token, yes or no?

A judge must not share the defendant's eyes. This module uses no client of the app, no SDK and no answer of
the app: a TokenRequest at the Kubernetes API with the operator's kubeconfig, and a token exchange at Entra
over plain HTTPS. From the landscape it takes what is declared, and nothing else.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import requests
from ruamel.yaml import YAML

from shared.landscape import DeclaredCredential, Environment, Landscape

ANSWER_SECONDS: Final = 30
JUDGES: Final = 8
ARM: Final = "https://management.azure.com"
IDENTITY_API: Final = "2024-11-30"
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_LIFE: Final = 600
"""Seconds; the least that Kubernetes grants."""


class Answer(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Verdict:
    answer: Answer
    says: str
    """Entra's code for a refusal, or what stood in the way of asking."""

    def __str__(self) -> str:
        return f"{self.answer} {self.says}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One declared credential: this service account may act as that identity."""

    environment: str
    cluster: str
    identity: str
    """ARM id."""
    credential: str
    subject: str
    audience: str


def claims(landscape: Landscape) -> tuple[Claim, ...]:
    """Everything that enabled environments declare."""
    return tuple(
        _claim(environment, identity.id, credential)
        for environment in landscape.environments.values()
        if environment.enabled
        for identity in environment.identities
        for credential in identity.credentials
    )


def _claim(environment: Environment, identity: str, credential: DeclaredCredential) -> Claim:
    return Claim(
        environment=environment.name,
        cluster=environment.cluster(credential.cluster).id.rpartition("/")[2],
        identity=identity,
        credential=credential.name,
        subject=credential.subject,
        audience=credential.audience,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who judges: a service principal that may read identities, and its way to the clusters."""

    arm: str
    authority: str
    tenant: str
    client_id: str
    secret: str = field(repr=False)
    ca: str
    """Path of the authority that ARM and Entra are served under."""
    kubeconfig: Path


class Judge:
    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def verdicts(self, asked: tuple[Claim, ...]) -> dict[Claim, Verdict]:
        """Try every claim, side by side. Raises nothing for what the far sides do."""
        with _clusters(self._operator.kubeconfig) as clusters, ThreadPoolExecutor(JUDGES) as pool:
            found = pool.map(lambda claim: self._verdict(claim, clusters), asked)
            return dict(zip(asked, found, strict=True))

    def _verdict(self, claim: Claim, clusters: "Mapping[str, _Cluster]") -> Verdict:
        try:
            client_id = self._client_id(claim.identity)
            return self._exchange(client_id, _service_account_token(clusters, claim))
        except _NotKnown as why:
            return Verdict(Answer.NOT_KNOWN, str(why))
        except (requests.RequestException, LookupError, TypeError, ValueError) as error:
            return Verdict(Answer.NOT_KNOWN, type(error).__name__)

    def _client_id(self, identity: str) -> str:
        answer = _ask(
            "GET",
            f"{self._operator.arm}{identity}",
            params={"api-version": IDENTITY_API},
            headers={"Authorization": f"Bearer {self._arm_token()}"},
            verify=self._operator.ca,
        )
        if answer.status_code != 200:
            raise _NotKnown(f"ARM answered {answer.status_code} to GET of the identity")
        return str(answer.json()["properties"]["clientId"])

    def _arm_token(self) -> str:
        answer = self._token_request(
            {"client_id": self._operator.client_id, "client_secret": self._operator.secret}
        )
        if answer.status_code != 200:
            raise _NotKnown(f"the operator cannot sign in: {_error_code(answer)}")
        return str(answer.json()["access_token"])

    def _exchange(self, client_id: str, assertion: str) -> Verdict:
        answer = self._token_request(
            {
                "client_id": client_id,
                "client_assertion_type": ASSERTION,
                "client_assertion": assertion,
            }
        )
        if answer.status_code == 200 and answer.json().get("access_token"):
            return Verdict(Answer.ACCEPTED, "")
        if answer.status_code in {400, 401} and (code := _error_code(answer)):
            return Verdict(Answer.REFUSED, code)
        raise _NotKnown(f"Entra answered {answer.status_code}")

    def _token_request(self, who: Mapping[str, str]) -> requests.Response:
        """https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow"""
        return _ask(
            "POST",
            f"{self._operator.authority}/{self._operator.tenant}/oauth2/v2.0/token",
            data={"grant_type": "client_credentials", "scope": f"{ARM}/.default", **who},
            verify=self._operator.ca,
        )


class _NotKnown(Exception):
    """The question could not be asked; the text says why."""


@dataclass(frozen=True, slots=True)
class _Cluster:
    server: str
    ca: str
    token: str = field(repr=False)


@contextmanager
def _clusters(kubeconfig: Path) -> Iterator[dict[str, _Cluster]]:
    """The clusters of a kubeconfig by name, as the user of each one's context.

    requests wants each authority as a file, so they are files for as long as this lasts.
    """
    document = YAML(typ="safe").load(kubeconfig.read_text())
    users = {one["name"]: one["user"] for one in document["users"]}
    contexts = {one["context"]["cluster"]: one["context"]["user"] for one in document["contexts"]}
    with TemporaryDirectory(prefix="verdict-") as folder:
        found = {}
        for number, one in enumerate(document["clusters"]):
            ca = Path(folder, f"{number}.pem")
            ca.write_bytes(base64.b64decode(one["cluster"]["certificate-authority-data"]))
            token = users[contexts[one["name"]]]["token"]
            found[one["name"]] = _Cluster(one["cluster"]["server"], str(ca), token)
        yield found


def _service_account_token(clusters: Mapping[str, _Cluster], claim: Claim) -> str:
    """https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/"""
    cluster = clusters.get(claim.cluster)
    if cluster is None:
        raise _NotKnown(f"the kubeconfig has no cluster {claim.cluster}")
    _, _, namespace, name = claim.subject.split(":")
    answer = _ask(
        "POST",
        f"{cluster.server}/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
        json={
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [claim.audience], "expirationSeconds": TOKEN_LIFE},
        },
        headers={"Authorization": f"Bearer {cluster.token}"},
        verify=cluster.ca,
    )
    if answer.status_code != 201:
        raise _NotKnown(f"Kubernetes answered {answer.status_code} to a TokenRequest for {namespace}/{name}")
    return str(answer.json()["status"]["token"])


def _error_code(answer: requests.Response) -> str:
    """Such as AADSTS700211; the sentence behind it names ids and is left alone."""
    found = re.match(r"AADSTS[0-9]+", str(answer.json().get("error_description", "")))
    return found[0] if found else ""


def _ask(method: str, url: str, **request: Any) -> requests.Response:
    """One call, made once. Neither a proxy nor a CA of the environment comes in between."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=ANSWER_SECONDS, allow_redirects=False, **request)
