"""Findings → steps: one for each commit to keep, for each pin to move, for each left-over proposal."""

from collections.abc import Iterator
from typing import Final

from responders.submodule_refs.facts import Facts
from responders.submodule_refs.pins import keeping_name, links_by_pin, may_be_kept, target_pin, to_move
from responders.submodule_refs.reasons import Reason
from shared.landscape import Action, repository_page
from shared.model import Channel, Finding, Known, Plan, Step, Target, digest_of
from shared.proposals import closing

NAME: Final = "submodule_refs"
KEEP: Final = Action.SUBMODULE_KEEP.value
MOVE: Final = Action.SUBMODULE_MOVE.value

MENDABLE: Final = frozenset({Reason.SUBMODULE_COMMIT_MISSING, Reason.SUBMODULE_COMMIT_UNREFERENCED})


def plan(facts: Facts, findings: tuple[Finding, ...]) -> Plan:
    """What adds comes before what changes. Without any time in it."""
    mends = {one.subject: one.reason for one in findings if one.reason in MENDABLE}
    held = {one.subject for one in findings if one.reason not in MENDABLE}
    steps = (
        *_keepings(facts, mends, held),
        *_moves(facts, mends, held),
        *_closings(facts, findings),
    )
    basis = [(step.object, step.before, step.after) for step in steps]
    return Plan(target=Target(facts.environment, NAME), facts=digest_of(basis) if basis else "", steps=steps)


def _keepings(facts: Facts, mends: dict[str, str], held: set[str]) -> Iterator[Step]:
    for pin, links in links_by_pin(facts).items():
        wanted = pin.reference in mends and pin.reference not in held and may_be_kept(facts, pin, links)
        if wanted and (name := keeping_name(facts, pin)):
            yield Step(
                action=KEEP,
                object=pin.reference,
                owner=pin.owner,
                before=None,
                after={"branch": name, "commit": pin.commit},
                mends=mends[pin.reference],
            )


def _moves(facts: Facts, mends: dict[str, str], held: set[str]) -> Iterator[Step]:
    for link in to_move(facts):
        target = target_pin(facts, link)
        if link.pin and link.target and target and link.pin.reference in mends and link.reference not in held:
            yield Step(
                action=MOVE,
                object=link.reference,
                owner=repository_page(link.holder),
                before={"commit": link.gitlink.commit},
                after={"commit": target.commit, "branch": link.target},
                mends=mends[link.pin.reference],
                channel=Channel.PULL_REQUEST,
            )


def _closings(facts: Facts, findings: tuple[Finding, ...]) -> Iterator[Step]:
    needless = {one.subject for one in findings if one.reason == Reason.PIN_MOVE_SUPERSEDED}
    for page, proposals in facts.proposals.items():
        for one in proposals.value if isinstance(proposals, Known) else ():
            if one.url in needless:
                yield closing(one, action=MOVE, owner=page, mends=Reason.PIN_MOVE_SUPERSEDED)
