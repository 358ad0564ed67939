"""A realm's clients, read and written over TLS, without any secret on the way back."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
import trustme

from shared.clients import keycloak
from shared.clients.fingerprints import SecretText
from shared.clients.keycloak import Client, Keycloaks, LoginRefused, Realm
from shared.errors import (
    Misconfigured,
    NotWritten,
    PermanentError,
    ReconvergeError,
    TemporaryError,
    WriteConflict,
)
from shared.model import Absent, Known, Read, Unknown
from tests.contract.clients import sites
from tests.contract.clients.sites import Answer, Asked, Reply, Site, sent_to, told

pytestmark = pytest.mark.usefixtures("surroundings")

VAULT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/ameidekv"
URI = "https://gitlab.dev.ameide.io/users/auth/openid_connect/callback"
OTHER_URI = "https://gitlab.local.ameide.io/users/auth/openid_connect/callback"
OWN_SECRET = "the value that nobody may see"
CLIENT_SECRET = "the value of a client that nobody may see"
TOKEN_PATH = "/realms/ameide/protocol/openid-connect/token"
CLIENTS_PATH = "/admin/realms/ameide/clients"
LOGIN = ("POST", TOKEN_PATH)
LIST = ("GET", CLIENTS_PATH)
KEY_VAULT = Known("https://ameidekv.vault.azure.net/")


@dataclass
class Vault:
    """Key Vault, and ARM that knows where it is."""

    uri: Read[str] = KEY_VAULT
    trouble: ReconvergeError | None = None

    def vault_uri(self, vault_id: str) -> Read[str]:
        assert vault_id == VAULT
        return self.uri

    def value(self, uri: str, name: str) -> SecretText:
        assert (uri, name) == ("https://ameidekv.vault.azure.net/", "keycloak-reconverge")
        if self.trouble:
            raise self.trouble
        return SecretText(OWN_SECRET)


def representation(client_id: str, *redirect_uris: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"uuid-{client_id}",
        "clientId": client_id,
        "enabled": True,
        "redirectUris": list(redirect_uris),
        "webOrigins": ["+", "https://gitlab.dev.ameide.io"],
        "attributes": {"pkce.code.challenge.method": "S256", "client.secret.creation.time": "1"},
        "access": {"view": True, "configure": True, "manage": True},
        **changes,
    }


@dataclass
class Keycloak:
    """One realm, and whoever manages its clients meanwhile."""

    site: Site
    clients: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    """Those that were issued, and are still taken."""
    shows_secrets: bool = True

    def __post_init__(self) -> None:
        self.site.on(TOKEN_PATH, self._log_in, "POST")
        self.site.on(CLIENTS_PATH, self._list)
        self.hold(representation("reconverge"))

    def hold(self, *representations: dict[str, Any]) -> None:
        for one in representations:
            self.clients.append(one)
            self.site.on(f"{CLIENTS_PATH}/{one['id']}", self._put, "PUT")

    def answers(self, at: tuple[str, str], answer: Answer) -> None:
        """Something else from now on, at a method and a path."""
        method, path = at
        self.site.on(path, answer, method)

    @property
    def realm(self) -> Realm:
        return Realm(
            url=self.site.origin,
            realm="ameide",
            client_id="reconverge",
            key_vault=VAULT,
            secret="keycloak-reconverge",
        )

    @property
    def puts(self) -> list[Any]:
        return [one.json for one in self.site.asked if one.method == "PUT"]

    def _log_in(self, asked: Asked) -> Reply:
        assert asked.form == {
            "grant_type": "client_credentials",
            "client_id": "reconverge",
            "client_secret": OWN_SECRET,
        }
        self.tokens.append(f"token-{len(self.site.asked)}")
        return told({"access_token": self.tokens[-1], "expires_in": 60, "token_type": "Bearer"})

    def _list(self, asked: Asked) -> Reply:
        if not self._known(asked):
            return told({"error": "HTTP 401 Unauthorized"}, 401)
        wanted = asked.query.get("clientId")
        found = [one for one in self.clients if wanted in (None, one["clientId"])]
        first = int(asked.query.get("first", 0))
        page = found[first : first + int(asked.query.get("max", 100))]
        return told([{**one, "secret": CLIENT_SECRET} if self.shows_secrets else one for one in page])

    def _put(self, asked: Asked) -> Reply:
        if not self._known(asked):
            return told({"error": "HTTP 401 Unauthorized"}, 401)
        held = next(one for one in self.clients if asked.path.endswith(f"/{one['id']}"))
        given = deepcopy(asked.json)
        attributes = {**held["attributes"], **given.pop("attributes")}
        held.update(given, attributes=attributes, redirectUris=given["redirectUris"][::-1])
        return Reply(204)

    def _known(self, asked: Asked) -> bool:
        return asked.headers["authorization"].removeprefix("Bearer ") in self.tokens


@pytest.fixture
def server(site: Site) -> Keycloak:
    return Keycloak(site)


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def keycloaks(vault: Vault) -> Keycloaks:
    return Keycloaks(vault, vault)


# -- reading --------------------------------------------------------------------------------------------


def test_clients_are_read_with_their_redirect_uris_and_no_secret(
    keycloaks: Keycloaks, server: Keycloak
) -> None:
    server.hold(representation("gitlab", URI, OTHER_URI, enabled=False))
    found = keycloaks.clients(server.realm)
    assert isinstance(found, Known)
    assert found.value[1] == Client(
        uuid="uuid-gitlab", client_id="gitlab", enabled=False, redirect_uris=(URI, OTHER_URI)
    )
    assert CLIENT_SECRET not in repr(found)


def test_all_pages_are_read(keycloaks: Keycloaks, server: Keycloak) -> None:
    server.hold(*(representation(f"client-{number}") for number in range(250)))
    found = keycloaks.clients(server.realm)
    assert isinstance(found, Known)
    assert len({one.client_id for one in found.value}) == 251
    assert [one.query for one in server.site.asked[1:]] == [
        {"first": str(first), "max": "100"} for first in (0, 100, 200)
    ]


def test_a_list_without_an_end_is_given_up(
    keycloaks: Keycloaks, server: Keycloak, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keycloak, "MOST_PAGES", 3)
    page = [representation(f"client-{number}") for number in range(100)]
    server.site.on(CLIENTS_PATH, told(page))
    found = keycloaks.clients(server.realm)
    assert isinstance(found, Unknown)
    assert "more than 300 clients" in found.why
    assert len(server.site.asked) == 4


def test_a_list_that_takes_too_long_is_given_up(
    keycloaks: Keycloaks, server: Keycloak, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page comes in time, and all of them together would not."""
    monkeypatch.setattr(keycloak, "PAGE", 1)
    monkeypatch.setattr(keycloak, "LISTED_WITHIN", 0)
    server.hold(representation("gitlab", URI), representation("argocd"))
    found = keycloaks.clients(server.realm)
    assert isinstance(found, Unknown)
    assert [one.path for one in server.site.asked if one.method == "GET"] == [f"{CLIENTS_PATH}?first=0&max=1"]


