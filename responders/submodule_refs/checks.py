"""Faults of submodules, each check named after the fault it finds.

Promises: no I/O, no clock but the time passed in, no claim about a value that was not read. A commit is
called missing on its remote's own word alone: a remote that refuses, that does not answer, or that gives
nothing but the tips of branches has not said it.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from responders.submodule_refs.facts import Facts, Link, Pin, Tracked, branch
from responders.submodule_refs.pins import (
    is_judged,
    is_missing,
    is_unreferenced,
    links_by_pin,
    to_move,
)
from responders.submodule_refs.progress import held_back
from responders.submodule_refs.reasons import Reason, finding
from shared.landscape import repository_page
from shared.model import Absent, Finding, Known, Proof, Unknown

type Check = Callable[[Facts, Pin, Sequence[Link]], Finding | None]


def check(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Every finding on an environment's submodules: what is not known, pins, what earlier repairs left."""
    findings = _not_of_pins(facts)
    for pin, links, fault in _of_pins(facts):
        # First, since it is what a pending outcome is called after.
        findings += [*held_back(facts, pin, links, now), fault]
    findings += pin_move_superseded(facts)
    return tuple({(one.reason, one.subject, one.message): one for one in findings}.values())


def faults(facts: Facts) -> tuple[Finding, ...]:
    """What is wrong with what is pinned, whatever is being done about it: for a guard before a merge."""
    return (*_not_of_pins(facts), *(fault for _, _, fault in _of_pins(facts)))


def _not_of_pins(facts: Facts) -> list[Finding]:
    return [
        *tracked_revision_unread(facts),
        *submodule_path_unprintable(facts),
        *submodule_url_missing(facts),
        *submodule_url_not_asked(facts),
        *submodules_unread(facts),
        *submodules_beyond_bound(facts),
        *submodule_remote_moved(facts),
    ]


def _of_pins(facts: Facts) -> Iterator[tuple[Pin, Sequence[Link], Finding]]:
    for pin, links in links_by_pin(facts).items():
        if fault := next((found for one in PIN if (found := one(facts, pin, links))), None):
            yield pin, links, fault


# -- of what was read -------------------------------------------------------------------------------


def tracked_revision_unread(facts: Facts) -> Iterator[Finding]:
    for one in facts.tracked:
        match one.snapshot:
            case Unknown(why):
                yield _of_branch(one, f"{one.revision} could not be read: {why}")
            case Absent():
                yield _of_branch(one, f"the repository has no branch or tag {one.revision}")


def submodules_unread(facts: Facts) -> Iterator[Finding]:
    """A remote that could not be read is named once, however many pins it has."""
    for remote, refs in facts.remotes.items():
        if isinstance(refs, Unknown):
            says = f"the submodule's remote could not be read: {refs.why}"
            yield finding(Reason.SUBMODULES_UNREAD, repository_page(remote), says)
    pins = links_by_pin(facts)
    for pin, standing in facts.standings.items():
        if isinstance(standing, Unknown) and pin in pins and isinstance(facts.remotes[pin.remote], Known):
            says = f"is not known to be there: {standing.why}"
            yield _of_pin(Reason.SUBMODULES_UNREAD, pin, pins[pin], says)
    for pin, unread in facts.unopened.items():
        # Not on the pin: that is known, and may be kept.
        where = f"{pin.owner}/tree/{pin.commit}"
        yield finding(Reason.SUBMODULES_UNREAD, where, f"its submodules could not be read: {unread.why}")


def submodules_beyond_bound(facts: Facts) -> Iterator[Finding]:
    pins = links_by_pin(facts)
    for pin, why in facts.beyond.items():
        yield _of_pin(Reason.SUBMODULES_BEYOND_BOUND, pin, pins[pin], f"was not looked at: {why}")


def submodule_remote_moved(facts: Facts) -> Iterator[Finding]:
    for remote, refs in facts.remotes.items():
        if isinstance(refs, Known) and refs.value.moved_to:
            says = f"its server sends to {refs.value.moved_to}"
            yield finding(Reason.SUBMODULE_REMOTE_MOVED, repository_page(remote), says)


# -- of a gitlink -----------------------------------------------------------------------------------


