"""The part of `reconverge doctor` that is about repositories: one line for each.

GitHub tells the account's role, never what a fine-grained token of it may. What it does not tell is a note.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cli.exits import Exit
from cli.tried import Check, by, unread
from shared.clients.github_http import TOKEN
from shared.clients.repository_access import Account
from shared.landscape import repository_page
from shared.model import Known, Read
from shared.permissions import GitHubNeed, InRepository, Level

CLASSIC: Final = frozenset({"repo", "public_repo"})
"""Scopes of a classic token that let it write, to all of the account's repositories."""


def repositories(
    needed: Iterable[GitHubNeed], found: Mapping[InRepository, Read[Account]], *, token: bool
) -> Iterator[Check]:
    """token: one was given; without any, only what is public can be read."""
    at: dict[InRepository, list[GitHubNeed]] = {}
    for need in needed:
        at.setdefault(need.place, []).append(need)
    for place, own in at.items():
        name, read = repository_page(place.url), found[place]
        if not isinstance(read, Known):
            yield unread("github", name, read, f"see the address, and that {TOKEN} holds a token for it")
            continue
        yield _in_repository(name, own, read.value, token=token)
        writes = any(one.right.level is Level.WRITE for one in own)
        if more := _more_in_repository(read.value, writes=writes):
            yield Check("github", Exit.CONVERGED, f"{name}: more than needed: {more}", note=True)


def _in_repository(name: str, own: list[GitHubNeed], account: Account, *, token: bool) -> Check:
    """What GitHub tells of the account is the most that its token can do, and often more than it may."""
    wanted = _levels(own)
    writes = any(one.right.level is Level.WRITE for one in own)
    if writes and not token:
        remedy = f"make a token with {wanted} for it, and write it into {TOKEN}"
        return Check("github", Exit.DIFFERENCES, f"{name}: missing for {by(own)}: a token", remedy)
    if not (account.push if writes else account.pull):
        says = f"{name}: missing for {by(own)}: the token's account may not {'write' if writes else 'read'}"
        return Check("github", Exit.DIFFERENCES, says, f"let it, and give the token {wanted}")
    scopes = account.scopes or frozenset()
    if scopes & CLASSIC or not token:
        return Check("github", Exit.CONVERGED, f"{name}: {wanted}")
    if account.scopes:
        says = f"{name}: missing for {by(own)}: the token's scopes are {', '.join(sorted(scopes))}"
        return Check("github", Exit.DIFFERENCES, says, f"make a fine-grained token with {wanted}")
    says = f"{name}: the account may; whether its token has {wanted}, GitHub does not tell"
    return Check("github", Exit.CONVERGED, says, note=True)


def _more_in_repository(account: Account, *, writes: bool) -> str:
    if account.scopes and account.scopes & CLASSIC:
        return "a classic token reaches every repository of its account; a fine-grained one is enough"
    if account.admin:
        return "the token's account administers it"
    if account.push and not writes:
        return "the token's account may write, and nothing but reading is done"
    return ""


def _levels(own: Iterable[GitHubNeed]) -> str:
    """Each permission once, at the highest level that is needed."""
    levels: dict[str, Level] = {}
    for one in sorted(own, key=lambda need: need.right.level is Level.WRITE):
        levels[one.right.permission] = one.right.level
    return ", ".join(f"{permission}: {level}" for permission, level in levels.items())
