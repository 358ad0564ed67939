"""Findings → steps: one for each file, with its changed fields alone; one for each left-over proposal."""

from collections.abc import Iterator
from typing import Final

from responders.runtime_facts.cases import Reading, readings
from responders.runtime_facts.facts import Facts
from responders.runtime_facts.reasons import Reason
from shared.landscape import Action
from shared.model import Finding, Known, Plan, Step, Target, digest_of
from shared.proposals import closing

NAME: Final = "runtime_facts"
UPDATE: Final = Action.FACTS_UPDATE.value

MENDABLE: Final = frozenset({Reason.FACT_MISSING, Reason.FACT_MALFORMED, Reason.FACT_DIFFERS})


def plan(facts: Facts, findings: tuple[Finding, ...]) -> Plan:
    """Files in the landscape's order, then pull requests that nobody needs. Without any time in it."""
    steps = (*_changes(facts, findings), *_closings(facts, findings))
    basis = [(step.object, step.before, step.after) for step in steps]
    return Plan(
        target=Target(facts.environment, NAME), facts=digest_of(basis) if basis else "", steps=tuple(steps)
    )


def _changes(facts: Facts, findings: tuple[Finding, ...]) -> Iterator[Step]:
    mendable = {one.subject: one.reason for one in reversed(findings) if one.reason in MENDABLE}
    held = {one.subject for one in findings if "field" not in one.evidence}
    for reading in readings(facts):
        # What is found on the file itself, and not on one of its fields, holds it back as a whole.
        if reading.change and reading.reference in mendable and reading.reference not in held:
            yield _step(reading, mendable[reading.reference])


def _step(reading: Reading, mends: str) -> Step:
    return Step(
        action=UPDATE,
        object=reading.reference,
        owner=reading.published.writes_to,
        before=reading.before,
        after=reading.after,
        mends=mends,
        channel=reading.published.channel,
    )


def _closings(facts: Facts, findings: tuple[Finding, ...]) -> Iterator[Step]:
    needless = {one.subject for one in findings if one.reason == Reason.PULL_REQUEST_SUPERSEDED}
    for page, proposals in facts.proposals.items():
        for one in proposals.value if isinstance(proposals, Known) else ():
            if one.url in needless:
                yield closing(one, action=UPDATE, owner=page, mends=Reason.PULL_REQUEST_SUPERSEDED)
