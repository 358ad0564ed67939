"""The part of `reconverge doctor` that holds what was granted to what is needed: one line for each place.

What is missing comes with the command that grants it. What is more than needed is a note: it breaks nothing.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping

from cli.doctor_github import repositories
from cli.doctor_grants import Found, Login, Namespace, find, login_of, namespace_of
from cli.doctor_keycloak import realms
from cli.exits import Exit
from cli.output import short_id
from cli.surroundings import Surroundings
from cli.tried import PLACEHOLDER, Check, by, more_than_needed, unread
from responders.permissions import RULES
from shared.clients.access_reviews import Allowed
from shared.clients.arm_permissions import Granted
from shared.excess import allows, more_in_azure, more_in_namespace, more_in_vault
from shared.landscape import Landscape
from shared.model import Known, Read, same_id
from shared.permissions import (
    PERMISSIONS_READ,
    AzureNeed,
    KubernetesNeed,
    Needs,
    VaultNeed,
    needs,
)
from shared.settings import Settings


def permissions(landscape: Landscape, settings: Settings, here: Surroundings) -> Iterator[Check]:
    needed = needs(landscape, RULES)
    found = find(landscape, needed, here.world(settings), here.grants(settings))
    yield from _azure(needed, found, _assignee(here.object_id(settings), landscape))
    yield from _kubernetes(needed, found, landscape.reconverge.object_id)
    yield from _vault(needed, found)
    yield from realms(needed.keycloak, found.keycloak)
    yield from repositories(needed.github, found.github, token=settings.github_token is not None)


# -- Azure --------------------------------------------------------------------------------


def _assignee(object_id: str, landscape: Landscape) -> tuple[str, ...]:
    """Options of `az role assignment create`. The type spares it a look into the directory."""
    own = same_id(object_id, landscape.reconverge.object_id)
    kind = ("--assignee-principal-type", "ServicePrincipal") if own else ()
    return "--assignee-object-id", object_id, *kind


def _azure(needed: Needs, found: Found, assignee: tuple[str, ...]) -> Iterator[Check]:
    at: dict[str, list[AzureNeed]] = {}
    for need in needed.azure:
        at.setdefault(need.place.id.lower(), []).append(need)
    for scope, own in at.items():
        yield _at_scope(own, found.azure[scope], assignee, by_policy=scope in found.by_policy)
    yield from _more_in_azure(needed, found)


def _at_scope(
    own: list[AzureNeed],
    read: Read[tuple[Granted, ...]],
    assignee: tuple[str, ...],
    *,
    by_policy: bool,
) -> Check:
    name = short_id(own[0].place.id)
    if not isinstance(read, Known):
        return unread("azure", name, read, f"grant {PERMISSIONS_READ} there, as Reader has it")
    missing = [one for one in own if not allows(read.value, one.right)]
    if not missing:
        actions = ", ".join("/".join(one.right.action.split("/")[-2:]) for one in own)
        return Check("azure", Exit.CONVERGED, f"{name}: {actions}")
    lacking = ", ".join(one.right.action for one in missing)
    if by_policy and all(one.right.data for one in missing):
        says = (
            f"{name}: no role brings {lacking}, but its secrets can be listed, so access policies rule there"
        )
        return Check("azure", Exit.CONVERGED, says, note=True)
    commands = dict.fromkeys(_assign(one, assignee) for one in missing)
    says = f"{name}: missing for {by(missing)}: {lacking}"
    return Check("azure", Exit.DIFFERENCES, says, " && ".join(commands))


def _assign(need: AzureNeed, assignee: tuple[str, ...]) -> str:
    command = ("az", "role", "assignment", "create", *assignee)
    return shlex.join((*command, "--role", need.right.role.name, "--scope", need.place.assign))


def _more_in_azure(needed: Needs, found: Found) -> Iterator[Check]:
    """Each at the widest scope that shows it."""
    needed_at = {one.place.id.lower() for one in needed.azure}
    told: list[tuple[str, str]] = []
    for scope, read in sorted(found.azure.items(), key=lambda item: len(item[0])):
        if not isinstance(read, Known):
            if scope not in needed_at:
                says = f"{short_id(scope)}: nothing is needed there, and what is granted could not be read"
                yield Check("azure", Exit.CONVERGED, says, note=True)
            continue
        more = [
            one
            for one in more_in_azure(read.value, scope, needed.azure)
            if not any(one == other and scope.startswith(f"{upper}/") for upper, other in told)
        ]
        told += [(scope, one) for one in more]
        if more:
            yield more_than_needed("azure", short_id(scope), more)


# -- the cluster --------------------------------------------------------------------------


def _kubernetes(needed: Needs, found: Found, object_id: str) -> Iterator[Check]:
    at: dict[Namespace, list[KubernetesNeed]] = {}
    for need in needed.kubernetes:
        at.setdefault(namespace_of(need), []).append(need)
    for where, own in at.items():
        name = f"{short_id(own[0].place.cluster)}/{where[1]}"
        yield _in_namespace(name, own, found, object_id)
        yield from _more_in_namespace(name, own, found.allowed[where])


def _in_namespace(name: str, own: list[KubernetesNeed], found: Found, object_id: str) -> Check:
    missing = [one for one in own if found.reviews[one] == Known(value=False)]
    if not missing:
        for need in own:
            read = found.reviews[need]
            if not isinstance(read, Known):
                return unread("kubernetes", name, read, "see that the API server answers from here")
        return Check("kubernetes", Exit.CONVERGED, f"{name}: {_rights(own)}")
    return Check(
        "kubernetes",
        Exit.DIFFERENCES,
        f"{name}: missing for {by(missing)}: {_rights(missing)}",
        " && ".join(dict.fromkeys(_apply(one, object_id) for one in missing)),
    )


def _apply(need: KubernetesNeed, object_id: str) -> str:
    """The files name the placeholder, since only the landscape knows who Reconverge is."""
    return f"sed s/{PLACEHOLDER}/{object_id}/ deploy/kubernetes/{need.right.manifest} | kubectl apply -f -"


def _more_in_namespace(name: str, own: list[KubernetesNeed], read: Read[Allowed]) -> Iterator[Check]:
    if not isinstance(read, Known):
        return
    if more := more_in_namespace(read.value, own):
        yield more_than_needed("kubernetes", name, more)
    if not read.value.complete:
        says = f"{name}: an authorizer there cannot list what it allows, so more may be granted than is seen"
        yield Check("kubernetes", Exit.CONVERGED, says, note=True)


def _rights(own: Iterable[KubernetesNeed]) -> str:
    """Each right once, with the names that it is for."""
    names: dict[str, list[str]] = {}
    for one in own:
        kind = f"{one.right.resource}.{one.right.group}" if one.right.group else one.right.resource
        names.setdefault(f"{one.right.verb} {kind}", []).extend([one.place.name] if one.place.name else [])
    return ", ".join(" ".join((right, *of)) for right, of in names.items())


# -- Vault --------------------------------------------------------------------------------


def _vault(needed: Needs, found: Found) -> Iterator[Check]:
    at: dict[Login, list[VaultNeed]] = {}
    for need in needed.vault:
        at.setdefault(login_of(need.place), []).append(need)
    for login, own in at.items():
        name, read = login[0], found.vaults[login]
        if not isinstance(read, Known):
            yield unread("vault", name, read, "see the login's method and role in Vault; docs/permissions.md")
            continue
        yield _in_vault(name, own, read.value)
        if more := more_in_vault(read.value, own):
            yield more_than_needed("vault", name, more)


def _in_vault(name: str, own: list[VaultNeed], held: Mapping[str, frozenset[str]]) -> Check:
    missing = [one for one in own if not held[one.place.path] & {one.right.capability, "root"}]
    if not missing:
        capabilities = ", ".join(dict.fromkeys(one.right.capability for one in own))
        seeds = len({one.place.path for one in own})
        return Check("vault", Exit.CONVERGED, f"{name}: {capabilities} on {seeds} seeds")
    lines = {
        place.path: [one.right.capability for one in own if one.place.path == place.path]
        for place in (one.place for one in missing)
    }
    policy = " ".join(f'path "{path}" {{ capabilities = {json.dumps(of)} }}' for path, of in lines.items())
    lacking = ", ".join(f"{one.right.capability} on {one.place.path}" for one in missing)
    return Check(
        "vault",
        Exit.DIFFERENCES,
        f"{name}: missing for {by(missing)}: {lacking}",
        f"write into the policy of the role {own[0].place.login.role}: {policy}",
    )
