"""What blocks what: a fault that is only a symptom waits for its root, and says which.

Looked up in the live facts, not in what the other target's last run said: no order of runs, and no run that
was lost, can make a symptom look like a root.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shared.model import Finding, Severity, Target
from shared.world import AnyResponder, Leads, ReasonInfo, Scope


@dataclass(frozen=True, slots=True)
class Root:
    """The finding that holds another target back, and the target that is to mend it."""

    target: Target
    finding: Finding

    def __str__(self) -> str:
        return f"{self.target} {self.finding.reason}: {self.finding.message}"


def roots_of(scope: Scope, rested: Sequence[frozenset[str]]) -> tuple[Root | None, ...]:
    """For each symptom the first fault of what it rests on. Reads only, and each precondition once.

    rested: for each symptom what it rests on, in lower case: whole targets, of which every fault counts that
    breaks something, or things as findings name them. A finding on something that contains such a thing
    counts, and so does one on something within it. An unread precondition holds back as well: while the root
    is not known to be well, nothing is known to be a fault of its own.
    """
    roots: list[Root | None] = [None] * len(rested)
    targets = {str(target).lower(): target for target in _preconditions(scope)}
    for (name, target), responder in zip(targets.items(), scope.preconditions, strict=True):
        concerned = [
            index
            for index, subjects in enumerate(rested)
            if roots[index] is None and (name in subjects or subjects - targets.keys())
        ]
        if not concerned:
            continue
        faults = _faults(scope, responder, target)
        breaking = [one for one in faults if _breaks(responder.reasons[one.finding.reason], one.finding)]
        for index in concerned:
            whole = breaking if name in rested[index] else ()
            roots[index] = next(iter(whole), None) or _first(faults, rested[index])
    return tuple(roots)


def _preconditions(scope: Scope) -> Iterator[Target]:
    return (Target(scope.environment.name, one.name) for one in scope.preconditions)


def _faults(scope: Scope, responder: AnyResponder, target: Target) -> tuple[Root, ...]:
    facts = responder.gather(replace(scope, target=target))
    return tuple(
        Root(target, finding)
        for finding in responder.check(facts, scope.clock())
        if _is_fault(responder.reasons[finding.reason])
    )


def _is_fault(info: ReasonInfo) -> bool:
    """What may break one day, and is repaired before it does, explains nothing that is broken."""
    precaution = (info.leads, info.severity) == (Leads.REPAIR, Severity.WARNING)
    return info.explains and not (info.leads is Leads.NOTE or precaution)


def _breaks(info: ReasonInfo, finding: Finding) -> bool:
    """What nothing is mended above, wherever it is: it is broken, not known, or about to change.

    Whoever rests on a whole target rests on some part of it that nobody can name. A warning that asks a
    person for something may stay for ever, and has broken nothing.
    """
    return finding.severity is Severity.ERROR or info.leads in (Leads.WAIT, Leads.UNREAD)


def _first(faults: tuple[Root, ...], subjects: frozenset[str]) -> Root | None:
    return next((one for one in faults if _concerns(one.finding.subject.lower(), subjects)), None)


def _concerns(subject: str, subjects: frozenset[str]) -> bool:
    return any(_within(subject, one) or _within(one, subject) for one in subjects)


def _within(part: str, whole: str) -> bool:
    return part == whole or part.startswith(f"{whole}/")
