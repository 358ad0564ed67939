"""Carries out one step. Safe to repeat, and safe to die at any line.

The remotes are asked again first: a branch is published only for what a tracked branch itself pins, under a
name that is free, and a pin is moved only from the commit that the plan knew and that is still gone, to one
that a branch or tag leads to by its remote's own word.
"""

from collections.abc import Iterator

from responders.submodule_refs import asking
from responders.submodule_refs.facts import Link, Pin, Tracked, branch, keeping_names, links_of
from responders.submodule_refs.pins import on_github
from responders.submodule_refs.plan import KEEP, MOVE
from responders.submodule_refs.reasons import Reason
from responders.submodule_refs.writing import body, change, closing, message, title
from shared.changes import is_open
from shared.clients.azure_core import AGAIN
from shared.clients.git_remotes import Refs, Snapshot, Standing
from shared.contract import refusal
from shared.errors import HumanNeeded, NotWritten, PermanentError, after_a_write
from shared.landscape import repository_page
from shared.model import Absent, Known, Read, Step, Unknown
from shared.proposals import NUMBER, is_ours, withdraw
from shared.world import Scope


def apply(scope: Scope, step: Step) -> None:
    """The caller holds the repository's lease: GitHub asks for writes one after the other.

    Raises what the clients raise, and PermanentError for a step that no plan of this responder may hold: the
    last guard before a write, whatever went wrong above.
    """
    if step.action not in (KEEP, MOVE):
        raise PermanentError(f"{step.action} is not an action of submodule_refs")
    if why := refusal(step, scope.environment.contract):
        raise PermanentError(f"{step.owner} may not be written: {why}")
    if step.action == KEEP:
        _keep(scope, step)
    elif NUMBER in step.after:
        name, comment = closing()
        withdraw(scope, step, title=name, comment=comment)
    else:
        _move(scope, step)


def _keep(scope: Scope, step: Step) -> None:
    name, commit = step.after["branch"], step.after["commit"]
    if name not in keeping_names(commit) or step.object != f"{step.owner}/commit/{commit}":
        raise PermanentError(f"{name} is no branch that keeps {step.object}")
    _hold_pinned(scope, step)
    refs = _known(asking.refs(scope, step.owner), step.owner)
    if refs.heads_and_tags.get(f"refs/heads/{name}", commit) != commit:
        raise NotWritten(f"{name} is on another commit since the plan", delay=AGAIN)
    try:
        scope.world.github.keep(step.owner, name, commit)
    except PermanentError as refused:
        raise HumanNeeded(f"{name}: {refused}", reason=Reason.PIN_REFUSED) from refused


def _move(scope: Scope, step: Step) -> None:
    """Begins from whatever state a crash may leave behind: no branch, an old one, one without its request."""
    github = scope.world.github
    link, snapshot = _link(scope, step)
    base = _hold_move(scope, step, link)
    own = branch(change(step))
    opened = is_open(github, link.holder, own)
    held = _hold_ours(scope, link.holder, own, opened=opened)
    # Where a pull request was refused, each further try would add a commit that changes nothing.
    if held is not None and not opened and _moves(scope, step, link, own, held):
        github.propose(link.holder, own, base, title(link), body(scope, step, link))
        return
    github.move_gitlink(
        link.holder,
        own,
        snapshot.commit,
        link.gitlink.path,
        commit=step.after["commit"],
        message=message(scope, step, link),
        upon=held.commit if held else None,
    )
    if not opened:
        with after_a_write():
            github.propose(link.holder, own, base, title(link), body(scope, step, link))


def _moves(scope: Scope, step: Step, link: Link, own: str, held: Snapshot) -> bool:
    """The branch has the move, and its base has not: one that was merged and undone must be made anew."""
    pinned = {one.path: one.commit for one in held.gitlinks}
    if pinned.get(link.gitlink.path) != step.after["commit"]:
        return False
    beyond = scope.world.github.beyond(link.holder, link.branch or "", own)
    return isinstance(beyond, Known) and beyond.value.tip == held.commit


# -- asking again -----------------------------------------------------------------------------------


