"""`reconverge doctor`: each check fails for its own reason, and says what to do."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.doctor import SCRATCH
from cli.exits import Exit
from shared.errors import Misconfigured, TemporaryError
from tests.unit.cli.desk import SECRET, Desk
from tests.unit.federated_credentials.builders import CLUSTER, DEAD, held

type Prepare = Callable[[Desk, pytest.MonkeyPatch], object]


def checks(desk: Desk) -> dict[str, dict[str, Any]]:
    """The last check of each name."""
    return {one["name"]: one for one in desk.types("doctor", "--output", "json").document["checks"]}


def test_everything_in_order_is_said_line_by_line(desk: Desk) -> None:
    answer = desk.types("doctor")
    assert answer.code == Exit.CONVERGED
    assert {line.split()[0] for line in answer.out.splitlines()} == {"ok"}
    base = ("python", "settings", "sweep", "storage", "landscape", "sign-in", "cluster", "identity")
    for name in (*base, "azure", "kubernetes"):
        assert f"  {name} " in answer.out


def no_such_setting(desk: Desk, _: pytest.MonkeyPatch) -> None:
    desk.environment["RECONVERGE_ARM_ENDPOINT"] = "http://arm"


def no_landscape(desk: Desk, _: pytest.MonkeyPatch) -> None:
    desk.environment["RECONVERGE_LANDSCAPE"] = str(desk.folder / "nowhere.yaml")


def no_sweep(desk: Desk, _: pytest.MonkeyPatch) -> None:
    del desk.environment["RECONVERGE_SWEEP"]
    desk.environment["WEBSITE_SITE_NAME"] = "reconverge-ameide"


def no_schedule(desk: Desk, _: pytest.MonkeyPatch) -> None:
    desk.environment["RECONVERGE_SWEEP"] = "hourly"


def storage_away(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(desk.rows, "insert", _raising(TemporaryError("no answer", delay=timedelta(0))))


def no_storage(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    del desk.environment["AzureWebJobsStorage"]
    desk.environment["FUNCTIONS_WORKER_RUNTIME"] = "python"
    patch.setattr(desk, "stores", _raising(Misconfigured("AzureWebJobsStorage is missing")))


def guessable_token(desk: Desk, _: pytest.MonkeyPatch) -> None:
    desk.environment["RECONVERGE_ARGOCD_TOKEN"] = SECRET[:8]


def token_that_was_only_moved(desk: Desk, _: pytest.MonkeyPatch) -> None:
    desk.environment["RECONVERGE_ARGOCD_TOKEN_PREVIOUS"] = "9b2e" * 16


def nobody_signed_in(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(desk, "object_id", _raising(Misconfigured("sign in with `az login`")))


def somebody_else(desk: Desk, _: pytest.MonkeyPatch) -> None:
    desk.signs_in_as = "55555555-5555-5555-5555-555555555555"
    desk.environment["WEBSITE_SITE_NAME"] = "reconverge-ameide"


def arm_away(desk: Desk, _: pytest.MonkeyPatch) -> None:
    desk.silence_arm()


def cluster_gone(desk: Desk, _: pytest.MonkeyPatch) -> None:
    desk.platform.tear_down(CLUSTER)


def _raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise error

    return fail


FAULTS: dict[str, tuple[Prepare, str, str, Exit]] = {
    "a wrong setting": (no_such_setting, "settings", "wrong", Exit.WRONG_USE),
    "a missing landscape": (no_landscape, "landscape", "wrong", Exit.WRONG_USE),
    "a missing sweep of the deployed app": (no_sweep, "sweep", "wrong", Exit.WRONG_USE),
    "a sweep that is no schedule": (no_schedule, "sweep", "wrong", Exit.WRONG_USE),
    "no storage connection of the deployed app": (no_storage, "storage", "wrong", Exit.WRONG_USE),
    "a storage account that does not answer": (storage_away, "storage", "not known", Exit.COULD_NOT_TELL),
    "a token of Argo CD that can be guessed": (guessable_token, "argocd", "wrong", Exit.WRONG_USE),
    "a token of Argo CD before none": (token_that_was_only_moved, "argocd", "wrong", Exit.WRONG_USE),
    "nobody signed in": (nobody_signed_in, "sign-in", "wrong", Exit.WRONG_USE),
    "an app that signs in as another than declared": (somebody_else, "sign-in", "differs", Exit.DIFFERENCES),
    "an ARM that does not answer": (arm_away, "credentials", "not known", Exit.COULD_NOT_TELL),
    "a cluster that is gone": (cluster_gone, "cluster", "differs", Exit.DIFFERENCES),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_names_the_check_that_fails(desk: Desk, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare, name, verdict, code = FAULTS[fault]
    prepare(desk, monkeypatch)
    assert desk.types("doctor").code == code
    assert checks(desk)[name]["verdict"] == verdict


def test_a_laptop_needs_neither_storage_nor_sweep_nor_the_apps_identity(desk: Desk) -> None:
    del desk.environment["AzureWebJobsStorage"], desk.environment["RECONVERGE_SWEEP"]
    desk.signs_in_as = "55555555-5555-5555-5555-555555555555"
    assert desk.types("doctor").code == Exit.CONVERGED
    found = checks(desk)
    assert {name for name, check in found.items() if check["verdict"] == "note"} == {
        "storage",
        "sweep",
        "sign-in",
    }
    for name in ("storage", "sweep"):
        assert found[name]["says"].endswith("is not set: needed by the deployed app only")


def test_all_mistakes_of_the_landscape_are_shown_at_once(desk: Desk) -> None:
    wrong = desk.folder / "wrong.yaml"
    wrong.write_text("version: 2\ntenant: nobody\n")
    answer = desk.types("doctor", "--landscape", str(wrong))
    assert answer.out.count(f"{wrong}:") > 2


def test_a_tenant_that_nobody_replaced_in_the_sample_is_named(desk: Desk) -> None:
    sample = Path(__file__).parents[3] / "landscape.sample.yaml"
    answer = desk.types("doctor", "--landscape", str(sample))
    assert answer.code == Exit.WRONG_USE
    assert f"{sample}: the tenant is still the sample's" in answer.out


def test_what_needs_a_sign_in_is_not_tried_without(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_signed_in(desk, monkeypatch)
    found = checks(desk)
    assert "cluster" not in found
    assert found["reads"]["verdict"] == "not known"


def test_the_storage_is_left_as_it_was(desk: Desk) -> None:
    desk.types("doctor")
    assert list(desk.rows.query(SCRATCH, "doctor")) == []


def test_nothing_in_azure_is_written(desk: Desk) -> None:
    desk.types("doctor")
    assert desk.held == held(issuer=DEAD)
    assert desk.platform.written == []


def test_the_contract_is_told_as_what_may_change(desk: Desk) -> None:
    says = checks(desk)["contract dev"]["says"]
    assert says.startswith("apply credential.update, apply credential.create on vault; ")
    assert "nothing is listed or allowed for apply submodule.keep, apply submodule.move, " in says
    assert says.endswith("; at most 20 a run and 60 an hour a target")
    assert checks(desk)["contract staging"]["says"] == "disabled: nothing is looked at"
    desk.mode = "propose"
    assert checks(desk)["contract dev"]["says"].startswith("changes nothing")


def test_what_is_disabled_is_not_read(desk: Desk) -> None:
    desk.dev = "false"
    desk.types("doctor")
    assert desk.platform.calls == []


def test_tokens_of_argo_cd_are_told_by_their_number(desk: Desk) -> None:
    assert "argocd" not in checks(desk)
    desk.environment["RECONVERGE_ARGOCD_TOKEN"] = "c1f0" * 16
    assert checks(desk)["argocd"]["says"] == "notifications are taken in by their token"
    desk.environment["RECONVERGE_ARGOCD_TOKEN_PREVIOUS"] = "9b2e" * 16
    assert checks(desk)["argocd"]["says"].endswith("by their token, and for now the one before it too")


def test_no_line_shows_a_secret(desk: Desk) -> None:
    answer = desk.types("doctor")
    assert SECRET not in answer.out + answer.err
