"""What relates one place of a landscape to another.

Called by the loader on plain data, well-formed or not: a place of the wrong form is named elsewhere and
passed over here, so that one reading lists every mistake.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from shared.landscape import (
    relations_of_argocd,
    relations_of_facts,
    relations_of_gitlab,
    relations_of_keycloak,
    relations_of_parts,
    relations_of_submodules,
    relations_of_vault,
)
from shared.landscape.forms import CLUSTER_NAME, IDENTITY_ID
from shared.landscape.models import CREDENTIALS_PER_IDENTITY
from shared.landscape.places import (
    EVERY,
    Found,
    LineOf,
    Rule,
    lower,
    places,
    readable,
    repeated,
    text_at,
    texts,
)
from shared.landscape.source import Data, Path

_ENVIRONMENT: Final = ("environments", EVERY)
_CLUSTER: Final = (*_ENVIRONMENT, "clusters", EVERY)
_IDENTITY: Final = (*_ENVIRONMENT, "identities", EVERY)
_CREDENTIAL: Final = (*_IDENTITY, "credentials", EVERY)
_WRITABLE: Final = (*_ENVIRONMENT, "contract", "identities", EVERY)


# What is wrong, and what to write instead. Names of well-formed clusters are the only values shown.
_NAMED_INSIDE: Final = "no key `name` is known here; an environment is named by its key: remove it"
_CLUSTER_REPEATED: Final = "a cluster of this {key} stands in line {line} already; keep one"
_CLUSTER_UNKNOWN: Final = "no cluster of this environment has that name; write one of: {known}"
_IDENTITY_REPEATED: Final = (
    "this environment declares the identity in line {line} already; put all its credentials there"
)
_NAME_TAKEN: Final = (
    "the identity has a credential of this name in line {line} already; Azure keeps one of a name, over all "
    "environments: name it otherwise"
)
_PAIR_TAKEN: Final = (
    "the identity has a credential of this cluster and subject in line {line} already; Azure refuses a "
    "second one: keep one"
)
_TOO_MANY: Final = (
    f"over all environments the identity has more than {CREDENTIALS_PER_IDENTITY} credentials, which is all "
    "that Azure allows; use another identity for some of them"
)
_OWN_DECLARED: Final = (
    "Reconverge's own identity; whoever may change what it trusts can become Reconverge, so it never looks "
    "after itself: remove it"
)
_OWN_WRITABLE: Final = (
    "Reconverge's own identity; whoever may change what it trusts can become Reconverge, so no contract lets "
    "it be written: remove it"
)
_UNDECLARED: Final = "no environment declares this identity; declare it in one, or remove it here"


def broken(data: Data, line: LineOf) -> Iterator[Found]:
    """Every relation that does not hold."""
    for rule in RULES:
        yield from rule(data, line)


def _own(data: Data) -> str | None:
    return lower(data, ("reconverge", "identity"))


def _cluster_id(data: Data, environment: Path, name: str | None) -> str | None:
    """ARM id of the environment's cluster of that name."""
    for path, declared in texts(data, (*environment, "clusters", EVERY, "name")):
        if declared == name:
            return lower(data, (*path[:-1], "id"))
    return None


# -- rules --------------------------------------------------------------------------------


def _environment_named_inside(data: Data, _: LineOf) -> Iterator[Found]:
    return ((path, _NAMED_INSIDE) for path, _name in places(data, (*_ENVIRONMENT, "name")))


def _cluster_repeated(data: Data, line: LineOf) -> Iterator[Found]:
    for key in ("name", "id"):
        found = ((path, (path[1], text.lower())) for path, text in texts(data, (*_CLUSTER, key)))
        for path, earlier in repeated(found):
            yield path, _CLUSTER_REPEATED.format(key=key, line=line(earlier))


def _cluster_unknown(data: Data, _: LineOf) -> Iterator[Found]:
    for path, name in texts(data, (*_CREDENTIAL, "cluster")):
        known = readable(data, (*path[:2], "clusters"), "name", CLUSTER_NAME)
        if known and name not in known:
            yield path, _CLUSTER_UNKNOWN.format(known=", ".join(known))


def _identity_repeated(data: Data, line: LineOf) -> Iterator[Found]:
    found = ((path, (path[1], text.lower())) for path, text in texts(data, (*_IDENTITY, "id")))
    for path, earlier in repeated(found):
        yield path, _IDENTITY_REPEATED.format(line=line(earlier))


def _credential_name_taken(data: Data, line: LineOf) -> Iterator[Found]:
    found = (
        (path, (identity, name.lower()))
        for path, name in texts(data, (*_CREDENTIAL, "name"))
        if (identity := lower(data, (*path[:4], "id")))
    )
    for path, earlier in repeated(found):
        yield path, _NAME_TAKEN.format(line=line(earlier))


def _credential_pair_taken(data: Data, line: LineOf) -> Iterator[Found]:
    found = (
        (path, (identity, cluster, subject))
        for path, subject in texts(data, (*_CREDENTIAL, "subject"))
        if (identity := lower(data, (*path[:4], "id")))
        and (cluster := _cluster_id(data, path[:2], text_at(data, (*path[:-1], "cluster"))))
    )
    for path, earlier in repeated(found):
        yield path, _PAIR_TAKEN.format(line=line(earlier))


def _too_many_credentials(data: Data, _: LineOf) -> Iterator[Found]:
    held: Counter[str] = Counter()
    for path, identity in texts(data, (*_IDENTITY, "id")):
        before = held[identity.lower()]
        after = before + sum(1 for _ in places(data, (*path[:-1], "credentials", EVERY)))
        if before <= CREDENTIALS_PER_IDENTITY < after:
            yield path, _TOO_MANY
        held[identity.lower()] = after


def _own_identity_declared(data: Data, _: LineOf) -> Iterator[Found]:
    own = _own(data)
    return ((path, _OWN_DECLARED) for path, id_ in texts(data, (*_IDENTITY, "id")) if id_.lower() == own)


def _own_identity_writable(data: Data, _: LineOf) -> Iterator[Found]:
    own = _own(data)
    return ((path, _OWN_WRITABLE) for path, id_ in texts(data, _WRITABLE) if id_.lower() == own)


def _writable_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    declared = readable(data, (*_ENVIRONMENT, "identities"), "id", IDENTITY_ID)
    if declared is None:
        return
    known = {identity.lower() for identity in declared} | {_own(data)}
    for path, identity in texts(data, _WRITABLE):
        if identity.lower() not in known:
            yield path, _UNDECLARED


RULES: Final[tuple[Rule, ...]] = (
    _environment_named_inside,  # its key is its name
    _cluster_repeated,  # within an environment, by name and by id
    _cluster_unknown,  # what a credential names exists
    _identity_repeated,  # one place per environment tells what an identity must hold
    _credential_name_taken,  # unique on the identity, wherever declared
    _credential_pair_taken,  # so are issuer and subject together
    _too_many_credentials,  # Azure's limit
    _own_identity_declared,  # Reconverge does not repair itself
    _own_identity_writable,  # nor may it be allowed to
    _writable_undeclared,  # a permission for nothing is a slip of the pen
    *relations_of_submodules.RULES,
    *relations_of_facts.RULES,
    *relations_of_parts.RULES,
    *relations_of_vault.RULES,
    *relations_of_keycloak.RULES,
    *relations_of_gitlab.RULES,
    *relations_of_argocd.RULES,
)
