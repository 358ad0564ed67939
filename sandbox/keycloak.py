"""An environment's Keycloak, as one build of the cluster has it: realms, clients, and who may do what.

It is empty when the build is new, and is up only while the cluster has the Secret of its first admin. That
admin is made with the realm master, the first time that it is up; a Secret that changes later changes nobody.
https://www.keycloak.org/docs/latest/server_admin/
"""

import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

import jwt

type Json = dict[str, Any]
type FirstAdmin = tuple[str, str]
"""Name and password."""

MASTER: Final = "master"
ADMIN: Final = "admin"
"""The role of master that may do everything in every realm."""
MANAGEMENT: Final = "realm-management"
"""The client of a realm whose roles say who may manage that realm."""
ROLES: Final = (
    "create-client",
    "impersonation",
    "manage-authorization",
    "manage-clients",
    "manage-events",
    "manage-identity-providers",
    "manage-realm",
    "manage-users",
    "query-clients",
    "query-groups",
    "query-realms",
    "query-users",
    "realm-admin",
    "view-authorization",
    "view-clients",
    "view-events",
    "view-identity-providers",
    "view-realm",
    "view-users",
)
LIFETIME: Final = {MASTER: 60}
"""Seconds of an access token, where they are not Keycloak's usual ones."""
_LIFETIME: Final = 300
_BUILT_IN: Final = ("account", "admin-cli", "broker", MANAGEMENT, "security-admin-console")


class Refused(Exception):
    """Keycloak's answer to a request that it does not grant."""

    def __init__(self, status: int, error: str, description: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, **({"error_description": description} if description else {})}


