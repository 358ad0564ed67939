"""Each fault of submodules has its name, and nothing that was not read is called a fault."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import get_ident

import pytest

from responders.submodule_refs import tree
from responders.submodule_refs.reasons import REASONS, Reason
from responders.submodule_refs.verify import look_again
from shared.clients.git_remotes import Refs, Snapshot, Standing
from shared.errors import PermanentError, TemporaryError, Throttled
from shared.model import Read, Word
from tests.unit.git_remotes import GitRemotes
from tests.unit.submodule_refs.builders import BACKLOG, GITOPS, LINK, PARENT, World, declared, link

DOWN = TemporaryError("github.com answered 503", delay=timedelta(seconds=30))
ELSEWHERE = "https://gitlab.com/group/docs"
LIBRARY = "https://github.com/ameideio/library"


def of_backlog(commit: str) -> str:
    return f"{BACKLOG}/commit/{commit}"


# -- one submodule --------------------------------------------------------------------------------


def newest_pinned(world: World) -> str:
    world.pin(world.tip)
    return ""


def unreferenced(world: World) -> str:
    world.pin(world.stray)
    return of_backlog(world.stray)


def held_by_a_tag(world: World) -> str:
    world.pin(world.stray)
    world.backlog.tags["v1"] = world.stray
    return ""


def forgotten(world: World) -> str:
    unreferenced(world)
    world.backlog.forget(world.stray)
    return of_backlog(world.stray)


def lost(world: World) -> str:
    unreferenced(world)
    world.backlog.lose(world.stray)
    return of_backlog(world.stray)


def without_url(world: World) -> str:
    world.pin(world.first, url=None)
    return LINK


def by_ssh(world: World) -> str:
    world.pin(world.first, url="git@github.com:ameideio/ameide-backlog.git")
    return LINK


def by_a_path_that_is_shown_escaped(world: World) -> str:
    """An address of .gitmodules would not be its own."""
    world.pin(world.stray, path=r"bad\n::error::x", url=f"{BACKLOG}.git", branch="main", printable=False)
    return PARENT + r"/tree/main/bad\n::error::x"


def relative(world: World) -> str:
    world.pin(world.first, url="../ameide-backlog.git")
    return ""


def skipped(world: World) -> str:
    world.pin(world.stray, skipped=True)
    world.backlog.lose(world.stray)
    return ""


def by_file(world: World) -> str:
    world.pin(world.first, url="file:///srv/backlog")
    return LINK


def moved(world: World) -> str:
    world.backlog.moved_to = "https://github.com/ameideio/backlog.git"
    return BACKLOG


def without_remote(world: World) -> str:
    del world.git.repositories[BACKLOG]
    return BACKLOG


def without_an_answer(world: World) -> str:
    world.git.troubles[f"refs {BACKLOG}"] = DOWN
    return BACKLOG


def without_its_word(world: World) -> str:
    """As a server answers that gives nothing but the tips of its branches."""
    world.git.troubles[f"standing {world.first}"] = PermanentError("it gives no commits by their id")
    return of_backlog(world.first)


def without_its_own(world: World) -> str:
    world.git.troubles[f"snapshot {BACKLOG}"] = DOWN
    return f"{BACKLOG}/tree/{world.first}"


def without_branch(world: World) -> str:
    world.gitops.delete("main")
    return f"{PARENT}/tree/main"


def without_parent(world: World) -> str:
    world.git.troubles[f"snapshot {PARENT}"] = DOWN
    return f"{PARENT}/tree/main"


SITUATIONS: dict[str, tuple[Callable[[World], str], list[Reason]]] = {
    "a commit that a branch led to has no fault": (lambda _: "", []),
    "the newest of a branch has no fault": (newest_pinned, []),
    "what a tag leads to has no fault": (held_by_a_tag, []),
    "a relative URL leads to a sister": (relative, []),
    "what is gone hurts nobody where git passes over it": (skipped, []),
    "what nothing leads to may vanish": (unreferenced, [Reason.SUBMODULE_COMMIT_UNREFERENCED]),
    "what the Git server gives to nobody is missing, whatever the API says": (
        forgotten,
        [Reason.SUBMODULE_COMMIT_MISSING],
    ),
    "what is gone altogether is missing": (lost, [Reason.SUBMODULE_COMMIT_MISSING]),
    "a gitlink without URL stops git": (without_url, [Reason.SUBMODULE_URL_MISSING]),
    "a path of control characters is not asked for": (
        by_a_path_that_is_shown_escaped,
        [Reason.SUBMODULE_PATH_UNPRINTABLE],
    ),
    "an address of ssh cannot be asked": (by_ssh, [Reason.SUBMODULE_URL_NOT_ASKED]),
    "a file cannot be asked": (by_file, [Reason.SUBMODULE_URL_NOT_ASKED]),
    "a repository that was renamed is still there": (moved, [Reason.SUBMODULE_REMOTE_MOVED]),
    "a repository that answers 404 may be private": (without_remote, [Reason.SUBMODULES_UNREAD]),
    "a repository that does not answer is not known": (without_an_answer, [Reason.SUBMODULES_UNREAD]),
    "a refusal is not the word that counts": (without_its_word, [Reason.SUBMODULES_UNREAD]),
    "a submodule whose own ones cannot be read is half known": (
        without_its_own,
        [Reason.SUBMODULES_UNREAD],
    ),
    "a branch that is missing has nothing to judge": (without_branch, [Reason.TRACKED_REVISION_UNREAD]),
    "a parent that does not answer is not known": (without_parent, [Reason.TRACKED_REVISION_UNREAD]),
}


@pytest.mark.parametrize(("happens", "reasons"), SITUATIONS.values(), ids=SITUATIONS)
def test_names_what_is_wrong_and_on_what(happens: Callable[[World], str], reasons: list[Reason]) -> None:
    world = World()
    subject = happens(world)
    assert [(one.reason, one.subject) for one in world.findings()] == [(one, subject) for one in reasons]


NOT_KNOWN = {
    name: happens
    for name, (happens, reasons) in SITUATIONS.items()
    if set(reasons)
    & {
        Reason.SUBMODULES_UNREAD,
        Reason.TRACKED_REVISION_UNREAD,
        Reason.SUBMODULE_URL_NOT_ASKED,
        Reason.SUBMODULE_PATH_UNPRINTABLE,
    }
}


@pytest.mark.parametrize("happens", NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_nothing_is_written_on_what_is_not_known(happens: Callable[[World], str]) -> None:
    world = World()
    happens(world)
    before = {page: dict(one.branches) for page, one in world.git.repositories.items()}
    assert world.run().outcome.word in (Word.FAILED, Word.HUMAN)
    assert {page: one.branches for page, one in world.git.repositories.items()} == before
    assert world.github.pulls == []


def test_a_password_in_an_address_is_shown_to_nobody() -> None:
    world = World()
    world.pin(world.stray, url="https://bot:hunter2@github.com/ameideio/ameide-backlog.git")
    world.backlog.lose(world.stray)
    report = world.run()
    assert world.github.pulls
    said = f"{report} {world.github.texts} {world.github.messages} {world.findings()}"
    scope, long_ago = world.scope, world.clock() - timedelta(days=1)
    said += str([entry.detail for entry in scope.journal.read(scope.target, since=long_ago)])
    assert "hunter2" not in said


def test_a_password_in_an_address_that_cannot_be_asked_is_shown_to_nobody() -> None:
    world = World()
    world.pin(world.first, url="ssh://bot:hunter2@example.com/backlog.git")
    (found,) = world.findings()
    assert found.reason == Reason.SUBMODULE_URL_NOT_ASKED
    assert "hunter2" not in str(found)


# -- several --------------------------------------------------------------------------------------


def test_a_commit_that_many_pin_is_asked_for_once_and_named_once() -> None:
    world = World()
    world.commit(GITOPS, "main", *(link(world.stray, path=f"docs/{number}") for number in range(5)))
    world.backlog.lose(world.stray)
    found = [one for one in world.findings() if one.reason == Reason.SUBMODULE_COMMIT_MISSING]
    assert [one.message for one in found] == [
        f"pinned by {PARENT}/tree/main/docs/0 and 4 more, it is not there: `not our ref`"
    ]


@pytest.mark.parametrize("revision", ["HEAD", "v1.2.3"])
def test_what_is_tracked_may_be_head_or_a_tag(revision: str) -> None:
    world = World(submodules=(declared(revision),))
    world.pin(world.stray)
    world.gitops.tags["v1.2.3"] = world.gitops.branches["main"]
    (found,) = world.findings()
    assert found.reason == Reason.SUBMODULE_COMMIT_UNREFERENCED
    assert world.run().outcome.word is Word.REPAIRED
    assert world.backlog.branches[f"gitops-pin/{world.stray[:7]}"] == world.stray


def test_every_tracked_branch_is_looked_at() -> None:
    world = World((declared("main", "next"),))
    world.commit(GITOPS, "next", link(world.stray))
    (found,) = world.findings()
    assert (found.reason, found.evidence["revision"]) == (Reason.SUBMODULE_COMMIT_UNREFERENCED, "next")


def test_a_remote_that_does_not_answer_hides_no_other() -> None:
    world = World()
    world.pin(world.stray)
    library = world.commit(LIBRARY, "main")
    world.commit(GITOPS, "main", link(world.stray), link(library, path="library", url=LIBRARY))
    world.git.troubles[f"refs {LIBRARY}"] = DOWN
    assert world.reasons() == [Reason.SUBMODULES_UNREAD, Reason.SUBMODULE_COMMIT_UNREFERENCED]


# -- nested ---------------------------------------------------------------------------------------


def nested(world: World, commit: str, **changes: str | None) -> str:
    """The backlog pins that commit of a library; main pins the backlog."""
    holder = world.commit(BACKLOG, "main", link(commit, path="lib", **{"url": LIBRARY, **changes}))
    world.pin(holder)
    return holder


def test_a_submodule_of_a_submodule_is_looked_at_where_its_holder_pins_it() -> None:
    world = World()
    world.commit(LIBRARY, "main")
    gone = world.commit(LIBRARY, None)
    holder = nested(world, gone)
    (_, found) = world.findings()
    assert (found.reason, found.subject) == (
        Reason.SUBMODULE_COMMIT_UNREFERENCED,
        f"{LIBRARY}/commit/{gone}",
    )
    assert f"pinned by {BACKLOG}/tree/{holder}/lib," in found.message


def test_the_address_of_a_nested_one_is_relative_to_its_holder() -> None:
    world = World()
    nested(world, world.commit(LIBRARY, "main"), url="../library")
    assert world.reasons() == []


def test_what_is_missing_below_a_submodule_is_for_people() -> None:
    world = World()
    world.commit(LIBRARY, "main")
    gone = world.commit(LIBRARY, None)
    nested(world, gone, branch="main")
    world.git.lay(LIBRARY).lose(gone)
    assert world.reasons() == [Reason.SUBMODULE_COMMIT_LOST, Reason.SUBMODULE_COMMIT_MISSING]
    assert world.plan().steps == ()


def test_repositories_that_pin_each_other_come_to_an_end() -> None:
    world = World()
    world.backlog.pins[world.first] = (link(world.first, path="self", url=BACKLOG),)
    assert world.reasons() == []


def test_deeper_ones_than_are_looked_at_are_told() -> None:
    world = World()
    below = world.first
    for _ in range(tree.DEEPEST):
        below = world.commit(BACKLOG, "main", link(below))
    world.pin(below)
    (found,) = world.findings()
    assert (found.reason, found.subject) == (Reason.SUBMODULES_BEYOND_BOUND, of_backlog(world.first))


def test_as_deep_ones_as_are_looked_at_are_judged() -> None:
    world = World()
    below = world.stray
    for _ in range(tree.DEEPEST - 1):
        below = world.commit(BACKLOG, "main", link(below))
    world.pin(below)
    assert world.reasons() == [Reason.PIN_NESTED, Reason.SUBMODULE_COMMIT_UNREFERENCED]


def test_more_than_are_looked_at_are_told_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST", 3)
    world = World()
    commits = [world.commit(BACKLOG, "main") for _ in range(5)]
    pins = (link(one, path=f"docs/{number}") for number, one in enumerate(commits))
    world.commit(GITOPS, "main", *pins)
    assert [(one.reason, one.subject) for one in world.findings()] == [
        (Reason.SUBMODULES_BEYOND_BOUND, of_backlog(one)) for one in commits[3:]
    ]


class Slow(GitRemotes):
    """Each of its answers takes a minute."""

    def __init__(self, world: World) -> None:
        super().__init__(world.git.repositories)
        self._clock = world.clock

    def standing(self, url: str, commit: str, refs: Refs, *, parent: str | None = None) -> Read[Standing]:
        self._clock.advance(timedelta(minutes=1))
        return super().standing(url, commit, refs, parent=parent)


def test_what_is_not_reached_in_time_is_told_and_never_taken_for_well() -> None:
    world = World()
    commits = [world.commit(BACKLOG, "main") for _ in range(6)]
    world.commit(GITOPS, "main", *(link(one, path=f"docs/{number}") for number, one in enumerate(commits)))
    world.github.git = Slow(world)
    found = world.findings()
    assert {one.reason for one in found} == {Reason.SUBMODULES_UNREAD}
    assert {one.subject.rpartition("/")[2] for one in found} == set(commits)
    assert all("had taken 180 s before it was its turn" in one.message for one in found)


def test_submodules_that_hold_too_much_together_are_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_TEXT", 1000)
    world = World()
    below = [link(world.first, path="x" * 2000 + str(number)) for number in range(20)]
    holders = [world.commit(BACKLOG, "main", one) for one in below]
    world.commit(GITOPS, "main", *(link(one, path=f"docs/{number}") for number, one in enumerate(holders)))
    found = world.findings()
    assert {one.reason for one in found} == {Reason.SUBMODULES_UNREAD}
    assert all("too many gitlinks were read before it" in one.message for one in found)
    # Those that were under way beside the first are read all the same.
    assert len(found) >= len(holders) - 4


def test_remotes_that_have_too_many_branches_together_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_REFS", 1)
    world = World()
    library = world.commit(LIBRARY, "main")
    nested(world, library)
    (found,) = world.findings()
    assert (found.reason, found.subject) == (Reason.SUBMODULES_UNREAD, LIBRARY)


class Watched(GitRemotes):
    """Remembers which threads read snapshots."""

    def __init__(self, world: World) -> None:
        super().__init__(world.git.repositories)
        self.threads: set[int] = set()

    def snapshot(
        self, url: str, revision: str, *, refs: Refs | None = None, parent: str | None = None
    ) -> Read[Snapshot]:
        self.threads.add(get_ident())
        return super().snapshot(url, revision, refs=refs, parent=parent)


def test_few_submodules_are_held_in_memory_at_one_time() -> None:
    world = World()
    commits = [world.commit(BACKLOG, "main") for _ in range(50)]
    world.commit(GITOPS, "main", *(link(one, path=f"docs/{number}") for number, one in enumerate(commits)))
    world.github.git = watched = Watched(world)
    assert world.reasons() == []
    assert len(watched.threads) <= 8


def test_a_remote_s_branches_are_read_once_in_a_look_however_many_pin_it() -> None:
    world = World()
    commits = [world.commit(BACKLOG, "main") for _ in range(1000)]
    pins = (link(one, path=f"docs/{number}") for number, one in enumerate(commits))
    world.commit(GITOPS, "main", *pins)
    world.git.calls.clear()
    assert world.reasons() == []
    assert Counter(world.git.calls) == {
        ("snapshot", PARENT): 1,
        ("refs", BACKLOG): 1,
        ("standing", BACKLOG): 1000,
        ("snapshot", BACKLOG): 1000,
    }


# -- looks ----------------------------------------------------------------------------------------


def test_a_pause_that_a_remote_asked_for_is_kept() -> None:
    world = World()
    asked = timedelta(minutes=7)
    world.git.troubles[f"refs {BACKLOG}"] = Throttled("github.com answered 429", delay=asked)
    now = world.clock()
    outcome = world.run().outcome
    assert (outcome.word, outcome.until, outcome.held_until) == (Word.FAILED, now + asked, now + asked)


def test_what_could_not_be_read_is_read_again_soon() -> None:
    world = World()
    del world.git.repositories[BACKLOG]
    facts = world.gather()
    (found,) = world.findings()
    assert look_again(facts, found, world.clock()).after == timedelta(seconds=30)


def test_every_reason_says_what_it_means_and_what_to_do() -> None:
    assert set(REASONS) == set(Reason)
    assert all(info.means and info.remedy for info in REASONS.values())
