"""Can each workload get its identity's token? By a real exchange, as the workload would make it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cli.judging.asking import NotKnown, Outside, error_code
from cli.judging.verdict import Verdict, fails, holds
from shared.landscape import DeclaredCredential, Environment, Landscape

IDENTITY_API: Final = "2024-11-30"
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_LIFE: Final = 600
"""Seconds; the least that Kubernetes grants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialWorks:
    """One declared credential: this service account may act as that identity."""

    environment: str
    cluster: str
    identity: str
    """ARM id."""
    credential: str
    subject: str
    audience: str

    @property
    def kind(self) -> str:
        return "credential"

    @property
    def name(self) -> str:
        return f"{self.identity.rpartition('/')[2]}/{self.credential}"

    @property
    def journalled(self) -> str:
        return f"{self.identity}/federatedIdentityCredentials/{self.credential}"

    @property
    def responder(self) -> str:
        return "federated_credentials"

    def judge(self, outside: Outside) -> Verdict:
        client_id = str(outside.resource(self.identity, IDENTITY_API, "identity")["clientId"])
        return _exchange(outside, client_id, service_account_token(outside, self))


def claims(environment: Environment, _: Landscape) -> Iterator[CredentialWorks]:
    for identity in environment.identities:
        for credential in identity.credentials:
            yield _claim(environment, identity.id, credential)


def _claim(environment: Environment, identity: str, credential: DeclaredCredential) -> CredentialWorks:
    return CredentialWorks(
        environment=environment.name,
        cluster=environment.cluster(credential.cluster).id.rpartition("/")[2],
        identity=identity,
        credential=credential.name,
        subject=credential.subject,
        audience=credential.audience,
    )


def service_account_token(outside: Outside, claim: CredentialWorks) -> str:
    """https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/"""
    _, _, namespace, name = claim.subject.split(":")
    answer = outside.kubernetes(
        claim.cluster,
        "POST",
        f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
        json={
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [claim.audience], "expirationSeconds": TOKEN_LIFE},
        },
    )
    if answer.status_code != 201:
        raise NotKnown(f"Kubernetes answered {answer.status_code} to a TokenRequest for {namespace}/{name}")
    return str(answer.json()["status"]["token"])


def _exchange(outside: Outside, client_id: str, assertion: str) -> Verdict:
    answer = outside.token_request(
        {"client_id": client_id, "client_assertion_type": ASSERTION, "client_assertion": assertion}
    )
    if answer.status_code == 200 and answer.json().get("access_token"):
        return holds("accepted")
    if answer.status_code in {400, 401} and (code := error_code(answer)):
        return fails(f"refused {code}")
    raise NotKnown(f"Entra answered {answer.status_code}")
