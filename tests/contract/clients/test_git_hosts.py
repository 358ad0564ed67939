"""Whom the probe asks, and who it is there: each credential goes to its own host and to no other."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sandbox.certs import Authority
from shared.clients.git_remotes import GitRemotes, Standing
from shared.model import Absent, Known, Unknown
from shared.settings import GitCredential, Settings
from tests.contract.clients import git_server
from tests.contract.clients.git_server import NEVER, GitServer, basic

TOKEN = "ghs_token"
GITHUB = "https://github.com/o/r.git"
PASSWORD = "hunter2-the-password"
MARKS = ("hunter2", TOKEN)


@dataclass(frozen=True, slots=True)
class Servers:
    github: GitServer
    ours: GitServer
    """Has a credential in the settings."""
    other: GitServer
    """Has none."""

    @property
    def all(self) -> tuple[GitServer, ...]:
        return (self.github, self.ours, self.other)

    def remotes(self) -> GitRemotes:
        given = Settings.from_environment({})
        return GitRemotes(
            replace(
                given,
                github_url=f"https://{self.github.host}",
                github_token=TOKEN,
                git_credentials={self.ours.host: GitCredential("me", PASSWORD)},
            )
        )

    def seen(self, server: GitServer) -> set[str | None]:
        """How we named ourselves there."""
        return {one.authorization for one in server.asked}


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    authority = Authority("git servers")
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with ExitStack() as stack:
        github, ours, other = (
            stack.enter_context(git_server.running(tmp_path / name, authority.server_context()))
            for name in ("github", "ours", "other")
        )
        for server in (github, ours, other):
            server.repository("o/r").commit({"a": b"a"})
        github.credential = ("x-access-token", TOKEN)
        ours.credential = ("me", PASSWORD)
        yield Servers(github, ours, other)


def why(found: object) -> str:
    assert isinstance(found, Unknown), found
    assert not any(mark in found.why for mark in MARKS)
    return found.why


def test_each_host_is_told_its_own_credential_and_no_other(servers: Servers) -> None:
    client = servers.remotes()
    for url in (GITHUB, servers.ours.url("o/r"), f"https://{servers.github.host}/o/r"):
        refs = client.refs(url)
        assert isinstance(refs, Known), refs
        assert client.standing(url, NEVER, refs.value) == Absent()
        assert isinstance(client.snapshot(url, "main"), Known)
    assert isinstance(client.refs(servers.other.url("o/r"), parent=servers.other.url("o/p")), Known)
    assert servers.seen(servers.github) == {basic("x-access-token", TOKEN)}
    assert servers.seen(servers.ours) == {basic("me", PASSWORD)}
    assert servers.seen(servers.other) == {None}


def test_a_host_that_nobody_named_is_not_asked(servers: Servers) -> None:
    client = servers.remotes()
    url = servers.other.url("o/r")
    said = why(client.refs(url))
    assert said == (
        f"{servers.other.host} is not a host that may be asked: it is neither GitHub nor the declared "
        "repository's. Write a user name and a password for it into RECONVERGE_GIT_CREDENTIALS"
    )
    assert why(client.snapshot(url, "main", parent=servers.ours.url("o/p"))) == said
    assert servers.other.asked == []


NOT_ASKED = {
    "another scheme": "git@github.com:o/r.git",
    "plain http": "http://github.com/o/r.git",
    "this computer": "file:///etc/passwd",
    "an address within": "https://169.254.169.254/metadata/r",
    "a host that begins alike": "https://github.com.evil.example/o/r.git",
    "a host behind a user name": "https://github.com@evil.example/o/r.git",
    "GitHub at another port": "https://github.com:8443/o/r.git",
    "no repository of GitHub": "https://github.com/o/r/../../secret",
    "a path that climbs": "https://{ours}/o/%2e%2e/r",
    "a query": "https://{ours}/o/r?service=git-receive-pack",
    "two lines": "https://{ours}/o/r\nHost: evil",
}


@pytest.mark.parametrize("url", NOT_ASKED.values(), ids=NOT_ASKED)
def test_what_is_no_repository_of_a_known_host_is_not_asked(servers: Servers, url: str) -> None:
    assert why(servers.remotes().refs(url.replace("{ours}", servers.ours.host)))
    assert [server.asked for server in servers.all] == [[], [], []]


def test_github_is_asked_as_github_only_whoever_names_it(servers: Servers) -> None:
    """Its address in the settings stands for https://github.com, which itself may be another one."""
    for url in ("https://github.com/o/r/wiki", f"https://{servers.github.host}/o"):
        said = why(servers.remotes().refs(url, parent=url))
        assert said == ("its address is no repository of GitHub: write https://github.com/<owner>/<name>.git")
    assert servers.github.asked == []


