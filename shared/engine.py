"""One run of one target: gather → check → plan → contract → apply → read back → verify → outcome.

Called by the queue trigger and by `reconverge run`, with the same code. `settle` is the one boundary: every
ending becomes a journalled Outcome, and only a store that cannot be written makes the queue deliver again.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from shared.chain import Root, roots_of
from shared.contract import HOUR, Decision, Spent, by_mode, decide, part_of
from shared.endings import Ending, failure
from shared.errors import LeaseLost, PermanentError, TemporaryError
from shared.journal import Journal, Kind
from shared.landscape import Mode
from shared.model import Finding, Outcome, Plan, Proof, Severity, Target, Word
from shared.plans import MOST_STEPS, Plans
from shared.steps import Applied, Crew, keep_pace
from shared.world import AnyResponder, Scope

log = logging.getLogger(__name__)

DEFECT_PAUSE: Final = timedelta(minutes=5)
MOST_FINDINGS: Final = 100
"""Journalled one by one in a run: each is a write to storage, and a rebuilt cluster can cause thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Which run it is, and for whom."""

    id: str
    correlation_id: str
    actor: str
    dry: bool = False
    """Plan only: whatever the contract allows, nothing is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything one run saw and did."""

    findings: tuple[Finding, ...] = ()
    """What was found at first."""
    decisions: tuple[Decision, ...] = ()
    applied: Applied = field(default_factory=Applied)
    proofs: tuple[Proof, ...] = ()
    remaining: tuple[Finding, ...] = ()
    """What is left after everything was done and proven."""
    roots: tuple[Root, ...] = ()
    """What some of that is caused by, in other targets."""
    outcome: Outcome

    @property
    def changed(self) -> bool:
        """Something is not as it was before, or is known to be well that was not."""
        return self.applied.touched or bool(self.proofs)


def execute(scope: Scope, responder: AnyResponder, run: Run, plans: Plans, crew: Crew) -> Report:
    """Carry a target as far as facts and contract allow. Raises ReconvergeError."""
    record = _recorder(scope, run)
    first = last = _look(scope, responder)
    looked = scope.clock()
    crew.keep()
    _record_sight(record, first)
    decisions, approved = _decisions(scope, first.plan, plans, run)
    chosen = tuple(decision.step for decision in decisions if decision.mode is Mode.APPLY)
    spent = _spent(scope) if chosen else Spent(())
    affordable = chosen[: spent.left(scope.environment.contract)]
    applied = Applied()
    if affordable:
        applied = crew.carry_out(scope, responder, affordable, record)
        # Whoever dies before this line leaves an approval for exactly the situation it was given for.
        if approved is not None and applied.touched:
            plans.spent(approved)
        # Azure lets an owner be listed no faster than it lets it be written.
        keep_pace(scope, looked)
        last = _look(scope, responder)
    proofs = responder.verify(scope, last.facts) if not run.dry else ()
    if proofs:
        crew.keep()
    for proof in proofs:
        record(Kind.PROOF, {**asdict(proof), "at": proof.at.isoformat()})
    now = scope.clock()
    remaining = (*last.findings, *responder.doubt(last.facts, proofs, now))
    ending = Ending(
        responder=responder,
        remaining=remaining,
        roots=last.roots,
        decisions=_decisions(scope, last.plan, plans, run)[0] if affordable else decisions,
        plan=last.plan,
        applied=applied,
        proofs=proofs,
        look=lambda finding: responder.look_again(last.facts, finding, now),
        now=now,
        capped=_spent(scope).freed_at(scope.environment.contract) if affordable != chosen else None,
    )
    outcome = ending.outcome(plans if not run.dry else None)
    return Report(
        findings=first.findings,
        decisions=decisions,
        applied=applied,
        proofs=proofs,
        remaining=remaining,
        roots=last.roots,
        outcome=outcome,
    )


def waiting_part(scope: Scope, responder: AnyResponder) -> tuple[tuple[Finding, ...], Plan]:
    """What is found now, and the steps that would wait for approval now. Reads only."""
    seen = _look(scope, responder)
    decisions = decide(seen.plan, scope.environment.contract, scope.landscape.reconverge.identity)
    return seen.findings, part_of(seen.plan, by_mode(decisions)[Mode.APPROVE])


@dataclass(frozen=True, slots=True)
class _Sight:
    """What one look at a target showed."""

    facts: Any
    findings: tuple[Finding, ...]
    roots: tuple[Root, ...]
    """Of those among the findings that are symptoms of faults elsewhere."""
    plan: Plan


def _look(scope: Scope, responder: AnyResponder) -> _Sight:
    facts = responder.gather(scope)
    findings = responder.check(facts, scope.clock())
    roots = _roots(scope, responder, facts, findings)
    found = tuple(
        replace(finding, caused_by=root.finding) if root else finding
        for finding, root in zip(findings, roots, strict=True)
    )
    plan = responder.plan(facts, found)
    # Above a broken root nothing is repaired: it would be wrong, or have to be done again.
    blocked = {finding.subject for finding in found if finding.caused_by is not None}
    steps = tuple(step for step in plan.steps if step.object not in blocked)
    return _Sight(facts, found, tuple(root for root in roots if root), replace(plan, steps=steps))


def _roots(
    scope: Scope, responder: AnyResponder, facts: Any, findings: tuple[Finding, ...]
) -> tuple[Root | None, ...]:
    """For each finding that is a symptom the root, if it has one."""
    nothing: frozenset[str] = frozenset()
    rested = [
        responder.rests_on(facts, finding) if responder.reasons[finding.reason].symptom else nothing
        for finding in findings
    ]
    return roots_of(scope, rested)


type Record = Callable[[Kind, Mapping[str, Any]], None]


def _recorder(scope: Scope, run: Run) -> Record:
    def record(kind: Kind, detail: Mapping[str, Any]) -> None:
        scope.journal.record(
            kind,
            scope.target,
            actor=run.actor,
            correlation_id=run.correlation_id,
            run=run.id,
            detail=detail,
        )

    return record


def _record_sight(record: Record, seen: _Sight) -> None:
    """Notes are left out of the journal: they stand in each run's report and change nothing."""
    faults = [finding for finding in seen.findings if finding.severity is not Severity.NOTE]
    for finding in faults[:MOST_FINDINGS]:
        detail = {"reason": finding.reason, "subject": finding.subject, "message": finding.message}
        record(Kind.FINDING, {**detail, "evidence": dict(finding.evidence)} if finding.evidence else detail)
    for reason, count in Counter(finding.reason for finding in faults[MOST_FINDINGS:]).items():
        record(Kind.FINDING, {"reason": reason, "subject": "", "message": f"{count} more of this reason"})
    if seen.plan.steps:
        shown = [f"{step.action} {step.object}" for step in seen.plan.steps[:MOST_STEPS]]
        record(Kind.PLAN, {"digest": seen.plan.digest, "count": len(seen.plan.steps), "steps": shown})


