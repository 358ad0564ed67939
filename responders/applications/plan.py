"""Findings → steps: a refresh, and once that came out well a sync; or the end of an operation that is stuck.

Few at a time: each makes Argo CD render an Application anew, and what people change meanwhile would have to
wait behind them. The rest follows in the next run.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from responders.applications import situations
from responders.applications.facts import Facts, Seen
from responders.applications.reasons import Reason
from responders.applications.situations import REFRESH, SYNC, TERMINATE
from shared.model import Finding, Known, Plan, Step, Target, digest_of

NAME: Final = "applications"
BATCH: Final = 10
MENDS: Final[Mapping[str, str]] = {
    Reason.APPLICATION_HELD_UP: REFRESH,
    Reason.SYNC_NOT_RETRIED: SYNC,
    Reason.OPERATION_STUCK: TERMINATE,
}


def plan(facts: Facts, findings: tuple[Finding, ...]) -> Plan:
    steps = tuple(islice(_steps(facts, findings), BATCH))
    basis = digest_of([[step.object, dict(step.after)] for step in steps]) if steps else ""
    return Plan(target=Target(facts.environment, NAME), facts=basis, steps=steps)


def _steps(facts: Facts, findings: tuple[Finding, ...]) -> Iterator[Step]:
    # Those that wait for a root take up no room.
    due = (one for one in findings if one.reason in MENDS and one.caused_by is None)
    wanting = {one.subject: one.reason for one in due}
    for seen in facts.applications.value if isinstance(facts.applications, Known) else ():
        if reason := wanting.get(facts.id_of(seen.application)):
            yield _step(facts, seen, reason)


def _step(facts: Facts, seen: Seen, reason: str) -> Step:
    action, application = MENDS[reason], seen.application
    failure, operation = seen.explanation.failure, application.operation
    begun = operation.started if operation and action == TERMINATE else None
    return Step(
        action=action,
        object=facts.id_of(application),
        owner=facts.id_of(application),
        before=None,
        after={
            "name": application.name,
            "uid": application.uid,
            "situation": situations.of(seen, action),
            **({"fault": failure.code} if failure else {}),
            **({"started": begun.isoformat()} if begun else {}),
        },
        mends=reason,
    )
