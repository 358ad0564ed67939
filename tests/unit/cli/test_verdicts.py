"""One row for each target, of what was seen from outside and what the app told."""

from typing import Any

import pytest

from cli.judging.verdict import Answer, Verdict, fails
from cli.verdicts import COLUMNS, Row, Told, cells, plain, rows, summed
from tests.unit.cli.told import BROKEN, TOLD, WELL, Stated, outcome, step, told

GITLAB, KEYCLOAK, SEEDING = "dev/gitlab_migrations", "dev/keycloak_bootstrap", "dev/vault_seeding"
ROOT = "dev/runtime_facts"
PAGE = Stated("dev", "gitlab_migrations")
VALUES = "https://github.com/ameideio/ameide-gitops/blob/main/sources/values/platform-gitlab.yaml"
CREDENTIAL = (
    "/subscriptions/s/resourceGroups/g/providers/M.I/userAssignedIdentities/mi/federatedIdentityCredentials"
)


def row(app: Told) -> Row:
    """Of GitLab, whose page was gone and is back."""
    asked = (PAGE,)
    found = rows(asked, {PAGE: WELL}, {PAGE: BROKEN}, {PAGE: WELL}, app)
    return next(one for one in found if one.target == GITLAB)


WAITED: dict[str, tuple[tuple[Any, ...], tuple[str, ...]]] = {
    "nobody": ((outcome(GITLAB, 1, "human"), outcome(GITLAB, 9, "repaired")), ()),
    "whom it named": ((outcome(GITLAB, 1, "blocked", (ROOT, "FactDiffers")),), ("runtime_facts",)),
    "one after the other, the last first": (
        (
            outcome(GITLAB, 1, "blocked", (ROOT, "FactDiffers")),
            outcome(GITLAB, 5, "blocked", (SEEDING, "SeedMissing")),
            outcome(GITLAB, 9, "blocked", (KEYCLOAK, "PatcherFirst")),
            outcome(GITLAB, 12, "converged"),
        ),
        ("keycloak_bootstrap", "vault_seeding", "runtime_facts"),
    ),
    "the same one again, by the last time": (
        (
            outcome(GITLAB, 1, "blocked", (SEEDING, "SeedMissing")),
            outcome(GITLAB, 2, "blocked", (ROOT, "FactDiffers")),
            outcome(GITLAB, 3, "blocked", (SEEDING, "SeedMissing")),
        ),
        ("vault_seeding", "runtime_facts"),
    ),
    "nobody that another named": (
        (outcome(KEYCLOAK, 1, "blocked", (ROOT, "FactDiffers")), outcome(GITLAB, 2, "converged")),
        (),
    ),
}


@pytest.mark.parametrize(("outcomes", "chain"), WAITED.values(), ids=WAITED)
def test_a_target_waited_for(outcomes: tuple[Any, ...], chain: tuple[str, ...]) -> None:
    assert row(told(*outcomes)).chain == chain


def test_each_fault_that_held_a_target_back_is_kept_once() -> None:
    app = told(
        outcome(GITLAB, 1, "blocked", (SEEDING, "SeedMissing"), (KEYCLOAK, "PatcherFirst")),
        outcome(GITLAB, 2, "blocked", (SEEDING, "StoreNotReady"), (KEYCLOAK, "PatcherFirst")),
    )
    assert [(one.responder, one.reason) for one in row(app).causes] == [
        ("vault_seeding", "SeedMissing"),
        ("keycloak_bootstrap", "PatcherFirst"),
        ("vault_seeding", "StoreNotReady"),
    ]


