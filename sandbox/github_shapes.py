"""What GitHub's REST API shows of repositories, commits, pull requests and runs: the fields clients read.

https://docs.github.com/rest
"""

import zlib
from datetime import datetime

from sandbox.forge_records import Comment, PullRequest, Run, Workflow
from sandbox.git_records import Author, Commit, Entry
from sandbox.github_calls import Call, Json


def stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _stamp_or_none(when: datetime | None) -> str | None:
    return None if when is None else stamp(when)


def user(call: Call, login: str) -> Json:
    return {
        "login": login,
        "id": zlib.crc32(login.encode()),
        "type": "User",
        "html_url": f"{call.home}/{login}",
        "url": f"{call.home}/api/v3/users/{login}",
    }


def repository(call: Call) -> Json:
    hosted = call.hosted
    page = f"{call.home}/{hosted.full_name}"
    return {
        "id": hosted.id,
        "name": hosted.name,
        "full_name": hosted.full_name,
        "owner": {**user(call, hosted.owner), "type": "Organization"},
        "private": hosted.private,
        "visibility": "private" if hosted.private else "public",
        "html_url": page,
        "url": call.api,
        "clone_url": f"{page}.git",
        "default_branch": hosted.default_branch,
        "fork": False,
        "archived": False,
        "disabled": False,
        "allow_merge_commit": True,
        "allow_squash_merge": True,
        "allow_rebase_merge": False,
        "created_at": stamp(hosted.created_at),
    }


def permissions(call: Call) -> Json:
    """Of the account that asks, not of its token: whoever may give a token any write may push themselves."""
    name, account = call.hosted.full_name, call.account
    pulls = not call.hosted.private or bool(account and account.sees(name))
    pushes = bool(account and account.writes(name))
    return {"admin": False, "maintain": False, "push": pushes, "triage": pushes, "pull": pulls}


# -- objects of git ---------------------------------------------------------------------------


def _person(who: Author, when: datetime) -> Json:
    return {"name": who.name, "email": who.email, "date": stamp(when)}


def git_commit(call: Call, commit: Commit) -> Json:
    return {
        "sha": commit.sha,
        "url": f"{call.api}/git/commits/{commit.sha}",
        "html_url": f"{call.home}/{call.hosted.full_name}/commit/{commit.sha}",
        "author": _person(commit.author, commit.authored_at),
        "committer": _person(commit.committer, commit.committed_at),
        "message": commit.message,
        "tree": {"sha": commit.tree, "url": f"{call.api}/git/trees/{commit.tree}"},
        "parents": [{"sha": one, "url": f"{call.api}/git/commits/{one}"} for one in commit.parents],
    }


def commit(call: Call, found: Commit) -> Json:
    inner = git_commit(call, found)
    return {
        "sha": found.sha,
        "url": f"{call.api}/commits/{found.sha}",
        "html_url": inner["html_url"],
        "commit": {name: inner[name] for name in ("url", "author", "committer", "message", "tree")},
        "author": None,
        "committer": None,
        "parents": [{"sha": one, "url": f"{call.api}/commits/{one}"} for one in found.parents],
    }


def tree_entry(call: Call, entry: Entry) -> Json:
    shown: Json = {"path": entry.path, "mode": entry.mode, "type": entry.type, "sha": entry.sha}
    if entry.type == "commit":  # a submodule, whose commit is in another repository
        return shown
    shown["url"] = f"{call.api}/git/{entry.type}s/{entry.sha}"
    return shown if entry.size is None else {**shown, "size": entry.size}


def reference(call: Call, name: str, sha: str, kind: str) -> Json:
    return {
        "ref": name,
        "url": f"{call.api}/git/{name}",
        "object": {"sha": sha, "type": kind, "url": f"{call.api}/git/{kind}s/{sha}"},
    }


# -- pull requests ------------------------------------------------------------------------------


def pull_request(call: Call, pull: PullRequest) -> Json:
    page = f"{call.home}/{call.hosted.full_name}"
    return {
        "id": call.hosted.id * 100_000 + pull.number,
        "number": pull.number,
        "url": f"{call.api}/pulls/{pull.number}",
        "html_url": f"{page}/pull/{pull.number}",
        "issue_url": f"{call.api}/issues/{pull.number}",
        "state": "open" if pull.open else "closed",
        "locked": False,
        "draft": False,
        "title": pull.title,
        "body": pull.body,
        "user": user(call, pull.author),
        "created_at": stamp(pull.created_at),
        "updated_at": stamp(pull.updated_at),
        "closed_at": _stamp_or_none(pull.closed_at),
        "merged_at": _stamp_or_none(pull.merged_at),
        "merge_commit_sha": pull.merge_sha,
        "head": _end(call, pull.head, pull.head_sha),
        "base": _end(call, pull.base, pull.base_sha),
    }


def _end(call: Call, branch: str, sha: str) -> Json:
    owner = call.hosted.owner
    return {
        "label": f"{owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": {**user(call, owner), "type": "Organization"},
        "repo": repository(call),
    }


def comment(call: Call, number: int, said: Comment) -> Json:
    return {
        "id": said.id,
        "url": f"{call.api}/issues/comments/{said.id}",
        "html_url": f"{call.home}/{call.hosted.full_name}/pull/{number}#issuecomment-{said.id}",
        "issue_url": f"{call.api}/issues/{number}",
        "body": said.body,
        "user": user(call, said.author),
        "created_at": stamp(said.created_at),
        "updated_at": stamp(said.created_at),
    }


# -- actions ------------------------------------------------------------------------------------


def workflow(call: Call, found: Workflow, name: str) -> Json:
    return {
        "id": found.id,
        "name": name,
        "path": found.path,
        "state": "active" if found.enabled else "disabled_manually",
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
        "url": f"{call.api}/actions/workflows/{found.id}",
        "html_url": f"{call.home}/{call.hosted.full_name}/blob/{call.hosted.default_branch}/{found.path}",
    }


def run(call: Call, found: Run) -> Json:
    return {
        "id": found.id,
        "name": found.workflow.file,
        "display_title": found.workflow.file,
        "path": found.workflow.path,
        "workflow_id": found.workflow.id,
        "workflow_url": f"{call.api}/actions/workflows/{found.workflow.id}",
        "run_number": found.number,
        "run_attempt": 1,
        "event": "workflow_dispatch",
        "status": found.status,
        "conclusion": found.conclusion,
        "head_branch": found.branch,
        "head_sha": found.head_sha,
        "actor": user(call, found.actor),
        "created_at": stamp(found.created_at),
        "updated_at": stamp(found.updated_at),
        "run_started_at": stamp(found.created_at),
        "url": f"{call.api}/actions/runs/{found.id}",
        "html_url": f"{call.home}/{call.hosted.full_name}/actions/runs/{found.id}",
    }
