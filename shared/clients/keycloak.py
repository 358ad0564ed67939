"""Keycloak's admin REST API, as far as a realm's clients go: read them, and add a redirect URI to one.

Logs in by client credentials, with a secret that goes from Key Vault to the token endpoint and is dropped.
The secrets of clients are never asked for; where Keycloak shows one unasked, it is dropped unread.

https://www.keycloak.org/docs-api/latest/rest-api/
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from shared.clients.azure_core import (
    AGAIN,
    CONNECTIONS,
    SHOWABLE,
    OncePer,
    as_unknown,
    shaped,
)
from shared.clients.fingerprints import SecretText
from shared.clients.keycloak_http import SERVICE, Answer, Forbidden, NoRealm, ask
from shared.clients.sessions import session
from shared.clients.web import origin_of
from shared.errors import Misconfigured, ReconvergeError, TemporaryError, after_a_write, before_a_write
from shared.model import Absent, Known, Read, Unknown

if TYPE_CHECKING:
    from requests import Session

PAGE: Final = 100
"""Clients of one request; each has some kilobytes."""
MOST_PAGES: Final = 100
LISTED_WITHIN: Final = 60
"""Seconds after which no further page is asked for: functionTimeout in host.json ends a run."""
LONGEST: Final = 60
"""Seconds for one answer as a whole."""
FORBIDDEN_PAUSE: Final = timedelta(minutes=5)
"""Only a person can end it, and no event tells that they did."""

_OF_SECRETS: Final = re.compile(r"secret|registrationAccessToken")
_OF_ROTATION: Final = "client.secret."
"""How the attributes begin that Keycloak keeps about a client's secret, an older value among them."""
_OF_THE_READER: Final = "access"
"""What we may do; no property of the client."""
_URIS: Final = "redirectUris"

type Json = Mapping[str, Any]


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
    """As they count: one that is relative has the client's root URL before it, where that is an address."""


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """Keycloak answered, and does not let us in, or does not let us look."""

    why: str


class Secrets(Protocol):
    """Of shared.clients.key_vault."""

    def value(self, uri: str, name: str) -> SecretText: ...


class Addresses(Protocol):
    """Of shared.clients.resources."""

    def vault_uri(self, vault_id: str) -> Read[str]: ...


class Keycloaks:
    def __init__(self, key_vaults: Secrets, resources: Addresses) -> None:
        self._secrets: Final = key_vaults
        self._addresses: Final = resources
        self._connections = OncePer[str, "Session"](lambda _: session(LONGEST, CONNECTIONS))

    def clients(self, realm: Realm) -> Read[tuple[Client, ...]] | LoginRefused:
        """A login, and a GET for each page. Absent: Keycloak has no such realm.

        Never raises for what Keycloak, Key Vault, ARM or the network do.
        """
        try:
            found = self._enter(realm).clients()
        except Forbidden as refused:
            return LoginRefused(str(refused))
        except NoRealm:
            return Absent()
        except ReconvergeError as error:
            return as_unknown(error)
        # Bodies are believed to have their promised shape.
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            return Unknown(f"{SERVICE}'s answer has not the promised shape ({type(error).__name__})")
        if not any(one.client_id == realm.client_id for one in found):
            # Whoever may only query gets a list all the same: of what they may see, which is nothing.
            return LoginRefused(f"{SERVICE} shows not even our own client: {_role(realm, 'view-clients')}")
        return Known(found)

    def add_redirect_uri(self, realm: Realm, client_id: str, uri: str) -> None:
        """Let the client accept that URI besides those that it accepts. A login, a GET, a PUT of what was
        read, and a GET of what came of it; nothing is written where it is accepted already.

        Keycloak has no versions: the last writer wins, and another one between the GET and the PUT is undone.
        What is read at last must therefore be what was read at first, with the URI.

        Raises ReconvergeError: WriteConflict on 409, PermanentError on 400; NotWritten where the client is
        not there or could not be read, and where Keycloak refuses; TemporaryError where what is read at last
        is something else. Where the answer was lost, the write may have been done.
        """
        with before_a_write(), shaped(SERVICE):
            entered = self._enter(realm)
            before = entered.client(client_id)
            if uri in before[_URIS]:
                return
        with shaped(SERVICE):
            entered.replace(before, [*before[_URIS], uri])
        with after_a_write(), shaped(SERVICE):
            _compare(client_id, before, entered.client(client_id), uri)

    def _enter(self, realm: Realm) -> "_Entered":
        """Raises ReconvergeError."""
        if not (origin_of(realm.url) or "").startswith("https://"):
            raise Misconfigured(f"{realm.url[:300]!r} is no address with https")
        connections = self._connections(realm.url)
        return _Entered(realm, connections, lambda: self._log_in(realm, connections))

    def _log_in(self, realm: Realm, connections: "Session") -> str:
        """An access token. It lives for minutes at most, and carries the roles of the moment, so none is
        kept for another call. The secret is in no record, error or log."""
        match self._addresses.vault_uri(realm.key_vault):
            case Known(uri):
                pass
            case Unknown(why, delay):
                said = f"the address of the Key Vault could not be read: {why}"
                raise TemporaryError(said, delay=delay or AGAIN, asked=delay is not None)
            case Absent():
                raise TemporaryError(f"ARM knows no Key Vault {realm.key_vault}", delay=AGAIN)
        form = {
            "grant_type": "client_credentials",
            "client_id": realm.client_id,
            "client_secret": self._secrets.value(uri, realm.secret).text,
        }
        address = f"{realm.url}/realms/{quote(realm.realm, safe='')}/protocol/openid-connect/token"
        answer = ask(connections, "POST", address, data=form)
        if answer.status in (400, 401, 403):
            raise Forbidden(
                f"{answer.said}: it does not let client {realm.client_id} of realm {realm.realm} in by the"
                f" secret {realm.secret}; it must be confidential, with a service account",
                delay=FORBIDDEN_PAUSE,
            )
        answer.check()
        token = answer.json()["access_token"]
        if not isinstance(token, str) or not token:
            raise TemporaryError(f"{SERVICE}'s answer is no login", delay=AGAIN)
        return token


