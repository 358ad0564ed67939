"""The environments' Vaults: opened once, emptied with the cluster, sealed on demand.

A Vault lives in the cluster, on a volume that goes when the cluster goes. Its process is another's child and
stays, so a rebuilt cluster finds it emptied instead: as one that was opened a moment ago.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.inputs import InputError
from sandbox.vault_http import Json, Vault, VaultUnreachable

START_SECONDS = 30.0
"""What a Vault may take until it answers: its process is started at the same time as this one."""
_LOOK_SECONDS = 0.05

_BUILT_IN_MOUNTS = frozenset({"sys/", "cubbyhole/", "identity/"})
_BUILT_IN_AUTH = frozenset({"token/"})
_BUILT_IN_POLICIES = frozenset({"default", "root"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A Vault whose root token and unseal key are known, to nobody else."""

    address: str
    root_token: str = field(repr=False)
    unseal_key: str = field(repr=False)

    async def seal(self, sealed: bool) -> None:
        async with Vault(self.address, self.root_token) as vault:
            if sealed:
                await vault.call("PUT", "sys/seal")
            else:
                await vault.call("PUT", "sys/unseal", {"key": self.unseal_key})

    async def is_sealed(self) -> bool:
        async with Vault(self.address) as vault:
            return bool((await vault.call("GET", "sys/seal-status"))["sealed"])

    async def empty(self) -> None:
        """Unsealed, without any mount, auth method, policy and token but those that are always there."""
        await self.seal(False)
        async with Vault(self.address, self.root_token) as vault:
            for kind, kept in (("mounts", _BUILT_IN_MOUNTS), ("auth", _BUILT_IN_AUTH)):
                for path in (await vault.call("GET", f"sys/{kind}"))["data"]:
                    if path not in kept:
                        await vault.call("DELETE", f"sys/{kind}/{path.rstrip('/')}")
            for name in (await vault.call("GET", "sys/policies/acl?list=true"))["data"]["keys"]:
                if name not in _BUILT_IN_POLICIES:
                    await vault.call("DELETE", f"sys/policies/acl/{name}")


async def open_vault(address: str) -> Opened:
    """Initialise and unseal it, once it answers.

    Raises VaultRefused where that was done before, VaultUnreachable where nobody answers in time.
    """
    made = await _initialise(address)
    opened = Opened(address=address, root_token=made["root_token"], unseal_key=made["keys"][0])
    await opened.seal(False)
    return opened


async def _initialise(address: str) -> Json:
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    async with Vault(address) as vault:
        while True:
            try:
                return await vault.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
            except VaultUnreachable:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(_LOOK_SECONDS)


class Vaults:
    """By environment. Without any there is no Vault in the sandbox, and nothing that rests on one."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self.addresses = dict(addresses)
        self.opened: dict[str, Opened] = {}

    async def open(self) -> None:
        """Raises VaultRefused, VaultUnreachable."""
        for environment, address in self.addresses.items():
            self.opened[environment] = await open_vault(address)

    async def empty(self) -> None:
        for opened in self.opened.values():
            await opened.empty()

    async def seal(self, environment: str, sealed: bool) -> None:
        """Raises InputError where the sandbox has no such Vault."""
        if environment not in self.opened:
            known = ", ".join(self.opened) or "none"
            raise InputError(f"no Vault {environment!r}; there are {known}")
        await self.opened[environment].seal(sealed)
