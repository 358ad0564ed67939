"""Proves a repair where the fault was: the remote, asked again, gives the pinned commit and goes on doing so.

GitHub's API says yes to commits that its Git server gives to nobody, so its word proves nothing here.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.submodule_refs.facts import Facts, Pin
from responders.submodule_refs.pins import is_referenced, links_by_pin
from responders.submodule_refs.reasons import Reason
from shared.model import Finding, Proof, Unknown, Verdict
from shared.world import Look, Scope

UNREAD_PAUSE: Final = timedelta(seconds=30)
FIRST_LOOK: Final = timedelta(seconds=5)
LONGEST: Final[dict[str, timedelta]] = {
    Reason.PIN_MOVE_OPEN: timedelta(minutes=15),
    Reason.PIN_SETTLING: timedelta(seconds=30),
}


def verify(scope: Scope, facts: Facts) -> tuple[Proof, ...]:
    """One proof for each commit or gitlink that we wrote for, that is right now, and that has none yet."""
    return tuple(
        Proof(
            object=reference,
            method="git-probe",
            verdict=Verdict.ACCEPTED,
            detail=f"{pin.owner} gives {pin.commit}, and a branch or tag leads to it",
            at=scope.clock(),
        )
        for reference, pin in _written_for(facts)
        if is_referenced(facts, pin) and not facts.started[reference][-1].proven
    )


def _written_for(facts: Facts) -> Iterator[tuple[str, Pin]]:
    for pin, links in links_by_pin(facts).items():
        for reference in (pin.reference, *(link.reference for link in links)):
            if facts.started.get(reference):
                yield reference, pin


def look_again(facts: Facts, finding: Finding, now: datetime) -> Look:
    """Soon after a change was set going, then less and less often: half its age, up to the longest pause."""
    longest = LONGEST.get(finding.reason)
    if longest is None:
        asked = max(_asked_for(facts), default=None)
        return Look(UNREAD_PAUSE) if asked is None else Look(asked, asked=True)
    begun = max((one.at for one in facts.started.get(finding.subject, ())), default=None)
    return Look(longest if begun is None else min(max((now - begun) / 2, FIRST_LOOK), longest))


def _asked_for(facts: Facts) -> Iterator[timedelta]:
    """The pauses that the far sides named."""
    reads: list[object] = [
        *(one.snapshot for one in facts.tracked),
        *facts.remotes.values(),
        *facts.standings.values(),
        *facts.unopened.values(),
        *facts.held.values(),
        *facts.proposals.values(),
    ]
    for proposed in facts.moves.values():
        reads += [proposed.history, proposed.commit]
    for read in reads:
        if isinstance(read, Unknown) and read.delay is not None:
            yield read.delay
