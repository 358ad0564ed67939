"""References, trees and commits of a repository, by GitHub's REST API.

https://docs.github.com/rest/git
"""

import re
from typing import Final

from aiohttp import web

from sandbox.forge import Forge
from sandbox.forge_records import Hosted
from sandbox.git_repository import HEADS, GitError
from sandbox.github_calls import Call, Endpoint, Json, Needs, wanted
from sandbox.github_errors import GitHubError, not_found
from sandbox.github_shapes import commit, git_commit, reference, tree_entry

_SHA: Final = re.compile(r"[0-9a-f]{40}")
_STATUS: Final = {"A": "added", "D": "removed", "M": "modified", "T": "changed"}


class Objects:
    """References, and what is read of trees and commits."""

    def __init__(self, forge: Forge) -> None:
        self._forge = forge

    def endpoints(self) -> list[Endpoint]:
        read: Needs = [("contents", "read")]
        write: Needs = [("contents", "write")]
        refs, commits = "git/refs", "commits/commits"
        matching, one = f"{refs}#list-matching-references", "/git/refs/{ref:.+}"
        compare = f"{commits}#compare-two-commits"
        return [
            Endpoint("GET", "/git/refs", read, matching, self._matching),
            Endpoint("GET", "/git/matching-refs/{ref:.*}", read, matching, self._matching),
            Endpoint("GET", "/git/ref/{ref:.+}", read, f"{refs}#get-a-reference", self._ref),
            Endpoint("POST", "/git/refs", write, f"{refs}#create-a-reference", self._create_ref),
            Endpoint("PATCH", one, write, f"{refs}#update-a-reference", self._move_ref),
            Endpoint("DELETE", one, write, f"{refs}#delete-a-reference", self._delete_ref),
            Endpoint("GET", "/git/trees/{sha:.+}", read, "git/trees#get-a-tree", self._tree),
            Endpoint("GET", "/git/commits/{sha}", read, "git/commits#get-a-commit-object", self._git_commit),
            Endpoint("GET", "/commits/{ref:.+}", read, f"{commits}#get-a-commit", self._commit),
            Endpoint("GET", "/compare/{base:.+}...{head:.+}", read, compare, self._compare),
        ]

    # -- references ---------------------------------------------------------------------

    async def _matching(self, call: Call) -> web.Response:
        """Every one whose name begins so. https://docs.github.com/rest/git/refs#list-matching-references"""
        prefix, refs = f"refs/{call.request.match_info.get('ref', '')}", await call.hosted.git.refs()
        found = [
            reference(call, name, sha, await call.hosted.git.kind(sha) or "commit")
            for name, sha in sorted(refs.items())
            if name.startswith(prefix)
        ]
        shown, headers = call.page(found, lambda one: one)
        return web.json_response(shown, headers=headers)

    async def _ref(self, call: Call) -> web.Response:
        name = f"refs/{call.given('ref')}"
        sha = (await call.hosted.git.refs()).get(name)
        if sha is None:
            raise not_found()
        return await self._shown(call, name, sha)

    async def _create_ref(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/git/refs#create-a-reference"""
        body, hosted = await call.body(), call.hosted
        name, sha = wanted(body, "ref"), wanted(body, "sha")
        if not name.startswith("refs/") or name.count("/") < 2:
            raise GitHubError(422, "Reference name must start with 'refs/' and contain at least two slashes.")
        async with hosted.writing:
            if name in await hosted.git.refs():
                raise GitHubError(422, "Reference already exists")
            await _require_object(hosted, name, sha)
            _require_unprotected(hosted, name)
            try:
                await hosted.git.move(name, to=sha, old=None)
            except GitError as error:
                raise GitHubError(422, f"{name} is not a valid ref name.") from error
        await self._forge.settle(hosted)
        return await self._shown(call, name, sha, status=201)

    async def _move_ref(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/git/refs#update-a-reference"""
        body, hosted = await call.body(), call.hosted
        name, sha = f"refs/{call.given('ref')}", wanted(body, "sha")
        async with hosted.writing:
            old = (await hosted.git.refs()).get(name)
            if old is None:
                raise GitHubError(422, "Reference does not exist")
            await _require_object(hosted, name, sha)
            _require_unprotected(hosted, name)
            if not body.get("force") and not await hosted.git.contains(sha, old):
                raise GitHubError(422, "Update is not a fast forward")
            await _moved(hosted, name, sha, old)
        await self._forge.settle(hosted)
        return await self._shown(call, name, sha)

    async def _delete_ref(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/git/refs#delete-a-reference"""
        name, hosted = f"refs/{call.given('ref')}", call.hosted
        async with hosted.writing:
            old = (await hosted.git.refs()).get(name)
            if old is None:
                raise GitHubError(422, "Reference does not exist")
            _require_unprotected(hosted, name)
            if name == f"{HEADS}{hosted.default_branch}":
                raise GitHubError(422, "Cannot delete the default branch")
            await _moved(hosted, name, None, old)
        await self._forge.settle(hosted)
        return web.Response(status=204)

    async def _shown(self, call: Call, name: str, sha: str, status: int = 200) -> web.Response:
        kind = await call.hosted.git.kind(sha) or "commit"
        return web.json_response(reference(call, name, sha, kind), status=status)

    # -- trees and commits --------------------------------------------------------------

    async def _tree(self, call: Call) -> web.Response:
        """Any value of `recursive` counts, even 0. https://docs.github.com/rest/git/trees#get-a-tree"""
        git, asked = call.hosted.git, call.given("sha")
        at = await git.commit_id(asked)
        if at is None and await git.kind(asked) != "tree":
            raise not_found()
        tree = (await git.commit(at)).tree if at else asked
        entries = await git.tree(tree, recursive="recursive" in call.request.query)
        return web.json_response(
            {
                "sha": tree,
                "url": f"{call.api}/git/trees/{tree}",
                "tree": [tree_entry(call, one) for one in entries],
                "truncated": False,
            }
        )

    async def _git_commit(self, call: Call) -> web.Response:
        sha, git = call.given("sha"), call.hosted.git
        if not _SHA.fullmatch(sha) or await git.kind(sha) != "commit":
            raise not_found()
        return web.json_response(git_commit(call, await git.commit(sha)))

    async def _commit(self, call: Call) -> web.Response:
        """A name that leads to no commit is 422. https://docs.github.com/rest/commits/commits#get-a-commit"""
        ref, git = call.given("ref"), call.hosted.git
        at = await git.commit_id(ref)
        if at is None:
            raise GitHubError(422, f"No commit found for SHA: {ref}")
        return web.json_response(commit(call, await git.commit(at)))

    async def _compare(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/commits/commits#compare-two-commits"""
        git = call.hosted.git
        base, head = await git.commit_id(call.given("base")), await git.commit_id(call.given("head"))
        if base is None or head is None:
            raise not_found()
        origin = await git.merge_base(base, head)
        if origin is None:
            raise GitHubError(404, "No common ancestor between the two commits.")
        ahead, behind = await git.commits(f"{base}..{head}"), await git.commits(f"{head}..{base}")
        status = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
        files = await git.changed(origin, head)
        return web.json_response(
            {
                "url": f"{call.api}/compare/{call.given('base')}...{call.given('head')}",
                "status": status.get((bool(ahead), bool(behind)), "identical"),
                "ahead_by": len(ahead),
                "behind_by": len(behind),
                "total_commits": len(ahead),
                "base_commit": commit(call, await git.commit(base)),
                "merge_base_commit": commit(call, await git.commit(origin)),
                "commits": [commit(call, one) for one in reversed(ahead)],
                "files": [_file(letter, path) for letter, path in files],
            }
        )


def _file(letter: str, path: str) -> Json:
    return {"filename": path, "status": _STATUS[letter]}


async def _require_object(hosted: Hosted, name: str, sha: str) -> None:
    """A branch stands for a commit, other references for any object. Raises GitHubError."""
    kind = await hosted.git.kind(sha) if _SHA.fullmatch(sha) else None
    if kind is None:
        raise GitHubError(422, "Object does not exist")
    if name.startswith(HEADS) and kind != "commit":
        raise GitHubError(422, "Object is not a commit")


def _require_unprotected(hosted: Hosted, name: str) -> None:
    """https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches"""
    if name.removeprefix(HEADS) in hosted.protected:
        raise GitHubError(422, "Changes must be made through a pull request.")


async def _moved(hosted: Hosted, name: str, to: str | None, old: str) -> None:
    try:
        await hosted.git.move(name, to=to, old=old)
    except GitError as error:
        raise GitHubError(422, "Reference cannot be updated") from error