@pytest.mark.parametrize(
    ("root", "held", "expected"),
    [
        ("https://gitlab.dev.ameide.io", "/users/auth/*", "https://gitlab.dev.ameide.io/users/auth/*"),
        ("${authBaseUrl}", "/users/auth/*", "/users/auth/*"),
        (None, "/users/auth/*", "/users/auth/*"),
        ("https://gitlab.dev.ameide.io", URI, URI),
    ],
)
def test_a_redirect_uri_is_read_with_the_root_url_of_its_client(
    keycloaks: Keycloaks, server: Keycloak, root: str | None, held: str, expected: str
) -> None:
    server.hold(representation("gitlab", held, rootUrl=root))
    found = keycloaks.clients(server.realm)
    assert isinstance(found, Known)
    assert [one.redirect_uris for one in found.value if one.client_id == "gitlab"] == [(expected,)]


def test_the_token_is_sent_to_keycloak_alone_and_is_asked_for_each_time(
    keycloaks: Keycloaks, server: Keycloak
) -> None:
    for _ in range(2):
        keycloaks.clients(server.realm)
    assert len(set(server.tokens)) == 2
    assert "authorization" not in server.site.asked[0].headers
    assert [one.headers["authorization"] for one in server.site.asked[1::2]] == [
        f"Bearer {one}" for one in server.tokens
    ]


def test_a_realm_that_keycloak_does_not_have_is_absent(keycloaks: Keycloaks, server: Keycloak) -> None:
    server.site.on(TOKEN_PATH, told({"error": "Realm does not exist"}, 404), "POST")
    assert keycloaks.clients(server.realm) == Absent()
    server.site.on(TOKEN_PATH, server._log_in, "POST")
    server.site.on(CLIENTS_PATH, told({"error": "Realm not found."}, 404))
    assert keycloaks.clients(server.realm) == Absent()


