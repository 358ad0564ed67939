"""How a commit stands, as real Git servers tell it: absent is only what they can say of nothing else."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from shared.clients.git_remotes import GitRemotes, Refs, Standing
from shared.model import Absent, Known, Read, Unknown
from shared.settings import Settings
from tests.contract.clients import git_server
from tests.contract.clients.git_server import ADVERTISED, NEVER, RESULT, GitServer, Repository, pkt

URL = "https://github.com/o/r.git"
POST = "POST /o/r.git/git-upload-pack"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with git_server.running(tmp_path, None) as running:
        yield running


@pytest.fixture
def repository(server: GitServer) -> Repository:
    return server.repository("o/r")


@dataclass(frozen=True, slots=True)
class History:
    repository: Repository
    ids: Mapping[str, str]
    """Of objects by name."""

    def __getitem__(self, name: str) -> str:
        return self.ids[name]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> History:
    return with_history(GitServer(tmp_path_factory.mktemp("template")).repository("o/r"))


@pytest.fixture
def made(repository: Repository, template: History) -> History:
    """The repository with a history."""
    shutil.copytree(template.repository.where, repository.where, dirs_exist_ok=True)
    return History(repository, template.ids)


def remotes(server: GitServer) -> GitRemotes:
    given = f"{server.scheme}://{server.host}"
    return GitRemotes(replace(Settings.from_environment({}), github_url=given))


def refs(server: GitServer) -> Refs:
    found = remotes(server).refs(URL)
    assert isinstance(found, Known), found
    return found.value


def standing(server: GitServer, commit: str) -> Read[Standing]:
    """One look: the refs, then the commit."""
    return remotes(server).standing(URL, commit, refs(server))


def with_history(repository: Repository) -> History:
    """Four commits on main, a branch, tags of both kinds, and a commit that a deleted branch left behind."""
    line = ("root", "middle", "inner", "tip")
    made = {name: repository.commit({"a": name.encode(), "d/b": b"b"}) for name in line}
    repository.git("tag", "light", made["root"])
    repository.git("tag", "-a", "v1", "-m", "v1", made["middle"])
    made["side"] = repository.commit({"c": b"c"}, on="side")
    made["tagged"] = repository.commit({"e": b"e"}, on=None)
    repository.git("tag", "-a", "only", "-m", "only", made["tagged"])
    made["loose"] = repository.commit({"f": b"f"}, on=None)
    made["tag"] = repository.git("rev-parse", "v1")
    made["tree"] = repository.git("rev-parse", f"{made['loose']}^{{tree}}")
    made["blob"] = repository.git("rev-parse", f"{made['loose']}:f")
    return History(repository, made)


# -- refs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("speaks", [2, 0])
def test_refs_are_branches_and_tags_with_what_they_lead_to(
    server: GitServer, made: History, speaks: int
) -> None:
    made.repository.git("update-ref", "refs/pull/1/head", made["loose"])
    server.speaks = speaks
    found = refs(server)
    assert found.heads_and_tags == {
        "refs/heads/main": made["tip"],
        "refs/heads/side": made["side"],
        "refs/tags/light": made["root"],
        "refs/tags/v1": made["middle"],
        "refs/tags/only": made["tagged"],
    }
    assert found.object_format == "sha1"
    assert len(server.asked) == (2 if speaks == 2 else 1)


@pytest.mark.parametrize("speaks", [2, 0])
def test_an_empty_repository_has_no_refs(server: GitServer, repository: Repository, speaks: int) -> None:
    assert repository
    server.speaks = speaks
    assert refs(server).heads_and_tags == {}


# -- standing -------------------------------------------------------------------------------------

STANDINGS: dict[str, Standing] = {
    "tip": Standing.REFERENCED,
    "inner": Standing.REFERENCED,
    "root": Standing.REFERENCED,
    "side": Standing.REFERENCED,
    "tagged": Standing.REFERENCED,
    "loose": Standing.UNREFERENCED,
}


@pytest.mark.parametrize("filters", ["true", "false"])
@pytest.mark.parametrize(("name", "stands"), STANDINGS.items(), ids=STANDINGS)
def test_a_commit_that_the_server_gives_is_referenced_where_a_branch_or_a_tag_leads_to_it(
    server: GitServer, made: History, name: str, stands: Standing, filters: str
) -> None:
    made.repository.git("config", "uploadpack.allowFilter", filters)
    assert standing(server, made[name]) == Known(stands)


def test_the_tip_of_a_branch_takes_no_request_and_what_it_leads_to_takes_one(
    server: GitServer, made: History
) -> None:
    found = refs(server)
    for name, requests in {"tip": 0, "tagged": 0, "inner": 1, "loose": 2}.items():
        server.asked.clear()
        remotes(server).standing(URL, made[name], found)
        assert (name, len(server.asked)) == (name, requests)


@pytest.mark.usefixtures("made")
def test_a_commit_that_is_not_there_is_absent(server: GitServer) -> None:
    assert standing(server, NEVER) == Absent()


def test_a_commit_that_is_gone_is_absent_and_there_again_with_a_branch(
    server: GitServer, made: History
) -> None:
    path = made.repository.where / "objects" / made["loose"][:2] / made["loose"][2:]
    path.rename(aside := made.repository.where / "aside")
    assert standing(server, made["loose"]) == Absent()
    aside.rename(path)
    made.repository.git("update-ref", "refs/heads/gitops-pin/1234567", made["loose"])
    assert standing(server, made["loose"]) == Known(Standing.REFERENCED)


def test_in_an_empty_repository_every_commit_is_absent(server: GitServer, repository: Repository) -> None:
    assert repository
    assert standing(server, NEVER) == Absent()


def test_a_commit_that_only_a_hidden_ref_leads_to_is_not_referenced(server: GitServer, made: History) -> None:
    made.repository.git("update-ref", "refs/heads/secret/x", made["loose"])
    made.repository.git("config", "uploadpack.hideRefs", "refs/heads/secret")
    assert standing(server, made["loose"]) == Known(Standing.UNREFERENCED)


def test_thousands_of_refs_are_told_and_answered(server: GitServer, made: History) -> None:
    lines = [f"create refs/tags/t{number} {made['root']}\n" for number in range(5000)]
    tree = made.repository.git("rev-parse", f"{made['tip']}^{{tree}}")
    import_ = "".join(
        f"commit refs/heads/b{number}\ncommitter t <t> {number} +0000\ndata 1\nx\nM 040000 {tree} \n\n"
        for number in range(3000)
    )
    made.repository.git("update-ref", "--stdin", given="".join(lines).encode())
    made.repository.git("fast-import", "--quiet", given=import_.encode())
    found = refs(server)
    assert len(found.heads_and_tags) == 8005
    client = remotes(server)
    assert client.standing(URL, made["inner"], found) == Known(Standing.REFERENCED)
    assert client.standing(URL, made["loose"], found) == Known(Standing.UNREFERENCED)
    assert client.standing(URL, NEVER, found) == Absent()


@pytest.mark.parametrize(("name", "kind"), [("tree", "tree"), ("blob", "blob"), ("tag", "tag")])
@pytest.mark.parametrize("filters", ["true", "false"])
def test_what_is_no_commit_is_neither_referenced_nor_absent(
    server: GitServer, made: History, name: str, kind: str, filters: str
) -> None:
    made.repository.git("config", "uploadpack.allowFilter", filters)
    found = standing(server, made[name])
    assert isinstance(found, Unknown)
    assert found.why.startswith(f"what has this id is no commit, but a {kind}")


def test_a_server_that_filters_but_not_trees_is_asked_without(server: GitServer, made: History) -> None:
    made.repository.git("config", "uploadpackfilter.tree.allow", "false")
    assert standing(server, made["inner"]) == Known(Standing.REFERENCED)
    assert standing(server, made["loose"]) == Known(Standing.UNREFERENCED)
    assert standing(server, NEVER) == Absent()


def test_a_repository_with_bitmaps_is_answered_alike(server: GitServer, made: History) -> None:
    made.repository.git("repack", "-adbkq")
    assert list((made.repository.where / "objects" / "pack").glob("*.bitmap"))
    assert standing(server, made["inner"]) == Known(Standing.REFERENCED)
    assert standing(server, made["loose"]) == Known(Standing.UNREFERENCED)
    assert standing(server, NEVER) == Absent()


@pytest.mark.parametrize("speaks", [2, 0])
def test_ids_of_64_digits_are_asked_for_in_repositories_of_sha256(server: GitServer, speaks: int) -> None:
    repository = server.repository("o/r", object_format="sha256")
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    made = with_history(repository)
    server.speaks = speaks
    assert refs(server).object_format == "sha256"
    assert len(made["loose"]) == 64
    assert standing(server, made["inner"]) == Known(Standing.REFERENCED)
    assert standing(server, made["loose"]) == Known(Standing.UNREFERENCED)
    if speaks == 2:
        assert standing(server, "1" * 64) == Absent()
    short = standing(server, NEVER)
    assert isinstance(short, Unknown)
    assert "ids of sha256, and this is none" in short.why


# -- the old protocol -----------------------------------------------------------------------------

LOOSE: dict[str, Known[Standing] | None] = {
    "": None,
    "allowTipSHA1InWant": None,
    "allowReachableSHA1InWant": None,
    "allowAnySHA1InWant": Known(Standing.UNREFERENCED),
}
"""What each policy lets us know of a commit that no ref holds."""


@pytest.mark.parametrize(("policy", "knows"), LOOSE.items(), ids=lambda one: str(one or "nothing"))
def test_the_old_protocol_proves_what_is_there_and_never_what_is_not(
    server: GitServer, made: History, policy: str, knows: Known[Standing] | None
) -> None:
    server.speaks = 0
    if policy:
        made.repository.git("config", f"uploadpack.{policy}", "true")
    for name in ("tip", "inner", "root", "tagged"):
        assert standing(server, made[name]) == Known(Standing.REFERENCED)
    loose = standing(server, made["loose"])
    gone = standing(server, NEVER)
    assert isinstance(gone, Unknown)
    assert "an old version of Git's protocol" in gone.why
    assert loose == (knows or gone)


# -- answers that prove nothing -------------------------------------------------------------------

PROVES_NOTHING: dict[str, tuple[git_server.Answer, str]] = {
    "401": ((401, {}, b""), "answered 401: the credential of RECONVERGE_GITHUB_TOKEN is missing"),
    "403": ((403, {}, b""), "answered 403: the credential of RECONVERGE_GITHUB_TOKEN may not read"),
    "404": ((404, {}, b""), "answered 404: the repository does not exist, or the credential"),
    "500": ((500, {}, b""), "answered 500"),
    "a redirect": ((301, {"Location": "/x"}, b""), "in the middle of a conversation"),
    "a page": ((200, {"Content-Type": "text/html"}, b"<html>ERR upload-pack: not our ref"), "not as a Git"),
    "nothing": ((200, {"Content-Type": RESULT}, b""), "its answer holds no pack"),
    "no packets": ((200, {"Content-Type": RESULT}, b"<html>"), "none of Git's"),
    "empty packets": ((200, {"Content-Type": RESULT}, b"000dpackfile\n00040004"), "words that are not known"),
    "packets of lengths that are none": ((200, {"Content-Type": RESULT}, b"0003" * 9), "none of Git's"),
    "half a packet": ((200, {"Content-Type": RESULT}, b"0049ERR upload-pack: not o"), "ends in the middle"),
    "half a pack": ((200, {"Content-Type": RESULT}, b"000dpackfile\n" + pkt(b"\1PACK\0")), "in the middle"),
    "half of what was promised": (
        (200, {"Content-Type": RESULT, "Content-Length": "4000", "Connection": "close"}, b"000dpack"),
        "gave no usable answer",
    ),
    "a complaint of another kind": (
        (200, {"Content-Type": RESULT}, pkt(b"ERR the disk of /srv/secret is full")),
        "in words that are not known",
    ),
    "a complaint about another commit": (
        (200, {"Content-Type": RESULT}, pkt(b"ERR upload-pack: not our ref " + b"2" * 40)),
        "in words that are not known",
    ),
    "a complaint within the pack": (
        (200, {"Content-Type": RESULT}, b"000dpackfile\n" + pkt(b"\3upload-pack: not our ref " + b"3" * 40)),
        "in words that are not known",
    ),
    "what was sent compressed": (
        (200, {"Content-Type": RESULT, "Content-Encoding": "gzip"}, b""),
        "not as a Git server does",
    ),
    "a pause": ((429, {"Retry-After": "60"}, b""), "too many requests"),
}


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(("answer", "why"), PROVES_NOTHING.values(), ids=PROVES_NOTHING)
def test_an_answer_that_is_not_the_server_s_clear_word_proves_nothing(
    server: GitServer, answer: git_server.Answer, why: str
) -> None:
    found = refs(server)
    server.laid[POST] = answer
    server.asked.clear()
    said = remotes(server).standing(URL, NEVER, found)
    assert isinstance(said, Unknown)
    assert why in said.why
    assert "secret" not in said.why
    assert len(server.asked) == 1


def test_a_host_that_does_not_answer_proves_nothing(server: GitServer, repository: Repository) -> None:
    assert repository
    server.host = "127.0.0.1:1"
    assert remotes(server).refs(URL) == Unknown("127.0.0.1:1 gave no usable answer (ConnectionError)")


BEGINNINGS: dict[str, tuple[bytes, str]] = {
    "of the dumb protocol": (b"c" * 40 + b"\trefs/heads/main\n", "ends in the middle"),
    "with a complaint": (pkt(b"ERR access denied"), "in words that are not known"),
    "of a server that lists no refs": (pkt(b"version 2\n") + pkt(b"fetch\n") + b"0000", "lists no refs"),
    "of half a list": (pkt(b"version 2\n") + pkt(b"ls-refs\n"), "ends in the middle"),
    "of objects of another kind": (
        pkt(b"version 2\n") + pkt(b"ls-refs\n") + pkt(b"fetch\n") + pkt(b"object-format=md5\n") + b"0000",
        "object format is not known",
    ),
    "with ids that are none": (pkt(b"xyz refs/heads/x\0side-band-64k\n") + b"0000", "an object that is none"),
    "that is a flush": (b"0000", "none of Git's"),
}


@pytest.mark.parametrize(("content", "why"), BEGINNINGS.values(), ids=BEGINNINGS)
def test_a_beginning_that_is_none_proves_nothing(server: GitServer, content: bytes, why: str) -> None:
    server.laid["GET /o/r.git/info/refs"] = (200, {"Content-Type": ADVERTISED}, content)
    found = remotes(server).refs(URL)
    assert isinstance(found, Unknown)
    assert why in found.why


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("line", [b"x\n", b""], ids=["of one word", "of nothing"])
def test_a_list_of_refs_with_a_line_that_names_none_proves_nothing(server: GitServer, line: bytes) -> None:
    server.laid[POST] = (200, {"Content-Type": RESULT}, pkt(line) + b"0000")
    assert remotes(server).refs(URL) == Unknown("its answer lists a ref without a name")


def test_an_answer_that_is_odd_in_a_way_that_nobody_thought_of_proves_nothing(
    server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(_: object) -> None:
        raise KeyError("a secret")

    monkeypatch.setattr("shared.clients.git_remotes.greet", stumble)
    found = remotes(server).refs(URL)
    assert found == Unknown("its server's answer has not the promised shape (KeyError)")


TWISTS: dict[str, Callable[[bytes], bytes]] = {
    "cut before its end": lambda content: content[:-4],
    "cut within a line": lambda content: content[:-20],
}


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("twist", TWISTS.values(), ids=TWISTS)
def test_half_a_list_of_refs_is_no_list(server: GitServer, twist: Callable[[bytes], bytes]) -> None:
    server.twist = twist
    assert remotes(server).refs(URL) == Unknown("its answer ends in the middle")


@pytest.mark.usefixtures("made")
def test_an_answer_that_trickles_is_given_up(server: GitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.clients.git_http.LONGEST", -1)
    found = remotes(server).refs(URL)
    assert isinstance(found, Unknown)
    assert "took more than" in found.why


def test_an_answer_that_begins_and_hangs_is_given_up_at_its_first_piece(
    server: GitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece is whatever comes: to wait until it is full would be to wait for each byte anew."""
    told = {"Content-Type": ADVERTISED, "Content-Length": "1000"}
    server.laid["GET /o/r.git/info/refs"] = (200, told, b"0")
    monkeypatch.setattr("shared.clients.git_http.LONGEST", -1)
    monkeypatch.setattr("shared.clients.git_http.READ", 2)
    found = remotes(server).refs(URL)
    assert isinstance(found, Unknown)
    assert "took more than" in found.why


