"""What is deployed is what was tested, and both are pinned by content alone."""

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
LOCKS = [REPOSITORY / "requirements.txt", *sorted((REPOSITORY / "locks").glob("*.txt"))]


def pins(lock: Path) -> set[str]:
    return set(re.findall(r"^[a-z0-9.\-]+==[^ \\]+", lock.read_text(), re.MULTILINE))


def test_every_deployed_package_is_one_that_was_tested() -> None:
    deployed = pins(REPOSITORY / "requirements.txt")
    assert deployed
    assert deployed - pins(REPOSITORY / "locks" / "dev.txt") == set()


def test_every_runtime_dependency_is_deployed_and_no_other_extra_is() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    deployed = {pin.partition("==")[0] for pin in pins(REPOSITORY / "requirements.txt")}
    assert names(project["dependencies"]) <= deployed
    assert names(project["optional-dependencies"]["dev"]).isdisjoint(deployed)
    assert names(project["optional-dependencies"]["cli"]).isdisjoint(deployed)


def names(dependencies: list[str]) -> set[str]:
    return {re.split(r"[=<>~\[ ]", one)[0].lower().replace(".", "-") for one in dependencies}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_by_hash_and_names_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^--", text, re.MULTILINE)
    assert len(pins(lock)) == len(re.findall(r"^[a-z0-9.\-]+==.*\\\n    --hash=sha256:", text, re.MULTILINE))


def test_the_npm_lock_pins_by_hash_and_names_no_address() -> None:
    text = (REPOSITORY / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert text.count('"integrity"') > 100
