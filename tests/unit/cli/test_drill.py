"""What the drill concludes from what it saw. The story itself: tests/drill."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli import drill, main, report
from cli.exits import Exit
from cli.judging.credentials import CredentialWorks
from cli.judging.verdict import Answer, Verdict, fails, holds
from cli.output import Format, Screen
from cli.reviewer import Proposal
from cli.story import Evidence, Happened, Merged, Story
from cli.surroundings import Surroundings
from sandbox.environment import Channel
from sandbox.processes import Child
from sandbox.stack import Stack
from shared.model import utc_now
from tests.unit.app import landscape
from tests.unit.cli.desk import SECRET
from tests.unit.cli.told import outcome, step

SECOND = timedelta(seconds=1)
ACCEPTED = holds("accepted")
REFUSED = fails("refused AADSTS700211")
NOT_KNOWN = Verdict(Answer.NOT_KNOWN, "not known Timeout")


def claim(name: str) -> CredentialWorks:
    return CredentialWorks(
        environment="dev",
        cluster="aks",
        identity="/subscriptions/s/resourceGroups/g/providers/M.I/userAssignedIdentities/vault",
        credential=name,
        subject="system:serviceaccount:dev:vault",
        audience="api://AzureADTokenExchange",
    )


def evidence(*now: Verdict, proves_nothing: str = "", status: Any = None, tmp: Any = None) -> Evidence:
    asked = tuple(claim(f"credential-{number}") for number in range(len(now)))
    return Evidence(
        stack=Stack(
            directory=tmp,
            children=(Child(name="host", pid=1, started="1"),),
            environment={
                "SANDBOX_URL": "https://127.0.0.1:1",
                "RECONVERGE_APP_URL": "http://127.0.0.1:2",
                "RECONVERGE_APP_KEY": SECRET,
            },
        ),
        landscape=landscape(),
        asked=asked,
        before=dict.fromkeys(asked, ACCEPTED),
        after=dict.fromkeys(asked, REFUSED),
        now=dict(zip(asked, now, strict=True)),
        status=status,
        proves_nothing=proves_nothing,
    )


CONCLUSIONS: dict[str, tuple[Evidence, Exit, str]] = {
    "everything holds": (evidence(ACCEPTED, ACCEPTED), Exit.CONVERGED, "CONVERGED: 2 of 2"),
    "one thing does not": (evidence(ACCEPTED, REFUSED), Exit.DIFFERENCES, "NOT CONVERGED: 1 of 2"),
    "one could not be tried": (
        evidence(ACCEPTED, NOT_KNOWN, REFUSED),
        Exit.COULD_NOT_TELL,
        "NOT CONVERGED: 1 of 3",
    ),
    "the rebuild broke nothing": (
        evidence(ACCEPTED, proves_nothing="nothing was refused"),
        Exit.COULD_NOT_TELL,
        "NO VERDICT: nothing was refused",
    ),
}


@pytest.mark.parametrize(("seen", "code", "closing"), CONCLUSIONS.values(), ids=CONCLUSIONS)
def test_only_what_holds_is_a_good_end(seen: Evidence, code: Exit, closing: str) -> None:
    out = io.StringIO()
    drill.show(Screen(out, io.StringIO()), seen, seconds=20)
    assert seen.code is code
    assert out.getvalue().splitlines()[-1].startswith(closing)


def tables(seen: Evidence) -> list[list[list[str]]]:
    out = io.StringIO()
    drill.show(Screen(out, io.StringIO()), seen, seconds=20)
    parts = out.getvalue().split("\n\n")
    return [[re.split(r"  +", line) for line in part.splitlines()] for part in parts]


WRITTEN = {
    "targets": [],
    "changes": [
        {
            "kind": "step-done",
            "where": "dev/federated_credentials",
            "actor": "reconverge",
            "run": "0123456789",
            "detail": {"object": claim("credential-0").journalled},
        }
    ],
}
WHO: dict[str, tuple[Evidence, str]] = {
    "what the app wrote": (evidence(ACCEPTED, status=WRITTEN), "reconverge, run 01234567"),
    "what nobody wrote": (evidence(ACCEPTED), "healed by itself"),
    "what is still broken": (evidence(REFUSED), ""),
}


@pytest.mark.parametrize(("seen", "who"), WHO.values(), ids=WHO)
def test_the_table_tells_each_thing_before_after_and_now_and_who_changed_it(seen: Evidence, who: str) -> None:
    _, (head, row, *_), _ = tables(seen)
    assert head[:3] == ["environment", "what", "name"]
    now = str(seen.now[seen.asked[0]])
    told = ["dev", "credential", "vault/credential-0", "accepted", "refused AADSTS700211", now]
    assert row == ([*told, who] if who else told)


TOLD_AT = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
TARGET = "dev/federated_credentials"
ACCOUNT: dict[str, Any] = {
    "targets": [{"target": TARGET, "outcome": "repaired"}],
    "changes": step(TARGET, 2, "credential.update", claim("credential-0").journalled),
    "outcomes": [outcome(TARGET, 1, "pending"), outcome(TARGET, 9, "repaired")],
}


def whole() -> Evidence:
    """Of a story with a beginning and an end."""
    seen = evidence(ACCEPTED, status=ACCOUNT)
    seen.told_at = TOLD_AT
    seen.damage.append(Happened(TOLD_AT - 5 * SECOND, "the cluster was rebuilt"))
    proposal = Proposal("ameideio/ameide-gitops", 3, "Map ci", "why", "reconverge/dev/gitlab-1", "0" * 40)
    seen.merged.append(Merged(TOLD_AT + 6 * SECOND, proposal))
    return seen


def test_a_table_of_the_targets_stands_above_that_of_the_claims() -> None:
    (head, row), _, _ = tables(whole())
    assert head[:3] == ["environment", "responder", "before"]
    assert row == [
        "dev",
        "federated_credentials",
        "accepted",
        "refused AADSTS700211",
        "accepted",
        "repaired",
        "9 s",
        "credential.update credential-0 (direct)",
    ]


def test_a_story_without_a_word_of_the_app_has_its_targets_all_the_same() -> None:
    (_, row), _, _ = tables(evidence(ACCEPTED))
    assert row == ["dev", "federated_credentials", "accepted", "refused AADSTS700211", "accepted"]


def test_the_document_tells_the_same() -> None:
    out = io.StringIO()
    drill.show(Screen(out, io.StringIO(), Format.JSON), whole(), seconds=20)
    told = json.loads(out.getvalue())
    (verdict,) = told["verdicts"]
    assert (verdict["responder"], verdict["secondsToConverged"]) == ("federated_credentials", 9.0)
    assert (told["damage"], told["merged"]) == (["the cluster was rebuilt"], ["ameideio/ameide-gitops#3"])


def test_the_report_tells_the_same() -> None:
    told = drill.as_drill(whole(), TOLD_AT - 60 * SECOND, 20, Channel.WORKFLOW)
    assert told.good
    assert [(one.at, one.who) for one in told.events] == [(-5, "the drill"), (6, "a reviewer")]
    assert told.events[1].what == "merged ameideio/ameide-gitops#3: Map ci"
    assert told.rows == whole().rows
    assert SECRET not in report.page(told)


NO_REPORTS = {
    "into no folder": ("none/drill.html", "there is no folder "),
    "in the place of a folder": ("pages", "is a folder: name a file in it"),
}


@pytest.mark.parametrize(("report", "says"), NO_REPORTS.values(), ids=NO_REPORTS)
def test_a_report_that_cannot_be_written_is_refused_before_anything_begins(
    tmp_path: Path, report: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Story, "play", lambda *_: pytest.fail("the drill began"))
    (tmp_path / "pages").mkdir()
    asked = ["drill", "--dir", str(tmp_path / "sandbox"), "--report", str(tmp_path / report)]
    complaints = io.StringIO()
    here = Surroundings(
        environment={}, screen=Screen(io.StringIO(), complaints), clock=utc_now, pause=lambda _: None
    )
    assert main.conduct(main.parse(asked), here) == Exit.WRONG_USE
    assert says in complaints.getvalue()
    assert not (tmp_path / "sandbox").exists()


def test_neither_output_shows_a_secret() -> None:
    for form in (Format.TABLE, Format.JSON):
        out = io.StringIO()
        drill.show(Screen(out, io.StringIO(), form), evidence(ACCEPTED), seconds=20)
        assert SECRET not in out.getvalue()
    assert json.loads(out.getvalue())["verdict"] == "converged"
