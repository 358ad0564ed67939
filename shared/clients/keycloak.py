"""Keycloak's admin REST API, as far as a realm's clients go: read them, and add a redirect URI to one.

Logs in by client credentials, with a secret that goes from Key Vault to the token endpoint and is dropped.
The secrets of clients are never asked for.

https://www.keycloak.org/docs-api/latest/rest-api/
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """Where, and as whom."""

    url: str
    """Of Keycloak, without a path."""
    realm: str
    client_id: str
    """Of Reconverge's own client."""
    key_vault: str
    """ARM id of the Key Vault with its secret."""
    secret: str
    """Name of that secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    uuid: str
    client_id: str
    enabled: bool
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """Keycloak answered, and does not let us in, or does not let us look."""

    why: str