REFUSED: dict[str, tuple[tuple[str, str], Answer, str]] = {
    "a secret that is not the client's": (
        LOGIN,
        told({"error": "unauthorized_client", "error_description": OWN_SECRET}, 401),
        "401 unauthorized_client: it does not let client reconverge of realm ameide in by the secret",
    ),
    "a client without a service account": (
        LOGIN,
        told({"error": "unauthorized_client"}, 400),
        "must be confidential, with a service account",
    ),
    "a realm that is switched off": (
        LOGIN,
        told({"error": "Realm not enabled"}, 403),
        "answered 403: it does not let",
    ),
    "a service account without the role": (
        LIST,
        told({"error": "unknown_error"}, 403),
        "answered 403 unknown_error: give the service account of client reconverge the role view-clients of",
    ),
    "a service account that may only query": (LIST, told([]), "the role view-clients"),
    "a token that is never taken": (LIST, Reply(401), "token that it has just issued"),
}


@pytest.mark.parametrize(("at", "answer", "says"), REFUSED.values(), ids=REFUSED)
def test_is_refused(
    keycloaks: Keycloaks, server: Keycloak, at: tuple[str, str], answer: Answer, says: str
) -> None:
    server.answers(at, answer)
    found = keycloaks.clients(server.realm)
    assert isinstance(found, LoginRefused)
    assert says in found.why
    assert OWN_SECRET not in found.why


UNREADABLE: dict[str, tuple[tuple[str, str], Answer, str]] = {
    "somebody else in front": (LOGIN, Reply(404, b"<html>"), "answered 404"),
    "a Keycloak that is down": (LOGIN, Reply(503, CLIENT_SECRET.encode()), "answered 503"),
    "a Keycloak that goes down meanwhile": (LIST, Reply(502), "answered 502"),
    "a login that is none": (LOGIN, told({"access_token": ""}), "is no login"),
    "a login of another shape": (LOGIN, told([CLIENT_SECRET]), "not the promised shape"),
    "clients of another shape": (LIST, told([CLIENT_SECRET]), "not the promised shape"),
    "something that is no Keycloak": (LIST, Reply(200, CLIENT_SECRET.encode()), "is no JSON"),
    "an answer that breaks off": (LIST, Reply(200, b"[", promised=9), "could not be reached"),
    "a request that is none": (LIST, told({"error": CLIENT_SECRET}, 400), "answered 400"),
}


@pytest.mark.parametrize(("at", "answer", "says"), UNREADABLE.values(), ids=UNREADABLE)
def test_is_unknown(
    keycloaks: Keycloaks, server: Keycloak, at: tuple[str, str], answer: Answer, says: str
) -> None:
    server.answers(at, answer)
    found = keycloaks.clients(server.realm)
    assert isinstance(found, Unknown)
    assert says in found.why
    assert CLIENT_SECRET not in found.why


def test_a_pause_that_is_asked_for_is_told(keycloaks: Keycloaks, server: Keycloak) -> None:
    server.site.on(CLIENTS_PATH, Reply(503, headers={"Retry-After": "120"}))
    found = keycloaks.clients(server.realm)
    assert isinstance(found, Unknown)
    assert found.delay == timedelta(seconds=120)


@pytest.mark.parametrize("at", [LOGIN, LIST])
def test_a_redirect_is_not_followed_with_what_only_keycloak_may_see(
    keycloaks: Keycloaks, server: Keycloak, ca: trustme.CA, at: tuple[str, str]
) -> None:
    method, path = at
    with sites.running(ca) as elsewhere:
        server.site.on(path, sent_to(f"{elsewhere.origin}{path}", 307), method)
        found = keycloaks.clients(server.realm)
    assert isinstance(found, Unknown)
    assert "answered 307: redirects are not followed" in found.why
    assert elsewhere.asked == []


def test_a_keycloak_that_does_not_answer_is_unknown(keycloaks: Keycloaks, server: Keycloak) -> None:
    found = keycloaks.clients(replace(server.realm, url="https://127.0.0.1:1"))
    assert isinstance(found, Unknown)
    assert "(ConnectionError)" in found.why
    assert OWN_SECRET not in repr(found)


def test_a_keycloak_with_the_certificate_of_a_stranger_gets_no_secret(
    keycloaks: Keycloaks, server: Keycloak
) -> None:
    with sites.running(trustme.CA()) as stranger:
        found = keycloaks.clients(replace(server.realm, url=stranger.origin))
    assert isinstance(found, Unknown)
    assert "(SSLError)" in found.why
    assert stranger.asked == []


@pytest.mark.parametrize("url", ["http://127.0.0.1", "https://auth.ameide.io@127.0.0.1", "127.0.0.1"])
def test_a_secret_goes_over_tls_alone(keycloaks: Keycloaks, server: Keycloak, url: str) -> None:
    found = keycloaks.clients(replace(server.realm, url=url))
    assert isinstance(found, Unknown)
    assert "is no address with https" in found.why
    with pytest.raises(Misconfigured, match="is no address with https"):
        keycloaks.add_redirect_uri(replace(server.realm, url=url), "gitlab", URI)


