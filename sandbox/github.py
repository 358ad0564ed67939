"""The forge's address: GitHub's REST API as GitHub Enterprise Server has it, and Git's smart HTTP beside it.

https://docs.github.com/enterprise-server/rest
"""

from pathlib import Path

from aiohttp import web

from sandbox.forge import Forge
from sandbox.git_http import GitHttp
from sandbox.github_actions import Actions
from sandbox.github_calls import Guard
from sandbox.github_contents import Contents
from sandbox.github_data import Data
from sandbox.github_errors import REST, not_found
from sandbox.github_objects import Objects
from sandbox.github_pulls import Pulls

PREFIX = "/api/v3"


def routes(forge: Forge, directory: Path, home: str) -> list[web.RouteDef]:
    """directory: what the forge keeps its repositories in; home: its address, without a slash at the end"""
    guard = Guard(forge, home)
    endpoints = [
        endpoint
        for part in (Contents(forge), Objects(forge), Data(), Pulls(forge), Actions(forge))
        for endpoint in part.endpoints()
    ]
    api = [
        web.route(one.method, f"{PREFIX}/repos/{{owner}}/{{repo}}{one.path}", guard.guarded(one))
        for one in endpoints
    ]
    return [*api, web.route("*", f"{PREFIX}/{{path:.*}}", _nothing), *GitHttp(forge, directory).routes()]


async def _nothing(_: web.Request) -> web.Response:
    return web.json_response(not_found().body(REST), status=404)