def _link(scope: Scope, step: Step) -> tuple[Link, Snapshot]:
    """The gitlink as it is now, and the commit that has it.

    Raises NotWritten where it pins another commit than the plan knew: the next look plans anew.
    """
    for tracked in _tracked(scope):
        repository = tracked.declared.repository
        inside = step.object.startswith(f"{tracked.reference}/")
        if inside and step.owner == repository_page(repository):
            snapshot = _known(asking.snapshot(scope, repository, tracked.revision), step.object)
            return _pinning(step, tracked, snapshot), snapshot
    raise PermanentError(f"{step.object} is not declared")


def _tracked(scope: Scope) -> Iterator[Tracked]:
    """Every branch of the landscape, before it is read."""
    for declared in scope.environment.submodules:
        for revision in declared.revisions:
            read_at = scope.clock()
            yield Tracked(declared=declared, revision=revision, snapshot=Absent(), read_at=read_at)


def _pinning(step: Step, tracked: Tracked, snapshot: Snapshot) -> Link:
    for link in links_of(tracked, snapshot):
        if link.reference == step.object and step.before == {"commit": link.gitlink.commit}:
            return link
    raise NotWritten(f"{step.object} has changed since the plan", delay=AGAIN)


def _hold_pinned(scope: Scope, step: Step) -> None:
    """A tracked branch itself pins the commit at that remote: people chose it there, and nobody else."""
    unread: Read[Snapshot] = Absent()
    for tracked in _tracked(scope):
        match asking.snapshot(scope, tracked.declared.repository, tracked.revision):
            case Known(snapshot):
                pins = (link.pin for link in links_of(tracked, snapshot))
                if any(pin and pin.reference == step.object for pin in pins):
                    return
            case Unknown() as unknown:
                unread = unknown
    if isinstance(unread, Unknown):
        raise NotWritten(f"what pins {step.object} could not be read: {unread.why}", delay=AGAIN)
    raise NotWritten(f"no tracked branch pins {step.object} any more", delay=AGAIN)


def _hold_move(scope: Scope, step: Step, link: Link) -> str:
    """The branch to propose it to. The commit may be pinned, and the one that is pinned is still gone."""
    if link.remote is None or link.branch is None or link.target != step.after["branch"]:
        says = f"{step.object} may not be moved to {step.after['branch']} any more"
        raise NotWritten(says, delay=AGAIN)
    refs = asking.refs(scope, link.remote)
    _hold_target(scope, Pin(link.remote, step.after["commit"]), refs)
    _hold_gone(scope, Pin(link.remote, link.gitlink.commit), refs)
    return link.branch


def _hold_ours(scope: Scope, holder: str, own: str, *, opened: bool) -> Snapshot | None:
    """The branch's newest commit, which is ours: the branch is about to hold something else."""
    match asking.snapshot(scope, holder, own):
        case Known(snapshot) if is_ours(snapshot.message):
            return snapshot
        case Known():
            says = f"somebody else wrote to branch {own}"
            if opened:
                raise NotWritten(f"{says} since the plan", delay=AGAIN)
            raise PermanentError(f"{says}, which has no pull request: propose it, or delete the branch")
        case Unknown(why):
            raise NotWritten(f"branch {own} could not be read: {why}", delay=AGAIN)
        case Absent():
            return None


def _hold_target(scope: Scope, pin: Pin, refs: Read[Refs]) -> None:
    if _known(asking.standing(scope, pin, refs), pin.commit) is not Standing.REFERENCED:
        raise NotWritten(f"no branch or tag leads to {pin.commit} any more", delay=AGAIN)


def _hold_gone(scope: Scope, pin: Pin, refs: Read[Refs]) -> None:
    """A server behind a balancer may say `not our ref` once, of a commit that was pushed just now."""
    gone = isinstance(asking.standing(scope, pin, refs), Absent)
    if gone and on_github(scope.environment.submodules, pin.remote):
        gone = isinstance(scope.world.github.holds(*pin), Absent)
    if not gone:
        raise NotWritten(f"{pin.commit} is not known to be gone any more", delay=AGAIN)


def _known[T](read: Read[T], what: str) -> T:
    match read:
        case Known(value):
            return value
        case Unknown(why):
            raise NotWritten(f"{what} could not be read: {why}", delay=AGAIN)
        case Absent():
            raise NotWritten(f"{what} is not there any more", delay=AGAIN)
