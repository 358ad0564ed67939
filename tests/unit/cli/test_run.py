"""`reconverge run`: one platform, one process, no storage."""

import re
import shlex
from collections.abc import Callable
from datetime import timedelta

import pytest

from cli.exits import Exit
from shared.errors import Throttled
from tests.unit.cli.desk import Desk
from tests.unit.federated_credentials.builders import CLUSTER, DEAD, IDENTITY, LIVE, held
from tests.unit.platform import PUT
from tests.unit.seeding import register

type Prepare = Callable[[Desk], object]


def nothing(_: Desk) -> None:
    pass


def mended(desk: Desk) -> None:
    desk.platform.hold(IDENTITY, held(issuer=LIVE))


def proposing(desk: Desk) -> None:
    desk.mode = "propose"


def approving(desk: Desk) -> None:
    desk.mode = "approve"


def forbidding(desk: Desk) -> None:
    desk.mode = "never"


def unreadable(desk: Desk) -> None:
    desk.silence_arm()


def slow_directory(desk: Desk) -> None:
    desk.platform.propagation = timedelta(hours=1)


def deleted_cluster(desk: Desk) -> None:
    desk.platform.tear_down(CLUSTER)


ENDINGS: dict[str, tuple[Prepare, tuple[str, ...], str, Exit]] = {
    "a platform as declared has converged": (mended, (), "converged", Exit.CONVERGED),
    "a stale issuer is only proposed without --apply": (nothing, (), "proposed", Exit.DIFFERENCES),
    "a stale issuer is repaired with --apply": (nothing, ("--apply",), "repaired", Exit.CONVERGED),
    "a contract that proposes is kept with --apply": (
        proposing,
        ("--apply",),
        "proposed",
        Exit.DIFFERENCES,
    ),
    "a contract that asks waits for approval": (approving, ("--apply",), "approval", Exit.DIFFERENCES),
    "a contract that forbids leaves it to a person": (forbidding, ("--apply",), "human", Exit.DIFFERENCES),
    "what cannot be read gives no verdict": (unreadable, (), "failed", Exit.COULD_NOT_TELL),
    "a repair that Entra does not know yet is pending": (
        slow_directory,
        ("--apply", "--wait", "1m"),
        "pending",
        Exit.DIFFERENCES,
    ),
    "a deleted cluster needs a person": (deleted_cluster, ("--apply",), "human", Exit.DIFFERENCES),
}


@pytest.mark.parametrize(("prepare", "flags", "word", "code"), ENDINGS.values(), ids=ENDINGS)
def test_the_worst_outcome_is_the_exit_code(
    desk: Desk, prepare: Prepare, flags: tuple[str, ...], word: str, code: Exit
) -> None:
    prepare(desk)
    answer = desk.types("run", "dev", *flags, "--output", "json")
    assert [one["outcome"]["word"] for one in answer.document["targets"]] == [word]
    assert answer.code == code


@pytest.mark.parametrize("prepare", [nothing, proposing, approving, forbidding])
def test_nothing_is_written_without_apply(desk: Desk, prepare: Prepare) -> None:
    prepare(desk)
    desk.types("run")
    assert desk.held == held(issuer=DEAD)


@pytest.mark.parametrize("prepare", [proposing, approving, forbidding])
def test_apply_stays_within_the_contract(desk: Desk, prepare: Prepare) -> None:
    prepare(desk)
    desk.types("run", "--apply")
    assert desk.held == held(issuer=DEAD)


def test_an_apply_goes_on_until_the_repair_is_proven(desk: Desk) -> None:
    desk.platform.lay(PUT, Throttled("ARM answered 429", delay=timedelta(seconds=40)))
    desk.platform.propagation = timedelta(seconds=30)
    answer = desk.types("run", "--apply", "--output", "json")
    (target,) = answer.document["targets"]
    assert desk.held == held(issuer=LIVE)
    assert target["outcome"]["word"] == "repaired"
    assert [proof["verdict"] for proof in target["proofs"]] == ["accepted"]
    assert target["looks"] > 2
    assert desk.clock.waited >= timedelta(seconds=70)


def test_an_apply_ends_with_its_wait(desk: Desk) -> None:
    desk.platform.propagation = timedelta(hours=1)
    desk.types("run", "--apply", "--wait", "90s")
    assert desk.clock.waited <= timedelta(seconds=90)


def test_a_plan_is_shown_with_its_digest_and_carried_out_once_approved(desk: Desk) -> None:
    desk.mode = "approve"
    shown = desk.types("run", "--apply", "--output", "json")
    digest = shown.document["targets"][0]["outcome"]["plan"]
    answer = desk.types("run", "--apply", "--approve", digest, "--output", "json")
    (target,) = answer.document["targets"]
    assert target["outcome"]["word"] == "repaired"
    assert desk.held == held(issuer=LIVE)
    assert "(command line)" in target["steps"][0]["why"]


def test_an_approval_fits_only_the_facts_it_was_given_for(desk: Desk) -> None:
    desk.mode = "approve"
    digest = desk.types("run", "--apply", "--output", "json").document["targets"][0]["outcome"]["plan"]
    changed = held(issuer=DEAD, subject="system:serviceaccount:dev:other")
    desk.platform.meddle(IDENTITY, changed)
    answer = desk.types("run", "--apply", "--approve", digest)
    assert desk.held == changed
    assert answer.code == Exit.DIFFERENCES
    assert f"plan {digest} did not come up" in answer.err


