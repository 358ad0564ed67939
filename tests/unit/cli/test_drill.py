"""What the drill concludes from what it saw. The story itself: tests/drill."""

import io
import json
from typing import Any

import pytest

from cli import drill
from cli.exits import Exit
from cli.output import Format, Screen
from cli.story import Evidence
from cli.verdict import Answer, Claim, Verdict
from sandbox.processes import Child
from sandbox.stack import Stack
from tests.unit.cli.desk import SECRET

ACCEPTED = Verdict(Answer.ACCEPTED, "")
REFUSED = Verdict(Answer.REFUSED, "AADSTS700211")
NOT_KNOWN = Verdict(Answer.NOT_KNOWN, "Timeout")


def claim(name: str) -> Claim:
    return Claim(
        environment="dev",
        cluster="aks",
        identity="/subscriptions/s/resourceGroups/g/providers/M.I/userAssignedIdentities/vault",
        credential=name,
        subject="system:serviceaccount:dev:vault",
        audience="api://AzureADTokenExchange",
    )


def evidence(*now: Verdict, proves_nothing: str = "", tmp: Any = None) -> Evidence:
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
        asked=asked,
        before=dict.fromkeys(asked, ACCEPTED),
        after=dict.fromkeys(asked, REFUSED),
        now=dict(zip(asked, now, strict=True)),
        proves_nothing=proves_nothing,
    )


CONCLUSIONS: dict[str, tuple[Evidence, Exit, str]] = {
    "every credential works": (evidence(ACCEPTED, ACCEPTED), Exit.CONVERGED, "CONVERGED: 2 of 2"),
    "one is refused": (evidence(ACCEPTED, REFUSED), Exit.DIFFERENCES, "NOT CONVERGED: 1 of 2"),
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
def test_only_a_credential_that_works_is_a_good_end(seen: Evidence, code: Exit, closing: str) -> None:
    out = io.StringIO()
    drill.show(Screen(out, io.StringIO()), seen, seconds=20)
    assert seen.code is code
    assert out.getvalue().splitlines()[-1].startswith(closing)


def test_the_table_tells_each_credential_before_after_and_now() -> None:
    out = io.StringIO()
    drill.show(Screen(out, io.StringIO()), evidence(ACCEPTED), seconds=20)
    head, row = out.getvalue().splitlines()[:2]
    assert head.split("  ")[0] == "environment"
    assert row.split() == ["dev", "vault", "credential-0", "accepted", "refused", "AADSTS700211", "accepted"]


def test_neither_output_shows_a_secret() -> None:
    for form in Format:
        out = io.StringIO()
        drill.show(Screen(out, io.StringIO(), form), evidence(ACCEPTED), seconds=20)
        assert SECRET not in out.getvalue()
    assert json.loads(out.getvalue())["verdict"] == "converged"
