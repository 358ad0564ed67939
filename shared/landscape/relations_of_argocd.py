"""What relates the Argo CD of an environment to the rest of it, and to the contract."""

from collections.abc import Iterator
from typing import Final

from shared.landscape.argocd import APPLICATION_PATTERN, ARGOCD_NAMESPACE, fits, overlap
from shared.landscape.places import EVERY, Found, LineOf, Rule, lower, places, readable, text_at, texts
from shared.landscape.source import Data, Path

_ENVIRONMENT: Final = ("environments", EVERY)
_ARGOCD: Final = (*_ENVIRONMENT, "argocd")
_MATCHES: Final = (*_ARGOCD, "applications", EVERY, "match")
_OPERABLE: Final = (*_ENVIRONMENT, "contract", "applications", EVERY)

_UNREACHABLE: Final = (
    "the pattern in line {line} stands for all of these already, and the first that fits decides; put the "
    "wider one below, or remove one"
)
_SHARED: Final = (
    "the pattern in line {line}, of another environment with the same Argo CD, stands for some of these as "
    "well, and each Application belongs to one environment; write patterns that have no name in common, such "
    "as dev-* and production-*"
)
_FOREIGN: Final = (
    "no pattern of the environment's `argocd` stands for this Application, so it is another environment's; "
    "write one of its own, or add a pattern for it"
)
_UNDECLARED: Final = "the environment has no `argocd`, so nothing would be done there; add it, or remove this"


def _unreachable(data: Data, line: LineOf) -> Iterator[Found]:
    found = [(path, match) for path, match in texts(data, _MATCHES) if APPLICATION_PATTERN.fits(match)]
    for index, (path, match) in enumerate(found):
        for earlier, wider in found[:index]:
            if earlier[:2] == path[:2] and fits(wider, match):
                yield path, _UNREACHABLE.format(line=line(earlier))
                break


def _shared(data: Data, line: LineOf) -> Iterator[Found]:
    found = [(path, match) for path, match in texts(data, _MATCHES) if APPLICATION_PATTERN.fits(match)]
    homes = {path[:3]: _home(data, path[:3]) for path, _ in found}
    for index, (path, match) in enumerate(found):
        for earlier, claimed in found[:index]:
            same = homes[path[:3]] is not None and homes[path[:3]] == homes[earlier[:3]]
            if earlier[:3] != path[:3] and same and overlap(claimed, match):
                yield path, _SHARED.format(line=line(earlier))
                break


def _home(data: Data, argocd: Path) -> tuple[str, str] | None:
    """ARM id and namespace of where Argo CD runs. Environments may name the same cluster differently."""
    clusters = list(texts(data, (*argocd[:2], "clusters", EVERY, "name")))
    named = text_at(data, (*argocd, "cluster"))
    for path, name in clusters:
        meant = name == named if named is not None else len(clusters) == 1
        if meant and (id_ := lower(data, (*path[:-1], "id"))):
            return id_, text_at(data, (*argocd, "namespace")) or ARGOCD_NAMESPACE
    return None


def _foreign(data: Data, _: LineOf) -> Iterator[Found]:
    for part in ("keycloak", "gitlab"):
        for path, name in texts(data, (*_ENVIRONMENT, part, "application")):
            rules = (*path[:2], "argocd", "applications")
            own = readable(data, rules, "match", APPLICATION_PATTERN)
            if own and APPLICATION_PATTERN.fits(name) and not any(fits(pattern, name) for pattern in own):
                yield path, _FOREIGN


def _operable_undeclared(data: Data, _: LineOf) -> Iterator[Found]:
    declared = {path[:2] for path, _ in places(data, _ARGOCD)}
    return ((path, _UNDECLARED) for path, _ in texts(data, _OPERABLE) if path[:2] not in declared)


RULES: Final[tuple[Rule, ...]] = (
    _unreachable,  # a rule that never decides is a slip of the pen
    _shared,  # an Application obeys one contract, and one journal tells what was tried
    _foreign,  # so does the one that deploys a part of the environment
    _operable_undeclared,  # a permission for nothing is one as well
)
