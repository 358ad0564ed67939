"""Does Vault hold what Key Vault holds? Both values are read as the operator, compared, and dropped."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cli.judging.asking import KEY_VAULT, NotKnown, Outside, ask
from cli.judging.verdict import Verdict, fails, holds
from shared.landscape import DeclaredVault, Environment, Landscape

VAULT_API: Final = "2023-07-01"
SECRET_API: Final = "7.6"  # noqa: S105 (a version)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedsAreThere:
    """Every declared seed of one Vault is there, and equal to its source."""

    environment: str
    cluster: str
    declared: DeclaredVault

    @property
    def kind(self) -> str:
        return "seeds"

    @property
    def name(self) -> str:
        return f"{len(self.declared.seeds)} of {self.declared.key_vault.rpartition('/')[2]}"

    @property
    def journalled(self) -> str:
        return self.declared.address

    @property
    def responder(self) -> str:
        return "vault_seeding"

    def judge(self, outside: Outside) -> Verdict:
        uri = str(outside.resource(self.declared.key_vault, VAULT_API, "Key Vault")["vaultUri"])
        token = outside.token(KEY_VAULT)
        equal = sum(
            self._held(outside, key) == _source(outside, f"{uri}secrets/{secret}", token)
            for key, secret in self.declared.seeds.items()
        )
        said = f"{equal} of {len(self.declared.seeds)} equal"
        return holds(said) if equal == len(self.declared.seeds) else fails(said)

    def _held(self, outside: Outside, key: str) -> object:
        """None where the key is not there.

        https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version
        """
        token = outside.operator.vault_tokens.get(self.environment)
        if token is None:
            raise NotKnown(f"the operator has no token for the Vault of {self.environment}")
        answer = ask(
            "GET",
            f"{self.declared.address}/v1/{self.declared.mount}/data/{key}",
            headers={"X-Vault-Token": token},
        )
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise NotKnown(f"Vault answered {answer.status_code}")
        return answer.json()["data"]["data"].get("value")

    def __hash__(self) -> int:
        return hash((self.environment, self.declared.address))


def claims(environment: Environment, _: Landscape) -> Iterator[SeedsAreThere]:
    if declared := environment.vault:
        cluster = environment.cluster(declared.cluster).id.rpartition("/")[2]
        yield SeedsAreThere(environment=environment.name, cluster=cluster, declared=declared)


def _source(outside: Outside, url: str, token: str) -> str:
    answer = ask(
        "GET",
        url,
        params={"api-version": SECRET_API},
        headers={"Authorization": f"Bearer {token}"},
        verify=outside.operator.ca,
    )
    if answer.status_code != 200:
        raise NotKnown(f"Key Vault answered {answer.status_code}")
    return str(answer.json()["value"])