def _decisions(scope: Scope, plan: Plan, plans: Plans, run: Run) -> tuple[tuple[Decision, ...], Plan | None]:
    """The contract's word on each step, and the part of the plan that somebody approved, if any."""
    decisions = decide(plan, scope.environment.contract, scope.landscape.reconverge.identity)
    if run.dry:
        return tuple(
            replace(d, mode=Mode.PROPOSE, why="this run only plans") if d.mode is Mode.APPLY else d
            for d in decisions
        ), None
    waiting = part_of(plan, by_mode(decisions)[Mode.APPROVE])
    if waiting.steps and (who := plans.approver(waiting)):
        return tuple(
            replace(d, mode=Mode.APPLY, why=f"approved by {who}") if d.mode is Mode.APPROVE else d
            for d in decisions
        ), waiting
    return decisions, None


def _spent(scope: Scope) -> Spent:
    since = scope.clock() - HOUR
    return Spent(
        tuple(
            entry.at
            for entry in scope.journal.read(scope.target, since=since)
            if entry.kind is Kind.STEP_STARTED and entry.at > since
        )
    )


def settle(run: Callable[[], Report], clock: Callable[[], datetime]) -> Report:
    """Run once; every ending becomes a report.

    Raises LeaseLost only: whoever lost the target may not even say how it ended.
    """
    try:
        return run()
    except LeaseLost:
        raise
    except (TemporaryError, PermanentError) as error:
        return Report(outcome=failure(error, clock()))
    # A defect of ours. Its text may hold anything, a secret too, so only its type is kept.
    except Exception as error:  # noqa: BLE001 (the one boundary)
        log.error("run.defect", extra={"defect": type(error).__name__, "at": _place(error)})  # noqa: TRY400
        because = f"a defect of Reconverge: {type(error).__name__} at {_place(error)}"
        return Report(outcome=Outcome(word=Word.FAILED, because=because, until=clock() + DEFECT_PAUSE))


def _place(error: BaseException) -> str:
    """Innermost module and line, which say where without saying what."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}" if trace else "?"


def record_outcome(journal: Journal, target: Target, run: Run, report: Report) -> None:
    outcome = report.outcome
    journal.record(
        Kind.OUTCOME,
        target,
        actor=run.actor,
        correlation_id=run.correlation_id,
        run=run.id,
        detail={
            "word": outcome.word.value,
            "because": outcome.because,
            "reason": outcome.reason,
            "until": outcome.until.isoformat() if outcome.until else None,
            "plan": outcome.plan,
            "blocked_by": outcome.blocked_by,
            "roots": sorted({str(root.target) for root in report.roots}),
            "causes": _causes(report.roots),
            "permanent": outcome.permanent,
            "steps": len(report.applied.done),
        },
    )


def _causes(roots: tuple[Root, ...]) -> list[dict[str, str]]:
    """Which faults of which targets hold this one back, each once, the first as `blocked_by`."""
    named = dict.fromkeys((str(root.target), root.finding.reason) for root in roots)
    return [{"target": target, "reason": reason} for target, reason in named]
