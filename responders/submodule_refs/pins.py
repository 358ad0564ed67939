"""What the checks and the plan look at: each pin, with the gitlinks that ask for it and the ways to mend it.

Pure, like all that rests on it. To keep a commit adds a branch and leaves all desired state as it is, so it
comes before moving the pin, which is for people to merge.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from responders.submodule_refs.facts import Facts, Link, Pin, keeping_names
from shared.clients.git_remotes import Standing
from shared.landscape import DeclaredSubmodules
from shared.model import Absent, Known, Unknown


def links_by_pin(facts: Facts) -> Mapping[Pin, Sequence[Link]]:
    found: dict[Pin, list[Link]] = {}
    for link in facts.links:
        if pin := link.pin:
            found.setdefault(pin, []).append(link)
    return found


def is_missing(facts: Facts, pin: Pin) -> bool:
    """Proven by its remote's own word."""
    return isinstance(facts.standings.get(pin), Absent)


def is_unreferenced(facts: Facts, pin: Pin) -> bool:
    return facts.standings.get(pin) == Known(Standing.UNREFERENCED)


def is_referenced(facts: Facts, pin: Pin) -> bool:
    return facts.standings.get(pin) == Known(Standing.REFERENCED)


# -- keeping ----------------------------------------------------------------------------------------


def on_github(declared: Iterable[DeclaredSubmodules], remote: str) -> bool:
    """Whether a branch can be published there: on GitHub, or where the landscape's own repositories are."""
    address = urlsplit(remote)
    homes = {"github.com", *(urlsplit(one.repository).netloc.lower() for one in declared)}
    return address.netloc.lower() in homes and address.path.strip("/").count("/") == 1


def is_our_own(links: Iterable[Link]) -> bool:
    """Whether a tracked branch itself has one of them.

    What only a submodule pins was chosen by whoever writes that submodule. It may name any repository, ours
    too, and any commit that GitHub serves under its name, those of forks included.
    """
    return any(link.tracked for link in links)


def to_ask_github(facts: Facts) -> Iterator[Pin]:
    """Missing pins whose object GitHub may still have, and which a branch may bring back."""
    return (
        pin
        for pin, links in links_by_pin(facts).items()
        if is_missing(facts, pin) and is_our_own(links) and on_github(facts.declared, pin.remote)
    )


def may_be_kept(facts: Facts, pin: Pin, links: Iterable[Link]) -> bool:
    """People chose it for a tracked branch, the object is there, and a branch would hold it.

    links: those of the pin.
    """
    if not is_our_own(links):
        return False
    there = is_unreferenced(facts, pin) or (is_missing(facts, pin) and isinstance(facts.held.get(pin), Known))
    return there and on_github(facts.declared, pin.remote)


def keeping_name(facts: Facts, pin: Pin) -> str | None:
    """What the branch is called that keeps the commit; None where all names are on other commits.

    A branch is never moved. Seven digits are what people use; with the whole id nobody means another commit.
    """
    refs = facts.remotes.get(pin.remote)
    if not isinstance(refs, Known):
        return None
    heads = {
        name.removeprefix("refs/heads/"): commit
        for name, commit in refs.value.heads_and_tags.items()
        if name.startswith("refs/heads/")
    }
    for name in keeping_names(pin.commit):
        # Git keeps branches as files: below a branch there is no other.
        if name.partition("/")[0] not in heads and heads.get(name, pin.commit) == pin.commit:
            return name
    return None


# -- moving -----------------------------------------------------------------------------------------


def must_be_moved(facts: Facts, pin: Pin) -> bool:
    """It is missing, and nobody is known to have the object."""
    return is_missing(facts, pin) and isinstance(facts.held.get(pin, Absent()), Absent)


def to_move(facts: Facts) -> Iterator[Link]:
    """Gitlinks that a pull request could move to a named branch."""
    return (link for link in facts.links if link.target and link.pin and must_be_moved(facts, link.pin))


def target_pin(facts: Facts, link: Link) -> Pin | None:
    """The newest commit of the branch that the pin may be moved to; None where the remote shows none."""
    refs = facts.remotes.get(link.remote or "")
    if link.remote is None or link.target is None or not isinstance(refs, Known):
        return None
    tip = refs.value.heads_and_tags.get(f"refs/heads/{link.target}")
    return Pin(link.remote, tip) if tip else None


def proposed_pin(facts: Facts, link: Link) -> Pin | None:
    """The commit that the open pull request moves the pin to."""
    commit = facts.moves[link.reference].commit
    return Pin(link.remote, commit.value) if link.remote and isinstance(commit, Known) else None


def is_judged(facts: Facts, link: Link) -> bool:
    """All is known that decides whether a pull request is needed for the gitlink."""
    if link.pin is None:
        return True
    standing = facts.standings.get(link.pin)
    return standing is not None and not any(
        isinstance(read, Unknown) for read in (standing, facts.held.get(link.pin))
    )
