"""What relates the Vault of an environment to the rest of it, and to the contract."""

from collections.abc import Iterator
from typing import Final

from shared.landscape.places import EVERY, Found, LineOf, Rule, lower, places, text_at, texts
from shared.landscape.source import Data
from shared.landscape.vault import VAULT_ADDRESS, same_address

_ENVIRONMENT: Final = ("environments", EVERY)
_VAULT: Final = (*_ENVIRONMENT, "vault")
_BOOTSTRAP: Final = (*_VAULT, "bootstrap")
_ADDRESSES: Final = (*_ENVIRONMENT, "contract", "vaults", EVERY)

_IDENTITY_UNDECLARED: Final = (
    "this environment does not declare the identity, so nobody would look after its credential; declare it "
    "under `identities`"
)
_CREDENTIAL_UNDECLARED: Final = (
    "the identity is declared without a credential of this name, so nobody would look after it; declare it "
    "with the identity"
)
_ADDRESS_UNDECLARED: Final = "the environment's `vault` has another address; write that one, or remove it"
_UNDECLARED: Final = (
    "the environment has no `vault`, so nothing would be done there; add it with this `address`, or remove "
    "this"
)


def _identity_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    for path, identity in texts(data, (*_BOOTSTRAP, "identity")):
        declared = texts(data, (*path[:2], "identities", EVERY, "id"))
        if identity.lower() not in {one.lower() for _, one in declared}:
            yield path, _IDENTITY_UNDECLARED


def _credential_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    for path, name in texts(data, (*_BOOTSTRAP, "credential")):
        identity = lower(data, (*path[:-1], "identity"))
        for holder, declared in texts(data, (*path[:2], "identities", EVERY, "id")):
            if declared.lower() != identity:
                continue
            names = texts(data, (*holder[:-1], "credentials", EVERY, "name"))
            if name.lower() not in {one.lower() for _, one in names}:
                yield path, _CREDENTIAL_UNDECLARED


def _address_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    sections = {path[:2] for path, section in places(data, _VAULT) if section is not None}
    for path, address in texts(data, _ADDRESSES):
        declared = text_at(data, (*path[:2], "vault", "address"))
        if not VAULT_ADDRESS.fits(address):
            continue
        if path[:2] not in sections:
            yield path, _UNDECLARED
        elif declared is not None and VAULT_ADDRESS.fits(declared) and not same_address(address, declared):
            yield path, _ADDRESS_UNDECLARED


RULES: Final[tuple[Rule, ...]] = (
    _identity_undeclared,  # the root of a failing bootstrap is looked after as well
    _credential_undeclared,  # so is this
    _address_undeclared,  # a permission for nothing is a slip of the pen
)