WRONG_USE: dict[str, tuple[tuple[str, ...], str]] = {
    "an unknown environment": (("run", "prod"), "dev, staging (disabled)"),
    "an unknown responder": (("run", "dev/vault"), "dev/federated_credentials"),
    "an unknown --environment": (("run", "--environment", "prod"), "dev, staging (disabled)"),
    "an environment that is disabled": (("run", "staging"), "disabled in the landscape"),
    "a target outside of the environment": (
        ("run", "dev", "--environment", "staging"),
        "not in environment staging",
    ),
    "an approval without --apply": (("run", "--approve", "0" * 64), "write --apply as well"),
    "a wait without --apply": (("run", "--wait", "0s"), "write --apply as well"),
    "a landscape that is not there": (("run", "--landscape", "nowhere.yaml"), "there is no such file"),
}


@pytest.mark.parametrize(("typed", "says"), WRONG_USE.values(), ids=WRONG_USE)
def test_wrong_use_says_what_to_write(desk: Desk, typed: tuple[str, ...], says: str) -> None:
    answer = desk.types(*typed)
    assert (answer.code, answer.out) == (Exit.WRONG_USE, "")
    assert says in answer.err


def test_a_landscape_with_mistakes_is_refused_with_all_of_them(desk: Desk) -> None:
    wrong = desk.folder / "wrong.yaml"
    wrong.write_text("version: 2\ntenant: nobody\n")
    answer = desk.types("run", "--landscape", str(wrong))
    assert answer.code == Exit.WRONG_USE
    assert answer.err.count(f"{wrong}:") > 2


def test_a_disabled_environment_is_named_as_left_out(desk: Desk) -> None:
    assert "staging: disabled in the landscape, left out" in desk.types("run").out
    assert desk.types("run", "--output", "json").document["disabled"] == ["staging"]
    assert desk.types("run", "dev", "--output", "json").document["disabled"] == []


def test_the_table_tells_finding_step_decision_proof_and_outcome(desk: Desk) -> None:
    desk.clock.advance(timedelta(hours=1))
    lines = desk.types("run", "--apply").out.splitlines()
    assert lines[0] == "dev/federated_credentials  repaired: 1 repaired and proven"
    told = "\n".join(lines)
    assert "found  IssuerStale (mended)  vault/vault-dev" in told
    assert "step   credential.update (done)  vault/vault-dev" in told
    assert f"issuer: {DEAD} → {LIVE}" in told
    assert "mends IssuerStale; the contract says apply to credential.update" in told
    assert "proof  token-exchange accepted  vault/vault-dev" in told


def test_what_is_left_open_is_told_with_its_remedy(desk: Desk) -> None:
    desk.mode = "approve"
    told = desk.types("run", "--apply").out
    assert "remedy IssuerStale: Reconverge updates it in place" in told
    assert "agree  reconverge run dev/federated_credentials --apply --approve " in told


def test_one_step_is_counted_as_one(desk: Desk) -> None:
    assert "  proposed: 1 step proposed; " in desk.types("run").out
    desk.mode = "approve"
    assert "  approval: 1 step to approve in plan " in desk.types("run", "--apply").out


def test_what_failed_is_told_with_the_command_that_finds_out_why(desk: Desk) -> None:
    desk.silence_arm()
    assert "  ask    reconverge doctor\n" in desk.types("run").out
    shown = desk.types("run", "--landscape", str(desk.landscape)).out
    assert f"  ask    reconverge doctor --landscape {desk.landscape}\n" in shown


@pytest.mark.parametrize("typed", [(), ("dev",), ("--environment", "dev")], ids=" ".join)
def test_the_command_that_agrees_works_as_it_is_shown(desk: Desk, typed: tuple[str, ...]) -> None:
    desk.mode = "approve"
    desk.landscape = desk.folder / "it's ours.yaml"
    told = desk.types("run", *typed, "--apply", "--landscape", str(desk.landscape)).out
    (shown,) = re.findall(r"^  agree  reconverge (.+)$", told, re.MULTILINE)
    assert desk.types(*shlex.split(shown)).code == Exit.CONVERGED
    assert desk.held == held(issuer=LIVE)


def test_the_document_holds_what_the_table_tells(desk: Desk) -> None:
    (target,) = desk.types("run", "--output", "json").document["targets"]
    (step,) = target["steps"]
    (finding,) = target["findings"]
    assert finding["reason"] == "IssuerStale"
    assert finding["remedy"]
    assert not finding["mended"]
    assert (step["before"]["issuer"], step["after"]["issuer"]) == (DEAD, LIVE)
    assert (step["decision"], step["done"]) == ("propose", False)


def test_what_is_blocked_stands_beneath_its_root(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, desk.platform)
    answer = desk.types("run", "dev/vault_seeding", "dev/federated_credentials")
    root, blocked = [line for line in answer.out.splitlines() if line.lstrip().startswith("dev/")]
    assert root.startswith("dev/federated_credentials  proposed: ")
    assert blocked.startswith("    dev/vault_seeding  blocked: SecretMissing because of dev/federated_")


def test_what_is_blocked_by_something_not_asked_for_stands_by_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, desk.platform)
    assert desk.types("run", "dev/vault_seeding").out.startswith("dev/vault_seeding  blocked: ")


def test_an_apply_mends_the_root_and_sees_what_it_blocked_heal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, desk.platform)
    answer = desk.types("run", "dev/vault_seeding", "dev/federated_credentials", "--apply")
    assert answer.code == Exit.CONVERGED