NO_SECRET = {
    "ARM that does not answer": (
        Vault(Unknown("ARM answered 503")),
        "Key Vault could not be read: ARM answered",
    ),
    "a Key Vault that is gone": (Vault(Absent()), "ARM knows no Key Vault"),
    "a secret that is not there": (
        Vault(trouble=TemporaryError("Key Vault answered 404 SecretNotFound", delay=timedelta(seconds=30))),
        "SecretNotFound",
    ),
}


@pytest.mark.parametrize(("vault", "says"), NO_SECRET.values(), ids=NO_SECRET)
def test_without_its_secret_it_is_unknown(server: Keycloak, vault: Vault, says: str) -> None:
    found = Keycloaks(vault, vault).clients(server.realm)
    assert isinstance(found, Unknown)
    assert says in found.why
    assert server.site.asked == []


# -- adding a redirect URI ------------------------------------------------------------------------------


def test_a_redirect_uri_is_added_to_all_else_that_the_client_is(
    keycloaks: Keycloaks, server: Keycloak
) -> None:
    held = representation("gitlab", OTHER_URI, futureField={"of": ["a", "later", "version"]})
    server.hold(held)
    before = deepcopy(held)
    keycloaks.add_redirect_uri(server.realm, "gitlab", URI)
    assert {**held, "redirectUris": sorted(held["redirectUris"])} == {
        **before,
        "redirectUris": [URI, OTHER_URI],
    }


def test_no_secret_is_written(keycloaks: Keycloaks, server: Keycloak) -> None:
    rotated = {"client.secret.rotated": "**********", "client.secret.creation.time": "1", "login_theme": "a"}
    server.hold(representation("gitlab", attributes=rotated, registrationAccessToken=CLIENT_SECRET))
    keycloaks.add_redirect_uri(server.realm, "gitlab", URI)
    (body,) = server.puts
    assert CLIENT_SECRET not in repr(body)
    assert body["attributes"] == {"login_theme": "a"}
    assert not {"secret", "registrationAccessToken", "access"} & body.keys()


def test_nothing_is_written_where_the_uri_is_accepted_already(keycloaks: Keycloaks, server: Keycloak) -> None:
    server.hold(representation("gitlab", OTHER_URI, URI))
    keycloaks.add_redirect_uri(server.realm, "gitlab", URI)
    assert server.puts == []


def test_a_client_that_is_not_there_gets_nothing(keycloaks: Keycloaks, server: Keycloak) -> None:
    with pytest.raises(NotWritten, match="shows no client gitlab"):
        keycloaks.add_redirect_uri(server.realm, "gitlab", URI)
    assert server.puts == []


def test_a_token_that_ran_out_is_renewed_once_and_the_write_is_made(
    keycloaks: Keycloaks, server: Keycloak
) -> None:
    server.hold(representation("gitlab"))
    listing = server._list

    def list_then_forget(asked: Asked) -> Reply:
        reply = listing(asked)
        if not server.puts:
            server.tokens.clear()
        return reply

    server.site.on(CLIENTS_PATH, list_then_forget)
    keycloaks.add_redirect_uri(server.realm, "gitlab", URI)
    assert server.clients[-1]["redirectUris"] == [URI]
    methods = [one.method for one in server.site.asked]
    assert methods == ["POST", "GET", "PUT", "POST", "PUT", "GET"]


FAILED: dict[str, tuple[Answer, type[ReconvergeError], str]] = {
    "a URI that Keycloak does not take": (
        told({"error": "invalid_input"}, 400),
        PermanentError,
        "400 invalid_input",
    ),
    "another client of that id": (told({"errorMessage": CLIENT_SECRET}, 409), WriteConflict, "answered 409"),
    "a service account that may only look": (
        told({"error": "unknown_error"}, 403),
        NotWritten,
        "the role manage-clients of realm-management",
    ),
    "a token that is not taken for it": (Reply(401), NotWritten, "token that it has just issued"),
    "a client that was deleted meanwhile": (told({"error": "Could not find client"}, 404), NotWritten, "404"),
    "a realm that was deleted meanwhile": (
        told({"error": "Realm not found."}, 404),
        NotWritten,
        "no such realm",
    ),
    "somebody in front who sends it elsewhere": (
        sent_to("https://elsewhere/", 307),
        NotWritten,
        "redirects are not followed",
    ),
}


