"""What keeps a missing pin from being mended now, if anything: no way that is open, or an earlier repair.

Pure. shared.changes says what became of earlier repairs.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from responders.submodule_refs.facts import Facts, Link, Pin, Proposed, move_id
from responders.submodule_refs.pins import (
    is_our_own,
    keeping_name,
    must_be_moved,
    on_github,
    proposed_pin,
    target_pin,
)
from responders.submodule_refs.reasons import Reason, finding
from shared.changes import Fate, of_pull_request, of_writes
from shared.clients.git_remotes import Standing
from shared.clients.github import PullRequest
from shared.model import Finding, Known, Unknown


def held_back(facts: Facts, pin: Pin, links: Sequence[Link], now: datetime) -> Iterator[Finding]:
    """Of a pin that is missing or that nothing holds."""
    if must_be_moved(facts, pin):
        for link in links:
            if held := _move_held_back(facts, link, now):
                yield held
    elif held := _keep_held_back(facts, pin, links, now):
        yield held


# -- keeping ----------------------------------------------------------------------------------------


def _keep_held_back(facts: Facts, pin: Pin, links: Sequence[Link], now: datetime) -> Finding | None:
    if not is_our_own(links):
        says = f"only submodules pin {pin.commit}, so no branch is published for it"
        return finding(Reason.PIN_NESTED, pin.reference, says)
    if not on_github(facts.declared, pin.remote):
        return finding(Reason.SUBMODULE_REMOTE_FOREIGN, pin.reference, f"{pin.owner} is not on GitHub")
    if isinstance(unread := facts.held.get(pin), Unknown):
        says = f"whether GitHub still has {pin.commit} is not known: {unread.why}"
        return finding(Reason.SUBMODULES_UNREAD, pin.reference, says)
    name = keeping_name(facts, pin)
    if name is None:
        says = f"no name under gitops-pin/ is free for {pin.commit}"
        return finding(Reason.PIN_NAME_TAKEN, pin.reference, says)
    writes = facts.started.get(pin.reference, ())
    match of_writes(writes, move_id(pin.reference, "", name), now):
        case Fate.SETTLING:
            says = f"{name} was published just now, and the remote answers as before"
            return finding(Reason.PIN_SETTLING, pin.reference, says)
        case Fate.UNDONE:
            says = f"{name} was published several times within a day, and it is gone again"
            return finding(Reason.PIN_STILL_MISSING, pin.reference, says)
    return None


# -- moving -----------------------------------------------------------------------------------------


def _move_held_back(facts: Facts, link: Link, now: datetime) -> Finding | None:
    proposed = facts.moves.get(link.reference)
    if proposed is None:
        return _lost(link, _why_unmoved(link))
    if target_pin(facts, link) is None:
        return _lost(link, f"the remote has no branch {link.target}")
    return _proposed(facts, link, proposed, now)


def _why_unmoved(link: Link) -> str:
    if link.tracked is None:
        return "a nested submodule is moved in its own repository"
    if link.branch is None:
        return f"{link.at} is no branch that a pull request could be merged into"
    return "no branch is named that it may be moved to"


def _proposed(facts: Facts, link: Link, proposed: Proposed, now: datetime) -> Finding | None:
    match proposed.history:
        case Unknown(why):
            return _told(Reason.SUBMODULES_UNREAD, link, f"its pull requests could not be listed: {why}")
        case Known((newest, *_)):
            return _newest(facts, link, newest, now)
    return None


def _newest(facts: Facts, link: Link, newest: PullRequest, now: datetime) -> Finding | None:
    match of_pull_request(newest, read_at=link.tracked.read_at if link.tracked else now, now=now):
        case Fate.OPEN:
            return _open(facts, link, newest)
        case Fate.DECLINED:
            says = f"pull request {newest.number} was closed without being merged"
            return _told(Reason.PIN_MOVE_DECLINED, link, says, url=newest.url)
        case Fate.SETTLING:
            says = f"pull request {newest.number} was merged just now, and the pin reads as before"
            return _told(Reason.PIN_SETTLING, link, says, url=newest.url)
        case Fate.UNDONE:
            says = f"pull request {newest.number} was merged, and the pin reads as before"
            return _told(Reason.PIN_STILL_MISSING, link, says, url=newest.url)
    return None


def _open(facts: Facts, link: Link, newest: PullRequest) -> Finding | None:
    """One that moves the pin to any commit that a branch leads to is as good as new; so is one in which
    people took the submodule out. What else people wrote to its branch is theirs to bring right."""
    move = facts.moves[link.reference]
    proposed = proposed_pin(facts, link)
    standing = facts.standings[proposed] if proposed else Known(Standing.REFERENCED)
    for read in (move.commit, standing):
        if isinstance(read, Unknown):
            says = f"what pull request {newest.number} proposes could not be read: {read.why}"
            return _told(Reason.SUBMODULES_UNREAD, link, says)
    if standing == Known(Standing.REFERENCED):
        says = f"pull request {newest.number} waits for people"
        return _told(Reason.PIN_MOVE_OPEN, link, says, url=newest.url)
    if move.by_others:
        says = f"pull request {newest.number} waits for people, and somebody else wrote to its branch"
        return _told(Reason.PIN_MOVE_OPEN, link, says, url=newest.url)
    return None


def _lost(link: Link, why: str) -> Finding:
    return _told(Reason.SUBMODULE_COMMIT_LOST, link, f"{link.gitlink.commit} is gone, and {why}")


def _told(reason: Reason, link: Link, says: str, **evidence: str) -> Finding:
    return finding(reason, link.reference, f"{link.gitlink.path}: {says}", **evidence)
