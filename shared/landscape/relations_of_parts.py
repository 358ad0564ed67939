"""What holds of every part of an environment that runs in one of its clusters."""

from collections.abc import Iterator
from typing import Final

from shared.landscape.forms import CLUSTER_NAME
from shared.landscape.places import EVERY, Found, LineOf, Rule, places, readable, text_at, texts
from shared.landscape.source import Data

PARTS: Final = ("vault", "keycloak", "gitlab", "argocd")
"""Their keys."""

_ENVIRONMENT: Final = ("environments", EVERY)
_NAMESPACES: Final = (*_ENVIRONMENT, "contract", "namespaces", EVERY)
_WORKED_IN: Final = ("vault", "keycloak", "gitlab")
"""What the contract's namespaces are about. Argo CD's Applications have a list of their own."""

_EMPTY: Final = "`{part}` is empty; write its keys, or remove it"
_CLUSTER_UNKNOWN: Final = "no cluster of this environment has that name; write one of: {known}"
_NAMESPACE_UNDECLARED: Final = (
    "neither `vault` nor `keycloak` nor `gitlab` of the environment is in this namespace; write that of one, "
    "or remove it"
)


def _empty(data: Data, _: LineOf) -> Iterator[Found]:
    for part in PARTS:
        for path, held in places(data, (*_ENVIRONMENT, part)):
            if held is None:
                yield path, _EMPTY.format(part=part)


def _cluster_unknown(data: Data, _: LineOf) -> Iterator[Found]:
    for part in PARTS:
        for path, name in texts(data, (*_ENVIRONMENT, part, "cluster")):
            known = readable(data, (*path[:2], "clusters"), "name", CLUSTER_NAME)
            if known and name not in known:
                yield path, _CLUSTER_UNKNOWN.format(known=", ".join(known))


def _namespace_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    for path, namespace in texts(data, _NAMESPACES):
        if namespace not in {text_at(data, (*path[:2], part, "namespace")) for part in _WORKED_IN}:
            yield path, _NAMESPACE_UNDECLARED


RULES: Final[tuple[Rule, ...]] = (
    _empty,  # whoever writes the key believes that the part is looked after
    _cluster_unknown,  # as for credentials
    _namespace_undeclared,  # a permission for nothing is a slip of the pen
)
