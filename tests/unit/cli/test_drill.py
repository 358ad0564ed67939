"""What the drill concludes from what it saw. The story itself: tests/drill."""

import io
import json
import re
from typing import Any

import pytest

from cli import drill
from cli.exits import Exit
from cli.judging.credentials import CredentialWorks
from cli.judging.verdict import Answer, Verdict, fails, holds
from cli.output import Format, Screen
from cli.story import Evidence
from sandbox.processes import Child
from sandbox.stack import Stack
from tests.unit.app import landscape
from tests.unit.cli.desk import SECRET

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


def rows(seen: Evidence) -> list[list[str]]:
    out = io.StringIO()
    drill.show(Screen(out, io.StringIO()), seen, seconds=20)
    return [re.split(r"  +", line) for line in out.getvalue().splitlines()]


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
    head, row, *_ = rows(seen)
    assert head[:3] == ["environment", "what", "name"]
    now = str(seen.now[seen.asked[0]])
    told = ["dev", "credential", "vault/credential-0", "accepted", "refused AADSTS700211", now]
    assert row == ([*told, who] if who else told)


def test_neither_output_shows_a_secret() -> None:
    for form in (Format.TABLE, Format.JSON):
        out = io.StringIO()
        drill.show(Screen(out, io.StringIO(), form), evidence(ACCEPTED), seconds=20)
        assert SECRET not in out.getvalue()
    assert json.loads(out.getvalue())["verdict"] == "converged"
