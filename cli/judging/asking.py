"""How the judge asks: as an operator of the platform, over plain HTTP, once each."""

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

import requests
from ruamel.yaml import YAML

ANSWER_SECONDS: Final = 30
ARM: Final = "https://management.azure.com"
KEY_VAULT: Final = "https://vault.azure.net"


class NotKnown(Exception):
    """The question could not be asked; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who judges: a service principal that may read everything, and its ways to cluster, Vault and Git."""

    arm: str
    authority: str
    tenant: str
    client_id: str
    secret: str = field(repr=False)
    ca: str
    """Path of the authority that all but the clusters are served under."""
    kubeconfig: Path
    github: str
    """Where the repositories of https://github.com are."""
    github_token: str = field(repr=False)
    vault_tokens: Mapping[str, str] = field(repr=False)
    """By environment."""


@dataclass(frozen=True, slots=True)
class Cluster:
    server: str
    ca: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outside:
    """The operator at work: signed in where that is needed, with the clusters of the kubeconfig by name."""

    operator: Operator
    clusters: Mapping[str, Cluster]

    @classmethod
    @contextmanager
    def of(cls, operator: Operator) -> "Iterator[Self]":
        with _clusters(operator.kubeconfig) as clusters:
            yield cls(operator, clusters)

    def token(self, resource: str = ARM) -> str:
        answer = self.token_request(
            {"client_id": self.operator.client_id, "client_secret": self.operator.secret}, resource
        )
        if answer.status_code != 200:
            raise NotKnown(f"the operator cannot sign in: {error_code(answer)}")
        return str(answer.json()["access_token"])

    def token_request(self, who: Mapping[str, str], resource: str = ARM) -> requests.Response:
        """https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow"""
        return ask(
            "POST",
            f"{self.operator.authority}/{self.operator.tenant}/oauth2/v2.0/token",
            data={"grant_type": "client_credentials", "scope": f"{resource}/.default", **who},
            verify=self.operator.ca,
        )

    def resource(self, arm_id: str, version: str, what: str) -> Mapping[str, Any]:
        """The `properties` of an ARM resource."""
        answer = ask(
            "GET",
            f"{self.operator.arm}{arm_id}",
            params={"api-version": version},
            headers={"Authorization": f"Bearer {self.token()}"},
            verify=self.operator.ca,
        )
        if answer.status_code != 200:
            raise NotKnown(f"ARM answered {answer.status_code} to GET of the {what}")
        found: Mapping[str, Any] = answer.json()["properties"]
        return found

    def kubernetes(self, cluster: str, method: str, path: str, **request: Any) -> requests.Response:
        found = self.clusters.get(cluster)
        if found is None:
            raise NotKnown(f"the kubeconfig has no cluster {cluster}")
        return ask(
            method,
            f"{found.server}{path}",
            headers={"Authorization": f"Bearer {found.token}"},
            verify=found.ca,
            **request,
        )

    def page(self, url: str, **parameters: str) -> requests.Response | None:
        """As a browser asks for it; None where nobody answers at all."""
        try:
            return ask("GET", url, params=parameters, verify=self.operator.ca)
        except requests.exceptions.SSLError:
            raise  # somebody does, and it is the judge who does not know them
        except requests.ConnectionError:
            return None


def ask(method: str, url: str, **request: Any) -> requests.Response:
    """One call, made once. Neither a proxy nor a CA of the environment comes in between."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, timeout=ANSWER_SECONDS, allow_redirects=False, **request)


def error_code(answer: requests.Response) -> str:
    """Such as AADSTS700211; the sentence behind it names ids and is left alone."""
    found = re.match(r"AADSTS[0-9]+", str(answer.json().get("error_description", "")))
    return found[0] if found else ""


@contextmanager
def _clusters(kubeconfig: Path) -> Iterator[dict[str, Cluster]]:
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
            found[one["name"]] = Cluster(one["cluster"]["server"], str(ca), token)
        yield found
