"""All looks at one target as one account: what was found, what was to be done about it, what came of it.

Pure. The account is plain data, and the only source of both outputs of `reconverge run`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from cli.exits import Exit
from shared.engine import Report
from shared.model import Finding, Proof, Step, Target, Word
from shared.world import ReasonInfo

if TYPE_CHECKING:
    from shared.contract import Decision

type Account = dict[str, Any]

EXITS: Final[Mapping[Word, Exit]] = {
    Word.CONVERGED: Exit.CONVERGED,
    Word.REPAIRED: Exit.CONVERGED,
    Word.PENDING: Exit.DIFFERENCES,
    Word.PROPOSED: Exit.DIFFERENCES,
    Word.APPROVAL: Exit.DIFFERENCES,
    Word.BLOCKED: Exit.DIFFERENCES,
    Word.HUMAN: Exit.DIFFERENCES,
    Word.FAILED: Exit.COULD_NOT_TELL,
}


def exit_of(reports: Sequence[Report]) -> Exit:
    return EXITS[reports[-1].outcome.word] if reports else Exit.COULD_NOT_TELL


def account(target: Target, reports: Sequence[Report], reasons: Mapping[str, ReasonInfo]) -> Account:
    if not reports:
        return {
            "target": str(target),
            "outcome": {"word": "unknown", "because": "its run was lost; run it again"},
            "looks": 0,
            "findings": [],
            "steps": [],
            "proofs": [],
        }
    outcome = reports[-1].outcome
    return {
        "target": str(target),
        "outcome": {
            "word": outcome.word.value,
            "because": outcome.because,
            "lookAgainAt": outcome.until.isoformat() if outcome.until else None,
            "plan": outcome.plan,
            "blockedBy": outcome.blocked_by,
        },
        "looks": len(reports),
        "findings": _findings(reports, reasons),
        "steps": _steps(reports),
        "proofs": _proofs(proof for report in reports for proof in report.proofs),
    }


def beneath(accounts: Sequence[Account]) -> list[tuple[int, Account]]:
    """The accounts as a tree, each with its depth: what stands by itself, and under each what it blocks."""
    blocked = {one["target"]: one["outcome"].get("blockedBy") for one in accounts}

    def branch(one: Account, depth: int) -> list[tuple[int, Account]]:
        held = [other for other in accounts if blocked[other["target"]] == one["target"]]
        return [(depth, one), *(twig for other in held for twig in branch(other, depth + 1))]

    # What blocks it may not have been asked for; then it stands by itself.
    roots = [one for one in accounts if blocked[one["target"]] not in blocked]
    return [twig for one in roots for twig in branch(one, 0)]


def _findings(reports: Sequence[Report], reasons: Mapping[str, ReasonInfo]) -> list[Account]:
    """What any look began with, and what the last one left."""
    left = {_fault(finding) for finding in reports[-1].remaining}
    found = {
        _fault(finding): finding
        for finding in (
            *(finding for report in reports for finding in report.findings),
            *reports[-1].remaining,
        )
    }
    return [
        {
            "reason": finding.reason,
            "severity": finding.severity.value,
            "subject": finding.subject,
            "message": finding.message,
            "evidence": dict(finding.evidence),
            "remedy": reasons[finding.reason].remedy,
            "mended": fault not in left,
        }
        for fault, finding in found.items()
    ]


def _fault(finding: Finding) -> tuple[str, str, str]:
    """The same from look to look, whatever is said of it. One file has a fault for each of its fields."""
    return finding.reason, finding.subject.lower(), finding.evidence.get("field", "")


def _steps(reports: Sequence[Report]) -> list[Account]:
    """Each step once, with the last word on it: a later look may have decided otherwise."""
    done = [step for report in reports for step in report.applied.done]
    last: dict[tuple[str, str, tuple[tuple[str, str], ...]], Decision] = {}
    for report in reports:
        for decision in report.decisions:
            last[_change(decision.step)] = decision
    carried_out = {_change(step) for step in done}
    return [
        {
            "action": decision.step.action,
            "object": decision.step.object,
            "before": dict(decision.step.before) if decision.step.before is not None else None,
            "after": dict(decision.step.after),
            "mends": decision.step.mends,
            "channel": decision.step.channel.value,
            "decision": decision.mode.value,
            "why": decision.why,
            "done": change in carried_out,
        }
        for change, decision in last.items()
    ]


def _change(step: Step) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return step.action, step.object.lower(), tuple(sorted(step.after.items()))


def _proofs(proofs: Iterable[Proof]) -> list[Account]:
    last = {proof.object.lower(): proof for proof in proofs}
    return [
        {
            "object": proof.object,
            "method": proof.method,
            "verdict": proof.verdict.value,
            "detail": proof.detail,
            "at": proof.at.isoformat(),
        }
        for proof in last.values()
    ]
