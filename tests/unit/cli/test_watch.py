"""News from successive answers of the status endpoint."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.watch import LONGEST, Watch, changed_by, counted, settled_well, stirring

AT = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
JUST_BEFORE = AT - timedelta(seconds=1)
IDENTITY = "/subscriptions/s/resourceGroups/g/providers/M.I/userAssignedIdentities/vault"
OBJECT = f"{IDENTITY}/federatedIdentityCredentials/dev"


def target(outcome: str = "converged", **changes: Any) -> dict[str, Any]:
    return {
        "target": "dev/federated_credentials",
        "outcome": outcome,
        "because": "as declared",
        "settledAt": AT.isoformat(),
        "lookAgainAt": None,
        "running": False,
        **changes,
    }


def change(kind: str, **detail: Any) -> dict[str, Any]:
    return {
        "at": AT.isoformat(),
        "kind": kind,
        "where": "dev/federated_credentials",
        "actor": "reconverge",
        "run": "0123456789",
        "detail": {"object": OBJECT, **detail},
    }


def status(*changes: dict[str, Any], **of_target: Any) -> dict[str, Any]:
    return {"at": AT.isoformat(), "targets": [target(**of_target)], "changes": list(changes)}


STARTED = change(
    "step-started",
    action="credential.update",
    before={"issuer": "old", "name": "dev"},
    after={"issuer": "new", "name": "dev"},
)
NEWS = {
    "a step": (STARTED, "credential.update vault/dev: issuer"),
    "a step with many values": (
        change(
            "step-started",
            action="facts.update",
            before=dict.fromkeys("abcd", "old"),
            after=dict.fromkeys("abcd", "new"),
        ),
        "facts.update vault/dev: 4 values",
    ),
    "a new object": (
        change("step-started", action="credential.create", before=None, after={"name": "dev"}),
        "credential.create vault/dev: new",
    ),
    "a write": (change("step-done", mends="IssuerStale"), "written vault/dev"),
    "a failure": (change("step-failed", error="ARM answered 429"), "not written vault/dev: ARM answered 429"),
    "a proof": (
        change("proof", verdict="refused", detail="AADSTS700211"),
        "proof refused vault/dev: AADSTS700211",
    ),
    "an approval": (change("approved", digest="0123456789abcdef"), "plan 0123456789ab is approved"),
}


@pytest.mark.parametrize(("entry", "line"), NEWS.values(), ids=NEWS)
def test_a_change_is_news_once(entry: dict[str, Any], line: str) -> None:
    watch = Watch(JUST_BEFORE)
    assert f"03:00:00  dev/federated_credentials  {line}" in list(watch.news(status(entry)))
    assert list(watch.news(status(entry))) == []


def test_a_state_is_news_when_it_changes() -> None:
    watch = Watch(JUST_BEFORE)
    assert list(watch.news(status())) == ["03:00:00  dev/federated_credentials  converged: as declared"]
    assert list(watch.news(status())) == []
    (line,) = watch.news(status(outcome="pending", lookAgainAt=AT.isoformat()))
    assert line.endswith("pending: as declared; will look again")


def test_what_a_target_came_to_before_is_news_only_once_it_is_found_again() -> None:
    watch = Watch(AT)
    assert list(watch.news(status())) == []
    later = (AT + timedelta(seconds=1)).isoformat()
    (line,) = watch.news(status(settledAt=later))
    assert line.endswith("  converged: as declared")


UNEVENTFUL: dict[str, dict[str, Any]] = {
    "a run": {"running": True},
    "a run that ended as before": {},
    "that it will be looked at again": {"lookAgainAt": AT.isoformat()},
    "a target that never ran": {"outcome": "never run", "because": ""},
    "its first run": {"outcome": "never run", "because": "", "running": True},
}


@pytest.mark.parametrize("of_target", UNEVENTFUL.values(), ids=UNEVENTFUL)
def test_what_came_to_nothing_new_is_no_news(of_target: dict[str, Any]) -> None:
    watch = Watch(JUST_BEFORE)
    list(watch.news(status()))
    assert list(watch.news(status(**of_target))) == []


def test_a_long_reason_is_told_in_part() -> None:
    (line,) = Watch(JUST_BEFORE).news(
        status(outcome="blocked", because="x" * 2 * LONGEST, lookAgainAt=AT.isoformat())
    )
    assert line.endswith(f"  blocked: {'x' * (LONGEST - 1)}…; will look again")


def test_what_is_going_on_is_counted() -> None:
    told = {"targets": [target(), target("blocked"), target("blocked", running=True), target()]}
    assert counted(told) == "2 converged, 1 blocked, 1 runs"


STIRRING: dict[str, tuple[dict[str, Any], bool]] = {
    "as declared": ({}, False),
    "never run": ({"outcome": "never run", "settledAt": None}, False),
    "in need of a person": ({"outcome": "human"}, False),
    "running": ({"running": True}, True),
    "looked at again": ({"lookAgainAt": AT.isoformat()}, True),
    "in its first run": ({"outcome": "never run", "settledAt": None, "running": True}, True),
    "on its way to a first run": (
        {"outcome": "never run", "settledAt": None, "lookAgainAt": AT.isoformat()},
        True,
    ),
}


@pytest.mark.parametrize(("of_target", "stirs"), STIRRING.values(), ids=STIRRING)
def test_the_app_stirs_while_a_target_runs_or_will_be_looked_at(
    of_target: dict[str, Any], stirs: bool
) -> None:
    assert stirring(status(**of_target)) == (("dev/federated_credentials",) if stirs else ())


SETTLED: dict[str, tuple[dict[str, Any], datetime, bool]] = {
    "converged since": ({}, JUST_BEFORE, True),
    "repaired since": ({"outcome": "repaired"}, JUST_BEFORE, True),
    "converged before": ({}, AT, False),
    "running again": ({"running": True}, JUST_BEFORE, False),
    "pending": ({"outcome": "pending"}, JUST_BEFORE, False),
    "waiting for approval": ({"outcome": "approval"}, JUST_BEFORE, False),
    "never run": ({"outcome": "never run", "settledAt": None}, JUST_BEFORE, False),
}


@pytest.mark.parametrize(("of_target", "since", "well"), SETTLED.values(), ids=SETTLED)
def test_settled_well_is_a_good_end_after_the_moment(
    of_target: dict[str, Any], since: datetime, well: bool
) -> None:
    assert settled_well(status(**of_target), since) is well


def test_a_change_is_by_whoever_wrote_last() -> None:
    earlier, later = change("step-done"), change("step-done") | {"run": "fedcba9876"}
    assert changed_by(status(earlier, later), OBJECT.upper()) == "reconverge, run fedcba98"
    assert changed_by(status(STARTED), OBJECT) == ""


def test_a_change_is_by_whoever_wrote_anything_that_the_responder_looks_after() -> None:
    responder = change("step-done")["where"].partition("/")[2]
    assert changed_by(status(change("step-done")), responder) == "reconverge, run 01234567"
    assert changed_by(status(change("step-done")), "submodule_refs") == ""
