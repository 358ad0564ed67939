"""Keycloak's admin API, through the client that most programs in Python use, and what that would not send."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Thread
from typing import Any

import pytest
import requests
from aiohttp import web
from keycloak import KeycloakAdmin, KeycloakOpenIDConnection
from keycloak.exceptions import (
    KeycloakAuthenticationError,
    KeycloakGetError,
    KeycloakOperationError,
    KeycloakPostError,
    KeycloakPutError,
)

from sandbox.certs import Authority
from sandbox.keycloak import Keycloak
from sandbox.keycloak_http import KeycloakHttp
from sandbox.listening import free_socket, port_of, serve

PASSWORD = "first-admin"
TOKEN = "/realms/{realm}/protocol/openid-connect/token"
CALLBACK = "https://gitlab.dev.ameide.io/users/auth/openid_connect/callback"


def service(client_id: str, *roles: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A client with a service account, and the user that it is."""
    client = {"clientId": client_id, "secret": f"{client_id}-secret", "serviceAccountsEnabled": True}
    return client, {"serviceAccountClientId": client_id, "clientRoles": {"realm-management": list(roles)}}


SERVICES = (
    service("nobody"),
    service("asker", "query-clients"),
    service("viewer", "view-clients"),
    service("manager", "manage-clients"),
    service("master-of-it", "realm-admin"),
)
REALM = {
    "realm": "ameide",
    "enabled": True,
    "clients": [
        {"clientId": "gitlab", "redirectUris": [CALLBACK, "https://gitlab.dev.ameide.io/api/*"]},
        {"clientId": "public", "publicClient": True, "redirectUris": ["http://localhost/*"]},
        {"clientId": "off", "enabled": False},
        *(client for client, _ in SERVICES),
    ],
    "users": [user for _, user in SERVICES],
}


