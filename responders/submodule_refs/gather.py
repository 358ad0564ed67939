"""Reads everything the checks need: each tracked branch, remote and pinned commit once, side by side.

    tracked branch ──► gitlinks ──► refs of their remotes ──► does the remote give the commit?
                          ▲                                        │ it does
                          └──────── its own gitlinks ◄─────────────┘

Level by level, since submodules may have submodules. Only for what is missing GitHub is asked whether it
still has the object, and how a move of the pin fares. Read only; what cannot be read comes back as Unknown
and stops no other read.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final

from responders.submodule_refs import asking
from responders.submodule_refs.facts import (
    BRANCH_PREFIX,
    Facts,
    Link,
    Pin,
    Proposed,
    Tracked,
    branch,
    change_id,
    links_beneath,
    links_of,
)
from responders.submodule_refs.pins import proposed_pin, target_pin, to_ask_github, to_move
from shared.changes import started
from shared.clients.git_remotes import Refs, Standing
from shared.clients.github import State
from shared.landscape import DeclaredSubmodules, repository_page
from shared.model import Absent, Known, Read, Unknown
from shared.world import Scope

READERS: Final = 32
"""GitHub asks for no more than a hundred requests at one time, and a run has two pools at most.
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
_POOL: Final = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="submodules")

DEEPEST: Final = 8
"""Levels of submodules. Real ones have two or three; a chain of repositories can be made to have no end."""
MOST: Final = 4000
"""Pinned commits. A thousand take seconds; a run has ten minutes, and others to leave requests for."""


def gather(scope: Scope) -> Facts:
    writes = started(scope, change_id)
    pages = {repository_page(one.repository): None for one in scope.environment.submodules}
    listed = {page: _POOL.submit(scope.world.github.proposals, page, BRANCH_PREFIX) for page in pages}
    facts = replace(_Walk(scope).facts(), started=writes)
    facts = replace(facts, held=_each(lambda pin: scope.world.github.holds(*pin), to_ask_github(facts)))
    moving = {link.reference: link for link in to_move(facts)}
    facts = replace(facts, moves=_each(lambda reference: _proposed(scope, moving[reference]), moving))
    facts = replace(facts, standings={**facts.standings, **_of_moves(scope, facts)})
    return replace(facts, proposals={page: read.result() for page, read in listed.items()})


# -- the tree of submodules -----------------------------------------------------------------------


class _Walk:
    """Follows submodules from the tracked branches down."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._links: list[Link] = []
        self._remotes: dict[str, Read[Refs]] = {}
        self._standings: dict[Pin, Read[Standing]] = {}
        self._unopened: dict[Pin, Unknown] = {}
        self._beyond: dict[Pin, str] = {}

    def facts(self) -> Facts:
        declared = [
            (one, revision)
            for one in self._scope.environment.submodules
            for revision in dict.fromkeys(one.revisions)
        ]
        tracked = tuple(_POOL.map(lambda one: self._tracked(*one), declared))
        level = [
            link
            for one in tracked
            if isinstance(one.snapshot, Known)
            for link in links_of(one, one.snapshot.value)
        ]
        for depth in range(DEEPEST + 1):
            self._links += level
            new = self._probed(level, depth)
            if not new:
                break
            level = self._beneath(new)
        return Facts(
            environment=self._scope.environment.name,
            tracked=tracked,
            links=tuple(self._links),
            remotes=self._remotes,
            standings=self._standings,
            unopened=self._unopened,
            beyond=self._beyond,
            held={},
            moves={},
            proposals={},
            started={},
        )

    def _tracked(self, declared: DeclaredSubmodules, revision: str) -> Tracked:
        read_at = self._scope.clock()
        snapshot = asking.snapshot(self._scope, declared.repository, revision)
        return Tracked(declared=declared, revision=revision, snapshot=snapshot, read_at=read_at)

    def _probed(self, level: Iterable[Link], depth: int) -> list[Pin]:
        """Ask for each pin that was not met before. Answers those that were found."""
        pins = [pin for pin in dict.fromkeys(link.pin for link in level) if pin and pin not in self._known]
        room = 0 if depth == DEEPEST else MOST - len(self._standings)
        why = f"it lies {DEEPEST} submodules deep" if depth == DEEPEST else f"{MOST} others come before it"
        self._beyond |= dict.fromkeys(pins[room:], why)
        pins = pins[:room]
        scope, remotes = self._scope, self._remotes
        unread = dict.fromkeys(pin.remote for pin in pins if pin.remote not in remotes)
        remotes |= _each(partial(asking.refs, scope), unread)
        self._standings |= _each(lambda pin: asking.standing(scope, pin, remotes[pin.remote]), pins)
        return [pin for pin in pins if isinstance(self._standings[pin], Known)]

    @property
    def _known(self) -> set[Pin]:
        return self._standings.keys() | self._beyond.keys()

    def _beneath(self, pins: Iterable[Pin]) -> list[Link]:
        """The gitlinks of submodules at their pinned commits."""
        found: list[Link] = []
        for pin, snapshot in _each(lambda pin: asking.snapshot(self._scope, *pin), pins).items():
            match snapshot:
                case Known(value):
                    found += links_beneath(pin, value)
                case Unknown() as unread:
                    self._unopened[pin] = unread
                case Absent():
                    self._unopened[pin] = Unknown("the remote gave the commit, and a moment later it did not")
        return found


def _each[K, V](read: Callable[[K], V], keys: Iterable[K]) -> dict[K, V]:
    wanted = list(keys)
    return dict(zip(wanted, _POOL.map(read, wanted), strict=True))


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
            return Proposed(history=history, commit=Known(commits[0]) if commits else Absent())
        case unread:
            return Proposed(history=history, commit=unread)


def _of_moves(scope: Scope, facts: Facts) -> dict[Pin, Read[Standing]]:
    """How the commits stand that a pin may be moved to, and those that pull requests move it to."""
    links = list(to_move(facts))
    pins = {target_pin(facts, link) for link in links} | {proposed_pin(facts, link) for link in links}
    wanted = [pin for pin in pins if pin and pin not in facts.standings]
    return _each(lambda pin: asking.standing(scope, pin, facts.remotes[pin.remote]), wanted)