CONVERGED: dict[str, tuple[tuple[Any, ...], float | None]] = {
    "when it was good": ((outcome(GITLAB, 1, "blocked"), outcome(GITLAB, 9, "repaired")), 9),
    "when it was good at first, and in other words later": (
        (outcome(GITLAB, 1, "human"), outcome(GITLAB, 9, "repaired"), outcome(GITLAB, 12, "converged")),
        9,
    ),
    "when it was good at last": (
        (outcome(GITLAB, 1, "converged"), outcome(GITLAB, 5, "pending"), outcome(GITLAB, 9, "converged")),
        9,
    ),
    "at once, if nothing was ever wrong": ((outcome(GITLAB, 2, "converged", until=9),), 2),
    "at once, if it was good before and stayed so": ((outcome(GITLAB, -30, "converged", until=2),), 0),
    "never, if it was good before only": (
        (outcome(GITLAB, -30, "converged", until=-20), outcome(GITLAB, 3, "failed")),
        None,
    ),
    "never": ((outcome(GITLAB, 1, "blocked"),), None),
    "never, if nothing was told": ((), None),
}


@pytest.mark.parametrize(("outcomes", "seconds"), CONVERGED.values(), ids=CONVERGED)
def test_a_target_converged(outcomes: tuple[Any, ...], seconds: float | None) -> None:
    assert row(told(*outcomes)).seconds == seconds


ENDED: dict[str, tuple[tuple[Any, ...], str]] = {
    "well, as nothing was wrong": ((outcome(GITLAB, 1, "converged"),), "converged"),
    "repaired, though looked at again": (
        (outcome(GITLAB, 1, "blocked"), outcome(GITLAB, 9, "repaired"), outcome(GITLAB, 12, "converged")),
        "repaired",
    ),
    "well by itself, after a repair that did not last": (
        (outcome(GITLAB, 1, "repaired"), outcome(GITLAB, 9, "pending"), outcome(GITLAB, 12, "converged")),
        "converged",
    ),
    "badly": ((outcome(GITLAB, 1, "repaired"), outcome(GITLAB, 9, "human")), "human"),
    "in nothing new, if it was looked at before only": (
        (outcome(GITLAB, -30, "converged", until=-20),),
        "not looked at yet",
    ),
    "in a way that nobody told": ((), ""),
}


@pytest.mark.parametrize(("outcomes", "word"), ENDED.values(), ids=ENDED)
def test_a_target_ended(outcomes: tuple[Any, ...], word: str) -> None:
    assert row(told(*outcomes)).ending == word


def test_a_target_that_never_ran_was_not_looked_at_yet() -> None:
    never = Told(
        {"targets": [{"target": GITLAB, "outcome": "never run"}], "outcomes": [], "changes": []}, TOLD
    )
    assert row(never).ending == "not looked at yet"


CHANGED: dict[str, tuple[list[Any], tuple[str, ...]]] = {
    "a file by pull request": (
        step(GITLAB, 1, "values.update", VALUES, "pull-request"),
        ("values.update platform-gitlab.yaml (pull-request)",),
    ),
    "several things of one kind": (
        [
            *step(GITLAB, 1, "c.update", f"{CREDENTIAL}/one"),
            *step(GITLAB, 2, "c.update", f"{CREDENTIAL}/two"),
        ],
        ("c.update one, two (direct)",),
    ),
    "the same thing twice": (
        [
            *step(GITLAB, 1, "c.update", f"{CREDENTIAL}/one"),
            *step(GITLAB, 2, "c.update", f"{CREDENTIAL}/one"),
        ],
        ("c.update one (direct)",),
    ),
    "many things": (
        [entry for at in range(4) for entry in step(GITLAB, at, "c.update", f"{CREDENTIAL}/{at}")],
        ("c.update 4 things (direct)",),
    ),
    "by several channels": (
        [*step(GITLAB, 1, "v", VALUES, "pull-request"), *step(GITLAB, 2, "sync", "a/b")],
        ("v platform-gitlab.yaml (pull-request)", "sync b (direct)"),
    ),
    "nothing that failed": (step(GITLAB, 1, "v", VALUES, kind="step-failed"), ()),
    "nothing of which no end is known": (step(GITLAB, 1, "v", VALUES, kind=""), ()),
    "nothing that another target did": (step(KEYCLOAK, 1, "v", VALUES), ()),
    "nothing from before": (step(GITLAB, -9, "v", VALUES), ()),
}


