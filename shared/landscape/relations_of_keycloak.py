"""What relates the Keycloak of an environment to its Vault, and to the contract."""

from collections.abc import Iterator
from typing import Final

from shared.landscape.places import EVERY, Found, LineOf, Rule, places, text_at, texts
from shared.landscape.source import Data, Path
from shared.landscape.web import WEB_ADDRESS, same_web_address

_ENVIRONMENT: Final = ("environments", EVERY)
_KEYCLOAK: Final = (*_ENVIRONMENT, "keycloak")
_HOOKS: Final = (*_KEYCLOAK, "hooks")
_VAULT_KEYS: Final = (*_KEYCLOAK, "clients", EVERY, "vaultKey")
_ADDRESSES: Final = (*_ENVIRONMENT, "contract", "keycloaks", EVERY)
_KEYS_OF_VALUES: Final = ("rerun", "bootstrapHook", "bootstrapWave", "patcherHook", "patcherWave")

_NO_VALUES: Final = "a key of a file that `hooks` does not name; add `values`, or remove this"
_NO_KEYS: Final = (
    "`hooks` names no key of this file, so nothing could be proposed in it; add `rerun` or the keys of hooks "
    "and waves, or remove this"
)
_NO_VAULT: Final = "the environment has no `vault`, so nobody could look the key up; add it, or remove this"
_NO_DIGESTS: Final = (
    "keys are compared with published digests, and no `digests` says where those are; add it, or write {} "
    "for the keys"
)
_ALL_OF_THE_NAMESPACE: Final = (
    "without any, all of the namespace must be Ready before `keycloak` is looked at, and some of them become "
    "so only by Keycloak's patcher: each would wait for the other; list those that rest on `seeds`"
)
_WAITED_FOR: Final = (
    "`keycloak` has a Secret of this name, which Keycloak's patcher makes possible, and `keycloak` waits for "
    "this one: each would wait for the other; remove it here"
)
_ADDRESS_UNDECLARED: Final = "the environment's `keycloak` has another `url`; write that one, or remove it"
_UNDECLARED: Final = (
    "the environment has no `keycloak`, so nothing would be done there; add it with this `url`, or remove "
    "this"
)


def _values_unnamed(data: Data, _: LineOf) -> Iterator[Found]:
    for path, hooks in places(data, _HOOKS):
        if isinstance(hooks, dict) and hooks.get("values") is None:
            yield from (((*path, key), _NO_VALUES) for key in _KEYS_OF_VALUES if hooks.get(key) is not None)


def _values_unused(data: Data, _: LineOf) -> Iterator[Found]:
    for path, hooks in places(data, _HOOKS):
        if isinstance(hooks, dict) and hooks.get("values") is not None and not {*_KEYS_OF_VALUES} & {*hooks}:
            yield (*path, "values"), _NO_KEYS


def _vault_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    declared = {path[:2] for path, _ in places(data, (*_ENVIRONMENT, "vault"))}
    return ((path, _NO_VAULT) for path, _ in texts(data, _VAULT_KEYS) if path[:2] not in declared)


def _digests_unnamed(data: Data, _: LineOf) -> Iterator[Found]:
    for path, keys in places(data, (*_KEYCLOAK, "secrets", EVERY)):
        if isinstance(keys, dict) and keys and not any(places(data, (*path[:3], "digests"))):
            yield path, _NO_DIGESTS


def _vault_waits_for_all(data: Data, _: LineOf) -> Iterator[Found]:
    for path, vault in places(data, (*_ENVIRONMENT, "vault")):
        if not isinstance(vault, dict) or vault.get("externalSecrets", []) != []:
            continue
        if _beside_keycloak(data, path):
            yield (*path, "externalSecrets") if "externalSecrets" in vault else path, _ALL_OF_THE_NAMESPACE


def _vault_waits_for_keycloak(data: Data, _: LineOf) -> Iterator[Found]:
    for path, name in texts(data, (*_ENVIRONMENT, "vault", "externalSecrets", EVERY)):
        made = {found[-1] for found, _ in places(data, (*path[:2], "keycloak", "secrets", EVERY))}
        if name in made and _beside_keycloak(data, path[:3]):
            yield path, _WAITED_FOR


def _beside_keycloak(data: Data, vault: Path) -> bool:
    """Whether the environment's Keycloak is in the namespace of its Vault."""
    keycloak = (*vault[:2], "keycloak")
    return text_at(data, (*keycloak, "namespace")) is not None and all(
        text_at(data, (*vault, key)) == text_at(data, (*keycloak, key)) for key in ("cluster", "namespace")
    )


def _address_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    sections = {path[:2] for path, section in places(data, _KEYCLOAK) if section is not None}
    for path, address in texts(data, _ADDRESSES):
        declared = text_at(data, (*path[:2], "keycloak", "url"))
        if not WEB_ADDRESS.fits(address):
            continue
        if path[:2] not in sections:
            yield path, _UNDECLARED
        elif declared is not None and WEB_ADDRESS.fits(declared) and not same_web_address(address, declared):
            yield path, _ADDRESS_UNDECLARED


RULES: Final[tuple[Rule, ...]] = (
    _values_unnamed,  # a key is one of a file
    _values_unused,  # a file without a key repairs nothing
    _vault_undeclared,  # what a patcher claims to have written is looked up
    _digests_unnamed,  # what is to be compared has something to be compared with
    _vault_waits_for_all,  # no responder waits for what waits for it
    _vault_waits_for_keycloak,  # the same, said by name
    _address_undeclared,  # a permission for nothing is a slip of the pen
)
