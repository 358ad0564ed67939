"""Beside each dependency stands what it weighs, and why it is here."""

import re
import tomllib
from pathlib import Path

import pytest

from bench.weights import IMPORTS, declared

TEXT = (Path(__file__).parents[3] / "pyproject.toml").read_text()
EXTRAS = tomllib.loads(TEXT)["project"]["optional-dependencies"]
SIZE = r"(?:under 0\.1|[\d.]+) MB"


@pytest.mark.parametrize("name", list(declared()))
def test_a_dependency_has_its_size_its_import_time_and_its_reason_beside_it(name: str) -> None:
    found = re.search(rf'^    "{re.escape(name)}(?:==[\d.]+)?", +# (.+)$', TEXT, re.MULTILINE)
    assert found is not None
    time = r", \d+ ms" if name in IMPORTS else ""
    reason = "(: .+)?" if name in EXTRAS["dev"] else ": .+"
    assert re.fullmatch(f"{SIZE}{time}{reason}", found[1])


def test_only_what_is_declared_is_weighed() -> None:
    assert set(IMPORTS) <= set(declared())
