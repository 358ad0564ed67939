"""One file, as a branch has it: read from real Git, and never called missing for anything else."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.clients.git_files import FileAt, GitFiles
from shared.model import Absent, Known, Unknown
from shared.settings import Settings
from tests.contract.clients import forge
from tests.contract.clients.forge import Forge

NAME = "ameideio/facts"
REPOSITORY = f"https://github.com/{NAME}.git"
TEXT = "azure:\r\n  keyVaultUri: https://kv/  # é\r\n"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[Forge]:
    with forge.running(tmp_path) as running:
        yield running


def files(github: Forge, token: str | None = None) -> GitFiles:
    return GitFiles(replace(Settings.from_environment({}), github_url=github.url, github_token=token))


def test_a_file_is_read_as_it_stands_with_the_commit_it_was_read_at(github: Forge) -> None:
    commit = github.repository(NAME, {"env/dev/globals.yaml": TEXT.encode(), "README.md": b"x"})
    assert files(github).read(REPOSITORY, "main", "env/dev/globals.yaml") == Known(FileAt(TEXT, commit))


def test_the_message_of_the_newest_commit_comes_with_the_file(github: Forge) -> None:
    github.repository(NAME, {"a.yaml": b"a: 1\n"})
    github.repository(NAME, {"a.yaml": b"a: 2\n"}, message="Say two\n\nReconverge-Change: 1")
    found = files(github).read(REPOSITORY, "main", "a.yaml")
    assert isinstance(found, Known)
    assert found.value.message == "Say two\n\nReconverge-Change: 1\n"


def test_a_branch_is_read_and_no_other(github: Forge) -> None:
    github.repository(NAME, {"a.yaml": b"on: main\n"})
    github.repository(NAME, {"a.yaml": b"on: next\n"}, branch="reconverge/dev/facts-1")
    found = files(github).read(REPOSITORY, "reconverge/dev/facts-1", "a.yaml")
    assert isinstance(found, Known)
    assert found.value.text == "on: next\n"


def test_a_later_commit_is_seen_by_the_next_read(github: Forge) -> None:
    github.repository(NAME, {"a.yaml": b"a: 1\n"})
    client = files(github)
    client.read(REPOSITORY, "main", "a.yaml")
    commit = github.repository(NAME, {"a.yaml": b"a: 2\n"})
    assert client.read(REPOSITORY, "main", "a.yaml") == Known(FileAt("a: 2\n", commit))


ABSENT = {
    "a file of another name": "env/prod.yaml",
    "a file in a folder that is not there": "other/dev.yaml",
    "a folder": "env",
    "a file below a file": "env/dev.yaml/x.yaml",
}


@pytest.mark.parametrize("path", ABSENT.values(), ids=ABSENT)
def test_what_the_branch_does_not_have_is_absent(github: Forge, path: str) -> None:
    github.repository(NAME, {"env/dev.yaml": b"a: 1\n"})
    assert files(github).read(REPOSITORY, "main", path) == Absent()


def unknown(
    github: Forge, *, repository: str = REPOSITORY, branch: str = "main", token: str | None = None
) -> str:
    found = files(github, token).read(repository, branch, "a.yaml")
    assert isinstance(found, Unknown)
    return found.why


def test_a_repository_that_is_not_there_is_unknown_since_it_may_be_private(github: Forge) -> None:
    assert "GitHub answered 404: it does not exist, or the token" in unknown(github)


def test_a_branch_that_is_not_there_is_unknown(github: Forge) -> None:
    github.repository(NAME, {"a.yaml": b"a: 1\n"})
    assert unknown(github, branch="next") == "the repository has no branch next"


def test_a_private_repository_is_read_with_the_token_and_with_no_other(github: Forge) -> None:
    commit = github.repository(NAME, {"a.yaml": b"a: 1\n"})
    github.token = "ghs_right"
    assert files(github, "ghs_right").read(REPOSITORY, "main", "a.yaml") == Known(FileAt("a: 1\n", commit))
    assert "401: RECONVERGE_GITHUB_TOKEN is missing, or not valid any more" in unknown(github)
    wrong = unknown(github, token="ghs_wrong")
    assert "404" in wrong
    assert "ghs_" not in wrong


def test_the_token_goes_to_no_other_host(github: Forge) -> None:
    for elsewhere in ("https://gitlab.com/o/r.git", "https://github.com.evil.example/o/r"):
        assert "is no repository of" in unknown(github, repository=elsewhere, token="t")


def test_a_host_that_does_not_answer_is_unknown(github: Forge) -> None:
    github.url = "http://127.0.0.1:1"
    assert unknown(github) == "GitHub gave no usable answer (ConnectionError)"


def test_a_file_that_is_no_text_is_unknown(github: Forge) -> None:
    github.repository(NAME, {"a.yaml": b"caf\xe9\n"})
    assert unknown(github) == "the file is not UTF-8"


def test_a_file_of_more_than_a_mebibyte_is_unknown(github: Forge) -> None:
    github.repository(NAME, {"a.yaml": b"#" * (1024 * 1024 + 1)})
    assert unknown(github) == "the file is larger than 1 MiB"
