"""That each broken state of the sandbox is found as the page on the sandbox says, by the app's own checks."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from sandbox.variants import VARIANTS
from tests.sandbox.variants.looking import Looking
from tests.waiting import eventually

PAGE = Path(__file__).parents[3] / "docs" / "sandbox.md"
RESPONDERS = {"keycloak": "keycloak_bootstrap", "gitlab": "gitlab_migrations"}
LATER = timedelta(hours=2)
"""Longer than anything is given to come right by itself."""


class Told(NamedTuple):
    """A line of the page's table."""

    named: set[str]
    waits: str
    """What is said of a wait; empty where there is none."""

    @property
    def first(self) -> set[str]:
        """Codes of what is named while it is waited."""
        return codes(self.waits)


def codes(cell: str) -> set[str]:
    return set(re.findall(r"\[(\w+)\]\(reasons\.md#", cell))


def told() -> Mapping[str, Told]:
    section = PAGE.read_text(encoding="utf-8").partition("## Broken states by name")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \| ([^|]*)\|$", section, re.MULTILINE)
    return {name: Told(codes(leads), waits.strip()) for name, leads, waits in lines}


TABLE = told()
FOUND = {name: one for name, one in TABLE.items() if one.named}


def test_the_page_has_a_line_for_each_broken_state() -> None:
    assert set(TABLE) == set(VARIANTS)
    assert set(TABLE) - set(FOUND) == {"gitlab-monitoring-not-allowed"}


@pytest.mark.parametrize(("name", "line"), FOUND.items(), ids=FOUND)
def test_a_broken_state_is_found_as_the_page_says(
    request: pytest.FixtureRequest, looking: Looking, name: str, line: Told
) -> None:
    whose = name.partition("-")[0]
    request.getfixturevalue(whose).break_(name)
    if line.first:
        eventually(lambda: line.first <= looking.reasons(RESPONDERS[whose]), f"at first {line.first}")
    later = LATER if line.waits else timedelta(0)
    eventually(lambda: line.named <= looking.reasons(RESPONDERS[whose], later), f"found: {line.named}")