@dataclass(slots=True)
class _Entered:
    """A realm, and a login that is made when it is needed."""

    realm: Realm
    connections: "Session" = field(repr=False)
    log_in: Callable[[], str] = field(repr=False)
    token: str = field(default="", repr=False)

    def clients(self) -> tuple[Client, ...]:
        found: list[Client] = []
        until = time.monotonic() + LISTED_WITHIN
        for number in range(MOST_PAGES):
            query = {"first": str(number * PAGE), "max": str(PAGE)}
            page = [_client(one) for one in self._call("GET", "", "view-clients", params=query).json()]
            found += page
            if len(page) < PAGE:
                return tuple(found)
            if time.monotonic() >= until:
                raise TemporaryError(f"{SERVICE} lists its clients too slowly", delay=AGAIN)
        raise TemporaryError(f"{SERVICE} has more than {MOST_PAGES * PAGE} clients", delay=AGAIN)

    def client(self, client_id: str) -> Json:
        """Its whole representation, less what is or tells of a secret."""
        found = self._call("GET", "", "view-clients", params={"clientId": client_id}).json()
        for one in found:
            if one["clientId"] == client_id:
                return _without_secrets(one)
        raise TemporaryError(f"{SERVICE} shows no client {client_id}", delay=AGAIN)

    def replace(self, client: Json, redirect_uris: list[str]) -> None:
        body = {**client, _URIS: redirect_uris}
        body.pop(_OF_THE_READER, None)
        self._call("PUT", f"/{quote(client['id'], safe='')}", "manage-clients", json=body)

    def _call(self, method: str, path: str, role: str, **given: Any) -> Answer:
        """A second time with a new login, once, where the token is not taken: it may have run out.

        role: the one that it needs. Raises ReconvergeError.
        """
        address = f"{self.realm.url}/admin/realms/{quote(self.realm.realm, safe='')}/clients{path}"
        kept = self.token
        answer = self._try(method, address, given)
        if answer.status == 401 and kept:
            self.token = ""
            answer = self._try(method, address, given)
        if answer.status == 401:
            said = f"{answer.said}: it does not take the token that it has just issued"
            raise Forbidden(said, delay=FORBIDDEN_PAUSE)
        if answer.status == 403:
            raise Forbidden(f"{answer.said}: {_role(self.realm, role)}", delay=FORBIDDEN_PAUSE)
        answer.check()
        return answer

    def _try(self, method: str, address: str, given: Mapping[str, Any]) -> Answer:
        if not self.token:
            # A token that ran out was refused: what it was to write is still to come.
            with before_a_write(), shaped(SERVICE):
                self.token = self.log_in()
        headers = {"Authorization": f"Bearer {self.token}"}
        return ask(self.connections, method, address, headers=headers, **given)


def _role(realm: Realm, role: str) -> str:
    return f"give the service account of client {realm.client_id} the role {role} of realm-management"


# -- a client's representation ---------------------------------------------------------------------------


def _client(found: Json) -> Client:
    root = found.get("rootUrl")
    before = root if isinstance(root, str) and "://" in root else ""
    return Client(
        uuid=str(found["id"]),
        client_id=str(found["clientId"]),
        enabled=found.get("enabled") is not False,
        redirect_uris=tuple(
            f"{before}{uri}" if str(uri).startswith("/") else str(uri) for uri in found.get(_URIS) or ()
        ),
    )


def _without_secrets(found: Json) -> Json:
    """What is left out of a PUT stays as it is; a value that is shown masked would not."""
    kept = {key: value for key, value in found.items() if not _OF_SECRETS.fullmatch(key)}
    attributes = found.get("attributes") or {}
    kept["attributes"] = {key: text for key, text in attributes.items() if not key.startswith(_OF_ROTATION)}
    kept[_URIS] = list(found.get(_URIS) or ())
    return kept


def _compare(client_id: str, before: Json, after: Json, uri: str) -> None:
    """Raises TemporaryError where something else came of the write than was meant."""
    if uri not in after[_URIS]:
        said = f"{SERVICE} took the redirect URI of client {client_id}, and does not show it"
        raise TemporaryError(said, delay=AGAIN)
    wanted = {**before, _URIS: [*before[_URIS], uri]}
    keys = (wanted.keys() | after.keys()) - {_OF_THE_READER}
    changed = sorted(key for key in keys if _sorted(wanted.get(key)) != _sorted(after.get(key)))
    if changed:
        shown = ", ".join(key for key in changed if re.fullmatch(SHOWABLE, key))
        raise TemporaryError(
            f"client {client_id} got its redirect URI while somebody else wrote it: look at {shown}",
            delay=AGAIN,
        )


def _sorted(value: Any) -> Any:
    """The same for the same sets: Keycloak has no order in them."""
    if isinstance(value, dict):
        return {key: _sorted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return value
