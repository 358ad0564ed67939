"""A call of GitHub's REST API, from the token to the answer: who asks, what is needed, what is counted."""

import base64
import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from sandbox.forge import Forge, NoRepositoryError
from sandbox.forge_records import Account, Hosted, Level, Permission
from sandbox.git_records import Author
from sandbox.github_errors import REST, GitHubError, missing, not_found
from sandbox.timeline import Clock
from sandbox.tokens import Caller
from sandbox.traffic import CALLER, OPERATION

type Json = dict[str, Any]
type Needs = Sequence[tuple[Permission, Level]]
"""One of them is enough."""

VERSION: Final = "2022-11-28"
VERSIONS: Final = (VERSION, "2026-03-10")
LIMIT: Final = 5000
"""Calls an hour. https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
PAGE: Final = 30
LARGEST_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Call:
    request: web.Request
    hosted: Hosted
    account: Account | None
    home: str
    """Where the forge answers, without a slash at the end."""

    @property
    def login(self) -> str:
        return self.account.login if self.account else ""

    @property
    def api(self) -> str:
        """The repository's address in the API."""
        return f"{self.home}/api/v3/repos/{self.hosted.full_name}"

    def given(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    def author(self, body: Json) -> Author:
        """Of a commit that the call makes: whom it names, or who calls."""
        given = body.get("author") or body.get("committer") or {}
        default = f"{self.login}@users.noreply.github.example"
        return Author(str(given.get("name") or self.login), str(given.get("email") or default))

    async def body(self) -> Json:
        """Raises GitHubError for what is no JSON object. No body is an empty one."""
        raw = await self.request.read()
        try:
            body = json.loads(raw) if raw else {}
        except ValueError as error:
            raise GitHubError(400, "Problems parsing JSON") from error
        if not isinstance(body, dict):
            raise GitHubError(400, "Body should be a JSON object")
        return body

    def page(self, found: Sequence[Any], show: Callable[[Any], Json]) -> tuple[list[Json], dict[str, str]]:
        """The part of a list that is asked for, and the header that leads to the others.

        https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
        """
        size = max(1, min(self._number("per_page", PAGE), LARGEST_PAGE))
        number = max(1, self._number("page", 1))
        last = -(-len(found) // size)
        leads = {
            **({"prev": number - 1, "first": 1} if number > 1 else {}),
            **({"next": number + 1, "last": last} if number < last else {}),
        }
        link = ", ".join(
            f'<{self.request.url.update_query(page=at)}>; rel="{name}"' for name, at in leads.items()
        )
        shown = [show(one) for one in found[(number - 1) * size : number * size]]
        return shown, {"Link": link} if link else {}

    def _number(self, name: str, default: int) -> int:
        text = self.request.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() else default


type Answer = Callable[[Call], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    method: str
    path: str
    """Below the repository's."""
    needs: Needs
    documentation: str
    """Below https://docs.github.com/rest."""
    answer: Answer


def wanted(body: Json, field: str) -> str:
    """A text that must be there. Raises GitHubError."""
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise missing(field)
    return value


def token_of(header: str | None) -> str | None:
    """The token that a call presents: as Bearer, as `token`, or as a password for any user."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() in ("bearer", "token"):
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return ""
    return password or user


class Guard:
    """Lets a call through to its endpoint, or refuses it as GitHub does."""

    def __init__(self, forge: Forge, home: str) -> None:
        self._forge = forge
        self._home = home
        self._limits: dict[str, _Limit] = {}

    def guarded(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            request[OPERATION] = endpoint.documentation
            headers = {
                "X-GitHub-Media-Type": "github.v3; format=json",
                "X-GitHub-Request-Id": uuid.uuid4().hex.upper(),
                "x-github-api-version-selected": request.headers.get("X-GitHub-Api-Version", VERSION),
            }
            try:
                account = self._authenticate(request)
                headers |= self._count(account)
                headers["X-Accepted-GitHub-Permissions"] = _accepted(endpoint.needs)
                hosted = self._authorise(request, account, endpoint.needs)
                response = await endpoint.answer(Call(request, hosted, account, self._home))
            except GitHubError as error:
                headers |= error.headers
                response = web.json_response(
                    error.body(f"{REST}/{endpoint.documentation}"), status=error.status
                )
            response.headers.update(headers)
            return response

        return answer

    def _authenticate(self, request: web.Request) -> Account | None:
        """https://docs.github.com/rest/authentication/authenticating-to-the-rest-api"""
        if request.headers.get("X-GitHub-Api-Version", VERSION) not in VERSIONS:
            raise GitHubError(400, "The API version that was asked for is not supported.")
        token = token_of(request.headers.get("Authorization"))
        if token is None:
            return None
        account = self._forge.account(token)
        if account is None:
            raise GitHubError(401, "Bad credentials")
        request[CALLER] = Caller(object_id=account.login, client_id="", claims={})
        return account

    def _count(self, account: Account | None) -> dict[str, str]:
        login = account.login if account else ""
        limit = self._limits.setdefault(login, _Limit(self._forge.clock))
        return limit.count()

    def _authorise(self, request: web.Request, account: Account | None, needs: Needs) -> Hosted:
        """https://docs.github.com/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens"""
        name = f"{request.match_info['owner']}/{request.match_info['repo']}"
        try:
            hosted = self._forge.find(name)
        except NoRepositoryError as error:
            raise not_found() from error
        if hosted.private and not (account and account.sees(name)):
            raise not_found()
        if not hosted.private and all(level == "read" for _, level in needs):
            return hosted
        if account is None:
            raise GitHubError(401, "Requires authentication")
        if not any(account.may(name, permission, level) for permission, level in needs):
            raise GitHubError(403, "Resource not accessible by personal access token")
        return hosted


def _accepted(needs: Needs) -> str:
    return "; ".join(f"{permission}={level}" for permission, level in needs)


class _Limit:
    """The calls of one account within the hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._used = 0
        self._until: datetime | None = None

    def count(self) -> dict[str, str]:
        """Count one more. Raises GitHubError when it is one too many."""
        now = self._clock()
        if self._until is None or now >= self._until:
            self._used, self._until = 0, now + timedelta(hours=1)
        self._used += 1
        headers = {
            "x-ratelimit-limit": str(LIMIT),
            "x-ratelimit-remaining": str(max(LIMIT - self._used, 0)),
            "x-ratelimit-used": str(min(self._used, LIMIT)),
            "x-ratelimit-reset": str(int(self._until.timestamp())),
            "x-ratelimit-resource": "core",
        }
        if self._used > LIMIT:
            raise GitHubError(403, "API rate limit exceeded.", headers=headers)
        return headers