def test_a_password_in_an_address_is_neither_used_nor_told(servers: Servers) -> None:
    client = servers.remotes()
    url = servers.ours.url("o/r").replace("://", "://them:hunter2-in-the-address@")
    assert isinstance(client.refs(url), Known)
    assert servers.seen(servers.ours) == {basic("me", PASSWORD)}
    missing = servers.ours.url("o/none").replace("://", "://them:hunter2-in-the-address@")
    assert "404" in why(client.refs(missing))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_renamed_repository_is_found_under_its_new_name(servers: Servers, status: int) -> None:
    where = f"https://{servers.github.host}/o/new.git/info/refs?service=git-upload-pack"
    commit = servers.github.repository("o/new").commit({"a": b"renamed"})
    servers.github.laid["GET /o/r.git/info/refs"] = (status, {"Location": where}, b"")
    client = servers.remotes()
    refs = client.refs(GITHUB)
    assert isinstance(refs, Known)
    assert refs.value.heads_and_tags == {"refs/heads/main": commit}
    assert client.standing(GITHUB, NEVER, refs.value) == Absent()
    assert {one.path for one in servers.github.posts} == {"/o/new.git/git-upload-pack"}


def test_a_redirect_to_another_host_is_not_followed(servers: Servers) -> None:
    for where in (servers.other.host, f"me@{servers.github.host}"):
        target = f"https://{where}/o/r.git/info/refs?service=git-upload-pack"
        servers.github.laid["GET /o/r.git/info/refs"] = (301, {"Location": target}, b"")
        assert "sends elsewhere: write the address" in why(servers.remotes().refs(GITHUB))
    assert servers.other.asked == []


REDIRECTS = {
    "to plain http": "http://{github}/o/r.git/info/refs?service=git-upload-pack",
    "to what is no repository": "https://{github}/login?to=r",
}


@pytest.mark.parametrize("target", REDIRECTS.values(), ids=REDIRECTS)
def test_a_redirect_that_git_would_not_follow_is_not_followed(servers: Servers, target: str) -> None:
    target = target.replace("{github}", servers.github.host)
    servers.github.laid["GET /o/r.git/info/refs"] = (302, {"Location": target}, b"")
    assert "sends elsewhere" in why(servers.remotes().refs(GITHUB))
    assert len(servers.github.asked) == 1


@pytest.mark.parametrize("target", ["https://[", "https://{github}]x/"])
def test_a_redirect_to_what_is_no_address_is_not_followed(servers: Servers, target: str) -> None:
    target = target.replace("{github}", servers.github.host)
    servers.github.laid["GET /o/r.git/info/refs"] = (302, {"Location": target}, b"")
    assert why(servers.remotes().refs(GITHUB)) == f"{servers.github.host} sends to what is no address"
    assert len(servers.github.asked) == 1


def test_a_circle_of_redirects_ends(servers: Servers) -> None:
    where = "/o/r.git/info/refs?service=git-upload-pack"
    servers.github.laid["GET /o/r.git/info/refs"] = (302, {"Location": where}, b"")
    assert "from one address to the next" in why(servers.remotes().refs(GITHUB))


def test_a_credential_that_is_refused_is_named_by_its_setting(servers: Servers) -> None:
    servers.github.credential = ("x-access-token", "another")
    servers.ours.credential = ("me", "another")
    client = servers.remotes()
    github = why(client.refs(GITHUB))
    assert "401: the credential of RECONVERGE_GITHUB_TOKEN is missing, or not valid" in github
    ours = why(client.refs(servers.ours.url("o/r")))
    assert "401: the credential of RECONVERGE_GIT_CREDENTIALS is missing, or not valid" in ours


def test_what_a_host_wants_remembered_is_not_sent_to_it_again(servers: Servers) -> None:
    servers.ours.laid["GET /o/r.git/info/refs"] = (200, {"Set-Cookie": "a=b"}, b"")
    client = servers.remotes()
    client.refs(servers.ours.url("o/r"))
    del servers.ours.laid["GET /o/r.git/info/refs"]
    assert isinstance(client.refs(servers.ours.url("o/r")), Known)
    assert [one.cookie for one in servers.ours.asked] == [None] * 3


def test_what_this_computer_knows_of_a_host_is_not_sent_to_it(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login somebody password {PASSWORD}\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    url = servers.other.url("o/r")
    assert isinstance(servers.remotes().refs(url, parent=url), Known)
    assert servers.seen(servers.other) == {None}


def test_a_host_whose_certificate_nobody_vouches_for_is_told_nothing(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.pem").write_bytes(Authority("somebody else").pem)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
    assert why(servers.remotes().refs(GITHUB)) == f"{servers.github.host} gave no usable answer (SSLError)"
    assert servers.github.asked == []


def test_a_submodule_on_the_declared_repository_s_host_may_be_asked(servers: Servers) -> None:
    client = servers.remotes()
    parent, url = servers.other.url("o/parent"), servers.other.url("o/r")
    refs = client.refs(url, parent=parent)
    assert isinstance(refs, Known)
    tip = refs.value.heads_and_tags["refs/heads/main"]
    assert client.standing(url, tip, refs.value, parent=parent) == Known(Standing.REFERENCED)
