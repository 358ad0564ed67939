"""What GitHub tells of the access to a repository: that of the account behind the token.

What a fine-grained token itself may do, GitHub tells nobody. A classic one has scopes; they come in a
header.

https://docs.github.com/rest/repos/repos#get-a-repository
https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
"""

from dataclasses import dataclass
from typing import Any, Final

from shared.clients.github import VERSION
from shared.clients.github_http import TOKEN, decoded, read, request, slug
from shared.model import Absent, Read, Unknown
from shared.settings import Settings

SCOPES: Final = "x-oauth-scopes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    pull: bool
    push: bool
    admin: bool
    scopes: frozenset[str] | None
    """Of a classic token; None where GitHub names none, as for fine-grained ones and those of apps."""


class RepositoryAccess:
    def __init__(self, settings: Settings) -> None:
        self._api = settings.github_api
        self._base = settings.github_url
        self._token = settings.github_token

    def of(self, repository: str) -> Read[Account]:
        """One GET. A repository that is not seen is Unknown: GitHub does not tell whether there is none."""
        found = read(lambda: self._account(slug(repository, self._base)))
        if isinstance(found, Absent):
            return Unknown(f"GitHub answered 404: there is none, or the token of {TOKEN} may not see it")
        return found

    def _account(self, name: str) -> Account:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        response = request("GET", f"{self._api}/repos/{name}", headers=headers)
        scopes = response.headers.get(SCOPES)
        found: dict[str, Any] = decoded(response)
        # Whoever asks without a token is told of no permissions, but may read what is public.
        may: dict[str, Any] = found.get("permissions") or {"pull": True}
        return Account(
            pull=may.get("pull") is True,
            push=may.get("push") is True,
            admin=may.get("admin") is True,
            scopes=frozenset(one for part in scopes.split(",") if (one := part.strip()))
            if scopes is not None
            else None,
        )