@dataclass(slots=True, kw_only=True)
class Realm:
    name: str
    enabled: bool = True
    clients: dict[str, Json] = field(default_factory=dict)
    """Representations by their id, secrets included."""
    accounts: dict[str, frozenset[str]] = field(default_factory=dict)
    """Roles that the service account of a client has, by clientId: those of master's realm in master, those
    of the client realm-management elsewhere."""

    def find(self, client_id: str) -> Json | None:
        return next((one for one in self.clients.values() if one["clientId"] == client_id), None)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token stands for."""

    realm: str
    roles: frozenset[str]

    def may(self, realm: str, *roles: str) -> bool:
        """Whether one of the roles lets the caller do it there."""
        if self.realm == MASTER and ADMIN in self.roles:
            return True
        return self.realm == realm and bool(self.roles & {"realm-admin", *roles})


class Keycloak:
    def __init__(self, environment: str, first_admin: Callable[[], FirstAdmin | None]) -> None:
        """first_admin: what the Secret says now; None: there is none, and nothing serves"""
        self.environment = environment
        self._first_admin = first_admin
        self._key = secrets.token_bytes(32)
        self._admin: FirstAdmin | None = None
        self.realms: dict[str, Realm] = {}
        self.stopped = False
        """No pod of it is ready, for a reason of its own."""

    def is_up(self) -> bool:
        """Has the realm master when it is."""
        given = self._first_admin()
        if given is None or self.stopped:
            return False
        if self._admin is None:
            self._admin = given
            self.realms[MASTER] = _realm(MASTER)
        return True

    def create(self, wanted: Mapping[str, Any]) -> None:
        """A realm of a representation, unless there is one of that name. Raises ValueError where it is none.

        https://www.keycloak.org/docs-api/latest/rest-api/#RealmRepresentation
        """
        name = wanted.get("realm")
        if not isinstance(name, str) or not name:
            raise ValueError("Realm name can not be null")
        if name in self.realms:
            return
        realm = _realm(name)
        realm.enabled = bool(wanted.get("enabled", False))
        for client in wanted.get("clients") or ():
            self.add(realm, client)
        for user in wanted.get("users") or ():
            owner = user.get("serviceAccountClientId")
            if owner is not None:
                if realm.find(owner) is None:
                    raise ValueError(f"Unable to find client specified for service account link: {owner}")
                realm.accounts[owner] = frozenset((user.get("clientRoles") or {}).get(MANAGEMENT) or ())
        self.realms[name] = realm

    def add(self, realm: Realm, given: Mapping[str, Any]) -> Json:
        """A client of a representation. Raises ValueError."""
        client_id = given.get("clientId")
        if not isinstance(client_id, str) or not client_id:
            raise ValueError("Client id can not be null")
        if realm.find(client_id) is not None:
            raise ValueError(f"Client {client_id} already exists")
        check(given)
        made = {**_usual(), **deepcopy(dict(given))}
        made["id"] = str(given.get("id") or uuid.uuid4())
        if not (made["publicClient"] or made["bearerOnly"]):
            made["secret"] = str(made.get("secret") or new_secret())
        realm.clients[made["id"]] = made
        if made["serviceAccountsEnabled"]:
            realm.accounts.setdefault(client_id, frozenset())
        return made

    # -- tokens -------------------------------------------------------------------------

    def token(self, realm: Realm, form: Mapping[str, str], basic: FirstAdmin | None) -> Json:
        """What the token endpoint answers. Raises Refused."""
        grant = form.get("grant_type")
        if not grant:
            raise Refused(400, "invalid_request", "Missing form parameter: grant_type")
        client = _authenticated(realm, form, basic)
        match grant:
            case "client_credentials":
                if client["publicClient"]:
                    said = "Public client not allowed to retrieve service account"
                    raise Refused(401, "unauthorized_client", said)
                if not client["serviceAccountsEnabled"]:
                    said = "Client not enabled to retrieve service account"
                    raise Refused(401, "unauthorized_client", said)
                roles = realm.accounts.get(client["clientId"], frozenset())
            case "password":
                if not client["directAccessGrantsEnabled"]:
                    said = "Client not allowed for direct access grants"
                    raise Refused(400, "unauthorized_client", said)
                given = (form.get("username", ""), form.get("password", ""))
                if realm.name != MASTER or given != self._admin:
                    raise Refused(401, "invalid_grant", "Invalid user credentials")
                roles = frozenset({ADMIN})
            case _:
                raise Refused(400, "unsupported_grant_type", "Unsupported grant_type")
        return self._issue(realm, client, roles)

    def caller(self, token: str) -> Caller:
        """Whom it was issued to. Raises Refused."""
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            raise Refused(401, "HTTP 401 Unauthorized") from None
        realm = claims["iss"].rpartition("/")[2]
        held = (
            claims["realm_access"] if realm == MASTER else claims["resource_access"].get(MANAGEMENT, {})
        ).get("roles", ())
        return Caller(realm, frozenset(held))

    def _issue(self, realm: Realm, client: Json, roles: Iterable[str]) -> Json:
        now, lasts = int(time.time()), LIFETIME.get(realm.name, _LIFETIME)
        listed = {"roles": sorted(roles)}
        claims = {
            "iss": f"/realms/{realm.name}",
            "azp": client["clientId"],
            "typ": "Bearer",
            "iat": now,
            "exp": now + lasts,
            "jti": str(uuid.uuid4()),
            "realm_access": listed if realm.name == MASTER else {"roles": []},
            "resource_access": {} if realm.name == MASTER else {MANAGEMENT: listed},
        }
        return {
            "access_token": jwt.encode(claims, self._key, algorithm="HS256"),
            "expires_in": lasts,
            "refresh_expires_in": 0,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": "email profile",
        }


def check(client: Mapping[str, Any]) -> None:
    """Raises ValueError with Keycloak's own text.

    https://github.com/keycloak/keycloak/blob/main/services/src/main/java/org/keycloak/validation/DefaultClientValidationProvider.java
    """
    for uri in client.get("redirectUris") or ():
        if "#" in uri:
            raise ValueError("Redirect URIs must not contain an URI fragment")
        if "*" in uri[:-1]:
            raise ValueError("A redirect URI is not a valid URI")


def accepts(client: Mapping[str, Any], uri: str) -> bool:
    """Whether the client may be sent there: by a URI of its own, or by what stands before a star."""
    for one in client.get("redirectUris") or ():
        if one == uri or (one.endswith("*") and uri.startswith(one[:-1])):
            return True
    return False


def new_secret() -> str:
    return secrets.token_urlsafe(24)


def _authenticated(realm: Realm, form: Mapping[str, str], basic: FirstAdmin | None) -> Json:
    """The client that asks, by its secret in the form or in the header. Raises Refused."""
    name, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
    client = realm.find(name)
    said = "Invalid client or Invalid client credentials"
    if client is None or not client["enabled"]:
        raise Refused(401, "invalid_client", said)
    if not client["publicClient"] and not secrets.compare_digest(client["secret"].encode(), secret.encode()):
        raise Refused(401, "unauthorized_client", said)
    return client


def _realm(name: str) -> Realm:
    """With the clients that every realm has."""
    realm = Realm(name=name)
    for client_id in _BUILT_IN:
        if name == MASTER and client_id == MANAGEMENT:
            continue
        made = {
            **_usual(),
            "id": str(uuid.uuid4()),
            "clientId": client_id,
            "name": f"${{client_{client_id}}}",
            "publicClient": client_id not in (MANAGEMENT, "broker"),
            "bearerOnly": client_id in (MANAGEMENT, "broker"),
            "standardFlowEnabled": client_id in ("account", "security-admin-console"),
            "directAccessGrantsEnabled": client_id == "admin-cli",
        }
        if client_id == "account":
            made["redirectUris"] = [f"/realms/{name}/account/*"]
        if made["bearerOnly"]:
            made["secret"] = new_secret()
        realm.clients[made["id"]] = made
    return realm


def _usual() -> Json:
    return {
        "name": "",
        "description": "",
        "enabled": True,
        "protocol": "openid-connect",
        "clientAuthenticatorType": "client-secret",
        "publicClient": False,
        "bearerOnly": False,
        "standardFlowEnabled": True,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": False,
        "redirectUris": [],
        "webOrigins": [],
        "attributes": {},
        "defaultClientScopes": ["web-origins", "acr", "profile", "roles", "basic", "email"],
        "optionalClientScopes": ["address", "phone", "offline_access", "microprofile-jwt"],
        "fullScopeAllowed": True,
        "consentRequired": False,
        "surrogateAuthRequired": False,
        "frontchannelLogout": False,
        "notBefore": 0,
        "nodeReRegistrationTimeout": -1,
    }
