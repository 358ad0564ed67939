"""The realms of a Keycloak in memory, with their clients."""

from dataclasses import dataclass, field, replace
from typing import Any

from shared.clients.azure_core import as_unknown
from shared.clients.keycloak import Client, LoginRefused, Realm
from shared.errors import ReconvergeError
from shared.model import Absent, Known, Read


@dataclass(slots=True)
class Keycloaks:
    realms: dict[str, dict[str, Client]] = field(default_factory=dict)
    """Clients by realm and id; a realm comes with its first client."""
    refuses: str = ""
    """Why it lets us not in."""
    trouble: dict[str, ReconvergeError] = field(default_factory=dict)
    """By the name of a call: what it meets in place of its answer; `add_redirect_uri lost` strikes after its
    effect."""
    added: list[tuple[str, str]] = field(default_factory=list)
    """Client and redirect URI of each write."""

    def clients(self, realm: Realm) -> Read[tuple[Client, ...]] | LoginRefused:
        if error := self.trouble.get("clients"):
            return as_unknown(error)
        if self.refuses:
            return LoginRefused(self.refuses)
        found = self.realms.get(realm.realm)
        return Absent() if found is None else Known(tuple(found.values()))

    def add_redirect_uri(self, realm: Realm, client_id: str, uri: str) -> None:
        if error := self.trouble.get("add_redirect_uri"):
            raise error
        found = self.realms[realm.realm]
        held = found[client_id]
        if uri not in held.redirect_uris:
            found[client_id] = replace(held, redirect_uris=(*held.redirect_uris, uri))
            self.added.append((client_id, uri))
        if error := self.trouble.get("add_redirect_uri lost"):
            raise error

    # -- what people and the import do ----------------------------------------------------

    def hold(self, client_id: str, *redirect_uris: str, realm: str = "ameide", **changes: Any) -> None:
        base: dict[str, Any] = {
            "uuid": f"uuid-{client_id}",
            "client_id": client_id,
            "enabled": True,
            "redirect_uris": redirect_uris,
        }
        self.realms.setdefault(realm, {})[client_id] = Client(**{**base, **changes})
