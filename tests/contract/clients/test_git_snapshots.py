"""What a commit pins, read from real Git servers: its gitlinks, with what its .gitmodules says of them."""

import random
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from dulwich import pack

from shared.clients.git_remotes import Gitlink, GitRemotes, Snapshot, Standing, resolve
from shared.model import Absent, Known, Read, Unknown
from shared.settings import Settings
from tests.contract.clients import git_server
from tests.contract.clients.git_server import NEVER, GitServer, Repository

URL = "https://github.com/o/r.git"
PINS = {"backlog": "a" * 40, "charts/deep/er/sub": "b" * 40, "bare": "c" * 40}
MODULES = b"""\
[submodule "backlog"]
\tpath = backlog
\turl = https://github.com/o/backlog.git
\tbranch = main
\tupdate = !rm -rf /
[submodule "of another name"]
\tpath = charts/deep/er/sub
\turl = ../sub.git
"""
LINKS = (
    Gitlink(path="backlog", commit="a" * 40, url="https://github.com/o/backlog.git", branch="main"),
    Gitlink(path="bare", commit="c" * 40),
    Gitlink(path="charts/deep/er/sub", commit="b" * 40, url="../sub.git"),
)
FILES = {".gitmodules": MODULES, "README.md": b"x", "charts/deep/values.yaml": b"y"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with git_server.running(tmp_path, None) as running:
        yield running


@pytest.fixture
def repository(server: GitServer) -> Repository:
    return server.repository("o/r")


def remotes(server: GitServer) -> GitRemotes:
    given = f"{server.scheme}://{server.host}"
    return GitRemotes(replace(Settings.from_environment({}), github_url=given))


def snapshot(server: GitServer, revision: str, url: str = URL) -> Read[Snapshot]:
    return remotes(server).snapshot(url, revision)


@pytest.mark.parametrize("filters", ["true", "false"])
@pytest.mark.parametrize("speaks", [2, 0])
def test_a_branch_s_pins_are_read_at_any_depth(
    server: GitServer, repository: Repository, filters: str, speaks: int
) -> None:
    repository.commit({"old": b"old"})
    commit = repository.commit(FILES, links=PINS)
    repository.git("config", "uploadpack.allowFilter", filters)
    server.speaks = speaks
    assert snapshot(server, "main") == Known(Snapshot(commit=commit, gitlinks=LINKS))


@pytest.mark.parametrize(
    ("written", "read"), [("Why\n\nTrailer: x\n", "Why\n\nTrailer: x\n"), ("x" * 20_000, "x" * 9_999 + "\n")]
)
def test_of_a_commit_s_message_the_end_is_kept(
    server: GitServer, repository: Repository, written: str, read: str
) -> None:
    before = repository.commit(FILES, links=PINS)
    made = repository.git("commit-tree", f"{before}^{{tree}}", "-m", written)
    repository.git("update-ref", "refs/heads/main", made)
    found = snapshot(server, "main")
    assert isinstance(found, Known)
    assert found.value.message == read


def test_a_commit_is_read_by_its_id_whatever_the_branches_are_at(
    server: GitServer, repository: Repository
) -> None:
    first = repository.commit(FILES, links=PINS)
    repository.commit({"README.md": b"no pins"})
    assert snapshot(server, first) == Known(Snapshot(commit=first, gitlinks=LINKS))


def test_nothing_is_fetched_of_history_and_files_but_the_one_that_is_needed(
    server: GitServer, repository: Repository
) -> None:
    past = "".join(
        f"commit refs/heads/main\ncommitter t <t> {number} +0000\ndata 9\n{number:09}\n"
        for number in range(100)
    )
    repository.git("fast-import", "--quiet", given=past.encode())
    repository.commit({**FILES, "large": b"".join(b"%d" % number for number in range(100_000))}, links=PINS)
    sizes: list[int] = []

    def weigh(content: bytes) -> bytes:
        sizes.append(len(content))
        return content

    server.twist = weigh
    assert isinstance(snapshot(server, "main"), Known)
    assert max(sizes) < 2000
    assert len(server.asked) == 4


def test_without_pins_one_request_less_is_made(server: GitServer, repository: Repository) -> None:
    commit = repository.commit({".gitmodules": b"not [ one", "a": b"a"})
    assert snapshot(server, "main") == Known(Snapshot(commit=commit, gitlinks=()))
    assert len(server.asked) == 3


def test_a_commit_whose_gitmodules_are_gone_is_not_absent(server: GitServer, repository: Repository) -> None:
    repository.commit(FILES, links=PINS)
    blob = repository.git("rev-parse", "main:.gitmodules")
    (repository.where / "objects" / blob[:2] / blob[2:]).unlink()
    assert snapshot(server, "main") == Unknown(
        "its server does not give the .gitmodules of a commit that it gives"
    )


def test_a_branch_or_a_commit_that_is_not_there_is_absent(server: GitServer, repository: Repository) -> None:
    repository.commit({"a": b"a"}, on="mainline")
    assert snapshot(server, "main") == Absent()
    assert snapshot(server, NEVER) == Absent()
    server.speaks = 0
    assert snapshot(server, "main") == Absent()
    assert isinstance(snapshot(server, NEVER), Unknown)


def test_a_repository_that_is_not_there_is_unknown(server: GitServer) -> None:
    found = snapshot(server, "main")
    assert isinstance(found, Unknown)
    assert "404: the repository does not exist, or the credential" in found.why


def test_what_is_no_commit_has_no_pins(server: GitServer, repository: Repository) -> None:
    commit = repository.commit({"a": b"a"})
    tree = repository.git("rev-parse", f"{commit}^{{tree}}")
    assert snapshot(server, tree) == Unknown("what is named there is no commit, but a tree")


@pytest.mark.parametrize("filters", ["true", "false"])
def test_repositories_of_sha256_are_read(server: GitServer, filters: str) -> None:
    repository = server.repository("o/r", object_format="sha256")
    repository.git("config", "uploadpack.allowFilter", filters)
    commit = repository.commit(FILES, links={"backlog": "a" * 64, "d/e": "e" * 64})
    found = snapshot(server, "main")
    assert isinstance(found, Known)
    assert found.value.commit == commit
    assert found.value.gitlinks == (
        Gitlink(path="backlog", commit="a" * 64, url="https://github.com/o/backlog.git", branch="main"),
        Gitlink(path="d/e", commit="e" * 64),
    )


def test_a_pack_of_deltas_is_read(
    server: GitServer, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders that differ by a name are sent as what differs."""
    applied: list[int] = []

    def apply_delta(base: bytes, delta: bytes) -> list[bytes]:
        applied.append(len(delta))
        return apply(base, delta)

    apply = pack.apply_delta
    monkeypatch.setattr(pack, "apply_delta", apply_delta)
    blob = repository.git("hash-object", "-w", "--stdin", given=b"same")
    names = [f"100644 blob {blob}\t{number:03}" for number in range(300)]
    pins = [f"160000 commit {number}{'a' * 39}\tz{number}" for number in range(5)]
    folders = [repository.git("mktree", given="\n".join([*names, pin]).encode()) for pin in pins]
    lines = "\n".join(f"040000 tree {folder}\td{number}" for number, folder in enumerate(folders))
    commit = repository.git("commit-tree", repository.git("mktree", given=lines.encode()), "-m", "x")
    repository.git("update-ref", "refs/heads/main", commit)
    found = snapshot(server, "main")
    assert isinstance(found, Known)
    assert {one.path: one.commit[0] for one in found.value.gitlinks} == {
        f"d{number}/z{number}": str(number) for number in range(5)
    }
    assert applied


def test_nested_submodules_are_followed_from_snapshot_to_snapshot(server: GitServer) -> None:
    """Each from the repository, and at the commit, that the one before it pins."""
    inner = server.repository("o/inner")
    pinned = inner.commit({"a": b"1"})
    inner.commit({"a": b"2"})
    middle = server.repository("o/middle")
    middle_pin = middle.commit(
        {".gitmodules": b'[submodule "i"]\npath = i\nurl = ../inner.git\n'}, links={"i": pinned}
    )
    middle.commit({"b": b"b"})
    server.repository("o/r").commit(
        {".gitmodules": b'[submodule "m"]\npath = m\nurl = ./../../o/middle\n'}, links={"m": middle_pin}
    )
    url, revision, paths = URL, "main", list[str]()
    while isinstance(found := snapshot(server, revision, url), Known) and found.value.gitlinks:
        (link,) = found.value.gitlinks
        paths.append(link.path)
        url, revision = resolve(url, link.url or "") or "", link.commit
    assert (paths, url, revision) == (["m", "i"], "https://github.com/o/inner.git", pinned)
    refs = remotes(server).refs(url)
    assert isinstance(refs, Known)
    assert remotes(server).standing(url, pinned, refs.value) == Known(Standing.REFERENCED)


RELATIVE = ("../b.git", "../../other/b.git", "./b", "./.././../o/b.git", "../b.git/", "../b//")


@pytest.mark.parametrize("parent", ["https://github.com/o/r.git", "https://g.io:8443/x/y/o/r/"])
def test_relative_addresses_mean_what_git_itself_makes_of_them(tmp_path: Path, parent: str) -> None:
    repository = Repository(tmp_path)
    repository.git("init", "-q")
    repository.git("remote", "add", "origin", parent)
    index = tmp_path / ".git" / "index"
    with (tmp_path / ".gitmodules").open("w", encoding="utf-8") as modules:
        for number, url in enumerate(RELATIVE):
            modules.write(f'[submodule "{number}"]\n\tpath = s{number}\n\turl = {url}\n')
            link = f"160000,{'a' * 40},s{number}"
            repository.git("update-index", "--add", "--cacheinfo", link, index=index)
    repository.git("submodule", "init", index=index)
    meant = [repository.git("config", f"submodule.{number}.url") for number in range(len(RELATIVE))]
    assert [resolve(parent, url) for url in RELATIVE] == [url.rstrip("/") for url in meant]


# -- by which name --------------------------------------------------------------------------------

NAMES: dict[str, tuple[str, str, str | None]] = {
    "a branch": ("main", "main", "main"),
    "HEAD, which stands for a branch of any name": ("HEAD", "trunk", "trunk"),
    "a tag": ("v1", "v1", None),
    "a tag that is an object of its own": ("v2", "v2^{commit}", None),
    "a branch before a tag of its name": ("both", "heads/both", "both"),
}


@pytest.mark.parametrize("speaks", [2, 0])
@pytest.mark.parametrize("given", NAMES.values(), ids=NAMES)
def test_what_is_tracked_is_found_by_the_name_of(
    server: GitServer, repository: Repository, given: tuple[str, str, str | None], speaks: int
) -> None:
    server.speaks = speaks
    revision, means, branch = given
    for number, name in enumerate(("main", "both", "tagged", "trunk")):
        repository.commit({"a": b"%d" % number}, on=name)
    repository.git("tag", "v1", "both")
    repository.git("tag", "both", "main")
    repository.git("tag", "-a", "v2", "-m", "two", "tagged")
    repository.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    found = snapshot(server, revision)
    assert isinstance(found, Known)
    assert found.value.commit == repository.git("rev-parse", means)
    assert found.value.branch == branch


def test_head_that_is_on_no_branch_is_a_commit_all_the_same(
    server: GitServer, repository: Repository
) -> None:
    commit = repository.commit({"a": b"1"})
    repository.git("update-ref", "--no-deref", "HEAD", commit)
    found = snapshot(server, "HEAD")
    assert isinstance(found, Known)
    assert (found.value.commit, found.value.branch) == (commit, None)


# -- what others wrote ----------------------------------------------------------------------------

WRITTEN: dict[str, tuple[bytes, str | None]] = {
    "quoted": (b'[submodule "s"]\npath = "sub"\nurl = "https://h/a b.git" # why\n', "https://h/a b.git"),
    "in capitals": (b'[Submodule "s"]\nPath = sub\nURL = https://h/r\n', "https://h/r"),
    "over two lines": (b'[submodule "s"]\npath = su\\\nb\nurl = https://h/r\n', "https://h/r"),
    "twice, of which the last counts": (
        b'[submodule "s"]\npath = sub\nurl = https://h/1\n[submodule "t"]\npath = sub\nurl = https://h/2\n',
        "https://h/2",
    ),
    "with two addresses, of which the last counts": (
        b'[submodule "s"]\npath = sub\nurl = https://h/1\n[submodule "s"]\nurl = https://h/2\n',
        "https://h/2",
    ),
    "without an address": (b'[submodule "s"]\npath = sub\n', None),
    "without a name": (b"[submodule]\npath = sub\nurl = https://h/r\n", None),
    "with an address for nobody": (b'[submodule]\nurl = https://h/r\n[submodule "s"]\npath = sub\n', None),
    "with a password, which nobody is shown": (
        b'[submodule "s"]\npath = sub\nurl = https://me:hunter2@h/r\n',
        "https://h/r",
    ),
    "with an option for an address": (b'[submodule "s"]\npath = sub\nurl = --upload-pack=evil\n', None),
    "with an address of two lines": (b'[submodule "s"]\npath = sub\nurl = "https://h/r\\nevil"\n', None),
    "with an address that turns the direction of writing": (
        '[submodule "s"]\npath = sub\nurl = https://h/\u202er\n'.encode(),
        None,
    ),
    "with an include": (b'[include]\npath = /etc/passwd\n[submodule "s"]\npath = sub\nurl = u\n', "u"),
    "for a path that climbs": (b'[submodule "s"]\npath = ../sub\nurl = https://h/r\n', None),
}


@pytest.mark.parametrize(("text", "url"), WRITTEN.values(), ids=WRITTEN)
def test_gitmodules_are_understood_as_git_does(
    server: GitServer, repository: Repository, text: bytes, url: str | None
) -> None:
    repository.commit({".gitmodules": text}, links={"sub": "a" * 40})
    found = snapshot(server, "main")
    assert isinstance(found, Known)
    assert found.value.gitlinks == (Gitlink(path="sub", commit="a" * 40, url=url),)


SKIPPED: dict[str, tuple[bytes, bool]] = {
    "passes over it": (b"url = https://127.0.0.1:1/r\nUpdate = none\n", True),
    "checks it out": (b"url = https://127.0.0.1:1/r\nupdate = rebase\n", False),
    "takes this for no strategy": (b"url = https://127.0.0.1:1/r\nupdate = None\n", False),
    "stops at it, as it has no address": (b"update = none\n", False),
}


@pytest.mark.parametrize(("says", "skipped"), SKIPPED.values(), ids=SKIPPED)
def test_a_submodule_is_skipped_exactly_where_git(
    server: GitServer, repository: Repository, tmp_path: Path, says: bytes, *, skipped: bool
) -> None:
    modules = b'[submodule "s"]\npath = sub\n' + says
    repository.commit({".gitmodules": modules}, links={"sub": "a" * 40})
    found = snapshot(server, "main")
    assert isinstance(found, Known)
    assert [one.skipped for one in found.value.gitlinks] == [skipped]
    (tmp_path / "work").mkdir()
    work = Repository(tmp_path / "work")
    work.git("init", "-q")
    (work.where / ".gitmodules").write_bytes(modules)
    index = work.where / ".git" / "index"
    work.git("update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},sub", index=index)
    assert updates(work, index) == skipped


def updates(work: Repository, index: Path) -> bool:
    try:
        work.git("submodule", "update", "--init", "--recursive", index=index)
    except subprocess.CalledProcessError:
        return False
    return True


BROKEN: dict[str, tuple[Mapping[str, bytes], str]] = {
    "what is no configuration": ({".gitmodules": b"[submodule\n"}, ".gitmodules cannot be read"),
    "a value without a section": ({".gitmodules": b"path = x\n"}, ".gitmodules cannot be read"),
    "more than a mebibyte": ({".gitmodules": b"#" * (1024 * 1024 + 1)}, "is larger than 1048576 bytes"),
}


@pytest.mark.parametrize(("files", "why"), BROKEN.values(), ids=BROKEN)
def test_gitmodules_that_git_stops_at_prove_nothing(
    server: GitServer, repository: Repository, files: Mapping[str, bytes], why: str
) -> None:
    repository.commit(files, links={"sub": "a" * 40})
    found = snapshot(server, "main")
    assert isinstance(found, Unknown)
    assert why in found.why


def test_gitmodules_that_are_a_link_are_none(server: GitServer, repository: Repository) -> None:
    target = repository.git("hash-object", "-w", "--stdin", given=MODULES)
    tree = repository.git(
        "mktree", given=f"120000 blob {target}\t.gitmodules\n160000 commit {'a' * 40}\tbacklog\n".encode()
    )
    repository.git("update-ref", "refs/heads/main", repository.git("commit-tree", tree, "-m", "x"))
    found = snapshot(server, "main")
    assert isinstance(found, Known)
    assert found.value.gitlinks == (Gitlink(path="backlog", commit="a" * 40),)


ODD = {
    "a line break, a command and a colour": ("bad\n::error::x\x1b[31m", r"bad\n::error::x\x1b[31m"),
    "a control character of the second set": ("a\x9bb", r"a\x9bb"),
    "what turns the direction of writing": ("a\u202eb", r"a\u202eb"),
}


@pytest.mark.parametrize(("name", "shown"), ODD.values(), ids=ODD)
def test_a_path_that_would_do_something_to_whoever_reads_it_is_shown_escaped(
    server: GitServer, repository: Repository, name: str, shown: str
) -> None:
    """Nor does an entry of .gitmodules that is named as it is shown give it an address."""
    modules = "".join(
        f'[submodule "{number}"]\n\tpath = "{path}"\n\turl = https://h/r\n'
        for number, path in enumerate((shown.replace("\\", "\\\\"), name.replace("\n", "\\n")))
    )
    file = repository.git("hash-object", "-w", "--stdin", given=modules.encode())
    inside = repository.git("mktree", "-z", given=f"160000 commit {'a' * 40}\t{name}\0".encode())
    top = f"100644 blob {file}\t.gitmodules\0" + f"160000 commit {'b' * 40}\t{name}\0"
    tree = repository.git("mktree", "-z", given=f"{top}040000 tree {inside}\td{name}\0".encode())
    repository.git("update-ref", "refs/heads/main", repository.git("commit-tree", tree, "-m", "x"))
    found = snapshot(server, "main")
    assert isinstance(found, Known)
    assert found.value.gitlinks == (
        Gitlink(path=shown, commit="b" * 40, printable=False),
        Gitlink(path=f"d{shown}/{shown}", commit="a" * 40, printable=False),
    )


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "."])
def test_a_tree_that_nobody_can_check_out_proves_nothing(
    server: GitServer, repository: Repository, name: str
) -> None:
    blob = repository.git("hash-object", "-w", "--stdin", given=b"x")
    raw = f"100644 {name}\0".encode() + bytes.fromhex(blob)
    tree = repository.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", given=raw)
    repository.git("update-ref", "refs/heads/main", repository.git("commit-tree", tree, "-m", "x"))
    assert snapshot(server, "main") == Unknown("its trees hold a name that git checks out nowhere")


def test_trees_that_hold_each_other_a_million_times_are_not_walked(
    server: GitServer, repository: Repository
) -> None:
    """Twenty trees, each of which holds the one before it ten times."""
    tree = repository.git("mktree", given=f"160000 commit {'a' * 40}\tsub\n".encode())
    for _ in range(20):
        lines = "".join(f"040000 tree {tree}\td{number}\n" for number in range(10))
        tree = repository.git("mktree", given=lines.encode())
    repository.git("update-ref", "refs/heads/main", repository.git("commit-tree", tree, "-m", "x"))
    assert snapshot(server, "main") == Unknown("its trees hold more than anybody can check out")


def test_folders_whose_names_fill_the_memory_are_not_walked(
    server: GitServer, repository: Repository
) -> None:
    """A name of a mebibyte, and below it twenty folders: each of their paths would hold it."""
    tree = repository.git("mktree", given=f"160000 commit {'a' * 40}\tsub\n".encode())
    below = "".join(f"040000 tree {tree}\td{number}\n" for number in range(20))
    tree = repository.git("mktree", given=below.encode())
    tree = repository.git("mktree", given=f"040000 tree {tree}\t{'x' * 1024 * 1024}\n".encode())
    repository.git("update-ref", "refs/heads/main", repository.git("commit-tree", tree, "-m", "x"))
    assert snapshot(server, "main") == Unknown("its trees hold more than anybody can check out")


@pytest.mark.parametrize("seed", range(4))
def test_an_answer_with_a_wrong_byte_is_never_taken_for_absence(
    server: GitServer, repository: Repository, seed: int
) -> None:
    commit = repository.commit(FILES, links=PINS)
    luck = random.Random(seed)  # noqa: S311 (the same bytes at every run)

    def spoil(content: bytes) -> bytes:
        at = luck.randrange(len(content))
        return content[:at] + bytes([luck.randrange(256)]) + content[at + 1 :]

    server.twist = spoil
    for _ in range(8):
        assert isinstance(snapshot(server, commit), Known | Unknown)


LIMITS = {
    "LARGEST_OBJECT": "an object of more than 10 bytes",
    "LARGEST_PACK": "holds more than 10 bytes",
    "MOST_OBJECTS": "holds more than 10 objects",
}


@pytest.mark.parametrize(("limit", "why"), LIMITS.items(), ids=LIMITS)
def test_a_pack_of_more_than_the_limit_is_not_read(
    server: GitServer, repository: Repository, monkeypatch: pytest.MonkeyPatch, limit: str, why: str
) -> None:
    repository.commit({f"{number}/a": b"%d" % number for number in range(20)})
    repository.git("config", "uploadpack.allowFilter", "false")
    monkeypatch.setattr(f"shared.clients.git_packs.{limit}", 10)
    found = snapshot(server, "main")
    assert isinstance(found, Unknown)
    assert why in found.why


@pytest.mark.parametrize(("filters", "limit"), [("true", "LARGEST_BARE_PACK"), ("false", "LARGEST_PACK")])
def test_a_pack_without_files_has_a_limit_of_its_own(
    server: GitServer, repository: Repository, monkeypatch: pytest.MonkeyPatch, filters: str, limit: str
) -> None:
    repository.commit({f"{number}/a": b"%d" % number for number in range(20)})
    repository.git("config", "uploadpack.allowFilter", filters)
    for one, size in {"LARGEST_BARE_PACK": 20_000, "LARGEST_PACK": 20_000, limit: 10}.items():
        monkeypatch.setattr(f"shared.clients.git_packs.{one}", size)
    assert snapshot(server, "main") == Unknown("its pack holds more than 10 bytes")


@pytest.mark.parametrize("speaks", [2, 0])
def test_a_repository_of_too_many_branches_is_not_listed(
    server: GitServer, repository: Repository, monkeypatch: pytest.MonkeyPatch, speaks: int
) -> None:
    for number in range(3):
        repository.commit({"a": b"a"}, on=f"b{number}")
    server.speaks = speaks
    monkeypatch.setattr("shared.clients.git_protocol.MOST_REFS", 2)
    assert remotes(server).refs(URL) == Unknown("it has more than 2 branches and tags")
