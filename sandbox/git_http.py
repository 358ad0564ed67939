"""Git's smart HTTP: the real `git http-backend`, run as a CGI, behind GitHub's rules of who may.

https://git-scm.com/docs/git-http-backend
"""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from sandbox.forge import Forge, NoRepositoryError
from sandbox.forge_records import Account, Hosted, Level
from sandbox.git_repository import end, environment
from sandbox.github_calls import token_of
from sandbox.tokens import Caller
from sandbox.traffic import CALLER, OPERATION

FETCH: Final = "git-upload-pack"
PUSH: Final = "git-receive-pack"
_PIECE: Final = 64 * 1024
_HELD: Final = 256 * 1024
"""So much of an answer is held back before it goes out, so that a fault may still take its place."""


class GitHttp:
    def __init__(self, forge: Forge, directory: Path) -> None:
        """directory: what the forge keeps its repositories in"""
        self._forge = forge
        self._directory = directory

    def routes(self) -> list[web.RouteDef]:
        """Addresses end with `.git` or not."""
        return [
            web.get("/{owner}/{repo}/info/refs", self._advertise),
            web.post(f"/{{owner}}/{{repo}}/{{service:{FETCH}|{PUSH}}}", self._serve),
        ]

    async def _advertise(self, request: web.Request) -> web.StreamResponse:
        service = request.query.get("service", "")
        if service not in (FETCH, PUSH):
            return web.Response(status=403, text="Please upgrade your git client.\n")
        return await self._answer(request, service, "info/refs")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        service = request.match_info["service"]
        return await self._answer(request, service, service)

    async def _answer(self, request: web.Request, service: str, path: str) -> web.StreamResponse:
        request[OPERATION] = service
        may = self._authorise(request, service)
        if isinstance(may, web.Response):
            return may
        variables = {
            "GIT_PROJECT_ROOT": str(self._directory),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": "" if may.old_git else request.headers.get("Git-Protocol", ""),
            "PATH_INFO": f"/{may.full_name}.git/{path}",
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        if service == PUSH:
            # Without a user http-backend takes no push.
            variables["REMOTE_USER"] = request[CALLER].object_id
        response = await _run(request, variables)
        if path == PUSH:
            await self._forge.settle(may)
        return response

    def _authorise(self, request: web.Request, service: str) -> Hosted | web.Response:
        """The repository, or GitHub's refusal: anonymous callers are asked who they are before they learn
        what there is.
        """
        account, refusal = self._authenticate(request)
        if refusal is not None:
            return refusal
        name = f"{request.match_info['owner']}/{request.match_info['repo'].removesuffix('.git')}"
        try:
            hosted = self._forge.find(name)
        except NoRepositoryError:
            return _challenge() if account is None else _unseen()
        if account is None:
            return hosted if service == FETCH and not hosted.private else _challenge()
        if hosted.private and not account.sees(name):
            return _unseen()
        level: Level = "write" if service == PUSH else "read"
        public = service == FETCH and not hosted.private
        if not public and not account.may(name, "contents", level):
            return web.Response(status=403, text=f"Permission to {name}.git denied to {account.login}.\n")
        return hosted

    def _authenticate(self, request: web.Request) -> tuple[Account | None, web.Response | None]:
        token = token_of(request.headers.get("Authorization"))
        if token is None:
            return None, None
        account = self._forge.account(token)
        if account is None:
            return None, _challenge()
        request[CALLER] = Caller(object_id=account.login, client_id="", claims={})
        return account, None


def _challenge() -> web.Response:
    return web.Response(
        status=401,
        text="Invalid username or token. Password authentication is not supported for Git operations.\n",
        headers={"WWW-Authenticate": 'Basic realm="GitHub"'},
    )


def _unseen() -> web.Response:
    return web.Response(status=404, text="Repository not found.\n")


# -- the CGI ------------------------------------------------------------------------------------


async def _run(request: web.Request, variables: Mapping[str, str]) -> web.StreamResponse:
    process = await asyncio.create_subprocess_exec(
        "git", "http-backend", env={**environment(), **variables}, stdin=PIPE, stdout=PIPE
    )
    feeding = asyncio.create_task(_feed(process, request))
    try:
        return await _relay(process, request)
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
        await end(process)


async def _feed(process: Process, request: web.Request) -> None:
    """The request's body, which aiohttp has undone of its encoding, as it comes in."""
    sink = process.stdin
    assert sink is not None  # noqa: S101 (it was asked for)
    try:
        async for piece in request.content.iter_chunked(_PIECE):
            sink.write(piece)
            await sink.drain()
    except (BrokenPipeError, ConnectionResetError):
        return  # git has read all that it wanted
    finally:
        sink.close()


async def _relay(process: Process, request: web.Request) -> web.StreamResponse:
    """What the CGI answers: at once where it is small, else as it comes."""
    source = process.stdout
    assert source is not None  # noqa: S101 (it was asked for)
    status, headers = await _head(source)
    held = bytearray()
    while len(held) < _HELD and (piece := await source.read(_PIECE)):
        held += piece
    if len(held) < _HELD:
        return web.Response(status=status, headers=headers, body=bytes(held))
    response = web.StreamResponse(status=status, headers=headers)
    response.enable_chunked_encoding()
    await response.prepare(request)
    await response.write(bytes(held))
    while piece := await source.read(_PIECE):
        await response.write(piece)
    await response.write_eof()
    return response


async def _head(source: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and headers. https://www.rfc-editor.org/rfc/rfc3875#section-6"""
    headers: dict[str, str] = {}
    while line := (await source.readline()).decode().strip():
        name, _, value = line.partition(":")
        headers[name] = value.strip()
    if not headers:
        return 500, {}
    return int(headers.pop("Status", "200").split()[0]), headers
