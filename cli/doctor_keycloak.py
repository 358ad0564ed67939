"""The part of `reconverge doctor` that is about realms of Keycloak: one line for each.

What a service account may do, Keycloak tells only whoever may look into its roles. So the doctor logs in and
looks at the clients, as a run does. Writing is not tried: a role for it is a note.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cli.exits import Exit
from cli.tried import Check, by, unread
from shared.clients.keycloak import Client, LoginRefused
from shared.model import Known, Read
from shared.permissions import InKeycloak, KeycloakNeed

SEEN: Final = "view-clients"
"""The role that a look at the clients proves."""
_HOW: Final = "docs/deploy.md says how the client is made"


def realms(
    needed: Iterable[KeycloakNeed], found: Mapping[InKeycloak, Read[tuple[Client, ...]] | LoginRefused]
) -> Iterator[Check]:
    at: dict[InKeycloak, list[KeycloakNeed]] = {}
    for need in needed:
        at.setdefault(need.place, []).append(need)
    for place, own in at.items():
        yield from _in_realm(place, own, found[place])


def _in_realm(
    place: InKeycloak, own: list[KeycloakNeed], read: Read[tuple[Client, ...]] | LoginRefused
) -> Iterator[Check]:
    name = f"{place.url}/realms/{place.realm}"
    match read:
        case Known():
            yield Check("keycloak", Exit.CONVERGED, f"{name}: {SEEN}")
            yield from _untried(name, place, own)
        case LoginRefused(why):
            yield Check("keycloak", Exit.DIFFERENCES, f"{name}: missing for {by(own)}: {why}", _HOW)
        case other:
            yield unread("keycloak", name, other, "see that Keycloak and the Key Vault answer from here")


def _untried(name: str, place: InKeycloak, own: list[KeycloakNeed]) -> Iterator[Check]:
    others = [one.right.role for one in own if one.right.role != SEEN]
    if others:
        says = f"{name}: whether {place.login.client_id} has {', '.join(others)} as well was not tried"
        yield Check("keycloak", Exit.CONVERGED, says, note=True)