def failing_at_its_write(server: Keycloak, answer: Answer) -> None:
    server.hold(representation("gitlab"))
    server.site.on(f"{CLIENTS_PATH}/uuid-gitlab", answer, "PUT")


@pytest.mark.parametrize(("answer", "error", "says"), FAILED.values(), ids=FAILED)
def test_a_write_fails_for(
    keycloaks: Keycloaks,
    server: Keycloak,
    answer: Answer,
    error: type[ReconvergeError],
    says: str,
) -> None:
    failing_at_its_write(server, answer)
    with pytest.raises(error, match=says) as raised:
        keycloaks.add_redirect_uri(server.realm, "gitlab", URI)
    assert CLIENT_SECRET not in str(raised.value)
    assert OWN_SECRET not in repr(raised.value.__cause__)


UNCERTAIN: dict[str, tuple[Answer, str]] = {
    "an answer that breaks off": (Reply(200, b"", promised=9), "may have been done"),
    "a Keycloak that goes down meanwhile": (Reply(502), "answered 502"),
    "a Keycloak that took it and forgot it": (Reply(204), "does not show it"),
}


@pytest.mark.parametrize(("answer", "says"), UNCERTAIN.values(), ids=UNCERTAIN)
def test_a_write_may_have_been_done_for_all_that_is_told_by(
    keycloaks: Keycloaks, server: Keycloak, answer: Answer, says: str
) -> None:
    failing_at_its_write(server, answer)
    with pytest.raises(TemporaryError, match=says) as raised:
        keycloaks.add_redirect_uri(server.realm, "gitlab", URI)
    assert not isinstance(raised.value, NotWritten)


NO_LOGIN: dict[str, tuple[Answer, str]] = {
    "refused": (told({"error": "unauthorized_client"}, 401), "does not let client reconverge"),
    "lost": (Reply(200, b"", promised=9), "no usable answer"),
    "none": (told([CLIENT_SECRET]), "not the promised shape"),
}


@pytest.mark.parametrize(("login", "says"), NO_LOGIN.values(), ids=NO_LOGIN)
def test_a_write_whose_token_ran_out_was_not_made_where_another_login_is(
    keycloaks: Keycloaks, server: Keycloak, login: Answer, says: str
) -> None:
    def forget(_: Asked) -> Reply:
        server.answers(LOGIN, login)
        return Reply(401)

    failing_at_its_write(server, forget)
    with pytest.raises(NotWritten, match=says):
        keycloaks.add_redirect_uri(server.realm, "gitlab", URI)


def test_a_read_that_is_refused_after_the_write_does_not_say_that_nothing_was_written(
    keycloaks: Keycloaks, server: Keycloak
) -> None:
    def put(asked: Asked) -> Reply:
        server.answers(LIST, told({"error": "unknown_error"}, 403))
        return server._put(asked)

    failing_at_its_write(server, put)
    with pytest.raises(TemporaryError, match="the role view-clients") as raised:
        keycloaks.add_redirect_uri(server.realm, "gitlab", URI)
    assert not isinstance(raised.value, NotWritten)


def test_a_client_that_could_not_be_read_first_was_not_written(
    keycloaks: Keycloaks, server: Keycloak
) -> None:
    server.site.on(CLIENTS_PATH, Reply(503))
    with pytest.raises(NotWritten, match="503"):
        keycloaks.add_redirect_uri(server.realm, "gitlab", URI)
    assert server.puts == []


MEANWHILE: dict[str, tuple[dict[str, Any], str]] = {
    "switched the client off": ({"enabled": False}, "look at enabled"),
    "added a URI": ({"redirectUris": [URI, OTHER_URI, "https://elsewhere/"]}, "look at redirectUris"),
    "changed an attribute": (
        {"attributes": {"pkce.code.challenge.method": "plain"}},
        "look at attributes",
    ),
    "added a property": ({"newOne": CLIENT_SECRET}, "look at newOne"),
}


@pytest.mark.parametrize(("change", "says"), MEANWHILE.values(), ids=MEANWHILE)
def test_is_told_when_somebody_else_meanwhile(
    keycloaks: Keycloaks, server: Keycloak, change: dict[str, Any], says: str
) -> None:
    held = representation("gitlab", OTHER_URI)
    server.hold(held)

    def put(asked: Asked) -> Reply:
        reply = server._put(asked)
        held.update(change)
        return reply

    server.site.on(f"{CLIENTS_PATH}/uuid-gitlab", put, "PUT")
    with pytest.raises(TemporaryError, match=says) as raised:
        keycloaks.add_redirect_uri(server.realm, "gitlab", URI)
    assert CLIENT_SECRET not in str(raised.value)
