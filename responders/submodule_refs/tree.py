"""Follows submodules from the tracked branches down, level by level, and asks for each pinned commit once.

    tracked branch ──► gitlinks ──► refs of their remotes ──► does the remote give the commit?
                          ▲                                        │ it does
                          └──────── its own gitlinks ◄─────────────┘

Read only. What lies below a tracked branch is what others wrote, and it may be made to have no end, so all of
it has bounds: depth, number, time, and what is held in memory. Whatever is not looked at for one is told.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Lock
from typing import Final

from responders.submodule_refs import asking
from responders.submodule_refs.facts import Facts, Link, Pin, Tracked, links_beneath, links_of
from shared.clients.git_remotes import Refs, Snapshot, Standing
from shared.landscape import DeclaredSubmodules
from shared.model import Absent, Known, Read, Unknown
from shared.world import Scope

READERS: Final = 32
"""GitHub asks for no more than a hundred requests at one time, and other targets have theirs.
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
POOL: Final = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="submodules")
LARGE: Final = ThreadPoolExecutor(max_workers=8, thread_name_prefix="submodules-large")
"""For answers that may be large: folders of whole commits, and refs of repositories that others named. Each
may take 32 MiB in memory, and 128 where its server cannot leave files out; a function has two GiB."""

DEEPEST: Final = 8
"""Levels of submodules. Real ones have two or three; a chain of repositories can be made to have no end."""
MOST: Final = 4000
"""Pinned commits. A thousand take seconds; a run has ten minutes, and others to leave requests for."""
LONGEST: Final = timedelta(minutes=3)
"""Nothing is asked for after it. The last answers take four minutes at most, of the ten that a run has."""
MOST_TEXT: Final = 8 * 1024 * 1024
"""Characters of nested gitlinks' paths, each of which counts as PATH at least."""
PATH: Final = 200
MOST_REFS: Final = 500_000
"""Branches and tags of all remotes together, which are held for as long as the look takes."""

_LATE: Final = Unknown(f"the look had taken {LONGEST.seconds} s before it was its turn")


def walk(scope: Scope) -> Facts:
    """What the remotes say, without what GitHub and the journal know beside."""
    return _Walk(scope).facts()


def each[K, V](read: Callable[[K], V], keys: Iterable[K], pool: ThreadPoolExecutor = POOL) -> dict[K, V]:
    """Read side by side; each key once."""
    wanted = list(keys)
    return dict(zip(wanted, pool.map(read, wanted), strict=True))


class _Room:
    """What is left of a bound that many readers share. It may be passed by what they have under way."""

    def __init__(self, left: int) -> None:
        self._left = left
        self._lock = Lock()

    def __bool__(self) -> bool:
        return self._left > 0

    def take(self, size: int) -> None:
        with self._lock:
            self._left -= size


class _Walk:
    """Follows submodules from the tracked branches down."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._until = scope.clock() + LONGEST
        self._text = _Room(MOST_TEXT)
        self._refs_left = _Room(MOST_REFS)
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
        tracked = tuple(LARGE.map(lambda one: self._tracked(*one), declared))
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
        snapshot = self._in_time(lambda: asking.snapshot(self._scope, declared.repository, revision))
        return Tracked(declared=declared, revision=revision, snapshot=snapshot, read_at=read_at)

    def _probed(self, level: Iterable[Link], depth: int) -> list[Pin]:
        """Ask for each pin that was not met before. Answers those that were found."""
        known = self._standings.keys() | self._beyond.keys()
        pins = [pin for pin in dict.fromkeys(link.pin for link in level) if pin and pin not in known]
        room = 0 if depth == DEEPEST else MOST - len(self._standings)
        why = f"it lies {DEEPEST} submodules deep" if depth == DEEPEST else f"{MOST} others come before it"
        self._beyond |= dict.fromkeys(pins[room:], why)
        pins = pins[:room]
        unread = dict.fromkeys(pin.remote for pin in pins if pin.remote not in self._remotes)
        self._remotes |= each(self._refs, unread, LARGE if depth else POOL)
        self._standings |= each(self._standing, pins)
        return [pin for pin in pins if isinstance(self._standings[pin], Known)]

    def _beneath(self, pins: Iterable[Pin]) -> list[Link]:
        """The gitlinks of submodules at their pinned commits."""
        found: list[Link] = []
        for pin, snapshot in each(self._opened, pins, LARGE).items():
            match snapshot:
                case Known(value):
                    found += links_beneath(pin, value)
                case Unknown() as unread:
                    self._unopened[pin] = unread
                case Absent():
                    self._unopened[pin] = Unknown("the remote gave the commit, and a moment later it did not")
        return found

    # -- one read, within the bounds ----------------------------------------------------------------

    def _refs(self, remote: str) -> Read[Refs]:
        if not self._refs_left:
            return Unknown(f"{MOST_REFS} branches and tags of other remotes were read before it")
        read = self._in_time(partial(asking.refs, self._scope, remote))
        if isinstance(read, Known):
            self._refs_left.take(len(read.value.heads_and_tags))
        return read

    def _standing(self, pin: Pin) -> Read[Standing]:
        return self._in_time(lambda: asking.standing(self._scope, pin, self._remotes[pin.remote]))

    def _opened(self, pin: Pin) -> Read[Snapshot]:
        if not self._text:
            return Unknown("too many gitlinks were read before it")
        read = self._in_time(lambda: asking.own_pins(self._scope, pin, self._remotes[pin.remote]))
        if isinstance(read, Known):
            self._text.take(sum(max(PATH, len(one.path)) for one in read.value.gitlinks))
        return read

    def _in_time[T](self, read: Callable[[], Read[T]]) -> Read[T]:
        return _LATE if self._scope.clock() > self._until else read()
