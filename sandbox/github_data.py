"""New trees and commits of a repository, by GitHub's REST API. A reference makes them count.

https://docs.github.com/rest/guides/using-the-rest-api-to-interact-with-your-git-database
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from sandbox.git_records import Change
from sandbox.git_repository import GitError, Repository
from sandbox.github_calls import Call, Endpoint, Json, Needs, wanted
from sandbox.github_errors import GitHubError, missing
from sandbox.github_shapes import git_commit, tree_entry

_SHA: Final = re.compile(r"[0-9a-f]{40}")
_TYPES: Final = {"100644": "blob", "100755": "blob", "120000": "blob", "160000": "commit"}
"""By mode. Whole folders, 040000, are not taken here."""


class Data:
    def endpoints(self) -> list[Endpoint]:
        write: Needs = [("contents", "write")]
        return [
            Endpoint("POST", "/git/trees", write, "git/trees#create-a-tree", self._create_tree),
            Endpoint("POST", "/git/commits", write, "git/commits#create-a-commit", self._create_commit),
        ]

    async def _create_tree(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/git/trees#create-a-tree"""
        body, git = await call.body(), call.hosted.git
        given = body.get("tree")
        if not isinstance(given, list):
            raise missing("tree")
        base = body.get("base_tree")
        if base is not None and await _kind(git, base) != "tree":
            raise GitHubError(422, "base_tree is not a valid tree oid")
        changes = [await _change(git, one) for one in given]
        if not all([one.sha or (base and await git.entry(base, one.path)) for one in changes]):
            raise GitHubError(422, "GitRPC::BadObjectState")
        try:
            made = await git.tree_with(base, changes)
        except GitError as error:
            raise GitHubError(422, "tree.path contains a malformed path component") from error
        shown = [tree_entry(call, one) for one in await git.tree(made)]
        address = f"{call.api}/git/trees/{made}"
        return web.json_response({"sha": made, "url": address, "tree": shown, "truncated": False}, status=201)

    async def _create_commit(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/git/commits#create-a-commit"""
        body, git = await call.body(), call.hosted.git
        message, tree = wanted(body, "message"), wanted(body, "tree")
        if await _kind(git, tree) != "tree":
            raise GitHubError(422, "Tree SHA does not exist")
        parents = body.get("parents") or []
        if not isinstance(parents, list) or not await _all_commits(git, parents):
            raise GitHubError(422, "Parent SHA does not exist or is not a commit object")
        made = await git.commit_tree(tree, parents, message, call.author(body))
        return web.json_response(git_commit(call, await git.commit(made)), status=201)


async def _kind(git: Repository, sha: object) -> str | None:
    return await git.kind(sha) if isinstance(sha, str) and _SHA.fullmatch(sha) else None


async def _all_commits(git: Repository, given: Sequence[object]) -> bool:
    return all([await _kind(git, one) == "commit" for one in given])


async def _change(git: Repository, given: Any) -> Change:
    """Raises GitHubError. The commit of a submodule is in another repository, so it is not looked for."""
    entry: Json = given if isinstance(given, dict) else {}
    path, mode = str(entry.get("path", "")), str(entry.get("mode", ""))
    if mode not in _TYPES:
        raise GitHubError(422, "Must supply a valid tree.mode")
    if not path or any(one in ("", ".", "..", ".git") for one in path.split("/")):
        raise GitHubError(422, "tree.path contains a malformed path component")
    if "content" in entry:
        return Change(path, mode, await git.blob_of(str(entry["content"]).encode()))
    sha = entry.get("sha")
    if sha is None and "sha" in entry:
        return Change(path, mode, None)
    kind = _TYPES[mode]
    found = isinstance(sha, str) and bool(_SHA.fullmatch(sha))
    if not found or (kind == "blob" and await _kind(git, sha) != kind):
        raise GitHubError(422, f"tree.sha {sha} is not a valid {kind}")
    return Change(path, mode, str(sha))
