"""Follows submodules from the tracked branches down, level by level, and asks for each pinned commit once.

    tracked branch ──► gitlinks ──► refs of their remotes ──► does the remote give the commit?
                          ▲                                        │ it does
                          └──────── its own gitlinks ◄─────────────┘

Read only. Both bounds are told when they are reached.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from responders.submodule_refs import asking
from responders.submodule_refs.facts import Facts, Link, Pin, Tracked, links_beneath, links_of
from shared.landscape import DeclaredSubmodules
from shared.model import Absent, Known, Read, Unknown
from shared.world import Scope

if TYPE_CHECKING:
    from shared.clients.git_remotes import Refs, Standing

READERS: Final = 32
"""GitHub asks for no more than a hundred requests at one time, and other targets have theirs.
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
POOL: Final = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="submodules")

DEEPEST: Final = 8
"""Levels of submodules. Real ones have two or three; a chain of repositories can be made to have no end."""
MOST: Final = 4000
"""Pinned commits. A thousand take seconds; a run has ten minutes, and others to leave requests for."""


def walk(scope: Scope) -> Facts:
    """What the remotes say, without what GitHub and the journal know beside."""
    return _Walk(scope).facts()


def each[K, V](read: Callable[[K], V], keys: Iterable[K]) -> dict[K, V]:
    """Read side by side; each key once."""
    wanted = list(keys)
    return dict(zip(wanted, POOL.map(read, wanted), strict=True))


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
        tracked = tuple(POOL.map(lambda one: self._tracked(*one), declared))
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
        remotes |= each(partial(asking.refs, scope), unread)
        self._standings |= each(lambda pin: asking.standing(scope, pin, remotes[pin.remote]), pins)
        return [pin for pin in pins if isinstance(self._standings[pin], Known)]

    @property
    def _known(self) -> set[Pin]:
        return self._standings.keys() | self._beyond.keys()

    def _beneath(self, pins: Iterable[Pin]) -> list[Link]:
        """The gitlinks of submodules at their pinned commits."""
        found: list[Link] = []
        opened = each(lambda pin: asking.own_pins(self._scope, pin, self._remotes[pin.remote]), pins)
        for pin, snapshot in opened.items():
            match snapshot:
                case Known(value):
                    found += links_beneath(pin, value)
                case Unknown() as unread:
                    self._unopened[pin] = unread
                case Absent():
                    self._unopened[pin] = Unknown("the remote gave the commit, and a moment later it did not")
        return found
