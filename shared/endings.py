"""How a run ended, in one word: from what was found, decided, carried out and proven."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from shared.chain import Root
from shared.contract import Decision, by_mode, part_of
from shared.errors import Busy, HumanNeeded, PermanentError, TemporaryError
from shared.landscape import Mode
from shared.model import Finding, Outcome, Plan, Proof, Verdict, Word
from shared.plans import Plans
from shared.steps import Applied, owner_of
from shared.world import AnyResponder, Leads, Look

NEXT_STEP_PAUSE: Final = timedelta(seconds=5)
"""Until the run that carries on where a plan had to be done in stages: Azure lets an identity be listed once
in 4 s, and the run that ends now has just done so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Turns what is left into one word. The gravest thing names it; the earliest look is kept beside it."""

    responder: AnyResponder
    remaining: tuple[Finding, ...]
    roots: tuple[Root, ...]
    """What those of `remaining` that have a cause are caused by."""
    decisions: tuple[Decision, ...]
    plan: Plan
    applied: Applied
    proofs: tuple[Proof, ...]
    look: Callable[[Finding], Look]
    now: datetime
    capped: datetime | None

    def outcome(self, plans: Plans | None) -> Outcome:
        outcomes = [*self._from_findings(), *self._from_decisions(plans), *self._from_failures()]
        if not outcomes:
            return self._good()
        order = list(Word)
        gravest = max(outcomes, key=lambda outcome: (order.index(outcome.word), not outcome.permanent))
        plan = gravest.plan or next((outcome.plan for outcome in outcomes if outcome.plan), None)
        # What is graver keeps the word; what is blocked beside it is still woken by its root.
        blocked_by = next((outcome.blocked_by for outcome in outcomes if outcome.blocked_by), None)
        gravest = replace(gravest, plan=plan, blocked_by=blocked_by)
        failed = [outcome for outcome in outcomes if outcome.word is Word.FAILED and not outcome.permanent]
        others = _times(outcome.until for outcome in outcomes if outcome.word is not Word.FAILED)
        if not failed:
            return replace(gravest, until=min(others, default=None))
        return replace(
            gravest,
            until=max(_times(outcome.until for outcome in failed)),
            held_until=max(_times(outcome.held_until for outcome in failed), default=None),
            pending_until=min(others, default=None),
        )

    @property
    def _proven(self) -> int:
        return sum(proof.verdict is Verdict.ACCEPTED for proof in self.proofs)

    def _good(self) -> Outcome:
        if self._proven:
            return Outcome(word=Word.REPAIRED, because=f"{self._proven} repaired and proven")
        if done := len(self.applied.done):
            because = f"{done} written, and nothing is wrong any more; none has a proof of its own"
            return Outcome(word=Word.REPAIRED, because=because)
        return Outcome(word=Word.CONVERGED, because="everything is as declared")

    def _from_findings(self) -> list[Outcome]:
        planned = {step.object for step in self.plan.steps}
        outcomes = []
        for finding in self.remaining:
            ending = partial(Outcome, because=f"{finding.reason}: {finding.message}", reason=finding.reason)
            if root := self._root_of(finding):
                because = f"{finding.reason} because of {root}"
                blocked_by = str(root.target)
                outcomes.append(ending(word=Word.BLOCKED, because=because, blocked_by=blocked_by))
                continue
            match self.responder.reasons[finding.reason].leads:
                case Leads.PERSON:
                    outcomes.append(ending(word=Word.HUMAN))
                case Leads.WAIT:
                    outcomes.append(ending(word=Word.PENDING, until=self.now + self.look(finding).after))
                case Leads.UNREAD:
                    look = self.look(finding)
                    again = self.now + look.after
                    held = again if look.asked else None
                    outcomes.append(ending(word=Word.FAILED, until=again, held_until=held))
                case Leads.REPAIR if finding.subject not in planned:
                    # Held back until an earlier step of the same owner is proven: look again when one was
                    # just now, else when that step's own ending says.
                    until = self.now + NEXT_STEP_PAUSE if self._proven else None
                    outcomes.append(ending(word=Word.PENDING, until=until))
        return outcomes

    def _root_of(self, finding: Finding) -> Root | None:
        return next((root for root in self.roots if root.finding is finding.caused_by), None)

    def _from_decisions(self, plans: Plans | None) -> list[Outcome]:
        sorted_out = by_mode(self.decisions)
        outcomes = []
        if sorted_out[Mode.NEVER]:
            first = sorted_out[Mode.NEVER][0]
            because = f"a repair is needed, but {first.why}"
            outcomes.append(Outcome(word=Word.HUMAN, because=because, reason=first.step.mends))
        if sorted_out[Mode.APPROVE]:
            part = part_of(self.plan, sorted_out[Mode.APPROVE])
            if plans is not None:
                plans.store(part)
            outcomes.append(
                Outcome(
                    word=Word.APPROVAL,
                    because=f"{_counted(part)} to approve in plan {part.digest[:12]}",
                    plan=part.digest,
                )
            )
        if sorted_out[Mode.PROPOSE]:
            part = part_of(self.plan, sorted_out[Mode.PROPOSE])
            if plans is not None:
                plans.store(part)
            outcomes.append(
                Outcome(
                    word=Word.PROPOSED,
                    because=f"{_counted(part)} proposed; {sorted_out[Mode.PROPOSE][0].why}",
                    plan=part.digest,
                )
            )
        # What stopped an owner's steps says when to try them again.
        if any(owner_of(decision.step) not in self.applied.failures for decision in sorted_out[Mode.APPLY]):
            until = self.capped or self.now + NEXT_STEP_PAUSE
            why = "caps.perHour is used up" if self.capped else "more remains to be done"
            outcomes.append(Outcome(word=Word.PENDING, because=why, until=until))
        return outcomes

    def _from_failures(self) -> list[Outcome]:
        """Of owners with something left to do: a lost answer to a write that reads as done is no failure."""
        owing = {owner_of(step) for step in self.plan.steps}
        owing |= {
            finding.subject.lower()
            for finding in self.remaining
            if self.responder.reasons[finding.reason].leads is Leads.UNREAD
        }
        return [failure(error, self.now) for owner, error in self.applied.failures.items() if owner in owing]


def _times(times: Iterable[datetime | None]) -> list[datetime]:
    return [at for at in times if at is not None]


def failure(error: TemporaryError | PermanentError, now: datetime) -> Outcome:
    match error:
        case Busy():
            return Outcome(word=Word.PENDING, because=str(error), until=now + error.delay)
        case TemporaryError():
            again = now + error.delay
            held = again if error.asked else None
            return Outcome(word=Word.FAILED, because=str(error), until=again, held_until=held)
        case HumanNeeded(reason=reason):
            return Outcome(word=Word.HUMAN, because=f"{reason}: {error}", reason=reason)
        case PermanentError():
            return Outcome(word=Word.FAILED, because=str(error), permanent=True)


def _counted(plan: Plan) -> str:
    number = len(plan.steps)
    return "1 step" if number == 1 else f"{number} steps"
