"""What blocks what: a target whose fault is only a symptom waits for the root, and says which.

Looked up in the live facts, not in what the other target's last run said: no order of runs, and no run that
was lost, can make a symptom look like a root.
"""

from dataclasses import dataclass, replace

from shared.model import Finding, Target
from shared.world import Leads, Scope


@dataclass(frozen=True, slots=True)
class Root:
    """The finding that holds another target back, and the target that is to mend it."""

    target: Target
    finding: Finding

    def __str__(self) -> str:
        return f"{self.target} {self.finding.reason}: {self.finding.message}"


def root_of(scope: Scope, subjects: frozenset[str]) -> Root | None:
    """The first fault of what the scope's target rests on. Reads only.

    subjects: what it rests on, in lower case: whole targets, of which every fault counts, or things as
    findings name them. A finding on something that contains such a subject counts, and so does one on
    something within it. An unread precondition holds back as well: while
    the root is not known to be well, nothing is known to be a fault of its own.
    """
    targets = {one.name: Target(scope.environment.name, one.name) for one in scope.preconditions}
    things = subjects - {str(target).lower() for target in targets.values()}
    for responder in scope.preconditions:
        target = targets[responder.name]
        whole = str(target).lower() in subjects
        if not (whole or things):
            continue
        facts = responder.gather(replace(scope, target=target))
        for finding in responder.check(facts, scope.clock()):
            leads = responder.reasons[finding.reason].leads
            if leads is not Leads.NOTE and (whole or _concerns(finding.subject.lower(), things)):
                return Root(target, finding)
    return None


def _concerns(subject: str, subjects: frozenset[str]) -> bool:
    return any(_within(subject, one) or _within(one, subject) for one in subjects)


def _within(part: str, whole: str) -> bool:
    return part == whole or part.startswith(f"{whole}/")
