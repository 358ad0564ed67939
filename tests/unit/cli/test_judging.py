"""What the judge makes of web pages and Secrets. All of it before a running cloud: tests/drill."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.judging.asking import Cluster, NotKnown, Operator, Outside
from cli.judging.gitlab import PageIsShown
from cli.judging.keycloak import LoginIsOffered, SecretsAreThere
from cli.judging.verdict import Answer

CALLBACK = "https://gitlab.dev.ameide.io/users/auth/openid_connect/callback"
REFUSED = "<p>Invalid parameter: redirect_uri</p>"
VALUE = "dGhlIHZhbHVl"


@dataclass
class Web:
    """Answers each path, or anything else, with what it was given."""

    url: str = ""
    says: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, str]:
        self.asked.append(path)
        return self.says.get(urlsplit(path).path) or self.says.get("*", (404, ""))


@pytest.fixture
def web() -> Iterator[Web]:
    served = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = served.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", "https://elsewhere.invalid/")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


def outside(server: str = "http://127.0.0.1:9") -> Outside:
    operator = Operator(
        arm="",
        authority="",
        tenant="",
        client_id="",
        secret="",
        ca="",
        kubeconfig=Path(),
        github="",
        github_token="",
        vault_tokens={},
    )
    return Outside(operator, {"ameide": Cluster(server, "", "token")})


def login(url: str, *uris: str) -> LoginIsOffered:
    return LoginIsOffered(
        environment="dev",
        cluster="ameide",
        url=url,
        realm="ameide",
        client="gitlab",
        redirect_uris=uris or (CALLBACK,),
    )


def page(url: str) -> PageIsShown:
    return PageIsShown(
        environment="dev", cluster="ameide", url=url, page="/users/sign_in", release="platform-gitlab"
    )


LOGIN: dict[str, tuple[int, str, Answer, str]] = {
    "a login page": (200, "<form>Sign in</form>", Answer.HOLDS, "login page"),
    "a redirect URI that it does not have": (400, REFUSED, Answer.FAILS, "400 redirect_uri"),
    "a refusal that is answered 200": (200, REFUSED, Answer.FAILS, "200 redirect_uri"),
    "a client that it does not have": (400, "Client not found.", Answer.FAILS, "400 client not found"),
    "a realm that it does not have": (404, "Realm does not exist", Answer.FAILS, "404 and no login page"),
    "nobody behind the gateway": (503, "", Answer.FAILS, "not up (503)"),
    "a way on to somewhere else": (302, "", Answer.FAILS, "302 and no login page"),
}


@pytest.mark.parametrize(("status", "body", "answer", "says"), LOGIN.values(), ids=LOGIN)
def test_a_login_is_offered_when_keycloak_shows_its_page(
    web: Web, status: int, body: str, answer: Answer, says: str
) -> None:
    web.says["*"] = status, body
    verdict = login(web.url).judge(outside())
    assert (verdict.answer, verdict.says) == (answer, says)


def test_keycloak_is_asked_as_a_client_asks(web: Web) -> None:
    web.says["*"] = 200, ""
    login(web.url, "https://app.dev.ameide.io/*").judge(outside())
    (asked,) = web.asked
    assert urlsplit(asked).path == "/realms/ameide/protocol/openid-connect/auth"
    assert parse_qs(urlsplit(asked).query) == {
        "client_id": ["gitlab"],
        "redirect_uri": ["https://app.dev.ameide.io/"],
        "response_type": ["code"],
        "scope": ["openid"],
    }


def test_one_redirect_uri_that_is_refused_is_enough(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "answer", lambda path: (400, REFUSED) if "second" in path else (200, ""))
    verdict = login(web.url, "https://first/", "https://second/").judge(outside())
    assert str(verdict) == "400 redirect_uri"


PAGES: dict[str, tuple[int, Answer]] = {
    "it is shown": (200, Answer.HOLDS),
    "it leads on": (302, Answer.HOLDS),
    "it has an error": (500, Answer.FAILS),
    "nobody is behind the gateway": (502, Answer.FAILS),
}


@pytest.mark.parametrize(("status", "answer"), PAGES.values(), ids=PAGES)
def test_a_page_is_shown_when_it_is_no_error_of_the_servers(web: Web, status: int, answer: Answer) -> None:
    web.says["/users/sign_in"] = status, "Whoops"
    verdict = page(web.url).judge(outside())
    assert (verdict.answer, verdict.says) == (answer, str(status))
    assert web.asked == ["/users/sign_in"]


@pytest.mark.parametrize("claim", [login("http://127.0.0.1:9"), page("http://127.0.0.1:9")])
def test_what_nobody_listens_at_is_not_up(claim: LoginIsOffered | PageIsShown) -> None:
    verdict = claim.judge(outside())
    assert (verdict.answer, verdict.says) == (Answer.FAILS, "not up")


def secret(**data: str) -> tuple[int, str]:
    return 200, json.dumps({"data": data})


SECRETS: dict[str, tuple[tuple[int, str], bool]] = {
    "its declared key is not empty": (secret(client=VALUE), True),
    "its declared key is empty": (secret(client="", other=VALUE), False),
    "its declared key is missing": (secret(other=VALUE), False),
    "it holds nothing": ((200, "{}"), False),
    "it is not there": ((404, "{}"), False),
}


@pytest.mark.parametrize(("answer", "there"), SECRETS.values(), ids=SECRETS)
def test_a_secret_is_there_when(web: Web, answer: tuple[int, str], there: bool) -> None:
    assert judged(web, {"oidc": {"client": "gitlab"}}, answer) == f"{int(there)} of 1 there"


WHOLE: dict[str, tuple[tuple[int, str], bool]] = {
    "something is in it": (secret(one=VALUE), True),
    "a part of it is empty": (secret(one=VALUE, other=""), False),
    "it holds nothing": (secret(), False),
}


@pytest.mark.parametrize(("answer", "there"), WHOLE.values(), ids=WHOLE)
def test_a_secret_of_which_no_key_is_declared_is_there_when(
    web: Web, answer: tuple[int, str], there: bool
) -> None:
    assert judged(web, {"oidc": {}}, answer) == f"{int(there)} of 1 there"


def test_secrets_that_may_not_be_read_tell_nothing(web: Web) -> None:
    with pytest.raises(NotKnown, match="Kubernetes answered 403"):
        judged(web, {"oidc": {}}, (403, "{}"))


def judged(web: Web, declared: dict[str, dict[str, str]], answer: tuple[int, str]) -> str:
    web.says["/api/v1/namespaces/ameide-dev/secrets/oidc"] = answer
    claim = SecretsAreThere(environment="dev", cluster="ameide", namespace="ameide-dev", declared=declared)
    verdict = claim.judge(outside(web.url))
    assert VALUE not in str(verdict)
    return str(verdict)