@dataclass
class Served:
    keycloak: Keycloak
    url: str
    ca: str

    def admin(self, client_id: str, realm: str = "ameide", **more: Any) -> KeycloakAdmin:
        connection = KeycloakOpenIDConnection(
            server_url=self.url,
            realm_name="ameide",
            user_realm_name=realm,
            client_id=client_id,
            verify=self.ca,
            **(more or {"client_secret_key": f"{client_id}-secret"}),
        )
        return KeycloakAdmin(connection=connection)

    def first_admin(self, password: str = PASSWORD) -> KeycloakAdmin:
        return self.admin("admin-cli", "master", username="admin", password=password)

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(method, f"{self.url}{path}", verify=self.ca, timeout=10, **options)

    def header(self, client_id: str) -> dict[str, str]:
        """Of a request that the client's service account makes."""
        form = {"grant_type": "client_credentials", "client_id": client_id}
        form["client_secret"] = f"{client_id}-secret"
        token = self.ask("POST", TOKEN.format(realm="ameide"), data=form).json()["access_token"]
        return {"Authorization": f"Bearer {token}"}

    def told(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        answer = self.ask(method, path, **options)
        return answer.status_code, answer.json()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    authority, bound = Authority("keycloak"), free_socket()
    ca = tmp_path_factory.mktemp("keycloak") / "ca.pem"
    ca.write_bytes(authority.pem)
    served = Served(Keycloak("dev", lambda: None), f"https://127.0.0.1:{port_of(bound)}", str(ca))

    async def handle(request: web.Request) -> web.StreamResponse:
        return await KeycloakHttp(served.keycloak).handle(request)

    async def start() -> web.AppRunner:
        app = web.Application()
        app.add_routes([web.route("*", "/{path:.*}", handle)])
        return await serve(app, bound, authority.server_context())

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    yield served

    async def stop() -> None:
        await runner.cleanup()
        # Connections that clients leave open end in the loop, some turns later.
        await asyncio.sleep(0.1)

    asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def served(serving: Served) -> Served:
    """A Keycloak of its own for each test, with that realm."""
    serving.keycloak = Keycloak("dev", lambda: ("admin", PASSWORD))
    assert serving.keycloak.is_up()
    serving.keycloak.create(REALM)
    return serving


# -- logging in -------------------------------------------------------------------------------

SAID = "Invalid client or Invalid client credentials"
REFUSED: dict[str, tuple[dict[str, str], int, dict[str, str]]] = {
    "a client that is not there": (
        {"grant_type": "client_credentials", "client_id": "none", "client_secret": "x"},
        401,
        {"error": "invalid_client", "error_description": SAID},
    ),
    "a client that is switched off": (
        {"grant_type": "client_credentials", "client_id": "off", "client_secret": "x"},
        401,
        {"error": "invalid_client", "error_description": SAID},
    ),
    "another secret": (
        {"grant_type": "client_credentials", "client_id": "viewer", "client_secret": "x"},
        401,
        {"error": "unauthorized_client", "error_description": SAID},
    ),
    "a public client": (
        {"grant_type": "client_credentials", "client_id": "public"},
        401,
        {
            "error": "unauthorized_client",
            "error_description": "Public client not allowed to retrieve service account",
        },
    ),
    "a user whom nobody knows": (
        {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": PASSWORD},
        401,
        {"error": "invalid_grant", "error_description": "Invalid user credentials"},
    ),
    "a client that takes no passwords": (
        {
            "grant_type": "password",
            "client_id": "viewer",
            "client_secret": "viewer-secret",
            "username": "admin",
            "password": PASSWORD,
        },
        400,
        {
            "error": "unauthorized_client",
            "error_description": "Client not allowed for direct access grants",
        },
    ),
    "another grant": (
        {"grant_type": "magic", "client_id": "viewer", "client_secret": "viewer-secret"},
        400,
        {"error": "unsupported_grant_type", "error_description": "Unsupported grant_type"},
    ),
    "no grant": (
        {"client_id": "viewer"},
        400,
        {"error": "invalid_request", "error_description": "Missing form parameter: grant_type"},
    ),
}


@pytest.mark.parametrize(("form", "status", "body"), REFUSED.values(), ids=REFUSED)
def test_a_login_is_refused(served: Served, form: dict[str, str], status: int, body: dict[str, str]) -> None:
    assert served.told("POST", TOKEN.format(realm="ameide"), data=form) == (status, body)


def test_a_secret_may_stand_in_a_header_too(served: Served) -> None:
    answer = served.ask(
        "POST",
        TOKEN.format(realm="ameide"),
        data={"grant_type": "client_credentials"},
        auth=("viewer", "viewer-secret"),
    )
    assert answer.status_code == 200
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 300)


def test_a_realm_that_is_not_there_has_no_address(served: Served) -> None:
    form = {"grant_type": "client_credentials", "client_id": "viewer"}
    missing = (404, {"error": "Realm does not exist"})
    assert served.told("POST", TOKEN.format(realm="other"), data=form) == missing
    assert served.told("GET", "/realms/other") == missing
    assert served.told("GET", "/realms/other/.well-known/openid-configuration") == missing


def test_the_first_admin_is_the_one_that_there_was_first(served: Served) -> None:
    assert served.first_admin().get_client_id("gitlab")
    served.keycloak._first_admin = lambda: ("admin", "another")
    with pytest.raises(KeycloakAuthenticationError) as refused:
        served.first_admin("another").get_clients()
    assert b"invalid_grant" in (refused.value.response_body or b"")
    assert served.first_admin().get_clients()


def test_keycloak_is_not_up_without_its_first_admin(serving: Served) -> None:
    serving.keycloak = Keycloak("dev", lambda: None)
    assert serving.ask("GET", "/realms/master").status_code == 503


def test_a_realm_tells_where_its_endpoints_are(served: Served) -> None:
    told = served.ask("GET", "/realms/ameide/.well-known/openid-configuration").json()
    assert told["issuer"] == f"{served.url}/realms/ameide"
    assert told["token_endpoint"] == f"{served.url}{TOKEN.format(realm='ameide')}"


# -- who may what -----------------------------------------------------------------------------


def uuid_of(served: Served, client_id: str) -> str:
    client = served.keycloak.realms["ameide"].find(client_id)
    assert client is not None
    return str(client["id"])


CALLS: dict[str, Callable[[KeycloakAdmin, str], Any]] = {
    "list clients": lambda admin, _: admin.get_clients(),
    "look at a client": lambda admin, uuid: admin.get_client(uuid),
    "read a secret": lambda admin, uuid: admin.get_client_secrets(uuid),
    "regenerate a secret": lambda admin, uuid: admin.generate_client_secrets(uuid),
    "change a client": lambda admin, uuid: admin.update_client(uuid, {"description": "x"}),
    "create a client": lambda admin, _: admin.create_client({"clientId": "new"}),
    "delete a client": lambda admin, uuid: admin.delete_client(uuid),
}
READING = ("list clients", "look at a client")
MAY: dict[str, tuple[str, ...]] = {
    "nobody": (),
    "asker": ("list clients",),
    "viewer": READING,
    "manager": tuple(CALLS),
    "master-of-it": tuple(CALLS),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("who", MAY)
def test_roles_decide(served: Served, who: str, call: str) -> None:
    admin, uuid = served.admin(who), uuid_of(served, "gitlab")
    if call in MAY[who]:
        CALLS[call](admin, uuid)
        return
    with pytest.raises(KeycloakOperationError) as refused:
        CALLS[call](admin, uuid)
    assert refused.value.response_code == 403
    assert b"unknown_error" in (refused.value.response_body or b"")


def test_a_token_of_another_realm_counts_for_nothing(served: Served) -> None:
    served.keycloak.create({**REALM, "realm": "other"})
    connection = KeycloakOpenIDConnection(
        server_url=served.url,
        realm_name="ameide",
        user_realm_name="other",
        client_id="manager",
        client_secret_key="manager-secret",
        verify=served.ca,
    )
    with pytest.raises(KeycloakGetError) as refused:
        KeycloakAdmin(connection=connection).get_clients()
    assert refused.value.response_code == 403


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x.y.z"}], ids=["none", "not one of ours"])
def test_without_a_token_nobody_is_answered(served: Served, header: dict[str, str]) -> None:
    told = served.told("GET", "/admin/realms/ameide/clients", headers=header)
    assert told == (401, {"error": "HTTP 401 Unauthorized"})


def test_only_who_may_manage_is_shown_a_secret(served: Served) -> None:
    uuid = uuid_of(served, "gitlab")
    held = served.keycloak.realms["ameide"].clients[uuid]["secret"]
    assert "secret" not in served.admin("viewer").get_client(uuid)
    assert not [one for one in served.admin("viewer").get_clients() if "secret" in one]
    manager = served.admin("manager")
    assert manager.get_client(uuid)["secret"] == held
    assert manager.get_client_secrets(uuid) == {"type": "secret", "value": held}
    fresh = manager.generate_client_secrets(uuid)["value"]
    assert fresh != held
    assert manager.get_client_secrets(uuid)["value"] == fresh


def test_who_may_only_ask_is_shown_none(served: Served) -> None:
    assert served.admin("asker").get_clients() == []


# -- clients ----------------------------------------------------------------------------------


def test_a_client_is_found_by_its_id_and_an_empty_list_means_there_is_none(served: Served) -> None:
    admin = served.admin("viewer")
    assert admin.get_client_id("gitlab") == uuid_of(served, "gitlab")
    assert admin.get_client_id("gitla") is None
    header = served.header("viewer")
    path = "/admin/realms/ameide/clients"
    assert served.ask("GET", f"{path}?clientId=none", headers=header).json() == []
    found = served.ask("GET", f"{path}?clientId=ITLA&search=true", headers=header).json()
    assert [one["clientId"] for one in found] == ["gitlab"]


def test_pages_follow_each_other_until_one_is_empty(served: Served) -> None:
    header = served.header("viewer")
    seen: list[str] = []
    while True:
        asked = {"first": len(seen), "max": 4}
        page = served.ask("GET", "/admin/realms/ameide/clients", params=asked, headers=header).json()
        if not page:
            break
        assert len(page) <= 4
        seen += [one["clientId"] for one in page]
    assert seen == sorted(one["clientId"] for one in served.admin("viewer").get_clients())
    assert len(seen) == len(set(seen)) == 13


def test_a_client_that_is_not_there_is_told_to_whom_may_look(served: Served) -> None:
    with pytest.raises(KeycloakGetError) as missing:
        served.admin("viewer").get_client("none")
    assert (missing.value.response_code, missing.value.response_body) == (
        404,
        b'{"error": "Could not find client"}',
    )
    with pytest.raises(KeycloakGetError) as refused:
        served.admin("nobody").get_client("none")
    assert refused.value.response_code == 403


def test_what_is_read_and_written_back_changes_nothing_else(served: Served) -> None:
    admin, uuid = served.admin("manager"), uuid_of(served, "gitlab")
    before = admin.get_client(uuid)
    uris = [*before["redirectUris"], "https://gitlab.ameide.io/x"]
    admin.update_client(uuid, {**before, "redirectUris": uris})
    assert admin.get_client(uuid) == {**before, "redirectUris": uris}
    admin.update_client(uuid, {"description": "only this"})
    assert admin.get_client(uuid) == {**before, "redirectUris": uris, "description": "only this"}


INVALID = {
    "a fragment": ("https://x/#y", b"Redirect URIs must not contain an URI fragment"),
    "a star in the middle": ("https://*/x", b"A redirect URI is not a valid URI"),
}


@pytest.mark.parametrize(("uri", "said"), INVALID.values(), ids=INVALID)
def test_a_redirect_uri_that_is_none_is_refused(served: Served, uri: str, said: bytes) -> None:
    with pytest.raises(KeycloakPutError) as refused:
        served.admin("manager").update_client(uuid_of(served, "gitlab"), {"redirectUris": [uri]})
    assert refused.value.response_code == 400
    assert said in (refused.value.response_body or b"")


def test_a_client_is_created_once(served: Served) -> None:
    admin = served.admin("manager")
    uuid = admin.create_client({"clientId": "new", "redirectUris": [CALLBACK]})
    assert admin.get_client(uuid)["redirectUris"] == [CALLBACK]
    assert admin.get_client_secrets(uuid)["value"]
    with pytest.raises(KeycloakPostError) as twice:
        admin.create_client({"clientId": "new"})
    assert twice.value.response_code == 409
    assert admin.create_client({"clientId": "new"}, skip_exists=True) == uuid
    with pytest.raises(KeycloakPutError) as taken:
        admin.update_client(uuid, {"clientId": "gitlab"})
    assert taken.value.response_code == 409


# -- the login page ---------------------------------------------------------------------------

PAGES = {
    "a redirect URI of the client": ("gitlab", CALLBACK, 200, "Sign in to your account"),
    "what a star stands for": ("gitlab", "https://gitlab.dev.ameide.io/api/v4?x=1", 200, "Sign in"),
    "another one": ("gitlab", f"{CALLBACK}/", 400, "Invalid parameter: redirect_uri"),
    "none": ("gitlab", "", 400, "Invalid parameter: redirect_uri"),
    "a client that is not there": ("none", CALLBACK, 400, "Client not found."),
    "a client that is switched off": ("off", CALLBACK, 400, "Client disabled."),
}


@pytest.mark.parametrize(("client", "redirect", "status", "said"), PAGES.values(), ids=PAGES)
def test_the_login_page_judges_who_sends_one_there(
    served: Served, client: str, redirect: str, status: int, said: str
) -> None:
    asked = {"client_id": client, "redirect_uri": redirect, "response_type": "code"}
    page = served.ask("GET", "/realms/ameide/protocol/openid-connect/auth", params=asked)
    assert page.status_code == status
    assert page.headers["Content-Type"].startswith("text/html")
    assert said in page.text
