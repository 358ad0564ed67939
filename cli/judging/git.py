"""How the judge reads a repository: by git itself, as a person does, and as Argo CD does."""

import base64
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

from cli.judging.asking import NotKnown, Operator

GIT_SECONDS: Final = 60
GITHUB: Final = "https://github.com/"


@dataclass(frozen=True, slots=True)
class Clone:
    folder: Path
    operator: Operator

    def git(self, *words: str) -> subprocess.CompletedProcess[str]:
        return _git(self.operator, "-C", str(self.folder), *words)


@contextmanager
def cloned(operator: Operator, repository: str, branch: str) -> Iterator[Clone]:
    """The commit of a branch, a tag or `HEAD`, without submodules. Raises NotKnown."""
    address = f"{operator.github}{urlsplit(repository).path}"
    with TemporaryDirectory(prefix="verdict-") as folder:
        clone = Path(folder, "clone")
        # git knows no branch of the name HEAD, which is what it takes where none is named.
        named = () if branch == "HEAD" else (f"--branch={branch}",)
        ended = _git(operator, "clone", "--quiet", "--depth=1", *named, address, str(clone))
        if ended.returncode != 0:
            raise NotKnown(f"git clone of {_name(repository)} ended with {ended.returncode}")
        yield Clone(clone, operator)


def _git(operator: Operator, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 (our own command line)
        ["git", *words],  # noqa: S607 (the git of whoever runs the drill)
        env=_environment(operator),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=GIT_SECONDS,
        check=False,
    )


def _environment(operator: Operator) -> dict[str, str]:
    """Nobody's own configuration of git, and the token in no command line.

    https://git-scm.com/docs/git-config#ENVIRONMENT
    """
    who = base64.b64encode(f"x-access-token:{operator.github_token}".encode()).decode()
    home = f"{operator.github}/"
    given: dict[str, Any] = {
        f"http.{home}.extraHeader": f"Authorization: Basic {who}",
        "http.sslCAInfo": operator.ca,
        f"url.{home}.insteadOf": GITHUB,
        "credential.helper": "",
    }
    numbered = {
        f"GIT_CONFIG_{part}_{number}": text
        for number, (key, value) in enumerate(given.items())
        for part, text in (("KEY", key), ("VALUE", value))
    }
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(len(given)),
        "LC_ALL": "C",
        **numbered,
    }


def _name(repository: str) -> str:
    return repository.removesuffix(".git").rpartition("/")[2]
