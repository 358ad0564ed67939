"""What GitHub tells of the access to a repository."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.clients.repository_access import Account, RepositoryAccess
from shared.model import Known, Unknown
from shared.settings import Settings
from tests.contract.clients import forge
from tests.contract.clients.forge import Answer, Forge

REPOSITORY = "https://github.com/ameideio/facts.git"
AT = "repos/ameideio/facts"
TOKEN = "token-of-a-test"


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Forge]:
    with forge.running(tmp_path) as running:
        yield running


def access(far: Forge, token: str | None = TOKEN) -> RepositoryAccess:
    given = replace(Settings.from_environment({}), github_api=f"{far.url}/api", github_token=token)
    return RepositoryAccess(given)


def told(**permissions: bool) -> dict[str, Any]:
    usual = {"admin": False, "maintain": False, "push": False, "triage": False, "pull": True}
    return {"id": 1, "full_name": "ameideio/facts", "permissions": {**usual, **permissions}}


def test_the_account_behind_the_token_is_told(far: Forge) -> None:
    far.lay("GET", AT, Answer(200, told(push=True)))
    expected = Account(pull=True, push=True, admin=False, scopes=None)
    assert access(far).of(REPOSITORY) == Known(expected)
    (asked,) = far.asked
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


def test_a_classic_token_has_scopes(far: Forge) -> None:
    far.lay("GET", AT, Answer(200, told(admin=True), {"X-OAuth-Scopes": "repo, workflow"}))
    expected = Account(pull=True, push=False, admin=True, scopes=frozenset({"repo", "workflow"}))
    assert access(far).of(REPOSITORY) == Known(expected)


def test_a_classic_token_may_have_none(far: Forge) -> None:
    far.lay("GET", AT, Answer(200, told(), {"X-OAuth-Scopes": ""}))
    assert access(far).of(REPOSITORY) == Known(
        Account(pull=True, push=False, admin=False, scopes=frozenset())
    )


def test_whoever_has_no_token_may_read_what_is_public(far: Forge) -> None:
    far.lay("GET", AT, Answer(200, {"id": 1, "full_name": "ameideio/facts"}))
    assert access(far, None).of(REPOSITORY) == Known(Account(pull=True, push=False, admin=False, scopes=None))
    assert "authorization" not in far.asked[0].headers


def test_a_repository_that_is_not_seen_is_unknown_and_never_absent(far: Forge) -> None:
    found = access(far).of(REPOSITORY)
    assert isinstance(found, Unknown)
    assert "may not see it" in found.why


@pytest.mark.parametrize("answer", [Answer(401, {}), Answer(200, []), Answer(200), Answer(503)], ids=str)
def test_whatever_else_is_answered_proves_nothing(far: Forge, answer: Answer) -> None:
    far.lay("GET", AT, answer)
    assert isinstance(access(far).of(REPOSITORY), Unknown)