@pytest.mark.parametrize(("changes", "changed"), CHANGED.values(), ids=CHANGED)
def test_a_target_changed(changes: list[Any], changed: tuple[str, ...]) -> None:
    assert row(told(outcome(GITLAB, 9, "repaired"), changes=changes)).changed == changed


RESULTS = {"step-done": "done", "step-failed": "failed", "": "not known"}


@pytest.mark.parametrize(("kind", "result"), RESULTS.items(), ids=RESULTS.values())
def test_a_step_ended(kind: str, result: str) -> None:
    app = told(outcome(GITLAB, 9, "repaired"), changes=step(GITLAB, 1, "v", VALUES, kind=kind))
    (change,) = row(app).changes
    assert (change.result, change.mends, change.at) == (result, "Fault", 1)


SUMS: dict[str, tuple[tuple[Verdict, ...], str]] = {
    "nothing": ((), ""),
    "one thing": ((BROKEN,), "500"),
    "several that hold": ((WELL, WELL), "2 of 2 hold"),
    "several that do not": ((WELL, BROKEN, fails("502")), "1 of 3 hold: 500"),
    "one that is not known": (
        (WELL, Verdict(Answer.NOT_KNOWN, "not known Timeout")),
        "1 of 2 hold: not known Timeout",
    ),
}


@pytest.mark.parametrize(("verdicts", "says"), SUMS.values(), ids=SUMS)
def test_what_is_claimed_of_a_target_is_summed_up(verdicts: tuple[Verdict, ...], says: str) -> None:
    assert summed(verdicts) == says


def test_a_row_tells_of_its_own_claims_only() -> None:
    others = Stated("prod", "gitlab_migrations"), Stated("dev", "vault_seeding")
    asked = (PAGE, *others)
    found = rows(asked, dict.fromkeys(asked, WELL), {}, {PAGE: BROKEN}, Told.nothing())
    assert [(one.target, one.before, one.now) for one in found] == [
        (GITLAB, "all is well", "500"),
        ("prod/gitlab_migrations", "all is well", ""),
        (SEEDING, "all is well", ""),
    ]


def test_the_targets_stand_in_the_apps_order_and_none_is_left_out() -> None:
    app = told(outcome(SEEDING, 1, "repaired"), outcome(KEYCLOAK, 1, "human"))
    found = rows((PAGE, Stated("dev", "vault_seeding")), {}, {}, {}, app)
    assert [(one.target, one.outcome) for one in found] == [
        (SEEDING, "repaired"),
        (KEYCLOAK, "human"),
        (GITLAB, ""),
    ]


def whole() -> Row:
    return row(
        told(
            outcome(GITLAB, 1, "blocked", (SEEDING, "SeedMissing"), reason="MigrationsFailed"),
            outcome(GITLAB, 9.04, "repaired"),
            changes=step(GITLAB, 5, "values.update", VALUES, "pull-request"),
        )
    )


def test_a_row_in_cells() -> None:
    assert dict(zip(COLUMNS, cells(whole()), strict=True)) == {
        "environment": "dev",
        "responder": "gitlab_migrations",
        "before": "all is well",
        "after the damage": "500",
        "now": "all is well",
        "outcome": "repaired",
        "converged after": "9 s",
        "waited for": "← vault_seeding",
        "changed": "values.update platform-gitlab.yaml (pull-request)",
    }


def test_a_row_in_json() -> None:
    assert plain(whole()) == {
        "environment": "dev",
        "responder": "gitlab_migrations",
        "before": "all is well",
        "afterDamage": "500",
        "now": "all is well",
        "outcome": "repaired",
        "secondsToConverged": 9.0,
        "causeChain": ["vault_seeding"],
        "causes": [{"target": SEEDING, "reason": "SeedMissing"}],
        "states": [
            {"seconds": 1.0, "outcome": "blocked", "reason": "MigrationsFailed", "waitsFor": SEEDING},
            {"seconds": 9.0, "outcome": "repaired", "reason": None, "waitsFor": None},
        ],
        "changes": [
            {
                "seconds": 5.0,
                "action": "values.update",
                "object": VALUES,
                "channel": "pull-request",
                "mends": "Fault",
                "result": "done",
            }
        ],
    }
