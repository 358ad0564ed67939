"""Which word a run ends with, why, and when it looks again: for any responder, here one made of a script."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.endings import NEXT_STEP_PAUSE
from shared.engine import Report, Run, execute
from shared.errors import Busy, LeaseLost, PermanentError, TemporaryError, Throttled
from shared.journal import Journal, Kind
from shared.landscape import Caps, Contract, Mode
from shared.leases import COME_BACK, Leases
from shared.memory import MemoryRows
from shared.model import Finding, Outcome, Plan, Proof, Severity, Step, Verdict, Word
from shared.plans import Plans
from shared.steps import Crew, _lease_key
from shared.world import Leads, Look, ReasonInfo, Responder, Scope
from tests.unit.app import DEV, contract, environment, landscape
from tests.unit.clocks import START, VirtualClock
from tests.unit.federated_credentials.builders import IDENTITY
from tests.unit.platform import Platform

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
OTHER = f"{IDENTITY}-of-dns"
WAIT = 7 * SECOND
REASONS = {leads.value: ReasonInfo(leads, Severity.ERROR, "", "") for leads in Leads}


def finding(leads: Leads, subject: str = "a") -> Finding:
    return Finding(reason=leads.value, subject=subject, message="why")


def step(name: str, owner: str = IDENTITY) -> Step:
    return Step(action="credential.update", object=name, owner=owner, before=None, after={}, mends="repair")


@dataclass
class Script:
    """A responder that finds, plans and proves what it is told to, and whose steps mend what they name."""

    findings: tuple[Finding, ...] = ()
    steps: tuple[Step, ...] = ()
    errors: Mapping[str, Exception] = field(default_factory=dict)
    """By step, what applying it raises."""
    lost: frozenset[str] = frozenset()
    """Steps whose error comes after the effect."""
    verdicts: tuple[Verdict, ...] = ()
    doubts: tuple[Finding, ...] = ()
    mended: set[str] = field(default_factory=set)

    @property
    def responder(self) -> Responder[Any]:
        return Responder(
            name="script",
            actions=("credential.update",),
            reasons=REASONS,
            gather=lambda _scope: None,
            check=lambda _facts, _now: tuple(f for f in self.findings if f.subject not in self.mended),
            plan=lambda _facts, _findings: Plan(
                target=DEV, facts="", steps=tuple(s for s in self.steps if s.object not in self.mended)
            ),
            apply=self._apply,
            verify=self._verify,
            doubt=lambda _facts, _proofs, _now: self.doubts,
            look_again=lambda _facts, _finding, _now: Look(WAIT),
        )

    def _apply(self, _scope: Scope, given: Step) -> None:
        error = self.errors.get(given.object)
        if error is None or given.object in self.lost:
            self.mended.add(given.object)
        if error:
            raise error

    def _verify(self, scope: Scope, _facts: None) -> tuple[Proof, ...]:
        return tuple(
            Proof(object="a", method="read-back", verdict=verdict, detail="", at=scope.clock())
            for verdict in self.verdicts
        )


class Stage:
    def __init__(self, given: Contract | None = None) -> None:
        self.clock = VirtualClock()
        self.rows = MemoryRows()
        self.contract = given or contract(identities=(IDENTITY, OTHER))
        self.journal = Journal(self.rows, self.clock)
        self.keeps = 0
        self.lost_after: int | None = None

    def keep(self) -> None:
        self.keeps += 1
        if self.lost_after is not None and self.keeps > self.lost_after:
            raise LeaseLost("another worker took over")

    def play(self, script: Script, *, dry: bool = False) -> Report:
        declared = landscape(environment(contract=self.contract))
        scope = Scope(
            target=DEV,
            landscape=declared,
            environment=declared.environments["dev"],
            world=Platform(self.clock).world,
            journal=self.journal,
            clock=self.clock,
            pause=self.clock.pause,
        )
        run = Run(id="run", correlation_id="why", actor="reconverge", dry=dry)
        crew = Crew(Leases(self.rows, self.clock), self.keep, run.id)
        return execute(scope, script.responder, run, Plans(self.rows, self.clock), crew)

    def kinds(self) -> list[Kind]:
        return [entry.kind for entry in self.journal.read(DEV, since=START - MINUTE)]


PERSON, WAITING, REPAIR = finding(Leads.PERSON), finding(Leads.WAIT), finding(Leads.REPAIR)
UNREAD, NOTE = finding(Leads.UNREAD), finding(Leads.NOTE)
THROTTLED = Throttled("429", delay=90 * SECOND)
REFUSED = PermanentError("400")

ENDINGS: dict[str, tuple[Script, Word, datetime | None]] = {
    "nothing found": (Script(), Word.CONVERGED, None),
    "a note changes no verdict": (Script(findings=(NOTE,)), Word.CONVERGED, None),
    "a step done and proven": (
        Script(findings=(REPAIR,), steps=(step("a"),), verdicts=(Verdict.ACCEPTED,)),
        Word.REPAIRED,
        None,
    ),
    "an earlier run's step proven now": (Script(verdicts=(Verdict.ACCEPTED,)), Word.REPAIRED, None),
    "a doubt about the proof": (Script(doubts=(WAITING,)), Word.PENDING, START + WAIT),
    "time mends it": (Script(findings=(WAITING,)), Word.PENDING, START + WAIT),
    "a person mends it": (Script(findings=(PERSON,)), Word.HUMAN, None),
    "a person's task is graver than waiting, which is kept in mind": (
        Script(findings=(PERSON, WAITING)),
        Word.HUMAN,
        START + WAIT,
    ),
    "what could not be read is graver than a person's task": (
        Script(findings=(PERSON, UNREAD)),
        Word.FAILED,
        START + WAIT,
    ),
    "a step held back behind one that is proven now goes on at once": (
        Script(findings=(REPAIR,), verdicts=(Verdict.ACCEPTED,)),
        Word.PENDING,
        START + NEXT_STEP_PAUSE,
    ),
    "a step held back behind one that is not proven yet waits as that one does": (
        Script(findings=(REPAIR,), doubts=(WAITING,)),
        Word.PENDING,
        START + WAIT,
    ),
    "a step held back behind a person's task waits for the person": (
        Script(findings=(REPAIR, PERSON)),
        Word.HUMAN,
        None,
    ),
    "a step throttled": (
        Script(findings=(REPAIR,), steps=(step("a"),), errors={"a": THROTTLED}),
        Word.FAILED,
        START + 90 * SECOND,
    ),
    "a named pause is kept though something else could be looked at sooner": (
        Script(findings=(REPAIR, WAITING), steps=(step("a"),), errors={"a": THROTTLED}),
        Word.FAILED,
        START + 90 * SECOND,
    ),
    "of two named pauses the longer": (
        Script(
            findings=(REPAIR,),
            steps=(step("a"), step("b", OTHER)),
            errors={"a": THROTTLED, "b": TemporaryError("503", delay=30 * SECOND)},
        ),
        Word.FAILED,
        START + 90 * SECOND,
    ),
    "a lost answer to a write that reads as done": (
        Script(
            findings=(REPAIR,),
            steps=(step("a"),),
            errors={"a": TemporaryError("503", delay=30 * SECOND)},
            lost=frozenset({"a"}),
            verdicts=(Verdict.ACCEPTED,),
        ),
        Word.REPAIRED,
        None,
    ),
    "a step refused for good": (
        Script(findings=(REPAIR,), steps=(step("a"),), errors={"a": REFUSED}),
        Word.FAILED,
        None,
    ),
    "a step refused for good beside one that is pending": (
        Script(findings=(REPAIR,), steps=(step("a"),), errors={"a": REFUSED}, doubts=(WAITING,)),
        Word.FAILED,
        START + WAIT,
    ),
    "what may pass is told rather than what will not": (
        Script(
            findings=(REPAIR,),
            steps=(step("a"), step("b", OTHER)),
            errors={"a": REFUSED, "b": THROTTLED},
        ),
        Word.FAILED,
        START + 90 * SECOND,
    ),
    "an identity that another run holds": (
        Script(findings=(REPAIR,), steps=(step("a"),), errors={"a": Busy("another run", delay=3 * SECOND)}),
        Word.PENDING,
        START + 3 * SECOND,
    ),
}


@pytest.mark.parametrize(("script", "word", "until"), ENDINGS.values(), ids=ENDINGS)
def test_ends_in(script: Script, word: Word, until: datetime | None) -> None:
    outcome = Stage().play(replace(script, mended=set())).outcome
    assert (outcome.word, outcome.until) == (word, until)


NAMED: dict[str, tuple[Script, str | None]] = {
    "by a finding": (Script(findings=(PERSON, WAITING)), PERSON.reason),
    "by a doubt about the proof": (Script(doubts=(WAITING,)), WAITING.reason),
    "by what could not be read": (Script(findings=(PERSON, UNREAD)), UNREAD.reason),
    "by a step held back": (Script(findings=(REPAIR,)), REPAIR.reason),
    "by no finding, but a refusal": (
        Script(findings=(REPAIR,), steps=(step("a"),), errors={"a": REFUSED}),
        None,
    ),
    "by nothing": (Script(), None),
}


@pytest.mark.parametrize(("script", "reason"), NAMED.values(), ids=NAMED)
def test_an_ending_bears_the_code_of_the_finding_that_named_it(script: Script, reason: str | None) -> None:
    assert Stage().play(replace(script, mended=set())).outcome.reason == reason


def test_a_failure_for_good_says_so_and_a_passing_one_does_not() -> None:
    refused = Script(findings=(REPAIR,), steps=(step("a"),), errors={"a": REFUSED})
    throttled = replace(refused, errors={"a": THROTTLED})
    assert Stage().play(refused).outcome == Outcome(word=Word.FAILED, because="400", permanent=True)
    assert not Stage().play(throttled).outcome.permanent


PROVEN: dict[str, tuple[tuple[Verdict, ...], str]] = {
    "with a proof": ((Verdict.ACCEPTED,), "1 repaired and proven"),
    "without one": ((), "1 written, and nothing is wrong any more; none has a proof of its own"),
}


@pytest.mark.parametrize(("verdicts", "because"), PROVEN.values(), ids=PROVEN)
def test_a_repair_says_whether_it_is_proven(verdicts: tuple[Verdict, ...], because: str) -> None:
    """A pull request that was closed has none, nor has what healed by itself while it was written."""
    script = Script(findings=(REPAIR,), steps=(step("a"),), verdicts=verdicts)
    script = replace(script, mended=set())
    outcome = Stage().play(script).outcome
    assert (outcome.word, outcome.because) == (Word.REPAIRED, because)


def test_a_step_that_came_up_meanwhile_is_done_by_the_next_run() -> None:
    """The second look plans another step than the first one did."""

    class Growing(Script):
        def _apply(self, scope: Scope, given: Step) -> None:
            super()._apply(scope, given)
            self.steps = (step("b"),)

    outcome = Stage().play(Growing(steps=(step("a"),))).outcome
    assert (outcome.word, outcome.until) == (Word.PENDING, START + NEXT_STEP_PAUSE)


def test_a_plan_with_more_steps_than_the_hour_allows_takes_what_there_is() -> None:
    stage = Stage(contract(caps=Caps(per_hour=1), identities=(IDENTITY, OTHER)))
    script = Script(steps=(step("a"), step("b", OTHER)))
    report = stage.play(script)
    assert len(report.applied.done) == 1
    assert (report.outcome.word, report.outcome.until) == (Word.PENDING, START + timedelta(hours=1))


def test_a_capped_plan_whose_identity_another_run_holds_does_not_wait_for_the_hour() -> None:
    stage = Stage(contract(caps=Caps(per_hour=1), identities=(IDENTITY, OTHER)))
    Leases(stage.rows, stage.clock).take(_lease_key(IDENTITY.lower()), "another run")
    report = stage.play(Script(steps=(step("a"), step("b", OTHER))))
    assert (report.outcome.word, report.outcome.until) == (Word.PENDING, START + COME_BACK)


def test_a_dry_run_stores_no_plan_and_proves_nothing() -> None:
    stage = Stage(contract(default=Mode.APPROVE))
    script = Script(steps=(step("a"),), verdicts=(Verdict.ACCEPTED,))
    report = stage.play(script, dry=True)
    assert (report.outcome.word, report.proofs, script.mended) == (Word.APPROVAL, (), set())
    assert list(stage.rows.query("plans", "digests")) == []


def test_a_note_is_in_the_report_and_not_in_the_journal() -> None:
    stage = Stage()
    note = replace(NOTE, severity=Severity.NOTE)
    report = stage.play(Script(findings=(note, PERSON)))
    assert report.findings == (note, PERSON)
    assert stage.kinds() == [Kind.FINDING]


LOST = {
    "while it read": (0, [], set()),
    "before its first write": (1, [Kind.FINDING, Kind.PLAN], set()),
    "before its second write": (
        2,
        [Kind.FINDING, Kind.PLAN, Kind.STEP_STARTED, Kind.STEP_DONE],
        {"a"},
    ),
    "before it told its proofs": (
        3,
        [Kind.FINDING, Kind.PLAN, *[Kind.STEP_STARTED, Kind.STEP_DONE] * 2],
        {"a", "b"},
    ),
}


@pytest.mark.parametrize(("keeps", "kinds", "written"), LOST.values(), ids=LOST)
def test_a_run_that_lost_its_target_writes_nothing_from_then_on(
    keeps: int, kinds: list[Kind], written: set[str]
) -> None:
    stage = Stage()
    stage.lost_after = keeps
    script = Script(findings=(REPAIR,), steps=(step("a"), step("b")), verdicts=(Verdict.ACCEPTED,))
    with pytest.raises(LeaseLost):
        stage.play(script)
    assert (stage.kinds(), script.mended) == (kinds, written)


def test_thousands_of_faults_cost_no_thousands_of_entries_and_their_plan_can_be_read() -> None:
    stage = Stage(contract(default=Mode.APPROVE))
    names = [f"{IDENTITY}/federatedIdentityCredentials/{number:05}" for number in range(5_000)]
    script = Script(
        findings=tuple(finding(Leads.REPAIR, name) for name in names),
        steps=tuple(replace(step(name), after={"issuer": "x" * 300}) for name in names),
    )
    outcome = stage.play(script).outcome
    assert outcome.word is Word.APPROVAL
    assert len(stage.kinds()) < 150
    entries = [entry for entry in stage.journal.read(DEV, since=START - MINUTE) if entry.kind is Kind.FINDING]
    assert entries[-1].detail["message"] == "4900 more of this reason"
    kept = Plans(stage.rows, stage.clock).find(outcome.plan or "")
    assert (kept.count, kept.steps[0]["object"]) == (5_000, names[0])
