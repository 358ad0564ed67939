"""Pull requests, by GitHub's REST API.

https://docs.github.com/rest/pulls
"""

from typing import Any, Final

from aiohttp import web

from sandbox.forge import Forge
from sandbox.forge_records import Comment, Hosted, PullRequest
from sandbox.git_records import Author
from sandbox.git_repository import HEADS, GitError
from sandbox.github_calls import Call, Endpoint, Json, Needs, wanted
from sandbox.github_errors import GitHubError, invalid, missing, not_found, refused
from sandbox.github_shapes import comment, pull_request, user

_MODIFIED: Final = "branch was modified. Review and try the merge again."
_METHODS: Final = ("merge", "squash", "rebase")


class Pulls:
    def __init__(self, forge: Forge) -> None:
        self._forge = forge

    def endpoints(self) -> list[Endpoint]:
        pulls, comments = "pulls/pulls", "issues/comments"
        read: Needs = [("pull_requests", "read")]
        write: Needs = [("pull_requests", "write")]
        merge = f"{pulls}#merge-a-pull-request"
        of_issue, one = "/issues/{number}/comments", "/pulls/{number}"
        return [
            Endpoint("GET", "/pulls", read, f"{pulls}#list-pull-requests", self._list),
            Endpoint("POST", "/pulls", write, f"{pulls}#create-a-pull-request", self._create),
            Endpoint("GET", one, read, f"{pulls}#get-a-pull-request", self._get),
            Endpoint("PATCH", one, write, f"{pulls}#update-a-pull-request", self._update),
            Endpoint("PUT", f"{one}/merge", [("contents", "write")], merge, self._merge),
            Endpoint(
                "GET",
                of_issue,
                [("issues", "read"), *read],
                f"{comments}#list-issue-comments",
                self._comments,
            ),
            Endpoint(
                "POST",
                of_issue,
                [("issues", "write"), *write],
                f"{comments}#create-an-issue-comment",
                self._comment,
            ),
        ]

    # -- lists --------------------------------------------------------------------------

    async def _list(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/pulls/pulls#list-pull-requests"""
        query, owner = call.request.query, call.hosted.owner
        state, head, base = query.get("state", "open"), query.get("head", ""), query.get("base", "")
        found = [
            one
            for one in call.hosted.pulls
            if state in ("all", "open" if one.open else "closed")
            and base in ("", one.base)
            # What is not `owner:branch` is passed over by GitHub as well.
            and (":" not in head or head.lower() == f"{owner}:{one.head}".lower())
        ]
        by = query.get("sort", "created")
        if by == "updated":
            found.sort(key=lambda one: (one.updated_at, one.number))
        if query.get("direction", "desc" if by == "created" else "asc") == "desc":
            found.reverse()
        shown, headers = call.page(found, lambda one: pull_request(call, one))
        return web.json_response(shown, headers=headers)

    async def _comments(self, call: Call) -> web.Response:
        pull = _find(call)
        shown, headers = call.page(pull.comments, lambda one: comment(call, pull.number, one))
        return web.json_response(shown, headers=headers)

    # -- one ----------------------------------------------------------------------------

    async def _get(self, call: Call) -> web.Response:
        return web.json_response(await self._whole(call, _find(call)))

    async def _create(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/pulls/pulls#create-a-pull-request"""
        body, hosted = await call.body(), call.hosted
        base = wanted(body, "base")
        owner, _, head = wanted(body, "head").rpartition(":")
        if not isinstance(body.get("title"), str) or not body["title"]:
            raise missing("title")
        async with hosted.writing:
            heads = await hosted.git.heads()
            if head not in heads or owner.lower() not in ("", hosted.owner.lower()):
                raise invalid("PullRequest", "head")
            if base not in heads:
                raise invalid("PullRequest", "base")
            _require_only(hosted, head, base)
            if await hosted.git.contains(heads[base], heads[head]):
                raise refused("PullRequest", f"No commits between {base} and {head}")
            now = self._forge.clock()
            pull = PullRequest(
                number=len(hosted.pulls) + 1,
                author=call.login,
                title=body["title"],
                body=body.get("body"),
                head=head,
                head_sha=heads[head],
                base=base,
                base_sha=heads[base],
                created_at=now,
                updated_at=now,
            )
            hosted.pulls.append(pull)
        headers = {"Location": f"{call.api}/pulls/{pull.number}"}
        return web.json_response(await self._whole(call, pull), status=201, headers=headers)

    async def _update(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/pulls/pulls#update-a-pull-request"""
        body, pull, hosted = await call.body(), _find(call), call.hosted
        async with hosted.writing:
            state = body.get("state")
            if state not in (None, "open", "closed"):
                raise invalid("PullRequest", "state")
            if state == "open" and not pull.open:
                await self._reopen(hosted, pull)
            elif state == "closed" and pull.open:
                pull.closed_at = self._forge.clock()
            pull.title = str(body.get("title") or pull.title)
            pull.body = body.get("body", pull.body)
            pull.updated_at = self._forge.clock()
        return web.json_response(await self._whole(call, pull))

    async def _reopen(self, hosted: Hosted, pull: PullRequest) -> None:
        heads = await hosted.git.heads()
        if pull.merged_at or pull.head not in heads or pull.base not in heads:
            raise invalid("PullRequest", "state")
        _require_only(hosted, pull.head, pull.base)
        if await hosted.git.contains(heads[pull.base], heads[pull.head]):
            raise refused("PullRequest", f"state cannot be changed. There are no new commits on {pull.head}.")
        pull.closed_at, pull.head_sha, pull.base_sha = None, heads[pull.head], heads[pull.base]

    async def _comment(self, call: Call) -> web.Response:
        """Of issues, which pull requests are too. https://docs.github.com/rest/issues/comments"""
        pull, text = _find(call), wanted(await call.body(), "body")
        now = self._forge.clock()
        said = Comment(id=next(self._forge.ids), author=call.login, body=text, created_at=now)
        pull.comments.append(said)
        pull.updated_at = now
        return web.json_response(comment(call, pull.number, said), status=201)

    async def _whole(self, call: Call, pull: PullRequest) -> Json:
        """With what only a single one shows."""
        git = call.hosted.git
        fits = bool(pull.open and await git.merged_tree(pull.base_sha, pull.head_sha))
        return {
            **pull_request(call, pull),
            "merged": pull.merged_at is not None,
            "merged_by": user(call, pull.merged_by) if pull.merged_by else None,
            "mergeable": fits if pull.open else None,
            "mergeable_state": ("clean" if fits else "dirty") if pull.open else "unknown",
            "comments": len(pull.comments),
            "commits": len(await git.commits(f"{pull.base_sha}..{pull.head_sha}")),
            "changed_files": len(await git.changed(pull.base_sha, pull.head_sha)),
        }

    # -- merging ------------------------------------------------------------------------

    async def _merge(self, call: Call) -> web.Response:
        """https://docs.github.com/rest/pulls/pulls#merge-a-pull-request"""
        body, pull, hosted = await call.body(), _find(call), call.hosted
        method = body.get("merge_method", "merge")
        if method not in _METHODS:
            raise invalid("PullRequest", "merge_method")
        if method == "rebase":
            raise GitHubError(405, "Rebase merges are not allowed on this repository.")
        async with hosted.writing:
            heads = await hosted.git.heads()
            head, base = heads.get(pull.head), heads.get(pull.base)
            if not (pull.open and head and base):
                raise GitHubError(405, "Pull Request is not mergeable")
            if body.get("sha", head) != head:
                raise GitHubError(409, f"Head {_MODIFIED}")
            tree = await hosted.git.merged_tree(base, head)
            if tree is None:
                raise GitHubError(405, "Pull Request is not mergeable")
            parents = [base, head] if method == "merge" else [base]
            author = Author(call.login, f"{call.login}@users.noreply.github.example")
            merged = await hosted.git.commit_tree(tree, parents, _message(call, pull, body, method), author)
            try:
                await hosted.git.move(f"{HEADS}{pull.base}", to=merged, old=base)
            except GitError as error:
                raise GitHubError(405, f"Base {_MODIFIED}") from error
            pull.merged_at = pull.closed_at = pull.updated_at = self._forge.clock()
            pull.merged_by, pull.merge_sha, pull.head_sha, pull.base_sha = call.login, merged, head, base
        await self._forge.settle(hosted)
        return web.json_response(
            {"sha": merged, "merged": True, "message": "Pull Request successfully merged"}
        )


def _message(call: Call, pull: PullRequest, body: Json, method: str) -> str:
    """Title and text as GitHub writes them, where none are given."""
    titles: dict[str, tuple[str, Any]] = {
        "merge": (
            f"Merge pull request #{pull.number} from {call.hosted.owner}/{pull.head}",
            pull.title,
        ),
        "squash": (f"{pull.title} (#{pull.number})", pull.body),
    }
    title, text = titles[method]
    parts = (body.get("commit_title") or title, body.get("commit_message", text))
    return "\n\n".join(str(part) for part in parts if part)


def _find(call: Call) -> PullRequest:
    number = call.given("number")
    found = next((one for one in call.hosted.pulls if str(one.number) == number), None)
    if found is None:
        raise not_found()
    return found


def _require_only(hosted: Hosted, head: str, base: str) -> None:
    """One open pull request for the same two branches. Raises GitHubError."""
    if any(one.open and (one.head, one.base) == (head, base) for one in hosted.pulls):
        raise refused("PullRequest", f"A pull request already exists for {hosted.owner}:{head}.")
