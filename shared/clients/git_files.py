"""One file of a repository on GitHub, as a branch has it. Reads only, over Git's smart HTTP.

That is what Argo CD renders from: the same repository, the same branch, by the same protocol. The files of
the newest commit are held in memory for the one read, without history; nothing is kept.

Permission: the token's `contents: read`, where the repository is private.
"""

import base64
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from shared.clients.azure_core import as_unknown
from shared.clients.github_http import Lost, NotThere, content, request, slug
from shared.clients.importing import IMPORTING
from shared.errors import ReconvergeError
from shared.model import Absent, Known, Read, Unknown
from shared.settings import Settings

if TYPE_CHECKING:
    from dulwich.client import AbstractHttpGitClient
    from dulwich.objects import Commit

LARGEST_FILE: Final = 1024 * 1024
"""Bytes."""


@dataclass(frozen=True, slots=True)
class FileAt:
    """A file's text, and the commit that it was read at."""

    text: str
    commit: str
    message: str = field(default="", compare=False)
    """Of that commit, the newest of the branch."""


class GitFiles:
    def __init__(self, settings: Settings) -> None:
        self._base = settings.github_url
        self._token = settings.github_token

    def read(self, repository: str, branch: str, path: str) -> Read[FileAt]:
        """Three requests. Absent where the branch is there and the file is not, and for nothing else: a
        repository that is missing cannot be told from one that the token may not see.

        repository: `https://github.com/<owner>/<name>.git`
        """
        with IMPORTING:
            from dulwich.errors import (
                ApplyDeltaError,
                ChecksumMismatch,
                FileFormatException,
                GitProtocolError,
            )

        try:
            return self._read(slug(repository, self._base), branch, path)
        except NotThere as error:
            return Unknown(f"the repository: {error}")
        except Lost as error:
            return Unknown(error.why)
        except ReconvergeError as error:
            return as_unknown(error)
        # What a server says in the protocol's packets may hold anything, so only its kind is told.
        except (
            ApplyDeltaError,
            AssertionError,
            ChecksumMismatch,
            FileFormatException,
            GitProtocolError,
            LookupError,
            ValueError,
            zlib.error,
        ) as error:
            return Unknown(f"the repository's answer cannot be used ({type(error).__name__})")

    def _read(self, name: str, branch: str, path: str) -> Read[FileAt]:
        with IMPORTING:
            from dulwich.errors import NotTreeError
            from dulwich.object_store import tree_lookup_path
            from dulwich.objects import Blob, Commit, SubmoduleEncountered
            from dulwich.refs import Ref
            from dulwich.repo import MemoryRepo

        ref = Ref(f"refs/heads/{branch}".encode())
        repo = MemoryRepo()
        refs = (
            _client(self._base, self._token)
            .fetch(
                f"{name}.git",
                repo,
                determine_wants=lambda found, depth=None: [found[ref]] if ref in found else [],  # noqa: ARG005
                depth=1,
                ref_prefix=[ref],
            )
            .refs
        )
        if (newest := refs.get(ref)) is None:
            return Unknown(f"the repository has no branch {branch}")
        commit = repo[newest]
        if not isinstance(commit, Commit):
            return Unknown(f"branch {branch} is no commit")
        try:
            _, found = tree_lookup_path(repo.__getitem__, commit.tree, path.encode())
            blob = repo[found]
        # No such name, or a file or submodule in the place of a folder.
        except (KeyError, NotTreeError, SubmoduleEncountered):
            return Absent()
        return _text(blob.data, commit) if isinstance(blob, Blob) else Absent()


def _text(data: bytes, commit: "Commit") -> Read[FileAt]:
    if len(data) > LARGEST_FILE:
        return Unknown("the file is larger than 1 MiB")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return Unknown("the file is not UTF-8")
    return Known(FileAt(text, commit.id.decode(), commit.message.decode(errors="replace")))


def _client(base: str, token: str | None) -> "AbstractHttpGitClient":
    """Git's protocol by dulwich, its HTTP by us: the same limits and refusals as for the rest of GitHub."""
    with IMPORTING:
        from dulwich.client import AbstractHttpGitClient

    # https://docs.github.com/get-started/git-basics/about-remote-repositories#cloning-with-https-urls
    who = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    signed = {"Authorization": f"Basic {who}"} if token else {}

    class Client(AbstractHttpGitClient):
        def _http_request(
            self,
            url: str,
            headers: dict[str, str] | None = None,
            data: Any = None,
            raise_for_status: bool = True,
        ) -> tuple[Any, Callable[[int], bytes]]:
            del raise_for_status  # nobody here looks at a refusal as an answer
            method, sent = "POST" if data else "GET", {**(headers or {}), **signed}
            response = request(method, url, headers=sent, data=data)
            answer = SimpleNamespace(
                content_type=response.headers.get("Content-Type"),
                redirect_location="",
                close=response.close,
            )
            return answer, io.BytesIO(content(response)).read

    return Client(f"{base}/", dumb=False, quiet=True)