def submodule_path_unprintable(facts: Facts) -> Iterator[Finding]:
    for link in facts.links:
        if not link.gitlink.printable:
            says = f"its path is shown escaped, and whether {link.gitlink.commit} is there is not known"
            yield _of_link(Reason.SUBMODULE_PATH_UNPRINTABLE, link, says)


def submodule_url_missing(facts: Facts) -> Iterator[Finding]:
    for link in facts.links:
        if link.gitlink.printable and link.gitlink.url is None:
            yield _of_link(Reason.SUBMODULE_URL_MISSING, link, ".gitmodules has no URL for it")


def submodule_url_not_asked(facts: Facts) -> Iterator[Finding]:
    """The URL is not shown: it may hold a password."""
    for link in facts.links:
        if link.gitlink.printable and link.gitlink.url is not None and link.remote is None:
            says = f"its URL is not an https address, so whether {link.gitlink.commit} is there is not known"
            yield _of_link(Reason.SUBMODULE_URL_NOT_ASKED, link, says)


# -- of a pin ---------------------------------------------------------------------------------------


def submodule_commit_missing(facts: Facts, pin: Pin, links: Sequence[Link]) -> Finding | None:
    if is_missing(facts, pin):
        return _of_pin(Reason.SUBMODULE_COMMIT_MISSING, pin, links, "is not there: `not our ref`")
    return None


def submodule_commit_unreferenced(facts: Facts, pin: Pin, links: Sequence[Link]) -> Finding | None:
    if is_unreferenced(facts, pin):
        says = "is there, and no branch or tag leads to it"
        return _of_pin(Reason.SUBMODULE_COMMIT_UNREFERENCED, pin, links, says)
    return None


PIN: Final[tuple[Check, ...]] = (
    submodule_commit_missing,  # nobody can check it out
    submodule_commit_unreferenced,  # one day nobody will
)


# -- of pull requests -------------------------------------------------------------------------------


def pin_move_superseded(facts: Facts) -> Iterator[Finding]:
    """Open pull requests of ours whose move nobody needs any more.

    Where a pin of the repository could not be judged, none is known to be needless.
    """
    needed = {branch(link.change) for link in to_move(facts) if link.change}
    for page, proposals in facts.proposals.items():
        if isinstance(proposals, Unknown):
            says = f"its pull requests could not be listed: {proposals.why}"
            yield finding(Reason.SUBMODULES_UNREAD, page, says)
        if not isinstance(proposals, Known) or not _all_judged(facts, page):
            continue
        for one in proposals.value:
            if one.branch not in needed:
                says = f"pull request {one.number} moves a pin, which is not needed any more"
                yield finding(Reason.PIN_MOVE_SUPERSEDED, one.url, says)


def _all_judged(facts: Facts, page: str) -> bool:
    beside = [one for one in facts.tracked if repository_page(one.declared.repository) == page]
    links = [link for link in facts.links if link.tracked in beside]
    read = all(isinstance(one.snapshot, Known) for one in beside)
    return read and all(is_judged(facts, link) for link in links)


def doubt(_facts: Facts, _proofs: tuple[Proof, ...], _now: datetime) -> tuple[Finding, ...]:
    """Nothing: asking the remote again is the proof, and every answer is judged by the checks."""
    return ()


# -- words ------------------------------------------------------------------------------------------


def _of_branch(tracked: Tracked, says: str) -> Finding:
    return finding(Reason.TRACKED_REVISION_UNREAD, tracked.reference, says)


def _of_link(reason: Reason, link: Link, says: str) -> Finding:
    return finding(reason, link.reference, f"{link.gitlink.path}: {says}", **_evidence(link))


def _of_pin(reason: Reason, pin: Pin, links: Sequence[Link], says: str) -> Finding:
    first, *others = links
    more = f" and {len(others)} more" if others else ""
    return finding(reason, pin.reference, f"pinned by {first.reference}{more}, it {says}", **_evidence(first))


def _evidence(link: Link) -> dict[str, str]:
    """What is no path of the tracked repository, since it is that of a nested one or escaped, has another
    name."""
    path = "path" if link.tracked else "nested path"
    return {
        "repository": repository_page(link.holder),
        "revision": link.at,
        path if link.gitlink.printable else f"{path}, escaped": link.gitlink.path,
        "commit": link.gitlink.commit,
    }
