"""The file that holds the app's keys."""

import stat
from pathlib import Path

import pytest

from sandbox.host.errors import HostError
from sandbox.host.keys import EVENT_GRID_KEY, Keys


def test_keys_that_are_missing_are_made_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = Keys.load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len({keys.master, keys.function, keys.system[EVENT_GRID_KEY]}) == 3


def test_keys_that_are_there_are_kept(tmp_path: Path) -> None:
    first = Keys.load_or_create(tmp_path / "keys.json")
    assert Keys.load_or_create(tmp_path / "keys.json") == first


def test_two_apps_differ(tmp_path: Path) -> None:
    assert Keys.load_or_create(tmp_path / "one.json") != Keys.load_or_create(tmp_path / "other.json")


@pytest.mark.parametrize("text", ["", "[]", '{"master": "m"}'])
def test_an_unfit_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text, encoding="utf-8")
    with pytest.raises(HostError, match=r"keys\.json must hold"):
        Keys.load_or_create(tmp_path / "keys.json")
