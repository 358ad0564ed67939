"""What a target does whose fault is only a symptom: it names the root, and waits for it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.engine import Report, Run, execute
from shared.journal import Journal, Kind
from shared.leases import Leases
from shared.memory import MemoryRows
from shared.model import Finding, Plan, Severity, Step, Word
from shared.plans import Plans
from shared.steps import Crew
from shared.world import Leads, Look, ReasonInfo, Responder, Scope
from tests.unit.app import DEV, landscape
from tests.unit.clocks import START, VirtualClock
from tests.unit.federated_credentials.builders import IDENTITY
from tests.unit.platform import Platform

DAY = timedelta(days=1)
CREDENTIAL = f"{IDENTITY}/federatedIdentityCredentials/vault-dev"
REASONS = {
    "Symptom": ReasonInfo(Leads.REPAIR, Severity.ERROR, "", "", symptom=True),
    "OwnFault": ReasonInfo(Leads.PERSON, Severity.ERROR, "", ""),
    "Stale": ReasonInfo(Leads.REPAIR, Severity.ERROR, "", ""),
    "Unread": ReasonInfo(Leads.UNREAD, Severity.ERROR, "", ""),
    "NotYet": ReasonInfo(Leads.REPAIR, Severity.WARNING, "", ""),
    "Waits": ReasonInfo(Leads.WAIT, Severity.WARNING, "", ""),
    "Settles": ReasonInfo(Leads.WAIT, Severity.NOTE, "", ""),
    "Warning": ReasonInfo(Leads.PERSON, Severity.WARNING, "", ""),
    "Remark": ReasonInfo(Leads.NOTE, Severity.NOTE, "", ""),
    "WaitsToo": ReasonInfo(Leads.WAIT, Severity.ERROR, "", "", explains=False),
}
SYMPTOM = Finding(reason="Symptom", subject="secret", message="no secret")
ANOTHER = Finding(reason="Symptom", subject="another", message="no secret either")
OWN = Finding(reason="OwnFault", subject="vault", message="sealed")
STEP = Step(
    action="credential.update", object="secret", owner=IDENTITY, before=None, after={}, mends="Symptom"
)
ON_THE_CREDENTIAL = frozenset({CREDENTIAL.lower()})


def of_root(reason: str, subject: str = CREDENTIAL) -> Finding:
    return Finding(
        reason=reason, subject=subject, message="it trusts a dead issuer", severity=REASONS[reason].severity
    )


def responder(
    name: str,
    find: Callable[[], tuple[Finding, ...]],
    apply: Callable[..., None],
    rests_on: Mapping[str, frozenset[str]],
) -> Responder[Any]:
    return Responder(
        name=name,
        actions=(),
        reasons=REASONS,
        gather=lambda scope: scope.target,
        check=lambda _facts, _now: find(),
        plan=lambda _facts, found: Plan(
            target=DEV, facts="", steps=(STEP,) if any(one.subject == STEP.object for one in found) else ()
        ),
        apply=apply,
        verify=lambda _scope, _facts: (),
        doubt=lambda _facts, _proofs, _now: (),
        look_again=lambda _facts, _finding, _now: Look(after=START - START),
        rests_on=lambda _facts, finding: rests_on.get(finding.subject, ON_THE_CREDENTIAL),
    )


class Chain:
    """A target with findings of its own, and a precondition with others."""

    def __init__(
        self,
        own: tuple[Finding, ...],
        root: tuple[Finding, ...],
        rests_on: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """rests_on: by subject, where a symptom does not rest on the credential."""
        self.own, self.root, self.rests_on = own, root, rests_on or {}
        self.looks = 0
        """How often the precondition was looked at."""
        self.written: list[Step] = []
        self.clock = VirtualClock()
        self.rows = MemoryRows()
        self.journal = Journal(self.rows, self.clock)

    def _apply(self, _scope: Scope, step: Step) -> None:
        self.written.append(step)
        self.own = tuple(one for one in self.own if one.subject != step.object)

    def _look(self) -> tuple[Finding, ...]:
        self.looks += 1
        return self.root

    def run(self) -> Report:
        declared = landscape()
        precondition = responder("federated_credentials", self._look, self._apply, {})
        scope = Scope(
            target=DEV,
            landscape=declared,
            environment=declared.environments["dev"],
            world=Platform(self.clock).world,
            journal=self.journal,
            clock=self.clock,
            pause=self.clock.pause,
            preconditions=(precondition,),
        )
        run = Run(id="run", correlation_id="why", actor="reconverge")
        crew = Crew(Leases(self.rows, self.clock), lambda: None, run.id)
        checked = responder("vault_seeding", lambda: self.own, self._apply, self.rests_on)
        return execute(scope, checked, run, Plans(self.rows, self.clock), crew)


ROOTS: dict[str, Finding] = {
    "on the very thing it rests on": of_root("Stale"),
    "on something that contains it": of_root("Stale", IDENTITY),
    "in another letter case": of_root("Stale", CREDENTIAL.upper()),
    "that is not even known": of_root("Unread"),
    "that only a person mends": of_root("OwnFault"),
}


@pytest.mark.parametrize("root", ROOTS.values(), ids=ROOTS)
def test_a_symptom_is_blocked_by_a_root(root: Finding) -> None:
    chain = Chain((SYMPTOM,), (root,))
    report = chain.run()
    assert report.outcome.word is Word.BLOCKED
    assert report.outcome.blocked_by == "dev/federated_credentials"
    assert f"dev/federated_credentials {root.reason}: it trusts a dead issuer" in report.outcome.because
    assert [one.caused_by for one in report.remaining] == [root]
    assert chain.written == []
    assert [entry.kind for entry in chain.journal.read(DEV, since=START - DAY)] == [Kind.FINDING]


HARMLESS: dict[str, tuple[Finding, ...]] = {
    "nothing is wrong there": (),
    "another thing is wrong there": (of_root("Stale", f"{IDENTITY}-of-dns"),),
    "another credential of the same identity is": (of_root("Stale", f"{CREDENTIAL}-2"),),
    "there is only a remark": (of_root("Remark"),),
    "what is wrong there has broken nothing yet": (of_root("NotYet"),),
    "what is wrong there waits for others itself": (of_root("WaitsToo"),),
}


@pytest.mark.parametrize("root", HARMLESS.values(), ids=HARMLESS)
def test_a_symptom_is_repaired_when(root: tuple[Finding, ...]) -> None:
    chain = Chain((SYMPTOM,), root)
    assert chain.run().outcome.word is Word.REPAIRED
    assert chain.written == [STEP]


def test_a_fault_of_its_own_is_not_put_down_to_others() -> None:
    report = Chain((OWN,), (of_root("Stale"),)).run()
    assert report.outcome.word is Word.HUMAN
    assert report.remaining == (OWN,)


def test_a_fault_of_its_own_beside_a_symptom_is_told_first_and_the_symptom_still_waits() -> None:
    chain = Chain((OWN, SYMPTOM), (of_root("Stale"),))
    report = chain.run()
    assert report.outcome.word is Word.HUMAN
    assert report.outcome.blocked_by == "dev/federated_credentials"
    assert report.remaining == (OWN, replace(SYMPTOM, caused_by=of_root("Stale")))
    assert chain.written == []


def test_what_is_well_is_well_whatever_is_wrong_beneath() -> None:
    assert Chain((), (of_root("Stale"),)).run().outcome.word is Word.CONVERGED


# -- each symptom has its own root ------------------------------------------------------------------

WHOLE = frozenset({"dev/federated_credentials"})
ELSEWHERE = frozenset({"dev/runtime_facts"})


@pytest.mark.parametrize("reason", ["Stale", "OwnFault", "Unread", "Waits", "Settles"])
def test_what_rests_on_a_whole_target_is_blocked_there_by(reason: str) -> None:
    report = Chain((SYMPTOM,), (of_root(reason, "anything"),), {"secret": WHOLE}).run()
    assert (report.outcome.word, report.outcome.blocked_by) == (Word.BLOCKED, "dev/federated_credentials")


@pytest.mark.parametrize("reason", ["Remark", "NotYet", "Warning", "WaitsToo"])
def test_what_rests_on_a_whole_target_is_not_blocked_there_by(reason: str) -> None:
    report = Chain((SYMPTOM,), (of_root(reason, "anything"),), {"secret": WHOLE}).run()
    assert report.outcome.word is Word.REPAIRED


def test_a_warning_on_the_very_thing_that_it_rests_on_blocks() -> None:
    assert Chain((SYMPTOM,), (of_root("Warning"),)).run().outcome.word is Word.BLOCKED


def test_only_what_rests_on_the_root_waits_for_it() -> None:
    chain = Chain((SYMPTOM, ANOTHER), (of_root("Stale"),), {"secret": ELSEWHERE})
    report = chain.run()
    assert chain.written == [STEP]
    assert [(one.subject, one.caused_by is not None) for one in report.remaining] == [("another", True)]
    assert (report.outcome.word, report.outcome.blocked_by) == (Word.BLOCKED, "dev/federated_credentials")


def test_a_target_that_nothing_rests_on_is_not_looked_at() -> None:
    chain = Chain((SYMPTOM,), (of_root("Stale"),), {"secret": frozenset()})
    chain.run()
    assert chain.looks == 0


def test_a_precondition_is_looked_at_once_for_all_symptoms() -> None:
    chain = Chain((SYMPTOM, ANOTHER), (of_root("Stale"),))
    chain.run()
    assert chain.looks == 1
