"""Reads everything the checks need, each thing once, side by side.

First the submodules themselves; then, of what is missing, whether GitHub still has the object and how a move
of the pin fares. Read only; what cannot be read comes back as Unknown and stops no other read.
"""

from dataclasses import replace

from responders.submodule_refs import asking
from responders.submodule_refs.facts import BRANCH_PREFIX, Facts, Link, Pin, Proposed, branch, change_id
from responders.submodule_refs.pins import proposed_pin, to_ask_github, to_move
from responders.submodule_refs.tree import LARGE, POOL, each, walk
from shared.changes import started
from shared.clients.git_remotes import Standing
from shared.clients.github import State
from shared.landscape import repository_page
from shared.model import Absent, Known, Read
from shared.proposals import is_ours
from shared.world import Scope


def gather(scope: Scope) -> Facts:
    writes = started(scope, change_id)
    pages = {repository_page(one.repository): None for one in scope.environment.submodules}
    listed = {page: POOL.submit(scope.world.github.proposals, page, BRANCH_PREFIX) for page in pages}
    facts = replace(walk(scope), started=writes)
    facts = replace(facts, held=each(lambda pin: scope.world.github.holds(*pin), to_ask_github(facts)))
    moving = {link.reference: link for link in to_move(facts)}
    facts = replace(facts, moves=each(lambda reference: _proposed(scope, moving[reference]), moving, LARGE))
    facts = replace(facts, standings={**facts.standings, **_of_moves(scope, facts)})
    return replace(facts, proposals={page: read.result() for page, read in listed.items()})


# -- what becomes of a missing pin ------------------------------------------------------------------


def _proposed(scope: Scope, link: Link) -> Proposed:
    """How the move of the pin fares, and what its pull request would put there."""
    own = branch(link.change or "")
    history = scope.world.github.history(link.holder, own)
    if not (isinstance(history, Known) and history.value and history.value[0].state is State.OPEN):
        return Proposed(history=history, commit=Absent())
    match asking.snapshot(scope, link.holder, own):
        case Known(snapshot):
            commits = [one.commit for one in snapshot.gitlinks if one.path == link.gitlink.path]
            commit = Known(commits[0]) if commits else Absent()
            return Proposed(history=history, commit=commit, by_others=not is_ours(snapshot.message))
        case unread:
            return Proposed(history=history, commit=unread)


def _of_moves(scope: Scope, facts: Facts) -> dict[Pin, Read[Standing]]:
    """How the commits stand that pull requests move pins to. A branch's newest stands by itself."""
    pins = {proposed_pin(facts, link) for link in to_move(facts)}
    wanted = [pin for pin in pins if pin and pin not in facts.standings]
    return each(lambda pin: asking.standing(scope, pin, facts.remotes[pin.remote]), wanted)
