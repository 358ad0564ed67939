"""One forge for each module of tests; each test lays repositories of its own there."""

from collections.abc import Iterator

import pytest

from sandbox.dials import Dials
from tests.sandbox.github.served import Place, Served, running

FILES = {"README.md": "hello\n", "env/dev.yaml": "a: 1\n", "env/prod.yaml": "a: 2\n"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with running(tmp_path_factory.mktemp("forge"), Dials(workflow_seconds=0.0)) as one:
        yield one


@pytest.fixture
def place(served: Served) -> Place:
    return served.lay(FILES)


@pytest.fixture
def laid(place: Place) -> Place:
    """With `next` a commit ahead of main, `clash` in conflict with it, and `same` where main is."""
    place.ask("POST", "git/refs", {"ref": "refs/heads/same", "sha": place.head()})
    place.commit("clash", {"README.md": "clash\n"})
    place.commit("next", {"env/dev.yaml": "a: 9\n"})
    return place
