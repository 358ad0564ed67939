"""A repository, its files and its branches, by GitHub's REST API.

https://docs.github.com/rest/repos
"""

import base64
import textwrap
from typing import Final
from urllib.parse import quote

from aiohttp import web

from sandbox.forge import Forge
from sandbox.forge_records import Hosted
from sandbox.git_records import Entry
from sandbox.git_repository import HEADS, GitError
from sandbox.github_calls import Call, Endpoint, Json, Needs, wanted
from sandbox.github_errors import GitHubError, not_found
from sandbox.github_shapes import commit, git_commit, permissions, repository

RAW: Final = (
    "application/vnd.github.raw",
    "application/vnd.github.raw+json",
    "application/vnd.github.v3.raw",
)
_LINE: Final = 60
"""Characters of a line of base64."""


class Contents:
    def __init__(self, forge: Forge) -> None:
        self._forge = forge

    def endpoints(self) -> list[Endpoint]:
        files, branches = "repos/contents", "branches/branches"
        read: Needs = [("contents", "read")]
        return [
            Endpoint("GET", "", [("metadata", "read")], "repos/repos#get-a-repository", self._repository),
            Endpoint("GET", "/contents", read, f"{files}#get-repository-content", self._get),
            Endpoint("GET", "/contents/{path:.*}", read, f"{files}#get-repository-content", self._get),
            Endpoint(
                "PUT",
                "/contents/{path:.+}",
                [("contents", "write")],
                f"{files}#create-or-update-file-contents",
                self._put,
            ),
            Endpoint("GET", "/branches", read, f"{branches}#list-branches", self._branches),
            Endpoint("GET", "/branches/{branch:.+}", read, f"{branches}#get-a-branch", self._branch),
        ]

    async def _repository(self, call: Call) -> web.Response:
        return web.json_response({**repository(call), "permissions": permissions(call)})

    # -- branches -----------------------------------------------------------------------

    async def _branches(self, call: Call) -> web.Response:
        heads = await call.hosted.git.heads()

        def show(name: str) -> Json:
            at = {"sha": heads[name], "url": f"{call.api}/commits/{heads[name]}"}
            return {"name": name, "commit": at, "protected": name in call.hosted.protected}

        shown, headers = call.page(sorted(heads), show)
        return web.json_response(shown, headers=headers)

    async def _branch(self, call: Call) -> web.Response:
        name, git = call.given("branch"), call.hosted.git
        head = (await git.heads()).get(name)
        if head is None:
            raise GitHubError(404, "Branch not found")
        shown = commit(call, await git.commit(head))
        return web.json_response({"name": name, "commit": shown, "protected": name in call.hosted.protected})

    # -- files --------------------------------------------------------------------------

    async def _get(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/repos/contents#get-repository-content"""
        git, path = call.hosted.git, call.request.match_info.get("path", "").strip("/")
        ref = call.request.query.get("ref") or call.hosted.default_branch
        at = await git.commit_id(ref)
        if at is None:
            raise GitHubError(404, f"No commit found for the ref {ref}")
        if not path:
            return web.json_response([_entry(call, one, ref) for one in await git.tree(at)])
        found = await git.entry(at, path)
        if found is None:
            raise not_found()
        if found.type == "tree":
            below = await git.tree(at, f"{path}/")
            return web.json_response([_entry(call, one, ref) for one in below])
        if found.type == "commit":
            return web.json_response({**_entry(call, found, ref), "type": "submodule"})
        content = await git.blob(found.sha)
        if call.request.headers.get("Accept", "") in RAW:
            return web.Response(body=content, content_type="application/vnd.github.raw")
        lines = textwrap.wrap(base64.b64encode(content).decode(), _LINE)
        encoded = {"encoding": "base64", "content": "".join(f"{line}\n" for line in lines)}
        return web.json_response({**_entry(call, found, ref), **encoded})

    async def _put(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/repos/contents#create-or-update-file-contents"""
        body, path, hosted = await call.body(), call.given("path"), call.hosted
        message, content = wanted(body, "message"), _content(body)
        branch = str(body.get("branch") or hosted.default_branch).removeprefix(HEADS)
        if not _well_formed(path):
            raise GitHubError(422, "path contains a malformed path component")
        async with hosted.writing:
            head = (await hosted.git.heads()).get(branch)
            if head is None:
                raise GitHubError(404, f"Branch {branch} not found")
            before = await hosted.git.entry(head, path)
            _require_known(path, before, body.get("sha"))
            _require_unprotected(hosted, branch, "update" if before else "create")
            try:
                written = await hosted.git.write(branch, {path: content}, message, call.author(body), head)
            except GitError as error:
                raise GitHubError(409, f"{branch} has moved on from {head}") from error
        await self._forge.settle(hosted)
        after = await hosted.git.entry(written, path)
        shown = {
            "content": _entry(call, after, branch) if after else None,
            "commit": git_commit(call, await hosted.git.commit(written)),
        }
        return web.json_response(shown, status=200 if before else 201)


def _require_known(path: str, before: Entry | None, sha: object) -> None:
    """A file is replaced only by whoever knows what it is. Raises GitHubError."""
    if before is None:
        return
    if not sha:
        raise GitHubError(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    if sha != before.sha:
        raise GitHubError(409, f"{path} does not match {sha}")


def _require_unprotected(hosted: Hosted, branch: str, verb: str) -> None:
    """https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches"""
    if branch in hosted.protected:
        raise GitHubError(409, f"Could not {verb} file: Changes must be made through a pull request.")


def _content(body: Json) -> bytes:
    text = body.get("content")
    if not isinstance(text, str):
        raise GitHubError(422, 'Invalid request.\n\n"content" wasn\'t supplied.')
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        raise GitHubError(422, "content is not valid Base64") from error


def _well_formed(path: str) -> bool:
    return (
        all(part not in ("", ".", "..", ".git") for part in path.split("/"))
        and not path.startswith('"')
        and path.isprintable()
    )


def _entry(call: Call, entry: Entry, ref: str) -> Json:
    path = quote(entry.path)
    at = f"{call.api}/contents/{path}?ref={quote(ref, safe='')}"
    page = f"{call.home}/{call.hosted.full_name}/{entry.type}/{quote(ref)}/{path}"
    git = None if entry.type == "commit" else f"{call.api}/git/{entry.type}s/{entry.sha}"
    kind = {"blob": "file", "tree": "dir", "commit": "file"}[entry.type]
    return {
        "type": kind,
        "name": entry.path.rpartition("/")[2],
        "path": entry.path,
        "sha": entry.sha,
        "size": entry.size or 0,
        "url": at,
        "git_url": git,
        "html_url": page,
        "download_url": None,
        "_links": {"self": at, "git": git, "html": page},
    }
