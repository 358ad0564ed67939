"""What relates one place of a landscape to another.

Called by the loader on plain data, well-formed or not: a place of the wrong form is named elsewhere and
passed over here, so that one reading lists every mistake.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from enum import Enum, auto
from typing import Final

from shared.landscape.models import CREDENTIALS_PER_IDENTITY
from shared.landscape.source import Data, Path

type Found = tuple[Path, str]
"""Where a mistake is, and what is said about it."""
type LineOf = Callable[[Path], int]
type Rule = Callable[[Data, LineOf], Iterator[Found]]


class _Every(Enum):
    KEY = auto()


type _Pattern = tuple[str | int | _Every, ...]
"""A path in which EVERY stands for any key or index."""

EVERY: Final = _Every.KEY
_ENVIRONMENT: Final = ("environments", EVERY)
_CLUSTER: Final = (*_ENVIRONMENT, "clusters", EVERY)
_IDENTITY: Final = (*_ENVIRONMENT, "identities", EVERY)
_CREDENTIAL: Final = (*_IDENTITY, "credentials", EVERY)
_WRITABLE: Final = (*_ENVIRONMENT, "contract", "identities", EVERY)


def broken(data: Data, line: LineOf) -> Iterator[Found]:
    """Every relation that does not hold."""
    for rule in RULES:
        yield from rule(data, line)


# -- reading ------------------------------------------------------------------------------


def _texts(data: Data, pattern: _Pattern, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The texts at every place of the pattern, in the order of the file."""
    if not pattern:
        if isinstance(data, str):
            yield path, data
        return
    head, *rest = pattern
    entries: Iterable[tuple[str | int, Data]] = (
        data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    )
    for key, value in entries:
        if head in (EVERY, key):
            yield from _texts(value, tuple(rest), (*path, key))


def _text(data: Data, path: Path) -> str | None:
    return next((text for _, text in _texts(data, path)), None)


def _lower(data: Data, path: Path) -> str | None:
    """For ids and names of Azure, which are compared without regard to letter case."""
    text = _text(data, path)
    return None if text is None else text.lower()


def _repeated(places: Iterable[tuple[Path, Hashable]]) -> Iterator[tuple[Path, Path]]:
    """Each place whose key an earlier place has too, and that earlier place."""
    first: dict[Hashable, Path] = {}
    for path, key in places:
        if (earlier := first.setdefault(key, path)) != path:
            yield path, earlier


def _cluster_id(data: Data, environment: Path, name: str | None) -> str | None:
    """ARM id of the environment's cluster of that name."""
    for path, declared in _texts(data, (*environment, "clusters", EVERY, "name")):
        if declared == name:
            return _lower(data, (*path[:-1], "id"))
    return None


# -- rules --------------------------------------------------------------------------------


def _environment_named_inside(data: Data, _: LineOf) -> Iterator[Found]:
    match data:
        case {"environments": dict(environments)}:
            for name, body in environments.items():
                if isinstance(body, dict) and "name" in body:
                    yield (
                        ("environments", name, "name"),
                        "no key `name` is known here; an environment is named by its key: remove it",
                    )


def _cluster_repeated(data: Data, line: LineOf) -> Iterator[Found]:
    for key, says in (("name", "name"), ("id", "id")):
        places = ((path, (path[1], text.lower())) for path, text in _texts(data, (*_CLUSTER, key)))
        for path, earlier in _repeated(places):
            yield path, f"a cluster of this {says} stands in line {line(earlier)} already; keep one"


def _cluster_unknown(data: Data, _: LineOf) -> Iterator[Found]:
    for path, name in _texts(data, (*_CREDENTIAL, "cluster")):
        names = [declared for _, declared in _texts(data, (*path[:2], "clusters", EVERY, "name"))]
        if names and name not in names:
            yield path, f"no cluster of this environment has that name; write one of: {', '.join(names)}"


def _identity_repeated(data: Data, line: LineOf) -> Iterator[Found]:
    places = ((path, (path[1], text.lower())) for path, text in _texts(data, (*_IDENTITY, "id")))
    for path, earlier in _repeated(places):
        yield path, (
            f"this environment declares the identity in line {line(earlier)} already; "
            "put all its credentials there"
        )


def _credential_name_taken(data: Data, line: LineOf) -> Iterator[Found]:
    places = (
        (path, (identity, name.lower()))
        for path, name in _texts(data, (*_CREDENTIAL, "name"))
        if (identity := _lower(data, (*path[:4], "id")))
    )
    for path, earlier in _repeated(places):
        yield path, (
            f"the identity has a credential of this name in line {line(earlier)} already; "
            "Azure keeps one of a name, over all environments: name it otherwise"
        )


def _credential_pair_taken(data: Data, line: LineOf) -> Iterator[Found]:
    places = (
        (path, (identity, cluster, subject))
        for path, subject in _texts(data, (*_CREDENTIAL, "subject"))
        if (identity := _lower(data, (*path[:4], "id")))
        and (cluster := _cluster_id(data, path[:2], _text(data, (*path[:-1], "cluster"))))
    )
    for path, earlier in _repeated(places):
        yield path, (
            f"the identity has a credential of this cluster and subject in line {line(earlier)} already; "
            "Azure refuses a second one: keep one"
        )


def _too_many_credentials(data: Data, _: LineOf) -> Iterator[Found]:
    held: dict[str, int] = {}
    for path, identity in _texts(data, (*_IDENTITY, "id")):
        key = identity.lower()
        before = held.get(key, 0)
        held[key] = before + sum(1 for _ in _texts(data, (*path[:-1], "credentials", EVERY, "name")))
        if before <= CREDENTIALS_PER_IDENTITY < held[key]:
            yield path, (
                f"over all environments the identity has more than {CREDENTIALS_PER_IDENTITY} credentials, "
                "which is all that Azure allows; use another identity for some of them"
            )


def _own_identity_declared(data: Data, _: LineOf) -> Iterator[Found]:
    own = _lower(data, ("reconverge", "identity"))
    for path, identity in _texts(data, (*_IDENTITY, "id")):
        if identity.lower() == own:
            yield path, (
                "Reconverge's own identity; whoever may change what it trusts can become Reconverge, so "
                "it never looks after itself: remove it"
            )


def _own_identity_writable(data: Data, _: LineOf) -> Iterator[Found]:
    own = _lower(data, ("reconverge", "identity"))
    for path, identity in _texts(data, _WRITABLE):
        if identity.lower() == own:
            yield path, (
                "Reconverge's own identity; whoever may change what it trusts can become Reconverge, so "
                "no contract lets it be written: remove it"
            )


def _writable_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    declared = {identity.lower() for _, identity in _texts(data, (*_IDENTITY, "id"))}
    declared.add(_lower(data, ("reconverge", "identity")) or "")
    for path, identity in _texts(data, _WRITABLE):
        if identity.lower() not in declared:
            yield path, "no environment declares this identity; declare it in one, or remove it here"


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
)
