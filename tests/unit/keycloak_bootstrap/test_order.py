"""In which order annotations put the two Jobs, and which would be right."""

import pytest

from responders.keycloak_bootstrap.order import Place, comes_before, is_right, ordered

BEFORE: dict[str, tuple[Place, Place, bool]] = {
    "an earlier wave of one phase": (Place("Sync", 1), Place("Sync", 2), True),
    "the same wave": (Place("Sync", 1), Place("Sync", 1), False),
    "a later wave": (Place("Sync", 3), Place("Sync", 2), False),
    "an earlier phase, whatever the wave": (Place("PreSync", 9), Place("Sync", -9), True),
    "a later phase, whatever the wave": (Place("PostSync", -9), Place("Sync", 9), False),
    "no hook is of the phase Sync": (Place("", 1), Place("Sync", 2), True),
    "and ends before what comes after it": (Place("", 9), Place("PostSync", 0), True),
    "no hook comes after what is before the sync": (Place("", 0), Place("PreSync", 9), False),
    "a bootstrap in two phases ends in the later": (Place("PreSync,PostSync", 0), Place("Sync", 1), False),
    "a patcher in two phases begins in the earlier": (Place("Sync", 0), Place("PreSync, PostSync", 1), False),
    "a hook of no sync comes before nothing": (Place("SyncFail", 0), Place("Sync", 1), False),
    "and nothing comes before it": (Place("Sync", 0), Place("Skip", 1), False),
}


@pytest.mark.parametrize(("bootstrap", "patcher", "expected"), BEFORE.values(), ids=BEFORE)
def test_what_comes_before(bootstrap: Place, patcher: Place, expected: bool) -> None:
    assert comes_before(bootstrap, patcher) is expected


RIGHT: dict[str, tuple[tuple[Place, Place], tuple[Place, Place]]] = {
    "only the hook, where the waves are right": (
        (Place("", -4), Place("Sync", 2)),
        (Place("Sync", -4), Place("Sync", 2)),
    ),
    "only the hook, where the patcher comes after the sync": (
        (Place("PostSync", 9), Place("PostSync", 1)),
        (Place("Sync", 9), Place("PostSync", 1)),
    ),
    "the bootstrap's wave, where there is room before the patcher": (
        (Place("Sync", 9), Place("Sync", 5)),
        (Place("Sync", 4), Place("Sync", 5)),
    ),
    "both waves, where before the patcher nothing is deployed yet": (
        (Place("Sync", 0), Place("Sync", 0)),
        (Place("Sync", 1), Place("Sync", 2)),
    ),
    "the bootstrap's hook, and its wave stays where it is right": (
        (Place("PostSync", 1), Place("Sync", 2)),
        (Place("Sync", 1), Place("Sync", 2)),
    ),
    "the bootstrap's hook and its wave": (
        (Place("PostSync", 10), Place("Sync", 5)),
        (Place("Sync", 4), Place("Sync", 5)),
    ),
    "the patcher's hook and both waves, as where it ran before everything": (
        (Place("PostSync", 10), Place("PreSync", -1)),
        (Place("Sync", 1), Place("Sync", 2)),
    ),
    "no wave from before the sync is taken for one in it": (
        (Place("PreSync", -10), Place("PreSync", -1)),
        (Place("Sync", 1), Place("Sync", 2)),
    ),
    "the patcher's hook, where it has none that Argo CD runs": (
        (Place("Sync", 1), Place("Skip", 2)),
        (Place("Sync", 1), Place("Sync", 2)),
    ),
}


@pytest.mark.parametrize(("given", "expected"), RIGHT.values(), ids=RIGHT)
def test_what_is_changed(given: tuple[Place, Place], expected: tuple[Place, Place]) -> None:
    assert ordered(*given) == expected


@pytest.mark.parametrize("hook", ["", "PreSync", "Sync", "PostSync", "Skip", "PreSync,Sync"])
@pytest.mark.parametrize("other", ["", "PreSync", "Sync", "PostSync", "Skip", "Sync,PostSync"])
@pytest.mark.parametrize("waves", [(0, 0), (1, 2), (2, 1), (-3, -3), (-5, 5), (7, 7)])
@pytest.mark.parametrize("may_change", [True, False])
def test_whatever_they_are_they_are_right_afterwards_and_stay_so(
    hook: str, other: str, waves: tuple[int, int], may_change: bool
) -> None:
    first, then = ordered(Place(hook, waves[0]), Place(other, waves[1]), patcher_wave_may_change=may_change)
    assert is_right(first, then)
    assert ordered(first, then, patcher_wave_may_change=may_change) == (first, then)
    assert may_change or then.wave == waves[1]
