"""What an address answers, asked over TLS without any credentials and never beyond its origin."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

import pytest
import trustme

from shared.clients import web
from shared.clients.web import NoAnswer, Page, Web, origin_of
from shared.errors import PermanentError
from tests.contract.clients import sites
from tests.contract.clients.sites import Asked, Reply, Site, sent_to

pytestmark = pytest.mark.usefixtures("surroundings")


@pytest.fixture
def elsewhere(ca: trustme.CA) -> Iterator[Site]:
    with sites.running(ca) as running:
        yield running


@pytest.mark.parametrize("status", [200, 204, 404, 422, 500, 502, 503])
def test_any_answer_is_a_page(site: Site, status: int) -> None:
    site.on("/users/sign_in", Reply(status, b"" if status == 204 else b"<html>"))
    assert Web().get(site.origin, "/users/sign_in") == Page(status=status)


def test_nothing_goes_along_that_tells_who_asks(site: Site) -> None:
    site.on("/", Reply())
    Web().get(site.origin, "/")
    (asked,) = site.asked
    assert "authorization" not in asked.headers
    assert "cookie" not in asked.headers
    assert "hunter2" not in repr(asked)


def test_a_query_goes_as_it_is_written(site: Site) -> None:
    site.on("/auth", Reply())
    path = "/auth?client_id=gitlab&redirect_uri=https%3A%2F%2Fgitlab.dev.ameide.io%2Fusers%2Fcallback"
    assert Web().get(site.origin, path) == Page(status=200)
    assert site.paths == [path]


# -- redirects ------------------------------------------------------------------------------------------


def test_redirects_are_followed_within_the_origin(site: Site) -> None:
    site.on("/", sent_to("/users/sign_in#top"))
    site.on("/users/sign_in", sent_to(f"{site.origin}/there", 307))
    site.on("/there", Reply(500))
    assert Web().get(site.origin, "/") == Page(status=500)
    assert site.paths == ["/", "/users/sign_in", "/there"]


def test_a_redirect_to_another_origin_is_told_and_not_followed(site: Site, elsewhere: Site) -> None:
    site.on("/", sent_to(f"{elsewhere.origin}/realms/ameide/auth?state=secret"))
    assert Web().get(site.origin, "/") == Page(status=302, redirected_to=elsewhere.origin)
    assert elsewhere.asked == []


ELSEWHERE = {
    "another port": ("https://127.0.0.1:1/x", "https://127.0.0.1:1"),
    "another scheme": ("http://127.0.0.1/x", "http://127.0.0.1"),
    "another host, with the same scheme": ("//Auth.Dev.ameide.io:443/x", "https://auth.dev.ameide.io"),
    "a host behind something that looks like ours": ("https://127.0.0.1@auth.ameide.io/", None),
    "a host behind a backslash": ("https:\\\\auth.ameide.io/", None),
    "a host of two readings": ("https://127.0.0.1\\@auth.ameide.io/", None),
    "an address of an app": ("myapp:open", None),
    "an address that is none": ("https://[", None),
}


@pytest.mark.parametrize(("location", "origin"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_redirect_is_not_followed_to(site: Site, location: str, origin: str | None) -> None:
    site.on("/", sent_to(location))
    assert Web().get(site.origin, "/") == Page(status=302, redirected_to=origin)
    assert len(site.asked) == 1


def test_after_five_redirects_the_last_answer_stands(site: Site) -> None:
    site.on("/", sent_to("/"))
    assert Web().get(site.origin, "/") == Page(status=302, redirected_to=site.origin)
    assert len(site.asked) == 6


def test_cookies_live_for_one_call(site: Site) -> None:
    def page(asked: Asked) -> Reply:
        return Reply() if "cookie" in asked.headers else sent_to("/", Set_Cookie="seen=yes; Secure")

    site.on("/", page)
    for _ in range(2):
        assert Web().get(site.origin, "/") == Page(status=200)
    assert ["cookie" in one.headers for one in site.asked] == [False, True, False, True]


def test_a_redirect_without_an_address_leads_nowhere(site: Site) -> None:
    site.on("/", Reply(302))
    assert Web().get(site.origin, "/") == Page(status=302)


# -- nobody answers -------------------------------------------------------------------------------------


def test_a_port_that_nobody_listens_on_is_refused() -> None:
    assert Web().get("https://127.0.0.1:1", "/") == NoAnswer("refused")


def test_a_host_that_does_not_exist_has_no_name() -> None:
    assert Web().get("https://nobody.invalid", "/") == NoAnswer("name")


def test_a_certificate_of_a_stranger_is_told() -> None:
    with sites.running(trustme.CA()) as stranger:
        assert Web().get(stranger.origin, "/") == NoAnswer("certificate")
        assert stranger.asked == []


def test_a_certificate_for_another_host_is_told(ca: trustme.CA) -> None:
    with sites.running(ca, "auth.ameide.io") as other:
        assert Web().get(other.origin, "/") == NoAnswer("certificate")


def test_an_answer_that_breaks_off_is_none(site: Site) -> None:
    site.on("/", Reply(200, b"<html>", promised=100))
    assert Web().get(site.origin, "/") == NoAnswer("other")


def test_a_large_answer_is_not_read_to_its_end(site: Site) -> None:
    site.on("/", Reply(200, b"x" * (web.LARGEST + 8192), promised=10**9))
    assert Web().get(site.origin, "/") == Page(status=200)


@pytest.mark.parametrize("begins", [b"HTTP/1.1 ", b""], ids=["says something else", "is silent"])
def test_somebody_who_speaks_no_tls_does_not_answer_in_time(
    begins: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "CONNECT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            taken, _ = listening.accept()
            with taken, suppress(OSError):
                taken.sendall(begins)
                taken.recv(4096)
                taken.recv(4096)

        thread = Thread(target=answer, daemon=True)
        thread.start()
        answered = Web().get(f"https://127.0.0.1:{listening.getsockname()[1]}", "/")
        thread.join(timeout=5)
    assert answered == NoAnswer("other" if begins else "timeout")


def test_a_whole_call_has_its_time_however_the_bytes_come(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "TOTAL", 0.5)
    site.on("/", Reply(200, b"x", trickles=True))
    assert Web().get(site.origin, "/") == NoAnswer("timeout")


def test_redirects_share_the_time_of_a_call(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "TOTAL", 0.6)

    def slowly(_: Asked) -> Reply:
        site.stopped.wait(0.25)
        return sent_to("/")

    site.on("/", slowly)
    assert Web().get(site.origin, "/") == NoAnswer("timeout")
    assert len(site.asked) <= 3


# -- what is not asked ----------------------------------------------------------------------------------

ORIGINS = [
    "http://127.0.0.1",
    "https://somebody:hunter2@127.0.0.1",
    "https://127.0.0.1/path",
    "https://127.0.0.1?query",
    "https://127.0.0.1\\@auth.ameide.io",
    "https://",
    "ftp://127.0.0.1",
    "127.0.0.1",
    "",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_no_other_origin_is_asked(origin: str) -> None:
    with pytest.raises(PermanentError, match="is no origin with https"):
        Web().get(origin, "/")


PATHS = [
    "//auth.ameide.io/",
    "/\\auth.ameide.io/",
    "/x@auth.ameide.io",
    "@auth.ameide.io/",
    ".auth.ameide.io/",
    ":1/",
    "",
    "users",
    "/a b",
    "/a\r\nHost: x",
    "/a#b",
    "/ä",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out_of_the_origin(site: Site, path: str) -> None:
    with pytest.raises(PermanentError, match="is no path of"):
        Web().get(site.origin, path)
    assert site.asked == []


SPELLINGS = {
    "https://Auth.Ameide.io:443/x": "https://auth.ameide.io",
    "http://auth.ameide.io:80": "http://auth.ameide.io",
    "https://auth.ameide.io:8443?x": "https://auth.ameide.io:8443",
    "https://a@b": None,
    "javascript:alert(1)": None,
}


@pytest.mark.parametrize(("address", "origin"), SPELLINGS.items())
def test_an_origin_has_one_spelling(address: str, origin: str | None) -> None:
    assert origin_of(address) == origin