CHUNKED = b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in (b"00", b"1f# service=git-upload-pack\n0000"))


@pytest.mark.parametrize(
    ("end", "why"), [(b"0\r\n\r\n", "its answer ends in the middle"), (b"", "gave no usable answer")]
)
def test_an_answer_in_chunks_is_read_to_its_end(server: GitServer, end: bytes, why: str) -> None:
    told = {"Content-Type": ADVERTISED, "Transfer-Encoding": "chunked", "Connection": "close"}
    server.laid["GET /o/r.git/info/refs"] = (200, told, CHUNKED + end)
    found = remotes(server).refs(URL)
    assert isinstance(found, Unknown)
    assert why in found.why


@pytest.mark.usefixtures("made")
def test_an_answer_without_end_is_given_up(server: GitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.clients.git_http.LARGEST", 100)
    found = remotes(server).refs(URL)
    assert isinstance(found, Unknown)
    assert "is larger than 100 bytes" in found.why


def test_many_looks_share_their_connections(server: GitServer, made: History) -> None:
    client, found = remotes(server), refs(server)
    before = server.connections
    for _ in range(20):
        assert client.standing(URL, made["inner"], found) == Known(Standing.REFERENCED)
        assert client.standing(URL, NEVER, found) == Absent()
    assert server.connections == before
