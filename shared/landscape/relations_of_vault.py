"""What relates the Vault of an environment to the rest of it, and to the contract."""

from collections.abc import Iterator
from typing import Final

from shared.landscape.forms import CLUSTER_NAME
from shared.landscape.places import EVERY, Found, LineOf, Rule, lower, places, readable, text_at, texts
from shared.landscape.source import Data
from shared.landscape.vault import VAULT_ADDRESS, same_address

_ENVIRONMENT: Final = ("environments", EVERY)
_VAULT: Final = (*_ENVIRONMENT, "vault")
_BOOTSTRAP: Final = (*_VAULT, "bootstrap")
_NAMESPACES: Final = (*_ENVIRONMENT, "contract", "namespaces", EVERY)
_ADDRESSES: Final = (*_ENVIRONMENT, "contract", "vaults", EVERY)

_EMPTY: Final = "`vault` is empty; write its keys, or remove it"
_CLUSTER_UNKNOWN: Final = "no cluster of this environment has that name; write one of: {known}"
_IDENTITY_UNDECLARED: Final = (
    "this environment does not declare the identity, so nobody would look after its credential; declare it "
    "under `identities`"
)
_CREDENTIAL_UNDECLARED: Final = (
    "the identity is declared without a credential of this name, so nobody would look after it; declare it "
    "with the identity"
)
_NAMESPACE_UNDECLARED: Final = (
    "the environment's `vault` is in another namespace; write that one, or remove it"
)
_ADDRESS_UNDECLARED: Final = "the environment's `vault` has another address; write that one, or remove it"


def _empty(data: Data, _: LineOf) -> Iterator[Found]:
    return ((path, _EMPTY) for path, vault in places(data, _VAULT) if vault is None)


def _cluster_unknown(data: Data, _: LineOf) -> Iterator[Found]:
    for path, name in texts(data, (*_VAULT, "cluster")):
        known = readable(data, (*path[:2], "clusters"), "name", CLUSTER_NAME)
        if known and name not in known:
            yield path, _CLUSTER_UNKNOWN.format(known=", ".join(known))


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


def _namespace_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    for path, namespace in texts(data, _NAMESPACES):
        if namespace != text_at(data, (*path[:2], "vault", "namespace")):
            yield path, _NAMESPACE_UNDECLARED


def _address_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    for path, address in texts(data, _ADDRESSES):
        declared = text_at(data, (*path[:2], "vault", "address"))
        well_formed = VAULT_ADDRESS.fits(address) and (declared is None or VAULT_ADDRESS.fits(declared))
        if well_formed and (declared is None or not same_address(address, declared)):
            yield path, _ADDRESS_UNDECLARED


RULES: Final[tuple[Rule, ...]] = (
    _empty,  # whoever writes the key believes that Vault is looked after
    _cluster_unknown,  # as for credentials
    _identity_undeclared,  # the root of a failing bootstrap is looked after as well
    _credential_undeclared,  # so is this
    _namespace_undeclared,  # a permission for nothing is a slip of the pen
    _address_undeclared,  # so is this
)
